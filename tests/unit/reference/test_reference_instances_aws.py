"""EC2 types and the names that other AWS services build on them."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from botocore.loaders import Loader

from exportguard.reference import InstanceFact, NoAccelerator, default
from exportguard.vocabulary.fact import Unknown

REFERENCE = default()
LOADER = Loader()
ACCELERATED = re.compile(r"(?:p|g|gr|cg|inf|trn|dl|vt|f)\d")


def enum(service: str, shape: str) -> list[str]:
    values: list[str] = LOADER.load_service_model(service, "service-2")["shapes"][shape]["enum"]
    return values


def test_every_ec2_type_of_the_installed_botocore_is_classified() -> None:
    """No type is harmless because nobody listed it: each is mapped, or of a family that never carried any."""
    types = enum("ec2", "InstanceType")
    assert len(types) > 1000
    for name in types:
        fact = REFERENCE.instance("aws", name)
        assert not isinstance(fact, Unknown), name
        expected = InstanceFact if ACCELERATED.match(name) else NoAccelerator
        assert isinstance(fact, expected), name


@pytest.mark.parametrize(
    ("service", "shape"),
    [
        ("sagemaker", "TrainingInstanceType"), ("sagemaker", "ProductionVariantInstanceType"),
        ("sagemaker", "InstanceType"), ("sagemaker", "ProcessingInstanceType"),
        ("sagemaker", "TransformInstanceType"),
        ("sagemaker", "ClusterInstanceType"), ("sagemaker", "ReservedCapacityInstanceType"),
        ("opensearch", "OpenSearchPartitionInstanceType"), ("es", "ESPartitionInstanceType"),
        ("gamelift", "EC2InstanceType"), ("cloudsearch", "PartitionInstanceType"), ("workspaces", "Compute"),
    ],
)  # fmt: skip
def test_every_type_that_a_service_lists_is_classified(service: str, shape: str) -> None:
    """SageMaker, OpenSearch, GameLift, CloudSearch and WorkSpaces name types in their own way."""
    unsettled = {n for n in enum(service, shape) if isinstance(REFERENCE.instance("aws", n), Unknown)}
    # Graphics bundles of which AWS never said on what instance they run.
    assert unsettled <= {"GRAPHICS", "GRAPHICSPRO", "GRAPHICS_G4DN", "GRAPHICSPRO_G4DN"}


@pytest.mark.parametrize(
    ("name", "accelerator", "count"),
    [
        ("p4d.24xlarge", "a100-40gb-sxm", 8), ("p4de.24xlarge", "a100-80gb-sxm", 8), ("p5.48xlarge", "h100-sxm", 8),
        ("p5.4xlarge", "h100-sxm", 1), ("p6-b200.48xlarge", "b200", 8), ("p6e-gb200.36xlarge", "gb200", 4),
        ("trn2.48xlarge", "trainium2", 16), ("g5g.metal", "t4g", 2), ("g6f.large", "l4", Fraction(1, 8)),
        ("ml.p5.48xlarge", "h100-sxm", 8), ("ml.g5.xlarge", "a10g", 1), ("P5.48XLARGE", "h100-sxm", 8),
        (" p5.48xlarge ", "h100-sxm", 8), ("u-p6e-gb200x72", "gb200", 72), ("ml.u-p6e-gb200x36", "gb200", 36),
        ("stream.graphics.g4dn.xlarge", "t4", 1), ("GRAPHICS_G6_XLARGE", "l4", 1), ("cg1.4xlarge", "m2050", 2),
    ],
)  # fmt: skip
def test_an_accelerated_type_names_its_chip_and_how_many(name: str, accelerator: str, count: Fraction) -> None:
    fact = REFERENCE.instance("aws", name)
    assert isinstance(fact, InstanceFact)
    assert [spec.id for spec in fact.accelerators] == [accelerator]
    assert fact.count == count
    assert fact.source


@pytest.mark.parametrize(
    "name",
    [
        "t3.micro", "m7i-flex.large", "u-6tb1.metal", "u7inh-32tb.480xlarge", "mac2-m1ultra.metal", "mac-m4max.metal",
        "hpc7g.16xlarge", "x2iedn.32xlarge", "t4g.nano", "m8gn.metal-48xl", "db.r6g.large", "db.t3.micro",
        "db.serverless",
        "db.r5.12xlarge.tpc2.mem2x", "cache.r7g.large", "r6g.large.search", "ultrawarm1.medium.search",
        "ml.t3.medium",
        "ml.m5.xlarge", "ra3.4xlarge", "dc2.large", "mq.m5.large", "kafka.m7g.large", "dax.r5.large", "system",
        "VALUE",
        "stream.standard.medium", "or1.large.search", "im4gn.large", "is4gen.medium",
    ],
)  # fmt: skip
def test_families_that_never_carried_any_are_known_to_carry_none(name: str) -> None:
    """The everyday call must not be held: these are settled by grammar, retired and future sizes included."""
    assert isinstance(REFERENCE.instance("aws", name), NoAccelerator)


@pytest.mark.parametrize(
    "name",
    [
        "p7.48xlarge", "p6-b400.48xlarge", "g8.xlarge", "trn3.48xlarge", "inf3.xlarge", "f3.2xlarge", "dl3.24xlarge",
        "q1.large", "ml.p9.48xlarge", "p5", "p5.", ".48xlarge", "p5.48xlarge.extra", "p5 48xlarge", "m5", "m5.",
        "m5.gigantic",
        "m5-h100.large", "", "x" * 500, "h100", "H100", "l4.large", "h20.large", "a10g.xlarge", "a100.large",
        "t4.large",
        "db.p5.48xlarge", "cache.g5.xlarge", "ml.eia1.medium", "stream.graphics-pro.4xlarge", "р5.48xlarge", "*",
        "p*",
        "m5.large,p5.48xlarge", "optimal", "m5.large\np5.48xlarge", "m5.largex", "gpu.xlarge",
    ],
)  # fmt: skip
def test_new_malformed_and_foreign_names_are_unknown(name: str) -> None:
    """A family or size that nobody knows is not harmless, and a name in a look-alike alphabet is no name."""
    assert isinstance(REFERENCE.instance("aws", name), Unknown)
