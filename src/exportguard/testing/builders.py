"""Requests in a line, for tests: everything that is not said is known and harmless, unless it is `UNKNOWN`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.vocabulary import Item, ItemKind, Location, Party, ProvisioningRequest, Role, Transfer, Unknown

UNKNOWN = Unknown("unknown in this test")
"""A fact that this test says nobody knows."""


def request(
    *,
    accelerator: str | Unknown | None = None,
    instance_type: str | Unknown | None = None,
    model: str | Unknown | None = None,
    count: int = 1,
    tokens: int | Unknown = UNKNOWN,
    end_user: str | Mapping[str, Any] | Party | Unknown = UNKNOWN,
    purchaser: str | Mapping[str, Any] | Party | None = None,
    region: str | Unknown | None = None,
    country: str | Unknown = "US",
    provider: str = "aws",
    **more: Any,
) -> ProvisioningRequest:
    """Build a request.

    Args:
        accelerator, instance_type, model: what is asked for; `UNKNOWN` for one that nobody could name.
        count: accelerators, or instances of *instance_type*.
        tokens: for a model.
        end_user: a country code (a party that is in, headquartered in and run from there, on no list), a party, its
            fields as a mapping (what is left out is unknown), or `UNKNOWN`.
        purchaser: the same, in the role of a reseller.
        region: the provider's name of it; or *country*, where the item stands.
        **more: any other field of `ProvisioningRequest`.
    """
    items = []
    if accelerator is not None:
        items.append(Item(kind=ItemKind.ACCELERATOR, accelerator=accelerator, count=count))
    if instance_type is not None:
        items.append(Item(kind=ItemKind.ACCELERATOR, instance_type=instance_type, instances=count))
    if model is not None:
        items.append(Item(kind=ItemKind.MODEL, model=model, tokens=tokens))
    parties = [_party(Role.END_USER, end_user)]
    if purchaser is not None:
        parties.append(_party(Role.PURCHASER, purchaser))
    place = Location(region=region) if region is not None else Location(country=country)
    fields: dict[str, Any] = {
        "provider": provider,
        "locations": (place,),
        "items": tuple(items),
        "parties": tuple(parties),
        "transfer": Transfer.REMOTE_ACCESS,
        **more,
    }
    return ProvisioningRequest(**fields)


def _party(role: Role, given: str | Mapping[str, Any] | Party | Unknown) -> Party:
    if isinstance(given, Party):
        return given.model_copy(update={"role": role})
    if isinstance(given, Unknown):
        return Party(role=role)
    if isinstance(given, Mapping):
        return Party.model_validate({"role": role, **given})
    return Party(
        role=role,
        name=f"a party in {given}",
        country=given,
        headquarters=given,
        ultimate_parent=None,
        owners=(),
        listings=(),
        verified=True,
    )
