"""A name to the words that count in it: the one normalisation that list and query go through."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from exportguard.parties.screening.scripts import latin_readings, visible
from exportguard.parties.screening.words import ABBREVIATIONS, FILLERS, LEGAL_FORMS

MAX_NAME = 400
"""Characters of a name that are looked at; a longer one is cut, and said to be."""

_DOTTED = re.compile(r"(?<![a-z0-9])(?:[a-z]\.[\s]?){2,}(?:[a-z](?![a-z0-9]))?")
_APOSTROPHE = re.compile(r"(?<=[a-z])'(?=[a-z])")
_NUMBER_SIGN = re.compile(r"\b(?:no|nr|num|number)\b[.\s]*(?=\d)")
_WORD = re.compile(r"[a-z0-9]+")
_MIXED = re.compile(r"[a-z0-9$@]*[a-z][a-z0-9$@]*")
_DIGIT_WITHIN = re.compile(r"[a-z][0-9]|[0-9][a-z]")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_NUMBERS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10",
}  # fmt: skip
_DIGITS_FOR_LETTERS = (str.maketrans("013457$@", "oleastsa"), str.maketrans("013457$@", "oieastsa"))


class Words(NamedTuple):
    """The words of one reading of a name, in order."""

    tokens: tuple[str, ...]
    """Canonical words, legal forms included."""

    @property
    def key(self) -> str:
        """What exact matching goes by: words in order, without legal forms and fillers."""
        return " ".join(significant(self.tokens))


def significant(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Without legal forms and fillers; everything, where nothing else would be left."""
    kept = tuple(token for token in tokens if token not in LEGAL_FORMS and token not in FILLERS)
    if sum(map(len, kept)) < 2:
        # `A T & T`, `I T C`: where next to nothing is left, the little words are the name.
        return tuple(token for token in tokens if token not in LEGAL_FORMS) or tokens
    return kept


@lru_cache(maxsize=16384)
def canonical_word(word: str) -> str:
    """One word as list and query compare it: abbreviations spelled out, plural and ordinal endings dropped."""
    ordinal = _ORDINAL.fullmatch(word)
    if ordinal:
        return ordinal[1].lstrip("0") or "0"
    if word in _NUMBERS:
        return _NUMBERS[word]
    if word.isdigit():
        return word.lstrip("0") or "0"
    if word in LEGAL_FORMS or word in FILLERS:
        return word
    word = ABBREVIATIONS.get(word, word)
    if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-3] + "y" if word.endswith("ies") and len(word) > 5 else word[:-1]
        word = ABBREVIATIONS.get(word, word)
    return word


def words_of(latin: str) -> Words:
    """The words of a text in lower-case Latin letters (see `latin_readings`)."""
    text = latin
    if "." in text:
        text = _DOTTED.sub(lambda match: match[0].replace(".", "").replace(" ", "") + " ", text)
    if "'" in text:
        text = _APOSTROPHE.sub("", text)
    if any(digit in text for digit in "0123456789"):
        text = _NUMBER_SIGN.sub("", text)
    text = text.replace("&", " and ").replace("+", " plus ")
    return Words(tuple(canonical_word(word) for word in _spelled_out(_WORD.findall(text))))


def squashed(name: str) -> set[str]:
    """*name* written without spaces: whole, without legal forms, and without fillers either."""
    made: set[str] = set()
    for latin in latin_readings(visible(name[:MAX_NAME])):
        words = _WORD.findall(_APOSTROPHE.sub("", latin))
        named = [word for word in words if word not in LEGAL_FORMS]
        made |= {"".join(words), "".join(named), "".join(word for word in named if word not in FILLERS)}
    return made


def _spelled_out(words: list[str]) -> list[str]:
    """`h u a w e i` is one word: letters that stand alone, four or more in a row, are joined."""
    if sum(len(word) == 1 for word in words) < 4:
        return words
    joined: list[str] = []
    run: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1:
            run.append(word)
            continue
        joined += ["".join(run)] if len(run) >= 4 else run
        run = []
        if word:
            joined.append(word)
    return joined


def readings(name: str) -> list[Words]:
    """Every reading of *name* in Latin letters, the likeliest first. Empty when it has no letter or digit.

    A digit inside a word may stand for the letter that it looks like (`Huawe1`), so that reading is added.
    """
    found: list[Words] = []
    for latin in latin_readings(visible(name[:MAX_NAME])):
        made = words_of(latin)
        if made.tokens and made not in found:
            found.append(made)
        mixed = _DIGIT_WITHIN.search(latin) and any(
            any(c.isdigit() for c in word) and sum(c.isalpha() for c in word) >= 3 for word in made.tokens
        )
        if mixed or "$" in latin or "@" in latin:
            for table in _DIGITS_FOR_LETTERS:
                letters = words_of(_letters_for_digits(latin, table))
                if letters.tokens and letters not in found:
                    found.append(letters)
    return found


def _letters_for_digits(latin: str, table: dict[int, int]) -> str:
    return _MIXED.sub(lambda match: match[0].translate(table), latin)
