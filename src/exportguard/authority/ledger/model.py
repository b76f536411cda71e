"""What is drawn, what is reserved, and what a ledger has to do."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, Protocol, runtime_checkable

from exportguard.authority.approvals import Approval
from exportguard.errors import LedgerError
from exportguard.vocabulary import Authorization, Decision, UsageQuestion, UsageReading
from exportguard.vocabulary.fact import Unknown

By = Literal["end_user", "customer", "account"]

Readings = Mapping[tuple[UsageQuestion, str], UsageReading]
"""By question and by the key that it was asked for (a customer tree, an account, an end user)."""

EXPIRY: Final = timedelta(days=7)
"""How long a reservation of unclear result is kept if nobody reconciles it."""

SCALES: Final[Mapping[str, int]] = {"tokens": 1, "accelerators": 10**6, "tpp": 10**3}
"""Amounts are counted as integers, so that a thousand small ones add up to exactly their sum."""

_LARGEST: Final = 9 * 10**15


class UsageMovedError(LedgerError):
    """What was read before deciding is not what the ledger holds now: read and decide again."""


class LimitReachedError(LedgerError):
    """The authorization has not that much left."""

    def __init__(self, message: str, authorization: str = "") -> None:
        super().__init__(message)
        self.authorization = authorization


class KeyTakenError(LedgerError):
    """The key was used for another call: nothing of it was touched."""


class UsageDraw(NamedTuple):
    """What a call adds to the use by one key. `Unknown` is counted as unknown, never as nothing.

    `accelerators` and `tpp` as in an item (`tpp` is the sum over all of its accelerators).
    """

    by: By
    key: str
    tokens: int | Unknown = 0
    accelerators: float | Unknown = 0
    tpp: float | Unknown = 0


class AuthorizationDraw(NamedTuple):
    """What a call draws on an authorization: refused when `limit` would be exceeded over all calls."""

    authorization: str
    unit: str
    amount: float
    limit: float


class ReservationState(StrEnum):
    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"
    LOWERED = "lowered"
    """Not a reservation but the note that a level fell."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """One call's draws. `replayed`: the key was known, nothing was counted again."""

    key: str
    state: ReservationState
    made_at: datetime
    expires_at: datetime
    usage: tuple[UsageDraw, ...]
    authorizations: tuple[AuthorizationDraw, ...]
    note: str = ""
    replayed: bool = False


@runtime_checkable
class Ledger(Protocol):
    """Counts use, and never grants more than a limit. Safe under threads, processes and forks.

    Every method raises LedgerError when the store cannot be used, and NaiveInstantError for an instant without a
    timezone. Instants are arguments: the ledger has no clock.
    """

    def read(self, questions: Iterable[tuple[UsageQuestion, str]], as_of: datetime) -> Readings:
        """What was used before this call, for each question and key. A period that cannot be read gives unknowns."""
        ...

    def reserve(
        self,
        key: str,
        usage: Sequence[UsageDraw],
        authorizations: Sequence[AuthorizationDraw] = (),
        *,
        as_of: datetime,
        conditional_on: Readings | None = None,
        expires_after: timedelta = EXPIRY,
        also: Callable[[Any], object] | None = None,
    ) -> Reservation:
        """Count *usage* and draw on *authorizations*, all of it or nothing, once for each *key*.

        Args:
            key: a nonce made once for a call and carried through its retries, or the provider's own client token
                scoped by account, region and operation. Never a digest of the parameters: forty equal orders are forty.
            conditional_on: what `read` returned before the decision.
            also: what else has to be done in the same transaction (a ledger with a `database` takes it).

        Raises:
            UsageMovedError: a reading has moved since.
            LimitReachedError: an authorization has not that much left.
            KeyTakenError: the key was used for another call.
            LedgerError: the store cannot be used.
        """
        ...

    def commit(
        self,
        key: str,
        *,
        as_of: datetime,
        usage: Sequence[UsageDraw] | None = None,
        authorizations: Sequence[AuthorizationDraw] | None = None,
    ) -> Reservation:
        """The call was carried out. *usage* and *authorizations*, where given, replace what was reserved."""
        ...

    def release(self, key: str, *, as_of: datetime, note: str = "") -> Reservation:
        """The call was surely not carried out: give everything back. Raises LedgerError for a committed one."""
        ...

    def lower(self, key: str, usage: Sequence[UsageDraw], *, as_of: datetime, note: str = "") -> None:
        """The level fell (instances ended), once for each *key*. What periods add up stays as it is."""
        ...

    def pending(self) -> tuple[Reservation, ...]:
        """Reservations whose result is not known yet, oldest first."""
        ...

    def expire(self, as_of: datetime) -> tuple[Reservation, ...]:
        """Release what has expired, and return it."""
        ...

    def get(self, key: str) -> Reservation | None:
        """The reservation under *key*, or None."""
        ...

    def add_approval(self, approval: Approval) -> None:
        """Keep an approval, durably. Raises LedgerError where its decision was approved before."""
        ...

    def approvals(self, fingerprint: str | None = None) -> tuple[Approval, ...]:
        """The approvals of the request with this fingerprint; of all requests, oldest first. One that cannot be read
        is left out: it lifts nothing."""
        ...

    def drawn(self, authorization: str, unit: str) -> float:
        """How much of an authorization is drawn."""
        ...

    def prove_writable(self) -> None: ...

    def close(self) -> None: ...


