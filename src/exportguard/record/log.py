"""The decision log over a database: append is durable when it returns, or it raises."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol, TypeVar, cast, runtime_checkable

from exportguard.errors import ConfigurationError, RecordError
from exportguard.record.canonical import canonical, read_canonical
from exportguard.record.merkle import Frontier, leaf_hash
from exportguard.storage import Database, Schema, Session, StorageError, is_like, open_database

R = TypeVar("R")

_PAGE = 500
_RECORDS: Final = "SELECT sequence, decision_id, body, leaf, root FROM log_record"
_ONWARD: Final = "WHERE sequence > :after ORDER BY sequence LIMIT :page"

SCHEMA: Final = Schema(
    "decision_log",
    1,
    (
        # `root` is the tree's root after this record: it names the first record that was tampered with.
        """CREATE TABLE log_record (
            sequence {integer} NOT NULL PRIMARY KEY,
            decision_id {text} NOT NULL UNIQUE,
            body {blob} NOT NULL,
            leaf {blob} NOT NULL,
            root {blob} NOT NULL
        )""",
        """CREATE TABLE log_state (
            one {integer} NOT NULL PRIMARY KEY,
            size {integer} NOT NULL,
            frontier {blob} NOT NULL
        )""",
        "INSERT INTO log_state (one, size, frontier) VALUES (1, 0, '')",
        "CREATE TABLE log_checkpoint (size {integer} NOT NULL PRIMARY KEY, note {text} NOT NULL)",
    ),
)


KEPT: Final = Schema(
    "decision_log_content",
    1,
    (
        # What records name by digest: policy texts, reference data, authorizations, screening lists (zlib).
        """CREATE TABLE log_content (
            digest {text} NOT NULL PRIMARY KEY,
            kind {text} NOT NULL,
            body {blob} NOT NULL
        )""",
    ),
)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as it lies in the log. `sequence` counts from 1 without gaps; `body` is its canonical JSON."""

    sequence: int
    decision_id: str
    body: bytes
    leaf: bytes
    root: bytes

    @property
    def record(self) -> dict[str, Any]:
        """The record as data.

        Raises:
            RecordError: the stored text is not JSON any more (see `verify`).
        """
        try:
            return cast("dict[str, Any]", read_canonical(self.body))
        except ValueError as error:
            raise RecordError(f"record {self.sequence} of the decision log cannot be read: {error}") from error


@runtime_checkable
class DecisionLog(Protocol):
    """Where decisions are kept. Safe under threads, processes and forks."""

    def append(self, record: Mapping[str, Any]) -> int:
        """Keep *record* and return its sequence number, once it is durable.

        *record* is JSON data with a `decision_id`. The same record again is the same sequence number.

        Raises:
            RecordError: it is not durable; the call that it is about must not be made.
        """
        ...

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[StoredRecord]:
        """Records in order, from the one after sequence number *after* on."""
        ...

    def get(self, decision_id: str) -> StoredRecord | None: ...

    def tail(self, n: int) -> tuple[StoredRecord, ...]:
        """The last *n* records, oldest first."""
        ...

    def prove_writable(self) -> None:
        """Write and sync something. Raises RecordError where nothing could be recorded."""
        ...

    def close(self) -> None: ...


