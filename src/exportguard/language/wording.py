"""A typed tree as CEL text again: what coverage, explanations and warnings call a part of a condition."""

from __future__ import annotations

import json
from collections.abc import Callable

from exportguard.language.syntax import Node

_BINDS = {"cond": 0, "or": 1, "and": 2, "cmp": 3, "in": 3, "arith": 4, "not": 6, "neg": 6}
_LONGEST = 160


def wording(node: Node) -> str:
    """The CEL text of *node*, in one line, with only the parentheses that it needs."""
    return _text(node, 0)


def short(node: Node, longest: int = _LONGEST) -> str:
    """As `wording`, cut in the middle where it is longer than *longest* characters."""
    text = wording(node)
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f"{text[:half]} … {text[-half:]}"


def _text(node: Node, outer: int) -> str:
    made = _WRITERS[node.op](node)
    return f"({made})" if _strength(node) < outer else made


def _strength(node: Node) -> int:
    if node.op == "arith":
        return 5 if node.value in ("*", "/", "%") else 4
    if node.op == "lit" and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return 6 if node.value < 0 else 9
    return _BINDS.get(node.op, 9)


def _literal(node: Node) -> str:
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def _joined(sign: str, binds: int) -> Callable[[Node], str]:
    def write(node: Node) -> str:
        return f" {sign} ".join(_text(arg, binds + 1) for arg in node.args)

    return write


def _binary(node: Node) -> str:
    sign = "in" if node.op == "in" else str(node.value)
    strength = _strength(node)
    left, right = node.args
    tight = node.op != "arith"
    return f"{_text(left, strength + tight)} {sign} {_text(right, strength + 1)}"


def _conditional(node: Node) -> str:
    test, then, otherwise = node.args
    return f"{_text(test, 1)} ? {_text(then, 1)} : {_text(otherwise, 0)}"


def _call(node: Node) -> str:
    name, method = node.value
    args = [_text(arg, 0) for arg in node.args]
    if method:
        return f"{_text(node.args[0], 7)}.{name}({', '.join(args[1:])})"
    return f"{name}({', '.join(args)})"


def _macro(node: Node) -> str:
    kind, variable = node.value
    return f"{_text(node.args[0], 7)}.{kind}({', '.join((variable, *(_text(arg, 0) for arg in node.args[1:])))})"


def _owned(node: Node) -> str:
    lists, comparison, percent = node.value
    return f"owned({_text(node.args[0], 0)}, {json.dumps(list(lists))}, {json.dumps(comparison)}, {percent})"


_WRITERS: dict[str, Callable[[Node], str]] = {
    "lit": _literal,
    "ref": lambda node: str(node.value),
    "var": lambda node: f"variables.{node.value}",
    "field": lambda node: f"{_text(node.args[0], 7)}.{node.value}",
    "index": lambda node: f"{_text(node.args[0], 7)}[{_text(node.args[1], 0)}]",
    "list": lambda node: f"[{', '.join(_text(arg, 0) for arg in node.args)}]",
    "not": lambda node: f"!{_text(node.args[0], 6)}",
    "neg": lambda node: f"-{_text(node.args[0], 7)}",
    "and": _joined("&&", 2),
    "or": _joined("||", 1),
    "cmp": _binary,
    "in": _binary,
    "arith": _binary,
    "cond": _conditional,
    "has": lambda node: f"has({_text(node.args[0], 0)})",
    "unknown": lambda node: f"unknown({_text(node.args[0], 0)})",
    "macro": _macro,
    "call": _call,
    "matches": lambda node: f"{_text(node.args[0], 7)}.matches({json.dumps(node.value, ensure_ascii=False)})",
    "group": lambda node: f"country_group({json.dumps(node.value)})",
    "owned": _owned,
}
