"""`exportguard log replay`: logged requests decided again, as decided then and as understood now."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from exportguard.cli.check import Format, read_instant
from exportguard.cli.log.look import Record, app, opened
from exportguard.cli.options import Authorizations, Customers, Lists, MaxListAge, Packs, Policies
from exportguard.errors import ConfigurationError

HELP = """Decide logged requests again.

--then: under the policies, data and authorizations that the log keeps; every decision must come out the same.
--now: under today's policies, lists and customers: what was let out then and would be refused now is exposure.

Exit code: 0 nothing found, 1 a decision came out different (--then) or is exposed (--now), 3 some could not be decided
again, 2 the log or the policies cannot be read.
"""


@app.command("replay", help=HELP)
def replay(
    record: Record = None,
    now: Annotated[bool, typer.Option("--now/--then", help="As understood now, or as decided then.")] = False,
    customers: Customers = None,
    policies: Policies = None,
    packs: Packs = None,
    authorizations: Authorizations = None,
    lists: Lists = None,
    max_list_age: MaxListAge = None,
    as_of: Annotated[str | None, typer.Option(help="With --now: as of this date. Default: now.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only records after this sequence number.")] = 0,
    all: Annotated[bool, typer.Option("--all", help="Also print what came out the same.")] = False,  # noqa: A002
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,  # noqa: A002
) -> None:
    from exportguard.replay import Replayed, Replayer

    if as_of is not None and not now:
        raise ConfigurationError("goes with `--now`: as decided then is as of then", place="--as-of")
    counts: dict[str, int] = {}
    shown: list[Replayed] = []
    with opened(record) as log:
        replayer = Replayer(log)
        if now:
            from exportguard.cli.settings import chosen, load

            given = chosen(
                customers=customers,
                policies=policies,
                packs=packs,
                authorizations=authorizations,
                lists=lists,
                max_list_age=max_list_age,
            )
            state = load(given)
            found = replayer.as_understood_now(state, read_instant(as_of) or datetime.now(UTC), after)
        else:
            found = replayer.as_decided_then(after)
        for each in found:
            counts[each.verdict] = counts.get(each.verdict, 0) + 1
            if not all and each.verdict == "same":
                continue
            if format is Format.JSONL:
                sys.stdout.write(json.dumps(each.document(), ensure_ascii=False) + "\n")
            elif format is Format.JSON:
                shown.append(each)
            else:
                why = f": {each.why}" if each.why else ""
                print(
                    f"{each.sequence:>7}  {each.verdict:<10} {each.then} -> {each.now or '?'}  {each.decision_id}{why}"
                )
    if format is Format.JSON:
        document = {"counts": counts, "replayed": [each.document() for each in shown]}
        json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    elif format is Format.TABLE:
        print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "no decisions")
    if counts.get("different") or counts.get("exposed"):
        raise typer.Exit(1)
    raise typer.Exit(3 if counts.get("impossible") else 0)
