"""The cascade over a whole shared graph, once for a question and a day: what a customer with ten thousand owners asks.

Listings that nobody stated stay unknown here: a hundred thousand names are not screened because one call is judged.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from exportguard.parties.cascade import Cascade, Prepared, cascade, prepare
from exportguard.parties.screening.lists import canonical
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.questions import OwnershipQuestion

if TYPE_CHECKING:
    from exportguard.parties.graph import OwnershipGraph

_KEPT = 32


class Listed(NamedTuple):
    """Who is surely on one of the lists that are asked about (and on which), and who may be."""

    surely: Mapping[str, tuple[str, ...]]
    maybe: frozenset[str]


class Found(NamedTuple):
    """What a question found over a graph."""

    cascade: Cascade
    listed: Listed


def listed(lists: Iterable[str], listings: Iterable[tuple[str, Maybe[tuple[str, ...]]]]) -> Listed:
    """Sort entities by what is known of their listings. A code that no list has may be any list."""
    wanted = {canonical(code) or code for code in lists}
    surely: dict[str, tuple[str, ...]] = {}
    maybe: list[str] = []
    for id_, codes in listings:
        if isinstance(codes, Unknown):
            maybe.append(id_)
        elif codes:
            known = [canonical(code) for code in codes]
            on = tuple(code for code in known if code is not None and code in wanted)
            if on:
                surely[id_] = on
            elif None in known:
                maybe.append(id_)
    return Listed(surely, frozenset(maybe))


class WholeGraph:
    """Answers over all of *graph*, which does not change any more. Thread-safe."""

    def __init__(self, graph: OwnershipGraph) -> None:
        self._graph = graph
        self._lock = threading.Lock()
        self._prepared: dict[date, Prepared] = {}
        self._found: OrderedDict[tuple[OwnershipQuestion, date], Found] = OrderedDict()

    def ask(self, question: OwnershipQuestion, day: date) -> Found:
        """The cascade of *question* on *day*."""
        with self._lock:
            found = self._found.get((question, day))
            if found is None:
                found = self._found[question, day] = self._ask(question, day)
                if len(self._found) > _KEPT:
                    self._found.popitem(last=False)
            return found

    def _prepared_for(self, day: date) -> Prepared:
        if day not in self._prepared:
            self._prepared.clear()
            self._prepared[day] = prepare(self._graph.stakes(day))
        return self._prepared[day]

    def _ask(self, question: OwnershipQuestion, day: date) -> Found:
        nodes = list(self._graph.nodes())
        known = listed(question.lists, ((node.id, node.listings) for node in nodes))
        found = cascade(
            self._prepared_for(day),
            listed=known.surely,
            maybe_listed=known.maybe,
            owners_unknown=[node.id for node in nodes if not node.owners_known],
            comparison=question.comparison,
            percent=question.percent,
        )
        return Found(found, known)
