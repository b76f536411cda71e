"""Cumulative use around one decision: what the ledger held before, what this call adds, and the reservation of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from exportguard.decide.derive import derive
from exportguard.reference.names import fold, words
from exportguard.vocabulary import (
    ProvisioningRequest,
    Role,
    Unknown,
    Usage,
    UsageQuestion,
    UsageReading,
)

if TYPE_CHECKING:
    from exportguard.authority import Ledger, Reservation
    from exportguard.reference import ReferenceData

NOBODY = Unknown("whose use it is, is not known")


def keys(by: str, request: ProvisioningRequest, customers: Sequence[str]) -> tuple[str, ...]:
    """Under which keys a request's use is counted. Empty: nobody knows, and a rule over it stays open.

    An end user is counted by its name as text is compared (NFKC, case, spaces aside), whoever resells to it, and by
    what is left of it without legal forms, accents and punctuation, so that `Acme, Ltd.` goes on where `ACME Limited`
    was; by its own id, where it has one, so that a new name does not begin at nothing; and once more under its ultimate
    parent, so that what the subsidiaries of one house order adds up. Whichever is the most is what a rule sees.
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
    names: list[str] = []
    for party in request.parties:
        if party.role != Role.END_USER:
            continue
        if isinstance(party.name, Unknown):
            return ()
        names += spellings(party.name)
        if party.id is not None:
            names.append(f"id:{tidy(party.id)}")
        parent = party.ultimate_parent
        if not isinstance(parent, Unknown) and parent is not None and not isinstance(parent.name, Unknown):
            names += spellings(parent.name)
    return tuple(sorted(set(names)))


@lru_cache(maxsize=4096)
def spellings(name: str) -> tuple[str, ...]:
    """What use of an end user of this name is counted under."""
    from exportguard.parties.screening.words import LEGAL_FORMS

    plain = tidy(name)
    bare = " ".join(word for word in map(fold, words(name)) if word and word not in LEGAL_FORMS)
    return (plain, bare) if bare and bare != plain else (plain,)


def tidy(name: str) -> str:
    """A name as use is counted under it."""
    return " ".join(normalize("NFKC", name).casefold().split())


def client_token(request: ProvisioningRequest, as_of: datetime) -> str | None:
    """The key under which calls with the provider's own client token are one call; None where that is not known.

    Scoped by account, places and operation, as the providers scope it. Also by day: providers forget a token sooner or
    later, and a call that repeats one after that makes something new, which has to be counted.
    """
    token = request.idempotency_key
    if not token:
        return None
    scope = (request.provider, request.account, request.operation, request.locations)
    if any(isinstance(part, Unknown) for part in scope) or not request.locations:
        return None
    places = sorted(str(place.region) for place in request.locations if isinstance(place.region, str))  # type: ignore[union-attr]
    if not places:
        return None
    text = "\n".join([str(request.provider), str(request.account), str(request.operation), *places, token])
    return f"token:{as_of.astimezone(UTC):%Y-%m-%d}:{sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"


def read(
    ledger: Ledger,
    questions: Iterable[UsageQuestion],
    request: ProvisioningRequest,
    customers: Sequence[str],
    as_of: datetime,
    own: Reservation | None = None,
    unused: Callable[[UsageQuestion, str, UsageReading], UsageReading] | None = None,
) -> tuple[Usage, Any]:
    """What the ledger holds for *questions* (the worst of several keys), and the readings to reserve on.

    *own* is the reservation that this very call has already, when it is made again under its client token: what it
    added is not counted against it a second time. *unused* takes off a reading what is leased and not used yet.

    Raises:
        LedgerError: it cannot be read.
    """
    asked = [(question, key) for question in questions for key in keys(question.by, request, customers)]
    readings = ledger.read(asked, as_of) if asked else {}
    usage: dict[UsageQuestion, UsageReading] = {}
    for question in questions:
        found = [
            _without(reading if unused is None else unused(which, key, reading), own, question, key, as_of)
            for (which, key), reading in readings.items()
            if which == question
        ]
        usage[question] = _worst(found) if found else UsageReading(NOBODY, NOBODY, NOBODY)
    return usage, readings


def _without(
    reading: UsageReading, own: Reservation | None, question: UsageQuestion, key: str, as_of: datetime
) -> UsageReading:
    from exportguard.authority.ledger.periods import bucket_range

    if own is None or bucket_range(question.period, own.made_at) != bucket_range(question.period, as_of):
        return reading
    amounts: list[Any] = [reading.tokens, reading.accelerators, reading.tpp]
    for draw in own.usage:
        if (draw.by, draw.key) == (question.by, key):
            amounts = [
                before if isinstance(before, Unknown) or isinstance(added, Unknown) else max(0, before - added)
                for before, added in zip(amounts, (draw.tokens, draw.accelerators, draw.tpp), strict=True)
            ]
    return UsageReading(amounts[0], amounts[1], amounts[2], reading.version)


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
    if not any(isinstance(amount, Unknown) or amount for amount in (tokens, count, tpp)):
        return ()
    return tuple(UsageDraw(by, key, tokens, count, tpp) for by in bys for key in keys(by, request, customers))


def _sum(amounts: Iterable[Any]) -> Any:
    total: Any = 0
    for amount in amounts:
        if isinstance(amount, Unknown):
            return amount
        total += amount or 0
    return total
