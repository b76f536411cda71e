"""Every way in which a name can be read in Latin letters, and whether it could be read at all."""

from __future__ import annotations

import re
from typing import NamedTuple

from exportguard.parties.screening.aliases import Aliases
from exportguard.parties.screening.han import (
    Segment,
    brands_by_sound,
    han_runs,
    has_han,
    names_a_part,
    pinyin_words,
    says_little,
    segments,
    simplified,
    sounded,
    tidy_han,
)
from exportguard.parties.screening.korean import readings_of as korean_readings
from exportguard.parties.screening.names import MAX_NAME
from exportguard.parties.screening.russian import readings_of as russian_readings
from exportguard.parties.screening.scripts import scripts_of, unmarked, visible
from exportguard.parties.screening.wade import as_pinyin
from exportguard.parties.screening.words import ACRONYMS, FILLERS, INSTITUTIONS, PINYIN_LEGAL, PLACES, SUB_UNITS

_REMEDY = "install `exportguard[screening]`, or give its Latin name, or add an alias"
_LATIN_REMEDY = "give its Latin name, or add an alias"
_WORD = re.compile(r"[A-Za-z]+")
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}")
_CONTACT = re.compile(r"<?\b[\w.+-]+@[\w.-]+>?|\b(?:https?://|www\.)\S+|^(?:c/o|m/s|messrs)\b\.?", re.IGNORECASE)
"""An address of mail or of a site beside a name, or `c/o` before it, says nothing of whose name it is."""
_BRACKETS = re.compile(r"[(（]([\u3400-\u9fff]+)[)）]")
_LONGEST_ALIAS = 24
_MOST_TRANSLATIONS = 4
_MOST_WORDS = 14
_SHORTEST_BRAND = 5
_SHORTEST_INSIDE = 4
"""A Han alias inside a longer name has at least this many characters: `南航` is also an airline."""
_SHORTEST_BEFORE = 3
"""One that the name begins with, before a seat or a part of the body: `哈工程北京办事处`."""


class Reading(NamedTuple):
    """One reading. `sure`: not translated word by word. `how` is empty for the name as it stands. `loose`: by another
    than the first translation of a word, which may be the name of another body: a look at most."""

    text: str
    sure: bool = True
    how: str = ""
    loose: bool = False


class Spelled(NamedTuple):
    """`unread` says what could not be read, with the remedy; `guessed`: a Han part was read word by word."""

    readings: tuple[Reading, ...]
    unread: str | None = None
    guessed: bool = False


def in_latin(name: str, aliases: Aliases) -> Spelled:
    """Read *name* in every way that the list may have it."""
    text = visible(name[:MAX_NAME])
    text = _CONTACT.sub(" ", text).strip() or text
    found: list[Reading] = []
    unread: str | None = None
    guessed = False
    if has_han(text):
        unread, guessed = _han_readings(text, aliases, found)
    else:
        found.append(Reading(text))
        found += [Reading(other, True, "an alias") for other in aliases.of_latin(text)]
        found += _by_sound(text, aliases)
        pinyin = as_pinyin(text)
        if pinyin is not None:
            found.append(Reading(pinyin, False, f"read as `{pinyin}`"))
            found += _by_sound(pinyin, aliases)
        found += _acronyms(text)
        found += _alias_somewhere(text, aliases)
        found += _beside_its_acronym(text, aliases)
    scripts = scripts_of(text)
    if "cyrillic" in scripts:
        found += [Reading(each, False, f"read as `{each[:80]}`", loose) for each, loose in russian_readings(text)]
    elif text.isascii():
        found += [Reading(each, False, f"Korean, read as `{each}`", True) for each in korean_readings(text)]
    named = aliases.of_script(text) if scripts - {"latin", "han"} else ()
    found += [Reading(other, True, f"an alias of `{text[:80]}`") for other in named]
    if "other" in scripts and not named:
        unread = unread or f"`{text[:80]}` is in a script that is not read; {_LATIN_REMEDY}"
    if not any(char.isalnum() for char in text):
        unread = unread or "the name has no letters"
    return Spelled(tuple(dict.fromkeys(found)), unread, guessed)


