"""Properties of policy sets, proved: files of claims, each beside the policies that it speaks of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from exportguard import reference
from exportguard.authoring.files import Kind, files_of, pack_folder
from exportguard.authoring.proof.confirm import Found
from exportguard.authoring.proof.properties import Properties, load_properties, packs_of
from exportguard.authoring.proof.prover import ProofMismatchError, Prover, Result, Status
from exportguard.authoring.proof.unknowns import Bounds
from exportguard.errors import ConfigurationError
from exportguard.language import CompiledPolicySet, PolicySource, load_policies
from exportguard.packs import HISTORICAL, policy_sources, shipped_folder, shipped_packs

__all__ = [
    "ProofMismatchError", "Result", "Status", "authorizations", "document", "document_of_found", "folders_of", "jobs",
    "prove", "shipped_properties", "sizes", "usage",
]  # fmt: skip

TIMEOUT = 10.0
"""Seconds for each claim, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Job:
    """One properties file, read, and the policies that it speaks of."""

    path: Path
    properties: Properties
    policies: CompiledPolicySet


def shipped_properties() -> list[Path]:
    """The properties files that are shipped: of the packs together, and of each."""
    folder = shipped_folder()
    found = [folder / "properties.yaml", *(folder / pack / "properties.yaml" for pack in shipped_packs())]
    return [path for path in found if path.is_file()]


def jobs(paths: Iterable[Path | str], *, policies: str | None = None, packs: Sequence[str] | None = None) -> list[Job]:
    """Read the properties files in and under *paths*.

    Args:
        policies, packs: speak of these instead of the policies beside each file, or those that it names.

    Raises:
        ConfigurationError: a path that is not there, or no properties file.
        PolicyError: a policy or a property that cannot be read, with every problem.
    """
    given = [Path(path) for path in paths]
    found = [
        file.path
        for file in files_of(given)
        if file.kind is Kind.PROPERTIES or any(file.path == path.absolute() for path in given)
    ]
    if not found:
        where = ", ".join(f"`{path}`" for path in given)
        raise ConfigurationError(f"no properties.yaml in {where}", remedy="Name a properties file, or its folder.")
    loaded: dict[tuple[str | None, tuple[str, ...]], CompiledPolicySet] = {}
    made: list[Job] = []
    for path in found:
        source = PolicySource.from_path(path)
        named = packs_of(source)
        key = (
            (policies, tuple(packs or ())) if policies or packs else (None, named) if named else (str(path.parent), ())
        )
        if key not in loaded:
            loaded[key] = _policies(key[0], key[1])
        made.append(Job(path, load_properties(source, loaded[key], reference.default()), loaded[key]))
    return made


def _policies(folder: str | None, packs: Sequence[str]) -> CompiledPolicySet:
    names = [name for name in packs if name != "default"]
    if "default" in packs:
        names += [name for name in shipped_packs() if name not in HISTORICAL]
    sources = policy_sources(folder, packs=names or None)
    return load_policies(sources, reference.default())


def prove(
    found: Iterable[Job],
    *,
    as_of: datetime,
    timeout: float = TIMEOUT,
    only: Callable[[str], bool] = lambda name: True,
) -> Iterator[tuple[Job, Result]]:
    """Prove every claim of *found*, in order.

    Args:
        as_of: timezone-aware; for claims that name no instant of their own, as files of properties usually do.
        timeout: seconds for each claim.
        only: which claims, by id.

    Raises:
        ProofMismatchError: Z3 and the evaluator disagree, which is a bug of exportguard.
    """
    provers: dict[int, Prover] = {}
    for job in found:
        prover = provers.setdefault(id(job.policies), Prover(job.policies, reference.default(), timeout=timeout))
        for claim in job.properties.properties:
            if only(claim.id):
                yield job, prover.prove(claim, as_of)


def folders_of(packs: Sequence[str]) -> list[Path]:
    """The folders of shipped packs by name."""
    return [pack_folder(name) for name in packs]


def document(job: Job, result: Result) -> dict[str, Any]:
    """A result as plain data. `request` is a request document that `exportguard check` decides as `outcome`."""
    claim = result.claim
    shown: dict[str, Any] = {
        "file": str(job.path),
        "id": claim.id,
        "title": claim.title,
        "claim": claim.claim,
        "status": result.status.value,
        "why": result.why or None,
        "as_of": result.as_of.isoformat(),
        "bounds": {name: getattr(result.bounds, name) for name in result.bounds.__slots__},
        "any_size": result.any_size,
        "seconds": round(result.seconds, 3),
        "policy_digest": job.policies.digest,
        "reference_digest": reference.default().digest,
    }
    if result.found is not None and result.decision is not None:
        shown["outcome"] = result.decision.outcome.value
        shown["reasons"] = [f"{r.policy}/{r.rule}" for r in result.decision.reasons]
        shown.update(document_of_found(result.found))
    return {key: value for key, value in shown.items() if value is not None}


def document_of_found(found: Found) -> dict[str, Any]:
    """A request that Z3 found, with the authorizations and the earlier use that belong to it."""
    shown: dict[str, Any] = {"request": found.document}
    if found.authorizations:
        shown["authorizations"] = authorizations(found)
    used = usage(found)
    if used:
        shown["usage"] = used
    if not found.screened:
        shown["screened"] = False
    return shown


def authorizations(found: Found) -> list[dict[str, Any]]:
    """The authorizations beside a request, as their document has them."""
    return [
        json.loads(entry.model_dump_json(exclude_defaults=True)) | {"effective": {"from": str(entry.effective.from_)}}
        for entry in found.authorizations
    ]


def usage(found: Found) -> list[dict[str, Any]]:
    """What the ledger has to have read beside a request; nothing where it may be unread."""
    told = []
    for question, reading in found.usage.items():
        known = {
            name: value
            for name in ("tokens", "accelerators", "tpp")
            if isinstance(value := getattr(reading, name), int | float)
        }
        if known:
            told.append({"by": question.by, "period": question.period, **known})
    return told


def sizes(bounds: Bounds, any_size: bool) -> str:
    """For which sizes of requests something is proved."""
    if any_size:
        return f"any size (decided by those of at most {bounds.told()})"
    return f"at most {bounds.told()}"
