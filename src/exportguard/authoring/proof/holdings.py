"""What the ownership cascade can answer of one party: owners on lists and from places, by what they count towards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from exportguard.authoring.proof.logic import B, Z, both, conj, disj, either, neg, z3
from exportguard.authoring.proof.reading import Reading
from exportguard.authoring.proof.terms import Term, UnsupportedError
from exportguard.authoring.proof.unknowns import Unknowns
from exportguard.parties.origin import IN, is_place
from exportguard.vocabulary.questions import OwnershipQuestion

_MOST_CLASSES = 31
_HALF = Fraction(50)


@dataclass(frozen=True, slots=True)
class _Class:
    """Owners that count towards the same questions: on these lists, from that country; what they hold together."""

    codes: tuple[str, ...]
    country: str | None
    towards: frozenset[int]
    low: Z
    high: Z


class Holdings:
    """The owners of one party slot, as far as the questions of the rules can tell.

    Owners that count towards the same questions are one: with the least and the greatest share they hold together.
    Deeper cascades answer nothing that some direct owners would not. Where no owners are given, the ultimate parent
    answers where the party is owned from.

    Raises:
        UnsupportedError: a question about lists and places at once, or too many different ones.
    """

    def __init__(self, unknowns: Unknowns, name: str, natural: B, parent: Term | None, restricted: Term | None) -> None:
        questions = sorted(unknowns.mentions.questions)
        self.given: B = False
        self.answers: dict[OwnershipQuestion, Term] = {}
        self._classes: list[_Class] = []
        self._unknowns = unknowns
        if not questions:
            return
        module = z3()
        self.given = unknowns.flag(f"{name}.owners.given")
        unknowns.wish(self.given)
        for codes, country, towards in self._kinds(questions):
            label = f"{name}.owned.{'+'.join((*codes, country or ''))}"
            low, high = module.Real(f"{label}.low"), module.Real(f"{label}.high")
            unknowns.restrict(conj((low >= 0, low <= high, high <= 100)))
            unknowns.wish(high == 0)
            unknowns.wish(conj((low == high, module.IsInt(low))))
            self._classes.append(_Class(codes, country, towards, low, high))
        least = sum((each.low for each in self._classes), module.RealVal(0))
        unknowns.restrict(least <= 100)
        for number, question in enumerate(questions):
            counted = [each for each in self._classes if number in each.towards]
            surely = sum((each.low for each in counted), module.RealVal(0))
            at_most = sum((each.high for each in counted), module.RealVal(0))
            room = 100 - (least - surely)
            possible = module.If(at_most < room, at_most, room)
            yes = both(self.given, _reaches(surely, question.comparison, question.percent))
            out_of_reach = both(self.given, neg(_reaches(possible, question.comparison, question.percent)))
            # Nobody owns a natural person, unless the document says so.
            no = either(out_of_reach, both(neg(self.given), natural))
            above, not_above = self._from_parent(question, parent)
            alone = both(neg(self.given), neg(natural))
            yes, no = either(yes, both(alone, above)), either(no, both(alone, not_above))
            stated, perhaps = self._as_stated(question, restricted)
            yes, no = either(yes, stated), both(no, neg(perhaps))
            self.answers[question] = Term("bool", yes, neg(disj((yes, no))))

    def _kinds(self, questions: list[OwnershipQuestion]) -> list[tuple[tuple[str, ...], str | None, frozenset[int]]]:
        """(lists, country, questions counted towards) of every class of owners."""
        of_lists = {n: q.lists for n, q in enumerate(questions) if not any(map(is_place, q.lists))}
        of_places = {n: q.lists for n, q in enumerate(questions) if all(map(is_place, q.lists))}
        if len(of_lists) + len(of_places) < len(questions):
            raise UnsupportedError("a question about owners on lists and from places at once")
        listed = [((), frozenset()), *_listed(of_lists)]
        placed = self._placed(of_places) if of_places else [(None, frozenset[int]())]
        found = [(codes, country, one | other) for codes, one in listed for country, other in placed if one | other]
        if len(found) > _MOST_CLASSES:
            raise UnsupportedError("so many different questions about ownership")
        return found

    def _placed(self, questions: dict[int, tuple[str, ...]]) -> list[tuple[str | None, frozenset[int]]]:
        """A country for each set of questions that an owner from it counts towards."""
        found: dict[frozenset[int], str] = {}
        for country in ("US", *sorted(self._unknowns.reference.countries)):
            towards = frozenset(n for n, codes in questions.items() if country in self._members(codes))
            found.setdefault(towards, country)
        if frozenset() not in found:
            raise UnsupportedError("a question about ownership that every country answers")
        return [(country, towards) for towards, country in found.items()]

    def _members(self, codes: Iterable[str]) -> frozenset[str]:
        """The countries that are at one of the places *codes*."""
        reference = self._unknowns.reference
        members: set[str] = set()
        for code in codes:
            group = reference.country_group(code.partition(":")[2], self._unknowns.as_of)
            members |= group if code.startswith(IN) else reference.countries - group
        return frozenset(members)

    def _from_parent(self, question: OwnershipQuestion, parent: Term | None) -> tuple[B, B]:
        """Surely owned, and surely not, by where the ultimate parent is and is run from."""
        if parent is None or not all(map(is_place, question.lists)):
            return False, False
        members, words = self._members(question.lists), self._unknowns.operations.words
        parts = [parent.value[name] for name in ("country", "headquarters")]
        there = disj(both(neg(part.open), words.one_of(part.value, members)) for part in parts)
        known = disj(neg(part.open) for part in parts)
        return both(neg(parent.open), there), conj((neg(parent.open), known, neg(there)))

    def _as_stated(self, question: OwnershipQuestion, restricted: Term | None) -> tuple[B, B]:
        """Surely owned, and perhaps, by the share that the record states: it may catch a party and never frees it."""
        wanted = frozenset(code for code in question.lists if not is_place(code))
        if restricted is None or not wanted:
            return False, False
        code, percent = restricted.value["list"], restricted.value["percent"]
        on = both(neg(code.open), self._unknowns.operations.words.one_of(code.value, wanted))
        enough = both(neg(percent.open), _reaches(percent.value, question.comparison, question.percent))
        surely = conj((restricted.known, on, enough))
        return surely, conj((restricted.known, either(code.open, on), either(percent.open, enough)))

    def document(self, reading: Reading) -> list[dict[str, Any]] | None:
        if not reading.true(self.given):
            return None
        found: list[dict[str, Any]] = []
        for each in self._classes:
            least, most = reading.number(each.low), reading.number(each.high)
            # One owner of more than half would stand above the party as its parent: two of half of that do not.
            parts = 2 if least > _HALF else 1
            for _ in range(parts if most > 0 else 0):
                share: Any = _percent(least / parts)
                if least != most:
                    share = {"min": share, "max": _percent(most / parts)}
                owner: dict[str, Any] = {"name": f"Example owner {len(found) + 1}", "percent": share}
                if each.country is not None:
                    owner |= {"country": each.country, "headquarters": each.country}
                found.append({**owner, "listings": list(each.codes), "owners": []})
        return found


def _reaches(share: Z, comparison: str, percent: Fraction) -> B:
    limit = z3().RealVal(f"{percent.numerator}/{percent.denominator}")
    return share >= limit if comparison == ">=" else share > limit


def _percent(value: Fraction) -> int | str:
    return int(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"


def _listed(questions: dict[int, tuple[str, ...]]) -> list[tuple[tuple[str, ...], frozenset[int]]]:
    """Sets of list codes that count towards different sets of questions: the smallest set for each."""
    singles: dict[frozenset[int], str] = {}
    for code in sorted({code for codes in questions.values() for code in codes}):
        singles.setdefault(frozenset(n for n, codes in questions.items() if code in codes), code)
    towards: dict[frozenset[int], tuple[str, ...]] = {}
    names = sorted(singles.items(), key=lambda pair: pair[1])
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            counts = frozenset[int]().union(*(where for where, _ in chosen))
            towards.setdefault(counts, tuple(code for _, code in chosen))
            if len(towards) > _MOST_CLASSES:
                raise UnsupportedError("so many different questions about ownership")
    return [(codes, counts) for counts, codes in towards.items()]
