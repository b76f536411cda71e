"""Taking facts away from a document: what a request looks like to somebody who knows less.

Used to state the law that hiding a fact never unlocks a request, and to redact what a reader may not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel

from exportguard.vocabulary.fact import Unknown

HIDDEN = Unknown("hidden")
M = TypeVar("M", bound=BaseModel)


def fact_paths(document: BaseModel) -> tuple[str, ...]:
    """Every fact of *document* that is known, as paths: `account`, `parties[0].ultimate_parent.country` …"""
    return tuple(_paths(document, ""))


def _paths(document: BaseModel, prefix: str) -> Iterator[str]:
    hideable = _hideable(type(document))
    for name in type(document).model_fields:
        value = getattr(document, name)
        path = f"{prefix}{name}"
        if isinstance(value, Unknown):
            continue
        if name in hideable and value is not None:
            yield path
        elif name in hideable and name == "ultimate_parent":
            yield path  # null is a fact: the party is its own parent
        if isinstance(value, BaseModel):
            yield from _paths(value, f"{path}.")
        elif isinstance(value, tuple):
            for index, part in enumerate(value):
                if isinstance(part, BaseModel):
                    yield from _paths(part, f"{path}[{index}].")


@cache
def _hideable(kind: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, info in kind.model_fields.items() if Unknown in _flat(info.annotation))


def _flat(annotation: Any) -> set[Any]:
    args = get_args(annotation)
    return {annotation} if not args else set().union(*(_flat(arg) for arg in args))


def hide(document: M, paths: Iterable[str], why: Unknown = HIDDEN) -> M:
    """*document* with the facts at *paths* unknown. A path that leads nowhere hides nothing."""
    for path in paths:
        document = _hide(document, path, why)
    return document


def _hide(document: M, path: str, why: Unknown) -> M:
    head, _, rest = path.partition(".")
    name, _, index = head.partition("[")
    if name not in type(document).model_fields:
        return document
    value = getattr(document, name)
    if not rest:
        if index or name not in _hideable(type(document)):
            return document
        return document.model_copy(update={name: why})
    if index and isinstance(value, tuple):
        position = int(index.rstrip("]"))
        if position >= len(value):
            return document
        parts = list(value)
        parts[position] = _hide(parts[position], rest, why)
        return document.model_copy(update={name: tuple(parts)})
    if isinstance(value, BaseModel):
        return document.model_copy(update={name: _hide(value, rest, why)})
    return document
