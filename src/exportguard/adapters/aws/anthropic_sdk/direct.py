"""The HTTP client that an anthropic client holds: what it is about to send is looked at once more, and what somebody
sends with it by hand to the client's hosts is judged too."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from exportguard.adapters.aws.anthropic_sdk.passage import Passage, Remembered
from exportguard.offloop import begin_off_loop, off_loop

_OWNED: Final = "_exportguard_anthropic"
"""On an HTTP client: for which anthropic clients it sends."""
_SEND: Final = "_send_single_request"
running: ContextVar[tuple[Passage, ...]] = ContextVar("exportguard_anthropic_passages", default=())


class StoppedError(BaseException):
    """Carries a refusal past the client's own retries, which take every exception for a broken connection."""

    def __init__(self, refusal: Exception) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class _Owned:
    """One HTTP client's anthropic clients: the living, what is to be known of the last one, and the hosts of all."""

    __slots__ = ("hosts", "known", "living")

    def __init__(self) -> None:
        self.living: weakref.WeakSet[Any] = weakref.WeakSet()
        self.hosts: set[str] = set()
        self.known: Remembered | None = None


def watch(client: Any, passages: Callable[[Any], tuple[Passage, ...]]) -> None:
    """Look at what the HTTP client of *client* sends. *passages* makes those of a call of that client."""
    http = getattr(client, "_client", None)
    attributes, host = getattr(http, "__dict__", None), getattr(getattr(client, "base_url", None), "host", None)
    if attributes is None or not hasattr(type(http), _SEND):
        return
    owned: _Owned = attributes.setdefault(_OWNED, _Owned())
    owned.living.add(client)
    owned.hosts.update([host] if host else [])
    owned.known = Remembered(client)
    if _SEND not in attributes:
        send = _send_async if asyncio.iscoroutinefunction(getattr(type(http), _SEND)) else _send
        attributes[_SEND] = functools.partial(send, passages, weakref.ref(http))


def _owner(http: Any, request: Any) -> Any | None:
    """The client whose call *request* is, by the host that it goes to; None for anybody else's."""
    owned: _Owned | None = getattr(http, "__dict__", {}).get(_OWNED)
    host = getattr(request.url, "host", None)
    if owned is None or not host:
        return None
    for client in list(owned.living):
        if getattr(getattr(client, "base_url", None), "host", None) == host:  # it can be given another one at any time
            return client
    return next(iter(owned.living), owned.known) if host in owned.hosts else None


def _under_way(http: Any) -> list[Passage]:
    return [passage for passage in running.get() if getattr(passage.client, "_client", None) is http]


@contextlib.contextmanager
def _stopping() -> Any:
    try:
        yield
    except Exception as error:
        raise StoppedError(error) from error


def _send(make: Callable[[Any], tuple[Passage, ...]], held: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    http = held()
    original = getattr(type(http), _SEND)
    mine = _under_way(http)
    if mine:
        with _stopping():
            for passage in mine:
                passage.arrive(request)
        return original(http, request, *args, **kwargs)
    owner = _owner(http, request)
    passages = make(owner) if owner is not None else ()
    try:
        for passage in passages:
            passage.arrive(request)
            passage.attempts += 1
        answer = original(http, request, *args, **kwargs)
    except BaseException as error:
        for passage in passages:
            passage.end_with_error(error)
        raise
    for passage in passages:
        passage.end()
    return answer


async def _send_async(
    make: Callable[[Any], tuple[Passage, ...]], held: Any, request: Any, *args: Any, **kwargs: Any
) -> Any:
    http = held()
    original = getattr(type(http), _SEND)
    mine = [passage for passage in _under_way(http) if passage.changed(request)]
    if mine:
        with _stopping():
            for passage in mine:
                await _begin(passage, request)
    if mine or _under_way(http):
        return await original(http, request, *args, **kwargs)
    owner = _owner(http, request)
    passages = make(owner) if owner is not None else ()
    try:
        for passage in passages:
            await _begin(passage, request)
            passage.attempts += 1
        answer = await original(http, request, *args, **kwargs)
    except BaseException as error:
        for passage in passages:
            await off_loop(passage.end_with_error, error)
        raise
    for passage in passages:
        await off_loop(passage.end)
    return answer


async def _begin(passage: Passage, request: Any) -> None:
    undo = functools.partial(passage.end_with_error, asyncio.CancelledError())
    await begin_off_loop(passage.arrive, request, undo=undo)
