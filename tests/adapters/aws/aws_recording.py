"""What the AWS tests share: a gate that records and refuses by a predicate, and a watch on sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from exportguard.vocabulary import (
    CallOrigin,
    CallResult,
    Decision,
    Judgement,
    NotApplicable,
    Observation,
    Outcome,
    ProvisioningRequest,
)


class Refused(Exception):
    """A plain exception, as the guard's are."""


class RecordingGate:
    """The gate's protocol over a predicate: refuses what `refuses` says, records every stage in order."""

    def __init__(self, refuses: Callable[[ProvisioningRequest], bool] = lambda request: False) -> None:
        self.refuses = refuses
        self.seen: list[Observation] = []
        self.origins: list[CallOrigin] = []
        self.released: list[Judgement] = []
        self.settled: list[tuple[CallResult, Mapping[str, Any] | None]] = []
        self.threads: list[int] = []
        self.release_error: Exception | None = None
        self._lock = threading.Lock()

    def judge(self, observe: Callable[[], Observation], origin: CallOrigin) -> Judgement:
        seen = observe()
        with self._lock:
            self.seen.append(seen)
            self.origins.append(origin)
            self.threads.append(threading.get_ident())
        refused = not isinstance(seen, NotApplicable) and self.refuses(seen)
        decision = Decision(
            outcome=Outcome.DENY if refused else Outcome.ALLOW,
            as_of=datetime(2026, 1, 1, tzinfo=UTC),
            policy_digest="p",
            reference_digest="r",
        )
        return Judgement(decision, Refused("no") if refused else None, token=seen)

    def release(self, judgement: Judgement) -> None:
        if self.release_error is not None:
            raise self.release_error
        with self._lock:
            self.released.append(judgement)

    def settle(self, judgement: Judgement, result: CallResult, details: Mapping[str, Any] | None = None) -> None:
        with self._lock:
            self.settled.append((result, details))


def types_of(request: Observation) -> list[str]:
    """The instance types that a request names; an unknown one is `?`."""
    assert isinstance(request, ProvisioningRequest)
    assert isinstance(request.items, tuple)
    return [i.instance_type if isinstance(i.instance_type, str) else "?" for i in request.items]


def names_p5(request: ProvisioningRequest) -> bool:
    return any(kind.strip().lower().startswith("p5") for kind in types_of(request))


@contextlib.contextmanager
def connections() -> Iterator[list[Any]]:
    """Every address that a socket of this process connects to (or resolves) while the block runs."""
    made: list[Any] = []
    real_connect, real_resolve = socket.socket.connect, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> Any:
        made.append(address)
        return real_connect(self, address)

    def resolve(*args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return real_resolve(*args, **kwargs)

    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.getaddrinfo = resolve
    try:
        yield made
    finally:
        socket.socket.connect = real_connect  # type: ignore[method-assign]
        socket.getaddrinfo = real_resolve
