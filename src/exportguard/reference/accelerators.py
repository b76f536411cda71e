"""Accelerator names to the packages they may mean.

A name is read by removing what does not tell packages apart (vendor words, `GPU`, counts, memory type), keeping form
and memory size to narrow the candidates, and looking the rest up *whole*: `a100x`, `h100cc` or a name with a word left
over is not known. `A10`, `A100` and `A10G` are three names; nothing is matched by prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from exportguard.reference.classification import density_of, tpp_bounds, tpp_of
from exportguard.reference.facts import AcceleratorSpec, Peak
from exportguard.reference.names import MAX_NAME, word_set, words
from exportguard.vocabulary.fact import Maybe, Unknown

_NOISE = word_set(
    """nvidia tesla amd radeon instinct intel habana google cloud aws amazon annapurna xilinx alveo huawei qualcomm
    azure microsoft geforce quadro gpu gpus accelerator accelerators graphics tensor core cores hbm hbm2 hbm2e hbm3
    hbm3e ram vram gen5 gen4 oam dgx hgx mega shared server edition com card generation latest the per chip hopper
    ampere turing volta blackwell lovelace neuron nvl72 nvl36 nvl8"""
)
_FORMS = {
    "sxm": "sxm", "sxm2": "sxm", "sxm3": "sxm", "sxm4": "sxm", "sxm5": "sxm", "sxm6": "sxm", "pcie": "pcie",
    "nvl": "nvl",
}  # fmt: skip
_MEMORY = re.compile(r"(\d{1,3})(?:gb|gib|g)")
_COUNT = re.compile(r"\d{1,3}x|x\d{1,3}")
_COUNTED = re.compile(r"\d{1,3}x(?P<after>[a-z][a-z0-9]*)|(?P<before>[a-z]+\d[a-z0-9]*)x\d{1,3}")
_SPLIT_AT = re.compile(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])")
_IO_NEAR = (600.0 - 128.0, 600.0)
"""The published interconnect leaves out PCIe (128 GB/s for a Gen5 x16 link, both directions): a figure this close
below 600 GB/s settles nothing."""


def spec_of(row: Mapping[str, Any], sources: Mapping[str, str]) -> AcceleratorSpec:
    """One row of `accelerators.yaml`, figures computed."""
    peaks = tuple(Peak(p["format"], p["bits"], float(p["tops"]), p.get("disputed", False)) for p in row["peaks"])
    tpp = tpp_of(peaks)
    bounds = tpp_bounds(peaks)
    area_row = row.get("die_area") or {}
    area: Maybe[float]
    if area_row.get("planar"):
        area = Unknown("planar dies: performance density is not defined")
    elif "mm2" in area_row:
        area = float(area_row["mm2"])
    else:
        area = Unknown("the die area is not published")
    link = row.get("interconnect")
    stated = row.get("io")
    io: Maybe[float]
    if stated is not None:
        io = float(stated["gbps"])
    elif link is None:
        io = Unknown("the transfer rate is not published")
    elif _IO_NEAR[0] <= link < _IO_NEAR[1]:
        io = Unknown(f"{link:g} GB/s without PCIe, which counts as well")
    else:
        io = float(link)
    bandwidth = row.get("memory_bandwidth")
    return AcceleratorSpec(
        id=row["id"],
        family=row["family"],
        vendor=row["vendor"],
        name=row["name"],
        tpp=tpp,
        performance_density=density_of(tpp, area),
        memory_bandwidth=float(bandwidth) if bandwidth is not None else Unknown("not published"),
        datacenter=row.get("datacenter", Unknown("not stated")),
        io_bandwidth=io,
        tpp_range=bounds,
        die_area=area,
        peaks=peaks,
        aliases=tuple(row["aliases"]),
        confidence=row["confidence"],
        die_area_confidence=area_row.get("confidence", "general-knowledge"),
        sources=tuple(sources[key] for key in row["sources"]),
        form=row.get("form"),
        memory_gb=tuple(row.get("memory_gb", ())),
        is_informed_from=row.get("is_informed_from"),
        notes=row.get("notes", ""),
    )


class Accelerators:
    """Every package by id, and every spelling of a name."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        sources = table["sources"]
        self.by_id = {row["id"]: spec_of(row, sources) for row in table["accelerators"]}
        self._keys: dict[str, tuple[AcceleratorSpec, ...]] = {}
        ids: dict[str, AcceleratorSpec] = {}
        for spec in self.by_id.values():
            ids["".join(words(spec.id))] = spec
            for name in (spec.family, *spec.aliases, _plain(spec.name)):
                for key in _keys(name):
                    known = self._keys.get(key, ())
                    if spec not in known:
                        self._keys[key] = (*known, spec)
        self._keys.update({key: (spec,) for key, spec in ids.items() if len(self._keys.get(key, ())) <= 1})
        self._ids = ids
        self._seen: dict[str, tuple[AcceleratorSpec, ...]] = {}

    @property
    def families(self) -> frozenset[str]:
        return frozenset(spec.family for spec in self.by_id.values())

    def named(self, name: object) -> tuple[AcceleratorSpec, ...]:
        if not isinstance(name, str) or not name or len(name) > MAX_NAME:
            return ()
        found = self._seen.get(name)
        if found is None:
            found = self._read(name)
            if len(self._seen) < 4096:  # bounded: names come from requests
                self._seen[name] = found
        return found

    def _read(self, name: str) -> tuple[AcceleratorSpec, ...]:
        exact = self.by_id.get(name)
        if exact is not None:
            return (exact,)
        parts = words(re.sub(r"[:*]\s*\d+\s*$", "", name))
        if not parts:
            return ()
        whole = "".join(parts)
        if whole in self._ids:
            return (self._ids[whole],)
        if whole in self._keys:
            return self._keys[whole]
        kept: list[str] = []
        forms: list[str] = []
        memory: list[int] = []
        for part in parts:
            if part in _NOISE or _COUNT.fullmatch(part):
                continue
            if (counted := _COUNTED.fullmatch(part)) is not None and not self._is_name(part):
                name_alone = counted["after"] or counted["before"]
                part = name_alone if self._is_name(name_alone) else part
            if part in _FORMS:
                forms.append(_FORMS[part])
            elif (
                (match := _MEMORY.fullmatch(part)) is not None and (kept or len(parts) > 1) and not self._is_name(part)
            ):
                memory.append(int(match[1]))
            else:
                kept.append(part)
        specs = self._keys.get("".join(kept), ()) if kept else ()
        if not specs and len(kept) == 1:
            return self._glued(kept[0], forms, memory)
        return _narrow(specs, forms, memory)

    def _is_name(self, part: str) -> bool:
        return part in self._keys

    def _glued(self, word: str, forms: list[str], memory: list[int]) -> tuple[AcceleratorSpec, ...]:
        """`h100sxm5`, `a10080gb`, `h100nvl`: a name with form or memory run together. Each reading must be whole."""
        for cut in range(len(word) - 1, 1, -1):
            head, tail = word[:cut], word[cut:]
            specs = self._keys.get(head)
            if specs is None:
                continue
            if tail in _FORMS:
                return _narrow(specs, [*forms, _FORMS[tail]], memory)
            match = _MEMORY.fullmatch(tail)
            if match is not None and not tail.startswith("0"):
                size = int(match[1])
                if any(size in spec.memory_gb for spec in specs):
                    return _narrow(specs, forms, [*memory, size])
        return ()


def _narrow(specs: tuple[AcceleratorSpec, ...], forms: list[str], memory: list[int]) -> tuple[AcceleratorSpec, ...]:
    """The candidates of that form and memory; all of them where none is (the name may be of a variant not listed)."""
    kept = tuple(s for s in specs if not forms or s.form in forms) or specs
    return tuple(s for s in kept if not memory or not s.memory_gb or set(memory) & set(s.memory_gb)) or kept


def _plain(name: str) -> str:
    return re.sub(r"\s*\(.*?\)", "", name)


def _keys(name: str) -> Iterable[str]:
    parts = words(name)
    yield "".join(parts)
    short = [p for p in parts if p not in _NOISE]
    if short and any(any(c.isdigit() for c in p) for p in short):
        yield "".join(short)
