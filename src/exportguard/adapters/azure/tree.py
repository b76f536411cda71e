"""A request body as the service will read it: keys in any case, a key given twice meaning either value.

Azure Resource Manager ignores the case of JSON keys and does not say which of two equal keys wins, so a body is
read into objects with lower-case keys, and a repeated key becomes `Many`. Unknown values (an expression that
cannot be evaluated, a level that is not what the schema says) stand in the tree as `Unknown`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from pydantic_core import from_json

from exportguard.vocabulary.fact import Unknown

Tree: TypeAlias = Any
"""dict with lower-case keys · list · str · int · float · bool · None · Many · Unknown"""

MAX_DEPTH: Final = 100
MAX_BYTES: Final = 4 * 1024 * 1024
"""Azure Resource Manager's own limit for a request body and a template; a larger body is not read."""


class Many:
    """Several values for one thing, each of which may be the one that counts."""

    __slots__ = ("values",)

    def __init__(self, values: Iterable[Tree]) -> None:
        flat: list[Tree] = []
        for value in values:
            flat.extend(value.values if isinstance(value, Many) else (value,))
        self.values: tuple[Tree, ...] = tuple(flat)


def _plain(key: str) -> str:
    """*key* without case. Letters beyond ASCII that fold into it (`\u017f`, the Kelvin sign) are those."""
    return key.lower() if key.isascii() else key.casefold()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {_plain(key): value for key, value in pairs}
    if len(found) != len(pairs):
        several: dict[str, list[Any]] = {}
        for key, value in pairs:
            several.setdefault(_plain(key), []).append(value)
        found = {key: values[0] if len(values) == 1 else Many(values) for key, values in several.items()}
    return found


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object)
_MOST_NAMES: Final = 4096
_LONGEST_NAME: Final = 100


_names: Final[dict[str, str]] = {}
"""Keys as they are written -> without case. Most bodies are written with the same few."""


def _name(key: str) -> str:
    name = _plain(key)
    if len(_names) < _MOST_NAMES and len(key) <= _LONGEST_NAME:
        _names[key] = name
    return name


def _lowered(node: dict[str, Any], seen: list[dict[str, Any]]) -> dict[str, Any]:
    """*node* with keys without case; every object that is made is put into *seen*."""
    found = {}
    for key in node:
        value = node[key]
        if type(value) is not str:
            if type(value) is dict:
                value = _lowered(value, seen)
            elif type(value) is list:
                value = _lowered_each(value, seen)
        try:
            found[_names[key]] = value
        except KeyError:
            found[_name(key)] = value
    seen.append(found)
    return found


def _lowered_each(values: list[Any], seen: list[dict[str, Any]]) -> list[Any]:
    return [
        _lowered(value, seen) if type(value) is dict else _lowered_each(value, seen) if type(value) is list else value
        for value in values
    ]


def _fast(text: str | bytes) -> dict[str, Any] | None:
    """The tree of an object with no key twice, of whatever case; None: this reader cannot tell.

    It lets the last of two equal keys win without a word, as `json` does, so keys are counted: a text that has as many
    colons as there are keys has no room for another one.
    """
    try:
        read = from_json(text)
        if type(read) is not dict:
            return None
        seen: list[dict[str, Any]] = []
        tree = _lowered(read, seen)
    except (ValueError, TypeError, RecursionError):  # TypeError: half of a surrogate pair
        return None
    colons = text.count(b":") if isinstance(text, bytes) else text.count(":")
    return tree if colons == sum(map(len, seen)) else None


def parse(text: str | bytes) -> Tree:
    """JSON text as a tree; what is not JSON is `Unknown`. Never raises."""
    tree = _fast(text)
    if tree is not None:
        return tree
    try:
        if isinstance(text, bytes):
            text = text.decode("ascii" if text.isascii() and b"\0" not in text else json.detect_encoding(text))
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError, StopIteration):
        return Unknown("the body is not readable JSON")


