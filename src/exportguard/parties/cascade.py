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


def _scaled(owners: Mapping[str, Sequence[StakeOf]]) -> tuple[int | None, dict[int, Number]]:
    """One denominator for every stake, so that sums are of integers; None when it would be too large. And each
    fraction in it, by the identity of the object: a graph has many stakes and few different ones."""
    different = {id(value): value for stakes in owners.values() for stake in stakes for value in stake[1:]}
    scale: int | None = 1
    for denominator in {value.denominator for value in different.values()}:
        scale = lcm(scale or 1, denominator)
        if scale.bit_length() > _SCALE_BITS:
            scale = None
            break
    if scale is None:
        return None, dict(different)
    whole = scale
    return scale, {key: value.numerator * (whole // value.denominator) for key, value in different.items()}


def cascade(
    owners: Mapping[str, Sequence[StakeOf]],
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
    scale, scaled = _scaled(owners)

    # A whole-number limit decides the same way as the exact one, and compares faster.
    exact = percent * (scale or 1)
    limit: Number = exact if scale is None else (ceil(exact) if comparison == ">=" else floor(exact))
    reaches: Callable[[Number], bool] = (lambda s: s >= limit) if comparison == ">=" else (lambda s: s > limit)

    held: dict[str, list[tuple[str, Number, Number]]] = {}
    stated: dict[str, Number] = {}
    for owned, stakes in owners.items():
        total: Number = 0
        for owner, low, high in stakes:
            least = scaled[id(low)]
            total += least
            found = held.get(owner)
            if found is None:
                found = held[owner] = []
            found.append((owned, least, least if high is low else scaled[id(high)]))
        stated[owned] = total
    full: Number = 100 * (scale or 1)

    everyone = owners.keys() | held.keys() | set(owners_unknown) | set(listed) | set(maybe_listed)
    from_nothing = everyone if reaches(0) else ()
    shares: dict[str, Number] = {}
    caught = _spread(from_nothing, dict.fromkeys(listed), held, shares, reaches)

    # Upper bound: what possible owners may hold, but never what surely-free owners do hold. Stakes that
    # contradict themselves (over 100 %) prove nothing, so there only the first bound is used.
    ceilings: dict[str, Number] = {}
    free = {entity: full - total if total <= full else None for entity, total in stated.items()}
    possible = set(from_nothing) | set(caught)
    counted: set[str] = set()
    queue = deque(dict.fromkeys((*listed, *maybe_listed, *owners_unknown, *possible)))
    possible.update(owners_unknown)
    while queue:
        owner = queue.popleft()
        if owner in counted:
            continue
        counted.add(owner)
        for owned, low_, high_ in held.get(owner, ()):
            ceiling = ceilings.get(owned, 0) + high_
            ceilings[owned] = ceiling
            room = free[owned]
            if room is not None:
                # This owner's own least share is no longer beyond reach.
                room += low_
                free[owned] = room
                ceiling = min(ceiling, room)
            if owned not in possible and reaches(ceiling):
                possible.add(owned)
                queue.append(owned)
    divisor = scale or 1
    return Cascade(
        {entity: Fraction(shares.get(entity, 0)) / divisor for entity in caught},
        frozenset(possible),
        tuple(entity for entity, total in stated.items() if total > full),
    )


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
