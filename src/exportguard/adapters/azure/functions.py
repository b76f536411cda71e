"""The template functions that can be evaluated from the template alone. One that is not here is unknown."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin

from exportguard.adapters.azure.tree import Many, Tree, parse
from exportguard.vocabulary.fact import Unknown

_MOST: Final = 200_000


def strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """Unknown in, unknown out."""

    def call(*arguments: Tree) -> Tree:
        for argument in arguments:
            if isinstance(argument, Unknown):
                return argument
        return function(*arguments)

    return call


def _text(value: Tree) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    if value is None:
        return ""
    return str(value)


def _concat(*parts: Tree) -> Tree:
    if parts and all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    return "".join(_text(part) for part in parts)


def _format(pattern: str, *values: Tree) -> Tree:
    def fill(match: re.Match[str]) -> str:
        text = _text(values[int(match[1])])
        if match[2] and match[2].lower().startswith("d") and match[2][1:].isdecimal():
            return text.zfill(min(int(match[2][1:]), 100))
        if match[2]:
            raise ValueError("a format that is not supported")
        return text

    filled = re.sub(r"\{(\d+)(?::([^}]*))?\}", fill, pattern.replace("{{", "\0").replace("}}", "\1"))
    return filled.replace("\0", "{").replace("\1", "}")


_CASE: Final = Unknown("two texts differ in case only")


_OPEN: Final = Unknown("what is compared is not known in all its parts")


def _equals(one: Tree, other: Tree) -> Tree:
    """Texts that differ in case only, and objects (whose keys' case is gone here), are left open: either may be so. So
    is what has an unknown part, unless another part differs."""
    if isinstance(one, (Unknown, Many)) or isinstance(other, (Unknown, Many)):
        return _OPEN
    if isinstance(one, str) and isinstance(other, str):
        return one == other or (_CASE if one.casefold() == other.casefold() else False)
    if isinstance(one, list) and isinstance(other, list):
        return _all_equal(one, other) if len(one) == len(other) else False
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return False
        return False if _all_equal(list(one.values()), [other[key] for key in one]) is False else _CASE
    return bool(one == other and isinstance(one, bool) == isinstance(other, bool))


def _all_equal(ones: list[Tree], others: list[Tree]) -> Tree:
    said = [_equals(one, other) for one, other in zip(ones, others, strict=True)]
    if any(each is False for each in said):
        return False
    return next((each for each in said if isinstance(each, Unknown)), True)


def _known_in(values: Tree) -> None:
    """Raises where a list has parts that are not known: the whole is unknown then."""
    if isinstance(values, list) and any(isinstance(value, (Unknown, Many)) for value in values):
        raise ValueError("a part is not known")


def _flag(value: Tree) -> bool:
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
    return bool(value)


def _and(*parts: Tree) -> Tree:
    if any(part is False for part in parts):
        return False
    return next((part for part in parts if isinstance(part, Unknown)), all(part is True for part in parts))


def _or(*parts: Tree) -> Tree:
    if any(part is True for part in parts):
        return True
    return next((part for part in parts if isinstance(part, Unknown)), False)


def _coalesce(*parts: Tree) -> Tree:
    return next((part for part in parts if part is not None), None)


def _empty(value: Tree) -> bool:
    return value is None or value in ("", [], {})


def _contains(container: Tree, item: Tree) -> Tree:
    if isinstance(container, dict):
        return str(item).lower() in container
    if isinstance(container, str):
        text = _text(item)
        return text in container or (_CASE if text.casefold() in container.casefold() else False)
    found = [_equals(each, item) for each in container]
    return (
        True
        if any(each is True for each in found)
        else _CASE
        if any(isinstance(each, Unknown) for each in found)
        else False
    )


def _length(value: Tree) -> int:
    return len(value)


def _union(*parts: Tree) -> Tree:
    if all(isinstance(part, dict) for part in parts):
        merged: dict[str, Tree] = {}
        for part in parts:
            for key, item in part.items():
                old = merged.get(key)
                merged[key] = _union(old, item) if isinstance(old, dict) and isinstance(item, dict) else item
        return merged
    found: list[Tree] = []
    for part in parts:
        found += [item for item in part if item not in found]
    return found


def _range(start: int, count: int) -> list[int]:
    if not 0 <= count <= 10_000:
        raise ValueError("too long")
    return list(range(start, start + count))


def _split(text: str, marks: Tree) -> list[str]:
    each = marks if isinstance(marks, list) else [marks]
    return re.split("|".join(re.escape(mark) for mark in each), text)


def _pad(text: Tree, width: int, mark: str = " ") -> str:
    return _text(text).rjust(min(width, _MOST), mark)


def _resource_id(*parts: Tree) -> str:
    texts = [_text(part) for part in parts]
    kind = next((index for index, part in enumerate(texts) if "/" in part), 0)
    scope = texts[:kind]
    types, names = texts[kind].split("/"), texts[kind + 1 :]
    pairs = "/".join(f"{a}/{b}" for a, b in zip(types[1:], names, strict=False))
    group = f"/resourceGroups/{scope[-1]}" if scope else ""
    subscription = f"/subscriptions/{scope[0]}" if len(scope) > 1 else "/subscriptions/-"
    return f"{subscription}{group}/providers/{types[0]}/{pairs}"


def _decode(text: str) -> str:
    return base64.b64decode(text).decode()


def _items(value: dict[str, Tree]) -> list[Tree]:
    return [{"key": key, "value": value[key]} for key in sorted(value)]


def _substring(text: str, start: int, length: int | None = None) -> str:
    return text[start:] if length is None else text[start : start + length]


def _object(*parts: Tree) -> dict[str, Tree]:
    return {str(key).lower(): value for key, value in zip(parts[::2], parts[1::2], strict=True)}


def _try_get(value: Tree, *keys: Tree) -> Tree:
    """Null where there is no such member, or nothing to have one."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(str(key).lower())
        elif isinstance(value, list) and isinstance(key, int):
            value = value[key] if 0 <= key < len(value) else None
        elif isinstance(value, Unknown):
            return value
        elif value is not None:
            raise ValueError("it has no members")
    return value


def _join(parts: Tree, mark: str) -> str:
    _known_in(parts)
    return mark.join(_text(part) for part in parts)


def _index_of(text: Tree, part: Tree) -> int:
    if isinstance(text, str):
        return text.lower().find(part.lower())
    _known_in(text)
    return text.index(part) if part in text else -1


def _intersection(first: Tree, *more: Tree) -> Tree:
    for each in (first, *more):
        _known_in(each)
    return [item for item in first if all(item in other for other in more)]


def _integer(value: Tree) -> int:
    return int(value)


_STRICT: Final[dict[str, Callable[..., Any]]] = {
    "concat": _concat, "format": _format, "equals": _equals, "tolower": str.lower, "toupper": str.upper,
    "trim": str.strip, "string": _text, "int": _integer, "bool": _flag, "json": parse, "not": lambda v: not _flag(v),
    "empty": _empty, "contains": _contains, "length": _length, "union": _union, "range": _range, "split": _split,
    "join": _join, "padleft": _pad, "items": _items,
    "substring": _substring, "replace": lambda text, old, new: text.replace(old, new) if len(text) < _MOST else None,
    "startswith": lambda text, part: text.lower().startswith(part.lower()),
    "endswith": lambda text, part: text.lower().endswith(part.lower()),
    "indexof": _index_of,
    "lastindexof": lambda text, part: text.lower().rfind(part.lower()), "first": lambda v: v[0],
    "last": lambda v: v[-1], "skip": lambda v, n: v[max(n, 0) :], "take": lambda v, n: v[: max(n, 0)],
    "min": lambda *v: min(v[0] if isinstance(v[0], list) else v), "add": lambda a, b: a + b,
    "max": lambda *v: max(v[0] if isinstance(v[0], list) else v), "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b, "div": lambda a, b: int(a / b), "mod": lambda a, b: a % b,
    "less": lambda a, b: a < b, "lessorequals": lambda a, b: a <= b, "greater": lambda a, b: a > b,
    "greaterorequals": lambda a, b: a >= b, "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64tostring": _decode, "base64tojson": lambda v: parse(_decode(v)), "uricomponent": quote,
    "uricomponenttostring": unquote, "uri": urljoin, "resourceid": _resource_id,
    "subscriptionresourceid": _resource_id, "tenantresourceid": _resource_id, "true": lambda: True,
    "false": lambda: False, "null": lambda: None, "createobject": _object,
    "array": lambda v: v if isinstance(v, list) else [v], "flatten": lambda v: [i for part in v for i in part],
    "intersection": _intersection,
    "tryget": _try_get,
    "datauritostring": lambda v: _decode(v.rpartition(",")[2]) if ";base64," in v else unquote(v.rpartition(",")[2]),
    "objectkeys": lambda v: list(v), "shallowmerge": lambda v: _union(*v),
}  # fmt: skip

FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **{name: strict(function) for name, function in _STRICT.items()},
    "and": _and,
    "or": _or,
    "coalesce": _coalesce,
    "createarray": lambda *parts: list(parts),
}
