"""Looks up what a call only names, read-only, through the judged client's own pipeline and credential."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from exportguard.adapters.azure.resolve import DeploymentFact
from exportguard.vocabulary.fact import Unknown

TIMEOUT: Final = 10.0
"""Seconds that one look-up may take; after that the fact is unknown."""

_VERSIONS: Final = {
    "microsoft.compute": "2024-07-01",
    "microsoft.containerservice": "2024-09-01",
    "microsoft.cognitiveservices": "2024-10-01",
    "microsoft.machinelearningservices": "2024-10-01",
    "microsoft.batch": "2024-02-01",
    "microsoft.app": "2024-03-01",
}
"""Stable API versions for look-ups across services; within one service the judged call's own version is used."""


class PipelineReader:
    """GETs through one azure-core pipeline. Answers `Unknown` for every failure, and never raises."""

    def __init__(self, pipeline: Any, url: str, loop: asyncio.AbstractEventLoop | None = None) -> None:
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path.lower()
        self._version = next((v[0] for k, v in parse_qs(parts.query).items() if k.lower() == "api-version"), None)
        self._pipeline, self._loop = pipeline, loop

    def read(self, resource_id: str, cloud: str | None) -> Mapping[str, Any] | Unknown:
        namespace = resource_id.lower().rpartition("/providers/")[2].partition("/")[0]
        version = self._version if namespace and namespace in self._path else _VERSIONS.get(namespace)
        if version is None:
            return Unknown(f"no API version is known for `{namespace}`"[:200])
        return self._get(f"{self._base}{resource_id}?api-version={version}")

    def deployment(self, host: str, name: str) -> DeploymentFact | Unknown:
        return Unknown("the client that calls a deployment cannot ask ARM for it")

    def _get(self, url: str) -> Mapping[str, Any] | Unknown:
        from azure.core.rest import HttpRequest

        try:
            request = HttpRequest("GET", url)
            if self._loop is not None:
                future = asyncio.run_coroutine_threadsafe(self._pipeline.run(request), self._loop)
                response = future.result(TIMEOUT).http_response
            else:
                response = self._pipeline.run(
                    request, connection_timeout=TIMEOUT, read_timeout=TIMEOUT, retry_total=1
                ).http_response
            return _document(response)
        except (KeyboardInterrupt, SystemExit):
            raise
        except (Exception, concurrent.futures.CancelledError) as error:  # noqa: BLE001 - any failure is "not known"
            return Unknown(f"the look-up failed ({type(error).__name__})")


def _document(response: Any) -> Mapping[str, Any] | Unknown:
    if response.status_code != 200:
        return Unknown(f"the look-up was answered with {response.status_code}")
    content = response.content if hasattr(response, "content") else response.body()
    document = json.loads(content)
    return document if isinstance(document, Mapping) else Unknown("the look-up was not answered with an object")


class ArmDeployments:
    """Deployment name -> model, by listing the deployments of the accounts that a subscription has.

    `get` reads one ARM path (with its api-version) and returns the document; an azure-identity credential makes one
    with `armed`. Answers are kept for `keep` seconds by the caller's clock.
    """

    def __init__(self, subscription: str, get: Callable[[str], Mapping[str, Any] | Unknown]) -> None:
        self._subscription, self._get = subscription, get
        self._accounts: dict[str, tuple[str, str]] = {}

    def read(self, resource_id: str, cloud: str | None) -> Mapping[str, Any] | Unknown:
        namespace = resource_id.lower().rpartition("/providers/")[2].partition("/")[0]
        version = _VERSIONS.get(namespace)
        if version is None:
            return Unknown(f"no API version is known for `{namespace}`"[:200])
        return self._get(f"{resource_id}?api-version={version}")

    def deployment(self, host: str, name: str) -> DeploymentFact | Unknown:
        account = self._account(host)
        if isinstance(account, Unknown):
            return account
        ident, location = account
        version = _VERSIONS["microsoft.cognitiveservices"]
        found = self._get(f"{ident}/deployments/{name}?api-version={version}")
        if isinstance(found, Unknown):
            return found
        properties = found.get("properties")
        model = properties.get("model") if isinstance(properties, Mapping) else None
        model_name = model.get("name") if isinstance(model, Mapping) else None
        sku = found.get("sku")
        sku_name = sku.get("name") if isinstance(sku, Mapping) else None
        if not isinstance(model_name, str) or not model_name:
            return Unknown(f"deployment `{name}` does not say its model"[:2000])
        return DeploymentFact(model_name, sku_name if isinstance(sku_name, str) else None, location)

    def _account(self, host: str) -> tuple[str, str] | Unknown:
        known = self._accounts.get(host)
        if known is not None:
            return known
        version = _VERSIONS["microsoft.cognitiveservices"]
        base = f"/subscriptions/{self._subscription}/providers/Microsoft.CognitiveServices/accounts"
        listing = self._get(f"{base}?api-version={version}")
        if isinstance(listing, Unknown):
            return listing
        for account in listing.get("value") or ():
            properties = account.get("properties") if isinstance(account, Mapping) else None
            if isinstance(properties, Mapping) and host in json.dumps(properties).lower():
                ident, location = account.get("id"), account.get("location")
                if isinstance(ident, str) and isinstance(location, str):
                    self._accounts[host] = (ident, location)
                    return ident, location
        return Unknown(f"no account of the subscription serves `{host}`"[:2000])


def armed(credential: Any, endpoint: str = "https://management.azure.com") -> Callable[[str], Any]:
    """A `get` for `ArmDeployments` with any azure-identity credential."""
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy

    policy = BearerTokenCredentialPolicy(credential, f"{endpoint}/.default")
    client: Any = PipelineClient(endpoint, authentication_policy=policy)

    def get(path: str) -> Mapping[str, Any] | Unknown:
        from azure.core.rest import HttpRequest

        try:
            return _document(client.send_request(HttpRequest("GET", path)))
        except Exception as error:  # noqa: BLE001 - any failure is "not known"
            return Unknown(f"the look-up failed ({type(error).__name__})")

    return get
