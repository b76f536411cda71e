"""Puts the gate into botocore: on one client, on a session, or on every session and client of the process.

Botocore's own Stubber, moto and every other handler stay in place. Nothing of botocore is replaced.
"""

from __future__ import annotations

import contextlib
import sys
import weakref
from typing import TYPE_CHECKING, Any, Literal

from exportguard.forks import Lock
from exportguard.living import living

if TYPE_CHECKING:
    from exportguard.adapters.aws.lookup import Resolver
    from exportguard.adapters.aws.stages import Point
    from exportguard.vocabulary import Gate

_EVENTS = (
    ("before-parameter-build", "on_parameters", "last"),
    ("before-endpoint-resolution", "on_endpoint", "last"),
    ("before-call.*.*", "on_call", "first"),
    ("request-created", "on_request", "last"),
    ("before-send", "on_send", "last"),
    ("after-call.*.*", "after_call", "first"),
    ("after-call-error.*.*", "after_error", "first"),
)
"""Handlers run from the most specific name to the bare one, so the bare name, last, sees the final parameters;
`before-call` stops at the first handler that answers (a Stubber's), so ours goes first (`*.*` goes before the rest)."""
_STAYS = "request-created"
"""The one that is never taken out while a hook is in (see `_stand_back`)."""


class AwsHook:
    """One gate's place in botocore. Thread-safe.

    Args:
        gate: who judges (a guard).
        resolver: `"auto"` looks up what a call only names with the judged client's own credentials, read-only and
            limited in time; a `Resolver` of your own; None: what a call only names stays unknown.
    """

    def __init__(self, gate: Gate, *, resolver: Literal["auto"] | Resolver | None = "auto") -> None:
        self._gate = gate
        self._resolver = resolver
        self._resolvers: weakref.WeakKeyDictionary[Any, Resolver] = weakref.WeakKeyDictionary()
        self._lock = Lock()
        self._everywhere: Point | None = None

    # -- public --------------------------------------------------------------------------------------------------

    @staticmethod
    def accepts(target: Any) -> bool:
        """Whether *target* is a boto3 or aiobotocore client, session or resource."""
        return _emitter_of(target) is not None

    def attach(self, target: Any, *, customer: str | None = None) -> None:
        """Judge what *target* calls: a client, a resource, or a session and the clients made from it later.

        *customer*: the id of the customer that the target acts for. A second attach replaces the first.

        Raises:
            ConfigurationError: *target* is none of these.
        """
        emitter = _emitter_of(target)
        if emitter is None:
            from exportguard.errors import ConfigurationError

            raise ConfigurationError(
                f"`{type(target).__name__}` is no boto3 client, session or resource",
                remedy="pass what boto3.client(), boto3.resource() or boto3.Session() returned",
            )
        with self._lock:
            for point in self._points_of(emitter):
                _unregister(emitter, point)
            _register(emitter, self._point(customer))

    def detach(self, target: Any) -> None:
        """Undo `attach` (and `install`, for this target)."""
        emitter = _emitter_of(target)
        with self._lock:
            for point in self._points_of(emitter) if emitter is not None else ():
                _unregister(emitter, point)

    def install(self) -> None:
        """Judge every client of this process: those that live, and those of every session from now on. Idempotent."""
        from botocore import handlers

        with self._lock:
            if self._everywhere is not None:
                return
            point = self._everywhere = self._point(None)
            handlers.BUILTIN_HANDLERS.extend(_specs(point))
            # Registered first, swept second: a session made in between has the handlers already.
            for emitter in _living_emitters():
                if not self._points_of(emitter):
                    _register(emitter, point)

    def uninstall(self) -> None:
        """Take out what `install` put in. What was attached by itself stays. Idempotent."""
        from botocore import handlers

        with self._lock:
            point, self._everywhere = self._everywhere, None
            if point is None:
                return
            point.active = False
            specs = _specs(point)
            handlers.BUILTIN_HANDLERS[:] = [spec for spec in handlers.BUILTIN_HANDLERS if spec not in specs]
            for emitter in _living_emitters():
                _unregister(emitter, point)

    # -- inside --------------------------------------------------------------------------------------------------

    def _point(self, customer: str | None) -> Point:
        import botocore

        from exportguard.adapters.aws.stages import Point

        return Point(self, self._gate, self._resolver_for, botocore.__version__, customer, _stand_back)

    def _points_of(self, emitter: Any) -> list[Point]:
        return [point for point in _points(emitter) if point.hook is self]

    def _resolver_for(self, client: Any) -> Resolver | None:
        if self._resolver != "auto":
            return self._resolver if not isinstance(self._resolver, str) else None
        if client is None:
            return None
        found = self._resolvers.get(client)
        if found is not None:
            return found
        with self._lock:
            found = self._resolvers.get(client)
            if found is None:
                from exportguard.adapters.aws.resolver import ClientResolver

                found = self._resolvers[client] = ClientResolver.of(client)
            return found


