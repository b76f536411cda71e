"""The surface as data: resource type and verb -> operation. One module for each service family."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from exportguard.adapters.azure.operations.reading import Operation, Table

_FAMILIES = (
    "compute",
    "cognitive",
    "batch",
    "databricks",
    "containers",
    "machinelearning",
    "analytics",
    "accounts",
    "transfers",
    "workflows",
    "programs",
    "forwarding",
)


@cache
def table() -> Table:
    """All families in one table. Loaded once, when the first call is judged."""
    found: Table = {}
    for family in _FAMILIES:
        part: Table = import_module(f"{__name__}.{family}").TABLE
        for kind, verbs in part.items():
            found.setdefault(kind, {}).update(verbs)
    return found


def find(kind: str, method: str, action: str) -> Operation | None:
    """The operation of a write to *kind*; None when the table has the type but not this verb, or not the type."""
    verbs = table().get(kind)
    if verbs is None:
        return None
    verb = _VERBS.get(method)
    return verbs.get(f"post:{action}" if verb is None or action else verb)


_VERBS = {name: name.lower() for verb in ("put", "patch") for name in (verb, verb.upper())}
