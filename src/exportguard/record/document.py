"""The record of a decision: everything that it takes to show it, and to decide it again. Nothing secret."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from hashlib import sha256
from typing import Any, Final

from exportguard.record.canonical import canonical, json_safe
from exportguard.record.redaction import redact, scrub, scrub_all
from exportguard.vocabulary import (
    Action,
    Authorization,
    Certainty,
    Decision,
    Effect,
    FactSource,
    ItemKind,
    Outcome,
    PartyKind,
    ProvisioningRequest,
    Reason,
    Role,
    RuleResult,
    Transfer,
    Unknown,
    Usage,
)
from exportguard.vocabulary.fact import Frozen
from exportguard.vocabulary.saying import is_named

RECORD_SCHEMA: Final = "exportguard/decision-record/1"

_IDENTIFYING: Final = (
    "provider", "service", "operation", "action", "account", "locations", "items", "parties", "end_use", "transfer",
    "red_flags", "customer", "tags", "call",
)  # fmt: skip
"""Not `time` and not `idempotency_key`: the same request made again tomorrow is what was approved."""

_INCIDENTAL: Final = frozenset({"name", "where"})
"""Of an item that is known: a label, and the place in the call that it was read from."""

_PROVENANCE: Final = frozenset({"sources", "listings_as_of", "ownership_answers"})
"""Of a party: how its facts came to be known changes daily, the facts do not."""


def fingerprint(request: ProvisioningRequest) -> str:
    """SHA-256 over what identifies *request*: what is asked for, where, for whom, and what is known of them.

    Order changes nothing, nor does the reason why a fact is unknown; a fact that becomes known or changes does, so
    that what was approved for a request is not carried over to a request that turned out to be another.
    """
    document = json_safe(request.model_dump(mode="json", exclude_none=True))
    picked = {key: _plain(document[key]) for key in _IDENTIFYING if key in document}
    named = [] if isinstance(request.items, Unknown) else [is_named(item) for item in request.items]
    for key, drop in (("items", _INCIDENTAL), ("parties", _PROVENANCE), ("locations", frozenset[str]())):
        entries = picked.get(key)
        if isinstance(entries, list):
            if key == "items":  # of one that is not known its label may be all that there is
                drops = [drop if each else frozenset({"where"}) for each in named]
            else:
                drops = [drop] * len(entries)
            kept = [{k: v for k, v in each.items() if k not in out} for each, out in zip(entries, drops, strict=True)]
            picked[key] = sorted(kept, key=canonical) if len(kept) > 1 else kept
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
    observed: ProvisioningRequest | None = None,
    sources: Sequence[FactSource] = (),
    authorizations: Sequence[Authorization] = (),
    authorizations_digest: str | None = None,
    exhausted: Iterable[str] = (),
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
        observed: the request before its parties were resolved, so that they can be resolved anew.
        sources: who named which customer, and which list was asked.
        authorizations: what deciding was given beside those of *authorizations_digest*: approvals of this request.
        authorizations_digest: of the authorizations that the log keeps by content.
        exhausted: ids of authorizations that turned out to be used up, and were not considered.
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
        "caller": caller(),
        "decision": document,
    }
    if isinstance(request, dict):
        request["tags"] = tags
    if recorded_at is not None:
        record["recorded_at"] = recorded_at.astimezone(UTC).isoformat()
    if authorizations:
        record["authorizations"] = [each.model_dump(mode="json") for each in authorizations]
    if exhausted := sorted(exhausted):
        record["authorizations_exhausted"] = exhausted
    if observed is not None:
        record["observed"] = _observed(observed, decision.request)
    if sources:
        record["sources"] = [each.model_dump(mode="json") for each in sources]
    if usage:
        record["usage"] = [_reading(question, reading) for question, reading in usage.items()]
    if parameters is not None:
        record["parameters"] = redact(parameters)
    if notes:
        record["notes"] = redact(notes)
    optional = {
        "sdk_version": sdk_version,
        "idempotency_key": idempotency_key,
        "authorizations_digest": authorizations_digest,
    }
    record.update({key: value for key, value in optional.items() if value is not None})
    safe = json_safe(record, scrub)
    assert isinstance(safe, dict)
    return safe


_RESOLVED: Final = ("parties", "end_use", "red_flags")
"""What resolving the parties of a request changes of it."""


def _observed(observed: ProvisioningRequest, resolved: ProvisioningRequest | None) -> dict[str, Any]:
    """What the call itself said, where resolving its parties has changed that."""
    names = [name for name in _RESOLVED if resolved is None or getattr(observed, name) != getattr(resolved, name)]
    whole = observed.model_dump(mode="json", include=set(names))
    return {name: whole[name] for name in names}


def event_record(kind: str, identifier: str, at: datetime, content: Mapping[str, Any]) -> dict[str, Any]:
    """A record of something else than a decision: an approval, a legal hold, an erasure. `kind` names which."""
    event = {
        "schema": f"exportguard/{kind}/1",
        "decision_id": f"{kind}-{identifier}",
        "time": at.astimezone(UTC).isoformat(),
        "caller": caller(),
        kind: scrub_all(json_safe(content)),
    }
    safe = json_safe(event)
    assert isinstance(safe, dict)
    return safe


def presentable(decision: Decision) -> Decision:
    """*decision* without the secrets that somebody put where a name belongs: it goes into exceptions and reports."""
    if _bears_no_secret(decision):
        return decision
    document = decision.model_dump(mode="json")
    scrubbed = scrub_all(document)
    return decision if scrubbed == document else Decision.model_validate(scrubbed)


_OUR_OWN: Final = frozenset({"decision_id", "policy_digest", "reference_digest"})
"""Texts of a decision that nobody else wrote."""

_NO_TEXT: Final = frozenset({
    bool, int, float, type(None), datetime, date, Outcome, Effect, RuleResult, Action, Certainty, ItemKind, PartyKind,
    Role, Transfer,
})  # fmt: skip


def _bears_no_secret(decision: Decision) -> bool:
    """Whether `scrub` leaves every text of *decision* as it is; of what it cannot look into, it says no.

    Nearly every decision is so, and writing it out as a document to find that costs more than to decide.
    """
    twice = decision.request is not None and decision.parties is decision.request.parties
    texts: set[Any] = set()
    left: list[Any] = []
    kept: list[tuple[Any, ...]] = []
    for name, value in decision.__dict__.items():
        if name in _OUR_OWN or (twice and name == "parties"):
            continue
        if value.__class__ is tuple and value:
            if _clean.get(id(value)) is value:
                continue
            kept.append(value)
        left.append(value)
    while left:
        value = left.pop()
        kind = value.__class__
        if kind is str:
            texts.add(value)
        elif kind in _NO_TEXT:
            continue
        elif kind is tuple or kind is list:
            left += value
        elif kind is Reason:
            texts.update((value.policy, value.rule, value.message, value.status), value.cites, *value.values)
            texts.update((value.item, value.party, value.location, value.remedy))  # None among them is none
        elif kind is dict:
            left += value.values()
        elif kind is Unknown:
            texts.add(value.reason)
        elif issubclass(kind, Frozen):
            whole = kind is ProvisioningRequest
            for inner in value.__dict__.values():
                kind = inner.__class__
                if kind is str:
                    texts.add(inner)
                elif kind is tuple and whole:
                    if inner and _clean.get(id(inner)) is not inner:
                        kept.append(inner)
                        left += inner
                elif kind not in _NO_TEXT:
                    left.append(inner)
        elif not issubclass(kind, Enum):
            return False
    texts.discard(None)
    new = texts - _harmless
    for text in new:
        if scrub(text) != text:
            return False
    if len(_harmless) > _REMEMBERED:
        _harmless.clear()
    _harmless.update(text for text in new if len(text) <= 300)
    if len(_clean) > _KEPT:
        _clean.clear()
    _clean.update((id(each), each) for each in kept)
    return True


_REMEMBERED: Final = 4096
_harmless: set[str] = set()
"""Texts that came before and bear no secret: what policies say, and the names of customers, come with every call."""
_KEPT: Final = 1024
_clean: dict[int, tuple[Any, ...]] = {}
"""Items, places and parties of requests, reasons of decisions, by identity: they come again with every call that
repeats, and nothing changes them."""


def is_decision(record: Mapping[str, Any]) -> bool:
    """Whether a record is that of a decision, and not of an approval, a hold or an erasure."""
    return str(record.get("schema", RECORD_SCHEMA)).startswith("exportguard/decision-record/")


def authorizations_text(entries: Sequence[Authorization]) -> bytes:
    """Authorizations as they are kept by content."""
    return canonical(scrub_all(json_safe([each.model_dump(mode="json") for each in entries])))


@cache
def _who() -> tuple[str, str]:
    import getpass
    import platform

    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
    return user, platform.node()


def caller() -> dict[str, Any]:
    """Under which account of which machine this process runs: who asked, as far as the machine knows."""
    user, host = _who()
    return {"user": user, "host": host, "pid": os.getpid()}


def _reading(question: Any, reading: Any) -> dict[str, Any]:
    amounts = {name: getattr(reading, name) for name in ("tokens", "accelerators", "tpp")}
    return {
        "by": question.by,
        "period": question.period,
        "version": reading.version,
        **{k: {"unknown": v.reason} if isinstance(v, Unknown) else v for k, v in amounts.items()},
    }
