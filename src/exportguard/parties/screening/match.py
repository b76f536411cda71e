"""How alike two names are: agreement of words, weighted by how rare they are, with typos and abbreviations forgiven.

The score is twice the weight of what agrees over the weight of both names (Dice), so a word too many counts as much
as one too few, and a rare word more than `technology`. 1 is the same words in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import eq
from typing import NamedTuple

from rapidfuzz.distance import OSA

from exportguard.parties.screening.index import Index, is_light
from exportguard.parties.screening.names import canonical_word, readings
from exportguard.parties.screening.words import (
    ABBREVIATIONS,
    CHINESE_PLACES,
    INSTITUTIONS,
    LEGAL_FORMS,
    PERSON_NAMES,
    SYNONYMS,
)

COMMON = 4
"""A word in more listed names than this is a word, not a typo of another."""

_ABBREVIATED = 0.85
_SKELETON = 0.9
_INITIAL = 0.6
_SHORTENED_WORD = 8
"""An abbreviation is believed of words in this many listed names: `astro` for astronautics, not for a brand."""
_SYNONYM = 0.95
_SHORTER_PERSON = 0.84
"""First and family name without the patronymic: close enough for a look."""
_RARE = 16
"""A family name that so many listed names have tells its bearers from others without a second one."""
_ELSEWHERE, _SHORTENED_SCORE, _OWN = 0.81, 0.88, 32
"""What a company's name scores that differs in places only, how alike the rest has to be, and how many listed names
may have a word that is a company's own."""
_OTHER_ORDER = 0.97
_OTHER_NUMBER = 0.9
_OTHER_QUALIFIER = 0.9
"""Sichuan *Normal* University: in names of institutions one more word names another one."""


class Likeness(NamedTuple):
    score: float
    why: str


_HOPELESS = 0.5
_UNLIKE = Likeness(0.0, "")


def allowed_slips(length: int) -> int:
    """How many slips of the pen are forgiven in a word of that length."""
    return 0 if length < 4 else 1 if length < 6 else 2 if length < 11 else 3


def typo_likeness(one: str, other: str) -> float:
    """1 for the same word, less a share for each slip of the pen, 0 where there are too many for the length."""
    longer = max(len(one), len(other))
    allowed = allowed_slips(longer)
    edits = OSA.distance(one, other, score_cutoff=allowed)
    if edits > allowed or one.isdigit() or other.isdigit():
        return 0.0
    return 1.0 - 1.1 * edits / longer


@lru_cache(maxsize=8192)
def skeleton(word: str) -> str:
    """A personal name without what transliterations differ in: vowels, doubled letters, kh/h, q/k, ph/f, w/v."""
    for one, other in (("kh", "h"), ("gh", "g"), ("ph", "f"), ("ck", "k"), ("sch", "sh"), ("ou", "u"), ("tch", "ch")):
        word = word.replace(one, other)
    word = word.translate(str.maketrans("qcwzj", "kkvsy"))
    kept = [word[:1], *(ch for ch in word[1:] if ch not in "aeiouyh'")]
    return "".join(ch for i, ch in enumerate(kept) if i == 0 or ch != kept[i - 1])


_GIVEN = frozenset(PERSON_NAMES.values())


def _sounds_alike(one: str, other: str) -> bool:
    return (
        min(len(one), len(other)) > 3
        and -3 < len(one) - len(other) < 3
        and one[0] == other[0]
        and skeleton(one) == skeleton(other)
    )


_FIXED_WORDS = tuple(
    sorted({word for word in (*LEGAL_FORMS, *ABBREVIATIONS, *ABBREVIATIONS.values()) if len(word) >= 5})
)


@lru_cache(maxsize=16384)
def _fixed_word(word: str) -> str:
    """*word*, or the legal form or word of the trade that it is one slip of the pen away from."""
    near = next((fixed for fixed in _FIXED_WORDS if OSA.distance(word, fixed, score_cutoff=1) <= 1), None)
    return word if near is None else canonical_word(near)


def mended(index: Index, tokens: tuple[str, ...]) -> tuple[str, ...]:
    """*tokens* with slips in legal forms and words of the trade put right: they are no rare words."""
    return tuple(
        _fixed_word(word) if len(word) >= 5 and not index.frequency(word) and not is_light(word) else word
        for word in tokens
    )


