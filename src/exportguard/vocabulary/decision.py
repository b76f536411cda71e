"""The answer: an outcome, every reason for it, and what would settle what is open."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from exportguard.vocabulary.fact import Confidence, Frozen, Text
from exportguard.vocabulary.party import Party
from exportguard.vocabulary.request import ProvisioningRequest


class Outcome(StrEnum):
    """What is done with a request: `ALLOW` releases it, `HOLD` and `DENY` refuse it."""

    ALLOW = "ALLOW"
    HOLD = "HOLD"
    DENY = "DENY"


class Effect(StrEnum):
    """What a rule that matches asks for. `FLAG` records a signal and refuses nothing."""

    DENY = "deny"
    HOLD = "hold"
    FLAG = "flag"


class RuleResult(StrEnum):
    """What a rule says of one item, party and place. `INDETERMINATE`: facts are missing, the rule is open."""

    MATCH = "match"
    NO_MATCH = "no_match"
    INDETERMINATE = "indeterminate"


Basis = Literal["license_requirement", "prohibition", "provider_terms", "company_policy", "historical"]


class Reason(Frozen):
    """One rule that matched or stayed indeterminate, with the item x party x location that made it so."""

    policy: str
    rule: str
    effect: Effect
    result: RuleResult
    basis: Basis
    item: str | None = None
    party: str | None = None
    location: str | None = None
    message: str
    remedy: str | None = None
    cites: tuple[str, ...] = ()
    confidence: Confidence | None = None
    """The weakest source the result rests on; a deny that rests on less than primary says so."""
    status: str = "enforced"
    values: tuple[tuple[str, str], ...] = ()
    """Fact path and value, as the rule saw them."""

    @property
    def grounds(self) -> str:
        """What it rests on, in brackets: citations, confidence below primary, a status other than enforced; or ""."""
        parts = list(self.cites)
        if self.confidence is not None and self.confidence != "primary":
            parts.append(f"confidence: {self.confidence}")
        if self.status != "enforced":
            parts.append(f"status: {self.status}")
        return f" [{'; '.join(parts)}]" if parts else ""


class UnknownFact(Frozen):
    """A fact path that would settle an open rule, why it is unknown, and how to supply it."""

    path: str
    why: str
    how: str


class Lifted(Frozen):
    """An authorization that lifted a rule, and what is drawn on it."""

    authorization: str
    rule: str
    unit: str | None = None
    quantity: float | None = None


class Decision(Frozen):
    """What was decided, why, under which rules and data, and for whom.

    Has no truth value: ``if decision:`` would be a fail-open bug. Use ``decision.allowed`` or
    ``decision.outcome is Outcome.ALLOW``.
    """

    decision_id: str | None = None
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    unknown: tuple[UnknownFact, ...] = ()
    lifted: tuple[Lifted, ...] = ()
    advice: tuple[Text, ...] = ()
    red_flags: tuple[Text, ...] = ()
    as_of: AwareDatetime
    policy_digest: str
    reference_digest: str
    request: ProvisioningRequest | None = None
    parties: tuple[Party, ...] = ()
    not_applicable: str | None = None
    """Why no rule was asked: `no_item`, or the call is outside the surface. None when rules were asked."""
    id: Annotated[str | int | None, Field(description="The `id` of the input line, echoed.")] = None

    def __bool__(self) -> bool:
        raise TypeError("a Decision has no truth value; use decision.allowed or decision.outcome is Outcome.ALLOW")

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOW

    @property
    def summary(self) -> str:
        """The first reason in a line, or why no rule was asked."""
        if self.reasons and self.allowed and self.reasons[0].result is RuleResult.INDETERMINATE:
            # Whoever reads that a call is allowed must not read first that it may be forbidden.
            open_ = ", ".join(dict.fromkeys([f"{reason.policy}/{reason.rule}" for reason in self.reasons]))
            return f"no rule objects; open, and holding nothing: {open_}"
        if self.reasons:
            return self.reasons[0].message
        return self.not_applicable or "no rule objects"
