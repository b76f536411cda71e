"""What a deployment name hides, looked up by somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from exportguard.errors import ConfigurationError
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown


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


@dataclass(frozen=True, slots=True)
class KnownDeployment:
    """A deployment that somebody wrote down."""

    model: Maybe[str]
    sku: str | None = None
    location: Maybe[str] = NOT_GIVEN


class KnownDeployments:
    """A resolver of what is written down: deployment names, or `host/name` where hosts share names.

    Args:
        known: `{"chat-prod": "gpt-4o"}`, or with more than the model:
            `{"chat-prod": {"model": "gpt-4o", "sku": "GlobalStandard", "location": "swedencentral"}}`.

    Raises:
        ConfigurationError: an entry that is neither.
    """

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = {name.lower(): _entry(name, entry) for name, entry in known.items()}

    def deployment(self, host: str, name: str) -> DeploymentLike | Unknown:
        found = self._known.get(f"{host}/{name}".lower(), self._known.get(name.lower()))
        return found if found is not None else Unknown(f"deployment `{name}` hides its model")


def _entry(name: str, entry: Any) -> KnownDeployment:
    if isinstance(entry, str):
        return KnownDeployment(entry)
    if (
        isinstance(entry, Mapping)
        and isinstance(entry.get("model"), str)
        and entry.keys() <= {"model", "sku", "location"}
    ):
        return KnownDeployment(**entry)
    raise ConfigurationError(
        f"what deployment `{name}` stands for cannot be read", remedy="Give its model, or model, sku and location."
    )


def as_resolver(given: Resolver | Mapping[str, Any] | str | None) -> Resolver | None:
    """*given*, a mapping of deployment names read as `KnownDeployments`.

    `"auto"` is None here: a client of the model endpoints cannot ask Resource Manager. So is a resolver that knows no
    deployments (one that was made for another cloud).
    """
    if isinstance(given, Mapping):
        return KnownDeployments(given)
    return given if given is not None and hasattr(given, "deployment") else None
