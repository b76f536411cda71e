"""exportguard: may this party have this accelerator or this model, there, now? Asked before the call leaves.

Public names are loaded when first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exportguard._version import __version__

_HOMES = {
    "Guard": "exportguard.guard",
    "ExportguardError": "exportguard.errors",
    "ProvisioningRefused": "exportguard.errors",
    "ProvisioningDenied": "exportguard.errors",
    "ProvisioningHeld": "exportguard.errors",
    "InputError": "exportguard.errors",
    "PolicyError": "exportguard.errors",
    "DocumentError": "exportguard.errors",
    "UnknownCustomerError": "exportguard.errors",
    "ConfigurationError": "exportguard.errors",
    "RecordError": "exportguard.errors",
    "LedgerError": "exportguard.errors",
    "Decision": "exportguard.vocabulary",
    "Outcome": "exportguard.vocabulary",
    "ProvisioningRequest": "exportguard.vocabulary",
    "Item": "exportguard.vocabulary",
    "Location": "exportguard.vocabulary",
    "Party": "exportguard.vocabulary",
    "Unknown": "exportguard.vocabulary",
}

if TYPE_CHECKING:
    from exportguard.errors import (
        ConfigurationError,
        DocumentError,
        ExportguardError,
        InputError,
        LedgerError,
        PolicyError,
        ProvisioningDenied,
        ProvisioningHeld,
        ProvisioningRefused,
        RecordError,
        UnknownCustomerError,
    )
    from exportguard.guard import Guard
    from exportguard.vocabulary import Decision, Item, Location, Outcome, Party, ProvisioningRequest, Unknown

__all__ = [
    "ConfigurationError",
    "Decision",
    "DocumentError",
    "ExportguardError",
    "Guard",
    "InputError",
    "Item",
    "LedgerError",
    "Location",
    "Outcome",
    "Party",
    "PolicyError",
    "ProvisioningDenied",
    "ProvisioningHeld",
    "ProvisioningRefused",
    "ProvisioningRequest",
    "RecordError",
    "Unknown",
    "UnknownCustomerError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'exportguard' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
