"""`exportguard own`: is an entity owned by listed parties, as the 50% rules count? With the path that shows it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exportguard.cli.options import MaxListAge
from exportguard.errors import ConfigurationError

if TYPE_CHECKING:
    from exportguard.vocabulary import Party

HELP = """Ask the ownership cascade about one entity of a graph: who of its owners is listed, and by which path.

The graph is a customers document, or one of `ownership` and `entities` alone, JSON or YAML. Owners whose `listings`
are not stated are screened by name.

Example: exportguard own graph.json "Example Subsidiary Ltd" --lists EL,MEU,SDN --at-least 50

Exit code: 0 surely not owned so, 1 owned, 3 unknown, 2 could not tell: unreadable input.
"""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def own(
    graph: Annotated[str, typer.Argument(metavar="GRAPH.json", help="A customers document or an ownership graph.")],
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="Id or name of the entity that is asked about.")],
    lists: Annotated[
        str | None, typer.Option("--lists", help="Codes of the lists that count, separated by commas; left out: all.")
    ] = None,
    at_least: Annotated[str | None, typer.Option(help="Percent, as in `>= 50` (the default).")] = None,
    more_than: Annotated[str | None, typer.Option(help="Percent, as in `> 50`.")] = None,
    list_file: Annotated[
        str | None,
        typer.Option("--list", help="A screening list in place of those of this machine.", envvar="EXPORTGUARD_LISTS"),
    ] = None,
    screen: Annotated[bool, typer.Option(help="Screen the names of owners whose listings are not stated.")] = True,
    max_list_age: MaxListAge = None,
    as_of: Annotated[str | None, typer.Option(help="Stakes and lists of this date or instant (UTC).")] = None,
    format: Annotated[Format, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Format.TABLE,  # noqa: A002
) -> None:
    from exportguard import reference
    from exportguard.cli.check import read_instant, warn_of_old_list
    from exportguard.cli.settings import chosen
    from exportguard.parties.graphfile import load_graph
    from exportguard.parties.ownership import OwnershipInquiry
    from exportguard.parties.screen_parties import PartyScreening
    from exportguard.parties.screening import load_lists

    question = _question(lists, at_least, more_than)
    given = chosen(lists=list_file, max_list_age=max_list_age)
    screener = load_lists(given.lists or "default", max_list_age=given.max_list_age) if screen else None
    instant = read_instant(as_of) or datetime.now(UTC)
    warn_of_old_list(screener, instant)
    document = load_graph(Path(graph))
    party = document.party(entity)
    screening = PartyScreening(screener, reference.default(), instant)
    inquiry = OwnershipInquiry(party, instant, document.graph, screening.listings_of, screening.places)
    answer = inquiry.answer(question)
    told = _told(entity, inquiry.party, answer, inquiry)
    told["red_flags"] = list(dict.fromkeys((*inquiry.red_flags, *screening.red_flags)))
    told["as_of"] = instant.isoformat()
    told["sources"] = [source.model_dump(mode="json", exclude_none=True) for source in screening.sources]
    if format is Format.TABLE:
        _print(told)
    else:
        json.dump(told, sys.stdout, ensure_ascii=False, indent=2 if format is Format.JSON else None)
        sys.stdout.write("\n")
    owned = told["owned"]
    raise typer.Exit(int(owned) if isinstance(owned, bool) else 3)


def _question(lists: str | None, at_least: str | None, more_than: str | None) -> Any:
    from exportguard import reference
    from exportguard.parties.origin import is_place
    from exportguard.parties.percent import stake
    from exportguard.parties.screening.lists import LISTS, canonical
    from exportguard.vocabulary import OwnershipQuestion

    codes = sorted(LISTS)
    groups = reference.default().group_names
    if lists is not None:
        codes = []
        for part in filter(None, (part.strip() for part in lists.split(","))):
            code = part if is_place(part) and part.partition(":")[2] in groups else canonical(part)
            if code is None:
                raise ConfigurationError(
                    f"`{part}` is no list",
                    place="--lists",
                    remedy=f"There are: {', '.join(sorted(LISTS))}; and places, such as outside:provider:anthropic.",
                )
            codes.append(code)
        if not codes:
            raise ConfigurationError("names no list", place="--lists", remedy="Give codes, such as EL,SDN.")
    if at_least is not None and more_than is not None:
        raise ConfigurationError("--at-least and --more-than exclude one another")
    comparison: Literal[">=", ">"] = ">" if more_than is not None else ">="
    text = more_than or at_least or "50"
    try:
        percent = stake(text).low
    except ValueError as problem:
        place = "--more-than" if more_than is not None else "--at-least"
        said = str(problem) if str(problem).startswith("`") else f"`{text}` {problem}"
        raise ConfigurationError(said, place=place, remedy="Write a percentage, such as 50 or 33.3.") from None
    return OwnershipQuestion(tuple(sorted(set(codes))), comparison, percent)


def _told(entity: str, party: Party, answer: Any, inquiry: Any) -> dict[str, Any]:
    from exportguard.vocabulary import Unknown

    name = party.name if isinstance(party.name, str) else entity
    owned: Any = answer.owned
    told: dict[str, Any] = {
        "entity": party.id or entity,
        "name": name,
        "question": {"lists": list(answer.lists), "comparison": answer.comparison, "percent": answer.percent},
        "owned": {"unknown": owned.reason} if isinstance(owned, Unknown) else owned,
        "share": inquiry.share(answer.question),
        "path": list(answer.path),
        "listed_owners": inquiry.listed_owners(answer.question),
    }
    if not isinstance(party.listings, Unknown):
        told["listings"] = list(party.listings)
    return told


def _print(told: dict[str, Any]) -> None:
    from rich.markup import escape

    from exportguard.cli.table import console

    shown = console()
    question = told["question"]
    asked = f"{question['comparison']} {question['percent']} % by parties on {', '.join(question['lists'])}"
    owned = told["owned"]
    word, style = ("OWNED", "bold red") if owned is True else ("NOT OWNED", "green")
    if not isinstance(owned, bool):
        word, style = "UNKNOWN", "yellow"
    shown.print(f"[{style}]{word}[/] {escape(told['name'])}: {escape(asked)}")
    share = told["share"]
    stated = share["least"] if share["least"] == share["most"] else f"{share['least']} to {share['most']}"
    shown.print(f"  held by listed or caught owners: {stated} %")
    if isinstance(owned, dict):
        shown.print(escape(f"  {owned['unknown']}"))
    for line in told["path"] or told["listed_owners"]:
        shown.print(escape(f"  {line}"))
    for flag in told["red_flags"]:
        shown.print(escape(f"  red flag: {flag}"))
