"""The patches of the openai package: the request of every client, and the opening of its web sockets. Reversible."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from exportguard.adapters.openai.direct import own, owner_of
from exportguard.adapters.openai.passage import Passage
from exportguard.forks import Lock
from exportguard.living import living
from exportguard.offloop import begin_off_loop, off_loop

if TYPE_CHECKING:
    from exportguard.adapters.openai.hook import OpenAIHook

MARK: Final = "_exportguard_hooks"
"""On an attached client: hook -> customer. A client copied from it (`with_options`) gets the same."""

_SOCKETS: Final = (
    "realtime.realtime", "beta.realtime.realtime", "realtime.translations.translations", "responses.responses",
    "beta.responses.responses", "live.live", "live.sideband", "live.forks",
)  # fmt: skip
_running: ContextVar[tuple[Passage, ...]] = ContextVar("exportguard_openai_passages", default=())
_lock = Lock()
_installed: tuple[OpenAIHook, ...] = ()
_originals: dict[tuple[type, str], Any] = {}
_watched: set[type] = set()


def add(hook: OpenAIHook) -> None:
    global _installed
    with _lock:
        if hook not in _installed:
            _installed = (*_installed, hook)
        patch()
        for client in living(_kinds()):
            watch(client)


def remove(hook: OpenAIHook) -> None:
    """Take *hook* out; the last one restores the functions."""
    global _installed
    with _lock:
        _installed = tuple(other for other in _installed if other is not hook)
        if not _installed:
            for (owner, name), original in _originals.items():
                setattr(owner, name, original)
            _originals.clear()
            _watched.clear()


def patch() -> None:
    """Put the wrappers in place, once."""
    with _lock:
        for owner, name, wrap in _places():
            if (owner, name) not in _originals:
                _originals[owner, name] = owner.__dict__[name]
                setattr(owner, name, wrap(owner.__dict__[name]))


def watch_sockets() -> None:
    """Web sockets are opened by classes that know their client only then: these stay wrapped while it is guarded."""
    with _lock:
        for owner, name, wrap in _sockets():
            if (owner, name) not in _originals:
                _originals[owner, name] = owner.__dict__[name]
                setattr(owner, name, wrap(owner.__dict__[name]))


def _kinds() -> tuple[type, ...]:
    from openai._base_client import AsyncAPIClient, SyncAPIClient

    return SyncAPIClient, AsyncAPIClient


def watch(client: Any) -> None:
    """Look at what the HTTP client of *client* sends, also where it is used by itself."""
    with contextlib.suppress(AttributeError):  # half made in another thread: it is watched once it is
        own(client)
        watch_transport(client)


def watch_transport(client: Any) -> None:
    """Look again where the HTTP client sends: its hooks and its redirects come after the request was built.

    The HTTP client may be of either of two packages, or somebody's own: its class is wrapped when it is first used.
    """
    kind = type(getattr(client, "_client", None))
    if kind in _watched:
        return
    with _lock:
        _watched.add(kind)
        owner = next((base for base in kind.__mro__ if "_send_single_request" in base.__dict__), None)
        if owner is not None and (owner, "_send_single_request") not in _originals:
            original = owner.__dict__["_send_single_request"]
            wrap = _wrap_async_send if asyncio.iscoroutinefunction(original) else _wrap_send
            _originals[owner, "_send_single_request"] = original
            _set(owner, "_send_single_request", wrap(original))


def _set(owner: type, name: str, function: Any) -> None:
    setattr(owner, name, function)


def guard_client(client: Any) -> None:
    """Give one client wrappers of its own; its class stays as it is."""
    kind, attributes = type(client), vars(client)
    if "request" in attributes:
        return
    wrap = _wrap_async_request if asyncio.iscoroutinefunction(kind.request) else _wrap_request
    request = wrap(lambda self, *args, **kwargs: kind.request(self, *args, **kwargs), attached=True)
    build = _wrap_build(lambda self, *args, **kwargs: kind._build_request(self, *args, **kwargs), attached=True)
    attributes["request"] = functools.partial(request, client)
    attributes["_build_request"] = functools.partial(build, client)


def _places() -> Iterator[tuple[type, str, Callable[[Any], Any]]]:
    from openai._base_client import AsyncAPIClient, BaseClient, SyncAPIClient

    yield SyncAPIClient, "__init__", _wrap_init
    yield AsyncAPIClient, "__init__", _wrap_init
    yield SyncAPIClient, "request", _wrap_request
    yield AsyncAPIClient, "request", _wrap_async_request
    yield BaseClient, "_build_request", _wrap_build
    yield from _sockets()


def _sockets() -> Iterator[tuple[type, str, Callable[[Any], Any]]]:
    for module in _SOCKETS:
        with contextlib.suppress(ImportError):
            for name, owner in vars(import_module(f"openai.resources.{module}")).items():
                if not (isinstance(owner, type) and name.endswith("ConnectionManager")):
                    continue
                for opens, wrap in (("__enter__", _wrap_enter), ("__aenter__", _wrap_async_enter)):
                    if opens in owner.__dict__:
                        yield owner, opens, wrap
                        if "enter" in owner.__dict__:
                            yield owner, "enter", wrap


def _start(client: Any, attached: bool | None) -> tuple[Passage, ...]:
    """A passage for each hook: those attached to *client*, those installed and not attached, or (None) all."""
    own: dict[OpenAIHook, str | None] = getattr(client, "__dict__", {}).get(MARK, {})
    passages: list[Passage] = []
    if attached is not False:
        passages += [Passage(hook.gate, hook.resolver, customer, client, True) for hook, customer in own.items()]
    if attached is not True:
        passages += [Passage(h.gate, h.resolver, None, client, False) for h in _installed if h not in own]
    return tuple(passages)


def _wrap_request(original: Callable[..., Any], attached: bool = False) -> Callable[..., Any]:
    def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        passages = _start(self, attached)
        if not passages:
            return original(self, cast_to, options, *args, **kwargs)
        watch_transport(self)
        token = _running.set((*_running.get(), *passages))
        try:
            for passage in passages:
                passage.begin(options)
            answer = original(self, cast_to, options, *args, **kwargs)
        except BaseException as error:
            for passage in passages:
                passage.end_with_error(error)
            if isinstance(error, _StoppedError):
                raise error.refusal from None
            raise
        finally:
            _running.reset(token)
        for passage in passages:
            if not passage.follow(answer):
                passage.end(answer)
        return answer

    request.__wrapped__ = original  # type: ignore[attr-defined]
    return request


def _wrap_async_request(original: Callable[..., Any], attached: bool = False) -> Callable[..., Any]:
    async def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        passages = _start(self, attached)
        if not passages:
            return await original(self, cast_to, options, *args, **kwargs)
        watch_transport(self)
        token = _running.set((*_running.get(), *passages))
        try:
            for passage in passages:
                await _begin(passage, passage.begin, options)
            answer = await original(self, cast_to, options, *args, **kwargs)
        except BaseException as error:
            for passage in passages:
                await off_loop(passage.end_with_error, error)
            if isinstance(error, _StoppedError):
                raise error.refusal from None
            raise
        finally:
            _running.reset(token)
        for passage in passages:
            if not passage.follow(answer, off_loop):
                await off_loop(passage.end, answer)
        return answer

    request.__wrapped__ = original  # type: ignore[attr-defined]
    return request


def _wrap_init(original: Callable[..., Any]) -> Callable[..., Any]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        watch(self)

    __init__.__wrapped__ = original  # type: ignore[attr-defined]
    return __init__


def _wrap_build(original: Callable[..., Any], attached: bool = False) -> Callable[..., Any]:
    def _build_request(self: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        built = original(self, options, *args, **kwargs)
        mine = [p for p in _running.get() if p.client is self and p.attached is attached]
        for passage in mine:
            passage.arrive(built)
        for passage in mine:
            passage.attempts += 1
        return built

    _build_request.__wrapped__ = original  # type: ignore[attr-defined]
    return _build_request


class _StoppedError(BaseException):
    """Carries a refusal past the client's own retries, which take every exception for a broken connection."""

    def __init__(self, refusal: Exception) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise _StoppedError(error) from error


