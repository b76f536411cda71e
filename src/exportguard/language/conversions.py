"""Conversions between values, and times: CEL's functions of those names, to the microsecond."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

from exportguard.language.evaluation import Indeterminate
from exportguard.language.values import MAX_INT, MIN_INT, failure, integer

_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))\Z")
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")
_UNIT = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 1000, "µs": 1000, "ns": 1}
_INT_TEXT = re.compile(r"-?[0-9]{1,19}\Z")
_DOUBLE_TEXT = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\Z", re.ASCII)


def parse_timestamp(text: str) -> datetime:
    """RFC 3339, to the microsecond. Raises ValueError."""
    found = _STAMP.match(text)
    if found is None or not text.isascii():
        raise ValueError("not an RFC 3339 date and time with an offset")
    year, month, day, hour, minute, second, fraction, sign, off_hour, off_minute = found.groups()
    micro = (fraction or "").ljust(6, "0")
    if len(micro) > 6 and micro[6:].strip("0"):
        raise ValueError("finer than a microsecond")
    zone: timezone = UTC
    if sign:
        offset = timedelta(hours=int(off_hour), minutes=int(off_minute))
        if int(off_minute) > 59 or int(off_hour) > 23:
            raise ValueError("not an offset")
        zone = timezone(offset if sign == "+" else -offset)
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), int(micro[:6]), tzinfo=zone
        )
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("out of range") from error


def parse_duration(text: str) -> timedelta:
    """Go's form, as CEL's: `1h30m`, `-1.5s`. Raises ValueError."""
    body = text[1:] if text[:1] in ("-", "+") else text
    if body == "0":
        return timedelta()
    total, at = Fraction(0), 0
    while at < len(body):
        found = _PART.match(body, at)
        if found is None or not found.group(1).isascii() or len(found.group(1)) > 30:
            raise ValueError("not a duration such as `36h` or `90m`")
        total += Fraction(found.group(1).rstrip(".") or "0") * _UNIT[found.group(2)]
        at = found.end()
    if not body:
        raise ValueError("not a duration such as `36h` or `90m`")
    if total % 1000:
        raise ValueError("finer than a microsecond")
    if total > 315_576_000_000 * 10**9:
        raise ValueError("out of range")
    span = timedelta(microseconds=int(total / 1000))
    return -span if text[:1] == "-" else span


def convert_literal(name: str, literal: str | float) -> str | None:
    """What is wrong with converting *literal* by the function *name*; None if nothing is."""
    value = CONVERSIONS[name](literal)
    return value.causes[0].reason if value.__class__ is Indeterminate else None


def _to_timestamp(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            return parse_timestamp(value)
        if isinstance(value, int):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    except OverflowError:
        return failure("not a timestamp: out of range")
    except ValueError as error:
        return failure(f"not a timestamp: {error}")
    return failure("not a timestamp")


def _to_duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(value)
    except (ValueError, TypeError, OverflowError) as error:
        return failure(f"not a duration: {error}")


def _to_int(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    if isinstance(value, str):
        return integer(int(value)) if _INT_TEXT.match(value) else failure("not a whole number")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | Fraction) and math.isfinite(value):
        # Both ends of the range are excluded: as a double, the largest int is 2**63.
        return math.trunc(value) if MIN_INT < value < MAX_INT else failure("a number does not fit into 64 bits")
    return failure("not a whole number")


def _to_double(value: Any) -> Any:
    if isinstance(value, str):
        number = float(value) if _DOUBLE_TEXT.match(value) and len(value) < 400 else math.nan
        return number if math.isfinite(number) else failure("not a finite number")
    return float(value)


def _to_string(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, float | Fraction):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if isinstance(value, datetime):
        text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
        micro = f"{value.microsecond:06}".rstrip("0")
        return f"{text}.{micro}Z" if micro else f"{text}Z"
    if isinstance(value, timedelta):
        micros = abs(value) // timedelta(microseconds=1)
        seconds, rest = divmod(micros, 10**6)
        sign = "-" if value < timedelta() else ""
        fraction = f"{rest:06}".rstrip("0")
        return f"{sign}{seconds}.{fraction}s" if fraction else f"{sign}{seconds}s"
    return failure("this has no text form")


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "timestamp": _to_timestamp,
    "duration": _to_duration,
    "int": _to_int,
    "double": _to_double,
    "string": _to_string,
}


_FIXED_ZONE = re.compile(r"([+-]?)(\d\d):(\d\d)\Z", re.ASCII)


def time_part(name: str, value: Any, zone: str = "UTC") -> Any:
    """The accessors of timestamps (in UTC, or in the zone given by IANA name or offset) and of durations."""
    if isinstance(value, timedelta):
        micros = value // timedelta(microseconds=1)
        unit = {"getHours": 3600 * 10**6, "getMinutes": 60 * 10**6, "getSeconds": 10**6, "getMilliseconds": 1000}[name]
        whole = abs(micros) // unit
        whole = whole % 1000 if name == "getMilliseconds" else whole
        return whole if micros >= 0 else -whole
    if not isinstance(value, datetime):
        return failure(f"`{name}` needs a timestamp")
    try:
        local = value.astimezone(_zone(zone))
    except (ValueError, OverflowError, OSError, KeyError):
        return failure(f"`{zone}` is not a time zone")
    return {
        "getFullYear": local.year,
        "getMonth": local.month - 1,
        "getDate": local.day,
        "getDayOfMonth": local.day - 1,
        "getDayOfWeek": local.isoweekday() % 7,
        "getDayOfYear": local.timetuple().tm_yday - 1,
        "getHours": local.hour,
        "getMinutes": local.minute,
        "getSeconds": local.second,
        "getMilliseconds": local.microsecond // 1000,
    }[name]


def _zone(name: str) -> Any:
    if name in ("UTC", "Z", ""):
        return UTC
    found = _FIXED_ZONE.match(name)
    if found:
        offset = timedelta(hours=int(found.group(2)), minutes=int(found.group(3)))
        return timezone(-offset if found.group(1) == "-" else offset)
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def is_zone(name: str) -> bool | None:
    """Whether `time_part` knows this zone; None where this machine has no names of zones at all."""
    try:
        _zone(name)
    except (ValueError, OverflowError, OSError, KeyError):
        from zoneinfo import available_timezones

        return False if available_timezones() else None
    return True