class Comparer:
    """Compares one query's words with the words of listed names, of which many have words in common."""

    def __init__(self, index: Index, tokens: tuple[str, ...], *, translated: bool = False) -> None:
        self._index = index
        self.tokens = tokens
        self._translated = translated
        self._person_tokens = tuple(PERSON_NAMES.get(token, token) for token in tokens)
        self._numbers = {token for token in tokens if token.isdigit()}
        self._is_institution = not INSTITUTIONS.isdisjoint(tokens)
        self._weights: dict[str, float] = {token: index.weight(token) for token in (*tokens, *self._person_tokens)}
        self._typos: dict[str, bool] = {}
        self._alike: dict[bool, dict[tuple[str, str], float]] = {False: {}, True: {}}

    def may_be_typo(self, word: str) -> bool:
        found = self._typos.get(word)
        if found is None:
            found = self._index.frequency(word) <= COMMON and word not in CHINESE_PLACES and not word.isdigit()
            self._typos[word] = found
        return found

    def word_likeness(self, mine: str, theirs: str, person: bool) -> float:
        """How far *mine* may be meant for *theirs*, 0 to 1."""
        known = self._alike[person]
        found = known.get((mine, theirs))
        if found is None:
            found = known[mine, theirs] = self._word_likeness(mine, theirs, person)
        return found

    def _word_likeness(self, mine: str, theirs: str, person: bool) -> float:
        if is_light(mine) or is_light(theirs):
            return 0.0
        if mine in PERSON_NAMES and PERSON_NAMES[mine] == PERSON_NAMES.get(theirs, theirs):
            return _SYNONYM
        if self._translated and theirs in SYNONYMS.get(mine, ()):
            return _SYNONYM
        if person:
            if mine in _GIVEN and theirs in _GIVEN:
                return 0.0  # Hassan is not Hussein: their spellings are one word here
            if _sounds_alike(mine, theirs):
                return _SKELETON
            if len(mine) > 2 and mine.replace("ou", "u") == theirs.replace("ou", "u"):
                return _SKELETON
            if len(mine) == 1 and theirs.startswith(mine):
                return _INITIAL
        if -4 < len(mine) - len(theirs) < 4 and (person or self.may_be_typo(mine)):
            alike = typo_likeness(mine, theirs)
            if alike:
                return alike
        shortened = len(theirs) - len(mine) >= 3 and len(mine) >= 3 and theirs.startswith(mine)
        return _ABBREVIATED if shortened and self._index.frequency(theirs) >= _SHORTENED_WORD else 0.0

    def compare(self, name_id: int) -> Likeness:
        """The likeness of the query and a listed name."""
        index = self._index
        person = index.type_of(name_id) == "I"
        mine = self._person_tokens if person else self.tokens
        theirs = index.tokens_of(name_id)
        if len(mine) == len(theirs) and all(map(eq, mine, theirs)):
            return Likeness(1.0, "the same name")
        weight, weights = index.weight, self._weights
        rest_theirs = list(theirs)
        rest_mine: list[str] = []
        agreed = 0.0
        for word in mine:
            if word in rest_theirs:
                rest_theirs.remove(word)
                agreed += weights[word]
            else:
                rest_mine.append(word)
        both = 2 * agreed
        notes: list[str] = []
        if rest_mine and rest_theirs:
            gained, spent = self._forgive(rest_mine, rest_theirs, person, notes)
            agreed += gained
            both += spent
        both += sum(weights[word] for word in rest_mine) + sum(map(weight, rest_theirs))
        score = 2 * agreed / both if both else 0.0
        if score < _HOPELESS and not person:
            return _UNLIKE
        found = self._judged(name_id, score, mine, theirs, (rest_mine, rest_theirs), notes)
        rest = [word for word in (*rest_mine, *rest_theirs) if not is_light(word)]
        if (
            found.score < _ELSEWHERE
            and rest
            and not person
            and not self._is_institution
            and CHINESE_PLACES.issuperset(rest)
        ):
            # A Chinese company is called with its seat and without; what else agrees has to be its own.
            both -= sum(weights[w] for w in rest_mine) + sum(map(weight, rest_theirs))
            own = any(index.frequency(w) <= _OWN and w not in CHINESE_PLACES for w in theirs if w not in rest)
            if own and 2 * agreed / both >= _SHORTENED_SCORE:
                return Likeness(_ELSEWHERE, found.why)
        return found

    def _judged(
        self,
        name_id: int,
        score: float,
        mine: Sequence[str],
        theirs: Sequence[str],
        rest: tuple[list[str], list[str]],
        notes: list[str],
    ) -> Likeness:
        """The score with what more speaks against it, and the reasons in words."""
        person = self._index.type_of(name_id) == "I"
        extra = [w for w in rest[0] if not is_light(w)]
        lacking = [w for w in rest[1] if not is_light(w)]
        if self._numbers != {w for w in theirs if w.isdigit()}:
            score *= _OTHER_NUMBER
        if (
            (extra or lacking)
            and not person
            and not self._translated
            and self._is_institution
            and not INSTITUTIONS.isdisjoint(theirs)
        ):
            score *= _OTHER_QUALIFIER
        if person and lacking and not extra and score < _SHORTER_PERSON and self._is_short_form(name_id, mine):
            return Likeness(_SHORTER_PERSON, f"the same first and family name; it also has `{' '.join(lacking)}`")
        if not extra and not lacking and not notes:
            same_order = [w for w in mine if not is_light(w)] == [w for w in theirs if not is_light(w)]
            return Likeness(score, "the same words") if same_order else Likeness(
                score * _OTHER_ORDER, "the same words in another order")  # fmt: skip
        if extra:
            notes.append(f"`{' '.join(extra)}` is not in it")
        if lacking:
            notes.append(f"it also has `{' '.join(lacking)}`")
        return Likeness(min(score, 0.99), "; ".join(notes))

    def _is_short_form(self, name_id: int, mine: Sequence[str]) -> bool:
        """Has a listed `BOUT, Viktor Anatolijevitch` this first name and this family name, in either order?"""
        family, comma, given = self._index.texts[name_id].partition(",")
        if not comma or len(mine) < 2:
            return False
        parts = [list(words.tokens) for text in (family, *given.split()[:1]) for words in readings(text)[:1]]
        families = [word for word in parts[0] if not is_light(word)] if parts else []
        if len(families) == 2 and self._index.frequency(families[0]) <= _RARE:
            parts[0] = families[:1]  # Spaniards leave the mother's name out: Nicolas Maduro
        return all(
            any(word == token or self.word_likeness(word, token, True) >= _SKELETON for word in mine)
            for token in {PERSON_NAMES.get(token, token) for part in parts for token in part}
        )

    def _forgive(self, mine: list[str], theirs: list[str], person: bool, notes: list[str]) -> tuple[float, float]:
        """Pair what is left by likeness, best first; takes pairs out of both lists. (agreed, both) weights."""
        pairs: list[tuple[float, int, int, int, int]] = []
        known = self._alike[person]
        for i, word in enumerate(mine):
            for j, other in enumerate(theirs):
                alike = known.get((word, other))
                if alike is None:
                    alike = self.word_likeness(word, other, person)
                if alike:
                    pairs.append((alike, i, 1, j, 1))
        for i in range(len(mine) - 1):
            joined = mine[i] + mine[i + 1]
            pairs += [(alike, i, 2, j, 1) for j, o in enumerate(theirs) if (alike := _joined(joined, o))]
        for j in range(len(theirs) - 1):
            joined = theirs[j] + theirs[j + 1]
            pairs += [(alike, i, 1, j, 2) for i, w in enumerate(mine) if (alike := _joined(w, joined))]
        if not pairs:
            return 0.0, 0.0
        agreed = both = 0.0
        weight = self._index.weight
        used_mine: set[int] = set()
        used_theirs: set[int] = set()
        for alike, i, wide, j, long in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
            span, other_span = range(i, i + wide), range(j, j + long)
            if used_mine.intersection(span) or used_theirs.intersection(other_span):
                continue
            used_mine.update(span)
            used_theirs.update(other_span)
            heft = sum(weight(theirs[k]) for k in other_span)
            agreed += heft * alike
            both += 2 * heft
            notes.append(f"`{' '.join(mine[i : i + wide])}` for `{' '.join(theirs[j : j + long])}`")
        mine[:] = [w for k, w in enumerate(mine) if k not in used_mine]
        theirs[:] = [w for k, w in enumerate(theirs) if k not in used_theirs]
        return agreed, both


def _joined(one: str, other: str) -> float:
    """Two words run together, on either side; a slip of the pen is forgiven in long ones."""
    if one == other:
        return 0.98
    if len(one) >= 8 and -2 < len(one) - len(other) < 2 and one[0] == other[0]:
        return typo_likeness(one, other) * 0.97
    return 0.0
