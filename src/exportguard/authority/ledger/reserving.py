"""Making reservations inside a transaction: those of threads that reserve at once are made together.

Whoever writes to the store has it for itself meanwhile (`BEGIN IMMEDIATE`, or PostgreSQL's advisory lock). So what the
reservations of one commit depend on is read once, they are granted one after another in memory, and what they change
is written once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from exportguard.authority.ledger import rows
from exportguard.authority.ledger.model import (
    SCALES,
    AuthorizationDraw,
    Counted,
    KeyTakenError,
    LimitReachedError,
    Readings,
    Reservation,
    ReservationState,
    UsageDraw,
    UsageMovedError,
    asked_text,
    scope_of,
    unscaled,
)
from exportguard.errors import LedgerError
from exportguard.storage import Session, do_all

_KNOWN: Final = f"{rows.SELECT} WHERE key IN ({{names}})"
_VERSIONS: Final = "SELECT scope, version FROM ledger_scope WHERE scope IN ({names})"
_DRAWN: Final = "SELECT name, unit, drawn FROM ledger_authorization WHERE name IN ({names})"
_MADE: Final = """
    INSERT INTO ledger_reservation (key, state, made_at, expires_at, asked, draws, note)
    VALUES (:key, 'reserved', :made, :expires, :asked, :draws, '')
"""
_AGAIN: Final = """
    UPDATE ledger_reservation SET state = 'reserved', made_at = :made, expires_at = :expires, asked = :asked,
        draws = :draws, note = '' WHERE key = :key AND state = 'released'
"""
_DRAW: Final = """
    INSERT INTO ledger_authorization (name, unit, drawn) VALUES (:name, :unit, :drawn)
    ON CONFLICT (name, unit) DO UPDATE SET drawn = excluded.drawn
    WHERE ledger_authorization.drawn = :before RETURNING drawn
