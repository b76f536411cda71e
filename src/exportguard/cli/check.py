"""`exportguard check`: decide request and call documents. Nothing is sent, reserved or recorded."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from exportguard.cli.formats import Format as Report
from exportguard.cli.formats import put
from exportguard.cli.inputs import Answer, Entry, entries
from exportguard.cli.options import (
    AsOf,
    Authorizations,
    Customer,
    Customers,
    Ledger,
    Lists,
    MaxListAge,
    Packs,
    Policies,
)
from exportguard.errors import ConfigurationError, DocumentError, InputError
from exportguard.vocabulary import Outcome, UsageQuestion, UsageReading

HELP = """Decide request and call documents (JSON, or JSON Lines). Nothing is sent, reserved or recorded.

Example: exportguard check request.json --customers customers.yaml --as-of 2024-05-01

Exit code: 0 every request ALLOW, 1 some DENY, 3 none denied but some HOLD, 2 could not evaluate.
"""


class Format(StrEnum):
    """What verbs print that tell of no finding in a file."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Documents; `-` reads standard input.")],
    customers: Customers = None,
    customer: Customer = None,
    policies: Policies = None,
    packs: Packs = None,
    authorizations: Authorizations = None,
    lists: Lists = None,
    max_list_age: MaxListAge = None,
    ledger: Ledger = None,
    as_of: AsOf = None,
    format: Annotated[Report, typer.Option(help="How to print.", envvar="EXPORTGUARD_FORMAT")] = Report.TABLE,  # noqa: A002
) -> None:
    from exportguard.cli.settings import chosen, load
    from exportguard.guard import Guard

    given = chosen(
        customers=customers,
        policies=policies,
        packs=packs,
        authorizations=authorizations,
        lists=lists,
        max_list_age=max_list_age,
        ledger=ledger,
    )
    state = load(given)
    instant = read_instant(as_of)
    warn_of_old_list(state.screener, instant)
    guard = Guard(state, log=None, ledger=_ledger(given.ledger))
    if customer is not None:
        guard._require(customer)
    answers = (_answer(guard, entry, instant, customer) for entry in entries(files))
    raise typer.Exit(_print(answers, format))


def warn_of_old_list(screener: Any, as_of: datetime | None) -> None:
    """Once, on standard error, before anything is decided by a list that is too old."""
    from exportguard.parties.screening import old_list

    old = old_list(screener, as_of or datetime.now(UTC))
    if old is not None:
        print(f"warning: {old}", file=sys.stderr)


class _NothingUsed:
    """The ledger of a machine on which no guard has counted yet: what is asked for is all there is."""

    def read(self, questions: Iterable[tuple[UsageQuestion, str]], as_of: datetime) -> dict[Any, UsageReading]:
        return {asked: UsageReading(0, 0, 0) for asked in questions}

    def approvals(self, fingerprint: str) -> tuple[()]:
        return ()


def _ledger(target: str | None) -> Any:
    """What rules over cumulative use are answered from. Only read: a check reserves nothing."""
    from exportguard.cli.log import is_there
    from exportguard.record import default_store

    if target == "none":
        return None
    place = str(default_store()) if target is None else target
    if not is_there(place):
        if target is not None:
            print(f"warning: {place}: there is no ledger here: nothing counts as used so far", file=sys.stderr)
        return _NothingUsed()
    from exportguard.authority import open_ledger

    return open_ledger(place)


def read_instant(text: str | None, option: str = "--as-of") -> datetime | None:
    """What *option* says. `2024-05-01` is its first instant in UTC; an instant needs a timezone.

    Raises:
        ConfigurationError: it is no date or instant.
    """
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"`{text}` is no date or instant", place=option, remedy="Write 2024-05-01 or 2024-05-01T00:00:00Z."
        ) from None
    if instant.tzinfo is None:
        if len(text) > len("2024-05-01"):
            raise ConfigurationError(f"`{text}` has no timezone", place=option, remedy=f"Write {text}Z for UTC.")
        instant = instant.replace(tzinfo=UTC)
    return instant


def _answer(guard: Any, entry: Entry, as_of: datetime | None, customer: str | None) -> Answer:
    from exportguard.judging import read_document

    if entry.document is None:
        return Answer(entry, None, entry.error)
    try:
        document = read_document(entry.document, entry.place)
        decision = guard.check(document, as_of=as_of, customer=customer)
    except InputError as error:
        if error.place is None:
            error = DocumentError(error.message, place=entry.place, remedy=error.remedy)
        return Answer(entry, None, error)
    return Answer(entry, decision.model_copy(update={"id": entry.id}), None)


def _print(answers: Iterator[Answer], format: Report) -> int:  # noqa: A002
    outcomes: set[Outcome] = set()
    failed = False
    printed: list[Answer] = []
    if format is not Report.JSONL or not sys.stdout.isatty():
        from exportguard.cli.progress import counted

        answers = counted("deciding", answers)
    for answer in answers:
        if answer.decision is not None:
            outcomes.add(answer.decision.outcome)
        else:
            failed = True
        if format is Report.JSONL:
            sys.stdout.write(json.dumps(answer.document(), ensure_ascii=False) + "\n")
        else:
            printed.append(answer)
        if answer.error is not None and format is not Report.TABLE:
            print(f"error: {answer.error}", file=sys.stderr)
    if format is Report.JSON:
        json.dump([answer.document() for answer in printed], sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    elif format is Report.TABLE:
        from exportguard.cli.table import print_answers

        print_answers(printed)
    elif format is not Report.JSONL:
        from exportguard.cli.formats import decisions

        make = {
            Report.JUNIT: decisions.as_junit,
            Report.SARIF: decisions.as_sarif,
            Report.GITHUB: decisions.as_annotations,
        }[format]
        put(make(printed), None)
    if failed:
        return 2
    if Outcome.DENY in outcomes:
        return 1
    return 3 if Outcome.HOLD in outcomes else 0
