"""Who is behind a request: the customer directory, ownership and restricted-party screening.

Names are imported when first used: `import exportguard.parties` reads no file and loads no matcher.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.parties.customer import Customer
    from exportguard.parties.directory import CustomerDirectory, MemoryDirectory
    from exportguard.parties.opening import load_directory
    from exportguard.parties.ownership import answer
    from exportguard.parties.resolution import ResolvedParties, resolve

_HOMES = {
    "Customer": "customer",
    "CustomerDirectory": "directory",
    "MemoryDirectory": "directory",
    "ResolvedParties": "resolution",
    "answer": "ownership",
    "load_directory": "opening",
    "resolve": "resolution",
}

__all__ = [
    "Customer", "CustomerDirectory", "MemoryDirectory", "ResolvedParties", "answer", "load_directory", "resolve",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
