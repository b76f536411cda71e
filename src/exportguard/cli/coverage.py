"""`exportguard coverage`: what the cases have tried of the rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exportguard.cli.formats import Format, put
from exportguard.errors import ConfigurationError

if TYPE_CHECKING:
    from exportguard.authoring.coverage import Coverage

HELP = """Measure what the cases of suites have tried of the rules.

Of each rule: that it matched and that it did not; of each clause of its condition: true and false; of each number and
date that decides: a value below it, and one at or above it.

Example: exportguard coverage policies/ --fail-under 90 --html coverage.html

Exit code: 0, 1 when the percentage is below --fail-under, 2 a suite or its policies could not be read.
"""


def coverage(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH...]", help="Suites, or folders of them.")] = None,
    packs: Annotated[str | None, typer.Option(help="Shipped packs, by their own suites.")] = None,
    fail_under: Annotated[float, typer.Option(min=0, max=100, help="The least percentage that is enough.")] = 0.0,
    html: Annotated[Path | None, typer.Option(help="Write a page of its own that shows every clause.")] = None,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
    output: Annotated[str | None, typer.Option(help="Write the report to this file.")] = None,
) -> None:
    from exportguard.authoring.files import pack_folder
    from exportguard.cli.settings import policy_paths

    names = [name.strip() for name in (packs or "").split(",") if name.strip()]
    where: list[Any] = [*(paths or ()), *(pack_folder(name) for name in names)] or list(policy_paths())
    measured = _measure(where)
    _print(measured, format, output)
    if html is not None:
        from exportguard.authoring.coverage_page import page

        put(page(measured), str(html))
    raise typer.Exit(1 if measured.percent < fail_under else 0)


def _measure(where: list[Any]) -> Coverage:
    from exportguard.authoring.coverage import Coverage
    from exportguard.authoring.files import Kind, files_of
    from exportguard.authoring.runner import Loader
    from exportguard.authoring.suite import run_case
    from exportguard.cli.progress import progress
    from exportguard.errors import DocumentError
    from exportguard.vocabulary import UsageReading

    suites = [file for file in files_of(where) if file.kind is Kind.SUITE]
    if not suites:
        raise ConfigurationError(
            f"no suite was found in {', '.join(f'`{path}`' for path in where)}",
            remedy="Write cases into a `tests.yaml` beside the policy; `exportguard init` makes a first one.",
        )
    loader = Loader()
    total: Coverage | None = None
    with progress("measuring", None) as step:
        for file in suites:
            ready = loader.ready(file)
            state = ready.guard._state
            measured = Coverage(state.policies, state.reference)
            for case, line in ready.cases():
                result = run_case(ready.guard, case, ready.text.suite.as_of, line)
                if result.decision is None:
                    raise DocumentError(f"the case `{case.name}` cannot be judged: {result.error}", place=file.name)
                usage = {}
                if case.usage is not None:
                    used = UsageReading(case.usage.tokens, case.usage.accelerators, case.usage.tpp)
                    usage = dict.fromkeys(state.policies.usage_questions, used)
                measured.note(result.decision.request, result.decision.as_of, usage)
                step()
            if total is None:
                total = measured
            else:
                total.merge(measured)
    assert total is not None
    return total


def _print(measured: Coverage, format: Format, output: str | None) -> None:  # noqa: A002
    from exportguard.authoring.coverage import as_data

    if format is Format.JSON:
        put(json.dumps(as_data(measured), ensure_ascii=False, indent=2), output)
    elif format is Format.JSONL:
        put("\n".join(json.dumps(rule, ensure_ascii=False) for rule in as_data(measured)["rules"]), output)
    elif format is Format.JUNIT:
        from exportguard.cli.formats.junit import JunitCase, junit

        cases = [
            JunitCase(rule.name, "policies", failure="\n".join(rule.gaps) if rule.gaps else None)
            for rule in measured.rules
        ]
        put(junit([("coverage", cases)]), output)
    elif format is Format.TABLE:
        _print_for_people(measured, output)
    else:
        from exportguard.cli.formats.sarif import Found, sarif, workflow_commands

        found = [Found("EG-coverage", "warning", f"{r.name}: {gap}") for r in measured.rules for gap in r.gaps]
        if format is Format.SARIF:
            put(sarif(found, {"EG-coverage": "Something of a rule that no case has tried."}), output)
        elif found or output:
            put(workflow_commands(found), output)


def _print_for_people(measured: Coverage, output: str | None) -> None:
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from exportguard.cli.table import console

    shown = console() if output is None else Console(width=160, no_color=True, record=True, file=io.StringIO())
    table = Table("rule", "covered", "match", "no match", "open", "never tried", show_lines=True)
    for rule in measured.rules:
        style = "green" if not rule.gaps else "yellow" if rule.percent >= 50 else "red"
        table.add_row(
            Text(rule.name),
            Text(f"{rule.percent:.0f} %", style),
            *(str(rule.results[result]) for result in ("match", "no_match", "indeterminate")),
            Text("\n".join(rule.gaps)),
        )
    shown.print(table)
    shown.print(Text(f"{measured.percent:.1f} % of {len(measured.rules)} rules, by {measured.cases} cases"))
    if output is not None:
        put(shown.export_text() if isinstance(shown, Console) else "", output)
