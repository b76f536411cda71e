"""Which model an Azure OpenAI deployment runs, asked of Resource Manager with a credential of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from exportguard.adapters.azure.resolve import DeploymentFact
from exportguard.adapters.azure.resolver import document_of
from exportguard.forks import Lock
from exportguard.vocabulary.fact import Unknown

_VERSION: Final = "2024-10-01"
"""API version of Microsoft.CognitiveServices accounts and deployments."""
_TIMEOUT: Final = 5.0


class ArmDeployments:
    """Deployment name -> model, for `Guard.load(resolver={"openai": ArmDeployments(...)})` (`"azure"` takes it too).

    Thread-safe; answers `Unknown` with the reason for whatever it cannot tell, and never raises. An account's
    region is kept for good, what stands behind a deployment for *keep* seconds: it can be given another model.

    Args:
        credential: any azure-identity credential that may read the accounts (`Reader`, or `Cognitive Services User`).
        subscriptions: ids of the subscriptions whose accounts are searched for the host that is called.
        endpoint: Resource Manager of the cloud.
        keep: seconds that an answer is used again.
        transport: an azure-core transport, for proxies and tests.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        credential: Any,
        subscriptions: Iterable[str],
        *,
        endpoint: str = "https://management.azure.com",
        keep: float = 60.0,
        transport: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy

        signs = BearerTokenCredentialPolicy(credential, f"{endpoint.rstrip('/')}/.default")
        more = {} if transport is None else {"transport": transport}
        policies = [RetryPolicy(retry_total=1, retry_status=0, timeout=2 * _TIMEOUT), signs]
        self._client: Any = PipelineClient(endpoint, policies=policies, **more)
        self._subscriptions = (subscriptions,) if isinstance(subscriptions, str) else tuple(subscriptions)
        self._keep, self._clock = keep, clock
        self._lock = Lock()
        self._accounts: dict[str, tuple[str, str]] = {}
        self._kept: dict[str, tuple[float, DeploymentFact]] = {}

    def deployment(self, host: str, name: str) -> DeploymentFact | Unknown:
        """What stands behind the deployment *name* of the account that *host* serves."""
        key = f"{host.lower()}/{name.lower()}"
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and self._clock() - kept[0] < self._keep:
            return kept[1]
        account = self._account(host.lower())
        if isinstance(account, Unknown):
            return account
        found = self._get(f"{account[0]}/deployments/{quote(name, safe='')}?api-version={_VERSION}")
        if isinstance(found, Unknown):
            return found
        fact = _fact(found, account[1])
        if fact is None:
            return Unknown(f"deployment `{name}` does not say its model"[:2000])
        with self._lock:
            if len(self._kept) >= 4096:
                self._kept.clear()
            self._kept[key] = (self._clock(), fact)
        return fact

    def _account(self, host: str) -> tuple[str, str] | Unknown:
        """Id and region of the account that serves *host*."""
        with self._lock:
            known = self._accounts.get(host)
        if known is not None:
            return known
        for subscription in self._subscriptions:
            path = f"/subscriptions/{subscription}/providers/Microsoft.CognitiveServices/accounts"
            following: str | None = f"{path}?api-version={_VERSION}"
            for _ in range(100):
                if following is None:
                    break
                listing = self._get(following)
                if isinstance(listing, Unknown):
                    return listing
                for account in listing.get("value") or ():
                    ident, location = account.get("id"), account.get("location")
                    if host in _hosts(account) and isinstance(ident, str) and isinstance(location, str):
                        with self._lock:
                            self._accounts[host] = (ident, location)
                        return ident, location
                after = listing.get("nextLink")
                following = after if isinstance(after, str) and after else None
        return Unknown(f"no account of the subscriptions serves `{host}`"[:2000])

    def _get(self, path: str) -> Mapping[str, Any] | Unknown:
        from azure.core.rest import HttpRequest

        try:
            url = path if "://" in path else self._client.format_url(path)
            request = HttpRequest("GET", url)
            answer = self._client.send_request(request, connection_timeout=_TIMEOUT, read_timeout=_TIMEOUT)
            return document_of(answer)
        except Exception as error:  # noqa: BLE001 - any failure is "not known"
            return Unknown(f"the look-up failed ({type(error).__name__})")


def _hosts(account: Any) -> set[str]:
    """The hosts that an account serves: its endpoint and those of its single APIs."""
    properties = account.get("properties") if isinstance(account, Mapping) else None
    if not isinstance(properties, Mapping):
        return set()
    endpoints = properties.get("endpoints")
    urls = [properties.get("endpoint"), *(endpoints.values() if isinstance(endpoints, Mapping) else ())]
    return {(urlsplit(url).hostname or "").lower() for url in urls if isinstance(url, str)} - {""}


def _fact(found: Mapping[str, Any], location: str) -> DeploymentFact | None:
    properties, sku = found.get("properties"), found.get("sku")
    model = properties.get("model") if isinstance(properties, Mapping) else None
    name = model.get("name") if isinstance(model, Mapping) else None
    kind = sku.get("name") if isinstance(sku, Mapping) else None
    if not isinstance(name, str) or not name:
        return None
    return DeploymentFact(name, kind if isinstance(kind, str) else None, location)
