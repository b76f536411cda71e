"""Each kind of claim as one formula: what a request would have to be to refute it, or to show it."""

from __future__ import annotations

from dataclasses import replace

from exportguard.authoring.proof.deciding import Judge, Verdict
from exportguard.authoring.proof.logic import B, both, conj, disj, neg, same
from exportguard.authoring.proof.mentions import Mentions
from exportguard.authoring.proof.properties import MOST, WITNESSED, Property
from exportguard.authoring.proof.terms import holds
from exportguard.authoring.proof.unknowns import Bounds
from exportguard.language import CompiledPolicySet, CompiledRule
from exportguard.vocabulary.decision import Outcome

OUTCOMES = {"allowed": Outcome.ALLOW, "held": Outcome.HOLD, "denied": Outcome.DENY}


def rules_of(claim: Property, policies: CompiledPolicySet) -> tuple[CompiledRule, ...]:
    """The rules that a claim needs to be looked at."""
    if claim.claim in ("shadowed", "not_shadowed"):
        if claim.by is None:
            return policies.rules
        named = {*claim.rules, *claim.by}
    elif claim.rules:
        named = set(claim.rules)
    else:
        return policies.rules
    return tuple(rule for rule in policies.rules if (rule.policy, rule.id) in named)


def needed_bounds(claim: Property, mentions: Mentions) -> Bounds:
    """How large a request has to be for the claim to be decided for requests of any size.

    Taking an item, a party or a place out of a request (the last end user and the last place aside) takes away
    combinations and changes none that is left. So a request that refutes a claim can be cut down to the combinations
    that do: one for `when`, one for the rule that spoils an outcome, and an end user.
    """
    kind = claim.claim
    alone = kind in ("never_allowed", "sometimes_allowed", "always_denied", "disjoint", "covers")
    combinations = 2 if kind in ("equivalent", "always_held") or (claim.when is not None and not alone) else 1
    return bounds_for(combinations, mentions)


def bounds_for(combinations: int, mentions: Mentions) -> Bounds:
    """The bounds of requests that have so many combinations to show, and an end user besides."""
    words = {name: len(codes) + 1 for name, codes in mentions.list_codes.items()}
    witnesses = {name: combinations * count for name, count in mentions.witnesses.items()}
    bounds = Bounds(
        items=combinations + witnesses.get("items", 0),
        parties=combinations + 1 + witnesses.get("parties", 0),
        locations=combinations,
        listings=min(max(2, words.get("listings", 0)), MOST),
        red_flags=min(max(2, words.get("red_flags", 0)), MOST),
    )
    if mentions.whole_lists:
        bounds = replace(bounds, items=max(2, bounds.items), parties=max(3, bounds.parties))
    return bounds


def covers_any_size(bounds: Bounds, needed: Bounds, mentions: Mentions) -> bool:
    """Whether nothing is lost by the bounds."""
    names = ("items", "parties", "locations", "listings", "red_flags")
    large_enough = all(getattr(bounds, name) >= getattr(needed, name) for name in names)
    few = all(len(codes) < MOST for codes in mentions.list_codes.values())
    return large_enough and few and not mentions.whole_lists and not mentions.loose_lists


def goal(claim: Property, judge: Judge, policies: CompiledPolicySet) -> B:
    """The formula of a request that refutes *claim* (or shows it, for the claims in `WITNESSED`)."""
    spoken_of = both(judge.some(claim.when), judge.every(claim.every))
    kind = claim.claim
    if kind in ("disjoint", "covers"):
        return both(judge.every(claim.every), _per_combination(claim, judge, policies))
    first, _, last = kind.partition("_")
    if last in OUTCOMES:
        outcome = judge.judge(policies).outcomes[OUTCOMES[last]]
        return both(spoken_of, neg(outcome) if first == "always" else outcome)
    return both(spoken_of, _of_rules(claim, judge, policies))


def _of_rules(claim: Property, judge: Judge, policies: CompiledPolicySet) -> B:
    kind = claim.claim
    if kind in ("shadowed", "not_shadowed"):
        whole = judge.judge(policies).outcomes
        rest = tuple(rule for rule in policies.rules if (rule.policy, rule.id) != claim.rules[0])
        without = judge.judge(replace(policies, rules=rest)).outcomes
        return neg(conj(same(whole[outcome], without[outcome]) for outcome in Outcome))
    verdicts = judge.judge(policies).verdicts
    asked = [verdicts.get(name, Verdict(False, False)) for name in claim.rules]
    if kind in ("never_matches", "can_match"):
        return asked[0].match
    if kind == "implies":
        return both(asked[0].match, neg(asked[1].match))
    return neg(both(same(asked[0].match, asked[1].match), same(asked[0].open, asked[1].open)))


def _per_combination(claim: Property, judge: Judge, policies: CompiledPolicySet) -> B:
    """`disjoint`: some combination that both rules match. `covers`: one of `when` that none of the rules matches."""
    rules = [rule for rule in policies.rules if (rule.policy, rule.id) in claim.rules and rule.in_force(judge.as_of)]
    roots = roots_of(claim, rules)
    found: list[B] = []
    for combination in judge.per_combination(roots):
        matches = [judge.matches_here(rule, combination) for rule in rules]
        spoken_of: B = True
        if claim.when is not None:
            spoken_of = holds(judge.encoder.condition(claim.when, combination.env))
        if claim.claim == "disjoint":
            refuted = conj(matches) if len(rules) == len(claim.rules) else False
        else:
            refuted = neg(disj(matches))
        found.append(conj((combination.there, spoken_of, refuted)))
    return disj(found)


def roots_of(claim: Property, rules: list[CompiledRule]) -> frozenset[str]:
    """What a claim about single combinations is asked over."""
    roots = frozenset[str]().union(*(rule.roots for rule in rules))
    return roots | (claim.when.roots if claim.when is not None else frozenset())


def mentions_of(claim: Property, rules: tuple[CompiledRule, ...]) -> Mentions:
    """What a claim and the rules that it is about look at."""
    return note_rules(Mentions().add_all((claim.when, claim.every)), rules)


def note_rules(mentions: Mentions, rules: tuple[CompiledRule, ...]) -> Mentions:
    for rule in rules:
        mentions.add(rule.when)
        if rule.unless is not None:
            mentions.add(rule.unless, lifts=True)
    return mentions


__all__ = ["WITNESSED", "covers_any_size", "goal", "mentions_of", "needed_bounds", "roots_of", "rules_of"]
