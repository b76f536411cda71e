"""JSON text to plain data: no duplicate key, no NaN, no nesting past the limit, and a line and column for each."""

from __future__ import annotations

import json
import re
from typing import Any

from exportguard.errors import DocumentError

MAX_BYTES = 16 * 2**20
"""A request or call document is a few kilobytes; ARM templates inside one are bounded by 4 MB."""
MAX_DEPTH = 100
MAX_DIGITS = 400


def decode(data: bytes | str, place: str, *, max_bytes: int = MAX_BYTES) -> str:
    """UTF-8 text of a document. Raises DocumentError with the place for other bytes and for too many."""
    if len(data) > max_bytes:
        raise DocumentError(
            f"the document has {len(data):,} bytes, and {max_bytes:,} is the limit",
            place=place,
            remedy="Split it; JSON Lines files are read line by line.",
        )
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError("not UTF-8 text", place=f"{place}:{line}", remedy="Save it as UTF-8.") from None


def parse_json(data: bytes | str, place: str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Parse strict JSON. Raises DocumentError naming line and column."""
    text = decode(data, place, max_bytes=max_bytes)
    _refuse_depth(text, place, max_depth)

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(found)
        if len(result) != len(found):
            seen: set[str] = set()
            twice = next(key for key, _ in found if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise DocumentError(
                f"the key `{twice}` is given twice", place=_key_place(text, twice, place), remedy="Keep one of them."
            )
        return result

    def constant(word: str) -> Any:
        at = text.find(word)
        raise DocumentError(
            f"{word} is not a number that can be compared",
            place=f"{place}:{_line_column(text, at)}",
            remedy='Write {"unknown": "why"} for what is not known.',
        )

    def number(digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            at = text.find(digits)
            raise DocumentError(f"a number of more than {MAX_DIGITS} digits", place=f"{place}:{_line_column(text, at)}")
        return int(digits)

    def fraction(digits: str) -> float:
        value = float(digits) if len(digits) <= MAX_DIGITS else float("inf")
        return constant(digits) if value in (float("inf"), float("-inf")) else value

    try:
        return json.loads(
            text, object_pairs_hook=pairs, parse_constant=constant, parse_int=number, parse_float=fraction
        )
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"not JSON: {error.msg}",
            place=f"{place}:{error.lineno}:{error.colno}",
            remedy="Write one JSON document, a list of them, or JSON Lines.",
        ) from None
    except RecursionError:
        raise DocumentError("nested too deeply", place=place) from None


_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def _refuse_depth(text: str, place: str, limit: int) -> None:
    if text.count("[") + text.count("{") <= limit:
        return
    depth = 0
    for token in _STRUCTURE.finditer(text):
        mark = token.group()
        if mark in "[{":
            depth += 1
            if depth > limit:
                where = _line_column(text, token.start())
                raise DocumentError(
                    f"nested more than {limit} deep", place=f"{place}:{where}", remedy="No document needs that."
                )
        elif mark in "]}":
            depth -= 1


def _line_column(text: str, offset: int) -> str:
    offset = max(offset, 0)
    line = text.count("\n", 0, offset) + 1
    return f"{line}:{offset - text.rfind(chr(10), 0, offset)}"


def _key_place(text: str, key: str, place: str) -> str:
    found = list(re.finditer(re.escape(json.dumps(key, ensure_ascii=False)) + r"\s*:", text))
    return f"{place}:{_line_column(text, found[1].start())}" if len(found) > 1 else place
