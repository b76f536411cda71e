"""The steps of one judgement, each a function: what the guard puts in order, and holds when one fails."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from exportguard import accounting
from exportguard.decide import decide, not_applicable, questions_that_matter
from exportguard.errors import (
    DocumentError,
    ExportguardError,
    ProvisioningDenied,
    ProvisioningHeld,
    ProvisioningRefused,
    UnknownCustomerError,
)
from exportguard.vocabulary import (
    NO_USAGE,
    Authorization,
    AzureCall,
    Boto3Call,
    CallOrigin,
    Decision,
    Effect,
    FactSource,
    Item,
    NotApplicable,
    Observation,
    OpenAICall,
    Outcome,
    ProvisioningRequest,
    Reason,
    RuleResult,
    Unknown,
    Usage,
)

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.language import CompiledPolicySet, PolicySource
    from exportguard.parties import CustomerDirectory
    from exportguard.reference import ReferenceData

logger = logging.getLogger("exportguard")

Mode = Literal["enforce", "warn", "audit"]


def new_decision_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True)
class State:
    """What a guard decides by. Replaced whole by `reload`, never changed: a judgement sees one state throughout."""

    policies: CompiledPolicySet
    reference: ReferenceData
    directory: CustomerDirectory
    authorizations: tuple[Authorization, ...]
    screener: Any
    sources: tuple[PolicySource, ...] = ()
    """The texts that `policies` was compiled from: kept by content with what they decided."""

    @functools.cached_property
    def authorizations_content(self) -> bytes | None:
        """The authorizations as they are kept by content; None where there are none."""
        from exportguard.record.document import authorizations_text

        return authorizations_text(self.authorizations) if self.authorizations else None

    @functools.cached_property
    def authorizations_digest(self) -> str | None:
        content = self.authorizations_content
        return None if content is None else f"sha256:{sha256(content).hexdigest()}"


@dataclass(slots=True)
class Draft:
    """One call between `judge` and `settle`. `key` makes its reservation its own: SDK retries share it."""

    origin: CallOrigin
    mode: Mode
    state: State | None = None
    """What it is decided by, to the end, though the guard be reloaded in between."""
    decision: Decision | None = None
    observed: ProvisioningRequest | None = None
    """As the call said it."""
    request: ProvisioningRequest | None = None
    """With its parties resolved."""
    sources: tuple[FactSource, ...] = ()
    """Who named which customer, and which list was asked."""
    customers: tuple[str, ...] = ()
    as_of: datetime | None = None
    fingerprint: str | None = None
    usage: Usage = field(default_factory=dict)
    readings: Any = None
    exhausted: frozenset[str] = frozenset()
    """Authorizations that turned out to be used up."""
    approvals: tuple[Authorization, ...] = ()
    """Approvals of this very request, where it was held without them."""
    id: str = field(default_factory=new_decision_id)
    """Of the decision."""
    token: str | None = None
    """The provider's own client token, scoped; where there is none, the decision's id is the nonce."""
    reserved: bool = False
    replayed: bool = False
    """An earlier call with the same client token owns the reservation."""

    meter: Any = None
    """Where calls of models are counted together (`exportguard.metering`), whose leases are not use yet."""
    meter_version: int = 0
    lease: Any = None
    leased: int = 0

    @property
    def key(self) -> str:
        return self.token or self.id

    recorded: bool = False


def load_state(
    policies: Any,
    packs: Iterable[str] | None,
    customers: Any,
    authorizations: Any,
    lists: Any,
    max_list_age: timedelta | int | str | None = None,
) -> State:
    """Read everything a guard decides by. Raises the first thing that cannot be read; nothing is half loaded."""
    from exportguard import reference as reference_room
    from exportguard.authority import load_authorizations
    from exportguard.cache import load_policies
    from exportguard.packs import policy_sources
    from exportguard.parties import load_directory
    from exportguard.parties.screening import load_lists

    reference = reference_room.default()
    sources = policy_sources(policies, packs=packs)
    compiled = load_policies(sources, reference)
    directory = load_directory(customers)
    entries = load_authorizations(authorizations)
    if entries:
        from exportguard.language import compile_scope
    for entry in entries:  # a scope that cannot be read is told at load, though it would lift nothing anyway
        compile_scope(entry.scope, reference, name=entry.id)
    screener = load_lists(lists, max_list_age=max_list_age)
    return State(compiled, reference, directory, entries, screener, sources)


def require_customer(state: State, customer: str) -> None:
    """Raises UnknownCustomerError: an unknown id is an error, never nobody."""
    if state.directory.by_id(customer) is None:
        raise UnknownCustomerError(
            f"the customers directory has no `{customer}`",
            remedy="Check the id, or add the customer to the customers document.",
        )


def observed(observe: Callable[[], Observation]) -> Observation:
    """What *observe* sees; where it fails, a request of which nothing is known: the rules then decide on that."""
    try:
        return observe()
    except ExportguardError:
        raise
    except Exception as error:  # noqa: BLE001  (whatever it is, the call is then judged as unknown)
        # The text of an error may quote a parameter, and that may be a secret: only its kind and place are told.
        why = Unknown(f"the call could not be read: {type(error).__name__} at {_place(error)}")
        return ProvisioningRequest(items=(Item(kind=why),), red_flags=("unreadable_call",))


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "?" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def observe(document: Any, resolver: Any = None) -> tuple[Observation, str | None]:
    """A request or call document as an observation, and the customer it names.

    Raises:
        DocumentError: it is neither.
    """
    if isinstance(document, NotApplicable):
        return document, None
    if isinstance(document, ProvisioningRequest):
        return document, document.customer
    if isinstance(document, Mapping):
        return observe(read_document(document, "request"), resolver)
    for kind, adapter in _CALLS:
        if isinstance(document, kind):
            reader = functools.partial(import_attribute(adapter, "observe_document"), document)
            seen = observed(functools.partial(reader, resolver=_injected(resolver, adapter)))
            return _with_document_facts(seen, document), document.customer
    raise DocumentError(f"expected a request or call document, found a {type(document).__name__}")


def read_document(document: Mapping[str, Any], place: str) -> ProvisioningRequest | Boto3Call | AzureCall | OpenAICall:
    """A mapping as the request or call document that it is. Raises DocumentError naming every problem."""
    from exportguard.documents import validate, validate_as
    from exportguard.vocabulary import CallDocument

    found: ProvisioningRequest | Boto3Call | AzureCall | OpenAICall
    if "sdk" in document:
        found = validate_as(CallDocument, document, place)
    else:
        found = validate(ProvisioningRequest, document, place)
    return found


_CALLS: tuple[tuple[type[Boto3Call | AzureCall | OpenAICall], str], ...] = (
    (Boto3Call, "exportguard.adapters.aws.facts"),
    (AzureCall, "exportguard.adapters.azure.facts"),
    (OpenAICall, "exportguard.adapters.openai.facts"),
)


def _injected(resolver: Any, adapter: str) -> Any:
    """`auto` means the judged client's own credentials; a document has no client."""
    name = adapter.split(".")[2]
    chosen = resolver.get(name) if isinstance(resolver, Mapping) else resolver
    return None if isinstance(chosen, str) else chosen


