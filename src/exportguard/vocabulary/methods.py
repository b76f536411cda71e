"""Which HTTP methods a call may be taken for: its own, and those that its headers ask a server to take it for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"})
"""Methods that provision nothing."""
_OVERRIDES: Final = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Headers by which a call that can only be sent as a GET or a POST says what it is meant as. Who heeds them differs
from server to server, and from gateway to gateway."""


def overriding(headers: Any) -> tuple[str, ...]:
    """The methods that *headers* (a mapping of whichever HTTP client) ask for, in upper case; nearly always none."""
    store = getattr(headers, "_store", None)
    if isinstance(store, dict):  # azure-core's and requests' own mappings: keys in lower case
        if _OVERRIDES.isdisjoint(store):
            return ()
    elif not headers or not hasattr(headers, "items"):
        return ()
    found: dict[str, None] = {}
    for key, value in headers.items():
        if isinstance(key, bytes):
            key = key.decode("latin-1")
        if isinstance(key, str) and key.strip().lower() in _OVERRIDES:
            said = value.decode("latin-1") if isinstance(value, bytes) else value
            if not isinstance(said, str):
                continue  # openai's own mark for a header that is left out; no client sends anything else
            found.update((part.strip().upper(), None) for part in said.split(",") if part.strip())
    return tuple(found)


def methods_of(method: object, *headers: Mapping[str, Any] | object) -> tuple[str, ...]:
    """Every method that a call may be taken for, in upper case. Those that its headers ask for come first: whoever
    heeds them takes the call for nothing else."""
    asked: tuple[str, ...] = ()
    for each in headers:
        asked += overriding(each)
    return (*asked, str(method).strip().upper())


def acting(methods: tuple[str, ...]) -> str | None:
    """The first of *methods* that does not only read; None where all do."""
    return next((method for method in methods if method not in READING), None)
