"""`ReferenceData`: every look-up over one consistent set of tables, and the packaged set."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from exportguard.errors import NaiveInstantError
from exportguard.reference import classification
from exportguard.reference.accelerators import Accelerators
from exportguard.reference.countries import read_country
from exportguard.reference.facts import (
    AcceleratorSpec,
    Classification,
    InstanceFact,
    ModelFact,
    NoAccelerator,
    RegionFact,
    SkuFact,
)
from exportguard.reference.groups import Groups, instant
from exportguard.reference.instances import Instances
from exportguard.reference.models import Models
from exportguard.reference.names import fold
from exportguard.reference.parts import named_part, read_part
from exportguard.reference.regions import Regions
from exportguard.reference.store import Store
from exportguard.vocabulary.fact import Maybe, Unknown

_REMEMBERED = 4096
"""Spellings of countries that are kept: those of a process's own documents, not of everything it is ever sent."""


class ReferenceData:
    """Dated, cited facts, and pure look-ups over them. Immutable; each table is read when first asked for.

    No look-up of a name raises: what is not known is `Unknown(reason)` (or `()` for `accelerators`), never harmless.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def digest(self) -> str:
        """`sha256:` over the canonical form of every table."""
        return self._store.digest

    @property
    def content(self) -> bytes:
        """Every table, in the form that `of_content` reads and the digest is over."""
        return self._store.content

    @classmethod
    def of_content(cls, content: bytes) -> ReferenceData:
        """The data that `content` was taken of. Raises ReferenceDataError."""
        return cls(Store(content))

    @property
    def tables(self) -> dict[str, Any]:
        """Every table by name, each as it stands in the data; not to be changed."""
        return {name: self._store.table(name) for name in self._store.names}

    def table(self, name: str) -> Any:
        """A table as it stands in the data (`timeline`, `ear_rules`, …); not to be changed."""
        return self._store.table(name)

    # -- countries and places

    @cached_property
    def _country_names(self) -> tuple[dict[str, str], dict[str, str]]:
        table = self._store.table("countries")
        return table["keys"], table["names"]

    @cached_property
    def countries(self) -> frozenset[str]:
        """Every ISO 3166 alpha-2 code."""
        return frozenset(self._store.table("countries")["codes"])

    def country(self, text: str) -> str | Unknown:
        """The alpha-2 code of a country in any spelling. Unknown for what is ambiguous or cannot be read."""
        known = self._read_countries.get(text)
        if known is None:
            known = read_country(text, *self._country_names)
            if len(self._read_countries) < _REMEMBERED:
                self._read_countries[text] = known
        return known

    def part(self, text: str, country: Maybe[str] | None) -> str | Unknown:
        """The ISO 3166-2 code of a part of *country*. Unknown where a part that matters may be meant."""
        return read_part(text, country, self._store.table("countries")["parts"])

    def country_of_part(self, text: str) -> tuple[str, str] | None:
        """Country and code of a part that stands where a country is asked for (`Crimea`)."""
        code = named_part(text, self._store.table("countries")["parts"])
        return (code.partition("-")[0], code) if code is not None else None

    def country_like(self, text: str) -> str | None:
        """The code of the country whose name is nearest to *text*: what a slip of the pen most likely meant."""
        from difflib import get_close_matches

        _, names = self._country_names
        close = get_close_matches(fold(text), names, n=1, cutoff=0.75)
        return names[close[0]] if close else None

    @cached_property
    def _read_countries(self) -> dict[str, str | Unknown]:
        return {}

    @cached_property
    def _groups(self) -> Groups:
        return Groups(self._store.table("country_groups"), self._store.table("provider_countries"))

    @property
    def group_names(self) -> frozenset[str]:
        """`A:1` … `E:2`, and `provider:anthropic`, `provider:openai`: the countries that provider says it serves."""
        return self._groups.names

    def country_group(self, name: str, as_of: datetime) -> frozenset[str]:
        """The members at *as_of*, with the EAR's territories (HK with CN, US territories with US).

        Raises:
            KeyError: no such group.
            NaiveInstantError: *as_of* has no timezone.
        """
        return self._groups.members(name, as_of)

    def change_dates(self) -> tuple[datetime, ...]:
        """The instants at which the answer of a dated look-up changes, in order."""
        return self._change_dates

    @cached_property
    def _change_dates(self) -> tuple[datetime, ...]:
        thresholds = {v.effective for v in self._vintages}
        return tuple(sorted(thresholds | set(self._groups.dates)))

    @cached_property
    def _regions(self) -> Regions:
        return Regions(self._store.table("regions"), self._store.table("zones"))

    def region(self, provider: str, name: str) -> RegionFact | Unknown:
        """The region, zone or Azure display name *name* of `aws` or `azure`."""
        return self._regions.find(provider, name)

    def region_names(self, provider: str) -> frozenset[str]:
        return self._regions.names(provider)

    # -- accelerators

    @cached_property
    def _accelerators(self) -> Accelerators:
        return Accelerators(self._store.table("accelerators"))

    @cached_property
    def _vintages(self) -> tuple[classification.Vintage, ...]:
        return classification.vintages(self._store.table("ear_rules"))

    @cached_property
    def _instances(self) -> Instances:
        return Instances(
            self._store.table("instances_aws"),
            self._store.table("instances_azure"),
            self._accelerators.by_id,
            self._accelerators.named,
        )

    @cached_property
    def accelerator_families(self) -> frozenset[str]:
        return self._accelerators.families

    @cached_property
    def accelerator_ids(self) -> frozenset[str]:
        return frozenset(self._accelerators.by_id)

    def accelerators(self, name: str) -> tuple[AcceleratorSpec, ...]:
        """The packages that *name* (id, family or alias in any spelling) may mean; `()` is not known."""
        return self._accelerators.named(name)

    def instance(self, provider: str, name: str) -> InstanceFact | NoAccelerator | Unknown:
        """What the instance type or size *name* carries."""
        return self._instances.find(provider, name)

    def eccn(self, spec: AcceleratorSpec, as_of: datetime) -> Classification:
        """The classification of *spec* under the thresholds in force at *as_of*.

        Raises:
            NaiveInstantError: *as_of* has no timezone.
        """
        if as_of.tzinfo is None or as_of.utcoffset() is None:
            raise NaiveInstantError("the instant of a classification needs a timezone")
        # Nothing changes between two sets of thresholds. Known packages only: others come and go with their callers.
        key = (spec.id, bisect_right(self._vintage_dates, as_of))
        known = self._classified.get(key)
        if known is not None and known[0] is spec:
            return known[1]
        answer = classification.classify(spec, self._vintages, as_of)
        if self._accelerators.by_id.get(spec.id) is spec:
            self._classified[key] = (spec, answer)
        return answer

    @cached_property
    def _vintage_dates(self) -> tuple[datetime, ...]:
        return tuple(v.effective for v in self._vintages)

    @cached_property
    def _classified(self) -> dict[tuple[str, int], tuple[AcceleratorSpec, Classification]]:
        return {}

    # -- models

    @cached_property
    def _geographies(self) -> dict[str, tuple[str, ...] | Unknown]:
        return {
            row["name"]: tuple(row["countries"]) if "countries" in row else Unknown(row["why"])
            for row in self._store.table("processing")["geographies"]
        }

    @cached_property
    def _models(self) -> Models:
        return Models(self._store.table("models"), frozenset(self._geographies))

    def model(self, provider: str | None, name: str) -> ModelFact | Unknown:
        """The model that *name* (id, ARN, profile or name) means; *provider* is the cloud it was named to, or None."""
        return self._models.find(name)

    def geography(self, name: str) -> tuple[str, ...] | Unknown:
        """The countries in which an inference profile of that geography may run."""
        found = self._geographies.get(name.strip().lower())
        return found if found is not None else Unknown(f"geography `{name}` is not in the reference data")

    @cached_property
    def _skus(self) -> dict[str, SkuFact]:
        table = self._store.table("processing")
        return {
            row["name"].lower(): SkuFact(
                row["name"], row["processing"], row["confidence"], table["sources"][row["source"]]
            )
            for row in table["skus"]
        }

    def azure_sku(self, name: str) -> SkuFact | Unknown:
        """Where an Azure OpenAI deployment of that SKU is processed."""
        found = self._skus.get(name.strip().lower())
        return found if found is not None else Unknown(f"deployment SKU `{name}` is not in the reference data")

    @cached_property
    def model_families(self) -> frozenset[str]:
        return self._models.families

    @cached_property
    def model_providers(self) -> frozenset[str]:
        return self._models.providers

    # -- codes

    @cached_property
    def eccns(self) -> frozenset[str]:
        return frozenset(self._store.table("ear_rules")["eccns"])

    @cached_property
    def list_codes(self) -> frozenset[str]:
        """Codes of the restricted-party lists: EL, MEU, DPL, UVL, SDN …"""
        return frozenset(self._store.table("ear_rules")["lists"])


@lru_cache(maxsize=1)
def default() -> ReferenceData:
    """The packaged data, one object a process.

    Raises:
        ReferenceDataError: the packaged file is missing or unreadable.
    """
    return ReferenceData(Store.packaged())


__all__ = ["ReferenceData", "default", "instant"]
