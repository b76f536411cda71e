"""An item of the symbolic request: one class of the catalogue, and how much of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from exportguard.authoring.proof.catalogue import NUMBERS, Row
from exportguard.authoring.proof.logic import B, Z, both, conj, disj, either, neg, z3
from exportguard.authoring.proof.reading import NOBODY_KNOWS, Reading, plain
from exportguard.authoring.proof.terms import Term, by_case
from exportguard.authoring.proof.unknowns import LARGEST, Unknowns, cases
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.item import ItemKind

_ACCELERATOR = ("id", "family", "vendor", "tpp", "performance_density", "memory_bandwidth", "datacenter")
_MODEL = ("id", "family", "provider", "provider_country", "weights")


class Goods:
    """One item slot."""

    def __init__(self, unknowns: Unknowns, rows: tuple[Row, ...], index: int, there: B, provider: Term | None) -> None:
        self.rows, self.there, self._unknowns = rows, there, unknowns
        self.name = f"item{index}"
        module = z3()
        self._row = module.BitVec(f"{self.name}.row", 16)
        unknowns.restrict(module.ULT(self._row, len(rows)))
        self._is: list[B] = [self._row == number for number in range(len(rows))]
        self._models = tuple(row for row in rows if row.item.kind is ItemKind.MODEL and row.item.accelerator is None)
        self._beside = module.BitVec(f"{self.name}.beside", 16)
        unknowns.restrict(module.ULT(self._beside, len(self._models)))
        self.mixed = self._is_mixed()
        # Plain items read best: what is named by a word that exists.
        unknowns.wish(disj(self._is[n] for n, row in enumerate(rows) if _is_plain(row)))
        for first in (0, next((n for n, row in enumerate(rows) if row.item.model is not None), 0)):
            unknowns.wish(self._is[first])
        self._counted = any(unknowns.mentions.compares(f"item.{name}") for name in NUMBERS)
        self.amount: Z = module.Real(f"{self.name}.amount") if self._counted else Fraction(8)
        self.amount_open = unknowns.open(f"{self.name}.amount") if self._counted else False
        self.tokens: Z = module.Int(f"{self.name}.tokens") if self._counted else 1_000_000
        self.tokens_open = unknowns.open(f"{self.name}.tokens") if self._counted else False
        self._label: Any = None
        self._labelled: B = False
        if self._counted:
            self._restrict_amounts()
        self._restrict_provider(provider)
        self.term = Term("record", self._fields())

    def _is_mixed(self) -> B:
        """Whether the item names a model beside its accelerator: its kind is unknown, and it is asked about as both."""
        mixed = self._unknowns.flag(f"{self.name}.mixed")
        self._unknowns.wish(neg(mixed))
        chips = disj(self._is[n] for n, row in enumerate(self.rows) if _is_chip(row))
        self._unknowns.restrict(either(neg(mixed), chips))
        return mixed

    def _restrict_amounts(self) -> None:
        unknowns, module = self._unknowns, z3()
        unknowns.restrict(conj((self.amount >= 0, self.amount <= LARGEST)))
        unknowns.restrict(conj((self.tokens >= 0, self.tokens <= LARGEST)))
        whole = disj(self._is[n] for n, row in enumerate(self.rows) if row.amount == "instances")
        unknowns.restrict(disj((neg(whole), module.IsInt(self.amount))))
        unknowns.wish(module.IsInt(self.amount))
        unknowns.wish(self.amount == 8)
        unknowns.wish(self.tokens == 1_000_000)

    def _restrict_provider(self, provider: Term | None) -> None:
        if provider is None:
            return
        words = self._unknowns.operations.words
        for name in ("aws", "azure"):
            named = disj(self._is[n] for n, row in enumerate(self.rows) if row.provider == name)
            fits = disj((provider.open, words.one_of(provider.value, frozenset((name,)))))
            self._unknowns.restrict(disj((neg(self.there), neg(named), fits)))

    # -- terms

    def _fields(self) -> dict[str, Term]:
        fields = {name: self._text(name) for name in ("kind", "eccn", "instance_type")}
        kind = fields["kind"]
        fields["kind"] = Term("text", kind.value, either(kind.open, self.mixed), kind.null)
        fields["name"] = self._name()
        fields["accelerator"] = self._record("accelerator", _ACCELERATOR, self.rows, self._is)
        beside = [self._beside == number for number in range(len(self._models))]
        alone = self._record("model", _MODEL, self.rows, self._is)
        fields["model"] = by_case(self.mixed, self._record("model", _MODEL, self._models, beside), alone)
        if any(self._unknowns.mentions.looks_at(f"item.{name}") for name in NUMBERS):
            fields.update((name, self._number(name)) for name in NUMBERS)
        return fields

    def _where(self, values: list[Any], test: Any) -> B:
        return _where(values, test, self._is)

    def _term(self, kind: str, values: list[Any], chosen: list[B]) -> Term:
        """A field that follows from the row."""
        open_ = _where(values, lambda v: isinstance(v, Unknown), chosen)
        null = _where(values, lambda v: v is None, chosen)
        known = [(chosen[n], v) for n, v in enumerate(values) if v is not None and not isinstance(v, Unknown)]
        value: Any = disj(test for test, v in known if v is True) if kind == "bool" else cases(known)
        if kind == "number" and not known:
            value = 0
        return Term(kind, value, open_, null)

    def _text(self, name: str) -> Term:
        return self._term("text", [getattr(row.view, name) for row in self.rows], self._is)

    def _name(self) -> Term:
        if not self._unknowns.mentions.looks_at("item.name"):
            return Term("text", "", True)
        # A document may give any label; where it gives none and names nothing, there is none.
        self._label = self._unknowns.text_value(f"{self.name}.name", "text", "item.name")
        self._labelled = self._unknowns.flag(f"{self.name}.name.given")
        unnamed = self._where([row.view.name for row in self.rows], lambda v: isinstance(v, Unknown))
        return Term("text", self._label, both(unnamed, neg(self._labelled)))

    def _record(self, root: str, names: tuple[str, ...], rows: tuple[Row, ...], chosen: list[B]) -> Term:
        whole = [getattr(row.view, root) for row in rows]
        fields = {}
        for name in names:
            if not self._unknowns.mentions.looks_at(f"{root}.{name}"):
                continue
            values = [v if v is None or isinstance(v, Unknown) else getattr(v, name) for v in whole]
            kind = "bool" if name == "datacenter" else "text"
            kind = "number" if name in ("tpp", "performance_density", "memory_bandwidth") else kind
            fields[name] = self._term(kind, [Unknown() if v is None else v for v in values], chosen)
        open_ = _where(whole, lambda v: isinstance(v, Unknown), chosen)
        return Term("record", fields, open_, _where(whole, lambda v: v is None, chosen))

    def _number(self, name: str) -> Term:
        """`count`, `total_tpp`, `quantity`: so much for an amount of one, times the amount."""
        values = [getattr(row.view, name) for row in self.rows]
        null = self._where(values, lambda v: v is None)
        unknown = self._where(values, lambda v: isinstance(v, Unknown))
        if name in ("tokens", "quantity"):
            null = both(null, neg(self.mixed))
        if name == "quantity":
            unknown = either(unknown, self.mixed)
        if not self._counted:
            return Term("number", 0, unknown, null)  # only whether it is known counts: it is stated
        if name == "tokens":
            return Term("number", self.tokens, disj((unknown, both(neg(null), self.tokens_open))), null)
        of_tokens = disj(self._is[n] for n, row in enumerate(self.rows) if row.amount == "tokens")
        module = z3()
        each = cases((self._is[n], row.coefficient(name) or Fraction(0)) for n, row in enumerate(self.rows))
        total = module.RealVal(0)
        for test, per in reversed(each.of):
            product = self.amount if per == 1 else module.RealVal(f"{per.numerator}/{per.denominator}") * self.amount
            total = module.If(test, product, total) if test is not True else product
        if any(per.denominator != 1 for _, per in each.of) or name == "total_tpp":
            total = self._unknowns.operations.arithmetic.rounded(total)
        by_tokens = name == "quantity" and of_tokens is not False
        value = module.If(of_tokens, module.ToReal(self.tokens), total) if by_tokens else total
        open_amount = disj((both(neg(of_tokens), self.amount_open), both(of_tokens, self.tokens_open)))
        return Term("number", value, disj((unknown, both(neg(null), open_amount))), null)

    # -- the way back

    def row(self, reading: Reading) -> Row:
        return next((row for row, test in zip(self.rows, self._is, strict=True) if reading.true(test)), self.rows[0])

    @property
    def counted(self) -> bool:
        """Whether it counts how much of it there is."""
        return self._counted

    def document(self, reading: Reading, amount: int | None = None) -> dict[str, Any]:
        """The item as a document has it; *amount* is how much of it there is where that does not count."""
        row = self.row(reading)
        item = row.item
        found: dict[str, Any] = {}
        found["kind"] = NOBODY_KNOWS if isinstance(item.kind, Unknown) else item.kind.value
        for name in ("accelerator", "instance_type", "model"):
            value = getattr(item, name)
            if value is not None:
                found[name] = NOBODY_KNOWS if isinstance(value, Unknown) else value
        if row.amount in ("count", "instances"):
            open_ = reading.true(self.amount_open)
            stated = reading.number(self.amount) if self._counted or amount is None else amount
            found[row.amount] = NOBODY_KNOWS if open_ else plain(Fraction(stated))
        mixed = reading.true(self.mixed)
        if mixed:
            beside = next(n for n in range(len(self._models)) if reading.true(self._beside == n))
            found["model"] = self._models[beside].item.model
            if isinstance(found["model"], Unknown):
                found["model"] = NOBODY_KNOWS
        counts = self._counted or amount is not None
        if (counts and mixed) or ((counts or row.amount == "tokens") and row.view.tokens is not None):
            tokens = reading.whole(self.tokens) if self._counted or amount is None else amount
            found["tokens"] = NOBODY_KNOWS if reading.true(self.tokens_open) else tokens
        if self._label is not None and (not isinstance(row.view.name, Unknown) or reading.true(self._labelled)):
            found["name"] = reading.text(self._label)
        return found


def _where(values: list[Any], test: Any, chosen: list[B]) -> B:
    return disj(chosen[n] for n, value in enumerate(values) if test(value))


def _is_chip(row: Row) -> bool:
    """An accelerator named as such. A document may name a model beside it."""
    return row.item.kind is ItemKind.ACCELERATOR and row.item.accelerator is not None


def _is_plain(row: Row) -> bool:
    item = row.item
    named = [name for name in (item.accelerator, item.instance_type, item.model) if name is not None]
    return (
        not isinstance(item.kind, Unknown) and len(named) == 1 and isinstance(named[0], str) and "next" not in named[0]
    )
