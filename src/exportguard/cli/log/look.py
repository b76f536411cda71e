"""`exportguard log`: the decision log, looked at, verified, signed and decided again."""

from __future__ import annotations

import json
import sys
import time as clock
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exportguard.cli.check import Format, read_instant
from exportguard.documents.looking import looked_at
from exportguard.errors import ConfigurationError, InputError, LedgerError

if TYPE_CHECKING:
    from exportguard.record import SqlLog, StoredRecord
    from exportguard.record.verification import Finding

HELP = """The decision log: tail, show, verify, checkpoint, export, replay, hold, erase."""

app = typer.Typer(name="log", help=HELP, no_args_is_help=True, rich_markup_mode=None)

Record = Annotated[
    str | None,
    typer.Option("--record", help="The log: a path or a postgresql:// URL.", envvar="EXPORTGUARD_RECORD"),
]


@contextmanager
def opened(record: str | None) -> Iterator[SqlLog]:
    """The log that options, variables and settings name; never made anew by looking at it."""
    from exportguard.cli.settings import store
    from exportguard.record import SqlLog, open_log

    place = store("record", record)
    if not is_there(place):
        raise InputError(
            "there is no decision log here",
            place=place,
            remedy="Name another with --record; a guard makes one as soon as it loads.",
        )
    log = open_log(place)
    assert isinstance(log, SqlLog)
    try:
        yield log
    finally:
        log.close()


def is_there(place: str) -> bool:
    """Whether something is kept at *place*, as far as that can be said without opening it.

    Raises ConfigurationError where nobody can tell."""
    if "://" in place:
        return True
    found = looked_at(Path(place).expanduser())
    return found is not None and (not S_ISREG(found.st_mode) or found.st_size > 0)


@app.command("tail", help="The last decisions, oldest first; with --follow, those to come as well.")
def tail(
    record: Record = None,
    n: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more.")] = False,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,  # noqa: A002
) -> None:
    with opened(record) as log:
        found = log.tail(n)
        _print(found, format)
        last = found[-1].sequence if found else log.size()
        while follow:
            clock.sleep(0.5)
            for stored in log.read(after=last):
                _print((stored,), Format.JSONL if format is Format.JSONL else Format.TABLE)
                last = stored.sequence


