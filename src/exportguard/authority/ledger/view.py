"""The ledger from inside one of its transactions: what is read there does not move until it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from exportguard.authority.approvals import Approval
from exportguard.authority.ledger import rows
from exportguard.authority.ledger.model import AuthorizationDraw, Readings, Reservation, UsageDraw, unscaled
from exportguard.errors import LedgerError
from exportguard.storage import Session
from exportguard.vocabulary import UsageQuestion


class MakesReservations(Protocol):
    """What makes a reservation inside a transaction, or returns why not: `SqlLedger.reserving`."""

    def __call__(
        self,
        key: str,
        usage: Sequence[UsageDraw],
        authorizations: Sequence[AuthorizationDraw] = ...,
        *,
        as_of: datetime,
        also: Callable[[Session], object] | None = ...,
    ) -> Callable[[Session], Reservation | LedgerError]: ...


class LedgerView:
    """What deciding needs of a ledger, over *session*. Use `SqlLedger.exclusively`."""

    def __init__(self, reserving: MakesReservations, session: Session) -> None:
        self._reserving, self._session = reserving, session

    def read(self, questions: Iterable[tuple[UsageQuestion, str]], as_of: datetime) -> Readings:
        return {(q, key): rows.reading(self._session, q, key, as_of) for q, key in dict.fromkeys(questions)}

    def get(self, key: str) -> Reservation | None:
        return rows.find(self._session, key)

    def drawn(self, authorization: str, unit: str) -> float:
        return unscaled(rows.drawn(self._session, authorization, unit), unit)

    def approvals(self, fingerprint: str | None = None) -> tuple[Approval, ...]:
        return rows.approvals(self._session, fingerprint)

    def reserve(
        self,
        key: str,
        usage: Sequence[UsageDraw],
        authorizations: Sequence[AuthorizationDraw],
        *,
        as_of: datetime,
        also: Callable[[Any], object] | None = None,
    ) -> Reservation:
        """As `Ledger.reserve`; a refusal raised here has changed nothing."""
        made = self._reserving(key, usage, authorizations, as_of=as_of, also=also)(self._session)
        if isinstance(made, LedgerError):
            raise made
        return made
