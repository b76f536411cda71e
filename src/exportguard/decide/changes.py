"""The smallest changes of facts that would lead to a milder outcome, found by deciding changed requests.

*Obtainable*: what is not known turns out well, with evidence; an authorization is granted. *Evasive*: a known fact is
said otherwise, or the order is arranged round the rule (another region, a smaller order, another chip). Evasive ones
tell authors of rules how a rule can be got round, and are never looked for on a requester's behalf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from exportguard.language import CompiledPolicySet
from exportguard.reference import ReferenceData
from exportguard.vocabulary.authorization import Authorization, AuthorizationKind, AuthorizedParty, Effective
from exportguard.vocabulary.decision import Decision, Outcome
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.party import Party, Role, UltimateParent
from exportguard.vocabulary.questions import OwnershipAnswer
from exportguard.vocabulary.request import Location, ProvisioningRequest, Transfer
from exportguard.vocabulary.scope import NONE_OF_3A090

MAX_DECIDED = 400
"""Changed requests that are decided for one explanation."""
_COUNTRIES = ("US", "GB", "DE", "JP", "CH", "BR")
"""Countries to try, from several groups; the first that helps stands for all that would."""
_MILDER = {Outcome.ALLOW: 0, Outcome.HOLD: 1, Outcome.DENY: 2}


@dataclass(frozen=True, slots=True)
class Step:
    """One fact (a path in the request document) and what it would be instead."""

    path: str
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class Change:
    """Facts that, changed together, lead to *outcome*; none of them alone is enough. `how`: what to do, in words."""

    outcome: Outcome
    evasive: bool
    steps: tuple[Step, ...]
    how: str


@dataclass(frozen=True, slots=True)
class _Option:
    step: Step
    evasive: bool
    apply: Callable[[ProvisioningRequest], ProvisioningRequest]


Decide = Callable[[ProvisioningRequest, Sequence[Authorization]], Decision]


class _Search:
    """Decides changed requests within a bound, and keeps what is milder."""

    def __init__(
        self, request: ProvisioningRequest, before: Outcome, authorizations: Sequence[Authorization], decide: Decide
    ) -> None:
        self.request, self.before, self.authorizations, self.decide = request, before, authorizations, decide
        self.left = MAX_DECIDED

    def outcome(self, options: Iterable[_Option], more: Sequence[Authorization] = ()) -> Outcome:
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

    def smallest(self, options: Sequence[_Option]) -> list[tuple[Outcome, tuple[_Option, ...]]]:
        """Single options that help; if none does, one set of which every part is needed."""
        found: list[tuple[Outcome, tuple[_Option, ...]]] = []
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
        first: dict[str, _Option] = {}
        for option in options:
            first.setdefault(option.step.path, option)
        chosen = list(first.values())
        reached = self.outcome(chosen)
        if len(chosen) < 2 or not self.milder(reached):
            return []
        for option in list(chosen):
            fewer = [other for other in chosen if other is not option]
            if fewer and self.outcome(fewer) is reached:
                chosen = fewer
        return [(reached, tuple(chosen))]


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
    unknown = list(_evidence(request, policies, reference, as_of))
    for outcome, options in search.smallest(unknown):
        found.append(Change(outcome, False, _steps(options), "show it with evidence"))
    found += _authorized(request, search)
    if for_author:
        for group in _evasions(request, reference, as_of):
            for outcome, options in search.smallest(group):
                found.append(Change(outcome, True, _steps(options), "a way round the rules: no remedy"))
    return tuple(sorted(dict.fromkeys(found), key=lambda c: (c.evasive, _MILDER[c.outcome])))


def _steps(options: Iterable[_Option]) -> tuple[Step, ...]:
    return tuple(option.step for option in options)


_KINDS = {
    AuthorizationKind.BIS_LICENSE: "a BIS license",
    AuthorizationKind.LICENSE_EXCEPTION: "a license exception",
    AuthorizationKind.INTERNAL_WAIVER: "an internal waiver",
}


def _authorized(request: ProvisioningRequest, search: _Search) -> list[Change]:
    """Which kind of authorization, naming every party in its role, would lift what stands against the request."""
    parties = () if isinstance(request.parties, Unknown) else request.parties
    named = tuple(
        AuthorizedParty(role=party.role, name=party.name)
        for party in parties
        if isinstance(party.role, Role) and isinstance(party.name, str)
    )
    if not any(party.role is Role.END_USER for party in named):
        return []
    found = []
    for kind in AuthorizationKind:
        granted = Authorization(
            id=f"a {kind.value}",
            kind=kind,
            scope="true",
            parties=named,
            effective=Effective(),
            requested_by="a requester",
            approved_by=("an approver",),
        )
        outcome = search.outcome((), (granted,))
        if search.milder(outcome):
            who = ", ".join(f"{party.name} ({party.role.value})" for party in named)
            step = Step("authorizations", "none that lifts it", f"{_KINDS[kind]} that names {who}")
            found.append(Change(outcome, False, (step,), f"ask for {_KINDS[kind]}"))
    return found


# -- what may turn out well


def _evidence(
    request: ProvisioningRequest, policies: CompiledPolicySet, reference: ReferenceData, as_of: datetime
) -> Iterable[_Option]:
    if isinstance(request.parties, Unknown) or not any(p.role is Role.END_USER for p in request.parties):
        for party in _good_parties(policies):
            then = f"an end user in {party.country}, screened, owned by nobody restricted"
            yield _Option(Step("parties", "no end user is named", then), False, _adding_party(party))
    for index, party in enumerate(() if isinstance(request.parties, Unknown) else request.parties):
        yield from _of_party(party, f"parties[{index}]", policies, known=False)
    locations = request.locations
    if isinstance(locations, Unknown) or not locations:
        for country in _COUNTRIES:
            place = Location(region=None, country=country)
            yield _option("locations", "not known", f"in {country}", False, locations=(place,))
    if isinstance(request.transfer, Unknown):
        yield _option("transfer", _told(request.transfer), "remote_access", False, transfer=Transfer.REMOTE_ACCESS)
    if isinstance(request.end_use, Unknown):
        yield _option("end_use", _told(request.end_use), "such as inference", False, end_use="inference")
    family = _harmless(reference, as_of)
    for index, item in enumerate(() if isinstance(request.items, Unknown) else request.items):
        unresolved = isinstance(item.instance_type, Unknown) or isinstance(item.accelerator, Unknown)
        if family is not None and (
            unresolved or (item.kind is ItemKind.ACCELERATOR and _names_nothing_known(item, request, reference))
        ):
            harmless = Item(kind=ItemKind.ACCELERATOR, accelerator=family, count=1, name=item.name)
            called = item.instance_type if isinstance(item.instance_type, str) else "the chip"
            yield _Option(
                Step(f"items[{index}]", f"{called}: not known", f"a chip that 3A090 does not name, such as {family}"),
                False,
                _replacing("items", index, harmless),
            )


def _names_nothing_known(item: Item, request: ProvisioningRequest, reference: ReferenceData) -> bool:
    if isinstance(item.accelerator, str):
        return not reference.accelerators(item.accelerator)
    if isinstance(item.instance_type, str) and isinstance(request.provider, str):
        return isinstance(reference.instance(request.provider.strip().lower(), item.instance_type), Unknown)
    return item.accelerator is None and item.instance_type is None


def _harmless(reference: ReferenceData, as_of: datetime) -> str | None:
    """An accelerator family that no paragraph of 3A090 names at *as_of*."""
    for family in sorted(reference.accelerator_families):
        specs = reference.accelerators(family)
        if specs and all(reference.eccn(spec, as_of).eccn == NONE_OF_3A090 for spec in specs):
            return family
    return None


def _good_parties(policies: CompiledPolicySet) -> Iterable[Party]:
    for country in _COUNTRIES:
        yield Party(
            role=Role.END_USER,
            name="an end user",
            country=country,
            headquarters=country,
            ultimate_parent=None,
            listings=(),
            owners=(),
            restricted_ownership=None,
            verified=True,
            ownership_answers=_not_owned(policies),
        )


def _not_owned(policies: CompiledPolicySet) -> tuple[OwnershipAnswer, ...]:
    return tuple(
        OwnershipAnswer(lists=q.lists, comparison=q.comparison, percent=str(q.percent), owned=False)
        for q in sorted(policies.ownership_questions)
    )


def _of_party(party: Party, path: str, policies: CompiledPolicySet, *, known: bool) -> Iterable[_Option]:
    """Facts of a party that are not known (or, *known*, those that are), each as something harmless."""
    index = int(path.partition("[")[2].rstrip("]"))

    def option(name: str, then: str, **values: Any) -> _Option:
        now = _told(getattr(party, name))
        step = Step(f"{path}.{name}", now, then)
        return _Option(step, known, lambda request: _with_party(request, index, values))

    for name in ("country", "headquarters"):
        if isinstance(getattr(party, name), Unknown) is not known:
            for country in _COUNTRIES:
                yield option(name, f"such as {country}", **{name: country})
    parent = party.ultimate_parent
    open_parent = isinstance(parent, Unknown) or (
        isinstance(parent, UltimateParent) and isinstance(parent.headquarters, Unknown)
    )
    if open_parent is not known and not (known and parent is None):
        for country in _COUNTRIES:
            then = UltimateParent(name="a parent", country=country, headquarters=country)
            yield option("ultimate_parent", f"headquartered in a country such as {country}", ultimate_parent=then)
    if isinstance(party.listings, Unknown) is not known and party.listings != ():
        yield option("listings", "on no list", listings=())
    if isinstance(party.restricted_ownership, Unknown) is not known and party.restricted_ownership is not None:
        yield option("restricted_ownership", "owned by nobody restricted", restricted_ownership=None)
    answers = _not_owned(policies)
    owned = any(isinstance(a.owned, Unknown) or a.owned for a in party.ownership_answers) or not party.ownership_answers
    if answers and owned and isinstance(party.owners, Unknown) is not known:
        yield option("owners", "owned by nobody restricted", owners=(), ownership_answers=answers)
    if isinstance(party.verified, Unknown) is not known and party.verified is not True:
        yield option("verified", "verified", verified=True)


# -- ways round


def _evasions(request: ProvisioningRequest, reference: ReferenceData, as_of: datetime) -> Iterable[list[_Option]]:
    """Groups of options: each group's parts may be combined."""
    parties = () if isinstance(request.parties, Unknown) else request.parties
    for index, party in enumerate(parties):
        yield list(_of_party(party, f"parties[{index}]", _NO_QUESTIONS, known=True))
        if len(parties) > 1:
            rest = (*parties[:index], *parties[index + 1 :])
            yield [_option(f"parties[{index}]", _told(party.name), "not mentioned", True, parties=rest)]
    locations = () if isinstance(request.locations, Unknown) else request.locations
    for index, place in enumerate(locations):
        now = _told(place.region) if isinstance(place.region, str) else _told(place.country)
        yield [
            _Option(
                Step(f"locations[{index}]", now, f"elsewhere, such as in {country}"),
                True,
                _replacing("locations", index, Location(region=None, country=country)),
            )
            for country in _COUNTRIES
        ]
    family = _harmless(reference, as_of)
    for index, item in enumerate(() if isinstance(request.items, Unknown) else request.items):
        yield list(_of_item(item, index, family))
    if not isinstance(request.end_use, Unknown):
        yield [_option("end_use", request.end_use, "another, such as inference", True, end_use="inference")]
    if not isinstance(request.transfer, Unknown):
        other = Transfer.REMOTE_ACCESS if request.transfer == Transfer.EXPORT.value else Transfer.EXPORT
        yield [_option("transfer", str(request.transfer), other.value, True, transfer=other)]


