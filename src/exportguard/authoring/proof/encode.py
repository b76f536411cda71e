"""A checked tree as a term: the counterpart of `language.threevalued`, node by node, for all facts at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exportguard.authoring.proof import times
from exportguard.authoring.proof.logic import B, both, conj, disj, either, neg
from exportguard.authoring.proof.macros import run_macro
from exportguard.authoring.proof.operations import Operations
from exportguard.authoring.proof.regexes import matches_expression
from exportguard.authoring.proof.terms import (
    OPEN_ERROR,
    Cases,
    PartyTerm,
    Slot,
    Term,
    UnsupportedError,
    by_case,
    constant,
    fails,
    holds,
    truth,
    undecided,
)
from exportguard.language import CompiledCondition
from exportguard.language.syntax import Node, walk
from exportguard.language.threevalued import lenient, question_of

Env = Mapping[str, Term]


class Encoder:
    """Encodes conditions; equal parts of any two conditions over the same facts are encoded once.

    Args:
        groups: the members of a country group at the instant of the proof.
        operations: shared with what makes the facts.
    """

    def __init__(self, groups: Callable[[str], frozenset[str]], operations: Operations) -> None:
        self._groups = groups
        self.operations = operations
        self._numbers: dict[Any, int] = {}
        self._names: list[frozenset[str]] = []
        self._of_node: dict[int, tuple[Node, int]] = {}
        self._done: dict[tuple[Any, ...], Term] = {}
        self._kept: list[Any] = []

    def condition(self, condition: CompiledCondition, env: Env) -> Term:
        """The answer of *condition* where its roots are bound by *env*.

        Raises:
            UnsupportedError: it uses what is not compiled to Z3.
        """
        self._kept.append(env)  # ids of terms are keys: they must not be given away
        return self._encode(condition.tree, env)

    def _number(self, node: Node) -> int:
        """Equal trees have one number, wherever they stand."""
        known = self._of_node.get(id(node))
        if known is not None:
            return known[1]
        parts = tuple(self._number(arg) for arg in node.args)
        key = (node.op, node.type, _hashable(node.value), parts)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._names)
            names = frozenset((str(node.value),)) if node.op == "ref" else frozenset()
            self._names.append(names.union(*(self._names[part] for part in parts)))
        self._of_node[id(node)] = (node, number)
        return number

    def _encode(self, node: Node, env: Env) -> Term:
        number = self._number(node)
        names = self._names[number]
        key = (number, *((name, id(env[name])) for name in sorted(names) if name in env))
        found = self._done.get(key)
        if found is None:
            found = self._done[key] = getattr(self, f"_{node.op}")(node, env)
        return found

    # -- one method a kind of node

    def _lit(self, node: Node, env: Env) -> Term:
        return constant(node.value)

    def _ref(self, node: Node, env: Env) -> Term:
        return env.get(str(node.value), OPEN_ERROR)

    def _field(self, node: Node, env: Env) -> Term:
        record = self._encode(node.args[0], env)
        if record.kind != "record":
            return OPEN_ERROR if record.open is not True else Term("null", None, True, error=record.error)
        fields = record.value.fields if isinstance(record.value, PartyTerm) else record.value
        field = fields.get(str(node.value))
        if field is None:
            return OPEN_ERROR
        missing = both(neg(record.open), record.null)
        here = neg(either(record.open, missing))
        return Term(
            field.kind,
            field.value,
            disj((record.open, missing, both(here, field.open))),
            both(here, field.null),
            disj((record.error, missing, both(here, field.error))),
        )

    def _index(self, node: Node, env: Env) -> Term:
        return self.operations.at_index(self._encode(node.args[0], env), self._encode(node.args[1], env))

    def _list(self, node: Node, env: Env) -> Term:
        parts = [self._encode(arg, env) for arg in node.args]
        strict = [part.open for arg, part in zip(node.args, parts, strict=True) if not lenient(arg)]
        return Term("list", tuple(Slot(True, part) for part in parts), disj(strict))

    def _not(self, node: Node, env: Env) -> Term:
        part = self._encode(node.args[0], env)
        return Term("bool", fails(part), undecided(part))

    def _neg(self, node: Node, env: Env) -> Term:
        part = self._encode(node.args[0], env)
        if part.kind != "number":
            return Term("number", 0, True)
        made = self.operations.arithmetic.negative(part.value, node.type)
        return made.opened(either(part.open, part.null))

    def _and(self, node: Node, env: Env) -> Term:
        parts = [self._encode(arg, env) for arg in node.args]
        no = disj(fails(part) for part in parts)
        return Term("bool", neg(no), both(neg(no), disj(undecided(part) for part in parts)))

    def _or(self, node: Node, env: Env) -> Term:
        parts = [self._encode(arg, env) for arg in node.args]
        yes = disj(holds(part) for part in parts)
        return Term("bool", yes, both(neg(yes), disj(undecided(part) for part in parts)))

    def _cmp(self, node: Node, env: Env) -> Term:
        left, right = self._encode(node.args[0], env), self._encode(node.args[1], env)
        if node.value == "==":
            return self.operations.equal(left, right)
        if node.value == "!=":
            return self.operations.different(left, right)
        return self.operations.ordered(str(node.value), left, right)

    def _in(self, node: Node, env: Env) -> Term:
        return self.operations.member(self._encode(node.args[0], env), self._encode(node.args[1], env))

    def _arith(self, node: Node, env: Env) -> Term:
        left, right = self._encode(node.args[0], env), self._encode(node.args[1], env)
        made = self.operations.joined(str(node.value), node.type, left, right)
        facts = any(part.op == "ref" for part in walk(node))
        if isinstance(made.value, float) and made.value != made.value and facts:
            return Term("number", 0, True)
        if isinstance(made.value, Cases) and facts:
            none = disj(test for test, value in made.value.of if isinstance(value, float) and value != value)
            kept = tuple((test, value) for test, value in made.value.of if value == value)
            return Term("number", Cases(kept or ((True, 0),)), either(made.open, none), made.null)
        return made

    def _cond(self, node: Node, env: Env) -> Term:
        test = self._encode(node.args[0], env)
        then, otherwise = self._encode(node.args[1], env), self._encode(node.args[2], env)
        if test.kind != "bool":
            return Term("null", None, True)
        return by_case(test.value, then, otherwise).opened(undecided(test))

    def _has(self, node: Node, env: Env) -> Term:
        holder = self._encode(node.args[0].args[0], env)
        value = self._encode(node.args[0], env)
        absent = both(neg(holder.open), holder.null)
        return Term("bool", conj((neg(absent), neg(value.null))), both(neg(absent), value.open))

    def _unknown(self, node: Node, env: Env) -> Term:
        value = self._encode(node.args[0], env)
        if value.kind == "record":
            return truth(either(value.open, both(neg(value.null), _wholly_unknown(value))), value.error)
        return truth(value.open, value.error)

    def _macro(self, node: Node, env: Env) -> Term:
        kind, name = node.value
        listed = self._encode(node.args[0], env)
        if listed.kind != "list":
            return Term("bool", False, True)
        bodies = node.args[1:]
        slots = self.operations.slots(listed)
        if len(slots) > 60:
            raise UnsupportedError("a macro over a long list")

        def ask(body: Node, element: Term) -> Term:
            inner = {**env, name: element}
            self._kept.append(inner)
            return self._encode(body, inner)

        answers = [tuple(ask(body, slot.term) for body in bodies) for slot in slots]
        return run_macro(kind, slots, answers, lenient(node.args[-1])).opened(either(listed.open, listed.null))

    def _call(self, node: Node, env: Env) -> Term:
        name = str(node.value[0])
        given = [self._encode(arg, env) for arg in node.args]
        open_ = disj(either(part.open, part.null) for part in given)
        if open_ is True:
            return Term("null", None, True)
        return self._called(name, given).opened(open_)

    def _called(self, name: str, given: list[Term]) -> Term:
        from exportguard.language.conversions import CONVERSIONS
        from exportguard.language.evaluation import Indeterminate

        first = given[0]
        if name == "size":
            return self.operations.size(first)
        if name in ("startsWith", "endsWith", "contains"):
            if first.kind != "text" or given[1].kind != "text":
                return Term("bool", False, True)
            return truth(self.operations.words.relate(name, first.value, given[1].value))
        if name not in CONVERSIONS:
            zone = given[1].value if len(given) > 1 else "UTC"
            if first.kind not in ("time", "span") or not isinstance(zone, str):
                raise UnsupportedError(f"`{name}` of this")
            return times.part(name, first, zone)
        if first.kind == "text" and isinstance(first.value, str) and name != "string":
            made = CONVERSIONS[name](first.value)
            if made.__class__ is Indeterminate:
                return Term("null", None, True)
            return times.from_python(made) if name in ("timestamp", "duration") else constant(made)
        return self._converted(name, first)

    def _converted(self, name: str, first: Term) -> Term:
        arithmetic = self.operations.arithmetic
        if first.kind == "number" and name == "int":
            return arithmetic.whole(first.value)
        if first.kind == "number" and name == "double":
            return arithmetic.double(first.value)
        if first.kind == "number" and name == "timestamp":
            return times.from_seconds(first.value)
        if first.kind == "time" and name == "int":
            return Term("number", times.seconds(first.value))
        if (first.kind, name) in (("time", "timestamp"), ("span", "duration"), ("text", "string")):
            return first
        if first.kind == "bool" and name == "string":
            return Term("text", Cases(((first.value, "true"), (neg(first.value), "false"))))
        if name == "string" and isinstance(first.value, int | float | Cases) and first.kind == "number":
            from exportguard.language.conversions import CONVERSIONS

            known = first.value.of if isinstance(first.value, Cases) else ((True, first.value),)
            return Term("text", Cases(tuple((test, CONVERSIONS["string"](value)) for test, value in known)))
        raise UnsupportedError(f"`{name}` of {first.kind}")

    def _matches(self, node: Node, env: Env) -> Term:
        from exportguard.language.regex import compile_pattern

        text = self._encode(node.args[0], env)
        if text.kind != "text":
            return Term("bool", False, True)
        pattern, words = str(node.value), self.operations.words
        try:
            value = words.satisfies(text.value, lambda t: compile_pattern(pattern).search(t) is not None)
        except UnsupportedError:
            value = matches_expression(text.value, pattern)
        return Term("bool", value, either(text.open, text.null))

    def _group(self, node: Node, env: Env) -> Term:
        try:
            return Term("list", frozenset(self._groups(str(node.value))))
        except KeyError:
            return OPEN_ERROR

    def _owned(self, node: Node, env: Env) -> Term:
        party = self._encode(node.args[0], env)
        if party.kind != "record" or not isinstance(party.value, PartyTerm):
            return Term("bool", False, True)
        answer = party.value.ownership.get(question_of(node))
        if answer is None:
            return Term("bool", False, True)
        return answer.opened(either(party.open, party.null))


_STRUCTURAL = frozenset({"role", "certainty", "kind"})
"""Fields that a record has even when nothing is known of what it stands for, as `language.facts` has them."""


def _wholly_unknown(record: Term) -> B:
    """Whether nothing is known of a record that is there, and something of it is unknown."""
    fields = record.value.fields if isinstance(record.value, PartyTerm) else record.value
    known: list[B] = []
    unknown: list[B] = []
    for name, part in fields.items():
        if name in _STRUCTURAL or (name == "id" and "role" in fields):
            continue
        inner = _wholly_unknown(part) if part.kind == "record" else False
        known.append(conj((neg(part.open), neg(part.null), neg(inner))))
        unknown.append(either(part.open, both(neg(part.null), inner)))
    return both(neg(disj(known)), disj(unknown))


def _hashable(value: Any) -> Any:
    return (type(value).__name__, repr(value))
