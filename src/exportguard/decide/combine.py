"""From rule results to an outcome. The one table, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from exportguard.vocabulary.decision import Effect, Outcome, RuleResult


def combine(results: Iterable[tuple[Effect, RuleResult, bool]]) -> Outcome:
    """Combine (effect, result, holds) of every rule, authorizations already applied.

    `holds` is false only for an indeterminate rule of `if_unknown: flag`. The order of *results* and repeats in
    it change nothing: the outcome is the worst that any of them asks for.
    """
    outcome = Outcome.ALLOW
    for effect, result, holds in results:
        if effect is Effect.FLAG or result is RuleResult.NO_MATCH:
            continue
        if result is RuleResult.MATCH and effect is Effect.DENY:
            return Outcome.DENY
        if result is RuleResult.MATCH or holds:
            outcome = Outcome.HOLD
    return outcome
