"""What the stated owners say of where a party is run from, beside what its `ultimate_parent` says.

An owner of more than half stands above the party. Where no parent is stated and the chain of such owners is known to
its end, that end is the parent; where a parent is stated and the chain leads elsewhere, both are asked about: two
sources that disagree make the worse jurisdiction count, whichever it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction

from exportguard.parties.percent import stake
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.party import Owner, Party, UltimateParent

ReadCountry = Callable[[str], Maybe[str]]
_HALF = Fraction(50)
_MAX_DEPTH = 100


def with_owners(party: Party, country: ReadCountry, day: date) -> tuple[Party, ...]:
    """*party*, with the parent that its owners show; or *party* and itself with that parent, where they disagree."""
    top = majority_owner(party.owners, day)
    if top is None:
        return (party,)
    stated = party.ultimate_parent
    found = UltimateParent(name=top.name, country=top.country, headquarters=_headquarters(top))
    if isinstance(stated, Unknown):
        known_to_the_end = not isinstance(top.owners, Unknown)
        if stated == NOT_GIVEN and known_to_the_end:
            return (party.model_copy(update={"ultimate_parent": found}),)
        # Who stands above that owner is not known: the party stays open, and the owner counts beside it.
    elif _agree(party, stated, found, country):
        return (party,)
    return (party, party.model_copy(update={"ultimate_parent": found}))


def majority_owner(owners: Maybe[tuple[Owner, ...]], day: date) -> Owner | None:
    """The last in the chain of owners that surely hold more than half of the one below; None: there is none."""
    last: Owner | None = None
    for _ in range(_MAX_DEPTH):
        if isinstance(owners, Unknown):
            break
        above = next((owner for owner in owners if _holds(owner, day)), None)
        if above is None:
            break
        last, owners = above, above.owners
    return last


def _holds(owner: Owner, day: date) -> bool:
    if (owner.since is not None and day < owner.since) or (owner.until is not None and day >= owner.until):
        return False
    try:
        return stake(owner.percent).low > _HALF
    except ValueError:
        return False


def _headquarters(owner: Owner) -> Maybe[str]:
    """Where the owner is run from; where that is not given, where it is: a company seldom says both."""
    return owner.headquarters if owner.headquarters != NOT_GIVEN else owner.country


def _agree(party: Party, stated: UltimateParent | None, found: UltimateParent, country: ReadCountry) -> bool:
    if isinstance(found.headquarters, Unknown):
        # An owner of whom no place is given (a founder, say) contradicts nobody; one whose place is known to be
        # unknown leaves open what a party that has no parent says of itself.
        return stated is not None or found.headquarters == NOT_GIVEN
    ours = party.headquarters if stated is None else stated.headquarters
    if isinstance(ours, Unknown):
        return False
    read = country(ours), country(found.headquarters)
    return not isinstance(read[0], Unknown) and read[0] == read[1]
