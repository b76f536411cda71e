"""What lifts a rule, and how much of it is left: authorizations and the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.authority.authorizations import load_authorizations

_HOMES = {"load_authorizations": "authorizations"}

__all__ = ["load_authorizations"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        value = getattr(importlib.import_module(f"exportguard.authority.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
