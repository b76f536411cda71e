"""Country groups by date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from exportguard.errors import NaiveInstantError
from exportguard.reference import default

REFERENCE = default()
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def on(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_hong_kong_counts_with_china_and_macau_on_its_own() -> None:
    """HK is wherever CN is; MO is not in D:5, which rules name beside it; TW is in A:6 and no D group but D:3."""
    for name in REFERENCE.group_names:
        if not name.startswith("provider:"):
            members = REFERENCE.country_group(name, NOW)
            assert ("HK" in members) == ("CN" in members), name
    assert "MO" not in REFERENCE.country_group("D:5", NOW)
    assert "MO" in REFERENCE.country_group("D:1", NOW)
    assert "TW" in REFERENCE.country_group("A:6", NOW)
    assert "TW" not in REFERENCE.country_group("D:1", NOW) | REFERENCE.country_group("D:5", NOW)


def test_us_territories_count_with_the_united_states() -> None:
    assert {"US", "PR", "GU", "VI", "AS", "MP"} <= REFERENCE.country_group("A:1", NOW)
    for provider in ("anthropic", "openai"):
        served = REFERENCE.country_group(f"provider:{provider}", NOW)
        assert {"US", "PR", "GU", "VI", "AS", "MP"} <= served
        assert not {"CN", "HK", "MO"} & served


@pytest.mark.parametrize(
    ("group", "country", "day", "before", "since"),
    [
        ("D:4", "AE", "2026-07-10", True, False),
        ("A:5", "AE", "2026-07-10", False, True),
        ("D:5", "NI", "2024-03-15", False, True),
        ("D:5", "KH", "2026-02-03", True, False),
        ("D:5", "CY", "2026-07-23", True, False),
    ],
)
def test_a_change_takes_effect_on_its_day(group: str, country: str, day: str, before: bool, since: bool) -> None:
    """Where the day is not known the later bound is used, so that no country leaves a control too early."""
    assert (country in REFERENCE.country_group(group, on(day) - timedelta(microseconds=1))) is before
    assert (country in REFERENCE.country_group(group, on(day))) is since


def test_embargo_groups_are_as_the_supplement_has_them() -> None:
    """Cuba is in E:2 only: a list made of E:1 alone would miss it."""
    assert REFERENCE.country_group("E:1", NOW) == {"IR", "KP", "SY"}
    assert REFERENCE.country_group("E:2", NOW) == {"CU"}


def test_provider_lists_are_groups_of_their_own() -> None:
    anthropic = REFERENCE.country_group("provider:anthropic", NOW)
    assert {"US", "DE", "TW"} <= anthropic
    assert not {"CN", "HK", "MO", "RU", "IR"} & anthropic
    assert not {"CN", "HK", "RU"} & REFERENCE.country_group("provider:openai", NOW)


def test_answers_change_only_on_the_stated_dates() -> None:
    """Between two change dates every group is the same: a decision may be cached from one to the next."""
    dates = REFERENCE.change_dates()
    assert list(dates) == sorted(set(dates))
    for start, end in pairwise(dates):
        last = end - timedelta(microseconds=1)
        for name in REFERENCE.group_names:
            assert REFERENCE.country_group(name, start) == REFERENCE.country_group(name, last)


def test_an_unknown_group_or_a_naive_instant_is_an_error() -> None:
    with pytest.raises(KeyError):
        REFERENCE.country_group("D:9", NOW)
    with pytest.raises(NaiveInstantError):
        REFERENCE.country_group("D:5", datetime(2026, 1, 1))  # noqa: DTZ001


def test_cyprus_joined_the_a_groups_before_the_first_rule() -> None:
    """85 FR 84211, effective 2020-12-28: a destination in A:6 needs no licence though it was in D:5."""
    assert "CY" in REFERENCE.country_group("A:6", on("2022-10-07"))
    assert "CY" in REFERENCE.country_group("D:5", on("2022-10-07"))