def _with_document_facts(seen: Observation, document: Any) -> Observation:
    if isinstance(seen, NotApplicable):
        return seen
    more: dict[str, Any] = {}
    if document.account is not None and isinstance(seen.account, Unknown):
        more["account"] = document.account
    if document.parties is not None:
        more["parties"] = document.parties
    if document.end_use is not None:
        more["end_use"] = document.end_use
    if document.tags:
        more["tags"] = {**seen.tags, **document.tags}
    return seen.model_copy(update=more) if more else seen


def decide_observation(
    state: State,
    observation: Observation,
    customers: Sequence[str],
    as_of: datetime,
    ledger: Ledger | None,
    draft: Draft | None = None,
) -> Decision:
    """Parties, usage, decision: for a call outside the surface none of them is asked."""
    if isinstance(observation, NotApplicable):
        return not_applicable(observation, state.policies, state.reference, as_of=as_of)
    from exportguard.parties import resolve

    resolved = resolve(
        observation,
        directory=state.directory,
        customers=tuple(dict.fromkeys(customers)),
        screener=state.screener,
        reference=state.reference,
        questions=state.policies.ownership_questions,
        as_of=as_of,
    )
    draft = draft if draft is not None else Draft(CallOrigin("check"), "enforce")
    draft.observed, draft.sources = observation, resolved.sources
    draft.request, draft.customers, draft.as_of = _told(resolved.request), tuple(resolved.customers), as_of
    draft.token = accounting.client_token(resolved.request, as_of)
    return decide_again(state, draft, ledger)


