"""Search for one name in Latin letters: exact, then other orders and spacings, then parts, then alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile, takewhile
from typing import NamedTuple

from rapidfuzz.distance import OSA

from exportguard.parties.screening.candidates import candidates
from exportguard.parties.screening.index import ALIAS, PART, PRIMARY, SHORT, Index, is_light
from exportguard.parties.screening.match import Comparer, mended
from exportguard.parties.screening.names import Words, readings, significant, squashed
from exportguard.parties.screening.scripts import latin_readings, visible
from exportguard.parties.screening.titles import without_titles
from exportguard.parties.screening.words import FILLERS, GENERIC, INSTITUTIONS, LEGAL_FORMS, PLACES, SUB_UNITS

HIT = 0.92
REVIEW = 0.80
"""Set on the half of the labelled names under `tests/` that is kept for it; the other half is only measured."""

_ANOTHER_ORDER = 0.97
_ANOTHER_SPACING = 0.96
_PART_BY_COMMA = 0.93
_WITH_ADDRESS = 0.95
_ALIKE_PIECE = 0.86
_MOST_PIECES = 8
_PART = 0.85
_BRANCH = 0.82
_BRAND = 20
"""A short form that so many listed names have (`Huawei`) names nobody else."""
_FAMILY = 200
"""A brand that so many listed names share is told by itself."""
_TELLING = 32
"""Inside a longer company's name a listed one is told by a word that at most so many listed names have."""
_MOST_BRANDED = 60
"""A word that more listed names have is no brand."""
_TRADE = 120
"""A word that so many listed names have tells nobody from others."""
_SHORTEST_BRAND = 5
_NOBODY_ELSE = 9
"""Letters of a brand that nothing else is called, whatever trade stands beside it."""
_SHORTEST_BACKWARDS = 8
_FULL_NAME = 3
"""Words of a person's name that are enough of it where a title or a note stands beside it."""
_PART_WEIGHT = 8.5
"""A listed name inside a longer one has to weigh this much: two words, one of them fairly rare."""


class Found(NamedTuple):
    """A listed name that is alike. `weak`: too little of a name to be a hit by itself."""

    name_id: int
    score: float
    why: str
    weak: bool = False


_KIND = {PRIMARY: "the listed name", ALIAS: "a listed alias"}


def search(index: Index, name: str, review: float = REVIEW, *, translated: bool = False) -> list[Found]:
    """Every listed name that scores *review* or more, once per name, unordered.

    *translated*: *name* was translated word by word, so that a synonym may stand where the list has another word.
    """
    best: dict[int, Found] = {}

    def keep(found: Found) -> None:
        known = best.get(found.name_id)
        if found.score >= review and (known is None or found.score > known.score):
            best[found.name_id] = found

    whole = readings(name)
    for words in whole:
        for found in _of_words(index, words, review, translated):
            if " " not in words.key and index.keys[found.name_id] == words.key:
                listed = index.texts[found.name_id]
                if not _as_spelled(name, listed):
                    if _in_two_ways(name, listed):
                        continue
                    found = found._replace(weak=True)
            keep(found)
        for found in _of_words(index, untitled, review, translated) if (untitled := without_titles(words)) else ():
            if index.type_of(found.name_id) == "I":
                keep(found)
    for found in (*_by_initials(index, name), *_without_spaces(index, name)):
        keep(found)
    if _SEPARATED.search(name):
        for found in _of_pieces(index, name, whole, review, translated, bool(best)):
            keep(found)
    return list(best.values())


def _as_spelled(name: str, listed: str) -> bool:
    """Whether names that come down to one word have it in the same form: `Zeta Corp` is not `Los Zetas`."""

    def plain(text: str) -> set[str]:
        spelled = [re.findall(r"[a-z0-9]+", latin) for latin in latin_readings(visible(text))]
        words = [[word for word in each if word not in LEGAL_FORMS] for each in spelled]
        return {made for each in words for made in ("".join(each), "".join(sorted(each)))}

    return not plain(name).isdisjoint(plain(listed))


def _in_two_ways(name: str, listed: str) -> bool:
    """Whether names that come down to one word differ in its form and in the little words beside it: `Zeta Corp` has
    neither the article of `Los Zetas` nor its plural."""

    def spelled(text: str) -> tuple[set[str], set[str]]:
        words = [w for latin in latin_readings(visible(text)) for w in re.findall(r"[a-z0-9]+", latin)]
        return {w for w in words if w not in LEGAL_FORMS and w not in FILLERS}, {w for w in words if w in FILLERS}

    (one, little), (other, theirs) = spelled(name), spelled(listed)
    return one.isdisjoint(other) and little != theirs