def _sent_by(http: Any) -> list[Passage]:
    """The calls under way that *http* sends for: a call of somebody else's within one is none of theirs."""
    return [passage for passage in _running.get() if getattr(passage.client, "_client", None) is http]


def _sent_directly(http: Any, request: Any) -> tuple[Passage, ...]:
    """Passages for what the HTTP client of an openai client is told to send by somebody else."""
    client = owner_of(http, request)
    return () if client is None else _start(client, None)


def _wrap_send(original: Callable[..., Any]) -> Callable[..., Any]:
    def _send_single_request(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        sent_by = _sent_by(self)
        with _stopping():
            for passage in sent_by:
                passage.arrive(request)
        if sent_by:
            return original(self, request, *args, **kwargs)
        passages = _sent_directly(self, request)
        try:
            for passage in passages:
                passage.arrive(request)
                passage.attempts += 1
            answer = original(self, request, *args, **kwargs)
        except BaseException as error:
            for passage in passages:
                passage.end_with_error(error)
            raise
        for passage in passages:
            passage.end_with_tokens(None)
        return answer

    _send_single_request.__wrapped__ = original  # type: ignore[attr-defined]
    return _send_single_request


def _wrap_async_send(original: Callable[..., Any]) -> Callable[..., Any]:
    async def _send_single_request(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        sent_by = _sent_by(self)
        with _stopping():
            for passage in sent_by:
                if passage.changed(request):
                    await _begin(passage, passage.arrive, request)
        if sent_by:
            return await original(self, request, *args, **kwargs)
        passages = _sent_directly(self, request)
        try:
            for passage in passages:
                await _begin(passage, passage.arrive, request)
                passage.attempts += 1
            answer = await original(self, request, *args, **kwargs)
        except BaseException as error:
            for passage in passages:
                await off_loop(passage.end_with_error, error)
            raise
        for passage in passages:
            await off_loop(passage.end_with_tokens, None)
        return answer

    _send_single_request.__wrapped__ = original  # type: ignore[attr-defined]
    return _send_single_request


def _wrap_enter(original: Callable[..., Any]) -> Callable[..., Any]:
    def enter(self: Any) -> Any:
        client = _client_of(self)
        passages = _start(client, None)
        try:
            for passage in passages:
                passage.begin_socket(self)
            connection = original(self)
        except BaseException as error:
            for passage in passages:
                passage.end_with_error(error)
            raise
        for passage in passages:
            passage.end()
        return connection

    enter.__wrapped__ = original  # type: ignore[attr-defined]
    return enter


def _wrap_async_enter(original: Callable[..., Any]) -> Callable[..., Any]:
    async def enter(self: Any) -> Any:
        client = _client_of(self)
        passages = _start(client, None)
        try:
            for passage in passages:
                await _begin(passage, passage.begin_socket, self)
            connection = await original(self)
        except BaseException as error:
            for passage in passages:
                await off_loop(passage.end_with_error, error)
            raise
        for passage in passages:
            await off_loop(passage.end)
        return connection

    enter.__wrapped__ = original  # type: ignore[attr-defined]
    return enter


def _client_of(manager: Any) -> Any:
    return vars(manager).get(f"_{type(manager).__name__}__client")


async def _begin(passage: Passage, begin: Callable[[Any], None], what: Any) -> None:
    cancelled = asyncio.CancelledError()
    await begin_off_loop(begin, what, undo=functools.partial(passage.end_with_error, cancelled))
