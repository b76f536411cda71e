"""Screening the parties of a request: names to listings, or to why that cannot be told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from exportguard.parties.origin import Places
from exportguard.vocabulary.fact import FactSource, Maybe, Unknown
from exportguard.vocabulary.party import Party

if TYPE_CHECKING:
    from exportguard.parties.screening.result import Screener, ScreeningResult
    from exportguard.reference import ReferenceData

NO_SCREENER = Unknown("names are not screened; give `listings`, or load a screening list")
NO_NAME = Unknown("there is no name to screen")

_NO_REASON_TO_MISLEAD = frozenset({"CN", "HK", "MO", "TW"})
"""A stated country of these is taken at its word in screening a Han name: stating one hides nothing."""


class PartyScreening:
    """Screens names for one request, each once; collects red flags and which list was asked."""

    def __init__(self, screener: Screener | None, reference: ReferenceData, as_of: datetime) -> None:
        self._screener = screener
        self._reference = reference
        self._as_of = as_of
        self.places = Places(reference, as_of)
        self._seen: dict[tuple[str, str | None], ScreeningResult | Unknown] = {}
        self.red_flags: list[str] = []
        self.sources: list[FactSource] = []

    def screened(self, party: Party) -> Party:
        """*party* with its listings. Listings that it gives are the result of a screening done elsewhere."""
        if not isinstance(party.listings, Unknown):
            return party
        if isinstance(party.name, Unknown):
            reason = party.listings if party.listings.reason != "not given" else NO_NAME
            return party.model_copy(update={"listings": reason})
        result = self._screen(party.name, self._verified_country(party))
        listings = _listings(result)
        update: dict[str, object] = {"listings": listings}
        if not isinstance(result, Unknown):
            update["listings_as_of"] = result.list_date
            update["sources"] = (*party.sources, self._list_of(result), *_sources(result))
        return party.model_copy(update=update)

    def listings_of(self, name: str) -> Maybe[tuple[str, ...]]:
        """The listings of an owner of that name."""
        return _listings(self._screen(name, None))

    def _verified_country(self, party: Party) -> str | None:
        if isinstance(party.country, Unknown):
            return None
        country = self._reference.country(party.country)
        if isinstance(country, Unknown):
            return None
        trusted = country in _NO_REASON_TO_MISLEAD or (not isinstance(party.verified, Unknown) and party.verified)
        return country if trusted else None

    def _screen(self, name: str, country: str | None) -> ScreeningResult | Unknown:
        key = (name, country)
        if key not in self._seen:
            self._seen[key] = self._ask(name, country)
        return self._seen[key]

    def _ask(self, name: str, country: str | None) -> ScreeningResult | Unknown:
        if self._screener is None:
            return NO_SCREENER
        result = self._screener.screen(name, as_of=self._as_of, country=country)
        if not self.sources:
            self.sources.append(self._list_of(result))
        flags = [*result.red_flags, *(["screening_review"] if result.status == "review" else [])]
        self.red_flags += [flag for flag in flags if flag not in self.red_flags]
        return result

    def _list_of(self, result: ScreeningResult) -> FactSource:
        digest = result.digest
        if digest is None and self._screener is not None:
            digest = self._screener.digest
        return FactSource(
            path="listings", source=f"Consolidated Screening List, sha256 {digest}", as_of=result.list_date
        )


def _listings(result: ScreeningResult | Unknown) -> Maybe[tuple[str, ...]]:
    """Codes of the lists that were hit. What is open besides a hit stays open: it is listed as a code that no
    list has, which rules read as *some list*."""
    if isinstance(result, Unknown):
        return result
    if result.status == "clear":
        return ()
    if result.status == "hit":
        codes = dict.fromkeys(match.list for match in result.hits)
        return (*codes, *((result.reason[:2000],) if result.reason else ()))
    return Unknown((result.reason or "the screening is open")[:2000])


def _sources(result: ScreeningResult) -> tuple[FactSource, ...]:
    return tuple(
        FactSource(
            path="listings",
            source=(
                f"{match.list}: {match.entry.name}"
                f"{f' ({match.entry.federal_register_notice})' if match.entry.federal_register_notice else ''}"
                f", matched {match.matched_name} at {match.score:.2f}: {match.why}"
            )[:2000],
            as_of=result.list_date,
        )
        for match in result.matches[:5]
    )
