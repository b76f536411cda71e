"""The ledger in one DynamoDB table, by conditional transactions (the extra `dynamodb`).

A reservation and everything that it counts are one `TransactWriteItems`: all of it happens, or nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from exportguard.authority.approvals import Approval, read_approval
from exportguard.authority.ledger import rows
from exportguard.authority.ledger.dynamodb_table import ATTEMPTS, Lost, Table
from exportguard.authority.ledger.model import (
    EXPIRY,
    SCALES,
    AuthorizationDraw,
    Counted,
    KeyTakenError,
    LimitReachedError,
    Readings,
    Reservation,
    ReservationState,
    UsageDraw,
    UsageMovedError,
    reading_of,
    scope_of,
    unscaled,
)
from exportguard.authority.ledger.periods import bucket_range
from exportguard.errors import ConfigurationError, InputError, LedgerError
from exportguard.vocabulary import UsageQuestion, UsageReading
from exportguard.vocabulary.fact import Unknown

_COUNTS: Final = (*SCALES, *(f"unknown_{unit}" for unit in SCALES))


class DynamoLedger:
    """A ledger in a table of DynamoDB, shared by threads and processes. Use `open_ledger("dynamodb://TABLE?region=…")`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.place = table.place

    # -- the ledger -------------------------------------------------------------------------------------------

    def read(self, questions: Iterable[tuple[UsageQuestion, str]], as_of: datetime) -> Readings:
        rows.micros(as_of)
        return {(question, key): self._reading(question, key, as_of) for question, key in dict.fromkeys(questions)}

    def _reading(self, question: UsageQuestion, key: str, as_of: datetime) -> UsageReading:
        scope = scope_of(question.by, key)
        # The version first: what lands in between makes the reservation conditional on a version that is gone.
        version = int((self._table.item(f"s#{scope}") or {}).get("version", 0))
        try:
            first, after = bucket_range(question.period, as_of)
        except ValueError as error:
            unknown = Unknown(str(error))
            return UsageReading(unknown, unknown, unknown, version)
        sums = dict.fromkeys(_COUNTS, 0)
        for item in self._table.query(f"u#{scope}", first, after):
            if item["sk"] < after:
                for name in _COUNTS:
                    sums[name] += int(item.get(name, 0))
        counted = list(sums.values())
        return reading_of(counted[: len(SCALES)], counted[len(SCALES) :], version)

    def reserve(
        self,
        key: str,
        usage: Sequence[UsageDraw],
        authorizations: Sequence[AuthorizationDraw] = (),
        *,
        as_of: datetime,
        conditional_on: Readings | None = None,
        expires_after: timedelta = EXPIRY,
        also: Callable[[Any], object] | None = None,
    ) -> Reservation:
        if not key:
            raise LedgerError("a reservation needs a key")
        if also is not None:
            raise LedgerError("a DynamoDB table takes nothing else into its transactions")
        counted = Counted.of(usage, authorizations)
        limits = {(entry.authorization, entry.unit): entry.limit for entry in authorizations}
        conditions = {scope_of(q.by, k): reading.version for (q, k), reading in (conditional_on or {}).items()}
        made = rows.micros(as_of)
        content = {
            "state": "reserved", "made_at": made, "expires_at": made + rows.span(expires_after),
            "asked": counted.text(), "draws": counted.text(), "note": "",
        }  # fmt: skip
        for _ in range(ATTEMPTS):
            known = self._table.item(f"r#{key}")
            if known is not None and known["state"] != "released":
                return self._replay(key, known, counted)
            counting = self._table.count(counted, as_of, 1, conditions)
            drawing = self._table.drawing(counted, 1, limits)
            put = self._table.state(key, content, None if known is None else "released")
            try:
                self._table.transact([put, self._table.pending(key, made, there=True), *counting, *drawing])
            except Lost as lost:
                self._explain(lost.reasons, counting, counted, limits)
                continue
            return Reservation(
                key, ReservationState.RESERVED, as_of, as_of + expires_after, tuple(usage), tuple(authorizations)
            )
        raise LedgerError(f"the key {key} is used by others at the same time; try again")

    def _explain(
        self, reasons: Sequence[str], counting: Sequence[Any], counted: Counted, limits: Mapping[tuple[str, str], float]
    ) -> None:
        """Raise what a lost condition means; return where the key itself was taken, which is looked at again."""
        failed = [code == "ConditionalCheckFailed" for code in reasons]
        if failed[0]:
            return
        if any(failed[2 : 2 + len(counting)]):
            raise UsageMovedError("the use has moved since it was read")
        for (name, unit, amount), lost in zip(counted.authorizations, failed[2 + len(counting) :], strict=False):
            if lost:
                limit = limits[(name, unit)]
                raise LimitReachedError(
                    f"the authorization {name} has no {unscaled(amount, unit):g} {unit} left of {limit:g}", name
                )

    def _replay(self, key: str, known: Mapping[str, Any], counted: Counted) -> Reservation:
        if known["state"] == "lowered" or not Counted.from_text(known["asked"]).same_call(counted):
            raise KeyTakenError(f"the key {key} was used for another call")
        return replace(_reservation(key, known), replayed=True)

    def commit(
        self,
        key: str,
        *,
        as_of: datetime,
        usage: Sequence[UsageDraw] | None = None,
        authorizations: Sequence[AuthorizationDraw] | None = None,
    ) -> Reservation:
        rows.micros(as_of)

        def change(known: Mapping[str, Any]) -> tuple[Counted, str, list[dict[str, Any]]] | None:
            if known["state"] == "committed":
                return None
            before, at = Counted.from_text(known["draws"]), rows.instant(int(known["made_at"]))
            actual = Counted(
                before.usage if usage is None else Counted.of(usage, ()).usage,
                before.authorizations if authorizations is None else Counted.of((), authorizations).authorizations,
            )
            held = before if known["state"] == "reserved" else Counted((), ())
            return actual, "", self._table.difference(held, actual, at)

        return self._change(key, ReservationState.COMMITTED, change)

    def release(self, key: str, *, as_of: datetime, note: str = "") -> Reservation:
        rows.micros(as_of)

        def change(known: Mapping[str, Any]) -> tuple[Counted, str, list[dict[str, Any]]] | None:
            if known["state"] == "committed":
                raise LedgerError(f"the call of the key {key} was carried out; its use stays counted")
            if known["state"] == "released":
                return None
            before, at = Counted.from_text(known["draws"]), rows.instant(int(known["made_at"]))
            return before, note, [*self._table.count(before, at, -1), *self._table.drawing(before, -1)]

        return self._change(key, ReservationState.RELEASED, change)

    def _change(
        self,
        key: str,
        state: ReservationState,
        change: Callable[[Mapping[str, Any]], tuple[Counted, str, list[dict[str, Any]]] | None],
    ) -> Reservation:
        for _ in range(ATTEMPTS):
            known = self._table.item(f"r#{key}")
            if known is None or known["state"] == "lowered":
                raise LedgerError(f"nothing is reserved under the key {key}")
            changed = change(known)
            if changed is None:
                return _reservation(key, known)
            counted, note, actions = changed
            content = {name: known[name] for name in ("made_at", "expires_at", "asked")}
            content |= {"state": state.value, "draws": counted.text(), "note": note}
            put = self._table.state(key, content, known["state"])
            try:
                self._table.transact([put, self._table.pending(key, int(known["made_at"]), there=False), *actions])
            except Lost:
                continue
            return _reservation(key, content)
        raise LedgerError(f"the key {key} is used by others at the same time; try again")

    def lower(self, key: str, usage: Sequence[UsageDraw], *, as_of: datetime, note: str = "") -> None:
        counted, at = Counted.of(usage, ()), rows.micros(as_of)
        content = {
            "state": "lowered", "made_at": at, "expires_at": at, "asked": counted.text(), "draws": counted.text(),
            "note": note,
        }  # fmt: skip
        try:
            self._table.transact(
                [self._table.state(key, content, None), *self._table.count(counted, as_of, -1, only_level=True)]
            )
        except Lost:
            known = self._table.item(f"r#{key}")
            if known is None or known["state"] != "lowered" or Counted.from_text(known["draws"]) != counted:
                raise KeyTakenError(f"the key {key} was used for something else") from None

    def pending(self) -> tuple[Reservation, ...]:
        found = []
        for item in self._table.query("pending"):
            known = self._table.item(f"r#{item['key']}")
            if known is not None and known["state"] == "reserved":
                found.append(_reservation(item["key"], known))
        return tuple(found)

    def expire(self, as_of: datetime) -> tuple[Reservation, ...]:
        rows.micros(as_of)
        return tuple(
            self.release(each.key, as_of=as_of, note="expired")
            for each in sorted(self.pending(), key=lambda each: each.key)
            if each.expires_at <= as_of
        )

    def get(self, key: str) -> Reservation | None:
        known = self._table.item(f"r#{key}")
        return None if known is None else _reservation(key, known)

    def drawn(self, authorization: str, unit: str) -> float:
        return unscaled(int((self._table.item(f"a#{authorization}", unit) or {}).get("drawn", 0)), unit)

    def add_approval(self, approval: Approval) -> None:
        text = json.dumps(approval.document(), ensure_ascii=False)
        places = (("p", f"{approval.fingerprint}#{approval.decision_id}"), ("pd", approval.decision_id))
        try:
            self._table.transact([self._table.put(*place, "document", text, once=True) for place in places])
        except Lost:
            raise LedgerError(f"decision {approval.decision_id} was approved before") from None

    def approvals(self, fingerprint: str | None = None) -> tuple[Approval, ...]:
        found = []
        span = (None, None) if fingerprint is None else (f"{fingerprint}#", f"{fingerprint}$")
        for item in self._table.query("p", *span):
            try:
                approval = read_approval(item["document"])
            except InputError:
                continue
            if fingerprint in (None, approval.fingerprint):
                found.append(approval)
        return tuple(sorted(found, key=lambda each: (each.made_at, each.decision_id)))

    def prove_writable(self) -> None:
        self._table.transact([self._table.put("proof", "-", "at", str(time.time_ns()), once=False)])

    def close(self) -> None:
        self._table.close()


