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
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeVar

from exportguard.storage.contract import Driver, Schema, Session, StorageError

R = TypeVar("R")

lock = threading.RLock()
"""Over what concerns every database of the process: sharing, closing, forking."""

living: weakref.WeakSet[Database] = weakref.WeakSet()
_never_closed: list[Session] = []
"""Connections that a child inherited: closing one would let go of its parent's locks."""

_FORK_WAIT_S = 30.0
_MAX_BATCH = 512
"""Bounds how long one transaction holds the database against other processes."""
_LINGER_S = 0.001
"""The longest that a leader waits for those who wrote beside it the last time."""
_LOOK_AGAIN_S = 0.5
"""Whoever waits to be roused looks by itself this often: the thread that should have done it may have been interrupted
on the way."""


class _Item:
    __slots__ = ("done", "error", "result", "wake", "work")

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.wake = threading.Lock()
        self.wake.acquire()

    def rouse(self) -> None:
        """Let its thread go on: it is done, or has to take the turn. Twice is once."""
        with contextlib.suppress(RuntimeError):
            self.wake.release()


class Database:
    """Use `open_database`. Every method raises StorageError and nothing else of a store's own."""

    def __init__(self, driver: Driver, when_unused: Callable[[Database], None] | None = None) -> None:
        """*when_unused* is called, under the lock of all databases, when the last user closes it."""
        self._driver = driver
        self.place = driver.place
        self._users = 1
        self._when_unused = when_unused
        self._fresh_locks()
        living.add(self)

    def _fresh_locks(self) -> None:
        # Of threads: whoever is interrupted while it takes the turn can still tell by it whether it has.
        self._turn = threading.RLock()
        self._owner: int | None = None
        self._took = 0.0
        self._together = 1
        self._queue: deque[_Item] = deque()
        # Taken by itself, since a condition's own `with` is not whole where an interrupt arrives in it.
        self._mutex = threading.RLock()
        self._guarding = threading.Condition(self._mutex)
        self._reading = 0
        self._forking = False
        self._writer: Session | None = None
        self._readers: list[Session] = []

    # -- writing ----------------------------------------------------------------------------------------------

    def write(self, work: Callable[[Session], R]) -> R:
        """Run *work* in a transaction and return its result once that is durable.

        A work that has a `together` (see `contract.Together`) is done at once with others that have the same.

        *work* may run more than once (after a lost connection, or when a neighbour in its batch failed), each time
        on a store that has nothing of the run before, or all of it: it must recognise its own earlier rows.
        """
        me = threading.get_ident()
        if self._owner == me:
            raise StorageError("other", self.place, "used again from within its own transaction")
        item = _Item(work)
        try:
            self._queue.append(item)
            while not item.done:
                if not self._turn.acquire(blocking=False):
                    # Whoever has the turn takes this along, or rouses it to lead when it is the first that is left.
                    item.wake.acquire(timeout=_LOOK_AGAIN_S)
                    continue
                try:
                    self._owner = me
                    while not item.done:
                        self._lead(item)
                finally:
                    self._end_turn()
        except BaseException:
            # An interrupted caller must not have its work done by somebody else later.
            if not item.done:
                with contextlib.suppress(ValueError):
                    self._queue.remove(item)
            self._end_turn()
            raise
        if item.error is not None:
            raise item.error
        return item.result  # type: ignore[no-any-return]

    def _end_turn(self) -> None:
        """Let go of the turn, where this thread has it."""
        if self._owner == threading.get_ident():
            self._owner = None
        with contextlib.suppress(RuntimeError):
            self._turn.release()
        self._rouse_next()

    def _rouse_next(self) -> None:
        with contextlib.suppress(IndexError):
            self._queue[0].rouse()

    def _linger(self) -> None:
        """Those who shared the last commit are about to write again: one sync for all of them is worth a moment."""
        if len(self._queue) < self._together and self._took > 2e-4:
            end = time.monotonic() + min(_LINGER_S, self._took * 0.15)
            while len(self._queue) < self._together and time.monotonic() < end:
                time.sleep(2e-5)

    def _lead(self, mine: _Item) -> None:
        if mine not in self._queue:  # a leader that was interrupted had taken it along
            self._queue.appendleft(mine)
        self._linger()
        batch: list[_Item] = []
        try:
            while self._queue and len(batch) < _MAX_BATCH:
                batch.append(self._queue.popleft())
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
        finally:
            for item in batch:
                if item.done:
                    item.rouse()

    def _commit(self, batch: list[_Item]) -> BaseException | None:
        """Commit *batch*; the error of one of its works, after rolling back, if there was one.

        Raises StorageError when the store itself refused, which concerns all of them.
        """
        try:
            return self._attempt(batch)
        except StorageError as error:
            if not self._driver.retries(error):
                raise
            lost = error
        try:
            return self._attempt(batch)
        except StorageError as error:
            raise lost from error  # it says that what was lost may have arrived

    def _attempt(self, batch: list[_Item]) -> BaseException | None:
        session = self._writer
        try:
            if session is None:
                session = self._writer = self._driver.connect(writing=True)
            session.begin()
            results = do_all(session, [item.work for item in batch])
            started = time.monotonic()
            session.commit()
            self._took, self._together = time.monotonic() - started, len(batch)
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
            self._close_idle()  # whatever became of the store, they may not have noticed
            _close(session)

    # -- reading ----------------------------------------------------------------------------------------------

    def read(self, work: Callable[[Session], R]) -> R:
        """Run *work* on a connection of its own; it sees what was committed before it began. Keep it short."""
        try:
            return self._read(work, fresh=False)
        except StorageError as error:
            if not self._driver.retries(error):
                raise
        # A server that was restarted while connections lay idle: they are all as useless as this one was.
        self._close_idle()
        return self._read(work, fresh=True)

    def _close_idle(self) -> None:
        with self._mutex:
            idle, self._readers = self._readers, []
        for session in idle:
            _close(session)

    def _read(self, work: Callable[[Session], R], *, fresh: bool) -> R:
        session: Session | None = None
        counted = keep = False
        try:
            with self._mutex:
                while self._forking:
                    self._guarding.wait(_FORK_WAIT_S)
                self._reading += 1
                counted = True
                session = self._readers.pop() if self._readers and not fresh else None
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
            with self._mutex:
                self._reading -= counted
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

    def check(self) -> None:
        """Raise StorageError when what was committed is no longer where it was."""
        self._driver.check()

    # -- ending, forking --------------------------------------------------------------------------------------

    def share(self) -> Database:
        """One more user of it."""
        with lock:
            self._users += 1
        return self

    def close(self) -> None:
        """Give up one use; the last one closes the connections. What comes after opens them again."""
        with lock:
            self._users -= 1
            if self._users > 0:
                return
            if self._when_unused is not None:
                self._when_unused(self)
        self._turn.acquire()
        try:
            self._disconnect()
        finally:
            self._end_turn()

    def _disconnect(self) -> None:
        sessions, self._readers = [*self._readers], []
        if self._writer is not None:
            sessions.append(self._writer)
            self._writer = None
        for session in sessions:
            _close(session)

    def before_fork(self) -> None:
        # A child inherits SQLite's table of the locks that its parent held, without holding them: with no
        # connection open at the fork there is nothing to inherit.
        mine = self._owner == threading.get_ident()
        self._held_for_fork = not mine and self._turn.acquire(timeout=_FORK_WAIT_S)
        with self._mutex:
            self._forking = True
            self._guarding.wait_for(lambda: self._reading == 0, _FORK_WAIT_S)
        if self._held_for_fork:
            self._disconnect()

    def after_fork_in_parent(self) -> None:
        with self._mutex:
            self._forking = False
            self._guarding.notify_all()
        if self._held_for_fork:
            self._end_turn()

    def after_fork_in_child(self) -> None:
        inherited = [*self._readers] + ([self._writer] if self._writer is not None else [])
        _never_closed.extend(inherited)
        self._fresh_locks()


def do_all(session: Session, works: Sequence[Any]) -> list[Any]:
    """What each of *works* gives inside a transaction, in order; neighbours that can be done at once are (see
    `contract.Together`)."""
    if len(works) == 1:
        return [works[0](session)]
    results: list[Any] = []
    for together, group in groupby(works, lambda work: getattr(work, "together", None)):
        if together is None:
            results += [work(session) for work in group]
        else:
            results += together(session, list(group))
    return results


def _close(session: Session) -> None:
    # Closing what is broken: nothing is lost, all of it was committed.
    with contextlib.suppress(Exception):
        session.close()
