"""Customers in a database: SQLite by itself, anything else by SQLAlchemy (the extra `postgres`).

Three tables, which `create_directory` makes: `customers(id, document)` with a JSON document as in the customers
document, `accounts(provider, account, customer_id)` and `tags(key, value, customer_id)`, both filed under the
spelling that `account_key` and `tag_key` give. A customer is read when asked for, and kept until the database changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import Any
from urllib.parse import quote

from exportguard.documents.looking import looked_at
from exportguard.errors import ConfigurationError, DocumentError
from exportguard.forks import Lock
from exportguard.parties.customer import Customer
from exportguard.parties.directory import account_key, tag_key
from exportguard.parties.documents import customers_of
from exportguard.parties.reading import parse_json, refuse

_BY_ID = "SELECT document FROM customers WHERE id = :id"
_BY_ACCOUNT = "SELECT DISTINCT customer_id FROM accounts WHERE provider = :provider AND account = :account"
_BY_TAG = "SELECT DISTINCT customer_id FROM tags WHERE key = :key AND value = :value"
_TABLES = {"customers": ("id", "document"), "accounts": ("provider", "account", "customer_id"),
           "tags": ("key", "value", "customer_id")}  # fmt: skip
_KEPT = 10_000


class _Database:
    """What both kinds share: look-ups by one query each, and the customers read so far."""

    name: str

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, Customer | None] = {}
        self._state: object = None

    def _query(self, text: str, values: Mapping[str, str]) -> Sequence[Sequence[Any]]:
        raise NotImplementedError

    def _version(self) -> object:
        """Something that changes when the database does, or None when that cannot be told: nothing is kept then."""
        return None

    def by_id(self, id: str) -> Customer | None:  # noqa: A002
        with self._lock:
            return self._customer(id)

    def by_account(self, provider: str | None, account: str) -> tuple[Customer, ...]:
        with self._lock:
            ids: dict[str, None] = {}
            for field, key in account_key(provider, account):
                rows = self._query(_BY_ACCOUNT, {"provider": field, "account": key})
                ids |= dict.fromkeys(str(row[0]) for row in rows)
            return self._customers(ids)

    def by_tags(self, tags: Mapping[str, str]) -> tuple[Customer, ...]:
        given = {tag_key(key, value) for key, value in tags.items()}
        with self._lock:
            ids: dict[str, None] = {}
            for key, value in sorted(given):
                ids |= dict.fromkeys(str(row[0]) for row in self._query(_BY_TAG, {"key": key, "value": value}))
            return tuple(
                customer
                for customer in self._customers(ids)
                if all(tag_key(key, value) in given for key, value in customer.accounts.tags.items())
            )

    def _customers(self, ids: Iterable[str]) -> tuple[Customer, ...]:
        found = []
        for id_ in ids:
            customer = self._customer(id_)
            if customer is None:
                raise DocumentError(f"an account or tag names customer `{id_}`, who is not there", place=self.name)
            found.append(customer)
        return tuple(found)

    def _customer(self, id_: str) -> Customer | None:
        version = self._version()
        if version is None or version != self._state:
            self._kept.clear()
            self._state = version
        if id_ in self._kept:
            return self._kept[id_]
        rows = self._query(_BY_ID, {"id": id_})
        if len(rows) > 1:
            raise DocumentError(f"customer id `{id_}` stands twice", place=self.name)
        found = self._read(id_, rows[0][0]) if rows else None
        if version is not None and len(self._kept) < _KEPT:
            self._kept[id_] = found
        return found

    def _read(self, id_: str, document: Any) -> Customer:
        name = f"{self.name}: customer `{id_}`"
        data = document
        if isinstance(document, str | bytes):
            parsed = parse_json(document if isinstance(document, str) else document.decode("utf-8", "replace"), name)
            if parsed.problems:
                refuse(name, parsed.problems, "the record")
            data = parsed.data
        if isinstance(data, Mapping) and data.get("id", id_) != id_:
            raise DocumentError("the document states another id than its row", place=name)
        return customers_of([{**data, "id": id_} if isinstance(data, Mapping) else data], name)[0]


class SQLiteDirectory(_Database):
    """Customers in a SQLite file, opened read-only. Look-ups see what other connections commit.

    Raises:
        DocumentError: no such file, no database, or tables missing.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.name = str(path)
        found = looked_at(path)
        if found is None or not S_ISREG(found.st_mode):
            raise DocumentError("the customers database is not there", place=self.name)
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, check_same_thread=False, timeout=5.0
            )
            for table, columns in _TABLES.items():
                self._connection.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 0")
        except sqlite3.Error as problem:
            raise DocumentError(
                f"is no customers database: {problem}", place=self.name, remedy="create it with `create_directory`"
            ) from problem

    def _query(self, text: str, values: Mapping[str, str]) -> Sequence[Sequence[Any]]:
        try:
            return self._connection.execute(text, dict(values)).fetchall()
        except sqlite3.Error as problem:
            raise DocumentError(f"the customers database cannot be read: {problem}", place=self.name) from problem

    def _version(self) -> object:
        return self._query("PRAGMA data_version", {})[0][0]

    def close(self) -> None:
        self._connection.close()


