"""A tree as generated Python for facts that are all known: the path that nearly every question takes.

It never answers wrongly: each fact is checked to be exactly of its type as it is read, and whatever is not (an
unknown, an absent record, an error) raises, so that the three-valued path answers instead. What has no fast form is
asked of the three-valued path in place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from math import inf
from typing import Any

from exportguard.language.evaluation import Indeterminate, Scope
from exportguard.language.regex import compile_pattern
from exportguard.language.schema import LIST_LIMIT, ROOTS
from exportguard.language.syntax import Node, free_names
from exportguard.language.threevalued import build, question_of

Fast = Callable[[Scope], Any]

_EXACT = {"string": "str", "bool": "bool", "int": "int"}
_ORDERED = {"string", "bool", "timestamp", "duration"}
_NUMERIC = {"int", "double"}
_METHODS = {"startsWith": "startswith", "endsWith": "endswith"}


class Slow(Exception):
    """The three-valued path has to answer."""


def _slow(*values: Any) -> Any:
    raise Slow


def _number(value: Any) -> Any:
    """A finite number that is not a float: facts of type double may be integers or fractions."""
    if value.__class__ is int or value.__class__ is Fraction:
        return value
    raise Slow


def _absent(parts: tuple[Any, ...]) -> bool:
    """False for a list that holds only text; a text that was not found in it is then surely not in it."""
    for part in parts:
        if part.__class__ is not str:
            raise Slow
    return False


def _elements(value: Any) -> Any:
    """A list of facts to range over. A function: a comprehension's iterable may not assign."""
    if value.__class__ is tuple and len(value) <= LIST_LIMIT:
        return value
    raise Slow


def _known(value: Any) -> Any:
    if value.__class__ is Indeterminate:
        raise Slow
    return value


def build_fast(node: Node) -> Fast:
    """The function of a checked tree. It raises, or gives exactly what the three-valued path gives."""
    writer = Writer()
    try:
        # Only text that this module wrote is compiled: names are its own, literals go through repr or as constants.
        source = f"def fast(s):\n    return {writer.write(node, {})}\n"
        names: dict[str, Any] = {"__builtins__": {}, **HELPERS, **writer.constants}
        exec(compile(source, "<condition>", "exec"), names)
    except (SyntaxError, RecursionError, MemoryError, NoFastForm):
        return _slow
    fast: Fast = names["fast"]
    return fast


HELPERS: dict[str, Any] = {
    "str": str, "bool": bool, "int": int, "float": float, "tuple": tuple, "len": len, "any": any, "all": all,
    "datetime": datetime, "B": _slow, "N": _number, "A": _absent, "K": _known, "L": _elements, "INF": inf,
}  # fmt: skip


class NoFastForm(Exception):
    """A part that refers to a macro's variable and has no fast form; the macro as a whole is asked slowly."""


