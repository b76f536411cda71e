"""What a refreshed catalogue adds: told, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from exportguard.errors import DocumentError
from exportguard.reference import default
from exportguard.reference.catalogue import Entry, compare, installed_types, names, read_catalogue
from exportguard.reference.describe import describe

REFERENCE = default()
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def told(document: Any, provider: str | None = None) -> dict[str, str]:
    return {d.entry.name: d.verdict for d in compare(REFERENCE, read_catalogue(document, "x", provider))}


def test_describe_instance_types_is_compared_by_chip_and_count() -> None:
    """A type that is new, one with another chip, one with another count; parts of a GPU are no difference."""
    rows = [
        {"InstanceType": "p5.48xlarge", "GpuInfo": {"Gpus": [{"Name": "H100", "Manufacturer": "NVIDIA", "Count": 8}]}},
        {"InstanceType": "p7.48xlarge", "GpuInfo": {"Gpus": [{"Name": "R100", "Count": 8}]}},
        {"InstanceType": "p4d.24xlarge", "GpuInfo": {"Gpus": [{"Name": "H100", "Count": 8}]}},
        {"InstanceType": "g5.48xlarge", "GpuInfo": {"Gpus": [{"Name": "A10G", "Count": 4}]}},
        {"InstanceType": "g6f.large", "GpuInfo": {"Gpus": [{"Name": "L4", "Count": 1}]}},
        {"InstanceType": "trn1.32xlarge", "NeuronInfo": {"NeuronDevices": [{"Name": "Trainium", "Count": 16}]}},
        {"InstanceType": "m5.large"},
        {"InstanceType": "m6.large", "GpuInfo": {"Gpus": [{"Name": "T4", "Count": 1}]}},
    ]
    assert told({"InstanceTypes": rows}) == {
        "p5.48xlarge": "agrees",
        "p7.48xlarge": "new",
        "p4d.24xlarge": "differs",
        "g5.48xlarge": "differs",
        "g6f.large": "agrees",
        "trn1.32xlarge": "agrees",
        "m5.large": "agrees",
        "m6.large": "differs",
    }


def test_resource_skus_locations_and_models_of_azure() -> None:
    def sku(name: str, gpus: str | None = None, kind: str = "virtualMachines") -> dict[str, Any]:
        stated = [{"name": "vCPUs", "value": "2"}, *([{"name": "GPUs", "value": gpus}] if gpus else [])]
        return {"resourceType": kind, "name": name, "capabilities": stated}

    skus = [
        sku("Standard_D2s_v5"),
        sku("Standard_ND96isr_H100_v5", "8"),
        sku("Standard_NC24ads_A100_v4", "2"),
        sku("Standard_ND999_v9", "8"),
        sku("Standard_D4s_v5", "1"),
        sku("Premium_LRS", kind="disks"),
    ]
    assert told({"value": skus}) == {
        "Standard_D2s_v5": "agrees",
        "Standard_ND96isr_H100_v5": "agrees",
        "Standard_NC24ads_A100_v4": "differs",
        "Standard_ND999_v9": "new",
        "Standard_D4s_v5": "differs",
    }
    places = [
        {"name": "eastus", "displayName": "East US", "metadata": {"regionType": "Physical"}},
        {"name": "unitedstates", "displayName": "United States", "metadata": {"regionType": "Logical"}},
        {"name": "moonbase", "displayName": "Moon", "metadata": {"regionType": "Physical"}},
    ]
    assert told({"value": places}) == {"eastus": "agrees", "moonbase": "new"}
    models = [{"model": {"format": "OpenAI", "name": name}} for name in ("gpt-4o", "galaxy-1")]
    assert told({"value": models}) == {"gpt-4o": "agrees", "galaxy-1": "new"}


def test_bedrock_models_profiles_and_regions() -> None:
    assert told(
        {"modelSummaries": [{"modelId": "anthropic.claude-3-haiku-20240307-v1:0"}, {"modelId": "acme.m-1"}]}
    ) == {
        "anthropic.claude-3-haiku-20240307-v1:0": "agrees",
        "acme.m-1": "new",
    }
    profile = "us.anthropic.claude-3-haiku-20240307-v1:0"
    assert told({"inferenceProfileSummaries": [{"inferenceProfileId": profile}]}) == {profile: "agrees"}
    assert told({"Regions": [{"RegionName": "eu-west-1"}, {"RegionName": "eu-west-9"}]}) == {
        "eu-west-1": "agrees",
        "eu-west-9": "new",
    }


def test_a_list_of_names() -> None:
    assert told(["p5.48xlarge", "ml.g5.xlarge", "# a comment", "", "q9.large", "amazon.nova-pro-v1:0"]) == {
        "p5.48xlarge": "agrees",
        "ml.g5.xlarge": "agrees",
        "q9.large": "new",
        "amazon.nova-pro-v1:0": "agrees",
    }
    assert told(["Standard_ND40s_v3", "Standard_B1s"], "azure") == {
        "Standard_ND40s_v3": "open",
        "Standard_B1s": "agrees",
    }
    assert [e.kind for e in names(["anthropic.claude-v2", "m5.large"], "aws")] == ["model", "instance"]


@pytest.mark.parametrize("document", [{}, {"Nothing": []}, 7, {"InstanceTypes": [{}]}, {"value": [{"odd": 1}]}, None])
def test_what_is_no_catalogue_is_refused(document: Any) -> None:
    with pytest.raises(DocumentError):
        read_catalogue(document, "x")


def test_the_installed_botocore_has_no_type_that_nobody_has_looked_at() -> None:
    """Fails when a newer botocore brings one: look it up, and add it with its source."""
    found = compare(REFERENCE, installed_types())
    assert len(found) > 1500
    assert [d.entry.name for d in found if d.verdict in ("new", "differs")] == []


def test_entries_are_compared_once() -> None:
    entry = Entry("instance", "azure", "Standard_D2s_v5", None, Fraction(0))
    assert len(compare(REFERENCE, [entry, entry])) == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("p5.48xlarge", "instance"), ("standard_nc24", "instance"), ("t3.micro", "no accelerator"),
        ("h20", "accelerator"), ("ap-east-1", "region"), ("East Asia", "region"), ("D:5", "country group"),
        ("provider:anthropic", "country group"),
        ("el", "list"), ("中国", "country"), ("global.anthropic.claude-opus-4-5-20251101-v1:0", "model"),
    ],
)  # fmt: skip
def test_a_name_is_described_with_confidence_and_source(name: str, kind: str) -> None:
    entry = describe(REFERENCE, name, NOW)[0]
    assert entry["kind"] == kind
    if kind not in ("list", "no accelerator"):
        assert entry["confidence"] in ("primary", "secondary", "general-knowledge")
        assert all(entry["sources"])


def test_a_classification_is_told_for_the_day_that_is_asked_about() -> None:
    """The A800 was below the thresholds of 2022 and is above those of 2023; nothing was 3A090 before."""
    told = [
        describe(REFERENCE, "A800-SXM", datetime(*day, tzinfo=UTC))[0]["eccn"]
        for day in ((2022, 10, 6), (2023, 11, 16), (2023, 11, 17))
    ]
    assert told == ["none of 3A090", "none of 3A090", "3A090.a"]


def test_what_nobody_knows_is_described_by_nothing() -> None:
    assert describe(REFERENCE, "p7.48xlarge", NOW) == []
    assert describe(REFERENCE, "", NOW) == []