def _specs(point: Point) -> list[tuple[Any, ...]]:
    from botocore.handlers import REGISTER_FIRST, REGISTER_LAST

    order = {"first": REGISTER_FIRST, "last": REGISTER_LAST}
    return [(event, getattr(point, method), order[where]) for event, method, where in _EVENTS]


def _register(emitter: Any, point: Point) -> None:
    for event, method, where in _EVENTS:
        getattr(emitter, f"register_{where}")(event, getattr(point, method))


def _unregister(emitter: Any, point: Point) -> None:
    for event, method, _ in _EVENTS:
        # Where nobody ever registered for an event, botocore's emitter has nothing to look into, and raises.
        with contextlib.suppress(AttributeError):
            emitter.unregister(event, getattr(point, method))


def _stand_back(emitter: Any, point: Point) -> None:
    """On a client of a service of which nothing can matter, only watch for what is sent past the client: each handler
    that botocore calls costs a microsecond or two."""
    for event, method, _ in _EVENTS:
        if event != _STAYS:
            with contextlib.suppress(AttributeError):
                emitter.unregister(event, getattr(point, method))


def _points(emitter: Any) -> list[Point]:
    """The points registered on an emitter. Looked up in its handlers, since copies of an emitter carry them along."""
    inner = getattr(emitter, "_emitter", emitter)
    search = getattr(getattr(inner, "_handlers", None), "prefix_search", None)
    found = search(_STAYS) if search is not None else ()
    owners = (getattr(handler, "__self__", None) for handler in found)
    stages = sys.modules.get("exportguard.adapters.aws.stages")
    point: Any = getattr(stages, "Point", None)
    return [owner for owner in owners if owner is not None and type(owner) is point]


def _types() -> tuple[tuple[type, ...], tuple[type, ...]]:
    from botocore.client import BaseClient
    from botocore.session import Session

    return (BaseClient,), (Session,)


def _emitter_of(target: Any) -> Any:
    """The event emitter of a client, a session (boto3's or botocore's) or a resource; None for anything else.

    By `type(target)`: `isinstance` would wake lazy proxies, which may raise.
    """
    if "botocore" not in sys.modules:
        return None
    clients, sessions = _types()
    kind = type(target)
    if issubclass(kind, clients):
        return target.meta.events
    if issubclass(kind, sessions):
        return target.get_component("event_emitter")
    module = kind.__module__.partition(".")[0]
    if module in ("boto3", "aioboto3"):
        meta = getattr(target, "meta", None)
        if meta is not None and hasattr(meta, "client"):
            return _emitter_of(meta.client)
        if hasattr(target, "_session"):
            return _emitter_of(target._session)
    return None


def _living_emitters() -> list[Any]:
    """The emitters of every living botocore session and client."""
    clients, sessions = _types()
    found: dict[int, Any] = {}
    for candidate in living((*clients, *sessions)):
        try:
            emitter = _emitter_of(candidate)
        except (AttributeError, KeyError, ValueError):
            continue  # half built in another thread: it takes its handlers from BUILTIN_HANDLERS
        if emitter is not None:
            found[id(emitter)] = emitter
    return list(found.values())
