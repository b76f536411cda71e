"""Requests in a line, for tests: everything that is not said is known and harmless, unless it is `UNKNOWN`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.vocabulary import (
    AnthropicCall,
    Boto3Call,
    Item,
    ItemKind,
    Location,
    OpenAICall,
    Party,
    ProvisioningRequest,
    Role,
    Transfer,
    Unknown,
)

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


def party(country: str | Unknown = UNKNOWN, *, role: str = "end_user", **fields: Any) -> Party:
    """A party in, headquartered in and run from *country*, on no list, owned by nobody; *fields* say otherwise."""
    known = _party(Role(role), country)
    return Party.model_validate({**{name: getattr(known, name) for name in known.model_fields_set}, **fields})


def boto3_call(
    service: str, operation: str, *, region: str = "us-east-1", customer: str | None = None, **parameters: Any
) -> Boto3Call:
    """A boto3 call as a document: `boto3_call("ec2", "RunInstances", InstanceType="p5.48xlarge", MinCount=1, …)`."""
    return Boto3Call(
        sdk="boto3", service=service, operation=operation, region=region, customer=customer, parameters=parameters
    )


def openai_call(
    model: str,
    *,
    base_url: str = "https://api.openai.com/v1/",
    path: str = "/chat/completions",
    customer: str | None = None,
    **body: Any,
) -> OpenAICall:
    """A call of an openai client as a document; on an Azure endpoint, *model* is the name of a deployment."""
    return OpenAICall(sdk="openai", base_url=base_url, path=path, customer=customer, body={"model": model, **body})


def anthropic_call(
    model: str,
    *,
    region: str | None = None,
    base_url: str | None = None,
    path: str = "/v1/messages",
    customer: str | None = None,
    **body: Any,
) -> AnthropicCall:
    """A call of an anthropic client as a document; *region*: the client is `AnthropicBedrock` there."""
    sent = {"model": model, **body}
    return AnthropicCall(sdk="anthropic", base_url=base_url, path=path, region=region, customer=customer, body=sent)


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
