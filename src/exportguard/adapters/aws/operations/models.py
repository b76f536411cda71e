"""How a parameter names a model: an id, a profile with a geography, an ARN, or something opaque that hides it."""

from __future__ import annotations

import re
from typing import Any

from exportguard.adapters.aws.call import Call, OneOf, get, text
from exportguard.vocabulary import NOT_GIVEN, Certainty, Location, Maybe, Unknown

_ARN = re.compile(
    r"arn:(?P<partition>[^:]+):(?P<service>[^:]+):(?P<region>[^:]*):(?P<account>[^:]*):(?P<rest>.+)", re.S
)
_NAME = re.compile(r"\s*[\w.:/+@-]+\s*", re.ASCII)
"""What a model's id or ARN is made of. A name of more is none that a service takes: its beginning says nothing."""
_GEOGRAPHIES: dict[str, tuple[Location, ...]] = {
    geography: tuple(Location(region=None, country=country, certainty=Certainty.POSSIBLE) for country in countries)
    for geography, countries in {
        "us": ("US",),
        "us-gov": ("US",),
        "jp": ("JP",),
        "au": ("AU",),
        "ca": ("CA",),
        "in": ("IN",),
    }.items()
} | {
    "eu": tuple(
        Location(region=region, certainty=Certainty.POSSIBLE)
        for region in ("eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3")
    ),
    **{
        geography: (
            Location(
                region=Unknown(f"a `{geography}.` inference profile picks the region itself"),
                certainty=Certainty.POSSIBLE,
            ),
        )
        for geography in ("apac", "global")
    },
}
"""Where a cross-region inference profile may process (Bedrock user guide, "Supported regions and models for inference
profiles": `us`, `eu`, `jp`, `au` … stay in their geography; what `apac` and `global` span differs by model)."""


def named_model(call: Call, value: Any, where: str, *, tokens: Maybe[int] = NOT_GIVEN) -> None:
    """Add the model that *value* names, and the places that a profile may send the request to."""
    if isinstance(value, OneOf):
        for each in value.values:
            named_model(call, each, where, tokens=tokens)
        return
    name = text(value, where)
    if not isinstance(name, Unknown) and _NAME.fullmatch(name) is None:
        name = Unknown(f"{where} is not written as a model's name is")
    if isinstance(name, Unknown):
        call.model(name, tokens, where=where)
        return
    _add(call, name, where, tokens, hops=3)


def _add(call: Call, name: str, where: str, tokens: Maybe[int], hops: int, label: str | None = None) -> None:
    arn = _ARN.fullmatch(name.strip())
    if arn is None:
        geography(call, name)
        call.model(name, tokens, where=where, name=label)
        return
    label = label or name
    kind, _, rest = arn["rest"].partition("/")
    if arn["service"] == "bedrock":
        if kind == "foundation-model" and rest:
            call.model(rest, tokens, where=where, name=label)
            return
        if kind == "inference-profile" and rest:
            geography(call, rest)
            call.model(rest, tokens, where=where, name=label)
            return
        base = rest.partition("/")[0]
        if kind == "custom-model" and "." in base:
            call.model(base, tokens, where=where, name=label)
            return
        found = behind(call, kind, name.strip()) if hops else Unknown("it leads in circles")
        if isinstance(found, list) and found:
            once = {str(model).rpartition("/")[2]: model for model in found}  # a model in several regions is one
            for model in once.values():
                if isinstance(model, str) and model:
                    _add(call, model, where, tokens, hops - 1, label)
                else:
                    call.model(Unknown(f"{kind} not resolved"), tokens, where=where, name=label)
            return
        why = found.reason if isinstance(found, Unknown) else "it names no model"
        call.model(Unknown(f"{kind} {rest[:100]} not resolved: {why}"), tokens, where=where, name=label)
        return
    if arn["service"] == "sagemaker":
        call.model(hub_model(name) or Unknown(f"what {kind} {rest[:100]} serves is not known"), tokens, where=where,
                   name=label)  # fmt: skip
        return
    call.model(name, tokens, where=where, name=label)


_TASK = re.compile(
    r"^[a-z0-9]+-(textgeneration[a-z0-9]*|text2text|llm|vlm|reasoning|textembedding|sentencesimilarity|txt2img)-", re.I
)
"""What the public hub puts before a model's name: who published it and its task (`meta-textgeneration-…`)."""


def hub_model(arn: Any) -> str | None:
    """`meta-textgeneration-llama-3-8b` of `arn:…:sagemaker:…:hub-content/SageMakerPublicHub/Model/NAME/1.0`."""
    match = re.search(r":hub-content/[^/]+/(?:Model|ModelReference)/([^/]+)", arn) if isinstance(arn, str) else None
    return jumpstart_model(match[1]) or match[1] if match else None


def jumpstart_model(name: str) -> str | None:
    """A model of the hub without publisher and task (`llama-3-8b`); None for what is not named so."""
    found = _TASK.match(name)
    return name[found.end() :] or None if found else None


def geography(call: Call, name: str) -> None:
    """The places that a profile's prefix allows, matched against the closed list of geographies."""
    prefix, dot, rest = name.strip().lower().partition(".")
    if dot and "." in rest:
        for location in _GEOGRAPHIES.get(prefix, ()):
            call.place(location)


def behind(call: Call, kind: str, arn: str) -> list[Any] | Unknown:
    """The models behind an opaque Bedrock resource, or why nobody knows."""
    if kind == "application-inference-profile":
        answer = call.ask("bedrock", "GetInferenceProfile", inferenceProfileIdentifier=arn)
        if isinstance(answer, Unknown):
            return answer
        arns = [get(model, "modelArn") for model in get(answer, "models") or ()]
        for found in arns:
            region = found.split(":")[3] if isinstance(found, str) and found.count(":") >= 5 else ""
            if region:
                call.place(Location(region=region, certainty=Certainty.POSSIBLE))
        return list(dict.fromkeys(arns))
    if kind == "provisioned-model":
        answer = call.ask("bedrock", "GetProvisionedModelThroughput", provisionedModelId=arn)
        return _one(answer, "modelArn", "foundationModelArn", "desiredModelArn")
    if kind == "custom-model-deployment":
        return _one(call.ask("bedrock", "GetCustomModelDeployment", customModelDeploymentIdentifier=arn), "modelArn")
    if kind == "custom-model":
        return _one(call.ask("bedrock", "GetCustomModel", modelIdentifier=arn), "baseModelArn")
    if kind in ("prompt-router", "default-prompt-router"):
        answer = call.ask("bedrock", "GetPromptRouter", promptRouterArn=arn)
        if isinstance(answer, Unknown):
            return answer
        arns = [get(model, "modelArn") for model in get(answer, "models") or ()]
        return [*arns, get(get(answer, "fallbackModel"), "modelArn")] if arns else []
    if kind == "prompt":
        answer = call.ask("bedrock-agent", "GetPrompt", **_prompt(arn))
        if isinstance(answer, Unknown):
            return answer
        return [get(variant, "modelId") for variant in get(answer, "variants") or ()]
    return Unknown(f"what a {kind[:50]} serves is not readable")


def _prompt(arn: str) -> dict[str, Any]:
    ident, colon, version = arn.rpartition("/")[2].partition(":")
    return {"promptIdentifier": ident, **({"promptVersion": version} if colon else {})}


def _one(answer: Any, *keys: str) -> list[Any] | Unknown:
    if isinstance(answer, Unknown):
        return answer
    return list(dict.fromkeys(v for key in keys if (v := get(answer, key)) is not None))
