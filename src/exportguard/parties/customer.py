"""The customers document: who a cloud account, a tag or a customer id stands for."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from exportguard.parties.percent import stake
from exportguard.vocabulary.fact import NOT_GIVEN, Day, Frozen, Maybe, Moment, Text, Unknown
from exportguard.vocabulary.party import Owner, Party, PartyKind, Percent

_MOST_LEVELS = 64


class Accounts(Frozen):
    """How a directory recognises the customer. Spelling (case, dashes of an AWS account) does not matter.

    `tags` must all be on the call for the customer to be meant.
    """

    aws: tuple[Text, ...] = ()
    """Account ids of twelve digits."""
    azure: tuple[Text, ...] = ()
    """Subscription ids."""
    openai: tuple[Text, ...] = ()
    """Organization or project ids."""
    tenants: tuple[Text, ...] = ()
    """Microsoft Entra tenant ids; asked with the provider `azure` as well."""
    tags: dict[Text, Text] = Field(default_factory=dict)


class Customer(Frozen):
    """One customer and the parties that stand behind what it provisions.

    `valid_until` (half-open, a bare date is its first instant in UTC) is how long the record may be relied on;
    from then on every fact in it is unknown.
    """

    id: Text
    accounts: Accounts = Accounts()
    valid_until: Moment | None = None
    end_use: Maybe[Text] = NOT_GIVEN
    parties: Maybe[tuple[Party, ...]] = NOT_GIVEN
    source: Text | None = None
    """Where the record was read; the directory fills it in when the document does not."""

    @model_validator(mode="after")
    def _stakes_can_be_read(self) -> Customer:
        if not isinstance(self.parties, Unknown):
            for index, party in enumerate(self.parties):
                if not isinstance(party.owners, Unknown):
                    check_owners(party.owners, f"parties[{index}]")
        return self


def check_owners(owners: tuple[Owner, ...], place: str, depth: int = 0) -> None:
    """Refuse a stake that is no percentage: what can't be read must not pass for a small share."""
    if depth > _MOST_LEVELS:
        raise ValueError(f"owners are nested deeper than {_MOST_LEVELS} levels; use `ownership`")
    for index, owner in enumerate(owners):
        here = f"{place}.owners[{index}]"
        percent = owner.percent
        if type(percent) is int and 0 <= percent <= 100 and owner.since is None and owner.owners is NOT_GIVEN:
            continue
        try:
            stake(percent)
        except ValueError as problem:
            raise ValueError(f"{here}.percent {problem}") from None
        if owner.since is not None and owner.until is not None and owner.until < owner.since:
            raise ValueError(f"{here}.until is before `since`")
        if not isinstance(owner.owners, Unknown) and owner.owners:
            check_owners(owner.owners, here, depth + 1)


def _readable(percent: Any) -> Any:
    stake(percent)
    return percent


class Edge(Frozen):
    """One stake in the ownership graph of a customers document: `owner` holds `percent` of `owned`.

    Both are ids of `entities`, or of parties and their owners, or names where no id is known.
    """

    owner: Text
    owned: Text
    percent: Annotated[Maybe[Percent], AfterValidator(_readable)] = NOT_GIVEN
    since: Day | None = None
    until: Day | None = None


class Entity(Frozen):
    """A node of the ownership graph. `owners: []` says that it is known to have none (a ministry, a person);
    left out, they are those that the edges name, and unknown when no edge does."""

    id: Text
    name: Maybe[Text] = NOT_GIVEN
    kind: Maybe[PartyKind] = NOT_GIVEN
    country: Maybe[Text] = NOT_GIVEN
    headquarters: Maybe[Text] = NOT_GIVEN
    listings: Maybe[tuple[Text, ...]] = NOT_GIVEN
    owners: Maybe[tuple[Owner, ...]] = NOT_GIVEN

    @model_validator(mode="after")
    def _stakes_can_be_read(self) -> Entity:
        if not isinstance(self.owners, Unknown):
            check_owners(self.owners, "entity")
        return self


class CustomersDocument(Frozen):
    """The whole file. `ownership` and `entities` are one graph that every customer of the file shares."""

    customers: tuple[Customer, ...] = ()
    ownership: tuple[Edge, ...] = ()
    entities: tuple[Entity, ...] = ()
