"""From a request as observed to one whose parties are known as far as they can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from exportguard.errors import NaiveInstantError
from exportguard.parties.customer import Customer
from exportguard.parties.directory import CustomerDirectory, customer_of
from exportguard.parties.jurisdiction import with_owners
from exportguard.parties.merge import merge
from exportguard.parties.ownership import OwnershipGraph, OwnershipInquiry
from exportguard.parties.screen_parties import PartyScreening
from exportguard.parties.settled import Settled, keep, key_of, recall
from exportguard.vocabulary.fact import FactSource, Maybe, Unknown
from exportguard.vocabulary.party import Party, Role
from exportguard.vocabulary.questions import OwnershipQuestion
from exportguard.vocabulary.request import ProvisioningRequest

if TYPE_CHECKING:
    from exportguard.parties.screening import Screener
    from exportguard.reference import ReferenceData

_KEPT_WHEN_STALE = ("role", "id", "customer", "sources")


class ResolvedParties(NamedTuple):
    """A request with its parties, and how they were come by.

    `customers`: ids of the records that count, in the order in which they were found. `red_flags` have been added
    to the request's own. `sources` say who named which customer, and which list was asked.
    """

    request: ProvisioningRequest
    customers: tuple[str, ...]
    red_flags: tuple[str, ...]
    sources: tuple[FactSource, ...]


def resolve(
    request: ProvisioningRequest,
    *,
    directory: CustomerDirectory,
    customers: Sequence[str] = (),
    screener: Screener | None,
    reference: ReferenceData,
    questions: frozenset[OwnershipQuestion] = frozenset(),
    as_of: datetime,
) -> ResolvedParties:
    """Find who is behind *request*, screen the names, and answer what rules ask about ownership.

    Args:
        request: its own parties count, with those of `request.customer`, of *customers* and of the account map.
        directory: who an id, the account or the tags stand for.
        customers: ids that the caller named (`acting_for`, `attach`).
        screener: None leaves the listings of parties that give none unknown.
        reference: reads the spelling of countries.
        questions: what the compiled rules ask of the ownership cascade.
        as_of: timezone-aware; dates records, stakes and lists.

    Raises:
        UnknownCustomerError: an id that the directory does not have.
        DocumentError: the directory answered with something that cannot be read.
        NaiveInstantError: *as_of* has no timezone.
    """
    if as_of.tzinfo is None:
        raise NaiveInstantError("`as_of` has no timezone")
    if as_of.tzinfo is not UTC:
        as_of = as_of.astimezone(UTC)
    flags: list[str] = []
    found, sources = _customers(request, directory, customers, flags)
    own = _own_parties(request)
    if not found and not own and isinstance(request.parties, Unknown):
        return ResolvedParties(request, (), (), tuple(sources))  # nobody is named: there is nothing to be found out
    end_use = request.end_use
    uses: list[str] = []
    current: list[Customer] = []
    stale = False
    for customer in found:
        reliable = _as_of(customer, as_of)
        current.append(reliable)
        if reliable is not customer:
            stale = True
            flags.append("stale_customer_record")
        if isinstance(reliable.end_use, str):
            uses.append(reliable.end_use)
    if isinstance(end_use, Unknown) and uses:
        if len(uses) == 1 or len(set(uses)) == 1:
            end_use = uses[0]
        else:
            end_use = Unknown(f"the customers' records state different end uses: {', '.join(dict.fromkeys(uses))}")
            flags.append("sources_disagree")
    graph = _shared_graph(directory)
    key = None if own or stale else key_of(directory, found, screener, as_of.date(), reference, questions, graph)
    settled = recall(key)
    if settled is None:
        parties = [*own, *(party for customer in current for party in _parties_of(customer))]
        settled = _settled(parties, graph, screener, reference, questions, as_of)
        keep(key, settled)
    added = tuple(dict.fromkeys((*flags, *settled.red_flags))) if flags or settled.red_flags else ()
    red_flags = request.red_flags
    if added and not isinstance(red_flags, Unknown):
        # Flags that cannot be read stay unread: a rule over them is then open, which is no weaker.
        red_flags = tuple(dict.fromkeys((*red_flags, *added)))
    nobody = isinstance(request.parties, Unknown) and not settled.parties
    resolved = request.model_copy(
        update={"parties": request.parties if nobody else settled.parties, "end_use": end_use, "red_flags": red_flags}
    )
    return ResolvedParties(resolved, tuple([c.id for c in found]), added, (*sources, *settled.sources))


def _settled(
    parties: Sequence[Party],
    graph: OwnershipGraph | None,
    screener: Screener | None,
    reference: ReferenceData,
    questions: frozenset[OwnershipQuestion],
    as_of: datetime,
) -> Settled:
    """*parties* merged, screened and asked about their ownership."""
    merged, disagree = merge(parties, reference.country)
    flags = ["sources_disagree"] if disagree else []
    screening = PartyScreening(screener, reference, as_of)
    asked: list[Party] = []
    for party in merged:
        readings = with_owners(party, reference.country, as_of.date())
        if len(readings) > 1 and not isinstance(party.ultimate_parent, Unknown):
            flags.append("sources_disagree")
        asked += readings
    made = tuple(_settle(party, screening, graph, questions, as_of, flags) for party in asked)
    return Settled(made, tuple(dict.fromkeys((*flags, *screening.red_flags))), tuple(screening.sources))


def _customers(
    request: ProvisioningRequest, directory: CustomerDirectory, named: Sequence[str], flags: list[str]
) -> tuple[list[Customer], list[FactSource]]:
    """Every customer that some source names. Sources that name different ones raise a flag; all of them count."""
    found: dict[str, Customer] = {}
    sources: list[FactSource] = []
    if len(named) < 2 and request.customer is None and not request.tags and not isinstance(request.account, str):
        if not named:
            return [], sources
        only = customer_of(directory, named[0])  # what most calls say of whom they are for
        return [only], [_named(only.id, "named by the caller")]

    def add(customer: Customer, source: str) -> None:
        found.setdefault(customer.id, customer)
        sources.append(_named(customer.id, source))

    for customer_id in dict.fromkeys(named):
        add(customer_of(directory, customer_id), "named by the caller")
    if request.customer is not None:
        add(customer_of(directory, request.customer), "named by the request")
    if isinstance(request.account, str):
        provider = request.provider if isinstance(request.provider, str) else None
        for customer in directory.by_account(provider, request.account):
            add(customer, f"account {request.account}")
    if request.tags:
        for customer in directory.by_tags(request.tags):
            add(customer, "tags")
    if len(found) > 1:
        flags.append("customer_conflict")
    return list(found.values()), sources


@lru_cache(maxsize=4096)
def _named(customer: str, source: str) -> FactSource:
    return FactSource(path=f"customer.{customer}"[:2000], source=source[:2000])


def _own_parties(request: ProvisioningRequest) -> tuple[Party, ...]:
    if not isinstance(request.parties, Unknown):
        return request.parties
    if request.parties.reason == "not given":
        return ()
    # Parties that were there but could not be read must not disappear behind those of a customer.
    return (_unknown_party(Role.END_USER, None, request.parties),)


def _unknown_party(role: Maybe[Role], customer: str | None, why: Unknown) -> Party:
    return Party(
        role=role, customer=customer, name=why, kind=why, country=why, subdivision=why, headquarters=why,
        ultimate_parent=why, owners=why, listings=why, restricted_ownership=why, verified=why,
    )  # fmt: skip


def _as_of(customer: Customer, as_of: datetime) -> Customer:
    """The record as it may be relied on at *as_of*: past its validity, roles are all that is left of it."""
    until = customer.valid_until
    if until is None:
        return customer
    instant = until if isinstance(until, datetime) else datetime(until.year, until.month, until.day, tzinfo=UTC)
    if as_of < instant:
        return customer
    why = Unknown(f"record of `{customer.id}` was valid until {_day(until)}")
    if isinstance(customer.parties, Unknown):
        return customer.model_copy(update={"end_use": why, "parties": why})
    stale = tuple(
        _unknown_party(party.role, party.customer, why).model_copy(
            update={field: getattr(party, field) for field in _KEPT_WHEN_STALE}
        )
        for party in customer.parties
    )
    return customer.model_copy(update={"end_use": why, "parties": stale})


def _day(until: date) -> str:
    return (until.date() if isinstance(until, datetime) else until).isoformat()


def _parties_of(customer: Customer) -> Iterable[Party]:
    if isinstance(customer.parties, Unknown):
        why = customer.parties
        if why.reason == "not given":
            why = Unknown(f"the record of `{customer.id}` names no parties; `parties: []` says that there are none")
        return (_unknown_party(Role.END_USER, customer.id, why),)
    source = FactSource(path="party", source=f"record of {customer.id}"[:2000])
    return (
        party.model_copy(update={"customer": party.customer or customer.id, "sources": party.sources or (source,)})
        for party in customer.parties
    )


def _shared_graph(directory: CustomerDirectory) -> OwnershipGraph | None:
    ownership = getattr(directory, "ownership", None)
    graph = ownership() if callable(ownership) else None
    return graph if isinstance(graph, OwnershipGraph) else None


def _settle(
    party: Party,
    screening: PartyScreening,
    graph: OwnershipGraph | None,
    questions: frozenset[OwnershipQuestion],
    as_of: datetime,
    flags: list[str],
) -> Party:
    """One party with its listings and the answers about its ownership."""
    party = screening.screened(party)
    open_ = isinstance(party.restricted_ownership, Unknown)
    if not questions and not open_:
        return party
    inquiry = OwnershipInquiry(party, as_of, graph, screening.listings_of, screening.places)
    update: dict[str, object] = {
        "ownership_answers": tuple(inquiry.answer(question) for question in sorted(questions)),
    }
    if open_:
        update["restricted_ownership"] = inquiry.restricted_ownership()
    flags += inquiry.red_flags
    return party.model_copy(update=update)
