"""Calls of models by the thousand: the first of a kind in an hour is recorded before it leaves, the others are counted,
and their tokens are leased from the ledger in blocks.

*Of a kind*: the same request but for its tokens, decided to the same by the same policies and data. Every call is
still decided by itself, on the use that the ledger holds less what this process has leased and not used yet, so a
limit is reached exactly; a lease counts as used for everybody else until it is given back. A process that dies leaves
its leases reserved whole, to be reconciled, and its counts since the last flush untold.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import uuid
import weakref
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from exportguard import accounting, securing
from exportguard.deciding import decide_again
from exportguard.draft import Draft, State
from exportguard.errors import LedgerError, RecordError
from exportguard.forks import Lock
from exportguard.vocabulary import Action, CallResult, Decision, Unknown, UsageQuestion, UsageReading

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.record import DecisionLog

Invoke = Literal["each", "aggregate"]

logger = logging.getLogger("exportguard")

PERIOD: Final = timedelta(hours=1)
"""How long one durable record stands for the calls that follow it."""

BLOCK: Final = 100_000
"""Tokens leased at once; a call that asks for more leases what it asks for."""

FLUSH_AFTER: Final = 1000
"""Calls that are counted before the count is recorded."""

FLUSH_EVERY: Final = timedelta(minutes=1)
"""How long a call may be counted and not recorded while others of its kind follow."""


_APART: Final = Unknown("counted apart")


@dataclass(slots=True)
class Lease:
    """Tokens reserved under one key of the ledger, and how many of them calls have taken."""

    key: str
    draws: tuple[Any, ...]
    tokens: int
    taken: int = 0

    @property
    def left(self) -> int:
        return self.tokens - self.taken


@dataclass(slots=True)
class _Kind:
    first: str
    hour: datetime
    since: datetime
    last: datetime
    count: int = 0
    tokens: int = 0
    unknown: int = 0
    total: int = 0


@dataclass
class Meter:
    """One guard's counts and leases. Thread-safe; a forked child begins with none."""

    log: DecisionLog
    ledger: Ledger | None
    _kinds: dict[tuple[Any, ...], _Kind] = field(default_factory=dict)
    _leases: dict[tuple[str, ...], Lease] = field(default_factory=dict)
    _version: int = 0
    _lock: Any = field(default_factory=Lock)

    def __post_init__(self) -> None:
        _living[id(self)] = self

    def takes(self, draft: Draft, state: State) -> bool:
        """Whether *draft* may be counted: an allowed call of models that no authorization had to lift, and that says
        how many tokens it asks for where a rule counts them."""
        decision, request = draft.decision, draft.request
        if decision is None or not decision.allowed or decision.lifted or decision.not_applicable is not None:
            return False
        if request is None or request.action is not Action.INVOKE or isinstance(request.items, Unknown):
            return False
        added = self._draws(draft, state)
        return all(isinstance(draw.tokens, int) and not draw.accelerators and not draw.tpp for draw in added)

    def secure(self, draft: Draft, state: State) -> Decision:
        """Count *draft*, or record it durably where it is the first of its kind; the decision that then stands.

        Raises:
            RecordError, LedgerError: the call must not be made.
        """
        from exportguard.authority.ledger import UsageMovedError

        try:
            return self._secure(draft, state)
        except UsageMovedError:
            pass
        with self._lock:  # nothing of this process moves now; other processes may
            for _ in range(securing.ATTEMPTS):
                decided = decide_again(state, draft, self.ledger)
                draft.decision = decided.model_copy(update={"decision_id": draft.id})
                if not draft.decision.allowed or not self.takes(draft, state):
                    break
                with contextlib.suppress(UsageMovedError):
                    return self._secure(draft, state)
        if draft.decision is not None and draft.decision.allowed:
            return self.beside(draft, state)
        assert draft.decision is not None
        return draft.decision

    def beside(self, draft: Draft, state: State) -> Decision:
        """As `securing.secure`, for a call that is not counted here and was decided on use less what is leased: no
        counted call takes of a lease between that reading and its reservation, which the ledger would not notice."""
        if self.ledger is None or not draft.readings:
            return securing.secure(self.log, self.ledger, state, draft)
        with self._lock:
            if draft.meter_version != self._version:
                decided = decide_again(state, draft, self.ledger)
                draft.decision = decided.model_copy(update={"decision_id": draft.id})
                if not draft.decision.allowed:
                    return draft.decision
            return securing.secure(self.log, self.ledger, state, draft)

    def _secure(self, draft: Draft, state: State) -> Decision:
        assert draft.decision is not None
        assert draft.as_of is not None
        added = self._draws(draft, state)
        tokens = max((draw.tokens for draw in added), default=0)
        with self._lock:
            lease = self._take(draft, added, tokens)
            try:
                self._count(draft, state, tokens)
            except BaseException:
                if lease is not None:
                    lease.taken -= tokens
                raise
            draft.lease, draft.leased = lease, tokens
        draft.recorded = True
        return draft.decision

    def _draws(self, draft: Draft, state: State) -> tuple[Any, ...]:
        if self.ledger is None or draft.request is None or draft.decision is None:
            return ()
        questions = state.policies.usage_questions
        return accounting.draws(questions, draft.request, draft.customers, state.reference, draft.decision.as_of)

    # -- tokens -----------------------------------------------------------------------------------------------

    def _take(self, draft: Draft, added: tuple[Any, ...], tokens: int) -> Lease | None:
        from exportguard.authority.ledger import UsageMovedError

        if not added or not tokens or self.ledger is None:
            return None
        assert draft.as_of is not None
        if draft.meter_version != self._version:
            raise UsageMovedError("another call of this process took tokens since the use was read")
        scopes = tuple(sorted(f"{draw.by}:{draw.key}" for draw in added))
        hour = f"{draft.as_of.astimezone(UTC):%Y-%m-%dT%H}"
        lease = self._leases.get((hour, *scopes))
        if lease is None or lease.left < tokens:
            size = max(BLOCK, tokens)
            draws = tuple(draw._replace(tokens=size) for draw in added)
            made = Lease(f"lease-{uuid.uuid4().hex}", draws, size)
            try:
                self.ledger.reserve(made.key, draws, (), as_of=draft.as_of, conditional_on=draft.readings or None)
            except UsageMovedError:
                raise
            except BaseException:
                self._end(made, draft.as_of)  # its commit may have arrived although its answer did not
                raise
            over = [name for name in self._leases if name == (hour, *scopes) or name[0] != hour]
            ended = [self._leases.pop(name) for name in over]
            lease = self._leases[(hour, *scopes)] = made
            for each in ended:
                self._end(each, draft.as_of)
        lease.taken += tokens
        self._version += 1
        return lease

    def _end(self, lease: Lease, at: datetime) -> None:
        """Give back what of a lease was not used. What cannot be given back now stays reserved."""
        assert self.ledger is not None
        try:
            if lease.taken:
                used = [draw._replace(tokens=lease.taken) for draw in lease.draws]
                self.ledger.commit(lease.key, as_of=at, usage=used)
            else:
                self.ledger.release(lease.key, as_of=at, note="nothing of the lease was used")
        except LedgerError as error:
            logger.warning("a lease of tokens (%s) stays reserved; reconcile it: %s", lease.key, error)

    def unused(self, question: UsageQuestion, key: str, reading: UsageReading) -> UsageReading:
        """*reading* less what this process has leased and not used: no call has used it yet."""
        with self._lock:
            scope = f"{question.by}:{key}"
            left = sum(lease.left for name, lease in self._leases.items() if scope in name)
        tokens = reading.tokens if isinstance(reading.tokens, Unknown) else max(0, reading.tokens - left)
        return reading._replace(tokens=tokens)

    @property
    def version(self) -> int:
        return self._version

    # -- records ----------------------------------------------------------------------------------------------

    def _count(self, draft: Draft, state: State, tokens: int) -> None:
        assert draft.as_of is not None
        assert draft.decision is not None
        name = self._name(draft, state)
        hour = draft.as_of.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        kind = self._kinds.get(name)
        if kind is None or kind.hour != hour:
            if kind is not None:
                self._record(name, kind)
            securing.record(self.log, state, draft)
            self._kinds[name] = _Kind(draft.id, hour, draft.as_of, draft.as_of)
            for other in [other for other, each in self._kinds.items() if each.hour != hour]:
                self._record(other, self._kinds[other])
                del self._kinds[other]
            return
        asked = self._tokens(draft)
        kind.count, kind.last = kind.count + 1, draft.as_of
        kind.tokens += asked or 0
        kind.unknown += asked is None
        if kind.count >= FLUSH_AFTER or kind.last - kind.since >= FLUSH_EVERY:
            try:
                self._record(name, kind)
            except RecordError:
                kind.count -= 1
                kind.tokens -= asked or 0
                kind.unknown -= asked is None
                raise

    def _name(self, draft: Draft, state: State) -> tuple[Any, ...]:
        from exportguard.record import fingerprint

        assert draft.request is not None
        assert draft.decision is not None
        assert not isinstance(draft.request.items, Unknown)
        items = tuple(item.model_copy(update={"tokens": _APART}) for item in draft.request.items)
        plain = draft.request.model_copy(update={"items": items})
        told = (draft.decision.policy_digest, draft.decision.reference_digest, state.authorizations_digest)
        rules = tuple(sorted({(r.policy, r.rule, r.result.value) for r in draft.decision.reasons}))
        return (fingerprint(plain), draft.customers, *told, rules, draft.decision.advice, draft.decision.red_flags)

    @staticmethod
    def _tokens(draft: Draft) -> int | None:
        assert draft.request is not None
        total = 0
        assert not isinstance(draft.request.items, Unknown)
        for item in draft.request.items:
            if not isinstance(item.tokens, int):
                return None
            total += item.tokens
        return total

    def _record(self, name: tuple[Any, ...], kind: _Kind) -> None:
        """Record what was counted since the last time. Raises RecordError."""
        if not kind.count:
            return
        from exportguard.record.document import event_record

        content = {
            "first": kind.first, "fingerprint": name[0], "customers": list(name[1]), "policy_digest": name[2],
            "reference_digest": name[3], "outcome": "ALLOW", "calls": kind.count, "tokens": kind.tokens,
            "calls_without_tokens": kind.unknown, "since": kind.since.isoformat(), "last": kind.last.isoformat(),
        }  # fmt: skip
        self.log.append(event_record("aggregate", f"{kind.first}-{kind.total + kind.count}", kind.last, content))
        self._kinds[name] = replace(kind, since=kind.last, total=kind.total + kind.count, count=0, tokens=0, unknown=0)

    # -- ending -----------------------------------------------------------------------------------------------

    def settle(self, draft: Draft, result: CallResult) -> None:
        """What a call that surely failed had taken is there for the next one."""
        if result is not CallResult.FAILED or draft.lease is None:
            return
        with self._lock:
            if draft.lease in self._leases.values():
                draft.lease.taken -= draft.leased
                self._version += 1
        draft.lease = None

    def flush(self) -> None:
        """Record every count and give back every lease. Raises RecordError."""
        with self._lock:
            leases, self._leases = list(self._leases.values()), {}
            self._version += 1
            for lease in leases:
                self._end(lease, datetime.now(UTC))
            for name, kind in list(self._kinds.items()):
                self._record(name, kind)

    def forget(self) -> None:
        """In a forked child: the counts and leases are its parent's."""
        self._kinds, self._leases = {}, {}


_living: weakref.WeakValueDictionary[int, Meter] = weakref.WeakValueDictionary()


def _flush_all() -> None:
    for meter in list(_living.values()):
        try:
            meter.flush()
        except Exception as error:  # noqa: BLE001  (the interpreter ends; what was counted is told as far as it can be)
            logger.error("calls of models that were counted could not be recorded: %s", error)


def _forget_all() -> None:
    for meter in list(_living.values()):
        meter.forget()


atexit.register(_flush_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
