"""Two policy sets compared: by their rules, by requests replayed under both, and by proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from exportguard.authoring.proof import claims
from exportguard.authoring.proof.confirm import Found, Witness
from exportguard.authoring.proof.logic import both
from exportguard.authoring.proof.mentions import Mentions
from exportguard.authoring.proof.prover import Prover
from exportguard.authoring.proof.terms import UnsupportedError
from exportguard.authoring.proof.unknowns import Bounds
from exportguard.documents.looking import looked_at
from exportguard.errors import ConfigurationError
from exportguard.language import CompiledPolicySet, CompiledRule, PolicySource
from exportguard.language.syntax import Node
from exportguard.packs import HISTORICAL, policy_sources, shipped_packs
from exportguard.reference import ReferenceData
from exportguard.vocabulary import Decision, Outcome

PAIRS = (
    (Outcome.DENY, Outcome.ALLOW),
    (Outcome.HOLD, Outcome.ALLOW),
    (Outcome.ALLOW, Outcome.DENY),
    (Outcome.ALLOW, Outcome.HOLD),
    (Outcome.DENY, Outcome.HOLD),
    (Outcome.HOLD, Outcome.DENY),
)
"""(old, new), what is let out newly first: that is what a reviewer has to see."""


def sources_of(name: str) -> tuple[PolicySource, ...]:
    """The policies that *name* means: a folder or file, `default`, or shipped packs separated by commas.

    Raises:
        ConfigurationError: it is none of these.
    """
    if looked_at(Path(name)) is not None:
        return policy_sources(name)
    packs: list[str] = []
    for part in (part.strip() for part in name.split(",")):
        if part == "default":
            packs += [pack for pack in shipped_packs() if pack not in HISTORICAL]
        elif part in shipped_packs():
            packs.append(part)
        else:
            raise ConfigurationError(
                f"`{part}` is neither a file, a folder nor a shipped pack",
                remedy=f"The packs are: {', '.join(shipped_packs())}; `default` is all that are loaded by default.",
            )
    return policy_sources(packs=packs)


# -- rules


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule (`policy/rule`) that one set has and the other has not, or has otherwise; `what` says which parts."""

    rule: str
    change: str
    what: tuple[str, ...] = ()


_PARTS = (
    "effect", "basis", "effective", "statuses", "if_unknown", "per", "authorizable_by", "cites", "title", "because",
    "remedy",
)  # fmt: skip


def rule_changes(old: CompiledPolicySet, new: CompiledPolicySet) -> tuple[RuleChange, ...]:
    """Rules added, removed and changed, in the order of their names. Layout and comments are no change."""
    before = {(rule.policy, rule.id): rule for rule in old.rules}
    after = {(rule.policy, rule.id): rule for rule in new.rules}
    found: list[RuleChange] = []
    for key in sorted(before.keys() | after.keys()):
        name = "/".join(key)
        if key not in before:
            found.append(RuleChange(name, "added"))
        elif key not in after:
            found.append(RuleChange(name, "removed"))
        else:
            what = _changed(before[key], after[key])
            if what:
                found.append(RuleChange(name, "changed", what))
    return tuple(found)


