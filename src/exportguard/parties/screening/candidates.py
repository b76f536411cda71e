"""Which listed names are worth comparing: every one that can still reach the review threshold, and few others."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nlargest

from rapidfuzz import process
from rapidfuzz.distance import OSA

from exportguard.parties.screening.index import Index, is_light
from exportguard.parties.screening.match import COMMON, allowed_slips, typo_likeness
from exportguard.parties.screening.words import CHINESE_PLACES, PERSON_NAMES, SYNONYMS

_MOST_COMPARED = 60
_MOST_VARIANTS = 12
_LONGEST_POSTING = 6000
_LEEWAY, _LEEWAY_PERSON = 0.75, 0.6


def _variants(index: Index, word: str) -> Iterator[str]:
    """Listed words that *word* may be meant for: typos of it, and both halves where it is two words run together."""
    if len(word) < 4 or word.isdigit() or index.frequency(word) > COMMON or word in CHINESE_PLACES:
        return
    length = len(word)
    slips = allowed_slips(length + 3)
    near = [
        (typo_likeness(word, other), other)
        for other, _, _ in process.extract(
            word, index.near(word), scorer=OSA.distance, score_cutoff=slips, limit=4 * _MOST_VARIANTS
        )
    ]
    yield from (other for alike, other in sorted(near, reverse=True)[:_MOST_VARIANTS] if alike and other != word)
    for cut in range(2, length - 1):
        if word[:cut] in index.word_ids and word[cut:] in index.word_ids:
            yield word[:cut]
            yield word[cut:]


def candidates(index: Index, tokens: tuple[str, ...], review: float, *, translated: bool = False) -> list[int]:
    """Ids of names that may score *review* or more against *tokens*, the likeliest first, at most 60.

    To score s, names must agree on at least s / (2 - s) of the query's weight. So a name that shares none of the
    rarest words that together make up the remainder cannot, and is not looked at.
    """
    heavy = sorted({token for token in tokens if not is_light(token)}, key=index.weight, reverse=True)
    if not heavy:
        heavy = sorted(set(tokens))
    total = sum(index.weight(token) for token in heavy)
    if not total:
        return []
    may_miss = total * (1 - review / (2 - review))
    agreed: dict[int, float] = {}
    spent: dict[int, float] = {}
    asked = 0.0
    for position, token in enumerate(heavy):
        weight = index.weight(token)
        # Words run together or apart shift a word's weight to its neighbour, hence two words at least.
        if asked > may_miss and position >= 2:
            break
        asked += weight
        reached: dict[int, float] = {}
        spellings = _spellings(index, tokens, token)
        for variant in (*spellings, *SYNONYMS.get(token, ())) if translated else spellings:
            posting = index.with_word(variant)
            if len(posting) <= _LONGEST_POSTING:
                # What a slip of the pen is meant for weighs as the listed word does.
                reached = dict.fromkeys(posting, weight if variant == token else index.weight(variant)) | reached
        for name_id, heft in reached.items():
            agreed[name_id] = agreed.get(name_id, 0.0) + heft
            spent[name_id] = spent.get(name_id, total) + heft - weight
    open_weight = max(0.0, total - asked)
    weights = index.weights
    bounds: list[tuple[float, int]] = []
    least, least_person = review * _LEEWAY, review * _LEEWAY_PERSON
    for name_id, shared in agreed.items():
        theirs = weights[name_id]
        more = theirs - shared
        if more > open_weight:
            more = open_weight
        bound = 2 * (shared + more if more > 0 else shared) / (spent[name_id] + theirs)
        # Initials, abbreviations and spellings of persons' names pair words that no list of names leads to.
        if bound >= least or (bound >= least_person and index.type_of(name_id) == "I"):
            bounds.append((bound, name_id))
    return [name_id for _, name_id in nlargest(_MOST_COMPARED, bounds)]


def _spellings(index: Index, tokens: tuple[str, ...], token: str) -> Iterator[str]:
    yield token
    if token in PERSON_NAMES:
        yield PERSON_NAMES[token]
    yield from _variants(index, token)
    place = tokens.index(token)
    if place + 1 < len(tokens) and token + tokens[place + 1] in index.word_ids:
        yield token + tokens[place + 1]
    if place and tokens[place - 1] + token in index.word_ids:
        yield tokens[place - 1] + token
