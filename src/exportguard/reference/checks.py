"""The data check: what makes a table wrong, with its place (`accelerators.yaml: h100-sxm: …`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

_LEVELS = ("primary", "secondary", "general-knowledge")
_ROUNDING = Fraction(6, 10**4)
"""Sources print performance density to three decimals."""


def check(tables: Mapping[str, Any]) -> list[str]:
    """Every problem of *tables* (as `build.read_tables` gives them), each with its place; empty when there is none."""
    return [
        *_accelerators(tables["accelerators"]),
        *_instances(tables, "instances_aws"),
        *_instances(tables, "instances_azure"),
        *_regions(tables),
        *_groups(tables),
        *_models(tables),
        *_rules(tables),
    ]


def _provenance(row: Mapping[str, Any], place: str) -> Iterator[str]:
    if not (row.get("source") or row.get("sources")):
        yield f"{place}: no source"
    if row.get("confidence") not in _LEVELS:
        yield f"{place}: confidence `{row.get('confidence')}` is none of {', '.join(_LEVELS)}"


def _accelerators(table: Mapping[str, Any]) -> Iterator[str]:
    seen: set[str] = set()
    for row in table["accelerators"]:
        place = f"accelerators.yaml: {row['id']}"
        if row["id"] in seen:
            yield f"{place}: a second entry of that id"
        seen.add(row["id"])
        yield from _provenance(row, place)
        for source in row.get("sources", ()):
            if source not in table["sources"]:
                yield f"{place}: source `{source}` is not in the table of sources"
        peaks = [Fraction(str(p["tops"])) * p["bits"] for p in row["peaks"] if not p.get("disputed")]
        stated = row.get("tpp")
        if stated is not None and (not peaks or abs(max(peaks) - Fraction(str(stated))) > Fraction(1, 2)):
            found = f"{float(max(peaks)):g}" if peaks else "nothing"
            yield f"{place}: TPP {stated} does not follow from the peaks, which give {found}"
        area = row.get("die_area")
        if area is not None:
            if area.get("source") not in table["sources"]:
                yield f"{place}: the die area has no source"
            if area.get("confidence") not in _LEVELS:
                yield f"{place}: the die area has no confidence"
            density = row.get("performance_density")
            if density is not None and peaks and "mm2" in area:
                computed = max(peaks) / Fraction(str(area["mm2"]))
                if abs(computed - Fraction(str(density))) > _ROUNDING:
                    yield f"{place}: performance density {density} does not follow, {float(computed):.3f} does"


def _instances(tables: Mapping[str, Any], name: str) -> Iterator[str]:
    table = tables[name]
    ids = {row["id"] for row in tables["accelerators"]["accelerators"]}
    seen: set[str] = set()
    for row in table["instances"]:
        place = f"{name}.yaml: {row['name']}"
        key = str(row["name"]).lower()
        if key in seen:
            yield f"{place}: a second entry of that name"
        seen.add(key)
        yield from _provenance(row, place)
        if row.get("source") not in table["sources"]:
            yield f"{place}: source `{row.get('source')}` is not in the table of sources"
        for accelerator in row["accelerators"]:
            if accelerator not in ids:
                yield f"{place}: accelerator `{accelerator}` is not in accelerators.yaml"
        try:
            if "count" in row and Fraction(row["count"]) <= 0:
                yield f"{place}: count {row['count']} is not above zero"
        except (ValueError, TypeError, ZeroDivisionError):
            yield f"{place}: count `{row['count']}` is not a number or a fraction"


def _regions(tables: Mapping[str, Any]) -> Iterator[str]:
    codes = set(tables["countries"]["codes"])
    seen: set[tuple[str, str]] = set()
    for group in tables["regions"]["groups"]:
        where = f"regions.yaml: {group['cloud']}"
        if group.get("confidence") not in _LEVELS or not group.get("countries"):
            yield f"{where}: no source or confidence"
        for row in group["regions"]:
            place = f"{where}: {row['region']}"
            if (group["provider"], row["region"]) in seen:
                yield f"{place}: a second entry of that name"
            seen.add((group["provider"], row["region"]))
            if not row.get("country"):
                yield f"{place}: no country"
            elif row["country"] not in codes:
                yield f"{place}: country `{row['country']}` is no code"
    known = {region for provider, region in seen if provider == "aws"}
    for kind in ("places", "wavelength"):
        for zone, country in tables["zones"][kind].items():
            parent = str(zone).rpartition("-")[0]
            if parent not in known:
                yield f"zones.yaml: {zone}: its parent region `{parent}` is not in regions.yaml"
            if country not in codes:
                yield f"zones.yaml: {zone}: country `{country}` is no code"


def _groups(tables: Mapping[str, Any]) -> Iterator[str]:
    codes = set(tables["countries"]["codes"])
    table = tables["country_groups"]
    names = [group["name"] for group in table["groups"]]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"country_groups.yaml: {name}: a second entry of that name"
    for group in table["groups"]:
        for code in group["members"]:
            if code not in codes:
                yield f"country_groups.yaml: {group['name']}: `{code}` is no country code"
        for code in sorted({c for c in group["members"] if group["members"].count(c) > 1}):
            yield f"country_groups.yaml: {group['name']}: `{code}` is listed twice"
    for change in table["changes"]:
        place = f"country_groups.yaml: change of {change['country']}"
        yield from _provenance(change, place)
        if change["country"] not in codes:
            yield f"{place}: no country code"
        for name in (*change["left"], *change["joined"]):
            if name not in names:
                yield f"{place}: group `{name}` is not in the table"
        try:
            for day in [change["from"]] if "from" in change else [d for d in change["between"] if d is not None]:
                date.fromisoformat(day)
        except (KeyError, ValueError, TypeError):
            yield f"{place}: no date, or one that is none"
        for name in change["joined"]:
            members = next((g["members"] for g in table["groups"] if g["name"] == name), ())
            if change["country"] not in members:
                yield f"{place}: joined {name} and is not a member of it"
    for row in tables["provider_countries"]["lists"]:
        yield from _provenance(row, f"provider_countries.yaml: {row['provider']}")
        for code in row["countries"]:
            if code not in codes:
                yield f"provider_countries.yaml: {row['provider']}: `{code}` is no country code"
        for code in sorted({c for c in row["countries"] if row["countries"].count(c) > 1}):
            yield f"provider_countries.yaml: {row['provider']}: `{code}` is listed twice"


def _models(tables: Mapping[str, Any]) -> Iterator[str]:
    table = tables["models"]
    yield from _provenance(table, "models.yaml")
    providers = [row["id"] for row in table["providers"]]
    prefixes = [prefix for row in table["providers"] for prefix in row["prefixes"]]
    for name in sorted(
        {p for p in prefixes if prefixes.count(p) > 1} | {p for p in providers if providers.count(p) > 1}
    ):
        yield f"models.yaml: provider `{name}`: a second entry of that name"
    codes = set(tables["countries"]["codes"])
    for row in table["providers"]:
        if "country" in row and row["country"] not in codes:
            yield f"models.yaml: {row['id']}: country `{row['country']}` is no code"
    families = [row["family"] for row in table["families"]]
    for name in sorted({f for f in families if families.count(f) > 1}):
        yield f"models.yaml: family `{name}`: a second entry of that name"
    for row in table["families"]:
        if row["provider"] not in providers:
            yield f"models.yaml: {row['family']}: provider `{row['provider']}` is not in the table"
        if row.get("weights", "open") not in ("open", "closed"):
            yield f"models.yaml: {row['family']}: weights `{row['weights']}` are neither open nor closed"
        yield from _patterns(row)
    for row in (*tables["processing"]["geographies"], *tables["processing"]["skus"]):
        yield from _provenance(row, f"processing.yaml: {row['name']}")
        for code in row.get("countries", ()):
            if code not in codes:
                yield f"processing.yaml: {row['name']}: `{code}` is no country code"


def _patterns(row: Mapping[str, Any]) -> Iterator[str]:
    for pattern in (row.get("name"), row.get("under"), *(other.get("name") for other in row.get("weights_by", ()))):
        try:
            re.compile(pattern or "")
        except re.error as problem:
            yield f"models.yaml: {row['family']}: `{pattern}` is no pattern: {problem}"


def _rules(tables: Mapping[str, Any]) -> Iterator[str]:
    for row in (*tables["ear_rules"]["thresholds"], *tables["ear_rules"]["definitions"]):
        yield from _provenance(row, f"ear_rules.yaml: {row.get('effective', row.get('term'))}")
        if "effective" in row and not _is_date(row["effective"]):
            yield f"ear_rules.yaml: {row['effective']}: no date"
    for row in tables["timeline"]["timeline"]:
        yield from _provenance(row, f"timeline.yaml: {row['date']}")
        if not _is_date(row["date"]):
            yield f"timeline.yaml: {row['date']}: no date"
    for name, table in tables.items():
        if "read" in table and not _is_date(table["read"]):
            yield f"{name}.yaml: the day it was read, `{table['read']}`, is no date"


def _is_date(text: object) -> bool:
    try:
        date.fromisoformat(str(text))
    except ValueError:
        return False
    return True
