"""What lifts a rule, and how much of it is left: authorizations and the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exportguard.authority.approvals import Approval, approve
    from exportguard.authority.authorizations import load_authorizations
    from exportguard.authority.ledger.model import (
        AuthorizationDraw,
        Ledger,
        LimitReachedError,
        Reservation,
        ReservationState,
        UsageDraw,
        UsageMovedError,
        authorization_draws,
    )
    from exportguard.authority.ledger.store import SqlLedger, open_ledger

_HOMES = {
    "Approval": "approvals",
    "approve": "approvals",
    "load_authorizations": "authorizations",
    "AuthorizationDraw": "ledger.model",
    "Ledger": "ledger.model",
    "LimitReachedError": "ledger.model",
    "Reservation": "ledger.model",
    "ReservationState": "ledger.model",
    "UsageDraw": "ledger.model",
    "UsageMovedError": "ledger.model",
    "authorization_draws": "ledger.model",
    "SqlLedger": "ledger.store",
    "open_ledger": "ledger.store",
}

__all__ = [
    "Approval", "AuthorizationDraw", "Ledger", "LimitReachedError", "Reservation", "ReservationState", "SqlLedger",
    "UsageDraw", "UsageMovedError", "approve", "authorization_draws", "load_authorizations", "open_ledger",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        value = getattr(importlib.import_module(f"exportguard.authority.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
