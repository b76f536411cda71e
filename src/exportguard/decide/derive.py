"""From a request as observed to the records that conditions see: dated facts, defaults, territories applied.

Fail-closed rules live here: what is named but not known becomes `Unknown`, an item is dropped only when reference
data *knows* that it carries nothing, and there is always an end user and a place.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from exportguard.decide.items import item_views, period_of
from exportguard.errors import NaiveInstantError
from exportguard.reference import ReferenceData, RegionFact
from exportguard.reference.listcodes import list_code
from exportguard.reference.parts import DIVIDED
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.party import Party, PartyKind, Role
from exportguard.vocabulary.questions import OwnershipQuestion
from exportguard.vocabulary.request import Action, Certainty, Location, ProvisioningRequest, Transfer
from exportguard.vocabulary.scope import (
    ItemView,
    LocationView,
    PartyView,
    RequestView,
    RestrictedOwnershipView,
    UltimateParentView,
)

NO_END_USER = Unknown("no end user was named")
NO_LOCATION = Unknown("no location was named")

_END_USER = Role.END_USER.value
_DECLARED, _POSSIBLE = Certainty.DECLARED.value, Certainty.POSSIBLE.value
_SURE = Certainty.DECLARED
_REMOTE, _EXPORT = Transfer.REMOTE_ACCESS.value, Transfer.EXPORT.value
_CLOUDS = frozenset({"aws", "azure", "openai"})

_EXPORTING = ("outpost", "snowball", "snowcone", "snowdevice", "azurestack", "databoxedge", "stackhci", "stackedge")
"""Operations by which hardware goes to the party itself; read from service and operation names of both clouds."""


class Facts(NamedTuple):
    """A request as conditions see it. `items` empty: proved to carry no accelerator and no model item; `parties` then
    are left out, since no rule is asked."""

    request: RequestView
    items: tuple[ItemView, ...]
    parties: tuple[PartyView, ...]
    locations: tuple[LocationView, ...]


def derive(request: ProvisioningRequest, reference: ReferenceData, as_of: datetime) -> Facts:
    """Derive the dated views of *request* at *as_of*. Pure.

    Raises:
        NaiveInstantError: *as_of* has no timezone.
    """
    if as_of.tzinfo is not UTC and (as_of.tzinfo is None or as_of.utcoffset() is None):
        raise NaiveInstantError("as_of has no timezone: it selects rules and thresholds, so it has to be exact")
    # Each field of a document is looked up once: an attribute of a pydantic class costs several of a plain one.
    said = request.__dict__
    provider, service, operation = _lower(said["provider"]), said["service"], said["operation"]
    flags: list[str] = []
    observed = said["items"]
    if isinstance(observed, Unknown):
        observed = (Item(kind=Unknown(f"items: {observed.reason}")),)
    period = period_of(reference, as_of)
    items: tuple[ItemView, ...]
    if len(observed) == 1:
        items = item_views(observed[0], 0, provider, reference, as_of, period)
    else:
        items = tuple(
            view
            for index, item in enumerate(observed)
            for view in item_views(item, index, provider, reference, as_of, period)
        )
    locations = _locations(said["locations"], provider, observed, reference, flags)
    # Of a request that carries nothing, nothing is asked.
    if not items:
        parties: tuple[PartyView, ...] = ()
    else:
        parties = _parties(said["parties"], reference)
    red_flags = said["red_flags"]
    if flags and not isinstance(red_flags, Unknown):
        red_flags = tuple(dict.fromkeys((*red_flags, *flags)))
    view = RequestView(
        provider,
        _lower(service),
        operation,
        _plain(said["action"]),
        _transfer(said["transfer"], provider, service, operation),
        said["account"],
        _word(said["end_use"]),
        said["time"],
        red_flags,
        items,
        parties,
    )
    return Facts(view, items, parties, locations)


def _plain(value: Maybe[str]) -> Maybe[str]:
    # A plain str: an enumeration's member is one too, but of a class of its own.
    kind = value.__class__
    return value if kind is Unknown or kind is str else _WORDS.get(value) or str.__str__(value)


_WORDS: dict[object, str] = {
    member: str.__str__(member) for words in (Action, PartyKind, Role, Transfer) for member in words
}


def _lower(value: Maybe[str]) -> Maybe[str]:
    return value if isinstance(value, Unknown) else value.strip().lower()


def _word(value: Maybe[str]) -> Maybe[str]:
    """`AI training` and `ai-training` say what `ai_training` says; a spelling must not lead past a rule."""
    return value if isinstance(value, Unknown) else _as_word(value)


@lru_cache(maxsize=2048)
def _as_word(value: str) -> str:
    return "_".join(value.strip().lower().replace("-", " ").split())


@lru_cache(maxsize=2048)
def _is_export(service: str, operation: str) -> bool:
    name = f"{service}/{operation}".lower().replace("-", "").replace("_", "")
    return any(word in name for word in _EXPORTING)


def _transfer(stated: Maybe[Transfer], provider: Maybe[str], service: Maybe[str], operation: Maybe[str]) -> Maybe[str]:
    """From the operation of a cloud provider, else from the document, else unknown (documents.md)."""
    if not isinstance(operation, Unknown) and not isinstance(provider, Unknown) and provider in _CLOUDS:
        if _is_export("" if isinstance(service, Unknown) else service, operation):
            return _EXPORT
        if stated is NOT_GIVEN or (stated.__class__ is Unknown and stated == NOT_GIVEN):
            return _REMOTE  # but who says that it is unknown is taken at the word
    return _plain(stated)


def _locations(
    stated: Maybe[tuple[Location, ...]],
    provider: Maybe[str],
    items: tuple[Item, ...],
    reference: ReferenceData,
    flags: list[str],
) -> tuple[LocationView, ...]:
    given = () if isinstance(stated, Unknown) else stated
    if len(given) == len(items) == 1 and not isinstance(items[0].model, str):
        # What nearly every request says of where: one place, which its item says nothing about.
        views = _location(given[0], 0, provider, reference, flags)
        if len(views) == 1 and views[0].certainty == _DECLARED:
            return (views[0],)
        flags.clear()
    views = []
    for index, location in enumerate(given):
        views.extend(_location(location, index, provider, reference, flags))
    for item in items:
        views.extend(_processing_places(item, provider, reference))
    for view in views:
        if view.certainty == _DECLARED:
            break
    else:
        reason = stated if isinstance(stated, Unknown) and not given else NO_LOCATION
        if not views or isinstance(stated, Unknown):
            views.insert(0, LocationView(reason, reason, None, reason, _DECLARED))
    return _distinct(views)


def _location(
    location: Location, index: int, provider: Maybe[str], reference: ReferenceData, flags: list[str]
) -> list[LocationView]:
    said = location.__dict__
    stated, region, cloud, subdivision = said["country"], said["region"], said["cloud"], said["subdivision"]
    if isinstance(stated, str):
        written, stated = stated, reference.country(stated)
        if isinstance(stated, Unknown) and (named := reference.country_of_part(written)) is not None:
            stated, subdivision = named
    certainty = _DECLARED if said["certainty"] is _SURE else _POSSIBLE
    if stated is NOT_GIVEN and subdivision is None and cloud is None and isinstance(region, str):
        # What nearly every request says of a place: a region, and nothing else.
        return [_by_region(region, provider, certainty, index, reference)]
    countries: list[Maybe[str]] = []
    if isinstance(region, str):
        fact = _region(provider, region, reference)
        if not isinstance(fact, Unknown):
            cloud = cloud if cloud is not None else fact.cloud
            subdivision = subdivision if subdivision is not None else fact.subdivision
            countries.append(fact.country)
        elif stated == NOT_GIVEN:
            countries.append(fact)
        # else: the stated country of a region nobody knows is somebody's word; it stands, as any document's does.
    elif region is not None and region != NOT_GIVEN:
        countries.append(region)
    if stated != NOT_GIVEN and stated not in countries:
        # Both are asked about: a document that contradicts itself, or says that it does not know, unlocks nothing.
        if isinstance(stated, str) and any(isinstance(country, str) for country in countries):
            flags.append("location_conflict")
        countries.append(stated)
    if not countries:
        countries.append(NO_LOCATION)
    return [LocationView(region, c, _part(subdivision, c, reference), cloud, certainty, index) for c in countries]


@lru_cache(maxsize=4096)
def _by_region(region: str, provider: Maybe[str], certainty: str, index: int, reference: ReferenceData) -> LocationView:
    fact = _region(provider, region, reference)
    if isinstance(fact, Unknown):
        return LocationView(region, fact, _part(None, fact, reference), None, certainty, index)
    return LocationView(
        region, fact.country, _part(fact.subdivision, fact.country, reference), fact.cloud, certainty, index
    )


def _region(provider: Maybe[str], name: str, reference: ReferenceData) -> RegionFact | Unknown:
    providers = ("aws", "azure") if isinstance(provider, Unknown) else (provider,)
    fact: RegionFact | Unknown = Unknown(f"region `{name}` is not known")
    for candidate in providers:
        fact = reference.region(candidate, name)
        if not isinstance(fact, Unknown):
            return fact
    return fact


def _processing_places(item: Item, provider: Maybe[str], reference: ReferenceData) -> list[LocationView]:
    """An inference profile (`us.`, `global.`) names where a model may run: possible places, none of them sure."""
    if not isinstance(item.model, str):
        return []
    model = reference.model(provider if isinstance(provider, str) else None, item.model)
    if isinstance(model, Unknown) or model.geography is None:
        return []
    countries = reference.geography(model.geography)
    if isinstance(countries, Unknown):
        return [LocationView(None, countries, None, None, _POSSIBLE)]
    return [LocationView(None, country, None, None, _POSSIBLE) for country in countries]


def _parties(stated: Maybe[tuple[Party, ...]], reference: ReferenceData) -> tuple[PartyView, ...]:
    given = () if isinstance(stated, Unknown) else stated
    views = [_party(party, index, reference) for index, party in enumerate(given)]
    for view in views:
        if view.role == _END_USER:
            break
    else:
        reason = NO_END_USER
        if isinstance(stated, Unknown) and stated.reason != "not given":
            reason = stated
        views.append(
            PartyView(
                role=_END_USER,
                name=reason,
                kind=reason,
                country=reason,
                subdivision=reason,
                headquarters=reason,
                ultimate_parent=UltimateParentView(reason, reason, reason),
                listings=reason,
                restricted_ownership=reason,
                verified=reason,
                index=len(views),
            )
        )
    return tuple(views)


def _party(party: Party, index: int, reference: ReferenceData) -> PartyView:
    said, read = party.__dict__, reference.country
    where, headquarters, parent = said["country"], said["headquarters"], said["ultimate_parent"]
    name, subdivision = said["name"], said["subdivision"]
    if isinstance(where, str):
        stated, where = where, read(where)
        if where.__class__ is Unknown and (named := reference.country_of_part(stated)) is not None:
            where, subdivision = named
    if isinstance(headquarters, str):
        stated, headquarters = headquarters, read(headquarters)
        if headquarters.__class__ is Unknown and (named := reference.country_of_part(stated)) is not None:
            headquarters = named[0]
            if subdivision is None and isinstance(where, str) and where not in DIVIDED:
                subdivision = named[1]  # it is run from there; where in the country it is otherwise nobody says
    parent_view: Maybe[UltimateParentView]
    if parent is None:
        parent_view = UltimateParentView(name, where, headquarters)
    elif isinstance(parent, Unknown):
        parent_view = parent
    else:
        seat, office = parent.country, parent.headquarters
        parent_view = UltimateParentView(
            parent.name,
            read(seat) if isinstance(seat, str) else seat,
            read(office) if isinstance(office, str) else office,
        )
    owned = said["restricted_ownership"]
    owned_view: Maybe[RestrictedOwnershipView] | None
    if owned is None or isinstance(owned, Unknown):
        owned_view = owned
    else:
        percent = owned.percent
        known = isinstance(percent, int | float) and not isinstance(percent, bool)
        owned_view = RestrictedOwnershipView(
            _list_code(owned.list, reference),
            float(percent) if known else Unknown("not one exact number"),
        )
    listings, answers = said["listings"], said["ownership_answers"]
    if not isinstance(listings, Unknown) and listings:
        listings = tuple([_list_code(x, reference) for x in listings])
    if subdivision is not None or where.__class__ is Unknown or where in DIVIDED:
        subdivision = _part(subdivision, where, reference)
    return PartyView(
        _plain(said["role"]),
        name,
        _plain(said["kind"]),
        where,
        subdivision,
        headquarters,
        parent_view,
        listings,
        owned_view,
        said["verified"],
        {answer.question: answer.owned for answer in answers} if answers else _NOT_ASKED,
        said["id"],
        said["customer"],
        index,
    )


_NOT_ASKED: Mapping[OwnershipQuestion, Maybe[bool]] = MappingProxyType({})

_WHICH_PART = Unknown("which part of the country is not given")


def _part(stated: Maybe[str] | None, country: Maybe[str], reference: ReferenceData) -> Maybe[str] | None:
    """An ISO 3166-2 subdivision as it reads; where none is stated of a divided country, it is unknown, not none."""
    if stated is not None:
        return stated if isinstance(stated, Unknown) else reference.part(stated, country)
    return _WHICH_PART if isinstance(country, Unknown) or country in DIVIDED else None


def _list_code(code: Maybe[str], reference: ReferenceData) -> Maybe[str]:
    """A list that is not known by its code is some list: unknown, never *not the Entity List*."""
    if isinstance(code, Unknown):
        return code
    tidy = code.strip().upper()
    if tidy in reference.list_codes:
        return tidy
    named = list_code(code)
    if named is not None and named in reference.list_codes:
        return named
    # A screening that leaves something open says so here, in words.
    return Unknown(f"`{code}` is not a list code that is known" if " " not in code.strip() else code)


def _distinct(views: list[LocationView]) -> tuple[LocationView, ...]:
    if len(views) == 1:
        return (views[0],)
    seen: dict[object, LocationView] = {}
    for view in views:
        seen.setdefault((view.region, view.country, view.subdivision, view.cloud, view.certainty), view)
    return tuple(seen.values())
