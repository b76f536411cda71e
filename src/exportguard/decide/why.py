"""Why each rule did or did not match: for every rule of a set, and for every combination that it was asked over.

What `exportguard explain` prints. Slower than deciding, and only asked for; the decision itself comes from `decide`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Literal

from exportguard.decide.changes import Change, find_changes
from exportguard.decide.derive import Facts, derive
from exportguard.decide.evaluate import MAX_COMBINATIONS, decide, rule_finding, usage_of
from exportguard.decide.explain import Told, item_label, location_label, look_up, missing_facts, party_label, show
from exportguard.decide.lift import Lifter
from exportguard.language import CompiledCondition, CompiledPolicySet, CompiledRule, Scope, World
from exportguard.language.wording import short
from exportguard.reference import ReferenceData
from exportguard.vocabulary.authorization import Authorization
from exportguard.vocabulary.decision import Decision, Effect, RuleResult
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import NO_USAGE, Usage
from exportguard.vocabulary.request import ProvisioningRequest

MAX_SHOWN = 50
"""Combinations that are told of one rule."""

Answer = Literal["match", "indeterminate", "no_match", "lifted", "not_asked"]
_RANK: dict[Answer, int] = {"match": 0, "indeterminate": 1, "lifted": 2, "no_match": 3, "not_asked": 4}


@dataclass(frozen=True, slots=True)
class Combination:
    """What one rule said of one item x party x location (None where it is not asked over that).

    `clause` is the part of the condition that settled it: the first false one of a rule that did not match, the
    `unless` that lifted it. `values` are the facts in that clause as they were (all that the rule names, if it
    matched), `unknown` the fact paths that would settle it.
    """

    item: str | None
    party: str | None
    location: str | None
    answer: Answer
    clause: str | None
    values: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]
    authorization: str | None = None


@dataclass(frozen=True, slots=True)
class RuleAccount:
    """One rule: its answer, and why. `note` says why it was not asked, or that there were more combinations."""

    policy: str
    rule: str
    title: str
    effect: Effect
    status: str
    answer: Answer
    combinations: tuple[Combination, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, every rule's account, and what would change the outcome.

    `settling`: fact paths that are open, each with the rules (`policy/rule`) that it would settle. `changes`: the
    smallest changes of facts that lead to a milder outcome, *obtainable* ones (evidence, a licence) first.
    """

    decision: Decision
    rules: tuple[RuleAccount, ...]
    settling: tuple[tuple[str, tuple[str, ...]], ...]
    changes: tuple[Change, ...]

    def for_requester(self) -> Explanation:
        """The same without ways around the rules, which only authors of rules see."""
        return replace(self, changes=tuple(change for change in self.changes if not change.evasive))


def explain_decision(
    request: ProvisioningRequest,
    policies: CompiledPolicySet,
    reference: ReferenceData,
    *,
    as_of: datetime,
    authorizations: Sequence[Authorization] = (),
    usage: Usage = NO_USAGE,
    request_fingerprint: str | None = None,
    for_author: bool = False,
) -> Explanation:
    """Explain what `decide` says of the same arguments.

    Args:
        for_author: also look for evasive changes (another region, a smaller order). Never shown to a requester:
            it would be a manual for getting round the rules.

    Raises:
        NaiveInstantError: *as_of* has no timezone.
    """

    def outcome_of(changed: ProvisioningRequest, with_these: Sequence[Authorization]) -> Decision:
        return decide(
            changed,
            policies,
            reference,
            as_of=as_of,
            authorizations=with_these,
            usage=usage,
            request_fingerprint=request_fingerprint,
        )

    decision = outcome_of(request, authorizations)
    facts = derive(request, reference, as_of)
    lifter = Lifter(authorizations, reference, facts, as_of, request_fingerprint)
    world = World(reference, as_of)
    accounts = [_account(rule, facts, world, lifter, usage, as_of) for rule in policies.rules]
    settling: dict[str, list[str]] = {}
    for account in accounts:
        for path in dict.fromkeys(p for c in account.combinations for p in c.unknown):
            settling.setdefault(path, []).append(f"{account.policy}/{account.rule}")
    changes = find_changes(request, decision, policies, reference, as_of, authorizations, outcome_of, for_author)
    return Explanation(
        decision,
        tuple(sorted(accounts, key=lambda a: (_RANK[a.answer], a.policy, a.rule))),
        tuple((path, tuple(rules)) for path, rules in sorted(settling.items())),
        changes,
    )


