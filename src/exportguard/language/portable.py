"""A compiled policy set as plain data, and back: what a cache keeps. Trees as data, never code.

Whatever is read back is checked part by part, since names and operators in a tree go into generated code: data that
`to_data` cannot have written is refused, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, get_args

from exportguard.diagnostics import Diagnostic, Span
from exportguard.language.compile import CompiledCondition
from exportguard.language.message import Message
from exportguard.language.policyset import STATUSES, CompiledPolicySet, CompiledRule, FromTo, Reference
from exportguard.language.syntax import Node, Op
from exportguard.vocabulary.decision import Basis, Effect
from exportguard.vocabulary.fact import Confidence
from exportguard.vocabulary.questions import UsageQuestion

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}\Z")
_OPS: frozenset[str] = frozenset(get_args(Op)) - {"var"}
_SIGNS = {"cmp": frozenset({"==", "!=", "<", "<=", ">", ">="}), "arith": frozenset("+-*/%")}
_MACROS = frozenset({"exists", "all", "exists_one", "filter", "map"})
_MAX_LITERAL = 100_000


class _Nodes:
    """Trees as rows, parts before what they are part of; a shared part is one row."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._known: dict[int, int] = {}
        self._kept: list[Node] = []

    def add(self, root: Node) -> int:
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if id(node) in self._known:
                continue
            if not ready:
                stack.append((node, True))
                stack.extend((arg, False) for arg in node.args)
                continue
            args = [self._known[id(arg)] for arg in node.args]
            self._known[id(node)] = len(self.rows)
            self._kept.append(node)
            self.rows.append([node.op, node.type, _pack(node.value), node.start, node.end, args])
        return self._known[id(root)]


def _pack(value: Any) -> Any:
    if isinstance(value, float):
        return {"double": value.hex()}
    if isinstance(value, tuple):
        return [_pack(part) for part in value]
    return value


def to_data(policies: CompiledPolicySet) -> dict[str, Any]:
    """Plain JSON data that `from_data` reads."""
    nodes = _Nodes()

    def condition(one: CompiledCondition | None) -> Any:
        return None if one is None else [one.text, nodes.add(one.tree)]

    rules = [
        {
            "policy": rule.policy,
            "policy_version": rule.policy_version,
            "id": rule.id,
            "title": rule.title,
            "effect": rule.effect.value,
            "basis": rule.basis,
            "because": rule.because,
            "remedy": rule.remedy,
            "cites": list(rule.cites),
            "authorizable_by": sorted(rule.authorizable_by),
            "effective": _period(rule.effective),
            "statuses": [[name, _period(period)] for name, period in rule.statuses],
            "if_unknown": rule.if_unknown,
            "why": rule.why,
            "per": list(rule.per) if rule.per is not None else None,
            "confidence": rule.confidence,
            "roots": sorted(rule.roots),
            "kinds": sorted(rule.kinds),
            "paths": list(rule.paths),
            "when": condition(rule.when),
            "unless": condition(rule.unless),
            "say": [part if isinstance(part, str) else nodes.add(part) for part in rule.say.parts],
        }
        for rule in policies.rules
    ]
    return {
        "digest": policies.digest,
        "nodes": nodes.rows,
        "rules": rules,
        "warnings": [_warning(problem) for problem in policies.warnings],
        "references": [
            [name, [[r.cite, r.read, r.url, r.note, r.confidence] for r in many]] for name, many in policies.references
        ],
    }


def _period(period: FromTo) -> list[str | None]:
    return [moment.isoformat() if moment is not None else None for moment in period]


def _warning(problem: Diagnostic) -> list[Any]:
    span = problem.span
    place = [span.file, span.line, span.column, span.length, span.text] if span is not None else None
    return [problem.code, problem.message, place, problem.label, problem.help, list(problem.notes)]


