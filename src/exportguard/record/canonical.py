"""Canonical JSON (RFC 8785), and any Python value as JSON that it can hold."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from pydantic_core import to_json

_LARGEST = 2**53 - 1
"""RFC 8785 writes numbers as IEEE 754 doubles; integers beyond this are not exact in them."""

_MAX_DEPTH = 200
_MOST = 100_000
"""Objects and lists in one document: one that holds itself has no end."""


def canonical(value: Any) -> bytes:
    """*value* as RFC 8785 writes it.

    Raises:
        ValueError: it holds something that has no canonical form; the text says where.
    """
    whole, ordered = _plainness(value)
    if whole >= 0:
        with contextlib.suppress(ValueError, RecursionError):  # a lone surrogate, which is named below
            text = to_json(value) if ordered else _SORTING.encode(value).encode()
            return _without_fractions(text, whole) or canonical(_whole(value)) if whole else text
    import rfc8785

    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        found = _unfit(value, "$", 0)
        raise ValueError(found or f"it has no canonical form: {error}") from None


_SORTING = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _plainness(value: Any) -> tuple[int, bool]:
    """How many floats of *value* are whole numbers, which RFC 8785 writes as integers, and whether its keys are in
    order already. -1 where encoders in C would not write the rest as RFC 8785 does: keys whose order is the same in
    code points and in UTF-16, exact integers, and floats whose shortest form ECMAScript writes alike."""
    ordered = True
    whole = 0
    left: list[Any] = [(value,)]
    for members in left:  # which grows meanwhile
        for each in members:
            kind = type(each)
            if kind is str or each is None:
                continue
            if kind is dict:
                keys = tuple(each)
                sorted_ = _in_order(keys)
                if sorted_ != keys:
                    if sorted_ is None:
                        return _UNFIT
                    ordered = False
                left.append(each.values())
            elif kind is list or kind is tuple:
                left.append(each)
            elif kind is float:
                if each.is_integer():
                    if abs(each) > _LARGEST or (not each and math.copysign(1, each) < 0):
                        return _UNFIT
                    whole += 1
                elif not 1e-4 <= abs(each) < 1e15:
                    return _UNFIT
            elif kind is int:
                if not -_LARGEST <= each <= _LARGEST:
                    return _UNFIT
            elif kind is not bool:
                return _UNFIT
        if len(left) > _MOST:
            return _UNFIT
    return whole, ordered


_UNFIT: Final = (-1, False)


@lru_cache(maxsize=4096)
def _in_order(keys: tuple[Any, ...]) -> tuple[str, ...] | None:
    """*keys* sorted, the same tuple where they are; None if one is not plain ASCII. Nearly every object has the keys
    of one that was seen before."""
    if not all(type(key) is str and key.isascii() for key in keys):
        return None
    ordered = tuple(sorted(keys))
    return keys if ordered == keys else ordered


def _without_fractions(text: bytes, whole: int) -> bytes | None:
    """*text* with its *whole* whole numbers as integers; None where a text in it looks like one of them.

    Each of them ends in `.0`, so where there are no more of these than of them, all of these are theirs.
    """
    parts = text.split(b".0")
    if len(parts) == whole + 1:
        return b"".join(parts)
    made, count = _FRACTION.subn(b"", text)
    return made if count == whole else None


_FRACTION = re.compile(rb"\.0(?=[,\]}])")


def _whole(value: Any) -> Any:
    """A plain *value* with its whole numbers as integers."""
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() else value
    if kind is dict:
        return {key: inner if type(inner) is str else _whole(inner) for key, inner in value.items()}
    if kind is list or kind is tuple:
        return [inner if type(inner) is str else _whole(inner) for inner in value]
    return value


def read_canonical(text: bytes) -> Any:
    """What `canonical` wrote. A whole number too large to be exact can only have been a double, and is one again.

    Raises:
        ValueError: not JSON.
    """
    return json.loads(text, parse_int=_number)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < 16 or abs(int(digits)) <= _LARGEST else float(digits)


def _unfit(value: Any, path: str, depth: int) -> str | None:
    """Where the first thing is that RFC 8785 cannot hold, and what is wrong with it."""
    if depth > _MAX_DEPTH:
        return f"{path[:80]}…: nested more than {_MAX_DEPTH} deep"
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return f"{path}: an integer beyond 2^53 is not exact in JSON" if abs(value) > _LARGEST else None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{path}: {value} is no JSON number"
    if isinstance(value, str):
        return None if _encodes(value) else f"{path}: text that is not Unicode (a lone surrogate)"
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str) or not _encodes(key):
                return f"{path}: a key that is not text"
            found = _unfit(inner, f"{path}.{key}", depth + 1)
            if found:
                return found
        return None
    if isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            found = _unfit(inner, f"{path}[{index}]", depth + 1)
            if found:
                return found
        return None
    return f"{path}: a {type(value).__name__} is not JSON"


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_it_is(text: str) -> str:
    return text


def json_safe(value: Any, text: Callable[[str], str] = _as_it_is, _depth: int = 0) -> Any:
    """*value* as JSON that `canonical` takes. Total: what JSON cannot hold becomes text that says what it was.

    So no decision goes unrecorded because of a NaN, a huge integer or a lone surrogate in somebody's parameters.
    *text* is put over every text that is a value (not over keys).
    """
    kind = type(value)
    if kind is str:
        return text(value if value.isascii() or _encodes(value) else _with_surrogates(value))
    if value is None or kind is bool:
        return value
    if _depth > _MAX_DEPTH:
        return "[too deep]"
    if kind is dict:
        deeper = _depth + 1
        keys = _in_order(tuple(value))
        if keys is None:
            return {_key(key): json_safe(inner, text, deeper) for key, inner in value.items()}
        # In order, so that `canonical` has nothing to sort.
        return {
            key: inner if (inner := value[key]) is None or inner is True or inner is False
            else json_safe(inner, text, deeper)
            for key in keys
        }  # fmt: skip
    if kind is list or kind is tuple:
        deeper = _depth + 1
        return [json_safe(inner, text, deeper) for inner in value]
    return _safe(value, text, _depth)


def _with_surrogates(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()


def _safe(value: Any, text: Callable[[str], str], _depth: int) -> Any:
    if isinstance(value, Enum):
        return json_safe(value.value, text, _depth)
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST else _huge(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        # RFC 8785 writes a whole number without a fraction: it is read back as an integer either way.
        return int(value) if value.is_integer() and abs(value) <= _LARGEST else float(value)
    if isinstance(value, str):
        return text(str(value) if _encodes(value) else _with_surrogates(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): json_safe(inner, text, _depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(inner, text, _depth + 1) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((json_safe(inner, text, _depth + 1) for inner in value), key=repr)
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return json_safe(dump(mode="json"), text, _depth + 1)
    return f"[a {type(value).__name__}]"


def _key(key: object) -> str:
    safe = json_safe(key, _as_it_is, _MAX_DEPTH)
    return safe if isinstance(safe, str) else str(safe)


def _huge(value: int) -> str:
    # Decimal text of an integer of unlimited size takes quadratic time, and CPython refuses it beyond 4300 digits.
    return str(value) if value.bit_length() <= 4096 else f"[an integer of {value.bit_length()} bits]"
