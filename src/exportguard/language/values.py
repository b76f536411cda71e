"""Operations on values at run time, in three answers: a value, or `Indeterminate` for unknown and for error.

Every operation is monotone: an operand that becomes known can settle an open result, never change a settled one.
That is what makes "hiding a fact never unlocks a request" true of every condition.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, cast

from exportguard.language.evaluation import Cause, Indeterminate
from exportguard.vocabulary.fact import Unknown

MIN_INT, MAX_INT = -(2**63), 2**63 - 1
MAX_TEXT = 1_000_000
MAX_LIST = 100_000

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_KINDS: dict[type, str] = {
    type(None): "null", bool: "bool", int: "number", float: "number", str: "string", tuple: "list", frozenset: "list",
}  # fmt: skip


def failure(reason: str, path: str = "") -> Indeterminate:
    return Indeterminate((Cause(path, reason, "error"),))


def merged(*values: Any) -> Indeterminate:
    """The union of the causes of those of *values* that are open."""
    only: Any = None
    for value in values:
        if value.__class__ is Indeterminate:
            if only is not None:
                break
            only = value
    else:
        if only is not None:
            return cast("Indeterminate", only)
    causes: dict[Cause, None] = {}
    for value in values:
        if value.__class__ is Indeterminate:
            causes.update(dict.fromkeys(value.causes))
    return Indeterminate(tuple(causes))


def is_open(value: Any) -> bool:
    return value.__class__ is Indeterminate


def kind_of(value: Any) -> str:
    """The CEL kind of a Python value; `record` for anything else."""
    kind = _KINDS.get(value.__class__)
    if kind is not None:
        return kind
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float | Fraction):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, datetime):
        return "timestamp"
    if isinstance(value, timedelta):
        return "duration"
    if isinstance(value, tuple | list | frozenset | set):
        return "list"
    return "record"


def elements(value: Any) -> tuple[Any, ...]:
    """A list's elements in a stable order; a fact that is Unknown becomes open, without a path of its own."""
    if isinstance(value, frozenset | set):
        return tuple(sorted(value))
    return tuple(Indeterminate((Cause("", part.reason),)) if part.__class__ is Unknown else part for part in value)


def equal(left: Any, right: Any) -> Any:
    """CEL's heterogeneous equality: different kinds are unequal; numbers compare exactly; lists element by element."""
    if left.__class__ is Indeterminate or right.__class__ is Indeterminate:
        return merged(left, right)
    kind = kind_of(left)
    if kind != kind_of(right):
        return False
    if kind == "record":
        return failure("records cannot be compared")
    if kind != "list":
        return bool(left == right)
    ours, theirs = elements(left), elements(right)
    if len(ours) != len(theirs):
        return False
    open_: list[Any] = []
    for one, other in zip(ours, theirs, strict=True):
        same = equal(one, other)
        if same is False:
            return False
        if same is not True:
            open_.append(same)
    return merged(*open_) if open_ else True


def different(left: Any, right: Any) -> Any:
    same = equal(left, right)
    return same if same.__class__ is Indeterminate else not same


def ordered(op: str, left: Any, right: Any) -> Any:
    if left.__class__ is Indeterminate or right.__class__ is Indeterminate:
        return merged(left, right)
    kind = kind_of(left)
    if kind != kind_of(right) or kind in ("null", "list", "record"):
        return failure(f"`{op}` cannot order {describe(left)} and {describe(right)}")
    return bool(_ORDER[op](left, right))


def describe(value: Any) -> str:
    return {"number": "a number", "string": "text", "bool": "a boolean", "null": "a fact that is not there"}.get(
        kind_of(value), f"a {kind_of(value)}"
    )


