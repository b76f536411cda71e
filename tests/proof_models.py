"""Random models of a symbolic request: values for all its unknowns at once, without a solver."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

import z3

from exportguard.authoring.proof.goods import _is_chip
from exportguard.authoring.proof.prover import Setting
from exportguard.vocabulary.fact import Unknown
from proof_lifting import unknowns


class Sampler:
    """Draws models that satisfy the restrictions of a setting."""

    def __init__(self, setting: Setting, formulas: list[Any]) -> None:
        self.setting = setting
        self.restrictions = [f for f in setting.facts if not isinstance(f, bool)]
        self.names = unknowns([*self.restrictions, *(f for f in formulas if not isinstance(f, bool))])
        self.rows = {f"{goods.name}.row": len(goods.rows) for goods in setting.scene._goods}
        self.rows |= {f"{goods.name}.beside": len(goods._models) for goods in setting.scene._goods}
        self.chips = [n for n, row in enumerate(setting.scene._goods[0].rows) if _is_chip(row)]
        self.domains = setting.operations.words.domains
        self.words = setting.operations.words

    def draw(self, r: Random) -> Any | None:
        """A model, or None where the drawn values break a restriction."""
        model = z3.Model()
        gone: set[str] = set()
        open_share = r.choice((0.0, 0.1, 0.4))
        values = {name: self.value(name, r, gone, open_share) for name in sorted(self.names)}
        self.place(values)
        self.repair(values, r)
        for name, value in values.items():
            if name in self.names:
                model.update_value(self.names[name], value)
        for equation in self.setting.operations.arithmetic.exact:
            made, exact = equation.children()
            value = model.eval(exact, model_completion=True).as_fraction()
            rounded = value if value.denominator == 1 else Fraction(float(value))
            model.update_value(made, z3.RealVal(f"{rounded.numerator}/{rounded.denominator}"))
        if all(z3.is_true(model.eval(f, model_completion=True)) for f in self.restrictions):
            return model
        return None

    def place(self, values: dict[str, Any]) -> None:
        """Where a region is known, the country is its own."""
        reference = self.setting.scene.unknowns.reference
        for name in [name for name in values if name.endswith(".region")]:
            place = name.removesuffix(".region")
            if z3.is_true(values[f"{name}.open"]) or z3.is_true(values[f"{name}.null"]):
                continue
            region = self.words.text(values[name].as_long())
            facts = [reference.region(provider, region) for provider in ("aws", "azure")]
            known = [fact for fact in facts if not isinstance(fact, Unknown)]
            if known:
                values[f"{place}.country"] = z3.BitVecVal(self.words.number(known[0].country), 16)
                values[f"{place}.country.open"] = z3.BoolVal(False)
                if f"{place}.cloud.null" in values:
                    values[f"{place}.cloud.null"] = z3.BoolVal(False)

    def repair(self, values: dict[str, Any], r: Random) -> None:
        """What the restrictions ask for most often, so that most draws count."""
        shares: dict[str, int] = {}
        for name in values:
            if name.endswith(".low"):
                party = name.partition(".")[0]
                low = min(r.choice((0, 0, 10, 25, 26, 49, 50)), 100 - shares.get(party, 0))
                shares[party] = shares.get(party, 0) + low
                values[name] = z3.RealVal(low)
                values[f"{name[:-4]}.high"] = z3.RealVal(low if r.random() < 0.7 else r.randint(low, 100))
            elif name.endswith(".amount"):
                values[name] = z3.RealVal(r.choice((0, 1, 7, 8, 50, 100, 10**6)))
            elif name.endswith(".subdivision.null"):
                country = values.get(name.replace("subdivision.null", "country"))
                known = not z3.is_true(values.get(name.replace("subdivision.null", "country.open"), z3.BoolVal(False)))
                fits = known and country is not None and self.words.text(country.as_long()) != "UA"
                values[name] = z3.BoolVal(fits and r.random() < 0.5)
            elif name.endswith(".mixed") and z3.is_true(values[name]):
                values[name.replace("mixed", "row")] = z3.BitVecVal(r.choice(self.chips), 16)
        for name in values:
            if name.endswith(".null") and z3.is_true(values[name]):
                values[f"{name[:-5]}.open"] = z3.BoolVal(False)

    def value(self, name: str, r: Random, gone: set[str], open_share: float) -> Any:
        unknown = self.names[name]
        if z3.is_bool(unknown):
            if name.endswith(".there"):
                listed = name.rpartition("[")[0]
                there = listed not in gone and r.random() < 0.6
                if not there:
                    gone.add(listed)
                return z3.BoolVal(there)
            return z3.BoolVal(r.random() < (open_share if name.endswith(".open") else 0.3))
        if z3.is_bv(unknown):
            if name in self.rows:
                return z3.BitVecVal(r.randrange(self.rows[name]), 16)
            return z3.BitVecVal(self.words.number(r.choice(self.domains[name])), 16)
        if z3.is_int(unknown):
            return z3.IntVal(r.choice((0, 1, 7, 8, 1_000_000, 10**15)))
        if z3.is_real(unknown):
            return z3.RealVal(r.choice(("0", "1/2", "1", "7", "8", "25", "49", "50", "100", "1000000")))
        return z3.StringVal(r.choice(("a", "Example", "example_1", "ai_training", "China Telecom", "p5.48xlarge")))
