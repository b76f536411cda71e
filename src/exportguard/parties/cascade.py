"""The 50% rules as arithmetic: a cascade to the least fixpoint, exact, with three answers.

An entity is caught when those of its owners that are listed, or caught already, together hold at least (or more
than) a threshold; caught, it counts in full for what it owns (OFAC FAQ 401). Shares add up; they are never
multiplied along a chain. Where stakes are ranges or listings unknown the cascade runs twice: with every doubt
resolved away from a catch (what is caught then is *surely* caught) and towards it (what stays free is *surely* free).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor, lcm
from typing import Literal, NamedTuple, TypeAlias

Number: TypeAlias = int | Fraction
StakeOf = tuple[str, Fraction, Fraction]
"""Owner, least and greatest share in percent."""

_SCALE_BITS = 192
"""Past this size a common denominator costs more than it saves."""


class Cascade(NamedTuple):
    """What the cascade found. Shares in percent, of owners that are listed or caught."""

    caught: dict[str, Fraction]
    """Surely caught by ownership, in the order in which they were, and by how much at least."""
    possible: frozenset[str]
    """Caught if every doubt is resolved that way; what is in neither is surely free."""
    over_100: tuple[str, ...]
    """Entities whose stated stakes surely add up to more than a hundred percent."""

    def answer(self, entity: str) -> bool | None:
        """Is *entity* caught by ownership: True, False, or None for unknown."""
        if entity in self.caught:
            return True
        return None if entity in self.possible else False


class Prepared(NamedTuple):
    """A graph the other way round, its stakes whole numbers of one unit: what every question over it begins with."""

    scale: int | None
    """How many units a percent has; None: the stakes are fractions of a percent as they are."""
    held: Mapping[str, Sequence[tuple[str, Number, Number]]]
    """Of each owner: what it owns, and the least and greatest share."""
    stated: Mapping[str, Number]
    """Of each owned entity: the least shares of all its owners, added up."""


def prepare(owners: Mapping[str, Sequence[StakeOf]]) -> Prepared:
    """Prepare *owners* (owned entity to its stakes) for `cascade`, which does it by itself where it is asked once."""
    # By the identity of the fractions: a graph has many stakes and few different ones.
    different = {id(value): value for stakes in owners.values() for stake in stakes for value in stake[1:]}
    scale = _common({value.denominator for value in different.values()})
    units: Mapping[int, Number] = different
    if scale is not None:
        units = {key: value.numerator * (scale // value.denominator) for key, value in different.items()}
    held: dict[str, list[tuple[str, Number, Number]]] = {}
    stated: dict[str, Number] = {}
    for owned, stakes in owners.items():
        total: Number = 0
        for owner, low, high in stakes:
            least = units[id(low)]
            total += least
            found = held.get(owner)
            if found is None:
                found = held[owner] = []
            found.append((owned, least, least if high is low else units[id(high)]))
        stated[owned] = total
    return Prepared(scale, held, stated)


def _common(denominators: Iterable[int]) -> int | None:
    """One denominator for every stake, so that sums are of integers; None when it would be too large."""
    scale = 1
    for denominator in denominators:
        scale = lcm(scale, denominator)
        if scale.bit_length() > _SCALE_BITS:
            return None
    return scale


def cascade(
    owners: Mapping[str, Sequence[StakeOf]] | Prepared,
    *,
    listed: Collection[str],
    maybe_listed: Collection[str] = (),
    owners_unknown: Collection[str] = (),
    comparison: Literal[">=", ">"],
    percent: Fraction,
) -> Cascade:
    """Run the cascade over *owners* (owned entity to its stakes).

    Args:
        owners: each entity that has owners, with all of them. Several stakes of one owner add up.
        listed: surely on one of the lists asked about; they count in full whoever owns them.
        maybe_listed: nobody knows.
        owners_unknown: entities that may have owners nobody stated; they may be caught.
        comparison, percent: the rule's threshold.
    """
    scale, held, stated = owners if isinstance(owners, Prepared) else prepare(owners)
    # A whole-number limit decides the same way as the exact one, and compares faster.
    exact = percent * (scale or 1)
    limit: Number = exact if scale is None else (ceil(exact) if comparison == ">=" else floor(exact))
    reaches: Callable[[Number], bool] = (lambda s: s >= limit) if comparison == ">=" else (lambda s: s > limit)
    full: Number = 100 * (scale or 1)
    from_nothing: Collection[str] = ()
    if reaches(0):
        from_nothing = {*stated, *held, *owners_unknown, *listed, *maybe_listed}
    shares: dict[str, Number] = {}
    caught = _spread(from_nothing, dict.fromkeys(listed), held, shares, reaches)
    possible = _possible((listed, maybe_listed, owners_unknown, from_nothing, caught), held, stated, full, reaches)
    divisor = scale or 1
    return Cascade(
        {entity: Fraction(shares.get(entity, 0)) / divisor for entity in caught},
        frozenset(possible.union(from_nothing, caught, owners_unknown)),
        tuple(entity for entity, total in stated.items() if total > full),
    )


def _possible(
    counting: Iterable[Iterable[str]],
    held: Mapping[str, Sequence[tuple[str, Number, Number]]],
    stated: Mapping[str, Number],
    full: Number,
    reaches: Callable[[Number], bool],
) -> set[str]:
    """What may be caught: by what possible owners may hold, but never by what surely-free owners do hold. Stakes that
    contradict themselves (over 100 %) prove nothing, so there only the first bound is used."""
    possible: set[str] = set()
    ceilings: dict[str, Number] = {}
    rooms: dict[str, Number] = {}
    queue = deque(dict.fromkeys(entity for entities in counting for entity in entities))
    counted = set(queue)
    while queue:
        owner = queue.popleft()
        for owned, low, high in held.get(owner, ()):
            ceiling = ceilings.get(owned, 0) + high
            ceilings[owned] = ceiling
            total = stated[owned]
            if total <= full:
                # This owner's own least share is no longer beyond reach.
                room = rooms.get(owned, full - total) + low
                rooms[owned] = room
                ceiling = min(ceiling, room)
            if owned not in possible and reaches(ceiling):
                possible.add(owned)
                if owned not in counted:
                    counted.add(owned)
                    queue.append(owned)
    return possible


def _spread(
    from_nothing: Iterable[str],
    listed: Mapping[str, None],
    held: Mapping[str, Sequence[tuple[str, Number, Number]]],
    shares: dict[str, Number],
    reaches: Callable[[Number], bool],
) -> dict[str, None]:
    """The least fixpoint for surely: in order of catching. Fills *shares* with what listed and caught owners hold."""
    caught: dict[str, None] = dict.fromkeys(from_nothing)
    queue = deque((*listed, *caught))
    counted: set[str] = set()
    while queue:
        owner = queue.popleft()
        if owner in counted:
            continue
        counted.add(owner)
        for owned, low, _ in held.get(owner, ()):
            share = shares.get(owned, 0) + low
            shares[owned] = share
            if owned not in caught and reaches(share):
                caught[owned] = None
                queue.append(owned)
    return caught
