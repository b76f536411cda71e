"""Building what a decision is made of without checking it a second time: each part comes from checked documents.

A decision's documents are pydantic classes because they are read and written elsewhere; here their parts are known to
be of their types, and checking them again would cost as much as deciding. A test holds that what is made here is what
the checked constructor makes.
"""

from __future__ import annotations

from typing import Any, TypeVar

from exportguard.vocabulary.fact import Frozen

T = TypeVar("T", bound=Frozen)

_set = object.__setattr__
_fields: dict[type, set[str]] = {}
"""Every field of a class: what is set of each instance made here, which none of them changes."""


def made(kind: type[T], values: dict[str, Any]) -> T:
    """An instance of *kind* with exactly *values*: every field, in the order of the class."""
    new = kind.__new__(kind)
    _set(new, "__dict__", values)
    fields = _fields.get(kind)
    if fields is None:
        fields = _fields[kind] = set(values)
    _set(new, "__pydantic_fields_set__", fields)
    _set(new, "__pydantic_extra__", None)
    _set(new, "__pydantic_private__", None)
    return new
