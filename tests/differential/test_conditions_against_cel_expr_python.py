"""Compiled conditions against Google's own implementation (cel-expr-python), on facts that are all known.

It follows the specification where cel-python departs from it, so this list of departures is short; each has a reason
and an example that shows that it is still there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from cel_expr_python import cel as google

from exportguard.language import Indeterminate, Scope
from exportguard.language.syntax import Node, walk
from exportguard.vocabulary.scope import PartyView
from language_compiling import compiled
from language_random import condition, known_scope
from language_standin import WORLD, scope

ROOTS = ("request", "item", "party", "location", "usage")
ENVIRONMENT = google.NewEnv(variables=dict.fromkeys(ROOTS, google.Type.DYN))
_GROUP = re.compile(r'country_group\("([^"]+)"\)')
_OWNED = re.compile(r"owned\((\w+), [^)]*\)")


def to_plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str, int, float)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, (tuple, frozenset)):
        return [to_plain(part) for part in value]
    assert is_dataclass(value)
    record = {f.name: to_plain(getattr(value, f.name)) for f in fields(value) if f.name != "ownership"}
    if isinstance(value, PartyView):
        record["_owned"] = any(answer is True for answer in value.ownership.values())
    return record


def in_plain_cel(text: str) -> str:
    """Our two functions written out, and the one time fact (plain data has no times)."""

    def group(found: re.Match[str]) -> str:
        return "[" + ", ".join(f'"{code}"' for code in sorted(WORLD.country_group(found.group(1)))) + "]"

    return _OWNED.sub(r"\1._owned", _GROUP.sub(group, text)).replace("request.time", "timestamp(request.time)")


def google_answers(text: str, scopes: list[Scope]) -> list[Any]:
    """True, False or "error" for each scope."""
    program = ENVIRONMENT.compile(in_plain_cel(text), disable_check=True)
    answers: list[Any] = []
    for facts in scopes:
        data = {root: to_plain(getattr(facts, root)) for root in ROOTS}
        value = program.eval(ENVIRONMENT.Activation(data)).value()
        answers.append(value if isinstance(value, bool) else "error")
    return answers


@dataclass(frozen=True)
class Departure:
    reason: str
    applies: Callable[[Node], bool]
    example: str
    ours: Any
    googles: Any


def _absent(node: Node) -> bool:
    return node.op == "field" and node.value in ("tokens", "model")


def _fact_divided(node: Node) -> bool:
    return node.op == "arith" and node.type == "double" and any(n.op == "ref" for n in walk(node))


def _past_doubles(node: Node) -> bool:
    """A comparison in which a double meets a whole number that no double is."""
    inside = list(walk(node)) if node.op in ("cmp", "in") else []
    large = any(n.op == "lit" and n.type == "int" and abs(n.value) > 2**53 for n in inside)
    return large and any(n.type == "double" for n in inside)


DEPARTURES = (
    Departure(
        "a fact that is not there is absent; in plain data it is a key with null",
        _absent,
        "has(item.tokens)",
        False,
        True,
    ),
    Departure(
        "a computation over facts that gives no number is open: NaN would pass every threshold",
        _fact_divided,
        "!((item.count - item.count) / (item.count - item.count) > 1.0)",
        "error",
        True,
    ),
    Departure(
        "numbers of two types are compared as they are; it makes a double of both, and of neighbours past 2**53 one",
        _past_doubles,
        "double(9007199254740993) == 9007199254740993",
        False,
        True,
    ),
)


def departs(tree: Node) -> bool:
    return any(departure.applies(node) for node in walk(tree) for departure in DEPARTURES)


def ours(answer: Any) -> Any:
    return "error" if isinstance(answer, Indeterminate) else answer


@pytest.mark.parametrize("departure", DEPARTURES, ids=lambda d: d.reason)
def test_a_listed_departure_is_still_there(departure: Departure) -> None:
    """Each exception to the comparison below is real."""
    asked = compiled(departure.example)
    assert asked is not None
    assert departs(asked.tree)
    assert ours(asked(scope())) == departure.ours
    assert google_answers(departure.example, [scope()]) == [departure.googles]


def compare(first: int, count: int, scopes: int) -> int:
    compared = 0
    for seed in range(first, first + count):
        r = Random(seed)
        text = condition(r)
        asked = compiled(text)
        if asked is None or departs(asked.tree):
            continue
        facts = [each for each in (known_scope(r) for _ in range(scopes)) if each.item.model is None]
        for each, theirs in zip(facts, google_answers(text, facts), strict=True):
            compared += 1
            assert ours(asked(each)) == theirs, (seed, text)
    return compared


def test_conditions_answer_as_googles_implementation_does() -> None:
    """On known facts a compiled condition is plain CEL."""
    assert compare(500_000, 900, 5) > 1_500


@pytest.mark.soak
def test_conditions_answer_as_googles_implementation_does_at_length() -> None:
    """The same over many more cases."""
    assert compare(600_000, 640_000, 8) > 2_000_000
