"""The laws of deciding, on random requests and rule sets."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

import decide_reference
from decide_strategies import AS_OF, policy_set, policy_sets, reference, requests, requests_with_hidden_facts, rule_pool
from exportguard.decide import decide
from exportguard.language import CompiledPolicySet
from exportguard.vocabulary import Decision, Effect, Outcome, ProvisioningRequest, RuleResult

_DENIES = [rule for rule in rule_pool() if rule.effect is Effect.DENY]
_WORSE = {Outcome.ALLOW: 0, Outcome.HOLD: 1, Outcome.DENY: 2}

settings.register_profile("laws", deadline=None, max_examples=200)
settings.load_profile("laws")


def _decide(request: ProvisioningRequest, policies: CompiledPolicySet) -> Decision:
    return decide(request, policies, reference(), as_of=AS_OF)


@settings(max_examples=400)
@given(both=requests_with_hidden_facts(), policies=policy_sets(max_size=25))
def test_deciding_is_the_plain_reading_of_the_design(both, policies):
    """Whatever is planned, indexed, generated or asked together: the outcome, and which rules match or are open."""
    for request in both:
        decision = _decide(request, policies)
        told = {(reason.rule, reason.result.value) for reason in decision.reasons}
        assert (decision.outcome, told) == decide_reference.outcome(request, policies, reference(), AS_OF)


@given(both=requests_with_hidden_facts(), policies=policy_sets())
def test_hiding_a_fact_never_unlocks_a_request(both, policies):
    """A request allowed with facts missing is allowed with them present."""
    request, blind = both
    assume(_decide(blind, policies).outcome is Outcome.ALLOW)
    assert _decide(request, policies).outcome is Outcome.ALLOW


@given(request=requests(), policies=policy_sets(), deny=st.sampled_from(_DENIES))
def test_adding_a_deny_never_undenies(request, policies, deny):
    """One rule more never makes an outcome milder, and a denial stays a denial."""
    more = policy_set((*policies.rules, deny))
    assert _WORSE[_decide(request, more).outcome] >= _WORSE[_decide(request, policies).outcome]


@given(request=requests(), policies=policy_sets(), data=st.data())
def test_order_and_duplicates_of_rules_change_nothing(request, policies, data):
    """The same decision, reasons included, whatever the order of rules, and with rules given twice."""
    shuffled = data.draw(st.permutations(policies.rules))
    again = policy_set((*shuffled, *shuffled[:2]))
    assert _decide(request, again) == _decide(request, policies)


@given(request=requests(), policies=policy_sets(), data=st.data())
def test_order_and_duplicates_of_items_parties_and_places_change_no_outcome(request, policies, data):
    """A request says the same in any order, and said twice."""
    changed = {}
    for name in ("items", "parties", "locations"):
        given_values = getattr(request, name)
        if isinstance(given_values, tuple):
            shuffled = data.draw(st.permutations(given_values))
            # Usage adds items up, so twice an item is more; none of these rules looks at usage.
            changed[name] = (*shuffled, *shuffled[:1])
    assert _decide(request.model_copy(update=changed), policies).outcome is _decide(request, policies).outcome


@given(request=requests(), policies=policy_sets(), suffix=st.sampled_from(["", "-renamed", "_2"]))
def test_renaming_rules_changes_nothing(request, policies, suffix):
    """A rule's name decides nothing."""
    renamed = policy_set(tuple(replace(rule, id=f"x{suffix}-{rule.id}", policy="other") for rule in policies.rules))
    assert _decide(request, renamed).outcome is _decide(request, policies).outcome


@given(request=requests(), policies=policy_sets())
def test_equal_arguments_give_equal_decisions(request, policies):
    """Deciding is pure: twice asked is twice the same."""
    assert _decide(request, policies) == _decide(request, policies)


@given(request=requests(), policies=policy_sets())
def test_every_refusal_says_why(request, policies):
    """HOLD and DENY carry a reason of their own kind; a hold for want of facts names the facts."""
    decision = _decide(request, policies)
    first = decision.reasons[0] if decision.reasons else None
    if decision.outcome is Outcome.DENY:
        assert first is not None
        assert (first.effect, first.result) == (Effect.DENY, RuleResult.MATCH)
    elif decision.outcome is Outcome.HOLD:
        assert first is not None
        assert first.effect in (Effect.DENY, Effect.HOLD)
        if first.result is RuleResult.INDETERMINATE:
            assert decision.unknown


def test_the_laws_above_are_about_something() -> None:
    """Every outcome is reached often, with rules asked; hidden facts change some answers and rules that match are
    there to be shuffled, renamed and doubled."""
    seen: dict[str, int] = {}

    @settings(max_examples=400, database=None, derandomize=True, deadline=None)
    @given(both=requests_with_hidden_facts(), policies=policy_sets())
    def look(both, policies):
        request, blind = both
        known, hidden = _decide(request, policies), _decide(blind, policies)
        names = [known.outcome.value, *(f"{r.effect}/{r.result}" for r in known.reasons)]
        names += ["allowed blind with rules asked"] * (hidden.allowed and hidden.not_applicable is None)
        names += ["changed by hiding"] * (known.outcome is not hidden.outcome)
        for name in names:
            seen[name] = seen.get(name, 0) + 1

    look()
    for name, least in {
        "ALLOW": 40, "HOLD": 40, "DENY": 20, "deny/match": 20, "hold/match": 10, "deny/indeterminate": 20,
        "allowed blind with rules asked": 10, "changed by hiding": 8,
    }.items():  # fmt: skip
        assert seen.get(name, 0) >= least, (name, seen)
