"""What a call says, as one digest to know it again by: for calls of which it is not known what they ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any, Final

from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.request import Action, Observation, ProvisioningRequest

_LEFT_OUT: Final = re.compile(
    r"token|secret|passw|userdata|customdata|credential|callerreference|^(operation|request|runtimesession)id$",
    re.IGNORECASE,
)
"""Keys whose values are secret, or new with each repetition of a call."""
_DEPTH: Final = 60


def is_named(item: Item) -> bool:
    """Whether it is known what *item* is. Which of them is unknown looks alike in every call."""
    if isinstance(item.kind, Unknown):
        return False
    if isinstance(item.instance_type, str):
        return not isinstance(item.instances, Unknown) or not isinstance(item.count, Unknown)
    return isinstance(item.accelerator, str) or isinstance(item.model, str)


def all_named(request: ProvisioningRequest) -> bool:
    """Whether it is known what each item of *request* is."""
    items = request.items
    if type(items) is tuple and len(items) == 1:
        only = items[0]
        if type(only.instance_type) is str and type(only.instances) is int and type(only.kind) is ItemKind:
            return True  # a machine, as in nearly every call
    return not isinstance(items, Unknown) and all(map(is_named, items))


def marked(seen: Observation, *said: Any) -> Observation:
    """*seen*, with a digest of *said* (the call's parameters) where an item of it could not be named.

    A call of a model is left as it is: what is said to one differs each time, and its item has the name it gave.
    """
    if not isinstance(seen, ProvisioningRequest) or seen.action is Action.INVOKE or all_named(seen):
        return seen
    return seen.model_copy(update={"call": digest_of(*said)})


def digest_of(*said: Any) -> str:
    """`sha256:` over what a call says: its secrets, and what is new with each repetition of it, aside."""
    text = json.dumps(_plain(said, 0), sort_keys=True, ensure_ascii=True)
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def _plain(value: Any, depth: int) -> Any:
    """*value* as JSON, of whatever it is; equal for equal calls."""
    if depth > _DEPTH:
        return "..."
    if isinstance(value, Mapping):
        pairs = ((str(key), inner) for key, inner in value.items())
        return {key: _plain(inner, depth + 1) for key, inner in pairs if not _LEFT_OUT.search(key)}
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return sha256(value).hexdigest()
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str | int | float) or value is None else type(value).__name__
