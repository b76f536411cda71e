"""Reading documents strictly: every problem has a place and a remedy, and nothing is read half.

JSON and YAML alike: duplicate keys, NaN, anchors, nesting and sizes past the limits are refused. YAML scalars are
read by JSON's rules (`NO` is Norway, `2024-05-01` stays text).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from exportguard.errors import DocumentError

MAX_BYTES = 16 * 2**20
"""A request or call document is a few kilobytes; ARM templates inside one are bounded by 4 MB."""
MAX_DEPTH = 100
MAX_DIGITS = 400

M = TypeVar("M", bound=BaseModel)


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
            keys = [key for key, _ in found]
            twice = next(key for key in keys if keys.count(key) > 1)
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
            raise DocumentError("a number of too many digits", place=f"{place}:{_line_column(text, at)}")
        return int(digits)

    def fraction(digits: str) -> float:
        value = float(digits) if len(digits) <= MAX_DIGITS else float("inf")
        return constant(digits) if value in (float("inf"), float("-inf")) else value  # type: ignore[no-any-return]

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_int=number, parse_float=fraction)
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"not JSON: {error.msg}", place=f"{place}:{error.lineno}:{error.colno}", remedy=None
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


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def validate(kind: type[M], document: Any, place: str) -> M:
    """Read *document* as a *kind* (a class of the vocabulary). Raises DocumentError naming every problem."""
    result: M = validate_as(kind, document, place)
    return result


def validate_as(kind: Any, document: Any, place: str) -> Any:
    """As `validate`, for any type (a union of documents)."""
    if not isinstance(document, Mapping):
        raise DocumentError(f"expected an object, found {_word_for(document)}", place=place)
    try:
        return _adapter(kind).validate_python(document)
    except ValidationError as error:
        problems = describe(error, document)
    except RecursionError:
        raise DocumentError("nested too deeply", place=place) from None
    first, *others = problems
    raise DocumentError("; ".join([first[1], *(f"{path}: {text}" for path, text in others)]), place=f"{place}: {first[0]}")


def describe(error: ValidationError, document: Any) -> list[tuple[str, str]]:
    """(JSON path, problem) of every problem, the branches of a union told once."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for problem in error.errors(include_url=False):
        path = _path(problem["loc"], document)
        grouped.setdefault(path, []).append((problem["type"], _text(problem)))
    out = []
    for path, found in grouped.items():
        # A union reports each branch; the branch that came furthest says what is wrong.
        texts = [text for kind, text in found if kind not in ("is_instance_of", "dict_type", "model_type", "none_required")]
        texts = texts or [found[0][1]]
        out.append((path, " or ".join(dict.fromkeys(texts))))
    deepest = [p for p, _ in out]
    return [(p, t) for p, t in out if not any(q != p and q.startswith((p + ".", p + "[")) for q in deepest)]


def _path(loc: Iterable[int | str], document: Any) -> str:
    """Only the parts that are really in the document: a union's branch labels are not."""
    path, here = "$", document
    parts = list(loc)
    for position, part in enumerate(parts):
        if isinstance(part, int) and isinstance(here, list | tuple) and part < len(here):
            path, here = f"{path}[{part}]", here[part]
        elif isinstance(here, Mapping) and part in here:
            path, here = f"{path}.{part}", here[part]
        elif isinstance(here, Mapping) and position == len(parts) - 1 and isinstance(part, str) and part.isidentifier():
            path = f"{path}.{part}"
    return path


def _text(problem: Any) -> str:
    kind, context = problem["type"], problem.get("ctx") or {}
    value = problem.get("input")
    if kind == "extra_forbidden":
        return f"`{problem['loc'][-1]}` is not a key of this document"
    if kind == "missing":
        return "is missing"
    if kind in ("enum", "literal_error"):
        expected = str(context.get("expected", "")).replace("'", "`")
        near = get_close_matches(str(value), re.findall(r"`([^`]+)`", expected), n=1)
        return f"`{value}` is not one of {expected}" + (f" (did you mean `{near[0]}`?)" if near else "")
    if kind == "union_tag_invalid":
        return f"`{context.get('tag')}` is not one of {str(context.get('expected_tags')).replace(chr(39), '`')}"
    if kind == "union_tag_not_found":
        return "says neither `sdk` (a call document) nor what a request needs"
    words = {
        "string_type": "expected text",
        "int_type": "expected a whole number",
        "float_type": "expected a number",
        "bool_type": "expected true or false",
        "tuple_type": "expected a list",
        "dict_type": "expected an object",
        "model_type": "expected an object",
        "timezone_aware": "an instant needs a timezone, such as 2024-05-01T00:00:00Z",
    }
    text = words.get(kind) or str(problem["msg"])
    return f"{text}, found {_word_for(value)}" if kind.endswith("_type") else text


def _word_for(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f"`{value[:60]}`"
    return f"{value}"