def _account(
    rule: CompiledRule, facts: Facts, world: World, lifter: Lifter, usage: Usage, as_of: datetime
) -> RuleAccount:
    effect, status = rule.effect_at(as_of), rule.status_at(as_of) or rule.status

    def account(answer: Answer, combinations: Sequence[Combination] = (), note: str | None = None) -> RuleAccount:
        return RuleAccount(rule.policy, rule.id, rule.title, effect, status, answer, tuple(combinations), note)

    why = _not_asked(rule, facts, as_of)
    if why is not None:
        return account("not_asked", note=why)
    of_items = "item" in rule.roots or "usage" in rule.roots
    items = [i for i in facts.items if isinstance(i.kind, Unknown) or i.kind in rule.kinds] if of_items else [None]
    parties = facts.parties if "party" in rule.roots else (None,)
    locations = facts.locations if "location" in rule.roots else (None,)
    if len(items) * len(parties) * len(locations) > MAX_COMBINATIONS:
        return account("indeterminate", note=f"more than {MAX_COMBINATIONS} combinations: the request is held")
    seen = usage_of(rule, facts, usage) if "usage" in rule.roots else None
    told: dict[Combination, None] = {}
    for item, party, location in product(items, parties, locations):
        scope = Scope(request=facts.request, item=item, party=party, location=location, usage=seen, world=world)
        told.setdefault(_combination(rule, scope, lifter))
    ordered = sorted(told, key=lambda c: (_RANK[c.answer], c.item or "", c.party or "", c.location or ""))
    note = f"{len(ordered) - MAX_SHOWN} more combinations" if len(ordered) > MAX_SHOWN else None
    return account(ordered[0].answer, ordered[:MAX_SHOWN], note)


def _not_asked(rule: CompiledRule, facts: Facts, as_of: datetime) -> str | None:
    start, stop = rule.effective
    if start is not None and as_of < start:
        return f"in force from {start.date()} only"
    if stop is not None and as_of >= stop:
        return f"in force until {stop.date()} only"
    status = rule.status_at(as_of)
    if not rule.in_force(as_of):
        return f"its status is {status}" if status is not None else "no status of it is dated so"
    if not facts.items:
        return "the request is known to carry no accelerator and no model"
    of_items = "item" in rule.roots or "usage" in rule.roots
    if of_items and not any(isinstance(item.kind, Unknown) or item.kind in rule.kinds for item in facts.items):
        return f"the request has no {' or '.join(sorted(rule.kinds))} item"
    return None


def _combination(rule: CompiledRule, scope: Scope, lifter: Lifter) -> Combination:
    labels = (item_label(scope.item), party_label(scope.party), location_label(scope.location))
    when = rule.when.ask_slowly(scope)
    finding = rule_finding(rule, scope, when)
    if finding is None:
        blamed = rule.when if when is False or rule.unless is None else rule.unless
        wanted = blamed is not rule.when
        clause, paths = settling_clause(blamed, scope, wanted)
        told = f"unless {clause}" if wanted else clause
        return Combination(*labels, "no_match", told, _values(scope, paths), ())
    words = Told()
    missing_facts(rule, finding, words)
    unknown = tuple(dict.fromkeys(path for path, _, _ in words.unknown))
    values = _values(scope, rule.paths)
    lift = lifter.lift(rule, scope)
    if lift is not None:
        return Combination(*labels, "lifted", None, values, unknown, lift.authorization)
    answer: Answer = "match" if finding.result is RuleResult.MATCH else "indeterminate"
    return Combination(*labels, answer, None, values, unknown)


def settling_clause(condition: CompiledCondition, scope: Scope, wanted: bool) -> tuple[str, tuple[str, ...]]:
    """The first part of *condition* that by itself makes it *wanted* (False: the first false clause of a chain of
    `&&`), as text, and the fact paths in it."""
    node = condition.tree
    chain = "or" if wanted else "and"
    while node.op == chain:
        for part in node.args:
            if CompiledCondition(part).ask_slowly(scope) is wanted:
                node = part
                break
        else:
            break
    return short(node), CompiledCondition(node).paths


def _values(scope: Scope, paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for path in paths:
        value = look_up(scope, path)
        if not hasattr(value, "__dataclass_fields__"):
            found.append((path, show(value)))
    return tuple(found)