def from_data(data: Any) -> CompiledPolicySet:
    """The set that `to_data` made *data* of.

    Raises:
        ValueError: data that it cannot have made.
    """
    try:
        nodes: list[Node] = []
        for row in data["nodes"]:
            nodes.append(_node(row, nodes))
        rules = tuple(_rule(entry, nodes) for entry in data["rules"])
        warnings = tuple(
            Diagnostic(
                _text(code), "warning", _text(message), Span(*place) if place else None, _text(label), _maybe(hint),
                tuple(map(_text, notes)),
            )
            for code, message, place, label, hint, notes in data["warnings"]
        )  # fmt: skip
        references = tuple(
            (
                _text(name),
                tuple(Reference(_text(c), _maybe(r), _maybe(u), _maybe(n), _confidence(k)) for c, r, u, n, k in many),
            )
            for name, many in data["references"]
        )
        return CompiledPolicySet(rules, _text(data["digest"]), warnings, references)
    except (KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("not a compiled policy set") from error


def _rule(entry: dict[str, Any], nodes: list[Node]) -> CompiledRule:
    def condition(value: Any) -> CompiledCondition:
        return CompiledCondition(_at(nodes, value[1]), _text(value[0]))

    say = tuple(part if isinstance(part, str) else _at(nodes, part) for part in entry["say"])
    when = condition(entry["when"])
    return CompiledRule(
        policy=_text(entry["policy"]),
        policy_version=_text(entry["policy_version"]),
        id=_text(entry["id"]),
        title=_text(entry["title"]),
        effect=Effect(entry["effect"]),
        basis=_one_of(entry["basis"], get_args(Basis)),
        because=_text(entry["because"]),
        remedy=_maybe(entry["remedy"]),
        cites=tuple(map(_text, entry["cites"])),
        authorizable_by=frozenset(map(_text, entry["authorizable_by"])),
        effective=_from_to(entry["effective"]),
        statuses=tuple((_one_of(name, STATUSES), _from_to(period)) for name, period in entry["statuses"]),
        if_unknown=_one_of(entry["if_unknown"], ("hold", "flag")),
        why=_maybe(entry["why"]),
        per=_per(entry["per"]),
        confidence=_confidence(entry["confidence"]),
        roots=frozenset(map(_text, entry["roots"])),
        kinds=frozenset(map(_text, entry["kinds"])),
        paths=tuple(map(_text, entry["paths"])),
        when=when,
        unless=condition(entry["unless"]) if entry["unless"] is not None else None,
        say=Message(say),
    )


def _per(value: Any) -> UsageQuestion | None:
    if value is None:
        return None
    by, period = value
    return UsageQuestion(_one_of(by, ("end_user", "customer", "account")), _maybe(period))


def _from_to(value: Any) -> FromTo:
    start, stop = (datetime.fromisoformat(_text(moment)) if moment is not None else None for moment in value)
    for moment in (start, stop):
        if moment is not None and moment.tzinfo is None:
            raise ValueError("a time without a timezone")
    return start, stop


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value


def _maybe(value: Any) -> str | None:
    return None if value is None else _text(value)


def _one_of(value: Any, words: tuple[str, ...]) -> Any:
    if value not in words:
        raise ValueError("not one of the words")
    return value


def _confidence(value: Any) -> Any:
    return None if value is None else _one_of(value, get_args(Confidence))


def _at(nodes: list[Node], index: Any) -> Node:
    if index.__class__ is not int or not 0 <= index < len(nodes):
        raise ValueError("a part that is not there")
    return nodes[index]


# -- nodes: what each may hold


def _node(row: list[Any], nodes: list[Node]) -> Node:
    op, type_, value, start, end, args = row
    if op not in _OPS or start.__class__ is not int or end.__class__ is not int:
        raise ValueError("not a node")
    parts = tuple(_at(nodes, index) for index in args)
    return Node(op, parts, _value(op, value), _text(type_), start, end)


def _value(op: str, value: Any) -> Any:
    read = _VALUES.get(op)
    if read is not None:
        return read(value)
    if value is not None:
        raise ValueError("a value where none is")
    return None


def _name(value: Any) -> str:
    if not _NAME.match(_text(value)):
        raise ValueError("not a name")
    return str(value)


def _literal(value: Any) -> Any:
    if isinstance(value, dict):
        return float.fromhex(_text(value["double"]))
    if value is None or value.__class__ in (bool, int) or (value.__class__ is str and len(value) <= _MAX_LITERAL):
        return value
    raise ValueError("not a literal")


def _macro(value: Any) -> tuple[str, str]:
    kind, variable = value
    return _one_of(kind, tuple(_MACROS)), _name(variable)


def _call(value: Any) -> tuple[str, bool]:
    function, method = value
    if method.__class__ is not bool:
        raise ValueError("not a call")
    return _name(function), method


def _owned(value: Any) -> tuple[tuple[str, ...], str, str]:
    lists, comparison, percent = value
    return tuple(map(_text, lists)), _one_of(comparison, (">=", ">")), _text(percent)


_VALUES: dict[str, Callable[[Any], Any]] = {
    "lit": _literal,
    "ref": _name,
    "field": _name,
    "cmp": lambda value: _one_of(value, tuple(_SIGNS["cmp"])),
    "arith": lambda value: _one_of(value, tuple(_SIGNS["arith"])),
    "macro": _macro,
    "call": _call,
    "matches": _text,
    "group": _text,
    "owned": _owned,
}