def plant(value: object, depth: int = 0) -> Tree:
    """A Python value (a call document's body, a template object) as a tree. Never raises."""
    if depth > MAX_DEPTH:
        return Unknown("nested too deep to be read")
    if isinstance(value, Mapping):
        return _object([(str(key), plant(item, depth + 1)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return [plant(item, depth + 1) for item in value]
    if value is None or isinstance(value, (str, bool, int, float, Unknown, Many)):
        return value
    return Unknown(f"a {type(value).__name__} cannot be read")


def read_body(body: object) -> Tree:
    """The body of a request, whatever it was handed over as. A stream is read and put back where it was.

    `Unknown` for what cannot be read without using it up (a generator, a pipe) and for more than `MAX_BYTES`.
    """
    if type(body) is bytes and 0 < len(body) <= MAX_BYTES:
        tree = _fast(body)
        return tree if tree is not None else parse(body)
    if body is None or body == b"" or body == "":
        return None
    if isinstance(body, (bytearray, memoryview)):
        body = bytes(body)
    if isinstance(body, (str, bytes)):
        if len(body) > MAX_BYTES:
            return Unknown("the body is larger than is read")
        return parse(body)
    if isinstance(body, (Mapping, list, tuple)):
        return plant(body)
    return _read_stream(body)


def _read_stream(body: Any) -> Tree:
    try:
        if not body.seekable():
            return Unknown("the body is a stream that can be read only once")
        start = body.tell()
        try:
            content = body.read(MAX_BYTES + 1)
        finally:
            body.seek(start)
    except (AttributeError, OSError, ValueError, TypeError):
        return Unknown("the body is a stream that can be read only once")
    if not isinstance(content, (str, bytes)):
        return Unknown("the body is a stream of something that is not text")
    return read_body(content)


EACH: Final = "[]"
ANY: Final = "{*}"


_lower = lru_cache(maxsize=2048)(str.lower)


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[str, ...]:
    steps: list[str] = []
    for part in path.split(".") if path else ():
        name, marker, _ = part.partition("[]")
        if name.endswith(ANY):
            steps += [name.removesuffix(ANY), ANY] if name != ANY else [ANY]
        else:
            steps.append(name)
        if marker:
            steps.append(EACH)
    return tuple(step for step in steps if step)


@lru_cache(maxsize=1024)
def _plain_steps(path: str) -> tuple[str, ...] | None:
    steps = _steps(path)
    return None if EACH in steps or ANY in steps else tuple(step.lower() for step in steps)


def straight(node: Tree, path: str) -> Tree:
    """The text at *path*, where plain objects lead to it; None where nothing is; else `...`: `walk` has to look."""
    steps = _plain_steps(path)
    if steps is None:
        return ...
    for step in steps:
        if type(node) is not dict:
            return ...
        node = node.get(step)
        if node is None:
            return None
    return node if type(node) is str else ...


def walk(node: Tree, path: str) -> Iterator[tuple[str, Tree]]:
    """Every value at *path* (`properties.agentPoolProfiles[].vmSize`, `jobs{*}`) with the place it was found at.

    Absent and null yield nothing; a level of the wrong kind, or an unknown one, yields one `Unknown`.
    """
    return _walk(node, _steps(path), 0, "")


def _walk(node: Tree, steps: tuple[str, ...], index: int, where: str) -> Iterator[tuple[str, Tree]]:
    # Most levels are plain objects: go down them without a generator each.
    while type(node) is dict and index < len(steps) and (step := steps[index]) not in (EACH, ANY):
        node = node.get(_lower(step))
        where = f"{where}.{step}" if where else step
        index += 1
    if node is None:
        return
    if isinstance(node, Many):
        for value in node.values:
            yield from _walk(value, steps, index, where)
        return
    if index == len(steps) or isinstance(node, Unknown):
        yield where, node
        return
    step = steps[index]
    if step == EACH:
        if isinstance(node, list):
            for number, item in enumerate(node):
                yield from _walk(item, steps, index + 1, f"{where}[{number}]")
        elif isinstance(node, dict):
            yield from _walk(node, steps, index + 1, where)
        else:
            yield where, Unknown(f"`{where}` is not a list")
    elif step == ANY:
        if isinstance(node, dict):
            for key, item in node.items():
                yield from _walk(item, steps, index + 1, f"{where}.{key}"[-200:])
        elif isinstance(node, list):
            for number, item in enumerate(node):
                yield from _walk(item, steps, index + 1, f"{where}[{number}]")
        else:
            yield where, Unknown(f"`{where}` is not an object")
    elif isinstance(node, dict):
        value = node.get(step.lower())
        if value is not None:
            yield from _walk(value, steps, index + 1, f"{where}.{step}" if where else step)
    else:
        yield where, Unknown(f"`{where or 'the body'}` is not an object")


def search(node: Tree, names: frozenset[str], depth: int = 0, where: str = "") -> Iterator[tuple[str, Tree]]:
    """Every value whose key (lower case) is in *names*, at any level, with its place."""
    if depth > MAX_DEPTH:
        yield where, Unknown("nested too deep to be read")
    elif isinstance(node, Many):
        for value in node.values:
            yield from search(value, names, depth + 1, where)
    elif isinstance(node, dict):
        for key, value in node.items():
            place = f"{where}.{key}"[-200:] if where else key[:200]
            if key in names:
                for each in value.values if isinstance(value, Many) else (value,):
                    if each is not None:
                        yield place, each
            yield from search(value, names, depth + 1, place)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from search(value, names, depth + 1, f"{where}[{number}]")
