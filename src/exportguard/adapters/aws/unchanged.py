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


class Passing:
    """What makes a request the operation that it is: nothing on its way may make another one of it."""

    __slots__ = ("_action", "_method", "_target", "_url")

    def __init__(self, built: Any) -> None:
        built = built if built.__class__ is dict or isinstance(built, Mapping) else {}
        self._method, self._url = built.get("method"), built.get("url")
        headers, body = built.get("headers"), built.get("body")
        named = headers.__class__ is dict or isinstance(headers, Mapping)
        self._target = headers.get("X-Amz-Target") if named else None
        self._action = body.get("Action") if body.__class__ is dict else None

    def still(self, request: Any) -> bool:
        if request.method != self._method:
            return False
        # Through another host (a proxy's) it is the same operation; under another path it may be any.
        if request.url is not self._url and address(request.url)[1] != address(self._url)[1]:
            return False
        # Setting a header adds another one: both would be sent.
        if self._target is not None and request.headers.get_all("X-Amz-Target") != [self._target]:
            return False
        if self._action is None:
            return True
        return request.data.__class__ is dict and request.data.get("Action") == self._action


def said_operation(request: Any) -> str | None:
    """The operation that a request names itself, in its form or its header; None where its address does."""
    if isinstance(request.data, Mapping) and isinstance(request.data.get("Action"), str):
        return str(request.data["Action"])
    targets = request.headers.get_all("X-Amz-Target") or []
    return str(targets[0]).rpartition(".")[2] or None if len(targets) == 1 else None


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
