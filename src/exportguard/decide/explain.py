"""Reasons in words: which combination, which values, what would settle what is open, and how to supply it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from exportguard.decide.items import weakest
from exportguard.language import CompiledRule, Scope
from exportguard.language.facts import wholly_unknown
from exportguard.vocabulary.building import made
from exportguard.vocabulary.decision import Effect, Reason, RuleResult, UnknownFact
from exportguard.vocabulary.fact import Confidence, Unknown
from exportguard.vocabulary.scope import ItemView, LocationView, PartyView

if TYPE_CHECKING:
    from exportguard.decide.plan import Asked, Finding

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


class Seen(NamedTuple):
    """One combination in words, and what rules say of its facts, by the paths that they name."""

    item: str | None
    party: str | None
    location: str | None
    confidence: Confidence | None
    """How well the item is known."""
    to: str
    values: dict[tuple[str, ...], tuple[tuple[str, str], ...]]


class Told:
    """What was put into words for one decision: rules share most facts, and each is told once.

    Keys are identities of what `findings` made once for all rules, and keeps for as long as this is in use.
    """

    __slots__ = ("missing", "seen", "unknown", "values")

    def __init__(self) -> None:
        self.values: dict[tuple[tuple[str, ...], int], tuple[tuple[str, str], ...]] = {}
        """By paths and the record they are read from; a record has no words."""
        self.seen: dict[int, Seen] = {}
        """By scope."""
        self.unknown: dict[tuple[str, str, int], UnknownFact] = {}
        """Every fact that would settle what is open or could lift what matches: by path, reason and party."""
        self.missing: dict[tuple[int, int], str] = {}
        """By causes and party: the paths of the facts, in words."""

    def of(self, scope: Scope) -> Seen:
        known = self.seen.get(id(scope))
        if known is None:
            item, who = scope.item, party_label(scope.party)
            confidence = item.confidence if item.__class__ is ItemView else None
            known = self.seen[id(scope)] = Seen(
                item_label(item), who, location_label(scope.location), confidence, f" to {who}" if who else "", {}
            )
        return known

    def say(self, scope: Scope, paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """*paths* with their values in words."""
        values: tuple[tuple[str, str], ...] = ()
        for root, group, read in _by_root(paths):
            record = getattr(scope, root)
            key = group, id(record)
            pairs = self.values.get(key)
            if pairs is None:
                shown = []
                for path, get in read:
                    try:
                        value = get(record)
                    except AttributeError:  # something unknown, or nothing, is on the way
                        value = look_up(scope, path)
                    if value.__class__ is str:
                        shown.append((path, value))
                    elif not _is_record(value):
                        shown.append((path, show(value)))
                pairs = self.values[key] = tuple(shown)
            values += pairs
        return values


def rule_reasons(asked: Asked, findings: Sequence[Finding], told: Told) -> list[Reason]:
    """The reasons of one rule, a combination each, in order. What would settle or could lift it goes into *told*."""
    reasons: dict[Reason, None] = {}
    untold = 0
    if len(findings) > MAX_TOLD:
        # Which are told must not depend on the order in which a request lists things.
        findings = sorted(findings, key=_labels)
        untold = len(findings) - MAX_TOLD
        for finding in findings[MAX_TOLD:]:
            missing_facts(asked.rule, finding, told)
        findings = findings[:MAX_TOLD]
    for finding in findings:
        reasons.setdefault(reason(asked, finding, told))
    shown = sorted(reasons, key=_place)
    if len(shown) + untold > MAX_REASONS:
        rest = len(shown) + untold - MAX_REASONS
        *first, last = shown[:MAX_REASONS]
        shown = [*first, last.model_copy(update={"message": f"{last.message} (and {rest} more)"})]
    return shown


def _labels(finding: Finding) -> tuple[str, str, str]:
    scope = finding.scope
    return item_label(scope.item) or "", party_label(scope.party) or "", location_label(scope.location) or ""


def missing_facts(rule: CompiledRule, finding: Finding, told: Told) -> str:
    """Puts the facts that would settle *finding*, or could lift it, into *told*; the paths of an open one in words."""
    if finding.result is _MATCH:
        if finding.causes or rule.effect is _HOLD:
            _facts(rule, finding, told)
        return ""
    key = id(finding.causes), id(finding.scope.party)
    paths = told.missing.get(key)
    if paths is None:
        paths = told.missing[key] = ", ".join(dict.fromkeys(_facts(rule, finding, told)))
    return paths


def _facts(rule: CompiledRule, finding: Finding, told: Told) -> list[str]:
    """Their paths."""
    result, scope, open_because = finding
    causes = [(path, why) for path, why, _ in open_because]
    if result is _MATCH and rule.effect is _HOLD:
        # A hold on what is not known (`unknown(path)`): the unknown facts it names are what would settle it.
        for path in rule.paths:
            value = look_up(scope, path)
            if isinstance(value, Unknown):
                causes.append((path, value.reason))
            elif wholly_unknown(value):
                causes.append((path, "nothing of it is known"))
    party = id(scope.party)
    for path, why in causes:
        key = path, why, party
        if key not in told.unknown:
            who = told.of(scope).party if path.startswith(("party.", "owned")) else None
            told.unknown[key] = made(
                UnknownFact, {"path": path, "why": f"{who}: {why}" if who else why, "how": _how(path)}
            )
    return [path for path, _ in causes]


@lru_cache(maxsize=1024)
def _how(path: str) -> str:
    return next((how for prefix, how in _HOW if path.startswith(prefix)), "state it")


def reason(asked: Asked, finding: Finding, told: Told) -> Reason:
    """The reason of one rule for one combination. What would settle or could lift it goes into *told*."""
    rule, effect, status, _, _ = asked
    result, scope, causes = finding
    item, who, place, confidence, to, seen = told.seen.get(id(scope)) or told.of(scope)
    if result is _OPEN:
        missing = told.missing.get((id(causes), id(scope.party)))
        if missing is None:
            missing = missing_facts(rule, finding, told)
        message = f"cannot tell whether this applies{to}: {rule.title}; not known: {missing or 'a fact'}"
    else:
        missing_facts(rule, finding, told)
        message = rule.say(scope)
    paths = rule.paths
    values = seen.get(paths)
    if values is None:
        values = seen[paths] = told.say(scope, paths)
    return made(
        Reason,
        {
            "policy": rule.policy,
            "rule": rule.id,
            "effect": effect,
            "result": result,
            "basis": rule.basis,
            "item": item,
            "party": who,
            "location": place,
            "message": message,
            "remedy": rule.remedy,
            "cites": rule.cites,
            "confidence": _confidence(rule.confidence, confidence),
            "status": status,
            "values": values,
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


def ordered(told: Sequence[tuple[Asked, RuleResult, Sequence[Reason]]]) -> tuple[Reason, ...]:
    """Deny, hold, indeterminate, flag; then by policy, rule and combination: input order changes nothing."""
    if len(told) < 2:
        return tuple(told[0][2]) if told else ()
    by_rank: dict[int, Sequence[Reason]] = {}
    for (_, effect, _, place, _), result, reasons in told:
        if effect is _FLAG:
            place += 3 * _MANY
        elif result is _OPEN:
            place += 2 * _MANY
        elif effect is not _DENY:
            place += _MANY
        before = by_rank.get(place)
        if before is not None:
            # Only a rule that stands in a set twice gives a reason twice.
            reasons = sorted((*before, *(reason for reason in reasons if reason not in before)), key=_place)
        by_rank[place] = reasons
    return tuple([reason for place in sorted(by_rank) for reason in by_rank[place]])


_MANY = 10**9
"""More rules than there can be."""


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
def _by_root(
    paths: tuple[str, ...],
) -> tuple[tuple[str, tuple[str, ...], tuple[tuple[str, Callable[[Any], Any]], ...]], ...]:
    """*paths*, which are sorted, by the record that they are read from, and how each is read from it."""
    groups = [(root, tuple(group)) for root, group in groupby(paths, lambda path: path.partition(".")[0])]
    return tuple((root, group, tuple((path, _reader(path)) for path in group)) for root, group in groups)


def _reader(path: str) -> Callable[[Any], Any]:
    rest = path.partition(".")[2]
    return attrgetter(rest) if rest else lambda record: record


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
