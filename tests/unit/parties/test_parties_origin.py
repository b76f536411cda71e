"""Owned from where: ownership rules that ask about places, beside those that ask about lists."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from exportguard import reference
from exportguard.parties.origin import Origin, Places
from exportguard.parties.ownership import OwnershipGraph, answer
from exportguard.vocabulary import OwnershipQuestion, Party, Unknown
from exportguard.vocabulary.fact import NOT_GIVEN

AS_OF = datetime(2026, 1, 15, tzinfo=UTC)
PLACES = Places(reference.default(), AS_OF)
MORE_THAN_HALF = OwnershipQuestion(("outside:provider:anthropic",), ">", Fraction(50))
FROM_D5 = OwnershipQuestion(("in:D:5",), ">=", Fraction(50))


def party(**facts: Any) -> Party:
    return Party.model_validate({"role": "end_user", "name": "A", "country": "CH", "headquarters": "CH", **facts})


def owned(facts: dict[str, Any], question: OwnershipQuestion = MORE_THAN_HALF) -> Any:
    found = answer(question, party(**facts), as_of=AS_OF, places=PLACES).owned
    return None if isinstance(found, Unknown) else found


def by(country: str | None, percent: Any, **more: Any) -> dict[str, Any]:
    return {"name": f"{country}-{percent}", **({"country": country} if country else {}), "percent": percent, **more}


@pytest.mark.parametrize(
    ("code", "country", "headquarters", "holds"),
    [
        ("in:D:5", "CN", NOT_GIVEN, True),
        ("in:D:5", "CH", "P.R. China", True),
        ("in:D:5", "CN", "CH", True),
        ("in:D:5", "HK", NOT_GIVEN, True),
        ("in:D:5", "CH", NOT_GIVEN, False),
        ("in:D:5", NOT_GIVEN, NOT_GIVEN, None),
        ("in:D:5", "CH", "Atlantis", None),
        ("in:D:5", "Atlantis", "CN", True),
        ("outside:provider:anthropic", "CN", NOT_GIVEN, True),
        ("outside:provider:anthropic", "CH", "CN", True),
        ("outside:provider:anthropic", "CH", "CH", False),
        ("outside:provider:nobody", "CN", "CN", None),
    ],
)
def test_the_worse_of_country_and_headquarters_counts(code, country, headquarters, holds):
    """What cannot be read is not known, unless the other of the two settles it."""
    assert PLACES.holds(code, Origin(country, headquarters)) is holds


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"owners": [by("CN", 51)], "ultimate_parent": None}, True),
        ({"owners": [by("CN", 50)], "ultimate_parent": None}, False),
        ({"owners": [by("CN", 5)] * 11, "ultimate_parent": None}, True),
        ({"owners": [by("CN", 26), by("RU", 25)], "ultimate_parent": None}, True),
        ({"owners": [by("CH", 60, owners=[by("CN", 51)])], "ultimate_parent": None}, True),
        ({"owners": [by("CH", 60, owners=[by("CN", 50)])], "ultimate_parent": None}, False),
        ({"owners": [by("CH", 60)], "ultimate_parent": {"headquarters": "CH"}}, False),
        ({"owners": [by("CH", 60)]}, None),
        ({"owners": [by("CH", 60)], "ultimate_parent": {"name": "P"}}, None),
        ({"owners": [by(None, 60)], "ultimate_parent": {"headquarters": "CH"}}, None),
        ({"owners": [by(None, 40)], "ultimate_parent": {"headquarters": "CH"}}, False),
        ({"owners": [by("CN", {"min": 40, "max": 60})], "ultimate_parent": {"headquarters": "CH"}}, None),
        ({"owners": []}, False),
        ({"ultimate_parent": None}, False),
        ({"ultimate_parent": {"headquarters": "CN"}}, True),
        ({"ultimate_parent": {"country": "CN"}}, True),
        ({"ultimate_parent": {"headquarters": "JP"}}, False),
        ({"ultimate_parent": {"name": "P"}}, None),
        ({"owners": {"unknown": "nobody asked"}, "ultimate_parent": {"headquarters": "JP"}}, None),
        ({}, None),
    ],
)
def test_more_than_half_from_where_a_provider_does_not_sell(facts, expected):
    assert owned(facts) is expected


def test_ownership_by_lists_is_not_answered_by_the_ultimate_parent():
    """Where a parent is headquartered says nothing of who is listed among the owners."""
    question = OwnershipQuestion(("EL",), ">=", Fraction(50))
    found = answer(question, party(ultimate_parent={"headquarters": "CH"}), as_of=AS_OF, places=PLACES)
    assert isinstance(found.owned, Unknown)


def test_lists_and_places_may_be_asked_about_together():
    question = OwnershipQuestion(("EL", "in:D:5"), ">=", Fraction(50))
    facts = {"owners": [by("CN", 30), by("CH", 20, listings=["EL"], owners=[])], "ultimate_parent": None}
    found = answer(question, party(**facts), as_of=AS_OF, places=PLACES)
    assert found.owned is True
    assert [line.split(" holds ")[0] for line in found.path] == ["CN-30 (in D:5)", "CH-20 (listed: EL)"]


def test_without_anyone_to_read_places_where_owners_are_from_is_unknown():
    found = answer(FROM_D5, party(owners=[by("CN", 100)]), as_of=AS_OF)
    assert isinstance(found.owned, Unknown)


def test_the_shared_graph_knows_where_its_entities_are():
    from exportguard.parties.customer import CustomersDocument

    document = CustomersDocument.model_validate(
        {
            "entities": [{"id": "top", "name": "Top", "country": "CN", "owners": []}],
            "ownership": [
                {"owner": "mid", "owned": "a", "percent": 80},
                {"owner": "top", "owned": "mid", "percent": 51},
            ],
        }
    )
    graph = OwnershipGraph.of_document(document)
    found = answer(MORE_THAN_HALF, party(id="a"), as_of=AS_OF, shared=graph, places=PLACES)
    assert found.owned is True
