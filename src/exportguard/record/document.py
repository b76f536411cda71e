"""The record of a decision: everything that it takes to show it, and to decide it again. Nothing secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from exportguard.record.canonical import canonical, json_safe
from exportguard.record.redaction import redact, scrub_all
from exportguard.vocabulary import Authorization, Decision, ProvisioningRequest, Unknown, Usage

RECORD_SCHEMA: Final = "exportguard/decision-record/1"

_IDENTIFYING: Final = (
    "provider", "service", "operation", "action", "account", "locations", "items", "parties", "end_use", "transfer",
    "red_flags", "customer", "tags",
)  # fmt: skip
"""Not `time` and not `idempotency_key`: the same request made again tomorrow is what was approved."""

_INCIDENTAL: Final = frozenset({"name", "where"})
"""Of an item: a label, and the place in the call that it was read from."""

_PROVENANCE: Final = frozenset({"sources", "listings_as_of", "ownership_answers"})
"""Of a party: how its facts came to be known changes daily, the facts do not."""


def fingerprint(request: ProvisioningRequest) -> str:
    """SHA-256 over what identifies *request*: what is asked for, where, for whom, and what is known of them.

    Order changes nothing, nor does the reason why a fact is unknown; a fact that becomes known or changes does, so
    that what was approved for a request is not carried over to a request that turned out to be another.
    """
    document = json_safe(request.model_dump(mode="json", exclude_none=True))
    picked = {key: _plain(document[key]) for key in _IDENTIFYING if key in document}
    for key, drop in (("items", _INCIDENTAL), ("parties", _PROVENANCE), ("locations", frozenset[str]())):
        entries = picked.get(key)
        if isinstance(entries, list):
            kept = [{k: v for k, v in entry.items() if k not in drop} for entry in entries]
            picked[key] = sorted(kept, key=canonical)
    if isinstance(picked.get("red_flags"), list):
        picked["red_flags"] = sorted(set(picked["red_flags"]))
    return sha256(canonical(picked)).hexdigest()


def _plain(value: Any) -> Any:
    """Unknowns without their reasons, which may hold a time-out's duration."""
    if isinstance(value, dict):
        return {"unknown": True} if value.keys() == {"unknown"} else {k: _plain(v) for k, v in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def decision_record(
    decision: Decision,
    *,
    point: str,
    mode: str,
    library_version: str,
    request_fingerprint: str | None = None,
    recorded_at: datetime | None = None,
    released: bool | None = None,
    customers: Sequence[str] = (),
    authorizations: Sequence[Authorization] = (),
    usage: Usage | None = None,
    sdk_version: str | None = None,
    idempotency_key: str | None = None,
    parameters: Any = None,
    notes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What `DecisionLog.append` takes: JSON data, redacted. Pure, and total: whatever the request holds, it is kept.

    Args:
        decision: with its `decision_id`; its request carries the parties as they were resolved.
        point: the enforcement point (`boto3`, `azure-pipeline`, `openai`, `check`).
        mode: `enforce`, `warn` or `audit`.
        library_version: exportguard's own.
        request_fingerprint: left out, it is made here.
        recorded_at: the wall clock, where it differs from `decision.as_of`.
        released: whether the call was let through; by default, whether the decision allows it or the mode does.
        customers: the customer ids that the call was judged for.
        authorizations: all that deciding was given: replaying needs them as they were.
        usage: what the ledger read before deciding: replaying needs it too.
        parameters: the SDK's own, where they are to be kept; redacted by their shapes.
        notes: what else the enforcement point wants to be remembered.
    """
    document = decision.model_dump(mode="json")
    request = document.get("request")
    tags = redact(request.get("tags")) if isinstance(request, dict) else None
    if released is None:
        released = decision.allowed or mode != "enforce"
    if request_fingerprint is None and decision.request is not None:
        request_fingerprint = fingerprint(decision.request)
    record: dict[str, Any] = {
        "schema": RECORD_SCHEMA,
        "decision_id": decision.decision_id,
        "time": decision.as_of.astimezone(UTC).isoformat(),
        "outcome": decision.outcome.value,
        "released": released,
        "point": point,
        "mode": mode,
        "library_version": library_version,
        "fingerprint": request_fingerprint,
        "policy_digest": decision.policy_digest,
        "reference_digest": decision.reference_digest,
        "customers": list(customers),
        "decision": scrub_all(json_safe(document)),
    }
    if isinstance(request, dict):
        record["decision"]["request"]["tags"] = json_safe(tags)
    if recorded_at is not None:
        record["recorded_at"] = recorded_at.astimezone(UTC).isoformat()
    if authorizations:
        record["authorizations"] = scrub_all(json_safe([each.model_dump(mode="json") for each in authorizations]))
    if usage:
        record["usage"] = [_reading(question, reading) for question, reading in usage.items()]
    if parameters is not None:
        record["parameters"] = json_safe(redact(parameters))
    if notes:
        record["notes"] = json_safe(redact(notes))
    optional = {"sdk_version": sdk_version, "idempotency_key": idempotency_key}
    record.update({key: value for key, value in optional.items() if value is not None})
    safe = json_safe(record)
    assert isinstance(safe, dict)
    return safe


def _reading(question: Any, reading: Any) -> dict[str, Any]:
    amounts = {name: getattr(reading, name) for name in ("tokens", "accelerators", "tpp")}
    return {
        "by": question.by,
        "period": question.period,
        "version": reading.version,
        **{k: {"unknown": v.reason} if isinstance(v, Unknown) else json_safe(v) for k, v in amounts.items()},
    }
