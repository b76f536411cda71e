"""PostgreSQL by SQLAlchemy: for the processes of several machines. Needs the extra `postgres`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from exportguard.errors import ConfigurationError
from exportguard.storage.contract import Row, Session, StorageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, TextClause

ONE_WRITER = 0x6578_706F_7274
"""The advisory lock that lets one transaction write at a time, as `BEGIN IMMEDIATE` does in SQLite: sequence numbers
have no gaps and no two writers can wait for one another."""


_GRACE_S = 2.0
"""After its own time limits, for a server that still answers to say so."""


def _patient(psycopg: Any, limit: float) -> Any:
    """A class of connections that wait no longer than *limit* for an answer. A server that stands still, or a network
    that swallows what is sent, never gives one: the server's own limits do not help then."""

    def bounded(connection: Any, work: Any) -> Any:
        end = time.monotonic() + limit
        ready = None
        try:
            wanted = next(work)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > end:
                    connection.pgconn.finish()
                    raise psycopg.OperationalError("the server does not answer")
                wanted = work.send(ready)
        except StopIteration as over:
            return over.value

    class Patient(psycopg.Connection):  # type: ignore[misc]
        def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
            return super().wait(bounded(self, gen), *arguments, **options)

    return Patient


class PostgresDriver:
    types: Mapping[str, str] = {"blob": "BYTEA", "integer": "BIGINT", "text": "TEXT", "real": "DOUBLE PRECISION"}

    def __init__(self, url: str, timeout: float) -> None:
        try:
            import psycopg
            import sqlalchemy
        except ImportError as error:
            raise ConfigurationError(
                "a PostgreSQL store needs SQLAlchemy and psycopg", remedy="pip install 'exportguard[postgres]'"
            ) from error
        self._sqlalchemy, self._psycopg = sqlalchemy, psycopg
        try:
            parsed = sqlalchemy.make_url(url)
        except sqlalchemy.exc.ArgumentError:
            # The message of SQLAlchemy would repeat the URL with its password.
            raise ConfigurationError(
                "the database URL cannot be read", remedy="postgresql://user@host/database"
            ) from None
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.place = parsed.render_as_string(hide_password=True)
        milliseconds = max(1, int(timeout * 1000))
        asked = parsed.query.get("options", "")
        theirs = asked if isinstance(asked, str) else " ".join(asked)
        parsed = parsed.difference_update_query(["options"])
        self._engine = sqlalchemy.create_engine(
            parsed,
            poolclass=sqlalchemy.pool.NullPool,
            isolation_level="READ COMMITTED",
            # The text of an error would quote what was to be kept.
            hide_parameters=True,
            connect_args={
                "connect_timeout": max(2, int(timeout)),
                "application_name": "exportguard",
                # A server may be set to acknowledge before its disk does; these sessions never are.
                "options": (
                    f"{theirs} -c synchronous_commit=on -c lock_timeout={milliseconds}"
                    f" -c statement_timeout={milliseconds * 3}"
                    f" -c idle_in_transaction_session_timeout={milliseconds * 3} -c default_transaction_read_only=off"
                ),
            },
        )

        patient = _patient(psycopg, milliseconds * 3 / 1000 + _GRACE_S)

        @sqlalchemy.event.listens_for(self._engine, "do_connect")
        def connect(_dialect: object, _record: object, arguments: Any, options: Any) -> Any:
            return patient.connect(*arguments, **options)

    def check(self) -> None:
        return None

    def retries(self, error: StorageError) -> bool:
        # A server that was restarted while this process was idle: the works recognise what they did before.
        return error.kind == "unreachable"

    def connect(self, *, writing: bool) -> Session:
        return _PostgresSession(self._engine.connect(), self._sqlalchemy.text, writing)

    def explain(self, error: Exception) -> StorageError | None:
        errors = self._sqlalchemy.exc
        if not isinstance(error, errors.SQLAlchemyError):
            return None
        original = getattr(error, "orig", None)
        state = str(getattr(original, "sqlstate", None) or "")
        said = str(original or error).strip().splitlines()
        detail = said[0] if said else type(error).__name__
        if state.startswith("53"):
            return StorageError("full", self.place, f"the database server has no room left ({detail})")
        if state in ("55P03", "57014"):
            return StorageError("locked", self.place, f"the database is locked by another process ({detail})")
        if state in ("25006", "42501"):
            return StorageError("readonly", self.place, f"the database cannot be written ({detail})")
        if state[:2] in ("08", "57", "28", "3D") or (not state and isinstance(error, errors.OperationalError)):
            return StorageError("unreachable", self.place, f"the database server cannot be reached ({detail})")
        if getattr(error, "connection_invalidated", False):
            return StorageError("unreachable", self.place, f"the connection was lost ({detail})")
        return StorageError("other", self.place, f"the database failed: {detail}")


class _PostgresSession:
    dialect = "postgresql"

    def __init__(self, connection: Connection, text: Any, writing: bool) -> None:
        self._connection = connection
        self._text = text
        self._statements: dict[str, TextClause] = {}
        self._writing = writing

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        statement = self._statements.get(sql)
        if statement is None:
            statement = self._statements[sql] = self._text(sql)
        result = self._connection.execute(statement, dict(parameters or {}))
        rows = [tuple(row) for row in result] if result.returns_rows else []
        if not self._writing:
            self._connection.rollback()
        return rows

    def execute_each(self, sql: str, parameters: Sequence[Mapping[str, Any]]) -> None:
        self._connection.execute(self._text(sql), [dict(each) for each in parameters])

    def begin(self) -> None:
        self.execute(f"SELECT pg_advisory_xact_lock({ONE_WRITER})")

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.invalidate() if self._connection.in_transaction() else None
        self._connection.close()
