"""Every date of the rules on A100s, from both sides, for a party with everything known in each of some places.

A letter an instant: A allowed, D denied. Exports are asked of the packs of law alone, access of every pack.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from exportguard import Guard

DAYS = ("2022-10-07", "2023-01-17", "2023-11-17", "2024-03-15", "2025-07-01", "2026-02-03", "2026-07-10", "2026-07-23")
LAW = ("us-ear-advanced-computing", "us-ear-end-users", "us-ofac")
BY_PLACE = {
    # the instant before each day, and the day itself: first rule, Macau, second rule, Nicaragua, Syria, Cambodia,
    # the Emirates, Cyprus (the last day on which it may have left D:5)
    "CN": "AD DD DD DD DD DD DD DD",
    "HK": "AD DD DD DD DD DD DD DD",
    "MO": "AA AD DD DD DD DD DD DD",
    "VN": "AA AA AD DD DD DD DD DD",
    "SA": "AA AA AD DD DD DD DD DD",
    "RU": "AA AA AD DD DD DD DD DD",
    "AE": "AA AA AD DD DD DD DD DD",
    "KH": "AA AA AD DD DD DD DD DD",
    "NI": "AA AA AA AD DD DD DD DD",
    "CY": "AA AA AD DD DD DD DD DA",
    "IR": "DD DD DD DD DD DD DD DD",
    "SY": "DD DD DD DD DD DD DD DD",
    "IL": "AA AA AA AA AA AA AA AA",
    "TW": "AA AA AA AA AA AA AA AA",
    "IN": "AA AA AA AA AA AA AA AA",
    "BR": "AA AA AA AA AA AA AA AA",
    "US": "AA AA AA AA AA AA AA AA",
}


@cache
def guard(*packs: str) -> Guard:
    return Guard.load(packs=packs or None, lists=None, record=None, ledger=None)


def request(place: str, chip: str, transfer: str, **party: Any) -> dict[str, Any]:
    known = {"country": place, "headquarters": place, "ultimate_parent": None, "owners": [], "listings": []}
    return {
        "provider": "other",
        "transfer": transfer,
        "locations": [{"country": place}],
        "items": [{"kind": "accelerator", "accelerator": chip, "count": 8}],
        "parties": [{"role": "end_user", "name": "A", **known, **party}],
    }


def asked(who: Guard, document: dict[str, Any]) -> str:
    pairs = []
    for day in DAYS:
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        pairs.append(
            "".join(who.check(document, as_of=t).outcome[0] for t in (start - timedelta(microseconds=1), start))
        )
    return " ".join(pairs)


@pytest.mark.parametrize("place", BY_PLACE)
def test_exports_by_law_and_access_by_every_pack_turn_on_the_same_days(place: str) -> None:
    """The company's packs put the law's tests, with the law's dates, to access."""
    assert asked(guard(*LAW), request(place, "A100", "export")) == BY_PLACE[place]
    assert asked(guard(), request(place, "A100", "remote_access")) == BY_PLACE[place]


@pytest.mark.parametrize("place", BY_PLACE)
def test_access_is_refused_by_law_only_where_dealing_itself_is_barred(place: str) -> None:
    """Embargoes bar dealing; no rule on chips reached access from afar."""
    expected = {"IR": "DD DD DD DD DD DD DD DD", "SY": "DD DD DD DD DA AA AA AA"}.get(place, "AA AA AA AA AA AA AA AA")
    assert asked(guard(*LAW), request(place, "A100", "remote_access")) == expected


@pytest.mark.parametrize("place", BY_PLACE)
def test_what_is_below_the_thresholds_goes_anywhere_but_where_dealing_is_barred(place: str) -> None:
    expected = {"IR": "DD DD DD DD DD DD DD DD", "SY": "DD DD DD DD DA AA AA AA"}.get(place, "AA AA AA AA AA AA AA AA")
    assert asked(guard(), request(place, "T4", "export")) == expected


def test_a_headquarters_counts_where_a_place_does_not() -> None:
    """A party in Singapore: the rule on headquarters is of 2023-11-17, and knows D:5 and Macau alone."""
    told = {
        home: asked(guard(*LAW), request("SG", "A100", "export", headquarters=home))
        for home in ("CN", "MO", "VN", "KH")
    }
    assert told == {
        "CN": "AA AA AD DD DD DD DD DD",
        "MO": "AA AA AD DD DD DD DD DD",
        "VN": "AA AA AA AA AA AA AA AA",
        "KH": "AA AA AD DD DD DA AA AA",
    }
