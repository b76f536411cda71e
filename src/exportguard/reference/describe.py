"""All that is known of a name: what it reads as, each fact with its confidence and source. Pure; nothing raises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from exportguard.reference.facts import AcceleratorSpec, InstanceFact, NoAccelerator
from exportguard.reference.lookup import ReferenceData
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.scope import NONE_OF_3A090

CLOUDS = ("aws", "azure")


def describe(reference: ReferenceData, name: str, as_of: datetime) -> list[dict[str, Any]]:
    """What *name* may mean, the most telling reading first; empty when it is nothing that is known.

    Each entry has `kind` (`accelerator`, `instance`, `no accelerator`, `region`, `model`, `country`, `country group`,
    `list`), what is known, `confidence` and `sources`. Unknown facts read `{"unknown": why}`. *as_of* selects
    thresholds and country groups.

    Raises:
        NaiveInstantError: *as_of* has no timezone.
    """
    found = [
        *_groups(reference, name, as_of),
        *_accelerators(reference, name, as_of),
        *_instances(reference, name, as_of),
        *_regions(reference, name, as_of),
        *_models(reference, name),
        *_countries(reference, name, as_of),
    ]
    # A harmless reading never hides another: `t4g` is no type that is known, and a chip.
    return sorted(found, key=lambda entry: entry["kind"] == "no accelerator")


def accelerator(spec: AcceleratorSpec, reference: ReferenceData, as_of: datetime) -> dict[str, Any]:
    """One accelerator package: figures, classification at *as_of*, and what each rests on."""
    told = reference.eccn(spec, as_of)
    return {
        "kind": "accelerator",
        "id": spec.id,
        "family": spec.family,
        "vendor": spec.vendor,
        "name": spec.name,
        "tpp": plain(spec.tpp),
        "peaks": [
            {"format": p.format, "bits": p.bits, "dense_tops": p.tops, **({"disputed": True} if p.disputed else {})}
            for p in spec.peaks
        ],
        "die_area_mm2": plain(spec.die_area),
        "performance_density": plain(spec.performance_density),
        "memory_bandwidth_gbps": plain(spec.memory_bandwidth),
        "io_gbps": plain(spec.io_bandwidth),
        "datacenter": plain(spec.datacenter),
        "eccn": "none of 3A090" if told.eccn == NONE_OF_3A090 else plain(told.eccn),
        "paragraph": told.paragraph,
        "cite": told.cite,
        "classification_confidence": told.confidence,
        "confidence": spec.confidence,
        "die_area_confidence": spec.die_area_confidence,
        "sources": list(spec.sources),
        **({"is_informed_from": spec.is_informed_from} if spec.is_informed_from else {}),
        **({"notes": spec.notes} if spec.notes else {}),
    }


def _accelerators(reference: ReferenceData, name: str, as_of: datetime) -> Iterator[dict[str, Any]]:
    for spec in reference.accelerators(name):
        yield accelerator(spec, reference, as_of)


def _instances(reference: ReferenceData, name: str, as_of: datetime) -> Iterator[dict[str, Any]]:
    for cloud in CLOUDS:
        fact = reference.instance(cloud, name)
        if isinstance(fact, InstanceFact):
            classes = {a.id: reference.eccn(a, as_of).eccn for a in fact.accelerators}
            yield {
                "kind": "instance",
                "provider": cloud,
                "name": fact.name,
                "accelerators": {
                    id_: "none of 3A090" if eccn == NONE_OF_3A090 else plain(eccn) for id_, eccn in classes.items()
                },
                "count": plain(fact.count) if isinstance(fact.count, Unknown) else str(fact.count),
                "confidence": fact.confidence,
                "sources": [fact.source],
            }
        elif isinstance(fact, NoAccelerator):
            yield {"kind": "no accelerator", "provider": cloud, "name": fact.name, "why": fact.why}


def _regions(reference: ReferenceData, name: str, as_of: datetime) -> Iterator[dict[str, Any]]:
    for cloud in CLOUDS:
        fact = reference.region(cloud, name)
        if not isinstance(fact, Unknown):
            yield {
                "kind": "region",
                "provider": cloud,
                "region": fact.region,
                **({"zone": fact.zone} if fact.zone else {}),
                "country": fact.country,
                "groups": _groups_of(reference, fact.country, as_of),
                "cloud": fact.cloud,
                "confidence": fact.confidence,
                "sources": [fact.source],
            }


def _models(reference: ReferenceData, name: str) -> Iterator[dict[str, Any]]:
    fact = reference.model(None, name)
    if isinstance(fact, Unknown):
        return
    entry: dict[str, Any] = {
        "kind": "model",
        "id": plain(fact.id),
        "provider": plain(fact.provider),
        "provider_country": plain(fact.provider_country),
        "family": plain(fact.family),
        "weights": plain(fact.weights),
        "confidence": fact.confidence,
        "sources": [fact.source],
    }
    if fact.geography is not None:
        where = reference.geography(fact.geography)
        entry["geography"] = fact.geography
        entry["may_run_in"] = plain(where) if isinstance(where, Unknown) else list(where)
    yield entry


def _countries(reference: ReferenceData, name: str, as_of: datetime) -> Iterator[dict[str, Any]]:
    code = reference.country(name)
    if isinstance(code, str):
        table = reference.table("country_groups")
        yield {
            "kind": "country",
            "code": code,
            "groups": _groups_of(reference, code, as_of),
            "confidence": table["confidence"],
            "sources": [table["source"]],
        }


def _groups(reference: ReferenceData, name: str, as_of: datetime) -> Iterator[dict[str, Any]]:
    if name.upper() in reference.group_names or name in reference.group_names:
        key = name if name in reference.group_names else name.upper()
        table = reference.table("country_groups")
        row = next((g for g in table["groups"] if g["name"] == key), None)
        listed = next(
            (r for r in reference.table("provider_countries")["lists"] if f"provider:{r['provider']}" == key), table
        )
        yield {
            "kind": "country group",
            "name": key,
            **({"label": row["label"]} if row is not None else {}),
            "members": sorted(reference.country_group(key, as_of)),
            "confidence": listed["confidence"],
            "sources": [listed["source"]],
        }
    if name.upper() in reference.list_codes:
        yield {"kind": "list", "code": name.upper()}


def _groups_of(reference: ReferenceData, country: str, as_of: datetime) -> list[str]:
    return sorted(g for g in reference.group_names if country in reference.country_group(g, as_of))


def plain(value: object) -> Any:
    """A fact as JSON has it."""
    return {"unknown": value.reason} if isinstance(value, Unknown) else value
