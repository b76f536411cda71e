"""Plain data to the classes of the vocabulary, with every problem named by its JSON path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from exportguard.errors import DocumentError

M = TypeVar("M", bound=BaseModel)


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
    raise DocumentError(
        "; ".join([first[1], *(f"{path}: {text}" for path, text in others)]), place=f"{place}: {first[0]}"
    )


def describe(error: ValidationError, document: Any) -> list[tuple[str, str]]:
    """(JSON path, problem) of every problem, the branches of a union told once."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for problem in error.errors(include_url=False):
        path = _path(problem["loc"], document)
        grouped.setdefault(path, []).append((problem["type"], _text(problem)))
    out = []
    for path, found in grouped.items():
        # A union reports each branch; the branch that came furthest says what is wrong.
        texts = [
            text for kind, text in found if kind not in ("is_instance_of", "dict_type", "model_type", "none_required")
        ]
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
