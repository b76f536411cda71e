"""One database, used by many threads and processes: short transactions, durable when they return.

Threads that write at the same time share one transaction (group commit): whoever gets the turn takes along what the
others have queued. There is no background thread, so nothing is left behind at a fork or an exit.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from exportguard.storage.contract import Driver, Schema, Session, StorageError

R = TypeVar("R")

_FORK_WAIT_S = 30.0
_MAX_BATCH = 512
"""Bounds how long one transaction holds the database against other processes."""


class _Item:
    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False


class Database:
    """Use `open_database`. Every method raises StorageError and nothing else of a store's own."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.place = driver.place
        self._users = 1
        self._fresh_locks()
        _living.add(self)

    def _fresh_locks(self) -> None:
        self._turn = threading.Lock()
        self._owner: int | None = None
        self._queue: deque[_Item] = deque()
        self._guarding = threading.Condition()
        self._reading = 0
        self._forking = False
        self._writer: Session | None = None
        self._readers: list[Session] = []

    # -- writing ----------------------------------------------------------------------------------------------

    def write(self, work: Callable[[Session], R]) -> R:
        """Run *work* in a transaction and return its result once that is durable.

        *work* may run more than once (after a lost connection, or when a neighbour in its batch failed), each time
        on a store that has nothing of the run before, or all of it: it must recognise its own earlier rows.
        """
        me = threading.get_ident()
        if self._owner == me:
            raise StorageError("other", self.place, "used again from within its own transaction")
        item = _Item(work)
        self._queue.append(item)
        try:
            with self._turn:
                self._owner = me
                try:
                    while not item.done:
                        self._lead(item)
                finally:
                    self._owner = None
        except BaseException:
            # An interrupted caller must not have its work done by somebody else later.
            if not item.done:
                with contextlib.suppress(ValueError):
                    self._queue.remove(item)
            raise
        if item.error is not None:
            raise item.error
        return item.result  # type: ignore[no-any-return]

    def _lead(self, mine: _Item) -> None:
        batch: list[_Item] = []
        while self._queue and len(batch) < _MAX_BATCH:
            batch.append(self._queue.popleft())
        try:
            failed = self._commit(batch)
            if failed is not None and len(batch) > 1:
                # One of them cannot be done; the others must not suffer for it.
                for item in batch:
                    error = self._commit([item])
                    if error is not None:
                        item.error, item.done = error, True
            elif failed is not None:
                batch[0].error, batch[0].done = failed, True
        except StorageError as error:
            for item in batch:
                if not item.done:
                    item.error, item.done = error, True
        except BaseException:
            self._queue.extendleft(i for i in reversed(batch) if not i.done and i is not mine)
            raise

    def _commit(self, batch: list[_Item]) -> BaseException | None:
        """Commit *batch*; the error of one of its works, after rolling back, if there was one.

        Raises StorageError when the store itself refused, which concerns all of them.
        """
        for attempt in (1, 2):
            try:
                return self._attempt(batch)
            except StorageError as error:
                if attempt == 2 or not self._driver.retries(error):
                    raise
        raise AssertionError("unreachable")

    def _attempt(self, batch: list[_Item]) -> BaseException | None:
        session = self._writer
        try:
            if session is None:
                session = self._writer = self._driver.connect(writing=True)
            session.begin()
            results = [item.work(session) for item in batch]
            session.commit()
            self._driver.check()
        except BaseException as error:
            told = self._told(error)
            self._abandon(session, keep=told is None)
            if told is None:
                if isinstance(error, Exception):
                    return error
                raise
            raise told from error
        for item, result in zip(batch, results, strict=True):
            item.result, item.done = result, True
        return None

    def _told(self, error: BaseException) -> StorageError | None:
        if isinstance(error, StorageError):
            return error
        return self._driver.explain(error) if isinstance(error, Exception) else None

    def _abandon(self, session: Session | None, *, keep: bool) -> None:
        if session is None:
            return
        try:
            session.rollback()
        except Exception:  # noqa: BLE001 - the connection is as broken as its store; a new one is made next time
            keep = False
        if not keep:
            self._writer = None
            _close(session)

    # -- reading ----------------------------------------------------------------------------------------------

    def read(self, work: Callable[[Session], R]) -> R:
        """Run *work* on a connection of its own; it sees what was committed before it began. Keep it short."""
        with self._guarding:
            while self._forking:
                self._guarding.wait(_FORK_WAIT_S)
            self._reading += 1
            session = self._readers.pop() if self._readers else None
        keep = False
        try:
            try:
                if session is None:
                    session = self._driver.connect(writing=False)
                result = work(session)
                keep = True
                return result
            except Exception as error:
                told = self._told(error)
                if told is None:
                    keep = True
                    raise
                raise told from error
        finally:
            with self._guarding:
                self._reading -= 1
                if keep and session is not None and not self._forking:
                    self._readers.append(session)
                elif session is not None:
                    _close(session)
                self._guarding.notify_all()

    # -- tables -----------------------------------------------------------------------------------------------

    def ensure(self, *schemas: Schema) -> None:
        """Create the tables of *schemas* where they are missing. Two processes may do it at once."""

        def work(session: Session) -> None:
            session.execute(
                self._typed("CREATE TABLE IF NOT EXISTS exportguard_meta (name {text} PRIMARY KEY, value {text})")
            )
            for schema in schemas:
                self._make(session, schema)

        self.write(work)

    def _make(self, session: Session, schema: Schema) -> None:
        found = session.execute("SELECT value FROM exportguard_meta WHERE name = :name", {"name": schema.name})
        if found:
            version = int(found[0][0])
            if version > schema.version:
                raise StorageError(
                    "newer",
                    self.place,
                    f"its {schema.name} has version {version}, and this exportguard knows {schema.version}",
                )
            return
        for statement in schema.statements:
            session.execute(self._typed(statement))
        session.execute(
            "INSERT INTO exportguard_meta (name, value) VALUES (:name, :value)",
            {"name": schema.name, "value": str(schema.version)},
        )

    def _typed(self, statement: str) -> str:
        return statement.format_map(dict(self._driver.types))

    def prove_writable(self) -> None:
        """Write something and take care that it is durable. Raises StorageError."""
        stamp = f"{os.getpid()} {time.time_ns()}"

        def work(session: Session) -> None:
            session.execute(
                "INSERT INTO exportguard_meta (name, value) VALUES ('proof', :value) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                {"value": stamp},
            )

        self.write(work)

    # -- ending, forking --------------------------------------------------------------------------------------

    def share(self) -> Database:
        self._users += 1
        return self

    def close(self) -> None:
        """Give up one use; the last one closes the connections. What comes after opens them again."""
        with _registry_lock:
            self._users -= 1
            if self._users > 0:
                return
            for key in [key for key, database in _shared.items() if database is self]:
                del _shared[key]
        with self._turn:
            self._disconnect()

    def _disconnect(self) -> None:
        sessions, self._readers = [*self._readers], []
        if self._writer is not None:
            sessions.append(self._writer)
            self._writer = None
        for session in sessions:
            _close(session)

    def _before_fork(self) -> None:
        # A child inherits SQLite's table of the locks that its parent held, without holding them: with no
        # connection open at the fork there is nothing to inherit.
        self._held_for_fork = self._turn.acquire(timeout=_FORK_WAIT_S)
        with self._guarding:
            self._forking = True
            self._guarding.wait_for(lambda: self._reading == 0, _FORK_WAIT_S)
        if self._held_for_fork:
            self._disconnect()

    def _after_fork_in_parent(self) -> None:
        with self._guarding:
            self._forking = False
            self._guarding.notify_all()
        if self._held_for_fork:
            self._turn.release()

    def _after_fork_in_child(self) -> None:
        inherited = [*self._readers] + ([self._writer] if self._writer is not None else [])
        _never_closed.extend(inherited)
        self._fresh_locks()


