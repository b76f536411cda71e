"""Any scope of views as terms: an unknown for each fact of the schema, and the values that a scope gives them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import z3

from exportguard.authoring.proof import times
from exportguard.authoring.proof.logic import string
from exportguard.authoring.proof.operations import Operations
from exportguard.authoring.proof.terms import PartyTerm, Slot, Term, Word, number
from exportguard.language.schema import RECORDS, ROOTS
from exportguard.language.types import Type
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import OwnershipQuestion
from language_random import COUNTRIES, QUESTION

SLOTS = {"listings": 3, "parties": 4, "items": 1, "red_flags": 2}


class Lifting:
    """Terms for every root, and assignments to their unknowns."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.env = {root: self.record(root, root) for root in ROOTS}

    def record(self, name: str, path: str) -> Term:
        fields = {field: self.field(kind, f"{path}.{field}") for field, kind in RECORDS[name].items()}
        value: Any = fields
        if name == "party":
            owned = Term("bool", z3.Bool(f"{path}.owned"), z3.Bool(f"{path}.owned.open"))
            value = PartyTerm(fields, {QUESTION: owned})
        return Term("record", value, z3.Bool(f"{path}.open"), z3.Bool(f"{path}.null"))

    def field(self, kind: Type, path: str) -> Term:
        open_, null = z3.Bool(f"{path}.open"), z3.Bool(f"{path}.null")
        if kind.kind == "record":
            return self.record(kind.record, path)
        if kind.kind == "list":
            assert kind.of is not None
            slots = tuple(
                Slot(z3.Bool(f"{path}[{i}].there"), self.field(kind.of, f"{path}[{i}]"))
                for i in range(SLOTS[path.rpartition(".")[2]])
            )
            return Term("list", slots, open_, null)
        value: Any
        match kind.kind:
            case "bool":
                value = z3.Bool(path)
            case "int":
                value = z3.Int(path)
            case "double":
                value = z3.Real(path)
            case "timestamp":
                value = z3.Int(path)
            case _ if kind.words in ("country", "list code"):
                word, _ = self.operations.words.word(path, (*COUNTRIES, "EL", "MEU", "DE", "SDN"))
                value = word
            case _:
                value = z3.String(path)
        return Term({"int": "number", "double": "number", "timestamp": "time", "string": "text"}.get(kind.kind, "bool"),
                    value, open_, null)  # fmt: skip

    def assign(self, scope: Any, names: dict[str, Any]) -> dict[Any, Any]:
        """Values for the unknowns in *names*; what lies behind something absent or unknown is anything."""
        found: dict[str, Any] = {}
        for root in {name.partition(".")[0].partition("[")[0] for name in names}:
            found.update(self.values(self.env[root], getattr(scope, root), root))
        return {x: found[name] if name in found else _anything(x) for name, x in names.items()}

    def values(self, term: Term, value: Any, path: str) -> Iterator[tuple[str, Any]]:
        unknown = isinstance(value, Unknown)
        yield f"{path}.open", z3.BoolVal(unknown)
        yield f"{path}.null", z3.BoolVal(value is None)
        if unknown or value is None:
            return
        if term.kind == "record":
            record = term.value
            if isinstance(record, PartyTerm):
                answer = value.ownership.get(OwnershipQuestion(("EL",), ">=", Fraction(50)), Unknown())
                yield f"{path}.owned.open", z3.BoolVal(isinstance(answer, Unknown))
                yield f"{path}.owned", z3.BoolVal(answer is True)
                record = record.fields
            for name, part in record.items():
                yield from self.values(part, getattr(value, name), f"{path}.{name}")
        elif term.kind == "list":
            assert len(value) <= len(term.value)
            for index, slot in enumerate(term.value):
                yield f"{path}[{index}].there", z3.BoolVal(index < len(value))
                if index < len(value):
                    yield from self.values(slot.term, value[index], f"{path}[{index}]")
        else:
            yield path, self.constant(term, value)

    def constant(self, term: Term, value: Any) -> Any:
        if isinstance(value, bool):
            return z3.BoolVal(value)
        if isinstance(value, datetime):
            return z3.IntVal(times.micros(value))
        assert not isinstance(value, timedelta)
        if isinstance(term.value, Word):
            return z3.BitVecVal(self.operations.words.number(value), 16)
        if isinstance(value, str):
            return string(value)
        return (
            number(value)
            if z3.is_int(term.value)
            else z3.simplify(z3.ToReal(number(value)) if isinstance(value, int) else number(value))
        )


def unknowns(formulas: list[Any]) -> dict[str, Any]:
    """The unknowns that *formulas* mention, by name."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    stack = [f for f in formulas if not isinstance(f, bool)]
    while stack:
        here = stack.pop()
        if here.get_id() in seen:
            continue
        seen.add(here.get_id())
        if z3.is_const(here) and here.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[str(here)] = here
        stack.extend(here.children())
    return found


def _anything(unknown: Any) -> Any:
    return {
        z3.Z3_BOOL_SORT: z3.BoolVal(False),
        z3.Z3_INT_SORT: z3.IntVal(0),
        z3.Z3_REAL_SORT: z3.RealVal(0),
        z3.Z3_BV_SORT: z3.BitVecVal(0, 16),
        z3.Z3_SEQ_SORT: z3.StringVal("unset"),
    }[unknown.sort().kind()]


def truth_under(formula: Any, values: dict[Any, Any]) -> bool:
    """Whether *formula* is true where its unknowns have *values*."""
    if isinstance(formula, bool):
        return formula
    answer = z3.simplify(z3.substitute(formula, *values.items()))
    if not z3.is_true(answer) and not z3.is_false(answer):
        solver = z3.Solver()  # the simplifier leaves some comparisons with the empty string as they are
        solver.add(answer)
        return solver.check() == z3.sat
    return z3.is_true(answer)
