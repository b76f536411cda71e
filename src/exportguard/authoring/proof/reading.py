"""Values of terms in a model of Z3: the way from a counterexample back to a document."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from exportguard.authoring.proof.logic import B, z3
from exportguard.authoring.proof.terms import Cases, Word, number
from exportguard.authoring.proof.texts import Dictionary, text_of

NOBODY_KNOWS = {"unknown": "nobody knows"}


class Reading:
    """One model, read."""

    def __init__(self, model: Any, words: Dictionary) -> None:
        self._model, self._words = model, words

    def true(self, formula: B) -> bool:
        if formula is True or formula is False:
            return bool(formula)
        return bool(z3().is_true(self._model.eval(formula, model_completion=True)))

    def text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, Cases):
            return str(self._case(value))
        if isinstance(value, Word):
            found = self._model.eval(value.number, model_completion=True).as_long()
            # A word that nothing restricts may have any number.
            text = self._words.text(found) if self._words.knows(found) else min(value.domain)
            return text if text in value.domain else min(value.domain)
        return text_of(self._model.eval(value, model_completion=True))

    def number(self, value: Any) -> Fraction:
        if isinstance(value, Cases):
            return Fraction(self._case(value))
        if isinstance(value, int | float | Fraction):
            return Fraction(value)
        found = self._model.eval(number(value), model_completion=True)
        if z3().is_algebraic_value(found):
            found = found.approx(20)
        return Fraction(str(found.as_fraction())) if z3().is_rational_value(found) else Fraction(found.as_long())

    def whole(self, value: Any) -> int:
        return int(self.number(value))

    def _case(self, value: Cases) -> Any:
        for test, each in value.of:
            if self.true(test):
                return each
        return value.of[-1][1]


def plain(value: Fraction) -> int | float:
    """A number as JSON has it: whole ones stay whole."""
    return int(value) if value.denominator == 1 else float(value)