def _without_spaces(index: Index, name: str) -> Iterator[Found]:
    """`sichuanuniversity`: a name as an account or an address has it."""
    if any(char.isspace() for char in name.strip()):
        return
    for form in squashed(name):
        for name_id in index.by_squashed.get(form) if len(form) > _SHORTEST_BACKWARDS else ():
            yield Found(name_id, _ANOTHER_SPACING, "the same letters, spaced otherwise", index.type_of(name_id) in "VA")


_INITIALS = re.compile(
    r"""(?P<before> (?:[a-z]\.[\s-]*){1,3}) (?P<last> [a-z]{4,}) \Z
      | (?P<first> [a-z]{4,}),? \s+ (?P<after> (?:[a-z]\.[\s-]*){1,3}) \Z""",
    re.VERBOSE,
)
_RARE_FAMILY = 16


def _by_initials(index: Index, name: str) -> Iterator[Found]:
    """`V. V. Putin`: a family name that few listed names have, and the initials of one of them."""
    for latin in latin_readings(visible(name)):
        found = _INITIALS.match(latin.strip())
        if found is None:
            continue
        family, initials = found["last"] or found["first"], re.findall(r"[a-z]", found["before"] or found["after"])
        names = index.with_word(family)
        for name_id in names if len(names) <= _RARE_FAMILY else ():
            before, comma, given = index.texts[name_id].casefold().partition(",")
            heads = [word[0] for word in re.findall(r"[a-z]+", given)]
            if comma and family in before.split() and heads[: len(initials)] == initials[: len(heads)]:
                yield Found(name_id, _BRANCH, f"the family name and `{'. '.join(initials)}.`", True)


_SEPARATED = re.compile(r"[,;|/()（）\[\]:]|\s[-–—]+\s|[-–—]+\s|\n")


def _of_pieces(
    index: Index, name: str, whole: Sequence[Words], review: float, translated: bool, found_whole: bool
) -> Iterator[Found]:
    """Listed names that are one of the pieces of *name*: between commas, brackets, bars and dashes.

    What the other pieces say decides: a school, an address or the acronym of that very name leave it what it is.
    """
    split = [words for piece in _SEPARATED.split(name) if piece.strip() for words in readings(piece)[:1]]
    if len(split) < 2:
        return
    # `(formerly X)`, `Attn: X`: the note is no part of the name.
    pieces = [Words(tuple(dropwhile(_ASIDE.__contains__, words.tokens))) for words in split]
    aside = pieces != split
    pieces = [words for words in pieces if words.tokens]
    if len(pieces) > 1 and len({words.key for words in pieces}) == 1:
        yield from _of_words(index, pieces[0], review, translated)  # the name twice, in two scripts for instance
        return
    for words in pieces:
        if len(significant(words.tokens)) < 2:
            told = aside or any(not SUB_UNITS.isdisjoint(other.tokens) for other in pieces)
            if told or not LEGAL_FORMS.isdisjoint(words.tokens):
                yield from _one_word_piece(index, words.key)
            continue
        beside = [token for other in pieces if other is not words for token in other.tokens]
        score, why = _beside(words, beside)
        ids = index.by_key.get(words.key, ())
        for name_id in ids:
            if _may_have_parts(index, name_id):
                yield Found(name_id, score, why)
            elif index.type_of(name_id) == "I" and len(words.key.split()) >= _FULL_NAME:
                yield Found(name_id, _PART, "the listed person, and a note", True)
        tokens = mended(index, words.tokens)
        if ids or found_whole or INSTITUTIONS.isdisjoint(tokens) or len(pieces) > _MOST_PIECES:
            continue
        # A slip of the pen in the university's name is not hidden by the school that stands before it.
        comparer = Comparer(index, tokens, translated=translated)
        for name_id in candidates(index, tokens, review, translated=translated):
            alike = comparer.compare(name_id)
            if alike.score >= _ALIKE_PIECE and _may_have_parts(index, name_id):
                yield Found(name_id, min(alike.score, _PART), f"a part of the name is alike: {alike.why}", True)


_SEAT = frozenset({"branch", "office", "representative", "subsidiary", "headquarters"})
_HOUSE = frozenset({"group", "holding"})
_ASIDE = frozenset(
    {"formerly", "former", "now", "also", "known", "as", "fka", "nka", "aka", "dba", "attn", "attention"}
)


