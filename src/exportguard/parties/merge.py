"""Several sources about one party: what they agree on is merged, what they disagree on counts twice.

Both sides of a disagreement are asked about by every rule, so the worse jurisdiction wins, whichever it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.party import Party, UltimateParent

ReadCountry = Callable[[str], Maybe[str]]
_COUNTRIES = ("country", "headquarters")
_NOT_GIVEN_WHEN_NONE = ("id", "subdivision", "listings_as_of")
_BOOKKEEPING = ("role", "name", "sources", "ownership_answers", "customer")


def plain_name(name: str) -> str:
    """A name for telling whether two sources speak of the same party: case, width and spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _given(party: Party, field: str) -> bool:
    value = getattr(party, field)
    return not isinstance(value, Unknown) and not (value is None and field in _NOT_GIVEN_WHEN_NONE)


def _same(field: str, one: Any, other: Any, country: ReadCountry) -> bool:
    if one == other:
        return True
    if field in _COUNTRIES and isinstance(one, str) and isinstance(other, str):
        read = country(one), country(other)
        return not isinstance(read[0], Unknown) and read[0] == read[1]
    if isinstance(one, UltimateParent) and isinstance(other, UltimateParent):
        return all(
            _same(part, getattr(one, part), getattr(other, part), country) for part in UltimateParent.model_fields
        )
    return False


def _merged(one: Party, other: Party, country: ReadCountry) -> Party | None:
    """One party that says what both say, or None where they disagree."""
    taken: dict[str, Any] = {}
    for field in Party.model_fields:
        if field in _BOOKKEEPING:
            continue
        mine, theirs = getattr(one, field), getattr(other, field)
        if not _given(other, field):
            # "nobody could tell" says more than "not given" does.
            if not _given(one, field) and mine == NOT_GIVEN:
                taken[field] = theirs
        elif not _given(one, field):
            taken[field] = theirs
        elif not _same(field, mine, theirs, country):
            return None
    taken["sources"] = tuple(dict.fromkeys((*one.sources, *other.sources), None))
    taken["customer"] = one.customer if one.customer is not None else other.customer
    return one.model_copy(update=taken)


def merge(parties: Iterable[Party], country: ReadCountry) -> tuple[tuple[Party, ...], bool]:
    """The parties of all sources, those of one role and name merged; True when two sources disagree."""
    kept: list[Party] = []
    disagree = False
    where: dict[tuple[str, str], list[int]] = {}
    for party in parties:
        if isinstance(party.role, Unknown) or isinstance(party.name, Unknown):
            if party not in kept:
                kept.append(party)
            continue
        key = (str(party.role), plain_name(party.name))
        for index in where.setdefault(key, []):
            merged = _merged(kept[index], party, country)
            if merged is not None:
                kept[index] = merged
                break
        else:
            disagree = disagree or bool(where[key])
            where[key].append(len(kept))
            kept.append(party)
    return tuple(kept), disagree