class Writer:
    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self.count = 0

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def constant(self, value: Any) -> str:
        name = self.name("c")
        self.constants[name] = value
        return name

    def write(self, node: Node, bound: dict[str, str]) -> str:
        writer = getattr(self, f"write_{node.op}", None)
        text = writer(node, bound) if writer is not None else None
        return text if text is not None else self.in_place(node, bound)

    def in_place(self, node: Node, bound: dict[str, str]) -> str:
        """Ask the three-valued path for this part."""
        if free_names(node) & bound.keys():
            raise NoFastForm
        return f"K({self.constant(build(node))}(s, ()))"

    def start(self, root: str) -> str | None:
        """How the code names a root."""
        return f"s.{root}" if root in ROOTS else None

    def path(self, node: Node, bound: dict[str, str]) -> str | None:
        names: list[str] = []
        while node.op == "field":
            names.append(str(node.value))
            node = node.args[0]
        if node.op != "ref":
            return None
        root = str(node.value)
        start = bound.get(root) or self.start(root)
        return ".".join((start, *reversed(names))) if start is not None else None

    def checked(self, path: str, kind: str) -> str | None:
        """The fact at *path*, or `Slow` if it is not exactly of its type."""
        v = self.name("v")
        read = f"({v} := {path}).__class__"
        if kind in _EXACT:
            return f"({v} if {read} is {_EXACT[kind]} else B())"
        if kind == "double":
            return f"({v} if {read} is float and -INF < {v} < INF else N({v}))"
        if kind == "timestamp":
            return f"({v} if {read} is datetime and {v}.tzinfo is not None else B())"
        if kind.startswith("list("):
            return f"({v} if {read} is tuple and len({v}) <= {LIST_LIMIT} else B())"
        return None

    def write_field(self, node: Node, bound: dict[str, str]) -> str | None:
        path = self.path(node, bound)
        return self.checked(path, node.type) if path is not None else None

    def write_ref(self, node: Node, bound: dict[str, str]) -> str | None:
        name = bound.get(str(node.value))
        return self.checked(name, node.type) if name is not None else None

    def write_lit(self, node: Node, bound: dict[str, str]) -> str:
        value = node.value
        return repr(value) if value is None or value.__class__ in (bool, int) else self.constant(value)

    def write_not(self, node: Node, bound: dict[str, str]) -> str:
        return f"(not {self.write(node.args[0], bound)})"

    def write_and(self, node: Node, bound: dict[str, str]) -> str | None:
        if any(arg.type != "bool" for arg in node.args):
            return None
        return "(" + f" {node.op} ".join(self.write(arg, bound) for arg in node.args) + ")"

    write_or = write_and

    def write_cond(self, node: Node, bound: dict[str, str]) -> str | None:
        if node.args[0].type != "bool":
            return None
        test, then, otherwise = (self.write(arg, bound) for arg in node.args)
        return f"({then} if {test} else {otherwise})"

    def write_cmp(self, node: Node, bound: dict[str, str]) -> str | None:
        left, right = (arg.type for arg in node.args)
        if not ((left in _NUMERIC and right in _NUMERIC) or (left == right and left in _ORDERED)):
            return None
        return f"({self.write(node.args[0], bound)} {node.value} {self.write(node.args[1], bound)})"

    def write_in(self, node: Node, bound: dict[str, str]) -> str | None:
        element, members = node.args
        if element.type != "string":
            return None
        if members.op == "group":
            return f"({self.write(element, bound)} in s.world.country_group({members.value!r}))"
        if members.op == "list" and all(part.type == "string" for part in members.args):
            if all(part.op == "lit" for part in members.args):
                wanted = self.constant(frozenset(part.value for part in members.args))
                return f"({self.write(element, bound)} in {wanted})"
            parts = ", ".join(self.write(part, bound) for part in members.args)
            return f"({self.write(element, bound)} in ({parts},))"
        if members.op in ("field", "ref") and members.type == "list(string)":
            listed = self.write(members, bound)
            name = self.name("l")
            return f"({self.write(element, bound)} in ({name} := {listed}) or A({name}))"
        return None

    def write_matches(self, node: Node, bound: dict[str, str]) -> str:
        search = self.constant(compile_pattern(str(node.value)).search)
        return f"({search}({self.write(node.args[0], bound)}) is not None)"

    def write_call(self, node: Node, bound: dict[str, str]) -> str | None:
        name = node.value[0]
        if any(arg.type != "string" for arg in node.args) and name != "size":
            return None
        if name in _METHODS:
            return f"{self.write(node.args[0], bound)}.{_METHODS[name]}({self.write(node.args[1], bound)})"
        if name == "contains":
            return f"({self.write(node.args[1], bound)} in {self.write(node.args[0], bound)})"
        if name == "size" and node.args[0].op in ("field", "ref"):
            return f"len({self.write(node.args[0], bound)})"
        return None

    def write_owned(self, node: Node, bound: dict[str, str]) -> str | None:
        path = self.path(node.args[0], bound)
        if path is None:
            return None
        return self.checked(f"{path}.ownership[{self.constant(question_of(node))}]", "bool")

    def write_unknown(self, node: Node, bound: dict[str, str]) -> str | None:
        """A fact that is known is not unknown; all else is for the three-valued path."""
        path = self.path(node.args[0], bound)
        known = self.checked(path, node.args[0].type) if path is not None else None
        return f"({known} is None)" if known is not None else None

    def write_macro(self, node: Node, bound: dict[str, str]) -> str | None:
        kind, variable = node.value
        target = node.args[0]
        if kind not in ("exists", "all") or target.op not in ("field", "ref") or node.args[1].type != "bool":
            return None
        path = self.path(target, bound)
        if path is None:
            return None
        name = self.name("m")
        try:
            body = self.write(node.args[1], {**bound, variable: name})
        except NoFastForm:
            return None
        return f"{'any' if kind == 'exists' else 'all'}({body} for {name} in L({path}))"
