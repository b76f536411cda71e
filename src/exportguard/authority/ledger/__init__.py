"""How much was used, and how much is left: reserve before the call, commit or release after it."""

from exportguard.authority.ledger.model import (
    AuthorizationDraw,
    KeyTakenError,
    Ledger,
    LimitReachedError,
    Reservation,
    ReservationState,
    UsageDraw,
    UsageMovedError,
    authorization_draws,
)
from exportguard.authority.ledger.store import SqlLedger, open_ledger

__all__ = [
    "AuthorizationDraw", "KeyTakenError", "Ledger", "LimitReachedError", "Reservation", "ReservationState", "SqlLedger",
    "UsageDraw", "UsageMovedError", "authorization_draws", "open_ledger",
]  # fmt: skip