def _print(found: Iterable[StoredRecord], format: Format) -> None:  # noqa: A002
    if format is Format.JSON:
        json.dump([_document(stored) for stored in found], sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
        return
    for stored in found:
        text = json.dumps(_document(stored), ensure_ascii=False) if format is Format.JSONL else _line(stored)
        sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _document(stored: StoredRecord) -> dict[str, Any]:
    return {"sequence": stored.sequence, **(stored.record if stored.body else {"erased": True})}


def _line(stored: StoredRecord) -> str:
    from exportguard.record.document import is_decision

    if not stored.body:
        return f"{stored.sequence:>7}  {stored.decision_id}  erased"
    record = stored.record
    if not is_decision(record):
        return f"{stored.sequence:>7}  {record.get('time')}  {record.get('decision_id')}"
    request = (record.get("decision") or {}).get("request") or {}
    reasons = (record.get("decision") or {}).get("reasons") or ()
    what = " ".join(str(request.get(key)) for key in ("service", "operation") if isinstance(request.get(key), str))
    let_out = "" if record.get("released") == (record.get("outcome") == "ALLOW") else f" ({record.get('mode')})"
    why = f"  {reasons[0]['message']}" if reasons else ""
    outcome = f"{record.get('outcome')}{let_out}"
    return f"{stored.sequence:>7}  {record.get('time')}  {outcome:<5}  {stored.decision_id}  {what}{why}"


@app.command("show", help="One record whole, by its decision id or its sequence number.")
def show(
    name: Annotated[str, typer.Argument(metavar="DECISION_ID|SEQUENCE")],
    record: Record = None,
) -> None:
    with opened(record) as log:
        stored = find(log, name)
        json.dump(_document(stored), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")


def find(log: SqlLog, name: str) -> StoredRecord:
    """A record by decision id, the beginning of one, or sequence number. Raises InputError where there is none."""
    stored = log.get(name)
    if stored is None and name.isdigit() and len(name) < 12:
        stored = next(iter(log.read(after=int(name) - 1, limit=1)), None)
        if stored is not None and stored.sequence != int(name):
            stored = None
    if stored is None:
        raise InputError(f"the log has no decision `{name}`", remedy="`exportguard log tail` shows the last ones.")
    return stored


@app.command("verify", help="Is the log what was written? Exit code: 0 intact, 1 something is wrong, 2 cannot tell.")
def verify(
    record: Record = None,
    ledger: Annotated[
        str | None, typer.Option(help="The ledger, where it is not beside the log.", envvar="EXPORTGUARD_LEDGER")
    ] = None,
    checkpoint: Annotated[str | None, typer.Option(help="A checkpoint kept elsewhere (file).")] = None,
    public_key: Annotated[
        str | None, typer.Option(help="Key of the checkpoints (PEM).", envvar="EXPORTGUARD_PUBLIC_KEY")
    ] = None,
    key_name: Annotated[
        str, typer.Option(help="The name that it signs under.", envvar="EXPORTGUARD_KEY_NAME")
    ] = "exportguard",
    require_signed: Annotated[
        bool, typer.Option(help="A log without a signed checkpoint is wrong.", envvar="EXPORTGUARD_REQUIRE_SIGNED")
    ] = False,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,  # noqa: A002
) -> None:
    from exportguard.record import file_verifier
    from exportguard.record import verify as verified

    if require_signed and public_key is None:
        raise ConfigurationError("a signature is required, and no key is given", remedy="Give --public-key.")
    with opened(record) as log:
        result = verified(
            log,
            checkpoint=None if checkpoint is None else _text(checkpoint),
            verifier=None if public_key is None else file_verifier(public_key, key_name),
            require_signed=require_signed,
        )
        findings = [*result.findings, *_beside(log, record, ledger)]
    if format is Format.TABLE:
        erased = f", {result.erased} of them erased" if result.erased else ""
        print(f"{result.size} records{erased}, root {result.root.hex()}")
        for finding in findings:
            print(f"{finding.kind}: {finding.message}")
        print(f"{len(findings)} things are wrong" if findings else "intact")
    else:
        listed = [{"kind": f.kind, "message": f.message, "sequence": f.sequence} for f in findings]
        told = {"size": result.size, "root": result.root.hex(), "erased": result.erased, "intact": not findings}
        json.dump({**told, "findings": listed}, sys.stdout, indent=2 if format is Format.JSON else None)
        sys.stdout.write("\n")
    raise typer.Exit(1 if findings else 0)


def _beside(log: SqlLog, record: str | None, ledger: str | None) -> Iterator[Finding]:
    """What is wrong with what lies beside the records: the policies that the log keeps, and the ledger."""
    from exportguard.authority import SqlLedger, open_ledger
    from exportguard.cli.settings import store
    from exportguard.record.verification import Finding
    from exportguard.replay import Replayer

    for said in Replayer(log).altered_policies():
        yield Finding("content", said)
    place = store("ledger", ledger, beside=record)
    own = place == store("record", record)
    counts = not own or log.query("SELECT 1 FROM exportguard_meta WHERE name = 'ledger'", {})
    if not counts or place.startswith("dynamodb:") or not is_there(place):
        return
    try:
        book = open_ledger(place)
    except LedgerError as error:
        yield Finding("unreadable", str(error))
        return
    try:
        assert isinstance(book, SqlLedger)
        yield from (Finding("use", said) for said in book.verify())
    except LedgerError as error:
        yield Finding("unreadable", str(error))
    finally:
        book.close()


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", place=path, remedy="Give the note as it was printed.") from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", place=path) from None


@app.command("checkpoint", help="Print a checkpoint of the log: keep it where whoever writes the log cannot reach.")
def checkpoint(
    record: Record = None,
    key: Annotated[str | None, typer.Option(help="Sign with this key (PEM).", envvar="EXPORTGUARD_SIGNING_KEY")] = None,
    key_name: Annotated[
        str, typer.Option(help="The name to sign under.", envvar="EXPORTGUARD_KEY_NAME")
    ] = "exportguard",
    new_key: Annotated[bool, typer.Option(help="Make the key first; its file must not exist yet.")] = False,
    require_signed: Annotated[
        bool, typer.Option(help="Refuse to print an unsigned one.", envvar="EXPORTGUARD_REQUIRE_SIGNED")
    ] = False,
    origin: Annotated[str, typer.Option(help="The name of the log.")] = "exportguard",
) -> None:
    from exportguard.record import file_signer, make_checkpoint, make_key

    if key is None and (require_signed or new_key):
        raise ConfigurationError("a signature is required, and no key is given", remedy="Give --key.")
    with opened(record) as log:
        if key is not None and new_key:
            make_key(key, key_name)
        signer = None if key is None else file_signer(key, key_name)
        sys.stdout.write(make_checkpoint(log, at=datetime.now(UTC), origin=origin, signer=signer).note)


@app.command("hold", help="Place a legal hold (records that may not be erased), lift one, or list them.")
def hold(
    name: Annotated[str | None, typer.Argument(help="Of the hold; left out: list them.")] = None,
    record: Record = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    by: Annotated[str, typer.Option(help="Who places or lifts it.")] = "",
    customer: Annotated[str | None, typer.Option(help="Only this customer's records.")] = None,
    decision: Annotated[list[str] | None, typer.Option(help="Only these decisions.")] = None,
    lift: Annotated[bool, typer.Option(help="End it.")] = False,
) -> None:
    from exportguard.record.retention import LegalHold, holds, lift_hold, place_hold

    with opened(record) as log:
        now = datetime.now(UTC)
        if name is None:
            placed = holds(log)
            if not placed:
                print("no legal holds")
            for each in placed:
                scope = each.customer or ", ".join(each.decisions) or "everything"
                print(f"{each.name}: {scope} ({each.reason}, by {each.by})")
        elif lift:
            lift_hold(log, name, by=by, reason=reason, at=now)
        else:
            place_hold(log, LegalHold(name, reason, by, customer, tuple(decision or ())), now)


@app.command("erase", help="Erase the texts of old decisions. Their hashes stay, and legal holds are kept.")
def erase(
    before: Annotated[str, typer.Option(help="Erase what was decided before this date.")],
    by: Annotated[str, typer.Option(help="Who asks for it.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    record: Record = None,
    years: Annotated[int, typer.Option(help="Keep at least so many: 5 by the EAR, 10 by OFAC.")] = 10,
) -> None:
    from exportguard.record.retention import erase as erased

    instant = read_instant(before, "--before")
    assert instant is not None
    with opened(record) as log:
        gone, held = erased(log, before=instant, at=datetime.now(UTC), by=by, reason=reason, years=years)
    print(f"{gone} erased, {held} kept by a legal hold")
