"""A slow, plain reading of the semantics in three answers: no speed, no causes, one case a line."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import re2

from exportguard.language.conversions import CONVERSIONS, time_part
from exportguard.language.evaluation import Indeterminate
from exportguard.language.syntax import Node
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import OwnershipQuestion


class Open:
    """Neither known nor decided: unknown, or an error."""


OPEN = Open()
NUMBER = (int, float, Fraction)


def number(value: Any) -> bool:
    return isinstance(value, NUMBER) and not isinstance(value, bool)


def ask(node: Node, scope: Any, env: dict[str, Any] | None = None) -> Any:
    """True, False, a value, or OPEN."""
    return evaluate(node, scope, env or {})


def known(value: Any) -> Any:
    if isinstance(value, Unknown):
        return OPEN
    if isinstance(value, float) and not math.isfinite(value):
        return OPEN
    return value


def same(a: Any, b: Any) -> Any:
    if a is OPEN or b is OPEN:
        return OPEN
    if isinstance(a, (tuple, frozenset)) and isinstance(b, (tuple, frozenset)):
        if len(a) != len(b):
            return False
        answers = [same(known(x), known(y)) for x, y in zip(a, b, strict=True)]
        return False if False in answers else OPEN if OPEN in answers else True
    if number(a) and number(b):
        return a == b
    return type(a) is type(b) and a == b


def plain_path(node: Node) -> bool:
    return node.op in ("ref", "lit") or (node.op == "field" and plain_path(node.args[0]))


def evaluate(node: Node, scope: Any, env: dict[str, Any]) -> Any:
    a = node.args

    def run(part: Node) -> Any:
        return evaluate(part, scope, env)

    match node.op:
        case "lit":
            return node.value
        case "ref":
            value = env[node.value] if node.value in env else getattr(scope, str(node.value))
            return OPEN if value is None else known(value)
        case "field":
            record = run(a[0])
            return OPEN if record is OPEN or record is None else known(getattr(record, str(node.value)))
        case "list":
            parts = [run(p) for p in a]
            broken = any(v is OPEN and not plain_path(p) for v, p in zip(parts, a, strict=True))
            return OPEN if broken else tuple(parts)
        case "and" | "or":
            answers = [run(p) for p in a]
            deciding = node.op == "or"
            if any(v is deciding for v in answers):
                return deciding
            return OPEN if OPEN in answers else not deciding
        case "not":
            value = run(a[0])
            return OPEN if value is OPEN else not value
        case "neg":
            value = run(a[0])
            return OPEN if value is OPEN or value is None or value == -(2**63) else -value
        case "cmp":
            return compare(str(node.value), run(a[0]), run(a[1]))
        case "in":
            element, members = run(a[0]), run(a[1])
            if members is OPEN:
                return OPEN
            answers = [same(element, known(m)) for m in members]
            return True if True in answers else OPEN if OPEN in answers else False
        case "cond":
            test = run(a[0])
            return OPEN if test is OPEN else run(a[1] if test else a[2])
        case "has":
            holder = run(a[0].args[0])
            if holder is OPEN:
                return OPEN
            value = None if holder is None else known(getattr(holder, str(a[0].value)))
            return OPEN if value is OPEN else value is not None
        case "unknown":
            value = run(a[0])
            return value is OPEN or nothing_known(value)
        case "index":
            items, index = run(a[0]), run(a[1])
            if items is OPEN or index is OPEN or not 0 <= index < len(items):
                return OPEN
            return known(items[index])
        case "arith":
            return arithmetic(node, run(a[0]), run(a[1]))
        case "group":
            return scope.world.country_group(node.value)
        case "owned":
            view = run(a[0])
            lists, comparison, percent = node.value
            question = OwnershipQuestion(lists, comparison, Fraction(percent))
            return OPEN if view is OPEN else known(view.ownership.get(question, Unknown()))
        case "matches":
            text = run(a[0])
            return OPEN if text is OPEN else re2.search(node.value, text) is not None
        case "call":
            return call(node.value[0], [run(p) for p in a])
        case "macro":
            return macro(node, scope, env)
    raise AssertionError(node.op)


def nothing_known(value: Any) -> bool:
    """A record of which only what it is there as (a role, a place) is known."""
    if not is_dataclass(value):
        return False
    there = {"role", "certainty", "kind", "confidence", "index", "ownership", "customer"}
    there |= {"id"} if hasattr(value, "role") else set()
    facts = [getattr(value, f.name) for f in fields(value) if f.name not in there]
    facts = [fact for fact in facts if fact is not None]
    return bool(facts) and all(isinstance(fact, Unknown) or nothing_known(fact) for fact in facts)


def compare(op: str, x: Any, y: Any) -> Any:
    if x is OPEN or y is OPEN:
        return OPEN
    if op in ("==", "!="):
        answer = same(x, y)
        return answer if answer is OPEN else answer == (op == "==")
    if x is None or y is None:
        return OPEN
    return {"<": lambda: x < y, "<=": lambda: x <= y, ">": lambda: x > y, ">=": lambda: x >= y}[op]()


def arithmetic(node: Node, x: Any, y: Any) -> Any:
    op = node.value
    if x is OPEN or y is OPEN or x is None or y is None:
        return OPEN
    if isinstance(x, (str, tuple)):
        return x + y
    if isinstance(x, (datetime, timedelta)):
        result = x + y if op == "+" else x - y
        # 64 bits of nanoseconds
        return OPEN if isinstance(result, timedelta) and abs(result) > timedelta(days=106_751.99116730064) else result
    if node.type == "double":
        x, y = float(x), float(y)
        if op == "/" and y == 0:
            result = math.nan if x == 0 else math.copysign(math.inf, x) * math.copysign(1, y)
        else:
            result = {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y}[op]()
        return OPEN if math.isnan(result) and uses_facts(node) else result
    if op in "/%" and y == 0:
        return OPEN
    quotient = int(Fraction(x, y)) if op in "/%" else 0
    result = {"+": x + y, "-": x - y, "*": x * y, "/": quotient, "%": x - y * quotient}[op]
    if op == "%" and not -(2**63) <= quotient < 2**63:
        return OPEN
    return result if -(2**63) <= result < 2**63 else OPEN


def uses_facts(node: Node) -> bool:
    return node.op == "ref" or any(map(uses_facts, node.args))


def call(name: str, given: list[Any]) -> Any:
    if any(value is OPEN or value is None for value in given):
        return OPEN
    match name:
        case "size":
            return len(given[0])
        case "startsWith":
            return given[0].startswith(given[1])
        case "endsWith":
            return given[0].endswith(given[1])
        case "contains":
            return given[1] in given[0]
    # Conversions and accessors have tests of their own; here they only carry values along.
    value = CONVERSIONS[name](*given) if name in CONVERSIONS else time_part(name, *given)
    return OPEN if isinstance(value, Indeterminate) else value


def macro(node: Node, scope: Any, env: dict[str, Any]) -> Any:
    kind, name = node.value
    items = evaluate(node.args[0], scope, env)
    if items is OPEN:
        return OPEN
    answers = [[evaluate(body, scope, {**env, name: part}) for part in items] for body in node.args[1:]]
    first = answers[0]
    match kind:
        case "exists":
            return True if True in first else OPEN if OPEN in first else False
        case "all":
            return False if False in first else OPEN if OPEN in first else True
        case "exists_one":
            return OPEN if OPEN in first else first.count(True) == 1
        case "filter":
            return OPEN if OPEN in first else tuple(p for p, keep in zip(items, first, strict=True) if keep)
        case "map":
            made = answers[-1]
            if len(answers) == 2:
                if OPEN in first:
                    return OPEN
                made = [m for m, keep in zip(made, first, strict=True) if keep]
            return OPEN if OPEN in made and not plain_path(node.args[-1]) else tuple(made)
    raise AssertionError(kind)
