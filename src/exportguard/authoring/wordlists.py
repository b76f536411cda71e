"""What facts of closed vocabularies can be, and what country groups hold at any time: for reasoning over conditions."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from exportguard.language.schema import Vocabularies
from exportguard.language.types import Type
from exportguard.vocabulary.scope import NONE_OF_3A090

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData

DERIVED_ECCNS = frozenset({"3A090.a", "3A090.b", NONE_OF_3A090})
"""What items are classified as. Reference data knows more ECCNs; nothing here says that an item is one of those."""

_CLOSED = frozenset({"country", "role", "transfer", "party kind", "item kind", "certainty", "weights"})
"""Vocabularies of which a fact that is known is always a word."""

_BEGINNING = datetime.min.replace(tzinfo=UTC)


class WordLists:
    """Of one set of reference data."""

    def __init__(self, reference: ReferenceData) -> None:
        self._reference = reference
        self._groups: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    @cached_property
    def _words(self) -> Vocabularies:
        return Vocabularies(self._reference)

    @cached_property
    def idle_eccns(self) -> frozenset[str]:
        """Those that are known and that no item is given."""
        return frozenset(self._reference.eccns) - DERIVED_ECCNS

    def members(self, kind: Type) -> frozenset[object] | None:
        """Everything that a known fact of *kind* can be; None: anything."""
        if kind.kind == "bool":
            return frozenset({True, False})
        if kind.nullable or kind.kind != "string" or kind.words is None:
            return None
        if kind.words == "eccn":
            return frozenset[object](DERIVED_ECCNS)
        found = self._words.members(kind.words) if kind.words in _CLOSED else None
        return frozenset[object](found) if found is not None else None

    def group(self, name: str) -> tuple[frozenset[str], frozenset[str]]:
        """The countries that are in the group at some time, and those that always are."""
        known = self._groups.get(name)
        if known is None:
            try:
                dates = (_BEGINNING, *self._reference.change_dates())
                states = [self._reference.country_group(name, date) for date in dates]
                known = frozenset[str]().union(*states), frozenset(states[0]).intersection(*states)
            except KeyError:
                known = frozenset(self._reference.countries), frozenset[str]()
            self._groups[name] = known
        return known
