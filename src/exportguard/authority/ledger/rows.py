"""The rows of the ledger, inside a transaction: finding, counting, drawing, giving back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from exportguard.authority.approvals import Approval, read_approval
from exportguard.authority.ledger.model import (
    SCALES,
    Counted,
    Reservation,
    ReservationState,
    reading_of,
    scope_of,
)
from exportguard.authority.ledger.periods import LEVEL, bucket_range, buckets_of
from exportguard.errors import InputError, NaiveInstantError
from exportguard.storage import Session
from exportguard.vocabulary import UsageQuestion, UsageReading
from exportguard.vocabulary.fact import Unknown

SELECT: Final = "SELECT key, state, made_at, expires_at, draws, note, asked FROM ledger_reservation"
_ADD: Final = """
    INSERT INTO ledger_use (scope, bucket, tokens, accelerators, tpp, unknown_tokens, unknown_accelerators, unknown_tpp)
    VALUES (:scope, :bucket, :tokens, :accelerators, :tpp, :unknown_tokens, :unknown_accelerators, :unknown_tpp)
    ON CONFLICT (scope, bucket) DO UPDATE SET
        tokens = ledger_use.tokens + excluded.tokens,
        accelerators = ledger_use.accelerators + excluded.accelerators,
        tpp = ledger_use.tpp + excluded.tpp,
        unknown_tokens = ledger_use.unknown_tokens + excluded.unknown_tokens,
        unknown_accelerators = ledger_use.unknown_accelerators + excluded.unknown_accelerators,
        unknown_tpp = ledger_use.unknown_tpp + excluded.unknown_tpp
"""
_COLUMNS: Final = (*SCALES, *(f"unknown_{unit}" for unit in SCALES))
_MOVE: Final = """
    INSERT INTO ledger_scope (scope, version) VALUES (:scope, :times)
    ON CONFLICT (scope) DO UPDATE SET version = ledger_scope.version + excluded.version
"""
_SUM: Final = """
    SELECT COALESCE(SUM(tokens), 0), COALESCE(SUM(accelerators), 0), COALESCE(SUM(tpp), 0),
        COALESCE(SUM(unknown_tokens), 0), COALESCE(SUM(unknown_accelerators), 0), COALESCE(SUM(unknown_tpp), 0)
    FROM ledger_use WHERE scope = :scope AND bucket >= :first AND bucket < :after
"""
_DRAW: Final = """
    INSERT INTO ledger_authorization (name, unit, drawn) VALUES (:name, :unit, :amount)
    ON CONFLICT (name, unit) DO UPDATE SET drawn = ledger_authorization.drawn + excluded.drawn
