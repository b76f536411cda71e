"""Assertions over `guard.check`. Each returns the decision, and tells the whole of it when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from exportguard.errors import ProvisioningDenied, ProvisioningHeld, ProvisioningRefused
from exportguard.vocabulary import Decision, Effect, Outcome, RuleResult

if TYPE_CHECKING:
    from exportguard.guard import Guard


def assert_allowed(
    guard: Guard, request: Any, *, as_of: datetime | None = None, customer: str | None = None
) -> Decision:
    """The request is allowed."""
    return _assert_outcome(guard, request, Outcome.ALLOW, as_of, customer)


def assert_denied(
    guard: Guard,
    request: Any,
    *,
    by: str | None = None,
    as_of: datetime | None = None,
    customer: str | None = None,
) -> Decision:
    """The request is denied, and the rule *by* (`rule` or `policy/rule`) is one that denies it."""
    decision = _assert_outcome(guard, request, Outcome.DENY, as_of, customer)
    denying = {(r.policy, r.rule) for r in decision.reasons if r.effect is Effect.DENY and r.result is RuleResult.MATCH}
    if by is not None and not _is_among(by, denying):
        raise AssertionError(f"expected a denial by `{by}`, but others deny it:\n{_told(decision)}")
    return decision


def assert_held(
    guard: Guard,
    request: Any,
    *,
    by: str | None = None,
    missing: str | None = None,
    as_of: datetime | None = None,
    customer: str | None = None,
) -> Decision:
    """The request is held: by the rule *by*, and for want of the fact *missing* (`party.headquarters`)."""
    decision = _assert_outcome(guard, request, Outcome.HOLD, as_of, customer)
    if by is not None and not _is_among(by, {(r.policy, r.rule) for r in decision.reasons}):
        raise AssertionError(f"expected `{by}` to hold it, but others do:\n{_told(decision)}")
    paths = {fact.path for fact in decision.unknown}
    if missing is not None and missing not in paths:
        named = ", ".join(sorted(paths)) or "none"
        raise AssertionError(f"expected `{missing}` among the missing facts; they are: {named}\n{_told(decision)}")
    return decision


@contextmanager
def refuses(
    outcome: str | Outcome | None = None, *, by: str | None = None, missing: str | None = None
) -> Iterator[list[Decision]]:
    """The live calls within are refused: with *outcome* (`DENY`, `HOLD`), by the rule *by*, for want of *missing*.

    Gives a list that holds the decision once the block has ended.
    """
    decisions: list[Decision] = []
    try:
        yield decisions
    except ProvisioningRefused as refusal:
        decision = refusal.decision
        decisions.append(decision)
        wanted = Outcome(outcome) if outcome is not None else None
        kinds = {Outcome.DENY: ProvisioningDenied, Outcome.HOLD: ProvisioningHeld}
        if wanted is not None and not isinstance(refusal, kinds.get(wanted, ())):
            raise AssertionError(f"expected {wanted}, got {decision.outcome}:\n{_told(decision)}") from refusal
        if by is not None and not _is_among(by, {(r.policy, r.rule) for r in decision.reasons}):
            raise AssertionError(f"expected a refusal by `{by}`, but others refuse it:\n{_told(decision)}") from refusal
        paths = {fact.path for fact in decision.unknown}
        if missing is not None and missing not in paths:
            named = ", ".join(sorted(paths)) or "none"
            raise AssertionError(
                f"expected `{missing}` among the missing facts; they are: {named}\n{_told(decision)}"
            ) from refusal
    else:
        raise AssertionError("expected a refusal, but every call within was let go")


def _is_among(name: str, rules: set[tuple[str, str]]) -> bool:
    return any(name in (rule, f"{policy}/{rule}") for policy, rule in rules)


def _assert_outcome(
    guard: Guard, request: Any, expected: Outcome, as_of: datetime | None, customer: str | None
) -> Decision:
    decision = guard.check(request, as_of=as_of, customer=customer)
    if decision.outcome is not expected:
        raise AssertionError(f"expected {expected}, got {decision.outcome}:\n{_told(decision)}")
    return decision


def _told(decision: Decision) -> str:
    lines = [f"  {r.effect} {r.policy}/{r.rule} ({r.result}): {r.message}" for r in decision.reasons]
    lines += [f"  missing {fact.path}: {fact.why}" for fact in decision.unknown]
    lines += [f"  lifted {one.rule} by {one.authorization}" for one in decision.lifted]
    if decision.not_applicable:
        lines.append(f"  not applicable: {decision.not_applicable}")
    return "\n".join(lines) or "  no rule objects"
