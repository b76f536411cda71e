"""The table of combining, exhaustively."""

from itertools import product

import pytest

from decide_strategies import AS_OF, reference
from exportguard.decide import combine, decide
from exportguard.language import PolicySource, load_policies
from exportguard.vocabulary import Effect, Outcome, ProvisioningRequest, RuleResult

CELLS = list(product(Effect, RuleResult, (True, False)))


def _one(effect: Effect, result: RuleResult, holds: bool) -> Outcome:
    """What one rule alone asks for, written out as in the design's table."""
    if effect is Effect.DENY and result is RuleResult.MATCH:
        return Outcome.DENY
    if effect is Effect.HOLD and result is RuleResult.MATCH:
        return Outcome.HOLD
    if effect in (Effect.DENY, Effect.HOLD) and result is RuleResult.INDETERMINATE and holds:
        return Outcome.HOLD
    return Outcome.ALLOW


WORSE = [Outcome.ALLOW, Outcome.HOLD, Outcome.DENY]


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_the_outcome_is_the_worst_that_any_rule_asks_for(size):
    """Every combination of up to three rule results, in every order."""
    seen = 0
    for rules in product(CELLS, repeat=size):
        expected = max((_one(*rule) for rule in rules), key=WORSE.index, default=Outcome.ALLOW)
        assert combine(rules) is expected, rules
        seen += 1
    assert seen == len(CELLS) ** size


def test_a_flag_adds_advice_and_a_red_flag_and_nothing_else():
    """It neither holds nor denies; what it says goes to whoever reads the record."""
    text = (
        "policy: p\nrules:\n  - id: many\n    effect: flag\n    when: item.count > 4.0\n"
        '    because: "{item.count} accelerators for {request.account}"\n'
    )
    policies = load_policies([PolicySource("p.yaml", text)], reference())
    document = {"items": [{"kind": "accelerator", "accelerator": "H100", "count": 8}], "account": "1" * 3}
    decision = decide(ProvisioningRequest.model_validate(document), policies, reference(), as_of=AS_OF)
    assert decision.outcome is Outcome.ALLOW
    assert decision.red_flags == ("many",)
    assert decision.advice == ("p/many: 8 accelerators for 111",)
    few = {**document, "items": [{"kind": "accelerator", "accelerator": "H100", "count": 2}]}
    quiet = decide(ProvisioningRequest.model_validate(few), policies, reference(), as_of=AS_OF)
    assert (quiet.outcome, quiet.red_flags, quiet.advice) == (Outcome.ALLOW, (), ())
