"""Restricted-party screening of names against the Consolidated Screening List. Imported lazily, loaded when used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.parties.screening.result import Match, Screener, ScreeningResult, Status
    from exportguard.parties.screening.screener import NameScreener, default_screener, load_screener
    from exportguard.parties.screening.shipped import ShippedScreener

_HOMES = {
    "Match": "result",
    "NameScreener": "screener",
    "Screener": "result",
    "ScreeningResult": "result",
    "ShippedScreener": "shipped",
    "Status": "result",
    "default_screener": "screener",
    "load_screener": "screener",
}

__all__ = [
    "Match", "NameScreener", "Screener", "ScreeningResult", "ShippedScreener", "Status", "default_screener",
    "load_screener",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
