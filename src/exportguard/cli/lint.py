"""`exportguard lint`: every problem and warning of a policy folder."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exportguard.cli.check import read_instant
from exportguard.cli.formats import Format, put

if TYPE_CHECKING:
    from exportguard.authoring.lint import Report
    from exportguard.diagnostics import Diagnostic

HELP = """Report every problem and warning in policies, suites, customers and authorizations.

A PATH is a file, a folder, or `-` for one policy on standard input. Left out: the configured policies, else the
folder `policies`. `exportguard explain EG203` says more about a code.

Example: exportguard lint policies/ --format sarif --output lint.sarif

Exit code: 0 no errors, 1 errors (with --strict: or warnings), 2 nothing could be checked.
"""


def lint(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="Files and folders.")] = None,
    packs: Annotated[str | None, typer.Option(help="Shipped packs to check too, separated by commas.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as errors do.")] = False,
    ignore: Annotated[str | None, typer.Option(help="Codes of warnings to leave out, separated by commas.")] = None,
    as_of: Annotated[str | None, typer.Option(help="The day for which rules are out of date. Default: today.")] = None,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
    output: Annotated[str | None, typer.Option(help="Write the report to this file.")] = None,
) -> None:
    from dataclasses import replace
    from datetime import UTC, datetime

    from exportguard import reference
    from exportguard.authoring.files import PolicyFile, files_of, overlooked, pack_folder
    from exportguard.authoring.lint import lint as check
    from exportguard.cli.progress import progress
    from exportguard.cli.settings import policy_paths
    from exportguard.errors import ConfigurationError

    instant = read_instant(as_of) or datetime.now(UTC)
    given = list(paths or ())
    sources = [_standard_input()] if "-" in given else []
    named: list[Any] = [path for path in given if path != "-"]
    folders = [pack_folder(name.strip()) for name in (packs or "").split(",") if name.strip()]
    if not named and not sources and not folders:
        named = list(policy_paths())
    files: list[PolicyFile] = files_of([*named, *folders])
    if not files and not sources:
        raise ConfigurationError(
            f"no YAML file in {', '.join(f'`{path}`' for path in named)}", remedy="Name a policy folder or file."
        )
    with progress("checking", len(files)) as step:
        report = check(
            files,
            reference.default(),
            as_of=instant,
            sources=sources,
            overlooked=overlooked(named),
            tell=lambda file: step(),
        )
    left_out = {code.strip().upper() for code in (ignore or "").split(",")}
    kept = tuple(p for p in report.problems if p.severity == "error" or p.code not in left_out)
    report = replace(report, problems=kept)
    _print(report, format, output)
    raise typer.Exit(1 if report.errors or (strict and report.warnings) else 0)


def _standard_input() -> Any:
    from exportguard.language import PolicySource

    return PolicySource.from_bytes("<stdin>", sys.stdin.buffer.read())


def as_json(problem: Diagnostic) -> dict[str, Any]:
    """One problem as plain data. Lines and columns count from 1, columns and lengths in characters."""
    span = problem.span
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "length": span.length if span else None,
        "label": problem.label or None,
        "help": problem.help,
        "notes": list(problem.notes),
    }


def _print(report: Report, format: Format, output: str | None) -> None:  # noqa: A002
    if format is Format.TABLE:
        _print_for_people(report, output)
    elif format is Format.JSON:
        put(json.dumps([as_json(p) for p in report.problems], ensure_ascii=False, indent=2), output)
    elif format is Format.JSONL:
        lines = [json.dumps(as_json(p), ensure_ascii=False) for p in report.problems]
        put("\n".join(lines), output) if lines or output else None
    elif format is Format.JUNIT:
        put(_junit(report), output)
    else:
        _print_for_review(report, format, output)


def _print_for_people(report: Report, output: str | None) -> None:
    from exportguard.diagnostics import render_all

    counts = f"{report.errors} errors, {report.warnings} warnings in {report.files} files"
    if report.errors == 1:
        counts = counts.replace("1 errors", "1 error")
    if report.warnings == 1:
        counts = counts.replace("1 warnings", "1 warning")
    if report.files == 1:
        counts = counts.replace("1 files", "1 file")
    text = render_all(report.problems)
    if output is not None:
        put(f"{text}\n\n{counts}" if text else counts, output)
        return
    from rich.text import Text

    from exportguard.cli.table import console

    shown = console()
    for problem in report.problems:
        from exportguard.diagnostics import render

        told = Text(render(problem))
        told.highlight_regex(r"^error\[[A-Z0-9]+\]", "bold red")
        told.highlight_regex(r"^warning\[[A-Z0-9]+\]", "bold yellow")
        shown.print(told, soft_wrap=True)
        shown.print()
    shown.print(Text(counts, "red" if report.errors else "green"))


def _junit(report: Report) -> str:
    from exportguard.cli.formats.junit import JunitCase, junit
    from exportguard.diagnostics import render

    cases = []
    for problem in report.problems:
        span = problem.span
        file = span.file if span else "policies"
        told = render(problem) if problem.severity == "error" else None
        name = f"{problem.code} {file}:{span.line if span else 0}"
        cases.append(JunitCase(name, file, span.line if span else None, failure=told))
    return junit([("lint", cases)])


def _print_for_review(report: Report, format: Format, output: str | None) -> None:  # noqa: A002
    from exportguard.cli.formats.sarif import Found, Place, sarif, workflow_commands
    from exportguard.language.codes import EXPLANATIONS

    found = []
    for problem in report.problems:
        span = problem.span
        place = Place(span.file, span.line, span.column, span.length) if span else None
        message = f"{problem.message}: {problem.label}" if problem.label else problem.message
        found.append(Found(problem.code, problem.severity, message, place, problem.help))
    if format is Format.SARIF:
        put(sarif(found, EXPLANATIONS), output)
    elif found or output:
        put(workflow_commands(found), output)
