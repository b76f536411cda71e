"""`exportguard test`: run the cases that stand beside policies."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exportguard.cli.formats import Format, put
from exportguard.errors import ConfigurationError

if TYPE_CHECKING:
    from exportguard.authoring.files import PolicyFile
    from exportguard.authoring.runner import SuiteReport

HELP = """Run the cases of policy suites (`tests.yaml`, `*.tests.yaml`). Nothing is sent, reserved or recorded.

A PATH is a suite or a folder of them. Left out: the configured policies, else the folder `policies`.

Example: exportguard test policies/ -k "reseller" --format junit --output policies.xml

Exit code: 0 every case holds, 1 some do not, 2 a suite or its policies could not be read, or there is no case.
"""


def run_cases(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="Suites, or folders of them.")] = None,
    policies: Annotated[str | None, typer.Option(help="Run the suites against these policies instead.")] = None,
    packs: Annotated[
        str | None, typer.Option(help="Run against these shipped packs; without a PATH: run their own suites.")
    ] = None,
    keyword: Annotated[str | None, typer.Option("-k", help="Only cases whose name contains this (any case).")] = None,
    fail_fast: Annotated[
        bool, typer.Option("-x", "--fail-fast", help="End after the first that does not hold.")
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Name the cases that hold, too.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again whenever a file changes, until interrupted.")
    ] = False,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
    output: Annotated[str | None, typer.Option(help="Write the report to this file.")] = None,
) -> None:
    from exportguard.authoring.files import pack_folder
    from exportguard.cli.settings import policy_paths

    names = [name.strip() for name in (packs or "").split(",") if name.strip()]
    if paths:
        where: list[Any] = list(paths)
    elif names and policies is None:
        where, names = [pack_folder(name) for name in names], []
    else:
        where = list(policy_paths())

    def once() -> int:
        return _once(where, policies, names or None, keyword, fail_fast, verbose, format, output)

    raise typer.Exit(_watched(once, [*where, *([policies] if policies else [])]) if watch else once())


def _once(
    where: Sequence[Any],
    policies: str | None,
    packs: Sequence[str] | None,
    keyword: str | None,
    fail_fast: bool,
    verbose: bool,
    format: Format,  # noqa: A002
    output: str | None,
) -> int:
    from exportguard.authoring.files import Kind, files_of
    from exportguard.authoring.runner import Loader, run_suites
    from exportguard.cli.progress import progress

    files = [
        file
        for file in files_of(where)
        if file.kind is Kind.SUITE or any(file.path == Path(str(p)).absolute() for p in where)
    ]
    files = [file if file.kind is Kind.SUITE else _as_suite(file) for file in files]
    wanted = keyword.casefold() if keyword else ""
    with progress("testing", None) as step:
        reports = list(
            run_suites(
                files,
                loader=Loader(policies, packs),
                select=lambda name: wanted in name.casefold(),
                fail_fast=fail_fast,
                tell=step,
            )
        )
    _print(reports, format, output, verbose)
    if any(report.error or any(timed.result.error for timed in report.results) for report in reports):
        return 2
    if not any(report.results for report in reports):
        looked = ", ".join(f"`{path}`" for path in where)
        raise ConfigurationError(
            f"no case was found in {looked}" + (f" with `{keyword}` in its name" if keyword else ""),
            remedy="Write cases into a `tests.yaml` beside the policy; `exportguard init` makes a first one.",
        )
    return 1 if any(report.failed for report in reports) else 0


def _as_suite(file: PolicyFile) -> PolicyFile:
    from exportguard.authoring.files import Kind, PolicyFile

    return PolicyFile(file.path, Kind.SUITE)


def _watched(once: Callable[[], int], where: Sequence[Any]) -> int:
    """Run now and after every change; the code is that of the last run when interrupted."""
    from rich.text import Text

    from exportguard.cli.table import console

    code = 0
    try:
        while True:
            seen = _stamps(where)
            try:
                code = once()
            except ConfigurationError as error:
                console().print(Text(f"error: {error}", "red"))
                code = 2
            console().print(Text("waiting for changes; Ctrl-C ends", "dim"))
            while _stamps(where) == seen:
                time.sleep(0.3)
    except KeyboardInterrupt:
        return code


def _stamps(where: Sequence[Any]) -> dict[str, tuple[int, int]]:
    from exportguard.packs import yaml_files

    found: dict[str, tuple[int, int]] = {}
    for given in where:
        path = Path(given)
        for file in yaml_files(path) if path.is_dir() else [path]:
            try:
                stat = file.stat()
            except OSError:
                continue
            found[str(file)] = (stat.st_mtime_ns, stat.st_size)
    return found


def _print(reports: Sequence[SuiteReport], format: Format, output: str | None, verbose: bool) -> None:  # noqa: A002
    from exportguard.cli.formats import suites

    if format is Format.TABLE:
        if output is None:
            suites.print_for_people(reports, verbose)
        else:
            put(suites.as_text(reports, verbose), output)
    elif format is Format.JSON:
        put(json.dumps(suites.as_data(reports), ensure_ascii=False, indent=2), output)
    elif format is Format.JSONL:
        cases = [case for suite in suites.as_data(reports) for case in suite["cases"]]
        put("\n".join(json.dumps(case, ensure_ascii=False) for case in cases), output)
    elif format is Format.JUNIT:
        put(suites.as_junit(reports), output)
    elif format is Format.SARIF:
        put(suites.as_sarif(reports), output)
    else:
        text = suites.as_annotations(reports)
        if text or output:
            put(text, output)
