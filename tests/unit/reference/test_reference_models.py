"""Model ids, ARNs and names; where inference may run."""

from __future__ import annotations

import pytest

from exportguard.reference import ModelFact, default
from exportguard.vocabulary.fact import Unknown

REFERENCE = default()
ARN = "arn:aws:bedrock:us-east-1"


@pytest.mark.parametrize(
    ("name", "family", "provider", "country", "weights", "geography"),
    [
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude", "anthropic", "US", "closed", None),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude", "anthropic", "US", "closed", "us"),
        ("us-gov.anthropic.claude-3-haiku-20240307-v1:0", "claude", "anthropic", "US", "closed", "us-gov"),
        ("global.anthropic.claude-opus-4-5-20251101-v1:0", "claude", "anthropic", "US", "closed", "global"),
        ("amazon.nova-pro-v1:0:300k", "nova", "amazon", "US", "closed", None),
        ("ai21.jamba-1-5-large-v1:0", "jamba", "ai21", "IL", "open", None),
        ("deepseek.v3.2", "deepseek", "deepseek", "CN", "open", None),
        ("openai.gpt-oss-120b-1:0", "gpt-oss", "openai", "US", "open", None),
        (f"{ARN}::foundation-model/anthropic.claude-v2", "claude", "anthropic", "US", "closed", None),
        (f"{ARN}:111122223333:inference-profile/us.meta.llama3-1-70b-instruct-v1:0", "llama", "meta", "US",
        "open", "us"),
        (f"{ARN}:111122223333:custom-model/amazon.titan-text-lite-v1:0:4k/abcdefghijkl", "titan", "amazon", "US",
        "closed", None),
        ("gpt-4o", "gpt", "openai", "US", "closed", None), ("gpt-35-turbo", "gpt", "openai", "US", "closed", None),
        ("o1", "gpt", "openai", "US", "closed", None), ("o4-mini", "gpt", "openai", "US", "closed", None),
        ("gpt-5.1", "gpt", "openai", "US", "closed", None), ("gpt-oss-20b", "gpt-oss", "openai", "US", "open", None),
        ("text-embedding-3-large", "text-embedding", "openai", "US", "closed", None),
        ("claude-3-5-sonnet-20241022", "claude", "anthropic", "US", "closed", None),
        ("anthropic/claude-3.5-sonnet", "claude", "anthropic", "US", "closed", None),
        ("azureml://registries/azure-openai/models/gpt-4o/versions/1", "gpt", "openai", "US", "closed", None),
        ("Meta-Llama-3.1-70B-Instruct", "llama", "meta", "US", "open", None),
        ("DeepSeek-R1", "deepseek", "deepseek", "CN", "open", None),
        ("ANTHROPIC.CLAUDE-V2", "claude", "anthropic", "US", "closed", None),
        ("ft:gpt-4o-mini-2024-07-18:org::abc", "gpt", "openai", "US", "closed", None),
        ("claude-mythos-5", "claude", "anthropic", "US", "closed", None),
    ],
)  # fmt: skip
def test_a_model_is_known_by_id_arn_profile_or_name(
    name: str, family: str, provider: str, country: str, weights: str, geography: str | None
) -> None:
    """o-series models count as family `gpt`, so that a rule about gpt cannot miss them."""
    fact = REFERENCE.model(None, name)
    assert isinstance(fact, ModelFact)
    found = (fact.family, fact.provider, fact.provider_country, fact.weights, fact.geography)
    assert found == (family, provider, country, weights, geography)


@pytest.mark.parametrize(
    ("arn", "says"),
    [
        (f"{ARN}:111122223333:application-inference-profile/abc123def456", "GetInferenceProfile"),
        (f"{ARN}:111122223333:provisioned-model/abcdefghijkl", "GetProvisionedModelThroughput"),
        (f"{ARN}:111122223333:imported-model/abcdefghijkl", "GetImportedModel"),
        (f"{ARN}:111122223333:custom-model-deployment/abcdefghijkl", "GetCustomModelDeployment"),
        (f"{ARN}:111122223333:default-prompt-router/meta.llama:1", "GetPromptRouter"),
        (f"{ARN}:111122223333:prompt/ABCDEFGHIJ:1", "GetPrompt"),
        (f"{ARN}:111122223333:custom-model/imported/abcdefghijkl", "GetCustomModel"),
        ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/any", "DescribeEndpoint"),
        (f"{ARN}:111122223333:foundation-model/anthropic.claude-v2", "no account"),
    ],
)
def test_an_opaque_arn_is_unknown_and_says_what_resolves_it(arn: str, says: str) -> None:
    fact = REFERENCE.model("aws", arn)
    assert isinstance(fact, Unknown)
    assert says in fact.reason


@pytest.mark.parametrize(
    "name",
    ["prod", "my-deployment", "gpt-prod", "gpt", "claude", "claude-prod",
     "gpt-4o-prod", "claude-3-prod", "model-router", "o-series", "",
     "x" * 3000, "us.",
     "xx.anthropic.claude-v2", "us.us.anthropic.claude-v2", "сlaude-3-opus", "arn:aws:bedrock", "gpt-4o gpt-oss-20b",
     "llama-prod", "acme/gpt-4o", "azureml://x", "https://example.com/gpt-4o", "amazon.", "o",
     "gpt4all", "claude" + "-1.1" * 300 + "!"],
)  # fmt: skip
def test_free_names_and_unknown_providers_are_unknown(name: str) -> None:
    """A deployment may be called anything: only a name that a family recognises whole is a model."""
    assert isinstance(REFERENCE.model(None, name), Unknown)


def test_an_unknown_model_of_a_known_provider_keeps_the_provider() -> None:
    fact = REFERENCE.model("aws", "anthropic.zephyr-9-v1:0")
    assert isinstance(fact, ModelFact)
    assert (fact.provider, fact.provider_country) == ("anthropic", "US")
    assert isinstance(fact.family, Unknown)
    assert isinstance(fact.weights, Unknown)


def test_weights_are_open_only_where_the_release_is_known() -> None:
    """A later or unnamed release of a family is not assumed to be open."""
    for name in ("mistral-large-2411", "qwen3-max", "llama-9-70b", "kimi-k9", "zai.glm-4.6", "cohere.command-x-v1:0"):
        fact = REFERENCE.model(None, name)
        assert isinstance(fact, ModelFact), name
        assert isinstance(fact.weights, Unknown), name


def test_places_of_processing() -> None:
    """A geography names countries where they are settled; `global` and `apac` stay unknown."""
    assert REFERENCE.geography("us") == ("US",)
    assert set(REFERENCE.geography("eu")) == {"DE", "ES", "FR", "IE", "IT", "SE"}  # type: ignore[arg-type]
    for name in ("global", "apac", "mars"):
        assert isinstance(REFERENCE.geography(name), Unknown)
    processing = {
        "Standard": "region",
        "DataZoneStandard": "data_zone",
        "GlobalBatch": "global",
        "globalstandard": "global",
    }
    for sku, where in processing.items():
        fact = REFERENCE.azure_sku(sku)
        assert not isinstance(fact, Unknown)
        assert fact.processing == where
    assert isinstance(REFERENCE.azure_sku("S0"), Unknown)
