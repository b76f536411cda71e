"""Is a party owned by listed parties? The cascade's answer to the questions that rules ask, with the path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import lru_cache

from exportguard.parties.cascade import Cascade, cascade
from exportguard.parties.graph import Node, OwnershipGraph
from exportguard.parties.merge import plain_name
from exportguard.parties.origin import Origin, Places, is_place, placed, shown
from exportguard.parties.percent import as_text
from exportguard.parties.screening.lists import LISTS, canonical
from exportguard.parties.stated import with_stated
from exportguard.parties.wholegraph import Found, Listed, Told, listed
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.party import Party, RestrictedOwnership, UltimateParent
from exportguard.vocabulary.questions import OwnershipAnswer, OwnershipQuestion

__all__ = ["OwnershipGraph", "OwnershipInquiry", "answer"]

ListingsOf = Callable[[str], Maybe[tuple[str, ...]]]
"""Screens the name of an owner: codes of lists (none: known to be on none), or Unknown."""

MAX_SCREENED = 500
"""Owners' names screened for one party; further ones are unknown."""
_PATH_LINES = 24
_ANY_LIST = OwnershipQuestion(tuple(sorted(LISTS)), ">=", Fraction(50))


@dataclass(slots=True)
class OwnershipInquiry:
    """Everything that rules ask about the ownership of one party at one instant.

    Args:
        party: with nested `owners`, and an `id` where a shared graph knows it.
        as_of: stakes are those in force on its day (UTC).
        shared: the graph of the customers document, if it has one.
        listings_of: asked for owners whose listings nobody gave; None: they are unknown.
        places: reads where owners are from; None: that is unknown.
    """

    party: Party
    as_of: datetime
    shared: OwnershipGraph | None = None
    listings_of: ListingsOf | None = None
    places: Places | None = None
    red_flags: list[str] = field(default_factory=list)
    _graph: OwnershipGraph = field(init=False)
    _root: str = field(init=False)
    _beyond: frozenset[str] = field(init=False)
    """Owners of whom the shared graph is asked as a whole: theirs are too many to be copied for one party."""
    _listings: dict[str, Maybe[tuple[str, ...]]] = field(init=False, default_factory=dict)
    _stakes: Mapping[str, list[tuple[str, Fraction, Fraction]]] = field(init=False, default_factory=dict)
    _found: dict[OwnershipQuestion, Found] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._graph, self._root, self._beyond = OwnershipGraph.of_party(self.party, self.shared)
        self._stakes = self._graph.stakes(self.as_of.date())
        screened = 0
        for node in self._graph.nodes():
            listings = node.listings
            if isinstance(listings, Unknown) and isinstance(node.name, str) and self.listings_of:
                # The party itself was screened before; what it is on is not how it is owned.
                screened += node.id != self._root
                if screened <= MAX_SCREENED and node.id != self._root:
                    listings = self.listings_of(node.name)
            self._listings[node.id] = listings
            if any(not held.readable for held in node.holdings):
                self._flag("ownership_unreadable")

    def _flag(self, name: str) -> None:
        if name not in self.red_flags:
            self.red_flags.append(name)

    def _ask(self, question: OwnershipQuestion) -> Found:
        """The cascade of *question* over what bears on the party."""
        found = self._found.get(question)
        if found is None:
            found = self._found[question] = self._cascade(question)
        return found

    def _cascade(self, question: OwnershipQuestion) -> Found:
        entities = (Told(node.id, self._listings[node.id], node.origin) for node in self._graph.nodes())
        known = listed(question.lists, entities, self.places)
        caught: dict[str, Fraction] = {}
        maybe = set(known.maybe)
        if self._beyond and self.shared is not None:
            whole = self.shared.whole.ask(question, self.as_of.date(), self.places)
            for id_ in self._beyond:
                if id_ in whole.cascade.caught:
                    caught[id_] = whole.cascade.caught[id_]
                elif id_ in whole.cascade.possible:
                    maybe.add(id_)
        made = cascade(
            self._stakes,
            listed={**known.surely, **dict.fromkeys(caught, ())},
            maybe_listed=maybe,
            owners_unknown=self._open_ended(question),
            comparison=question.comparison,
            percent=question.percent,
        )
        if made.over_100:
            self._flag("ownership_over_100_percent")
        return Found(made._replace(caught={**caught, **made.caught}), Listed(known.surely, frozenset(maybe)))

    def answer(self, question: OwnershipQuestion) -> OwnershipAnswer:
        """The answer to one question, exact: true, false, or unknown with what would settle it.

        What a record says beside the owners (a listed ultimate parent, a share that was found elsewhere) may catch the
        party, and never frees it.
        """
        found = self._by_owners(question)
        if found.owned is True:
            return found
        if (parent := self._parent_beside()) is not None and not all(is_place(code) for code in question.lists):
            above = self._listed_parent(parent, question)
            if above is not None and above.owned is True:
                return above
        return with_stated(found, question, self.party.restricted_ownership)

    def _by_owners(self, question: OwnershipQuestion) -> OwnershipAnswer:
        if self._free and question.percent > 0:
            return _not_owned(question)
        parent = self._parent_for(question)
        if parent is not None:
            return parent
        found, (surely, maybe) = self._ask(question)
        caught = found.answer(self._root)
        owned: Maybe[bool] = Unknown(self._why(maybe)) if caught is None else caught
        return OwnershipAnswer(
            lists=question.lists,
            comparison=question.comparison,
            percent=as_text(question.percent),
            owned=owned,
            path=tuple(self._path(found, surely)) if caught else (),
        )

    @property
    def _free(self) -> bool:
        """Surely nobody's: it is known to have no owner now. Most parties are, and no cascade need be run for them."""
        return self._graph.node(self._root).owners_known and not self._stakes.get(self._root) and not self._beyond

    def _open_ended(self, question: OwnershipQuestion) -> list[str]:
        """Entities that may have owners nobody stated. Where the party's ultimate parent is known, an owner of known
        origin is asked no further where *it* is owned from: the top of the house is known, and rules ask about that."""
        open_ = [node for node in self._graph.nodes() if not node.owners_known]
        parent = self.party.ultimate_parent
        placeless = isinstance(parent, UltimateParent) and all(
            isinstance(stated, Unknown) for stated in (parent.country, parent.headquarters)
        )
        if isinstance(parent, Unknown) or placeless or not all(is_place(code) for code in question.lists):
            return [node.id for node in open_]
        return [
            node.id
            for node in open_
            if node.id == self._root or all(isinstance(stated, Unknown) for stated in node.origin)
        ]

    def _parent_for(self, question: OwnershipQuestion) -> OwnershipAnswer | None:
        """Where owners are not given at all, whoever stands at the top answers where the party is owned from."""
        parent = self._sole_parent()
        if parent is None:
            return None
        if not any(is_place(code) for code in question.lists):
            return self._listed_parent(parent, question)
        if not all(is_place(code) for code in question.lists):
            return None
        surely, maybe = placed(self.places, question.lists, Origin(parent.country, parent.headquarters))
        name = "its ultimate parent" if isinstance(parent.name, Unknown) else f"its ultimate parent `{parent.name}`"
        if maybe and not surely:
            return None
        return OwnershipAnswer(
            lists=question.lists,
            comparison=question.comparison,
            percent=as_text(question.percent),
            owned=bool(surely),
            path=tuple(f"{name} is {shown(code)}"[:2000] for code in surely),
        )

    def _sole_parent(self) -> UltimateParent | None:
        """The ultimate parent where it is all that is told of who owns the party."""
        parent = self.party.ultimate_parent
        told_more = self._graph.node(self._root).owners_known or bool(self._stakes.get(self._root))
        if self.party.owners != NOT_GIVEN or told_more or parent is None or isinstance(parent, Unknown):
            return None
        return parent

    def _parent_beside(self) -> UltimateParent | None:
        """The ultimate parent where owners are told and it is none of them: the two do not say the same."""
        parent = self.party.ultimate_parent
        if parent is None or isinstance(parent, Unknown) or isinstance(parent.name, Unknown):
            return None
        name = plain_name(parent.name)
        owners = (node.name for node in self._graph.nodes() if node.id != self._root)
        return None if any(isinstance(owner, str) and plain_name(owner) == name for owner in owners) else parent

    def _parent_listings(self, parent: UltimateParent) -> Maybe[tuple[str, ...]]:
        """The lists that the parent is on, by its name; what cannot be told is unknown."""
        if isinstance(parent.name, Unknown) or self.listings_of is None:
            return Unknown("the ultimate parent was not screened")
        found = self.listings_of(parent.name)
        if isinstance(found, Unknown):
            return found
        codes = [canonical(code) for code in found]
        if None in codes:
            return Unknown(f"what list the ultimate parent `{parent.name}` is on"[:2000])
        return tuple(code for code in codes if code is not None)

    def _listed_parent(self, parent: UltimateParent, question: OwnershipQuestion) -> OwnershipAnswer | None:
        """A parent that holds the party leaves others less than half: whether it is listed settles the question."""
        listings = self._parent_listings(parent)
        if isinstance(listings, Unknown):
            return None
        wanted = {canonical(code) or code for code in question.lists}
        on = [code for code in listings if code in wanted]
        return OwnershipAnswer(
            lists=question.lists,
            comparison=question.comparison,
            percent=as_text(question.percent),
            owned=bool(on),
            path=tuple(f"its ultimate parent `{parent.name}` is listed: {code}"[:2000] for code in on),
        )

    def _why(self, maybe: Collection[str]) -> str:
        root = self._graph.node(self._root)
        if not root.owners_known and isinstance(self.party.owners, Unknown) and self.party.owners.reason != "not given":
            return f"the owners of the party are unknown: {self.party.owners.reason}"[:2000]
        if not root.owners_known:
            return "the owners of the party are not given; `owners: []` says that it is known to have none"
        others = [node for node in self._graph.nodes() if node.id != self._root]
        for node in others:
            if not node.owners_known:
                return f"the owners of `{_shown(node)}` are not given; state them, or `owners: []`"
        for node in others:
            if node.id in maybe:
                if node.id in self._beyond:
                    return f"it is not known whether `{_shown(node)}` is listed or owned by listed parties"
                return f"it is not known whether `{_shown(node)}` is listed; state its `listings`"
        return "a stake is known only as a range, or not at all; state its `percent`"

    def _path(self, found: Cascade, surely: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Who holds what, from the party up to listed owners: a line a stake, the nearest first."""
        return self._lines(surely, found, lambda id_: id_ in surely or id_ in found.caught)

    def listed_owners(self, question: OwnershipQuestion) -> list[str]:
        """The listed owners, however far up and however little they hold, and by which stakes: as a path is told."""
        found, (surely, _) = self._ask(question)
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
                    why = ", ".join(shown(code) for code in on)
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
        found, (surely, doubtful) = self._ask(question)
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
        parent = self._sole_parent()
        beside = self._parent_beside() if parent is None else parent
        listings = self._parent_listings(beside) if beside is not None else ()
        if parent is None and self._free and (isinstance(listings, Unknown) or not listings):
            return None
        found, (surely, maybe) = self._ask(_ANY_LIST)
        if not isinstance(listings, Unknown) and (listings or parent is not None):
            if not listings:
                return None
            of = listings[0] if len(listings) == 1 else Unknown(f"several lists: {', '.join(sorted(listings))}")
            return RestrictedOwnership(list=of, percent=Unknown("held by its ultimate parent; the share is not stated"))
        if not self._graph.node(self._root).owners_known:
            return Unknown(self._why(maybe))
        direct = self._stakes.get(self._root, ())
        counting = [x for x in direct if x[0] in surely or x[0] in found.caught]
        settled = surely.keys() | found.caught.keys()
        if any(o not in settled and (o in maybe or o in found.possible) for o, *_ in direct):
            return Unknown(self._why(maybe))
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


@lru_cache(maxsize=256)
def _not_owned(question: OwnershipQuestion) -> OwnershipAnswer:
    return OwnershipAnswer(
        lists=question.lists, comparison=question.comparison, percent=as_text(question.percent), owned=False
    )


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
    places: Places | None = None,
) -> OwnershipAnswer:
    """Answer one question about one party; see `OwnershipInquiry` for the arguments."""
    return OwnershipInquiry(party, as_of, shared, listings_of, places).answer(question)
