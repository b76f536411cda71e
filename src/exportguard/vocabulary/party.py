"""Who is in the transaction, and in which role."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt, StrictStr

from exportguard.vocabulary.fact import NOT_GIVEN, Day, FactSource, Frozen, Maybe, Text
from exportguard.vocabulary.questions import OwnershipAnswer


class Role(StrEnum):
    END_USER = "end_user"
    ULTIMATE_CONSIGNEE = "ultimate_consignee"
    INTERMEDIATE_CONSIGNEE = "intermediate_consignee"
    PURCHASER = "purchaser"


class PartyKind(StrEnum):
    LEGAL = "legal"
    NATURAL = "natural"


class PercentRange(Frozen):
    """A stake known only to lie between two bounds, both included."""

    min: Annotated[float | StrictInt | StrictStr, Field()]
    max: Annotated[float | StrictInt | StrictStr, Field()]


Percent = StrictInt | Annotated[float, Field(strict=True, allow_inf_nan=False)] | StrictStr | PercentRange
"""Exact (`60`, `33.3`, `"100/3"`), a range, or unknown. Text is read as a decimal or a fraction, never a float."""


class Owner(Frozen):
    """One direct owner of a party and the share it holds, 0 to 100."""

    id: Text | None = None
    name: Maybe[Text] = NOT_GIVEN
    country: Maybe[Text] = NOT_GIVEN
    headquarters: Maybe[Text] = NOT_GIVEN
    percent: Maybe[Percent] = NOT_GIVEN
    since: Day | None = None
    until: Day | None = None
    listings: Maybe[tuple[Text, ...]] = NOT_GIVEN
    owners: Maybe[tuple[Owner, ...]] = NOT_GIVEN


class UltimateParent(Frozen):
    """The top owner. Its headquarters is a fact of its own."""

    name: Maybe[Text] = NOT_GIVEN
    country: Maybe[Text] = NOT_GIVEN
    headquarters: Maybe[Text] = NOT_GIVEN


class RestrictedOwnership(Frozen):
    """The worst listed ownership that was found: which list, how much (0 to 100)."""

    list: Maybe[Text] = NOT_GIVEN
    percent: Maybe[Percent] = NOT_GIVEN


class Party(Frozen):
    """A legal or natural person in a role. What is not given is unknown; `[]` is known to be none.

    `country` is where the party is, `headquarters` where it is run from: ISO 3166 alpha-2, or any spelling that
    reference data can read; what it can't is unknown. `ultimate_parent: null` says that the party is its own.
    `listings` are codes of restricted-party lists (`EL`, `MEU`, `SDN` …): given, they are the result of a
    screening done elsewhere on `listings_as_of`; left out, the guard screens the name itself.
    """

    role: Maybe[Role] = NOT_GIVEN
    id: Text | None = None
    customer: Text | None = None
    name: Maybe[Text] = NOT_GIVEN
    kind: Maybe[PartyKind] = NOT_GIVEN
    country: Maybe[Text] = NOT_GIVEN
    subdivision: Maybe[Text] | None = None
    headquarters: Maybe[Text] = NOT_GIVEN
    ultimate_parent: Maybe[UltimateParent] | None = NOT_GIVEN
    owners: Maybe[tuple[Owner, ...]] = NOT_GIVEN
    listings: Maybe[tuple[Text, ...]] = NOT_GIVEN
    listings_as_of: Day | None = None
    restricted_ownership: Maybe[RestrictedOwnership] | None = NOT_GIVEN
    verified: Maybe[StrictBool] = NOT_GIVEN
    ownership_answers: tuple[OwnershipAnswer, ...] = ()
    sources: tuple[FactSource, ...] = ()


Owner.model_rebuild()
