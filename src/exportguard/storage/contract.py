"""What a database has to do for the rooms that keep something, and how it says that it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

Row = tuple[Any, ...]


class StorageError(Exception):
    """A store that cannot be used. `kind` is one of the keys of `_REMEDIES`; the text names the place and a remedy."""

    def __init__(self, kind: str, place: str, detail: str) -> None:
        super().__init__(kind, place, detail)
        self.kind, self.place, self.detail = kind, place, detail

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}\n  help: {_REMEDIES[self.kind]}"


_REMEDIES = {
    "full": "Free some space, or keep the store on another disk (EXPORTGUARD_HOME, record=, ledger=).",
    "locked": "Find the process that holds it, or give every machine's processes a PostgreSQL store.",
    "readonly": "Make the file and its directory writable for this user, or name another place.",
    "cannot-create": "Name a place that can be created (EXPORTGUARD_HOME, record=, ledger=).",
    "gone": "Put the file back, or restart the process to begin a new one; keep what was written so far.",
    "corrupt": "Restore it from a copy, or move it away to begin a new one; keep it as evidence.",
    "foreign": "Name a file of its own for exportguard.",
    "newer": "Upgrade exportguard, or name another store.",
    "network": "Use a local disk, or a PostgreSQL store for several machines.",
    "unreachable": "See that the database server runs and can be reached with this URL.",
    "other": "See the cause in the chained error.",
}


class Session(Protocol):
    """One connection. SQL takes `:name` parameters and is common to SQLite and PostgreSQL."""

    dialect: str

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]: ...
    def execute_each(self, sql: str, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Run *sql*, which returns no rows, once for each of *parameters*."""
        ...

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


W_contra = TypeVar("W_contra", contravariant=True)


class Together(Protocol[W_contra]):
    """How to do many works of one kind at once: the results in the order of the works, or an error that is that of one
    of them, with which none is done."""

    def __call__(self, session: Session, works: Sequence[W_contra], /) -> Sequence[Any]: ...


class Driver(Protocol):
    """How to connect to one store, and what its errors mean."""

    place: str
    types: Mapping[str, str]

    def connect(self, *, writing: bool) -> Session: ...
    def explain(self, error: Exception) -> StorageError | None: ...
    def check(self) -> None:
        """Raise StorageError when what was committed is no longer where *place* says."""
        ...

    def retries(self, error: StorageError) -> bool:
        """True when a new connection may do what this one could not."""
        ...


class Schema(NamedTuple):
    """The tables of one room. `version` grows with every change; a store with a greater one is refused."""

    name: str
    version: int
    statements: tuple[str, ...]


def is_like(target: Any, protocol: type) -> bool:
    """Whether *target* has every method of *protocol*, its own or handed on: from Python 3.12 on, isinstance() sees
    only its own."""
    names = [name for name in vars(protocol) if not name.startswith("_")]
    return all(callable(getattr(target, name, None)) for name in names)