class SqlLog:
    """A decision log in SQLite or PostgreSQL. Use `open_log`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.place = database.place
        self._guarded(lambda: database.ensure(SCHEMA, KEPT))

    @property
    def database(self) -> Database:
        return self._database

    def _guarded(self, action: Callable[[], R]) -> R:
        try:
            return action()
        except StorageError as error:
            raise RecordError(f"the decision log cannot be used: {error}") from error

    def append(self, record: Mapping[str, Any]) -> int:
        work = self.appending(record)
        return self._guarded(lambda: self._database.write(work))

    def appending(self, record: Mapping[str, Any]) -> Callable[[Session], int]:
        """What `append` does inside a transaction: for a caller that has more to do in the same one."""
        decision_id = record.get("decision_id")
        if not isinstance(decision_id, str) or not decision_id:
            raise RecordError("a record needs a `decision_id`")
        try:
            body = canonical(dict(record))
        except ValueError as error:
            raise RecordError(f"the record of decision {decision_id} cannot be written: {error}") from error
        return _Appending(decision_id, body, leaf_hash(body))

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[StoredRecord]:
        left = limit
        while left is None or left > 0:
            page = _PAGE if left is None else min(left, _PAGE)
            found = self._select(_ONWARD, {"after": after, "page": page})
            yield from found
            if len(found) < page:
                return
            after = found[-1].sequence
            left = None if left is None else left - len(found)

    def get(self, decision_id: str) -> StoredRecord | None:
        found = self._select("WHERE decision_id = :id", {"id": decision_id})
        return found[0] if found else None

    def tail(self, n: int) -> tuple[StoredRecord, ...]:
        return tuple(reversed(self._select("ORDER BY sequence DESC LIMIT :n", {"n": max(0, n)})))

    def size(self) -> int:
        return self.state()[0]

    def state(self) -> tuple[int, bytes]:
        """Size and frontier of the tree, as the log itself keeps them."""
        rows = self.query("SELECT size, frontier FROM log_state WHERE one = 1", {})
        if not rows:
            raise RecordError(f"{self.place}: the decision log has lost its state; see `exportguard log verify`")
        try:
            return int(rows[0][0]), _as_bytes(rows[0][1])
        except ValueError as error:
            raise RecordError(f"{self.place}: the state of the decision log is damaged") from error

    def damage(self) -> list[str]:
        """What SQLite finds wrong with its file: pages, and indexes that do not fit their tables."""
        found: list[str] = []

        def work(session: Session) -> None:
            if session.dialect == "sqlite":
                found.extend(str(row[0]) for row in session.execute("PRAGMA integrity_check(20)"))

        self._guarded(lambda: self._database.read(work))
        return [said for said in found if said != "ok"]

    def leaves(self, upto: int | None = None) -> list[bytes]:
        """The leaf hashes of the first *upto* records: what proofs are made of (32 bytes a record)."""
        rows = self.query(
            "SELECT leaf FROM log_record WHERE sequence <= :upto ORDER BY sequence",
            {"upto": 2**62 if upto is None else upto},
        )
        return [bytes(row[0]) for row in rows]

    def checkpoints(self) -> tuple[str, ...]:
        """The signed checkpoints that the log keeps of itself, smallest first."""
        return tuple(str(row[0]) for row in self.query("SELECT note FROM log_checkpoint ORDER BY size", {}))

    def keep_checkpoint(self, size: int, note: str) -> None:
        def work(session: Session) -> None:
            session.execute(
                "INSERT INTO log_checkpoint (size, note) VALUES (:size, :note) "
                "ON CONFLICT (size) DO UPDATE SET note = excluded.note",
                {"size": size, "note": note},
            )

        self.write(work)

    def keep(self, digest: str, kind: str, content: bytes) -> None:
        """Keep *content* under its digest, durably; again is once. Raises RecordError."""
        if self.query("SELECT 1 FROM log_content WHERE digest = :digest", {"digest": digest}):
            return
        row = {"digest": digest, "kind": kind, "body": zlib.compress(content)}
        sql = "INSERT INTO log_content (digest, kind, body) VALUES (:digest, :kind, :body) ON CONFLICT DO NOTHING"
        self.write(lambda session: session.execute(sql, row))

    def kept(self, digest: str) -> bytes | None:
        """What is kept under *digest*, or None. Raises RecordError for what cannot be unpacked."""
        rows = self.query("SELECT body FROM log_content WHERE digest = :digest", {"digest": digest})
        try:
            return zlib.decompress(_as_bytes(rows[0][0])) if rows else None
        except zlib.error as error:
            raise RecordError(f"what the decision log keeps under {digest} is damaged") from error

    def contents(self) -> Iterator[tuple[str, str]]:
        """Digest and kind of whatever is kept under a digest."""
        yield from ((str(row[0]), str(row[1])) for row in self.query("SELECT digest, kind FROM log_content", {}))

    def rows(self, after: int, limit: int) -> list[tuple[Any, ...]]:
        """Up to *limit* records from the one after number *after* on, as the store has them; see `stored_record`."""
        return self.query(f"{_RECORDS} {_ONWARD}", {"after": after, "page": limit})

    def _select(self, clause: str, parameters: Mapping[str, Any]) -> list[StoredRecord]:
        return [stored_record(row) for row in self.query(f"{_RECORDS} {clause}", parameters)]

    def query(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of the log's own tables. Raises RecordError."""
        return self._guarded(lambda: self._database.read(lambda session: session.execute(sql, parameters)))

    def write(self, work: Callable[[Session], R]) -> R:
        """Do *work* in a transaction of the log's store. Raises RecordError."""
        return self._guarded(lambda: self._database.write(work))

    def prove_writable(self) -> None:
        self._guarded(self._database.prove_writable)

    def close(self) -> None:
        self._database.close()


