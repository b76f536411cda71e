"""Who an account is provisioned for, asked of AWS Organizations: its tags, its units' tags, its contact's country.

The customers document stays the record. Organizations only says which of its customers is meant, and adds evidence:
the country of an account's contact is no jurisdiction, but where it contradicts the record both are asked about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from exportguard.errors import ConfigurationError, GuardError
from exportguard.parties import Customer
from exportguard.parties.asked import AskedDirectory, with_country, word
from exportguard.vocabulary.fact import FactSource, Unknown
from exportguard.vocabulary.party import Party, Role

_TIMEOUT: Final = 5.0
_MOST_PARENTS: Final = 8
"""Organizations nests units five deep below the root (its quotas)."""
_REFUSED: Final = ("AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId")
_ABSENT: Final = ("AWSOrganizationsNotInUseException", "AccountNotFoundException", "TargetNotFoundException",
                  "ChildNotFoundException", "ResourceNotFoundException")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """What Organizations says about an account. A unit's tags count for the accounts below it; nearer ones win.

    `company` and `country` (ISO 3166, as its owner typed it) are those of the account's contact; None where they may
    not be read.
    """

    id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    company: str | None = None
    country: str | None = None


class OrganizationsDirectory(AskedDirectory):
    """A `CustomerDirectory` over another one, with what AWS Organizations knows of an account. Thread-safe.

    Args:
        session: a boto3 session of the management account or a delegated administrator; it needs
            `organizations:ListTagsForResource` and `organizations:ListParents`, and `account:GetContactInformation`
            for the contact. None: boto3's default chain.
        customers: the record: whatever `Guard.load(customers=...)` takes.
        contact: whether the contact's company and country are asked for.
        keep: seconds that an answer is used again. Failures are never kept.
        endpoint_url: another endpoint, for proxies and tests.
        clock: seconds, monotonic.

    Raises:
        DocumentError, ConfigurationError: *customers* cannot be read.
    """

    def __init__(
        self,
        session: Any = None,
        *,
        customers: Any = None,
        contact: bool = True,
        keep: float = 300.0,
        endpoint_url: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import boto3
        from botocore.config import Config

        super().__init__(customers, keep, clock)
        source = session if session is not None else boto3.Session()
        config = Config(
            connect_timeout=_TIMEOUT, read_timeout=_TIMEOUT, retries={"total_max_attempts": 2, "mode": "standard"}
        )
        made = {"region_name": source.region_name or "us-east-1", "endpoint_url": endpoint_url, "config": config}
        self._organizations: Any = source.client("organizations", **made)
        self._contacts: Any = source.client("account", **made) if contact else None

    def by_account(self, provider: str | None, account: str) -> tuple[Customer, ...]:
        """Everybody whom the record has for the account or for its tags and those of its units.

        Raises:
            ConfigurationError: the session may not read the organization.
            GuardError: AWS could not be asked.
        """
        found = {customer.id: customer for customer in self._record.by_account(provider, account)}
        ident = account.replace("-", "").strip()
        if provider not in (None, "aws") or not (ident.isdecimal() and len(ident) == 12):
            return tuple(found.values())
        seen = self.account(ident)
        if seen.tags:
            found |= {customer.id: customer for customer in self._record.by_tags(seen.tags)}
        source = _source(seen, "party.country")
        customers = [with_country(customer, seen.country, source) for customer in found.values()]
        if not customers and (seen.company or seen.country):
            customers.append(_owner(seen))
        return tuple(customers)

    def account(self, ident: str) -> Account:
        """What Organizations says about the account *ident* (twelve digits). Raises as `by_account`."""
        known: Account | None = self._recall(ident)
        if known is None:
            known = self._keep_as(ident, self._ask(ident))
        return known

    def _ask(self, ident: str) -> Account:
        units = self._parents(ident)
        tags: dict[str, str] = {}
        for resource in (*reversed(units), ident):
            tags |= self._tags(resource, ident)
        contact: Mapping[str, Any] = {}
        if self._contacts is not None:
            contact = self._contact(ident)
        return Account(ident, tags, units, word(contact.get("CompanyName")), word(contact.get("CountryCode")))

    def _parents(self, ident: str) -> tuple[str, ...]:
        """The units above the account, the nearest first."""
        units: list[str] = []
        child = ident
        for _ in range(_MOST_PARENTS):
            answer = self._call(self._organizations.list_parents, f"the unit of {child}", ChildId=child)
            parents = [row.get("Id") for row in (answer or {}).get("Parents", ()) if row.get("Id")]
            if not parents:
                break
            child = parents[0]
            units.append(child)
            if child.startswith("r-"):
                break
        return tuple(units)

    def _tags(self, resource: str, ident: str) -> dict[str, str]:
        known: dict[str, str] | None = self._recall(f"tags:{resource}") if resource != ident else None
        if known is not None:
            return known
        found: dict[str, str] = {}
        token: dict[str, str] = {}
        while True:
            answer = self._call(
                self._organizations.list_tags_for_resource, f"the tags of {resource}", ResourceId=resource, **token
            )
            for row in (answer or {}).get("Tags", ()):
                found[str(row.get("Key"))] = str(row.get("Value"))
            if not answer or not answer.get("NextToken"):
                break
            token = {"NextToken": answer["NextToken"]}
        if resource != ident:
            self._keep_as(f"tags:{resource}", found)
        return found

    def _contact(self, ident: str) -> Mapping[str, Any]:
        """The account's contact. Evidence only: where it may not be read, it is not there."""
        try:
            answer = self._call(self._contacts.get_contact_information, f"the contact of {ident}", AccountId=ident)
        except ConfigurationError:
            return {}
        found = (answer or {}).get("ContactInformation")
        return found if isinstance(found, Mapping) else {}

    def _call(self, function: Callable[..., Any], what: str, **parameters: Any) -> Mapping[str, Any] | None:
        """The answer; None where AWS knows of no such thing. What cannot be read is an error, never nobody."""
        try:
            answer: Mapping[str, Any] = function(**parameters)
            return answer
        except Exception as problem:
            response = getattr(problem, "response", None)
            error = response.get("Error") if isinstance(response, Mapping) else None
            code = error.get("Code") if isinstance(error, Mapping) else type(problem).__name__
            if code in _ABSENT:
                return None
            if code in _REFUSED:
                raise ConfigurationError(
                    f"the session may not read {what} ({code})",
                    remedy="Give it organizations:ListParents and organizations:ListTagsForResource in the management "
                    "account, or map the account in the customers document only.",
                ) from problem
            raise GuardError(f"AWS Organizations could not be asked about {what}: {code}") from problem


def _source(seen: Account, path: str) -> FactSource:
    return FactSource(path=path, source=f"contact of AWS account {seen.id}")


def _owner(seen: Account) -> Customer:
    """Nobody in the record has the account: its contact is all that is known of the end user."""
    given: dict[str, Any] = {"role": Role.END_USER, "id": seen.id, "sources": (_source(seen, "party"),)}
    # An id is no name: screened as one, it would be on no list.
    given["name"] = seen.company or Unknown(f"the contact of AWS account {seen.id} names no company")
    if seen.country is not None:
        given["country"] = seen.country
    return Customer(id=f"aws-account:{seen.id}", parties=(Party(**given),), source=f"AWS account {seen.id}")
