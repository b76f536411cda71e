"""What a compiled condition is asked over, and its third answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from exportguard.errors import NaiveInstantError

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData
    from exportguard.vocabulary.fact import Unknown
    from exportguard.vocabulary.scope import ItemView, LocationView, PartyView, RequestView, UsageView


class Cause(NamedTuple):
    """Why a condition has no answer: a fact path (`party.ultimate_parent.headquarters`) and the reason it gives."""

    path: str
    reason: str
    kind: Literal["unknown", "error"] = "unknown"


class Indeterminate:
    """Neither true nor false, and the facts and errors that make it so, sorted, each once. Has no truth value."""

    __slots__ = ("causes",)

    def __init__(self, causes: tuple[Cause, ...]) -> None:
        self.causes = causes

    def __bool__(self) -> bool:
        raise TypeError("an indeterminate answer is neither true nor false")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Indeterminate) and other.causes == self.causes

    def __hash__(self) -> int:
        return hash(self.causes)

    def __repr__(self) -> str:
        return f"Indeterminate({self.causes!r})"


Answer = bool | Indeterminate
"""`True`, `False` or `Indeterminate`. Test it with ``is True`` and ``is False``."""


def settle(causes: Iterable[Cause]) -> Indeterminate:
    """An `Indeterminate` with its causes sorted and each once."""
    return Indeterminate(tuple(sorted(set(causes))))


class World:
    """Dated look-ups of one instant.

    Args:
        reference: the dated facts.
        as_of: timezone-aware.

    Raises:
        NaiveInstantError: *as_of* has no timezone.
    """

    __slots__ = ("_groups", "as_of", "reference")

    def __init__(self, reference: ReferenceData, as_of: datetime) -> None:
        if as_of.tzinfo is None or as_of.utcoffset() is None:
            raise NaiveInstantError("as_of needs a timezone")
        self.reference = reference
        self.as_of = as_of
        self._groups: dict[str, frozenset[str]] = {}

    def country_group(self, name: str) -> frozenset[str]:
        """Alpha-2 codes of the members at `as_of`. Raises KeyError for a group that reference data does not have."""
        members = self._groups.get(name)
        if members is None:
            # Two threads may look the same group up at once: both find the same.
            members = self._groups[name] = self.reference.country_group(name, self.as_of)
        return members


class Scope:
    """One combination that a condition is asked over. A root is None where the rule is not asked over it."""

    __slots__ = ("item", "location", "party", "request", "usage", "world")

    def __init__(
        self,
        *,
        world: World | Any,
        request: RequestView | Unknown | Any = None,
        item: ItemView | Unknown | Any = None,
        party: PartyView | Unknown | Any = None,
        location: LocationView | Unknown | Any = None,
        usage: UsageView | Unknown | Any = None,
    ) -> None:
        self.request, self.item, self.party, self.location, self.usage = request, item, party, location, usage
        self.world = world
