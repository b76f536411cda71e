"""A policy set over the symbolic request: what each rule says, and the outcome, as `decide.evaluate` works them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from exportguard.authoring.proof.encode import Encoder
from exportguard.authoring.proof.logic import B, both, conj, disj, either, neg
from exportguard.authoring.proof.scene import Scene
from exportguard.authoring.proof.terms import Term, holds, undecided
from exportguard.decide.plan import Signature
from exportguard.language import CompiledCondition, CompiledPolicySet, CompiledRule
from exportguard.vocabulary.decision import Effect, Outcome
from exportguard.vocabulary.request import Certainty

Env = Mapping[str, Term]


@dataclass(frozen=True, slots=True)
class Combination:
    """One item x party x location, if it is there. `party` is its index among the parties, None if none is asked."""

    there: B
    env: Env
    party: int | None
    location: Term | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of a request: it matches; it is open and does not match."""

    match: B
    open: B


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy set says of the symbolic request."""

    verdicts: Mapping[tuple[str, str], Verdict]
    outcomes: Mapping[Outcome, B]


class Judge:
    """Asks rules over one scene.

    Args:
        lifting: kinds of authorization that may be there: the widest imaginable one of each kind, which is in force,
            covers everything and names whoever can be named.
    """

    def __init__(self, scene: Scene, encoder: Encoder, as_of: datetime, lifting: frozenset[str] = frozenset()) -> None:
        self.scene, self.encoder, self.as_of, self.lifting = scene, encoder, as_of, lifting
        self._combinations: dict[Signature, list[Combination]] = {}

    def judge(self, policies: CompiledPolicySet) -> Judged:
        """Raises UnsupportedError where a rule uses what is not compiled to Z3."""
        verdicts: dict[tuple[str, str], Verdict] = {}
        deny: list[B] = []
        hold: list[B] = []
        for rule in policies.rules:
            if rule.in_force(self.as_of):
                verdict = self.verdict(rule)
                verdicts[rule.policy, rule.id] = verdict
                self._count(rule, verdict, deny, hold)
        denied, held = disj(deny), disj(hold)
        outcomes = {
            Outcome.DENY: denied,
            Outcome.HOLD: both(neg(denied), held),
            Outcome.ALLOW: conj((neg(denied), neg(held))),
        }
        return Judged(verdicts, outcomes)

    def _count(self, rule: CompiledRule, verdict: Verdict, deny: list[B], hold: list[B]) -> None:
        effect = rule.effect_at(self.as_of)
        if effect is Effect.FLAG:
            return
        (deny if effect is Effect.DENY else hold).append(verdict.match)
        if rule.if_unknown != "flag":
            hold.append(verdict.open)

    def verdict(self, rule: CompiledRule) -> Verdict:
        """What one rule says, asked of every combination."""
        usage = "usage" in rule.roots
        kinds = rule.kinds if usage or "item" in rule.roots else None
        signature = Signature(kinds, "party" in rule.roots, "location" in rule.roots, usage)
        match: list[B] = []
        open_: list[B] = []
        for combination in self.combinations(signature):
            env = combination.env
            if rule.per is not None:
                env = {**env, "usage": self.scene.usage(rule.per)}
            answer = self.encoder.condition(rule.when, env)
            there = combination.there
            if rule.unless is not None:
                there = both(there, neg(holds(self.encoder.condition(rule.unless, env))))
            if self.lifting & rule.authorizable_by:
                there = both(there, neg(self._lifted(combination)))
            sure = self._declared(combination.location)
            yes = both(there, holds(answer))
            match.append(both(yes, sure))
            open_.append(either(both(there, undecided(answer)), both(yes, neg(sure))))
        matched = disj(match)
        return Verdict(matched, both(neg(matched), disj(open_)))

    def matches_here(self, rule: CompiledRule, combination: Combination) -> B:
        """Whether *rule* matches one combination of at least its roots, whatever is sure of the place."""
        env = combination.env
        if rule.per is not None:
            env = {**env, "usage": self.scene.usage(rule.per)}
        yes = holds(self.encoder.condition(rule.when, env))
        if rule.unless is not None:
            yes = both(yes, neg(holds(self.encoder.condition(rule.unless, env))))
        item = env.get("item")
        return yes if item is None else both(yes, self._is_kind(item, rule.kinds))

    def _lifted(self, combination: Combination) -> B:
        named = True if combination.party is None else self.scene.can_be_named(combination.party)
        return both(self.scene.end_users_named, named)

    def _declared(self, location: Term | None) -> B:
        if location is None:
            return True
        certainty = location.value["certainty"]
        return self.scene.operations.words.one_of(certainty.value, frozenset((Certainty.DECLARED.value,)))

    def combinations(self, signature: Signature) -> list[Combination]:
        """Every combination that a group of rules is asked over."""
        if signature not in self._combinations:
            self._combinations[signature] = list(self._made(signature))
        return self._combinations[signature]

    def _made(self, signature: Signature) -> Iterator[Combination]:
        scene = self.scene
        none: list[tuple[B, Term | None]] = [(True, None)]
        items: list[tuple[B, Term | None]] = none
        if signature.kinds is not None:
            items = [(both(there, self._is_kind(item, signature.kinds)), item) for there, item in scene.items]
        parties = list(enumerate(scene.parties)) if signature.party else [(None, none[0])]
        locations = scene.locations if signature.location else none
        for (item_there, item), (index, (party_there, party)), (place_there, place) in product(
            items, parties, locations
        ):
            there = conj((item_there, party_there, place_there))
            if there is False:
                continue
            roots = {"request": scene.request, "item": item, "party": party, "location": place}
            yield Combination(there, {k: v for k, v in roots.items() if v is not None}, index, place)

    def _is_kind(self, item: Term, kinds: frozenset[str]) -> B:
        kind = item.value["kind"]
        return either(kind.open, self.scene.operations.words.one_of(kind.value, kinds))

    def some(self, condition: CompiledCondition | None) -> B:
        """Whether *condition* is surely true of some combination of what its roots name."""
        if condition is None:
            return True
        return disj(
            both(c.there, holds(self.encoder.condition(condition, c.env)))
            for c in self.combinations(_signature(condition.roots))
        )

    def every(self, condition: CompiledCondition | None) -> B:
        """Whether *condition* is surely true of every combination of what its roots name."""
        if condition is None:
            return True
        return conj(
            either(neg(c.there), holds(self.encoder.condition(condition, c.env)))
            for c in self.combinations(_signature(condition.roots))
        )

    def per_combination(self, roots: frozenset[str]) -> list[Combination]:
        return self.combinations(_signature(roots))


def _signature(roots: frozenset[str]) -> Signature:
    kinds = frozenset(("accelerator", "model")) if "item" in roots else None
    return Signature(kinds, "party" in roots, "location" in roots, False)
