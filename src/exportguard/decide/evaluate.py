"""The decision point. Pure: equal arguments give equal decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product

from exportguard.decide import explain
from exportguard.decide.combine import combine
from exportguard.decide.derive import Facts, derive
from exportguard.decide.lift import Lifter
from exportguard.decide.plan import Asked, Finding, Group, Plan, plan
from exportguard.language import Cause, CompiledPolicySet, CompiledRule, Indeterminate, Scope, World
from exportguard.reference import ReferenceData
from exportguard.vocabulary.authorization import Authorization
from exportguard.vocabulary.building import made
from exportguard.vocabulary.decision import Decision, Effect, Lifted, Outcome, Reason, RuleResult, UnknownFact
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.questions import NO_USAGE, Usage, UsageQuestion
from exportguard.vocabulary.request import Certainty, NotApplicable, ProvisioningRequest
from exportguard.vocabulary.scope import UNKNOWN_USAGE, ItemView, LocationView, PartyView, UsageView

MAX_COMBINATIONS = 20_000
"""Item x party x location, a rule. Past it the request is held: a bound on time may not become a way around."""

MAX_ADVICE = 2000
"""Characters of one piece of advice, as its document has them."""

NO_ITEM = "no_item"

_DECLARED = Certainty.DECLARED.value
# Said once: an enumeration's member is looked up anew, and slowly, each time its class is asked for it.
_HOLD, _FLAG = Effect.HOLD, Effect.FLAG
_ALLOW = Outcome.ALLOW
_MATCH, _NO_MATCH, _OPEN = RuleResult.MATCH, RuleResult.NO_MATCH, RuleResult.INDETERMINATE


def decide(
    request: ProvisioningRequest,
    policies: CompiledPolicySet,
    reference: ReferenceData,
    *,
    as_of: datetime,
    authorizations: Sequence[Authorization] = (),
    usage: Usage = NO_USAGE,
    request_fingerprint: str | None = None,
    facts: Facts | None = None,
) -> Decision:
    """Decide *request* under the rules in force at *as_of*.

    Pure: equal arguments give equal decisions (the guard adds the decision id). An unknown fact never
    counts as false; a rule that one leaves indeterminate holds the request.

    Args:
        request: facts as observed, parties resolved; dated facts (ECCN, groups) are derived here.
        policies: compiled and checked.
        reference: the dated facts; its digest goes into the decision.
        as_of: timezone-aware; selects dated rules and thresholds. Never defaults to now.
        authorizations: what may lift a rule; matching them is done here, drawing on them is the guard's.
        usage: what the ledger read before this call; the reservation is conditional on it.
        request_fingerprint: of this request, where the caller has one: an approval of one held request lifts
            that request alone, and lifts nothing when this is None.
        facts: what `derive` makes of *request* at *as_of*, where the caller has it already.

    Raises:
        NaiveInstantError: *as_of* has no timezone.
    """
    repeats = facts is not None and not authorizations and usage is NO_USAGE
    if facts is None:
        facts = derive(request, reference, as_of)
    if not facts.items:
        return _decision(request, policies, reference, as_of, facts, _ALLOW, not_applicable=NO_ITEM)
    if repeats:
        return _decided_once(request, policies, reference, as_of, facts)
    return _decide(request, policies, reference, as_of, authorizations, usage, request_fingerprint, facts)


def _decided_once(
    request: ProvisioningRequest,
    policies: CompiledPolicySet,
    reference: ReferenceData,
    as_of: datetime,
    facts: Facts,
) -> Decision:
    """The decision on the very facts that were decided on before, in the same period of the same rules, is the same but
    for the request that it carries and its instant."""
    planned = plan(policies, reference, as_of)
    key = (id(facts), id(planned))
    known = _decided.get(key)
    if known is None:
        decision = _decide(request, policies, reference, as_of, (), NO_USAGE, None, facts)
        if len(_decided) >= _KEPT:
            _decided.clear()
        _decided[key] = (facts, planned, decision)
        return decision
    stated = request.parties
    said = {"request": request, "parties": () if isinstance(stated, Unknown) else stated, "as_of": as_of}
    return made(Decision, {**known[2].__dict__, **said})


_KEPT = 512
_decided: dict[tuple[int, int], tuple[Facts, Plan, Decision]] = {}
"""By identity, each kept with its objects, so that no others can have their identities."""


def _decide(
    request: ProvisioningRequest,
    policies: CompiledPolicySet,
    reference: ReferenceData,
    as_of: datetime,
    authorizations: Sequence[Authorization],
    usage: Usage,
    request_fingerprint: str | None,
    facts: Facts,
) -> Decision:
    found = findings(facts, policies, reference, as_of, usage)
    lifter = Lifter(authorizations, reference, facts, as_of, request_fingerprint) if authorizations else None
    if not found and lifter is None:
        return _decision(request, policies, reference, as_of, facts, _ALLOW)
    results: list[tuple[Effect, RuleResult, bool]] = []
    reasons: list[tuple[Asked, RuleResult, Sequence[Reason]]] = []
    idle: list[tuple[Asked, RuleResult, Sequence[Reason]]] = []  # of open rules that hold nothing
    lifted: list[Lifted] = []
    advice: list[str] = []
    flags: list[str] = []
    words, say = explain.Told(), explain.reason
    for asked, each in found:
        if each is None:
            results.append((_HOLD, _MATCH, True))
            reasons.append((asked._replace(effect=_HOLD), _MATCH, [explain.too_many(asked.rule, MAX_COMBINATIONS)]))
            continue
        rule, effect, _, _, holds = asked
        left = each
        if lifter is not None:
            left = []
            for finding in each:
                lift = lifter.lift(rule, finding.scope)
                if lift is not None:
                    lifted.append(lift)
                else:
                    left.append(finding)
        if len(left) == 1:
            only = left[0]
            result = only[0]
            shown = [say(asked, only, words)]
        else:
            result = _worst(finding.result for finding in left)
            shown = explain.rule_reasons(asked, [finding for finding in left if finding.result is result], words)
        results.append((effect, result, holds))
        if holds or result is not _OPEN:
            reasons.append((asked, result, shown))
        else:
            idle.append((asked, result, shown))
        if effect is _FLAG:
            if result is _MATCH:
                flags.append(rule.id)
                advice += [f"{rule.policy}/{rule.id}: {reason.message}"[:MAX_ADVICE] for reason in shown]
        elif not holds and result is _OPEN:
            advice.append(f"{rule.policy}/{rule.id} is open and holds nothing: {rule.title}"[:MAX_ADVICE])
    return _decision(
        request,
        policies,
        reference,
        as_of,
        facts,
        combine(results),
        reasons=explain.ordered(reasons) + explain.ordered(idle),
        unknown=explain.distinct_unknowns(words.unknown.values()),
        lifted=tuple(dict.fromkeys(sorted(lifted, key=lambda x: (x.authorization, x.rule)))),
        advice=tuple(sorted({*advice, *(lifter.advice() if lifter is not None else ())})),
        flags=flags,
    )


def not_applicable(
    observation: NotApplicable, policies: CompiledPolicySet, reference: ReferenceData, *, as_of: datetime
) -> Decision:
    """The decision on a call outside the surface: ALLOW, with that reason."""
    return Decision(
        outcome=Outcome.ALLOW,
        as_of=as_of,
        policy_digest=policies.digest,
        reference_digest=reference.digest,
        not_applicable=observation.reason,
    )


def questions_that_matter(
    facts: Facts, policies: CompiledPolicySet, reference: ReferenceData, *, as_of: datetime
) -> frozenset[UsageQuestion]:
    """The questions about cumulative use that the decision on a request of these *facts* can hang on: those of rules
    that are not surely false whatever was used. What others use meanwhile cannot change the rest. Pure."""
    planned = plan(policies, reference, as_of)
    if not planned.usage or not facts.items:
        return frozenset()
    asked = (each.rule.per for each, _ in _of_groups(planned.usage, facts, planned.world, NO_USAGE))
    return frozenset(question for question in asked if question is not None)


def findings(
    facts: Facts, policies: CompiledPolicySet, reference: ReferenceData, as_of: datetime, usage: Usage
) -> list[tuple[Asked, list[Finding] | None]]:
    """What the rules in force say that are not surely false; None: more combinations than may be asked."""
    planned = plan(policies, reference, as_of)
    view, items, parties, locations = facts.request, facts.items, facts.parties, facts.locations
    if len(items) == len(parties) == len(locations) == 1 and not isinstance(items[0].kind, Unknown):
        rules, signatures, over, together = planned.single(items[0].kind)
        item, party, location = items[0], parties[0], locations[0]
        sure = location.certainty == _DECLARED
        found: list[tuple[Asked, list[Finding] | None]] = []
        scopes: list[Scope | None] = [None] * len(signatures)
        for position, answer in together(view, item, party, location):
            asked, signature = rules[position], over[position]
            scope = scopes[signature]
            if scope is None:
                kinds, of_party, of_location, _ = signatures[signature]
                scope = scopes[signature] = Scope(
                    request=view,
                    item=item if kinds is not None else None,
                    party=party if of_party else None,
                    location=location if of_location else None,
                    world=planned.world,
                )
            rule = asked.rule
            if answer.__class__ is Indeterminate and rule.unless is None and sure:
                # What `rule_finding` says of it: much of what is open for facts that are missing is open here.
                found.append((asked, [Finding(_OPEN, scope, answer.causes)]))
                continue
            finding = rule_finding(rule, scope, answer if answer is not None else rule.when.ask_slowly(scope))
            if finding is not None:
                found.append((asked, [finding]))
        return [*found, *_of_groups(planned.usage, facts, planned.world, usage)] if planned.usage else found
    return _of_groups(planned.groups, facts, planned.world, usage)


def _of_groups(
    groups: Sequence[Group], facts: Facts, world: World, usage: Usage
) -> list[tuple[Asked, list[Finding] | None]]:
    view = facts.request
    told: list[tuple[Asked, list[Finding] | None]] = []
    for signature, rules, together in groups:
        items: Sequence[ItemView | None] = (None,)
        if signature.kinds is not None:
            items = _items(facts.items, signature.kinds)
        parties: Sequence[PartyView | None] = facts.parties if signature.party else (None,)
        locations: Sequence[LocationView | None] = facts.locations if signature.location else (None,)
        if len(items) * len(parties) * len(locations) > MAX_COMBINATIONS:
            told += [(asked, None) for asked in rules]
            continue
        found: dict[int, list[Finding]] = {}
        seen = [usage_of(asked.rule, facts, usage) for asked in rules] if together is None else ()
        for item, party, location in product(items, parties, locations):
            scope = Scope(request=view, item=item, party=party, location=location, world=world)
            if together is not None:
                for position, answer in together(view, item, party, location):
                    rule = rules[position].rule
                    said = answer if answer is not None else rule.when.ask_slowly(scope)
                    _note(found, position, rule_finding(rule, scope, said))
                continue
            for position, asked in enumerate(rules):
                scope = Scope(
                    request=view, item=item, party=party, location=location, usage=seen[position], world=world
                )
                _note(found, position, rule_finding(asked.rule, scope, asked.rule.when(scope)))
        told += [(rules[position], each) for position, each in found.items()]
    return told


def _items(items: tuple[ItemView, ...], kinds: frozenset[str]) -> Sequence[ItemView]:
    """Those of one of *kinds*, or of unknown kind; equal ones once: a fleet of fifty is a handful of accelerators."""
    if len(items) == 1:
        kind = items[0].kind
        return items if isinstance(kind, Unknown) or kind in kinds else ()
    seen: dict[ItemView, ItemView] = {}
    for item in items:
        if isinstance(item.kind, Unknown) or item.kind in kinds:
            seen.setdefault(replace(item, index=0), item)
    return list(seen.values())


def _note(found: dict[int, list[Finding]], position: int, finding: Finding | None) -> None:
    if finding is not None:
        found.setdefault(position, []).append(finding)


def rule_finding(rule: CompiledRule, scope: Scope, answer: bool | Indeterminate) -> Finding | None:
    """What *rule*, whose condition gives *answer*, says of *scope* after its `unless`; None: it does not match."""
    if answer is False:
        return None
    causes: tuple[Cause, ...] = answer.causes if isinstance(answer, Indeterminate) else ()
    result = _MATCH if answer is True else _OPEN
    if rule.unless is not None:
        lifting = rule.unless(scope)
        if lifting is True:
            return None
        if isinstance(lifting, Indeterminate):
            causes = (*causes, *lifting.causes)
    location = scope.location
    if result is _MATCH and isinstance(location, LocationView) and location.certainty != _DECLARED:
        place = location.country if isinstance(location.country, str) else "a place that is not known"
        result = _OPEN
        causes = (*causes, Cause("location.certainty", f"it may, but need not, be placed in {place}"))
    return Finding(result, scope, causes)


def usage_of(rule: CompiledRule, facts: Facts, usage: Usage) -> UsageView:
    """What the ledger read, plus what this request asks for."""
    reading = usage.get(rule.per) if rule.per is not None else None
    if reading is None:
        return UNKNOWN_USAGE
    models = [item for item in facts.items if item.kind != "accelerator"]
    chips = [item for item in facts.items if item.kind != "model"]
    return UsageView(
        tokens=_added(reading.tokens, [item.tokens for item in models]),  # type: ignore[arg-type]
        accelerators=_added(reading.accelerators, [item.count for item in chips]),
        tpp=_added(reading.tpp, [item.total_tpp for item in chips]),
    )


def _added(before: Maybe[float], asked: Sequence[Maybe[float] | None]) -> Maybe[float]:
    total = before
    for amount in asked:
        if isinstance(total, Unknown):
            return total
        if isinstance(amount, Unknown):
            return amount
        total += amount or 0
    return total


def _worst(results: Iterable[RuleResult]) -> RuleResult:
    worst = _NO_MATCH
    for result in results:
        if result is _MATCH:
            return result
        worst = result
    return worst


def _decision(
    request: ProvisioningRequest,
    policies: CompiledPolicySet,
    reference: ReferenceData,
    as_of: datetime,
    facts: Facts,
    outcome: Outcome,
    *,
    reasons: tuple[Reason, ...] = (),
    unknown: tuple[UnknownFact, ...] = (),
    lifted: tuple[Lifted, ...] = (),
    advice: tuple[str, ...] = (),
    flags: Sequence[str] = (),
    not_applicable: str | None = None,
) -> Decision:
    seen = facts.request.red_flags
    known = () if isinstance(seen, Unknown) else seen
    return made(
        Decision,
        {
            "decision_id": None,
            "outcome": outcome,
            "reasons": reasons,
            "unknown": unknown,
            "lifted": lifted,
            "advice": advice,
            "red_flags": tuple(sorted({*known, *flags})) if known or flags else (),
            "as_of": as_of,
            "policy_digest": policies.digest,
            "reference_digest": reference.digest,
            "request": request,
            "parties": () if isinstance(request.parties, Unknown) else request.parties,
            "not_applicable": not_applicable,
            "id": None,
        },
    )
