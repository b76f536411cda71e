"""`exportguard log export`: the log as JSON Lines, OCSF events or a Parquet file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from exportguard.cli.check import read_instant
from exportguard.cli.log.look import Record, app, opened
from exportguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from exportguard.record import SqlLog, StoredRecord


class Target(StrEnum):
    JSONL = "jsonl"
    OCSF = "ocsf"
    PARQUET = "parquet"


@app.command("export", help="Write the log as JSON Lines, OCSF events (a line each) or a Parquet file.")
def export(
    record: Record = None,
    format: Annotated[Target, typer.Option(help="What to write.")] = Target.JSONL,  # noqa: A002
    output: Annotated[str | None, typer.Option("--output", "-o", help="A file; left out: standard output.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only records after this sequence number.")] = 0,
    since: Annotated[str | None, typer.Option(help="Only decisions from this date on.")] = None,
    until: Annotated[str | None, typer.Option(help="Only decisions before this date.")] = None,
) -> None:
    from exportguard.record.export import lines, ocsf_events, write_parquet

    period = (read_instant(since, "--since"), read_instant(until, "--until"))
    if format is Target.PARQUET and output is None:
        raise ConfigurationError("a Parquet file cannot go to standard output", remedy="Give --output FILE.")
    with opened(record) as log, ExitStack() as stack:
        found = _chosen(log, after, *period)
        if format is Target.PARQUET:
            assert output is not None
            print(f"{write_parquet(found, output)} records", file=sys.stderr)
            return
        stream = sys.stdout
        if output is not None:
            try:
                stream = stack.enter_context(open(output, "w", encoding="utf-8"))
            except OSError as error:
                raise InputError(f"cannot be written: {error.strerror}", place=output) from error
        events = (json.dumps(event, ensure_ascii=False) for event in ocsf_events(found))
        for line in lines(found) if format is Target.JSONL else events:
            stream.write(line + "\n")


def _chosen(log: SqlLog, after: int, since: datetime | None, until: datetime | None) -> Iterator[StoredRecord]:
    for stored in log.read(after=after):
        if since is not None or until is not None:
            try:
                time = datetime.fromisoformat(str(stored.record.get("time"))) if stored.body else None
            except ValueError:
                time = None
            if time is None or (since is not None and time < since) or (until is not None and time >= until):
                continue
        yield stored
