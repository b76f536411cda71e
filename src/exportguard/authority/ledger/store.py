"""The ledger over a database: conditional updates in short transactions, shared by threads that reserve at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from exportguard.authority.approvals import Approval
from exportguard.authority.ledger import rows
from exportguard.authority.ledger.model import (
    EXPIRY,
    AuthorizationDraw,
    Counted,
    Ledger,
    Readings,
    Reservation,
    ReservationState,
    UsageDraw,
    asked_text,
    unscaled,
)
from exportguard.authority.ledger.reserving import Reserving
from exportguard.authority.ledger.view import LedgerView
from exportguard.errors import ConfigurationError, LedgerError
from exportguard.storage import Database, Schema, Session, StorageError, is_like, open_database
from exportguard.vocabulary import UsageQuestion, UsageReading

R = TypeVar("R")

SCHEMA: Final = Schema(
    "ledger",
    1,
    (
        """CREATE TABLE ledger_reservation (
            key {text} NOT NULL PRIMARY KEY,
            state {text} NOT NULL,
            made_at {integer} NOT NULL,
            expires_at {integer} NOT NULL,
            asked {text} NOT NULL,
            draws {text} NOT NULL,
            note {text} NOT NULL
        )""",
        "CREATE INDEX ledger_pending ON ledger_reservation (expires_at) WHERE state = 'reserved'",
        # What was drawn in an hour, in a month, and in all. Amounts nobody knew are counted apart.
        """CREATE TABLE ledger_use (
            scope {text} NOT NULL,
            bucket {text} NOT NULL,
            tokens {integer} NOT NULL,
            accelerators {integer} NOT NULL,
            tpp {integer} NOT NULL,
            unknown_tokens {integer} NOT NULL,
            unknown_accelerators {integer} NOT NULL,
            unknown_tpp {integer} NOT NULL,
            PRIMARY KEY (scope, bucket)
        )""",
        "CREATE TABLE ledger_scope (scope {text} NOT NULL PRIMARY KEY, version {integer} NOT NULL)",
        """CREATE TABLE ledger_authorization (
            name {text} NOT NULL,
            unit {text} NOT NULL,
            drawn {integer} NOT NULL,
            PRIMARY KEY (name, unit)
        )""",
    ),
)


APPROVALS: Final = Schema(
    "approvals",
    1,
    (
        """CREATE TABLE authority_approval (
            decision_id {text} NOT NULL PRIMARY KEY,
            fingerprint {text} NOT NULL,
            made_at {integer} NOT NULL,
            document {text} NOT NULL
        )""",
        "CREATE INDEX authority_approval_of ON authority_approval (fingerprint)",
    ),
)


class SqlLedger:
    """A ledger in SQLite or PostgreSQL. Use `open_ledger`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.place = database.place
        self._guarded(lambda: database.ensure(SCHEMA, APPROVALS))

    @property
    def database(self) -> Database:
        return self._database

    def _guarded(self, action: Callable[[], R]) -> R:
        try:
            return action()
        except StorageError as error:
            raise LedgerError(f"the ledger cannot be used: {error}") from error

    def _write(self, work: Callable[[Session], R | LedgerError]) -> R:
        """A refusal is returned by *work* before it writes, not raised: that would undo what its batch did."""
        result = self._guarded(lambda: self._database.write(work))
        if isinstance(result, LedgerError):
            raise result
        return result

    def _query(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return self._guarded(lambda: self._database.read(lambda session: session.execute(sql, parameters)))

    def read(self, questions: Iterable[tuple[UsageQuestion, str]], as_of: datetime) -> Readings:
        asked = list(dict.fromkeys(questions))
        rows.micros(as_of)

        def work(session: Session) -> dict[tuple[UsageQuestion, str], UsageReading]:
            return {(question, key): rows.reading(session, question, key, as_of) for question, key in asked}

        return self._guarded(lambda: self._database.read(work)) if asked else {}

    def reserve(
        self,
        key: str,
        usage: Sequence[UsageDraw],
        authorizations: Sequence[AuthorizationDraw] = (),
        *,
        as_of: datetime,
        conditional_on: Readings | None = None,
        expires_after: timedelta = EXPIRY,
        also: Callable[[Session], object] | None = None,
    ) -> Reservation:
        return self._write(
            self.reserving(
                key, usage, authorizations, as_of=as_of, conditional_on=conditional_on, expires_after=expires_after,
                also=also,
            )
        )  # fmt: skip

    def exclusively(self, work: Callable[[LedgerView], R]) -> R:
        """Do *work* on the ledger while nobody else can change it. It may run more than once, and what it reserves is
        durable when this returns; keep it short, and let it use no other ledger, log or lock."""
        return self._guarded(lambda: self._database.write(lambda session: work(LedgerView(self.reserving, session))))

    def reserving(
        self,
        key: str,
        usage: Sequence[UsageDraw],
        authorizations: Sequence[AuthorizationDraw] = (),
        *,
        as_of: datetime,
        conditional_on: Readings | None = None,
        expires_after: timedelta = EXPIRY,
        also: Callable[[Session], object] | None = None,
    ) -> Callable[[Session], Reservation | LedgerError]:
        """What `reserve` does inside a transaction. A refusal is returned, and has changed nothing."""
        return Reserving(key, usage, authorizations, as_of, expires_after, conditional_on, also)

    def commit(
        self,
        key: str,
        *,
        as_of: datetime,
        usage: Sequence[UsageDraw] | None = None,
        authorizations: Sequence[AuthorizationDraw] | None = None,
    ) -> Reservation:
        rows.micros(as_of)

        def work(session: Session) -> Reservation | LedgerError:
            known, before = rows.find_counted(session, key) or (None, _NOTHING)
            if known is None or known.state is ReservationState.LOWERED:
                return LedgerError(f"nothing is reserved under the key {key}")
            if known.state is ReservationState.COMMITTED:
                return known
            actual = Counted(
                before.usage if usage is None else Counted.of(usage, ()).usage,
                before.authorizations if authorizations is None else Counted.of((), authorizations).authorizations,
            )
            # A call that turned out to be made after its reservation was given back is counted after all.
            if known.state is ReservationState.RESERVED and actual != before:
                rows.count(session, before, known.made_at, -1)
                rows.give_back(session, before)
            if known.state is ReservationState.RELEASED or actual != before:
                rows.count(session, actual, known.made_at, 1)
                rows.draw(session, actual)
            return rows.settle(session, known, ReservationState.COMMITTED, actual, "")

        return self._write(work)

    def release(self, key: str, *, as_of: datetime, note: str = "") -> Reservation:
        rows.micros(as_of)

        def work(session: Session) -> Reservation | LedgerError:
            known, counted = rows.find_counted(session, key) or (None, _NOTHING)
            if known is None or known.state is ReservationState.LOWERED:
                return LedgerError(f"nothing is reserved under the key {key}")
            if known.state is ReservationState.COMMITTED:
                return LedgerError(f"the call of the key {key} was carried out; its use stays counted")
            return known if known.state is ReservationState.RELEASED else rows.release(session, known, counted, note)

        return self._write(work)

    def lower(self, key: str, usage: Sequence[UsageDraw], *, as_of: datetime, note: str = "") -> None:
        counted = Counted.of(usage, ())
        at = rows.micros(as_of)
        asked = asked_text(counted.text(), key, at, at)

        def work(session: Session) -> LedgerError | None:
            known, before = rows.find_counted(session, key) or (None, _NOTHING)
            if known is not None:
                if known.state is ReservationState.LOWERED and before == counted:
                    return None
                return LedgerError(f"the key {key} was used for something else")
            rows.count(session, counted, as_of, -1, only_level=True)
            session.execute(
                """INSERT INTO ledger_reservation (key, state, made_at, expires_at, asked, draws, note)
                VALUES (:key, 'lowered', :at, :at, :asked, :draws, :note)""",
                {"key": key, "at": at, "asked": asked, "draws": counted.text(), "note": note},
            )
            return None

        self._write(work)

    def pending(self) -> tuple[Reservation, ...]:
        found = self._query(f"{rows.SELECT} WHERE state = 'reserved' ORDER BY made_at, key", {})
        return tuple(rows.reservation(row) for row in found)

    def expire(self, as_of: datetime) -> tuple[Reservation, ...]:
        now = rows.micros(as_of)

        def work(session: Session) -> tuple[Reservation, ...]:
            found = session.execute(
                f"{rows.SELECT} WHERE state = 'reserved' AND expires_at <= :now ORDER BY key", {"now": now}
            )
            return tuple(
                rows.release(session, rows.reservation(row), Counted.from_text(row[4]), "expired") for row in found
            )

        return self._write(work)

    def get(self, key: str) -> Reservation | None:
        """The reservation under *key*, or None."""
        found = self._query(f"{rows.SELECT} WHERE key = :key", {"key": key})
        return rows.reservation(found[0]) if found else None

    def add_approval(self, approval: Approval) -> None:
        row = {
            "decision_id": approval.decision_id,
            "fingerprint": approval.fingerprint,
            "made_at": rows.micros(approval.made_at),
            "document": json.dumps(approval.document(), ensure_ascii=False),
        }

        def work(session: Session) -> LedgerError | None:
            sql = "SELECT document FROM authority_approval WHERE decision_id = :id"
            known = session.execute(sql, {"id": approval.decision_id})
            if known:
                same = known[0][0] == row["document"]
                return None if same else LedgerError(f"decision {approval.decision_id} was approved before")
            session.execute(
                """INSERT INTO authority_approval (decision_id, fingerprint, made_at, document)
                VALUES (:decision_id, :fingerprint, :made_at, :document)""",
                row,
            )
            return None

        self._write(work)

    def approvals(self, fingerprint: str | None = None) -> tuple[Approval, ...]:
        return self._guarded(lambda: self._database.read(lambda session: rows.approvals(session, fingerprint)))

    def drawn(self, authorization: str, unit: str) -> float:
        whole = self._guarded(lambda: self._database.read(lambda session: rows.drawn(session, authorization, unit)))
        return unscaled(whole, unit)

    def verify(self) -> tuple[str, ...]:
        """What of the ledger is not what its reservations add up to, in words; nothing where all of it is."""
        from exportguard.authority.ledger.audit import problems

        return self._guarded(lambda: self._database.read(lambda session: tuple(problems(session))))

    def prove_writable(self) -> None:
        self._guarded(self._database.prove_writable)

    def close(self) -> None:
        self._database.close()


_NOTHING: Final = Counted((), ())


def open_ledger(target: str | os.PathLike[str] | Ledger, *, timeout: float = 10.0) -> Ledger:
    """The ledger at *target*: a path (SQLite; the decision log may be in the same file), a `postgresql://` URL, a
    `dynamodb://TABLE` one, or a ready one.

    Raises:
        LedgerError: it cannot be opened; the message names place and remedy.
        ConfigurationError: *target* is no place for a ledger, or an extra is missing.
    """
    if not isinstance(target, str | os.PathLike):
        if is_like(target, Ledger):
            return target
        raise ConfigurationError(
            f"a {type(target).__name__} is no ledger", remedy="Give a path, a database URL, or a Ledger."
        )
    if os.fspath(target).startswith("dynamodb://"):
        from exportguard.authority.ledger.dynamodb import open_dynamodb

        return open_dynamodb(os.fspath(target))
    try:
        database = open_database(target, timeout=timeout)
    except StorageError as error:
        raise LedgerError(f"the ledger cannot be opened: {error}") from error
    try:
        return SqlLedger(database)
    except BaseException:
        database.close()
        raise
