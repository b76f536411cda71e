"""What a deployment name hides, looked up by somebody else."""

from __future__ import annotations

from typing import Protocol

from exportguard.vocabulary.fact import Maybe, Unknown


class DeploymentLike(Protocol):
    """What stands behind a deployment name. `sku` says where it is processed, `location` is the account's region."""

    @property
    def model(self) -> Maybe[str]: ...
    @property
    def sku(self) -> str | None: ...
    @property
    def location(self) -> Maybe[str]: ...


class Resolver(Protocol):
    """Answers `Unknown` with the reason for what it cannot tell, never raises, and may keep its answers."""

    def deployment(self, host: str, name: str) -> DeploymentLike | Unknown:
        """The deployment *name* of the Azure account that *host* serves."""
        ...