def _one_word_piece(index: Index, key: str) -> Iterator[Found]:
    """`Huawei, AI Lab`, `Example (formerly Hytera)`: a listed brand, told apart by a school, a legal form or a note."""
    if len(key) < _SHORTEST_BRAND or key in GENERIC or key in PLACES:
        return
    for name_id in index.by_key.get(key):
        if index.type_of(name_id) == "-":
            yield Found(name_id, _BRANCH, "a part of the name is the listed one", True)
    yield from _same_brand(index, [key])


def _beside(words: Words, beside: Sequence[str]) -> tuple[float, str]:
    """How sure a listed name is that *words* are, in a name that says *beside* besides, and why."""
    rest = [word for word in beside if word not in words.tokens and not is_light(word)]
    if not rest or all(word.isdigit() or word in PLACES or len(word) == 1 for word in rest):
        return _WITH_ADDRESS, "the listed name and where it is"
    initials = "".join(word[0] for word in words.tokens if word not in ("of", "and", "the", "for"))
    if all(_is_subsequence(word, initials) or word in PLACES or word.isdigit() for word in rest):
        return _WITH_ADDRESS, "the listed name and its acronym"
    if not SUB_UNITS.isdisjoint(rest):
        return _PART_BY_COMMA, "a part of the name is the listed one"
    return _PART, "a part of the name is the listed one"


def _is_subsequence(word: str, letters: str) -> bool:
    waiting = iter(letters)
    return len(word) > 1 and all(letter in waiting for letter in word)


def backwards(index: Index, name: str) -> Iterator[Found]:
    """Listed names that are *name* from its end: what a right-to-left mark shows forwards."""
    for words in readings(name[::-1])[:2]:
        for name_id in index.by_key.get(words.key):
            if len(words.key) >= _SHORTEST_BACKWARDS:
                yield Found(name_id, _PART, "the listed name, written backwards", True)


def _of_words(index: Index, words: Words, review: float, translated: bool) -> Iterator[Found]:
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
    # With the fillers too: in `I-Flytek` the letter is a part of the name.
    for together in dict.fromkeys((key.replace(" ", ""), "".join(t for t in words.tokens if t not in LEGAL_FORMS))):
        if len(together) <= 5:
            continue
        for name_id in (*index.by_squashed.get(together), *index.by_key.get(together)):
            if name_id not in exact:
                yield Found(name_id, _ANOTHER_SPACING, "the same letters, spaced otherwise", _weak(index, name_id, key))
    yield from _parts(index, words, translated)
    tokens = mended(index, words.tokens)
    comparer = Comparer(index, tokens, translated=translated)
    for name_id in candidates(index, tokens, review, translated=translated):
        alike = comparer.compare(name_id)
        if alike.score >= review:
            yield Found(name_id, alike.score, alike.why, _weak(index, name_id, index.keys[name_id], exact=False))


def _weak(index: Index, name_id: int, key: str, *, exact: bool = True) -> bool:
    """A ship, an aircraft or a single word of a person's name is shared by too many to be a hit by itself."""
    kind = index.type_of(name_id)
    one_word = " " not in key
    if index.kinds[name_id] == PART:
        return True
    if kind in "VA":
        return one_word or not exact
    if kind == "I":
        return one_word
    if index.kinds[name_id] == SHORT:
        return one_word and (index.frequency(key) < _BRAND or key in GENERIC)
    if one_word and key in GENERIC:
        return True
    return one_word and (not exact or len(key) <= 2 or (index.kinds[name_id] != PRIMARY and len(key) <= 3))


def _may_have_parts(index: Index, name_id: int) -> bool:
    """Institutions and companies have schools and branches; ships and persons do not."""
    words = index.keys[name_id].split()
    heft = sum(index.weight(word) for word in words)
    return index.type_of(name_id) not in "VAI" and len(words) > 1 and heft >= _PART_WEIGHT


