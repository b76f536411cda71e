"""The template functions that can be evaluated from the template alone. One that is not here is unknown."""

from __future__ import annotations

import base64
import json
import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import quote, unquote, urljoin

from exportguard.adapters.azure.texts import AnyCase, Rough, applied, like, unsure
from exportguard.adapters.azure.tree import Many, Tree, parse
from exportguard.vocabulary.fact import Unknown

_MOST: Final = 200_000


def strict(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Unknown in, unknown out."""

    def call(*arguments: Tree) -> Tree:
        rough = False
        for argument in arguments:
            if isinstance(argument, Unknown):
                return argument
            rough = rough or unsure(argument)
        return applied(name, function, arguments) if rough else function(*arguments)

    return call


def _text(value: Tree) -> str:
    """How a value is written in a text. How objects and lists are is not told to the letter, nor are fractions."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return AnyCase("True" if value else "False")
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (dict, list)) and not _rough_within(value):
        return Rough(json.dumps(value))
    raise ValueError("how it is written is not known")


def _rough_within(value: Tree) -> bool:
    if isinstance(value, (dict, list)):
        return any(_rough_within(each) for each in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, Rough)


def _concat(*parts: Tree) -> Tree:
    if parts and all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    texts = [_text(part) for part in parts]
    return like("".join(texts), *texts)


def _format(pattern: str, *values: Tree) -> Tree:
    used: list[str] = []

    def fill(match: re.Match[str]) -> str:
        text = _text(values[int(match[1])])
        used.append(text)
        if match[2] and match[2].lower().startswith("d") and match[2][1:].isdecimal():
            return text.zfill(min(int(match[2][1:]), 100))
        if match[2]:
            raise ValueError("a format that is not supported")
        return text

    filled = re.sub(r"\{(\d+)(?::([^}]*))?\}", fill, pattern.replace("{{", "\0").replace("}}", "\1"))
    return like(filled.replace("\0", "{").replace("\1", "}"), *used)


_CASE: Final = Unknown("two texts differ in case only")


_OPEN: Final = Unknown("what is compared is not known in all its parts")


def _equals(one: Tree, other: Tree) -> Tree:
    """Texts that differ in case only, and objects (whose keys' case is gone here), are left open: either may be so. So
    is what has an unknown part, unless another part differs, and a whole number beside an equal one that is none."""
    if isinstance(one, (Unknown, Many)) or isinstance(other, (Unknown, Many)):
        return _OPEN
    if type(one) is Rough or type(other) is Rough:
        return _OPEN
    if isinstance(one, AnyCase) or isinstance(other, AnyCase):
        return _CASE if isinstance(one, str) and isinstance(other, str) and _same(one, other) else False
    if isinstance(one, str) and isinstance(other, str):
        return one == other or (_CASE if _same(one, other) else False)
    if isinstance(one, list) and isinstance(other, list):
        return _all_equal(one, other) if len(one) == len(other) else False
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return False
        return False if _all_equal(list(one.values()), [other[key] for key in one]) is False else _CASE
    if one == other and type(one) is not type(other):
        return False if isinstance(one, bool) or isinstance(other, bool) else _OPEN
    return bool(one == other)


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


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


def _side(part: Tree) -> Tree:
    """One side of a logical function: true, false, or not known."""
    return part if isinstance(part, (bool, Unknown)) else _flag(part) if isinstance(part, str) else _OPEN


def _and(*parts: Tree) -> Tree:
    sides = [_side(part) for part in parts]
    return False if False in sides else next((side for side in sides if isinstance(side, Unknown)), True)


def _or(*parts: Tree) -> Tree:
    sides = [_side(part) for part in parts]
    return True if True in sides else next((side for side in sides if isinstance(side, Unknown)), False)


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Tree, Tree], Tree]:
    """Numbers by size. Texts only where their letters' case makes no difference: which order counts is not told."""

    def compare(one: Tree, other: Tree) -> Tree:
        if isinstance(one, str) and isinstance(other, str):
            said = test(one, other)
            if not (one + other).isalnum() or said is not test(one.lower(), other.lower()):
                return _CASE
            return said
        return test(one, other)

    return compare


def _apart(values: Iterable[Tree]) -> None:
    """Raises where two texts differ in case only: whether they count as one is not known."""
    texts = {value for value in values if isinstance(value, str)}
    if len({text.casefold() for text in texts}) != len(texts):
        raise ValueError("two texts differ in case only")


def _coalesce(*parts: Tree) -> Tree:
    return next((part for part in parts if part is not None), None)


def _empty(value: Tree) -> bool:
    return value is None or value in ("", [], {})


def _contains(container: Tree, item: Tree) -> Tree:
    if isinstance(container, dict):
        return str(item).lower() in container
    if isinstance(container, str):
        text = _text(item)
        if type(container) is Rough or type(text) is Rough:
            return _OPEN
        if isinstance(container, AnyCase) or isinstance(text, AnyCase):
            return _CASE if text.casefold() in container.casefold() else False
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
    _apart(found)
    return found


def _range(start: int, count: int) -> list[int]:
    if not 0 <= count <= 10_000:
        raise ValueError("too long")
    return list(range(start, start + count))


def _split(text: str, marks: Tree) -> list[str]:
    each = marks if isinstance(marks, list) else [marks]
    pattern = "|".join(re.escape(mark) for mark in each)
    found = re.split(pattern, text)
    if len(found) != len(re.split(pattern, text, flags=re.IGNORECASE)):
        raise ValueError("whether case counts is not known")
    return found


