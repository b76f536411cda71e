"""Cumulative use around one decision: what the ledger held before, what this call adds, and the reservation of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from exportguard.decide.derive import derive
from exportguard.vocabulary import (
    CallResult,
    Decision,
    ProvisioningRequest,
    Role,
    Unknown,
    Usage,
    UsageQuestion,
    UsageReading,
)

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.reference import ReferenceData
    from exportguard.vocabulary import Authorization

NOBODY = Unknown("whose use it is, is not known")


def keys(by: str, request: ProvisioningRequest, customers: Sequence[str]) -> tuple[str, ...]:
    """Under which keys a request's use is counted. Empty: nobody knows, and a rule over it stays open.

    An end user is counted by its name as text is compared (NFKC, case, spaces aside), whoever resells to it.
    """
    if by == "customer":
        return tuple(sorted(set(customers)))
    if by == "account":
        if isinstance(request.account, Unknown):
            return ()
        provider = "unknown" if isinstance(request.provider, Unknown) else request.provider.lower()
        return (f"{provider}:{request.account}",)
    if isinstance(request.parties, Unknown):
        return ()
    names = []
    for party in request.parties:
        if party.role != Role.END_USER:
            continue
        if isinstance(party.name, Unknown):
            return ()
        names.append(" ".join(normalize("NFKC", party.name).casefold().split()))
    return tuple(sorted(set(names)))


def read(
    ledger: Ledger,
    questions: Iterable[UsageQuestion],
    request: ProvisioningRequest,
    customers: Sequence[str],
    as_of: datetime,
) -> tuple[Usage, Any]:
    """What the ledger holds for *questions* (the worst of several keys), and the readings to reserve on.

    Raises:
        LedgerError: it cannot be read.
    """
    asked = [(question, key) for question in questions for key in keys(question.by, request, customers)]
    readings = ledger.read(asked, as_of) if asked else {}
    usage: dict[UsageQuestion, UsageReading] = {}
    for question in questions:
        found = [reading for (which, _), reading in readings.items() if which == question]
        usage[question] = _worst(found) if found else UsageReading(NOBODY, NOBODY, NOBODY)
    return usage, readings


def _worst(found: Sequence[UsageReading]) -> UsageReading:
    def most(amounts: Iterable[Any]) -> Any:
        best: Any = 0
        for amount in amounts:
            if isinstance(amount, Unknown):
                return amount
            best = max(best, amount)
        return best

    return UsageReading(
        most(r.tokens for r in found), most(r.accelerators for r in found), most(r.tpp for r in found), found[0].version
    )


def draws(
    questions: Iterable[UsageQuestion],
    request: ProvisioningRequest,
    customers: Sequence[str],
    reference: ReferenceData,
    as_of: datetime,
) -> tuple[Any, ...]:
    """What the call adds to the use that *questions* ask about: all its items, each key once."""
    from exportguard.authority.ledger import UsageDraw

    bys = sorted({question.by for question in questions})
    if not bys:
        return ()
    items = derive(request, reference, as_of).items
    tokens = _sum(item.tokens for item in items if item.kind != "accelerator")
    count = _sum(item.count for item in items if item.kind != "model")
    tpp = _sum(item.total_tpp for item in items if item.kind != "model")
    return tuple(UsageDraw(by, key, tokens, count, tpp) for by in bys for key in keys(by, request, customers))


def _sum(amounts: Iterable[Any]) -> Any:
    total: Any = 0
    for amount in amounts:
        if isinstance(amount, Unknown):
            return amount
        total += amount or 0
    return total


def draws_on_authorizations(decision: Decision, authorizations: Sequence[Authorization]) -> bool:
    """Whether what lifted a rule is good for so much, or for so many calls. Raises LedgerError."""
    if not decision.lifted:
        return False
    from exportguard.authority.ledger import authorization_draws

    return bool(authorization_draws(decision, authorizations))


def reserve(
    ledger: Ledger,
    nonce: str,
    decision: Decision,
    authorizations: Sequence[Authorization],
    usage_draws: Sequence[Any],
    readings: Any,
) -> bool:
    """Reserve what *decision* draws; False if that is nothing.

    Raises:
        UsageMovedError: the use read has moved; decide again.
        LimitReachedError: an authorization has not that much left; decide without it.
        LedgerError: the store cannot be used.
    """
    from exportguard.authority.ledger import authorization_draws

    drawn = authorization_draws(decision, authorizations)
    if not drawn and not usage_draws:
        return False
    ledger.reserve(nonce, usage_draws, drawn, as_of=decision.as_of, conditional_on=readings or None)
    return True


def settle(ledger: Ledger, nonce: str, result: CallResult, as_of: datetime) -> None:
    """Commit on success, release on a definite failure; what is unclear stays reserved until reconciled."""
    if result is CallResult.SUCCEEDED:
        ledger.commit(nonce, as_of=as_of)
    elif result is CallResult.FAILED:
        ledger.release(nonce, as_of=as_of, note="the call failed")
