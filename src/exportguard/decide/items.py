"""Accelerator and model items: what stands behind the name that a request gives."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from operator import itemgetter
from typing import NamedTuple, TypeVar

from exportguard.reference import AcceleratorSpec, InstanceFact, NoAccelerator, ReferenceData
from exportguard.vocabulary.fact import NOT_GIVEN, Confidence, Maybe, Unknown
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.scope import NONE_OF_3A090, AcceleratorView, ItemView, ModelView

T = TypeVar("T")
_WEAKER: dict[Confidence, int] = {"primary": 0, "secondary": 1, "general-knowledge": 2}


def item_views(
    item: Item, index: int, provider: Maybe[str], reference: ReferenceData, as_of: datetime, period: int
) -> tuple[ItemView, ...]:
    """The views of one item: none if it is known to carry nothing, several if what it names contradicts itself.

    *period* is that of *as_of*: nothing dated changes within one, so what was found once stands for all of it.
    """
    key = (_said(item.__dict__), provider, id(reference), period)
    known = _seen.get(key)
    if known is not None and known[0] is reference:
        views = known[1]
    else:
        views = tuple(_item_views(item, 0, provider, reference, as_of))
        if len(_seen) >= _KEPT:
            _seen.clear()  # whatever is common is back at once; bookkeeping of what is recent costs more than it saves
        _seen[key] = (reference, views)
    return views if index == 0 else tuple([replace(view, index=index) for view in views])


_KEPT = 4096
_seen: dict[tuple[tuple[object, ...], Maybe[str], int, int], tuple[ReferenceData, tuple[ItemView, ...]]] = {}
_said = itemgetter(*(name for name in Item.model_fields if name != "where"))
"""What an item says, as one value: all but where in a call it was read."""


class _Recent(NamedTuple):
    """The period that was asked for last."""

    reference: ReferenceData | None
    since: datetime
    until: datetime
    period: int


_recent = _Recent(None, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), 0)


def period_of(reference: ReferenceData, as_of: datetime) -> int:
    """Which period between two change dates of *reference* holds *as_of*."""
    global _recent
    last, since, until, period = _recent
    if last is reference and since <= as_of < until:
        return period
    changes = reference.change_dates()
    period = bisect_right(changes, as_of)
    since = changes[period - 1] if period else datetime.min.replace(tzinfo=UTC)
    until = changes[period] if period < len(changes) else datetime.max.replace(tzinfo=UTC)
    # Replaced whole: another thread sees the old or the new one.
    _recent = _Recent(reference, since, until, period)
    return period


def _item_views(
    item: Item, index: int, provider: Maybe[str], reference: ReferenceData, as_of: datetime
) -> list[ItemView]:
    kind = item.kind
    if kind is ItemKind.MODEL:
        return [_model_item(item, index, provider, reference)]
    if kind is ItemKind.ACCELERATOR:
        return _accelerator_items(item, index, provider, reference, as_of)
    return [_unknown_kind(item, kind, index, provider, reference, as_of)]


def weakest(levels: Iterable[Confidence]) -> Confidence:
    return max(levels, key=_WEAKER.__getitem__, default="general-knowledge")


def _accelerator_items(
    item: Item, index: int, provider: Maybe[str], reference: ReferenceData, as_of: datetime
) -> list[ItemView]:
    if item.model is not None:
        # A document may not hide a model behind the word accelerator.
        return [_unknown_kind(item, Unknown("both an accelerator and a model"), index, provider, reference, as_of)]
    hosts = _instance(item.instance_type, provider, reference)
    named: tuple[AcceleratorSpec, ...] | Unknown | None
    if isinstance(item.accelerator, str):
        named = reference.accelerators(item.accelerator) or Unknown(
            f"accelerator `{item.accelerator}` is not in the reference data"
        )
    else:
        named = item.accelerator
    if isinstance(hosts, NoAccelerator):
        if named is None and (item.count == NOT_GIVEN or item.count == 0):
            return []
        hosts = Unknown(f"`{item.instance_type}` is known to carry none, yet the item says more")
    # What names the item by one word and leaves another unknown, or names two things, is asked about as both.
    groups: list[tuple[Sequence[AcceleratorSpec] | Unknown, Maybe[Fraction]]] = []
    if isinstance(hosts, InstanceFact):
        agreed = tuple(s for s in hosts.accelerators if isinstance(named, tuple) and s in named)
        groups.append((agreed or hosts.accelerators, hosts.count))
        if named is not None and not agreed:
            groups.append((named, Unknown("two accelerators are named")))
    else:
        groups += [(given, Unknown("how many is not stated")) for given in (hosts, named) if given is not None]
    if not groups:
        nothing = Unknown("no accelerator and no instance type is named")
        groups.append((nothing, nothing))
    views = []
    for specs, per in groups:
        count = _count(item, per)
        view = _accelerator_view(item, index, specs, count, reference, as_of)
        if isinstance(hosts, InstanceFact):
            view = replace(view, confidence=weakest((view.confidence, hosts.confidence)))
        views.append(view)
    return views


def _instance(
    name: Maybe[str] | None, provider: Maybe[str], reference: ReferenceData
) -> InstanceFact | NoAccelerator | Unknown | None:
    if name is None or isinstance(name, Unknown):
        return name
    if isinstance(provider, str) and provider in ("aws", "azure"):
        return reference.instance(provider, name)
    # Whose type it is, is not known: what one cloud knows to be accelerated counts, harmless counts nowhere.
    for candidate in ("aws", "azure"):
        fact = reference.instance(candidate, name)
        if isinstance(fact, InstanceFact):
            return fact
    return Unknown(f"instance type `{name}` of an unknown provider")


def _count(item: Item, per_instance: Maybe[Fraction]) -> Maybe[Fraction]:
    hosted: Maybe[Fraction]
    if isinstance(per_instance, Unknown):
        hosted = per_instance
    elif isinstance(item.instances, Unknown):
        hosted = Unknown(f"number of instances: {item.instances.reason}")
    else:
        hosted = per_instance * item.instances
    if item.count == NOT_GIVEN:
        return hosted
    if isinstance(item.count, Unknown):
        return item.count
    stated = Fraction(str(item.count))
    return stated if isinstance(hosted, Unknown) else max(stated, hosted)


def _number(value: Maybe[Fraction]) -> Maybe[float]:
    """Whole numbers stay int, so that messages read well and comparisons stay exact."""
    if isinstance(value, Unknown):
        return value
    return int(value) if value.denominator == 1 else float(value)


def _accelerator_view(
    item: Item,
    index: int,
    specs: Sequence[AcceleratorSpec] | Unknown,
    count: Maybe[Fraction],
    reference: ReferenceData,
    as_of: datetime,
) -> ItemView:
    confidence: Confidence
    if isinstance(specs, Unknown):
        accelerator = AcceleratorView(*(specs,) * 7)
        eccn: Maybe[str] = specs
        confidence = "general-knowledge"
    else:
        labels = ", ".join(s.id for s in specs)
        which = Unknown(f"one of {labels}")
        accelerator = AcceleratorView(
            id=_same((s.id for s in specs), which),
            family=_same((s.family for s in specs), which),
            vendor=_same((s.vendor for s in specs), which),
            tpp=_same((s.tpp for s in specs), which),
            performance_density=_same((s.performance_density for s in specs), which),
            memory_bandwidth=_same((s.memory_bandwidth for s in specs), which),
            datacenter=_same((s.datacenter for s in specs), which),
        )
        classes = [reference.eccn(s, as_of) for s in specs]
        eccn = _same((c.eccn for c in classes), which)
        confidence = weakest((*(s.confidence for s in specs), *(c.confidence for c in classes)))
    total: Maybe[float]
    if isinstance(accelerator.tpp, Unknown):
        total = accelerator.tpp
    elif isinstance(count, Unknown):
        total = count
    else:
        total = _number(Fraction(str(accelerator.tpp)) * count)
    quantity = item.instances if item.instance_type is not None else _number(count)
    return ItemView(
        kind=ItemKind.ACCELERATOR.value,
        name=_label(item, accelerator),
        quantity=quantity,
        eccn=eccn,
        accelerator=accelerator,
        count=_number(count),
        total_tpp=total,
        instance_type=item.instance_type,
        model=None,
        tokens=None,
        confidence=confidence,
        index=index,
    )


def _same(values: Iterable[Maybe[T]], differing: Unknown) -> Maybe[T]:
    """The value that all candidates share; else unknown."""
    first, *others = values
    return first if all(other == first for other in others) else differing


def _label(item: Item, accelerator: AcceleratorView | None) -> Maybe[str]:
    if item.name is not None:
        return item.name
    family = accelerator.family if accelerator is not None else None
    for name in (item.instance_type, item.accelerator, item.model):
        if isinstance(name, str):
            known = isinstance(family, str) and family.lower() not in name.lower()
            return f"{name} ({family})" if known else name
    for unknown in (item.instance_type, item.accelerator, item.model, item.kind):
        if isinstance(unknown, Unknown):
            return unknown
    return Unknown("the item has no name")


def _model_view(
    name: Maybe[str] | None, provider: Maybe[str], reference: ReferenceData
) -> tuple[ModelView, Confidence]:
    if not isinstance(name, str):
        why = name if isinstance(name, Unknown) else Unknown("no model is named")
        return ModelView(*(why,) * 5), "general-knowledge"
    fact = reference.model(provider if isinstance(provider, str) else None, name)
    if isinstance(fact, Unknown):
        return ModelView(*(fact,) * 5), "general-knowledge"
    return ModelView(fact.id, fact.family, fact.provider, fact.provider_country, fact.weights), fact.confidence


def _model_item(item: Item, index: int, provider: Maybe[str], reference: ReferenceData) -> ItemView:
    if item.instance_type is not None or item.accelerator is not None:
        why = Unknown("both an accelerator and a model")
        return ItemView(why, _label(item, None), why, why, why, why, why, item.instance_type, why, why, index=index)
    view, confidence = _model_view(item.model, provider, reference)
    return ItemView(
        kind=ItemKind.MODEL.value,
        name=_label(item, None),
        quantity=item.tokens,
        eccn=NONE_OF_3A090,
        accelerator=None,
        count=None,
        total_tpp=None,
        instance_type=None,
        model=view,
        tokens=item.tokens,
        confidence=confidence,
        index=index,
    )


def _unknown_kind(
    item: Item, why: Unknown | ItemKind, index: int, provider: Maybe[str], reference: ReferenceData, as_of: datetime
) -> ItemView:
    """Asked about as both kinds: what its names tell is used, the rest is unknown."""
    reason = why if isinstance(why, Unknown) else Unknown("the kind of the item is not known")
    hosts = _instance(item.instance_type, provider, reference)
    specs: Sequence[AcceleratorSpec] | Unknown = reason
    if isinstance(hosts, InstanceFact):
        specs = hosts.accelerators
    elif isinstance(item.accelerator, str):
        specs = reference.accelerators(item.accelerator) or reason
    seen = _accelerator_view(item, index, specs, _count(item, reason), reference, as_of)
    model, _ = _model_view(item.model, provider, reference) if item.model is not None else (reason, None)
    return ItemView(
        kind=reason,
        name=seen.name,
        quantity=reason,
        eccn=seen.eccn,
        accelerator=seen.accelerator if isinstance(specs, Sequence) else reason,
        count=seen.count,
        total_tpp=seen.total_tpp,
        instance_type=item.instance_type if item.instance_type is not None else reason,
        model=model,
        tokens=item.tokens,
        index=index,
    )
