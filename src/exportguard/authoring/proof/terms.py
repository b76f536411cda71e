"""Values of a condition as terms: what it is when it is known, and when it is open, absent, or open by an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeAlias

from exportguard.authoring.proof.logic import B, Z, both, choose, conj, disj, either, neg, string, z3
from exportguard.vocabulary.questions import OwnershipQuestion


class UnsupportedError(Exception):
    """A construct that the compilation to Z3 does not cover: the property is undecided, never proved."""


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """A value by cases: conditions that exclude one another, each with a constant. Some case always holds."""

    of: tuple[tuple[B, Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A text as a number of `Dictionary`, one of `domain`."""

    number: Z
    domain: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """An element of a list, and whether it is there."""

    there: B
    term: Term


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One value in three answers.

    `kind`: bool, number, text, time, span, list, record or null. `value` by kind: a formula; an int, float, Fraction,
    Cases or arithmetic expression; a str, Cases, Word or string expression; microseconds (int or expression); a
    tuple of slots or a frozenset of texts; a mapping from field to Term. It means something only where the term is
    neither `open` (Indeterminate) nor `null` (None). `error` is the part of `open` that a run-time error causes.
    """

    kind: str
    value: Any
    open: B = False
    null: B = False
    error: B = False

    @property
    def known(self) -> B:
        return both(neg(self.open), neg(self.null))

    def opened(self, open_: B, error: B = False) -> Term:
        """The same value, open in more cases."""
        if open_ is False:
            return self
        return replace(self, open=either(self.open, open_), error=either(self.error, error))


Record: TypeAlias = Mapping[str, Term]


@dataclass(frozen=True, slots=True, eq=False)
class PartyTerm:
    """What a party record holds besides its fields: the answers of the ownership cascade."""

    fields: Record
    ownership: Mapping[OwnershipQuestion, Term]


OPEN_ERROR = Term("null", None, open=True, error=True)
NULL = Term("null", None, null=True)


def truth(formula: B, open_: B = False) -> Term:
    return Term("bool", formula, open_)


def constant(value: Any) -> Term:
    """A literal of a condition."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return Term("bool", value)
    if isinstance(value, int | float | Fraction):
        return Term("number", value)
    if isinstance(value, str):
        return Term("text", value)
    raise UnsupportedError(f"a literal {value!r}")


def holds(term: Term) -> B:
    """Surely true."""
    if term.kind != "bool":
        return False
    return conj((neg(term.open), neg(term.null), term.value))


def fails(term: Term) -> B:
    """Surely false."""
    if term.kind != "bool":
        return False
    return conj((neg(term.open), neg(term.null), neg(term.value)))


def undecided(term: Term) -> B:
    """Neither true nor false: open, or no boolean at all."""
    return either(term.open, term.null) if term.kind == "bool" else True


def by_case(test: B, then: Term, otherwise: Term) -> Term:
    """``test ? then : otherwise`` where *test* is a formula."""
    if test is True or then is otherwise:
        return then
    if test is False:
        return otherwise
    open_ = choose(test, then.open, otherwise.open)
    null = choose(test, then.null, otherwise.null)
    error = choose(test, then.error, otherwise.error)
    if then.kind != otherwise.kind:
        # A side that is never a value has no kind of its own.
        if then.kind == "null" or (then.open is True):
            return Term(otherwise.kind, otherwise.value, open_, null, error)
        if otherwise.kind == "null" or (otherwise.open is True):
            return Term(then.kind, then.value, open_, null, error)
        raise UnsupportedError("a value of two kinds")
    # A side that is never a value has none that counts.
    if otherwise.open is True or otherwise.null is True:
        return Term(then.kind, then.value, open_, null, error)
    if then.open is True or then.null is True:
        return Term(then.kind, otherwise.value, open_, null, error)
    return Term(then.kind, _value_by_case(then.kind, test, then.value, otherwise.value), open_, null, error)


