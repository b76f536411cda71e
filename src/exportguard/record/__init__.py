"""The decision log: every judged call, durable before the call leaves, with nothing secret in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.record.checkpoint import (
        Checkpoint,
        Signer,
        Verifier,
        file_signer,
        file_verifier,
        make_checkpoint,
        make_key,
    )
    from exportguard.record.document import decision_record, fingerprint
    from exportguard.record.log import DecisionLog, SqlLog, StoredRecord, open_log
    from exportguard.record.redaction import redact, scrub
    from exportguard.record.verification import Finding, Verification, verify
    from exportguard.storage.places import default_store

_HOMES = {
    "Checkpoint": "checkpoint",
    "Signer": "checkpoint",
    "Verifier": "checkpoint",
    "make_checkpoint": "checkpoint",
    "make_key": "checkpoint",
    "file_signer": "checkpoint",
    "file_verifier": "checkpoint",
    "decision_record": "document",
    "fingerprint": "document",
    "DecisionLog": "log",
    "SqlLog": "log",
    "StoredRecord": "log",
    "open_log": "log",
    "redact": "redaction",
    "scrub": "redaction",
    "Finding": "verification",
    "Verification": "verification",
    "verify": "verification",
}

__all__ = [
    "Checkpoint", "DecisionLog", "Finding", "Signer", "SqlLog", "StoredRecord", "Verification", "Verifier",
    "decision_record", "default_store", "file_signer", "file_verifier", "fingerprint", "make_checkpoint", "make_key",
    "open_log", "redact", "scrub", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "default_store":
        from exportguard.storage.places import default_store

        return default_store
    if name in _HOMES:
        import importlib

        value = getattr(importlib.import_module(f"exportguard.record.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
