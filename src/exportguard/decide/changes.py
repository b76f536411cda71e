"""The smallest changes of facts that would lead to a milder outcome, found by deciding changed requests.

*Obtainable*: what is not known turns out well, with evidence; an authorization is granted. *Evasive*: a known fact is
said otherwise, or the order is arranged round the rule (another region, a smaller order, another chip). Evasive ones
tell authors of rules how a rule can be got round, and are never looked for on a requester's behalf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from exportguard.decide.options import Option, Step, evasions, evidence
from exportguard.language import CompiledPolicySet
from exportguard.reference import ReferenceData
from exportguard.vocabulary.authorization import Authorization, AuthorizationKind, AuthorizedParty, Effective
from exportguard.vocabulary.decision import Decision, Outcome
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.party import Role
from exportguard.vocabulary.request import ProvisioningRequest

MAX_DECIDED = 400
"""Changed requests that are decided for one explanation."""
_MILDER = {Outcome.ALLOW: 0, Outcome.HOLD: 1, Outcome.DENY: 2}


@dataclass(frozen=True, slots=True)
class Change:
    """Facts that, changed together, lead to *outcome*; none of them alone is enough. `how`: what to do, in words."""

    outcome: Outcome
    evasive: bool
    steps: tuple[Step, ...]
    how: str


Decide = Callable[[ProvisioningRequest, Sequence[Authorization]], Decision]


class _Search:
    """Decides changed requests within a bound, and keeps what is milder."""

    def __init__(
        self, request: ProvisioningRequest, before: Outcome, authorizations: Sequence[Authorization], decide: Decide
    ) -> None:
        self.request, self.before, self.authorizations, self.decide = request, before, authorizations, decide
        self.left = MAX_DECIDED

    def outcome(self, options: Iterable[Option], more: Sequence[Authorization] = ()) -> Outcome:
        """The outcome with *options* applied; the outcome as it is, once the bound is reached."""
        if self.left <= 0:
            return self.before
        self.left -= 1
        changed = self.request
        for option in options:
            changed = option.apply(changed)
        return self.decide(changed, (*self.authorizations, *more)).outcome

    def milder(self, outcome: Outcome) -> bool:
        return _MILDER[outcome] < _MILDER[self.before]

    def smallest(self, options: Sequence[Option]) -> list[tuple[Outcome, tuple[Option, ...]]]:
        """Single options that help; if none does, one set of which every part is needed."""
        found: list[tuple[Outcome, tuple[Option, ...]]] = []
        helped: set[str] = set()
        for option in options:
            if option.step.path in helped:
                continue
            outcome = self.outcome((option,))
            if self.milder(outcome):
                helped.add(option.step.path)
                found.append((outcome, (option,)))
        if found:
            best = min(_MILDER[outcome] for outcome, _ in found)
            return [pair for pair in found if _MILDER[pair[0]] == best]
        first: dict[str, Option] = {}
        for option in options:
            first.setdefault(option.step.path, option)
        chosen = list(first.values())
        reached = self.outcome(chosen)
        if len(chosen) < 2 or not self.milder(reached):
            return []
        return [(reached, tuple(self.needed(chosen, reached)))]

    def needed(self, options: Sequence[Option], reached: Outcome, more: Sequence[Authorization] = ()) -> list[Option]:
        """Those of *options* without which *reached* is not reached."""
        chosen = list(options)
        for option in options:
            fewer = [other for other in chosen if other is not option]
            if fewer and self.outcome(fewer, more) is reached:
                chosen = fewer
        return chosen


def find_changes(
    request: ProvisioningRequest,
    decision: Decision,
    policies: CompiledPolicySet,
    reference: ReferenceData,
    as_of: datetime,
    authorizations: Sequence[Authorization],
    decide: Decide,
    for_author: bool,
) -> tuple[Change, ...]:
    """What would make *decision* milder; nothing for one that allows."""
    if decision.outcome is Outcome.ALLOW:
        return ()
    search = _Search(request, decision.outcome, authorizations, decide)
    found: list[Change] = []
    unknown = list(evidence(request, policies, reference, as_of))
    for outcome, options in search.smallest(unknown):
        found.append(Change(outcome, False, _steps(options), "show it with evidence"))
    granted = _granted(request)
    found += _authorized(granted, search)
    if not any(change.outcome is Outcome.ALLOW for change in found):
        found += _together(unknown, granted, search)
    if for_author:
        for group in evasions(request, reference, as_of):
            for outcome, options in search.smallest(group):
                found.append(Change(outcome, True, _steps(options), "a way round the rules: no remedy"))
    return tuple(sorted(dict.fromkeys(found), key=lambda c: (c.evasive, _MILDER[c.outcome])))


def _steps(options: Iterable[Option]) -> tuple[Step, ...]:
    return tuple(option.step for option in options)


_KINDS = {
    AuthorizationKind.BIS_LICENSE: "a BIS licence",
    AuthorizationKind.LICENSE_EXCEPTION: "a license exception",
    AuthorizationKind.INTERNAL_WAIVER: "an internal waiver",
}


def _granted(request: ProvisioningRequest) -> dict[AuthorizationKind, Authorization]:
    """An authorization of each kind that names every party in its role, the end user among them; else none."""
    parties = () if isinstance(request.parties, Unknown) else request.parties
    named = tuple(
        AuthorizedParty(role=party.role, name=party.name)
        for party in parties
        if isinstance(party.role, Role) and isinstance(party.name, str)
    )
    if not any(party.role is Role.END_USER for party in named):
        return {}
    return {
        kind: Authorization(
            id=f"a {kind.value}",
            kind=kind,
            scope="true",
            parties=named,
            effective=Effective(),
            requested_by="a requester",
            approved_by=("an approver",),
        )
        for kind in AuthorizationKind
    }


def _asked_for(granted: Authorization) -> Step:
    who = ", ".join(f"{party.name} ({party.role.value})" for party in granted.parties)
    return Step("authorizations", "none that lifts it", f"{_KINDS[granted.kind]} that names {who}")


def _authorized(granted: dict[AuthorizationKind, Authorization], search: _Search) -> list[Change]:
    """Which kind of authorization would lift what stands against the request."""
    found = []
    for kind, each in granted.items():
        outcome = search.outcome((), (each,))
        if search.milder(outcome):
            found.append(Change(outcome, False, (_asked_for(each),), f"ask for {_KINDS[kind]}"))
    return found


def _together(
    unknown: Sequence[Option], granted: dict[AuthorizationKind, Authorization], search: _Search
) -> list[Change]:
    """What allows the request where it is refused for several causes: all evidence that is needed, and where that is
    not enough an authorization beside it."""
    first: dict[str, Option] = {}
    for option in unknown:
        first.setdefault(option.step.path, option)
    everything = list(first.values())
    if not everything:
        return []
    found: list[Change] = []
    for each in (None, *granted.values()):
        more = () if each is None else (each,)
        if search.outcome(everything, more) is not Outcome.ALLOW:
            continue
        needed = search.needed(everything, Outcome.ALLOW, more)
        if each is None:
            return [Change(Outcome.ALLOW, False, _steps(needed), "show it with evidence")]
        steps = (*_steps(needed), _asked_for(each))
        found.append(Change(Outcome.ALLOW, False, steps, f"show it with evidence, and ask for {_KINDS[each.kind]}"))
    return found
