"""`(base URL, path, body)` of one call of the OpenAI API -> which model, where, how many tokens are planned.

Pure but for the resolver it is given; never raises. On Azure a name is a deployment's and hides the model; anywhere
else it is the model's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from exportguard.adapters.openai.endpoints import Endpoint, Path, endpoint_of, is_of_agent, path_of
from exportguard.adapters.openai.resolve import Resolver, as_resolver
from exportguard.vocabulary.building import built
from exportguard.vocabulary.call import OpenAICall
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.methods import READING
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

_READS: Final = NotApplicable(reason="the call only reads or deletes")
_NO_MODEL: Final = NotApplicable(reason="the endpoint runs no model")
_DEPTH: Final = 60
_SOCKETS: Final = ("realtime", "live", "responses")
_WIDE_SKUS: Final = ("global", "datazone", "developer")
_OF_AGENT: Final = Unknown("the model is that of the agent")
_NO_ACCOUNT: Final = Unknown("the call names no account")
_NO_TOKENS: Final = Unknown("the call does not say how many tokens it plans")
QUERY: Final = frozenset({"model", "deployment", "deployment-id"})
"""Parameters of a query that name a model or a deployment."""
_NESTED: Final = frozenset({"realtime", "live", "evals", "fine_tuning", "agents", "chatkit", "decisions"})
"""Families whose bodies name models below the top level (sessions, graders, data sources)."""


def observe(
    base_url: str,
    path: str,
    body: object = None,
    *,
    method: str = "POST",
    deployment: str | None = None,
    azure: bool = False,
    resolver: Resolver | None = None,
    account: str | None = None,
) -> Observation:
    """What one call would run.

    Args:
        base_url: the client's, with whatever path it carries.
        path: the endpoint, relative or whole; `/deployments/{name}/` in it is read.
        body: what is sent as JSON (the body and the extra body merged), or the form fields of a multipart call.
        method: in any case; reads and deletes are outside.
        deployment: the deployment that the client puts into the URL.
        azure: the client is one for Azure, whatever the host looks like.
        resolver: knows which model a deployment runs; None leaves it unknown.
        account: whose account it is, where the caller knows.
    """
    try:
        return _observe(str(base_url), str(path), body, str(method), deployment, azure, resolver, account)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        why = Unknown(f"the call could not be read ({type(error).__name__})")
        return ProvisioningRequest(operation="?", items=(Item(kind=ItemKind.MODEL, model=why),))


def observe_document(call: OpenAICall, *, resolver: Resolver | None = None) -> Observation:
    """The observation of a call document: exactly that of the live call."""
    return observe(
        call.base_url,
        call.path,
        call.body,
        method=call.method,
        deployment=call.deployment,
        resolver=as_resolver(resolver),
        account=call.account,
    )


def _observe(
    base_url: str,
    path: str,
    body: object,
    method: str,
    deployment: str | None,
    azure: bool,
    resolver: Resolver | None,
    account: str | None,
) -> Observation:
    route = _route(base_url, path, method, deployment, azure)
    if route is None:
        return _READS
    where, action = route.path, route.path.action
    if action is None and where.listed:
        return _NO_MODEL
    tree = _read(body)
    names = _names(route, tree)
    kind: Maybe[ItemKind] = ItemKind.MODEL
    if action is None or where.only_named:
        if not names:
            return _NO_MODEL
        if action is None:
            kind = Unknown(f"`/{where.name}` is not in the surface, yet it names a model"[:2000])
    return _request(route.endpoint, where, action or Action.INVOKE, kind, names, tree, resolver, account)


class _Route(NamedTuple):
    """What of a call its method and its URL say."""

    path: Path
    endpoint: Endpoint
    deployment: str | None
    more: tuple[Maybe[str], ...]
    """Names beside those of the body: the query's, and that of an agent, whose model counts whatever the body says."""
    nested: bool
    """Whether the body may name models below its top level."""


