"""How old the tables are, and how much in them rests on less than a primary source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from exportguard.reference.facts import RANK

_ROWS = {
    "accelerators": ("accelerators", "id"),
    "country_groups": ("changes", "country"),
    "ear_rules": ("thresholds", "effective"),
    "instances_aws": ("instances", "name"),
    "instances_azure": ("instances", "name"),
    "processing": ("skus", "name"),
    "provider_countries": ("lists", "provider"),
    "timeline": ("timeline", "date"),
}
"""Where a table keeps its rows, and by what a row is called."""

STALE_AFTER_DAYS = 180
"""Half a year: how long the tables may go unread before `data check` says so, unless it is told otherwise."""


def read_dates(tables: Mapping[str, Any]) -> dict[str, date]:
    """The day each table was last read against its sources; a table whose date is newest in a row counts by its own."""
    return {name: date.fromisoformat(table["read"]) for name, table in tables.items() if "read" in table}


def stale(tables: Mapping[str, Any], today: date, days: int = STALE_AFTER_DAYS) -> dict[str, int]:
    """Tables read more than *days* before *today*, each with its age in days."""
    ages = {name: (today - read).days for name, read in read_dates(tables).items()}
    return {name: age for name, age in sorted(ages.items()) if age > days}


def levels(tables: Mapping[str, Any]) -> dict[str, Counter[str]]:
    """How many facts of each table rest on which level of confidence."""
    counted: dict[str, Counter[str]] = {}
    for table, _, level in _facts(tables):
        counted.setdefault(table, Counter())[level] += 1
    return counted


def below(tables: Mapping[str, Any], level: str) -> list[tuple[str, str, str]]:
    """Facts that rest on less than *level*: (table, entry, its level).

    Raises:
        KeyError: no such level.
    """
    bound = RANK[level]  # type: ignore[index]
    return [fact for fact in _facts(tables) if RANK.get(fact[2], 99) > bound]  # type: ignore[call-overload]


def _facts(tables: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, table in sorted(tables.items()):
        rows, key = _ROWS.get(name, (None, None))
        if rows is None:
            if isinstance(table, Mapping) and "confidence" in table:
                yield name, "the whole table", str(table["confidence"])
            continue
        if name == "country_groups":
            yield name, "the groups", str(table["confidence"])
        for row in table[rows]:
            yield name, str(row[key]), str(row.get("confidence"))
            area = row.get("die_area")
            if isinstance(area, Mapping) and "mm2" in area:
                yield name, f"{row[key]}, die area", str(area.get("confidence"))
        if name == "processing":
            for row in table["geographies"]:
                yield name, str(row["name"]), str(row.get("confidence"))
    for group in tables["regions"]["groups"]:
        for row in group["regions"]:
            yield "regions", str(row["region"]), str(row.get("confidence", group.get("confidence")))
