"""The one door to Z3, and formulas that fold what is already decided.

A formula is a Python bool or a Z3 expression of sort Bool. What folds to a bool here costs no solver anything, and
most of a policy set folds: a rule over models says nothing of an accelerator.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from exportguard.errors import ConfigurationError

B: TypeAlias = Any
"""A bool, or a Z3 expression of sort Bool."""
Z: TypeAlias = Any
"""A Z3 expression of any sort."""

_module: Any = None


def z3() -> Any:
    """The module, imported when first needed. Raises ConfigurationError where the extra is not installed."""
    global _module
    if _module is None:
        try:
            import z3 as module
        except ImportError as error:
            raise ConfigurationError(
                "proofs need Z3, which is not installed", remedy="pip install 'exportguard[prove]'"
            ) from error
        _module = module
    return _module


def conj(parts: Iterable[B]) -> B:
    """Every one of *parts*; True of none."""
    kept: dict[int, Any] = {}
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept[part.get_id()] = part
    return _many(list(kept.values()), True)


def disj(parts: Iterable[B]) -> B:
    """Any of *parts*; False of none."""
    kept: dict[int, Any] = {}
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept[part.get_id()] = part
    return _many(list(kept.values()), False)


def _many(kept: list[Any], conjunction: bool) -> B:
    if not kept:
        return conjunction
    if len(kept) == 1:
        return kept[0]
    module = z3()
    context = kept[0].ctx
    array = (module.Ast * len(kept))()
    for index, part in enumerate(kept):
        array[index] = part.as_ast()
    make = module.Z3_mk_and if conjunction else module.Z3_mk_or
    return module.BoolRef(make(context.ref(), len(kept), array), context)


def neg(part: B) -> B:
    if part is True or part is False:
        return not part
    module = z3()
    if module.is_not(part):
        return part.arg(0)
    return module.BoolRef(module.Z3_mk_not(part.ctx.ref(), part.as_ast()), part.ctx)


def both(left: B, right: B) -> B:
    if left is False or right is False:
        return False
    if left is True:
        return right
    return left if right is True else conj((left, right))


def either(left: B, right: B) -> B:
    if left is True or right is True:
        return True
    if left is False:
        return right
    return left if right is False else disj((left, right))


def choose(test: B, then: B, otherwise: B) -> B:
    """``test ? then : otherwise`` over formulas."""
    if test is True or then is otherwise:
        return then
    if test is False:
        return otherwise
    return either(both(test, then), both(neg(test), otherwise))


def same(left: B, right: B) -> B:
    """Whether two formulas agree."""
    return choose(left, right, neg(right))


def lifted(part: B) -> Z:
    """A formula as a Z3 expression, constants included."""
    return z3().BoolVal(part) if part is True or part is False else part


def string(text: str) -> Z:
    """A literal of the string theory; `\\` is escaped so that no text reads as an escape."""
    return z3().StringVal(text.replace("\\", "\\u{5c}"))
