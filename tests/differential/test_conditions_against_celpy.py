"""Compiled conditions against cel-python's interpreter, on facts that are all known.

Where cel-python departs from the CEL specification, the departure is listed with its reason, and a test shows that it
is still there: a list that outlives its reasons would hide bugs of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from fractions import Fraction
from random import Random
from typing import Any

import celpy
import pytest
from celpy import celtypes

from exportguard.language import Indeterminate, Scope
from exportguard.language.cel import reference_evaluator
from exportguard.language.syntax import Node, walk
from exportguard.vocabulary.scope import PartyView
from language_compiling import compiled
from language_random import condition, known_scope
from language_standin import WORLD, scope

ROOTS = ("request", "item", "party", "location", "usage")


def to_cel(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return celpy.json_to_cel(value)
    if isinstance(value, int):
        return celtypes.IntType(value)
    if isinstance(value, (float, Fraction)):
        return celtypes.DoubleType(float(value))
    if isinstance(value, datetime):
        return celtypes.TimestampType(value)
    if isinstance(value, tuple):
        return celtypes.ListType([to_cel(part) for part in value])
    assert is_dataclass(value)
    record = {
        celtypes.StringType(f.name): to_cel(getattr(value, f.name)) for f in fields(value) if f.name != "ownership"
    }
    if isinstance(value, PartyView):
        answers = [*value.ownership.values()]
        record[celtypes.StringType("_owned")] = celtypes.BoolType(bool(answers and answers[0]))
    return celtypes.MapType(record)


def country_group(name: Any) -> Any:
    return celtypes.ListType([celtypes.StringType(c) for c in sorted(WORLD.country_group(str(name)))])


def owned(party: Any, lists: Any, comparison: Any, percent: Any) -> Any:
    return party[celtypes.StringType("_owned")]


FUNCTIONS = {"country_group": country_group, "owned": owned}


def celpy_answer(text: str, facts: Scope) -> Any:
    """True, False, or "error"."""
    try:
        # The schema says double for some facts that are whole here; celpy has no schema.
        value = reference_evaluator(text, FUNCTIONS)({root: to_cel(getattr(facts, root)) for root in ROOTS})
    except Exception:
        return "error"
    return bool(value) if isinstance(value, (bool, celtypes.BoolType)) else "error"


def mixed_numbers(node: Node) -> bool:
    return node.op == "cmp" and {arg.type for arg in node.args} == {"int", "double"}


def mixed_list(node: Node) -> bool:
    return node.op == "list" and {"int", "double"} <= {arg.type for arg in node.args}


def call_of(name: str, *types: str) -> Callable[[Node], bool]:
    return lambda node: node.op == "call" and node.value[0] == name and tuple(a.type for a in node.args) == types


def absent(node: Node) -> bool:
    """What an accelerator item does not have."""
    return node.op == "field" and node.value in ("tokens", "model")


def double_division(node: Node) -> bool:
    return node.op == "arith" and node.value == "/" and node.type == "double"


def exists_one(node: Node) -> bool:
    return node.op == "macro" and node.value[0] == "exists_one"


def three_part_map(node: Node) -> bool:
    return node.op == "macro" and node.value[0] == "map" and len(node.args) == 3


def method_of_joined(node: Node) -> bool:
    return node.op in ("call", "matches") and node.args[0].op == "arith"


@dataclass(frozen=True)
class Departure:
    reason: str
    applies: Callable[[Node], bool]
    example: str
    ours: Any
    celpys: Any


DEPARTURES = (
    Departure("int and double compare by value, across types", mixed_numbers, "1 < 2.5", True, "error"),
    Departure("int and double compare by value inside lists too", mixed_list, "[1, 1.0] == [1.0, 1]", True, "error"),
    Departure(
        "an int is a timestamp in seconds", call_of("timestamp", "int"), "timestamp(0) < timestamp(1)", True, "error"
    ),
    Departure("NaN is not above anything", double_division, "0.0 / 0.0 >= 1.0", False, True),
    Departure("a whole double has no point as text", call_of("string", "double"), "string(16.0) == '16'", True, False),
    Departure(
        "an error inside `exists_one` is absorbed as any other",
        exists_one,
        "true || [1].exists_one(x, 1 / 0 > x)",
        True,
        "error",
    ),
    Departure("`map` with a filter", three_part_map, "['a'].map(x, true, x) == ['a']", True, "error"),
    Departure("joined text is text", method_of_joined, '("a" + "b").contains("b")', True, "error"),
    Departure(
        "a fact that is not there is absent, in CEL's words a field without presence; in celpy it is a key with null",
        absent,
        "has(item.tokens)",
        False,
        True,
    ),
)


def departs(tree: Node) -> bool:
    return any(departure.applies(node) for node in walk(tree) for departure in DEPARTURES)


@pytest.mark.parametrize("departure", DEPARTURES, ids=lambda d: d.reason)
def test_a_listed_departure_is_still_there(departure: Departure) -> None:
    """Each exception to the comparison below is real."""
    asked = compiled(departure.example)
    assert asked is not None
    assert departs(asked.tree)
    assert ours(asked(scope())) == departure.ours
    assert celpy_answer(departure.example, scope()) == departure.celpys


def ours(answer: Any) -> Any:
    return "error" if isinstance(answer, Indeterminate) else answer


def accelerator_scope(r: Random) -> Scope:
    while True:
        facts = known_scope(r)
        if facts.item.model is None:
            return facts


def compare(first: int, count: int, depth: int) -> int:
    compared = 0
    for seed in range(first, first + count):
        r = Random(seed)
        text, facts = condition(r, depth), accelerator_scope(r)
        asked = compiled(text)
        if asked is None or departs(asked.tree):
            continue
        compared += 1
        assert ours(asked(facts)) == celpy_answer(text, facts), (seed, text)
    return compared


def test_conditions_answer_as_celpy_does() -> None:
    """On known facts a compiled condition is plain CEL: simple ones, and nested ones."""
    assert compare(10_000, 250, 0) > 150
    assert compare(20_000, 120, 2) > 40


@pytest.mark.soak
def test_conditions_answer_as_celpy_does_at_length() -> None:
    """The same over many more cases."""
    assert compare(100_000, 20_000, 3) > 5_000