class SQLAlchemyDirectory(_Database):
    """Customers in any database that SQLAlchemy speaks to. Every look-up asks it; nothing is kept in between."""

    def __init__(self, url: str) -> None:
        super().__init__()
        try:
            import sqlalchemy
        except ImportError:
            raise ConfigurationError(
                "a database URL needs SQLAlchemy", remedy="pip install 'exportguard[postgres]'"
            ) from None
        self._alchemy = sqlalchemy
        self._failure: type[Exception] = sqlalchemy.exc.SQLAlchemyError
        try:
            parsed = sqlalchemy.engine.make_url(url)
            self.name = parsed.render_as_string(hide_password=True)
            self._engine = sqlalchemy.create_engine(parsed, pool_pre_ping=True)
            for table, columns in _TABLES.items():
                self._query(f"SELECT {', '.join(columns)} FROM {table} WHERE 1 = 0", {})
        except self._failure as problem:
            raise ConfigurationError("the database URL cannot be used", place=getattr(self, "name", None)) from problem
        except ImportError as problem:
            raise ConfigurationError(
                f"the driver `{problem.name}` is missing", place=self.name, remedy="pip install 'exportguard[postgres]'"
            ) from problem

    def _query(self, text: str, values: Mapping[str, str]) -> Sequence[Sequence[Any]]:
        try:
            with self._engine.connect() as connection:
                return [tuple(row) for row in connection.execute(self._alchemy.text(text), dict(values))]
        except self._failure as problem:
            why = str(getattr(problem, "orig", None) or type(problem).__name__).splitlines()[0]
            raise DocumentError(f"the customers database cannot be read: {why}", place=self.name) from problem

    def close(self) -> None:
        self._engine.dispose()


def open_url(url: str) -> SQLAlchemyDirectory:
    """A database URL (`postgresql+psycopg://…`) as a directory."""
    if url.partition("://")[0] in ("http", "https", "s3", "file", "ftp"):
        raise ConfigurationError("customers are not read over the network", remedy="give a path or a database URL")
    return SQLAlchemyDirectory(url)


def create_directory(path: Path, customers: Iterable[Customer]) -> None:
    """Write a new SQLite file that `SQLiteDirectory` reads. FileExistsError when there is one."""
    if path.exists():
        raise FileExistsError(path)
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE customers (id TEXT PRIMARY KEY, document TEXT NOT NULL);"
            "CREATE TABLE accounts (provider TEXT NOT NULL, account TEXT NOT NULL, customer_id TEXT NOT NULL);"
            "CREATE TABLE tags (key TEXT NOT NULL, value TEXT NOT NULL, customer_id TEXT NOT NULL);"
            "CREATE INDEX accounts_by_account ON accounts (provider, account);"
            "CREATE INDEX tags_by_tag ON tags (key, value);"
        )
        for customer in customers:
            connection.execute(
                "INSERT INTO customers VALUES (?, ?)", (customer.id, customer.model_dump_json(exclude_unset=True))
            )
            for provider in ("aws", "azure", "openai", "tenants"):
                for account in getattr(customer.accounts, provider):
                    row = (provider, account_key("aws", account)[0][1], customer.id)
                    connection.execute("INSERT INTO accounts VALUES (?, ?, ?)", row)
            for key, value in customer.accounts.tags.items():
                connection.execute("INSERT INTO tags VALUES (?, ?, ?)", (*tag_key(key, value), customer.id))
    connection.close()
