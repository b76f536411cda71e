"""What a provider's own catalogue has that the reference data has not, or has otherwise.

Read are the answers of DescribeInstanceTypes, DescribeRegions, ListFoundationModels and ListInferenceProfiles, of
Azure's Resource SKUs, locations and models, and plain lists of names. Nothing is guessed from what is new: it is told,
for a person to add with its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from exportguard.errors import DocumentError
from exportguard.reference.facts import InstanceFact, NoAccelerator
from exportguard.reference.instances import NOT_THERE
from exportguard.reference.lookup import ReferenceData
from exportguard.vocabulary.fact import Unknown

Verdict = Literal["new", "differs", "open", "agrees"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a catalogue lists. `chips`: accelerator names with how many; None: the catalogue does not say,
    `{}`: it says that there are none. `gpus`: how many accelerators where it does not name them."""

    kind: Literal["instance", "region", "model"]
    provider: str
    name: str
    chips: Mapping[str, int] | None = None
    gpus: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """`new`: not known, and so held where it counts; `differs`: known otherwise; `open`: known of, and known to be
    unsettled (an accelerator that its provider never named); `agrees`."""

    entry: Entry
    verdict: Verdict
    message: str


def compare(reference: ReferenceData, entries: Iterable[Entry]) -> list[Difference]:
    """Each of *entries* against *reference*, in their order, repeats left out."""
    return [_compare(reference, entry) for entry in dict.fromkeys(_hashable(e) for e in entries)]


def read_catalogue(document: Any, place: str, provider: str | None = None) -> list[Entry]:
    """The entries of an answer as its API gives it, or of a list of names.

    Args:
        document: parsed JSON.
        place: what messages call it.
        provider: whose names a plain list has (`aws`, `azure`).

    Raises:
        DocumentError: it is no catalogue that is known here, or a row of it cannot be read.
    """
    if isinstance(document, list) and all(isinstance(x, str) for x in document):
        return list(names(document, provider or "aws"))
    if isinstance(document, list):
        return [entry for part in document for entry in read_catalogue(part, place, provider)]
    try:
        if isinstance(document, Mapping):
            for key, reader in _READERS.items():
                if key in document:
                    return list(reader(document[key]))
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise DocumentError(f"a row of the catalogue cannot be read: {problem!r}", place=place) from None
    raise DocumentError(
        "no catalogue that is known here",
        place=place,
        remedy=f"Give the answer as the API or its command line prints it: {', '.join(_READERS)}.",
    )


def names(texts: Iterable[str], provider: str) -> Iterator[Entry]:
    """A list of names: model ids where they look like some, else instance types or sizes."""
    for text in texts:
        name = text.strip()
        if not name or name.startswith("#"):
            continue
        dotted = name.partition(".")
        looks_like_model = ":" in name or (provider == "aws" and dotted[1] and not any(c.isdigit() for c in dotted[0]))
        kind: Literal["instance", "model"] = "model" if looks_like_model and dotted[0] != "ml" else "instance"
        yield Entry(kind, provider, name)


def installed_types() -> list[Entry]:
    """Instance types of EC2 and SageMaker that the installed botocore enumerates.

    Raises:
        DocumentError: botocore is not installed.
    """
    try:
        from importlib import import_module

        session = import_module("botocore.session").get_session()
    except ImportError:
        raise DocumentError("botocore is not installed", remedy="pip install 'exportguard[aws]'") from None
    found: dict[str, None] = dict.fromkeys(session.get_service_model("ec2").shape_for("InstanceType").enum)
    model = session.get_service_model("sagemaker")
    for name in model.shape_names:
        for value in getattr(model.shape_for(name), "enum", None) or ():
            if value.startswith("ml."):
                found[value] = None
    return [Entry("instance", "aws", name) for name in found]


