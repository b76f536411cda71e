"""The typed tree of a condition: frozen, and plain data when it has to travel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

Op: TypeAlias = Literal[
    "lit",  # value: None, bool, int, float, str
    "ref",  # value: a root or a macro's variable
    "var",  # value: the name behind `variables.`; gone after substitution
    "field",  # value: name; args: target
    "index",  # args: target, index
    "list",  # args: elements
    "not", "neg",  # args: operand
    "and", "or",  # args: two or more operands
    "cmp",  # value: == != < <= > >=; args: left, right
    "in",  # args: element, list
    "arith",  # value: + - * / %; args: left, right
    "cond",  # args: condition, then, otherwise
    "has", "unknown",  # args: a path
    "macro",  # value: (kind, variable); args: list, body[, transform]
    "call",  # value: (function, whether it was written as a method); args: receiver first
    "matches",  # value: a regular expression of RE2; args: text
    "group",  # value: the name of a country group
    "owned",  # value: (lists, comparison, percent as text); args: party
    "hole",  # a part that was refused, while the problems of the rest are looked for; never compiled
]  # fmt: skip

Repairs: TypeAlias = tuple[tuple[int, int, str], ...]
"""From where to where, and what belongs there."""
Value: TypeAlias = Any
"""None, bool, int, float, text, or a tuple of these."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node. `start` and `end` are offsets in the condition's text; `type` is filled in by the checker."""

    op: Op
    args: tuple[Node, ...] = ()
    value: Value = None
    type: str = ""
    start: int = 0
    end: int = 0

    def retyped(self, kind: str, args: tuple[Node, ...] | None = None) -> Node:
        return replace(self, type=kind, args=self.args if args is None else args)

    @property
    def at(self) -> tuple[int, int]:
        return self.start, self.end


def walk(node: Node) -> Iterator[Node]:
    """Every node, each shared one once."""
    seen: set[int] = set()
    stack = [node]
    while stack:
        here = stack.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        yield here
        stack.extend(reversed(here.args))


def free_names(node: Node) -> frozenset[str]:
    """The names that *node* refers to and no macro in it binds. An inner macro's variable hides an outer one's."""
    done: dict[int, frozenset[str]] = {}

    def names(here: Node) -> frozenset[str]:
        known = done.get(id(here))
        if known is not None:
            return known
        found = frozenset({str(here.value)}) if here.op == "ref" else frozenset[str]()
        for index, arg in enumerate(here.args):
            # A macro's variable is bound in its bodies, not in the list it ranges over.
            found |= names(arg) - {here.value[1]} if here.op == "macro" and index else names(arg)
        done[id(here)] = found
        return found

    return names(node)


def to_data(node: Node) -> list[Any]:
    """Plain JSON data: ``[op, type, value, start, end, args…]``. A double keeps its type as ``["d", text]``."""
    return [node.op, node.type, _pack(node.value), node.start, node.end, *map(to_data, node.args)]


def from_data(data: list[Any]) -> Node:
    """The tree behind `to_data`.

    Raises:
        ValueError: not data of this shape (a corrupt or foreign cache).
    """
    try:
        op, type_, value, start, end, *args = data
        if not (isinstance(op, str) and isinstance(type_, str) and isinstance(start, int) and isinstance(end, int)):
            raise ValueError("not a tree")
        return Node(op, tuple(map(from_data, args)), _unpack(value), type_, start, end)  # type: ignore[arg-type]
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError("not a tree") from error


def _pack(value: Value) -> Any:
    if isinstance(value, float):
        return ["d", value.hex()]
    if isinstance(value, tuple):
        return ["t", *map(_pack, value)]
    return value


def _unpack(value: Any) -> Value:
    if isinstance(value, list):
        kind, *rest = value
        if kind == "d":
            return float.fromhex(*rest)
        if kind == "t":
            return tuple(map(_unpack, rest))
        raise ValueError("not a value")
    if value is None or isinstance(value, bool | int | str):
        return value
    raise ValueError("not a value")


def path_text(node: Node) -> str | None:
    """``party.ultimate_parent.name`` for a chain of fields from a name; None for anything else."""
    names: list[str] = []
    while node.op == "field":
        names.append(str(node.value))
        node = node.args[0]
    if node.op == "var":
        return None
    if node.op != "ref":
        return None
    return ".".join((str(node.value), *reversed(names)))


class CelSyntaxError(Exception):
    """Text that is no condition of the profile. `at` is the stretch of it that is wrong.

    `repairs` are what to write instead, and where, so that the rest of the text can be read for further problems.
    """

    def __init__(
        self,
        code: str,
        message: str,
        at: tuple[int, int],
        label: str = "",
        hint: str | None = None,
        repairs: Repairs = (),
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.at, self.label, self.hint = code, message, at, label, hint
        self.repairs = repairs


def substitute(node: Node, variables: Mapping[str, Node]) -> Node:
    """The tree with every variable put in. Parts are shared, so the work is bounded by what was written."""
    done: dict[int, Node] = {}

    def put(here: Node) -> Node:
        if id(here) not in done:
            if here.op == "var":
                done[id(here)] = variables[str(here.value)]
            elif here.args:
                args = tuple(map(put, here.args))
                same = all(a is b for a, b in zip(args, here.args, strict=True))
                done[id(here)] = here if same else here.retyped(here.type, args)
            else:
                done[id(here)] = here
        return done[id(here)]

    return put(node)
