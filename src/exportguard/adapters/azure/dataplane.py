"""Calls that do not go to ARM: to deployed models, Batch accounts, Databricks and machine learning workspaces.

Only operations that can run a model or create machines are read; uploads, indexes and the ready-made cognitive
services are told apart by their path.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, quote

from exportguard.adapters.azure import hosts, operations
from exportguard.adapters.azure.address import Address, Plane, addresses
from exportguard.adapters.azure.modelpaths import NESTED, ModelPath, read_path
from exportguard.adapters.azure.operations import batch, databricks, learning, services, transfers
from exportguard.adapters.azure.operations.reading import Call, Items, any_text, largest, text, unknown
from exportguard.adapters.azure.places import elsewhere_by_sku, place
from exportguard.adapters.azure.resolve import DeploymentFact, Resolver
from exportguard.adapters.azure.tree import Tree, read_body, search
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.request import (
    Action,
    Certainty,
    Location,
    NotApplicable,
    Observation,
    ProvisioningRequest,
    Transfer,
)
from exportguard.vocabulary.tokens import input_tokens

_NO_MODEL: Final = NotApplicable(reason="a data-plane call that runs no model and creates no machine")


def observe(address: Address, method: str, body: object, resolver: Resolver | None, account: str | None) -> Observation:
    if address.plane is Plane.BATCH:
        return _machines(address, batch.read(Call(method, address, read_body(body), resolver)), account, "batch")
    if address.plane is Plane.DATABRICKS:
        found = databricks.read(Call(method, address, read_body(body), resolver))
        return _machines(address, found, account, "databricks")
    if address.plane is Plane.UNLISTED:
        return _unlisted(address, method, body, resolver, account)
    if address.plane is Plane.SERVICES:
        found = services.read(Call(method, address, None, resolver), body)
        return _machines(address, found, account, "ai-services")
    if address.plane is Plane.DEVCENTER:
        return _machines(address, transfers.environment(Call(method, address, None, resolver)), account, "devcenter")
    if address.plane is Plane.LEARNING:
        managed = _managed(address, method, body, resolver, account)
        if managed is not None:
            return managed
        return _machines(address, learning.read(Call(method, address, None, resolver), body), account, "azureml")
    return _models(address, body, resolver, account)


def _managed(
    address: Address, method: str, body: object, resolver: Resolver | None, account: str | None
) -> Observation | None:
    """A workspace's own hosts also take what Resource Manager takes (`/mferp/managementfrontend/subscriptions/…`)."""
    from exportguard.adapters.azure import facts

    low = [segment.lower() for segment in address.segments]
    if "subscriptions" not in low or "providers" not in low:
        return None
    path = "/".join(quote(segment, safe="") for segment in address.segments[low.index("subscriptions") :])
    for inner in addresses(method, f"https://management.azure.com/{path}"):
        if operations.find(inner.type, method, inner.action) is not None:
            return facts.observe_at(inner._replace(cloud=address.cloud), method, body, resolver, account)
    return None


def _machines(address: Address, found: Items, account: str | None, service: str) -> Observation:
    if found is None:
        return _NO_MODEL
    region = hosts.region_in(address.host)
    where: Maybe[str] = region if region else Unknown("the host names no region")
    return ProvisioningRequest(
        provider="azure",
        service=service,
        operation=address.path[:500] or "/",
        action=Action.PROVISION,
        account=account or Unknown("the call names no subscription"),
        locations=(place(where, address.cloud),),
        items=tuple(found),
        transfer=Transfer.REMOTE_ACCESS,
    )


def _models(address: Address, body: object, resolver: Resolver | None, account: str | None) -> Observation:
    path = read_path(address.segments, hosts.is_endpoint(address.host))
    if path.known:
        return _NO_MODEL
    asked = _in_query(address.query)
    if path.action is None:
        tree = read_body(body)
        if isinstance(tree, Unknown):
            return _unreadable(address, tree, account)
        if not any(True for _ in search(tree, path.keys)):
            return _NO_MODEL
        return _request(address, _DEFINED, asked, tree, resolver, account)
    return _request(address, path, asked, read_body(body), resolver, account)


_ASKS: Final = words("messages prompt input inputs contents documents texts max_tokens max_completion_tokens")
"""What stands beside a model's name where it is asked something."""
_MOST_LOOKED: Final = 1 << 20


def _unlisted(
    address: Address, method: str, body: object, resolver: Resolver | None, account: str | None
) -> Observation:
    """A call to somebody's own host: one to a gateway where what it sends is what a model is asked."""
    if method not in ("POST", "PUT") or (
        isinstance(body, (bytes, bytearray, str)) and (len(body) > _MOST_LOOKED or body.lstrip()[:1] not in (b"{", "{"))
    ):
        return _NO_MODEL
    if not isinstance(body, (bytes, bytearray, str, dict)):
        return _NO_MODEL
    tree = read_body(body)
    if (
        not isinstance(tree, dict)
        or _ASKS.isdisjoint(tree)
        or not any(isinstance(m, str) for m in any_text(tree, "model"))
    ):
        return _NO_MODEL
    return _request(address, ModelPath(Action.INVOKE), [], tree, resolver, account)


