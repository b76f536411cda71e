"""Accelerator names, and the figures behind them."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader

from exportguard.reference import default
from exportguard.vocabulary.fact import Unknown

REFERENCE = default()


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("h100-sxm", {"h100-sxm"}), ("H100", {"h100-sxm", "h100-pcie", "h100-nvl"}),
        ("H-100", {"h100-sxm", "h100-pcie", "h100-nvl"}), ("nvidia-h100-80gb", {"h100-sxm", "h100-pcie"}),
        ("NVIDIA-H100-80GB-HBM3", {"h100-sxm", "h100-pcie"}), ("h100sxm5", {"h100-sxm"}), ("H100 NVL", {"h100-nvl"}),
        ("NVIDIA A100-SXM4-80GB", {"a100-80gb-sxm"}), ("a100-80gb", {"a100-80gb-sxm", "a100-80gb-pcie"}),
        ("A100-PCIE-40GB", {"a100-40gb-pcie"}), ("a10080gb", {"a100-80gb-sxm", "a100-80gb-pcie"}), ("a10", {"a10"}),
        ("NVIDIA A10G", {"a10g"}), ("L4", {"l4"}), ("l40", {"l40"}), ("NVIDIA L40S-48GB", {"l40s"}), ("t4", {"t4"}),
        ("nvidia-tesla-t4", {"t4"}), ("Tesla T4", {"t4"}), ("T4G", {"t4g"}), ("H800", {"h800-sxm", "h800-pcie"}),
        ("a800", {"a800-sxm", "a800-pcie"}), ("H20", {"h20"}), ("H200", {"h200-sxm", "h200-nvl"}), ("B200", {"b200"}),
        ("GB200", {"gb200"}), ("nvidia-gb200", {"gb200"}), ("GH200", {"gh200"}), ("MI300X", {"mi300x"}),
        ("AMD Instinct MI300X", {"mi300x"}), ("mi300a", {"mi300a"}), ("Trainium2", {"trainium2"}),
        ("V100", {"v100-sxm2"}),
        ("Tesla-V100-SXM2-32GB", {"v100-sxm2"}), ("Inferentia2", {"inferentia2"}),
        ("8x H100", {"h100-sxm", "h100-pcie", "h100-nvl"}),
        ("H100:8", {"h100-sxm", "h100-pcie", "h100-nvl"}), ("Ｈ１００", {"h100-sxm", "h100-pcie", "h100-nvl"}),
        ("RTX 4090", {"rtx-4090"}), ("GeForce RTX 4090 D", {"rtx-4090d"}), ("ascend 910b", {"ascend-910b"}),
        ("H100x8", {"h100-sxm", "h100-pcie", "h100-nvl"}), ("8xA100-80GB", {"a100-80gb-sxm", "a100-80gb-pcie"}),
        ("8xMI300X", {"mi300x"}), ("GB200 NVL72", {"gb200"}), ("K80", {"k80"}),
        ("nvidia-tesla-p100", {"p100"}),
    ],
)  # fmt: skip
def test_usual_spellings_name_the_right_packages(name: str, ids: set[str]) -> None:
    """Vendor words, separators, case, counts and memory sizes do not matter; form and memory narrow the candidates."""
    assert {spec.id for spec in REFERENCE.accelerators(name)} == ids


@pytest.mark.parametrize(
    "name",
    ["", "nvidia", "tesla", "80gb", "gpu", "a100x", "h100cc", "h1000", "a1000", "l400", "b20", "Н100", "h10", "a",
     "h100 and more",
     "x" * 500, "nvidia.com/gpu", "mig-1g.5gb", "xH100",
     "H100x8x8", "100xfoo", "8xgpu", "standard", "gb", "100", "H100B200", "8"],
)  # fmt: skip
def test_a_name_with_something_left_over_is_not_known(name: str) -> None:
    """Nothing is matched by prefix or by part: an unknown word makes the whole name unknown."""
    assert REFERENCE.accelerators(name) == ()


def test_every_accelerator_name_of_ec2_and_deadline_is_read() -> None:
    """The closed lists by which AWS asks for an accelerator without naming a type."""
    loader = Loader()
    for service, shape in (("ec2", "AcceleratorName"), ("deadline", "AcceleratorName")):
        for name in loader.load_service_model(service, "service-2")["shapes"][shape]["enum"]:
            assert REFERENCE.accelerators(name), name


def test_every_id_family_and_alias_names_its_package() -> None:
    for id_ in REFERENCE.accelerator_ids:
        (spec,) = REFERENCE.accelerators(id_)
        assert spec.id == id_
        assert spec in REFERENCE.accelerators(spec.family)
        for alias in spec.aliases:
            assert spec in REFERENCE.accelerators(alias)
        assert spec.sources


@pytest.mark.parametrize(
    ("id_", "tpp", "density"),
    [
        ("a100-80gb-sxm", 4992, 4992 / 826), ("h100-sxm", 15832, 15832 / 814), ("a40", 2395.2, 2395.2 / 628.4),
        ("mi210", 2899.2, 2899.2 / 724), ("gaudi3", 29360, None), ("mi355x", 60397.8, None), ("k80", 139.68, None),
    ],
)  # fmt: skip
def test_figures_are_computed_from_the_dense_peaks(id_: str, tpp: float, density: float | None) -> None:
    """The highest format counts (FP64 for MI210, FP6 for MI355X, BF16 for Gaudi 3); no area, no density."""
    (spec,) = REFERENCE.accelerators(id_)
    assert spec.tpp == pytest.approx(tpp)
    if density is None:
        assert isinstance(spec.performance_density, Unknown)
    else:
        assert spec.performance_density == pytest.approx(density)


def test_a_disputed_reading_of_tf32_leaves_the_tpp_unknown() -> None:
    """Inferentia2 is 3040 or 6080: saying either would be a guess."""
    (spec,) = REFERENCE.accelerators("inferentia2")
    assert isinstance(spec.tpp, Unknown)
    assert spec.tpp_range == (3040, 6080)
