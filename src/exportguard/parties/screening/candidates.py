"""Which listed names are worth comparing: every one that can still reach the review threshold, and few others."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nlargest

from exportguard.parties.screening.index import Index, is_light, word_keys
from exportguard.parties.screening.match import COMMON, typo_likeness
from exportguard.parties.screening.words import CHINESE_PLACES, PERSON_NAMES, SYNONYMS

_MOST_COMPARED = 60
_MOST_VARIANTS = 12
_LONGEST_POSTING = 6000


def _variants(index: Index, word: str) -> Iterator[str]:
    """Listed words that *word* may be meant for: typos of it, and both halves where it is two words run together."""
    if len(word) < 4 or word.isdigit() or index.frequency(word) > COMMON or word in CHINESE_PLACES:
        return
    near: dict[str, float] = {}
    length = len(word)
    for key in word_keys(word):
        for other in index.neighbours.get(key, ()):
            if -3 <= len(other) - length <= 3 and other not in near and other != word:
                alike = typo_likeness(word, other)
                if alike:
                    near[other] = alike
    yield from nlargest(_MOST_VARIANTS, near, key=lambda other: (near[other], other))
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
    found: dict[int, float] = {}
    asked = 0.0
    for position, token in enumerate(heavy):
        weight = index.weight(token)
        # Words run together or apart shift a word's weight to its neighbour, hence two words at least.
        if asked > may_miss and position >= 2:
            break
        asked += weight
        reached: set[int] = set()
        spellings = _spellings(index, tokens, token)
        for variant in (*spellings, *SYNONYMS.get(token, ())) if translated else spellings:
            posting = index.with_word(variant)
            if len(posting) <= _LONGEST_POSTING:
                reached.update(posting)
        for name_id in reached:
            found[name_id] = found.get(name_id, 0.0) + weight
    open_weight = max(0.0, total - asked)
    weights = index.weights
    bounds: list[tuple[float, int]] = []
    for name_id, agreed in found.items():
        theirs = weights[name_id]
        most = agreed + min(open_weight, max(0.0, theirs - agreed))
        # A typo weighs as the rarest word does until it is paired, so the bound leaves room for that.
        bound = 2 * most / (total + theirs)
        if bound >= review * 0.6:
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
