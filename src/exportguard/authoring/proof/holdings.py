"""What the ownership cascade can answer of one party: owners on lists, by which questions they count towards."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

from exportguard.authoring.proof.logic import B, Z, both, conj, disj, either, neg, z3
from exportguard.authoring.proof.reading import Reading
from exportguard.authoring.proof.terms import Term, UnsupportedError
from exportguard.authoring.proof.unknowns import Unknowns

_MOST_CLASSES = 15


class Holdings:
    """The owners of one party slot, as far as the questions of the rules can tell.

    Owners that count towards the same questions are one: the codes of a class, the least and the greatest share they
    hold together. Deeper cascades answer nothing that some direct owners would not.
    """

    def __init__(self, unknowns: Unknowns, name: str, natural: B) -> None:
        questions = sorted(unknowns.mentions.questions)
        self.given: B = False
        self.answers: dict[Any, Term] = {}
        self._classes: list[tuple[tuple[str, ...], Z, Z]] = []
        if not questions:
            return
        module = z3()
        self.given = unknowns.flag(f"{name}.owners.given")
        unknowns.wish(self.given)
        for codes in _classes([question.lists for question in questions]):
            label = f"{name}.owned.{'+'.join(codes)}"
            low, high = module.Real(f"{label}.low"), module.Real(f"{label}.high")
            unknowns.restrict(conj((low >= 0, low <= high, high <= 100)))
            unknowns.wish(low == high)
            unknowns.wish(module.IsInt(low))
            self._classes.append((codes, low, high))
        least = sum((low for _, low, _ in self._classes), module.RealVal(0))
        unknowns.restrict(least <= 100)
        for question in questions:
            counted = [(low, high) for codes, low, high in self._classes if set(codes) & set(question.lists)]
            surely = sum((low for low, _ in counted), module.RealVal(0))
            at_most = sum((high for _, high in counted), module.RealVal(0))
            room = 100 - (least - surely)
            possible = module.If(at_most < room, at_most, room)
            yes = conj((self.given, _reaches(surely, question.comparison, question.percent)))
            out_of_reach = both(self.given, neg(_reaches(possible, question.comparison, question.percent)))
            # Nobody owns a natural person, unless the document says so.
            no = either(out_of_reach, both(neg(self.given), natural))
            self.answers[question] = Term("bool", yes, neg(disj((yes, no))))

    def document(self, reading: Reading) -> list[dict[str, Any]] | None:
        if not reading.true(self.given):
            return None
        found = []
        for number, (codes, low, high) in enumerate(self._classes, 1):
            least, most = reading.number(low), reading.number(high)
            if most == 0:
                continue
            percent: Any = _percent(least) if least == most else {"min": _percent(least), "max": _percent(most)}
            owner = {"name": f"Example owner {number}", "percent": percent, "listings": list(codes), "owners": []}
            found.append(owner)
        return found


def _reaches(share: Z, comparison: str, percent: Fraction) -> B:
    limit = z3().RealVal(f"{percent.numerator}/{percent.denominator}")
    return share >= limit if comparison == ">=" else share > limit


def _percent(value: Fraction) -> int | str:
    return int(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def _classes(lists: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Sets of codes that count towards different sets of questions: the smallest set for each."""
    towards: dict[frozenset[int], tuple[str, ...]] = {}
    codes = sorted({code for group in lists for code in group})
    singles: dict[frozenset[int], str] = {}
    for code in codes:
        singles.setdefault(frozenset(i for i, group in enumerate(lists) if code in group), code)
    names = sorted(singles.items(), key=lambda pair: pair[1])
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            counts = frozenset().union(*(where for where, _ in chosen))
            towards.setdefault(counts, tuple(code for _, code in chosen))
            if len(towards) > _MOST_CLASSES:
                raise UnsupportedError("so many different questions about ownership")
    return list(towards.values())
