"""What loads and is most likely not meant: rules that never match, say nothing new, are out of date, cite nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from exportguard.authoring.reasoning import Reasoned, always_holds, follows, never_holds
from exportguard.authoring.wordlists import DERIVED_ECCNS, WordLists
from exportguard.diagnostics import Diagnostic, Span
from exportguard.language import CompiledPolicySet, CompiledRule, PolicySource
from exportguard.language.parse import Mapping, parse
from exportguard.language.parse import Sequence as Listed
from exportguard.language.source import Scalar
from exportguard.language.syntax import Node, walk
from exportguard.language.wording import short
from exportguard.vocabulary.decision import Effect

_LAW = ("license_requirement", "prohibition", "provider_terms", "historical")
_REMEDIES = {
    "EG403": "correct what rules the rest out, or drop it",
    "EG404": "write `true` if that is meant",
    "EG405": "drop it, or say in which it differs",
    "EG406": "keep one of them",
    "EG407": "drop it, or date a rule onwards",
    "EG410": "correct it, or drop it",
}
MAX_COMPARED = 400
"""Rules of one load that are compared pair by pair; more are left to `exportguard prove`."""


class RulePlaces:
    """Where the rules of some policy texts stand: by policy, rule and key."""

    def __init__(self, sources: Iterable[PolicySource]) -> None:
        self._places: dict[tuple[str, str], dict[str, Span]] = {}
        for source in sources:
            tree, _ = parse(source)
            if isinstance(tree, Mapping):
                self._read(tree)

    def _read(self, tree: Mapping) -> None:
        values = {key.text: value for key, value in tree.entries}
        policy, rules = values.get("policy"), values.get("rules")
        if not isinstance(policy, Scalar) or not isinstance(rules, Listed):
            return
        for rule in rules.items:
            if not isinstance(rule, Mapping):
                continue
            named = {key.text: value for key, value in rule.entries}
            identifier = named.get("id")
            if not isinstance(identifier, Scalar):
                continue
            spans = {key.text: key.source.span(key.start, key.end) for key, _ in rule.entries}
            spans["id"] = identifier.source.span(identifier.start, identifier.end)
            self._places.setdefault((policy.text, identifier.text), spans)

    def of(self, rule: CompiledRule, *keys: str) -> Span | None:
        """The place of the first of *keys* that the rule has, else of its id."""
        spans = self._places.get((rule.policy, rule.id), {})
        return next((spans[key] for key in keys if key in spans), spans.get("id"))


def warnings_of(
    policies: CompiledPolicySet, places: RulePlaces, as_of: datetime, words: WordLists
) -> Iterator[Diagnostic]:
    """The warnings about the rules of *policies*, beyond those of loading them."""
    vain: set[int] = set()
    for rule in policies.rules:
        for problem in _of_rule(rule, places, words):
            if problem.code in ("EG403", "EG404") and "a part of" not in problem.message:
                vain.add(id(rule))
            yield problem
    yield from _ended(policies.rules, places, as_of)
    compared = [rule for rule in policies.rules if id(rule) not in vain]
    if len(compared) <= MAX_COMPARED:
        yield from _of_pairs(compared, places)


def _ended(rules: Sequence[CompiledRule], places: RulePlaces, as_of: datetime) -> Iterator[Diagnostic]:
    """Policies of which no rule will be asked any more. A single rule that has ended is history kept on purpose."""
    policies: dict[str, list[CompiledRule]] = {}
    for rule in rules:
        policies.setdefault(rule.policy, []).append(rule)
    for name, of_policy in policies.items():
        ends = [rule.effective[1] for rule in of_policy]
        if all(end is not None and end <= as_of for end in ends) and of_policy[0].basis != "historical":
            last = max(end for end in ends if end is not None)
            told = f"the last of its rules ended on {last:%Y-%m-%d}"
            yield _warning("EG407", f"the policy `{name}` is out of date", places.of(of_policy[0]), told)


def _of_rule(rule: CompiledRule, places: RulePlaces, words: WordLists) -> Iterator[Diagnostic]:
    name = f"{rule.policy}/{rule.id}"
    when = rule.when.tree
    if when.op == "lit":
        if when.value is False:
            yield _warning("EG403", f"the rule `{name}` never matches", places.of(rule, "when"), "`false`")
    elif never_holds(when, words):
        note = _never_classified(when, words)
        yield _warning(
            "EG403", f"the rule `{name}` never matches", places.of(rule, "when"), "no facts make it true", note=note
        )
    elif not _said_so(when) and always_holds(when, words):
        yield _warning(
            "EG404", f"the rule `{name}` always matches", places.of(rule, "when"), "true whatever the facts are"
        )
    else:
        yield from _of_alternatives(rule, when, places, words)
    if rule.unless is not None:
        lifting = rule.unless.tree
        if never_holds(lifting, words):
            yield _warning("EG410", f"the `unless` of `{name}` lifts nothing", places.of(rule, "unless"), "never true")
        elif always_holds(lifting, words) or follows(when, lifting):
            told = "true wherever `when` is"
            yield _warning("EG410", f"the `unless` of `{name}` lifts all of it", places.of(rule, "unless"), told)
        elif never_holds(Node("and", (when, lifting)), words) and not never_holds(when, words):
            told = "never true where `when` is"
            yield _warning("EG410", f"the `unless` of `{name}` lifts nothing", places.of(rule, "unless"), told)
    if rule.if_unknown == "flag" and rule.effect is Effect.DENY and _asks_of_controlled(rule):
        yield _warning(
            "EG408",
            f"`if_unknown: flag` lets controlled chips pass the rule `{name}`",
            places.of(rule, "if_unknown"),
            "the rule is about accelerators that are controlled",
            "hold what is unknown, or ask of other items in a rule of its own",
        )
    if rule.basis in _LAW and not rule.cites:
        told = f"its basis is `{rule.basis}`"
        yield _warning("EG409", f"the rule `{name}` cites nothing", places.of(rule), told, "name the place in `cites`")


def _never_classified(when: Node, words: WordLists) -> str | None:
    """The ECCNs that the condition asks for and no item is ever given."""
    asked = {str(part.value) for part in walk(when) if part.op == "lit" and part.value in words.idle_eccns}
    given = ", ".join(f"`{code}`" for code in sorted(DERIVED_ECCNS))
    if not asked:
        return None
    return f"no item is classified as {', '.join(f'`{code}`' for code in sorted(asked))}: items are {given}"


def _asks_of_controlled(rule: CompiledRule) -> bool:
    """Whether the rule is about chips for what they are; one about anything for somebody is not."""
    return any(path.startswith(("item.eccn", "item.accelerator", "item.total_tpp")) for path in rule.paths)


def _of_alternatives(rule: CompiledRule, when: Node, places: RulePlaces, words: WordLists) -> Iterator[Diagnostic]:
    """Parts of `||` on top that can never be the reason for a match, and parts of `&&` that ask nothing."""
    pending: list[Node] = [when]
    while pending:
        node = pending.pop()
        if node.op == "and":
            for part in node.args:
                if not _said_so(part) and always_holds(part, words):
                    yield _warning(
                        "EG404",
                        f"a part of the rule `{rule.policy}/{rule.id}` always holds",
                        places.of(rule, "when"),
                        "in this condition",
                        "leave it out, or say what it was meant to ask",
                        note=f"`{short(part)}`",
                    )
                else:
                    pending.append(part)
        elif node.op == "or":
            for part in node.args:
                if part.op != "lit" and never_holds(part, words):
                    yield _warning(
                        "EG403",
                        f"a part of the rule `{rule.policy}/{rule.id}` can never hold",
                        places.of(rule, "when"),
                        "in this condition",
                        note=f"`{short(part)}`",
                    )
                else:
                    pending.append(part)


def _said_so(part: Node) -> bool:
    """`true`, or `true || …`, which makes a rule ask of every item: that is meant."""
    return part.op == "lit" or (part.op == "or" and any(arg.op == "lit" and arg.value is True for arg in part.args))


def _of_pairs(rules: Sequence[CompiledRule], places: RulePlaces) -> Iterator[Diagnostic]:
    reasoned = [Reasoned(rule.when.tree) for rule in rules]
    for index, rule in enumerate(rules):
        for position, other in enumerate(rules):
            if other is rule or not _covers(other, rule) or not follows(reasoned[index], reasoned[position]):
                continue
            name, by = f"{rule.policy}/{rule.id}", f"{other.policy}/{other.id}"
            if _covers(rule, other) and follows(reasoned[position], reasoned[index]):
                if position < index:
                    yield _warning(
                        "EG406", f"the rule `{name}` says what `{by}` says", places.of(rule), "the same once more"
                    )
                    break
                continue
            told = f"`{by}` matches wherever this does"
            yield _warning("EG405", f"the rule `{name}` changes no outcome", places.of(rule), told)
            break


def _covers(one: CompiledRule, other: CompiledRule) -> bool:
    """Whether *one*, where it matches, does at least what *other* does, whenever *other* is in force."""
    return (
        one.effect is other.effect
        and one.unless is None
        and one.roots <= other.roots
        and one.kinds >= other.kinds
        and one.authorizable_by <= other.authorizable_by
        and one.if_unknown == other.if_unknown
        and one.statuses == other.statuses
        and one.per == other.per
        and _longer(one.effective, other.effective)
        and (set(other.cites) <= set(one.cites) or other.basis not in _LAW)
    )


def _longer(one: tuple[datetime | None, datetime | None], other: tuple[datetime | None, datetime | None]) -> bool:
    starts = one[0] is None or (other[0] is not None and one[0] <= other[0])
    ends = one[1] is None or (other[1] is not None and other[1] <= one[1])
    return starts and ends


def _warning(
    code: str, message: str, span: Span | None, label: str = "", hint: str | None = None, note: str | None = None
) -> Diagnostic:
    return Diagnostic(code, "warning", message, span, label, hint or _REMEDIES.get(code), (note,) if note else ())
