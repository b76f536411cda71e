"""`exportguard data check`: problems of the reference data, and what of it is stale or rests on little."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from exportguard.errors import ConfigurationError

HELP = """Check the reference data: problems with their place, stale tables, facts below a level of confidence.

A problem is, for example, a TPP that does not follow from its peaks, a region without a country, a group with an
unknown code, two entries of one name, a missing source.

Example: exportguard data check --below secondary

Exit code: 0 no problem, 1 some problem (with --strict also a stale table), 2 could not be read.
"""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


class Level(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"


def check(
    folder: Annotated[
        Path | None, typer.Option(help="Tables (*.yaml) under edit, in place of the packaged data.", metavar="DIR")
    ] = None,
    stale_after: Annotated[int, typer.Option(help="Days after which a table counts as stale.", min=0)] = 180,
    below: Annotated[Level | None, typer.Option(help="Name every fact that rests on less than this.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="A stale table is a problem.")] = False,
    as_of: Annotated[str | None, typer.Option(help="The day to count age from; left out: today (UTC).")] = None,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
) -> None:
    from exportguard.cli.check import read_instant
    from exportguard.reference import freshness
    from exportguard.reference.checks import check as problems_of

    tables, problems = _tables(folder)
    problems += problems_of(tables)
    today = (read_instant(as_of) or datetime.now(UTC)).astimezone(UTC).date()
    told = {
        "problems": problems,
        "stale": freshness.stale(tables, today, stale_after),
        "confidence": {name: dict(counts) for name, counts in freshness.levels(tables).items()},
        "below": [
            {"table": table, "entry": entry, "confidence": level}
            for table, entry, level in (freshness.below(tables, below.value) if below is not None else ())
        ],
    }
    if format is Format.JSON:
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _print(told)
    if problems or (strict and told["stale"]):
        raise typer.Exit(1)


def _tables(folder: Path | None) -> tuple[dict[str, Any], list[str]]:
    if folder is None:
        from exportguard.reference import default

        return default().tables, []
    from yaml import YAMLError

    from exportguard.reference.build import read_tables

    try:
        return read_tables(folder)
    except OSError as error:
        raise ConfigurationError(f"a table cannot be read: {error}", place=str(folder)) from None
    except (YAMLError, KeyError, TypeError) as error:
        raise ConfigurationError(f"a table cannot be read: {error!r}", place=str(folder)) from None


def _print(told: dict[str, Any]) -> None:
    for problem in told["problems"]:
        print(f"problem: {problem}")
    for name, age in told["stale"].items():
        print(f"stale: {name} was read {age} days ago")
    for row in told["below"]:
        print(f"{row['confidence']}: {row['table']}: {row['entry']}")
    total: dict[str, int] = {}
    for counts in told["confidence"].values():
        for level, count in counts.items():
            total[level] = total.get(level, 0) + count
    facts = ", ".join(f"{count} {level}" for level, count in sorted(total.items()))
    print(f"{len(told['problems'])} problems, {len(told['stale'])} stale tables; facts by confidence: {facts}")
