"""The items of a ledger in DynamoDB, and the actions of a transaction that change them.

One item each for a reservation (`r#KEY`), for what a scope used in an hour, a month and in all (`u#SCOPE`, bucket), for
a scope's version (`s#SCOPE`), for what is drawn of an authorization (`a#NAME`, unit) and for an approval (`p`, `pd`).
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from exportguard.authority.ledger.model import SCALES, Counted
from exportguard.authority.ledger.periods import buckets_of
from exportguard.errors import LedgerError

ATTEMPTS: Final = 12
_MOST: Final = 100
"""Actions that DynamoDB takes in one transaction."""


class Lost(Exception):
    """A condition did not hold; the reasons, by position, are in `reasons`."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = reasons


class Table:
    """One table, which is made when it is missing. Every method raises LedgerError where it cannot be used."""

    def __init__(self, name: str, client: Any) -> None:
        self.place = f"dynamodb://{name}"
        self._table, self._client = name, client
        self._ensure()

    def _ensure(self) -> None:
        def make() -> None:
            try:
                self._client.describe_table(TableName=self._table)
            except self._client.exceptions.ResourceNotFoundException:
                keys = (("pk", "HASH"), ("sk", "RANGE"))
                # Another process that starts at the same time may have been faster: its table is this one.
                with contextlib.suppress(self._client.exceptions.ResourceInUseException):
                    self._client.create_table(
                        TableName=self._table,
                        BillingMode="PAY_PER_REQUEST",
                        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
                        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
                    )
                self._client.get_waiter("table_exists").wait(TableName=self._table)

        self.guarded(make)

    def guarded(self, action: Callable[[], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return action()
        except (BotoCoreError, ClientError) as error:
            raise LedgerError(
                f"the ledger cannot be used: {self.place}: {error}\n"
                "  help: See that the table can be reached, read and written with these credentials."
            ) from error

    # -- items ------------------------------------------------------------------------------------------------

    def item(self, pk: str, sk: str = "-") -> dict[str, Any] | None:
        found = self.guarded(
            lambda: self._client.get_item(TableName=self._table, Key=key_of(pk, sk), ConsistentRead=True)
        )
        return _plain(found["Item"]) if "Item" in found else None

    def query(self, pk: str, first: str | None = None, last: str | None = None) -> Iterator[dict[str, Any]]:
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if first is not None and last is not None:
            condition += " AND sk BETWEEN :first AND :last"
            values |= {":first": {"S": first}, ":last": {"S": last}}
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        while True:
            page = self.guarded(lambda: self._client.query(**arguments))
            yield from map(_plain, page.get("Items", ()))
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def transact(self, actions: Sequence[dict[str, Any]]) -> None:
        """Raises Lost when a condition does not hold; a mere conflict with a neighbour is tried again."""
        if len(actions) > _MOST:
            raise LedgerError(f"a call that counts in {len(actions)} places is too much for one transaction")
        for attempt in range(ATTEMPTS):
            try:
                self.guarded(lambda: self._client.transact_write_items(TransactItems=list(actions)))
                return
            except LedgerError as error:
                cause: Any = error.__cause__
                answer = getattr(cause, "response", {})
                if answer.get("Error", {}).get("Code") != "TransactionCanceledException":
                    raise
                reasons = [each.get("Code", "None") for each in answer.get("CancellationReasons", ())]
                if "ConditionalCheckFailed" in reasons:
                    raise Lost(reasons) from None
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(random.random() * 0.02 * (attempt + 1))

    def update(
        self, pk: str, sk: str, add: Mapping[str, int], condition: str | None = None, **values: int
    ) -> dict[str, Any]:
        names = {f"#{index}": name for index, name in enumerate(add)}
        action: dict[str, Any] = {
            "TableName": self._table,
            "Key": key_of(pk, sk),
            "UpdateExpression": "ADD " + ", ".join(f"#{index} :{index}" for index in range(len(add))),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                **{f":{index}": {"N": str(amount)} for index, amount in enumerate(add.values())},
                **{f":{name}": {"N": str(value)} for name, value in values.items()},
            },
        }
        if condition is not None:
            action["ConditionExpression"] = condition
        return {"Update": action}

    def state(self, key: str, content: Mapping[str, Any], before: str | None) -> dict[str, Any]:
        """Put a reservation where *before* is its text as it was read, None: where there is none."""
        fields = {name: {"S": str(value)} for name, value in content.items()}
        put: dict[str, Any] = {"TableName": self._table, "Item": {**key_of(f"r#{key}", "-"), **fields}}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put |= {
                "ConditionExpression": "#state = :before",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":before": {"S": before}},
            }
        return {"Put": put}

    def pending(self, key: str, made: int, *, there: bool) -> dict[str, Any]:
        place = key_of("pending", f"{made:020d}#{key}")
        if there:
            return {"Put": {"TableName": self._table, "Item": {**place, "key": {"S": key}}}}
        return {"Delete": {"TableName": self._table, "Key": place}}

    def count(
        self, counted: Counted, at: datetime, sign: int, conditions: Mapping[str, int] | None = None,
        *, only_level: bool = False,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The actions that count *counted*, and that check the versions of scopes."""
        actions, left = [], dict(conditions or {})
        buckets = buckets_of(at)[2:] if only_level else buckets_of(at)
        for scope, amounts in counted.usage:
            values = {unit: sign * (whole or 0) for unit, whole in zip(SCALES, amounts, strict=True)}
            values |= {f"unknown_{unit}": sign * (whole is None) for unit, whole in zip(SCALES, amounts, strict=True)}
            if not any(values.values()):
                continue
            actions += [self.update(f"u#{scope}", bucket, values) for bucket in buckets]
            version = left.pop(scope, None)
            actions.append(self.move(scope, version, 1))
        return [*actions, *(self.move(scope, version, 0) for scope, version in left.items())]

    def move(self, scope: str, version: int | None, by: int) -> dict[str, Any]:
        if version is None:
            return self.update(f"s#{scope}", "-", {"version": by})
        unmoved = "attribute_not_exists(version) OR version = :was" if version == 0 else "version = :was"
        return self.update(f"s#{scope}", "-", {"version": by}, unmoved, was=version)

    def drawing(
        self, counted: Counted, sign: int, limits: Mapping[tuple[str, str], float] | None = None
    ) -> list[dict[str, Any]]:
        actions = []
        for name, unit, amount in counted.authorizations:
            limit = None if limits is None else limits.get((name, unit))
            if limit is None:
                actions.append(self.update(f"a#{name}", unit, {"drawn": sign * amount}))
                continue
            ceiling = int(limit * SCALES.get(unit, 10**6)) - amount
            fits = "drawn <= :ceiling" + (" OR attribute_not_exists(drawn)" if ceiling >= 0 else "")
            actions.append(self.update(f"a#{name}", unit, {"drawn": amount}, fits, ceiling=ceiling))
        return actions

    def difference(self, before: Counted, after: Counted, at: datetime) -> list[dict[str, Any]]:
        """The actions that turn what is counted from *before* to *after*, each item once."""
        if before == after:
            return []
        nothing: tuple[int | None, int | None, int | None] = (0, 0, 0)
        scopes = {scope: [nothing, nothing] for scope, _ in (*before.usage, *after.usage)}
        for index, counted in enumerate((before, after)):
            for scope, amounts in counted.usage:
                scopes[scope][index] = amounts
        actions = []
        for scope, (old, new) in sorted(scopes.items()):
            values: dict[str, int] = {}
            for unit, was, now in zip(SCALES, old, new, strict=True):
                values[unit] = (now or 0) - (was or 0)
                values[f"unknown_{unit}"] = (now is None) - (was is None)
            if any(values.values()):
                actions += [self.update(f"u#{scope}", bucket, values) for bucket in buckets_of(at)]
                actions.append(self.move(scope, None, 1))
        drawn = {(name, unit): -amount for name, unit, amount in before.authorizations}
        for name, unit, amount in after.authorizations:
            drawn[(name, unit)] = drawn.get((name, unit), 0) + amount
        actions += [self.update(f"a#{n}", u, {"drawn": amount}) for (n, u), amount in sorted(drawn.items()) if amount]
        return actions

    def put(self, pk: str, sk: str, name: str, text: str, *, once: bool) -> dict[str, Any]:
        """The action that puts one text; with *once*, only where there is none, or the same."""
        action: dict[str, Any] = {"TableName": self._table, "Item": {**key_of(pk, sk), name: {"S": text}}}
        if once:
            action |= {
                "ConditionExpression": "attribute_not_exists(pk) OR #name = :same",
                "ExpressionAttributeNames": {"#name": name},
                "ExpressionAttributeValues": {":same": {"S": text}},
            }
        return {"Put": action}

    def close(self) -> None:
        self._client.close()


def key_of(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.get("S", value.get("N")) for name, value in item.items()}