_MODELS: Final = ("model", "models[]", "fallbacks[]")
_AGENT_KEYS: Final = frozenset({"agent", "agent_reference"})
_DEFINED: Final = ModelPath(Action.PROVISION)


def _in_query(query: str) -> list[str]:
    """Names in the query: a socket, and a call set up by a session description, have no JSON body for them."""
    if "=" not in query:
        return []
    return [
        value.strip()[:2000]
        for key, value in parse_qsl(query)
        if key.lower() in ("model", "deployment", "deployment-id") and value.strip()
    ]


def _unreadable(address: Address, why: Unknown, account: str | None) -> Observation:
    return _assemble(address, Action.INVOKE, [unknown(why.reason, kind=ItemKind.MODEL)], (), account)


def _request(
    address: Address,
    path: ModelPath,
    asked: list[str],
    tree: Tree,
    resolver: Resolver | None,
    account: str | None,
) -> Observation:
    names: list[Maybe[str]] = [path.deployment] if path.deployment else []
    if path.hidden or not _AGENT_KEYS.isdisjoint(tree if isinstance(tree, dict) else ()):
        names = [Unknown("the model is that of the agent")]
    if not names:
        named = [name for key in _MODELS for name in any_text(tree, key)] if isinstance(tree, dict) else []
        names = list(dict.fromkeys([*asked, *named]))
    if not names:
        names = list(dict.fromkeys(text(value, where) for where, value in search(tree, NESTED)))
    answers = not address.path.rstrip("/").lower().endswith(("embeddings", "moderations", "input_tokens", "rerank"))
    tokens = planned_tokens(tree, answers=answers)
    items: list[Item] = []
    places: list[Location] = []
    for name in names or [Unknown("the call names no model and no deployment")]:
        fact = _behind(address.host, name, resolver)
        label = f"deployment `{name}`"[:2000] if isinstance(name, str) else None
        items.append(Item(kind=ItemKind.MODEL, model=fact.model, tokens=tokens, name=label))
        places.append(place(fact.location, address.cloud))
        why = elsewhere_by_sku(fact.sku) if fact.sku else None
        if why:
            places.append(place(Unknown(why), address.cloud, Certainty.POSSIBLE))
    return _assemble(address, path.action or Action.INVOKE, items, tuple(dict.fromkeys(places)), account)


def _behind(host: str, name: Maybe[str], resolver: Resolver | None) -> DeploymentFact:
    region = hosts.region_in(host)
    where: Maybe[str] = region if region else Unknown("the account's region is not in the call")
    if isinstance(name, Unknown):
        return DeploymentFact(name, None, where)
    if hosts.vendor(host) is not None:
        return DeploymentFact(name, None, where)
    why = f"deployment `{name}` hides its model"
    if resolver is not None:
        found = resolver.deployment(host, name)
        if not isinstance(found, Unknown):
            return found
        why = f"{why}: {found.reason}"
    return DeploymentFact(Unknown(why[:2000]), None, where)


def planned_tokens(tree: Tree, *, answers: bool = True) -> Maybe[int]:
    """The most tokens that the call plans for: `max_tokens` and its successors, times the answers asked for, and about
    as many as its text is. *answers*: the endpoint writes text, so a call that sets no limit is unknown."""
    if not isinstance(tree, dict):
        return Unknown("the call does not say how many tokens it plans")
    if not answers:
        return input_tokens(tree)
    most = largest(tree, "max_tokens", "max_completion_tokens", "max_output_tokens")
    if most is None:
        return Unknown("the call does not say how many tokens it plans")
    times = largest(tree, "n", "best_of")
    if isinstance(most, Unknown) or isinstance(times, Unknown):
        return Unknown("the planned tokens are not readable")
    planned = most * max(1, times or 1) + input_tokens(tree)
    return planned if planned <= 10**15 else Unknown("more tokens than can be counted")


def _assemble(
    address: Address, action: Action, items: list[Item], places: tuple[Location, ...], account: str | None
) -> Observation:
    return ProvisioningRequest(
        provider=hosts.vendor(address.host) or "azure",
        service="ai-inference",
        operation=address.path[:500] or "/",
        action=action,
        account=account or Unknown("the call names no subscription"),
        locations=places or (place(Unknown("the account's region is not in the call"), address.cloud),),
        items=tuple(items),
        transfer=Transfer.REMOTE_ACCESS,
    )
