"""Deciding logged requests again: *as decided then*, which must come out the same, and *as understood now*, which
shows what was allowed then and would be refused today."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from exportguard.decide import decide
from exportguard.deciding import with_exhausted
from exportguard.draft import State
from exportguard.errors import ExportguardError, InputError
from exportguard.record.canonical import json_safe
from exportguard.record.document import is_decision
from exportguard.record.redaction import redact, scrub_all
from exportguard.vocabulary import (
    Authorization,
    Decision,
    Outcome,
    ProvisioningRequest,
    Unknown,
    Usage,
    UsageQuestion,
    UsageReading,
)

if TYPE_CHECKING:
    from exportguard.language import CompiledPolicySet
    from exportguard.record import SqlLog, StoredRecord
    from exportguard.reference import ReferenceData

Verdict = Literal["same", "different", "exposed", "eased", "changed", "impossible"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One logged decision, decided again.

    `verdict`: `same`; `different` (as decided then, and yet not the same: the log, or this library, is not what it
    was); as understood now: `exposed` (let out then, refused now), `eased` (refused then, allowed now), `changed`
    (another outcome or other rules, neither of these); `impossible`, with the reason in `why`.
    """

    sequence: int
    decision_id: str
    verdict: Verdict
    then: str
    now: str | None = None
    why: str | None = None
    decision: Decision | None = None

    def document(self) -> dict[str, Any]:
        shown = {
            "sequence": self.sequence,
            "decision_id": self.decision_id,
            "verdict": self.verdict,
            "then": self.then,
            "now": self.now,
            "why": self.why,
        }
        return {key: value for key, value in shown.items() if value is not None}


class _NotPossible(Exception):
    pass


@dataclass
class Replayer:
    """Replays the records of *log*. What they name by digest is read from the log once."""

    log: SqlLog

    @cached_property
    def _policies(self) -> dict[tuple[str, str], CompiledPolicySet]:
        return {}

    @cached_property
    def _references(self) -> dict[str, ReferenceData]:
        return {}

    @cached_property
    def _authorizations(self) -> dict[str, tuple[Authorization, ...]]:
        return {}

    def as_decided_then(self, after: int = 0, limit: int | None = None) -> Iterator[Replayed]:
        """Every logged decision under the policies, data, authorizations and readings that it was taken by."""
        for stored in self.log.read(after, limit):
            record = _readable(stored)
            if isinstance(record, Replayed):
                yield record
            elif is_decision(record):
                yield self._then(stored, record)

    def as_understood_now(
        self, state: State, as_of: datetime, after: int = 0, limit: int | None = None
    ) -> Iterator[Replayed]:
        """Every logged decision anew: parties resolved and screened by *state*, its policies and data, at *as_of*.

        The use that was read then still counts, and so do approvals of the request; authorizations are those of
        *state*.
        """
        for stored in self.log.read(after, limit):
            record = _readable(stored)
            if isinstance(record, Replayed):
                yield record
            elif is_decision(record):
                yield _now(stored, record, state, as_of)

    def policies_of(self, record: Mapping[str, Any]) -> CompiledPolicySet | None:
        """The policies that a decision was taken by; None where the log does not keep them, or they load no more."""
        try:
            reference = self._reference(str(record.get("reference_digest")))
            return self._policy_set(str(record.get("policy_digest")), reference)
        except (_NotPossible, ExportguardError):
            return None

    def altered_policies(self) -> Iterator[str]:
        """Which of the policies that the log keeps are not those of their digest, in words. What this version cannot
        load any more is passed over."""
        from exportguard.reference import default

        for digest, kind in self.log.contents():
            if kind == "policies":
                try:
                    self._policy_set(digest, default())
                except _NotPossible as error:
                    yield f"{error}: {digest}"
                except (ExportguardError, ValueError, KeyError, TypeError):
                    continue

    def _then(self, stored: StoredRecord, record: Mapping[str, Any]) -> Replayed:
        told = str(record.get("outcome"))
        try:
            then = _decision(record)
            if then.request is None:
                raise _NotPossible("the call could not be judged then: there is no request to decide")
            reference = self._reference(then.reference_digest)
            policies = self._policy_set(then.policy_digest, reference)
            again = decide(
                then.request,
                policies,
                reference,
                as_of=then.as_of,
                authorizations=self._all_authorizations(record),
                usage=read_usage(record),
                request_fingerprint=record.get("fingerprint"),
            )
        except _NotPossible as error:
            return Replayed(stored.sequence, stored.decision_id, "impossible", told, why=str(error))
        except (ExportguardError, ValidationError) as error:
            why = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            return Replayed(stored.sequence, stored.decision_id, "impossible", told, why=why)
        again = with_exhausted(again, record.get("authorizations_exhausted", ()))
        again = again.model_copy(update={"decision_id": then.decision_id})
        different = _difference(record["decision"], again)
        if different is None or _held_for_moving(then):
            return Replayed(stored.sequence, stored.decision_id, "same", told, again.outcome.value, decision=again)
        return Replayed(
            stored.sequence, stored.decision_id, "different", told, again.outcome.value, different, decision=again
        )

    def _reference(self, digest: str) -> ReferenceData:
        if digest not in self._references:
            from exportguard.reference import ReferenceData, default

            found = default()
            if found.digest != digest:
                found = ReferenceData.of_content(self._content(digest, "reference data"))
            if found.digest != digest:
                raise _NotPossible("the kept reference data do not have their digest")
            self._references[digest] = found
        return self._references[digest]

    def _policy_set(self, digest: str, reference: ReferenceData) -> CompiledPolicySet:
        key = (digest, reference.digest)
        if key not in self._policies:
            from exportguard.language import PolicySource, load_policies

            texts = json.loads(self._content(digest, "policies"))
            found = load_policies(tuple(PolicySource(name=t["name"], text=t["text"]) for t in texts), reference)
            if found.digest != digest:
                raise _NotPossible("the kept policies do not have their digest")
            self._policies[key] = found
        return self._policies[key]

    def _all_authorizations(self, record: Mapping[str, Any]) -> list[Authorization]:
        entries = [Authorization.model_validate(each) for each in record.get("authorizations", ())]
        digest = record.get("authorizations_digest")
        if isinstance(digest, str):
            if digest not in self._authorizations:
                from hashlib import sha256

                content = self._content(digest, "authorizations")
                if f"sha256:{sha256(content).hexdigest()}" != digest:
                    raise _NotPossible("the kept authorizations do not have their digest")
                self._authorizations[digest] = tuple(Authorization.model_validate(each) for each in json.loads(content))
            entries = [*self._authorizations[digest], *entries]
        exhausted = set(record.get("authorizations_exhausted", ()))
        return [entry for entry in entries if entry.id not in exhausted]

    def _content(self, digest: str, what: str) -> bytes:
        found = self.log.kept(digest)
        if found is None:
            raise _NotPossible(f"the log does not keep the {what} of {digest}")
        return found


