"""The 50% rules on worked examples, in the shape of OFAC's FAQ 401, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Literal

import pytest

from exportguard.parties.cascade import cascade
from exportguard.parties.ownership import OwnershipInquiry, answer
from exportguard.parties.percent import as_text, number, stake
from exportguard.vocabulary import OwnershipQuestion, Party, PercentRange, Unknown

AS_OF = datetime(2026, 8, 1, tzinfo=UTC)
TOP = {"name": "Top", "country": "US", "percent": 100, "listings": []}


def owned(edges: list[tuple[str, str, object]], entity: str, comparison: Literal[">=", ">"] = ">=") -> bool | None:
    stakes: dict[str, list[Any]] = {}
    for owner, of, percent in edges:
        stakes.setdefault(of, []).append((owner, *stake(percent)))
    return cascade(stakes, listed={"X", "Y"}, comparison=comparison, percent=Fraction(50)).answer(entity)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        # X (blocked) owns 50% of A, A owns 50% of B: B is caught, though a multiplication gives 25%.
        ([("X", "A", 50), ("A", "B", 50)], True),
        # X owns 50% of A and 10% of B, A owns 40% of B: 50% in aggregate.
        ([("X", "A", 50), ("A", "B", 40), ("X", "B", 10)], True),
        # X owns 25% of A and of C, each owns half of B: neither is caught, so nothing counts.
        ([("X", "A", 25), ("X", "C", 25), ("A", "B", 50), ("C", "B", 50)], False),
        # X owns 50% of A and 25% of C: only A's half of B counts, and it suffices.
        ([("X", "A", 50), ("X", "C", 25), ("A", "B", 50), ("C", "B", 50)], True),
        # Two blocked persons of 25% each, in aggregate.
        ([("X", "B", 25), ("Y", "B", 25)], True),
        # X owns 50% of A and C; A owns 13%, C 12% of D, X 25%: exactly 50%.
        ([("X", "A", 50), ("X", "C", 50), ("A", "B", 13), ("C", "B", 12), ("X", "B", 25)], True),
        ([("X", "B", 49.9)], False),
        # Ten stakes of 5% are 50%: no float ever says 49.999…
        ([("X", "B", "5")] * 10, True),
        ([("X", "B", "100/3"), ("Y", "B", "50/3")], True),
        ([("X", "B", 0.1)] * 499, False),
        # Cycles and self-ownership converge.
        ([("X", "A", 30), ("B", "A", 20), ("A", "B", 60)], False),
        ([("B", "B", 60), ("X", "B", 49)], False),
        ([("X", "A", 50), ("B", "A", 20), ("A", "B", 60)], True),
        # Ranges: surely, surely not, unknown.
        ([("X", "B", PercentRange(min=50, max=60))], True),
        ([("X", "B", PercentRange(min=10, max=49))], False),
        ([("X", "B", PercentRange(min=10, max=50))], None),
        # An unknown stake cannot be more than others leave.
        ([("X", "B", Unknown("?")), ("A", "B", 51)], False),
        ([("X", "B", Unknown("?")), ("A", "B", 50)], None),
    ],
)
def test_aggregation_and_cascade(edges: list[tuple[str, str, object]], expected: bool | None) -> None:
    """Shares of listed and caught owners add up, exactly; a caught owner counts in full."""
    assert owned(edges, "B") is expected


def test_the_comparison_is_the_rules_own() -> None:
    """A provider's *more than half* is not OFAC's *half or more*."""
    assert owned([("X", "B", 50)], "B", ">=") is True
    assert owned([("X", "B", 50)], "B", ">") is False


QUESTION = OwnershipQuestion(("EL", "SDN"), ">=", Fraction(50))


def ask(owners: Any, **party: Any) -> Any:
    made = Party.model_validate(
        {"role": "end_user", "name": "P", **({"owners": owners} if owners is not None else {}), **party}
    )
    return answer(QUESTION, made, as_of=AS_OF)


def test_unknown_owners_are_unknown_and_none_are_none() -> None:
    """Left out is unknown, `[]` is surely not, a natural person has no owners."""
    assert isinstance(ask(None).owned, Unknown)
    assert ask([]).owned is False
    assert ask(None, kind="natural").owned is False
    assert isinstance(ask([{"name": "A", "percent": 60, "listings": []}]).owned, Unknown)
    assert isinstance(ask([{"name": "A", "percent": 60, "owners": []}]).owned, Unknown)
    assert ask([{"name": "A", "percent": 60, "listings": [], "owners": []}]).owned is False


def test_a_list_that_nobody_knows_is_some_list() -> None:
    """A code that is no list's may be the one that is asked about."""
    assert isinstance(ask([{"name": "A", "percent": 60, "listings": ["ZZZ"], "owners": []}]).owned, Unknown)
    assert ask([{"name": "A", "percent": 60, "listings": ["CMIC"], "owners": []}]).owned is False
    assert ask([{"name": "A", "percent": 60, "listings": ["el"]}]).owned is True


