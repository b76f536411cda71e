"""`(method, url, body)` of one Azure call -> what it would provision, where; pure but for the resolver it is given.

Decided by host and resource type first: what is known not to matter is not read. Never raises: what cannot be read
is an unknown item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from exportguard.adapters.azure import bulk, operations
from exportguard.adapters.azure.address import BATCHES, Address, Plane, addresses, split_url
from exportguard.adapters.azure.lookthrough import look_through, may_start, misplaced
from exportguard.adapters.azure.operations.known_none import harmless_action, harmless_type
from exportguard.adapters.azure.operations.reading import Call, Operation, unknown
from exportguard.adapters.azure.places import locations_of
from exportguard.adapters.azure.resolve import KnowsDeployments, Resolver, as_resolver
from exportguard.adapters.azure.tree import Tree, plant, read_body, walk
from exportguard.vocabulary.building import made
from exportguard.vocabulary.call import AzureCall
from exportguard.vocabulary.fact import NOT_GIVEN, Unknown
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.methods import READING
from exportguard.vocabulary.request import Action, NotApplicable, Observation, ProvisioningRequest, Transfer
from exportguard.vocabulary.saying import all_named, marked

_PLAIN: Final = frozenset({"PUT", "POST", "PATCH", "GET", "DELETE"})

_TEXTS: Final = frozenset({"microsoft.automation/automationaccounts/runbooks/draft"})
"""Types whose bodies are no JSON."""
_MACHINES: Final = tuple(
    f"microsoft.{name}/"
    for name in ("compute", "computeschedule", "computebulkactions", "azurefleet", "classiccompute")
)
"""Namespaces of machines: a later version's types may start some, too."""
_CARRIERS: Final = bulk.TEMPLATES | {"batch"}
_NO_SUBSCRIPTION: Final = Unknown("the call names no subscription")
_ARM: Final = Plane.ARM
_OTHER: Final = Plane.OTHER

_READS: Final = NotApplicable(reason="the call only reads or deletes")
_OTHER_HOST: Final = NotApplicable(reason="the host is no Azure Resource Manager and serves no model")
_HARMLESS: Final = NotApplicable(reason="the resource type carries no accelerator and no model")
_ACTION: Final = NotApplicable(reason="the action reads, stops or shrinks")
_UNTOUCHED: Final = NotApplicable(reason="the call touches no size, capacity or model")


def observe(
    method: str, url: str, body: object = None, *, resolver: Resolver | None = None, account: str | None = None
) -> Observation:
    """What one call would provision.

    Args:
        method: the HTTP method, in any case.
        url: the whole URL. An unknown host whose path looks like ARM's is judged as ARM.
        body: bytes, text, a mapping or list, or a seekable stream (put back where it was); more than 4 MB is unknown.
        resolver: reads what the call only names; None leaves it unknown.
        account: the subscription, where the URL names none.
    """
    try:
        verb = method if method in _PLAIN else str(method).strip().upper()
        seen = _observe(verb, str(url), body, resolver, account)
        if not isinstance(seen, ProvisioningRequest) or all_named(seen):
            return seen
        tree = read_body(body)
        return seen if isinstance(tree, Unknown) else marked(seen, split_url(str(url))[:2], tree)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        why = f"the call could not be read ({type(error).__name__})"
        return ProvisioningRequest(provider="azure", operation=str(method)[:20] or "?", items=(unknown(why),))


def observe_document(
    call: AzureCall, *, resolver: Resolver | KnowsDeployments | Mapping[str, Any] | None = None
) -> Observation:
    """The observation of a call document: exactly that of the live call."""
    return observe(call.method, call.url, call.body, resolver=as_resolver(resolver), account=call.account)


def _observe(method: str, url: str, body: object, resolver: Resolver | None, account: str | None) -> Observation:
    if method in READING and not (method == "GET" and opens_socket(url)):
        return _READS
    seen: Observation = _OTHER_HOST
    for address, operation in _routes(method, url):
        if operation is None:
            seen = observe_at(address, method, body, resolver, account)
        else:
            seen = judge(operation, Call(method, address, read_body(body), resolver), account)
        if isinstance(seen, ProvisioningRequest):
            return seen
    return seen


def _listed(address: Address, method: str) -> Operation | None:
    """The operation of a resource type; None where the body is looked through, or carries other calls."""
    if address.plane is not _ARM or _carries(address):
        return None
    return operations.find(address.type, method, address.action)


def _carries(address: Address) -> bool:
    """Whether a call carries others."""
    return address.type in _CARRIERS or (address.action in BATCHES and address.type.startswith("microsoft.resources"))


