"""Every kind of item that a document can name, as classes: what the rules in question cannot tell apart is one class.

The facts of an item follow from its name by reference data, so they are not free: there is no chip with the
classification of an H100 and the density of a T4. The classes are made by the function that derives items for a
decision, from every name that reference data knows, and from what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from exportguard.authoring.proof.mentions import Mentions
from exportguard.authoring.proof.samples import model_names
from exportguard.decide.items import item_views, period_of
from exportguard.reference import ReferenceData
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.scope import ItemView

NUMBERS = ("count", "total_tpp", "quantity", "tokens")
FIRST = ("H100", "A100", "H20", "RTX 4090", "T4")
"""Names that a reader knows, tried first: the first of a class stands for it."""
_ONE_OF = Unknown("nobody knows which")


@dataclass(frozen=True, slots=True)
class Row:
    """One class of items. `item` names it, with an amount of one; `view` is what is derived from that.

    `provider`: whose name it is, where that matters. `amount`: the field of the document that says how much.
    """

    item: Item
    view: ItemView
    provider: str | None
    amount: str

    def coefficient(self, name: str) -> Fraction | None:
        """A number of the view for an amount of one; None where it is unknown or not there."""
        value: Any = getattr(self.view, name)
        if value is None or isinstance(value, Unknown):
            return None
        return Fraction(str(value)).limit_denominator(10**6)  # a sixth of a chip was rounded on the way


def rows(reference: ReferenceData, as_of: datetime, mentions: Mentions) -> tuple[Row, ...]:
    """The classes of items, each once."""
    found: dict[Any, Row] = {}
    period = period_of(reference, as_of)

    def add(made: Iterable[tuple[Item, str | None, str]]) -> None:
        for item, provider, amount in made:
            views = item_views(item, 0, provider or _ONE_OF, reference, as_of, period)
            if len(views) == 1:
                found.setdefault(_key(views[0], provider, mentions), Row(item, views[0], provider, amount))

    literals = sorted(text for text in mentions.texts if 0 < len(text) <= 2000)
    add(_accelerators(reference, literals))
    add(_models(reference, literals))
    add(_instances(reference, literals))
    return tuple(found.values())


def _accelerators(reference: ReferenceData, literals: list[str]) -> Iterator[tuple[Item, str | None, str]]:
    names: list[Maybe[str]] = [*FIRST, *sorted(reference.accelerator_ids), *sorted(reference.accelerator_families)]
    names += [text for text in literals if reference.accelerators(text)]
    names += ["a chip of next year", _ONE_OF]
    for kind in (ItemKind.ACCELERATOR, _ONE_OF):
        for name in names:
            yield _named(kind, accelerator=name, count=1), None, "count"
    yield _named(_ONE_OF), None, ""


def _instances(reference: ReferenceData, literals: list[str]) -> Iterator[tuple[Item, str | None, str]]:
    for provider, table in (("aws", "instances_aws"), ("azure", "instances_azure")):
        names = [row["name"] for row in reference.table(table)["instances"]]
        for name in (*names, *literals, "x99.of-next-year"):
            for kind in (ItemKind.ACCELERATOR, _ONE_OF):
                yield _named(kind, instance_type=name, instances=1), provider, "instances"
    for kind in (ItemKind.ACCELERATOR, _ONE_OF):
        yield _named(kind, instance_type=_ONE_OF, instances=1), None, "instances"


def _models(reference: ReferenceData, literals: list[str]) -> Iterator[tuple[Item, str | None, str]]:
    names: list[Maybe[str]] = [*model_names(reference), *literals, "a model of next year", _ONE_OF]
    for kind in (ItemKind.MODEL, _ONE_OF):
        for name in names:
            if isinstance(name, str) and isinstance(reference.model(None, name), Unknown) and " " not in name:
                continue
            if kind is ItemKind.MODEL:
                yield Item(kind=kind, model=name, tokens=1), None, "tokens"
            else:
                yield _named(kind, model=name, count=1), None, "count"
    yield Item(kind=ItemKind.MODEL, model="claude-3-opus", accelerator="H100", tokens=1), None, "tokens"


def _named(kind: Maybe[ItemKind], **given: Any) -> Item:
    """An item of unknown kind may state tokens as well."""
    return Item(kind=kind, **given) if kind is ItemKind.ACCELERATOR else Item(kind=kind, tokens=1, **given)


def _key(view: ItemView, provider: str | None, mentions: Mentions) -> Any:
    """What tells two items apart as far as *mentions* go."""
    parts: list[Any] = [view.kind if isinstance(view.kind, str) else "?"]
    parts += ["?" if isinstance(r, Unknown) else r is None for r in (view.accelerator, view.model)]
    for name in ("eccn", "name", "instance_type", *NUMBERS):
        if mentions.looks_at(f"item.{name}") and name != "name":
            parts.append((name, _mark(getattr(view, name), f"item.{name}", mentions)))
    if any(mentions.compares(f"item.{name}") for name in ("instance_type", "quantity", "count")) or mentions.compares(
        "request.provider"
    ):
        parts.append(provider)
    for root in ("accelerator", "model"):
        record = getattr(view, root)
        if record is not None and not isinstance(record, Unknown):
            parts += [
                (name, _mark(getattr(record, name), f"{root}.{name}", mentions))
                for name in record.__dataclass_fields__
                if mentions.looks_at(f"{root}.{name}")
            ]
    return tuple(parts)


def _mark(value: Any, name: str, mentions: Mentions) -> Any:
    if isinstance(value, Unknown):
        return "?"
    if value is None or not mentions.compares(name):
        return "none" if value is None else "some"
    if isinstance(value, str) and value not in mentions.texts and not mentions.is_exact(name):
        return "other"
    return (type(value).__name__, value) if isinstance(value, bool | int | float | str | Fraction) else "record"
