"""Documents that are built without checking are what checking would have made."""

from __future__ import annotations

from hypothesis import given, settings

from decide_strategies import AS_OF, policy_sets, reference, requests
from exportguard.decide import decide
from exportguard.vocabulary import Decision


@settings(max_examples=150, deadline=None)
@given(request=requests(), policies=policy_sets())
def test_a_decision_is_what_the_checked_constructor_makes(request, policies):
    """Every part of a decision is of its type, and it reads back from JSON as itself."""
    decision = decide(request, policies, reference(), as_of=AS_OF)
    checked = Decision.model_validate({name: getattr(decision, name) for name in Decision.model_fields})
    assert checked == decision
    assert list(vars(checked)) == list(vars(decision))
    for ours, theirs in zip(decision.reasons, checked.reasons, strict=True):
        assert type(ours).model_validate(ours.model_dump()) == theirs
    assert Decision.model_validate_json(decision.model_dump_json()) == decision
    assert decision.model_copy(update={"decision_id": "x"}).decision_id == "x"
