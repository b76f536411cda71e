"""What owners say of where a party is run from, beside what its `ultimate_parent` says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from exportguard import Guard, Outcome
from exportguard.parties.jurisdiction import with_owners
from exportguard.reference import default
from exportguard.vocabulary import Party, Unknown

DAY = date(2026, 11, 25)
COUNTRY = default().country


def party(**more: Any) -> Party:
    return Party.model_validate({"role": "end_user", "name": "A", "country": "CH", "headquarters": "CH", **more})


def parents(one: Party) -> list[Any]:
    told = []
    for reading in with_owners(one, COUNTRY, DAY):
        parent = reading.ultimate_parent
        told.append(None if parent is None else "?" if isinstance(parent, Unknown) else parent.headquarters)
    return told


def owner(percent: Any, country: str | None = "CN", **more: Any) -> dict[str, Any]:
    return {"name": "X", "percent": percent, **({"country": country} if country else {}), **more}


@pytest.mark.parametrize(
    ("stated", "owners", "told"),
    [
        # A party that says it has no parent, and an owner of more than half elsewhere: both are asked about.
        ({"ultimate_parent": None}, [owner(60)], [None, "CN"]),
        ({"ultimate_parent": None}, [owner("50.01")], [None, "CN"]),
        ({"ultimate_parent": None}, [owner(50)], [None]),
        ({"ultimate_parent": None}, [owner({"min": 40, "max": 60})], [None]),
        ({"ultimate_parent": None}, [owner({"min": 51, "max": 60})], [None, "CN"]),
        ({"ultimate_parent": None}, [owner(60, "CH")], [None]),
        ({"ultimate_parent": None}, [owner(60, None)], [None]),
        ({"ultimate_parent": None}, [owner(60, "Switzerland")], [None]),
        # A parent that is stated, and owners that agree or not.
        ({"ultimate_parent": {"name": "Y", "headquarters": "US"}}, [owner(60)], ["US", "CN"]),
        ({"ultimate_parent": {"name": "Y", "headquarters": "CN"}}, [owner(60)], ["CN"]),
        ({"ultimate_parent": {"name": "Y", "headquarters": "US"}}, [owner(60, None)], ["US"]),
        # None is stated: an owner known to the end of the chain is the parent, another one counts beside the open.
        ({}, [owner(60, "US", owners=[])], ["US"]),
        ({}, [owner(60, "CN")], ["?", "CN"]),
        ({}, [], ["?"]),
        # The chain is followed, and stakes of another time are none.
        ({"ultimate_parent": None}, [owner(60, "CH", owners=[owner(70, "RU")])], [None, "RU"]),
        ({"ultimate_parent": None}, [owner(60, since="2027-01-01")], [None]),
        ({"ultimate_parent": None}, [owner(60, until="2026-01-01")], [None]),
        ({"ultimate_parent": None}, [owner("most of it")], [None]),
    ],
)
def test_both_readings_count(stated: dict[str, Any], owners: list[Any], told: list[Any]) -> None:
    assert parents(party(**stated, owners=owners)) == told


def test_an_owner_whose_place_is_known_to_be_unknown_leaves_the_parent_open() -> None:
    hidden = owner(60, None, headquarters={"unknown": "a nominee"})
    readings = with_owners(party(ultimate_parent=None, owners=[hidden]), COUNTRY, DAY)
    assert isinstance(readings[1].ultimate_parent.headquarters, Unknown)  # type: ignore[union-attr]


def test_a_chain_of_owners_is_followed_to_its_end() -> None:
    one: dict[str, Any] = owner(60, "RU")
    for _ in range(6):
        one = owner(60, "CH", owners=[one])
    assert parents(party(ultimate_parent=None, owners=[one])) == [None, "RU"]


@pytest.mark.parametrize(("percent", "outcome"), [(50, Outcome.ALLOW), ("50.01", Outcome.DENY)])
def test_the_terms_of_a_provider_reach_through_owners(percent: Any, outcome: Outcome) -> None:
    """Anthropic's terms say more than half."""
    guard = Guard.load(packs=["model-provider-terms"], lists=None, record=None, ledger=None)
    one = party(ultimate_parent=None, owners=[owner(percent)], listings=[])
    decision = guard.check(
        {
            "provider": "aws",
            "locations": [{"region": "us-east-1"}],
            "items": [{"kind": "model", "model": "anthropic.claude-3-opus-20240229-v1:0", "tokens": 1}],
            "parties": [one.model_dump(mode="json", exclude_unset=True)],
        },
        as_of=datetime(2026, 11, 25, tzinfo=UTC),
    )
    assert decision.outcome is outcome
    assert ("sources_disagree" in decision.red_flags) is (outcome is Outcome.DENY)
