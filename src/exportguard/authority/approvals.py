"""Approvals: a second person releases one held request, once, for a time, with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from exportguard.authority.authorizations import load_authorizations
from exportguard.documents import parse_json
from exportguard.errors import DocumentError, InputError
from exportguard.vocabulary import (
    Authorization,
    AuthorizationKind,
    Decision,
    Effect,
    Outcome,
    Party,
    ProvisioningRequest,
    Role,
    RuleResult,
)
from exportguard.vocabulary.authorization import AuthorizedParty, Effective, person, same_person, unapproved
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.saying import is_named

if TYPE_CHECKING:
    from exportguard.language import CompiledPolicySet

GOOD_FOR: Final = timedelta(days=7)
"""How long an approval may be used, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Approval:
    """An internal waiver for the request with one fingerprint, of the *rules* (`policy/rule`) that held it.

    It is of what they said then: under policies with another digest, it is good only where each of them still says
    that. `matched` are those that matched; the others were open, and one that was does not stay lifted once it matches.
    """

    authorization: Authorization
    decision_id: str
    rules: frozenset[str]
    reason: str
    made_at: datetime
    policy_digest: str = ""
    matched: frozenset[str] = frozenset()
    said: Mapping[str, str] = field(default_factory=dict)
    """Of the rules, what `rule_digest` gave; empty where the policies of that time were not to be had."""

    @property
    def fingerprint(self) -> str:
        assert self.authorization.request_fingerprint is not None
        return self.authorization.request_fingerprint

    def document(self) -> dict[str, Any]:
        """JSON data that `read_approval` reads."""
        return {
            "authorization": self.authorization.model_dump(mode="json"),
            "decision_id": self.decision_id,
            "rules": sorted(self.rules),
            "reason": self.reason,
            "made_at": self.made_at.isoformat(),
            "policy_digest": self.policy_digest,
            "matched": sorted(self.matched),
            "said": dict(self.said),
        }

    def covers(self, decision: Decision, policies: CompiledPolicySet) -> bool:
        """Whether it is of everything that holds *decision* under *policies*."""
        held_by = open_rules(decision)
        if not held_by <= self.rules or not open_rules(decision, RuleResult.MATCH) <= self.matched:
            return False
        return self.policy_digest == policies.digest or held_by <= _as_they_were(self.said, policies)


def read_approval(text: str) -> Approval:
    """Raises DocumentError for a text that is no whole approval: such a one lifts nothing."""
    try:
        document = parse_json(text.encode(), "approval")
        (entry,) = load_authorizations([Authorization.model_validate(document["authorization"])])
        if entry.request_fingerprint is None or (why := unapproved(entry)):
            raise ValueError("it names no request" if entry.request_fingerprint is None else why)
        return Approval(
            entry,
            document["decision_id"],
            frozenset(document["rules"]),
            document["reason"],
            datetime.fromisoformat(document["made_at"]),
            str(document["policy_digest"]),
            frozenset(document["matched"]),
            dict(document["said"]),
        )
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise DocumentError(f"an approval cannot be read: {error}", remedy="Approve the request anew.") from error


def open_rules(decision: Decision, result: RuleResult | None = None) -> frozenset[str]:
    """What stands against *decision*, as `policy/rule` (with this *result*, where one is given); of flags only those
    that are red flags, not these."""
    return frozenset(
        f"{reason.policy}/{reason.rule}"
        for reason in decision.reasons
        if reason.effect is not Effect.FLAG
        and reason.result is not RuleResult.NO_MATCH
        and result in (None, reason.result)
    )


def _as_they_were(said: Mapping[str, str], policies: CompiledPolicySet) -> frozenset[str]:
    """The rules of *policies* that say what *said* has of them."""
    from exportguard.language.sameness import rule_digest

    now = {f"{rule.policy}/{rule.id}": rule for rule in policies.rules}
    return frozenset(name for name, digest in said.items() if name in now and rule_digest(now[name]) == digest)


