"""Opening the customer directory that a user names: a file, a database, a mapping, a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from exportguard.errors import ConfigurationError, DocumentError
from exportguard.parties.customer import Customer
from exportguard.parties.directory import CustomerDirectory, MemoryDirectory


class CallableDirectory:
    """A function as a directory: it is asked with `id=`, `provider=` and `account=`, or `tags=`.

    It returns a customer (a `Customer` or a mapping as in the customers document), an iterable of them, or None.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def by_id(self, id: str) -> Customer | None:  # noqa: A002
        found = self._read(self._function(id=id), f"the answer for customer `{id}`")
        if len(found) > 1 or (found and found[0].id != id):
            raise DocumentError(f"the directory function answered for customer `{id}` with another or with several")
        return found[0] if found else None

    def by_account(self, provider: str | None, account: str) -> tuple[Customer, ...]:
        answer = self._function(provider=provider, account=account)
        return self._read(answer, f"the answer for account `{account}`")

    def by_tags(self, tags: Mapping[str, str]) -> tuple[Customer, ...]:
        return self._read(self._function(tags=dict(tags)), "the answer for tags")

    def _read(self, answer: Any, what: str) -> tuple[Customer, ...]:
        from exportguard.parties.documents import customers_of

        if answer is None:
            return ()
        if isinstance(answer, Customer | Mapping):
            answer = [answer]
        if isinstance(answer, str | bytes) or not isinstance(answer, Iterable):
            raise DocumentError(f"{what} is no customer", remedy="return a mapping as in the customers document")
        return customers_of(list(answer), f"<{what}>")


def load_directory(source: Any = None) -> CustomerDirectory:
    """The directory that *source* names.

    Args:
        source: None (nobody is known), a path to a YAML, JSON, CSV or SQLite file (at most 256 MB but for
            SQLite), an SQLAlchemy URL (`postgresql+psycopg://…`, the extra `postgres`; `sqlite:///…`), a mapping
            as in the customers document or a list of customers, a function (see `CallableDirectory`), or a
            `CustomerDirectory`, which is returned as it is.

    Raises:
        DocumentError: it cannot be read; every problem with its place. Nothing is loaded half.
        ConfigurationError: it is nothing that can be read, or an extra is missing.
    """
    from exportguard.parties import documents

    if source is None:
        return MemoryDirectory()
    if isinstance(source, CustomerDirectory):
        return source
    if isinstance(source, str) and "://" in source:
        from exportguard.parties.databases import open_url

        return open_url(source)
    if isinstance(source, str | os.PathLike):
        return _from_file(Path(os.fsdecode(source)).expanduser())
    if isinstance(source, Mapping):
        return documents.directory_of(source, "<customers>")
    if callable(source):
        return CallableDirectory(source)
    if isinstance(source, Sequence) and not isinstance(source, bytes | bytearray):
        return documents.directory_of({"customers": list(source)}, "<customers>")
    raise ConfigurationError(
        "the customers cannot be read from what was given",
        remedy="give a path, a database URL, a mapping, a function or a CustomerDirectory",
    )


def _from_file(path: Path) -> CustomerDirectory:
    from exportguard.parties import documents

    suffix = path.suffix.casefold()
    if suffix in (".db", ".sqlite", ".sqlite3"):
        from exportguard.parties.databases import SQLiteDirectory

        return SQLiteDirectory(path)
    if suffix in (".yaml", ".yml", ".json", ".csv"):
        return documents.read_file(path, suffix)
    raise DocumentError(
        "is no customers file that can be read", place=str(path), remedy="use .yaml, .json, .csv or .sqlite"
    )
