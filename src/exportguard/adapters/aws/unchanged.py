"""What a call is held to between its events: where it goes, and what its parameters were when it was judged."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from exportguard.adapters.aws.places import normal_region, region_of_host
from exportguard.errors import GuardError

_ATOMS = frozenset({str, bytes, int, float, bool, type(None)})


def address(url: Any) -> tuple[str, str]:
    """Host and path: what decides where a request goes and, on Bedrock, which model it asks."""
    if not isinstance(url, str):
        return "", ""
    start = url.find("://") + 3
    end = url.find("?", start)
    host, _, path = (url[start:] if end < 0 else url[start:end]).partition("/")
    return host.lower(), path


def regions_of(region: Any, url: str | None, signed_for: Any) -> frozenset[str]:
    known = region.__class__ is str and (signed_for is None or signed_for.__class__ is str)
    # Past its host, a URL may be anything and of any length: a Bedrock call has its model there.
    return _of_texts(region, _host(url), signed_for) if known else _of(region, url, signed_for)


def _host(url: str | None) -> str | None:
    if url is None:
        return None
    end = url.find("/", url.find("://") + 3)
    return url if end < 0 or "\\" in url else url[:end]


def _of(region: Any, url: str | None, signed_for: Any) -> frozenset[str]:
    found = (normal_region(region), region_of_host(url), normal_region(signed_for))
    return frozenset(name for name in found if name is not None)


_of_texts = lru_cache(maxsize=1024)(_of)


def fingerprint(value: Any, depth: int = 0) -> Any:
    """Equal before and after only if nothing was changed in between. Texts and bytes are compared, not copied."""
    if type(value) is dict or isinstance(value, Mapping):
        if depth > 60:
            raise GuardError("the parameters are nested too deeply to be judged")
        return {key: entry if type(entry) in _ATOMS else fingerprint(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        if depth > 60:
            raise GuardError("the parameters are nested too deeply to be judged")
        return [fingerprint(entry, depth + 1) for entry in value]
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, (str, bytes, int, float, bool)) or value is None:
        return value
    return (type(value), id(value))
