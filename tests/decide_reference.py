"""Deciding, read off the design line by line: no plan, no index, no generated code, no explanation."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from typing import Any

from exportguard.decide.derive import derive
from exportguard.language import CompiledPolicySet, CompiledRule, Scope, World
from exportguard.reference import ReferenceData
from exportguard.vocabulary import Effect, Outcome, ProvisioningRequest, Unknown
from language_reference import OPEN, ask


def outcome(
    request: ProvisioningRequest, policies: CompiledPolicySet, reference: ReferenceData, as_of: datetime
) -> tuple[Outcome, set[tuple[str, str]]]:
    """The outcome without authorizations, and (rule, `match` or `indeterminate`) of each that is not `no_match`."""
    facts = derive(request, reference, as_of)
    if not facts.items:
        return Outcome.ALLOW, set()
    world = World(reference, as_of)
    told: set[tuple[str, str]] = set()
    found = Outcome.ALLOW
    for rule in policies.rules:
        if not _in_force(rule, as_of):
            continue
        answers = set()
        for item, party, location in product(
            [i for i in facts.items if isinstance(i.kind, Unknown) or i.kind in rule.kinds]
            if "item" in rule.roots
            else [None],
            facts.parties if "party" in rule.roots else [None],
            facts.locations if "location" in rule.roots else [None],
        ):
            scope = Scope(request=facts.request, item=item, party=party, location=location, world=world)
            answers.add(_combination(rule, scope))
        result = "match" if "match" in answers else "indeterminate" if "indeterminate" in answers else "no_match"
        if result == "no_match":
            continue
        told.add((rule.id, result))
        if rule.effect is Effect.FLAG:
            continue
        if result == "match" and rule.effect is Effect.DENY:
            found = Outcome.DENY
        elif found is Outcome.ALLOW and (result == "match" or rule.if_unknown == "hold"):
            found = Outcome.HOLD
    return found, told


def _combination(rule: CompiledRule, scope: Any) -> str:
    when = ask(rule.when.tree, scope)
    unless = ask(rule.unless.tree, scope) if rule.unless is not None else False
    if when is False or unless is True:
        return "no_match"
    possible = scope.location is not None and scope.location.certainty == "possible"
    return "indeterminate" if when is OPEN or possible else "match"


def _in_force(rule: CompiledRule, as_of: datetime) -> bool:
    periods = [rule.effective, *(p for s, p in rule.statuses if s in ("enforced", "codified", "unverified"))]

    def covers(period: Any) -> bool:
        start, stop = period
        return (start is None or start <= as_of) and (stop is None or as_of < stop)

    return covers(periods[0]) and any(map(covers, periods[1:]))