def member(element: Any, members: Any) -> Any:
    """`in`: true if a known element equals, else open if anything is open, else false."""
    if members.__class__ is frozenset and element.__class__ is str:
        return element in members
    if members.__class__ is Indeterminate:
        return merged(element, members)
    if kind_of(members) != "list":
        return failure("`in` needs a list")
    if isinstance(members, frozenset) and element.__class__ is str:
        return element in members
    if element.__class__ is Indeterminate:
        if isinstance(members, frozenset):
            return element if members else False
        return merged(element, *elements(members)) if members else False
    open_: list[Any] = []
    for part in elements(members):
        same = equal(element, part)
        if same is True:
            return True
        if same is not False:
            open_.append(same)
    return merged(*open_) if open_ else False


def integer(value: int) -> Any:
    return value if MIN_INT <= value <= MAX_INT else failure("an integer does not fit into 64 bits")


def arithmetic(op: str, static: str, left: Any, right: Any) -> Any:
    """`+ - * / %`. *static* is the checked type; facts of type double may arrive as int or Fraction."""
    if left.__class__ is Indeterminate or right.__class__ is Indeterminate:
        return merged(left, right)
    kind = kind_of(left)
    if kind == kind_of(right) == "number":
        if static == "double" or (static != "int" and isinstance(left, float) and isinstance(right, float)):
            return _doubles(op, float(left), float(right))
        if isinstance(left, int) and isinstance(right, int):
            return _integers(op, left, right)
    elif op == "+" and kind == kind_of(right) == "string":
        return left + right if len(left) + len(right) <= MAX_TEXT else failure("a text grows too long")
    elif op == "+" and kind == kind_of(right) == "list":
        joined = (*elements(left), *elements(right))
        return joined if len(joined) <= MAX_LIST else failure("a list grows too long")
    elif op in "+-":
        pair = (kind, kind_of(right))
        try:
            if pair in (("timestamp", "duration"), ("duration", "duration")) or (pair, op) == (
                ("timestamp", "timestamp"),
                "-",
            ):
                return _within(left + right if op == "+" else left - right)
            if (pair, op) == (("duration", "timestamp"), "+"):
                return right + left
        except OverflowError:
            return failure("a time is out of range")
    return failure(f"`{op}` cannot join {describe(left)} and {describe(right)}")


_LONGEST = timedelta(microseconds=(2**63 - 1) // 1000)
"""What implementations of CEL compute with: nanoseconds in 64 bits. The conformance tests expect more to overflow."""


def _within(value: Any) -> Any:
    if isinstance(value, timedelta) and abs(value) > _LONGEST:
        return failure("a duration does not fit into 64 bits of nanoseconds")
    return value


def _integers(op: str, left: int, right: int) -> Any:
    if op == "+":
        return integer(left + right)
    if op == "-":
        return integer(left - right)
    if op == "*":
        return integer(left * right)
    if right == 0:
        return failure("division by zero" if op == "/" else "modulus by zero")
    quotient = abs(left) // abs(right)
    quotient = quotient if (left < 0) == (right < 0) else -quotient
    return (
        integer(quotient)
        if op == "/"
        else (left - right * quotient if integer(quotient) == quotient else integer(quotient))
    )


def _doubles(op: str, left: float, right: float) -> Any:
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    if op == "/":
        if right == 0:
            if left == 0 or left != left:
                return math.nan
            return math.copysign(math.inf, left) * math.copysign(1.0, right)
        return left / right
    return failure("`%` is for whole numbers")


def negative(value: Any) -> Any:
    if value.__class__ is Indeterminate:
        return value
    if kind_of(value) != "number":
        return failure("only a number can be negative")
    return integer(-value) if isinstance(value, int) else -value


def at_index(target: Any, index: Any) -> Any:
    if target.__class__ is Indeterminate or index.__class__ is Indeterminate:
        return merged(target, index)
    if kind_of(target) != "list" or isinstance(index, bool) or not isinstance(index, int | float):
        return failure("only a list is indexed, by a whole number")
    parts = elements(target)
    if index != int(index) or not 0 <= index < len(parts):
        return failure(f"index {index} is out of range: the list has {len(parts)} elements")
    return parts[int(index)]


def size(value: Any) -> Any:
    return len(value) if kind_of(value) in ("list", "string") else failure("`size` needs a list or text")
