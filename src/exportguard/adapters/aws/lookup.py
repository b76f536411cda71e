"""What a call only names: a launch template, an endpoint configuration, an inference profile.

A resolver answers one read-only API call. Which call to make and how to read the answer is known by the operations,
so that a resolver stays a dozen lines: a dictionary in a test, a botocore client in `resolver.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from exportguard.vocabulary import Unknown


@dataclass(frozen=True, slots=True)
class Question:
    """One read-only API call (`Describe*`, `Get*`, `Search*`), in botocore's words.

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


class NoResolver:
    """Nothing can be looked up: what a call only names stays unknown."""

    def ask(self, question: Question) -> Unknown:
        return Unknown("nothing was looked up: no resolver")


NO_RESOLVER = NoResolver()

looking_up: ContextVar[bool] = ContextVar("exportguard_aws_looking_up", default=False)
"""True while a resolver makes its own calls: those are read-only and are not judged."""