@lru_cache(maxsize=2048)
def _route(base_url: str, path: str, method: str, deployment: str | None, azure: bool) -> _Route | None:
    """None: the call only reads. A client makes most of its calls with one of a few URLs."""
    where = path_of(_below(base_url, path))
    verb = method.strip().upper()
    # A realtime connection is opened by a GET that is upgraded; every other GET only reads.
    socket = verb == "CONNECT" or base_url[:3].lower() in ("ws:", "wss") or path[:3].lower() in ("ws:", "wss")
    opens = (socket and where.name.startswith(_SOCKETS)) or (verb == "GET" and where.name in ("realtime", "live"))
    if verb in READING and not opens:
        return None
    more = _in_query(path)
    if is_of_agent(base_url) or is_of_agent(path):
        more.append(_OF_AGENT)
    nested = where.name.partition("/")[0] in _NESTED or where.action is None
    if "://" in path:
        base_url = path
    in_base = path_of(base_url.partition("://")[2].partition("/")[2] or "/").deployment
    endpoint = endpoint_of(base_url, azure or deployment is not None or where.deployment is not None)
    return _Route(where, endpoint, deployment or where.deployment or in_base, tuple(more), nested)


def _below(base_url: str, path: str) -> str:
    """*path* without the base URL that it begins with: what a gateway calls its own part is none of the API's."""
    base = base_url.partition("?")[0].rstrip("/")
    return path[len(base) :] if "://" in path and path.startswith(f"{base}/") else path


def _in_query(path: str) -> list[Maybe[str]]:
    """A socket, and a call that is set up by a session description, name their model in the query; a gateway may heed
    it there for any call."""
    query = path.partition("?")[2].partition("#")[0]
    return [_text(v) for k, v in parse_qsl(query) if k.lower() in QUERY] if "=" in query else []


def _read(body: object) -> Any:
    if isinstance(body, (str, bytes, bytearray)):
        if len(body) > 4 * 1024 * 1024:
            return Unknown("the body is larger than is read")
        try:
            return json.loads(body, object_pairs_hook=_object) if body else None
        except (ValueError, RecursionError):
            return Unknown("the body is not readable JSON")
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that is given twice means either: which one is served is the reader's choice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        for name in _NAMES.intersection(found):
            values = [value for key, value in pairs if key == name]
            if len(values) > 1:
                found[name] = values
    return found


_NAMES: Final = frozenset({"model", "models", "deployment", "fallbacks"})
"""`models` and `fallbacks`: what a router or a gateway serves in its place."""
_LENGTHS: Final = frozenset(map(len, _NAMES))


def _names(route: _Route, tree: Any) -> list[Maybe[str]]:
    """The names that the call gives, each of which may be the one that is served."""
    path, deployment = route.path, route.deployment
    found: list[Maybe[str]] = []
    if deployment is not None and path.deployed:
        found.append(_text(deployment))
    elif isinstance(tree, Unknown):
        found.append(tree)
    elif isinstance(tree, (dict, Mapping)):
        for key, value in tree.items():
            if isinstance(key, str) and len(key) in _LENGTHS and key.lower() in _NAMES:
                found += [_text(each) for each in (value if isinstance(value, (list, tuple)) else (value,)) if each]
        tools = tree.get("tools")
        for tool in tools if isinstance(tools, (list, tuple)) else ():
            if isinstance(tool, (dict, Mapping)) and tool.get("model"):
                found.append(_text(tool["model"]))
        if route.nested:
            found += [_text(value) for value in _search(tree)]
        if path.action is Action.INVOKE and (tree.get("agent_reference") or (tree.get("agent") and not found)):
            found.append(_OF_AGENT)
    if deployment is not None and not path.deployed:
        found.append(_text(deployment))
    if len(found) == 1 and not route.more:
        return found
    return list(dict.fromkeys((*found, *route.more)))


def _search(node: Any, depth: int = 0) -> Iterator[Any]:
    if depth > _DEPTH:
        yield Unknown("nested too deep to be read")
    elif isinstance(node, (dict, Mapping)):
        for key, value in node.items():
            if key == "model" and value and isinstance(value, (str, Unknown)):
                yield value
            elif key == "model" and isinstance(value, list):
                yield from (each for each in value if each and isinstance(each, (str, Unknown)))
            elif isinstance(value, (dict, list, tuple, Mapping)):
                yield from _search(value, depth + 1)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _search(value, depth + 1)


