"""Microsoft.CognitiveServices: accounts that models are deployed in, and the deployments.

Paths: azure-mgmt-cognitiveservices 14.1. A deployment's SKU says where it is processed; its capacity is a rate,
not an amount of tokens.
"""

from __future__ import annotations

from exportguard.adapters.azure.operations.reading import (
    MODEL,
    Call,
    Items,
    Table,
    always,
    any_text,
    as_it_is,
    first_of,
    model,
    row,
    text,
    unknown,
)
from exportguard.adapters.azure.places import locations_of, model_places
from exportguard.adapters.azure.tree import walk
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.request import Action, Location

_NO_MODEL_KINDS = words(
    """anomalydetector cognitiveservices bing.autosuggest.v7 bing.customsearch bing.search.v7 bing.speech
    bing.spellcheck.v7
    computervision contentmoderator contentsafety conversationallanguageunderstanding customvision.prediction
    customvision.training emotion face formrecognizer healthdecisionsupport healthinsights immersivereader luis
    luis.authoring metricsadvisor personalizer qnamaker qnamaker.v2 speaker speakerrecognition speech speechservices
    speechtranslation textanalytics texttranslation bing.entitysearch bing.entitysearch.v7 bing.customimagesearch
    bing.visualsearch videoindexer weblm academic recommendations luis.prediction"""
)
"""Account kinds that offer ready-made services and take no model deployments (kinds of the accounts REST reference).
`CognitiveServices` is the older multi-service kind; OpenAI and Foundry models need `OpenAI` or `AIServices`."""


def _deployment(call: Call) -> Items:
    found = [
        model(text(value, where), where, _label(call)) for where, value in walk(call.body, "properties.model.name")
    ]
    if not found and any(True for _ in walk(call.body, "properties.model")):
        return [model(Unknown("`properties.model` names no model"), "properties.model", _label(call))]
    return found or None


def _label(call: Call) -> str | None:
    names = call.address.names
    return f"deployment `{names[-1]}`"[:2000] if names else None


def _deployment_put(call: Call) -> Items:
    return _deployment(call) or [model(Unknown("the deployment names no model"), None, _label(call))]


def _deployment_patch(call: Call) -> Items:
    found = _deployment(call)
    if found is not None:
        return found
    if not any(True for path in ("sku", "properties") for _ in walk(call.body, path)):
        return None
    current = call.known()
    known = None
    if not isinstance(current, Unknown):
        known = _deployment(Call(call.method, call.address, current))
    why = current.reason if isinstance(current, Unknown) else "the deployment does not say"
    return known or [model(Unknown(f"the update does not name the model: {why}"[:2000]), None, _label(call))]


def _account(call: Call) -> Items:
    kinds = any_text(call.body, "kind")
    if kinds and all(isinstance(kind, str) and kind.lower() in _NO_MODEL_KINDS for kind in kinds):
        return None
    said = ", ".join(kind for kind in kinds if isinstance(kind, str)) or "not given"
    return [unknown(f"any model can be deployed in an account of kind {said}", kind=MODEL)]


def _account_patch(call: Call) -> Items:
    return _account(call) if any(True for _ in walk(call.body, "kind")) else None


def _plan_patch(call: Call) -> Items:
    touched = any(True for path in ("sku", "properties") for _ in walk(call.body, path))
    return [unknown("a commitment to models", kind=MODEL)] if touched else None


def _account_places(call: Call) -> tuple[Location, ...]:
    return locations_of(call, "properties.locations.regions[].name", "properties.locations.regions[].location")


_cs = "microsoft.cognitiveservices/"
TABLE: Table = {
    _cs + "accounts": {
        "put": row("Accounts_Create", Action.SUBSCRIBE, _account, places=_account_places),
        "patch": row("Accounts_Update", Action.SUBSCRIBE, _account_patch, places=_account_places),
    },
    _cs + "accounts/deployments": {
        "put": row("Deployments_CreateOrUpdate", Action.PROVISION, _deployment_put, places=model_places),
        "patch": row("Deployments_Update", Action.SCALE, _deployment_patch, places=model_places),
        "post:resume": row(
            "Deployments_Resume", Action.START, first_of(as_it_is(_deployment_put)), places=model_places
        ),
    },
    _cs + "accounts/commitmentplans": {
        "put": row("CommitmentPlans_CreateOrUpdate", Action.PURCHASE, always("a commitment to models", MODEL)),
    },
    _cs + "commitmentplans": {
        "put": row("CommitmentPlans_CreateOrUpdatePlan", Action.PURCHASE, always("a commitment to models", MODEL)),
        "patch": row("CommitmentPlans_UpdatePlan", Action.PURCHASE, _plan_patch),
    },
}
