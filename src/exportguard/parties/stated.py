"""`restricted_ownership` as a record states it: what a check elsewhere found, beside the owners that are told."""

from __future__ import annotations

from fractions import Fraction

from exportguard.parties.origin import is_place
from exportguard.parties.percent import as_text, number
from exportguard.parties.screening.lists import canonical
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.party import Percent, PercentRange, RestrictedOwnership
from exportguard.vocabulary.questions import OwnershipAnswer, OwnershipQuestion


def with_stated(
    found: OwnershipAnswer, question: OwnershipQuestion, stated: Maybe[RestrictedOwnership] | None
) -> OwnershipAnswer:
    """*found* of the owners, and what is stated beside them: it may catch the party and never frees it."""
    if stated is None or isinstance(stated, Unknown) or found.owned is True:
        return found
    wanted = {canonical(code) or code for code in question.lists if not is_place(code)}
    code = canonical(stated.list) if isinstance(stated.list, str) else None
    if not wanted or (code is not None and code not in wanted):
        return found
    low, high = _bounds(stated.percent)
    reaches = Fraction.__ge__ if question.comparison == ">=" else Fraction.__gt__
    if high is not None and not reaches(high, question.percent):
        return found
    if code is None or low is None or not reaches(low, question.percent):
        if isinstance(found.owned, Unknown):
            return found
        why = Unknown("of the listed ownership that is stated, the list or the share is not known")
        return found.model_copy(update={"owned": why})
    told = f"stated: {as_text(low)} % is held by owners on {code}"
    return found.model_copy(update={"owned": True, "path": (told[:2000],)})


def _bounds(percent: Maybe[Percent]) -> tuple[Fraction | None, Fraction | None]:
    """The least and the greatest share; None where it is not known."""
    if isinstance(percent, Unknown):
        return None, None
    try:
        if isinstance(percent, PercentRange):
            return number(percent.min), number(percent.max)
        exact = number(percent)
    except ValueError:
        return None, None
    return exact, exact
