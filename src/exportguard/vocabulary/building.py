"""Building a document's parts from values that are known to be of their types, without checking them once more.

An adapter makes a request for every call of a process, and deciding makes a decision of it: what goes in has been read
by functions that give nothing else, and checking it again would cost as much as deciding. Text from outside never goes
this way. A test holds that what is built here is what the constructor makes.
"""

from __future__ import annotations

from typing import Any, TypeVar

from exportguard.vocabulary.fact import Frozen, set_extra, set_fields, set_private, set_values

T = TypeVar("T", bound=Frozen)

_new = object.__new__
_defaults: dict[type[Frozen], dict[str, Any]] = {}


def built(kind: type[T], /, **given: Any) -> T:
    """An instance of *kind* with *given*, and the class's defaults for the rest (fields that have a plain one)."""
    defaults = _defaults.get(kind)
    if defaults is None:
        fields = kind.model_fields
        defaults = {name: None if field.is_required() else field.get_default() for name, field in fields.items()}
        _defaults[kind] = defaults
    new = _new(kind)
    set_values(new, {**defaults, **given})
    set_fields(new, set(given))
    set_extra(new, None)
    set_private(new, None)
    return new


_every: dict[type[Frozen], set[str]] = {}
"""Every field of a class: what is set of each instance of `made`, which none of them changes."""


def made(kind: type[T], values: dict[str, Any]) -> T:
    """An instance of *kind* with exactly *values*: every field, in the order of the class."""
    new = _new(kind)
    set_values(new, values)
    set_fields(new, _every.get(kind) or _every.setdefault(kind, set(values)))
    set_extra(new, None)
    set_private(new, None)
    return new
