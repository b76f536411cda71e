"""Country groups at an instant, territories counted as the EAR counts them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from exportguard.errors import NaiveInstantError

_EVER = datetime.min.replace(tzinfo=UTC)


def instant(text: str) -> datetime:
    """00:00 UTC of an ISO date."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Groups:
    """Membership by group, as a list of (since, members), oldest first.

    Where the day of a change is not known the membership under which more is controlled holds between its bounds: a
    country stays in the D and E groups to the later bound, and joins the A groups only then. Changes before
    2022-10-07 are not recorded: an earlier instant reads as that day.
    """

    def __init__(self, table: Mapping[str, Any], providers: Mapping[str, Any]) -> None:
        current = {group["name"]: set(group["members"]) for group in table["groups"]}
        dated: list[tuple[datetime, Mapping[str, Any]]] = [(_when(change), change) for change in table["changes"]]
        dated.sort(key=lambda pair: pair[0])
        spans: list[tuple[datetime, dict[str, frozenset[str]]]] = []
        for when, change in reversed(dated):
            spans.append((when, {name: frozenset(members) for name, members in current.items()}))
            for name in change["left"]:
                current[name].add(change["country"])
            for name in change["joined"]:
                current[name].discard(change["country"])
        spans.append((_EVER, {name: frozenset(members) for name, members in current.items()}))
        spans.reverse()
        territories = [
            (instant(row["from"]) if "from" in row else _EVER, row["country"], row["as"])
            for row in table["territories"]
        ]
        self._dates = tuple(sorted({since for since, _ in spans} | {since for since, _, _ in territories}))[1:]
        self._states = [
            (since, {n: _joined(m, since, territories) for n, m in _at(spans, since).items()})
            for since in (_EVER, *self._dates)
        ]
        # Where a provider serves the United States it serves their territories, which its list need not name; of
        # China's regions it names those that it serves.
        of_us = [territory for territory in territories if territory[2] == "US"]
        self._fixed: dict[str, frozenset[str]] = {
            f"provider:{row['provider']}": _joined(frozenset(row["countries"]), _EVER, of_us)
            for row in providers["lists"]
        }
        self.names = frozenset(current) | frozenset(self._fixed)

    def members(self, name: str, as_of: datetime) -> frozenset[str]:
        fixed = self._fixed.get(name)
        if fixed is not None:
            return fixed
        if as_of.tzinfo is None or as_of.utcoffset() is None:
            raise NaiveInstantError("the instant of a country group needs a timezone")
        return self._states[bisect_right(self._dates, as_of)][1][name]

    @property
    def dates(self) -> tuple[datetime, ...]:
        return self._dates


def _when(change: Mapping[str, Any]) -> datetime:
    if "from" in change:
        return instant(change["from"])
    return instant(change["between"][1])


def _at(spans: list[tuple[datetime, dict[str, frozenset[str]]]], when: datetime) -> dict[str, frozenset[str]]:
    return [groups for since, groups in spans if since <= when][-1]


def _joined(members: frozenset[str], when: datetime, territories: list[tuple[datetime, str, str]]) -> frozenset[str]:
    return members | {code for since, code, country in territories if since <= when and country in members}