def test_the_path_shows_who_holds_what() -> None:
    """The answer carries the stakes that make it, the nearest first."""
    middle = {"name": "M", "percent": 50, "listings": [], "owners": [{"name": "X", "percent": 80, "listings": ["SDN"]}]}
    assert ask([middle]).path == ("M (caught at 80 %) holds 50 % of P", "X (listed: SDN) holds 80 % of M")


def test_stakes_that_cannot_be_are_flagged() -> None:
    """More than a hundred percent and a percentage that is none leave a red flag, and no comfort."""
    both = [{"name": n, "percent": 60, "listings": [], "owners": []} for n in "AB"]
    inquiry = OwnershipInquiry(Party.model_validate({"role": "end_user", "owners": both}), AS_OF)
    inquiry.answer(QUESTION)
    assert inquiry.red_flags == ["ownership_over_100_percent"]
    wild = [{"name": "A", "percent": "lots", "listings": ["EL"]}]
    inquiry = OwnershipInquiry(Party.model_validate({"role": "end_user", "owners": wild}), AS_OF)
    assert isinstance(inquiry.answer(QUESTION).owned, Unknown)
    assert inquiry.red_flags == ["ownership_unreadable"]


def test_percent_text_is_exact() -> None:
    """Decimals, fractions and mixed numbers are what they say; a float is its shortest decimal."""
    assert number(33.3) == Fraction(333, 10)
    assert number("33 1/3") == number("100/3") == Fraction(100, 3)
    assert number("50%") == 50
    assert [as_text(Fraction(x)) for x in ("50", "33.3", "100/3", "0.05")] == ["50", "33.3", "100/3", "0.05"]
    for wrong in ("", "abc", "1/0", "1e5", "-5", "1.5/2", float("nan"), float("inf"), True, None):
        with pytest.raises(ValueError):
            number(wrong)
    for outside in (101, -1, "100.01"):
        with pytest.raises(ValueError):
            stake(outside)


@pytest.mark.parametrize(
    ("facts", "owned_by_listed"),
    [
        ({"ultimate_parent": None}, False),
        ({"ultimate_parent": None, "owners": {"unknown": "nominees"}}, None),
        ({}, None),
        ({"ultimate_parent": {"name": "Top", "headquarters": "US"}}, None),
        ({"ultimate_parent": {"name": "TOP", "headquarters": "US"}, "owners": [TOP]}, False),
        ({"ultimate_parent": {"name": "Other", "headquarters": "US"}, "owners": [TOP]}, None),
        ({"ultimate_parent": {"name": "Top", "headquarters": "US"}, "owners": [{**TOP, "listings": ["EL"]}]}, True),
    ],
)
def test_nobody_stands_above_the_ultimate_parent(facts: dict[str, Any], owned_by_listed: bool | None) -> None:
    """`ultimate_parent: null` leaves no owners out, and neither does an owner that is the ultimate parent."""
    party = Party.model_validate({"name": "A", "listings": [], **facts})
    question = OwnershipQuestion(("EL",), ">=", Fraction(50))
    found = answer(question, party, as_of=AS_OF).owned
    assert (None if isinstance(found, Unknown) else found) is owned_by_listed