def _changed(one: CompiledRule, other: CompiledRule) -> tuple[str, ...]:
    parts = [name for name in _PARTS if getattr(one, name) != getattr(other, name)]
    for name in ("when", "unless"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if (mine is None) != (theirs is None) or (mine is not None and _outline(mine.tree) != _outline(theirs.tree)):
            parts.insert(0, name)
    return tuple(parts)


def _outline(tree: Node) -> Any:
    """The tree without places, equal parts numbered once."""
    numbers: dict[Any, int] = {}
    done: dict[int, int] = {}

    def number(node: Node) -> int:
        if id(node) not in done:
            key = (node.op, node.type, type(node.value).__name__, repr(node.value), *map(number, node.args))
            done[id(node)] = numbers.setdefault(key, len(numbers))
        return done[id(node)]

    number(tree)
    return tuple(numbers)


# -- replaying


@dataclass(frozen=True, slots=True)
class Replayed:
    """One request under both sets. `old` and `new` are None where it could not be decided, and `why` says why."""

    place: str
    old: Decision | None
    new: Decision | None
    why: str = ""

    @property
    def differs(self) -> bool:
        """Another outcome: other reasons for the same one are told, and are no difference."""
        return self.old is not None and self.new is not None and self.old.outcome is not self.new.outcome

    @property
    def reasons_differ(self) -> bool:
        return self.old is not None and self.new is not None and _rules(self.old) != _rules(self.new)


def _rules(decision: Decision) -> frozenset[tuple[str, str, str]]:
    return frozenset((reason.policy, reason.rule, reason.result.value) for reason in decision.reasons)


def replay_log(log: Any, old: Any, new: Any, as_of: datetime) -> Iterator[Replayed]:
    """Every decision of a log anew under both states, as `exportguard log replay --now` decides one.

    Args:
        log: an open decision log.
        old, new: `judging.State`s.
    """
    from exportguard.replay import Replayer

    replayer = Replayer(log)
    pairs = zip(replayer.as_understood_now(old, as_of), replayer.as_understood_now(new, as_of), strict=True)
    for one, other in pairs:
        place = f"log:{one.sequence}"
        if one.decision is None or other.decision is None:
            yield Replayed(place, None, None, one.why or other.why or "it cannot be decided again")
        else:
            yield Replayed(place, one.decision, other.decision)


# -- proof


@dataclass(frozen=True, slots=True)
class Proved:
    """Whether some request is decided *old* by the one set and *new* by the other.

    `status`: `differs` with the request, `same` (there is none), or `undecided`, and why.
    """

    old: Outcome
    new: Outcome
    status: str
    bounds: Bounds
    any_size: bool
    found: Found | None = None
    decisions: tuple[Decision, Decision] | None = None
    why: str = ""


def compare(
    old: CompiledPolicySet,
    new: CompiledPolicySet,
    reference: ReferenceData,
    *,
    as_of: datetime,
    timeout: float = 10.0,
    tell: Callable[[], None] = lambda: None,
) -> Iterator[Proved]:
    """For each pair of outcomes: a request on which the sets differ so, or the word that there is none.

    Args:
        as_of: selects the rules in force.
        timeout: seconds for each pair.
        tell: called after each pair.

    Raises:
        ProofMismatchError: a difference that the evaluator does not confirm.
    """
    prover = Prover(new, reference, timeout=timeout)
    mentions = claims.note_rules(Mentions(), (*old.rules, *new.rules))
    settings: dict[int, Any] = {}
    for before, after in PAIRS:
        # ALLOW needs every combination to pass: then one that does not is all the difference there can be.
        combinations = 1 if Outcome.ALLOW in (before, after) else 2
        bounds = claims.bounds_for(combinations, mentions)
        any_size = claims.covers_any_size(bounds, bounds, mentions)

        def proved(status: str, bounds: Bounds = bounds, any_size: bool = any_size, **more: Any) -> Proved:
            return Proved(before, after, status, bounds, any_size, **more)  # noqa: B023 - called within the turn

        try:
            if combinations not in settings:
                setting = prover.setting(mentions, bounds, as_of)
                settings[combinations] = (setting, setting.judge.judge(old), setting.judge.judge(new))
            setting, one, other = settings[combinations]
        except UnsupportedError as error:
            yield proved("undecided", why=f"not compiled to Z3: {error}")
            tell()
            continue
        goal = both(one.outcomes[before], other.outcomes[after])

        def confirmed(witness: Witness, before: Outcome = before, after: Outcome = after) -> bool:
            return witness.decide(old).outcome is before and witness.decide(new).outcome is after

        answer, found, witness = prover.search(setting, goal, new, confirmed, timeout)
        if witness is not None:
            yield proved("differs", found=found, decisions=(witness.decide(old), witness.decide(new)))
        elif answer == "none":
            yield proved("same")
        else:
            yield proved("undecided", why=answer)
        tell()
