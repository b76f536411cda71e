"""Scripts that a resource keeps for the machines that it makes, or that others make of it.

First scripts of machines and pools, commands of tasks and containers, what applications and images are installed by.
They are read as in `scripts`: what is only mentioned is let be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exportguard.adapters.azure.operations.reading import Call, Items, Reader
from exportguard.adapters.azure.operations.scripts import taken
from exportguard.adapters.azure.tree import Many, Tree, search
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.item import Item

_MOST: Final = 100
_FIRST: Final = words("customdata userdata commandtoexecute script")
_HOLDS_SCRIPTS: Final = words("userdata virtualmachineprofile computeprofile resourceconfigparameters extensionprofile")


def commands(tree: Tree, keys: frozenset[str]) -> list[Item]:
    """What the texts under *keys*, at any level of *tree*, take; the words of one command may be listed."""
    found: list[Item] = []
    for where, value in search(tree, keys):
        for text in _texts(value):
            found += taken(text, where, names=False)
        if len(found) > _MOST:
            break
    return found[:_MOST]


def _texts(value: Tree) -> Iterator[str]:
    for each in value.values if isinstance(value, Many) else (value,):
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            texts = [part for part in each if isinstance(part, str)]
            yield " ".join(texts)
            yield "\n".join(texts)


def scripts_at(*keys: str) -> Reader:
    names = frozenset(keys)
    return lambda call: commands(call.body, names) or None


def first_scripts(call: Call) -> Items:
    """What a machine, or each of a set, runs when it starts."""
    properties = call.body.get("properties") if type(call.body) is dict else call.body
    if type(properties) is dict and _HOLDS_SCRIPTS.isdisjoint(properties):
        system = properties.get("osprofile")  # most machines are given no script: they are not searched for one
        if system is None or (type(system) is dict and "customdata" not in system):
            return None
    return commands(properties, _FIRST) or None


def container_scripts(call: Call) -> Items:
    """Commands and arguments of containers, each with its own."""
    found: list[Item] = []
    for where, value in search(call.body, words("containers initcontainers")):
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, dict):
                inner = each.get("properties")
                inner = inner if isinstance(inner, dict) else each
                said = [part for key in ("command", "args") for part in _texts(inner.get(key))]
                found += taken(" ".join(said), where) if said else []
    return found[:_MOST] or None
