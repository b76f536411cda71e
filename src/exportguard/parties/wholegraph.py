"""The cascade over a whole shared graph, once for a question and a day: what a customer with ten thousand owners asks.

Listings that nobody stated stay unknown here: a hundred thousand names are not screened because one call is judged.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from exportguard.forks import Lock
from exportguard.parties.cascade import Cascade, Prepared, cascade, prepare
from exportguard.parties.origin import Origin, Places, is_place, placed
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


class Told(NamedTuple):
    """What is told of one entity: the lists it is on, and where it is."""

    id: str
    listings: Maybe[tuple[str, ...]]
    origin: Origin


def listed(codes: Iterable[str], entities: Iterable[Told], places: Places | None) -> Listed:
    """Sort entities by what is known of their listings, and of their origin where *codes* has places.

    A code that no list has may be any list.
    """
    codes = tuple(codes)
    asked = tuple(code for code in codes if is_place(code))
    wanted = {canonical(code) or code for code in codes if not is_place(code)}
    surely: dict[str, tuple[str, ...]] = {}
    maybe: list[str] = []
    for id_, listings, origin in entities:
        on, open_ = placed(places, asked, origin) if asked else ((), False)
        if wanted and isinstance(listings, Unknown):
            open_ = True
        elif wanted and listings and not isinstance(listings, Unknown):
            known = [canonical(code) for code in listings]
            on += tuple(code for code in known if code is not None and code in wanted)
            open_ = open_ or None in known
        if on:
            surely[id_] = on
        elif open_:
            maybe.append(id_)
    return Listed(surely, frozenset(maybe))


class WholeGraph:
    """Answers over all of *graph*, which does not change any more. Thread-safe."""

    def __init__(self, graph: OwnershipGraph) -> None:
        self._graph = graph
        self._lock = Lock()
        self._prepared: dict[date, Prepared] = {}
        self._found: OrderedDict[tuple[OwnershipQuestion, date], Found] = OrderedDict()

    def ask(self, question: OwnershipQuestion, day: date, places: Places | None) -> Found:
        """The cascade of *question* on *day*. Groups of countries change at the beginning of a day."""
        with self._lock:
            found = self._found.get((question, day))
            if found is None:
                found = self._found[question, day] = self._ask(question, day, places)
                if len(self._found) > _KEPT:
                    self._found.popitem(last=False)
            return found

    def _prepared_for(self, day: date) -> Prepared:
        if day not in self._prepared:
            self._prepared.clear()
            self._prepared[day] = prepare(self._graph.stakes(day))
        return self._prepared[day]

    def _ask(self, question: OwnershipQuestion, day: date, places: Places | None) -> Found:
        nodes = list(self._graph.nodes())
        known = listed(question.lists, (Told(node.id, node.listings, node.origin) for node in nodes), places)
        found = cascade(
            self._prepared_for(day),
            listed=known.surely,
            maybe_listed=known.maybe,
            owners_unknown=[node.id for node in nodes if not node.owners_known],
            comparison=question.comparison,
            percent=question.percent,
        )
        return Found(found, known)
