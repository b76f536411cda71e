"""The steps of one judgement, each a function: what the guard puts in order, and holds when one fails."""

from __future__ import annotations

import importlib
import importlib.util
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from exportguard.decide import decide, not_applicable
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
)

if TYPE_CHECKING:
    from exportguard.authority import Ledger
    from exportguard.language import CompiledPolicySet
    from exportguard.parties import CustomerDirectory
    from exportguard.record import DecisionLog
    from exportguard.reference import ReferenceData

Mode = Literal["enforce", "warn", "audit"]


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
    customers: tuple[str, ...] = ()
    usage_keys: Any = None
    usage: Any = None
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex)
    reservation: Any = None
    recorded: bool = False


def load_state(policies: Any, packs: Iterable[str] | None, customers: Any, authorizations: Any, lists: Any) -> State:
    """Read everything a guard decides by. Raises the first thing that cannot be read; nothing is half loaded."""
    from exportguard import reference as reference_room
    from exportguard.authority import load_authorizations
    from exportguard.language import compile_scope, load_policies
    from exportguard.packs import policy_sources
    from exportguard.parties import load_directory
    from exportguard.parties.screening import default_screener, load_screener

    reference = reference_room.default()
    compiled = load_policies(policy_sources(policies, packs=packs), reference)
    directory = load_directory(customers)
    entries = load_authorizations(authorizations)
    for entry in entries:  # a scope that cannot be read is told at load, though it would lift nothing anyway
        compile_scope(entry.scope, reference, name=entry.id)
    if lists == "default":
        screener: Any = default_screener()
    else:
        screener = None if lists is None else load_screener(lists)
    return State(compiled, reference, directory, entries, screener)


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
    except Exception as error:
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
    for kind, adapter in _CALLS.items():
        if isinstance(document, kind):
            reader = import_attribute(adapter, "observe_document")
            seen = observed(lambda: reader(document, resolver=_injected(resolver)))
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


_CALLS: dict[type, str] = {
    Boto3Call: "exportguard.adapters.aws.facts",
    AzureCall: "exportguard.adapters.azure.facts",
    OpenAICall: "exportguard.adapters.openai.facts",
}


def _injected(resolver: Any) -> Any:
    """`auto` means the judged client's own credentials; a document has no client."""
    return None if isinstance(resolver, str) else resolver


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
    request = resolved.request
    usage: Any = NO_USAGE
    if ledger is not None and state.policies.usage_questions:
        usage = read_usage(ledger, state, request, resolved.customers, as_of, draft)
    if draft is not None:
        draft.customers = tuple(resolved.customers)
    return decide(
        request,
        state.policies,
        state.reference,
        as_of=as_of,
        authorizations=state.authorizations,
        usage=usage,
        request_fingerprint=fingerprint(request) if state.authorizations else None,
    )


def read_usage(
    ledger: Ledger,
    state: State,
    request: ProvisioningRequest,
    customers: Sequence[str],
    as_of: datetime,
    draft: Draft | None,
) -> Any:
    raise NotImplementedError


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


def record(log: DecisionLog | None, draft: Draft) -> None:
    """Make the decision of *draft* durable. Raises RecordError."""
    if log is None or draft.decision is None:
        return
    from exportguard import __version__
    from exportguard.record import decision_record

    log.append(
        decision_record(
            draft.decision, point=draft.origin.point, mode=draft.mode, library_version=__version__,
            customers=draft.customers,
        )
    )  # fmt: skip


def reserve(ledger: Ledger | None, state: State, draft: Draft) -> None:
    """Reserve what the decision draws, on the condition that the usage read has not moved. Raises LedgerError."""


def give_back(ledger: Ledger | None, draft: Draft) -> None:
    """Release a reservation of a call that will not be made. Raises nothing: what stays is reconciled later."""


def settle(ledger: Ledger | None, draft: Draft, result: CallResult) -> None:
    """Commit, release or keep the reservation, by how the call ended."""


def is_installed(packages: Iterable[str]) -> bool:
    return any(importlib.util.find_spec(package) is not None for package in packages)


def import_attribute(module: str, attribute: str) -> Any:
    return getattr(importlib.import_module(module), attribute)
