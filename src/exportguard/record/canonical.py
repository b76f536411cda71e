"""Canonical JSON (RFC 8785), and any Python value as JSON that it can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

_LARGEST = 2**53 - 1
"""RFC 8785 writes numbers as IEEE 754 doubles; integers beyond this are not exact in them."""

_MAX_DEPTH = 200


def canonical(value: Any) -> bytes:
    """*value* as RFC 8785 writes it.

    Raises:
        ValueError: it holds something that has no canonical form; the text says where.
    """
    import rfc8785

    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        found = _unfit(value, "$", 0)
        raise ValueError(found or f"it has no canonical form: {error}") from None


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


def json_safe(value: Any, _depth: int = 0) -> Any:
    """*value* as JSON that `canonical` takes. Total: what JSON cannot hold becomes text that says what it was.

    So no decision goes unrecorded because of a NaN, a huge integer or a lone surrogate in somebody's parameters.
    """
    if _depth > _MAX_DEPTH:
        return "[too deep]"
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return json_safe(value.value, _depth)
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST else _huge(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return str(value) if _encodes(value) else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): json_safe(inner, _depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(inner, _depth + 1) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted((json_safe(inner, _depth + 1) for inner in value), key=repr)
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return json_safe(dump(mode="json"), _depth + 1)
    return f"[a {type(value).__name__}]"


def _key(key: object) -> str:
    safe = json_safe(key, _MAX_DEPTH)
    return safe if isinstance(safe, str) else str(safe)


def _huge(value: int) -> str:
    # Decimal text of an integer of unlimited size takes quadratic time, and CPython refuses it beyond 4300 digits.
    return str(value) if value.bit_length() <= 4096 else f"[an integer of {value.bit_length()} bits]"
