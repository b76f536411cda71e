"""`exportguard screen`: are these names on a restricted-party list? What was found, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exportguard.cli.options import MaxListAge
from exportguard.errors import ConfigurationError, DocumentError

if TYPE_CHECKING:
    from exportguard.parties.screening import Match, ScreeningResult

HELP = """Screen names against the Consolidated Screening List: hit, review, clear or unknown, with list, entry and why.

Example: exportguard screen "Sichuan University" 四川大学 --country CN

Example: exportguard screen --file names.txt --format jsonl

Exit code: 0 every name clear, 1 some hit, 3 no hit but some review or unknown, 2 could not screen.
"""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def screen(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Names, in any script.")] = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="NAMES.txt", help="A name a line; `-` reads standard input.")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="A verified country of the parties, in any spelling.", metavar="CN")
    ] = None,
    lists: Annotated[
        str | None,
        typer.Option(
            "--list",
            "--lists",
            help="A list as published, in place of those of this machine.",
            envvar="EXPORTGUARD_LISTS",
        ),
    ] = None,
    list_date: Annotated[str | None, typer.Option(help="The day of the list, where it does not say.")] = None,
    aliases: Annotated[
        list[str] | None, typer.Option("--aliases", help="YAML of other names of the same bodies; may be repeated.")
    ] = None,
    max_list_age: MaxListAge = None,
    as_of: Annotated[str | None, typer.Option(help="Screen as of this date or instant (UTC).")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes for many names; left out: one a core.", min=1)] = None,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
) -> None:
    from exportguard.cli.check import read_instant, warn_of_old_list
    from exportguard.parties.screening import screen_many

    asked = [*(names or ())]
    if not asked and file is None:
        raise ConfigurationError("there is no name to screen", remedy="Give names, or --file NAMES.txt.")
    where = _country(country)
    screener = _screener(lists, list_date, aliases, max_list_age)
    instant = read_instant(as_of) or datetime.now(UTC)
    warn_of_old_list(screener, instant)
    if file is not None:
        asked += _names(file)
    results = screen_many(screener, asked, as_of=instant, country=where, workers=workers)
    with _progress(results, len(asked)) as shown:
        raise typer.Exit(_print(shown, format))


def _country(text: str | None) -> str | None:
    if text is None:
        return None
    from exportguard import reference
    from exportguard.vocabulary import Unknown

    country = reference.default().country(text)
    if isinstance(country, Unknown):
        raise ConfigurationError(country.reason, place="--country", remedy="Write an ISO 3166 code, such as CN.")
    return country


def _screener(lists: str | None, list_date: str | None, aliases: list[str] | None, max_list_age: str | None) -> Any:
    from exportguard.cli.settings import chosen
    from exportguard.parties.screening import load_lists, load_screener
    from exportguard.parties.screening.choosing import read_age
    from exportguard.parties.screening.snapshots import snapshots

    given = chosen(lists=lists, max_list_age=max_list_age)
    if not list_date and not aliases:
        return load_lists(given.lists or "default", max_list_age=given.max_list_age)
    day = None
    if list_date:
        try:
            day = datetime.fromisoformat(list_date).date()
        except ValueError:
            raise ConfigurationError(
                f"`{list_date}` is no date", place="--list-date", remedy="Write 2026-07-31."
            ) from None
    source = snapshots()[-1].path if given.lists is None else Path(given.lists)
    if given.lists is None and day is None:
        day = snapshots()[-1].day
    return load_screener(source, list_date=day, aliases=aliases or (), max_list_age=read_age(given.max_list_age))


def _names(file: str) -> list[str]:
    """The lines of a file that hold more than spaces. Raises DocumentError."""
    from exportguard.parties.reading import read_bytes

    if file == "-":
        raw = sys.stdin.buffer.read()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = raw[: problem.start].count(b"\n") + 1
            raise DocumentError("is not UTF-8 text", place=f"<stdin>:{line}") from problem
    else:
        text = read_bytes(Path(file), 1 << 30, "the file of names")
    return [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]


@contextmanager
def _progress(results: Iterator[ScreeningResult], total: int) -> Iterator[Iterable[ScreeningResult]]:
    """*results* with a bar on a terminal's standard error; in a pipe, and for a few names, nothing is shown."""
    if total < 200 or not sys.stderr.isatty():
        yield results
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("screening"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar.track(results, total=total)


def _print(results: Iterable[ScreeningResult], format: Format) -> int:  # noqa: A002
    statuses: set[str] = set()
    kept: list[ScreeningResult] = []
    for result in results:
        statuses.add(result.status.value)
        if format is Format.JSONL:
            sys.stdout.write(json.dumps(result.document(), ensure_ascii=False) + "\n")
        else:
            kept.append(result)
    if format is Format.JSON:
        json.dump([result.document() for result in kept], sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    elif format is Format.TABLE:
        _table(kept)
    if "hit" in statuses:
        return 1
    return 0 if statuses <= {"clear"} else 3


_STYLES = {"hit": "bold red", "review": "yellow", "unknown": "yellow", "clear": "green"}
_SHOWN = 3


def _table(results: list[ScreeningResult]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from exportguard.cli.table import console

    shown = console()
    table = Table(show_lines=len(results) > 1)
    for column in ("name", "status", "list", "listed as", "score", "why"):
        table.add_column(column, overflow="fold", vertical="top")
    open_: dict[str, list[str]] = {}
    for result in results:
        status = f"[{_STYLES[result.status.value]}]{result.status.value}[/]"
        rows = [_cells(match) for match in result.matches[:_SHOWN]] or [("", "", "", "")]
        for number, cells in enumerate(rows):
            first = number == 0
            table.add_row(escape(result.query) if first else "", status if first else "", *map(escape, cells))
        if result.reason:
            open_.setdefault(result.reason, []).append(result.query)
    shown.print(table)
    for reason, queries in open_.items():
        more = f" and {len(queries) - _SHOWN:,} more" if len(queries) > _SHOWN else ""
        shown.print(escape(f"{', '.join(queries[:_SHOWN])}{more}: {reason}"))
    days = sorted({result.list_date.isoformat() for result in results})
    shown.print(
        f"screened against the list of {', '.join(days)}; a screening is evidence, not legal advice", style="dim"
    )


def _cells(match: Match) -> tuple[str, str, str, str]:
    countries = f" ({', '.join(match.entry.countries)})" if match.entry.countries else ""
    other = f"\nas {match.matched_name}" if match.matched_name != match.entry.name else ""
    return match.list, f"{match.entry.name}{countries}{other}", f"{match.score:.2f}", match.why
