"""What a call only names, looked up by somebody else: the Protocols that facts take, and nothing that does I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from exportguard.errors import ConfigurationError
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown


@dataclass(frozen=True, slots=True)
class DeploymentFact:
    """What stands behind a deployment name: the model, the SKU that says where it runs, the account's region."""

    model: Maybe[str]
    sku: str | None = None
    location: Maybe[str] = NOT_GIVEN


class Resolver(Protocol):
    """Reads, never writes; answers `Unknown` with the reason for what it cannot tell, and never raises.

    One may also have `location(resource_id, cloud) -> str | Unknown`, whose answers it keeps for a while.
    """

    def read(self, resource_id: str, cloud: str | None) -> Mapping[str, Any] | Unknown:
        """The ARM resource as it is now (its GET), by its id without a host."""
        ...

    def deployment(self, host: str, name: str) -> DeploymentFact | Unknown:
        """The deployment *name* of the account that *host* serves."""
        ...


class KnowsDeployments(Protocol):
    """What stands behind a deployment's name, and nothing else (`ArmDeployments`, `NamedDeployments`)."""

    def deployment(self, host: str, name: str) -> DeploymentFact | Unknown: ...


class NamedDeployments:
    """Deployments that somebody wrote down: by name, or by `host/name` where hosts share names.

    Raises:
        ConfigurationError: an entry is neither a model nor a mapping with `model`, `sku` and `location`.
    """

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = {name.lower(): _fact(name, entry) for name, entry in known.items()}

    def deployment(self, host: str, name: str) -> DeploymentFact | Unknown:
        found = self._known.get(f"{host}/{name}".lower(), self._known.get(name.lower()))
        return found if found is not None else Unknown("nobody wrote down what it is")


def _fact(name: str, entry: Any) -> DeploymentFact:
    if isinstance(entry, str):
        return DeploymentFact(entry)
    if (
        isinstance(entry, Mapping)
        and isinstance(entry.get("model"), str)
        and set(entry) <= {"model", "sku", "location"}
    ):
        return DeploymentFact(**entry)
    raise ConfigurationError(
        f"what deployment `{name}` stands for cannot be read", remedy="Give its model, or model, sku and location."
    )


def knows_deployments(given: Any) -> KnowsDeployments | None:
    """*given* as something that knows deployments: a mapping, or an object that has `deployment`; None for others."""
    if isinstance(given, Mapping):
        return NamedDeployments(given)
    return given if hasattr(given, "deployment") else None


class _OnlyDeployments:
    """Somebody who knows deployments, where nobody can read a resource."""

    def __init__(self, known: KnowsDeployments) -> None:
        self.deployment = known.deployment

    def read(self, resource_id: str, cloud: str | None) -> Mapping[str, Any] | Unknown:
        return Unknown("only a look-up could tell, and there is none")


def as_resolver(given: Any) -> Resolver | None:
    """*given* as a resolver of call documents, which have no client to ask: None for whoever knows nothing of Azure."""
    if hasattr(given, "read"):
        return cast("Resolver", given)
    known = knows_deployments(given)
    return _OnlyDeployments(known) if known is not None else None
