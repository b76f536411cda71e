"""Model ids, ARNs and names to provider, family and weights.

Read are: Bedrock ids (`provider.model[:context]`), inference profiles (`geo.provider.model`, geo from a closed list),
their ARNs, names with a provider in front (`anthropic/claude-…`, `azureml://registries/…`), and bare names that a
family recognises whole. An ARN whose id is opaque is Unknown, with the call that resolves it. A known provider of a
model that is not known gives the provider alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from exportguard.reference.facts import ModelFact
from exportguard.vocabulary.fact import Maybe, Unknown

_ARN = re.compile(
    r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d{12}|aws|)?:(?P<rest>.+)"
)
_OPAQUE = {
    "application-inference-profile": "GetInferenceProfile names its model",
    "provisioned-model": "GetProvisionedModelThroughput names its model",
    "custom-model-deployment": "GetCustomModelDeployment names its model",
    "imported-model": "an imported model may be of any weights; GetImportedModel describes it",
    "prompt-router": "GetPromptRouter names its models",
    "default-prompt-router": "GetPromptRouter names its models",
    "prompt": "GetPrompt names its model",
    "endpoint": "a SageMaker or Marketplace endpoint; DescribeEndpoint leads to its model",
    "marketplace-model-endpoint": "GetMarketplaceModelEndpoint names its model",
    "model-package": "DescribeModelPackage describes it",
    "hub-content": "DescribeHubContent describes it",
}
_AZUREML = re.compile(r"azureml://registries/(?P<registry>[^/]+)/models/(?P<name>[^/]+)(?:/(?:versions|labels)/[^/]+)?")
_FINE_TUNED = re.compile(r"ft:(?P<base>[^:]+):.*")
_ROUTES = frozenset(
    {"bedrock", "azure", "azure_ai", "vertex_ai", "openrouter", "litellm", "models", "converse", "invoke"}
)
MAX_NAME = 2048


class Models:
    """Look-ups over `models.yaml` and the geographies of `processing.yaml`."""

    def __init__(self, table: Mapping[str, Any], geographies: frozenset[str]) -> None:
        self._confidence = table["confidence"]
        self._source = table["source"]
        self._geographies = geographies
        self._countries: dict[str, str | None] = {row["id"]: row.get("country") for row in table["providers"]}
        self._prefixes = {prefix: row["id"] for row in table["providers"] for prefix in row["prefixes"]}
        self._families = [_Family(row) for row in table["families"]]
        self._seen: dict[str, ModelFact | Unknown] = {}

    @property
    def families(self) -> frozenset[str]:
        return frozenset(f.name for f in self._families)

    @property
    def providers(self) -> frozenset[str]:
        return frozenset(self._countries)

    def find(self, name: str) -> ModelFact | Unknown:
        found = self._seen.get(name)
        if found is None:
            found = self._read(name)
            if len(self._seen) < 4096:  # bounded: names come from requests
                self._seen[name] = found
        return found

    def _read(self, name: str) -> ModelFact | Unknown:
        shown = name.strip()
        text = shown.lower()
        if not text or len(text) > MAX_NAME or not text.isascii():
            return Unknown("the model name is not one that a provider would take")
        if text.startswith("arn:"):
            return self._arn(text)
        if text.startswith("azureml:"):
            match = _AZUREML.fullmatch(text)
            if match is None:
                return Unknown(f"model asset `{shown[:120]}` is not of a registry that is read here")
            return self._under(match["registry"], match["name"]) or self._bare(match["name"])
        if (tuned := _FINE_TUNED.fullmatch(text)) is not None:
            return self._bare(tuned["base"])
        if "/" in text:
            return self._path(text)
        return self._dotted(text) or self._bare(text)

    def _arn(self, text: str) -> ModelFact | Unknown:
        match = _ARN.fullmatch(text)
        if match is None:
            return Unknown("the ARN cannot be read")
        kind, slash, rest = match["rest"].partition("/")
        account = match["account"] or ""
        if not slash:
            return Unknown(f"the ARN names no model: `{kind[:60]}`")
        if match["service"] == "bedrock" and kind == "foundation-model":
            if account:
                return Unknown("a foundation model has no account in its ARN: this one cannot be read")
            return self._dotted(rest) or Unknown(f"foundation model `{rest[:120]}` is not known")
        if match["service"] == "bedrock" and kind == "inference-profile" and "." in rest:
            return self._dotted(rest) or Unknown(f"inference profile `{rest[:120]}` is not known")
        if match["service"] == "bedrock" and kind == "custom-model":
            base, _, _ = rest.partition("/")
            if base != "imported" and "." in base:
                return self._dotted(base) or Unknown(f"custom model of `{base[:120]}`")
            return Unknown("an imported or custom model may be of any weights; GetCustomModel describes it")
        return Unknown(f"`{kind}` is opaque: {_OPAQUE.get(kind, 'what model is behind it has to be looked up')}")

    def _dotted(self, text: str) -> ModelFact | None:
        """`[geo.]provider.model[:context]`; the geography is looked for first, in a closed list."""
        geography: str | None = None
        head, dot, rest = text.partition(".")
        if dot and head in self._geographies and rest.partition(".")[0] in self._prefixes:
            geography, text = head, rest
            head, dot, rest = text.partition(".")
        if not dot or head not in self._prefixes or not rest:
            return None
        return self._under(head, rest, id_=text, geography=geography)

    def _path(self, text: str) -> ModelFact | Unknown:
        *heads, last = text.split("/")
        heads = [head for head in heads if head not in _ROUTES]
        if len(heads) == 1 and (known := self._under(heads[0], last)) is not None:
            return known
        if not heads:
            return self._dotted(last) or self._bare(last)
        return Unknown(f"model `{text[:120]}` is not in the reference data")

    def _under(
        self, prefix: str, rest: str, *, id_: str | None = None, geography: str | None = None
    ) -> ModelFact | None:
        provider = self._prefixes.get(prefix)
        if provider is None:
            return None
        for family in self._families:
            if family.provider == provider and family.begins(rest):
                return self._fact(id_ or rest, provider, family, rest, geography)
        why = Unknown(f"`{rest[:120]}` of {provider} is not in the reference data")
        return ModelFact(
            id_ or rest, why, provider, self._country(provider), why, geography, self._confidence, self._source
        )

    def _bare(self, text: str) -> ModelFact | Unknown:
        for family in self._families:
            if family.recognises(text):
                return self._fact(text, family.provider, family, text, None)
        return Unknown(f"model `{text[:120]}` is not in the reference data")

    def _fact(self, id_: str, provider: str, family: _Family, name: str, geography: str | None) -> ModelFact:
        return ModelFact(
            id_,
            family.name,
            provider,
            self._country(provider),
            family.weights(name),
            geography,
            self._confidence,
            self._source,
        )

    def _country(self, provider: str) -> Maybe[str]:
        return self._countries[provider] or Unknown(f"the headquarters of {provider} is not settled")


class _Family:
    """One row of `families`. Patterns are compiled when first asked: most processes name one model or two."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.name: str = row["family"]
        self.provider: str = row["provider"]
        self._row = row
        self._weights: str | None = row.get("weights")

    @cached_property
    def _under(self) -> re.Pattern[str]:
        return re.compile(self._row["under"])

    @cached_property
    def _name(self) -> re.Pattern[str] | None:
        return re.compile(self._row["name"]) if "name" in self._row else None

    @cached_property
    def _by_name(self) -> list[tuple[re.Pattern[str], str | None]]:
        return [(re.compile(r["name"]), r.get("weights")) for r in self._row.get("weights_by", ())]

    def begins(self, text: str) -> bool:
        return self._under.match(text) is not None

    def recognises(self, text: str) -> bool:
        return self._name is not None and self._name.fullmatch(text) is not None

    def weights(self, name: str) -> Maybe[str]:
        unknown = Unknown(f"whether the weights of `{name[:120]}` are published is not known")
        for pattern, weights in self._by_name:
            if pattern.fullmatch(name):
                return weights or unknown
        return self._weights or unknown
