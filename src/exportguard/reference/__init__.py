"""Dated, cited facts about the world, and pure look-ups over them."""

from exportguard.reference.facts import (
    AcceleratorSpec,
    Classification,
    InstanceFact,
    ModelFact,
    NoAccelerator,
    Peak,
    RegionFact,
    SkuFact,
)
from exportguard.reference.lookup import ReferenceData, default

__all__ = [
    "AcceleratorSpec",
    "Classification",
    "InstanceFact",
    "ModelFact",
    "NoAccelerator",
    "Peak",
    "ReferenceData",
    "RegionFact",
    "SkuFact",
    "default",
]
