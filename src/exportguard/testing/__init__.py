"""For test suites that hold a policy to its word: a pytest plugin, builders, assertions, a recorder, strategies.

The plugin comes with the package: a fixture `guard`, a fixture `attempts` (what a test tried to provision) and a
marker `exportguard`. Nothing of exportguard is imported by it until a test asks for one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.testing.assertions import assert_allowed, assert_denied, assert_held, refuses
    from exportguard.testing.builders import UNKNOWN, anthropic_call, boto3_call, openai_call, party, request
    from exportguard.testing.recorder import Attempt, Attempts, RecordingGuard

_HOMES = {
    "assert_allowed": "assertions",
    "assert_denied": "assertions",
    "assert_held": "assertions",
    "refuses": "assertions",
    "UNKNOWN": "builders",
    "boto3_call": "builders",
    "anthropic_call": "builders",
    "openai_call": "builders",
    "party": "builders",
    "request": "builders",
    "Attempt": "recorder",
    "Attempts": "recorder",
    "RecordingGuard": "recorder",
}

__all__ = [
    "UNKNOWN",
    "Attempt",
    "Attempts",
    "RecordingGuard",
    "anthropic_call",
    "assert_allowed",
    "assert_denied",
    "assert_held",
    "boto3_call",
    "openai_call",
    "party",
    "refuses",
    "request",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(f"exportguard.testing.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
