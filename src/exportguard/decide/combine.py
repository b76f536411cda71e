"""From rule results to an outcome. The one table, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from exportguard.vocabulary.decision import Effect, Outcome, RuleResult

# Said once: an enumeration's member is looked up anew, and slowly, each time its class is asked for it.
_DENY, _FLAG = Effect.DENY, Effect.FLAG
_MATCH, _NO_MATCH = RuleResult.MATCH, RuleResult.NO_MATCH


def combine(results: Iterable[tuple[Effect, RuleResult, bool]]) -> Outcome:
    """Combine (effect, result, holds) of every rule, authorizations already applied.

    `holds` is false only for an indeterminate rule of `if_unknown: flag`. The order of *results* and repeats in
    it change nothing: the outcome is the worst that any of them asks for.
    """
    outcome = Outcome.ALLOW
    for effect, result, holds in results:
        if effect is _FLAG or result is _NO_MATCH:
            continue
        if result is _MATCH and effect is _DENY:
            return Outcome.DENY
        if result is _MATCH or holds:
            outcome = Outcome.HOLD
    return outcome
