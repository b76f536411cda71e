"""What the evaluator says of a request that Z3 found: the last word on every counterexample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import product
from typing import Any

from exportguard.decide import decide
from exportguard.decide.derive import Facts, derive
from exportguard.judging import read_document
from exportguard.language import CompiledCondition, CompiledPolicySet, CompiledRule, Scope, World
from exportguard.parties import load_directory, resolve
from exportguard.reference import ReferenceData
from exportguard.vocabulary import Authorization, Decision, ProvisioningRequest
from exportguard.vocabulary.decision import RuleResult
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import OwnershipQuestion, UsageQuestion, UsageReading


@dataclass(frozen=True)
class Found:
    """A request that Z3 found, with what has to stand beside it: authorizations, and what the ledger has read.

    `screened`: it is decided so where names are screened, as `exportguard check` does. False: only by a guard that
    leaves the listings of a named party open (`lists=None`, a list that is too old, a name under review).
    """

    document: dict[str, Any]
    authorizations: tuple[Authorization, ...]
    usage: Mapping[UsageQuestion, UsageReading]
    screened: bool = True


class Witness:
    """One found request before the evaluator, resolved as `exportguard check` resolves it."""

    def __init__(
        self,
        found: Found,
        reference: ReferenceData,
        as_of: datetime,
        questions: frozenset[OwnershipQuestion],
        screener: Any,
    ) -> None:
        self.found, self._reference, self._as_of = found, reference, as_of
        read = read_document(found.document, "counterexample")
        assert isinstance(read, ProvisioningRequest)
        self.request = resolve(
            read,
            directory=load_directory(None),
            screener=screener,
            reference=reference,
            questions=questions,
            as_of=as_of,
        ).request

    @cached_property
    def facts(self) -> Facts:
        return derive(self.request, self._reference, self._as_of)

    def decide(self, policies: CompiledPolicySet) -> Decision:
        return decide(
            self.request,
            policies,
            self._reference,
            as_of=self._as_of,
            authorizations=self.found.authorizations,
            usage=self.found.usage,
        )

    def result(self, rule: CompiledRule, policies: CompiledPolicySet) -> RuleResult:
        """What one rule says, asked alone."""
        decision = self.decide(replace(policies, rules=(rule,)))
        results = {reason.result for reason in decision.reasons}
        for result in (RuleResult.MATCH, RuleResult.INDETERMINATE):
            if result in results:
                return result
        return RuleResult.NO_MATCH

    def answers(self, condition: CompiledCondition, roots: frozenset[str]) -> list[tuple[Scope, Any]]:
        """The answers to *condition* over every combination of *roots*."""
        facts = self.facts
        world = World(self._reference, self._as_of)
        return [
            (scope, condition(scope))
            for scope in (
                Scope(world=world, request=facts.request, item=item, party=party, location=location)
                for item, party, location in product(
                    facts.items if "item" in roots else (None,),
                    facts.parties if "party" in roots else (None,),
                    facts.locations if "location" in roots else (None,),
                )
            )
        ]

    def some(self, condition: CompiledCondition | None) -> bool:
        return condition is None or any(answer is True for _, answer in self.answers(condition, condition.roots))

    def every(self, condition: CompiledCondition | None) -> bool:
        return condition is None or all(answer is True for _, answer in self.answers(condition, condition.roots))

    def matches(self, rule: CompiledRule, scope: Scope) -> bool:
        """Whether *rule* matches one combination, whatever is sure of the place."""
        kind = getattr(scope.item, "kind", None)
        if scope.item is not None and not isinstance(kind, Unknown) and kind not in rule.kinds:
            return False
        return rule.when(scope) is True and (rule.unless is None or rule.unless(scope) is not True)