def _readable(stored: StoredRecord) -> Mapping[str, Any] | Replayed:
    if not stored.body:
        return Replayed(stored.sequence, stored.decision_id, "impossible", "erased", why="the record was erased")
    try:
        return stored.record
    except ExportguardError as error:
        return Replayed(stored.sequence, stored.decision_id, "impossible", "unreadable", why=str(error))


def _decision(record: Mapping[str, Any]) -> Decision:
    return Decision.model_validate(record.get("decision"))


def read_usage(record: Mapping[str, Any]) -> Usage:
    """The readings of the ledger that a record holds."""
    found: dict[UsageQuestion, UsageReading] = {}
    for each in record.get("usage", ()):
        tokens, accelerators, tpp = (
            Unknown(value["unknown"]) if isinstance(value, Mapping) else value
            for value in (each["tokens"], each["accelerators"], each["tpp"])
        )
        question = UsageQuestion(each["by"], each["period"])
        found[question] = UsageReading(tokens, accelerators, tpp, each["version"])
    return found


def _held_for_moving(decision: Decision) -> bool:
    """A hold of the guard's own, put in place of a decision that could not be secured."""
    return any(reason.policy == "exportguard" for reason in decision.reasons)


def _difference(then: Mapping[str, Any], again: Decision) -> str | None:
    """The first part of the decision that is not the same, or None."""
    now = scrub_all(json_safe(again.model_dump(mode="json")))
    for key in dict.fromkeys((*then, *now)):
        mine, other = then.get(key), now.get(key)
        if key == "request" and isinstance(other, dict):
            other = {**other, "tags": json_safe(redact(other.get("tags")))}
        if mine != other:
            return f"`{key}` is not what it was"
    return None


def _now(stored: StoredRecord, record: Mapping[str, Any], state: State, as_of: datetime) -> Replayed:
    told = str(record.get("outcome"))
    try:
        then = _decision(record)
        again = _anew(then, record, state, as_of)
    except (InputError, ExportguardError, ValidationError, _NotPossible) as error:
        said = f"{type(error).__name__}: {str(error).splitlines()[0]}".removeprefix("_NotPossible: ")
        return Replayed(stored.sequence, stored.decision_id, "impossible", told, why=said)
    released = bool(record.get("released"))
    verdict: Verdict = "same"
    why: str | None = None
    if released and not again.allowed:
        verdict, why = "exposed", again.summary
    elif not released and again.allowed:
        verdict, why = "eased", again.summary
    elif again.outcome is not then.outcome or _rules(again) != _rules(then):
        verdict, why = "changed", again.summary
    return Replayed(stored.sequence, stored.decision_id, verdict, told, again.outcome.value, why, again)


def _rules(decision: Decision) -> set[tuple[str, str, str]]:
    return {(reason.policy, reason.rule, reason.result.value) for reason in decision.reasons}


def _anew(then: Decision, record: Mapping[str, Any], state: State, as_of: datetime) -> Decision:
    from exportguard.parties import resolve

    if then.request is None:
        raise _NotPossible("the call could not be judged then: there is no request to decide")
    observed = _as_observed(then.request, record.get("observed"))
    customers: Sequence[str] = [str(each) for each in record.get("customers", ())]
    known = tuple(each for each in customers if state.directory.by_id(each) is not None)
    if len(known) < len(customers):
        # Whoever is gone from the directory is still who it was for: what was known of the parties then counts.
        observed = then.request
    resolved = resolve(
        observed,
        directory=state.directory,
        customers=known,
        screener=state.screener,
        reference=state.reference,
        questions=state.policies.ownership_questions,
        as_of=as_of,
    )
    entries = [Authorization.model_validate(each) for each in record.get("authorizations", ())]
    return decide(
        resolved.request,
        state.policies,
        state.reference,
        as_of=as_of,
        authorizations=[*state.authorizations, *entries],
        usage=read_usage(record),
        request_fingerprint=record.get("fingerprint"),
    )


def _as_observed(request: ProvisioningRequest, observed: object) -> ProvisioningRequest:
    if not isinstance(observed, Mapping):
        return request
    return ProvisioningRequest.model_validate({**request.model_dump(mode="json"), **observed})


__all__ = ["Outcome", "Replayed", "Replayer", "read_usage"]
