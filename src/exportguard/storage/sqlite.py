"""SQLite: one file, WAL, every commit synced. For the processes of one machine."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exportguard.forks import Lock
from exportguard.storage.contract import Row, Session, StorageError
from exportguard.storage.places import make_private_file, network_file_system
from exportguard.storage.wal import WriteAheadLog

_KINDS = {
    "SQLITE_FULL": ("full", "the disk is full"),
    "SQLITE_BUSY": ("locked", "the database is locked by another process"),
    "SQLITE_LOCKED": ("locked", "the database is locked"),
    "SQLITE_READONLY": ("readonly", "the database cannot be written"),
    "SQLITE_PERM": ("readonly", "the database cannot be written"),
    "SQLITE_CANTOPEN": ("cannot-create", "the database cannot be opened"),
    "SQLITE_CORRUPT": ("corrupt", "the database is damaged"),
    "SQLITE_NOTADB": ("corrupt", "this is not an SQLite database"),
    "SQLITE_IOERR": ("full", "the disk refused a read or a write"),
}
DURABLE = ("PRAGMA synchronous = FULL", "PRAGMA fullfsync = ON")
"""What a commit has to be before it is acknowledged. With `synchronous = NORMAL` a power cut loses the last commits
of a write-ahead log."""

_PATIENCE_S = 0.008
"""SQLite waits longer and longer for a lock, a tenth of a second in the end, and who waits so long finds it taken
again each time. A writer here asks for it anew after this long, so that no process starves beside busy ones."""

_LEAST = 512
"""Bytes of the smallest database, a page of the smallest size (SQLite, Database File Format, 1.3.2)."""
_creating = Lock()
"""Nobody in this process has a file open while it is made, for the same reason as `SqliteDriver._inspect` tells."""
_WAS_REMOVED = "was removed or replaced while it was in use"
_GONE = f"the file {_WAS_REMOVED}"
_BESIDE = ("-wal", "-shm")
"""SQLite keeps what was committed last in the one and finds it by the other. A connection goes on writing into them
though they were removed (`rm *-wal`), and whoever opens the file next sees nothing of it."""
_CUT = "was cut or overwritten while it was in use"


class SqliteDriver:
    """Connections to one file. Created for its user alone; never created a second time by the same driver."""

    types: Mapping[str, str] = {"blob": "BLOB", "integer": "INTEGER", "text": "TEXT", "real": "REAL"}

    def __init__(self, path: Path, timeout: float) -> None:
        self.path = Path(os.path.abspath(path))
        self.place = str(self.path)
        self._beside = [f"{os.path.realpath(self.path)}{name}" for name in _BESIDE]  # where SQLite puts them
        self.timeout = timeout
        self._identity: tuple[int, int] | None = None
        self._size = 0
        self._damaged = False
        if os.path.isdir(self.path):
            raise StorageError("cannot-create", self.place, "this is a directory, not a file")
        kind = network_file_system(self.path)
        if kind is not None:
            raise StorageError("network", self.place, f"SQLite does not work on a network file system ({kind})")
        try:
            with _creating:
                make_private_file(self.path)
        except OSError as error:
            detail = f"the file cannot be created: {error.strerror or error}"
            raise StorageError("cannot-create", self.place, detail) from error
        self._identity = self._seen()
        self._inspect()

    def _inspect(self) -> None:
        """Look at the file without opening it: to close it again would let go of every lock that SQLite holds on it in
        this process (POSIX), and another process would then remove what is written to."""
        try:
            size = self.path.stat().st_size
        except OSError as error:
            raise StorageError("cannot-create", self.place, f"the file cannot be read: {error.strerror}") from error
        if 0 < size < _LEAST:
            # SQLite itself would take a file of a few bytes for an empty one, and write over it.
            raise StorageError("corrupt", self.place, "this is not an SQLite database")
        if not os.access(self.path, os.R_OK):
            raise StorageError("cannot-create", self.place, "the file cannot be read by this user")
        if not os.access(self.path, os.W_OK):
            raise StorageError("readonly", self.place, "the file cannot be written by this user")

    def _seen(self) -> tuple[int, int] | None:
        return _identity(self.path)

    @property
    def write_ahead_log(self) -> str:
        return self._beside[0]

    def beside(self) -> list[tuple[int, int] | None]:
        """Which files lie beside this one now."""
        return [_identity(name) for name in self._beside]

    def check_beside(self, files: list[tuple[int, int] | None]) -> None:
        """Raise StorageError unless *files* are those that lie there."""
        if None in files or self.beside() != files:
            raise StorageError("gone", self.place, f"a file beside it ({' or '.join(_BESIDE)}) {_WAS_REMOVED}")

    def check(self) -> None:
        try:
            found = os.stat(self.path)
        except OSError:
            found = None
        if found is None or (found.st_dev, found.st_ino) != self._identity:
            raise StorageError("gone", self.place, _GONE)
        if self._damaged or (found.st_size < self._size and not self._whole(found.st_size)):
            self._damaged = True  # though it may grow again: whoever closes it writes into what is left
            raise StorageError("corrupt", self.place, f"the file {_CUT}: it has become shorter")
        self._size = found.st_size

    def _whole(self, size: int) -> bool:
        """Whether a file that became shorter was made so by SQLite (`VACUUM`). Connections that are open would not
        notice: they work on from what they remember."""
        if not size:
            return False
        try:
            connection = sqlite3.connect(f"{self.path.as_uri()}?mode=rw", uri=True, timeout=self.timeout)
            with contextlib.closing(connection):
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        except (sqlite3.Error, UnicodeDecodeError):
            return False

    def retries(self, error: StorageError) -> bool:
        return False

    def connect(self, *, writing: bool) -> Session:
        self.check()
        deadline = time.monotonic() + self.timeout
        while True:
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode=rw",
                uri=True,
                timeout=self.timeout,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            try:
                self._prepare(connection, writing)
                self.check()
                if writing:
                    connection.execute(f"PRAGMA busy_timeout = {int(_PATIENCE_S * 1000)}")
                return _SqliteSession(connection, self.timeout, self if writing else None)
            except sqlite3.OperationalError as error:
                connection.close()
                # Turning a fresh file to WAL does not wait for another process that is about to do the same.
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            except BaseException:
                connection.close()
                raise

    def _prepare(self, connection: sqlite3.Connection, writing: bool) -> None:
        # journal_mode is a property of the file; asking for it again is free and repairs a file turned back.
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StorageError("other", self.place, f"no write-ahead log can be kept here (journal mode {mode})")
        for setting in DURABLE:
            connection.execute(setting)
        connection.execute("PRAGMA trusted_schema = OFF")
        found = set(connection.execute("SELECT type, name FROM sqlite_master"))
        planted = sorted(name for kind, name in found if kind in ("trigger", "view"))
        if planted:
            # One would change what is counted or recorded without a trace.
            detail = f"the file holds a trigger or view that is not exportguard's: {planted[0]}"
            raise StorageError("foreign", self.place, detail)
        if not writing:
            connection.execute("PRAGMA query_only = ON")
            return
        # What is erased is not to be read from the file's free pages.
        connection.execute("PRAGMA secure_delete = ON")
        tables = {name for kind, name in found if kind == "table"}
        if tables and "exportguard_meta" not in tables:
            raise StorageError("foreign", self.place, "the file holds another application's tables")

    def explain(self, error: Exception) -> StorageError | None:
        if isinstance(error, UnicodeDecodeError):  # a name in the schema, or SQLite's words about it
            return StorageError("corrupt", self.place, "the database is damaged (a text in it is none)")
        if isinstance(error, OSError):  # the write-ahead log that is to be looked after: no descriptor left
            return StorageError("cannot-create", self.place, f"the files beside it cannot be read ({error.strerror})")
        if not isinstance(error, sqlite3.Error):
            return None
        name = str(getattr(error, "sqlite_errorname", None) or "")
        if name == "SQLITE_READONLY_DBMOVED" or self._seen() != self._identity:
            return StorageError("gone", self.place, _GONE)
        for prefix, (kind, detail) in _KINDS.items():
            if name.startswith(prefix):
                return StorageError(kind, self.place, f"{detail} ({error})")
        return StorageError("other", self.place, f"the database failed: {error}")


def _is_busy(error: sqlite3.Error) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


class _SqliteSession:
    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, timeout: float, driver: SqliteDriver | None) -> None:
        """*driver*: of a connection that writes."""
        self._connection = connection
        self._timeout = timeout
        self._driver = driver
        self._files = driver.beside() if driver is not None else []
        self._changes = 0
        self._wal = WriteAheadLog(driver.write_ahead_log) if driver is not None else None

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        return self._connection.execute(sql, parameters or {}).fetchall()

    def execute_each(self, sql: str, parameters: Sequence[Mapping[str, Any]]) -> None:
        self._connection.executemany(sql, parameters)

    def begin(self) -> None:
        self._insist("BEGIN IMMEDIATE")
        if self._wal is None:
            return
        self._changes = self._connection.total_changes
        written = self._wal.written
        if not self._wal.look():
            self._cut()
        if written and not self._wal.written:
            # Emptied by a checkpoint of somebody's, or cut? SQLite knows how much of it there should be.
            self.rollback()
            try:
                left = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
            except sqlite3.OperationalError:
                left = 1
            if left:
                self._cut()
            self._insist("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._insist("COMMIT")
        if self._driver is not None:
            self._driver.check_beside(self._files)
        if self._wal is not None and self._connection.total_changes != self._changes and not self._wal.grown():
            self._cut()

    def _cut(self) -> None:
        assert self._driver is not None
        # Closing the last connection would copy what is left of it, holes and all, over the database (Python 3.12).
        with contextlib.suppress(AttributeError):
            self._connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)  # type: ignore[attr-defined]
        raise StorageError("corrupt", self._driver.place, f"the file beside it ({_BESIDE[0]}) {_CUT}")

    def _insist(self, statement: str) -> None:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                self._connection.execute(statement)
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        try:
            self._connection.close()
        finally:
            if self._wal is not None:
                self._wal.close()
