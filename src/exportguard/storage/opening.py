"""One process has one `Database` a place, and none of it is carried across a fork."""

from __future__ import annotations

import os
from pathlib import Path

from exportguard.storage.contract import Driver, StorageError
from exportguard.storage.database import Database, living, lock

_shared: dict[str, Database] = {}
_frozen: list[Database] = []


def _before_fork() -> None:
    lock.acquire()
    _frozen[:] = list(living)
    for database in _frozen:
        database.before_fork()


def _after_fork_in_parent() -> None:
    for database in _frozen:
        database.after_fork_in_parent()
    _frozen.clear()
    lock.release()


def _after_fork_in_child() -> None:
    for database in _frozen:
        database.after_fork_in_child()
    _frozen.clear()
    # The thread that forked holds it, and is the one that the child has.
    lock.release()


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
    with lock:
        known = _shared.get(key)
        if known is not None:
            try:
                known.check()
                return known.share()
            except StorageError:
                del _shared[key]
        database = _shared[key] = Database(driver, _forget)
        return database


def _forget(database: Database) -> None:
    for key in [key for key, known in _shared.items() if known is database]:
        del _shared[key]