def _parts(index: Index, words: Words, translated: bool) -> Iterator[Found]:
    """Listed names that stand whole inside a longer one: a school of a listed university, a branch of a company."""
    tokens = words.tokens
    solid = [i for i, word in enumerate(tokens) if word not in LEGAL_FORMS and word not in FILLERS]
    count = len(solid)
    if 2 <= count <= 5:
        yield from _brand_somewhere(index, [tokens[i] for i in solid])
    if count <= 8:
        yield from _same_brand(index, [tokens[i] for i in solid], translated)
    if 2 <= count <= 8:
        yield from _of_a_family(index, [tokens[i] for i in solid])
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
            places = all(word in PLACES or word in _SEAT or word.isdigit() for word in rest)
            # `Tianjin University of Technology` is no part of Tianjin University: the name goes on.
            if institution and after != "of" and places:
                for name_id in ids:
                    if _may_have_parts(index, name_id):
                        yield Found(name_id, _PART_BY_COMMA, "the listed name and where it is")
                continue
            if institution and (not part or after == "of"):
                continue
            telling = min((index.frequency(word) for word in inside if word not in PLACES), default=_TELLING + 1)
            for name_id in ids:
                if _may_have_parts(index, name_id):
                    if part:
                        yield Found(name_id, _PART, f"names a part of it (`{' '.join(rest)}`)", True)
                    elif not institution and (places or telling <= _TELLING):
                        yield Found(name_id, _BRANCH, f"the listed name and `{' '.join(rest)}`", True)


def _same_brand(index: Index, words: list[str], translated: bool = False) -> Iterator[Found]:
    """`Hytera` is called `Hytera Communications` on the list: the first of its words and the only one of its own,
    beside words of the trade. Asked of the lists of companies that hardware must not go to: their brands are known.
    A Chinese name says its trade where the list may not: `烽火通信` is FiberHome, not some telecommunication."""
    named = [word for word in words if word not in PLACES and word not in _SEAT]
    brands = list(takewhile(_is_brand, named))
    if not 1 <= len(brands) <= 2 or not INSTITUTIONS.isdisjoint(named):
        return
    first = brands[0]
    spelled = [first] if index.frequency(first) else [w for w in index.near(first) if _is_slip(first, w)]
    for word in spelled:
        names = index.with_word(word)
        for name_id in names if len(names) <= _MOST_BRANDED else ():
            theirs = [other for other in index.keys[name_id].split() if other not in PLACES]
            called = [word, *brands[1:]]
            # `Research and Development Center ELVEES`: the trade may stand before the brand.
            last = len(theirs) > len(called) and theirs[-len(called) :] == called
            beside = theirs[: -len(called)] if last else theirs[len(called) :]
            trade = all(w in GENERIC or len(w) < 3 or index.frequency(w) >= _TRADE for w in beside)
            more = set(named[len(brands) :]) - set(beside)
            known = not more or ((translated or len(word) >= _NOBODY_ELSE) and more <= GENERIC)
            if (last or theirs[: len(called)] == called) and known and trade and index.type_of(name_id) == "-":
                yield Found(name_id, _BRANCH, f"the same words of its own, `{' '.join(brands)}`", True)


def _of_a_family(index: Index, words: list[str]) -> Iterator[Found]:
    """`Huawei Digital Power`: a company that starts with a brand which so many listed ones share that nobody else has
    it."""
    first = next((word for word in words if word not in PLACES), "")
    if not _is_brand(first) or index.frequency(first) < _FAMILY:
        return
    rest = [word for word in words if word != first]
    if not all(word in GENERIC or word in PLACES or index.frequency(word) >= _TELLING for word in rest):
        return  # `Huawei Restaurant Group` is in another trade
    for name_id in index.by_key.get(first):
        if index.kinds[name_id] == SHORT and index.type_of(name_id) == "-":
            yield Found(name_id, _BRANCH, f"starts with `{first}`, as many listed companies do", True)


def _is_brand(word: str) -> bool:
    return len(word) >= _SHORTEST_BRAND - 1 and word not in GENERIC and not word.isdigit()


def _is_slip(word: str, listed: str) -> bool:
    """One slip of the pen in a long word that nothing else is called."""
    return len(word) >= 9 and OSA.distance(word, listed, score_cutoff=1) == 1


def _brand_somewhere(index: Index, words: list[str]) -> Iterator[Found]:
    """`Hangzhou Hikvision`: a listed name of one word beside nothing but places asks for a look."""
    brands = [word for word in words if word not in PLACES and word not in _SEAT and not word.isdigit()]
    if len(brands) == 2 and len(brands[0]) >= _NOBODY_ELSE and brands[1] in _HOUSE:
        brands.pop()
    if len(brands) != 1 or len(brands[0]) < _SHORTEST_BRAND or brands[0] in GENERIC:
        return
    for name_id in index.by_key.get(brands[0]):
        if index.type_of(name_id) not in "VAI":
            yield Found(name_id, _BRANCH, "the listed name and where it is", True)
