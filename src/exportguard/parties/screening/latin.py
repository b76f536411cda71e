"""Search for one name in Latin letters: exact, then other orders and spacings, then parts, then alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exportguard.parties.screening.candidates import candidates
from exportguard.parties.screening.index import ALIAS, PRIMARY, SHORT, Index
from exportguard.parties.screening.match import Comparer, mended
from exportguard.parties.screening.names import Words, readings, significant
from exportguard.parties.screening.words import CHINESE_PLACES, FILLERS, INSTITUTIONS, LEGAL_FORMS, SUB_UNITS

HIT = 0.92
REVIEW = 0.80
"""Set on the half of the labelled names under `tests/` that is kept for it; the other half is only measured."""

_ANOTHER_ORDER = 0.97
_ANOTHER_SPACING = 0.96
_PART_BY_COMMA = 0.93
_PART = 0.85
_BRANCH = 0.82
_PART_WEIGHT = 9.0
"""A listed name inside a longer one has to weigh this much: two words, one of them fairly rare."""


class Found(NamedTuple):
    """A listed name that is alike. `weak`: too little of a name to be a hit by itself."""

    name_id: int
    score: float
    why: str
    weak: bool = False


_KIND = {PRIMARY: "the listed name", ALIAS: "a listed alias"}


def search(index: Index, name: str, review: float = REVIEW) -> list[Found]:
    """Every listed name that scores *review* or more, once per name, unordered."""
    best: dict[int, Found] = {}

    def keep(found: Found) -> None:
        known = best.get(found.name_id)
        if found.score >= review and (known is None or found.score > known.score):
            best[found.name_id] = found

    for words in readings(name):
        for found in _of_words(index, words, review):
            keep(found)
    if any(mark in name for mark in ",;|/(（"):
        for words in readings_of_parts(name):
            for name_id in index.by_key.get(words.key, ()):
                if _may_have_parts(index, name_id):
                    rest = [w for r in readings(name) for w in r.tokens if w not in words.tokens]
                    is_part = not SUB_UNITS.isdisjoint(rest)
                    keep(Found(name_id, _PART_BY_COMMA if is_part else _PART, "a part of the name is the listed one"))
    return list(best.values())


def readings_of_parts(name: str) -> Iterator[Words]:
    """The name's pieces between commas, brackets and bars."""
    text = name
    for mark in ";|/()（），":
        text = text.replace(mark, ",")
    pieces = [piece for piece in text.split(",") if piece.strip()]
    if len(pieces) > 1:
        for piece in pieces:
            for words in readings(piece):
                if len(significant(words.tokens)) > 1:
                    yield words


def _of_words(index: Index, words: Words, review: float) -> Iterator[Found]:
    key = words.key
    exact = index.by_key.get(key, ())
    for name_id in exact:
        kind = _KIND.get(index.kinds[name_id], "part of a listed name")
        yield Found(name_id, 1.0, kind, _weak(index, name_id, key))
    parts = key.split()
    if len(parts) > 1:
        for name_id in index.by_sorted.get(" ".join(sorted(parts)), ()):
            if name_id not in exact:
                yield Found(name_id, _ANOTHER_ORDER, "the same words in another order", _weak(index, name_id, key))
    squashed = key.replace(" ", "")
    if len(squashed) > 5:
        for name_id in index.by_squashed.get(squashed, ()):
            if name_id not in exact:
                yield Found(name_id, _ANOTHER_SPACING, "the same letters, spaced otherwise", _weak(index, name_id, key))
    yield from _parts(index, words)
    tokens = mended(index, words.tokens)
    comparer = Comparer(index, tokens)
    for name_id in candidates(index, tokens, review):
        alike = comparer.compare(name_id)
        if alike.score >= review:
            yield Found(name_id, alike.score, alike.why, _weak(index, name_id, index.keys[name_id], exact=False))


def _weak(index: Index, name_id: int, key: str, *, exact: bool = True) -> bool:
    """A ship, an aircraft or a single word of a person's name is shared by too many to be a hit by itself."""
    kind = index.type_of(name_id)
    one_word = " " not in key
    if kind in "VA":
        return one_word or not exact
    if kind == "I":
        return one_word
    if index.kinds[name_id] == SHORT:
        return one_word
    return one_word and (not exact or len(key) <= 2 or (index.kinds[name_id] != PRIMARY and len(key) <= 3))


def _may_have_parts(index: Index, name_id: int) -> bool:
    """Institutions and companies have schools and branches; ships and persons do not."""
    words = index.keys[name_id].split()
    heft = sum(index.weight(word) for word in words)
    return index.type_of(name_id) not in "VAI" and len(words) > 1 and heft >= _PART_WEIGHT


def _parts(index: Index, words: Words) -> Iterator[Found]:
    """Listed names that stand whole inside a longer one: a school of a listed university, a branch of a company."""
    tokens = words.tokens
    solid = [i for i, word in enumerate(tokens) if word not in LEGAL_FORMS and word not in FILLERS]
    count = len(solid)
    if not 3 <= count <= 14:
        return
    for start in range(count - 1):
        for end in range(start + 2, count + 1):
            if end - start == count:
                continue
            inside = [tokens[i] for i in solid[start:end]]
            ids = index.by_key.get(" ".join(inside))
            if not ids:
                continue
            rest = [tokens[i] for i in (*solid[:start], *solid[end:])]
            after = tokens[solid[end - 1] + 1] if solid[end - 1] + 1 < len(tokens) else ""
            institution = not INSTITUTIONS.isdisjoint(inside)
            part = not SUB_UNITS.isdisjoint(rest)
            # `Tianjin University of Technology` is no part of Tianjin University: the name goes on.
            if institution and (not part or after == "of"):
                continue
            places = all(word in CHINESE_PLACES for word in rest)
            for name_id in ids:
                if _may_have_parts(index, name_id):
                    if part:
                        yield Found(name_id, _PART, f"names a part of it (`{' '.join(rest)}`)", True)
                    elif not institution and (places or len(inside) >= 2):
                        yield Found(name_id, _BRANCH, f"the listed name and `{' '.join(rest)}`", True)
