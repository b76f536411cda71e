"""The ownership graph: entities, the stakes between them, when they were held, and what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from exportguard.parties.customer import Edge, Entity
from exportguard.parties.percent import ANY_STAKE, Stake, stake
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.party import Owner, Party, PartyKind

MAX_ANCESTORS = 200_000
"""Of one party. Past it the answer is unknown."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One stake as it was stated, with the time it was held (half-open) and whether it could be read."""

    owner: str
    stake: Stake
    since: date | None = None
    until: date | None = None
    readable: bool = True

    def in_force(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


@dataclass(slots=True)
class Node:
    """What is known of one entity. `owners_known`: its holdings are all that there are."""

    id: str
    name: Maybe[str] = NOT_GIVEN
    listings: Maybe[tuple[str, ...]] = NOT_GIVEN
    owners_known: bool = False
    holdings: list[Holding] = field(default_factory=list)

    @property
    def label(self) -> str:
        return self.id if isinstance(self.name, Unknown) else self.name


class OwnershipGraph:
    """Nodes by id. Built once from a customers document, or for one party from its nested `owners`."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, id: str) -> bool:  # noqa: A002
        return id in self._nodes

    def get(self, id: str) -> Node | None:  # noqa: A002
        return self._nodes.get(id)

    def node(self, id: str) -> Node:  # noqa: A002
        found = self._nodes.get(id)
        if found is None:
            found = self._nodes[id] = Node(id)
        return found

    @classmethod
    def from_document(cls, edges: Iterable[Edge], entities: Iterable[Entity]) -> OwnershipGraph:
        """The graph of a customers document. An entity that some edge names as owned has those owners and no
        others; one that no edge names has unknown owners, unless its record says `owners: []` or that it is a
        natural person."""
        graph = cls()
        for entity in entities:
            node = graph.node(entity.id)
            node.name, node.listings = entity.name, entity.listings
            node.owners_known = entity.kind == PartyKind.NATURAL
            graph._add_owners(node, entity.owners)
        stakes: dict[object, Stake] = {}
        for edge in edges:
            node = graph.node(edge.owned)
            node.owners_known = True
            percent = edge.percent
            key = (type(percent), percent) if isinstance(percent, int | str | float) else None
            held = stakes.get(key) if key is not None else None
            if held is None:
                held = stake(percent)
                if key is not None and len(stakes) < 100_000:
                    stakes[key] = held
            node.holdings.append(Holding(edge.owner, held, edge.since, edge.until))
            owner = graph.node(edge.owner)
            if isinstance(owner.name, Unknown) and owner.name is NOT_GIVEN:
                # An edge may name an owner for whom there is no record: then the text is all there is to screen.
                owner.name = edge.owner
        return graph

    def _add_owners(self, node: Node, owners: Maybe[tuple[Owner, ...]]) -> None:
        """The nested `owners` of one entity, however deep. An owner with an id is the node of that id."""
        if isinstance(owners, Unknown):
            return
        stack = [(node, owners)]
        while stack:
            owned, stated = stack.pop()
            owned.owners_known = True
            for index, owner in enumerate(stated):
                known = self.node(owner.id if owner.id is not None else f"{owned.id}\x1f{index}")
                if isinstance(known.name, Unknown):
                    known.name = owner.name
                known.listings = _worse_listings(known.listings, owner.listings)
                try:
                    held, readable = stake(owner.percent), True
                except ValueError:
                    held, readable = ANY_STAKE, False
                owned.holdings.append(Holding(known.id, held, owner.since, owner.until, readable))
                if not isinstance(owner.owners, Unknown):
                    stack.append((known, owner.owners))

    @classmethod
    def of_party(cls, party: Party, shared: OwnershipGraph | None) -> tuple[OwnershipGraph, str]:
        """What bears on *party*: its nested owners and, where ids meet, its ancestors in the shared graph."""
        graph = cls()
        root = graph.node(party.id if party.id is not None else "\x1fparty")
        root.name, root.listings = party.name, party.listings
        # `ultimate_parent: null` states that nobody stands above the party; `owners`, where given, say more.
        own_parent = party.owners == NOT_GIVEN and party.ultimate_parent is None
        root.owners_known = own_parent or (party.kind == PartyKind.NATURAL and isinstance(party.owners, Unknown))
        graph._add_owners(root, party.owners)
        if shared is not None:
            graph._copy_ancestors(shared)
        return graph, root.id

    def _copy_ancestors(self, shared: OwnershipGraph) -> None:
        stack = [id_ for id_ in self._nodes if id_ in shared]
        copied: set[str] = set()
        while stack and len(self._nodes) <= MAX_ANCESTORS:
            id_ = stack.pop()
            if id_ in copied:
                continue
            copied.add(id_)
            theirs = shared.get(id_)
            assert theirs is not None
            mine = self.node(id_)
            if isinstance(mine.name, Unknown):
                mine.name = theirs.name
            mine.listings = _worse_listings(mine.listings, theirs.listings)
            mine.owners_known = mine.owners_known or theirs.owners_known
            # The same stake told in both places is one stake, or ten percent would become twenty; but ten equal
            # stakes told in one place are ten.
            told = Counter(mine.holdings)
            for held in theirs.holdings:
                if told[held] > 0:
                    told[held] -= 1
                else:
                    mine.holdings.append(held)
            stack += [held.owner for held in theirs.holdings if held.owner not in copied]

    def nodes(self) -> Iterator[Node]:
        return iter(self._nodes.values())

    def stakes(self, day: date) -> Mapping[str, list[tuple[str, Fraction, Fraction]]]:
        """The stakes in force on *day*: owned entity to (owner, least, greatest)."""
        found: dict[str, list[tuple[str, Fraction, Fraction]]] = {}
        for node in self._nodes.values():
            held = [(h.owner, h.stake.low, h.stake.high) for h in node.holdings if h.in_force(day)]
            if held:
                found[node.id] = held
        return found

    def ancestors(self, id: str, day: date) -> tuple[dict[str, None], bool]:  # noqa: A002
        """*id* and everyone that owns part of it, however far up; False when there are too many to follow."""
        found: dict[str, None] = {id: None}
        stack = [id]
        while stack:
            node = self._nodes.get(stack.pop())
            for held in node.holdings if node is not None else ():
                if held.in_force(day) and held.owner not in found:
                    if len(found) >= MAX_ANCESTORS:
                        return found, False
                    found[held.owner] = None
                    stack.append(held.owner)
        return found, True


def _worse_listings(one: Maybe[tuple[str, ...]], other: Maybe[tuple[str, ...]]) -> Maybe[tuple[str, ...]]:
    """Two records of one owner: a listing that either knows counts."""
    if isinstance(one, Unknown):
        return other
    if isinstance(other, Unknown):
        return one
    return tuple(dict.fromkeys((*one, *other)))
