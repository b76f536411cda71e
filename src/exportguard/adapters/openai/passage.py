"""One call of an openai client: judged before its token is fetched, looked at again when its request is built."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from exportguard.adapters.openai.facts import QUERY, observe
from exportguard.adapters.openai.resolve import Resolver
from exportguard.adapters.openai.usage import Followed, is_counted, settle_abandoned, tells_at_its_end, used_by
from exportguard.vocabulary.enforcement import CallOrigin, CallResult, Gate, Judgement
from exportguard.vocabulary.methods import acting, methods_of
from exportguard.vocabulary.request import Observation, ProvisioningRequest

POINT: Final = "openai"
_PORTS: Final = {"https": 443, "http": 80, "wss": 443, "ws": 80}

Looker = Callable[[Resolver | None], Observation]


def _looker(client: Any, url: str, body: object, method: str) -> Looker:
    azure = hasattr(client, "_azure_deployment") or "AzureOpenAI" in type(client).__name__
    base = str(getattr(client, "base_url", "") or "")
    return lambda resolver: observe(base, url, body, method=method, azure=azure, resolver=resolver)


class Passage:
    """The judgements of one call by one hook. `begin` raises what stops the call; `end` never raises."""

    __slots__ = (
        "_counted", "_customer", "_gate", "_judgements", "_resolver", "_seen", "_told", "attached", "attempts",
        "client",
    )  # fmt: skip

    def __init__(
        self, gate: Gate, resolver: Resolver | None, customer: str | None, client: Any, attached: bool
    ) -> None:
        self._gate, self._resolver, self._customer = gate, resolver, customer
        self.client, self.attached = client, attached
        self._judgements: list[Judgement] = []
        self._seen: tuple[str, Observation] | None = None
        self.attempts = 0
        self._counted = self._told = False

    def begin(self, options: Any) -> None:
        """Judge and release what *options* will send. Raises the refusal."""
        client = self.client
        method = acting(methods_of(options.method, options.headers, getattr(client, "_custom_headers", None)))
        if method is None:
            return
        # The URL as the client itself will make it: an Azure client puts a deployment into it, or takes it out.
        prepare = getattr(client, "_prepare_url", None)
        url = str(prepare(options.url)) if prepare is not None else str(options.url)
        url = _with_query(url, getattr(client, "_custom_query", None), options.params)
        host = _host(url) or _host(str(getattr(client, "base_url", "")))
        body = body_of(options)
        self._judge(_looker(client, url, body, method), host)
        operation = getattr(self._seen[1], "operation", None) if self._seen is not None else None
        self._counted, self._told = is_counted(operation), tells_at_its_end(operation, body)

    def begin_socket(self, manager: Any) -> None:
        """Judge a web socket before it is opened: a session runs its model until it ends."""
        client, kind = self.client, type(manager).__name__
        query = vars(manager).get(f"_{kind}__extra_query") or {}
        defaults = getattr(client, "default_query", None) or {}
        names = [vars(manager).get(f"_{kind}__model"), getattr(client, "_azure_deployment", None)]
        for source in (query, defaults):
            names += [source.get("model"), source.get("deployment")] if isinstance(source, Mapping) else []
        models = [name for name in names if isinstance(name, str)]
        family = "responses" if "Responses" in kind else "live" if "Live" in kind else "realtime"
        base = getattr(client, "websocket_base_url", None) or client.base_url
        url = f"{base}".rstrip("/") + f"/{family}"
        self._judge(_looker(client, url, {"models": models}, "CONNECT"), _host(url))

    def _judge(self, look: Looker, host: str) -> None:
        plain = look(None)
        if (host, plain) == self._seen:
            return
        judgement = self._gate.judge(
            (lambda: look(self._resolver)) if self._resolver is not None else (lambda: plain),
            CallOrigin(point=POINT, customer=self._customer),
        )
        if judgement.refusal is not None:
            raise judgement.refusal
        self._judgements.append(judgement)  # first: what interrupts the release, or comes right after it, gives back
        self._gate.release(judgement)
        self._seen = (host, plain)

    def arrive(self, request: Any) -> None:
        """At the built request, and again where it is sent: judged again when it is no longer what was judged."""
        look, host = self._look_again(request)
        if look is not None:
            self._judge(look, host)

    def changed(self, request: Any) -> bool:
        """Whether *request* is no longer what was judged: a hook of the HTTP client, a redirect to another host."""
        look, host = self._look_again(request)
        return look is not None and (host, look(None)) != self._seen

    def _look_again(self, request: Any) -> tuple[Looker | None, str]:
        url, method = str(request.url), acting(methods_of(request.method, request.headers))
        host, content = _host(url), _content(request)
        if method is None:
            return None, host
        look = _for_both(_looker(self.client, url, content, method), self._elsewhere(request, host, content, method))
        if content is None and self._seen is not None and host == self._seen[0] and self._does_as_seen(look(None)):
            return None, host  # of a multipart or streamed body the fields were read from the options
        return look, host

    def _elsewhere(self, request: Any, host: str, content: bytes | None, method: str) -> Looker | None:
        """The call as whoever heeds its `Host` header takes it, where that names another host than the URL."""
        named = request.headers.get("host")
        if not named or f"{named}:None" == host:  # nearly always
            return None
        scheme, _, rest = str(request.url).partition("://")
        if _host(f"{scheme}://{named}") == host:
            return None
        return _looker(self.client, f"{scheme}://{named}/{rest.partition('/')[2]}", content, method)

    def _does_as_seen(self, found: Observation) -> bool:
        seen = self._seen[1] if self._seen is not None else None
        return getattr(found, "operation", None) == getattr(seen, "operation", None)

    def end(self, answer: object = None) -> None:
        """The call was answered with *answer*: settled with what that says it used, where it does."""
        settle_abandoned()
        self.end_with_tokens(self._used(answer))

    def follow(self, answer: object, off_loop: Callable[..., Awaitable[None]] | None = None) -> bool:
        """Settle at the end of a stream that will say then what it used. False: there is none to wait for."""
        attributes = getattr(answer, "__dict__", {})
        if not (self._counted and self._told and self._judgements and "_iterator" in attributes):
            return False
        attributes["_iterator"] = Followed(attributes["_iterator"], self.end_with_tokens, off_loop)
        return True

    def end_with_tokens(self, used: int | None) -> None:
        # An attempt before the one that was answered may have used some too.
        known = used is not None and self.attempts == 1
        self._settle(CallResult.SUCCEEDED, {"tokens": used} if known else {})

    def _used(self, answer: object) -> int | None:
        if not self._counted or not self._judgements:
            return None
        try:
            return used_by(answer)
        except Exception:  # noqa: BLE001 - an answer may be anything, and it is the caller's
            return None

    def end_with_error(self, error: BaseException) -> None:
        status = getattr(error, "status_code", None)
        result = CallResult.UNCLEAR
        if not self.attempts or (self.attempts == 1 and _definite(status)):
            result = CallResult.FAILED
        self._settle(result, {"status": status} if isinstance(status, int) else {})

    def _settle(self, result: CallResult, details: Mapping[str, Any]) -> None:
        judgements, self._judgements = self._judgements, []
        for judgement in judgements:
            # Whatever happens here, the call has been made: raising would lose the caller its answer.
            with contextlib.suppress(Exception):
                self._gate.settle(judgement, result, details)


def _for_both(look: Looker, other: Looker | None) -> Looker:
    """Judged for both hosts that a call may reach: what is unknown at either is unknown."""
    if other is None:
        return look

    def both(resolver: Resolver | None) -> Observation:
        one, two = look(resolver), other(resolver)
        if not (isinstance(one, ProvisioningRequest) and isinstance(two, ProvisioningRequest)):
            return one if isinstance(one, ProvisioningRequest) else two
        items = tuple(dict.fromkeys((*(one.items or ()), *(two.items or ()))))  # type: ignore[misc]
        places = tuple(dict.fromkeys((*one.locations, *two.locations)))  # type: ignore[misc]
        return one.model_copy(update={"items": items, "locations": places})

    return both


def _with_query(url: str, *parameters: object) -> str:
    """*url* with what the query will name of a model; of the rest nothing is read."""
    named = [
        (key, value)
        for source in parameters
        if source and isinstance(source, Mapping)
        for key, value in source.items()
        if isinstance(key, str) and key.lower() in QUERY
    ]
    return f"{url}{'&' if '?' in url else '?'}{urlencode(named, doseq=True)}" if named else url


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = None if parts.port == _PORTS.get(parts.scheme.lower()) else parts.port
        return f"{parts.hostname or ''}:{port}" if parts.netloc else ""
    except ValueError:
        return url


def _definite(status: object) -> bool:
    """Whether this answer says that nothing was done."""
    return isinstance(status, int) and 400 <= status < 500 and status not in (408, 409)


def body_of(options: Any) -> object:
    """The JSON that will be sent: the body with the extra body over it, or raw content."""
    body, extra = options.json_data, getattr(options, "extra_json", None)
    if extra is not None:
        return {**body, **extra} if isinstance(body, Mapping) else dict(extra)
    if body is None:
        return getattr(options, "content", None)
    return body


def _content(request: Any) -> bytes | None:
    if "json" not in str(request.headers.get("content-type", "json")).lower():
        return None
    try:
        content = request.content
    except Exception:  # noqa: BLE001 - httpx's own errors for a body that is a stream
        return None
    return content if isinstance(content, bytes) and content else None
