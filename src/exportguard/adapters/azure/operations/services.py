"""Services that are about something else, yet call a model or make machines where a definition or a query says so.

Azure AI Search (skillsets, vectorizers, knowledge bases), Kusto (its plugins that ask models), Synapse (pipelines,
linked services), Translator (targets that a deployment translates). Names: the services' REST references.
"""

from __future__ import annotations

import re
from typing import Final

from exportguard.adapters.azure.lookthrough import look_through
from exportguard.adapters.azure.operations.reading import MODEL, Call, Items, model, text, unknown
from exportguard.adapters.azure.operations.workflows import carried
from exportguard.adapters.azure.tree import read_body, search
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Unknown

_DEFINITIONS: Final = words("skillsets indexes agents knowledgebases knowledgesources")
_AGENTIC: Final = words("agents knowledgebases")
_NAMES: Final = words("modelname")
_HIDDEN: Final = words("deploymentid modelid")
_SKILLS: Final = re.compile(r"#microsoft\.skills\.(?:custom\.(?:chatcompletion|aml)|.*openai)", re.IGNORECASE)
_ASKS: Final = re.compile(r"\bai_(?:embed|chat|prompt|complet)\w*", re.IGNORECASE)
"""Kusto's plugins that send what they are given to a model (`ai_embeddings`, `ai_chat_completion`)."""
_CARRYING: Final = words("pipelines linkedservices sparkjobdefinitions triggers")


def read(call: Call, body: object) -> Items:
    """A call to one of these services' own hosts."""
    host = call.address.host
    low = [segment.lower().partition("(")[0] for segment in call.address.segments]
    if ".search." in host:
        return _search(low, body)
    if ".kusto." in host:
        return _query(low, body)
    if "synapse" in host:
        return _synapse(call, low, body)
    tree = read_body(body)
    return [model(Unknown("the deployment that translates hides its model"), at)
            for at, _ in search(tree, words("deploymentname"))] or None  # fmt: skip


def _search(low: list[str], body: object) -> Items:
    if not low or low[0] not in _DEFINITIONS or "docs" in low:
        return None
    if low[0] in _AGENTIC and low[-1].rpartition(".")[2] == "retrieve":
        return [unknown("the model is that of the knowledge base", kind=MODEL)]
    tree = read_body(body)
    if isinstance(tree, Unknown):
        return [unknown(tree.reason, kind=MODEL)]
    found = [model(text(value, at), at) for at, value in search(tree, _NAMES)]
    if not found:
        found = [model(Unknown(f"`{at}` hides its model"), at) for at, _ in search(tree, _HIDDEN)]
    if not found:
        found = [model(Unknown("a skill that asks a model"), at) for at, kind in search(tree, words("@odata.type"))
                 if isinstance(kind, str) and _SKILLS.match(kind)]  # fmt: skip
    return found or None


def _query(low: list[str], body: object) -> Items:
    if low[-1:] not in (["query"], ["mgmt"]):
        return None
    tree = read_body(body)
    for at, query in search(tree, words("csl")):
        if isinstance(query, str) and _ASKS.search(query):
            return [model(Unknown("a query that asks a model"), at)]
    return None


def _synapse(call: Call, low: list[str], body: object) -> Items:
    if not _CARRYING.intersection(low[:1]):
        return None
    tree = read_body(body)
    sizes = [item for item in look_through(tree, "a pipeline or linked service") if item.model is None]
    return [*sizes, *(carried(tree, call.resolver) or ())] or None
