"""The account of a decision as plain data: each rule, the tree of its condition with what every part said, and why."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from exportguard.decide import explain_decision
from exportguard.decide.derive import Facts, derive
from exportguard.decide.evaluate import MAX_COMBINATIONS, rule_finding, usage_of
from exportguard.decide.explain import item_label, location_label, look_up, party_label, show
from exportguard.language import CompiledCondition, CompiledRule, Indeterminate, Scope, World
from exportguard.language.syntax import Node
from exportguard.language.wording import short
from exportguard.vocabulary.decision import RuleResult
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import NO_USAGE, Usage

if TYPE_CHECKING:
    from datetime import datetime

    from exportguard.decide.why import Explanation
    from exportguard.judging import State
    from exportguard.vocabulary import ProvisioningRequest

_MOST = 2_000
"""Combinations that are looked through for the one whose tree is shown."""


def account(
    state: State, request: ProvisioningRequest, as_of: datetime, usage: Usage = NO_USAGE, *, for_author: bool = False
) -> dict[str, Any]:
    """Why *request* (its parties resolved) is decided as it is.

    Args:
        for_author: also changes of facts that would get round a rule. Never for whoever asks for the item.
    """
    told = explain_decision(
        request,
        state.policies,
        state.reference,
        as_of=as_of,
        authorizations=state.authorizations,
        usage=usage,
        for_author=for_author,
    )
    facts = derive(request, state.reference, as_of)
    world = World(state.reference, as_of)
    rules = {(rule.policy, rule.id): rule for rule in state.policies.rules}
    return {
        "decision": told.decision.model_dump(mode="json"),
        "rules": [_rule(each, rules[each.policy, each.rule], facts, world, usage) for each in told.rules],
        "settling": _settling(told),
        "changes": [
            {
                "outcome": change.outcome.value,
                "kind": "evasive" if change.evasive else "obtainable",
                "how": change.how,
                "steps": [{"path": step.path, "now": step.now, "then": step.then} for step in change.steps],
            }
            for change in told.changes
        ],
    }


def _settling(told: Explanation) -> list[dict[str, Any]]:
    how = {fact.path: fact.how for fact in told.decision.unknown}
    return [{"path": path, "rules": list(rules), "how": how.get(path)} for path, rules in told.settling]


def _rule(told: Any, rule: CompiledRule, facts: Facts, world: World, usage: Usage) -> dict[str, Any]:
    made: dict[str, Any] = {
        "rule": f"{told.policy}/{told.rule}",
        "title": told.title,
        "effect": told.effect.value,
        "status": told.status,
        "basis": rule.basis,
        "cites": list(rule.cites),
        "remedy": rule.remedy,
        "authorizable_by": sorted(rule.authorizable_by),
        "answer": told.answer,
        "note": told.note,
        "combinations": [
            {
                "item": each.item,
                "party": each.party,
                "location": each.location,
                "answer": each.answer,
                "clause": each.clause,
                "values": dict(each.values),
                "unknown": list(each.unknown),
                "authorization": each.authorization,
            }
            for each in told.combinations
        ],
    }
    if told.answer != "not_asked":
        scope = _worst(rule, facts, world, usage)
        if scope is not None:
            made["tree"] = {
                "item": item_label(scope.item),
                "party": party_label(scope.party),
                "location": location_label(scope.location),
                "when": tree(rule.when.tree, scope),
                "unless": tree(rule.unless.tree, scope) if rule.unless is not None else None,
            }
    return made


def _worst(rule: CompiledRule, facts: Facts, world: World, usage: Usage) -> Scope | None:
    """The combination that weighs most: a match, else an open one, else the first."""
    of_items = "item" in rule.roots or "usage" in rule.roots
    items = [i for i in facts.items if isinstance(i.kind, Unknown) or i.kind in rule.kinds] if of_items else [None]
    parties = facts.parties if "party" in rule.roots else (None,)
    locations = facts.locations if "location" in rule.roots else (None,)
    if len(items) * len(parties) * len(locations) > min(_MOST, MAX_COMBINATIONS):
        return None
    seen = usage_of(rule, facts, usage) if "usage" in rule.roots else None
    found: tuple[int, Scope] | None = None
    for item, party, location in product(items, parties, locations):
        scope = Scope(request=facts.request, item=item, party=party, location=location, usage=seen, world=world)
        finding = rule_finding(rule, scope, rule.when(scope))  # type: ignore[arg-type,unused-ignore]
        rank = 2 if finding is None else 0 if finding.result is RuleResult.MATCH else 1
        if found is None or rank < found[0]:
            found = rank, scope
    return found[1] if found is not None else None


def tree(node: Node, scope: Scope) -> dict[str, Any]:
    """What each part of a condition said: `op`, `text`, `answer` (true, false, open), and its parts or its facts."""
    asked = CompiledCondition(node)
    answer = asked.ask_slowly(scope)
    made: dict[str, Any] = {
        "op": node.op if node.op in ("and", "or", "not") else "clause",
        "text": short(node),
        "answer": "open" if isinstance(answer, Indeterminate) else "true" if answer else "false",
    }
    if node.op in ("and", "or", "not"):
        made["parts"] = [tree(arg, scope) for arg in node.args]
        return made
    made["values"] = {}
    for path in asked.paths:
        value = look_up(scope, path)
        if not hasattr(value, "__dataclass_fields__"):
            made["values"][path] = show(value)
    if isinstance(answer, Indeterminate):
        made["unknown"] = [{"path": cause.path, "why": cause.reason} for cause in answer.causes]
    return made