def _replace(text: str, old: str, new: str) -> str:
    if len(text) >= _MOST or text.count(old) != text.lower().count(old.lower()):
        raise ValueError("too long, or whether case counts is not known")
    return text.replace(old, new)


def _pad(text: Tree, width: int, mark: str = " ") -> str:
    return _text(text).rjust(min(width, _MOST), mark)


def _resource_id(*parts: Tree) -> Rough:
    """An id; where its scope is not given, it is one that the template alone does not tell."""
    texts = [_text(part) for part in parts]
    kind = next((index for index, part in enumerate(texts) if "/" in part), 0)
    scope = texts[:kind]
    types, names = texts[kind].split("/"), texts[kind + 1 :]
    pairs = "/".join(f"{a}/{b}" for a, b in zip(types[1:], names, strict=False))
    group = f"/resourceGroups/{scope[-1]}" if scope else ""
    subscription = f"/subscriptions/{scope[0]}" if len(scope) > 1 else "/subscriptions/-"
    return Rough(f"{subscription}{group}/providers/{types[0]}/{pairs}")


def _decode(text: str) -> str:
    return base64.b64decode(text).decode()


def _items(value: dict[str, Tree]) -> list[Tree]:
    return [{"key": AnyCase(key), "value": value[key]} for key in sorted(value)]


def _escaped(text: str) -> str:
    if any(mark in text for mark in "!*'()"):
        raise ValueError("whether these are escaped is not known")
    return quote(text, safe="")


def _uri(base: str, relative: str) -> str:
    if relative.startswith("/") or "://" in relative or ".." in relative:
        raise ValueError("what is relative is not plainly so")
    return urljoin(base, relative)


def _trim(text: str) -> str:
    found = str(text).strip(" \t\r\n")
    if found != text.strip():
        raise ValueError("whether this counts as space is not known")
    return found


def _from_data_uri(value: str) -> str:
    head, _, content = value.rpartition(",")
    if "charset" in head.lower() and "utf-8" not in head.lower() and "utf8" not in head.lower():
        raise ValueError("an encoding that is not read")
    return _decode(content) if ";base64" in head.lower() else unquote(content)


def _most(pick: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *values: pick([int(value) for value in (values[0] if isinstance(values[0], list) else values)])


def _divided(one: int, other: int) -> int:
    """Without a rest, towards zero."""
    whole: int = abs(one) // abs(other)
    return whole if (one < 0) == (other < 0) else -whole


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


def _join(parts: Tree, mark: str) -> Tree:
    _known_in(parts)
    texts = [_text(part) for part in parts]
    return like(mark.join(texts), mark, *texts)


def _index_of(text: Tree, part: Tree) -> int:
    if isinstance(text, str):
        return text.lower().find(part.lower())
    _known_in(text)
    _apart([*text, part])
    if any(isinstance(value, (Rough, dict)) for value in (*text, part)):
        raise ValueError("whether they are equal is not known")
    return text.index(part) if part in text else -1


def _intersection(first: Tree, *more: Tree) -> Tree:
    for each in (first, *more):
        _known_in(each)
    if not isinstance(first, dict):
        _apart(value for each in (first, *more) for value in each)
    return [item for item in first if all(item in other for other in more)]


def _integer(value: Tree) -> int:
    return int(value)


_STRICT: Final[dict[str, Callable[..., Any]]] = {
    "concat": _concat, "format": _format, "equals": _equals, "tolower": str.lower, "toupper": str.upper,
    "trim": _trim, "string": _text, "int": _integer, "bool": _flag, "json": parse, "not": lambda v: not _flag(v),
    "empty": _empty, "contains": _contains, "length": _length, "union": _union, "range": _range, "split": _split,
    "join": _join, "padleft": _pad, "items": _items,
    "substring": _substring, "replace": _replace,
    "startswith": lambda text, part: text.lower().startswith(part.lower()),
    "endswith": lambda text, part: text.lower().endswith(part.lower()),
    "indexof": _index_of,
    "lastindexof": lambda text, part: text.lower().rfind(part.lower()), "first": lambda v: v[0],
    "last": lambda v: v[-1], "skip": lambda v, n: v[max(n, 0) :], "take": lambda v, n: v[: max(n, 0)],
    "min": _most(min), "add": lambda a, b: a + b, "max": _most(max), "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b, "div": _divided, "mod": lambda a, b: int(math.fmod(a, b)),
    "less": _ordered(operator.lt), "lessorequals": _ordered(operator.le), "greater": _ordered(operator.gt),
    "greaterorequals": _ordered(operator.ge), "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64tostring": _decode, "base64tojson": lambda v: parse(_decode(v)), "uricomponent": _escaped,
    "uricomponenttostring": unquote, "uri": _uri, "resourceid": _resource_id,
    "subscriptionresourceid": _resource_id, "tenantresourceid": _resource_id, "true": lambda: True,
    "false": lambda: False, "null": lambda: None, "createobject": _object,
    "array": lambda v: v if isinstance(v, list) else [v], "flatten": lambda v: [i for part in v for i in part],
    "intersection": _intersection,
    "tryget": _try_get,
    "datauritostring": _from_data_uri,
    "objectkeys": lambda v: [AnyCase(key) for key in v], "shallowmerge": lambda v: _union(*v),
}  # fmt: skip

FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    **{name: strict(name, function) for name, function in _STRICT.items()},
    "and": _and,
    "or": _or,
    "coalesce": _coalesce,
    "createarray": lambda *parts: list(parts),
}