SINGLE_USE: Final = "uses"
"""The unit of an approval of one held request: it is good for one call."""


def authorization_draws(decision: Decision, authorizations: Iterable[Authorization]) -> tuple[AuthorizationDraw, ...]:
    """What *decision* draws on the authorizations that lifted its rules: each one once, however many rules it lifted.

    Raises:
        LedgerError: a quantity that is limited but not known, or an authorization that is not among *authorizations*.
    """
    known = {entry.id: entry for entry in authorizations}
    draws: dict[str, AuthorizationDraw] = {}
    for lifted in decision.lifted:
        entry = known.get(lifted.authorization)
        if entry is None:
            raise LedgerError(f"the authorization {lifted.authorization} lifted a rule and is not known any more")
        if entry.request_fingerprint is not None:
            draws[f"{entry.id} {SINGLE_USE}"] = AuthorizationDraw(entry.id, SINGLE_USE, 1, 1)
        if entry.quantity is None:
            continue
        if lifted.quantity is None:
            raise LedgerError(f"what the call draws on the authorization {entry.id} is not known")
        before = draws.get(entry.id)
        amount = max(lifted.quantity, before.amount if before else 0)
        draws[entry.id] = AuthorizationDraw(entry.id, entry.quantity.unit, amount, entry.quantity.limit)
    return tuple(draws.values())


def scaled(amount: float | Unknown, unit: str) -> int | None:
    """*amount* as the integer that is counted; None for an unknown one.

    Raises:
        LedgerError: negative, not finite, or too large to be counted.
    """
    if type(amount) is int and 0 <= amount <= 10**9:
        return amount * SCALES.get(unit, 10**6)
    if isinstance(amount, Unknown):
        return None
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount) or amount < 0:
        raise LedgerError(f"{amount!r} {unit} cannot be counted")
    scale = SCALES.get(unit, 10**6)
    # Up, never down: less than a millionth too much refuses a little early; too little would grant too much.
    # Rounding to nine places first takes back what binary fractions add (0.1 x 3).
    whole = amount * scale if isinstance(amount, int) else math.ceil(round(amount * scale, 3))
    if whole > _LARGEST:
        raise LedgerError(f"{amount} {unit} are too many to be counted")
    return whole


def unscaled(whole: int, unit: str) -> float:
    scale = SCALES.get(unit, 10**6)
    return whole // scale if whole % scale == 0 else whole / scale


_TIGHT: Final = json.JSONEncoder(separators=(",", ":"))


