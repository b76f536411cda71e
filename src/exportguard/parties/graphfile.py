"""An ownership graph in a file of its own, and the entity in it that is asked about.

A customers document is one (its `ownership` and `entities`, and the parties of its customers); so is a document of
`ownership` and `entities` alone, a list of edges, and one party with its nested `owners`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from exportguard.errors import DocumentError
from exportguard.parties.customer import CustomersDocument
from exportguard.parties.directory import MAX_BYTES, MAX_YAML_BYTES
from exportguard.parties.documents import read_document
from exportguard.parties.graph import OwnershipGraph
from exportguard.parties.merge import plain_name
from exportguard.parties.reading import Parsed, parse_json, read_bytes
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.party import Owner, Party

_OTHER_KEYS = {"edges": "ownership", "stakes": "ownership", "nodes": "entities"}
_PARTY_KEYS = frozenset(Party.model_fields)


class GraphDocument:
    """A graph with the parties that are named in it."""

    def __init__(self, document: CustomersDocument, parties: Iterable[Party]) -> None:
        self.graph = OwnershipGraph.of_document(document)
        self._parties = list(parties)
        for customer in document.customers:
            if not isinstance(customer.parties, Unknown):
                self._parties += customer.parties
        self._customers = {customer.id: customer for customer in document.customers}

    def party(self, entity: str) -> Party:
        """The party that *entity* names: an id of the graph, of a party or of an owner, a customer of one party, or a
        name (case and spacing do not matter).

        Raises:
            DocumentError: nobody is called that, or several are.
        """
        parties = [p for p in self._everyone() if p.id == entity]
        if not parties and entity in self.graph:
            parties = [Party(id=entity)]
        customer = self._customers.get(entity)
        if not parties and customer is not None and not isinstance(customer.parties, Unknown):
            parties = list(customer.parties)
        if not parties:
            wanted = plain_name(entity)
            parties = [p for p in self._everyone() if isinstance(p.name, str) and plain_name(p.name) == wanted]
            known = {p.id for p in parties}
            parties += [
                Party(id=node.id)
                for node in self.graph.nodes()
                if node.id not in known and plain_name(node.label) == wanted
            ]
        distinct = list(dict.fromkeys(parties)) if all(_hashable(p) for p in parties) else parties
        if len(distinct) > 1:
            raise DocumentError(f"`{entity}` names {len(distinct)} entities", remedy="name it by its id")
        if not distinct:
            near = get_close_matches(entity, self._labels(), n=3, cutoff=0.6)
            remedy = f"did you mean {' or '.join(f'`{label}`' for label in near)}?" if near else None
            raise DocumentError(f"`{entity}` is not in the graph", remedy=remedy)
        found = distinct[0]
        node = self.graph.get(found.id) if found.id is not None else None
        if node is not None and isinstance(found.name, Unknown):
            found = found.model_copy(update={"name": node.name})
        return found

    def _everyone(self) -> Iterable[Party]:
        """The parties and, as parties, the owners that are nested in them."""
        for party in self._parties:
            yield party
            stack = list(party.owners) if not isinstance(party.owners, Unknown) else []
            while stack:
                owner = stack.pop()
                yield _as_party(owner)
                if not isinstance(owner.owners, Unknown):
                    stack += owner.owners

    def _labels(self) -> list[str]:
        labels = [node.id for node in self.graph.nodes()] + [node.label for node in self.graph.nodes()]
        labels += [label for p in self._everyone() for label in (p.id, p.name) if isinstance(label, str)]
        return list(dict.fromkeys(labels))[:20_000]


def _hashable(party: Party) -> bool:
    try:
        hash(party)
    except TypeError:
        return False
    return True


def _as_party(owner: Owner) -> Party:
    return Party(
        id=owner.id,
        name=owner.name,
        country=owner.country,
        headquarters=owner.headquarters,
        listings=owner.listings,
        owners=owner.owners,
    )


def load_graph(path: Path) -> GraphDocument:
    """Read a graph from a JSON or YAML file.

    Raises:
        DocumentError: it cannot be read; every problem with its place.
    """
    as_yaml = path.suffix.casefold() in (".yaml", ".yml")
    text = read_bytes(path, MAX_YAML_BYTES if as_yaml else MAX_BYTES, "the graph")
    name = str(path)
    if as_yaml:
        from exportguard.parties.yamltext import parse_yaml

        parsed = parse_yaml(text, name, booleans=frozenset({"verified"}))
    else:
        parsed = parse_json(text, name)
    return graph_of(parsed, name)


def graph_of(parsed: Parsed, name: str) -> GraphDocument:
    """Plain data as a graph; *name* stands in messages."""
    data: Any = parsed.data
    parties: list[Any] = []
    if isinstance(data, list):
        data = {"ownership": data}
    elif isinstance(data, Mapping):
        data = {_OTHER_KEYS.get(str(key), key): value for key, value in data.items()}
        if len(data) < len(parsed.data):
            raise DocumentError("states its edges or its entities under two names", place=name)
        if "owners" in data and not data.keys() & {"ownership", "entities", "customers"}:
            data = {"customers": [{"id": "graph", "parties": [data]}]}
        elif "parties" in data and "customers" not in data:
            parties = data.pop("parties")
            data["customers"] = [{"id": "graph", "parties": parties}]
    document = read_document(Parsed(data, parsed.line_of, parsed.problems), name, without_customers=True)
    return GraphDocument(document, ())