"""
MOST: Final = 2**62


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    if at.utcoffset() is None:
        raise NaiveInstantError("the instant of a reservation needs a timezone")
    return span(at - _EPOCH)


def span(length: timedelta) -> int:
    return (length.days * 86400 + length.seconds) * 10**6 + length.microseconds


def instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def reservation(row: Sequence[Any]) -> Reservation:
    usage, authorizations = Counted.from_text(row[4]).draws()
    return Reservation(
        str(row[0]),
        ReservationState(row[1]),
        instant(int(row[2])),
        instant(int(row[3])),
        usage,
        authorizations,
        row[5],
    )


def find(session: Session, key: str) -> Reservation | None:
    found = find_counted(session, key)
    return found[0] if found else None


def find_counted(session: Session, key: str) -> tuple[Reservation, Counted] | None:
    """The reservation under *key*, and what it draws as it is counted."""
    rows = session.execute(f"{SELECT} WHERE key = :key", {"key": key})
    return (reservation(rows[0]), Counted.from_text(rows[0][4])) if rows else None


def version_of(session: Session, scope: str) -> int:
    rows = session.execute("SELECT version FROM ledger_scope WHERE scope = :scope", {"scope": scope})
    return int(rows[0][0]) if rows else 0


def reading(session: Session, question: UsageQuestion, key: str, as_of: datetime) -> UsageReading:
    scope = scope_of(question.by, key)
    # The version first: a draw that lands in between makes the reservation conditional on a version that is gone.
    version = version_of(session, scope)
    try:
        first, after = bucket_range(question.period, as_of)
    except ValueError as error:
        unknown = Unknown(str(error))
        return UsageReading(unknown, unknown, unknown, version)
    row = [int(each) for each in session.execute(_SUM, {"scope": scope, "first": first, "after": after})[0]]
    return reading_of(row[:3], row[3:], version)


Use = dict[tuple[str, str], list[int]]
"""By scope and bucket: tokens, accelerators, TPP, and of how many each is not known."""


def count(session: Session, counted: Counted, at: datetime, sign: int, *, only_level: bool = False) -> None:
    use: Use = {}
    moved = Counter(add_up(use, counted, at, sign, only_level=only_level))
    write_use(session, use, moved)


def add_up(use: Use, counted: Counted, at: datetime, sign: int, *, only_level: bool = False) -> list[str]:
    """Add *counted* to *use*; the scopes that this moves."""
    buckets = (LEVEL,) if only_level else buckets_of(at)
    moved = []
    for scope, amounts in counted.usage:
        row = [sign * (whole or 0) for whole in amounts] + [sign * (whole is None) for whole in amounts]
        if not any(row):
            continue
        moved.append(scope)
        for bucket in buckets:
            before = use.get((scope, bucket))
            use[scope, bucket] = row if before is None else [a + b for a, b in zip(before, row, strict=True)]
    return moved


def write_use(session: Session, use: Use, moved: Mapping[str, int]) -> None:
    if not moved:
        return
    added = [
        {"scope": scope, "bucket": bucket, **dict(zip(_COLUMNS, row, strict=True))}
        for (scope, bucket), row in sorted(use.items())
    ]
    session.execute_each(_ADD, added)
    session.execute_each(_MOVE, [{"scope": scope, "times": times} for scope, times in sorted(moved.items())])


def draw(session: Session, counted: Counted) -> None:
    """Draw on the authorizations, whatever their limits: what was used was used."""
    drawn = [{"name": name, "unit": unit, "amount": amount} for name, unit, amount in counted.authorizations]
    if drawn:
        session.execute_each(_DRAW, drawn)


def give_back(session: Session, counted: Counted) -> None:
    for name, unit, amount in counted.authorizations:
        session.execute(
            "UPDATE ledger_authorization SET drawn = drawn - :amount WHERE name = :name AND unit = :unit",
            {"name": name, "unit": unit, "amount": amount},
        )


def drawn(session: Session, authorization: str, unit: str) -> int:
    """As it is counted."""
    sql = "SELECT drawn FROM ledger_authorization WHERE name = :name AND unit = :unit"
    found = session.execute(sql, {"name": authorization, "unit": unit})
    return int(found[0][0]) if found else 0


def approvals(session: Session, fingerprint: str | None) -> tuple[Approval, ...]:
    where = "" if fingerprint is None else "WHERE fingerprint = :fingerprint"
    sql = f"SELECT document FROM authority_approval {where} ORDER BY made_at, decision_id"
    found = []
    for (text,) in session.execute(sql, {} if fingerprint is None else {"fingerprint": fingerprint}):
        try:
            approval = read_approval(str(text))
        except InputError:
            continue
        if fingerprint in (None, approval.fingerprint):
            found.append(approval)
    return tuple(found)


def release(session: Session, known: Reservation, counted: Counted, note: str) -> Reservation:
    count(session, counted, known.made_at, -1)
    give_back(session, counted)
    return settle(session, known, ReservationState.RELEASED, counted, note)


def settle(session: Session, known: Reservation, state: ReservationState, counted: Counted, note: str) -> Reservation:
    session.execute(
        "UPDATE ledger_reservation SET state = :state, draws = :draws, note = :note WHERE key = :key",
        {"key": known.key, "state": state.value, "draws": counted.text(), "note": note},
    )
    usage, authorizations = counted.draws()
    return replace(known, state=state, usage=usage, authorizations=authorizations, note=note)
