"""The rows of the ledger, inside a transaction: finding, counting, drawing, giving back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from exportguard.authority.approvals import Approval, read_approval
from exportguard.authority.ledger.model import (
    SCALES,
    Counted,
    KeyTakenError,
    LimitReachedError,
    Reservation,
    ReservationState,
    reading_of,
    scope_of,
    unscaled,
)
from exportguard.authority.ledger.periods import bucket_range, buckets_of
from exportguard.errors import InputError, LedgerError, NaiveInstantError
from exportguard.storage import Session
from exportguard.vocabulary import UsageQuestion, UsageReading
from exportguard.vocabulary.fact import Unknown

SELECT: Final = "SELECT key, state, made_at, expires_at, draws, note FROM ledger_reservation"
_ADD: Final = """
    INSERT INTO ledger_use (scope, bucket, tokens, accelerators, tpp, unknown_tokens, unknown_accelerators, unknown_tpp)
    VALUES {rows}
    ON CONFLICT (scope, bucket) DO UPDATE SET
        tokens = ledger_use.tokens + excluded.tokens,
        accelerators = ledger_use.accelerators + excluded.accelerators,
        tpp = ledger_use.tpp + excluded.tpp,
        unknown_tokens = ledger_use.unknown_tokens + excluded.unknown_tokens,
        unknown_accelerators = ledger_use.unknown_accelerators + excluded.unknown_accelerators,
        unknown_tpp = ledger_use.unknown_tpp + excluded.unknown_tpp
"""
_ROW: Final = "(:scope, :bucket{n}, :tokens, :accelerators, :tpp, :unknown_tokens, :unknown_accelerators, :unknown_tpp)"
_ADD_LEVEL: Final = _ADD.format(rows=_ROW.format(n=2))
_ADD_ALL: Final = _ADD.format(rows=", ".join(_ROW.format(n=n) for n in range(3)))
_MOVE: Final = """
    INSERT INTO ledger_scope (scope, version) VALUES (:scope, 1)
    ON CONFLICT (scope) DO UPDATE SET version = ledger_scope.version + 1
"""
_SUM: Final = """
    SELECT COALESCE(SUM(tokens), 0), COALESCE(SUM(accelerators), 0), COALESCE(SUM(tpp), 0),
        COALESCE(SUM(unknown_tokens), 0), COALESCE(SUM(unknown_accelerators), 0), COALESCE(SUM(unknown_tpp), 0)
    FROM ledger_use WHERE scope = :scope AND bucket >= :first AND bucket < :after
"""
_DRAW: Final = """
    UPDATE ledger_authorization SET drawn = drawn + :amount
    WHERE name = :name AND unit = :unit AND drawn <= :ceiling RETURNING drawn
"""
_BEGIN_DRAWING: Final = (
    "INSERT INTO ledger_authorization (name, unit, drawn) VALUES (:name, :unit, 0) ON CONFLICT DO NOTHING"
)
_MOST: Final = 2**62


def micros(at: datetime) -> int:
    if at.utcoffset() is None:
        raise NaiveInstantError("the instant of a reservation needs a timezone")
    return span(at - datetime(1970, 1, 1, tzinfo=UTC))


def span(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def instant(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


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
    rows = session.execute(f"{SELECT} WHERE key = :key", {"key": key})
    return reservation(rows[0]) if rows else None


def counted_under(session: Session, key: str) -> Counted:
    return Counted.from_text(session.execute(f"{SELECT} WHERE key = :key", {"key": key})[0][4])


def replay(session: Session, known: Reservation, counted: Counted) -> Reservation | LedgerError:
    asked = session.execute("SELECT asked FROM ledger_reservation WHERE key = :key", {"key": known.key})[0][0]
    if known.state is ReservationState.LOWERED or not Counted.from_text(asked).same_call(counted):
        return KeyTakenError(f"the key {known.key} was used for another call")
    return replace(known, replayed=True)


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


def count(session: Session, counted: Counted, at: datetime, sign: int, *, only_level: bool = False) -> None:
    buckets = buckets_of(at)
    for scope, amounts in counted.usage:
        values: dict[str, Any] = {"scope": scope}
        for unit, whole in zip(SCALES, amounts, strict=True):
            values[unit] = sign * (whole or 0)
            values[f"unknown_{unit}"] = sign * (whole is None)
        if not any(value for name, value in values.items() if name != "scope"):
            continue
        values["bucket0"], values["bucket1"], values["bucket2"] = buckets
        session.execute(_ADD_LEVEL if only_level else _ADD_ALL, values)
        session.execute(_MOVE, {"scope": scope})


def draw(session: Session, counted: Counted, limits: Mapping[tuple[str, str], float]) -> LedgerError | None:
    """Draw on the authorizations; without a limit where none is given, because what was used was used."""
    for name, unit, amount in counted.authorizations:
        limit = limits.get((name, unit))
        allowed = _MOST if limit is None else min(_MOST, int(limit * SCALES.get(unit, 10**6)))
        row = {"name": name, "unit": unit, "amount": amount, "ceiling": allowed - amount}
        if session.execute(_DRAW, row):
            continue
        # Nothing was updated: there is not that much left, or nothing was ever drawn.
        session.execute(_BEGIN_DRAWING, row)
        if not session.execute(_DRAW, row):
            return LimitReachedError(
                f"the authorization {name} has no {unscaled(amount, unit):g} {unit} left of {limit:g}", name
            )
    return None


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


def release(session: Session, known: Reservation, note: str) -> Reservation:
    counted = counted_under(session, known.key)
    count(session, counted, known.made_at, -1)
    give_back(session, counted)
    return settle(session, known.key, ReservationState.RELEASED, counted, note)


def settle(session: Session, key: str, state: ReservationState, counted: Counted, note: str) -> Reservation:
    session.execute(
        "UPDATE ledger_reservation SET state = :state, draws = :draws, note = :note WHERE key = :key",
        {"key": key, "state": state.value, "draws": counted.text(), "note": note},
    )
    found = find(session, key)
    assert found is not None
    return found
