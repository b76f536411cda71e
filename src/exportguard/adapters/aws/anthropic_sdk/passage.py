"""One call of an anthropic client: judged before it is signed, looked at again when its request is built."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from exportguard.adapters.aws.anthropic_sdk.facts import observe
from exportguard.adapters.aws.lookup import Resolver
from exportguard.vocabulary import CallOrigin, CallResult, Gate, Judgement, Observation
from exportguard.vocabulary.methods import acting, methods_of

LARGEST = 4 * 1024 * 1024
"""Bytes of a built request that are read to see whether it is still the one that was judged."""


class Remembered:
    """What is to be known of a client that may be gone while its HTTP client is not."""

    def __init__(self, client: Any) -> None:
        vars(self).update((name, value) for name, value in vars(client).items() if name.startswith("_exportguard"))
        self.base_url = str(client.base_url)
        self.aws_region = getattr(client, "aws_region", None)
        self.aws = is_aws(client)


def is_aws(client: Any) -> bool:
    """Whether a client is one of those for AWS, by the classes that it is made of."""
    if isinstance(client, Remembered):
        return client.aws
    return any("Bedrock" in kind.__name__ or kind.__name__.endswith("AnthropicAWS") for kind in type(client).__mro__)


class Passage:
    """The judgements of one call by one hook. `begin` raises what stops the call; `end` never raises."""

    __slots__ = ("_built", "_customer", "_gate", "_judgements", "_resolver_for", "_seen", "attempts", "client")

    def __init__(
        self, gate: Gate, resolver_for: Callable[[Any], Resolver | None], customer: str | None, client: Any
    ) -> None:
        self._gate, self._resolver_for, self._customer, self.client = gate, resolver_for, customer, client
        self._judgements: list[Judgement] = []
        self._seen: list[Observation] = []
        self._built: tuple[object, ...] | None = None
        self.attempts = 0

    def begin(self, options: Any) -> None:
        """Judge and release what *options* will send. Raises the refusal."""
        extra = getattr(options, "extra_json", None)
        body = getattr(options, "json_data", None)
        if isinstance(extra, Mapping):
            body = {**body, **extra} if isinstance(body, Mapping) else dict(extra)
        if body is None:
            body = getattr(options, "content", None)
        own = getattr(self.client, "_custom_headers", None)
        self._judge(str(options.url), body, methods_of(options.method, getattr(options, "headers", None), own))

    def arrive(self, request: Any) -> None:
        """At the built request, and where it is sent: judged again when it is no longer what was judged."""
        built = _as_built(request)
        if built == self._built:
            return
        content = built[-1]
        body: Any = None
        if isinstance(content, bytes) and 0 < len(content) <= LARGEST:
            with contextlib.suppress(ValueError, RecursionError):
                body = json.loads(content)
        if body is not None or not self._seen:
            self._judge(str(request.url), body, methods_of(request.method, request.headers))
        self._built = built

    def changed(self, request: Any) -> bool:
        """Whether *request* is not the one that was looked at last."""
        return _as_built(request) != self._built

    def _judge(self, url: str, body: Any, methods: tuple[str, ...]) -> None:
        client, method = self.client, acting(methods) or methods[-1]
        base, region = str(getattr(client, "base_url", "") or ""), getattr(client, "aws_region", None)

        def look(resolver: Resolver | None) -> Observation:
            return observe(
                base, url, body, method=method, aws=is_aws(client), resolver=resolver,
                region=region if isinstance(region, str) else None,
            )  # fmt: skip

        plain = _essence(look(None))
        if plain in self._seen:
            return
        resolver = self._resolver_for(client)
        judgement = self._gate.judge(lambda: look(resolver), CallOrigin(point="anthropic", customer=self._customer))
        if judgement.refusal is not None:
            raise judgement.refusal
        self._judgements.append(judgement)  # first: what interrupts the release, or comes right after it, gives back
        self._gate.release(judgement)
        self._seen.append(plain)

    def end(self, answer: Any = None) -> None:
        used = None
        with contextlib.suppress(Exception):  # as in `_settle`
            used = _used(answer)
        # An attempt before the one that was answered may have used some too.
        known = used is not None and self.attempts <= 1
        self._settle(CallResult.SUCCEEDED, {"tokens": used} if known else {})

    def end_with_error(self, error: BaseException) -> None:
        status = getattr(error, "status_code", None)
        definite = isinstance(status, int) and 400 <= status < 500 and status not in (408, 409, 429)
        failed = not self.attempts or (self.attempts == 1 and definite)
        result = CallResult.FAILED if failed else CallResult.UNCLEAR
        self._settle(result, {"status": status} if isinstance(status, int) else {})

    def _settle(self, result: CallResult, details: Mapping[str, Any]) -> None:
        judgements, self._judgements = self._judgements, []
        for judgement in judgements:
            with contextlib.suppress(Exception):  # the call was made; raising would lose its result for the caller
                self._gate.settle(judgement, result, details)


def _as_built(request: Any) -> tuple[object, ...]:
    """What of a request counts. The body last: None for a stream, whose fields were read before."""
    try:
        content = request.content
    except Exception:  # noqa: BLE001 - httpx's own errors for a body that is a stream
        content = None
    return str(request.url), methods_of(request.method, request.headers), content


_USAGE = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def _used(answer: Any) -> int | None:
    """The tokens that a message says it took; None for a stream, a raw response, a batch."""
    usage = vars(answer).get("usage") if hasattr(answer, "__dict__") else None
    counts = [getattr(usage, name, None) for name in _USAGE]
    if type(counts[0]) is not int or type(counts[1]) is not int:
        return None
    return sum(count for count in counts if type(count) is int)


def _essence(seen: Any) -> Any:
    """What of an observation must not change on the way: the items' names and the places. Operation and labels may."""
    items, places = getattr(seen, "items", None), getattr(seen, "locations", None)
    if not isinstance(items, tuple):
        return type(seen).__name__
    return tuple(sorted({str(item.model) for item in items})), places
