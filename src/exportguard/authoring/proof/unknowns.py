"""What a symbolic request is made of: named unknowns, what restricts them, and what a reader would like to see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from exportguard.authoring.proof.logic import B, both, conj, disj, neg, z3
from exportguard.authoring.proof.mentions import Mentions
from exportguard.authoring.proof.operations import Operations
from exportguard.authoring.proof.sorts import representatives, shape
from exportguard.authoring.proof.terms import Cases, Slot, Term, UnsupportedError, Word
from exportguard.language.schema import Vocabularies
from exportguard.reference import ReferenceData

OTHERS = 12
"""Texts that no condition names, so that as many free facts can all differ."""
LARGEST = 10**15
"""The largest count or amount that a document may state."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many of each a request of the proof has at most. Listings and red flags are counted a party, a request."""

    items: int = 1
    parties: int = 2
    locations: int = 1
    listings: int = 3
    red_flags: int = 3

    def told(self) -> str:
        parts = (
            f"{self.items} item{'s' * (self.items != 1)}",
            f"{self.parties} part{'ies' if self.parties != 1 else 'y'}",
            f"{self.locations} location{'s' * (self.locations != 1)}",
            f"{self.listings} listings a party",
            f"{self.red_flags} red flags",
        )
        return ", ".join(parts)


_ELSEWHERE = "UA-30"
"""A part of a divided country that no rule treats otherwise than the rest."""


class Unknowns:
    """Makes the unknowns of one proof."""

    def __init__(
        self,
        reference: ReferenceData,
        as_of: datetime,
        mentions: Mentions,
        operations: Operations,
        bounds: Bounds,
        *,
        names_count: bool,
    ) -> None:
        self.reference, self.as_of, self.mentions, self.operations = reference, as_of, mentions, operations
        self.bounds = bounds
        self.words = Vocabularies(reference)
        self.names_count = names_count
        """Whether names matter though no condition mentions them: an authorization names parties."""
        self.restrictions: list[B] = []
        self.wishes: list[B] = []
        for code in sorted(reference.countries):
            operations.words.number(code)  # neighbours, so that being a country is being within a range

    def restrict(self, formula: B) -> None:
        if formula is not True:
            self.restrictions.append(formula)

    def wish(self, formula: B) -> None:
        """What a counterexample should satisfy if one does; it is only for the reader."""
        if formula is not True and formula is not False:
            self.wishes.append(formula)

    def flag(self, name: str) -> B:
        return z3().Bool(name)

    def open(self, name: str) -> B:
        """Whether a fact is unknown. A counterexample in which it is known reads better."""
        made = z3().Bool(f"{name}.open")
        self.wish(neg(made))
        return made

    def word(self, name: str, domain: Iterable[str]) -> Word:
        made, within = self.operations.words.word(name, domain)
        self.restrict(within)
        return made

    def vocabulary(self, words: str) -> frozenset[str]:
        """Every word of a closed vocabulary; of an open one what is named, and others."""
        members = self.words.members(words)
        if members is not None and words not in ("region", "provider"):
            return members
        named = {text for text in self.mentions.texts if text and self.words.admits(words, text)}
        return frozenset(named | set(members or ()) | set(self.others(words)))

    def others(self, words: str) -> tuple[str, ...]:
        if words == "subdivision":
            return (*(f"US-{n:02}" for n in range(1, OTHERS + 1)), _ELSEWHERE)
        return tuple(f"example_{n}" for n in range(1, OTHERS + 1))

    def text(self, name: str, words: str, field: str, *, nullable: B = False) -> Term:
        """A text that may be unknown, of a vocabulary or free."""
        open_ = self.open(name)
        self.restrict(neg(both(open_, nullable)))
        return Term("text", self.text_value(name, words, field), open_, nullable)

    def text_value(self, name: str, words: str, field: str) -> Any:
        """The value of a text: a word of a closed vocabulary, of those that conditions can tell apart, or a string."""
        members = self.words.members(words)
        if members is not None and words not in ("region", "provider"):
            return self.word(name, members)
        tests = frozenset(self.mentions.tests.get(field, ()))
        found: tuple[str, ...] | None = ()
        if tests:
            try:
                found = representatives(tests, words)
            except UnsupportedError:
                found = None  # not told apart beforehand: left to the theory of strings
        if found is None or self.mentions.is_string(field):
            return self._string(name, words)
        value = self.word(name, self.vocabulary(words) | frozenset(found))
        self.wish(self.operations.words.is_one_of(value, frozenset(self.others(words))))
        return value

    def _string(self, name: str, words: str) -> Any:
        module = z3()
        value = module.String(name)
        self.restrict(conj((module.Length(value) >= 1, module.Length(value) <= 2000)))
        self.restrict(module.InRe(value, shape(words)))
        return value

    def country(self, name: str) -> Term:
        made = self.text(name, "country", "")
        self.wish(self.operations.words.one_of(made.value, frozenset(("US",))))
        return made

    def boolean(self, name: str) -> Term:
        return Term("bool", self.flag(name), self.open(name))

    def part_of(self, name: str, country: Term) -> Term:
        """A subdivision: absent only where the country is known and not divided."""
        from exportguard.reference.parts import DIVIDED

        null = self.flag(f"{name}.null")
        self.wish(null)
        term = self.text(name, "subdivision", "party.subdivision", nullable=null)
        divided = both(neg(country.open), self.operations.words.one_of(country.value, frozenset(DIVIDED)))
        self.restrict(neg(conj((null, disj((country.open, divided))))))
        # Of a divided country only its parts are read: any other code leaves open which part is meant.
        parts = frozenset(self.reference.table("countries")["parts"].values())
        within = self.operations.words.one_of(term.value, parts)
        self.restrict(disj((neg(divided), term.open, null, within)))
        return term

    def prefix(self, name: str, most: int, *, least: int = 0) -> list[B]:
        """Which of *most* slots are there: the first so many. Fewer read better."""
        flags: list[B] = [True if i < least else self.flag(f"{name}[{i}].there") for i in range(most)]
        for earlier, later in pairwise(flags):
            self.restrict(disj((neg(later), earlier)))
        for flag in reversed(flags):
            self.wish(neg(flag))
        return flags

    def listed(self, name: str, words: frozenset[str], most: int) -> Term:
        """A list of words that may be unknown as a whole, and in each element."""
        slots = []
        for index, there in enumerate(self.prefix(name, most)):
            value = self.word(f"{name}[{index}]", words)
            slots.append(Slot(there, Term("text", value, self.open(f"{name}[{index}]"))))
        return Term("list", tuple(slots), self.open(name))


def cases(pairs: Iterable[tuple[B, Any]]) -> Cases:
    """Cases by constant: conditions of equal constants joined."""
    by_value: dict[Any, list[B]] = {}
    for test, value in pairs:
        by_value.setdefault((type(value), value), []).append(test)
    return Cases(tuple((disj(tests), value) for (_, value), tests in by_value.items()) or ((True, ""),))
