"""Addresses that a service will call, and what it sends there: gateways' back ends, webhooks, linked services.

Properties: the REST references of API Management, Event Grid, Azure Monitor, Container Registry, Data Factory and
Synapse. An address of Resource Manager is judged as the call that will be made; one of a model's is a model, which is
unknown where the address is a whole account's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from exportguard.adapters.azure.lookthrough import look_through
from exportguard.adapters.azure.operations.reading import MODEL, Call, Items, Table, row, unknown
from exportguard.adapters.azure.operations.scripts import taken
from exportguard.adapters.azure.tree import Tree, search
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.request import Action, ProvisioningRequest

_URL: Final = re.compile(r"https?://[^\s\"'<>|)]+", re.IGNORECASE)
_OF_MODELS: Final = re.compile(
    r"https?://[^/?#]*(?:openai|\.services\.ai\.azure|\.models\.ai\.azure|\.inference\.(?:ml|ai)\.|models\.github\.ai"
    r"|api\.anthropic\.com|api\.mistral\.ai|api\.cohere\.|generativelanguage|bedrock-runtime)"
    r"|https?://[^/]+/(?:[^?#]*/)?(?:openai|chat/completions)(?:[/?#]|$)",
    re.IGNORECASE,
)
"""Addresses of accounts that serve models and nothing else, and paths that do."""
_ARM: Final = re.compile(r"https?://(?:[^/]+\.)?management\.|https?://[^/]+/subscriptions/", re.IGNORECASE)
_KEYS: Final = words("url serviceurl endpointurl serviceuri endpoint baseurl base_url callbackurl httptriggerurl")
_MOST: Final = 100


def addressed(url: str, method: str = "POST") -> list[Item]:
    """What a call to *url* would take."""
    from exportguard.adapters.azure import facts

    if not (_OF_MODELS.match(url) or _ARM.match(url)):
        return []
    seen = facts.observe(method, url, {})
    if isinstance(seen, ProvisioningRequest) and isinstance(seen.items, tuple):
        return list(seen.items)
    if _OF_MODELS.match(url) is not None:
        return [unknown(f"it is passed on to a model: `{url[:300]}`", kind=MODEL)]
    return []


def _addresses(tree: Tree) -> Iterator[str]:
    for _, value in search(tree, _KEYS):
        if isinstance(value, str) and "://" in value:
            yield value.strip()


def _passed_on(call: Call) -> Items:
    found = [item for url in dict.fromkeys(list(_addresses(call.body))[:_MOST]) for item in addressed(url)]
    return found[:_MOST] or None


def _policy(call: Call) -> Items:
    """A gateway's policy: XML that may send requests of its own, or name another back end."""
    found: list[Item] = []
    for where, text in search(call.body, words("value policycontent")):
        if not isinstance(text, str):
            continue
        for url in dict.fromkeys(_URL.findall(text)[:_MOST]):
            if _OF_MODELS.match(url):
                found += addressed(url)
        for part in re.split(r"</send-(?:one-way-)?request>", text, flags=re.IGNORECASE):
            found += taken(" ".join(part.split()), where, names=False)
    return found[:_MOST] or None


def _linked(call: Call) -> Items:
    sizes = [item for item in look_through(call.body, call.address.type) if item.model is None]
    return [*sizes, *(_passed_on(call) or ())] or None


def _relative(call: Call) -> Items:
    """What is fetched from, or sent to, a linked service at a path of its own."""
    found = [item for item in look_through(call.body, call.address.type) if item.model is None]
    for where, value in search(call.body, words("relativeurl")):
        if isinstance(value, str) and _ASKS.search(value):
            found.append(unknown(f"`{where}` is a model's", kind=MODEL))
    return found or None


_ASKS: Final = re.compile(
    r"chat/completions|/completions|/embeddings|/responses|deployments/|v1/messages", re.IGNORECASE
)
_hook = row("Webhooks_CreateOrUpdate", Action.PROVISION, _passed_on)
_backend = row("Gateway_CreateOrUpdate", Action.INVOKE, _passed_on)
_rule = row("GatewayPolicy_CreateOrUpdate", Action.INVOKE, _policy)
_link = row("LinkedServices_CreateOrUpdate", Action.PROVISION, _linked)
_g = "microsoft.apimanagement/service/"
_e = "microsoft.eventgrid/"
TABLE: Table = {
    **{
        _g + space + kind: dict.fromkeys(("put", "patch"), _backend)
        for space in ("", "workspaces/") for kind in ("backends", "apis")
    },
    **{
        _g + space + kind: {"put": _rule}
        for space in ("", "workspaces/")
        for kind in ("policies", "apis/policies", "apis/operations/policies", "products/policies", "policyfragments")
    },
    **{
        _e + kind + "eventsubscriptions": dict.fromkeys(("put", "patch"), _hook)
        for kind in ("", "topics/", "domains/", "domains/topics/", "systemtopics/", "partnertopics/",
                     "namespaces/topics/")
    },
    **{
        kind: dict.fromkeys(("put", "patch"), _hook)
        for kind in ("microsoft.insights/actiongroups", "microsoft.containerregistry/registries/webhooks")
    },
    "microsoft.datafactory/factories/linkedservices": {"put": _link},
    "microsoft.synapse/workspaces/linkedservices": {"put": _link},
    **{
        kind: {"put": row("Datasets_CreateOrUpdate", Action.PROVISION, _relative)}
        for kind in ("microsoft.datafactory/factories/datasets", "microsoft.synapse/workspaces/datasets")
    },
}  # fmt: skip
