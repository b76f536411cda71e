"""`exportguard prove`: properties of policies, proved or refuted by a request."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exportguard.cli.check import read_instant
from exportguard.cli.formats import put
from exportguard.errors import ConfigurationError

if TYPE_CHECKING:
    from exportguard.authoring.prove import Job, Result

HELP = """Prove the properties of policies (`properties.yaml`), or show the request that refutes one.

A PATH is a properties file or a folder of them. Left out: those of --packs, else of the configured policies, else of
the shipped packs. A counterexample is a request document; the evaluator has confirmed it, and `exportguard check`
does again. Needs the extra `prove`.

Example: exportguard prove policies/ --write counterexamples/

Exit code: 0 all proved, 1 some refuted, 3 none refuted but some not decided, 2 could not evaluate.
"""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    JUNIT = "junit"
    GITHUB = "github"


def prove(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH...]", help="Properties files, or folders of them.")
    ] = None,
    policies: Annotated[str | None, typer.Option(help="Speak of these policies instead.")] = None,
    packs: Annotated[
        str | None, typer.Option(help="Speak of these shipped packs; without a PATH: prove their own properties.")
    ] = None,
    keyword: Annotated[str | None, typer.Option("-k", help="Only claims whose id contains this.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="For claims that name no instant: as of this one (UTC). Default: now.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for each claim; past them it is not decided.")] = 10.0,
    write: Annotated[str | None, typer.Option(help="Write each counterexample into this folder.")] = None,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
    output: Annotated[str | None, typer.Option(help="Write the report to this file.")] = None,
) -> None:
    from datetime import UTC, datetime

    from exportguard.authoring import prove as proving
    from exportguard.cli.progress import progress

    if timeout <= 0:
        raise ConfigurationError("a claim needs some time", place="--timeout", remedy="Give seconds, such as 10.")
    names = [name.strip() for name in (packs or "").split(",") if name.strip()]
    found = _jobs(paths, policies, names)
    wanted = keyword or ""
    claims = sum(wanted in claim.id for job in found for claim in job.properties.properties)
    if not claims:
        known = ", ".join(claim.id for job in found for claim in job.properties.properties)
        raise ConfigurationError(
            f"no claim is called `{wanted}`" if known else "there is no claim to prove",
            remedy=f"There are: {known}." if known else "Write claims into a `properties.yaml` beside the policy.",
        )
    results: list[tuple[Job, Result]] = []
    with progress("proving", claims, least=1) as step:
        instant = read_instant(as_of) or datetime.now(UTC)
        for pair in proving.prove(found, as_of=instant, timeout=timeout, only=lambda name: wanted in name):
            results.append(pair)
            step()
    if write is not None:
        _write(Path(write), results)
    put(_report(results, format), output)
    raise typer.Exit(exit_code([result for _, result in results]))


def _jobs(paths: list[str] | None, policies: str | None, names: list[str]) -> list[Job]:
    from exportguard.authoring import prove as proving
    from exportguard.cli.settings import chosen

    if paths:
        return proving.jobs(paths, policies=policies, packs=names)
    if names and policies is None:
        return proving.jobs(proving.folders_of(names))
    configured = chosen(policies=policies).policies
    if configured is not None:
        return proving.jobs([configured], policies=policies, packs=names)
    return proving.jobs(proving.shipped_properties())


def exit_code(results: Sequence[Result]) -> int:
    from exportguard.authoring.prove import Status

    statuses = {result.status for result in results}
    if Status.REFUTED in statuses:
        return 1
    return 3 if Status.UNDECIDED in statuses else 0


def _write(folder: Path, results: list[tuple[Job, Result]]) -> None:
    """One request document a counterexample, and the authorizations beside it where there are some."""
    from exportguard.authoring.prove import authorizations

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for job, result in results:
            if result.found is None:
                continue
            stem = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{job.path.parent.name}-{result.claim.id}")
            text = json.dumps(result.found.document, ensure_ascii=False, indent=2)
            (folder / f"{stem}.json").write_text(text + "\n", encoding="utf-8")
            if result.found.authorizations:
                lifting = json.dumps({"authorizations": authorizations(result.found)}, ensure_ascii=False, indent=2)
                (folder / f"{stem}.authorizations.json").write_text(lifting + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", place=str(folder)) from None


def _report(results: list[tuple[Job, Result]], format: Format) -> str:  # noqa: A002
    from exportguard.authoring.prove import document

    if format is Format.JSON:
        return json.dumps([document(*pair) for pair in results], ensure_ascii=False, indent=2)
    if format is Format.JSONL:
        return "\n".join(json.dumps(document(*pair), ensure_ascii=False) for pair in results)
    if format is Format.JUNIT:
        return _junit(results)
    if format is Format.GITHUB:
        return "\n".join(_annotation(job, result) for job, result in results) or "\n"
    return "\n".join(_told(job, result) for job, result in results) + "\n\n" + _summary([r for _, r in results])


def _told(job: Job, result: Result) -> str:
    from exportguard.authoring.prove import Status, authorizations, sizes, usage

    claim = result.claim
    lines = [f"{result.status.value:<9} {job.properties.name}/{claim.id} ({claim.claim}, {result.seconds:.2f} s)"]
    if claim.title != claim.id:
        lines.append(f"    {claim.title}")
    if result.why:
        lines.append(f"    {result.why}")
    if result.found is not None and result.decision is not None:
        what = "shown by" if result.status is Status.PROVED else "refuted by"
        lines.append(
            f"    {what} (as of {result.as_of:%Y-%m-%d}): {json.dumps(result.found.document, ensure_ascii=False)}"
        )
        if result.found.authorizations:
            lines.append(f"    with the authorizations: {json.dumps(authorizations(result.found), ensure_ascii=False)}")
        lines += [f"    with the use before it: {json.dumps(entry)}" for entry in usage(result.found)]
        if not result.found.screened:
            lines.append("    by a guard whose list leaves a name open, or that has none (`lists=None`)")
        lines.append(f"    which is decided {result.decision.outcome}: {result.decision.summary}")
    if result.found is None or result.status is not Status.REFUTED:
        lines.append(f"    of requests of {sizes(result.bounds, result.any_size)}")
    return "\n".join(lines)


def _summary(results: Sequence[Result]) -> str:
    from exportguard.authoring.prove import Status

    counts = [(status, sum(result.status is status for result in results)) for status in Status]
    words = {Status.PROVED: "proved", Status.REFUTED: "refuted", Status.UNDECIDED: "not decided"}
    total = sum(result.seconds for result in results)
    return f"{', '.join(f'{count} {words[status]}' for status, count in counts if count)} in {total:.1f} s"


def _annotation(job: Job, result: Result) -> str:
    from exportguard.authoring.prove import Status

    if result.status is Status.PROVED:
        return ""
    text = f"{result.claim.title}: {result.status.value}{f', {result.why}' if result.why else ''}"
    if result.found is not None:
        text += f" by {json.dumps(result.found.document, ensure_ascii=False)}"
    safe = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error file={job.path},title={result.claim.id}::{safe}"


def _junit(results: list[tuple[Job, Result]]) -> str:
    from exportguard.authoring.prove import Status
    from exportguard.cli.formats.junit import JunitCase, junit

    suites: dict[str, list[JunitCase]] = {}
    for job, result in results:
        told = _told(job, result) if result.status is not Status.PROVED else None
        case = JunitCase(
            result.claim.id,
            str(job.path),
            seconds=result.seconds,
            failure=told if result.status is Status.REFUTED else None,
            error=told if result.status is Status.UNDECIDED else None,
        )
        suites.setdefault(job.properties.name, []).append(case)
    return junit(list(suites.items()))
