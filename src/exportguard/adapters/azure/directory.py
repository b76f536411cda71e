"""Who a subscription is provisioned for, asked of Azure itself: its tags, its tenant, the tenants that manage it.

The customers document stays the record. Azure only says which of its customers is meant, and adds evidence: the
country that a tenant was registered in is no jurisdiction, but where it contradicts the record both are asked about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from exportguard.errors import ConfigurationError, GuardError
from exportguard.parties import Customer
from exportguard.parties.asked import AskedDirectory, with_country, word
from exportguard.vocabulary.fact import FactSource, Unknown
from exportguard.vocabulary.party import Party, Role

_VERSION: Final = "2022-12-01"
"""API version of `Subscriptions_Get` and `Tenants_List`, the first with tags, managing tenants and `countryCode`."""
_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Tenant:
    """`country` is the code that the tenant was registered with; both are None where the credential may not see it."""

    id: str
    name: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """What Azure says about a subscription. `managers` are the other tenants that act in it (resellers, operators)."""

    id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    tenant: Tenant | None = None
    managers: tuple[Tenant, ...] = ()


class AzureDirectory(AskedDirectory):
    """A `CustomerDirectory` over another one, with what Azure knows of a subscription. Thread-safe.

    Args:
        credential: any azure-identity credential that may read the subscriptions (`Reader` is enough).
        customers: the record: whatever `Guard.load(customers=...)` takes.
        endpoint: Resource Manager of the cloud.
        keep: seconds that an answer is used again. Failures are never kept.
        transport: an azure-core transport, for proxies and tests.
        clock: seconds, monotonic.

    Raises:
        DocumentError, ConfigurationError: *customers* cannot be read.
    """

    def __init__(
        self,
        credential: Any,
        *,
        customers: Any = None,
        endpoint: str = "https://management.azure.com",
        keep: float = 300.0,
        transport: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy

        super().__init__(customers, keep, clock)
        signs = BearerTokenCredentialPolicy(credential, f"{endpoint.rstrip('/')}/.default")
        more = {} if transport is None else {"transport": transport}
        policies = [RetryPolicy(retry_total=1, retry_status=0, timeout=2 * _TIMEOUT), signs]
        self._client: Any = PipelineClient(endpoint, policies=policies, **more)

    def by_account(self, provider: str | None, account: str) -> tuple[Customer, ...]:
        """Everybody whom the record has for the subscription, its tags, its tenant and the tenants that manage it.

        Raises:
            ConfigurationError: the credential may not read the subscription.
            GuardError: Azure could not be asked.
        """
        found = {customer.id: customer for customer in self._record.by_account(provider, account)}
        ident = _subscription_id(account)
        if provider not in (None, "azure") or ident is None:
            return tuple(found.values())
        seen = self.subscription(ident)
        named = list(self._record.by_tags(seen.tags)) if seen.tags else []
        for tenant in (seen.tenant, *seen.managers):
            named += self._record.by_account("azure", tenant.id) if tenant is not None else ()
        found |= {customer.id: customer for customer in named}
        customers = list(found.values())
        if seen.tenant is not None:
            source = _source(seen, seen.tenant, "party.country")
            customers = [with_country(customer, seen.tenant.country, source) for customer in customers]
        strangers = [each for each in seen.managers if not self._record.by_account("azure", each.id)]
        if strangers:
            customers.append(_managers(seen, strangers))
        if not found and seen.tenant is not None:
            customers.append(_owner(seen, seen.tenant))
        return tuple(customers)

    def subscription(self, ident: str) -> Subscription:
        """What Azure says about the subscription *ident*. Raises as `by_account`."""
        known = self._recall(ident)
        if known is None:
            known = self._keep_as(ident, self._ask(ident))
        found: Subscription = known
        return found

    def _ask(self, ident: str) -> Subscription:
        document = self._get(f"/subscriptions/{ident}?api-version={_VERSION}", f"subscription {ident}")
        tenants = self._tenants()
        home = document.get("tenantId")
        managing = [each.get("tenantId") for each in _objects(document.get("managedByTenants"))]
        tags = document.get("tags")
        return Subscription(
            ident,
            {k: v for k, v in tags.items() if isinstance(v, str)} if isinstance(tags, Mapping) else {},
            tenants.get(home.lower(), Tenant(home)) if isinstance(home, str) and home else None,
            tuple(
                tenants.get(i.lower(), Tenant(i)) for i in dict.fromkeys(managing) if isinstance(i, str) and i != home
            ),
        )

    def _tenants(self) -> dict[str, Tenant]:
        """The tenants that the credential can see, by id."""
        known = self._recall("")
        if known is None:
            listed = _objects(self._get(f"/tenants?api-version={_VERSION}", "the tenants").get("value"))
            known = {
                str(each.get("tenantId")).lower(): Tenant(
                    str(each.get("tenantId")), word(each.get("displayName")), word(each.get("countryCode"))
                )
                for each in listed
            }
            self._keep_as("", known)
        found: dict[str, Tenant] = known
        return found

    def _get(self, path: str, what: str) -> Mapping[str, Any]:
        from azure.core.rest import HttpRequest

        try:
            answer = self._client.send_request(
                HttpRequest("GET", self._client.format_url(path)), connection_timeout=_TIMEOUT, read_timeout=_TIMEOUT
            )
            status, document = answer.status_code, answer.json() if answer.status_code == 200 else None
        except Exception as problem:
            raise GuardError(f"Azure could not be asked about {what}: {type(problem).__name__}") from problem
        if status in (401, 403, 404):
            raise ConfigurationError(
                f"the credential may not read {what} (answered with {status})",
                remedy="Give it the Reader role there, or map the subscription in the customers document only.",
            )
        if not isinstance(document, Mapping):
            raise GuardError(f"Azure could not be asked about {what}: answered with {status}")
        return document


def _subscription_id(account: str) -> str | None:
    """The id in a subscription's own spelling or in its ARM path; None for anything else."""
    text = account.strip().lower()
    text = text.split("/")[2] if text.startswith("/subscriptions/") else text
    return text if len(text) == 36 and text.count("-") == 4 else None


def _objects(value: Any) -> Iterable[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _source(seen: Subscription, tenant: Tenant, path: str) -> FactSource:
    return FactSource(path=path, source=f"tenant {tenant.id} of subscription {seen.id}"[:2000])


def _party(seen: Subscription, tenant: Tenant, role: Role) -> Party:
    given: dict[str, Any] = {"role": role, "id": tenant.id, "sources": (_source(seen, tenant, "party"),)}
    # An id is no name: screened as one, it would be on no list.
    given["name"] = tenant.name or Unknown(f"the name of tenant {tenant.id} may not be read")
    if tenant.country is not None:
        given["country"] = tenant.country
    return Party(**given)


def _owner(seen: Subscription, tenant: Tenant) -> Customer:
    """Nobody in the record has the subscription: its tenant is all that is known of the end user."""
    parties = (_party(seen, tenant, Role.END_USER),)
    return Customer(id=f"azure-tenant:{tenant.id}", parties=parties, source=f"subscription {seen.id}")


def _managers(seen: Subscription, tenants: list[Tenant]) -> Customer:
    """Tenants that act in the subscription and that the record does not know: purchasers of whom little is known."""
    parties = tuple(_party(seen, tenant, Role.PURCHASER) for tenant in tenants)
    return Customer(id=f"azure-managers:{seen.id}", parties=parties, source=f"subscription {seen.id}")
