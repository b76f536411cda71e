"""The steps of one judgement, each a function: what the guard puts in order, and holds when one fails."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exportguard import accounting
from exportguard.decide import not_applicable
from exportguard.deciding import decide_again
from exportguard.draft import Draft as Draft
from exportguard.draft import Mode as Mode
from exportguard.draft import State as State
from exportguard.errors import (
    DocumentError,
    ExportguardError,
    ProvisioningDenied,
    ProvisioningHeld,
    ProvisioningRefused,
    UnknownCustomerError,
)
from exportguard.vocabulary import (
    AnthropicCall,
    AzureCall,
    Boto3Call,
    CallOrigin,
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
    SdkCall,
    Unknown,
)

if TYPE_CHECKING:
    from exportguard.authority import Ledger

logger = logging.getLogger("exportguard")


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
    from exportguard.vocabulary.authorization import unapproved

    reference = reference_room.default()
    sources = policy_sources(policies, packs=packs)
    compiled = load_policies(sources, reference)
    directory = load_directory(customers)
    entries = load_authorizations(authorizations)
    if entries:
        from exportguard.language import compile_scope
    for entry in entries:
        if (why := unapproved(entry)) is not None:
            logger.warning("the authorization %s lifts nothing: %s", entry.id, why)
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


def read_document(document: Mapping[str, Any], place: str) -> ProvisioningRequest | SdkCall:
    """A mapping as the request or call document that it is. Raises DocumentError naming every problem."""
    from exportguard.documents import validate, validate_as
    from exportguard.vocabulary import CallDocument

    found: ProvisioningRequest | SdkCall
    if "sdk" in document:
        found = validate_as(CallDocument, document, place)
    else:
        found = validate(ProvisioningRequest, document, place)
    return found


_CALLS: tuple[tuple[type[SdkCall], str], ...] = (
    (Boto3Call, "exportguard.adapters.aws.facts"),
    (AzureCall, "exportguard.adapters.azure.facts"),
    (OpenAICall, "exportguard.adapters.openai.facts"),
    (AnthropicCall, "exportguard.adapters.aws.anthropic_sdk.facts"),
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
    instant = document.instant()
    if instant is not None and isinstance(seen.time, Unknown):
        more["time"] = instant
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
    resolved = _parties().resolve(
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


@functools.cache
def _parties() -> Any:
    """Imported when the first call of the surface is judged: an import statement in each call costs a microsecond."""
    return importlib.import_module("exportguard.parties")


def _told(request: ProvisioningRequest) -> ProvisioningRequest:
    """The request as decisions carry it, into exceptions, reports and logs: its tags have done their work by now, and
    people put secrets into them."""
    if not request.tags:
        return request
    from exportguard.record import redact

    return request.model_copy(update={"tags": redact(request.tags)})


def presentable(decision: Decision) -> Decision:
    """*decision* as it may be shown; a failure to make it so shows its outcome and reasons' rules alone."""
    from exportguard.record.document import presentable as made

    try:
        return made(decision)
    except Exception:  # noqa: BLE001  (a refusal stays one)
        bare = tuple(reason.model_copy(update={"message": reason.rule, "values": ()}) for reason in decision.reasons)
        return decision.model_copy(update={"request": None, "parties": (), "unknown": (), "reasons": bare})


def told(error: Exception) -> str:
    """That the guard itself failed, and by what. Only errors of our own are quoted (see `observed`)."""
    text = f"{type(error).__name__}: {error}" if isinstance(error, ExportguardError) else said(error)
    return f"exportguard could not judge this call: {text}"


def said(error: Exception) -> str:
    """What *error* says, where it is one of our own; else its kind and place, as its text may quote anything."""
    return str(error) if isinstance(error, ExportguardError) else f"{type(error).__name__} at {_place(error)}"


def failed(state: State, error: Exception, message: str, as_of: datetime) -> Decision:
    """HOLD, and the cause in words."""
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
