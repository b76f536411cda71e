"""What a method and a URL say: whose host it is, which resource type, which names, which action.

ARM ids are case-insensitive, may be percent-encoded, carry doubled or trailing slashes, and name an extension
resource by a second `/providers/`: the last one is the resource that the call is about.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from exportguard.adapters.azure import hosts


class Plane(StrEnum):
    ARM = "arm"
    MODELS = "models"
    """Azure OpenAI, Foundry Models and their relatives: calls to a deployed model."""
    BATCH = "batch"
    DATABRICKS = "databricks"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Address:
    """`type` is lower case (`microsoft.compute/virtualmachines`), `names` has one name for each of its parts after
    the namespace, `id` is the resource without the action, `action` is lower case or empty."""

    plane: Plane
    host: str
    path: str
    cloud: str | None = None
    subscription: str | None = None
    type: str = ""
    names: tuple[str, ...] = ()
    action: str = ""
    id: str = ""
    segments: tuple[str, ...] = field(default=())

    @property
    def parents(self) -> tuple[tuple[str, str], ...]:
        """(type, id) of the resources that this one stands in, nearest first."""
        found = []
        kind, ident = self.type, self.id
        while kind.count("/") > 1:
            kind = kind.rpartition("/")[0]
            ident = ident.rpartition("/")[0].rpartition("/")[0]
            found.append((kind, ident))
        return tuple(found)

    @property
    def location(self) -> str | None:
        """A location that the path itself names (`/locations/westeurope/…`), in the scope or in the type."""
        for index, segment in enumerate(self.segments[:-1]):
            if segment.lower() == "locations":
                return self.segments[index + 1]
        return None


_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]")


@lru_cache(maxsize=4096)
def split_url(url: str) -> tuple[str, str, str]:
    """Host (lower case, no port, no final dot), path and query of *url*; never raises."""
    cleaned = _CONTROL.sub("", url).replace("\\", "/")
    try:
        parts = urlsplit(cleaned)
        host = (parts.hostname or "").rstrip(".").lower()
        return unquote(host), parts.path, parts.query
    except ValueError:
        return "", cleaned.partition("?")[0], ""


def _segments(path: str, decode_first: bool) -> tuple[str, ...]:
    if decode_first:
        path = unquote(path)
    if "/." in path:
        path = posixpath.normpath(path)
    parts = (part for part in path.split("/") if part)
    return tuple(parts if decode_first else (unquote(part) for part in parts))


@lru_cache(maxsize=2048)
def addresses(method: str, url: str) -> tuple[Address, ...]:
    """The readings of one URL: one, or two where an encoded slash leaves open where a segment ends."""
    host, path, _ = split_url(url)
    readings = [parse(method, host, path, decode_first=False)]
    if "%2f" in path.lower() or "%5c" in path.lower():
        readings.append(parse(method, host, path.replace("%5C", "/").replace("%5c", "/"), decode_first=True))
    return tuple(readings)


def parse(method: str, host: str, path: str, *, decode_first: bool = False) -> Address:
    segments = _segments(path, decode_first)
    lowered = tuple(segment.lower() for segment in segments)
    plane, cloud = hosts.classify(host, lowered)
    if plane != Plane.ARM:
        return Address(Plane(plane), host, path, cloud, segments=segments)
    subscription = None
    if len(segments) > 1 and lowered[0] == "subscriptions":
        subscription = lowered[1]
    elif "subscriptions" in lowered[:-1]:
        subscription = lowered[lowered.index("subscriptions") + 1]
    try:
        start = len(lowered) - 1 - lowered[::-1].index("providers")
    except ValueError:
        return _scope_address(host, path, cloud, subscription, segments, lowered)
    rest, low = segments[start + 1 :], lowered[start + 1 :]
    namespace = low[0] if low else ""
    pairs, action = rest[1:], ""
    if len(pairs) % 2:
        if method.upper() == "POST":
            action, pairs = low[-1], pairs[:-1]
        else:
            pairs = (*pairs, "")
    types = "/".join((namespace, *(segment.lower() for segment in pairs[::2])))
    ident = "/" + "/".join(segments[: start + 2 + len(pairs)])
    return Address(Plane.ARM, host, path, cloud, subscription, types, tuple(pairs[1::2]), action, ident, segments)


def _scope_address(
    host: str, path: str, cloud: str | None, subscription: str | None, segments: tuple[str, ...], low: tuple[str, ...]
) -> Address:
    """A path without `/providers/`: a subscription, a resource group, or an action on one (`/batch` is one)."""
    kind = "microsoft.resources/subscriptions"
    used = 2
    if len(low) > 2 and low[2] == "resourcegroups":
        kind, used = "microsoft.resources/resourcegroups", 4
    action = low[used] if len(low) > used else ""
    if low and low[0] == "batch":
        kind, action, used = "batch", "", 1
    ident = "/" + "/".join(segments[:used])
    return Address(Plane.ARM, host, path, cloud, subscription, kind, segments[1:used:2], action, ident, segments)