def _reservation(key: str, item: Mapping[str, Any]) -> Reservation:
    return rows.reservation(
        (key, item["state"], item["made_at"], item["expires_at"], item["draws"], item.get("note") or "")
    )


def open_dynamodb(target: str) -> DynamoLedger:
    """The ledger at `dynamodb://TABLE[?region=…&endpoint=…&profile=…]`.

    Raises:
        ConfigurationError: the URL cannot be read, or boto3 is missing.
        LedgerError: the table cannot be used.
    """
    from urllib.parse import parse_qsl, urlsplit

    parts = urlsplit(target)
    options = dict(parse_qsl(parts.query))
    unknown = sorted(set(options) - {"region", "endpoint", "profile"})
    if not parts.netloc or unknown:
        raise ConfigurationError(
            f"`{unknown[0]}` is no option of a DynamoDB ledger" if unknown else "the URL names no table",
            remedy="dynamodb://TABLE?region=us-east-1",
        )
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise ConfigurationError(
            "a DynamoDB ledger needs boto3", remedy="pip install 'exportguard[dynamodb]'"
        ) from error
    session = boto3.Session(profile_name=options.get("profile"), region_name=options.get("region"))
    config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return DynamoLedger(
        Table(parts.netloc, session.client("dynamodb", endpoint_url=options.get("endpoint"), config=config))
    )
