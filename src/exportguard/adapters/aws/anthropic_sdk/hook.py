"""Puts the gate into the anthropic package: one client, or every client of the process. Reversible."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import weakref
from collections.abc import Callable
from typing import Any, Final, Literal

from exportguard.adapters.aws.anthropic_sdk.direct import StoppedError, running, watch
from exportguard.adapters.aws.anthropic_sdk.passage import Passage, is_aws
from exportguard.adapters.aws.lookup import Resolver
from exportguard.errors import ConfigurationError
from exportguard.forks import Lock
from exportguard.living import living
from exportguard.offloop import begin_off_loop, off_loop
from exportguard.vocabulary import Gate

_MARK: Final = "_exportguard_anthropic_hooks"
"""On an attached client: hook -> customer. A client copied from it (`with_options`) gets the same."""
_lock = Lock()
_installed: tuple[AnthropicHook, ...] = ()
_originals: dict[tuple[type, str], Any] = {}
_attached: weakref.WeakSet[Any] = weakref.WeakSet()
"""Clients with a guard of their own: while one lives, the functions stay wrapped, and pass others untouched."""


class AnthropicHook:
    """Judges the calls of anthropic clients, those for Bedrock first of all, sync and async, through *gate*.

    Args:
        gate: who judges (a guard).
        resolver: `"auto"` looks up which model an ARN hides, with the client's own AWS credentials; a `Resolver` of
            your own; None: that stays unknown.
    """

    def __init__(self, gate: Gate, *, resolver: Literal["auto"] | Resolver | None = None) -> None:
        self.gate = gate
        self._resolver = resolver

    @staticmethod
    def accepts(target: Any) -> bool:
        """Whether *target* is an anthropic client."""
        if "anthropic" not in sys.modules:
            return False
        return issubclass(type(target), _kinds())

    def install(self) -> None:
        """Every client of the process, those that exist already included. Twice is once."""
        global _installed
        with _lock:
            if self not in _installed:
                _installed = (*_installed, self)
            _patch()
            for client in living(_kinds()):
                _watch(client)

    def uninstall(self) -> None:
        """Undo `install`. What was attached by itself stays; the package has its own functions back after the last."""
        global _installed
        with _lock:
            _installed = tuple(hook for hook in _installed if hook is not self)
            if not _installed and not len(_attached):
                for (owner, name), original in _originals.items():
                    setattr(owner, name, original)
                _originals.clear()

    def attach(self, target: Any, *, customer: str | None = None) -> None:
        """Judge what one client sends, and those copied from it. Twice is once; the last *customer* counts.

        Raises:
            ConfigurationError: *target* is no anthropic client.
        """
        if not self.accepts(target):
            raise ConfigurationError(
                f"a {type(target).__name__} is no anthropic client",
                remedy="attach an anthropic client, or use install()",
            )
        with _lock:
            _attached.add(target)
            _patch()
            vars(target)[_MARK] = {**vars(target).get(_MARK, {}), self: customer}
            for name in ("copy", "with_options", "with_middleware"):
                if hasattr(type(target), name):
                    vars(target)[name] = functools.partial(_copied, target, name)
            _watch(target)

    def resolver_for(self, client: Any) -> Resolver | None:
        """What looks things up for *client*; its own credentials in `auto`."""
        if self._resolver != "auto":
            return self._resolver if not isinstance(self._resolver, str) else None
        if not is_aws(client):
            return None
        found: Resolver | None = vars(client).get("_exportguard_resolver")
        if found is None:
            found = vars(client)["_exportguard_resolver"] = _resolver_of(client)
        return found


def _resolver_of(client: Any) -> Resolver | None:
    try:
        from botocore.credentials import Credentials
        from botocore.session import Session
    except ImportError:
        return None
    from exportguard.adapters.aws.resolver import ClientResolver

    key, secret = getattr(client, "aws_access_key", None), getattr(client, "aws_secret_key", None)
    if key and secret:
        credentials = Credentials(key, secret, getattr(client, "aws_session_token", None))
    else:
        try:
            credentials = Session(profile=getattr(client, "aws_profile", None)).get_credentials()
        except Exception:  # noqa: BLE001 - a profile that is not there: nothing is looked up
            return None
    return ClientResolver(credentials, getattr(client, "aws_region", None), None)


def _copied(client: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    made = getattr(type(client), name)(client, *args, **kwargs)
    for hook, customer in vars(client).get(_MARK, {}).items():
        hook.attach(made, customer=customer)
    return made


def _kinds() -> tuple[type, ...]:
    from anthropic._base_client import AsyncAPIClient, SyncAPIClient

    return SyncAPIClient, AsyncAPIClient


def _watch(client: Any) -> None:
    with contextlib.suppress(AttributeError):  # half made in another thread: it is watched once it is
        watch(client, _passages)


def _patch() -> None:
    from anthropic._base_client import AsyncAPIClient, BaseClient, SyncAPIClient

    for owner, name, wrap in (
        (SyncAPIClient, "__init__", _wrapped_init),
        (AsyncAPIClient, "__init__", _wrapped_init),
        (SyncAPIClient, "request", _wrapped),
        (AsyncAPIClient, "request", _wrapped_async),
        (BaseClient, "_build_request", _wrapped_build),
    ):
        if (owner, name) not in _originals:
            _originals[owner, name] = owner.__dict__[name]
            setattr(owner, name, wrap(owner.__dict__[name]))


def _passages(client: Any) -> tuple[Passage, ...]:
    own: dict[AnthropicHook, str | None] = vars(client).get(_MARK, {})
    made = [Passage(hook.gate, hook.resolver_for, customer, client) for hook, customer in own.items()]
    made += [Passage(hook.gate, hook.resolver_for, None, client) for hook in _installed if hook not in own]
    return tuple(made)


def _wrapped_init(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _watch(self)

    return __init__


def _wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        passages = _passages(self)
        if not passages or _is_running(self):
            return original(self, cast_to, options, *args, **kwargs)
        _watch(self)
        token = running.set((*running.get(), *passages))
        try:
            for passage in passages:
                passage.begin(options)
            answer = original(self, cast_to, options, *args, **kwargs)
        except BaseException as error:
            for passage in passages:
                passage.end_with_error(error)
            if isinstance(error, StoppedError):
                raise error.refusal from None
            raise
        finally:
            running.reset(token)
        for passage in passages:
            passage.end(answer)
        return answer

    return request


def _wrapped_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        passages = _passages(self)
        if not passages or _is_running(self):
            return await original(self, cast_to, options, *args, **kwargs)
        _watch(self)
        token = running.set((*running.get(), *passages))
        try:
            for passage in passages:
                undo = functools.partial(passage.end_with_error, asyncio.CancelledError())
                await begin_off_loop(passage.begin, options, undo=undo)
            answer = await original(self, cast_to, options, *args, **kwargs)
        except BaseException as error:
            for passage in passages:
                await off_loop(passage.end_with_error, error)
            if isinstance(error, StoppedError):
                raise error.refusal from None
            raise
        finally:
            running.reset(token)
        for passage in passages:
            await off_loop(passage.end, answer)
        return answer

    return request


def _wrapped_build(original: Callable[..., Any]) -> Callable[..., Any]:
    """The request as it will be signed: what was changed on the way here is judged again."""

    @functools.wraps(original)
    def build(self: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        built = original(self, options, *args, **kwargs)
        for passage in running.get():
            if passage.client is self:
                passage.arrive(built)
                passage.attempts += 1
        return built

    return build


def _is_running(client: Any) -> bool:
    """Whether this very client is in the middle of a call: a request inside a request is part of it."""
    return any(passage.client is client for passage in running.get())
