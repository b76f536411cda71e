"""What cases have tried of the rules: results, both outcomes of each clause, both sides of each bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING, Any

from exportguard.decide.derive import Facts, derive
from exportguard.decide.evaluate import MAX_COMBINATIONS, usage_of
from exportguard.language import CompiledPolicySet, CompiledRule, Indeterminate, Scope, World
from exportguard.language.syntax import Node
from exportguard.language.threevalued import build
from exportguard.language.wording import wording
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import NO_USAGE, Usage

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData
    from exportguard.vocabulary import ProvisioningRequest


@dataclass(slots=True)
class Clause:
    """A part of a condition that is true or false by itself, and how often it was each. `open`: neither."""

    text: str
    where: str
    """`when` or `unless`."""
    true: int = 0
    false: int = 0
    open: int = 0
    ask: Callable[[Scope, Any], Any] = field(repr=False, default=lambda scope, env: False)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(word for word, count in (("true", self.true), ("false", self.false)) if not count)


@dataclass(slots=True)
class Bound:
    """A number or a date that decides, and the nearest values that were tried on either side of it."""

    text: str
    bound: Any
    upper: bool = True
    """Whether the bound itself belongs to its upper side, as in `>=`; in `>` it belongs to the lower one."""
    below: Any = None
    """The greatest value tried on the lower side."""
    above: Any = None
    """The least value tried on the upper side."""
    ask: Callable[[Scope, Any], Any] | None = field(repr=False, default=None)

    def note(self, value: Any) -> None:
        if value < self.bound or (value == self.bound and not self.upper):
            self.below = value if self.below is None else max(value, self.below)
        else:
            self.above = value if self.above is None else min(value, self.above)

    @property
    def missing(self) -> tuple[str, ...]:
        lower, upper = ("below", "at or above") if self.upper else ("at or below", "above")
        sides = ((f"a value {lower} it", self.below), (f"a value {upper} it", self.above))
        return tuple(word for word, value in sides if value is None)


@dataclass(slots=True)
class RuleCoverage:
    """How a rule was tried. `results` counts combinations of item, party and place by what came of them."""

    rule: CompiledRule
    clauses: list[Clause]
    bounds: list[Bound]
    results: dict[str, int] = field(default_factory=lambda: {"match": 0, "no_match": 0, "indeterminate": 0})

    @property
    def name(self) -> str:
        return f"{self.rule.policy}/{self.rule.id}"

    @property
    def gaps(self) -> tuple[str, ...]:
        """What was never tried, in words."""
        found = [f"never {words}" for result, words in _RESULTS if not self.results[result]]
        found += [f"`{c.text}` was never {word}" for c in self.clauses for word in c.missing]
        found += [f"`{b.text}`: {word} was never tried" for b in self.bounds for word in b.missing]
        return tuple(found)

    @property
    def points(self) -> int:
        return len(_RESULTS) + 2 * len(self.clauses) + 2 * len(self.bounds)

    @property
    def percent(self) -> float:
        return 100 * (self.points - len(self.gaps)) / self.points


_RESULTS = (("match", "matched"), ("no_match", "failed to match"))


class Coverage:
    """Collects what cases try of *policies*."""

    def __init__(self, policies: CompiledPolicySet, reference: ReferenceData) -> None:
        self.reference = reference
        self.rules = [_of_rule(rule) for rule in policies.rules]
        self.cases = 0

    def note(self, request: ProvisioningRequest | None, as_of: datetime, usage: Usage = NO_USAGE) -> None:
        """Count one decided request (None: a call outside the surface, which asks no rule)."""
        self.cases += 1
        if request is None:
            return
        facts = derive(request, self.reference, as_of)
        world = World(self.reference, as_of)
        for covered in self.rules:
            _note_dates(covered, as_of)
            if covered.rule.in_force(as_of):
                for scope in _scopes(covered.rule, facts, world, usage):
                    _note(covered, scope)

    @property
    def percent(self) -> float:
        """Of all points of all rules, those that were tried; 100 where there is no rule."""
        points = sum(rule.points for rule in self.rules)
        return 100 * (points - sum(len(rule.gaps) for rule in self.rules)) / points if points else 100.0

    def merge(self, other: Coverage) -> None:
        """Add what *other* counted of rules that both have."""
        known = {covered.name: covered for covered in self.rules}
        for covered in other.rules:
            mine = known.get(covered.name)
            if mine is None:
                self.rules.append(covered)
                known[covered.name] = covered
                continue
            for result, count in covered.results.items():
                mine.results[result] += count
            for clause, more in zip(mine.clauses, covered.clauses, strict=True):
                clause.true, clause.false = clause.true + more.true, clause.false + more.false
                clause.open += more.open
            for bound, tried in zip(mine.bounds, covered.bounds, strict=True):
                for value in (tried.below, tried.above):
                    if value is not None:
                        bound.note(value)
        self.cases += other.cases
        self.rules.sort(key=lambda covered: covered.name)


def _of_rule(rule: CompiledRule) -> RuleCoverage:
    clauses: dict[tuple[str, str], Clause] = {}
    bounds: dict[str, Bound] = {}
    for where, condition in (("when", rule.when), ("unless", rule.unless)):
        if condition is None:
            continue
        for leaf in leaves(condition.tree):
            if leaf.op == "lit":
                continue
            text = wording(leaf)
            clauses.setdefault((where, text), Clause(text, where, ask=build(leaf)))
            bound = _threshold(leaf)
            if bound is not None:
                bounds.setdefault(bound.text, bound)
    for word, instant in (("effective from", rule.effective[0]), ("effective until", rule.effective[1])):
        if instant is not None:
            bounds[word] = Bound(f"{word} {instant:%Y-%m-%d}", instant)
    return RuleCoverage(rule, list(clauses.values()), list(bounds.values()))


def leaves(node: Node) -> Iterator[Node]:
    """The parts of a condition that are not joined of others by `&&`, `||`, `!` or `? :`."""
    if node.op in ("and", "or", "not") or (node.op == "cond" and node.type == "bool"):
        for arg in node.args:
            yield from leaves(arg)
    else:
        yield node


def _threshold(leaf: Node) -> Bound | None:
    if leaf.op != "cmp" or leaf.value not in ("<", "<=", ">", ">="):
        return None
    left, right = leaf.args
    upper = leaf.value in (">=", "<")
    if left.op == "lit":
        left, right, upper = right, left, leaf.value in ("<=", ">")
    if right.op != "lit" or left.op == "lit" or not _is_number(right.value):
        return None
    return Bound(wording(leaf), right.value, upper, ask=build(left))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _note_dates(covered: RuleCoverage, as_of: datetime) -> None:
    for bound in covered.bounds:
        if bound.ask is None:
            bound.note(as_of)


def _scopes(rule: CompiledRule, facts: Facts, world: World, usage: Usage) -> Iterator[Scope]:
    of_items = "item" in rule.roots or "usage" in rule.roots
    items: Sequence[Any] = (None,)
    if of_items:
        items = [item for item in facts.items if isinstance(item.kind, Unknown) or item.kind in rule.kinds]
    elif not facts.items:
        return
    parties: Sequence[Any] = facts.parties if "party" in rule.roots else (None,)
    locations: Sequence[Any] = facts.locations if "location" in rule.roots else (None,)
    if len(items) * len(parties) * len(locations) > MAX_COMBINATIONS:
        return
    seen = usage_of(rule, facts, usage) if "usage" in rule.roots else None
    for item, party, location in product(items, parties, locations):
        yield Scope(request=facts.request, item=item, party=party, location=location, usage=seen, world=world)


def _note(covered: RuleCoverage, scope: Scope) -> None:
    rule = covered.rule
    when = rule.when(scope)
    lifted = rule.unless(scope) if rule.unless is not None and when is not False else False
    if when is False or lifted is True:
        covered.results["no_match"] += 1
    else:
        covered.results["match" if when is True else "indeterminate"] += 1
    for clause in covered.clauses:
        answer = clause.ask(scope, ())
        if answer is True:
            clause.true += 1
        elif answer is False:
            clause.false += 1
        else:
            clause.open += 1
    for bound in covered.bounds:
        if bound.ask is not None:
            value = bound.ask(scope, ())
            if value.__class__ is not Indeterminate and _is_number(value):
                bound.note(value)


def as_data(coverage: Coverage) -> Mapping[str, Any]:
    """Plain data for reports."""

    def shown(value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value

    return {
        "percent": round(coverage.percent, 2),
        "cases": coverage.cases,
        "rules": [
            {
                "rule": covered.name,
                "title": covered.rule.title,
                "percent": round(covered.percent, 2),
                "results": dict(covered.results),
                "clauses": [
                    {"text": c.text, "where": c.where, "true": c.true, "false": c.false, "open": c.open}
                    for c in covered.clauses
                ],
                "bounds": [{"text": b.text, "lower": shown(b.below), "upper": shown(b.above)} for b in covered.bounds],
                "gaps": list(covered.gaps),
            }
            for covered in coverage.rules
        ],
    }
