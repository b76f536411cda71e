"""Cheap, sound reasoning over conditions: alternatives that can never hold, and what follows from what.

A condition becomes a list of alternatives, each a set of literals over single facts. An alternative is contradictory
when one fact would need two values, or a number from an empty interval. What is not understood is taken as free, so
nothing is ever called contradictory that is not; what needs more is for `exportguard prove`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from exportguard.authoring.wordlists import WordLists
from exportguard.language.compile import CompiledCondition
from exportguard.language.evaluation import Scope
from exportguard.language.schema import ACCELERATOR_ONLY, MODEL_ONLY, field_type
from exportguard.language.syntax import Node, path_text, walk
from exportguard.language.threevalued import build
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


def alternatives(node: Node, positive: bool = True, words: WordLists | None = None) -> tuple[Alternative, ...] | None:
    """What *node* (or its negation) amounts to: it holds where any of the alternatives does. None: too many.

    *words*: what facts of closed vocabularies can be, and which countries are in a group; without, they are free.
    """
    if node.op == "not":
        return alternatives(node.args[0], not positive, words)
    if node.op in ("and", "or"):
        parts = [alternatives(arg, positive, words) for arg in node.args]
        if any(part is None for part in parts):
            return None
        known = [part for part in parts if part is not None]
        return _any(known) if (node.op == "or") == positive else _all(known, words)
    if node.op == "lit" and isinstance(node.value, bool):
        return CERTAIN if node.value is positive else IMPOSSIBLE
    if all(part.op in _CONSTANT for part in walk(node)):
        answer = CompiledCondition(node).ask_slowly(Scope(world=None))
        if isinstance(answer, bool):
            return CERTAIN if answer is positive else IMPOSSIBLE
    if node.op == "in" and node.args[1].op == "list" and all(arg.op == "lit" for arg in node.args[1].args):
        values = frozenset(arg.value for arg in node.args[1].args)
        return _one(Literal(wording(node.args[0]), "in" if positive else "not in", values, path_text(node.args[0])))
    as_a_whole = Literal(wording(node), "is", positive, path_text(node))
    if words is not None and node.op == "in" and node.args[1].op == "group":
        # Groups are dated: sure is only that a country was in one at some time, or at no time.
        ever, always = words.group(str(node.args[1].value))
        told, values = ("in", ever) if positive else ("not in", always)
        return (frozenset({as_a_whole, Literal(wording(node.args[0]), told, values, path_text(node.args[0]))}),)
    if node.op == "cmp":
        left, right = node.args
        relation = str(node.value)
        if _is_constant(left) and not _is_constant(right):
            left, right, relation = right, left, _TURNED[relation]
        value = _value(right)
        if value is not _OPEN:
            if not positive:
                relation = _NEGATED[relation]
            path = path_text(left)
            if relation in ("==", "!="):
                told = "in" if relation == "==" else "not in"
                return _one(Literal(wording(left), told, frozenset({value}), path))
            return _one(Literal(wording(left), relation, value, path))
    return _one(as_a_whole)


_OPEN = object()


def _is_constant(node: Node) -> bool:
    return node.op == "lit" or (node.op == "call" and all(part.op in ("lit", "call") for part in walk(node)))


def _value(node: Node) -> Any:
    """The value of a literal; of `timestamp("…")` and `duration("…")` in seconds, so that they are ordered."""
    if node.op == "lit":
        return node.value
    if not _is_constant(node):
        return _OPEN
    made = build(node)(Scope(world=None), ())
    if isinstance(made, datetime):
        return made.timestamp()
    return made.total_seconds() if isinstance(made, timedelta) else _OPEN


def _one(literal: Literal) -> tuple[Alternative, ...]:
    return (frozenset({literal}),)


def _any(parts: Iterable[tuple[Alternative, ...]]) -> tuple[Alternative, ...] | None:
    found = dict.fromkeys(alternative for part in parts for alternative in part)
    return tuple(found) if len(found) <= MAX_ALTERNATIVES else None


def _all(parts: list[tuple[Alternative, ...]], words: WordLists | None = None) -> tuple[Alternative, ...] | None:
    made: tuple[Alternative, ...] = CERTAIN
    for part in parts:
        if len(made) * len(part) > MAX_ALTERNATIVES * 8:
            return None
        joined = {one | other: None for one, other in product(made, part)}
        made = tuple(each for each in joined if not contradictory(each, words))
        if len(made) > MAX_ALTERNATIVES:
            return None
    return made


def contradictory(alternative: Alternative, words: WordLists | None = None) -> bool:
    """Whether no facts at all make every literal of *alternative* true, nor its refutation."""
    subjects: dict[str, list[Literal]] = {}
    for literal in alternative:
        subjects.setdefault(literal.subject, []).append(literal)
    return any(_impossible(literals, words) for literals in subjects.values())


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
        heads.add(_KINDS.get(_only_word(literal), ".".join(literal.path.split(".")[:2])))
    return bool(heads & ACCELERATOR_ONLY) and bool(heads & MODEL_ONLY)


def _only_word(literal: Literal) -> tuple[str | None, Any]:
    words = literal.value if literal.relation == "in" else ()
    if literal.path == "item.eccn" and words and words <= _CONTROLLED:
        return "item.kind", "accelerator"
    return literal.path, next(iter(words)) if len(words) == 1 else None


_CONTROLLED = frozenset({"3A090.a", "3A090.b"})
"""Classifications that only accelerators are given."""
_KINDS: dict[tuple[str | None, Any], str] = {
    ("item.kind", "accelerator"): "item.accelerator",
    ("item.kind", "model"): "item.model",
}


def _impossible(literals: list[Literal], words: WordLists | None) -> bool:
    kind = field_type(literals[0].path) if literals[0].path is not None else None
    least, most = (kind.least, kind.most) if kind is not None else (None, None)
    open_least = open_most = False
    members = words.members(kind) if words is not None and kind is not None else None
    allowed = frozenset(_keyed(v) for v in members) if members is not None else None
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


def never_holds(node: Node, words: WordLists | None = None) -> bool:
    """Whether *node* can be true of no facts whatever."""
    found = alternatives(node, words=words)
    return found is not None and all(contradictory(each, words) or _both_kinds(each) for each in found)


def always_holds(node: Node, words: WordLists | None = None) -> bool:
    """Whether *node* is true wherever its facts are known."""
    found = alternatives(node, positive=False, words=words)
    return found is not None and all(contradictory(each, words) for each in found)


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
