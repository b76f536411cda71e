"""What a call only names, looked up by somebody else: the Protocols that facts take, and nothing that does I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown


@dataclass(frozen=True, slots=True)
class DeploymentFact:
    """What stands behind a deployment name: the model, the SKU that says where it runs, the account's region."""

    model: Maybe[str]
    sku: str | None = None
    location: Maybe[str] = NOT_GIVEN


class Resolver(Protocol):
    """Reads, never writes; answers `Unknown` with the reason for what it cannot tell, and never raises."""

    def read(self, resource_id: str, cloud: str | None) -> Mapping[str, Any] | Unknown:
        """The ARM resource as it is now (its GET), by its id without a host."""
        ...

    def deployment(self, host: str, name: str) -> DeploymentFact | Unknown:
        """The deployment *name* of the account that *host* serves."""
        ...
