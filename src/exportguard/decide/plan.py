"""Which rules are asked of what: worked out once for a policy set and a period, so that a decision only asks.

Rules are grouped by what they are asked over and of which item kinds. A group that no item of a request belongs to
costs nothing, however many rules are in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from weakref import ref

from exportguard.language import Cause, CompiledPolicySet, CompiledRule, Scope, Together, World
from exportguard.reference import ReferenceData
from exportguard.vocabulary.decision import Effect, RuleResult

_KEPT = 16


class Signature(NamedTuple):
    """What a group of rules is asked over. `kinds` are item kinds, or None for rules that ask of no item."""

    kinds: frozenset[str] | None
    party: bool
    location: bool
    usage: bool


class Group(NamedTuple):
    """Rules that are asked over the same things, and the function that asks them all at once (none over `usage`)."""

    signature: Signature
    rules: tuple[Asked, ...]
    together: Together | None


class Asked(NamedTuple):
    """A rule in force, with its effect and status in the period."""

    rule: CompiledRule
    effect: Effect
    status: str
    place: int
    """Among the rules of the set, by policy and rule."""
    holds: bool
    """Whether it holds the request while it is open."""


class Finding(NamedTuple):
    """What one rule said of one combination, after `unless`, before authorizations."""

    result: RuleResult
    scope: Scope
    causes: tuple[Cause, ...]
    """Why it is open; or, of a match, which unknown facts could lift it."""


class Single(NamedTuple):
    """Every rule that a request with one item of one kind, one party and one place is asked; `usage` aside.

    `over` is, for each rule, which of the `signatures` it has.
    """

    rules: tuple[Asked, ...]
    signatures: tuple[Signature, ...]
    over: tuple[int, ...]
    together: Together


class Plan:
    """The rules in force in one period. `groups`: every one; `usage`: those of them that ask about `usage`.

    `world` answers dated look-ups as they are throughout the period.
    """

    __slots__ = ("_singles", "groups", "usage", "world")

    def __init__(self, groups: tuple[Group, ...], world: World | Any) -> None:
        self.groups, self.world = groups, world
        self.usage = tuple(group for group in groups if group.signature.usage)
        self._singles: dict[str, Single] = {}

    def single(self, kind: str) -> Single:
        """What most requests are: one of each, asked in one go."""
        known = self._singles.get(kind)
        if known is None:
            chosen = [
                (asked, group.signature)
                for group in self.groups
                if not group.signature.usage and (group.signature.kinds is None or kind in group.signature.kinds)
                for asked in group.rules
            ]
            rules = tuple(asked for asked, _ in chosen)
            signatures = tuple(dict.fromkeys(signature for _, signature in chosen))
            over = tuple(signatures.index(signature) for _, signature in chosen)
            together = Together([asked.rule.when for asked in rules], self.world)
            known = self._singles[kind] = Single(rules, signatures, over, together)
        return known


_plans: OrderedDict[tuple[int, int, int], tuple[ref[CompiledPolicySet], ReferenceData, Plan]] = OrderedDict()
_changes: OrderedDict[tuple[int, int], tuple[ref[CompiledPolicySet], ReferenceData, tuple[datetime, ...]]] = (
    OrderedDict()
)


class _Recent(NamedTuple):
    """The plan that was asked for last, and the instants it serves."""

    policies: Callable[[], CompiledPolicySet | None]
    reference: ReferenceData | None
    since: datetime
    until: datetime
    plan: Plan


_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_recent = _Recent(lambda: None, None, _EARLIEST, _LATEST, Plan((), None))


def plan(policies: CompiledPolicySet, reference: ReferenceData, as_of: datetime) -> Plan:
    """The rules of *policies* in force at *as_of*, grouped. Remembered by identity, never by what they say.

    One plan serves the whole period between two change dates of the rules or of the reference data: what is dated
    (who is in a country group) is put into it.
    """
    global _recent
    recent = _recent
    if recent.policies() is policies and recent.reference is reference and recent.since <= as_of < recent.until:
        return recent.plan
    changes = _change_dates(policies, reference)
    at = bisect_right(changes, as_of)
    made = _planned(policies, reference, as_of, changes, at)
    # Replaced whole: another thread sees the old or the new one.
    _recent = _Recent(
        ref(policies),
        reference,
        changes[at - 1] if at else _EARLIEST,
        changes[at] if at < len(changes) else _LATEST,
        made,
    )
    return made


def _planned(
    policies: CompiledPolicySet, reference: ReferenceData, as_of: datetime, changes: Sequence[datetime], at: int
) -> Plan:
    key = (id(policies), id(reference), at)
    known = _plans.get(key)
    if known is not None and known[0]() is policies and known[1] is reference:
        return known[2]
    world = World(reference, as_of)
    groups: dict[Signature, list[Asked]] = {}
    places = {name: place for place, name in enumerate(sorted({(rule.policy, rule.id) for rule in policies.rules}))}
    for rule in policies.rules:
        if rule.in_force(as_of):
            place = places[rule.policy, rule.id]
            status = rule.status_at(as_of) or rule.status
            asked = Asked(rule, rule.effect_at(as_of), status, place, rule.if_unknown != "flag")
            groups.setdefault(_signature(rule), []).append(asked)
    made = Plan(
        tuple(
            Group(
                signature,
                tuple(rules),
                None if signature.usage else Together([asked.rule.when for asked in rules], world),
            )
            for signature, rules in groups.items()
        ),
        world,
    )
    _remember(_plans, key, (ref(policies), reference, made))
    return made


def _signature(rule: CompiledRule) -> Signature:
    usage = "usage" in rule.roots
    of_items = usage or "item" in rule.roots
    return Signature(rule.kinds if of_items else None, "party" in rule.roots, "location" in rule.roots, usage)


def _change_dates(policies: CompiledPolicySet, reference: ReferenceData) -> Sequence[datetime]:
    key = (id(policies), id(reference))
    known = _changes.get(key)
    if known is not None and known[0]() is policies and known[1] is reference:
        return known[2]
    dates = {
        bound
        for rule in policies.rules
        for period in (rule.effective, *(period for _, period in rule.statuses))
        for bound in period
        if bound is not None
    }
    made = tuple(sorted(dates | set(reference.change_dates())))
    _remember(_changes, key, (ref(policies), reference, made))
    return made


def _remember(memory: OrderedDict, key: object, value: object) -> None:  # type: ignore[type-arg]
    # Two threads may work the same plan out at once: both find the same, and the last one stays.
    memory[key] = value
    while len(memory) > _KEPT:
        try:
            memory.popitem(last=False)
        except KeyError:
            return
