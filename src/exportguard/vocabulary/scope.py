"""What a condition sees: the records behind `request`, `item`, `party`, `location` and `usage`.

These are derived for one decision (dated facts, EAR territories, defaults applied) from the documents in `request`,
`item` and `party`. A field holds a value, `Unknown`, or None where the record does not have it (the `accelerator`
of a model item). The checker's fact schema mirrors these classes; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar, dataclass_transform

from exportguard.vocabulary.fact import Confidence, Maybe, Unknown
from exportguard.vocabulary.questions import OwnershipQuestion

_V = TypeVar("_V")


@dataclass_transform(frozen_default=True)
def _view(cls: type[_V]) -> type[_V]:
    """A record that nothing changes, which the type checker holds; a run-time check would cost more than deciding."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


NONE_OF_3A090 = "not-3A090"
"""The `eccn` of an item that is known to meet no paragraph of 3A090/4A090. It says nothing about other ECCNs."""


@_view
class AcceleratorView:
    """`tpp` as 3A090 defines it (dense TOPS x bit length, highest format, one package); `performance_density` in
    TPP per mm2; `memory_bandwidth` in GB/s; `datacenter`: designed or marketed for datacenters."""

    id: Maybe[str]
    family: Maybe[str]
    vendor: Maybe[str]
    tpp: Maybe[float]
    performance_density: Maybe[float]
    memory_bandwidth: Maybe[float]
    datacenter: Maybe[bool]


@_view
class ModelView:
    """`provider` made the model (`anthropic`), `provider_country` is its headquarters, `weights` open or closed."""

    id: Maybe[str]
    family: Maybe[str]
    provider: Maybe[str]
    provider_country: Maybe[str]
    weights: Maybe[str]


@_view
class ItemView:
    """One item. `quantity` is what was ordered (instances, accelerators or tokens), `count` accelerators in all,
    `total_tpp` = accelerator.tpp x count."""

    kind: Maybe[str]
    name: Maybe[str]
    quantity: Maybe[float]
    eccn: Maybe[str]
    accelerator: Maybe[AcceleratorView] | None
    count: Maybe[float] | None
    total_tpp: Maybe[float] | None
    instance_type: Maybe[str] | None
    model: Maybe[ModelView] | None
    tokens: Maybe[int] | None
    confidence: Confidence = "general-knowledge"
    index: int = 0
    """Which of the request's items this one was derived from."""


@_view
class UltimateParentView:
    name: Maybe[str]
    country: Maybe[str]
    headquarters: Maybe[str]


@_view
class RestrictedOwnershipView:
    list: Maybe[str]
    percent: Maybe[float]


@_view
class PartyView:
    role: Maybe[str]
    name: Maybe[str]
    kind: Maybe[str]
    country: Maybe[str]
    subdivision: Maybe[str] | None
    headquarters: Maybe[str]
    ultimate_parent: Maybe[UltimateParentView]
    listings: Maybe[tuple[Maybe[str], ...]]
    restricted_ownership: Maybe[RestrictedOwnershipView] | None
    verified: Maybe[bool]
    ownership: Mapping[OwnershipQuestion, Maybe[bool]] = field(default_factory=dict)
    id: str | None = None
    customer: str | None = None
    index: int = 0


@_view
class LocationView:
    region: Maybe[str] | None
    country: Maybe[str]
    subdivision: Maybe[str] | None
    cloud: Maybe[str] | None
    certainty: str
    index: int = 0


@_view
class UsageView:
    """Cumulative over what the rule's `per` says, this request included."""

    tokens: Maybe[int]
    accelerators: Maybe[float]
    tpp: Maybe[float]


@_view
class RequestView:
    provider: Maybe[str]
    service: Maybe[str]
    operation: Maybe[str]
    action: Maybe[str]
    transfer: Maybe[str]
    account: Maybe[str]
    end_use: Maybe[str]
    time: Maybe[datetime]
    red_flags: Maybe[tuple[str, ...]]
    items: tuple[ItemView, ...]
    parties: tuple[PartyView, ...]


UNKNOWN_USAGE = UsageView(*(Unknown("no ledger was read"),) * 3)
