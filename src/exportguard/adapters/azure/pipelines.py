"""The patches of azure-core: `Pipeline.run` and the last step before the transport, sync and async. Reversible."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from exportguard.adapters.azure.passage import Passage, exempt
from exportguard.forks import Lock
from exportguard.offloop import begin_off_loop, off_loop, running_loop

if TYPE_CHECKING:
    from exportguard.adapters.azure.hook import AzureHook

KEY: Final = "exportguard_passages"
EXEMPT: Final = "exportguard_exempt"
"""In a call's context: the policies that had nothing to ask about it."""
_running: ContextVar[tuple[Passage, ...]] = ContextVar("exportguard_azure_passages", default=())
_lock = Lock()
_installed: tuple[AzureHook, ...] = ()
_originals: dict[tuple[type, str], Any] = {}


def installed() -> tuple[AzureHook, ...]:
    return _installed


def add(hook: AzureHook) -> None:
    global _installed
    with _lock:
        if hook not in _installed:
            _installed = (*_installed, hook)
        for owner, name, wrap in (*_runs(), *_ends()):
            _patch(owner, name, wrap)


def remove(hook: AzureHook, watched: bool) -> None:
    """Take *hook* out; the last one restores the functions. *watched*: a living policy still needs the last step."""
    global _installed
    with _lock:
        _installed = tuple(other for other in _installed if other is not hook)
        if _installed:
            return
        for owner, name, _ in _runs():
            _restore(owner, name)
        if not watched:
            for owner, name, _ in _ends():
                _restore(owner, name)


def watch() -> None:
    """Patch the last step only: a policy's calls are compared there with what was judged."""
    with _lock:
        for owner, name, wrap in _ends():
            _patch(owner, name, wrap)


def _patch(owner: type, name: str, wrap: Callable[[Any], Any]) -> None:
    if (owner, name) not in _originals:
        original = owner.__dict__[name]
        _originals[owner, name] = original
        setattr(owner, name, wrap(original))


def _restore(owner: type, name: str) -> None:
    original = _originals.pop((owner, name), None)
    if original is not None:
        setattr(owner, name, original)


def _runs() -> Iterator[tuple[type, str, Callable[[Any], Any]]]:
    from azure.core.pipeline import AsyncPipeline, Pipeline

    yield Pipeline, "run", _wrap_run
    yield AsyncPipeline, "run", _wrap_async_run
    # The clients before azure-core. Nothing of theirs is patched at the transport: a call counts as sent at once.
    for module, name, wrap in (
        ("msrest.pipeline", "Pipeline", functools.partial(_wrap_run, sends=True)),
        ("msrest.pipeline.async_abc", "AsyncPipeline", functools.partial(_wrap_async_run, sends=True)),
    ):
        with contextlib.suppress(ImportError):
            yield getattr(importlib.import_module(module), name), "run", wrap


def _ends() -> Iterator[tuple[type, str, Callable[[Any], Any]]]:
    from azure.core.pipeline._base import _TransportRunner
    from azure.core.pipeline._base_async import _AsyncTransportRunner

    yield _TransportRunner, "send", _wrap_end
    yield _AsyncTransportRunner, "send", _wrap_async_end


def _passages(pipeline: Any, request: Any, loop: asyncio.AbstractEventLoop | None) -> tuple[Passage, ...]:
    """A passage for each installed hook that has no policy of its own in *pipeline*."""
    hooks = _installed
    if not hooks or exempt(request):
        return ()
    own = {getattr(getattr(runner, "_policy", None), "hook", None) for runner in pipeline._impl_policies}
    return tuple(hook.passage(None, pipeline, request, loop) for hook in hooks if hook not in own)


def _wrap_run(original: Callable[..., Any], sends: bool = False) -> Callable[..., Any]:
    def run(self: Any, request: Any, **kwargs: Any) -> Any:
        passages = _passages(self, request, None)
        if not passages:
            # The passages of an outer call (one that is fetching its token) are not this call's.
            token = _running.set(()) if _running.get() else None
            try:
                return original(self, request, **kwargs)
            finally:
                if token is not None:
                    _running.reset(token)
        token = _running.set(passages)
        try:
            for passage in passages:
                passage.begin(request)
            for passage in passages:
                passage.attempts += sends
            response = original(self, request, **kwargs)
        except BaseException:
            for passage in passages:
                passage.end_with_error()
            raise
        finally:
            _running.reset(token)
        for passage in passages:
            passage.end_with_status(response.http_response.status_code, response.http_response)
        return response

    run.__wrapped__ = original  # type: ignore[attr-defined]
    return run


def _wrap_async_run(original: Callable[..., Any], sends: bool = False) -> Callable[..., Any]:
    async def run(self: Any, request: Any, **kwargs: Any) -> Any:
        passages = _passages(self, request, running_loop())
        if not passages:
            token = _running.set(()) if _running.get() else None
            try:
                return await original(self, request, **kwargs)
            finally:
                if token is not None:
                    _running.reset(token)
        token = _running.set(passages)
        try:
            for passage in passages:
                await begin_off_loop(passage.begin, request, undo=passage.end_with_error)
            for passage in passages:
                passage.attempts += sends
            response = await original(self, request, **kwargs)
        except BaseException:
            for passage in passages:
                await off_loop(passage.end_with_error)
            raise
        finally:
            _running.reset(token)
        for passage in passages:
            await off_loop(passage.end_with_status, response.http_response.status_code, response.http_response)
        return response

    run.__wrapped__ = original  # type: ignore[attr-defined]
    return run


def _known(request: Any) -> tuple[Passage, ...]:
    return (*_running.get(), *request.context.get(KEY, ()))


def _missing(request: Any, known: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """A write that no hook has seen (a read that a policy turned into one, a pipeline run by hand)."""
    if exempt(request.http_request):
        return ()
    seen = {passage.owner for passage in known}
    asked: dict[AzureHook, str | None] = dict.fromkeys(_installed)
    asked.update((policy.hook, policy.customer) for policy in request.context.get(EXEMPT, ()))
    return tuple(
        hook.passage(customer, None, request.http_request, None) for hook, customer in asked.items() if hook not in seen
    )


def _wrap_end(original: Callable[..., Any]) -> Callable[..., Any]:
    def send(self: Any, request: Any) -> Any:
        known = _known(request)
        for passage in known:
            if passage.changed(request.http_request):
                passage.begin(request.http_request)
        late = _missing(request, known)
        try:
            for passage in late:
                passage.begin(request.http_request)
            for passage in (*known, *late):
                passage.attempts += 1
            response = original(self, request)
        except BaseException:
            for passage in late:
                passage.end_with_error()
            raise
        for passage in late:
            passage.end_with_status(response.http_response.status_code, response.http_response)
        return response

    send.__wrapped__ = original  # type: ignore[attr-defined]
    return send


def _wrap_async_end(original: Callable[..., Any]) -> Callable[..., Any]:
    async def send(self: Any, request: Any) -> Any:
        known = _known(request)
        for passage in known:
            if passage.changed(request.http_request):
                await begin_off_loop(passage.begin, request.http_request, undo=passage.end_with_error)
        late = _missing(request, known)
        try:
            for passage in late:
                await begin_off_loop(passage.begin, request.http_request, undo=passage.end_with_error)
            for passage in (*known, *late):
                passage.attempts += 1
            response = await original(self, request)
        except BaseException:
            for passage in late:
                await off_loop(passage.end_with_error)
            raise
        for passage in late:
            await off_loop(passage.end_with_status, response.http_response.status_code, response.http_response)
        return response

    send.__wrapped__ = original  # type: ignore[attr-defined]
    return send
