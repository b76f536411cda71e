"""What a look-up answers: frozen records, each with the confidence and the source it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from exportguard.vocabulary.fact import NOT_GIVEN, Confidence, Maybe

RANK: dict[Confidence, int] = {"primary": 0, "secondary": 1, "general-knowledge": 2}


def weakest(*levels: Confidence) -> Confidence:
    """The level of a conclusion: that of the weakest fact it rests on."""
    return max(levels, key=RANK.__getitem__)


@dataclass(frozen=True, slots=True)
class Peak:
    """A dense peak that the vendor claims: `tops` x 10^12 operations a second on inputs of `bits` bits.

    `disputed`: how many bits the rule counts for this format is an open reading (TF32 is stored in 32 bits and
    multiplied in 19), so the answer that holds with and without it is the only one given.
    """

    format: str
    bits: int
    tops: float
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class AcceleratorSpec:
    """One accelerator package. Figures are per package, never per board or instance.

    `tpp`: the highest of bit length x dense TOPS over all formats. `performance_density`: TPP per mm2 of non-planar
    logic; Unknown where the area is not published or all dies are planar. `memory_bandwidth` and `io_bandwidth`
    (to anything but volatile memory, both directions) in GB/s. `tpp_range`: lowest and highest TPP under the open
    readings of disputed peaks; both equal `tpp` where nothing is disputed.
    """

    id: str
    family: str
    vendor: str
    name: str
    tpp: Maybe[float]
    performance_density: Maybe[float]
    memory_bandwidth: Maybe[float]
    datacenter: Maybe[bool]
    io_bandwidth: Maybe[float] = NOT_GIVEN
    tpp_range: tuple[float, float] | None = None
    die_area: Maybe[float] = NOT_GIVEN
    peaks: tuple[Peak, ...] = ()
    aliases: tuple[str, ...] = ()
    confidence: Confidence = "general-knowledge"
    die_area_confidence: Confidence = "general-knowledge"
    sources: tuple[str, ...] = ()
    form: str | None = None
    memory_gb: tuple[int, ...] = ()
    is_informed_from: str | None = None
    """Date from which the vendor was told that a licence is needed, outside 3A090 (ISO 8601)."""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Classification:
    """`eccn`: `3A090.a`, `3A090.b`, `scope.NONE_OF_3A090` or Unknown. `paragraph`: the limb that decided (`a.2`)."""

    eccn: Maybe[str]
    cite: str
    confidence: Confidence
    paragraph: str | None = None


@dataclass(frozen=True, slots=True)
class RegionFact:
    """`region` in the provider's own spelling; `country` ISO alpha-2 (HK and MO are their own); `cloud`: the AWS
    partition or the Azure cloud; `zone`: the zone that was asked for, if it was one."""

    region: str
    country: str
    subdivision: str | None
    cloud: str
    confidence: Confidence
    source: str
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceFact:
    """An instance type or size that carries accelerators: `accelerators` are candidates (usually one), `count` of
    them per instance, a fraction where a part of one is offered, Unknown where nothing is published."""

    name: str
    accelerators: tuple[AcceleratorSpec, ...]
    count: Maybe[Fraction]
    confidence: Confidence
    source: str


@dataclass(frozen=True, slots=True)
class NoAccelerator:
    """Known to carry none, and why: by data or by a family that never carried any."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class ModelFact:
    """An AI model. `provider` made it, `provider_country` is its headquarters, `weights` is `open` or `closed`.
    `geography` is what the name says of where inference runs (`us`, `eu`, `global`, a data zone); None: nothing."""

    id: Maybe[str]
    family: Maybe[str]
    provider: Maybe[str]
    provider_country: Maybe[str]
    weights: Maybe[str]
    geography: str | None
    confidence: Confidence
    source: str


@dataclass(frozen=True, slots=True)
class SkuFact:
    """An Azure OpenAI deployment SKU. `processing`: `region`, `data_zone` or `global`."""

    name: str
    processing: str
    confidence: Confidence
    source: str
