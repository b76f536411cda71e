"""`(base URL, path, body)` of one call of an anthropic client -> which model, where, how many tokens it may write.

Pure but for the resolver; never raises. On AWS the call is read as the Bedrock call that it becomes, by the same
functions. Of prompts only their length counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from exportguard.adapters.aws.call import text
from exportguard.adapters.aws.facts import observe as observe_aws
from exportguard.adapters.aws.lookup import Resolver
from exportguard.adapters.aws.operations.tokens import of_body
from exportguard.adapters.aws.places import region_of_host
from exportguard.vocabulary import (
    Action,
    AnthropicCall,
    Item,
    ItemKind,
    Location,
    Maybe,
    NotApplicable,
    Observation,
    ProvisioningRequest,
    Unknown,
)

_READS = ("get", "head", "options", "delete")
_SERVED = re.compile(r"/model/([^/]+)/(?:invoke|invoke-with-response-stream|converse|converse-stream)$")
_VERTEX = re.compile(r"/publishers/anthropic/models/([^/:]+)")
_NAMES = re.compile(r"(\w*_)?models?", re.IGNORECASE)
_WRITTEN = frozenset({"messages", "system", "metadata", "content", "input_schema", "prompt", "output_format"})
"""What the caller writes: never walked into."""
_QUIET = re.compile(
    r"/(count_tokens|files|skills|models|organizations|vaults|environments|memory_stores|webhooks|user_profiles)(/|$)"
    r"|/(cancel|archive|delete|interrupt)$"
)
"""Endpoints that run no model."""
_DEEPEST = 8


def observe(
    base_url: str,
    path: str,
    body: Any,
    *,
    method: str = "post",
    aws: bool = False,
    region: str | None = None,
    resolver: Resolver | None = None,
) -> Observation:
    """What one call would run.

    Args:
        base_url: the client's.
        path: the endpoint, relative to it or whole.
        body: what is sent as JSON, not yet serialised.
        method: reads and deletes are outside.
        aws: the client is one for AWS, whatever the host looks like.
        region: the client's AWS region, which counts beside the host's.
        resolver: tells which model an ARN on Bedrock hides.
    """
    if method.lower() in _READS:
        return NotApplicable(reason="the call only reads or deletes")
    where = path if "://" in path else f"{base_url.rstrip('/')}/{path.lstrip('/')}"
    try:
        parts = urlsplit(where)
        route, host = unquote(parts.path), (parts.hostname or "").lower()
    except ValueError:
        route, host = path, ""
    names = list(dict.fromkeys(_models(route, body)))
    if not names and _QUIET.search(route):
        return NotApplicable(reason="the endpoint runs no model")
    if _QUIET.search(route) and route.endswith("count_tokens"):
        return NotApplicable(reason="counts tokens; no model answers")
    found: list[Maybe[str]] = list(names) or [Unknown("the call names no model")]
    tokens = _planned(body)
    if aws or region_of_host(where) is not None or host.endswith(".api.aws"):
        return _on_aws(found, tokens, where, region, resolver)
    return _elsewhere(found, tokens, host, route)


ANTHROPIC = "https://api.anthropic.com"


def observe_document(call: AnthropicCall, *, resolver: Resolver | None = None) -> Observation:
    """The observation of a call document: exactly that of the live call."""
    base = call.base_url
    if base is None:
        base = ANTHROPIC if call.region is None else f"https://bedrock-runtime.{call.region}.amazonaws.com"
    seen = observe(
        base,
        call.path,
        call.body,
        method=call.method,
        aws=call.region is not None,
        region=call.region,
        resolver=resolver,
    )
    if isinstance(seen, ProvisioningRequest) and call.customer is not None:
        return seen.model_copy(update={"customer": call.customer})
    return seen


def _models(route: str, body: Any) -> Iterator[Maybe[str]]:
    """The models of the path, then those that keys of the body name (tools and batches nest requests)."""
    for pattern in (_SERVED, _VERTEX):
        match = pattern.search(route)
        if match:
            yield text(match[1], "the model in the path")
    todo: list[tuple[Any, int]] = [(body, 0)]
    while todo:
        value, depth = todo.pop()
        if isinstance(value, Mapping):
            for key, entry in value.items():
                if key in _WRITTEN or entry is None or depth > _DEEPEST:
                    continue
                if isinstance(key, str) and _NAMES.fullmatch(key) and not isinstance(entry, Mapping):
                    for each in entry if isinstance(entry, (list, tuple)) else [entry]:
                        if isinstance(each, (str, Unknown)):
                            yield text(each, key)
                        else:
                            todo.append((each, depth + 1))
                else:
                    todo.append((entry, depth + 1))
        elif isinstance(value, (list, tuple)):
            todo += [(each, depth + 1) for each in reversed(value)]
        elif isinstance(value, (bytes, bytearray)) and depth == 0:
            yield Unknown("the body is no structure")


def _planned(body: Any) -> Maybe[int]:
    """Tokens of one call, or of all the requests of a batch together."""
    rows = body.get("requests") if isinstance(body, Mapping) else None
    if not isinstance(rows, (list, tuple)):
        return of_body(body)
    total = 0
    for row in rows:
        each = of_body(row.get("params") if isinstance(row, Mapping) else None)
        if isinstance(each, Unknown):
            return each
        total += each
    return total


def _on_aws(
    names: list[Maybe[str]], tokens: Maybe[int], url: str, region: str | None, resolver: Resolver | None
) -> Observation:
    """The Bedrock call that it becomes. Several models of one call are items of one request."""
    requests = []
    for name in names:
        seen = observe_aws(
            "bedrock-runtime", "InvokeModel", {"modelId": name, "body": {}}, region=region, url=url, resolver=resolver
        )
        if isinstance(seen, ProvisioningRequest):
            counted = tuple(item.model_copy(update={"tokens": tokens}) for item in _listed(seen.items))
            requests.append(seen.model_copy(update={"items": counted}))
    first, *others = requests
    items = [item for request in requests for item in _listed(request.items)]
    places = [place for request in requests for place in _listed(request.locations)]
    update = {"items": tuple(dict.fromkeys(items)), "locations": tuple(dict.fromkeys(places))}
    return first.model_copy(update=update) if others else first


def _listed(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else ()


def _deployed(name: Maybe[str]) -> Maybe[str]:
    """A deployment's name is its owner's choice: it tells the model where it is one of Claude's, nothing else does."""
    if isinstance(name, Unknown) or name.strip().lower().startswith("claude"):
        return name
    return Unknown(f"deployment `{name[:300]}` hides its model")


def _elsewhere(names: list[Maybe[str]], tokens: Maybe[int], host: str, route: str) -> Observation:
    """Claude from Anthropic itself, or from another cloud: who is behind it does not say where it is processed."""
    provider: Maybe[str] = Unknown(f"`{host[:200]}` is another vendor's endpoint, or a private one")
    place: Maybe[str] = Unknown("the endpoint does not say where a call is processed")
    if host == "anthropic.com" or host.endswith(".anthropic.com"):
        provider = "anthropic"
    elif host.endswith((".services.ai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.us")):
        provider = "azure"
        names = [_deployed(name) for name in names]
    elif host.endswith("aiplatform.googleapis.com"):
        provider = "gcp"
        place = host.removesuffix("-aiplatform.googleapis.com") if host.count("-") > 1 else place
    return ProvisioningRequest(
        provider=provider,
        service="anthropic",
        operation=route[:500] or "/",
        action=Action.INVOKE,
        account=Unknown("the call names no account"),
        locations=(Location(region=place),),
        items=tuple(Item(kind=ItemKind.MODEL, model=name, tokens=tokens) for name in names),
    )
