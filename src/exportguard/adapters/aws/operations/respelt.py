"""Parameters in a spelling that is no API's: read once more as the names that they stand for.

botocore would refuse them (`launchtemplate`, `MAX_SIZE`, a structure that is written as a text), and whoever wrote the
document means something by it. A call as an SDK sends it has none of them, and costs a look into a set for each key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from exportguard.adapters.aws.call import Call, plain
from exportguard.adapters.aws.operations.instances_within import SAID_BY_USERS

_OF_USERS = SAID_BY_USERS - {"environment", "Environment"}
SAYS_TO_MODELS = frozenset({"bedrock-runtime", "sagemaker-runtime"})
_DEEPEST = 24
_MOST_KNOWN = 5_000
_WRAPPERS = frozenset({"parameters", "params", "input", "request", "requestparameters", "arguments", "args", "kwargs"})


@dataclass(frozen=True, slots=True)
class _Names:
    """What the parameters of a service are called."""

    spelt: Mapping[str, frozenset[str]]
    """without its spelling -> the names, in either case of the first letter."""
    structures: frozenset[str]
    fine: set[str] = field(default_factory=set)
    """Keys that were found to be themselves."""


@cache
def _lines() -> dict[str, str]:
    text = resources.files("exportguard.adapters.aws").joinpath("data/names.txt").read_text("utf-8")
    return {line.partition(" ")[0]: line for line in text.splitlines() if not line.startswith("#")}


@cache
def _names(service: str) -> _Names:
    spelt: dict[str, set[str]] = {}
    structures: set[str] = set()
    for word in _lines().get(service, "").split()[1:]:
        name = word.removesuffix("*")
        both = {name, name[:1].swapcase() + name[1:]}
        spelt.setdefault(plain(name), set()).update(both)
        if word != name:
            structures |= both
    return _Names({key: frozenset(names) for key, names in spelt.items()}, frozenset(structures))


def read_again(call: Call) -> None:
    """Judge the call once more as what its parameters stand for, where one is spelt as no parameter is."""
    names = _names(call.service)
    if not names.spelt or call.service in SAYS_TO_MODELS:
        return
    found, changed = (None, False) if _fine(call.parameters, names) else _respelt(call.parameters, names, 0)
    if changed:
        _judge(call, found)
    if len(call.parameters) == 1:
        ((key, value),) = call.parameters.items()
        wrapped = plain(str(key)) in _WRAPPERS and isinstance(value, Mapping)
        if wrapped and any(plain(str(name)) in names.spelt for name in value):
            _judge(call, _respelt(value, names, 0)[0])


def _fine(parameters: Any, names: _Names) -> bool:
    """Whether every key was seen before and is itself: what a call as an SDK sends it comes to, at once."""
    fine, structures = names.fine, names.structures
    todo = [parameters]
    while todo:
        value = todo.pop()
        if value.__class__ is dict:
            for key, entry in value.items():
                kind = entry.__class__
                if key not in fine:
                    return False
                if kind is str and key in structures and entry.lstrip()[:1] in ("{", "["):
                    return False
                if (kind is dict or kind is list) and key not in _OF_USERS:
                    todo.append(entry)
        elif value.__class__ is list:
            todo += value
        elif not isinstance(value, (str, int, float, bytes, type(None))):
            return False
    return True


def _judge(call: Call, parameters: Any) -> None:
    before = len(call.items)
    known = {item.model_copy(update={"where": None}) for item in call.items}
    call.nested(call.service, call.operation, parameters, "as it is meant")
    call.items[before:] = [i for i in call.items[before:] if i.model_copy(update={"where": None}) not in known]


def respelt(service: str, parameters: Any) -> Any:
    """*parameters* by their names, for a call within a document. What is said to a model is no parameter."""
    return parameters if service in SAYS_TO_MODELS else _respelt(parameters, _names(service), 0)[0]


def _respelt(value: Any, names: _Names, depth: int) -> tuple[Any, bool]:
    if depth > _DEEPEST:
        return value, False
    if isinstance(value, (list, tuple)):
        parts = [_respelt(entry, names, depth + 1) for entry in value]
        return ([part for part, _ in parts], True) if any(changed for _, changed in parts) else (value, False)
    if not isinstance(value, Mapping):
        return value, False
    changed = False
    plainly: dict[Any, Any] = {}
    meant: dict[Any, Any] = {}
    for key, entry in value.items():
        name = key if key in names.fine else _name(key, names)
        if key in _OF_USERS:
            inner, differs = entry, False
        else:
            inner, differs = _respelt(_parsed(entry) if name in names.structures else entry, names, depth + 1)
            differs = differs or (isinstance(entry, str) and inner is not entry)
        changed = changed or differs or name is not key
        (plainly if name is key else meant)[name] = inner
    return ({**plainly, **meant}, True) if changed else (value, False)


def _name(key: Any, names: _Names) -> Any:
    """The name that *key* stands for, or *key* itself."""
    if not isinstance(key, str):
        return key
    known = names.spelt.get(plain(key))
    if known is None or key in known:
        if len(names.fine) < _MOST_KNOWN:
            names.fine.add(key)
        return key
    return min(known)


def _parsed(entry: Any) -> Any:
    """A structure that is written as a text."""
    if isinstance(entry, str) and entry.lstrip()[:1] in ("{", "[") and len(entry) <= 200_000:
        try:
            return json.loads(entry)
        except (ValueError, RecursionError):
            return entry
    return entry
