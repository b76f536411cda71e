"""Instance types and sizes of both clouds: what each carries, that it carries none, or that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from exportguard.reference import instances_aws, instances_azure
from exportguard.reference.facts import AcceleratorSpec, InstanceFact, NoAccelerator, weakest
from exportguard.reference.names import MAX_NAME
from exportguard.vocabulary.fact import Maybe, Unknown

_Answer = InstanceFact | NoAccelerator | Unknown
NOT_THERE = "is not in the reference data"
"""How the reason ends where nobody has looked at a name yet."""
_CACHED = 8192
_BOTH = frozenset({"t4g", "a10"})
"""Names of a machine and of an accelerator: the EC2 family t4g, the retired size Standard_A10. Any other name that
reads as an accelerator (`H100`, `L4`, `B200`) is never a size that carries none."""


class Instances:
    """Look-ups over `instances_aws.yaml` and `instances_azure.yaml`."""

    def __init__(
        self,
        aws: Mapping[str, Any],
        azure: Mapping[str, Any],
        specs: Mapping[str, AcceleratorSpec],
        accelerators: Callable[[str], tuple[AcceleratorSpec, ...]],
    ) -> None:
        self._accelerators = accelerators
        self._aws = {row["name"]: _fact(row, aws["sources"], specs) for row in aws["instances"]}
        self._azure = {
            instances_azure.key(row["name"]): _fact(row, azure["sources"], specs) for row in azure["instances"]
        }
        self._seen: dict[tuple[str, str], _Answer] = {}

    def find(self, provider: str, name: str) -> _Answer:
        asked = (provider, name)
        answer = self._seen.get(asked)
        if answer is None:
            answer = self._read(provider.strip().lower(), name)
            if len(self._seen) < _CACHED:  # bounded: names come from requests
                self._seen[asked] = answer
        return answer

    def _read(self, provider: str, name: str) -> _Answer:
        shown = name.strip()
        if not shown or len(shown) > MAX_NAME or not shown.isascii():
            return Unknown("the instance type is not a name that a cloud would take")
        if provider == "aws":
            return self._read_aws(shown)
        if provider == "azure":
            return self._read_azure(shown)
        return Unknown(f"instance types of provider `{provider}` are not in the reference data")

    def _read_aws(self, shown: str) -> _Answer:
        # AWS takes lower case only; a name in capitals is judged as the type it would be, never as harmless.
        plain, service = instances_aws.inner(shown.lower())
        if service is None or service in ("ml", "stream", "workspaces"):
            fact = self._aws.get(plain)
            if fact is not None:
                return fact
        family = plain.partition(".")[0]
        if family not in _BOTH and self._accelerators(family):
            return Unknown(f"`{shown}` reads as an accelerator, not as an instance type")
        why = instances_aws.never(plain, service)
        if why is not None:
            return NoAccelerator(shown, why)
        if service == "ml" and plain.startswith("eia"):
            return Unknown(f"`{shown}` attaches an Elastic Inference accelerator, which AWS never named")
        return Unknown(f"instance type `{shown}` {NOT_THERE}")

    def _read_azure(self, shown: str) -> _Answer:
        key = instances_azure.key(shown)
        fact = self._azure.get(key)
        if fact is None and (whole := instances_azure.constrained(key)) is not None:
            fact = self._azure.get(whole)
        if fact is not None:
            return fact
        bare = key.removeprefix("standard_")
        if self._accelerators(re.split(r"[_-]", bare)[0]) and not (bare in _BOTH and shown.lower().startswith("s")):
            return Unknown(f"`{shown}` reads as an accelerator, not as a size")
        why = instances_azure.never(key)
        if why is not None:
            return NoAccelerator(shown, why)
        return Unknown(f"size `{shown}` {NOT_THERE}")


def _fact(row: Mapping[str, Any], sources: Mapping[str, str], specs: Mapping[str, AcceleratorSpec]) -> _Answer:
    source = sources[row["source"]]
    candidates = tuple(specs[id_] for id_ in row["accelerators"])
    if not candidates:
        return Unknown(f"what `{row['name']}` carries is not published ({source})")
    count: Maybe[Fraction] = Fraction(row["count"]) if "count" in row else Unknown("the count is not published")
    confidence = weakest(row["confidence"])
    return InstanceFact(row["name"], candidates, count, confidence, source)
