"""Plain data to the classes of the vocabulary, with every problem named by its JSON path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
        raise DocumentError(f"expected an object, found {word_for(document)}", place=place)
    try:
        return _adapter(kind).validate_python(document)
    except ValidationError as error:
        problems = describe(error, document, kind)
    except RecursionError:
        raise DocumentError("nested too deeply", place=place) from None
    first, *others = problems
    raise DocumentError(
        "; ".join([first[1], *(f"{path}: {text}" for path, text in others)]), place=f"{place}: {first[0]}"
    )


def describe(error: ValidationError, document: Any, kind: Any = None) -> list[tuple[str, str]]:
    """(JSON path, problem) of every problem, the branches of a union told once; a near key of *kind* is named."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    reported = error.errors(include_url=False)
    # Every fact may also be `{"unknown": "why"}`; what is not written so is not told what it lacks of that.
    not_meant = [p["loc"][:-1] for p in reported if p["type"] == "missing" and p["loc"][-1:] == ("unknown",)]
    for problem in reported:
        if problem["loc"][:-1] in not_meant and len(reported) > len(not_meant):
            continue
        path = _path(problem["loc"], document)
        grouped.setdefault(path, []).append((problem["type"], _text(problem, kind)))
    out = []
    for path, found in grouped.items():
        # A union reports each branch; the branch that came furthest says what is wrong.
        texts = [
            text for code, text in found if code not in ("is_instance_of", "dict_type", "model_type", "none_required")
        ]
        texts = texts or [found[0][1]]
        if len(texts) > 1:  # a placeholder is what any value may be
            texts = [text for text in texts if not text.startswith("String should match pattern '^\\$")] or texts
        if any(text.startswith("expected a number,") for text in texts):
            texts = [text for text in texts if not text.startswith("expected a whole number,")]
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


@cache
def _keys(kind: Any) -> tuple[str, ...]:
    """Every key that a document of *kind* may have at some depth."""
    schema = _adapter(kind).json_schema()
    return tuple(
        sorted({key for part in (schema, *schema.get("$defs", {}).values()) for key in part.get("properties", ())})
    )


_CALLED = {
    **dict.fromkeys(("reseller", "buyer", "distributor", "partner"), "purchaser"),
    **dict.fromkeys(("customer", "user", "tenant", "enduser"), "end_user"),
    **dict.fromkeys(("create", "launch", "run", "deploy"), "provision"),
    **dict.fromkeys(("remote", "cloud", "saas", "iaas"), "remote_access"),
    **dict.fromkeys(("gpu", "chip"), "accelerator"),
    **dict.fromkeys(("person", "individual"), "natural"),
    **dict.fromkeys(("company", "organisation", "organization", "entity"), "legal"),
}
"""What the words of documents are called elsewhere."""


def _meant(text: str, known: Sequence[str]) -> str | None:
    """The one of *known* that *text* most likely means, whatever its case and what separates its words."""
    folded = {"".join(filter(str.isalnum, word.casefold())): word for word in known}
    plain = "".join(filter(str.isalnum, text.casefold()))
    if _CALLED.get(plain) in known:
        return _CALLED[plain]
    near = get_close_matches(plain, folded, n=1)
    return folded[near[0]] if near else None


def _text(problem: Any, document_kind: Any) -> str:
    kind, context = problem["type"], problem.get("ctx") or {}
    value = problem.get("input")
    if kind == "extra_forbidden":
        key = str(problem["loc"][-1])
        near = _meant(key, _keys(document_kind)) if document_kind is not None else None
        return f"`{key[:60]}` is not a key of this document" + (f" (did you mean `{near}`?)" if near else "")
    if kind == "missing":
        return "is missing"
    if kind in ("enum", "literal_error"):
        expected = str(context.get("expected", "")).replace("'", "`")
        near = _meant(str(value), re.findall(r"`([^`]+)`", expected))
        return f"`{value}` is not one of {expected}" + (f" (did you mean `{near}`?)" if near else "")
    if kind == "union_tag_invalid":
        return f"`{context.get('tag')}` is not one of {str(context.get('expected_tags')).replace(chr(39), '`')}"
    if kind == "union_tag_not_found":
        return "says neither `sdk` (a call document) nor what a request needs"
    words = {
        "string_type": "expected text",
        "string_unicode": "text with half of a surrogate pair, which is no character",
        "int_type": "expected a whole number",
        "float_type": "expected a number",
        "bool_type": "expected true or false",
        "tuple_type": "expected a list",
        "dict_type": "expected an object",
        "model_type": "expected an object",
        "timezone_aware": "an instant needs a timezone, such as 2024-05-01T00:00:00Z",
    }
    bounds = {
        "greater_than_equal": "at least {ge}",
        "greater_than": "more than {gt}",
        "less_than_equal": "at most {le}",
        "less_than": "less than {lt}",
        "string_too_long": "at most {max_length} characters",
        "string_too_short": "at least {min_length} character",
    }
    if kind in bounds:
        found = "none" if value == "" else word_for(value)
        limits = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in context.items()}
        return f"expected {bounds[kind].format(**limits)}, found {found}"
    if kind in words:
        return f"{words[kind]}, found {word_for(value)}" if kind.endswith("_type") else words[kind]
    # What pydantic says of the rest is about this value; its own name is no news to whoever wrote the document.
    return str(problem["msg"]).replace("Input should be", "expected").replace("Value error, ", "")


def word_for(value: Any) -> str:
    """What stands there, in a word of the document's language and never of Python's."""
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
