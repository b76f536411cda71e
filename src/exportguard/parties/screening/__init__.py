"""Restricted-party screening of names against the Consolidated Screening List. Imported lazily, loaded when used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.parties.screening.batch import screen_many
    from exportguard.parties.screening.choosing import load_lists, old_list
    from exportguard.parties.screening.refresh import Refreshed
    from exportguard.parties.screening.result import Match, Screener, ScreeningResult, Status
    from exportguard.parties.screening.screener import NameScreener, load_screener
    from exportguard.parties.screening.snapshots import InstalledScreener, UnavailableScreener

_HOMES = {
    "InstalledScreener": "snapshots",
    "Match": "result",
    "NameScreener": "screener",
    "Refreshed": "refresh",
    "Screener": "result",
    "ScreeningResult": "result",
    "Status": "result",
    "UnavailableScreener": "snapshots",
    "load_lists": "choosing",
    "load_screener": "screener",
    "old_list": "choosing",
    "screen_many": "batch",
}

__all__ = [
    "InstalledScreener", "Match", "NameScreener", "Refreshed", "Screener", "ScreeningResult", "Status",
    "UnavailableScreener", "load_lists", "load_screener", "old_list", "screen_many",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
