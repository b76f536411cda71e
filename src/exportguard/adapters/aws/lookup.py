"""What a call only names: a launch template, an endpoint configuration, an inference profile.

A resolver answers one read-only API call. Which call to make and how to read the answer is known by the operations,
so that a resolver stays a dozen lines: a dictionary in a test, a botocore client in `resolver.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from exportguard.vocabulary import Unknown


@dataclass(frozen=True, slots=True)
class Question:
    """One read-only API call (`Describe*`, `Get*`, `BatchGet*`, `Search*`), in botocore's words.

    `immutable`: the answer can never change (a numbered launch template version), so it may be kept.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    region: str | None = None
    immutable: bool = False


class Resolver(Protocol):
    """Answers questions about what a call only names."""

    def ask(self, question: Question) -> Mapping[str, Any] | Unknown:
        """The API's answer as botocore parses it, or `Unknown` with the reason. Never raises; limited in time."""
        ...


NOT_LOOKED_UP = "nothing was looked up: no resolver"


class NoResolver:
    """Nothing can be looked up: what a call only names stays unknown."""

    def ask(self, question: Question) -> Unknown:
        return Unknown(NOT_LOOKED_UP)


NO_RESOLVER = NoResolver()

LONGEST_TOGETHER = 10.0
"""Seconds that all look-ups of one call may take together; each is limited by its resolver besides."""
MOST_TOGETHER = 100


class Together:
    """One call's questions to a resolver, bounded as a whole: past the bounds the rest is unknown."""

    __slots__ = ("_clock", "_left", "_resolver", "_until")

    def __init__(self, resolver: Resolver, *, clock: Callable[[], float] = monotonic) -> None:
        self._resolver, self._clock = resolver, clock
        self._until: float | None = None
        self._left = MOST_TOGETHER

    @property
    def asked(self) -> bool:
        """Whether anything was looked up so far."""
        return self._left != MOST_TOGETHER

    def ask(self, question: Question) -> Mapping[str, Any] | Unknown:
        now = self._clock()
        if self._until is None:
            self._until = now + LONGEST_TOGETHER
        self._left -= 1
        if now >= self._until or self._left < 0:
            return Unknown("looking things up for this call took too long altogether")
        return self._resolver.ask(question)


looking_up: ContextVar[bool] = ContextVar("exportguard_aws_looking_up", default=False)
"""True while a resolver makes its own calls: those are read-only and are not judged."""
