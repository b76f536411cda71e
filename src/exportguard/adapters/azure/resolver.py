"""Looks up what a call only names, read-only, through the judged client's own pipeline and credential."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from exportguard.adapters.azure.resolve import DeploymentFact, KnowsDeployments
from exportguard.forks import Lock
from exportguard.vocabulary.fact import Unknown

TIMEOUT: Final = 10.0
"""Seconds that the look-ups of one call may take together; after that what they would tell is unknown."""

_VERSIONS: Final = {
    "microsoft.compute": "2024-07-01",
    "microsoft.containerservice": "2024-09-01",
    "microsoft.cognitiveservices": "2024-10-01",
    "microsoft.machinelearningservices": "2024-10-01",
    "microsoft.batch": "2024-02-01",
    "microsoft.app": "2024-03-01",
    "microsoft.resources": "2022-02-01",
}
"""Stable API versions for look-ups across services; within one service the judged call's own version is used."""


_GROUPS: Final = "2021-04-01"
"""API version of resource groups, whose ids have no provider."""


class Places:
    """Locations that were looked up, for a minute each: a resource keeps its own, unless it is made anew elsewhere.

    Thread-safe. Sizes and models are never kept: they are what a call may just have changed.
    """

    KEEP: Final = 60.0
    MOST: Final = 4096

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._kept: dict[str, tuple[float, str]] = {}

    def get(self, key: str) -> str | None:
        with self._lock:
            kept = self._kept.get(key.lower())
            return kept[1] if kept is not None and self._clock() - kept[0] < self.KEEP else None

    def put(self, key: str, location: str) -> None:
        with self._lock:
            if len(self._kept) >= self.MOST:
                self._kept.clear()
            self._kept[key.lower()] = (self._clock(), location)

    def forget(self, key: str) -> None:
        """A write to *key* may move it."""
        with self._lock:
            self._kept.pop(key.lower(), None)


class PipelineReader:
    """GETs through one azure-core pipeline. Answers `Unknown` for every failure, and never raises."""

    def __init__(
        self,
        pipeline: Any,
        url: str,
        loop: asyncio.AbstractEventLoop | None = None,
        places: Places | None = None,
        deployments: KnowsDeployments | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.lower()
        self._version = next((v[0] for k, v in parse_qs(parts.query).items() if k.lower() == "api-version"), None)
        self._pipeline, self._loop = pipeline, loop
        self._places = places if places is not None else Places()
        self._deployments = deployments
        self._until: float | None = None

    def location(self, resource_id: str, cloud: str | None) -> str | Unknown:
        """Where the resource stands; an answer is used again for a minute."""
        key = f"{self._base}{resource_id}"
        known = self._places.get(key)
        if known is not None:
            return known
        current = self.read(resource_id, cloud)
        if isinstance(current, Unknown):
            return current
        found = current.get("location")
        if not isinstance(found, str) or not found.strip():
            return Unknown(f"`{resource_id}` names no location"[:2000])
        self._places.put(key, found.strip())
        return found.strip()

    def read(self, resource_id: str, cloud: str | None) -> Mapping[str, Any] | Unknown:
        before, marker, after = resource_id.lower().rpartition("/providers/")
        namespace = after.partition("/")[0] if marker else ""
        if not marker:
            version = _GROUPS if before == "" and after.startswith("/subscriptions/") else self._version
        elif namespace == "microsoft.resources" or namespace not in self._path:
            version = _VERSIONS.get(namespace)
        else:
            version = self._version
        if version is None:
            return Unknown(f"no API version is known for `{namespace}`"[:200])
        return self._get(f"{self._base}{resource_id}?api-version={version}")

    def deployment(self, host: str, name: str) -> DeploymentFact | Unknown:
        if self._deployments is not None:
            return self._deployments.deployment(host, name)
        return Unknown("the client that calls a deployment cannot ask ARM for it")

    def _get(self, url: str) -> Mapping[str, Any] | Unknown:
        now = time.monotonic()
        self._until = self._until or now + TIMEOUT
        left = self._until - now
        if left <= 0:
            return Unknown("the look-ups took too long")
        # No retries: the service may ask for an hour before one. Without a retry policy the option would reach the
        # transport, which does not know it.
        limits: dict[str, Any] = {"retry_total": 0} if _retries(self._pipeline) else {}
        try:
            request = _reading(self._pipeline, url)
            if self._loop is not None:
                future = asyncio.run_coroutine_threadsafe(self._pipeline.run(request, **limits), self._loop)
                try:
                    response = future.result(left).http_response
                finally:
                    future.cancel()
            else:
                if not _older(self._pipeline):
                    limits |= {"connection_timeout": left, "read_timeout": left}
                response = self._pipeline.run(request, **limits).http_response
            return document_of(response)
        except (KeyboardInterrupt, SystemExit):
            raise
        except (Exception, concurrent.futures.CancelledError) as error:  # noqa: BLE001 - any failure is "not known"
            return Unknown(f"the look-up failed ({type(error).__name__})")


def _older(pipeline: Any) -> bool:
    """Whether the pipeline is of the clients before azure-core."""
    return type(pipeline).__module__.partition(".")[0] == "msrest"


def _reading(pipeline: Any, url: str) -> Any:
    if _older(pipeline):
        from msrest.universal_http import ClientRequest

        return ClientRequest("GET", url)
    from azure.core.rest import HttpRequest

    return HttpRequest("GET", url)


def _retries(pipeline: Any) -> bool:
    if _older(pipeline):
        return False
    policies = (getattr(runner, "_policy", runner) for runner in pipeline._impl_policies)
    return any("Retry" in type(policy).__name__ for policy in policies)


def document_of(response: Any) -> Mapping[str, Any] | Unknown:
    if response.status_code != 200:
        return Unknown(f"the look-up was answered with {response.status_code}")
    content = response.content if hasattr(response, "content") else response.body()
    document = json.loads(content)
    return document if isinstance(document, Mapping) else Unknown("the look-up was not answered with an object")
