"""The log in other people's formats: JSON Lines, OCSF events, a Parquet file. One record at a time, memory flat."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from exportguard.errors import ConfigurationError, RecordError
from exportguard.record.document import is_decision
from exportguard.record.log import StoredRecord

OCSF_VERSION: Final = "1.3.0"
"""Of the Open Cybersecurity Schema Framework: API Activity with the profiles cloud and security_control."""

_API_ACTIVITY: Final = 6003
_ACTIVITIES: Final = {
    "provision": (1, "Create"), "reserve": (1, "Create"), "purchase": (1, "Create"), "subscribe": (1, "Create"),
    "customize": (1, "Create"), "resize": (3, "Update"), "start": (3, "Update"), "scale": (3, "Update"),
}  # fmt: skip
_SEVERITIES: Final = {"ALLOW": (1, "Informational"), "HOLD": (3, "Medium"), "DENY": (4, "High")}


def lines(stored: Iterable[StoredRecord]) -> Iterator[str]:
    """JSON Lines: sequence, leaf and root (hex) beside the record itself; an erased record has none."""
    for each in stored:
        row = {
            "sequence": each.sequence,
            "leaf": each.leaf.hex(),
            "root": each.root.hex(),
            "record": each.record if each.body else None,
        }
        yield json.dumps(row, ensure_ascii=False)


def ocsf_events(stored: Iterable[StoredRecord]) -> Iterator[dict[str, Any]]:
    """Every decision as an OCSF event; approvals, holds, erasures and erased records are none."""
    for each in stored:
        if each.body and is_decision(each.record):
            yield ocsf_event(each.record, each.sequence)


def ocsf_event(record: Mapping[str, Any], sequence: int) -> dict[str, Any]:
    decision: Mapping[str, Any] = record.get("decision") or {}
    request: Mapping[str, Any] = decision.get("request") or {}
    caller: Mapping[str, Any] = record.get("caller") or {}
    outcome = str(record.get("outcome"))
    released = bool(record.get("released"))
    activity, activity_name = _ACTIVITIES.get(str(request.get("action")), (99, "Other"))
    severity, severity_name = _SEVERITIES.get(outcome, (0, "Unknown"))
    first: Mapping[str, Any] = next(iter(decision.get("reasons") or ()), {})
    event: dict[str, Any] = {
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["cloud", "security_control"],
            "product": {
                "name": "exportguard",
                "vendor_name": "exportguard",
                "version": str(record.get("library_version")),
            },
            "uid": str(record.get("decision_id")),
            "sequence": sequence,
        },
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": _API_ACTIVITY,
        "class_name": "API Activity",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": _API_ACTIVITY * 100 + activity,
        "time": _milliseconds(record.get("time")),
        "severity_id": severity,
        "severity": severity_name,
        "status_id": 1 if released else 2,
        "status": "Success" if released else "Failure",
        "action_id": 1 if released else 2,
        "action": "Allowed" if released else "Denied",
        "disposition_id": 1 if released else 2,
        "disposition": "Allowed" if released else "Blocked",
        "is_alert": outcome != "ALLOW",
        "message": str(first.get("message") or outcome),
        "actor": {"user": {"name": str(caller.get("user") or "unknown")}, "app_name": str(record.get("point"))},
        "api": {"operation": _known(request.get("operation")), "service": {"name": _known(request.get("service"))}},
        "cloud": {"provider": _known(request.get("provider")), "region": _region(request)},
        "src_endpoint": {"hostname": str(caller.get("host") or "unknown"), "name": str(record.get("point"))},
        "resources": [
            {"type": _known(item.get("kind")), "name": _item(item)} for item in _list(request.get("items"))
        ],
        "policy": {
            "name": f"{first.get('policy')}/{first.get('rule')}" if first else "none",
            "uid": record.get("policy_digest"),
        },
        "unmapped": {
            "outcome": outcome,
            "mode": record.get("mode"),
            "reference_digest": record.get("reference_digest"),
            "customers": record.get("customers"),
            "reasons": decision.get("reasons"),
            "parties": decision.get("parties"),
            "lifted": decision.get("lifted"),
        },
    }  # fmt: skip
    account = request.get("account")
    if isinstance(account, str):
        event["cloud"]["account"] = {"uid": account}
    return event


def _known(value: object) -> str:
    return value if isinstance(value, str) else "unknown"


def _list(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _region(request: Mapping[str, Any]) -> str:
    places = [_known(place.get("region")) for place in _list(request.get("locations"))]
    return ", ".join(dict.fromkeys(places)) or "unknown"


def _item(item: Mapping[str, Any]) -> str:
    names = (item.get(key) for key in ("instance_type", "accelerator", "model", "name"))
    return next((name for name in names if isinstance(name, str)), "unknown")


def _milliseconds(time: object) -> int:
    try:
        return int(datetime.fromisoformat(str(time)).timestamp() * 1000)
    except ValueError:
        return 0


COLUMNS: Final = (
    "sequence", "decision_id", "time", "outcome", "released", "point", "mode", "provider", "service", "operation",
    "action", "account", "regions", "items", "end_users", "customers", "first_reason", "rules", "policy_digest",
    "reference_digest", "library_version", "leaf", "record",
)  # fmt: skip
"""Of the Parquet file: what is asked for most, and the whole record as JSON in the last one."""


def row(stored: StoredRecord) -> dict[str, Any]:
    """One row of the Parquet file."""
    found: dict[str, Any] = dict.fromkeys(COLUMNS)
    found.update(sequence=stored.sequence, decision_id=stored.decision_id, leaf=stored.leaf)
    record: Mapping[str, Any] = stored.record if stored.body else {}
    if not record or not is_decision(record):
        return {**found, "record": stored.body.decode("utf-8", "replace") or None}
    decision: Mapping[str, Any] = record.get("decision") or {}
    request: Mapping[str, Any] = decision.get("request") or {}
    reasons = _list(decision.get("reasons"))
    for name in ("outcome", "point", "mode", "policy_digest", "reference_digest", "library_version"):
        found[name] = str(record.get(name))
    for name in ("provider", "service", "operation", "action", "account"):
        found[name] = _known(request.get(name))
    parties = [party for party in _list(decision.get("parties")) if party.get("role") == "end_user"]
    found.update(
        time=datetime.fromisoformat(str(record.get("time"))).astimezone(UTC),
        released=bool(record.get("released")),
        regions=[_known(place.get("region")) for place in _list(request.get("locations"))],
        items=[_item(item) for item in _list(request.get("items"))],
        end_users=[_known(party.get("name")) for party in parties],
        customers=[str(each) for each in record.get("customers") or ()],
        first_reason=str(reasons[0].get("message")) if reasons else None,
        rules=[f"{reason.get('policy')}/{reason.get('rule')}" for reason in reasons],
        record=stored.body.decode("utf-8", "replace"),
    )
    return found


def write_parquet(stored: Iterable[StoredRecord], path: str | os.PathLike[str], *, group: int = 5000) -> int:
    """Write a Parquet file, which is whole or not there; how many rows it has.

    Raises:
        ConfigurationError: pyarrow is not installed.
        RecordError: the file cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ConfigurationError("Parquet needs pyarrow", remedy="pip install 'exportguard[report]'") from error
    texts = pa.list_(pa.string())
    kinds: dict[str, Any] = {
        "sequence": pa.int64(), "time": pa.timestamp("us", tz="UTC"), "released": pa.bool_(), "leaf": pa.binary(32),
        **dict.fromkeys(("regions", "items", "end_users", "customers", "rules"), texts),
    }  # fmt: skip
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    target, count = Path(path), 0
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    if target.exists() and not target.is_file():
        raise RecordError(f"the export cannot be written to {target}: it is no file")
    try:
        with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            rows: list[dict[str, Any]] = []
            for each in stored:
                rows.append(row(each))
                if len(rows) == group:
                    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                    count, rows = count + len(rows), []
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        os.replace(unfinished, target)
    except OSError as error:
        raise RecordError(f"the export cannot be written to {target}: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return count + len(rows)
