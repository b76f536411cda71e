"""`exportguard data diff`: what a provider's catalogue adds to the reference data, or says otherwise."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from exportguard.errors import ConfigurationError

HELP = """Compare provider catalogues with the reference data: what is new, what differs.

A FILE is the JSON answer of DescribeInstanceTypes, DescribeRegions, ListFoundationModels, ListInferenceProfiles, of
Azure's resource SKUs, locations or models, or a text of names, one a line. `-` reads standard input.

Example: aws ec2 describe-instance-types | exportguard data diff -

Example: exportguard data diff --installed

Exit code: 0 nothing is new or different, 1 something is, 2 could not be read.
"""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


class Cloud(StrEnum):
    AWS = "aws"
    AZURE = "azure"


def diff(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE...]", help="Catalogues; `-`: standard input.")
    ] = None,
    installed: Annotated[
        bool, typer.Option("--installed", help="The types that the installed botocore knows.")
    ] = False,
    provider: Annotated[Cloud, typer.Option(help="Whose names a plain list has.")] = Cloud.AWS,
    all_: Annotated[bool, typer.Option("--all", help="Tell what agrees or is known to be open, too.")] = False,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
) -> None:
    from exportguard.reference import default
    from exportguard.reference.catalogue import Entry, compare, installed_types

    if not files and not installed:
        raise ConfigurationError("there is nothing to compare", remedy="Give a FILE, or --installed.")
    entries: list[Entry] = installed_types() if installed else []
    for file in files or ():
        entries += _read(file, provider.value)
    found = compare(default(), entries)
    shown = [each for each in found if all_ or each.verdict in ("new", "differs")]
    rows = [
        {
            "verdict": each.verdict,
            "kind": each.entry.kind,
            "provider": each.entry.provider,
            "name": each.entry.name,
            "message": each.message,
        }
        for each in shown
    ]
    _print(rows, len(found), format)
    if any(each.verdict in ("new", "differs") for each in found):
        raise typer.Exit(1)


def _read(file: str, provider: str) -> list[Any]:
    from exportguard.documents import decode
    from exportguard.errors import DocumentError
    from exportguard.reference.catalogue import names, read_catalogue

    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}", place=file) from None
    place = "standard input" if file == "-" else file
    text = decode(raw, place, max_bytes=64 * 2**20)
    if text.lstrip()[:1] in ("{", "["):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DocumentError(f"is no JSON: {error}", place=place) from None
        return read_catalogue(document, place, provider)
    return list(names(text.splitlines(), provider))


def _print(rows: list[dict[str, Any]], total: int, format: Format) -> None:  # noqa: A002
    if format is Format.JSON:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    elif format is Format.JSONL:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['verdict']:<8} {row['provider']} {row['kind']} {row['name']}: {row['message']}")
        new, other = (sum(1 for row in rows if row["verdict"] == v) for v in ("new", "differs"))
        print(f"{total} compared: {new} new, {other} different")
