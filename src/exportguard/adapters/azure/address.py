"""What a method and a URL say: whose host it is, which resource type, which names, which action.

ARM ids are case-insensitive, may be percent-encoded, carry doubled or trailing slashes, and name an extension
resource by a second `/providers/`: the last one is the resource that the call is about.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from exportguard.adapters.azure import hosts


class Plane(StrEnum):
    ARM = "arm"
    MODELS = "models"
    """Azure OpenAI, Foundry Models and their relatives: calls to a deployed model."""
    BATCH = "batch"
    LEARNING = "learning"
    """Machine learning workspaces' own services: run submission, tracking, assets."""
    DATABRICKS = "databricks"
    DEVCENTER = "devcenter"
    SERVICES = "services"
    """Services that are about something else, but call models or machines where a definition or a query says so."""
    UNLISTED = "unlisted"
    """A host that nobody listed, with a path like nothing known: a gateway, or somebody's own program."""
    OTHER = "other"


class Address(NamedTuple):
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
    segments: tuple[str, ...] = ()
    query: str = ""

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


_PLAIN: Final = re.compile(r"https?://([a-z0-9.-]+)(?::\d+)?(/[A-Za-z0-9/._~()$:-]*)?(?:\?([^#\s]*))?")
"""A URL without anything to clean or decode, as nearly all are."""
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]")


@lru_cache(maxsize=4096)
def split_url(url: str) -> tuple[str, str, str]:
    """Host (lower case, no port, no final dot), path and query of *url*; never raises."""
    plain = _PLAIN.fullmatch(url)
    if plain is not None:
        return plain[1].rstrip("."), plain[2] or "", plain[3] or ""
    cleaned = _CONTROL.sub("", url).replace("\\", "/")
    try:
        parts = urlsplit(cleaned)
        host = (parts.hostname or "").rstrip(".").lower()
        return unquote(host), parts.path, parts.query
    except ValueError:
        return "", cleaned.partition("?")[0], ""


def _segments(path: str, decode: int, decode_first: bool) -> tuple[str, ...]:
    """The parts of *path*, decoded *decode* times; `.` and `..` count where they stand after that."""
    if "%" not in path and "/." not in path and " " not in path:
        return tuple([part for part in path.split("/") if part])
    if decode_first:
        path = unquote(path)
    found: list[str] = []
    for part in path.split("/"):
        for _ in range(decode - decode_first):
            part = unquote(part)
        part = part.strip()
        if part == "..":
            del found[-1:]
        elif part and part != ".":
            found.append(part)
    return tuple(found)


@lru_cache(maxsize=2048)
def addresses(method: str, url: str) -> tuple[Address, ...]:
    """The readings of one URL: one, unless its encoding or a resource's name leaves open where a segment ends."""
    host, path, query = split_url(url)
    ways = [(1, False)]
    if "%" in path:
        low = path.lower()
        if "%25" in low:
            ways.append((2, False))
        if "%2f" in low or "%5c" in low:
            path = path.replace("%5C", "/").replace("%5c", "/")
            ways.append((1, True))
    readings: list[Address] = []
    for decode, first in ways:
        segments = _segments(path, decode, first)
        lowered = tuple([segment.lower() for segment in segments])
        start = _by_pairs(lowered)
        readings.append(_parse(method, host, path, query, segments, lowered, start))
        if lowered.count("providers") > 1:
            last = len(lowered) - 1 - lowered[::-1].index("providers")
            if last != start:
                readings.append(_parse(method, host, path, query, segments, lowered, last))
    return tuple(readings)


_ROOTS: Final = frozenset({"subscriptions", "providers"})
BATCHES: Final = frozenset({"batch", "$batch"})
"""What a call that carries other calls is called, here and in OData."""
INVOKES: Final = "invoke"
"""The type of the portal's own call (`/api/invoke`), whose target is named in a header."""


_CLASSIC: Final = frozenset({"deployments", "roles", "roleinstances"})
"""Classic service management, before Resource Manager: what in its paths creates or starts machines (XML bodies)."""


def _by_pairs(low: tuple[str, ...]) -> int | None:
    """Where the `providers` stands that the call is about. Ids are pairs, so a resource may be named `providers`."""
    found = None
    for at, segment in enumerate(low):
        if segment in _ROOTS:
            for pair in range(at, len(low), 2):
                if low[pair] == "providers":
                    found = pair
            break
    return found


def _parse(
    method: str,
    host: str,
    path: str,
    query: str,
    segments: tuple[str, ...],
    lowered: tuple[str, ...],
    start: int | None,
) -> Address:
    plane, cloud = hosts.classify(host, lowered)
    if plane != Plane.ARM:
        return Address(Plane(plane), host, path, cloud, segments=segments, query=query)
    subscription = None
    if len(segments) > 1 and lowered[0] == "subscriptions":
        subscription = lowered[1]
    elif "subscriptions" in lowered[:-1]:
        subscription = lowered[lowered.index("subscriptions") + 1]
    if host.startswith("management.core.") and not _ROOTS.intersection(lowered[:1]):
        creates = bool(_CLASSIC.intersection(lowered))
        return Address(Plane.ARM, host, path, cloud, lowered[0] if lowered else None, "classic" if creates else "")
    if start is None:
        return _scope_address(host, path, cloud, subscription, segments, lowered)
    rest, low = segments[start + 1 :], lowered[start + 1 :]
    namespace = low[0] if low else ""
    pairs, kinds, action = rest[1:], low[1::2], ""
    if len(pairs) % 2:
        if method.upper() == "POST":
            action, pairs, kinds = low[-1], pairs[:-1], kinds[:-1]
        else:
            pairs = (*pairs, "")
    types = "/".join((namespace, *kinds))
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
    if low and low[-1] in BATCHES and (len(low) % 2 or low[0] not in _ROOTS):
        kind, action, used = "batch", "", len(low)
    elif low[-2:] == ("api", "invoke"):
        kind, action, used = INVOKES, "", len(low)
    names = segments[1:used:2]
    if action == "deployments" and used == 4:
        # Resource Manager's first API versions had deployments right below the group.
        kind, names, used = "microsoft.resources/deployments", segments[used + 1 : used + 2], used + 2
        action = low[used] if len(low) > used else ""
    ident = "/" + "/".join(segments[:used])
    return Address(Plane.ARM, host, path, cloud, subscription, kind, names, action, ident, segments)
