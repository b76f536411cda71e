"""Timestamps and durations as microseconds, with CEL's accessors in UTC as arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from exportguard.authoring.proof.logic import B, disj, z3
from exportguard.authoring.proof.terms import Term, UnsupportedError, number

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = timedelta(microseconds=1)
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _UNIT
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _UNIT
_LONGEST = (timedelta.max // _UNIT, timedelta.min // _UNIT)
_SECOND = 10**6
_DAY = 86_400 * _SECOND
_SPANS = {"getHours": 3600 * _SECOND, "getMinutes": 60 * _SECOND, "getSeconds": _SECOND, "getMilliseconds": 1000}


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // _UNIT


def moment(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


def from_python(value: Any) -> Term:
    """A timestamp or duration of the conversions as a term."""
    if isinstance(value, datetime):
        return Term("time", micros(value))
    if isinstance(value, timedelta):
        return Term("span", value // _UNIT)
    raise UnsupportedError("a time of another kind")


def join(op: str, left: Term, right: Term) -> Term | None:
    """`+` and `-` where one side is a time or a span; None where they do not join."""
    kinds = (left.kind, right.kind)
    if kinds == ("time", "time") and op == "-":
        return _ranged("span", left.value - right.value)
    if kinds == ("span", "span") or kinds == ("time", "span"):
        value = left.value + right.value if op == "+" else left.value - right.value
        return _ranged(left.kind, value)
    if kinds == ("span", "time") and op == "+":
        return _ranged("time", left.value + right.value)
    return None


def _ranged(kind: str, value: Any) -> Term:
    high, low = (LAST, FIRST) if kind == "time" else _LONGEST
    outside: B = not low <= value <= high if isinstance(value, int) else disj((value < low, value > high))
    return Term(kind, value, outside)


def seconds(value: Any) -> Any:
    """Whole seconds since 1970, towards the past."""
    return value // _SECOND if isinstance(value, int) else value / _SECOND


def from_seconds(value: Any) -> Term:
    return _ranged("time", (value if isinstance(value, int) else number(value)) * _SECOND)


def part(name: str, value: Term, zone: str) -> Term:
    """An accessor of a timestamp, in UTC or at a fixed offset, or of a duration."""
    from exportguard.language.conversions import time_part

    if isinstance(value.value, int):
        plain: Any = moment(value.value) if value.kind == "time" else timedelta(microseconds=value.value)
        found = time_part(name, plain, zone)
        if isinstance(found, int):
            return Term("number", found)
        return Term("number", 0, open=True)
    module = z3()
    if value.kind == "span":
        size = module.If(value.value < 0, -value.value, value.value) / _SPANS[name]
        size = size % 1000 if name == "getMilliseconds" else size
        return Term("number", module.If(value.value >= 0, size, -size))
    if zone not in ("UTC", "Z", ""):
        raise UnsupportedError(f"`{name}` in a time zone")
    return Term("number", _of_day(name, value.value))


def _of_day(name: str, value: Any) -> Any:
    """Civil dates from days by the usual arithmetic on eras of 400 years; every divisor is a constant."""
    module = z3()
    rest = value % _DAY
    if name == "getHours":
        return rest / (3600 * _SECOND)
    if name == "getMinutes":
        return rest / (60 * _SECOND) % 60
    if name == "getSeconds":
        return rest / _SECOND % 60
    if name == "getMilliseconds":
        return rest / 1000 % 1000
    days = value / _DAY
    if name == "getDayOfWeek":
        return (days + 4) % 7
    shifted = days + 719_468  # days since 0000-03-01
    of_era = shifted % 146_097
    year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365
    day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100)
    month = (5 * day_of_year + 2) / 153  # from March on
    day = day_of_year - (153 * month + 2) / 5
    year = shifted / 146_097 * 400 + year_of_era + module.If(month >= 10, 1, 0)
    if name == "getFullYear":
        return year
    if name == "getMonth":
        return module.If(month < 10, month + 2, month - 10)
    if name in ("getDate", "getDayOfMonth"):
        return day + 1 if name == "getDate" else day
    leap = module.And(year % 4 == 0, module.Or(year % 100 != 0, year % 400 == 0))
    before_march = module.If(leap, 60, 59)
    return module.If(month < 10, day_of_year + before_march, day_of_year - 306)