@lru_cache(maxsize=1024)
def _routes(method: str, url: str) -> tuple[tuple[Address, Operation | None], ...]:
    """What one URL may be about, each with its operation: the same few are called again and again."""
    return tuple((address, _listed(address, method)) for address in addresses(method, url))


def opens_socket(url: str) -> bool:
    """Whether a GET of *url* opens a web socket to a model instead of reading something."""
    return url[:2] in ("ws", "WS") or ("realtime" in url and split_url(url)[1].rstrip("/").endswith("realtime"))


def observe_at(
    address: Address, method: str, body: object, resolver: Resolver | None = None, account: str | None = None
) -> Observation:
    """One reading of the URL."""
    if address.plane is _OTHER:
        return _OTHER_HOST
    if address.plane is not _ARM:
        from exportguard.adapters.azure import dataplane

        return dataplane.observe(address, method, body, resolver, account)
    operation = _listed(address, method)
    if operation is not None:
        return judge(operation, Call(method, address, read_body(body), resolver), account)
    if _carries(address):
        return bulk.observe(address, method, body, resolver, account)
    return _unlisted(address, method, body, resolver, account)


def judge(operation: Operation, call: Call, account: str | None = None) -> Observation:
    """The request of a listed operation, or that it touches nothing."""
    found: Sequence[Item] | None
    if isinstance(call.body, Unknown):
        found = [unknown(call.body.reason)]
    else:
        found = operation.read(call)
        if found is None:
            found = misplaced(call)
    if found is None:
        return _UNTOUCHED
    places = operation.places or locations_of
    return request(
        call.address,
        operation.name,
        operation.action,
        found,
        locations=places(call),
        transfer=operation.transfer,
        account=account,
        tags=None if type(call.body) is dict and "tags" not in call.body else _tags(call.body),
    )


def _unlisted(
    address: Address, method: str, body: object, resolver: Resolver | None, account: str | None
) -> Observation:
    if address.type in _TEXTS:
        return _text(address, method, body, resolver, account)
    if harmless_type(address.type):
        return _HARMLESS
    listed = address.type.startswith(_MACHINES) or any(
        kind in operations.table() for kind in (address.type, *(kind for kind, _ in address.parents))
    )
    if address.action and harmless_action(address.action):
        return _ACTION
    tree = read_body(body)
    found = look_through(tree, address.type)
    if not found and address.action and listed and may_start(address.action):
        found = [unknown(f"`{address.action}` is not in the surface, on a type that carries accelerators")]
    if not found:
        return _UNTOUCHED
    name = f"{method} {address.type}" + (f"/{address.action}" if address.action else "")
    call = Call(method, address, tree, resolver)
    return request(address, name, Action.PROVISION, found, locations=locations_of(call), account=account)


def _text(address: Address, method: str, body: object, resolver: Resolver | None, account: str | None) -> Observation:
    """A body that is the text of a program."""
    from exportguard.adapters.azure.operations import programs

    tree = read_body(body)
    call = Call(method, address, None if isinstance(tree, Unknown) else tree, resolver)
    found = programs.runbook(call, tree if isinstance(tree, dict) else body)
    if not found:
        return _UNTOUCHED
    return request(
        address, "Runbooks_ReplaceContent", Action.PROVISION, found, locations=locations_of(call), account=account
    )


def request(
    address: Address,
    operation: str,
    action: Action,
    items: Sequence[Item],
    *,
    locations: tuple[Any, ...],
    transfer: Transfer = Transfer.REMOTE_ACCESS,
    account: str | None = None,
    tags: dict[str, str] | None = None,
    service: str | None = None,
) -> ProvisioningRequest:
    """A request in the words of the vocabulary; equal items are one."""
    subscription = address.subscription or account
    return made(
        ProvisioningRequest,
        {
            "provider": "azure",
            "service": service or _namespace(address.type),
            "operation": operation[:500],
            "action": action,
            "account": subscription[:200] if subscription else _NO_SUBSCRIPTION,
            "locations": locations,
            "items": tuple(items),
            "parties": NOT_GIVEN,
            "end_use": NOT_GIVEN,
            "transfer": transfer,
            "time": NOT_GIVEN,
            "red_flags": (),
            "customer": None,
            "idempotency_key": None,
            "call": None,
            "tags": tags or {},
        },
    )


@lru_cache(maxsize=1024)
def _namespace(kind: str) -> str:
    return (kind.partition("/")[0] or "azure")[:200]


def _tags(body: Tree) -> dict[str, str]:
    if body is None:
        return {}
    for _, tags in walk(body, "tags"):
        if isinstance(tags, dict):
            return {key: value for key, value in tags.items() if isinstance(value, str)}
    return {}


__all__ = ["observe", "observe_document", "plant"]