def _of_item(item: Item, index: int, family: str | None) -> Iterable[_Option]:
    for name in ("instances", "count", "tokens"):
        amount = getattr(item, name)
        if isinstance(amount, Unknown) or amount <= 1:
            continue
        for smaller in dict.fromkeys(max(1, int(amount * share)) for share in (0.9, 0.5, 0.25, 0.1, 0.01, 0)):
            then = item.model_copy(update={name: smaller})
            yield _Option(
                Step(f"items[{index}].{name}", f"{amount:g}", f"{smaller} at a time"),
                True,
                _replacing("items", index, then),
            )
    if family is not None and item.kind is ItemKind.ACCELERATOR:
        then = Item(kind=ItemKind.ACCELERATOR, accelerator=family, count=1)
        now = next((n for n in (item.name, item.instance_type, item.accelerator) if isinstance(n, str)), "this chip")
        yield _Option(
            Step(f"items[{index}]", now, f"another chip, such as {family}"), True, _replacing("items", index, then)
        )


_NO_QUESTIONS = CompiledPolicySet((), "")


# -- changing documents


def _told(value: object) -> str:
    if isinstance(value, Unknown):
        return f"unknown ({value.reason})"
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(_told, value)) or "none"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, UltimateParent):
        return f"headquartered in {_told(value.headquarters)}"
    return str(value)


def _option(path: str, now: str, then: str, evasive: bool, **update: Any) -> _Option:
    return _Option(Step(path, now, then), evasive, lambda request: request.model_copy(update=update))


def _replacing(name: str, index: int, then: object) -> Callable[[ProvisioningRequest], ProvisioningRequest]:
    def apply(request: ProvisioningRequest) -> ProvisioningRequest:
        parts = list(getattr(request, name))
        parts[index] = then
        return request.model_copy(update={name: tuple(parts)})

    return apply


def _adding_party(party: Party) -> Callable[[ProvisioningRequest], ProvisioningRequest]:
    def apply(request: ProvisioningRequest) -> ProvisioningRequest:
        present = () if isinstance(request.parties, Unknown) else request.parties
        return request.model_copy(update={"parties": (*present, party)})

    return apply


def _with_party(request: ProvisioningRequest, index: int, values: dict[str, Any]) -> ProvisioningRequest:
    parts = list(() if isinstance(request.parties, Unknown) else request.parties)
    parts[index] = parts[index].model_copy(update=values)
    return request.model_copy(update={"parties": tuple(parts)})
