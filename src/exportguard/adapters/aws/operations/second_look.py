"""Calls of the surface in which nothing was found: whether they say something all the same, in no shape of a call.

botocore would refuse what is read here (a structure that is written as a text or put into a list, a parameter under
another spelling), and whoever wrote the document means something by it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call
from exportguard.adapters.aws.operations.generic import plainly
from exportguard.adapters.aws.operations.instances_within import SAID_BY_USERS
from exportguard.adapters.aws.operations.where import plain_type

_NO_KEY = re.compile(r"[_\-\s]|^[A-Z0-9]{6,}$")
"""No operation of AWS's has a parameter with a dash, a space or an underscore in its name, or all in capitals."""
_TEXTS = re.compile(
    r"(body|template|definition|document|content|input|state|payload|policy|script|code|data|text|messages?|query\w*|"
    r"string|sqls?|commands?|description|prompt|schema|variables|hyperparameters|excluded\w*|hidden\w*|\w*supported\w*|"
    r"\w*names?|values?|environmentvariables\w*|modelpackage\w*)$",
    re.IGNORECASE,
)
"""What is a text by itself, is read by the operations, is its author's own, a name too, or says what is not wanted."""
_DEEPEST = 24
_MOST = 20_000


def second_look(call: Call) -> None:
    """Add what the parameters of *call* name, if they were not read for their shape."""
    todo: list[tuple[str, Any, int]] = []
    for key, value in call.parameters.items():
        if isinstance(key, str) and (len(key) > 200 or _NO_KEY.search(key)):
            call.unknown(f"`{key[:60]}` is no parameter of any operation, yet says something", key[:200])
        elif isinstance(value, str) and not _TEXTS.search(str(key)) and _written(str(key), value, 0):
            call.unknown(f"{str(key)[:60]} is a structure that is written as a text", str(key)[:200])
        else:
            todo.append((str(key), value, 0))
    _look(call, todo)


def look_within(call: Call, document: Any, where: str) -> None:
    """What *document* says plainly, in whatever shape: accelerated types and models, but for its author's own words."""
    before = len(call.items)
    known = {named for item in call.items for named in (item.instance_type, item.model) if isinstance(named, str)}
    _look(call, [(where, document, 0)])
    call.items[before:] = [i for i in call.items[before:] if i.instance_type not in known and i.model not in known]


def _look(call: Call, todo: list[tuple[str, Any, int]]) -> None:
    for _ in range(_MOST):
        if not todo:
            return
        place, value, depth = todo.pop()
        last = place[-300:].rpartition(".")[2].partition("[")[0]
        if depth > _DEEPEST or last in SAID_BY_USERS or ":" in last or _TEXTS.search(last):
            continue
        if isinstance(value, Mapping):
            todo += [(f"{place}.{key}", entry, depth + 1) for key, entry in value.items()]
        elif isinstance(value, (list, tuple)):
            todo += [(f"{place}[{index}]", entry, depth + 1) for index, entry in enumerate(value)]
        elif isinstance(value, str):
            todo += _written(place, value, depth)
            if len(value) < 200 and ("." in value or ":" in value):
                _named(call, value, place)


def _written(place: str, value: str, depth: int) -> list[tuple[str, Any, int]]:
    """A structure that is written as a text."""
    if value.lstrip()[:1] not in ("{", "[") or len(value) > 200_000:
        return []
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return []
    return [(place, document, depth + 1)] if isinstance(document, (dict, list)) else []


def _named(call: Call, value: Any, place: str) -> None:
    """An accelerated type or a model; a plain type says nothing more than that there is none."""
    before = len(call.items)
    plainly(call, value, place)
    for item in call.items[before:]:
        if isinstance(item.instance_type, str) and plain_type(item.instance_type):
            call.items.remove(item)
