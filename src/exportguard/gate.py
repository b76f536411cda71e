"""The life of one call: judged, released, settled. The adapters' `Gate`, and the order of the steps."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from exportguard import judging, securing
from exportguard.draft import Draft, Mode, State
from exportguard.errors import ExportguardError, GuardError, NaiveInstantError
from exportguard.metering import Invoke, Meter
from exportguard.vocabulary import CallOrigin, CallResult, Decision, Judgement, NotApplicable, Observation

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.record import DecisionLog
    from exportguard.telemetry import Telemetry

logger = logging.getLogger("exportguard")


class CallGate:
    """facts -> parties -> usage -> decide -> reserve -> record -> the call -> settle.

    What fails before the call leaves refuses it; nothing raises once it has left. In `warn` and `audit` mode nothing
    refuses, failures included, and each is recorded or logged.
    """

    def __init__(
        self,
        state: State,
        *,
        log: DecisionLog | None,
        ledger: Ledger | None,
        mode: Mode = "enforce",
        clock: Callable[[], datetime] | None = None,
        invoke: Invoke = "each",
        telemetry: Telemetry | None = None,
    ) -> None:
        self._state = state
        self._log = log
        self._ledger = ledger
        self._mode: Mode = mode
        self._clock = clock or utc_now
        self._acting: ContextVar[tuple[str, ...]] = ContextVar("exportguard_acting_for", default=())
        self._telemetry = telemetry
        self._meter = Meter(log, ledger) if invoke == "aggregate" and log is not None else None

    def _instant(self, as_of: datetime | None = None) -> datetime:
        instant = as_of if as_of is not None else self._clock()
        if instant.tzinfo is not UTC and (instant.tzinfo is None or instant.utcoffset() is None):
            raise NaiveInstantError("the instant of a decision needs a timezone")
        return instant

    def judge(self, observe: Callable[[], Observation], origin: CallOrigin) -> Judgement:
        """See `exportguard.vocabulary.Gate.judge`."""
        if self._telemetry is None:
            return self._judge(observe, origin)
        with self._telemetry.stage("judge", {"exportguard.point": origin.point}) as told:
            judgement = self._judge(observe, origin)
            told.update(self._telemetry.decided(judgement.decision, origin.point, self._mode))
            return judgement

    def _judge(self, observe: Callable[[], Observation], origin: CallOrigin) -> Judgement:
        state = self._state
        draft = Draft(origin, self._mode, state)
        try:
            as_of = self._instant()
            observation = judging.observed(observe)
            if isinstance(observation, NotApplicable):
                decision = judging.decide_observation(state, observation, (), as_of, None)
                return Judgement(decision, None, draft)
            customers = self._acting.get()
            if origin.customer is not None:
                customers = (*customers, origin.customer)
            draft.meter = self._meter
            decision = judging.decide_observation(state, observation, customers, as_of, self._ledger, draft)
        except Exception as error:  # noqa: BLE001  (whatever it is, the call is held)
            told = judging.told(error)
            logger.error("%s; it is held\n%s", told, "".join(traceback.format_tb(error.__traceback__)))
            decision = judging.failed(state, error, told, utc_now())
        decision = decision.model_copy(update={"decision_id": draft.id})
        draft.decision = decision
        if decision.allowed:
            return Judgement(decision, None, draft)
        refusal = self._refuse(draft)
        return Judgement(draft.decision, refusal, draft)

    def _refuse(self, draft: Draft) -> Exception | None:
        """Record a refusal and give the exception to raise; None where this mode refuses nothing."""
        assert draft.decision is not None
        draft.decision = judging.presentable(draft.decision)
        refusal = judging.refusal(draft.decision)
        state = draft.state or self._state
        try:
            securing.record(self._log, state, draft)
        except Exception as error:  # noqa: BLE001  (the refusal itself is what has to be raised)
            if self._mode == "enforce":
                refusal.add_note(f"this refusal could not be recorded: {judging.said(error)}")
            else:
                logger.error("a decision could not be recorded: %s", judging.said(error))
        if self._mode == "enforce":
            return refusal
        level = logging.WARNING if self._mode == "warn" else logging.INFO
        logger.log(level, "would be refused (%s mode): %s", self._mode, refusal)
        draft.recorded = True
        self._count_anyway(draft)
        return None

    def release(self, judgement: Judgement) -> None:
        """See `exportguard.vocabulary.Gate.release`. Raises LedgerError, RecordError, GuardError: it must not leave."""
        draft = judgement.token
        if judgement.refusal is not None:
            raise judgement.refusal
        if not isinstance(draft, Draft) or draft.decision is None or draft.recorded:
            return
        if self._telemetry is None:
            self._release(judgement, draft)
            return
        with self._telemetry.stage("release", {"exportguard.point": draft.origin.point}):
            self._release(judgement, draft)

    def _release(self, judgement: Judgement, draft: Draft) -> None:
        state = draft.state or self._state
        try:
            if self._meter is not None:
                how = self._meter.secure if self._meter.takes(draft, state) else self._meter.beside
                draft.decision = how(draft, state)
            else:
                draft.decision = securing.secure(self._log, self._ledger, state, draft)
        except Exception as error:
            if self._telemetry is not None:
                self._telemetry.failed(error, draft.origin.point)
            if self._mode == "enforce":
                if isinstance(error, ExportguardError | MemoryError):
                    raise
                raise GuardError(f"the decision could not be secured: {judging.said(error)}") from error
            self._let_pass(draft, error)
        draft.secured = True
        if draft.over:  # by another thread: the caller has given the call up meanwhile
            self._end(draft, CallResult.FAILED, None)
        assert draft.decision is not None
        if not draft.decision.allowed:
            judgement.decision, judgement.refusal = draft.decision, self._refuse(draft)
            if judgement.refusal is not None:
                raise judgement.refusal

    def _let_pass(self, draft: Draft, error: Exception) -> None:
        """A call that goes out although it could not be secured (`warn`, `audit`): told, and recorded if it can be."""
        logger.error("a decision could not be secured (%s mode): %s", self._mode, judging.said(error))
        if not draft.recorded:
            try:
                securing.record(self._log, draft.state or self._state, draft)
            except Exception as again:  # noqa: BLE001  (nothing refuses in this mode)
                logger.error("a decision could not be recorded (%s mode): %s", self._mode, judging.said(again))
        self._count_anyway(draft)

    def _count_anyway(self, draft: Draft) -> None:
        try:
            securing.count_anyway(self._ledger, draft.state or self._state, draft)
        except Exception as error:  # noqa: BLE001  (nothing refuses in this mode)
            logger.error("the use of a call could not be counted (%s mode): %s", self._mode, judging.said(error))

    def settle(self, judgement: Judgement, result: CallResult, details: Mapping[str, Any] | None = None) -> None:
        """See `exportguard.vocabulary.Gate.settle`.

        *details* may hold `tokens`, what a call of a model turned out to use: it replaces what was reserved.
        """
        draft = judgement.token
        if not isinstance(draft, Draft):
            return
        draft.over = True
        if draft.secured or draft.reserved or draft.lease is not None:
            self._end(draft, result, (details or {}).get("tokens"))

    def _end(self, draft: Draft, result: CallResult, tokens: object) -> None:
        try:
            if draft.lease is not None and self._meter is not None:
                self._meter.settle(draft, result)
            else:
                securing.settle(self._ledger, draft, result, tokens if type(tokens) is int else None)
        except Exception:
            logger.exception("a reservation was kept: its result could not be noted")

    def flush(self) -> None:
        """Record what was only counted so far (`invoke="aggregate"`). Raises nothing: what cannot be is logged."""
        if self._meter is None:
            return
        try:
            self._meter.flush()
        except ExportguardError as error:
            logger.error("calls of models that were counted could not be recorded: %s", error)


def utc_now() -> datetime:
    return datetime.now(UTC)


__all__ = ["CallGate", "Decision", "utc_now"]