def _close(session: Session) -> None:
    # Closing what is broken: nothing is lost, all of it was committed.
    with contextlib.suppress(Exception):
        session.close()


_living: weakref.WeakSet[Database] = weakref.WeakSet()
_shared: dict[str, Database] = {}
_registry_lock = threading.RLock()
_never_closed: list[Session] = []
_frozen: list[Database] = []


def _before_fork() -> None:
    _registry_lock.acquire()
    _frozen[:] = list(_living)
    for database in _frozen:
        database._before_fork()


def _after_fork_in_parent() -> None:
    for database in _frozen:
        database._after_fork_in_parent()
    _frozen.clear()
    _registry_lock.release()


def _after_fork_in_child() -> None:
    global _registry_lock
    _registry_lock = threading.RLock()
    for database in _frozen:
        database._after_fork_in_child()
    _frozen.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


def open_database(target: str | os.PathLike[str], *, timeout: float = 10.0) -> Database:
    """The database at *target*: a path (SQLite) or an SQLAlchemy URL (`postgresql://…`, `sqlite:///…`).

    One process has one `Database` a place, so that the log and the ledger of a file share its writer.

    Args:
        timeout: seconds to wait for another process's lock, or for a server.

    Raises:
        StorageError: it cannot be opened.
        ConfigurationError: *target* is no place for a store, or an extra is missing.
    """
    from exportguard.errors import ConfigurationError

    text = os.fspath(target)
    scheme, separator, rest = text.partition("://")
    if separator and scheme.split("+")[0] in ("postgresql", "postgres"):
        from exportguard.storage.postgres import PostgresDriver

        driver: Driver = PostgresDriver(text, timeout)
        key = text
    elif separator and scheme != "sqlite":
        raise ConfigurationError(
            f"`{scheme}` is no kind of store", remedy="Give a path (SQLite) or a postgresql:// URL."
        )
    else:
        path = rest.removeprefix("/") if separator else text
        if not path or path == ":memory:":
            raise ConfigurationError("a store in memory keeps nothing", remedy="Give a path, or None to keep nothing.")
        from exportguard.storage.sqlite import SqliteDriver

        driver = SqliteDriver(Path(path).expanduser(), timeout)
        key = os.path.realpath(Path(path).expanduser())
    with _registry_lock:
        living = _shared.get(key)
        if living is not None:
            try:
                living._driver.check()
                return living.share()
            except StorageError:
                del _shared[key]
        database = _shared[key] = Database(driver)
        return database
