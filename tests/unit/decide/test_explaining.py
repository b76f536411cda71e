"""What `explain` tells: why a rule did not match, what would settle it, and what would change the outcome."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings

from decide_strategies import AS_OF, policy_sets, reference, requests
from exportguard.decide import Explanation, RuleAccount, decide, explain_decision
from exportguard.language import CompiledPolicySet, PolicySource, load_policies
from exportguard.packs import shipped_folder, shipped_packs
from exportguard.vocabulary import Authorization, Outcome, ProvisioningRequest
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import OwnershipAnswer

TEXT = """
policy: p
variables:
  controlled: item.eccn in ["3A090.a", "3A090.b"]
rules:
  - id: headquarters
    effect: deny
    when: variables.controlled && party.headquarters in country_group("D:5")
    authorizable_by: [bis_license]
  - id: spared
    effect: hold
    when: variables.controlled
    unless: party.country == "US" || party.country == "GB"
  - id: models
    effect: deny
    when: item.model.weights == "closed"
  - id: ended
    effect: deny
    when: "true"
    effective: {until: 2020-01-01}
  - id: later
    effect: deny
    when: "true"
    status: suspended
"""
PARTY = {"role": "end_user", "name": "Example", "country": "US", "headquarters": "US", "ultimate_parent": None}
CHIP = {"kind": "accelerator", "instance_type": "p5.48xlarge", "instances": 8}


def _policies() -> CompiledPolicySet:
    return load_policies([PolicySource("p.yaml", TEXT)], reference())


def _explained(*, author: bool = False, authorizations: tuple[Authorization, ...] = (), **changes: Any) -> Explanation:
    document = {"provider": "aws", "items": [CHIP], "parties": [PARTY], "locations": [{"region": "us-east-1"}]}
    request = ProvisioningRequest.model_validate(document | changes)
    return explain_decision(
        request, _policies(), reference(), as_of=AS_OF, for_author=author, authorizations=authorizations
    )


def _rule(explanation: Explanation, name: str) -> RuleAccount:
    return next(account for account in explanation.rules if account.rule == name)


def test_a_rule_that_does_not_match_names_its_first_false_clause_and_the_values_in_it() -> None:
    """Not the whole condition: the part that settled it, variables written out."""
    account = _rule(_explained(), "headquarters")
    assert account.answer == "no_match"
    (told,) = account.combinations
    assert told.clause == 'party.headquarters in country_group("D:5")'
    assert told.values == (("party.headquarters", "US"),)
    everyday = _rule(_explained(items=[{**CHIP, "instance_type": "g4dn.xlarge"}]), "headquarters")
    assert everyday.combinations[0].clause == 'item.eccn in ["3A090.a", "3A090.b"]'


def test_an_unless_that_spared_a_request_is_named() -> None:
    """With the one alternative of it that held."""
    account = _rule(_explained(), "spared")
    assert (account.answer, account.combinations[0].clause) == ("no_match", 'unless party.country == "US"')


def test_a_rule_that_was_not_asked_says_why() -> None:
    """Another kind of item, other dates, another status."""
    explanation = _explained()
    assert _rule(explanation, "models").note == "the request has no model item"
    assert _rule(explanation, "ended").note == "in force until 2020-01-01 only"
    assert _rule(explanation, "later").note == "its status is suspended"


def test_open_facts_name_the_rules_they_would_settle() -> None:
    """An unknown headquarters leaves one rule open, and evidence of it is what can be got."""
    party = {key: value for key, value in PARTY.items() if key != "headquarters"}
    explanation = _explained(parties=[party], author=True)
    assert explanation.decision.outcome is Outcome.HOLD
    assert explanation.settling == (("party.headquarters", ("p/headquarters",)),)
    first = explanation.changes[0]
    assert (first.outcome, first.evasive) == (Outcome.ALLOW, False)
    assert [step.path for step in first.steps] == ["parties[0].headquarters"]


def test_several_open_facts_are_told_as_the_smallest_set_that_settles() -> None:
    """Nothing in the set could be left out."""
    explanation = _explained(parties=[{"role": "end_user", "name": "Example"}])
    (evidence,) = [change for change in explanation.changes if change.steps[0].path.startswith("parties")]
    assert {step.path for step in evidence.steps} == {"parties[0].country", "parties[0].headquarters"}


def test_a_licence_that_would_lift_a_denial_is_obtainable() -> None:
    """Where the rule admits its kind, and no other kind is offered."""
    explanation = _explained(parties=[{**PARTY, "headquarters": "CN"}])
    assert explanation.decision.outcome is Outcome.DENY
    told = [step.then for change in explanation.changes for step in change.steps]
    assert told == ["a BIS licence that names Example (end_user)"]


def test_ways_round_a_rule_are_shown_to_authors_alone() -> None:
    """Another chip, another declared headquarters: an author sees them marked, a requester never does."""
    denied = {"parties": [{**PARTY, "headquarters": "CN"}]}
    author = _explained(author=True, **denied)
    evasive = {change.steps[0].path for change in author.changes if change.evasive}
    assert {"items[0]", "parties[0].headquarters"} <= evasive
    assert not any(change.evasive for change in _explained(**denied).changes)
    assert not any(change.evasive for change in author.for_requester().changes)
    assert author.for_requester().rules == author.rules


def test_an_authorization_that_lifts_is_named() -> None:
    """The combination it lifted carries its id."""
    licence = Authorization.model_validate(
        {
            "id": "bis-1",
            "kind": "bis_license",
            "scope": "item.eccn == '3A090.a'",
            "parties": [{"role": "end_user", "name": "Example"}],
            "effective": {},
            "requested_by": "a",
            "approved_by": ["b"],
        }
    )
    account = _rule(_explained(parties=[{**PARTY, "headquarters": "CN"}], authorizations=(licence,)), "headquarters")
    assert (account.answer, account.combinations[0].authorization) == ("lifted", "bis-1")


def test_nothing_is_proposed_for_what_is_allowed() -> None:
    """There is nothing to change."""
    assert _explained(author=True).changes == ()


UNKNOWN = {"unknown": "not told"}
GOOD = {
    "role": "end_user", "name": "Example GmbH", "kind": "legal", "country": "DE", "headquarters": "DE",
    "ultimate_parent": None, "owners": [], "listings": [], "verified": True, "subdivision": None,
    "restricted_ownership": None,
}  # fmt: skip
ORDER = {
    "provider": "aws", "operation": "RunInstances", "action": "provision", "locations": [{"region": "us-east-1"}],
    "items": [CHIP], "parties": [GOOD], "end_use": "inference", "transfer": "remote_access",
}  # fmt: skip


@cache
def _shipped() -> CompiledPolicySet:
    sources = [PolicySource.from_path(shipped_folder() / pack / "policy.yaml") for pack in shipped_packs()]
    return load_policies([each for each in sources if "diffusion" not in each.name], reference())


def _of_packs(**changes: Any) -> Explanation:
    request = ProvisioningRequest.model_validate(ORDER | changes)
    answers = [
        {"lists": q.lists, "comparison": q.comparison, "percent": str(q.percent), "owned": False}
        for q in sorted(_shipped().ownership_questions)
    ]
    parties = [
        p if p.ownership_answers or isinstance(p.owners, Unknown) else p.model_copy(update={"ownership_answers": made})
        for made in [tuple(map(OwnershipAnswer.model_validate, answers))]
        for p in request.parties
    ]
    request = request.model_copy(update={"parties": tuple(parties)})
    return explain_decision(request, _shipped(), reference(), as_of=datetime(2026, 7, 31, tzinfo=UTC))


def test_the_order_that_the_next_tests_change_is_allowed() -> None:
    """So that what they change is what is held."""
    assert _of_packs().decision.outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"locations": []}, "locations"),
        ({"locations": [{"region": UNKNOWN}]}, "locations[0]"),
        ({"locations": [{"region": "us-east-1"}, {"region": "moon-1"}]}, "locations[1]"),
        ({"items": UNKNOWN}, "items"),
        ({"items": [{**CHIP, "instance_type": UNKNOWN}]}, "items[0]"),
        ({"items": [{**CHIP, "instance_type": "p9.48xlarge"}]}, "items[0]"),
        ({"items": [{"kind": "model", "model": UNKNOWN}]}, "items[0].model"),
        ({"items": [{"kind": "model", "model": "mystery-9"}]}, "items[0].model"),
        *(
            ({"parties": [{**GOOD, fact: UNKNOWN}]}, f"parties[0].{fact}")
            for fact in ("country", "subdivision", "headquarters", "ultimate_parent", "owners", "listings")
        ),
    ],
)
def test_the_fact_that_holds_a_request_is_named_as_what_would_release_it(changes: dict[str, Any], path: str) -> None:
    """Whichever it is, one step over it leads to ALLOW: an unknown place, chip, model and party alike."""
    told = _of_packs(**changes)
    assert told.decision.outcome is Outcome.HOLD
    steps = [{step.path for step in change.steps} for change in told.changes if change.outcome is Outcome.ALLOW]
    assert any(path in each for each in steps), told.changes


def test_what_several_causes_need_together_is_told() -> None:
    """A licence lifts the denial and leaves the hold; evidence ends the hold and leaves the denial: both are named."""
    told = _of_packs(parties=[{**GOOD, "headquarters": "CN", "owners": UNKNOWN, "restricted_ownership": UNKNOWN}])
    assert told.decision.outcome is Outcome.DENY
    best = told.changes[0]
    assert (best.outcome, best.evasive) == (Outcome.ALLOW, False)
    assert {"authorizations", "parties[0].owners"} <= {step.path for step in best.steps}
    assert "and ask for" in best.how


@settings(max_examples=60, deadline=None)
@given(request=requests(), policies=policy_sets())
def test_accounts_agree_with_the_decision(request, policies):
    """Rules that match or are open in the accounts are those of the decision's reasons; every proposed change leads
    to a milder outcome; and the decision is the one that `decide` gives."""
    explanation = explain_decision(request, policies, reference(), as_of=AS_OF, for_author=True)
    decision = explanation.decision
    assert decision == decide(request, policies, reference(), as_of=AS_OF)
    told = {(a.rule, a.answer) for a in explanation.rules if a.answer in ("match", "indeterminate")}
    assert told == {(r.rule, r.result.value) for r in decision.reasons}
    assert {a.rule for a in explanation.rules} == {rule.id for rule in policies.rules}
    worse = [Outcome.ALLOW, Outcome.HOLD, Outcome.DENY]
    assert all(worse.index(c.outcome) < worse.index(decision.outcome) for c in explanation.changes)
    for account in explanation.rules:
        if account.answer == "no_match":
            assert all(c.clause for c in account.combinations)


def test_a_rule_that_matches_many_times_tells_a_dozen_and_how_many_more() -> None:
    """Whatever the order in which the request lists its parties."""
    parties = [{**PARTY, "name": f"Example {n:03}", "headquarters": "CN"} for n in range(100)]
    document = {"provider": "aws", "items": [CHIP], "locations": [{"region": "us-east-1"}]}
    decisions = [
        decide(
            ProvisioningRequest.model_validate({**document, "parties": order}), _policies(), reference(), as_of=AS_OF
        )
        for order in (parties, parties[::-1])
    ]
    assert decisions[0].reasons == decisions[1].reasons
    told = [reason for reason in decisions[0].reasons if reason.rule == "headquarters"]
    assert [reason.party for reason in told] == [f"Example {n:03} (end_user)" for n in range(12)]
    assert told[-1].message.endswith("(and 88 more)")
