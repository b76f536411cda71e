"""`exportguard data refresh`: take a newer screening list into use, at once or not at all."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from exportguard.errors import ConfigurationError

HELP = """Take a newer Consolidated Screening List into use: looked at whole, then put beside the old ones.

Left out, --list is where trade.gov publishes it. Guards take the list when they are loaded or reloaded.

Example: exportguard data refresh --list consolidated.json

Exit code: 0 the list is in use (or was already), 2 it could not be read or is no plausible successor.
"""


def refresh(
    source: Annotated[
        str | None, typer.Option("--list", help="A file or https URL: JSON or CSV, gzipped or not.", metavar="FILE|URL")
    ] = None,
    list_date: Annotated[
        str | None, typer.Option(help="The day of the list, where it does not say.", metavar="YYYY-MM-DD")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Take a list that is older or much shorter.")] = False,
) -> None:
    from exportguard.parties.screening import refresh as lists

    try:
        day = date.fromisoformat(list_date) if list_date is not None else None
    except ValueError:
        raise ConfigurationError(f"`{list_date}` is no date", place="--list-date", remedy="Write 2026-07-31.") from None
    taken = lists.refresh(source, list_date=day, force=force) if source else lists.refresh(list_date=day, force=force)
    if not taken.changed:
        print(f"the list of {taken.day} is in use already: {taken.rows} entries, sha256 {taken.digest}")
        return
    print(f"the list of {taken.day} is in use: {taken.rows} entries, sha256 {taken.digest}, in {taken.path}")
    print(f"before it: the list of {taken.previous_day}; a guard that runs takes the new one by `reload()`")
