"""A loaded policy set: rules ready to be asked, what they need looked up, and the digest that names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from exportguard.diagnostics import Diagnostic
from exportguard.language.compile import CompiledCondition
from exportguard.language.message import Message
from exportguard.vocabulary.decision import Basis, Effect
from exportguard.vocabulary.fact import Confidence
from exportguard.vocabulary.questions import OwnershipQuestion, UsageQuestion

FromTo = tuple[datetime | None, datetime | None]
"""Half-open: the first instant that is in, and the first that is out again."""

STATUSES = ("enforced", "codified", "proposed", "suspended", "unverified")
ASKED = frozenset({"enforced", "codified", "unverified"})
"""Proposed rules are not law yet, suspended ones not now."""


STRICTEST_FIRST = ("enforced", "codified", "unverified", "suspended", "proposed")
"""Which status counts where two are dated so at once: the order of keys decides nothing."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a policy rests on, and when it was read."""

    cite: str
    read: str | None = None
    url: str | None = None
    note: str | None = None
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One rule. `when` and `unless` are asked of each combination of what `roots` names.

    `kinds` are the item kinds it is asked of. `paths` are the facts it mentions. `effective` is half-open, UTC.
    `statuses` are the periods of its statuses; where none covers an instant, the rule is not in force then.
    """

    policy: str
    policy_version: str
    id: str
    title: str
    effect: Effect
    basis: Basis
    because: str
    remedy: str | None
    cites: tuple[str, ...]
    authorizable_by: frozenset[str]
    effective: FromTo
    statuses: tuple[tuple[str, FromTo], ...]
    if_unknown: str
    why: str | None
    per: UsageQuestion | None
    confidence: Confidence | None
    roots: frozenset[str]
    kinds: frozenset[str]
    paths: tuple[str, ...]
    when: CompiledCondition
    unless: CompiledCondition | None
    say: Message = field(repr=False, compare=False)
    """`because` with the facts of one combination put in; an unknown one reads `unknown …`. Never raises."""

    @property
    def status(self) -> str:
        """The rule's status, or its last one where they are dated; `status_at` knows the instant."""
        return self.statuses[-1][0]

    def status_at(self, as_of: datetime) -> str | None:
        """The status at *as_of*; None where none is dated so. Of two at once the stricter one counts."""
        if len(self.statuses) == 1:
            name, period = self.statuses[0]
            return name if within(as_of, period) else None
        dated = [name for name, period in self.statuses if within(as_of, period)]
        return min(dated, key=STRICTEST_FIRST.index, default=None)

    def in_force(self, as_of: datetime) -> bool:
        """Whether the rule is asked at *as_of*: effective, and neither proposed nor suspended."""
        return within(as_of, self.effective) and self.status_at(as_of) in ASKED

    def effect_at(self, as_of: datetime) -> Effect:
        """An unverified deny holds until a person has confirmed that it is law."""
        if self.effect is Effect.DENY and self.status_at(as_of) == "unverified":
            return Effect.HOLD
        return self.effect


@dataclass(frozen=True)
class CompiledPolicySet:
    """Every rule of a load, in the order policy id, rule id. `digest` is over what they say, not how it is written."""

    rules: tuple[CompiledRule, ...]
    digest: str
    warnings: tuple[Diagnostic, ...] = ()
    references: tuple[tuple[str, tuple[Reference, ...]], ...] = ()

    @cached_property
    def ownership_questions(self) -> frozenset[OwnershipQuestion]:
        """What the guard has to ask the ownership cascade of every party beforehand."""
        return frozenset(q for rule in self.rules for c in (rule.when, rule.unless) if c for q in c.ownership_questions)

    @cached_property
    def usage_questions(self) -> frozenset[UsageQuestion]:
        """What the guard has to read from the ledger beforehand."""
        return frozenset(rule.per for rule in self.rules if rule.per is not None)


def meet(one: FromTo, other: FromTo) -> bool:
    """Whether some instant is within both."""
    start = max((p[0] for p in (one, other) if p[0] is not None), default=None)
    stop = min((p[1] for p in (one, other) if p[1] is not None), default=None)
    return start is None or stop is None or start < stop


def first_gap(effective: FromTo, periods: Sequence[FromTo]) -> tuple[datetime, datetime] | None:
    """The first time within *effective* that lies between two of *periods* and in none."""
    start, stop = effective
    ended: datetime | None = None
    for begins, ends in sorted(periods, key=lambda period: (period[0] is not None, period[0] or _NEVER)):
        if ended is not None and begins is not None and ended < begins:
            gap = max(ended, start) if start else ended, min(begins, stop) if stop else begins
            if gap[0] < gap[1]:
                return gap
        if ends is None:
            return None
        ended = ends if ended is None else max(ended, ends)
    return None


_NEVER = datetime.min.replace(tzinfo=UTC)


def within(instant: datetime, period: FromTo) -> bool:
    start, stop = period
    return (start is None or start <= instant) and (stop is None or instant < stop)


def digest_of(documents: list[Any]) -> str:
    """sha256 over the canonical form of what was loaded, order of files and rules aside."""
    import hashlib

    import rfc8785

    parts = sorted(rfc8785.dumps(document) for document in documents)
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return f"sha256:{whole.hexdigest()}"
