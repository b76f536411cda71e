"""Many conditions asked at once of one combination, for one period: what a decision spends its time on.

Each condition becomes straight generated code over facts that are read once. A fact that is known to make one of its
conjuncts false settles it; rules that want one of a few words of a fact are found by that word, so that those which
cannot match cost nothing. Country groups are put in as the period has them.

It says *true*, or *open* with its causes where it is made of plain tests of facts, or *ask it by itself*, and leaves
out what is surely false: whatever is absent or odd is for the three-valued path. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from exportguard.language.compile import CompiledCondition
from exportguard.language.evaluation import Indeterminate, World
from exportguard.language.generated import Generator
from exportguard.language.words import RuleCode
from exportguard.vocabulary.scope import ItemView, LocationView, PartyView, RequestView

Ask: TypeAlias = Callable[[Any, Any, Any, Any, list[Any]], None]
"""(request, item, party, location, found): appends (position, True), (position, Indeterminate) or (position, None)."""

SMALL = 10
"""Conditions that are simply asked one after the other: finding them would cost more."""
SELECTIVE = 0.75
"""A word is worth looking up if no more than this share of requests is guessed to have it."""


class Together:
    """Conditions over the same roots (`usage` aside), ready to be asked of one combination. Thread-safe.

    Parts are generated when first needed; two threads may make the same one at once, and either will do.
    """

    __slots__ = ("_ask", "_codes", "_world")

    def __init__(self, conditions: Sequence[CompiledCondition], world: World) -> None:
        self._world = world
        self._codes = [RuleCode.of(position, condition.tree, world) for position, condition in enumerate(conditions)]
        self._ask: Ask = self._node(self._codes, frozenset())

    def __call__(
        self,
        request: RequestView,
        item: ItemView | None,
        party: PartyView | None,
        location: LocationView | None,
    ) -> list[tuple[int, bool | Indeterminate | None]]:
        """The positions of conditions that are true or open, and (with None) of those to be asked by themselves."""
        found: list[tuple[int, bool | Indeterminate | None]] = []
        try:
            self._ask(request, item, party, location, found)
        except Exception:  # noqa: BLE001 - no rule is ever skipped: each is then asked by itself
            return [(code.position, None) for code in self._codes]
        return found

    def _node(self, codes: Sequence[RuleCode], used: frozenset[str]) -> Ask:
        """A function for *codes*, by words of facts other than those *used* on the way here."""
        tables, rest = _tables(codes, used) if len(codes) > SMALL else ({}, list(codes))
        generator = Generator(self._world)
        for path, rules in tables.items():
            words: dict[str, list[RuleCode]] = {}
            for code, wanted in rules:
                for word in wanted:
                    words.setdefault(word, []).append(code)
            further = used | {path}
            shared: dict[tuple[int, ...], _Later] = {}
            table: dict[str, Ask] = {}
            for word, chosen in words.items():
                key = tuple(code.position for code in chosen)
                later = shared.get(key)
                if later is None:
                    later = shared[key] = _Later(self, chosen, further)
                later.places.append((table, word))
                table[word] = later
            blind = _Later(self, [code for code, _ in rules], further)
            generator.look_up(path, table.get, blind)
        for code in rest:
            generator.add(code)
        return generator.function()


class _Later:
    """A function that is generated when it is first called, and then takes this one's place in the tables."""

    __slots__ = ("_codes", "_made", "_owner", "_used", "places")

    def __init__(self, owner: Together, codes: Sequence[RuleCode], used: frozenset[str]) -> None:
        self._owner, self._codes, self._used = owner, codes, used
        self._made: Ask | None = None
        self.places: list[tuple[dict[str, Ask], str]] = []

    def __call__(self, request: Any, item: Any, party: Any, location: Any, found: list[Any]) -> None:
        made = self._made
        if made is None:
            made = self._made = self._owner._node(self._codes, self._used)
            for table, word in self.places:
                table[word] = made
        made(request, item, party, location, found)


Keyed: TypeAlias = dict[str, list[tuple[RuleCode, frozenset[str]]]]


def _tables(codes: Sequence[RuleCode], used: frozenset[str]) -> tuple[Keyed, list[RuleCode]]:
    """Which conditions are found by which fact, each by the one that is guessed to leave it out most often."""
    words: dict[str, set[str]] = {}
    for code in codes:
        for path, wanted in code.keys.items():
            if path not in used:
                words.setdefault(path, set()).update(wanted)
    tables: Keyed = {}
    rest: list[RuleCode] = []
    for code in codes:
        share, path = min(
            ((len(wanted) / (len(words[p]) + 2), p) for p, wanted in code.keys.items() if p not in used),
            default=(1.0, ""),
        )
        if share > SELECTIVE:
            rest.append(code)
        else:
            tables.setdefault(path, []).append((code, code.keys[path]))
    for path in [p for p, rules in tables.items() if len(rules) < 3]:
        rest += [code for code, _ in tables.pop(path)]
    return tables, rest


__all__ = ["Together"]
