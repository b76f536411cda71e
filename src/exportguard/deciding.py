"""Usage, decision, approvals: deciding a request whose parties are resolved, as often as it takes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from exportguard import accounting
from exportguard.decide import decide, questions_that_matter
from exportguard.decide.derive import Facts, derive
from exportguard.decide.items import period_of
from exportguard.draft import Draft, State
from exportguard.vocabulary import NO_USAGE, Authorization, Decision, Outcome, ProvisioningRequest, Unknown, Usage

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.reference import ReferenceData


def decide_again(state: State, draft: Draft, ledger: Ledger | None) -> Decision:
    """Read usage and decide, for a request whose parties are resolved. Raises LedgerError."""
    assert draft.request is not None
    assert draft.as_of is not None
    usage: Usage = NO_USAGE
    draft.approvals = ()
    draft.readings = None
    # What the answer cannot hang on is not read: others who use at once would only make it wait, and then be held.
    facts = _facts(draft.request, state.reference, draft.as_of)
    if not facts.items:
        draft.usage = usage
        return decide(draft.request, state.policies, state.reference, as_of=draft.as_of, facts=facts)
    questions = questions_that_matter(facts, state.policies, state.reference, as_of=draft.as_of)
    if ledger is not None and questions:
        own = ledger.get(draft.token) if draft.token is not None else None
        if own is not None and own.state.value not in ("reserved", "committed"):
            own = None
        unused = None
        if draft.meter is not None:
            draft.meter_version, unused = draft.meter.version, draft.meter.unused
        usage, draft.readings = accounting.read(
            ledger, questions, draft.request, draft.customers, draft.as_of, own, unused
        )
    draft.usage = usage
    decision = _decide(state, draft, facts)
    if ledger is not None:
        decision = _with_what_is_left(state, draft, ledger, decision, facts)
        if decision.outcome is Outcome.HOLD:
            draft.approvals = _approvals(ledger, state, draft, decision)
            if draft.approvals:
                decision = _with_what_is_left(state, draft, ledger, _decide(state, draft, facts), facts)
    return with_exhausted(decision, draft.exhausted) if draft.exhausted else decision


def _facts(request: ProvisioningRequest, reference: ReferenceData, as_of: datetime) -> Facts:
    """`derive`, remembered: calls repeat, and then their items, places and parties are the same objects."""
    said, items, places = _SAID(request.__dict__), request.items, request.locations
    # Adapters make one object of equal items and places; the tuples around them are of each call.
    each = (items,) if isinstance(items, Unknown) else items
    where = (places,) if isinstance(places, Unknown) else places
    account = request.account
    by = account if account.__class__ is str else id(account)
    key = (*map(id, said), by, id(reference), period_of(reference, as_of), len(each), *map(id, each), *map(id, where))
    known = _derived.get(key)
    if known is None:
        known = ((items, places, account, *said), reference, derive(request, reference, as_of))
        if len(_derived) >= _KEPT:
            _derived.clear()  # whatever is common is back at once
        _derived[key] = known
    return known[2]


_KEPT: Final = 512
_SAID = itemgetter(
    "provider", "service", "operation", "action", "parties", "end_use", "transfer", "time", "red_flags",
)  # fmt: skip
"""What facts are derived from, beside items, places and account; each of it is immutable."""
_derived: dict[tuple[object, ...], tuple[tuple[Any, ...], ReferenceData, Facts]] = {}
"""By identity, each kept with its objects, so that no others can have their identities."""


def _with_what_is_left(state: State, draft: Draft, ledger: Ledger, decision: Decision, facts: Facts) -> Decision:
    """*decision*, or one without the authorizations that have not enough left. The reservation makes it certain; this
    makes it known beforehand, also to whoever only asks."""
    from exportguard.authority.ledger import authorization_draws

    while decision.lifted:
        spent = {
            drawn.authorization
            for drawn in authorization_draws(decision, usable(state, draft))
            if ledger.drawn(drawn.authorization, drawn.unit) + drawn.amount > drawn.limit
        }
        if draft.token is not None and ledger.get(draft.token) is not None:
            return decision  # what this very call has drawn already is not to be drawn again
        if not spent:
            return decision
        draft.exhausted |= spent
        decision = _decide(state, draft, facts)
    return decision


def with_exhausted(decision: Decision, exhausted: Iterable[str]) -> Decision:
    """*decision*, saying which authorizations lifted nothing because they are used up."""
    told = [f"authorization {name} lifts nothing: it has not enough left" for name in sorted(exhausted)]
    return decision.model_copy(update={"advice": (*decision.advice, *told)}) if told else decision


def usable(state: State, draft: Draft) -> list[Authorization]:
    """The authorizations that may lift a rule for *draft*: what a document states, and approvals of this request."""
    if not (state.authorizations or draft.approvals):
        return []
    return [a for a in (*state.authorizations, *draft.approvals) if a.id not in draft.exhausted]


def _decide(state: State, draft: Draft, facts: Facts) -> Decision:
    assert draft.request is not None
    assert draft.as_of is not None
    entries = usable(state, draft)
    if entries and draft.fingerprint is None and any(entry.request_fingerprint is not None for entry in entries):
        from exportguard.record import fingerprint

        draft.fingerprint = fingerprint(draft.request)
    return decide(
        draft.request,
        state.policies,
        state.reference,
        as_of=draft.as_of,
        authorizations=entries,
        usage=draft.usage,
        request_fingerprint=draft.fingerprint,
        facts=facts,
    )


def _approvals(ledger: Ledger, state: State, draft: Draft, decision: Decision) -> tuple[Authorization, ...]:
    """Approvals of this request that were given for all that holds it now. Raises LedgerError."""
    from exportguard.record import fingerprint

    assert draft.request is not None
    draft.fingerprint = draft.fingerprint or fingerprint(draft.request)
    return tuple(
        approval.authorization
        for approval in ledger.approvals(draft.fingerprint)
        if approval.covers(decision, state.policies) and approval.authorization.id not in draft.exhausted
    )
