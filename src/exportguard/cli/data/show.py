"""`exportguard data show`: all that is known of a name, with source and confidence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData

HELP = """Show what is known of names: instance types, sizes, chips, regions, models, countries, groups, lists.

Without a NAME: the tables, how many facts each has, and when each was read.

Example: exportguard data show p5.48xlarge H20 ap-east-1 --as-of 2024-05-01

Exit code: 0 every name is known, 3 some are not, 2 could not be read.
"""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def show(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Names, in any usual spelling.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="Thresholds and groups of this date or instant (UTC).")] = None,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
) -> None:
    from exportguard.cli.check import read_instant
    from exportguard.reference import default
    from exportguard.reference.describe import describe

    reference = default()
    instant = read_instant(as_of) or datetime.now(UTC)
    if not names:
        _print_all([_summary(reference)], format)
        return
    answers = [{"name": name, "known": describe(reference, name, instant)} for name in names]
    for answer in answers:
        if not answer["known"]:
            answer["why"] = _why(reference, str(answer["name"]))
    _print_all(answers, format)
    if any(not answer["known"] for answer in answers):
        raise typer.Exit(3)


def _why(reference: ReferenceData, name: str) -> list[str]:
    from exportguard.vocabulary import Unknown

    told = [reference.instance("aws", name), reference.instance("azure", name), reference.model(None, name)]
    return list(dict.fromkeys(each.reason for each in told if isinstance(each, Unknown)))


def _summary(reference: ReferenceData) -> dict[str, Any]:
    from exportguard.reference.freshness import levels, read_dates

    tables = reference.tables
    dates, counted = read_dates(tables), levels(tables)
    return {
        "digest": reference.digest,
        "tables": {
            name: {"read": dates[name].isoformat() if name in dates else None, "facts": dict(counted.get(name, {}))}
            for name in sorted(tables)
        },
    }


def _print_all(answers: list[dict[str, Any]], format: Format) -> None:  # noqa: A002
    if format is Format.JSON:
        print(json.dumps(answers, ensure_ascii=False, indent=2))
        return
    if format is Format.JSONL:
        for answer in answers:
            print(json.dumps(answer, ensure_ascii=False))
        return
    for answer in answers:
        if "tables" in answer:
            print(f"reference data {answer['digest']}")
            for name, row in answer["tables"].items():
                facts = ", ".join(f"{count} {level}" for level, count in sorted(row["facts"].items()))
                print(f"  {name:<20} read {row['read'] or '-':<12} {facts}")
            continue
        print(answer["name"])
        for why in answer.get("why", ()):
            print(f"  not known: {why}")
        for entry in answer["known"]:
            print(f"  {entry['kind']}")
            for key, value in entry.items():
                if key != "kind":
                    print(f"    {key.replace('_', ' ')}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"unknown"}:
        return f"unknown ({value['unknown']})"
    if isinstance(value, dict):
        return ", ".join(f"{key} ({_text(each)})" for key, each in value.items())
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return ", ".join(
            f"{p['format']} {p['dense_tops']:g}{' (disputed)' if p.get('disputed') else ''}" for p in value
        )
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
