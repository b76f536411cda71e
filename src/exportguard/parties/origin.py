"""Where owners are from, for ownership rules that ask about places: `in:D:5`, `outside:provider:anthropic`.

A provider's terms may forbid a customer that is owned from where the provider does not sell, whoever the owners are.
Such a place stands in the lists of `owned(party, [...], ">", 50)` beside the codes of restricted-party lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from exportguard.vocabulary.fact import Maybe, Unknown

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData

IN, OUTSIDE = "in:", "outside:"


def is_place(code: str) -> bool:
    """Whether *code* of an ownership question is a place rather than a list."""
    return code.startswith((IN, OUTSIDE))


def shown(code: str) -> str:
    """`outside provider:anthropic`."""
    return code.replace(":", " ", 1) if is_place(code) else f"listed: {code}"


class Origin(NamedTuple):
    """Where an entity is, and where it is run from, as stated. Only one of them need be known: an owner of whom
    nothing but its country is stated counts as headquartered there."""

    country: Maybe[str]
    headquarters: Maybe[str]


class Places:
    """Reads the places of questions at one instant."""

    def __init__(self, reference: ReferenceData, as_of: datetime) -> None:
        self._reference = reference
        self._as_of = as_of

    def holds(self, code: str, origin: Origin) -> bool | None:
        """Is an entity of that *origin* at the place *code*? None: that is not known.

        It is there when its headquarters or its country is, so the worse of the two counts.
        """
        kind, _, group = code.partition(":")
        try:
            members = self._reference.country_group(group, self._as_of)
        except KeyError:
            return None
        known: list[bool] = []
        unread = False
        for stated in origin:
            if isinstance(stated, Unknown):
                continue
            country = self._reference.country(stated)
            if isinstance(country, Unknown):
                unread = True
            else:
                known.append((country in members) == (kind == "in"))
        if any(known):
            return True
        return None if unread or not known else False


def placed(places: Places | None, codes: Iterable[str], origin: Origin) -> tuple[tuple[str, ...], bool]:
    """Of the *codes* that are places: where an entity surely is, and whether it may be at another."""
    surely: list[str] = []
    maybe = False
    for code in codes:
        answer = places.holds(code, origin) if places is not None else None
        if answer:
            surely.append(code)
        elif answer is None:
            maybe = True
    return tuple(surely), maybe
