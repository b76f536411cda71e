"""Is a party owned by listed parties? The cascade's answer to the questions that rules ask, with the path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from exportguard.parties.cascade import Cascade, cascade
from exportguard.parties.graph import Node, OwnershipGraph
from exportguard.parties.percent import as_text
from exportguard.parties.screening.lists import LISTS, canonical
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.party import Party, RestrictedOwnership
from exportguard.vocabulary.questions import OwnershipAnswer, OwnershipQuestion

__all__ = ["OwnershipGraph", "OwnershipInquiry", "answer"]

ListingsOf = Callable[[str], Maybe[tuple[str, ...]]]
"""Screens the name of an owner: codes of lists (none: known to be on none), or Unknown."""

MAX_SCREENED = 500
"""Owners' names screened for one party; further ones are unknown."""
_PATH_LINES = 24


@dataclass(slots=True)
class OwnershipInquiry:
    """Everything that rules ask about the ownership of one party at one instant.

    Args:
        party: with nested `owners`, and an `id` where a shared graph knows it.
        as_of: stakes are those in force on its day (UTC).
        shared: the graph of the customers document, if it has one.
        listings_of: asked for owners whose listings nobody gave; None: they are unknown.
    """

    party: Party
    as_of: datetime
    shared: OwnershipGraph | None = None
    listings_of: ListingsOf | None = None
    red_flags: list[str] = field(default_factory=list)
    _graph: OwnershipGraph = field(init=False)
    _root: str = field(init=False)
    _followed: bool = field(init=False, default=True)
    _listings: dict[str, Maybe[tuple[str, ...]]] = field(init=False, default_factory=dict)
    _stakes: Mapping[str, list[tuple[str, Fraction, Fraction]]] = field(init=False, default_factory=dict)
    _ancestors: dict[str, None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        graph, root = OwnershipGraph.of_party(self.party, self.shared)
        day = self.as_of.date()
        self._graph, self._root = graph, root
        self._ancestors, self._followed = graph.ancestors(root, day)
        self._stakes = {owned: held for owned, held in graph.stakes(day).items() if owned in self._ancestors}
        screened = 0
        for id_ in self._ancestors:
            node = graph.node(id_)
            listings = node.listings
            if isinstance(listings, Unknown) and isinstance(node.name, str) and self.listings_of and id_ != root:
                screened += 1
                if screened <= MAX_SCREENED:
                    listings = self.listings_of(node.name)
            self._listings[id_] = listings
            if any(not held.readable for held in node.holdings):
                self._flag("ownership_unreadable")
        if not self._followed:
            self._flag("ownership_too_large")

    def _flag(self, name: str) -> None:
        if name not in self.red_flags:
            self.red_flags.append(name)

    def _listed(self, lists: Iterable[str]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """Who is surely on one of *lists* (and on which), and who may be."""
        wanted = {canonical(code) or code for code in lists}
        surely: dict[str, tuple[str, ...]] = {}
        maybe: list[str] = []
        for id_, listings in self._listings.items():
            if isinstance(listings, Unknown):
                maybe.append(id_)
                continue
            codes = [canonical(code) for code in listings]
            on = tuple(code for code in codes if code is not None and code in wanted)
            if on:
                surely[id_] = on
            elif None in codes:
                maybe.append(id_)
        return surely, maybe

    def _cascade(self, question: OwnershipQuestion) -> tuple[Cascade, dict[str, tuple[str, ...]], list[str]]:
        surely, maybe = self._listed(question.lists)
        unknown = [id_ for id_ in self._ancestors if not self._graph.node(id_).owners_known]
        found = cascade(
            self._stakes,
            listed=surely,
            maybe_listed=maybe,
            owners_unknown=unknown,
            comparison=question.comparison,
            percent=question.percent,
        )
        if found.over_100:
            self._flag("ownership_over_100_percent")
        return found, surely, maybe

    def answer(self, question: OwnershipQuestion) -> OwnershipAnswer:
        """The answer to one question, exact: true, false, or unknown with what would settle it."""
        found, surely, maybe = self._cascade(question)
        caught = found.answer(self._root)
        if caught is None or (caught is False and not self._followed):
            owned: Maybe[bool] = Unknown(self._why(found, maybe))
        else:
            owned = caught
        return OwnershipAnswer(
            lists=question.lists,
            comparison=question.comparison,
            percent=as_text(question.percent),
            owned=owned,
            path=tuple(self._path(found, surely)) if caught else (),
        )

    def _why(self, found: Cascade, maybe: list[str]) -> str:
        if not self._followed:
            return "the party has more owners than are followed"
        root = self._graph.node(self._root)
        if not root.owners_known and isinstance(self.party.owners, Unknown) and self.party.owners.reason != "not given":
            return f"the owners of the party are unknown: {self.party.owners.reason}"[:2000]
        if not root.owners_known:
            return "the owners of the party are not given; `owners: []` says that it is known to have none"
        open_ = [n for n in self._ancestors if n != self._root and not self._graph.node(n).owners_known]
        if open_:
            return f"the owners of `{_shown(self._graph.node(open_[0]))}` are not given; state them, or `owners: []`"
        doubtful = [n for n in maybe if n != self._root]
        if doubtful:
            return f"it is not known whether `{_shown(self._graph.node(doubtful[0]))}` is listed; state its `listings`"
        return "a stake is known only as a range, or not at all; state its `percent`"

    def _path(self, found: Cascade, surely: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Who holds what, from the party up to listed owners: a line a stake, the nearest first."""
        return self._lines(surely, found, lambda id_: id_ in surely or id_ in found.caught)

    def listed_owners(self, question: OwnershipQuestion) -> list[str]:
        """The listed owners, however far up and however little they hold, and by which stakes: as a path is told."""
        found, surely, _ = self._cascade(question)
        owned_by: dict[str, list[str]] = {}
        for owned, stakes in self._stakes.items():
            for owner, _, _ in stakes:
                owned_by.setdefault(owner, []).append(owned)
        below = dict.fromkeys(id_ for id_ in surely if id_ != self._root)
        stack = list(below)
        while stack:
            for owned in owned_by.get(stack.pop(), ()):
                if owned not in below:
                    below[owned] = None
                    stack.append(owned)
        return self._lines(surely, found, below.__contains__)

    def _lines(self, surely: Mapping[str, tuple[str, ...]], found: Cascade, told: Callable[[str], bool]) -> list[str]:
        lines: list[str] = []
        queue, seen = [self._root], {self._root}
        for id_ in queue:
            owned = self._graph.node(id_)
            for owner_id, low, high in self._stakes.get(id_, ()):
                if not told(owner_id):
                    continue
                owner = self._graph.node(owner_id)
                on = surely.get(owner_id)
                share = as_text(low) if low == high else f"{as_text(low)} to {as_text(high)}"
                why = "not caught"
                if on:
                    why = f"listed: {', '.join(on)}"
                elif owner_id in found.caught:
                    why = f"caught at {as_text(found.caught[owner_id])} %"
                lines.append(f"{_shown(owner)} ({why}) holds {share} % of {_shown(owned)}"[:2000])
                if len(lines) >= _PATH_LINES:
                    return [*lines, "…"]
                if not on and owner_id not in seen:
                    seen.add(owner_id)
                    queue.append(owner_id)
        return lines

    def share(self, question: OwnershipQuestion) -> dict[str, str]:
        """What listed and caught owners directly hold of the party, in percent: `least` and `most` of it."""
        found, surely, maybe = self._cascade(question)
        doubtful = set(maybe)
        least = most = Fraction(0)
        for owner, low, high in self._stakes.get(self._root, ()):
            if owner in surely or owner in found.caught:
                least += low
                most += high
            elif owner in doubtful or owner in found.possible:
                most += high
        if not self._graph.node(self._root).owners_known:
            most = Fraction(100)
        return {"least": as_text(least), "most": as_text(max(least, min(most, Fraction(100))))}

    def restricted_ownership(self) -> Maybe[RestrictedOwnership] | None:
        """The listed ownership found, over every list: None when there surely is none, Unknown when that is open.

        `percent` is the share held by listed owners and by owners that such own by half or more; `list` is
        unknown when they are on several lists.
        """
        question = OwnershipQuestion(tuple(sorted(LISTS)), ">=", Fraction(50))
        found, surely, maybe = self._cascade(question)
        if not self._graph.node(self._root).owners_known or not self._followed:
            return Unknown(self._why(found, maybe))
        direct = self._stakes.get(self._root, ())
        counting = [x for x in direct if x[0] in surely or x[0] in found.caught]
        doubtful = set(maybe)
        if any(
            o not in surely and o not in found.caught and (o in doubtful or o in found.possible) for o, *_ in direct
        ):
            return Unknown(self._why(found, maybe))
        if not counting:
            return None
        codes = self._lists_behind(counting, found, surely)
        low, high = sum(x[1] for x in counting), sum(x[2] for x in counting)
        percent: Maybe[int | float | str]
        if low != high:
            percent = Unknown("the stakes are known as ranges only")
        elif Fraction(low).denominator == 1:
            percent = int(low)
        else:
            text = as_text(Fraction(low))
            percent = text if "/" in text else float(text)
        one = next(iter(codes)) if len(codes) == 1 else Unknown(f"several lists: {', '.join(sorted(codes))}")
        return RestrictedOwnership(list=one, percent=percent)

    def _lists_behind(
        self,
        counting: Iterable[tuple[str, Fraction, Fraction]],
        found: Cascade,
        surely: Mapping[str, tuple[str, ...]],
    ) -> set[str]:
        """The lists that the owners which count are on, or those that caught them."""
        codes: set[str] = set()
        stack, seen = [owner for owner, *_ in counting], {self._root}
        while stack:
            owner = stack.pop()
            if owner in seen:
                continue
            seen.add(owner)
            if owner in surely:
                codes.update(surely[owner])
            elif owner in found.caught:
                stack += [above for above, *_ in self._stakes.get(owner, ())]
        return codes


def _shown(node: Node) -> str:
    label = node.label
    return "an unnamed owner" if label.partition("\x1f")[1] else label


def answer(
    question: OwnershipQuestion,
    party: Party,
    *,
    as_of: datetime,
    shared: OwnershipGraph | None = None,
    listings_of: ListingsOf | None = None,
) -> OwnershipAnswer:
    """Answer one question about one party; see `OwnershipInquiry` for the arguments."""
    return OwnershipInquiry(party, as_of, shared, listings_of).answer(question)
