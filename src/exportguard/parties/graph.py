"""The ownership graph: entities, the stakes between them, when they were held, and what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from exportguard.parties.customer import CustomersDocument, Edge, Entity
from exportguard.parties.merge import plain_name
from exportguard.parties.origin import Origin
from exportguard.parties.percent import ANY_STAKE, Stake, stake
from exportguard.parties.wholegraph import WholeGraph
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.party import Owner, Party, PartyKind, UltimateParent

MAX_COPIED = 500
"""Ancestors of one party that are looked at one by one, and screened by name; past it the whole graph is asked."""


class Holding(NamedTuple):
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
    country: Maybe[str] = NOT_GIVEN
    headquarters: Maybe[str] = NOT_GIVEN

    @property
    def origin(self) -> Origin:
        return Origin(self.country, self.headquarters)

    def place(self, country: Maybe[str], headquarters: Maybe[str]) -> None:
        """Take what a record tells of where the entity is, unless an earlier one told it."""
        if isinstance(self.country, Unknown):
            self.country = country
        if isinstance(self.headquarters, Unknown):
            self.headquarters = headquarters

    @property
    def label(self) -> str:
        return self.id if isinstance(self.name, Unknown) else self.name


class OwnershipGraph:
    """Nodes by id. Built once from a customers document, or for one party from its nested `owners`."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._shared: OwnershipGraph | None = None
        self._by_name: dict[str, str | None] | None = None

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
    def from_document(
        cls, edges: Iterable[Edge], entities: Iterable[Entity], parties: Iterable[Party] = ()
    ) -> OwnershipGraph:
        """The graph of a customers document. An entity that some edge names as owned has those owners and no
        others; one that no edge names has unknown owners, unless its record says `owners: []` or that it is a
        natural person.

        Args:
            edges, entities: of the document.
            parties: of its customers; what is said of one that has an id is said of that node.
        """
        graph = cls()
        for entity in entities:
            node = graph.node(entity.id)
            node.name, node.listings = entity.name, entity.listings
            node.country, node.headquarters = entity.country, entity.headquarters
            node.owners_known = entity.kind == PartyKind.NATURAL
            graph._add_owners(node, entity.owners)
        for party in parties:
            if party.id is not None:
                graph._add_party(party)
        nodes = graph._nodes
        recorded = set(nodes)
        for edge in edges:
            owned, owner = edge.owned, edge.owner
            node = nodes.get(owned) or graph.node(owned)
            node.owners_known = True
            node.holdings.append(Holding(owner, stake(edge.percent), edge.since, edge.until))
            above = nodes.get(owner) or graph.node(owner)
            if above.name is NOT_GIVEN and owner not in recorded:
                # An edge may name an owner for whom there is no record: then the text is all there is to screen.
                above.name = owner
        return graph

    @classmethod
    def of_document(cls, document: CustomersDocument) -> OwnershipGraph:
        """The graph of a customers document, with the parties of its customers."""
        parties = (party for c in document.customers if not isinstance(c.parties, Unknown) for party in c.parties)
        return cls.from_document(document.ownership, document.entities, parties)

    def _add_owners(self, node: Node, owners: Maybe[tuple[Owner, ...]]) -> None:
        """The nested `owners` of one entity, however deep. An owner with an id is the node of that id."""
        if isinstance(owners, Unknown):
            return
        stack = [(node, owners)]
        while stack:
            owned, stated = stack.pop()
            owned.owners_known = True
            for index, owner in enumerate(stated):
                known = self.node(self._id_of(owner.id, owner.name) or f"{owned.id}\x1f{index}")
                if isinstance(known.name, Unknown):
                    known.name = owner.name
                known.listings = _worse_listings(known.listings, owner.listings)
                known.place(owner.country, owner.headquarters)
                try:
                    held, readable = stake(owner.percent), True
                except ValueError:
                    held, readable = ANY_STAKE, False
                owned.holdings.append(Holding(known.id, held, owner.since, owner.until, readable))
                if not isinstance(owner.owners, Unknown):
                    stack.append((known, owner.owners))

    def _add_party(self, party: Party) -> None:
        """A party of some customer; several customers may have it, and tell the same of it."""
        assert party.id is not None
        node = self.node(party.id)
        if isinstance(node.name, Unknown):
            node.name = party.name
        node.listings = _worse_listings(node.listings, party.listings)
        node.place(party.country, party.headquarters)
        node.owners_known = node.owners_known or party.kind == PartyKind.NATURAL
        if not isinstance(party.owners, Unknown):
            told = OwnershipGraph()
            told._add_owners(told.node(party.id), party.owners)
            for theirs in told.nodes():
                self._merge(theirs)

    def _merge(self, theirs: Node) -> Node:
        """What another graph tells of one entity, added to what this one does."""
        mine = self.node(theirs.id)
        if isinstance(mine.name, Unknown):
            mine.name = theirs.name
        mine.listings = _worse_listings(mine.listings, theirs.listings)
        mine.place(theirs.country, theirs.headquarters)
        mine.owners_known = mine.owners_known or theirs.owners_known
        # The same stake told in both places is one stake, or ten percent would become twenty; but ten equal
        # stakes told in one place are ten.
        told = Counter(mine.holdings)
        for held in theirs.holdings:
            if told[held] > 0:
                told[held] -= 1
            else:
                mine.holdings.append(held)
        return mine

    @classmethod
    def of_party(cls, party: Party, shared: OwnershipGraph | None) -> tuple[OwnershipGraph, str, frozenset[str]]:
        """What bears on *party*: its nested owners and, where ids (or, without one, names) meet, its ancestors in the
        shared graph.

        Returns:
            the graph, the id of the party in it, and the ids of owners whose own owners are too many to be here: of
            them the shared graph has to be asked as a whole.
        """
        graph = cls()
        graph._shared = shared
        root = graph.node(graph._id_of(party.id, party.name) or "\x1fparty")
        root.name, root.listings = party.name, party.listings
        root.country, root.headquarters = party.country, party.headquarters
        # `ultimate_parent: null` states that nobody stands above the party; `owners`, where given, say more.
        own_parent = party.owners == NOT_GIVEN and party.ultimate_parent is None
        root.owners_known = own_parent or (party.kind == PartyKind.NATURAL and isinstance(party.owners, Unknown))
        graph._add_owners(root, party.owners)
        graph._end_at(party.ultimate_parent, root)
        beyond: frozenset[str] = frozenset()
        if shared is not None:
            within = [id_ for id_ in graph._nodes if id_ in shared]
            found = shared._above(within, MAX_COPIED)
            if found is None:
                found = dict.fromkeys(within)
                copied = set(graph._nodes)
                above = (held.owner for id_ in within for held in shared._nodes[id_].holdings)
                beyond = frozenset(owner for owner in above if owner not in copied)
                for owner in beyond:
                    theirs = shared._nodes[owner]
                    graph._nodes[owner] = Node(owner, theirs.name, theirs.listings, owners_known=True)
                    graph._nodes[owner].place(theirs.country, theirs.headquarters)
            for id_ in found:
                graph._merge(shared._nodes[id_])
        return graph, root.id, beyond

    def _end_at(self, parent: object, root: Node) -> None:
        """Nobody stands above the ultimate parent: an owner of that name has no owners that are left out."""
        if not isinstance(parent, UltimateParent) or not isinstance(parent.name, str):
            return
        name = plain_name(parent.name)
        for node in self._nodes.values():
            if node is not root and isinstance(node.name, str) and plain_name(node.name) == name:
                node.owners_known = True

    def _id_of(self, id_: str | None, name: Maybe[str]) -> str | None:
        """The node that is meant: by its id, else by a name that one entity of the shared graph has."""
        if id_ is not None or self._shared is None or isinstance(name, Unknown):
            return id_
        return self._shared.named(name)

    def named(self, name: str) -> str | None:
        """The id of the one entity of that name; None when there is none, or several."""
        if name in self._nodes:
            return name
        if self._by_name is None:
            found: dict[str, str | None] = {}
            for node in self._nodes.values():
                if isinstance(node.name, str) and "\x1f" not in node.id:
                    key = plain_name(node.name)
                    found[key] = None if key in found else node.id
            self._by_name = found
        return self._by_name.get(plain_name(name))

    def _above(self, ids: Iterable[str], most: int) -> dict[str, None] | None:
        """*ids* and every owner of theirs, however far up; None when they are more than *most*."""
        found = dict.fromkeys(ids)
        stack = list(found)
        nodes = self._nodes
        while stack:
            for held in nodes[stack.pop()].holdings:
                if held.owner not in found:
                    if len(found) >= most:
                        return None
                    found[held.owner] = None
                    stack.append(held.owner)
        return found

    @cached_property
    def whole(self) -> WholeGraph:
        """Questions to all of this graph; it must not change any more."""
        return WholeGraph(self)

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


def _worse_listings(one: Maybe[tuple[str, ...]], other: Maybe[tuple[str, ...]]) -> Maybe[tuple[str, ...]]:
    """Two records of one owner: a listing that either knows counts."""
    if isinstance(one, Unknown):
        return other
    if isinstance(other, Unknown):
        return one
    return tuple(dict.fromkeys((*one, *other)))
