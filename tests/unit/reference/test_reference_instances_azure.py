"""Azure sizes and the spellings of the services built on them."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import azure.mgmt.compute
import pytest

from exportguard.reference import InstanceFact, NoAccelerator, default
from exportguard.vocabulary.fact import Unknown

REFERENCE = default()


@pytest.mark.parametrize(
    ("name", "accelerator", "count"),
    [
        ("Standard_ND96isr_H100_v5", "h100-sxm", 8), ("STANDARD_ND96ISR_H100_V5", "h100-sxm", 8),
        ("nd96isr_h100_v5", "h100-sxm", 8), ("Standard_ND96asr_v4", "a100-40gb-sxm", 8), ("Standard_NC24", "k80", 4),
        ("Standard_NC24ads_A100_v4", "a100-80gb-pcie", 1), ("Standard_NC24_Promo", "k80", 4),
        ("NC6s_v3", "v100-sxm2", 1),
        ("Standard_NC24-12s_v3", "v100-sxm2", 4), ("Standard_NV6ads_A10_v5", "a10", Fraction(1, 6)),
        ("Standard_ND128isr_NDR_GB200_v6", "gb200", 4), ("Standard_ND96isr_MI300X_v5", "mi300x", 8),
        ("Consumption-GPU-NC24-A100", "a100-80gb-pcie", 1), ("Consumption-GPU-NC8as-T4", "t4", 1),
        ("NC48-A100", "a100-80gb-pcie", 2), ("Standard_NV12s_v2", "m60", 2), ("Standard_NP10s", "xilinx-u250", 1),
        ("Standard_NCC40ads_H100_v5", "h100-nvl", 1), (" standard_nc6s_v3 ", "v100-sxm2", 1),
    ],
)  # fmt: skip
def test_an_accelerated_size_names_its_chip_and_how_many(name: str, accelerator: str, count: Fraction) -> None:
    """In any case, with and without `Standard_`, promotional, constrained-core and fractional sizes included."""
    fact = REFERENCE.instance("azure", name)
    assert isinstance(fact, InstanceFact)
    assert [spec.id for spec in fact.accelerators] == [accelerator]
    assert fact.count == count


def test_a_size_with_an_unpublished_part_of_a_gpu_has_an_unknown_count() -> None:
    fact = REFERENCE.instance("azure", "Standard_NC16ds_xl_RTXPRO6000BSE_v6")
    assert isinstance(fact, InstanceFact)
    assert isinstance(fact.count, Unknown)


@pytest.mark.parametrize(
    "name",
    [
        "Standard_D2s_v3", "standard_d2s_v3", "D2s_v3", "Standard_B2ms", "Standard_B2ats_v2", "Standard_A1_v2",
        "Basic_A0",
        "Standard_A10", "Standard_DS1_v2", "Standard_DS11-1_v2", "Standard_E64-16s_v3", "Standard_M416s_8_v2",
        "Standard_M64", "Standard_HB176-24rs_v4", "Standard_HX176rs", "Standard_H16mr", "Standard_L8s_v3",
        "Standard_F2",
        "Standard_FX4mds", "Standard_G5", "Standard_GS5-16", "Standard_DC4as_cc_v5", "Standard_EC96iads_v5",
        "Standard_L4s",
        "Standard_E8as_v5+1TB_PS", "Dev(No SLA)_Standard_E2a_v4", "DSv3-Type1", "Dadsv5-Type1", "Consumption",
        "D4", "E16",
        "Small", "ExtraLarge", "Standard_D2plds_v6", "Standard_D4_v3",
    ],
)  # fmt: skip
def test_families_that_never_carried_any_are_known_to_carry_none(name: str) -> None:
    assert isinstance(REFERENCE.instance("azure", name), NoAccelerator)


@pytest.mark.parametrize(
    "name",
    [
        "Standard_ND96isr_H300_v9", "Standard_ND96isr_v9", "Standard_NC7", "Standard_NX8s_v1", "Standard_Q4s_v1",
        "Standard_PB6s",
        "Standard_D2s_A100_v9", "NVv3-Type1", "NVasv4-Type1", "HardwareAcceleratedGPU", "Mix", "", "Standard_",
        "Standard",
        "H100", "A100", "A10", "L4", "L40S", "B200", "M60", "T4", "Standard_H100", "Standard_B200",
        "Standard_L40", "A10_v4",
        "Standard_D2s_v3;Standard_NC6", "x" * 400, "Standard_Ｄ2s_v3", "p5.48xlarge", "Consumption-GPU-NC96-H100",
        "Standard_LRS", "h100_v5", "l40s_v2", "[parameters('vmSize')]", "Standard_ND40s_v3",
    ],
)  # fmt: skip
def test_new_malformed_and_foreign_names_are_unknown(name: str) -> None:
    """An accelerator's name is never read as a harmless size of family A, B, H, L or M."""
    assert isinstance(REFERENCE.instance("azure", name), Unknown)


def test_every_size_of_the_installed_azure_sdk_is_classified() -> None:
    """The sizes that the compute package lists, retired ones included."""
    folder = Path(azure.mgmt.compute.__file__).parent
    text = "".join(path.read_text() for path in folder.rglob("*enums*.py"))
    sizes = set(re.findall(r'= "((?:Standard|Basic)_(?=[A-Z]+\d)\w[\w-]*)"', text)) - {"Standard_LRS", "Standard_ZRS"}
    assert len(sizes) > 100
    for name in sizes:
        fact = REFERENCE.instance("azure", name)
        assert isinstance(fact, InstanceFact if name.startswith("Standard_N") else NoAccelerator), name
