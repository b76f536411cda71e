"""Where it will be: the body's location, the path's, the parent's as looked up, or unknown."""

from __future__ import annotations

from functools import lru_cache

from exportguard.adapters.azure import hosts
from exportguard.adapters.azure.operations.reading import Call, text
from exportguard.adapters.azure.tree import Tree, walk
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.request import Certainty, Location

_SKU_PLACES = ("global", "datazone", "developer")
"""Deployment SKUs that process elsewhere than in the account's region (Azure OpenAI deployment types)."""


@lru_cache(maxsize=1024)
def place(region: Maybe[str], cloud: str | None, certainty: Certainty = Certainty.DECLARED) -> Location:
    """One location; equal ones are one object.

    A sovereign cloud lies in one country: that is known without a region, and a region of another cloud does not change
    it (both countries are then asked about).
    """
    country = hosts.COUNTRIES.get(cloud or "")
    if country is not None and certainty is Certainty.DECLARED:
        known = NOT_GIVEN if isinstance(region, Unknown) else region
        return Location(region=known, country=country, cloud=cloud, certainty=certainty)
    return Location(region=region, cloud=cloud, certainty=certainty)


def locations_of(call: Call, *more: str) -> tuple[Location, ...]:
    """The declared locations of *call*; *more* are further paths in the body that name some."""
    cloud, body = call.address.cloud, call.body
    if not more and type(body) is dict and "extendedlocation" not in body:
        said = body.get("location")
        if type(said) is str and len(said) < 100:
            return _said(said, cloud)  # nearly every call
    found: dict[str | Unknown, None] = {}
    for path in ("location", *more):
        for where, value in walk(call.body, path):
            found[text(value, where)] = None
    for where, value in walk(call.body, "extendedLocation"):
        for name_at, name in walk(value, "name"):
            found[text(name, f"{where}.{name_at}")] = None
    if not found:
        found[_elsewhere(call)] = None
    return tuple(place(region, cloud) for region in found)


@lru_cache(maxsize=1024)
def _said(location: str, cloud: str | None) -> tuple[Location, ...]:
    return (place(text(location, "location"), cloud),)


def _elsewhere(call: Call) -> Maybe[str]:
    if call.address.location is not None:
        return text(call.address.location, "the path")
    declared: dict[str, Tree] = call.context or {}
    for kind, _ in ((call.address.type, ""), *call.address.parents):
        if kind in declared:
            return text(declared[kind], "location of the parent")
    why = "the call names no location"
    if call.resolver is None:
        return Unknown(why)
    for ident in (None, *(parent for _, parent in call.address.parents)):
        region = call.location(ident)
        if isinstance(region, str):
            return region
        why = f"the call names no location: {region.reason}"
    return Unknown(why[:2000])


def model_places(call: Call) -> tuple[Location, ...]:
    """Of a model deployment: `Global*` and `DataZone*` SKUs may process in other regions than the account's."""
    declared = locations_of(call)
    skus = [text(value, where) for where, value in walk(call.body, "sku.name")]
    return declared + tuple(
        place(Unknown(why), call.address.cloud, Certainty.POSSIBLE) for why in map(elsewhere_by_sku, skus) if why
    )


def elsewhere_by_sku(sku: Maybe[str]) -> str | None:
    """Why a deployment of this SKU may be processed in another place than its account's region, if it may."""
    if isinstance(sku, Unknown):
        return "the SKU is not known, so neither is where it is processed"
    if sku.lower().replace("_", "").startswith(_SKU_PLACES):
        return f"SKU `{sku}` processes in more places than the account's region"[:2000]
    return None
