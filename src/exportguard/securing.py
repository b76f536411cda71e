"""What makes an ALLOW good before its call leaves: the quota reserved, the record durable, both or neither.

Where the log and the ledger share a store, both happen in one transaction. Where they do not, the reservation comes
first and is given back when the record fails.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from exportguard import accounting, judging
from exportguard.deciding import decide_again, usable
from exportguard.draft import Draft, State
from exportguard.errors import ExportguardError, LedgerError, RecordError
from exportguard.forks import Lock
from exportguard.vocabulary import CallResult, Decision, Effect, Outcome, Reason, RuleResult, Unknown

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.authority.ledger import LimitReachedError
    from exportguard.record import DecisionLog

logger = logging.getLogger("exportguard")

ATTEMPTS: Final = 3
"""How often a request is decided again because the use that was read had moved."""

_PAUSE_S: Final = 0.004


def secure(log: DecisionLog | None, ledger: Ledger | None, state: State, draft: Draft) -> Decision:
    """Reserve what the decision draws and record it; the decision that then stands.

    If the use that was read has moved, or an authorization is used up, it is decided again: where the ledger can be
    held still for that, there; else three times, and a request whose use then still moves is held. A decision that
    does not allow is returned unrecorded, with nothing reserved.

    Raises:
        RecordError, LedgerError: nothing is reserved and the call must not be made.
    """
    _enter(draft)
    try:
        return _secure_as_decided(log, ledger, state, draft)
    finally:
        if not draft.reserved:
            give_back(ledger, draft)


def _secure_as_decided(log: DecisionLog | None, ledger: Ledger | None, state: State, draft: Draft) -> Decision:
    assert draft.decision is not None
    if ledger is None:
        _secure(log, None, state, draft)
        return draft.decision
    from exportguard.authority.ledger import LimitReachedError, UsageMovedError

    moved = 0
    while True:
        assert draft.decision is not None
        try:
            _secure(log, ledger, state, draft)
        except UsageMovedError:
            moved += 1
            exclusively = getattr(ledger, "exclusively", None)
            if exclusively is not None:
                return _secure_held_still(log, ledger, exclusively, state, draft)
            if moved > ATTEMPTS:
                draft.decision = _moving(draft.decision)
                return draft.decision
            time.sleep(_PAUSE_S * random.random() * moved)
        except LimitReachedError as error:
            if not _exhaust(draft, error):
                raise
        else:
            return draft.decision
        if not _again(state, draft, ledger).allowed:
            return draft.decision


def _again(state: State, draft: Draft, ledger: Any) -> Decision:
    decided = decide_again(state, draft, ledger)
    draft.decision = decided.model_copy(update={"decision_id": draft.id})
    return draft.decision


def _exhaust(draft: Draft, error: LimitReachedError) -> bool:
    """Note what is used up; False where that is nothing new, and deciding again would go round for ever."""
    assert draft.decision is not None
    drawn = {lifted.authorization for lifted in draft.decision.lifted}
    before = draft.exhausted
    draft.exhausted |= {error.authorization} & drawn or drawn
    return draft.exhausted != before


def _secure_held_still(
    log: DecisionLog | None, ledger: Any, exclusively: Callable[[Any], Any], state: State, draft: Draft
) -> Decision:
    """Decide again, reserve and record while nothing of the ledger can move."""
    from exportguard.authority.ledger import LimitReachedError

    draft.meter = None  # its lock must not be waited for in here
    joint = log is not None and ledger.database is getattr(log, "database", None)
    exhausted, content = draft.exhausted, None

    def work(view: Any) -> Any:
        nonlocal content
        draft.exhausted = exhausted
        while _again(state, draft, view).allowed:
            assert draft.decision is not None
            added, drawn = (
                _usage_draws(state, draft, draft.decision),
                _authorization_draws(state, draft, draft.decision),
            )
            content = _content(log, state, draft, kept=True)
            also = log.appending(content) if joint and content is not None else None  # type: ignore[union-attr]
            try:
                return view.reserve(draft.key, added, drawn, as_of=draft.decision.as_of, also=also)
            except LimitReachedError as error:
                if not _exhaust(draft, error):
                    raise
        return None

    try:
        made = exclusively(work)
        assert draft.decision is not None
        if made is None:
            return draft.decision
        draft.replayed, draft.reserved = made.replayed, True
        if not joint and log is not None and content is not None:
            _append(log, content)
        draft.recorded = log is not None
    except BaseException as error:
        if not _is_refusal(error):
            _give_back_unsure(ledger, draft, error)
        if joint and isinstance(error, LedgerError) and not _is_refusal(error):
            raise RecordError(str(error)) from error
        _raise_as(LedgerError, error)
        raise
    return draft.decision


def _secure(log: DecisionLog | None, ledger: Ledger | None, state: State, draft: Draft) -> None:
    decision = draft.decision
    assert decision is not None
    drawn = _authorization_draws(state, draft, decision)
    if ledger is None:
        if drawn:
            raise LedgerError("what lifted a rule is counted, and there is no ledger to draw on it")
        record(log, state, draft)
        return
    added = _usage_draws(state, draft, decision)
    if not drawn and not added:
        record(log, state, draft)
        return
    content = _content(log, state, draft)
    shared = getattr(ledger, "database", None)
    try:
        if log is not None and shared is not None and shared is getattr(log, "database", None):
            also = log.appending(content) if content is not None else None  # type: ignore[attr-defined]
            made = ledger.reserve(
                draft.key, added, drawn, as_of=decision.as_of, conditional_on=draft.readings or None, also=also
            )
            draft.replayed, draft.reserved, draft.recorded = made.replayed, True, True
            return
        made = ledger.reserve(draft.key, added, drawn, as_of=decision.as_of, conditional_on=draft.readings or None)
        draft.replayed, draft.reserved = made.replayed, True
        if log is not None and content is not None:
            _append(log, content)
            draft.recorded = True
    except BaseException as error:
        if not _is_refusal(error):
            _give_back_unsure(ledger, draft, error)
        joint = shared is not None and shared is getattr(log, "database", None)
        if joint and isinstance(error, LedgerError) and not _is_refusal(error):
            raise RecordError(str(error)) from error
        _raise_as(LedgerError, error)
        raise


def _is_refusal(error: BaseException) -> bool:
    from exportguard.authority.ledger import KeyTakenError, LimitReachedError, UsageMovedError

    return isinstance(error, LimitReachedError | UsageMovedError | KeyTakenError)


def _authorization_draws(state: State, draft: Draft, decision: Decision) -> tuple[Any, ...]:
    if not decision.lifted:
        return ()
    from exportguard.authority.ledger import authorization_draws

    return authorization_draws(decision, usable(state, draft))


def _usage_draws(state: State, draft: Draft, decision: Decision) -> tuple[Any, ...]:
    if draft.request is None or decision.not_applicable is not None:
        return ()
    questions = state.policies.usage_questions
    return accounting.draws(questions, draft.request, draft.customers, state.reference, decision.as_of)


def record(log: DecisionLog | None, state: State, draft: Draft) -> None:
    """Make the decision of *draft* durable. Raises RecordError."""
    content = _content(log, state, draft)
    if log is not None and content is not None:
        _append(log, content)
        draft.recorded = True


def _append(log: DecisionLog, content: dict[str, Any]) -> None:
    try:
        log.append(content)
    except Exception as error:
        _raise_as(RecordError, error)
        raise


def _raise_as(kind: type[ExportguardError], error: BaseException) -> None:
    """A store of the user's own may raise anything, an SDK's error that is then tried again or passed over, too."""
    if isinstance(error, Exception) and not isinstance(error, ExportguardError | MemoryError):
        raise kind(f"the decision could not be secured: {judging.said(error)}") from error


def _content(log: DecisionLog | None, state: State, draft: Draft, *, kept: bool = False) -> dict[str, Any] | None:
    """The record of *draft*, after what it refers to by digest has been kept (unless it is). Raises RecordError."""
    if log is None or draft.decision is None:
        return None
    from exportguard._version import __version__
    from exportguard.keeping import keep
    from exportguard.record import decision_record

    if not kept:
        try:
            keep(log, state, draft.sources)
        except Exception as error:
            _raise_as(RecordError, error)
            raise
    return decision_record(
        draft.decision,
        point=draft.origin.point,
        mode=draft.mode,
        library_version=__version__,
        request_fingerprint=draft.fingerprint,
        customers=draft.customers,
        observed=draft.observed,
        sources=draft.sources,
        authorizations=draft.approvals,
        authorizations_digest=state.authorizations_digest,
        exhausted=draft.exhausted,
        usage=draft.usage,
        sdk_version=draft.origin.sdk_version,
        idempotency_key=draft.key,
    )


def _moving(decision: Decision) -> Decision:
    reason = Reason(
        policy="exportguard",
        rule="use-kept-moving",
        effect=Effect.HOLD,
        result=RuleResult.MATCH,
        basis="company_policy",
        message="the use that a rule counts kept moving while this request was decided",
        remedy="Try again.",
    )
    return decision.model_copy(update={"outcome": Outcome.HOLD, "reasons": (reason,), "lifted": ()})


def count_anyway(ledger: Ledger | None, state: State, draft: Draft) -> None:
    """Count the use of a call that goes out although it was refused (`warn`, `audit`). Raises LedgerError."""
    if ledger is None or draft.decision is None or draft.reserved:
        return
    added: Sequence[Any] = _usage_draws(state, draft, draft.decision)
    if added:
        _enter(draft)
        draft.replayed = ledger.reserve(draft.key, added, (), as_of=draft.decision.as_of).replayed
        draft.reserved = True


_NOT_MADE: Final = frozenset({"locked", "readonly", "cannot-create"})
"""Failures of a store in which nothing of a transaction can have arrived."""


def _give_back_unsure(ledger: Ledger, draft: Draft, error: BaseException) -> None:
    """As `give_back`, also when the reservation itself failed: its commit may have arrived although its answer did not.

    Not under a client token, though: what is there may be of an earlier call, which may have been carried out. And not
    where it cannot have arrived: to ask a store that is locked would only take as long again.
    """
    arrived = getattr(error.__cause__, "kind", None) not in _NOT_MADE
    draft.reserved = draft.reserved or (draft.token is None and arrived)
    give_back(ledger, draft)


def give_back(ledger: Ledger | None, draft: Draft) -> None:
    """Release a reservation of a call that will not be made. Raises nothing: what stays is reconciled later."""
    mine = _leave(draft, failed=True)
    draft.reserved = False
    if ledger is None or not mine or draft.as_of is None:
        return
    try:
        ledger.release(draft.key, as_of=draft.as_of, note="the call was not made")
    except Exception as error:  # noqa: BLE001  (what refused the call is what has to be raised)
        told = judging.said(error)
        logger.warning("a refused call may have left a reservation (%s); reconcile it: %s", draft.key, told)


class _Sharing:
    """The calls of this process that are under way with one client token: the last one of them to fail gives back what
    one of them reserved, unless another succeeded, or may have."""

    __slots__ = ("calls", "kept", "made")

    def __init__(self) -> None:
        self.calls, self.made, self.kept = 0, False, False


_sharing: dict[str, _Sharing] = {}
_sharing_lock = Lock()


def _enter(draft: Draft) -> None:
    """Before it reserves, so that no other gives back in between what it finds reserved."""
    if draft.token is not None and not draft.sharing:
        with _sharing_lock:
            _sharing.setdefault(draft.token, _Sharing()).calls += 1
            draft.sharing = True


def _leave(draft: Draft, *, failed: bool) -> bool:
    """Whether the reservation is to be given back by *draft*, which is over."""
    made = draft.reserved and not draft.replayed
    if draft.token is None or not draft.sharing:
        return failed and made
    with _sharing_lock:
        draft.sharing = False
        sharing = _sharing[draft.token]
        sharing.calls -= 1
        sharing.made = sharing.made or made
        sharing.kept = sharing.kept or not failed
        if sharing.calls:
            return False
        del _sharing[draft.token]
        return sharing.made and not sharing.kept


def _at_least(stated: int | Unknown, used: int) -> int:
    return used if isinstance(stated, Unknown) else max(stated, used)


def _keep(ledger: Ledger, draft: Draft) -> None:
    """Another process may have given back meanwhile what it shared with this call by their client token."""
    made = ledger.get(draft.key)
    if made is not None and made.state.value == "released" and draft.as_of is not None:
        ledger.reserve(draft.key, made.usage, made.authorizations, as_of=draft.as_of)


def settle(ledger: Ledger | None, draft: Draft, result: CallResult, tokens: int | None = None) -> None:
    """Commit on success, release on a definite failure; what is unclear stays reserved until it is reconciled.

    *tokens*: what the call turned out to use, where its answer says so, in place of what was reserved.
    """
    if ledger is None or not draft.reserved or draft.as_of is None:
        return
    mine = _leave(draft, failed=result is CallResult.FAILED)
    if result is CallResult.UNCLEAR:
        if draft.token is not None:
            _keep(ledger, draft)
        return
    if result is CallResult.SUCCEEDED:
        usage = None
        if tokens is not None and tokens >= 0 and not draft.replayed:
            made = ledger.get(draft.key)
            # An amount that nobody knew beforehand becomes known. One that was stated, or estimated, is only raised, so
            # that no call can talk down what it was allowed for.
            raised = [draw._replace(tokens=_at_least(draw.tokens, tokens)) for draw in made.usage] if made else []
            usage = raised if made is not None and tuple(raised) != tuple(made.usage) else None
        ledger.commit(draft.key, as_of=draft.as_of, usage=usage)
    elif mine:
        ledger.release(draft.key, as_of=draft.as_of, note="the call failed")
    draft.reserved = False
