"""Cheap, sound reasoning over conditions: alternatives that can never hold, and what follows from what.

A condition becomes a list of alternatives, each a set of literals over single facts. An alternative is contradictory
when one fact would need two values, or a number from an empty interval. What is not understood is taken as free, so
nothing is ever called contradictory that is not; what needs more is for `exportguard prove`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from exportguard.language.compile import CompiledCondition
from exportguard.language.evaluation import Scope
from exportguard.language.schema import ACCELERATOR_ONLY, MODEL_ONLY, RECORDS
from exportguard.language.syntax import Node, path_text, walk
from exportguard.language.wording import wording

MAX_ALTERNATIVES = 256
"""Alternatives of one condition; past it nothing is concluded."""

_NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_CONSTANT = frozenset({"lit", "list", "cmp", "in", "arith", "neg", "call", "matches", "index"})
"""What a condition that asks of no fact is made of, `&&`, `||` and `!` aside."""
_TURNED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Literal:
    """One thing said of one fact: `subject` `relation` `value`. An opaque one is true or false as a whole."""

    subject: str
    relation: str
    value: Any
    path: str | None = None


Alternative = frozenset[Literal]
IMPOSSIBLE: tuple[Alternative, ...] = ()
CERTAIN: tuple[Alternative, ...] = (frozenset(),)


def alternatives(node: Node, positive: bool = True) -> tuple[Alternative, ...] | None:
    """What *node* (or its negation) amounts to: it holds where any of the alternatives does. None: too many."""
    if node.op == "not":
        return alternatives(node.args[0], not positive)
    if node.op in ("and", "or"):
        parts = [alternatives(arg, positive) for arg in node.args]
        if any(part is None for part in parts):
            return None
        known = [part for part in parts if part is not None]
        return _any(known) if (node.op == "or") == positive else _all(known)
    if node.op == "lit" and isinstance(node.value, bool):
        return CERTAIN if node.value is positive else IMPOSSIBLE
    if all(part.op in _CONSTANT for part in walk(node)):
        answer = CompiledCondition(node).ask_slowly(Scope(world=None))
        if isinstance(answer, bool):
            return CERTAIN if answer is positive else IMPOSSIBLE
    if node.op == "in" and node.args[1].op == "list" and all(arg.op == "lit" for arg in node.args[1].args):
        values = frozenset(arg.value for arg in node.args[1].args)
        return _one(Literal(wording(node.args[0]), "in" if positive else "not in", values, path_text(node.args[0])))
    if node.op == "cmp":
        left, right = node.args
        relation = str(node.value)
        if left.op == "lit" and right.op != "lit":
            left, right, relation = right, left, _TURNED[relation]
        if right.op == "lit":
            if not positive:
                relation = _NEGATED[relation]
            path = path_text(left)
            if relation in ("==", "!="):
                told = "in" if relation == "==" else "not in"
                return _one(Literal(wording(left), told, frozenset({right.value}), path))
            return _one(Literal(wording(left), relation, right.value, path))
    return _one(Literal(wording(node), "is", positive, path_text(node)))


def _one(literal: Literal) -> tuple[Alternative, ...]:
    return (frozenset({literal}),)


def _any(parts: Iterable[tuple[Alternative, ...]]) -> tuple[Alternative, ...] | None:
    found = dict.fromkeys(alternative for part in parts for alternative in part)
    return tuple(found) if len(found) <= MAX_ALTERNATIVES else None


def _all(parts: list[tuple[Alternative, ...]]) -> tuple[Alternative, ...] | None:
    made: tuple[Alternative, ...] = CERTAIN
    for part in parts:
        if len(made) * len(part) > MAX_ALTERNATIVES * 8:
            return None
        joined = {one | other: None for one, other in product(made, part)}
        made = tuple(each for each in joined if not contradictory(each))
        if len(made) > MAX_ALTERNATIVES:
            return None
    return made


def contradictory(alternative: Alternative) -> bool:
    """Whether no facts at all make every literal of *alternative* true, nor its refutation."""
    subjects: dict[str, list[Literal]] = {}
    for literal in alternative:
        subjects.setdefault(literal.subject, []).append(literal)
    return any(_impossible(literals) for literals in subjects.values())


def _both_kinds(alternative: Alternative) -> bool:
    """No item is an accelerator and a model at once: facts of the one are not there on the other.

    What is not there makes a condition open, neither true nor false: so this tells that an alternative is never true,
    and nothing about its negation.
    """
    heads = set()
    for literal in alternative:
        if literal.path is None or literal.value in (frozenset({None}),):
            continue
        if literal.relation == "not in" and literal.path.count(".") < 2:
            continue  # `item.count != 8` holds of a model, which has none
        heads.add(".".join(literal.path.split(".")[:2]))
    return bool(heads & ACCELERATOR_ONLY) and bool(heads & MODEL_ONLY)


def _impossible(literals: list[Literal]) -> bool:
    least, most = _domain(literals[0].path)
    open_least = open_most = False
    allowed: frozenset[Any] | None = None
    forbidden: set[Any] = set()
    truths: set[bool] = set()
    for literal in literals:
        value = literal.value
        if literal.relation == "is":
            truths.add(value)
        elif literal.relation == "in":
            kept = frozenset(_keyed(v) for v in value)
            allowed = kept if allowed is None else allowed & kept
        elif literal.relation == "not in":
            forbidden |= {_keyed(v) for v in value}
        elif not _is_number(value):
            continue
        elif literal.relation in (">", ">="):
            strict = literal.relation == ">"
            if least is None or value > least or (value == least and strict):
                least, open_least = value, strict
        elif most is None or value < most or (value == most and literal.relation == "<"):
            most, open_most = value, literal.relation == "<"
    if truths == {True, False}:
        return True
    if least is not None and most is not None and (least > most or (least == most and (open_least or open_most))):
        return True
    if allowed is None:
        return False
    left = {v for v in allowed - forbidden if not (truths and v[0] is bool and v[1] not in truths)}
    return not any(_within(v, least, open_least, most, open_most) for v in left)


def _domain(path: str | None) -> tuple[float | None, float | None]:
    """The least and the most that a number can be, by the fact schema."""
    if path is None:
        return None, None
    record, _, rest = path.partition(".")
    for name in rest.split(".") if rest else ():
        kind = RECORDS.get(record, {}).get(name)
        if kind is None:
            return None, None
        if kind.kind != "record":
            return kind.least, kind.most
        record = kind.record
    return None, None


def _keyed(value: Any) -> tuple[type, Any]:
    """`1` and `1.0` are one number; `true` is none."""
    return (float, float(value)) if _is_number(value) else (type(value), value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _within(
    keyed: tuple[type, Any], least: float | None, open_least: bool, most: float | None, open_most: bool
) -> bool:
    if keyed[0] is not float:
        return True
    value = keyed[1]
    above = least is None or value > least or (value == least and not open_least)
    below = most is None or value < most or (value == most and not open_most)
    return above and below


def never_holds(node: Node) -> bool:
    """Whether *node* can be true of no facts whatever."""
    found = alternatives(node)
    return found is not None and all(contradictory(each) or _both_kinds(each) for each in found)


def always_holds(node: Node) -> bool:
    """Whether *node* is true wherever its facts are known."""
    found = alternatives(node, positive=False)
    return found is not None and all(contradictory(each) for each in found)


class Reasoned:
    """A condition as its alternatives and those of its negation, worked out once for many comparisons."""

    __slots__ = ("premises", "refuted", "text")

    def __init__(self, node: Node) -> None:
        self.text = wording(node)
        self.premises = _with_subjects(alternatives(node))
        self.refuted = _with_subjects(alternatives(node, positive=False))


_Listed = list[tuple[Alternative, frozenset[str]]]


def _with_subjects(found: tuple[Alternative, ...] | None) -> _Listed | None:
    if found is None:
        return None
    return [(each, frozenset(literal.subject for literal in each)) for each in found]


def follows(one: Node | Reasoned, other: Node | Reasoned) -> bool:
    """Whether *other* is true wherever *one* is (False: not, or it cannot be told cheaply)."""
    one = one if isinstance(one, Reasoned) else Reasoned(one)
    other = other if isinstance(other, Reasoned) else Reasoned(other)
    if one.text == other.text:
        return True
    premises, refuted = one.premises, other.refuted
    if premises is None or refuted is None or len(premises) * len(refuted) > MAX_ALTERNATIVES * 16:
        return False
    # What contradicts a premise speaks of one of its facts, or is contradictory by itself.
    return all(
        (subjects & facts and contradictory(premise | against)) or contradictory(premise) or contradictory(against)
        for (premise, subjects), (against, facts) in product(premises, refuted)
    )