def _instance_types(rows: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    for row in rows:
        chips: dict[str, int] = {}
        for info, key in (
            ("GpuInfo", "Gpus"),
            ("NeuronInfo", "NeuronDevices"),
            ("InferenceAcceleratorInfo", "Accelerators"),
            ("FpgaInfo", "Fpgas"),
            ("MediaAcceleratorInfo", "Accelerators"),
        ):
            for device in (row.get(info) or {}).get(key, ()):
                label = str(device.get("Name", "unnamed"))
                chips[label] = chips.get(label, 0) + int(device.get("Count", 1))
        yield Entry("instance", "aws", str(row["InstanceType"]), chips)


def _azure(rows: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    for row in rows:
        if "resourceType" in row:
            if row["resourceType"] == "virtualMachines":
                stated = {c["name"]: c["value"] for c in row.get("capabilities", ())}
                yield Entry("instance", "azure", str(row["name"]), None, Fraction(stated.get("GPUs", 0)))
        elif "model" in row:
            yield Entry("model", "azure", str(row["model"]["name"]))
        elif "displayName" in row or "metadata" in row:
            if (row.get("metadata") or {}).get("regionType", "Physical") == "Physical":
                yield Entry("region", "azure", str(row["name"]))
        elif "numberOfCores" in row or "vCPUs" in row:
            # As Microsoft.Compute's and Machine Learning's own lists of sizes have them; only the latter count GPUs.
            gpus = Fraction(row["gpus"]) if row.get("gpus") is not None else None
            yield Entry("instance", "azure", str(row["name"]), None, gpus)
        else:
            raise KeyError("a row that is no SKU, model or location")


_READERS = {
    "InstanceTypes": _instance_types,
    "Regions": lambda rows: (Entry("region", "aws", str(r["RegionName"])) for r in rows),
    "modelSummaries": lambda rows: (Entry("model", "aws", str(r["modelId"])) for r in rows),
    "inferenceProfileSummaries": lambda rows: (Entry("model", "aws", str(r["inferenceProfileId"])) for r in rows),
    "value": _azure,
}


def _compare(reference: ReferenceData, entry: Entry) -> Difference:
    if entry.kind == "region":
        region = reference.region(entry.provider, entry.name)
        if isinstance(region, Unknown):
            return Difference(entry, "new", region.reason)
        return Difference(entry, "agrees", f"in {region.country}")
    if entry.kind == "model":
        model = reference.model(entry.provider, entry.name)
        if isinstance(model, Unknown) or isinstance(model.family, Unknown):
            why = model if isinstance(model, Unknown) else model.family
            return Difference(entry, "new", why.reason if isinstance(why, Unknown) else "")
        return Difference(entry, "agrees", f"{model.family}")
    fact = reference.instance(entry.provider, entry.name)
    if isinstance(fact, Unknown):
        told = "" if entry.chips is None else f"; the catalogue says {_shown(entry.chips)}"
        verdict: Verdict = "new" if fact.reason.endswith(NOT_THERE) else "open"
        return Difference(entry, verdict, fact.reason + told)
    return _carried(reference, entry, fact)


def _carried(reference: ReferenceData, entry: Entry, fact: InstanceFact | NoAccelerator) -> Difference:
    ours = "none"
    if isinstance(fact, InstanceFact):
        ours = f"{fact.count if not isinstance(fact.count, Unknown) else '?'} x {fact.accelerators[0].family}"
    if entry.chips is not None:
        if isinstance(fact, NoAccelerator):
            agrees = not entry.chips
        else:
            named = [spec for name in entry.chips for spec in reference.accelerators(name)]
            count = sum(entry.chips.values())
            # A part of a GPU is counted as none or as one by the catalogues; that is no difference.
            fits = isinstance(fact.count, Unknown) or fact.count < 1 or fact.count == count
            agrees = bool(entry.chips) and fits and (not named or bool({*fact.accelerators} & {*named}))
            agrees = agrees or (not entry.chips and not isinstance(fact.count, Unknown) and fact.count < 1)
        theirs = _shown(entry.chips)
    elif entry.gpus is not None:
        if isinstance(fact, NoAccelerator):
            agrees = entry.gpus == 0
        else:
            agrees = isinstance(fact.count, Unknown) or fact.count < 1 or entry.gpus in (fact.count, 0)
        theirs = f"{entry.gpus} GPUs"
    else:
        return Difference(entry, "agrees", ours)
    return Difference(entry, "agrees" if agrees else "differs", f"the catalogue says {theirs}, the data {ours}")


def _shown(chips: Mapping[str, int]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in chips.items()) or "none"


def _hashable(entry: Entry) -> Entry:
    return Entry(
        entry.kind, entry.provider, entry.name, _Chips(entry.chips) if entry.chips is not None else None, entry.gpus
    )


class _Chips(dict[str, int]):
    """A mapping that can be told apart in a set."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))
