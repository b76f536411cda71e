"""Operations of the language on terms, one by one as `language.values` has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exportguard.authoring.proof import numbers, times
from exportguard.authoring.proof.logic import B, both, choose, conj, disj, either, neg, z3
from exportguard.authoring.proof.numbers import Arithmetic
from exportguard.authoring.proof.terms import Slot, Term, UnsupportedError, by_case
from exportguard.authoring.proof.texts import Dictionary


class Operations:
    """What conditions compute. One object a proof: it keeps the texts and the side facts of arithmetic."""

    def __init__(self) -> None:
        self.words = Dictionary()
        self.arithmetic = Arithmetic()

    def slots(self, term: Term) -> tuple[Slot, ...]:
        """The elements of a list term."""
        if isinstance(term.value, frozenset):
            return tuple(Slot(True, Term("text", text)) for text in sorted(term.value))
        return tuple(term.value)

    # -- comparisons

    def equal(self, left: Term, right: Term) -> Term:
        open_ = either(left.open, right.open)
        if open_ is True:
            return Term("bool", False, True)
        nulls = both(left.null, right.null)
        there = conj((neg(left.null), neg(right.null)))
        if there is False or left.kind != right.kind:
            return Term("bool", nulls, open_)
        same, unclear = self._same(left, right)
        return Term("bool", either(nulls, both(there, same)), either(open_, both(there, unclear)))

    def _same(self, left: Term, right: Term) -> tuple[B, B]:
        """Equality of two values of one kind, and whether it is open for a reason inside them."""
        if left.kind == "bool":
            return choose(left.value, right.value, neg(right.value)), False
        if left.kind == "number":
            return numbers.relate("==", left.value, right.value), False
        if left.kind == "text":
            return self.words.equal(left.value, right.value), False
        if left.kind in ("time", "span"):
            return left.value == right.value, False
        if left.kind == "record":
            return False, True
        if left.kind == "list":
            differs, unclear = self._lists(self.slots(left), self.slots(right))
            return neg(differs), both(neg(differs), unclear)
        return True, False

    def _lists(self, ours: Sequence[Slot], theirs: Sequence[Slot]) -> tuple[B, B]:
        """Whether two lists surely differ, and whether some pair of elements is open."""
        known: dict[tuple[int, int], tuple[B, B]] = {}

        def rest(i: int, j: int) -> tuple[B, B]:
            if (i, j) in known:
                return known[i, j]
            if i == len(ours):
                answer: tuple[B, B] = (disj(slot.there for slot in theirs[j:]), False)
            elif j == len(theirs):
                answer = (disj(slot.there for slot in ours[i:]), False)
            else:
                mine, yours = ours[i], theirs[j]
                pair = self.equal(mine.term, yours.term)
                after = rest(i + 1, j + 1)
                paired = (either(both(neg(pair.open), neg(pair.value)), after[0]), either(pair.open, after[1]))
                skip_mine, skip_yours = (False, False), (False, False)
                if mine.there is not True:
                    skip_mine = rest(i + 1, j)
                if yours.there is not True:
                    skip_yours = rest(i, j + 1)
                answer = (
                    choose(mine.there, choose(yours.there, paired[0], skip_yours[0]), skip_mine[0]),
                    choose(mine.there, choose(yours.there, paired[1], skip_yours[1]), skip_mine[1]),
                )
            known[i, j] = answer
            return answer

        if len(ours) * len(theirs) > 2500:
            raise UnsupportedError("a comparison of long lists")
        return rest(0, 0)

    def different(self, left: Term, right: Term) -> Term:
        same = self.equal(left, right)
        return Term("bool", neg(same.value), same.open)

    def ordered(self, op: str, left: Term, right: Term) -> Term:
        if left.kind != right.kind or left.kind in ("null", "list", "record"):
            return Term("bool", False, True)
        open_ = disj((left.open, right.open, left.null, right.null))
        if open_ is True:
            return Term("bool", False, True)
        a, b = left.value, right.value
        if left.kind == "number":
            value = numbers.relate(op, a, b)
        elif left.kind == "text":
            value = self.words.relate(op, a, b)
        elif left.kind == "bool":
            value = {
                "<": both(neg(a), b),
                "<=": either(neg(a), b),
                ">": both(a, neg(b)),
                ">=": either(a, neg(b)),
            }[op]
        else:
            value = {"<": lambda: a < b, "<=": lambda: a <= b, ">": lambda: a > b, ">=": lambda: a >= b}[op]()
        return Term("bool", value, open_)

    def member(self, element: Term, members: Term) -> Term:
        """`in`: true if a known element equals, else open if anything is open, else false."""
        if members.kind != "list":
            return Term("bool", False, True)
        whole = either(members.open, members.null)
        if whole is True:
            return Term("bool", False, True)
        if isinstance(members.value, frozenset):
            if element.kind == "text":
                value = both(neg(element.null), self.words.one_of(element.value, members.value))
            else:
                value = False
            return Term("bool", value, either(element.open, whole) if members.value else whole)
        slots = self.slots(members)
        plain = _plain_texts(slots)
        if plain is not None and element.kind == "text":
            value = both(neg(element.null), self.words.one_of(element.value, plain))
            return Term("bool", value, either(element.open, whole))
        answers = [(slot.there, self.equal(element, slot.term)) for slot in slots]
        yes = disj(conj((there, neg(a.open), a.value)) for there, a in answers)
        open_ = disj(both(there, a.open) for there, a in answers)
        return Term("bool", yes, either(whole, both(neg(yes), open_)))

    # -- computing

    def joined(self, op: str, static: str, left: Term, right: Term) -> Term:
        open_ = disj((left.open, right.open, left.null, right.null))
        if open_ is True:
            return Term("number", 0, True)
        made: Term | None = None
        if left.kind == right.kind == "number":
            if static not in ("int", "double"):
                raise UnsupportedError("arithmetic on a value of any type")
            made = self.arithmetic.join(op, static, left.value, right.value)
        elif left.kind == right.kind == "text" and op == "+":
            made = Term("text", self.words.joined(left.value, right.value))
        elif left.kind == right.kind == "list" and op == "+":
            made = Term("list", (*self.slots(left), *self.slots(right)))
        elif op in "+-":
            made = times.join(op, left, right)
        return Term("number", 0, True) if made is None else made.opened(open_)

    def at_index(self, target: Term, index: Term) -> Term:
        open_ = disj((target.open, index.open, target.null, index.null))
        if open_ is True or target.kind != "list" or index.kind != "number":
            return Term("null", None, True)
        slots = self.slots(target)
        rank: Any = 0
        outside: list[B] = []
        found: Term | None = None
        for slot in slots:
            here = both(slot.there, numbers.relate("==", rank, index.value))
            outside.append(neg(here))
            if here is not False:
                found = slot.term if found is None else by_case(here, slot.term, found)
            rank = _plus(rank, slot.there)
        if found is None:
            return Term("null", None, True)
        return found.opened(either(open_, conj(outside)), either(open_, conj(outside)))

    def size(self, term: Term) -> Term:
        if term.kind not in ("list", "text"):
            return Term("number", 0, True)
        open_ = either(term.open, term.null)
        if open_ is True:
            return Term("number", 0, True)
        if term.kind == "text":
            return Term("number", self.words.size(term.value), open_)
        total: Any = 0
        for slot in self.slots(term):
            total = _plus(total, slot.there)
        return Term("number", total, open_)


def _plus(total: Any, there: B) -> Any:
    if there is True:
        return total + 1
    return total if there is False else total + z3().If(there, 1, 0)


def _plain_texts(slots: Sequence[Slot]) -> frozenset[str] | None:
    """The literal texts that a list is made of, where it is made of nothing else."""
    if slots and all(slot.there is True and isinstance(slot.term.value, str) for slot in slots):
        return frozenset(slot.term.value for slot in slots)
    return None