def _text(value: Any) -> Maybe[str]:
    if isinstance(value, Unknown):
        return value
    if isinstance(value, str) and 0 < len(value) <= 2000 and value.strip():
        return value.strip()
    return Unknown("the model's name is not a name")


def _request(
    endpoint: Endpoint,
    path: Path,
    action: Action,
    kind: Maybe[ItemKind],
    names: list[Maybe[str]],
    tree: Any,
    resolver: Resolver | None,
    account: str | None,
) -> Observation:
    tokens = planned_tokens(tree, answers=path.name not in _NO_ANSWER)
    items: list[Item] = []
    places: list[Location] = []
    for name in names or [_hidden(path)]:
        model, sku, region = _behind(endpoint, name, resolver)
        label = f"deployment `{name}`"[:2000] if isinstance(name, str) and not endpoint.names_models else None
        items.append(built(Item, kind=kind, model=model, tokens=tokens, name=label))
        places.append(_place(region, endpoint.cloud))
        if sku is not None and sku.lower().startswith(_WIDE_SKUS):
            why = Unknown(f"SKU `{sku}` processes in more places than the account's region"[:2000])
            places.append(Location(region=why, cloud=endpoint.cloud, certainty=Certainty.POSSIBLE))
    return built(
        ProvisioningRequest,
        provider=endpoint.provider,
        service="openai",
        operation=(path.name or "/")[:500],
        action=action,
        account=account or _NO_ACCOUNT,
        locations=tuple(places) if len(places) == 1 else tuple(dict.fromkeys(places)),
        items=tuple(items),
        transfer=Transfer.REMOTE_ACCESS,
        tags={},
    )


@lru_cache(maxsize=256)
def _place(region: Maybe[str], cloud: str | None) -> Location:
    country = _COUNTRIES.get(cloud or "")
    if country is not None:  # a sovereign cloud lies in one country, whatever the region
        return Location(region=NOT_GIVEN if isinstance(region, Unknown) else region, country=country, cloud=cloud)
    return Location(region=region, cloud=cloud)


_COUNTRIES: Final = {"AzureChinaCloud": "CN", "AzureUSGovernment": "US"}


def _hidden(path: Path) -> Unknown:
    if path.name.startswith("batches"):
        return Unknown("the models are in the batch's input file")
    if "runs" in path.name:
        return Unknown("the model is that of the assistant")
    return Unknown("the call names no model")


def _behind(
    endpoint: Endpoint, name: Maybe[str], resolver: Resolver | None
) -> tuple[Maybe[str], str | None, Maybe[str]]:
    """Model, SKU and region behind *name*."""
    if isinstance(name, Unknown) or endpoint.names_models:
        return name, None, endpoint.region
    why = f"deployment `{name}` hides its model"
    if resolver is not None:
        found = resolver.deployment(endpoint.host, name)
        if not isinstance(found, Unknown):
            known = endpoint.region if isinstance(found.location, Unknown) else found.location
            return found.model, found.sku, known
        why = f"{why}: {found.reason}"
    return Unknown(why[:2000]), None, endpoint.region


_LIMITS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_NO_ANSWER: Final = frozenset({"embeddings", "moderations", "responses/input_tokens"})


def planned_tokens(tree: Any, *, answers: bool = True) -> Maybe[int]:
    """The most tokens that the call plans for: `max_tokens` and its successors, times the answers asked for, and about
    as many as its text is. *answers*: the endpoint writes text, so a call that sets no limit is unknown."""
    if not isinstance(tree, (dict, Mapping)):
        return _NO_TOKENS
    if not answers:
        return input_tokens(tree)
    planned, times = -1, 1
    for key in _LIMITS:
        value = tree.get(key)
        if type(value) is int and value >= 0:
            planned = max(planned, value)
        elif value is not None and type(value).__name__ not in ("NotGiven", "Omit"):
            return Unknown(f"`{key}` is not a number")
    if planned < 0:
        return _NO_TOKENS
    for key in ("n", "best_of"):
        value = tree.get(key)
        if type(value) is int:
            times = max(times, value)
    most = planned * times + input_tokens(tree)
    return most if most <= 10**15 else Unknown("more tokens than can be counted")
