"""`because` filled in when a rule is reported: a text with facts in braces."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from exportguard.language.compile import fact_paths
from exportguard.language.conversions import CONVERSIONS
from exportguard.language.evaluation import Indeterminate, Scope
from exportguard.language.schema import ROOTS
from exportguard.language.syntax import Node, path_text
from exportguard.language.threevalued import build

Parts = tuple[str | Node, ...]
"""Text, and the facts (as trees) between its pieces."""


class Message:
    """A text with facts put in, for one combination. Never raises: a fact that cannot be read is told as unknown."""

    __slots__ = ("_ready", "parts")

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._ready: list[str | tuple[Callable[[Any], Any], Callable[[Any, Any], Any], str]] | None = None

    def __call__(self, scope: Scope) -> str:
        ready = self._ready
        if ready is None:
            ready = self._ready = [part if isinstance(part, str) else _prepared(part) for part in self.parts]
        said: list[str] = []
        for part in ready:
            if isinstance(part, str):
                said.append(part)
                continue
            text, read, path = part
            try:
                value = text(scope)
            except AttributeError:
                value = None
            if value.__class__ is str:  # a fact that is a text is told as it is, and most are
                said.append(value)
                continue
            try:
                said.append(_shown(read(scope, ()), path))
            except Exception:  # noqa: BLE001 - a message must not stop a decision
                said.append(f"unknown {path}")
        return "".join(said).strip()


def _prepared(part: Node) -> tuple[Callable[[Any], Any], Callable[[Any, Any], Any], str]:
    """How a fact is read where it is a text, how it is read with care, and what it is called."""
    path = path_text(part)
    plain = part.type == "string" and path is not None and path.partition(".")[0] in ROOTS
    return attrgetter(path) if plain and path else _nothing, build(part), ".".join(fact_paths(part))


def _nothing(_: Any) -> None:
    return None


def _shown(value: Any, path: str) -> str:
    if value.__class__ is str:
        return value
    if value.__class__ is Indeterminate:
        return f"unknown {path}"
    if value is None:
        return f"no {path}"
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(_shown(part, path) for part in value) or "none"
    return str(CONVERSIONS["string"](value))
