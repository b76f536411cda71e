"""Reasons in words: which combination, which values, what would settle what is open, and how to supply it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from exportguard.decide.items import weakest
from exportguard.decide.made import made
from exportguard.language import Cause, CompiledRule, Scope
from exportguard.language.facts import wholly_unknown
from exportguard.vocabulary.decision import Effect, Reason, RuleResult, UnknownFact
from exportguard.vocabulary.fact import Confidence, Unknown
from exportguard.vocabulary.scope import ItemView, LocationView, PartyView

if TYPE_CHECKING:
    from exportguard.decide.evaluate import Finding

MAX_REASONS = 12
"""Combinations that are told of one rule; how many more there are is said in the last one."""

MAX_TOLD = 60
"""Combinations of one rule that are put into words at all; of more, those whose names come first."""

# Said once: an enumeration's member is looked up anew, and slowly, each time its class is asked for it.
_DENY, _HOLD, _FLAG = Effect.DENY, Effect.HOLD, Effect.FLAG
_MATCH, _OPEN = RuleResult.MATCH, RuleResult.INDETERMINATE

_HOW = (
    ("party.ultimate_parent", "give `ultimate_parent` of the party (null: it is its own) in the customers document"),
    ("party.listings", "screen the party, or give `listings` ([]: on no list) with `listings_as_of`"),
    ("party.restricted_ownership", "give the party's `owners` with percentages ([]: nobody owns it)"),
    ("owned", "give the party's `owners` with percentages ([]: nobody owns it)"),
    ("party.", "name the party and its facts: acting_for(customer), the customers document, or the request"),
    ("item.model", "name the model itself, or give the guard a resolver for the deployment or ARN"),
    ("item.tokens", "state the tokens that are asked for"),
    ("item.", "name an instance type or accelerator that the reference data knows, or give the guard a resolver"),
    ("location.certainty", "choose a deployment that stays in one region"),
    ("location.", "name the region, or the country of a region that the reference data does not know"),
    ("request.transfer", "state `transfer`: remote_access or export"),
    ("request.end_use", "state `end_use` in the request or the customers document"),
    ("usage.", "give the guard a ledger that can be read"),
    ("request.", "state it in the request"),
)


class Told:
    """What was put into words for one decision: rules share most facts, and each is told once."""

    __slots__ = ("items", "locations", "missing", "parties", "rules", "unknown", "values")

    def __init__(self) -> None:
        self.values: dict[tuple[tuple[str, ...], int], tuple[tuple[str, str], ...]] = {}
        """By paths and the record they are read from; a record has no words."""
        self.parties: dict[int, str | None] = {}
        self.items: dict[int, str | None] = {}
        self.locations: dict[int, str | None] = {}
        self.unknown: dict[tuple[str, str, int], UnknownFact] = {}
        self.missing: dict[tuple[tuple[Cause, ...], int], tuple[list[UnknownFact], str]] = {}
        """By causes and party: the facts, and their paths in words."""
        self.rules: dict[tuple[tuple[str, ...], int], tuple[tuple[str, str], ...]] = {}
        """By the paths of a rule and the combination, which `findings` makes once for all rules asked over it."""

    def item(self, item: object) -> str | None:
        label = self.items.get(id(item))
        if label is None:
            label = self.items[id(item)] = item_label(item)
        return label

    def location(self, location: object) -> str | None:
        label = self.locations.get(id(location))
        if label is None:
            label = self.locations[id(location)] = location_label(location)
        return label

    def of(self, scope: Scope, root: str, paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """*paths*, which start at *root*, with their values in words."""
        key = paths, id(getattr(scope, root))
        pairs = self.values.get(key)
        if pairs is None:
            looked_up = [(path, look_up(scope, path)) for path in paths]
            pairs = self.values[key] = tuple(
                [(path, show(value)) for path, value in looked_up if not _is_record(value)]
            )
        return pairs

    def all_of(self, scope: Scope, paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """*paths* with their values in words."""
        key = paths, id(scope)
        values = self.rules.get(key)
        if values is None:
            values = ()
            for root, group in _by_root(paths):
                values += self.of(scope, root, group)
            self.rules[key] = values
        return values

    def party(self, party: object) -> str | None:
        label = self.parties.get(id(party))
        if label is None:
            label = self.parties[id(party)] = party_label(party)
        return label


def rule_reasons(
    rule: CompiledRule,
    effect: Effect,
    status: str | None,
    result: RuleResult,
    findings: Sequence[Finding],
    told: Told,
) -> tuple[list[Reason], list[UnknownFact]]:
    """The reasons of one rule, a combination each, and the facts that would settle or could lift it."""
    if len(findings) == 1:
        missing, paths = _missing(rule, findings[0], told)
        return [_reason(rule, effect, status, result, findings[0], paths, told)], missing
    reasons: dict[Reason, None] = {}
    unknown: list[UnknownFact] = []
    untold = 0
    if len(findings) > MAX_TOLD:
        # Which are told must not depend on the order in which a request lists things.
        findings = sorted(findings, key=_labels)
        untold = len(findings) - MAX_TOLD
        unknown += [fact for finding in findings[MAX_TOLD:] for fact in missing_facts(rule, finding, told)]
        findings = findings[:MAX_TOLD]
    for finding in findings:
        missing, paths = _missing(rule, finding, told)
        unknown.extend(missing)
        reasons.setdefault(_reason(rule, effect, status, result, finding, paths, told))
    shown = sorted(reasons, key=_place)
    if len(shown) + untold > MAX_REASONS:
        rest = len(shown) + untold - MAX_REASONS
        *first, last = shown[:MAX_REASONS]
        shown = [*first, last.model_copy(update={"message": f"{last.message} (and {rest} more)"})]
    return shown, unknown


def _labels(finding: Finding) -> tuple[str, str, str]:
    scope = finding.scope
    return item_label(scope.item) or "", party_label(scope.party) or "", location_label(scope.location) or ""


def missing_facts(rule: CompiledRule, finding: Finding, told: Told) -> list[UnknownFact]:
    """The facts that would settle *finding*, or could lift it."""
    return _missing(rule, finding, told)[0]


def _missing(rule: CompiledRule, finding: Finding, told: Told) -> tuple[list[UnknownFact], str]:
    """The same, and their paths in words."""
    if finding.result is _MATCH:
        return (_facts(rule, finding, told), "") if finding.causes or rule.effect is _HOLD else ([], "")
    key = finding.causes, id(finding.scope.party)
    known = told.missing.get(key)
    if known is None:
        facts = _facts(rule, finding, told)
        paths = facts[0].path if len(facts) == 1 else ", ".join(dict.fromkeys([fact.path for fact in facts]))
        known = told.missing[key] = facts, paths
    return known


def _facts(rule: CompiledRule, finding: Finding, told: Told) -> list[UnknownFact]:
    causes = [cause[:2] for cause in finding.causes]
    if finding.result is _MATCH and rule.effect is _HOLD:
        # A hold on what is not known (`unknown(path)`): the unknown facts it names are what would settle it.
        for path in rule.paths:
            value = look_up(finding.scope, path)
            if isinstance(value, Unknown):
                causes.append((path, value.reason))
            elif wholly_unknown(value):
                causes.append((path, "nothing of it is known"))
    party = finding.scope.party
    facts = []
    for path, why in causes:
        key = path, why, id(party)
        fact = told.unknown.get(key)
        if fact is None:
            who = told.party(party) if path.startswith(("party.", "owned")) else None
            fact = made(UnknownFact, {"path": path, "why": f"{who}: {why}" if who else why, "how": _how(path)})
            told.unknown[key] = fact
        facts.append(fact)
    return facts


@lru_cache(maxsize=1024)
def _how(path: str) -> str:
    return next((how for prefix, how in _HOW if path.startswith(prefix)), "state it")


def _reason(
    rule: CompiledRule,
    effect: Effect,
    status: str | None,
    result: RuleResult,
    finding: Finding,
    missing: str,
    told: Told,
) -> Reason:
    scope = finding.scope
    item = scope.item if scope.item.__class__ is ItemView else None
    who = told.party(scope.party)
    if result is not _OPEN:
        message = rule.say(scope)
    else:
        to = f" to {who}" if who else ""
        message = f"cannot tell whether this applies{to}: {rule.title}; not known: {missing or 'a fact'}"
    return made(
        Reason,
        {
            "policy": rule.policy,
            "rule": rule.id,
            "effect": effect,
            "result": result,
            "basis": rule.basis,
            "item": told.item(item) if item is not None else None,
            "party": who,
            "location": told.location(scope.location),
            "message": message,
            "remedy": rule.remedy,
            "cites": rule.cites,
            "confidence": _confidence(rule.confidence, item.confidence if item is not None else None),
            "status": status or rule.status,
            "values": told.all_of(scope, rule.paths),
        },
    )


@cache
def _confidence(rule: Confidence | None, item: Confidence | None) -> Confidence | None:
    """The weaker of what the rule cites and what is known of the item; None where neither says."""
    stated = [level for level in (rule, item) if level is not None]
    return weakest(stated) if stated else None


def too_many(rule: CompiledRule, bound: int) -> Reason:
    """The reason for holding a request with more combinations than *bound* under one rule."""
    return Reason(
        policy=rule.policy,
        rule=rule.id,
        effect=_HOLD,
        result=_MATCH,
        basis=rule.basis,
        message=f"more than {bound} combinations of item, party and location: too many to ask `{rule.id}` of each",
        remedy="Split the request.",
    )


def ordered(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Deny, hold, indeterminate, flag; then by policy, rule and combination: input order changes nothing."""
    if len(reasons) < 2:
        return tuple(reasons)
    ranked = sorted([(_rank(reason), place) for place, reason in enumerate(reasons)])
    made: list[Reason] = []
    before = None
    for rank, place in ranked:
        # Only a rule that stands in a set twice gives a reason twice: comparing what else they say is seldom needed.
        if rank != before or reasons[place] not in made:
            made.append(reasons[place])
        before = rank
    return tuple(made)


