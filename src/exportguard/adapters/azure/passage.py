"""One call on its way through a pipeline: judged, released, watched to the transport, settled. No SDK in here."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from exportguard.adapters.azure.address import split_url
from exportguard.adapters.azure.facts import observe
from exportguard.adapters.azure.hosts import is_identity
from exportguard.adapters.azure.resolve import Resolver
from exportguard.vocabulary.enforcement import CallOrigin, CallResult, Gate, Judgement
from exportguard.vocabulary.methods import READING, methods_of, overriding
from exportguard.vocabulary.request import NotApplicable, Observation, ProvisioningRequest
from exportguard.vocabulary.tokens import tokens_in

POINT: Final = "azure-pipeline"
_UNCLEAR: Final = frozenset({408, 409})


def exempt(request: Any) -> bool:
    """Reads, deletes and calls to the identity hosts: nothing is asked about them."""
    method = request.method
    if (method in READING or str(method).upper() in READING) and not _mixed(request):
        return READING.issuperset(overriding(_headers(request)))
    if not is_identity(split_url(str(request.url))[0]):
        return False
    return all(is_identity(split_url(url)[0]) for url in targets(request))


def targets(request: Any) -> tuple[str, ...]:
    """The URLs that a call may be taken for: its own, and those that its headers name (the host that whoever receives
    it takes it for, and what the portal's own call is about)."""
    url = str(request.url)
    headers = _headers(request)
    store = getattr(headers, "_store", None)  # azure-core's and requests' own mappings: keys in lower case
    if type(store) is dict and "host" not in store and "x-ms-path-query" not in store:
        return (url,)
    if not headers or not hasattr(headers, "items"):
        return (url,)
    found = {url: None}
    for key, value in headers.items():
        name = str(key).strip().lower()
        if name == "x-ms-path-query" and split_url(url)[1].rstrip("/").lower().endswith("/api/invoke"):
            found = {f"https://{split_url(url)[0]}/{str(value).strip().lstrip('/')}": None}
        elif name == "host" and str(value).strip():
            scheme, _, rest = url.partition("://")
            found[f"{scheme}://{str(value).strip()}/{rest.partition('/')[2]}"] = None
    return tuple(found)


def _headers(request: Any) -> Any:
    return getattr(request, "headers", None)


def _mixed(request: Any) -> Any:
    """The parts of a multipart request of either class: looked for in what it holds, as asking it is slow."""
    held = getattr(request, "__dict__", {})
    return held.get("_multipart_mixed_info_val") or held.get("multipart_mixed_info")


def body_of(request: Any) -> object:
    """What will be sent, of the requests of either azure-core generation."""
    content = getattr(request, "content", None)
    if content is None:
        content = getattr(request, "data", None) or getattr(request, "files", None)
    return content


def fingerprint(request: Any) -> tuple[object, ...]:
    """What was judged: equal fingerprints are the same call. Of the headers only those count that override the method,
    or say whom the call is for; the query does not."""
    urls = targets(request)
    host, path, _ = split_url(urls[0])
    if len(urls) > 1:
        path = " ".join(split_url(url)[0] for url in urls[1:]) + path
    methods = methods_of(request.method, _headers(request))
    mixed = _mixed(request)
    if mixed:  # its parts are what is judged; the pipeline writes them into a body later
        return methods, host, path, tuple(fingerprint(part) for part in mixed[0])
    body = body_of(request)
    if isinstance(body, (bytearray, memoryview)):
        body = bytes(body)
    if not isinstance(body, (bytes, str, type(None))):
        # A mapping may be changed in place; a stream is only known by which one it is.
        body = repr(body) if isinstance(body, (dict, list, tuple)) else ("stream", id(body))
    return methods, host, path, body


class Passage:
    """The judgements of one call by one hook. `begin` raises what stops the call; `end` never raises."""

    __slots__ = ("_counted", "_customer", "_gate", "_print", "_resolver", "attempts", "judgements", "owner")

    def __init__(self, owner: object, gate: Gate, customer: str | None, resolver: Resolver | None) -> None:
        self.owner, self._gate, self._customer, self._resolver = owner, gate, customer, resolver
        self._print: tuple[object, ...] | None = None
        self.judgements: list[Judgement] = []
        self.attempts = 0
        self._counted = False

    def begin(self, request: Any) -> None:
        """Judge and release *request*, unless this very call has been. Raises the refusal."""
        printed = fingerprint(request)
        if printed == self._print:
            return
        judgement = self._gate.judge(lambda: self._observe(request), self._origin())
        if judgement.refusal is not None:
            raise judgement.refusal
        self.judgements.append(judgement)  # first: what interrupts the release, or comes right after it, gives back
        try:
            self._gate.release(judgement)
        except BaseException:  # a pipeline tells its policies of some only
            self.end_with_error()
            raise
        self._print = printed

    def _observe(self, request: Any) -> Observation:
        seen = observe_request(request, self._resolver)
        self._counted = isinstance(seen, ProvisioningRequest) and seen.service == "ai-inference"
        return seen

    def _origin(self) -> CallOrigin:
        return CallOrigin(point=POINT, customer=self._customer)

    def changed(self, request: Any) -> bool:
        """At the transport: whether it is no longer the call that was judged (a redirect, a later policy)."""
        return fingerprint(request) != self._print and not exempt(request)

    def end(self, result: CallResult, status: int | None = None, tokens: int | None = None) -> None:
        details = {name: value for name, value in (("status", status), ("tokens", tokens)) if value is not None}
        judgements, self.judgements = self.judgements, []
        for judgement in judgements:
            # Whatever happens here, the resource exists: raising would lose the caller its answer.
            with contextlib.suppress(Exception):
                self._gate.settle(judgement, result, details)

    def end_with_status(self, status: int, response: object = None) -> None:
        """The call was answered; what the answer of a model says it used is settled, unless an attempt before it may
        have used some too."""
        used = None
        if self._counted and self.attempts <= 1 and 200 <= status < 300:
            with contextlib.suppress(Exception):  # as in `end`
                used = tokens_in(getattr(response, "__dict__", {}).get("_content"))
        self.end(result_of(status, self.attempts), status, used)

    def end_with_error(self) -> None:
        self.end(CallResult.UNCLEAR if self.attempts else CallResult.FAILED)


def result_of(status: int, attempts: int) -> CallResult:
    """2xx: done. A 4xx: not done, unless an earlier attempt or another caller may have done it."""
    if 200 <= status < 300:
        return CallResult.SUCCEEDED
    if 400 <= status < 500 and status not in _UNCLEAR and attempts <= 1:
        return CallResult.FAILED
    return CallResult.UNCLEAR


def observe_request(request: Any, resolver: Resolver | None) -> Observation:
    """The observation of one HTTP request object, and of the parts of a multipart one."""
    mixed = _mixed(request)
    if not mixed:
        seen: Observation = NotApplicable(reason="the call only reads or deletes")
        for url in targets(request):
            for method in methods_of(request.method, _headers(request)):
                seen = observe(method, url, body_of(request), resolver=resolver)
                if isinstance(seen, ProvisioningRequest):
                    return seen
        return seen
    merged: ProvisioningRequest | None = None
    for part in mixed[0]:
        found = observe_request(part, resolver)
        if isinstance(found, ProvisioningRequest):
            merged = found if merged is None else merge(merged, found)
    return merged if merged is not None else NotApplicable(reason="no part of the request provisions anything")


def merge(first: ProvisioningRequest, other: ProvisioningRequest) -> ProvisioningRequest:
    """Two requests that leave in one call: both are asked for in all the places of both."""
    items = tuple(part for request in (first, other) for part in (request.items or ()))  # type: ignore[union-attr]
    places = tuple(dict.fromkeys((*first.locations, *other.locations)))  # type: ignore[misc]
    return first.model_copy(update={"items": items, "locations": places})