def _told(request: ProvisioningRequest) -> ProvisioningRequest:
    """The request as decisions carry it, into exceptions, reports and logs: its tags have done their work by now, and
    people put secrets into them."""
    if not request.tags:
        return request
    from exportguard.record import redact

    return request.model_copy(update={"tags": redact(request.tags)})


def decide_again(state: State, draft: Draft, ledger: Ledger | None) -> Decision:
    """Read usage and decide, for a request whose parties are resolved. Raises LedgerError."""
    assert draft.request is not None
    assert draft.as_of is not None
    usage: Usage = NO_USAGE
    draft.approvals = ()
    draft.readings = None
    # What the answer cannot hang on is not read: others who use at once would only make it wait, and then be held.
    questions = questions_that_matter(draft.request, state.policies, state.reference, as_of=draft.as_of)
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
    decision = _decide(state, draft)
    if decision.outcome is Outcome.HOLD and ledger is not None:
        draft.approvals = _approvals(ledger, draft, decision)
        if draft.approvals:
            decision = _decide(state, draft)
    return decision


def usable(state: State, draft: Draft) -> list[Authorization]:
    """The authorizations that may lift a rule for *draft*: what a document states, and approvals of this request."""
    return [a for a in (*state.authorizations, *draft.approvals) if a.id not in draft.exhausted]


def _decide(state: State, draft: Draft) -> Decision:
    from exportguard.record import fingerprint

    assert draft.request is not None
    assert draft.as_of is not None
    entries = usable(state, draft)
    if draft.fingerprint is None and any(entry.request_fingerprint is not None for entry in entries):
        draft.fingerprint = fingerprint(draft.request)
    return decide(
        draft.request,
        state.policies,
        state.reference,
        as_of=draft.as_of,
        authorizations=entries,
        usage=draft.usage,
        request_fingerprint=draft.fingerprint,
    )


def _approvals(ledger: Ledger, draft: Draft, decision: Decision) -> tuple[Authorization, ...]:
    """Approvals of this request that were given for all that holds it now. Raises LedgerError."""
    from exportguard.authority.approvals import open_rules
    from exportguard.record import fingerprint

    assert draft.request is not None
    draft.fingerprint = draft.fingerprint or fingerprint(draft.request)
    held_by = open_rules(decision)
    return tuple(
        approval.authorization
        for approval in ledger.approvals(draft.fingerprint)
        if held_by <= approval.rules and approval.authorization.id not in draft.exhausted
    )


def failed(state: State, error: Exception, as_of: datetime) -> Decision:
    """The guard itself failed: HOLD, and the cause in words."""
    message = f"exportguard could not judge this call: {type(error).__name__}: {error}"
    reason = Reason(
        policy="exportguard",
        rule="cannot-judge",
        effect=Effect.HOLD,
        result=RuleResult.MATCH,
        basis="company_policy",
        message=message[:1000],
        remedy=getattr(error, "remedy", None) or "Report it with the log of this process; the call was not made.",
    )
    return Decision(
        outcome=Outcome.HOLD,
        reasons=(reason,),
        as_of=as_of,
        policy_digest=state.policies.digest,
        reference_digest=state.reference.digest,
    )


def refusal(decision: Decision | None) -> ProvisioningRefused:
    """The exception that says *decision*."""
    assert decision is not None
    return ProvisioningDenied(decision) if decision.outcome is Outcome.DENY else ProvisioningHeld(decision)


def is_installed(packages: Iterable[str]) -> bool:
    return any(importlib.util.find_spec(package) is not None for package in packages)


def import_attribute(module: str, attribute: str) -> Any:
    return getattr(importlib.import_module(module), attribute)