def _alias_somewhere(text: str, aliases: Aliases) -> list[Reading]:
    """`HIT Shenzhen`: an alias, maybe an acronym, beside nothing but places."""
    words = _WORD.findall(_DOTTED.sub(lambda found: found[0].replace(".", ""), text))
    places = [word for word in words if word.lower() in PLACES]
    rest = " ".join(word for word in words if word.lower() not in PLACES)
    if not places or not rest or len(words) > 6:
        return []
    return [Reading(f"{name}, {' '.join(places)}", False, f"an alias, `{rest}`") for name in aliases.of_latin(rest)]


def _beside_its_acronym(text: str, aliases: Aliases) -> list[Reading]:
    """`BIT Beijing Institute of Technology`, `BUAA Beihang University`: a name with its own acronym before or after
    it; `Beihang Software Lab`: a part of a body that is called by an alias of one word."""
    words = _WORD.findall(text)
    if not 2 <= len(words) <= _MOST_WORDS:
        return []
    found: list[Reading] = []
    for one, rest in ((words[0], words[1:]), (words[-1], words[:-1])):
        name = " ".join(rest)
        named = aliases.of_latin(one)
        if len(rest) > 1 and _stands_for(one.lower(), [word.lower() for word in rest if word.lower() not in FILLERS]):
            found.append(Reading(name, True, f"without its acronym, `{one}`"))
            found += [Reading(other, True, "an alias, beside its acronym") for other in aliases.of_latin(name)]
        elif named and one.isupper() and 4 <= len(one) <= 8 and any(word.lower() in SUB_UNITS for word in rest):
            found += [Reading(f"{other}, {name}", False, f"an alias, `{one}`") for other in named]
        elif named:
            found += [
                Reading(other, True, "an alias, beside its acronym")
                for other in aliases.of_latin(name)
                if other in named
            ]
            if len(one) >= _SHORTEST_BRAND and any(word.lower() in SUB_UNITS for word in rest):
                found += [Reading(f"{other}, {name}", False, f"an alias, `{one}`") for other in named]
    return found


def _stands_for(acronym: str, words: list[str]) -> bool:
    """Whether *acronym* is made of the initials of *words*, maybe with letters between (`NJUST`, `NWPU`)."""
    initials = "".join(word[0] for word in words)
    if len(words) < 2 or len(acronym) < 2 or len(acronym) > 3 * len(words) or acronym[0] != initials[0]:
        return False
    return acronym == initials or (
        # `SCU` of two words too, where the second says what it is
        (len(initials) > 2 or words[-1] in INSTITUTIONS)
        and _within(initials, acronym)
        and _within(acronym, "".join(words))
    )


def _within(letters: str, text: str) -> bool:
    """Whether *letters* stand in *text*, in this order."""
    waiting = iter(text)
    return all(letter in waiting for letter in letters)


def _acronyms(text: str) -> list[Reading]:
    """`Institute of Physics, CAS` with the acronym written out."""
    spelled = _WORD.sub(lambda match: ACRONYMS.get(match[0], match[0]), text)
    return [] if spelled == text else [Reading(spelled, False, f"read as `{spelled[:80]}`")]


_SOUNDS = {"harbin": "haerbin", "hohhot": "huhehaote", "urumqi": "wulumuqi", "tibet": "xizang", "macau": "aomen"}
"""Places that are not called in Latin letters as they are called in Chinese."""


def _by_sound(text: str, aliases: Aliases) -> list[Reading]:
    """`Sichuan Daxue`: Chinese words in Latin letters, however they are spaced."""
    words = _WORD.findall(unmarked(text))
    if not words or len(words) > 16:
        return []
    words = [_SOUNDS.get(word, word) for word in words]
    squashed = PINYIN_LEGAL.sub("", "".join(words))
    found = [Reading(name, True, f"an alias by its sound, `{squashed}`") for name in aliases.pinyin.get(squashed, ())]
    plain = _in_english(words, pinyin_words())
    if plain is not None:
        found.append(Reading(plain, False, f"read as `{plain}`"))
    branded = _in_english(words, brands_by_sound())
    if branded is not None and branded != plain:
        # Persons are called like brands too: that is for somebody to look at.
        found.append(Reading(branded, False, f"read as `{branded}`", loose=True))
    return found


