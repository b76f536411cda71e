"""How suites went: for people, with what was expected and what came; and for programs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from exportguard.authoring.runner import SuiteReport
from exportguard.authoring.suite import Result
from exportguard.cli.formats.junit import JunitCase, junit
from exportguard.cli.formats.sarif import Found, Place, sarif, workflow_commands
from exportguard.vocabulary import Decision

_RULE = "EG-case"


def difference(result: Result) -> list[tuple[str, str]]:
    """(style, line) of what a case expected and what came instead."""
    lines: list[tuple[str, str]] = []
    if result.error is not None:
        lines += [("red", f"  {line}") for line in result.error.splitlines()]
    for each in result.differences:
        lines += [
            ("", f"  {each.what}"),
            ("red", f"    - expected  {each.expected}"),
            ("green", f"    + got       {each.got}"),
        ]
    if result.decision is not None and result.differences:
        lines += [("dim", line) for line in told(result.decision)]
    return lines


def told(decision: Decision) -> list[str]:
    """The reasons and missing facts of a decision, a line each."""
    lines = [f"  decision: {decision.outcome} as of {decision.as_of:%Y-%m-%dT%H:%M:%SZ}"]
    lines += [f"    {r.effect} {r.policy}/{r.rule} ({r.result}): {r.message}" for r in decision.reasons]
    lines += [f"    missing {fact.path}: {fact.why}" for fact in decision.unknown]
    lines += [f"    lifted {lift.rule} by {lift.authorization}" for lift in decision.lifted]
    if decision.not_applicable:
        lines.append(f"    no rule was asked: {decision.not_applicable}")
    elif not decision.reasons:
        lines.append("    no rule objects")
    return lines


def _where(report: SuiteReport, result: Result) -> str:
    return f"{report.file.name}:{result.line}" if result.line else report.file.name


def print_for_people(reports: Sequence[SuiteReport], verbose: bool) -> None:
    from exportguard.cli.table import console

    _show(console(), reports, verbose)


def as_text(reports: Sequence[SuiteReport], verbose: bool) -> str:
    shown = Console(width=160, no_color=True, record=True, file=io.StringIO())
    _show(shown, reports, verbose)
    return shown.export_text()


def _show(shown: Console, reports: Sequence[SuiteReport], verbose: bool) -> None:
    held = failed = broken = 0
    for report in reports:
        if report.error is not None:
            broken += 1
            shown.print(Text(f"ERROR {report.file.name}", "bold red"))
            shown.print(Text("\n".join(f"  {line}" for line in report.error.splitlines())), soft_wrap=True)
            continue
        held += len(report.results) - report.failed
        failed += report.failed
        style = "red" if report.failed else "green"
        count = f"{len(report.results) - report.failed}/{len(report.results)}"
        shown.print(Text(f"{report.name} ({report.file.name}): {count} cases hold", style), soft_wrap=True)
        for timed in report.results:
            result = timed.result
            if not result.problems:
                if verbose:
                    shown.print(Text(f"  ok    {result.case.name}"), soft_wrap=True)
                continue
            shown.print(Text(f"FAIL {result.case.name}  ({_where(report, result)})", "bold red"), soft_wrap=True)
            for colour, line in difference(result):
                shown.print(Text(line, colour), soft_wrap=True)
    summary = f"{held} hold, {failed} do not" + (f", {broken} suites could not run" if broken else "")
    shown.print(Text(summary, "bold red" if failed or broken else "bold green"))


def as_data(reports: Sequence[SuiteReport]) -> list[dict[str, Any]]:
    return [
        {
            "suite": report.name,
            "file": report.file.name,
            "error": report.error,
            "cases": [
                {
                    "suite": report.name,
                    "case": timed.result.case.name,
                    "file": report.file.name,
                    "line": timed.result.line,
                    "holds": not timed.result.problems,
                    "problems": list(timed.result.problems),
                    "outcome": str(timed.result.decision.outcome) if timed.result.decision is not None else None,
                    "rules": sorted({f"{r.policy}/{r.rule}" for r in timed.result.decision.reasons})
                    if timed.result.decision is not None
                    else [],
                    "seconds": round(timed.seconds, 6),
                }
                for timed in report.results
            ],
        }
        for report in reports
    ]


def as_junit(reports: Sequence[SuiteReport]) -> str:
    suites: list[tuple[str, list[JunitCase]]] = []
    for report in reports:
        if report.error is not None:
            suites.append((report.name, [JunitCase("load", report.file.name, error=report.error)]))
            continue
        cases = []
        for timed in report.results:
            result = timed.result
            text = None
            if result.problems:
                text = "\n".join(["; ".join(result.problems), *(line for _, line in difference(result))])
            failure, error = (text, None) if result.error is None else (None, text)
            cases.append(
                JunitCase(result.case.name, report.file.name, result.line, timed.seconds, failure=failure, error=error)
            )
        suites.append((report.name, cases))
    return junit(suites)


def _found(reports: Sequence[SuiteReport]) -> list[Found]:
    found = []
    for report in reports:
        if report.error is not None:
            found.append(Found(_RULE, "error", report.error, Place(report.file.name)))
        for timed in report.results:
            result = timed.result
            if result.problems:
                message = f"{result.case.name}: {'; '.join(result.problems)}"
                found.append(Found(_RULE, "error", message, Place(report.file.name, result.line or 0)))
    return found


def as_sarif(reports: Sequence[SuiteReport]) -> str:
    return sarif(_found(reports), {_RULE: "A case of a policy suite does not hold."})


def as_annotations(reports: Sequence[SuiteReport]) -> str:
    return workflow_commands(_found(reports))
