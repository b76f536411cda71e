"""How long records are kept: minimums, legal holds, and erasing what is past them without breaking the tree.

Five years is the least that 15 CFR 762.6 asks for, ten what 31 CFR 501.601 asks for since 2025-03-12. An erased record
leaves its place, its leaf hash and its decision's id; the erasure itself is a record of the log, so that a text that
somebody merely emptied is told from one that was let go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from exportguard.errors import InputError, NaiveInstantError, RecordError
from exportguard.record.document import event_record, is_decision
from exportguard.storage import Schema, Session

if TYPE_CHECKING:
    from exportguard.record.log import SqlLog, StoredRecord

EAR_YEARS: Final = 5
OFAC_YEARS: Final = 10

ERASURE_ID: Final = "erasure-"
"""What the ids of records of erasures begin with: see `event_record`."""

HOLDS: Final = Schema(
    "decision_log_hold",
    1,
    ("CREATE TABLE log_hold (name {text} NOT NULL PRIMARY KEY, document {text} NOT NULL)",),
)


@dataclass(frozen=True, slots=True)
class LegalHold:
    """What may not be erased, whatever its age: the records of a customer, single decisions, or (neither) all."""

    name: str
    reason: str
    by: str
    customer: str | None = None
    decisions: tuple[str, ...] = ()

    def covers(self, record: Mapping[str, Any]) -> bool:
        if self.customer is None and not self.decisions:
            return True
        customers = record.get("customers")
        named = isinstance(customers, list) and self.customer is not None and self.customer in customers
        return named or record.get("decision_id") in self.decisions


def holds(log: SqlLog) -> tuple[LegalHold, ...]:
    """The legal holds in force. Raises RecordError for one that cannot be read: it may cover anything."""
    log.database.ensure(HOLDS)
    rows = log.query("SELECT document FROM log_hold ORDER BY name", {})
    try:
        return tuple(_hold(json.loads(row[0])) for row in rows)
    except (ValueError, TypeError, KeyError) as error:
        raise RecordError("a legal hold of the decision log cannot be read; nothing may be erased") from error


def _hold(document: dict[str, Any]) -> LegalHold:
    return LegalHold(**{**document, "decisions": tuple(document.get("decisions", ()))})


def place_hold(log: SqlLog, hold: LegalHold, at: datetime) -> None:
    """Put *hold* in force. Raises InputError where one of that name is, with other content."""
    if not hold.name.strip() or not hold.reason.strip() or not hold.by.strip():
        raise InputError("a legal hold needs a name, a reason, and who places it")
    for known in holds(log):
        if known.name == hold.name:
            if known == hold:
                return
            raise InputError(f"there is a legal hold `{hold.name}` already", remedy="Give it another name.")
    event = event_record("hold", f"{hold.name}-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}", at, asdict(hold))
    told = log.appending(event)
    row = {"name": hold.name, "document": json.dumps(asdict(hold))}

    def work(session: Session) -> None:
        session.execute("INSERT INTO log_hold (name, document) VALUES (:name, :document)", row)
        told(session)

    log.write(work)


def lift_hold(log: SqlLog, name: str, *, by: str, reason: str, at: datetime) -> None:
    """End a legal hold. Raises InputError where there is none of that name."""
    if not by.strip() or not reason.strip():
        raise InputError("lifting a legal hold needs a reason, and who lifts it")
    if name not in {known.name for known in holds(log)}:
        raise InputError(f"there is no legal hold `{name}`")
    content = {"lifted": name, "by": by, "reason": reason}
    told = log.appending(event_record("hold", f"{name}-lifted-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}", at, content))

    def work(session: Session) -> None:
        session.execute("DELETE FROM log_hold WHERE name = :name", {"name": name})
        told(session)

    log.write(work)


def erase(
    log: SqlLog, *, before: datetime, at: datetime, by: str, reason: str, years: int = OFAC_YEARS
) -> tuple[int, int]:
    """Erase the texts of decisions made before *before*; how many were erased, and how many a hold keeps.

    Args:
        before: not later than *years* before *at*.
        at: now.
        years: how long everything is kept at least; five is the lowest.

    Raises:
        InputError: it is too early, or nobody says why.
        RecordError: nothing was erased.
    """
    if before.utcoffset() is None or at.utcoffset() is None:
        raise NaiveInstantError("the instants of an erasure need a timezone")
    if years < EAR_YEARS:
        raise InputError(
            f"records are kept for {EAR_YEARS} years at least (15 CFR 762.6)",
            remedy=f"{OFAC_YEARS} where OFAC's rules apply (31 CFR 501.601).",
        )
    if before > years_before(at, years):
        raise InputError(
            f"records of the last {years} years are kept: nothing after {years_before(at, years):%Y-%m-%d} may go",
            remedy="Give an earlier date.",
        )
    if not by.strip() or not reason.strip():
        raise InputError("an erasure needs a reason, and who asks for it")
    kept = holds(log)
    going: list[int] = []
    held = 0
    newest: datetime | None = None
    for stored in log.read():
        made = _made(stored) if stored.body else None
        if made is None:
            continue
        # A record that says it is older than one before it was made by a clock that was wrong.
        newest = made if newest is None else max(newest, made)
        if newest >= before or not is_decision(stored.record):
            continue
        if any(hold.covers(stored.record) for hold in kept):
            held += 1
        else:
            going.append(stored.sequence)
    if not going:
        return 0, held
    ranges = list(as_ranges(going))
    content = {"before": before.isoformat(), "by": by, "reason": reason, "years": years, "sequences": ranges}
    told = log.appending(event_record("erasure", f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}", at, content))

    def work(session: Session) -> None:
        # A hold that was placed in between counts.
        now = session.execute("SELECT document FROM log_hold ORDER BY name")
        if [_hold(json.loads(row[0])) for row in now] != list(kept):
            raise RecordError("a legal hold was placed or lifted in the meantime; nothing was erased")
        for first, last in ranges:
            session.execute(
                "UPDATE log_record SET body = :empty WHERE sequence BETWEEN :first AND :last",
                {"empty": b"", "first": first, "last": last},
            )
        told(session)

    log.write(work)
    return len(going), held


def years_before(at: datetime, years: int) -> datetime:
    try:
        return at.replace(year=at.year - years)
    except ValueError:  # the 29th of February
        return at.replace(year=at.year - years, day=28)


def _made(stored: StoredRecord) -> datetime | None:
    """When a record says that it was made; None where that cannot be read, and it stays."""
    try:
        made = datetime.fromisoformat(stored.record["time"])
    except (KeyError, TypeError, ValueError):
        return None
    return made if made.utcoffset() is not None else None


def as_ranges(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Ascending numbers as `[first, last]` pairs."""
    pair: list[int] | None = None
    for number in numbers:
        if pair is not None and number == pair[1] + 1:
            pair[1] = number
            continue
        if pair is not None:
            yield pair
        pair = [number, number]
    if pair is not None:
        yield pair


def erased_by(body: bytes) -> Sequence[Sequence[int]]:
    """The sequence numbers that a record of an erasure says it erased, as pairs; `()` for any other record."""
    if b'"schema":"exportguard/erasure/1"' not in body:
        return ()
    try:
        record = json.loads(body)
        if record["schema"] != "exportguard/erasure/1":
            return ()
        return [(int(first), int(last)) for first, last in record["erasure"]["sequences"]]
    except (ValueError, KeyError, TypeError):
        return ()