def _in_english(words: list[str], known: dict[str, str]) -> str | None:
    """*words* of Latin letters with those of *known* translated, however they are spaced; None where none is."""
    made: list[str] = []
    position = translated = 0
    while position < len(words):
        for width in range(min(5, len(words) - position), 0, -1):
            word = known.get("".join(words[position : position + width]))
            if word is not None:
                made.append(word.partition("|")[0])
                position += width
                translated += 1
                break
        else:
            made.append(words[position])
            position += 1
    return " ".join(filter(None, made)) if translated else None


def _han_readings(text: str, aliases: Aliases, found: list[Reading]) -> tuple[str | None, bool]:
    """Appends to *found*; what was not read, and whether any of it was guessed."""
    # `成都飞机工业(集团)有限公司` is one name; `川大(四川大学)` is two.
    text = _BRACKETS.sub(lambda match: match[1] if says_little(simplified(match[1])) else match[0], text)
    runs = han_runs(text)
    latin = " ".join(part for part, is_han in runs if not is_han).strip()
    if any(char.isalpha() for char in latin):
        # `Sichuan University (四川大学)`: each script may hold the whole name.
        found.append(Reading(latin, True, "its Latin part"))
    whole: list[str] = []
    guessed = unread = False
    together = "".join(part for part, _ in runs) if len(runs) > 1 else ""
    if together and (known := aliases.han.get(tidy_han(simplified(together)))):
        found += [Reading(name, True, f"an alias of `{together}`") for name in known]
    for part, is_han in runs:
        if not is_han:
            whole.append(part)
            continue
        run = simplified(part)
        names, rest = _known(run, aliases)
        if names and not rest:
            found += [Reading(name, True, f"an alias of `{part}`") for name in names]
            whole.append(names[0])
            continue
        guessed = True
        words = segments(run)
        if names:
            # A school of the institution, or the body and something more: the search tells the two apart.
            inside = _joined(segments(rest))
            more = f"School: {inside}" if names_a_part(rest) else inside
            found += [Reading(f"{name}, {more}", True, f"`{part}`") for name in names]
        if words is None:
            unread = True
            continue
        whole.append(_joined(words))
        if len(runs) == 1 or not says_little(run):
            found += [
                Reading(read, False, f"`{part}` read as `{read}`", loose=number > 0)
                for number, read in enumerate(_translations(words))
            ]
        by_sound = sounded(run)
        if by_sound is not None and len(run) <= 4:
            found.append(Reading(by_sound, False, f"`{part}` read as `{by_sound}`"))
    if len(runs) > 1 and whole:
        text_ = " ".join(whole)
        found.append(Reading(text_, not guessed, f"read as `{text_}`"))
    return (f"`{text[:80]}` is in Han script and no alias resolves it; {_REMEDY}" if unread else None), guessed


def _known(run: str, aliases: Aliases) -> tuple[tuple[str, ...], str]:
    """The Latin names of *run*, or of the longest body that is named in it, and what is left of it."""
    key = tidy_han(run)
    whole = aliases.han.get(run) or aliases.han.get(key)
    if whole:
        return whole, ""
    for length in range(min(_LONGEST_ALIAS, len(key) - 1), _SHORTEST_INSIDE - 1, -1):
        for start in range(len(key) - length + 1):
            names = aliases.han.get(key[start : start + length])
            if names is None:
                continue
            before, after = key[:start], key[start + length :]
            if before and not says_little(before):
                continue
            return names, "" if not after or (says_little(after) and not names_a_part(after)) else after
    after = key[_SHORTEST_BEFORE:]
    if after and (names_a_part(after) or says_little(after)) and (names := aliases.han.get(key[:_SHORTEST_BEFORE])):
        return names, after
    return (), run


def _joined(words: list[Segment] | None) -> str:
    return " ".join(word.text.partition("|")[0] for word in words or ())


def _translations(words: list[Segment]) -> list[str]:
    """The likeliest translation first, then with other translations of one word at a time."""
    made = [_joined(words)]
    for place, word in enumerate(words):
        others = word.text.split("|")[1:]
        made += [_joined([*words[:place], Segment(other, False), *words[place + 1 :]]) for other in others]
    return made[:_MOST_TRANSLATIONS]
