"""A fact as it is read from a view: open when unknown, an error when it is not of its type."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from operator import attrgetter
from typing import Any

from exportguard.language import values
from exportguard.language.evaluation import Cause, Indeterminate, settle
from exportguard.language.schema import LIST_LIMIT
from exportguard.language.values import failure
from exportguard.vocabulary.fact import Unknown


def read_fact(value: Any, type_: str, path: Callable[[], str]) -> Any:
    """A fact as it was read: open when unknown, an error when it is not of its type."""
    if value.__class__ is Unknown:
        return Indeterminate((Cause(path(), value.reason),))
    if value.__class__ is Indeterminate:
        # An element that lost its name inside a list gets that of the variable that ranges over it.
        causes = value.causes
        if any(not cause.path for cause in causes):
            return Indeterminate(tuple(cause if cause.path else cause._replace(path=path()) for cause in causes))
        return value
    if value is None or type_ in ("", "dyn"):
        return value
    if type_ == "string":
        good = isinstance(value, str)
    elif type_ == "bool":
        good = isinstance(value, bool)
    elif type_ == "int":
        good = isinstance(value, int) and not isinstance(value, bool)
    elif type_ == "double":
        good = isinstance(value, int | float | Fraction) and not isinstance(value, bool) and math.isfinite(value)
    elif type_.startswith("list("):
        good = values.kind_of(value) == "list"
        if good and len(value) > LIST_LIMIT:
            return failure(f"the list has more than {LIST_LIMIT} elements", path())
    elif type_ in ("timestamp", "duration"):
        good = values.kind_of(value) == type_
        if good and type_ == "timestamp" and value.tzinfo is None:
            return failure("the time has no timezone", path())
    else:
        good = values.kind_of(value) == "record"
    return value if good else failure("the fact is not of its type", path())


_EXACT = {"string": str, "bool": bool, "int": int}


def fact(path: str, type_: str, read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A fact behind a root, read at once where it is of its type or unknown; *read* knows every other case."""
    get, expected = attrgetter(path), _EXACT.get(type_)
    names = path.split(".")

    def at_once(scope: Any, env: Any) -> Any:
        try:
            value = get(scope)
        except Exception:  # noqa: BLE001 - whatever is in the way is looked at below, or named by the careful path
            value = scope
            for name in names:
                value = getattr(value, name, None)
                if value.__class__ is Unknown:
                    break
        if value.__class__ is Unknown:
            # What is unknown as a whole is unknown in each field, and is asked for by the field's name.
            return Indeterminate((Cause(path, value.reason),))
        return value if value.__class__ is expected else read(scope, env)

    return at_once


def word(
    element: Callable[[Any, Any], Any], words: frozenset[str], members: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    """Whether a text is one of some literal words."""

    def run(scope: Any, env: Any) -> Any:
        value = element(scope, env)
        if value.__class__ is str:
            return value in words
        return value if value.__class__ is Indeterminate else values.member(value, members(scope, env))

    return run


def unknown_on_the_way(value: Any, names: tuple[str, ...]) -> Any:
    """What is unknown as a whole is unknown in each field."""
    for name in names:
        value = getattr(value, name, None)
        if value.__class__ is Unknown:
            return value
    return None


def open_because(facts: tuple[tuple[str, Any], ...]) -> Indeterminate | None:
    """The answer that *facts* leave open; None where one of them is not just unknown, and has to be named."""
    key: tuple[Any, ...] = ()
    for path, value in facts:
        if value.__class__ is not Unknown:
            return None
        key += (path, value.reason)
    if not key:
        return None
    known = _open.get(key)
    if known is None:
        known = settle([Cause(path, value.reason) for path, value in facts])
        if len(_open) >= _KEPT:
            _open.clear()
        _open[key] = known
    return known


_open: dict[tuple[Any, ...], Indeterminate] = {}
"""By paths and reasons. Many rules are open for the same facts, and most reasons are few words of our own."""
_KEPT = 1024


_STRUCTURAL = frozenset({"role", "certainty", "kind", "confidence", "index", "ownership", "customer"})
"""Fields that a record has even when nobody knows anything about what it stands for."""


def wholly_unknown(value: Any) -> bool:
    """Whether *value* is a record of which nothing is known: a party nobody named, a chip nobody could resolve.

    Such a record is there because a role or a place in a request is; to `unknown(…)` it is as unknown as no record.
    """
    names = getattr(value, "__dataclass_fields__", ())
    unknown = False
    for name in names:
        # The `id` of a party is the directory's, that of an accelerator or model is a fact.
        if name in _STRUCTURAL or (name == "id" and "role" in names):
            continue
        part = getattr(value, name, None)
        if part is None:
            continue
        if part.__class__ is not Unknown and not wholly_unknown(part):
            return False
        unknown = True
    return unknown