def stored_record(row: Sequence[Any]) -> StoredRecord:
    """A record of one of the log's rows, whatever was put there."""
    return StoredRecord(int(row[0]), str(row[1]), _as_bytes(row[2]), _as_bytes(row[3]), _as_bytes(row[4]))


def _as_bytes(value: object) -> bytes:
    # SQLite keeps whatever was put there: what is no blob where one belongs is tampering, which `verify` names.
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def _append(session: Session, works: Sequence[_Appending]) -> list[int]:
    """Append what is new of *works* after one another; the sequence number of each."""
    asked = {f"d{n}": work.decision_id for n, work in enumerate(works)}
    found = session.execute(_known_among(len(works)), asked)
    frontier = _frontier(found[0] if found else None)
    known = {str(name): (int(at), _as_bytes(leaf)) for _, _, name, at, leaf in found if name is not None}
    new: list[_Appending] = []
    numbers: list[int] = []
    for work in works:
        earlier = known.get(work.decision_id)
        if earlier is None:
            new.append(work)
            known[work.decision_id] = earlier = (frontier.size + len(new), work.leaf)
        elif earlier[1] != work.leaf:
            raise RecordError(f"decision {work.decision_id} was recorded before, with other content")
        numbers.append(earlier[0])
    if new:
        first = frontier.size + 1
        roots = frontier.extend([work.leaf for work in new])
        rows = [
            {"sequence": first + n, "id": work.decision_id, "body": work.body, "leaf": work.leaf, "root": roots[n]}
            for n, work in enumerate(new)
        ]
        session.execute_each(_INSERT, rows)
        session.execute(_MOVE, {"size": frontier.size, "frontier": frontier.to_bytes()})
    return numbers


@cache
def _known_among(count: int) -> str:
    """The log's state, and beside it what is there of *count* decisions: in one statement, as every append asks it."""
    names = ", ".join(f":d{n}" for n in range(count))
    return f"""SELECT log_state.size, log_state.frontier, known.decision_id, known.sequence, known.leaf
        FROM log_state LEFT JOIN log_record AS known ON known.decision_id IN ({names}) WHERE log_state.one = 1"""


_INSERT: Final = """INSERT INTO log_record (sequence, decision_id, body, leaf, root)
    VALUES (:sequence, :id, :body, :leaf, :root)"""
_MOVE: Final = "UPDATE log_state SET size = :size, frontier = :frontier WHERE one = 1"


class _Appending:
    """One record on its way into the log, inside a transaction; those that are in the same one go in together."""

    __slots__ = ("body", "decision_id", "leaf")
    together = staticmethod(_append)

    def __init__(self, decision_id: str, body: bytes, leaf: bytes) -> None:
        self.decision_id, self.body, self.leaf = decision_id, body, leaf

    def __call__(self, session: Session) -> int:
        return _append(session, (self,))[0]


def _frontier(state: Sequence[Any] | None) -> Frontier:
    if state is None:
        raise RecordError("the decision log has lost its state; see `exportguard log verify`")
    try:  # also a size that is no number
        return Frontier.from_bytes(int(state[0]), _as_bytes(state[1]))
    except ValueError as error:
        raise RecordError("the state of the decision log is damaged; see `exportguard log verify`") from error


def open_log(target: str | os.PathLike[str] | DecisionLog, *, timeout: float = 10.0) -> DecisionLog:
    """The decision log at *target*.

    Args:
        target: a path (SQLite; `default_store()` is the usual one), a `postgresql://` URL, or a ready log.
        timeout: seconds to wait for another process's lock, or for a server.

    Raises:
        RecordError: it cannot be opened; the message names place and remedy.
        ConfigurationError: *target* is no place for a log, or an extra is missing.
    """
    if not isinstance(target, str | os.PathLike):
        if is_like(target, DecisionLog):
            return target
        raise ConfigurationError(
            f"a {type(target).__name__} is no decision log", remedy="Give a path, a database URL, or a DecisionLog."
        )
    try:
        database = open_database(target, timeout=timeout)
    except StorageError as error:
        raise RecordError(f"the decision log cannot be opened: {error}") from error
    try:
        return SqlLog(database)
    except BaseException:
        database.close()
        raise
