"""How the fixture `guard` comes to be: its settings, and the policies that tests with equal settings share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pytest

from exportguard.errors import ConfigurationError
from exportguard.judging import State, load_state
from exportguard.testing.recorder import RecordingGuard

_STATES: pytest.StashKey[dict[Any, State]] = pytest.StashKey()
_SETTINGS = (
    "policies", "packs", "customers", "authorizations", "lists", "as_of", "mode", "customer", "resolver", "ledger",
    "install",
)  # fmt: skip
_PATHS = ("policies", "customers", "authorizations")


@contextmanager
def guard_for(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[RecordingGuard]:
    """The guard of one test, as its marker and the configuration say."""
    chosen = settings(request)
    ledger = None
    if chosen.get("ledger"):
        from exportguard.stores import open_ledger

        ledger = open_ledger(str(folders.mktemp("exportguard") / "ledger.sqlite3"))
    clock = None
    if chosen.get("as_of") is not None:
        instant = _instant(chosen["as_of"])
        clock = _fixed(instant)
    state = _state(request.config, chosen)
    guard = RecordingGuard(
        state,
        log=None,
        ledger=ledger,
        mode=chosen.get("mode") or "enforce",
        clock=clock,
        resolver=chosen.get("resolver"),
    )
    with guard:
        if chosen.get("install"):
            guard.install()
        customer = chosen.get("customer")
        if customer is None:
            yield guard
        else:
            with guard.acting_for(*([customer] if isinstance(customer, str) else customer)):
                yield guard


def _fixed(instant: datetime) -> Any:
    return lambda: instant


def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the marker says (the nearest wins, key by key), else the ini options, else `[tool.exportguard]`.

    Raises:
        ConfigurationError: the marker is given something that it does not know.
    """
    chosen: dict[str, Any] = {}
    for mark in request.node.iter_markers("exportguard"):
        if mark.args:
            raise ConfigurationError(
                "the marker `exportguard` takes named settings only", remedy=f"There are: {', '.join(_SETTINGS)}."
            )
        for name, value in mark.kwargs.items():
            if name not in _SETTINGS:
                near = get_close_matches(name, _SETTINGS, n=1)
                hint = f"Did you mean `{near[0]}`? " if near else ""
                raise ConfigurationError(
                    f"`{name}` is no setting of the marker `exportguard`",
                    remedy=f"{hint}There are: {', '.join(_SETTINGS)}.",
                )
            chosen.setdefault(name, value)
    if not {"policies", "packs"} & set(chosen):
        for name in ("policies", "packs"):
            _from_ini(request.config, name, chosen)
    for name in ("customers", "authorizations", "as_of"):
        if name not in chosen:
            _from_ini(request.config, name, chosen)
    _from_pyproject(request.config, chosen)
    root = request.config.rootpath
    for name in _PATHS:
        value = chosen.get(name)
        if (isinstance(value, str) and "://" not in value) or isinstance(value, Path):
            chosen[name] = str(root / value)
    if isinstance(chosen.get("packs"), str):
        chosen["packs"] = [name.strip() for name in chosen["packs"].split(",") if name.strip()]
    return chosen


def _from_ini(config: pytest.Config, name: str, chosen: dict[str, Any]) -> None:
    value = config.getini(f"exportguard_{name}")
    if value:
        chosen[name] = value


def _from_pyproject(config: pytest.Config, chosen: dict[str, Any]) -> None:
    """`[tool.exportguard]` of the project, for what nothing else says."""
    import tomllib

    file = config.rootpath / "pyproject.toml"
    if not file.is_file():
        return
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("exportguard", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", place=str(file)) from error
    decided = bool({"policies", "packs"} & set(chosen))
    for name in ("policies", "packs", "customers", "authorizations", "lists"):
        if name in table and name not in chosen and not (decided and name in ("policies", "packs")):
            chosen[name] = table[name]


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise ConfigurationError(f"`{value}` is no date or instant", remedy="Write 2024-05-01.") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None and len(str(value)) == 10 else instant


def _state(config: pytest.Config, chosen: dict[str, Any]) -> State:
    """Policies, customers and lists: loaded once for tests with equal settings."""
    given = [chosen.get(name) for name in ("policies", "packs", "customers", "authorizations")]
    lists = chosen.get("lists", "default")
    states = config.stash.setdefault(_STATES, {})
    key: Any = tuple(tuple(v) if isinstance(v, list) else v for v in (*given, lists))
    try:
        known = states.get(key)
    except TypeError:  # given as objects: nothing to know them by
        return load_state(given[0], given[1], given[2], given[3], lists)
    if known is None:
        known = states[key] = load_state(given[0], given[1], given[2], given[3], lists)
    return known
