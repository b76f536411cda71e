"""`exportguard authorizations`: what may lift a rule, how much is left, approving a held request, unclear calls."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exportguard.cli.check import Format, read_instant
from exportguard.cli.options import Authorizations
from exportguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from exportguard.authority import Ledger, Reservation
    from exportguard.language import CompiledPolicySet
    from exportguard.record import SqlLog
    from exportguard.vocabulary import Authorization

app = typer.Typer(
    name="authorizations",
    help="Authorizations, approvals and reservations: list, approve, reconcile, lower.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Book = Annotated[
    str | None,
    typer.Option("--ledger", help="The ledger: a path or a postgresql:// URL.", envvar="EXPORTGUARD_LEDGER"),
]
Record = Annotated[
    str | None,
    typer.Option("--record", help="The log: a path or a postgresql:// URL.", envvar="EXPORTGUARD_RECORD"),
]


@contextmanager
def _ledger(place: str | None, record: str | None) -> Iterator[Ledger]:
    from exportguard.authority import open_ledger
    from exportguard.cli.log import is_there
    from exportguard.cli.settings import store

    found = store("ledger", place, beside=record)
    if not is_there(found):
        raise InputError(
            "there is no ledger here",
            place=found,
            remedy="Name another with --ledger; a guard makes one as soon as it loads.",
        )
    ledger = open_ledger(found)
    try:
        yield ledger
    finally:
        ledger.close()


@app.command("list", help="Authorizations of a document and approvals of requests: in force or not, and what is left.")
def list_(
    authorizations: Authorizations = None,
    record: Record = None,
    ledger: Book = None,
    as_of: Annotated[str | None, typer.Option(help="As of this date or instant (UTC).")] = None,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,  # noqa: A002
) -> None:
    from exportguard.authority import load_authorizations
    from exportguard.cli.log import is_there
    from exportguard.cli.settings import chosen, store

    given = chosen(authorizations=authorizations)
    entries = list(load_authorizations(given.authorizations))
    at = read_instant(as_of) or datetime.now(UTC)
    place = store("ledger", ledger, beside=record)
    if ledger is None and not is_there(place):
        rows = [_row(entry, at, None) for entry in entries]
    else:
        with _ledger(ledger, record) as book:
            approvals = [approval.authorization for approval in book.approvals()]
            rows = [_row(entry, at, book) for entry in (*entries, *approvals)]
    if format is Format.JSON:
        json.dump(rows, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
        return
    for row in rows:
        if format is Format.JSONL:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
            continue
        left = ", ".join(f"{each['left']:g} of {each['limit']:g} {each['unit']} left" for each in row["quantities"])
        print(f"{row['id']}  {row['kind']}  {row['status']}  {left or 'uncounted'}  for {', '.join(row['parties'])}")
    if format is Format.TABLE and not rows:
        print("no authorizations")


def _row(entry: Authorization, at: datetime, book: Ledger | None) -> dict[str, Any]:
    from exportguard.authority.authorizations import instant
    from exportguard.authority.ledger.model import SINGLE_USE
    from exportguard.vocabulary.authorization import unapproved

    limits: list[tuple[str, float]] = [] if entry.quantity is None else [(entry.quantity.unit, entry.quantity.limit)]
    if entry.request_fingerprint is not None:
        limits.append((SINGLE_USE, 1))
    quantities: list[dict[str, Any]] = []
    for unit, limit in limits:
        drawn = book.drawn(entry.id, unit) if book is not None else 0
        quantities.append({"unit": unit, "limit": limit, "drawn": drawn, "left": max(0, limit - drawn)})
    start, end = entry.effective.from_, entry.effective.until
    status = "in force"
    if (why := unapproved(entry)) is not None:
        status = f"lifts nothing: {why}"
    elif start is not None and at < instant(start):
        status = f"not in force before {start}"
    elif end is not None and at >= instant(end):
        status = f"expired on {end}"
    elif any(each["left"] <= 0 for each in quantities):
        status = "used up"
    return {
        "id": entry.id,
        "kind": entry.kind.value,
        "status": status,
        "from": None if start is None else start.isoformat(),
        "until": None if end is None else end.isoformat(),
        "quantities": quantities,
        "parties": [f"{party.name or party.id or party.customer} ({party.role.value})" for party in entry.parties],
        "requested_by": entry.requested_by,
        "approved_by": list(entry.approved_by),
        "request_fingerprint": entry.request_fingerprint,
    }


@app.command(
    "approve",
    help="Release one held request, for that request alone, once, by a second person. It is to be made again then.",
)
def approve(
    decision: Annotated[str, typer.Argument(metavar="DECISION_ID", help="As the refusal and the log name it.")],
    by: Annotated[
        str,
        typer.Option(
            "--by", "--approver", "--approved-by", help="Who approves: never the requester.",
            envvar="EXPORTGUARD_APPROVER",
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    requested_by: Annotated[
        str | None, typer.Option(help="Who requested, where it was not the account that the process ran under.")
    ] = None,
    days: Annotated[float, typer.Option(help="How long it may be used.", min=0.001, max=366)] = 7,
    record: Record = None,
    ledger: Book = None,
) -> None:  # fmt: skip
    from exportguard.authority import approve as approved
    from exportguard.cli.log import find, opened
    from exportguard.record.document import event_record
    from exportguard.replay import Replayer

    now = datetime.now(UTC)
    with opened(record) as log, _ledger(ledger, record) as book:
        stored = find(log, decision)
        if not stored.body:
            raise InputError(f"the record of {stored.decision_id} was erased")
        _intact(log, stored)
        policies = Replayer(log).policies_of(stored.record)
        made = approved(
            stored.record, by=by, reason=reason, at=now, requested_by=requested_by, until=now + timedelta(days=days),
            policies=policies,
        )  # fmt: skip
        _admitted(policies, made.rules)
        known = {approval.decision_id for approval in book.approvals()}
        if made.decision_id in known:
            raise InputError(f"decision {made.decision_id} was approved before", remedy="An approval is good for once.")
        # First the log, then the ledger: no approval works that is not on record.
        log.append(event_record("approval", f"{made.decision_id}-{now:%Y%m%dT%H%M%S%f}", now, made.document()))
        book.add_approval(made)
    until = made.authorization.effective.until
    print(f"approved {made.decision_id} by {by}, once, until {until}: {', '.join(sorted(made.rules))}")


def _intact(log: SqlLog, stored: Any) -> None:
    from exportguard.record.merkle import leaf_hash

    if leaf_hash(stored.body) != stored.leaf:
        raise InputError(
            f"the record of {stored.decision_id} was changed after it was written",
            remedy="See `exportguard log verify`.",
        )


def _admitted(policies: CompiledPolicySet | None, rules: frozenset[str]) -> None:
    """Raises InputError where a rule that holds the request admits no internal waiver: approving would do nothing."""
    if policies is None:
        return
    admitting = {f"{rule.policy}/{rule.id}" for rule in policies.rules if "internal_waiver" in rule.authorizable_by}
    closed = sorted(rules - admitting)
    if closed:
        raise InputError(
            f"no waiver lifts {', '.join(closed)}",
            remedy="Supply the facts that are missing, or an authorization of a kind that the rule admits.",
        )


@app.command("reconcile", help="Calls whose result was unclear: list them, or say what became of one.")
def reconcile(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY|DECISION_ID]...", help="Left out: list what is pending.")
    ] = None,
    succeeded: Annotated[bool, typer.Option("--succeeded", help="It was carried out: its use stays counted.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="It was not: its reservation is given back.")] = False,
    expired: Annotated[bool, typer.Option("--expired", help="Give back every reservation past its time.")] = False,
    note: Annotated[str, typer.Option(help="How it is known.")] = "",
    record: Record = None,
    ledger: Book = None,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,  # noqa: A002
) -> None:
    if succeeded and failed:
        raise ConfigurationError("a call cannot have succeeded and failed")
    if (succeeded or failed) and not names:
        raise ConfigurationError("say of which call", remedy="`exportguard authorizations reconcile` lists them.")
    if names and not (succeeded or failed):
        raise ConfigurationError("say what became of it", remedy="Add --succeeded or --failed.")
    now = datetime.now(UTC)
    with _ledger(ledger, record) as book:
        if names:
            for name in names:
                key = _key(name, book, record)
                if succeeded:
                    book.commit(key, as_of=now)
                else:
                    book.release(key, as_of=now, note=note or "reconciled: it was not carried out")
                print(f"{name}: {'its use stays counted' if succeeded else 'given back'}")
            return
        done = book.expire(now) if expired else book.pending()
    if format is Format.JSON:
        json.dump([_pending(each) for each in done], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    for each in done:
        if format is Format.JSONL:
            sys.stdout.write(json.dumps(_pending(each)) + "\n")
            continue
        draws = [f"{a.amount:g} {a.unit} of {a.authorization}" for a in each.authorizations]
        draws += [
            f"{u.tokens} tokens, {u.accelerators} accelerators, {u.tpp} TPP by {u.by} {u.key}" for u in each.usage
        ]
        state = "given back" if expired else f"pending until {each.expires_at:%Y-%m-%d}"
        print(f"{each.key}  {each.made_at:%Y-%m-%dT%H:%M:%SZ}  {state}  {'; '.join(draws)}")
    if format is Format.TABLE and not done:
        print("nothing has expired" if expired else "nothing is pending")


@app.command("lower", help="A level fell: instances ended. What periods add up stays as it is. Once for each KEY.")
def lower(
    key: Annotated[str, typer.Argument(help="What ended, such as the instance ids: the same KEY again counts once.")],
    of: Annotated[
        list[str],
        typer.Option(
            help="Whose level: a customer id, an account (aws:111122223333), an end user. Again for each name that an "
            "end user counts under (its name, `id:ID`, its ultimate parent), as `reconcile` lists them."
        ),
    ],
    by: Annotated[str, typer.Option(help="customer, account or end_user, as in the rule's `per`.")] = "customer",
    accelerators: Annotated[float, typer.Option(min=0, help="How many.")] = 0,
    tpp: Annotated[float, typer.Option(min=0, help="Their TPP, all together.")] = 0,
    note: Annotated[str, typer.Option(help="How it is known.")] = "",
    record: Record = None,
    ledger: Book = None,
) -> None:
    from typing import get_args

    from exportguard.accounting import spellings, tidy
    from exportguard.authority import UsageDraw
    from exportguard.authority.ledger.model import By

    if by not in get_args(By):
        raise ConfigurationError(f"nothing is counted by `{by}`", remedy=f"There are: {', '.join(get_args(By))}.")
    if not accelerators and not tpp:
        raise ConfigurationError("by how much did it fall?", remedy="Give --accelerators, --tpp, or both.")
    whose = set(of)
    if by == "end_user":
        named = ((tidy(each),) if each.startswith("id:") else spellings(each) for each in of)
        whose = {each for some in named for each in some}
    with _ledger(ledger, record) as book:
        draws = [UsageDraw(by, each, 0, accelerators, tpp) for each in sorted(whose)]  # type: ignore[arg-type]
        book.lower(f"lowered-{key}", draws, as_of=datetime.now(UTC), note=note)
    print(f"{', '.join(of)}: lowered by {accelerators:g} accelerators, {tpp:g} TPP")


def _key(name: str, book: Ledger, record: str | None) -> str:
    """The key of a reservation: given as it is, or found by the decision that it was made for."""
    if book.get(name) is not None:
        return name
    from exportguard.cli.log import opened

    with opened(record) as log:
        stored = log.get(name)
    key = stored.record.get("idempotency_key") if stored is not None and stored.body else None
    if not isinstance(key, str) or book.get(key) is None:
        raise InputError(f"nothing is reserved under `{name}`", remedy="Leave the name out to list what is pending.")
    return key


def _pending(each: Reservation) -> dict[str, Any]:
    from exportguard.record.canonical import json_safe

    return {
        "key": each.key,
        "state": each.state.value,
        "made_at": each.made_at.isoformat(),
        "expires_at": each.expires_at.isoformat(),
        "authorizations": [
            {"authorization": a.authorization, "unit": a.unit, "amount": a.amount} for a in each.authorizations
        ],
        "usage": [json_safe(dict(u._asdict())) for u in each.usage],
    }