class Counted(NamedTuple):
    """Draws as they are counted, in the order in which rows are touched (the same for every writer)."""

    usage: tuple[tuple[str, tuple[int | None, int | None, int | None]], ...]
    """Scope (`end_user:KEY`), and tokens, accelerators, TPP."""
    authorizations: tuple[tuple[str, str, int], ...]

    @classmethod
    def of(cls, usage: Sequence[UsageDraw], authorizations: Sequence[AuthorizationDraw]) -> Counted:
        sums: dict[str, tuple[int | None, int | None, int | None]] = {}
        for draw in usage:
            one = (scaled(draw.tokens, "tokens"), scaled(draw.accelerators, "accelerators"), scaled(draw.tpp, "tpp"))
            scope = scope_of(draw.by, draw.key)
            before = sums.get(scope, (0, 0, 0))
            sums[scope] = (_add(before[0], one[0]), _add(before[1], one[1]), _add(before[2], one[2]))
        drawn: dict[tuple[str, str], int] = {}
        for entry in authorizations:
            amount = scaled(entry.amount, entry.unit)
            assert amount is not None
            name = (entry.authorization, entry.unit)
            drawn[name] = drawn.get(name, 0) + amount
        return cls(tuple(sorted(sums.items())), tuple((n, u, a) for (n, u), a in sorted(drawn.items())))

    def same_call(self, other: Counted) -> bool:
        """Whether these may be what one call asks for, made twice: the same use, and of no authorization another
        amount. (What lifts the call the second time may be another one, the first being used up by then.)"""
        drawn = {(name, unit): amount for name, unit, amount in self.authorizations}
        return self.usage == other.usage and all(
            drawn.get((name, unit), amount) == amount for name, unit, amount in other.authorizations
        )

    def text(self) -> str:
        return _TIGHT.encode([self.usage, self.authorizations])

    @classmethod
    def from_text(cls, text: str) -> Counted:
        usage, authorizations, *_ = json.loads(text)
        return cls(
            tuple((scope, (t, a, p)) for scope, (t, a, p) in usage),
            tuple((name, unit, amount) for name, unit, amount in authorizations),
        )

    def draws(self) -> tuple[tuple[UsageDraw, ...], tuple[AuthorizationDraw, ...]]:
        usage = []
        for scope, amounts in self.usage:
            by, _, key = scope.partition(":")
            shown: list[Any] = [
                Unknown("not said when it was reserved") if whole is None else unscaled(whole, unit)
                for whole, unit in zip(amounts, SCALES, strict=True)
            ]
            usage.append(UsageDraw(by, key, *shown))  # type: ignore[arg-type]
        return tuple(usage), tuple(AuthorizationDraw(n, u, unscaled(a, u), math.inf) for n, u, a in self.authorizations)


def asked_text(text: str, key: str, made: int, expires: int) -> str:
    """The *text* of a `Counted`, with a digest over it and the reservation's key and instants (microseconds)."""
    return f'{text[:-1]},"{_digest(key, made, expires, text)}"]'


def is_whole(asked: str, key: str, made: int, expires: int) -> bool:
    """Whether what `asked_text` gave is still about this key and these instants; also where an earlier version of
    exportguard wrote it, which gave no digest."""
    text, comma, digest = asked.rpartition(',"')
    if not comma or len(digest) != _DIGITS + 2 or not digest.endswith('"]'):
        return len(json.loads(asked)) == 2
    return digest[:-2] == _digest(key, made, expires, f"{text}]")


_DIGITS: Final = 16


def _digest(key: str, made: int, expires: int, text: str) -> str:
    said = f"{key}\n{made}\n{expires}\n{text}"
    return sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]


def reading_of(sums: Sequence[int], unknown: Sequence[int], version: int) -> UsageReading:
    """What a rule sees of *sums* (tokens, accelerators, TPP, as they are counted) and of how many are not known."""
    tokens, accelerators, tpp = (
        unscaled(max(0, whole), unit)
        if not lost
        else Unknown(f"{lost} earlier request{'s' if lost > 1 else ''} did not say how many {unit}")
        for whole, lost, unit in zip(sums, unknown, SCALES, strict=True)
    )
    return UsageReading(tokens if isinstance(tokens, Unknown) else int(tokens), accelerators, tpp, version)


def scope_of(by: str, key: str) -> str:
    """Under what use is kept. A name that is not Unicode (a lone surrogate) is kept by how that is written."""
    return f"{by}:{key if key.isascii() else key.encode('utf-8', 'backslashreplace').decode()}"


def _add(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b