"""


class Reserving:
    """One reservation on its way. A refusal is returned, and has changed nothing."""

    __slots__ = (
        "also", "as_of", "authorizations", "conditions", "counted", "expires_after", "key", "limits", "row", "usage",
    )  # fmt: skip

    def __init__(
        self,
        key: str,
        usage: Sequence[UsageDraw],
        authorizations: Sequence[AuthorizationDraw],
        as_of: datetime,
        expires_after: timedelta,
        conditional_on: Readings | None,
        also: Callable[[Session], object] | None,
    ) -> None:
        if not key:
            raise LedgerError("a reservation needs a key")
        self.key, self.as_of, self.expires_after, self.also = key, as_of, expires_after, also
        self.usage, self.authorizations = tuple(usage), tuple(authorizations)
        self.counted = Counted.of(usage, authorizations)
        self.limits = {(entry.authorization, entry.unit): entry.limit for entry in authorizations}
        self.conditions = {scope_of(q.by, k): reading.version for (q, k), reading in (conditional_on or {}).items()}
        made = rows.micros(as_of)
        expires = made + rows.span(expires_after)
        draws = self.counted.text()
        asked = asked_text(draws, key, made, expires)
        self.row = {"key": key, "made": made, "expires": expires, "asked": asked, "draws": draws}

    def __call__(self, session: Session) -> Reservation | LedgerError:
        return _reserve(session, (self,))[0]

    @staticmethod
    def together(session: Session, works: Sequence[Reserving]) -> list[Reservation | LedgerError]:
        return _reserve(session, works)


def _reserve(session: Session, works: Sequence[Reserving]) -> list[Reservation | LedgerError]:
    book = _Book(session, works)
    results = [book.grant(work) for work in works]
    book.write()
    do_all(session, book.also)
    return results


class _Book:
    """What the reservations of one commit have to know, as they change it one after another."""

    def __init__(self, session: Session, works: Sequence[Reserving]) -> None:
        self._session = session
        found = _among(session, _KNOWN, [work.key for work in works])
        self._known = {str(row[0]): row for row in found}
        scopes = {scope for work in works for scope in work.conditions}
        self._versions = {str(scope): int(version) for scope, version in _among(session, _VERSIONS, scopes)}
        names = {name for work in works for name, _, _ in work.counted.authorizations}
        self._before = {(str(n), str(u)): int(drawn) for n, u, drawn in _among(session, _DRAWN, names)}
        self._drawn = dict(self._before)
        self._made: dict[str, tuple[Reservation, Counted]] = {}
        self._new: list[dict[str, Any]] = []
        self._again: list[dict[str, Any]] = []
        self._moved: Counter[str] = Counter()
        self._use: dict[tuple[str, str], list[int]] = {}
        self.also: list[Callable[[Session], object]] = []

    def grant(self, work: Reserving) -> Reservation | LedgerError:
        earlier = self._earlier(work)
        if earlier is not None:
            if isinstance(earlier, Reservation) and work.also is not None:
                self.also.append(work.also)
            return earlier
        for scope, version in work.conditions.items():
            if self._versions.get(scope, 0) != version:
                return UsageMovedError(f"the use by {scope} has moved since it was read")
        refusal = self._draw(work.counted, work.limits)
        if refusal is not None:
            return refusal
        for scope in rows.add_up(self._use, work.counted, work.as_of, 1):
            self._moved[scope] += 1
            self._versions[scope] = self._versions.get(scope, 0) + 1
        (self._again if work.key in self._known else self._new).append(work.row)
        if work.also is not None:
            self.also.append(work.also)
        made = Reservation(
            work.key,
            ReservationState.RESERVED,
            work.as_of,
            work.as_of + work.expires_after,
            work.usage,
            work.authorizations,
        )
        self._made[work.key] = (made, work.counted)
        return made

    def _earlier(self, work: Reserving) -> Reservation | LedgerError | None:
        """The reservation that is there under the key already, where it is this call's; None where there is none."""
        made = self._made.get(work.key)
        if made is not None:
            reservation, asked = made
        else:
            row = self._known.get(work.key)
            if row is None or row[1] == ReservationState.RELEASED:
                return None
            reservation, asked = rows.reservation(row), Counted.from_text(row[6])
        if reservation.state is ReservationState.LOWERED or not asked.same_call(work.counted):
            return KeyTakenError(f"the key {work.key} was used for another call")
        return replace(reservation, replayed=True)

    def _draw(self, counted: Counted, limits: Mapping[tuple[str, str], float]) -> LedgerError | None:
        """Draw on all of the authorizations or on none."""
        after = {}
        for name, unit, amount in counted.authorizations:
            limit = limits[name, unit]
            after[name, unit] = self._drawn.get((name, unit), 0) + amount
            if after[name, unit] > min(rows.MOST, limit * SCALES.get(unit, 10**6)):
                left = f"{unscaled(amount, unit):g} {unit} left of {limit:g}"
                return LimitReachedError(f"the authorization {name} has no {left}", name)
        self._drawn |= after
        return None

    def write(self) -> None:
        for (name, unit), drawn in self._drawn.items():
            before = self._before.get((name, unit), 0)
            row = {"name": name, "unit": unit, "drawn": drawn, "before": before}
            if drawn != before and not self._session.execute(_DRAW, row):
                raise LedgerError(f"what is drawn of {name} was changed by somebody who did not wait for the ledger")
        rows.write_use(self._session, self._use, self._moved)
        if self._new:
            self._session.execute_each(_MADE, self._new)
        if self._again:
            self._session.execute_each(_AGAIN, self._again)


def _among(session: Session, sql: str, names: Iterable[str]) -> list[tuple[Any, ...]]:
    asked = {f"n{at}": name for at, name in enumerate(names)}
    return session.execute(_with_names(sql, len(asked)), asked) if asked else []


@cache
def _with_names(sql: str, count: int) -> str:
    return sql.format(names=", ".join(f":n{at}" for at in range(count)))
