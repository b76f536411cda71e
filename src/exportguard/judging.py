"""The steps of one judgement, each a function: what the guard puts in order, and holds when one fails."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from exportguard import accounting
from exportguard.decide import decide, not_applicable
from exportguard.errors import (
    ConfigurationError,
    DocumentError,
    ExportguardError,
    LedgerError,
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
    CallResult,
    Decision,
    Effect,
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
    from exportguard.language import CompiledPolicySet
    from exportguard.parties import CustomerDirectory
    from exportguard.record import DecisionLog
    from exportguard.reference import ReferenceData

logger = logging.getLogger("exportguard")

Mode = Literal["enforce", "warn", "audit"]

ATTEMPTS = 3
"""How often a request is decided again because the use that was read had moved."""


@dataclass(frozen=True, slots=True)
class State:
    """What a guard decides by. Replaced whole by `reload`, never changed: a judgement sees one state throughout."""

    policies: CompiledPolicySet
    reference: ReferenceData
    directory: CustomerDirectory
    authorizations: tuple[Authorization, ...]
    screener: Any


@dataclass(slots=True)
class Draft:
    """One call between `judge` and `settle`. `nonce` makes its reservation its own: SDK retries share it."""

    origin: CallOrigin
    mode: Mode
    decision: Decision | None = None
    request: ProvisioningRequest | None = None
    """With its parties resolved."""
    customers: tuple[str, ...] = ()
    as_of: datetime | None = None
    fingerprint: str | None = None
    usage: Usage = field(default_factory=dict)
    readings: Any = None
    exhausted: frozenset[str] = frozenset()
    """Authorizations that turned out to be used up."""
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex)
    reserved: bool = False
    recorded: bool = False


def load_state(policies: Any, packs: Iterable[str] | None, customers: Any, authorizations: Any, lists: Any) -> State:
    """Read everything a guard decides by. Raises the first thing that cannot be read; nothing is half loaded."""
    from exportguard import reference as reference_room
    from exportguard.authority import load_authorizations
    from exportguard.language import compile_scope, load_policies
    from exportguard.packs import policy_sources
    from exportguard.parties import load_directory

    reference = reference_room.default()
    compiled = load_policies(policy_sources(policies, packs=packs), reference)
    directory = load_directory(customers)
    entries = load_authorizations(authorizations)
    for entry in entries:  # a scope that cannot be read is told at load, though it would lift nothing anyway
        compile_scope(entry.scope, reference, name=entry.id)
    return State(compiled, reference, directory, entries, _screener(lists))


def _screener(lists: Any) -> Any:
    if lists is None:
        return None
    from exportguard.parties.screening import ShippedScreener, load_screener

    if isinstance(lists, str) and lists == "default":
        return ShippedScreener()
    if isinstance(lists, str | os.PathLike):
        return load_screener(Path(lists))
    if not callable(getattr(lists, "screen", None)):
        raise ConfigurationError(
            f"a {type(lists).__name__} is no restricted-party list", remedy="Give a file as published, or a screener."
        )
    return lists


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
        why = Unknown(f"the call could not be read: {type(error).__name__}: {error}"[:500])
        return ProvisioningRequest(items=(Item(kind=why),), red_flags=("unreadable_call",))


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
    from exportguard.record import fingerprint

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
    draft.request, draft.customers, draft.as_of = resolved.request, tuple(resolved.customers), as_of
    draft.fingerprint = fingerprint(resolved.request) if state.authorizations else None
    return decide_again(state, draft, ledger)


def decide_again(state: State, draft: Draft, ledger: Ledger | None) -> Decision:
    """Read usage and decide, for a request whose parties are resolved. Raises LedgerError."""
    assert draft.request is not None
    assert draft.as_of is not None
    usage: Usage = NO_USAGE
    questions = state.policies.usage_questions
    if ledger is not None and questions:
        usage, draft.readings = accounting.read(ledger, questions, draft.request, draft.customers, draft.as_of)
    draft.usage = usage
    return decide(
        draft.request,
        state.policies,
        state.reference,
        as_of=draft.as_of,
        authorizations=[a for a in state.authorizations if a.id not in draft.exhausted],
        usage=usage,
        request_fingerprint=draft.fingerprint,
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


def new_decision_id() -> str:
    return uuid.uuid4().hex


def record(log: DecisionLog | None, state: State, draft: Draft) -> None:
    """Make the decision of *draft* durable. Raises RecordError."""
    if log is None or draft.decision is None:
        return
    from exportguard._version import __version__
    from exportguard.record import decision_record

    log.append(
        decision_record(
            draft.decision,
            point=draft.origin.point,
            mode=draft.mode,
            library_version=__version__,
            request_fingerprint=draft.fingerprint,
            customers=draft.customers,
            authorizations=[a for a in state.authorizations if a.id not in draft.exhausted],
            usage=draft.usage,
            sdk_version=draft.origin.sdk_version,
            idempotency_key=draft.nonce,
        )
    )


def reserve(ledger: Ledger | None, state: State, draft: Draft) -> Decision:
    """Reserve what the decision draws; the decision that then stands.

    If the use that was read has moved, or an authorization is used up, it is decided again, three times; a request
    whose use keeps moving is held. Raises LedgerError.
    """
    assert draft.decision is not None
    decision = draft.decision
    if ledger is None:
        if accounting.draws_on_authorizations(decision, state.authorizations):
            raise LedgerError("what lifted a rule is counted, and there is no ledger to draw on it")
        return decision
    if draft.request is None or decision.not_applicable is not None:
        return decision
    from exportguard.authority.ledger import LimitReachedError, UsageMovedError

    added = accounting.draws(
        state.policies.usage_questions, draft.request, draft.customers, state.reference, decision.as_of
    )
    for _ in range(ATTEMPTS):
        try:
            draft.reserved = accounting.reserve(
                ledger, draft.nonce, decision, state.authorizations, added, draft.readings
            )
        except UsageMovedError:
            pass
        except LimitReachedError:
            draft.exhausted |= {lifted.authorization for lifted in decision.lifted}
        else:
            return decision
        decided = decide_again(state, draft, ledger)
        decision = decided.model_copy(update={"decision_id": decision.decision_id})
        if not decision.allowed:
            return decision
    raise LedgerError("the use by this customer kept moving while it was read; try again")


def give_back(ledger: Ledger | None, draft: Draft) -> None:
    """Release a reservation of a call that will not be made. Raises nothing: what stays is reconciled later."""
    try:
        settle(ledger, draft, CallResult.FAILED)
    except Exception:
        logger.exception("a reservation of a refused call was kept; reconcile it")


def settle(ledger: Ledger | None, draft: Draft, result: CallResult) -> None:
    """Commit, release or keep the reservation, by how the call ended."""
    if ledger is None or not draft.reserved or draft.as_of is None:
        return
    accounting.settle(ledger, draft.nonce, result, draft.as_of)
    if result is not CallResult.UNCLEAR:
        draft.reserved = False


def is_installed(packages: Iterable[str]) -> bool:
    return any(importlib.util.find_spec(package) is not None for package in packages)


def import_attribute(module: str, attribute: str) -> Any:
    return getattr(importlib.import_module(module), attribute)
