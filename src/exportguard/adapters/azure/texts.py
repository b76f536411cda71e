"""Texts that a template's expression makes, of which not every letter is known here.

Keys have lost their case where a body is read, and an id is written without the subscription and the group that it
stands in. Such a text is good for a name or an id; what is found out by counting or comparing its letters is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exportguard.adapters.azure.tree import Tree
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Unknown


class Rough(str):
    """A text with parts that stand for others: an id whose scope is left open, an object that is written as text."""

    __slots__ = ()


class AnyCase(Rough):
    """A text whose letters are known but for their case."""

    __slots__ = ()


_LETTERS: Final = Unknown("a text is not known to the letter")
_JOINING: Final = words("concat format join string")
_HOLDING: Final = words(
    """createobject array flatten empty union items range not equals length contains shallowmerge tryget objectkeys
    intersection json"""
)
"""Functions that pass on what they are given, or compare by `_equals`, which knows these texts."""
_CUTTING: Final = words("substring skip take first last trim padleft split replace")
_CASELESS: Final = words("startswith endswith indexof lastindexof int bool")
_FOLDING: Final = words("tolower toupper")
_BY_LETTER: Final = _CUTTING - {"split", "replace"} | words("startswith endswith indexof lastindexof length") | _FOLDING
"""What counts or folds letters: beyond ASCII the service's own rules for that may be others."""


def like(made: Tree, *parts: Tree) -> Tree:
    """The text *made* of *parts*, which is known as far as all of them are."""
    kinds = {type(part) for part in parts}
    if not isinstance(made, str) or not (Rough in kinds or AnyCase in kinds):
        return made
    return Rough(made) if Rough in kinds else AnyCase(made)


def unsure(argument: Tree) -> bool:
    """Whether a function that is given *argument* has to go by `applied`."""
    return isinstance(argument, str) and (type(argument) is not str or not argument.isascii())


def applied(name: str, function: Callable[..., Any], arguments: tuple[Tree, ...]) -> Tree:
    """*function* of arguments some of which are `unsure`."""
    kinds = {type(argument) for argument in arguments}
    if Rough not in kinds and AnyCase not in kinds:
        return _LETTERS if name in _BY_LETTER else function(*arguments)
    if name in _JOINING:
        return like(function(*arguments), *arguments)
    if name in _HOLDING and not (name == "length" and Rough in kinds):
        return function(*arguments)
    if Rough in kinds:
        return _LETTERS
    if name in _FOLDING:
        return str(function(*arguments))
    if name in _CASELESS:
        return function(*arguments)
    cuts_at_letters = name in ("split", "replace") and any(c.isalpha() for c in str(arguments[1]))
    if name not in _CUTTING or cuts_at_letters:
        return _LETTERS
    made = function(*arguments)
    return [AnyCase(part) for part in made] if isinstance(made, list) else AnyCase(made)
