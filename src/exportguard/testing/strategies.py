"""Hypothesis strategies: requests, parties, items, places and call documents, known and unknown facts mixed.

Names are those that reference data knows, so that rules and requests meet; `unknowns=False` leaves unknown facts out.
Needs hypothesis, which exportguard does not install.
"""

from __future__ import annotations

from typing import Any, TypeVar

from exportguard.errors import ConfigurationError
from exportguard.testing.builders import UNKNOWN
from exportguard.vocabulary import (
    AnthropicCall,
    AzureCall,
    Boto3Call,
    Item,
    Location,
    OpenAICall,
    Party,
    ProvisioningRequest,
    SdkCall,
    UltimateParent,
)

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ModuleNotFoundError as error:  # pragma: no cover
    raise ConfigurationError("hypothesis is not installed", remedy="pip install hypothesis") from error

T = TypeVar("T")

COUNTRIES = ("AE", "CH", "CN", "DE", "HK", "IN", "IR", "JP", "KR", "MO", "RU", "SA", "SG", "TW", "US", "VN")
INSTANCES = ("t3.micro", "m5.large", "g4dn.xlarge", "g5.12xlarge", "p3.2xlarge", "p4d.24xlarge", "p5.48xlarge")
SIZES = ("Standard_D2s_v5", "Standard_NC24ads_A100_v4", "Standard_ND96asr_v4", "Standard_ND96isr_H100_v5")
CHIPS = ("A100", "H100", "H20", "L4", "T4", "V100")
REGIONS = ("us-east-1", "eu-central-1", "ap-east-1", "ap-southeast-1", "cn-north-1", "me-central-1")
AZURE_REGIONS = ("eastus", "westeurope", "eastasia", "southeastasia", "uaenorth")
MODELS = (
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "us.anthropic.claude-3-5-sonnet-20240620-v1:0",
    "amazon.titan-text-express-v1",
    "meta.llama3-70b-instruct-v1:0",
    "gpt-4o",
)
LISTS = ("EL", "MEU", "SDN", "UVL")


def _maybe(values: SearchStrategy[Any], unknowns: bool) -> SearchStrategy[Any]:
    return st.one_of(values, values, values, st.just(UNKNOWN)) if unknowns else values


def countries() -> SearchStrategy[str]:
    """Alpha-2 codes on both sides of the groups that rules ask about."""
    return st.sampled_from(COUNTRIES)


def parties(*, role: str | None = None, unknowns: bool = True) -> SearchStrategy[Party]:
    """Parties in *role* (None: in any), with and without an ultimate parent and listings."""
    parent = st.builds(
        UltimateParent,
        name=st.just("Parent"),
        country=_maybe(countries(), unknowns),
        headquarters=_maybe(countries(), unknowns),
    )
    parents = st.one_of(st.none(), parent, st.just(UNKNOWN)) if unknowns else st.one_of(st.none(), parent)
    roles = st.sampled_from(["end_user", "purchaser", "intermediate_consignee", "ultimate_consignee"])
    return st.builds(
        Party,
        role=st.just(role) if role is not None else roles,
        name=_maybe(st.sampled_from(["Example Institute", "Another Company", "A Reseller"]), unknowns),
        country=_maybe(countries(), unknowns),
        headquarters=_maybe(countries(), unknowns),
        ultimate_parent=parents,
        owners=_maybe(st.just(()), unknowns),
        listings=_maybe(st.lists(st.sampled_from(LISTS), max_size=2, unique=True).map(tuple), unknowns),
        verified=_maybe(st.booleans(), unknowns),
    )


def items(*, unknowns: bool = True) -> SearchStrategy[Item]:
    """Accelerator and model items; with *unknowns*, also such as nobody could name."""
    kinds: list[SearchStrategy[Item]] = [
        st.builds(
            Item,
            kind=st.just("accelerator"),
            instance_type=_maybe(st.sampled_from(INSTANCES), unknowns),
            instances=_maybe(st.integers(1, 64), unknowns),
        ),
        st.builds(
            Item,
            kind=st.just("accelerator"),
            accelerator=_maybe(st.sampled_from(CHIPS), unknowns),
            count=_maybe(st.integers(1, 512), unknowns),
        ),
        st.builds(
            Item,
            kind=st.just("model"),
            model=_maybe(st.sampled_from(MODELS), unknowns),
            tokens=_maybe(st.integers(1, 10**9), unknowns),
        ),
    ]
    if unknowns:
        kinds.append(st.just(Item(kind=UNKNOWN)))
    return st.one_of(kinds)


def locations(*, unknowns: bool = True) -> SearchStrategy[Location]:
    """Places by region, or by country where there is no region; some only possible."""
    return st.one_of(
        st.builds(Location, region=_maybe(st.sampled_from(REGIONS), unknowns)),
        st.builds(
            Location,
            region=st.none(),
            country=_maybe(countries(), unknowns),
            certainty=st.sampled_from(["declared", "declared", "possible"]),
        ),
    )


