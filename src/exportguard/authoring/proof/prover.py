"""Proving: from a claim to *proved*, *refuted by this request*, or *not decided*."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import Any

from exportguard.authoring.proof import claims
from exportguard.authoring.proof.catalogue import Row, rows
from exportguard.authoring.proof.confirm import Found, Witness
from exportguard.authoring.proof.deciding import Judge
from exportguard.authoring.proof.encode import Encoder
from exportguard.authoring.proof.logic import B, z3
from exportguard.authoring.proof.mentions import Mentions
from exportguard.authoring.proof.operations import Operations
from exportguard.authoring.proof.properties import WITNESSED, Property
from exportguard.authoring.proof.reading import Reading
from exportguard.authoring.proof.scene import Scene
from exportguard.authoring.proof.terms import UnsupportedError
from exportguard.authoring.proof.unknowns import Bounds
from exportguard.errors import ExportguardError
from exportguard.language import CompiledPolicySet, CompiledRule
from exportguard.reference import ReferenceData
from exportguard.vocabulary import Authorization, Decision, Outcome
from exportguard.vocabulary.authorization import AuthorizationKind, AuthorizedParty, Effective
from exportguard.vocabulary.decision import RuleResult

_POLISH = 1.0
"""Seconds at most that go into making a counterexample readable."""


class ProofMismatchError(ExportguardError):
    """Z3 and the evaluator disagree about a request: a bug of exportguard, and none of its proofs can be relied on."""


class Status(StrEnum):
    PROVED = "proved"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Result:
    """How a claim fared.

    `found` is the request that refutes it (or shows it, for a claim that one request shows), confirmed by the
    evaluator, whose `decision` it is. `any_size`: the bounds lose nothing. `why` says why it is undecided, or refuted
    without a request.
    """

    claim: Property
    status: Status
    as_of: datetime
    bounds: Bounds
    any_size: bool
    seconds: float
    found: Found | None = None
    decision: Decision | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """A scene with everything that conditions need to be asked over it."""

    scene: Scene
    judge: Judge
    operations: Operations
    mentions: Mentions
    bounds: Bounds

    @property
    def facts(self) -> list[B]:
        return [*self.scene.restrictions, *self.operations.arithmetic.facts]


class Prover:
    """Proves claims about one policy set.

    Args:
        timeout: seconds for each claim; past them it is undecided.
    """

    def __init__(self, policies: CompiledPolicySet, reference: ReferenceData, *, timeout: float = 10.0) -> None:
        self.policies, self.reference, self.timeout = policies, reference, timeout
        self._rows: dict[Any, tuple[Row, ...]] = {}

    @cached_property
    def _screener(self) -> Any:
        from exportguard.parties.screening import load_lists

        return load_lists("default")

    def prove(self, claim: Property, as_of: datetime) -> Result:
        """Prove or refute *claim*; its own `as_of` wins over the one given.

        Raises:
            ProofMismatchError: a counterexample that the evaluator does not confirm.
        """
        as_of = claim.as_of or as_of
        start = time.perf_counter()
        rules = claims.rules_of(claim, self.policies)
        policies = replace(self.policies, rules=rules)
        mentions = claims.mentions_of(claim, rules)
        needed = claims.needed_bounds(claim, mentions)
        bounds = claim.bounds or needed
        any_size = claims.covers_any_size(bounds, needed, mentions)

        def result(status: Status, **more: Any) -> Result:
            return Result(claim, status, as_of, bounds, any_size, time.perf_counter() - start, **more)

        try:
            setting = self.setting(mentions, bounds, as_of, claim.lifting)
            goal = claims.goal(claim, setting.judge, policies)
        except UnsupportedError as error:
            return result(Status.UNDECIDED, why=f"not compiled to Z3: {error}")
        except ExportguardError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails in compiling is no proof, and says so
            return result(Status.UNDECIDED, why=f"compiling to Z3 failed ({type(error).__name__}: {error})"[:300])
        witnessed = claim.claim in WITNESSED
        answer, found, witness = self.search(
            setting, goal, policies, lambda w: _confirmed(claim, w, policies, as_of), self.timeout
        )
        if answer == "none":
            if witnessed:
                return result(Status.REFUTED, why="there is no such request")
            return result(Status.PROVED)
        if answer == "found":
            assert witness is not None
            status = Status.PROVED if witnessed else Status.REFUTED
            return result(status, found=found, decision=witness.decide(self.policies))
        return result(Status.UNDECIDED, why=answer)

    def setting(
        self,
        mentions: Mentions,
        bounds: Bounds,
        as_of: datetime,
        lifting: frozenset[str] = frozenset(),
    ) -> Setting:
        operations = Operations()
        key = (as_of, mentions.of_items())
        kinds = self._rows.get(key)
        if kinds is None:
            kinds = self._rows[key] = rows(self.reference, as_of, mentions)
        scene = Scene(self.reference, as_of, mentions, bounds, operations, kinds, names_count=bool(lifting))
        encoder = Encoder(lambda name: self.reference.country_group(name, as_of), operations)
        return Setting(scene, Judge(scene, encoder, as_of, lifting), operations, mentions, bounds)

    def search(
        self, setting: Setting, goal: B, policies: CompiledPolicySet, confirmed: Any, timeout: float
    ) -> tuple[str, Found | None, Witness | None]:
        """*none*, *found* with the request, or why neither is known.

        Raises:
            ProofMismatchError: see above.
        """
        if goal is False:
            return "none", None, None
        end = time.perf_counter() + timeout
        exact = setting.operations.arithmetic.exact
        for tightened in (False, True):
            solver = _Solver([*setting.facts, goal, *(exact if tightened else ())], end)
            answer = solver.check()
            if answer == "unsat" and not tightened:
                return "none", None, None
            if answer == "unsat":
                return "it turns on how doubles are rounded", None, None
            if answer != "sat":
                return answer, None, None
            plain = solver.model
            for model in (solver.polished(setting.scene.wishes), plain):
                found = self._found(setting, model)
                for screened in (True, False):
                    found = replace(found, screened=screened)
                    witness = self._witness(found, setting, policies)
                    if confirmed(witness):
                        return "found", found, witness
            if not exact or (tightened and _are_doubles(exact, plain)):
                _mismatch(found)
        return "it turns on how doubles are rounded", None, None

    def _witness(self, found: Found, setting: Setting, policies: CompiledPolicySet) -> Witness:
        return Witness(
            found, self.reference, setting.judge.as_of, policies.ownership_questions | setting.mentions.questions,
            self._screener if found.screened else None,
        )  # fmt: skip

    def _found(self, setting: Setting, model: Any) -> Found:
        """The request behind a model."""
        reading = Reading(model, setting.operations.words)
        document = setting.scene.document(reading)
        return Found(
            document,
            _authorizations(setting.judge.lifting, document, setting.judge.as_of),
            setting.scene.readings(reading),
        )


class _Solver:
    """One question to Z3, and the model of its answer.

    Z3's incremental solver comes first: it answers most policy sets soonest. Where it gives up, the other one is asked.
    """

    def __init__(self, formulas: list[B], end: float) -> None:
        self._formulas = [f for f in formulas if f is not True]
        self._end = end
        self._solver = z3().Solver()
        self._solver.push()
        self._solver.add(*self._formulas)
        self.model: Any = None

    def check(self) -> str:
        """*sat*, *unsat*, or why neither is known."""
        module = z3()
        if time.perf_counter() >= self._end:
            return "the time ran out"  # asked no more: Z3's own clock counts whole milliseconds, and may be quick
        answer = self._ask(self._end)
        if answer == module.unknown and time.perf_counter() < self._end:
            self._solver = module.Solver()
            self._solver.add(*self._formulas)
            answer = self._ask(self._end)
        if answer == module.unknown:
            reason = self._solver.reason_unknown()
            late = any(word in reason for word in ("timeout", "canceled", "no time"))
            return "the time ran out" if late else f"Z3 gave up: {reason}"
        if answer == module.sat:
            self.model = self._solver.model()
        return str(answer)

    def _ask(self, end: float) -> Any:
        self._solver.set("timeout", max(1, int((end - time.perf_counter()) * 1000)))
        return self._solver.check()

    def polished(self, wishes: list[B]) -> Any:
        """A model that satisfies as many of *wishes* as time allows, those first that come first."""
        module = z3()
        stop = min(self._end, time.perf_counter() + _POLISH)
        model = self.model
        for wish in wishes:
            if time.perf_counter() >= stop:
                break
            if module.is_true(model.eval(wish, model_completion=True)):
                self._solver.add(wish)
                continue
            self._solver.push()
            self._solver.add(wish)
            if self._ask(stop) == module.sat:
                model = self._solver.model()
            else:
                self._solver.pop()
        return model


def _are_doubles(exact: list[B], model: Any) -> bool:
    """Whether every computed double of a model is one, so that nothing was rounded."""
    values = [model.eval(equation.arg(1), model_completion=True) for equation in exact]
    known = [Fraction(str(value.as_fraction())) for value in values if z3().is_rational_value(value)]
    return len(known) == len(values) and all(abs(v) < 2**1000 and Fraction(float(v)) == v for v in known)


def _mismatch(found: Found | None) -> None:
    import json

    shown = json.dumps(found.document, ensure_ascii=False) if found is not None else "none"
    raise ProofMismatchError(
        "internal error: Z3 found a request of which the evaluator says otherwise; no proof of this version can be "
        f"relied on until that is mended. Please report it, with the policies and this request: {shown}"
    )


def _authorizations(lifting: frozenset[str], document: dict[str, Any], as_of: datetime) -> tuple[Authorization, ...]:
    """The widest authorization of each kind that may be there, naming whoever can be named."""
    parties = tuple(
        AuthorizedParty(role=party["role"], name=party["name"])
        for party in document["parties"]
        if "role" in party and isinstance(party.get("name"), str)
    )
    return tuple(
        Authorization(
            id=f"example-{kind}",
            kind=AuthorizationKind(kind),
            scope="true",
            parties=parties,
            effective=Effective(from_=as_of.astimezone(UTC).date()),
            requested_by="a@example.com",
            approved_by=("b@example.com",),
        )
        for kind in sorted(lifting)
        if parties
    )


def _confirmed(claim: Property, witness: Witness, policies: CompiledPolicySet, as_of: datetime) -> bool:
    """Whether the evaluator says of the request what the formula says of it."""
    kind = claim.claim
    rules = {(rule.policy, rule.id): rule for rule in policies.rules}
    if kind in ("disjoint", "covers"):
        in_force = [rule for name, rule in rules.items() if name in claim.rules and rule.in_force(as_of)]
        return witness.every(claim.every) and _combination(claim, witness, in_force)
    if not (witness.some(claim.when) and witness.every(claim.every)):
        return False
    first, _, last = kind.partition("_")
    if last in claims.OUTCOMES:
        got = witness.decide(policies).outcome is claims.OUTCOMES[last]
        return not got if first == "always" else got
    if kind in ("shadowed", "not_shadowed"):
        rest = tuple(rule for name, rule in rules.items() if name != claim.rules[0])
        return witness.decide(policies).outcome is not witness.decide(replace(policies, rules=rest)).outcome
    results = [
        witness.result(rules[name], policies) if rules[name].in_force(as_of) else RuleResult.NO_MATCH
        for name in claim.rules
    ]
    if kind in ("never_matches", "can_match"):
        return results[0] is RuleResult.MATCH
    if kind == "implies":
        return results[0] is RuleResult.MATCH and results[1] is not RuleResult.MATCH
    return results[0] is not results[1]


def _combination(claim: Property, witness: Witness, rules: list[CompiledRule]) -> bool:
    roots = claims.roots_of(claim, rules)
    for scope, answer in (
        witness.answers(claim.when, roots) if claim.when is not None else _scopes(witness, roots, rules)
    ):
        if answer is not True:
            continue
        matching = [witness.matches(rule, scope) for rule in rules]
        if all(matching) if claim.claim == "disjoint" else not any(matching):
            return True
    return False


def _scopes(witness: Witness, roots: frozenset[str], rules: list[CompiledRule]) -> list[tuple[Any, Any]]:
    return [(scope, True) for scope, _ in witness.answers(rules[0].when, roots)]


__all__ = ["Outcome", "ProofMismatchError", "Prover", "Result", "Setting", "Status"]