@pytest.mark.parametrize(
    ("listings", "owned_by_listed"), [((), False), (("EL",), True), (("SSI",), False), (Unknown("stale"), None)]
)
def test_where_only_the_ultimate_parent_is_told_its_name_is_screened(
    listings: Any, owned_by_listed: bool | None
) -> None:
    """A parent on the Entity List catches the party; one that is surely on no list leaves others less than half."""
    party = Party.model_validate(
        {"name": "A", "listings": [], "ultimate_parent": {"name": "Top", "headquarters": "US"}}
    )
    inquiry = OwnershipInquiry(party, AS_OF, None, lambda name: listings if name == "Top" else Unknown("?"))
    found = inquiry.answer(OwnershipQuestion(("EL", "MEU"), ">=", Fraction(50))).owned
    assert (None if isinstance(found, Unknown) else found) is owned_by_listed
    assert (inquiry.restricted_ownership() is None) is (listings == ())


@pytest.mark.parametrize(
    ("owners", "owned_by_listed"),
    [
        ([], True),
        ({"unknown": "nominees"}, True),
        ([{"name": "Other", "percent": 60, "listings": [], "owners": []}], True),
        ([{"name": "top", "percent": 40}, {"name": "Other", "percent": 60, "listings": [], "owners": []}], False),
        ([{"name": "top", "percent": 60}], True),
    ],
)
def test_a_listed_ultimate_parent_counts_beside_owners_that_do_not_name_it(owners: Any, owned_by_listed: bool) -> None:
    """Owners that are told do not take the parent's listing away; where it is one of them, its share decides."""
    facts = {"name": "A", "listings": [], "owners": owners, "ultimate_parent": {"name": "Top", "headquarters": "US"}}
    party = Party.model_validate(facts)
    inquiry = OwnershipInquiry(party, AS_OF, None, lambda name: ("EL",) if name.lower() == "top" else Unknown("?"))
    assert inquiry.answer(OwnershipQuestion(("EL", "MEU"), ">=", Fraction(50))).owned is owned_by_listed
    assert inquiry.answer(OwnershipQuestion(("SDN",), ">=", Fraction(50))).owned is not True
    assert inquiry.restricted_ownership() is not None
    cleared = OwnershipInquiry(party, AS_OF, None, lambda name: ())
    assert cleared.answer(OwnershipQuestion(("EL", "MEU"), ">=", Fraction(50))).owned is not True


@pytest.mark.parametrize(
    ("stated", "owned_by_listed"),
    [
        ({"list": "SDN", "percent": 60}, True),
        ({"list": "sdn list", "percent": "50"}, True),
        ({"list": "SDN", "percent": "49.99"}, False),
        ({"list": "SDN", "percent": {"min": 50, "max": 70}}, True),
        ({"list": "SDN", "percent": {"min": 40, "max": 60}}, None),
        ({"list": "SDN"}, None),
        ({"percent": 60}, None),
        ({"percent": 40}, False),
        ({"list": "a list that nobody knows", "percent": 60}, None),
        ({"list": "EL", "percent": 60}, False),
        (None, False),
    ],
)
def test_a_listed_share_that_is_stated_catches_and_never_frees(stated: Any, owned_by_listed: bool | None) -> None:
    question = OwnershipQuestion(("SDN",), ">=", Fraction(50))
    party = Party.model_validate({"name": "A", "listings": [], "owners": [], "restricted_ownership": stated})
    found = answer(question, party, as_of=AS_OF).owned
    assert (None if isinstance(found, Unknown) else found) is owned_by_listed
    owner = {"name": "B", "percent": 60, "listings": ["SDN"]}
    caught = party.model_copy(update={"owners": Party.model_validate({"owners": [owner]}).owners})
    assert answer(question, caught, as_of=AS_OF).owned is True
    open_ = party.model_copy(update={"owners": Unknown("nominees")})
    assert answer(question, open_, as_of=AS_OF).owned is not False
