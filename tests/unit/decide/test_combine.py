"""The table of combining, exhaustively."""

from itertools import product

import pytest

from exportguard.decide import combine
from exportguard.vocabulary import Effect, Outcome, RuleResult

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
