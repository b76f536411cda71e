"""3A090 by the numbers: the one place where thresholds are compared.

Two dated tests, each from its effective date (00:00 UTC):

- 2022-10-07 (87 FR 62186): bit length x TOPS of 4800 or more, and an aggregate bidirectional transfer rate to
  anything but volatile memory of 600 GB/s or more.
- 2023-11-17 (88 FR 73458): TPP and performance density, paragraph a before b; note 2 takes out what is neither
  designed nor marketed for datacenters and stays below a TPP of 4800.

Nothing is 3A090 before 2022-10-07. An answer is given where it holds under everything still unknown, else it is
Unknown. The numbers live in `data/ear_rules.yaml` with their sources; `>=` and `<` live here, as the rule writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exportguard.errors import NaiveInstantError
from exportguard.reference.facts import AcceleratorSpec, Classification, Peak, weakest
from exportguard.vocabulary.fact import Confidence, Maybe, Unknown
from exportguard.vocabulary.scope import NONE_OF_3A090


def tpp_of(peaks: tuple[Peak, ...]) -> Maybe[float]:
    """The highest bit length x dense TOPS over all formats; Unknown if no peak is published or readings differ."""
    bounds = tpp_bounds(peaks)
    if bounds is None:
        return Unknown("no dense peak is published")
    low, high = bounds
    if low != high:
        return Unknown(f"{low:g}, or {high:g} if TF32 counts as 32 bits")
    return high


def tpp_bounds(peaks: tuple[Peak, ...]) -> tuple[float, float] | None:
    """The TPP without and with the disputed peaks."""
    every = [Decimal(str(p.tops)) * p.bits for p in peaks]
    sure = [value for value, p in zip(every, peaks, strict=True) if not p.disputed]
    if not every:
        return None
    return float(max(sure, default=Decimal(0))), float(max(every))


def density_of(tpp: Maybe[float], mm2: Maybe[float]) -> Maybe[float]:
    """TPP per mm2 of applicable die area; Unknown for an unknown area and for none (planar dies)."""
    if isinstance(tpp, Unknown):
        return tpp
    if isinstance(mm2, Unknown):
        return mm2
    if mm2 <= 0:
        return Unknown("no die on a non-planar process: performance density is not defined")
    return float(Decimal(str(tpp)) / Decimal(str(mm2)))


@dataclass(frozen=True, slots=True)
class Vintage:
    """One dated set of thresholds."""

    effective: datetime
    cite: str
    confidence: Confidence
    numbers: Mapping[str, float]
    test: str


def vintages(table: Mapping[str, Any]) -> tuple[Vintage, ...]:
    """The sets in *table* (`ear_rules`), oldest first."""
    found = [
        Vintage(
            effective=datetime.fromisoformat(row["effective"]).replace(tzinfo=UTC),
            cite=row["cite"],
            confidence=row["confidence"],
            numbers=row["numbers"],
            test=row["test"],
        )
        for row in table["thresholds"]
    ]
    return tuple(sorted(found, key=lambda v: v.effective))


def classify(spec: AcceleratorSpec, sets: tuple[Vintage, ...], as_of: datetime) -> Classification:
    """The paragraph of 3A090 that *spec* meets under the thresholds in force at *as_of*.

    Raises:
        NaiveInstantError: *as_of* has no timezone.
    """
    if as_of.tzinfo is None or as_of.utcoffset() is None:
        raise NaiveInstantError("the instant of a classification needs a timezone")
    vintage: Vintage | None = None
    for candidate in sets:
        if candidate.effective <= as_of:
            vintage = candidate
    if vintage is None:
        return Classification(NONE_OF_3A090, sets[0].cite if sets else "", "primary")
    test = {"io": _io_test, "density": _density_test}[vintage.test]
    bounds = spec.tpp_range if spec.tpp_range is not None else None
    if bounds is None:
        if isinstance(spec.tpp, Unknown):
            return Classification(spec.tpp, vintage.cite, spec.confidence)
        bounds = (spec.tpp, spec.tpp)
    answers = {test(tpp, spec, vintage.numbers) for tpp in bounds}
    if len(answers) == 1:
        paragraph, used_area, unknown = answers.pop()
    elif all(a[0] and a[0].startswith("a") for a in answers):
        paragraph, used_area, unknown = "a", any(a[1] for a in answers), None
    elif any(a[2] for a in answers):
        unknowns = [a[2] for a in answers if a[2]]
        paragraph, used_area, unknown = None, False, unknowns[0]
    else:
        paragraph, used_area, unknown = None, False, f"TPP is {bounds[0]:g} or {bounds[1]:g}"
    confidence = weakest(vintage.confidence, spec.confidence)
    if used_area:
        confidence = weakest(confidence, spec.die_area_confidence)
    if unknown is not None:
        return Classification(Unknown(f"{spec.id}: {unknown}"), vintage.cite, confidence)
    if paragraph is None:
        return Classification(NONE_OF_3A090, vintage.cite, confidence)
    return Classification(f"3A090.{paragraph[0]}", vintage.cite, confidence, paragraph)


_Answer = tuple[str | None, bool, str | None]
"""Paragraph or None; whether the die area decided; why nobody knows, or None."""


def _io_test(tpp: float, spec: AcceleratorSpec, n: Mapping[str, float]) -> _Answer:
    if tpp < n["tpp"]:
        return None, False, None
    if isinstance(spec.io_bandwidth, Unknown):
        return None, False, f"its transfer rate decides: {spec.io_bandwidth.reason}"
    return ("a" if spec.io_bandwidth >= n["io"] else None), False, None


def _density_test(tpp: float, spec: AcceleratorSpec, n: Mapping[str, float]) -> _Answer:
    if tpp >= n["a1_tpp"]:
        return "a.1", False, None
    if spec.datacenter is False and tpp < n["note2_tpp"]:
        return None, False, None
    if tpp < min(n["a2_tpp"], n["b1_tpp"], n["b2_tpp"]):
        return None, False, None
    density = density_of(tpp, spec.die_area) if not isinstance(spec.die_area, Unknown) else spec.performance_density
    if isinstance(density, Unknown):
        return None, False, f"its performance density decides: {density.reason}"
    paragraph = _paragraph(tpp, density, n)
    if paragraph is not None and isinstance(spec.datacenter, Unknown):
        return None, True, f"whether it is marketed for datacenters decides: {spec.datacenter.reason}"
    return paragraph, True, None


def _paragraph(tpp: float, density: float, n: Mapping[str, float]) -> str | None:
    # a is asked first: paragraph b.2 has no upper bound on TPP, and what meets a is a.
    if tpp >= n["a2_tpp"] and density >= n["a2_pd"]:
        return "a.2"
    if n["b1_tpp"] <= tpp < n["b1_tpp_below"] and n["b1_pd"] <= density < n["b1_pd_below"]:
        return "b.1"
    if tpp >= n["b2_tpp"] and n["b2_pd"] <= density < n["b2_pd_below"]:
        return "b.2"
    return None
