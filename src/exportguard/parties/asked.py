"""A customers document that a cloud adds to: the record decides who is meant, what the cloud says is evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from exportguard.forks import Lock
from exportguard.parties.customer import Customer
from exportguard.parties.directory import CustomerDirectory
from exportguard.parties.opening import load_directory
from exportguard.reference import default as reference
from exportguard.vocabulary.fact import FactSource, Unknown
from exportguard.vocabulary.party import Role

_MOST_KEPT: Final = 10_000


class AskedDirectory:
    """What every directory over a record and a cloud shares: the record's answers, and a memory of the cloud's.

    Thread-safe.

    Args:
        customers: the record: whatever `Guard.load(customers=...)` takes.
        keep: seconds that an answer of the cloud is used again. Failures are never kept.
        clock: seconds, monotonic.

    Raises:
        DocumentError, ConfigurationError: *customers* cannot be read.
    """

    def __init__(self, customers: Any, keep: float, clock: Callable[[], float]) -> None:
        self._record: CustomerDirectory = load_directory(customers)
        self._keep, self._clock = keep, clock
        self._lock = Lock()
        self._kept: dict[str, tuple[float, Any]] = {}

    def by_id(self, id: str) -> Customer | None:  # noqa: A002
        """As the record says."""
        return self._record.by_id(id)

    def by_tags(self, tags: Mapping[str, str]) -> tuple[Customer, ...]:
        """As the record says."""
        return self._record.by_tags(tags)

    def ownership(self) -> Any:
        """The graph of the record."""
        ask = getattr(self._record, "ownership", None)
        return ask() if callable(ask) else None

    def _recall(self, key: str) -> Any:
        """What was kept under *key*; None where nothing was, or it is too old."""
        with self._lock:
            kept = self._kept.get(key)
            return kept[1] if kept is not None and self._clock() - kept[0] < self._keep else None

    def _keep_as(self, key: str, value: Any) -> Any:
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = (self._clock(), value)
        return value


def word(value: Any) -> str | None:
    """A text of a cloud's answer; None where it says nothing."""
    return value.strip()[:500] if isinstance(value, str) and value.strip() else None


def with_country(customer: Customer, country: str | None, source: FactSource) -> Customer:
    """*customer* with what *source* says of its country: a second reading of the end user where the record differs."""
    if country is None or isinstance(customer.parties, Unknown):
        return customer
    stated = {_country(place) for party in customer.parties for place in (party.country, party.headquarters)}
    if _country(country) in stated:
        return customer
    second = tuple(
        party.model_copy(update={"country": country, "sources": (*party.sources, source)})
        for party in customer.parties
        if party.role == Role.END_USER
    )
    return customer.model_copy(update={"parties": (*customer.parties, *second)})


def _country(value: Any) -> Any:
    return reference().country(value) if isinstance(value, str) else value
