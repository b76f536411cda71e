"""Who is this provisioning for: from a customer id, a cloud account, a tenant or tags to customers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from exportguard.errors import DocumentError, UnknownCustomerError
from exportguard.parties.customer import Customer

if TYPE_CHECKING:
    from exportguard.parties.ownership import OwnershipGraph

MAX_BYTES = 256 << 20
"""Of a customers file in JSON or CSV. Larger ones belong in SQLite or PostgreSQL."""
MAX_YAML_BYTES = 16 << 20
"""YAML with a place for every problem is read at about a megabyte a second; JSON of the same size in a fraction."""


@runtime_checkable
class CustomerDirectory(Protocol):
    """Answers who a customer id, an account or a set of tags stands for. Evidence, not jurisdiction.

    Thread-safe. An answer that cannot be had is an exception, never "nobody". A directory may also have a
    method ``ownership() -> OwnershipGraph | None``: a graph that its customers share.
    """

    def by_id(self, id: str) -> Customer | None:  # noqa: A002
        """The customer of that id, or None where there is none."""
        ...

    def by_account(self, provider: str | None, account: str) -> tuple[Customer, ...]:
        """Every customer that has the account; provider None: at any provider."""
        ...

    def by_tags(self, tags: Mapping[str, str]) -> tuple[Customer, ...]:
        """Every customer all of whose tags are among *tags*."""
        ...


def account_key(provider: str | None, account: str) -> tuple[tuple[str, str], ...]:
    """The keys an account may be filed under: spelling, dashes of AWS ids and ARM paths do not matter."""
    text = account.strip().casefold()
    if text.startswith("/subscriptions/"):
        text = text.split("/")[2]
    elif text.startswith("arn:") and text.count(":") >= 5:
        text = text.split(":")[4] or text
    digits = text.replace("-", "").replace(" ", "")
    if digits.isdigit() and len(digits) == 12:
        text = digits
    fields = {"aws": ("aws",), "azure": ("azure", "tenants"), "openai": ("openai", "azure", "tenants")}
    names = fields.get(provider.strip().casefold(), (provider,)) if provider else ("aws", "azure", "openai", "tenants")
    return tuple((name, text) for name in names)


def tag_key(key: str, value: str) -> tuple[str, str]:
    return key.strip().casefold(), value.strip().casefold()


class MemoryDirectory:
    """Customers in memory, indexed. Immutable, so any number of threads may ask it."""

    def __init__(self, customers: Iterable[Customer] = (), graph: Callable[[], OwnershipGraph | None] | None = None):
        self._by_id: dict[str, Customer] = {}
        self._by_account: dict[tuple[str, str], list[str]] = {}
        self._by_tag: dict[tuple[str, str], list[str]] = {}
        self._graph_source = graph
        for customer in customers:
            if customer.id in self._by_id:
                raise DocumentError(f"customer id `{customer.id}` stands twice")
            self._by_id[customer.id] = customer
            accounts = customer.accounts
            for provider, known in (
                ("aws", accounts.aws),
                ("azure", accounts.azure),
                ("openai", accounts.openai),
                ("tenants", accounts.tenants),
            ):
                for account in known:
                    self._by_account.setdefault((provider, account_key("aws", account)[0][1]), []).append(customer.id)
            for key, value in accounts.tags.items():
                self._by_tag.setdefault(tag_key(key, value), []).append(customer.id)

    def __len__(self) -> int:
        return len(self._by_id)

    def ids(self) -> Iterable[str]:
        return self._by_id.keys()

    def by_id(self, id: str) -> Customer | None:  # noqa: A002
        return self._by_id.get(id)

    def by_account(self, provider: str | None, account: str) -> tuple[Customer, ...]:
        found = (id_ for key in account_key(provider, account) for id_ in self._by_account.get(key, ()))
        return tuple(self._by_id[id_] for id_ in dict.fromkeys(found))

    def by_tags(self, tags: Mapping[str, str]) -> tuple[Customer, ...]:
        if not self._by_tag:
            return ()
        given = {tag_key(key, value) for key, value in tags.items()}
        found = dict.fromkeys(id_ for key in sorted(given) for id_ in self._by_tag.get(key, ()))
        return tuple(
            customer
            for customer in map(self._by_id.__getitem__, found)
            if all(tag_key(key, value) in given for key, value in customer.accounts.tags.items())
        )

    def ownership(self) -> OwnershipGraph | None:
        """The graph that the customers of this document share, or None."""
        return self._graph_source() if self._graph_source is not None else None


def customer_of(directory: CustomerDirectory, id: str) -> Customer:  # noqa: A002
    """The customer of that id; an unknown one is an error, not nobody.

    Raises:
        UnknownCustomerError: with ids that look alike as its remedy.
    """
    found = directory.by_id(id)
    if found is not None:
        return found
    ids = getattr(directory, "ids", None)
    near = get_close_matches(id, list(ids())[:20_000], n=3, cutoff=0.6) if callable(ids) else []
    remedy = f"did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else "add it to the directory"
    raise UnknownCustomerError(f"customer `{id}` is not in the directory", remedy=remedy)
