"""Options of every verb: an explicit argument wins over `EXPORTGUARD_*`, that over `[tool.exportguard]`."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from exportguard.errors import ConfigurationError

if TYPE_CHECKING:
    from exportguard.judging import State

_KEYS = ("customers", "policies", "packs", "authorizations", "lists", "max_list_age", "ledger")
_STORES = ("record",)
_WANTED = {"packs": "a list of names", "max_list_age": "a number of days"}
"""What keys take that are not plain text."""


@dataclass(frozen=True, slots=True)
class Chosen:
    customers: str | None
    policies: str | None
    packs: list[str] | None
    authorizations: str | None
    lists: str | None
    max_list_age: str | int | None = None
    """Days; read by `exportguard.parties.screening.load_lists`."""
    ledger: str | None = None


def chosen(**given: str | None) -> Chosen:
    """Fill what is not given (by option or variable) from `[tool.exportguard]` of the nearest pyproject.toml.

    Paths there are relative to that file. Raises ConfigurationError for keys it does not know.
    """
    table, folder = _table()
    values: dict[str, Any] = {}
    for key in _KEYS:
        value: Any = given.get(key)
        if value is None and key in table:
            value = table[key]
            if (
                key not in ("packs", "max_list_age")
                and isinstance(value, str)
                and "://" not in value
                and value != "none"
            ):
                value = str(folder / value)
        values[key] = value
    packs = values["packs"]
    if isinstance(packs, str):
        packs = [name.strip() for name in packs.split(",") if name.strip()]
    return Chosen(**{**values, "packs": packs})


def load(given: Chosen) -> State:
    """What decisions are made from, loaded from where the options say."""
    from exportguard.judging import load_state

    lists = given.lists or "default"
    return load_state(given.policies, given.packs, given.customers, given.authorizations, lists, given.max_list_age)


def policy_paths() -> list[Path]:
    """Where the policies are when a verb is given no PATH: as configured, else `policies/`, else here."""
    from exportguard.authoring.files import default_paths

    return default_paths(chosen(policies=os.environ.get("EXPORTGUARD_POLICIES") or None).policies)


def store(which: Literal["record", "ledger"], given: str | None, beside: str | None = None) -> str:
    """Where the log or the ledger is: *given* (option or variable), else the settings, else *beside* (the other of
    the two, since they are one store by default), else the usual place."""
    if given is not None:
        return given
    table, folder = _table()
    value = table.get(which)
    if isinstance(value, str):
        return value if "://" in value else str(folder / value)
    if beside is not None:
        return beside
    from exportguard.storage import default_store

    return str(default_store())


def _table() -> tuple[dict[str, Any], Path]:
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if not os.path.isfile(file):
            continue
        try:
            document: Any = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigurationError(f"cannot be read: {error}", place=str(file)) from error
        tools = document.get("tool", {})
        table = tools.get("exportguard", {}) if isinstance(tools, dict) else {}
        if not isinstance(table, dict):
            raise ConfigurationError("`tool.exportguard` should be a table", place=str(file))
        unknown = sorted(set(table) - {*_KEYS, *_STORES})
        if unknown:
            raise ConfigurationError(
                f"`{unknown[0]}` is not a key of [tool.exportguard]",
                place=str(file),
                remedy=f"There are: {', '.join((*_KEYS, *_STORES))}.",
            )
        for key, value in table.items():
            if not _fits(key, value):
                remedy = 'Write it as `packs = ["baseline"]`.' if key == "packs" else None
                wanted = _WANTED.get(key, "text")
                raise ConfigurationError(f"`{key}` of [tool.exportguard] is {wanted}", place=str(file), remedy=remedy)
        return table, folder
    return {}, here


def _fits(key: str, value: Any) -> bool:
    if key == "packs" and isinstance(value, list):
        return all(isinstance(name, str) for name in value)
    return isinstance(value, str) or (key == "max_list_age" and isinstance(value, int) and not isinstance(value, bool))
