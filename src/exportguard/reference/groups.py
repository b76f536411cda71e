"""Country groups at an instant, territories counted as the EAR counts them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from exportguard.errors import NaiveInstantError


def instant(text: str) -> datetime:
    """00:00 UTC of an ISO date."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Groups:
    """Membership by group, as a list of (since, members), oldest first.

    Where the day of a change is not known the membership under which more is controlled holds between its bounds: a
    country stays in the D and E groups to the later bound, and joins the A groups only then. Changes before
    2022-10-07 are not recorded: an earlier instant reads as that day.
    """

    def __init__(self, table: Mapping[str, Any], providers: Mapping[str, Any], codes: frozenset[str]) -> None:
        current = {group["name"]: set(group["members"]) for group in table["groups"]}
        dated: list[tuple[datetime, Mapping[str, Any]]] = [(_when(change), change) for change in table["changes"]]
        dated.sort(key=lambda pair: pair[0])
        self._dates = tuple(sorted({when for when, _ in dated}))
        states: list[tuple[datetime, dict[str, set[str]]]] = []
        for when, change in reversed(dated):
            states.append((when, {name: set(members) for name, members in current.items()}))
            for name in change["left"]:
                current[name].add(change["country"])
            for name in change["joined"]:
                current[name].discard(change["country"])
        states.append((datetime.min.replace(tzinfo=UTC), current))
        states.reverse()
        territories = [(row["country"], row["as"]) for row in table["territories"]]
        self._states = [
            (since, {name: _with_territories(members, territories) for name, members in groups.items()})
            for since, groups in states
        ]
        self._fixed: dict[str, frozenset[str]] = {
            f"provider:{row['provider']}": frozenset(row["countries"]) for row in providers["lists"]
        }
        self.names = frozenset(current) | frozenset(self._fixed)
        self._codes = codes

    def members(self, name: str, as_of: datetime) -> frozenset[str]:
        fixed = self._fixed.get(name)
        if fixed is not None:
            return fixed
        if as_of.tzinfo is None or as_of.utcoffset() is None:
            raise NaiveInstantError("the instant of a country group needs a timezone")
        chosen = self._states[0][1]
        for since, groups in self._states:
            if since <= as_of:
                chosen = groups
        return chosen[name]

    @property
    def dates(self) -> tuple[datetime, ...]:
        return self._dates


def _when(change: Mapping[str, Any]) -> datetime:
    if "from" in change:
        return instant(change["from"])
    return instant(change["between"][1])


def _with_territories(members: set[str], territories: list[tuple[str, str]]) -> frozenset[str]:
    return frozenset(members | {territory for territory, country in territories if country in members})
