"""Periods over which use adds up: ISO 8601 durations, aligned to UTC boundaries."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?P<hours>\d{1,7})H)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


class Period(NamedTuple):
    """A number of months, or a number of hours."""

    months: int
    hours: int
    weekly: bool


@lru_cache(maxsize=256)
def read_period(text: str) -> Period:
    """Read `P1Y`, `P3M`, `P1W`, `P30D`, `PT6H` and their sums.

    Raises:
        ValueError: no such duration; months together with days or hours (they have no common measure); shorter than
            an hour, which is as fine as the ledger counts.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text}` is not a period of whole years, months, weeks, days or hours (P1Y, P1M, P1D, PT1H)")
    part = {name: int(value) for name, value in found.groupdict(default="0").items()}
    months = part["years"] * 12 + part["months"]
    hours = (part["weeks"] * 7 + part["days"]) * 24 + part["hours"]
    if bool(months) == bool(hours):
        raise ValueError(f"`{text}` " + ("mixes months with days or hours" if months else "is no time at all"))
    weekly = bool(part["weeks"]) and not part["days"] and not part["hours"]
    return Period(months, hours, weekly)


def window(period: Period, at: datetime) -> tuple[datetime, datetime]:
    """The period that *at* falls into, half-open, UTC.

    Months are counted from January of year 0 (so quarters and years begin where calendars have them), weeks from
    Monday, days and hours from 1970-01-01T00:00Z.
    """
    at = at.astimezone(UTC)
    if period.months:
        index = (at.year * 12 + at.month - 1) // period.months * period.months
        return _month(index), _month(index + period.months)
    origin = _FIRST_MONDAY if period.weekly else _EPOCH
    length = timedelta(hours=period.hours)
    start = origin + (at - origin) // length * length
    return start, start + length


def _month(index: int) -> datetime:
    year, month = divmod(index, 12)
    # The edges of the calendar: a period of a thousand years may begin before year 1 or end after 9999.
    if year < 1:
        return datetime.min.replace(tzinfo=UTC)
    if year > 9999:
        return datetime.max.replace(tzinfo=UTC)
    return datetime(year, month + 1, 1, tzinfo=UTC)


LEVEL = "L"
"""The bucket that is never reset: what is installed now."""


def buckets_of(at: datetime) -> tuple[str, str, str]:
    """The buckets that a draw at *at* is added to: its hour, its month, and the level."""
    at = at.astimezone(UTC)
    return _buckets(at.year, at.month, at.day, at.hour)


@lru_cache(maxsize=64)
def _buckets(year: int, month: int, day: int, hour: int) -> tuple[str, str, str]:
    return f"H{year:04}-{month:02}-{day:02}T{hour:02}", f"M{year:04}-{month:02}", LEVEL


def bucket_range(text: str | None, at: datetime) -> tuple[str, str]:
    """First bucket of the period *text* at *at*, and the first one after it. Raises ValueError as `read_period`."""
    if text is None:
        return LEVEL, LEVEL + "\x01"
    period = read_period(text)
    start, end = window(period, at)
    which = 1 if period.months else 0
    return buckets_of(start)[which], buckets_of(end)[which]
