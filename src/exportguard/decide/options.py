"""Facts that might be otherwise: what is not known, turning out well; what is known, arranged otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from exportguard.decide.derive import derive
from exportguard.language import CompiledPolicySet
from exportguard.reference import ReferenceData
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.party import Party, Role, UltimateParent
from exportguard.vocabulary.questions import OwnershipAnswer
from exportguard.vocabulary.request import Location, ProvisioningRequest, Transfer
from exportguard.vocabulary.scope import NONE_OF_3A090

COUNTRIES = ("US", "GB", "DE", "JP", "CH", "BR")
"""Countries to try, from several groups; the first that helps stands for all that would."""


@dataclass(frozen=True, slots=True)
class Step:
    """One fact (a path in the request document) and what it would be instead."""

    path: str
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class Option:
    """One fact otherwise. *evasive*: it is known, and would be said or arranged otherwise."""

    step: Step
    evasive: bool
    apply: Callable[[ProvisioningRequest], ProvisioningRequest]


def evidence(
    request: ProvisioningRequest, policies: CompiledPolicySet, reference: ReferenceData, as_of: datetime
) -> Iterable[Option]:
    if isinstance(request.parties, Unknown) or not any(p.role is Role.END_USER for p in request.parties):
        for party in _good_parties(policies):
            then = f"an end user in {party.country}, screened, owned by nobody restricted"
            yield Option(Step("parties", "no end user is named", then), False, _adding_party(party))
    for index, party in enumerate(() if isinstance(request.parties, Unknown) else request.parties):
        yield from _of_party(party, f"parties[{index}]", policies, known=False)
    locations = request.locations
    if isinstance(locations, Unknown) or not locations:
        for country in COUNTRIES:
            place = Location(region=None, country=country)
            yield _option("locations", "not known", f"in {country}", False, locations=(place,))
    else:
        open_ = {
            view.index for view in derive(request, reference, as_of).locations if isinstance(view.country, Unknown)
        }
        for index in sorted(open_):
            now = f"{_told(locations[index].region)}: its country is not known"
            for country in COUNTRIES:
                place = Location(region=None, country=country)
                yield Option(
                    Step(f"locations[{index}]", now, f"in {country}"), False, _replacing("locations", index, place)
                )
    if isinstance(request.transfer, Unknown):
        yield _option("transfer", _told(request.transfer), "remote_access", False, transfer=Transfer.REMOTE_ACCESS)
    if isinstance(request.end_use, Unknown):
        yield _option("end_use", _told(request.end_use), "such as inference", False, end_use="inference")
    family = _harmless(reference, as_of)
    if isinstance(request.items, Unknown) and family is not None:
        chip = Item(kind=ItemKind.ACCELERATOR, accelerator=family, count=1)
        then = f"a chip that 3A090 does not name, such as {family}"
        yield _option("items", _told(request.items), then, False, items=(chip,))
    for index, item in enumerate(() if isinstance(request.items, Unknown) else request.items):
        if item.kind is ItemKind.MODEL:
            yield from _of_model(item, index, request, reference)
            continue
        unresolved = isinstance(item.instance_type, Unknown) or isinstance(item.accelerator, Unknown)
        if family is not None and (
            unresolved or (item.kind is ItemKind.ACCELERATOR and _names_nothing_known(item, request, reference))
        ):
            harmless = Item(kind=ItemKind.ACCELERATOR, accelerator=family, count=1, name=item.name)
            called = item.instance_type if isinstance(item.instance_type, str) else "the chip"
            yield Option(
                Step(f"items[{index}]", f"{called}: not known", f"a chip that 3A090 does not name, such as {family}"),
                False,
                _replacing("items", index, harmless),
            )


def _of_model(item: Item, index: int, request: ProvisioningRequest, reference: ReferenceData) -> Iterable[Option]:
    """A model that nobody knows, as one whose weights anybody may have."""
    provider = request.provider if isinstance(request.provider, str) else None
    if isinstance(item.model, str) and not isinstance(reference.model(provider, item.model), Unknown):
        return
    for name in sorted(reference.model_families):
        fact = reference.model(None, name)
        if not isinstance(fact, Unknown) and fact.weights == "open":
            now = f"{item.model}: not known" if isinstance(item.model, str) else "the model: not known"
            then = item.model_copy(update={"model": name})
            step = Step(f"items[{index}].model", now, f"a model with open weights, such as {name}")
            yield Option(step, False, _replacing("items", index, then))
            return


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
    for country in COUNTRIES:
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


def _of_party(party: Party, path: str, policies: CompiledPolicySet, *, known: bool) -> Iterable[Option]:
    """Facts of a party that are not known (or, *known*, those that are), each as something harmless."""
    index = int(path.partition("[")[2].rstrip("]"))

    def option(fact: str, then: str, **values: Any) -> Option:
        step = Step(f"{path}.{fact}", _told(getattr(party, fact)), then)
        return Option(step, known, lambda request: _with_party(request, index, values))

    for name in ("country", "headquarters"):
        if isinstance(getattr(party, name), Unknown) is not known:
            for country in COUNTRIES:
                yield option(name, f"such as {country}", **{name: country})
    if not known and isinstance(party.name, Unknown):
        yield option("name", "named", name="a party of its own")
    if not known and isinstance(party.subdivision, Unknown):
        yield option("subdivision", "in no part of a country that is embargoed by itself", subdivision=None)
    parent = party.ultimate_parent
    open_parent = isinstance(parent, Unknown) or (
        isinstance(parent, UltimateParent) and isinstance(parent.headquarters, Unknown)
    )
    if open_parent is not known and not (known and parent is None):
        for country in COUNTRIES:
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


def evasions(request: ProvisioningRequest, reference: ReferenceData, as_of: datetime) -> Iterable[list[Option]]:
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
            Option(
                Step(f"locations[{index}]", now, f"elsewhere, such as in {country}"),
                True,
                _replacing("locations", index, Location(region=None, country=country)),
            )
            for country in COUNTRIES
        ]
    family = _harmless(reference, as_of)
    for index, item in enumerate(() if isinstance(request.items, Unknown) else request.items):
        yield list(_of_item(item, index, family))
    if not isinstance(request.end_use, Unknown):
        yield [_option("end_use", request.end_use, "another, such as inference", True, end_use="inference")]
    if not isinstance(request.transfer, Unknown):
        other = Transfer.REMOTE_ACCESS if request.transfer == Transfer.EXPORT.value else Transfer.EXPORT
        yield [_option("transfer", str(request.transfer), other.value, True, transfer=other)]


def _of_item(item: Item, index: int, family: str | None) -> Iterable[Option]:
    for name in ("instances", "count", "tokens"):
        amount = getattr(item, name)
        if isinstance(amount, Unknown) or amount <= 1:
            continue
        for smaller in dict.fromkeys(max(1, int(amount * share)) for share in (0.9, 0.5, 0.25, 0.1, 0.01, 0)):
            then = item.model_copy(update={name: smaller})
            yield Option(
                Step(f"items[{index}].{name}", f"{amount:g}", f"{smaller} at a time"),
                True,
                _replacing("items", index, then),
            )
    if family is not None and item.kind is ItemKind.ACCELERATOR:
        then = Item(kind=ItemKind.ACCELERATOR, accelerator=family, count=1)
        now = next((n for n in (item.name, item.instance_type, item.accelerator) if isinstance(n, str)), "this chip")
        yield Option(
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


def _option(path: str, now: str, then: str, evasive: bool, **update: Any) -> Option:
    return Option(Step(path, now, then), evasive, lambda request: request.model_copy(update=update))


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
