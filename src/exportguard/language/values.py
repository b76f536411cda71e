"""Operations on values at run time, in three answers: a value, or `Indeterminate` for unknown and for error.

Every operation is monotone: an operand that becomes known can settle an open result, never change a settled one.
That is what makes "hiding a fact never unlocks a request" true of every condition.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

from exportguard.language.evaluation import Cause, Indeterminate
from exportguard.vocabulary.fact import Unknown

MIN_INT, MAX_INT = -(2**63), 2**63 - 1
MAX_TEXT = 1_000_000
MAX_LIST = 100_000

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def failure(reason: str, path: str = "") -> Indeterminate:
    return Indeterminate((Cause(path, reason, "error"),))


def merged(*values: Any) -> Indeterminate:
    """The union of the causes of those of *values* that are open."""
    causes: dict[Cause, None] = {}
    for value in values:
        if value.__class__ is Indeterminate:
            causes.update(dict.fromkeys(value.causes))
    return Indeterminate(tuple(causes))


def is_open(value: Any) -> bool:
    return value.__class__ is Indeterminate


def kind_of(value: Any) -> str:
    """The CEL kind of a Python value; `record` for anything else."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float | Fraction):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, datetime):
        return "timestamp"
    if isinstance(value, timedelta):
        return "duration"
    if isinstance(value, tuple | list | frozenset | set):
        return "list"
    return "record"


def elements(value: Any) -> tuple[Any, ...]:
    """A list's elements in a stable order; a fact that is Unknown becomes open, without a path of its own."""
    if isinstance(value, frozenset | set):
        return tuple(sorted(value))
    return tuple(Indeterminate((Cause("", part.reason),)) if part.__class__ is Unknown else part for part in value)


def equal(left: Any, right: Any) -> Any:
    """CEL's heterogeneous equality: different kinds are unequal; numbers compare exactly; lists element by element."""
    if left.__class__ is Indeterminate or right.__class__ is Indeterminate:
        return merged(left, right)
    kind = kind_of(left)
    if kind != kind_of(right):
        return False
    if kind == "record":
        return failure("records cannot be compared")
    if kind != "list":
        return bool(left == right)
    ours, theirs = elements(left), elements(right)
    if len(ours) != len(theirs):
        return False
    open_: list[Any] = []
    for one, other in zip(ours, theirs, strict=True):
        same = equal(one, other)
        if same is False:
            return False
        if same is not True:
            open_.append(same)
    return merged(*open_) if open_ else True


def different(left: Any, right: Any) -> Any:
    same = equal(left, right)
    return same if same.__class__ is Indeterminate else not same


def ordered(op: str, left: Any, right: Any) -> Any:
    if left.__class__ is Indeterminate or right.__class__ is Indeterminate:
        return merged(left, right)
    kind = kind_of(left)
    if kind != kind_of(right) or kind in ("null", "list", "record"):
        return failure(f"`{op}` cannot order {describe(left)} and {describe(right)}")
    return bool(_ORDER[op](left, right))


def describe(value: Any) -> str:
    return {"number": "a number", "string": "text", "bool": "a boolean", "null": "a fact that is not there"}.get(
        kind_of(value), f"a {kind_of(value)}"
    )


def member(element: Any, members: Any) -> Any:
    """`in`: true if a known element equals, else open if anything is open, else false."""
    if members.__class__ is Indeterminate:
        return merged(element, members)
    if kind_of(members) != "list":
        return failure("`in` needs a list")
    if isinstance(members, frozenset) and element.__class__ is str:
        return element in members
    if element.__class__ is Indeterminate and not members:
        return False
    open_: list[Any] = []
    for part in elements(members):
        same = equal(element, part)
        if same is True:
            return True
        if same is not False:
            open_.append(same)
    return merged(*open_) if open_ else False


def integer(value: int) -> Any:
    return value if MIN_INT <= value <= MAX_INT else failure("an integer does not fit into 64 bits")


def arithmetic(op: str, static: str, left: Any, right: Any) -> Any:
    """`+ - * / %`. *static* is the checked type; facts of type double may arrive as int or Fraction."""
    if left.__class__ is Indeterminate or right.__class__ is Indeterminate:
        return merged(left, right)
    kind = kind_of(left)
    if kind == kind_of(right) == "number":
        if static == "double" or (static != "int" and isinstance(left, float) and isinstance(right, float)):
            return _doubles(op, float(left), float(right))
        if isinstance(left, int) and isinstance(right, int):
            return _integers(op, left, right)
    elif op == "+" and kind == kind_of(right) == "string":
        return left + right if len(left) + len(right) <= MAX_TEXT else failure("a text grows too long")
    elif op == "+" and kind == kind_of(right) == "list":
        joined = (*elements(left), *elements(right))
        return joined if len(joined) <= MAX_LIST else failure("a list grows too long")
    elif op in "+-":
        pair = (kind, kind_of(right))
        try:
            if pair in (("timestamp", "duration"), ("duration", "duration")) or (pair, op) == (
                ("timestamp", "timestamp"),
                "-",
            ):
                return left + right if op == "+" else left - right
            if (pair, op) == (("duration", "timestamp"), "+"):
                return right + left
        except OverflowError:
            return failure("a time is out of range")
    return failure(f"`{op}` cannot join {describe(left)} and {describe(right)}")


def _integers(op: str, left: int, right: int) -> Any:
    if op == "+":
        return integer(left + right)
    if op == "-":
        return integer(left - right)
    if op == "*":
        return integer(left * right)
    if right == 0:
        return failure("division by zero" if op == "/" else "modulus by zero")
    quotient = abs(left) // abs(right)
    quotient = quotient if (left < 0) == (right < 0) else -quotient
    return (
        integer(quotient)
        if op == "/"
        else (left - right * quotient if integer(quotient) == quotient else integer(quotient))
    )


def _doubles(op: str, left: float, right: float) -> Any:
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    if op == "/":
        if right == 0:
            if left == 0 or left != left:
                return math.nan
            return math.copysign(math.inf, left) * math.copysign(1.0, right)
        return left / right
    return failure("`%` is for whole numbers")


def negative(value: Any) -> Any:
    if value.__class__ is Indeterminate:
        return value
    if kind_of(value) != "number":
        return failure("only a number can be negative")
    return integer(-value) if isinstance(value, int) else -value


def at_index(target: Any, index: Any) -> Any:
    if target.__class__ is Indeterminate or index.__class__ is Indeterminate:
        return merged(target, index)
    if kind_of(target) != "list" or isinstance(index, bool) or not isinstance(index, int | float):
        return failure("only a list is indexed, by a whole number")
    parts = elements(target)
    if index != int(index) or not 0 <= index < len(parts):
        return failure(f"index {index} is out of range: the list has {len(parts)} elements")
    return parts[int(index)]


# Conversions and times.

_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))\Z")
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")
_UNIT = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 1000, "µs": 1000, "ns": 1}
_INT_TEXT = re.compile(r"-?[0-9]{1,19}\Z")
_DOUBLE_TEXT = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)\Z")


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


def convert_literal(name: str, text: str) -> str | None:
    """What is wrong with converting *text* by the function *name*; None if nothing is."""
    value = CONVERSIONS[name](text)
    return value.causes[0].reason if value.__class__ is Indeterminate else None


def _to_timestamp(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            return parse_timestamp(value)
        if isinstance(value, int):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    except (ValueError, OverflowError) as error:
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


def size(value: Any) -> Any:
    return len(value) if kind_of(value) in ("list", "string") else failure("`size` needs a list or text")


_FIXED_ZONE = re.compile(r"([+-]?)(\d\d):(\d\d)\Z")


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