def requests(*, unknowns: bool = True, most: int = 3) -> SearchStrategy[ProvisioningRequest]:
    """Whole requests of up to *most* items, parties and places; without *unknowns*, of one at least of each."""

    def several(values: SearchStrategy[T]) -> SearchStrategy[Any]:
        return _maybe(st.lists(values, min_size=0 if unknowns else 1, max_size=most).map(tuple), unknowns)

    return st.builds(
        ProvisioningRequest,
        provider=st.just("aws"),
        service=st.just("ec2"),
        operation=_maybe(st.just("RunInstances"), unknowns),
        account=_maybe(st.sampled_from(["111122223333", "222233334444"]), unknowns),
        items=several(items(unknowns=unknowns)),
        parties=several(parties(unknowns=unknowns)),
        locations=several(locations(unknowns=unknowns)),
        end_use=_maybe(st.sampled_from(["ai_training", "inference", "research"]), unknowns),
        transfer=_maybe(st.sampled_from(["remote_access", "export"]), unknowns),
    )


def boto3_calls(*, customers: tuple[str, ...] = ()) -> SearchStrategy[Boto3Call]:
    """Calls of EC2 and Bedrock as boto3 sends them; with *customers*, some for one of these."""
    who = st.sampled_from([None, *customers])
    run = st.builds(
        lambda kind, count, region, customer: Boto3Call(
            sdk="boto3", service="ec2", operation="RunInstances", region=region, customer=customer,
            parameters={"InstanceType": kind, "MinCount": 1, "MaxCount": count},
        ),
        st.sampled_from(INSTANCES), st.integers(1, 32), st.sampled_from(REGIONS), who,
    )  # fmt: skip
    invoke = st.builds(
        lambda model, region, customer: Boto3Call(
            sdk="boto3", service="bedrock-runtime", operation="InvokeModel", region=region, customer=customer,
            parameters={"modelId": model, "body": "{}"},
        ),
        st.sampled_from(MODELS), st.sampled_from(REGIONS), who,
    )  # fmt: skip
    look = st.builds(
        lambda region: Boto3Call(sdk="boto3", service="ec2", operation="DescribeInstances", region=region),
        st.sampled_from(REGIONS),
    )
    return st.one_of(run, invoke, look)


def azure_calls(*, customers: tuple[str, ...] = ()) -> SearchStrategy[AzureCall]:
    """Virtual machines as the Azure SDKs put them."""
    where = "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers"
    url = f"{where}/Microsoft.Compute/virtualMachines/vm?api-version=2024-07-01"

    def made(size: str, region: str, customer: str | None) -> AzureCall:
        body = {"location": region, "properties": {"hardwareProfile": {"vmSize": size}}}
        return AzureCall(sdk="azure", method="PUT", url=url, body=body, customer=customer)

    who = st.sampled_from([None, *customers])
    return st.builds(made, st.sampled_from(SIZES), st.sampled_from(AZURE_REGIONS), who)


def openai_calls(*, customers: tuple[str, ...] = ()) -> SearchStrategy[OpenAICall]:
    """Chat completions, at OpenAI and at an Azure endpoint."""

    def made(model: str, base: str, tokens: int, customer: str | None) -> OpenAICall:
        body = {"model": model, "max_tokens": tokens, "messages": []}
        return OpenAICall(sdk="openai", base_url=base, path="/chat/completions", body=body, customer=customer)

    bases = st.sampled_from(["https://api.openai.com/v1/", "https://example.openai.azure.com/openai/"])
    models = st.sampled_from(["gpt-4o", "gpt-4o-mini", "chat-prod"])
    return st.builds(made, models, bases, st.integers(1, 100_000), st.sampled_from([None, *customers]))


def anthropic_calls(*, customers: tuple[str, ...] = ()) -> SearchStrategy[AnthropicCall]:
    """Messages, to Anthropic itself and to Bedrock."""

    def made(model: str, region: str | None, tokens: int, customer: str | None) -> AnthropicCall:
        body = {"model": model, "max_tokens": tokens, "messages": []}
        return AnthropicCall(sdk="anthropic", region=region, body=body, customer=customer)

    models = st.sampled_from(["claude-opus-4-1", "anthropic.claude-3-5-sonnet-20241022-v2:0"])
    return st.builds(made, models, st.sampled_from([None, *REGIONS]), st.integers(1, 100_000),
                     st.sampled_from([None, *customers]))  # fmt: skip


def call_documents(*, customers: tuple[str, ...] = ()) -> SearchStrategy[SdkCall]:
    """Calls of every SDK."""
    return st.one_of(
        boto3_calls(customers=customers), azure_calls(customers=customers), openai_calls(customers=customers),
        anthropic_calls(customers=customers),
    )  # fmt: skip