def approve(
    record: Mapping[str, Any],
    *,
    by: str,
    reason: str,
    at: datetime,
    requested_by: str | None = None,
    until: datetime | None = None,
    policies: CompiledPolicySet | None = None,
) -> Approval:
    """An approval of the decision in *record* (as the decision log keeps it).

    Args:
        by: who approves; never who requested.
        reason: why, in words that an auditor can follow.
        at: now.
        requested_by: who requested, where the record (which knows the account of the process) does not say it right.
        until: when it ends unused; by default a week from *at*.
        policies: those that the decision was taken by. Without them the approval ends with any change of policies, and
            with them only with one of the rules that held the request.

    Raises:
        InputError: it was not held, its requester would approve it, it names no end user, or the like.
    """
    name = str(record.get("decision_id"))
    try:
        decision = Decision.model_validate(record["decision"])
    except (KeyError, ValidationError) as error:
        raise InputError(f"the record {name} is not that of a decision") from error
    if decision.outcome is not Outcome.HOLD:
        raise InputError(
            f"decision {name} is {decision.outcome}, not HOLD",
            remedy="A denied request is lifted by an authorization that its rule admits; an allowed one needs nothing.",
        )
    fingerprint = record.get("fingerprint")
    if not isinstance(fingerprint, str) or decision.request is None:
        raise InputError(f"decision {name} was held before its request could be read", remedy="Ask again.")
    if not _told_apart(decision.request):
        raise InputError(
            f"decision {name} is about a call that could not be read: an approval of it would be one of any other",
            remedy="Make the call where its parameters are seen, or with a resolver, then approve that decision.",
        )
    if not reason.strip():
        raise InputError("an approval needs a reason")
    asked_by = _requesters(record, requested_by)
    if not person(by):
        raise InputError("an approval needs the name of who approves")
    if any(same_person(by, each) for each in asked_by):
        raise InputError(
            f"`{by}` requested it: somebody else has to approve", remedy="Give --by the name of a second person."
        )
    end = until if until is not None else at + GOOD_FOR
    if end <= at:
        raise InputError(f"the approval would end at {end.isoformat()}, before it begins")
    entry = Authorization(
        id=f"approval-{name}",
        kind=AuthorizationKind.INTERNAL_WAIVER,
        scope="true",
        parties=tuple(_named(party) for party in decision.parties),
        # From the decision on: the clocks of two machines never quite agree.
        effective=Effective(from_=min(at, decision.as_of), until=end),
        requested_by=asked_by[0],
        approved_by=(by.strip(),),
        evidence={"decision": name, "reason": reason.strip()[:1000]},
        request_fingerprint=fingerprint,
    )
    if not any(party.role is Role.END_USER for party in entry.parties):
        raise InputError(
            f"decision {name} names no end user: an approval is for somebody",
            remedy="Make the call for its customer (acting_for, customers document), then approve that decision.",
        )
    load_authorizations([entry])
    rules, said = open_rules(decision), {}
    if policies is not None and policies.digest == decision.policy_digest:
        from exportguard.language.sameness import rule_digest

        named = {f"{rule.policy}/{rule.id}": rule for rule in policies.rules}
        said = {each: rule_digest(named[each]) for each in sorted(rules & named.keys())}
    matched = open_rules(decision, RuleResult.MATCH)
    return Approval(entry, name, rules, reason.strip(), at, decision.policy_digest, matched, said)


def _told_apart(request: ProvisioningRequest) -> bool:
    """Whether anything tells *request* from others that are as little known."""
    if isinstance(request.items, Unknown):
        return False
    return request.call is not None or all(is_named(item) or item.name for item in request.items)


def _requesters(record: Mapping[str, Any], requested_by: str | None) -> list[str]:
    caller = record.get("caller")
    account = caller.get("user") if isinstance(caller, Mapping) else None
    found = [each for each in (requested_by, account) if isinstance(each, str) and each.strip()]
    return found or ["unknown"]


def _named(party: Party) -> AuthorizedParty:
    if isinstance(party.role, Unknown):
        raise InputError("a party of the request has no role that is known", remedy="State the roles of its parties.")
    if party.id is not None:
        return AuthorizedParty(role=party.role, id=party.id)
    if isinstance(party.name, str):
        return AuthorizedParty(role=party.role, name=party.name)
    if party.role is not Role.END_USER and party.customer is not None:
        return AuthorizedParty(role=party.role, customer=party.customer)
    raise InputError(
        f"the {party.role.value} of the request has no name that is known: an approval is for somebody",
        remedy="Name it (acting_for, customers document), make the call again, then approve that decision.",
    )