def _rank(r: Reason) -> tuple[int, str, str, str, str, str, str]:
    effect = r.effect
    if effect is _FLAG:
        order = 3
    elif r.result is _OPEN:
        order = 2
    else:
        order = 0 if effect is _DENY else 1
    return order, r.policy, r.rule, r.item or "", r.party or "", r.location or "", r.message


def _place(r: Reason) -> tuple[str, str, str, str, str, str]:
    return r.policy, r.rule, r.item or "", r.party or "", r.location or "", r.message


def distinct_unknowns(facts: Iterable[UnknownFact]) -> tuple[UnknownFact, ...]:
    # `how` follows from the path.
    known = {(fact.path, fact.why): fact for fact in facts}
    return tuple(known[key] for key in sorted(known))


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


@lru_cache(maxsize=8192)
def _by_root(paths: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """*paths*, which are sorted, by the record that they are read from."""
    return tuple((root, tuple(group)) for root, group in groupby(paths, lambda path: path.partition(".")[0]))


def look_up(scope: Scope, path: str) -> object:
    """The value behind *path*, an Unknown on the way included; None where the record does not have it."""
    root, *names = _steps(path)
    value: object = getattr(scope, root, None)
    for name in names:
        if value is None or isinstance(value, Unknown):
            return value
        value = getattr(value, name, None)
    return value


def show(value: object) -> str:
    """One value in words."""
    if value.__class__ is str:
        return value
    if isinstance(value, Unknown):
        return f"unknown ({value.reason})"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if value != int(value) else f"{int(value)}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return ", ".join(show(part) for part in value) or "none"
    if _is_record(value):
        return show(getattr(value, "name", getattr(value, "id", None)))
    return str(value)


def _is_record(value: object) -> bool:
    return hasattr(value, "__dataclass_fields__")


def item_label(item: object) -> str | None:
    """How an item is called in reasons."""
    return show(item.name) if isinstance(item, ItemView) else None


def party_label(party: object) -> str | None:
    if not isinstance(party, PartyView):
        return None
    role = "party of unknown role" if isinstance(party.role, Unknown) else party.role
    if isinstance(party.name, Unknown):
        return f"unnamed {role}" if not isinstance(party.role, Unknown) else "unnamed party"
    return f"{party.name} ({role})"


def location_label(location: object) -> str | None:
    if not isinstance(location, LocationView):
        return None
    parts = [str(x) for x in (location.region, location.country) if isinstance(x, str)]
    return ", ".join(parts) or "an unknown place"