def _value_by_case(kind: str, test: B, then: Any, otherwise: Any) -> Any:
    if then is otherwise:
        return then
    if kind == "bool":
        return choose(test, then, otherwise)
    if kind in ("text", "number"):
        left, right = _as_cases(then), _as_cases(otherwise)
        if left is not None and right is not None:
            other = neg(test)
            return Cases(
                (*((both(test, c), v) for c, v in left.of), *((both(other, c), v) for c, v in right.of)),
            )
    if kind == "number":
        return z3().If(test, number(then), number(otherwise))
    if kind in ("time", "span"):
        return z3().If(test, z3().IntVal(then) if isinstance(then, int) else then, otherwise)
    if kind == "text" and isinstance(then, Word) and isinstance(otherwise, Word):
        return Word(z3().If(test, then.number, otherwise.number), then.domain | otherwise.domain)
    if kind == "text" and not isinstance(then, Word | Cases) and not isinstance(otherwise, Word | Cases):
        first, second = (string(part) if isinstance(part, str) else part for part in (then, otherwise))
        return z3().If(test, first, second)
    if kind == "record":
        return _record_by_case(test, then, otherwise)
    if kind == "list" and isinstance(then, tuple) and isinstance(otherwise, tuple):
        other = neg(test)
        return (
            *(Slot(both(test, s.there), s.term) for s in then),
            *(Slot(both(other, s.there), s.term) for s in otherwise),
        )
    raise UnsupportedError(f"a choice between two {kind} values")


def _record_by_case(test: B, then: Any, otherwise: Any) -> Any:
    if isinstance(then, PartyTerm) and isinstance(otherwise, PartyTerm):
        answers = then.ownership.keys() & otherwise.ownership.keys()
        return PartyTerm(
            _record_by_case(test, then.fields, otherwise.fields),
            {question: by_case(test, then.ownership[question], otherwise.ownership[question]) for question in answers},
        )
    if isinstance(then, PartyTerm) or isinstance(otherwise, PartyTerm):
        raise UnsupportedError("a choice between records of two kinds")
    shared = then.keys() & otherwise.keys()
    if shared not in (then.keys(), otherwise.keys()):
        raise UnsupportedError("a choice between records of two kinds")
    # The party that is added where nobody is named has every field, the others those that some condition mentions.
    return {name: by_case(test, then[name], otherwise[name]) for name in sorted(shared)}


def _as_cases(value: Any) -> Cases | None:
    if isinstance(value, Cases):
        return value
    if isinstance(value, str | int | float | Fraction):
        return Cases(((True, value),))
    return None


def number(value: Any) -> Z:
    """A number term's value as an arithmetic expression, exact."""
    module = z3()
    if isinstance(value, Cases):
        *first, last = value.of
        made = _numeral(last[1])
        for test, each in reversed(first):
            made = module.If(test, _numeral(each), made)
        return made
    return _numeral(value) if isinstance(value, int | float | Fraction) else value


def _numeral(value: int | float | Fraction) -> Z:
    module = z3()
    if isinstance(value, int):
        return module.IntVal(value)
    if isinstance(value, float):
        if value != value:
            raise UnsupportedError("a number that is none")
        # Beyond every double: infinity is compared, never computed with.
        value = Fraction(10) ** 400 * (1 if value > 0 else -1) if value in (INF, -INF) else Fraction(value)
    return module.RealVal(f"{value.numerator}/{value.denominator}")


INF = float("inf")


def any_true(parts: list[Term]) -> Term:
    """`||` of terms: one that is true settles it."""
    yes = disj(holds(part) for part in parts)
    return Term("bool", yes, both(neg(yes), disj(undecided(part) for part in parts)))


def all_true(parts: list[Term]) -> Term:
    """`&&` of terms: one that is false settles it."""
    no = disj(fails(part) for part in parts)
    return Term("bool", neg(no), both(neg(no), disj(undecided(part) for part in parts)))
