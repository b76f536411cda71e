"""What lifts a rule: only what is in force, approved by a second person, and surely covers every expansion."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from exportguard.decide import decide
from exportguard.language import PolicySource, load_policies
from exportguard.reference import default
from exportguard.testing import request
from exportguard.vocabulary import Authorization, Decision, Location, Outcome, Unknown

AS_OF = datetime(2024, 8, 23, tzinfo=UTC)
POLICY = """
policy: p
version: 1
title: t
basis: company_policy
references: [{cite: c, read: 2024-01-01}]
rules:
  - id: licensed
    title: Needs a licence
    effect: deny
    when: item.eccn == "3A090.a" && party.country == "CN"
    because: no
    cites: [c]
    authorizable_by: [bis_license]
  - id: never
    title: Nothing lifts this
    effect: deny
    when: '"SDN" in party.listings'
    because: no
    cites: [c]
  - id: held
    title: Held
    effect: hold
    when: item.count > 8
    because: many
    cites: [c]
    authorizable_by: [bis_license, internal_waiver]
"""
RULES = load_policies([PolicySource(name="p.yaml", text=POLICY)], default())
USER = {"name": "Example Institute", "country": "CN", "listings": []}


def licence(**fields: Any) -> Authorization:
    entry: dict[str, Any] = {
        "id": "lic-1",
        "kind": "bis_license",
        "scope": 'item.accelerator.family == "H100" && location.country == "US"',
        "parties": [{"role": "end_user", "name": "example  INSTITUTE"}],
        "effective": {"from_": date(2024, 1, 1), "until": date(2025, 1, 1)},
        "requested_by": "a@example.com",
        "approved_by": ["b@example.com"],
        **fields,
    }
    return Authorization.model_validate(entry)


def ask(*entries: Authorization, as_of: datetime = AS_OF, fingerprint: str | None = None, **fields: Any) -> Decision:
    asked = request(**{"accelerator": "H100", "end_user": USER, **fields})
    return decide(asked, RULES, default(), as_of=as_of, authorizations=entries, request_fingerprint=fingerprint)


def test_a_licence_that_covers_the_combination_lifts_it():
    assert ask().outcome is Outcome.DENY
    decision = ask(licence())
    assert decision.outcome is Outcome.ALLOW
    assert [(one.authorization, one.rule) for one in decision.lifted] == [("lic-1", "p/licensed")]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"effective": {"from_": date(2024, 9, 1)}}, "not in force before"),
        ({"effective": {"until": date(2024, 8, 23)}}, "expired"),
        ({"approved_by": []}, "nobody approved"),
        ({"approved_by": ["A@Example.com "]}, "its requester approved"),
        ({"approved_by": ["b@example.com", "Ann <a@example.com>"]}, "its requester approved"),
        ({"scope": "item.nothing == 1"}, "scope cannot be read"),
        ({"request_fingerprint": "other"}, "another request"),
    ],
)
def test_what_is_not_valid_lifts_nothing_and_the_decision_says_why(changes, told):
    decision = ask(licence(**changes), fingerprint="this")
    assert decision.outcome is Outcome.DENY
    assert any(told in advice for advice in decision.advice), decision.advice


def test_the_end_of_a_licence_is_its_first_instant_and_not_its_last():
    last = datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert ask(licence(), as_of=last).outcome is Outcome.ALLOW
    assert ask(licence(), as_of=datetime(2025, 1, 1, tzinfo=UTC)).outcome is Outcome.DENY


@pytest.mark.parametrize(
    "parties",
    [
        [{"role": "end_user", "name": "Another Institute"}],
        [{"role": "purchaser", "name": "Example Institute"}],
        [{"role": "purchaser", "customer": "cust-1"}],
        [{"role": "end_user", "customer": "cust-1"}],
    ],
)
def test_a_licence_for_others_lifts_nothing(parties):
    """A reseller's customer id lifts nothing for whoever stands behind it."""
    user = {**USER, "customer": "cust-1"}
    assert ask(licence(parties=parties), end_user=user).outcome is Outcome.DENY


def test_every_end_user_has_to_be_named():
    from exportguard.vocabulary import Party

    two = (Party(role="end_user", **USER), Party(role="end_user", name="Second", country="CN", listings=()))
    assert ask(licence(), parties=two).outcome is Outcome.DENY
    nobody = (Party(role="end_user", country="CN", listings=()),)
    assert ask(licence(), parties=nobody).outcome is Outcome.DENY


def test_the_scope_has_to_hold_in_every_place_possible_ones_included():
    here, there = Location(country="US"), Location(country="SG", certainty="possible")
    assert ask(licence(), locations=(here,)).outcome is Outcome.ALLOW
    assert ask(licence(), locations=(here, there)).outcome is Outcome.DENY
    assert ask(licence(), locations=(Location(country=Unknown("?")),)).outcome is Outcome.DENY


def test_a_prohibition_is_lifted_by_nothing():
    assert ask(licence(), end_user={**USER, "listings": ["SDN"]}).outcome is Outcome.DENY


def test_a_kind_that_the_rule_does_not_admit_lifts_nothing():
    assert ask(licence(kind="internal_waiver")).outcome is Outcome.DENY


def test_it_may_lift_a_hold_and_what_is_open():
    assert ask(licence(), count=9).outcome is Outcome.ALLOW
    unknown_country = {**USER, "country": Unknown("?")}
    assert ask(end_user=unknown_country).outcome is Outcome.HOLD
    assert ask(licence(), end_user=unknown_country).outcome is Outcome.ALLOW


def test_a_quantity_bounds_what_is_lifted():
    enough = licence(quantity={"unit": "accelerators", "limit": 8})
    assert ask(enough, count=8).lifted[0].quantity == 8
    short = ask(licence(quantity={"unit": "accelerators", "limit": 7}), count=8)
    assert short.outcome is Outcome.DENY
    assert any("too small" in advice for advice in short.advice)
    gpu_hours = licence(quantity={"unit": "gpu_hours", "limit": 10**9})
    assert ask(gpu_hours, count=1).outcome is Outcome.DENY


def test_the_narrowest_licence_is_drawn_on():
    wide = licence(id="wide", scope='item.accelerator.family == "H100"')
    for entries in ((wide, licence()), (licence(), wide)):
        assert ask(*entries).lifted[0].authorization == "lic-1"
    approved = licence(id="this-one", request_fingerprint="this")
    assert ask(wide, approved, fingerprint="this").lifted[0].authorization == "this-one"


@pytest.mark.parametrize(("unit", "outcome"), [("tokens", Outcome.DENY), ("accelerators", Outcome.ALLOW)])
def test_a_quantity_in_a_unit_that_does_not_measure_the_item_lifts_nothing(unit: str, outcome: Outcome) -> None:
    """A hundred tokens are no licence for eight chips, however few tokens those draw."""
    entry = licence(scope="true", quantity={"unit": unit, "limit": 100})
    asked = request(accelerator="H100", count=8, end_user=USER)
    decision = decide(asked, RULES, default(), as_of=AS_OF, authorizations=[entry])
    assert decision.outcome is outcome
    if outcome is Outcome.DENY:
        assert decision.advice == ("authorization lic-1 lifts nothing: its unit does not measure this item",)
