"""Numbers as terms: exact where CEL is exact, bounded from both sides where a double is rounded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

from exportguard.authoring.proof.logic import B, Z, both, conj, disj, either, neg, z3
from exportguard.authoring.proof.terms import Cases, Term, UnsupportedError, number
from exportguard.language import values
from exportguard.language.evaluation import Indeterminate

_PRODUCT = 4096
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_OVERFLOW = 2**1024 - 2**970
"""From here on a result rounds to infinity."""
_INFINITE = 10**400
"""Stands for infinity: larger than every double, and never computed with."""


def constants(value: Any) -> tuple[tuple[B, Any], ...] | None:
    """A value that is one of some constants, by case; None for anything else."""
    if isinstance(value, Cases):
        return value.of
    return ((True, value),) if isinstance(value, int | float | Fraction) else None


def relate(op: str, left: Any, right: Any) -> B:
    """`== < <= > >=` of two known numbers."""
    one, other = constants(left), constants(right)
    if one is not None and other is not None and len(one) * len(other) <= _PRODUCT:
        return disj(both(p, q) for (p, a), (q, b) in product(one, other) if _TESTS[op](a, b))
    made: B = _TESTS[op](number(left), number(right))
    return made


class Arithmetic:
    """Arithmetic of one proof. `facts` hold whatever is asked; `exact` would hold if doubles were not rounded."""

    def __init__(self) -> None:
        self.facts: list[B] = []
        self.exact: list[B] = []
        self._infinite: dict[int, Z] = {}
        self._made = 0

    def join(self, op: str, static: str, left: Any, right: Any) -> Term:
        """`+ - * / %` of two known numbers; open where it overflows, divides by zero or is no number."""
        one, other = constants(left), constants(right)
        if one is not None and other is not None and len(one) * len(other) <= _PRODUCT:
            return self._by_case(op, static, list(product(one, other)))
        return self._integers(op, left, right) if static == "int" else self._doubles(op, left, right)

    @staticmethod
    def _by_case(op: str, static: str, pairs: list[tuple[tuple[B, Any], tuple[B, Any]]]) -> Term:
        found: list[tuple[B, Any]] = []
        open_: list[B] = []
        for (p, a), (q, b) in pairs:
            result = values.arithmetic(op, static, a, b)
            if result.__class__ is Indeterminate:
                open_.append(both(p, q))
            else:
                found.append((both(p, q), result))
        value = found[0][1] if len(found) == 1 and not open_ else Cases(tuple(found) or ((True, 0),))
        return Term("number", value, disj(open_))

    def _integers(self, op: str, left: Any, right: Any) -> Term:
        module = z3()
        a, b = number(left), number(right)
        if op in "+-*":
            result = {"+": a + b, "-": a - b, "*": a * b}[op]
            return Term("number", result, _outside(result))
        magnitude = module.If(a < 0, -a, a) / module.If(b < 0, -b, b)
        quotient = module.If((a < 0) == (b < 0), magnitude, -magnitude)
        open_ = either(b == 0, _outside(quotient))
        return Term("number", quotient if op == "/" else a - b * quotient, open_)

    def _doubles(self, op: str, left: Any, right: Any) -> Term:
        module = z3()
        a, b = (module.ToReal(n) if module.is_int(n) else n for n in (number(left), number(right)))
        for part in (left, right):
            if isinstance(part, float | int) and abs(part) > 1e100:
                raise UnsupportedError("arithmetic with a number past 1e100")
            if not isinstance(part, int | float | Fraction | Cases) and part.get_id() in self._infinite:
                raise UnsupportedError("arithmetic with what may be infinite")
        if op == "%":
            raise UnsupportedError("`%` of doubles")
        if op in "+-*":
            exact = {"+": a + b, "-": a - b, "*": a * b}[op]
            scaled = op == "*" and (_is_power_of_two(left) or _is_power_of_two(right))
            return Term("number", exact if scaled else self.rounded(exact))
        if _is_power_of_two(right):
            return Term("number", a / b)
        zero = b == 0
        divisor = module.If(zero, module.RealVal(1), b)
        plain = self.rounded(a / divisor)
        # A zero has a sign that is not followed here: either infinity is allowed.
        sign = self._fresh("sign")
        self.facts.append(either(sign == _INFINITE, sign == -_INFINITE))
        result = module.If(zero, sign, plain)
        self._infinite[result.get_id()] = result
        return Term("number", result, both(zero, a == 0))

    def rounded(self, exact: Z) -> Z:
        """The double nearest to *exact*: within half a unit in the last place, and a little more."""
        module = z3()
        made = self._fresh("double")
        size = module.If(exact < 0, -exact, exact)
        slack = size / module.RealVal(2**52) + module.RealVal(f"1/{2**1074}")
        near = conj((made <= exact + slack, made >= exact - slack))
        self.facts.append(
            disj(
                (
                    both(size < _OVERFLOW, near),
                    conj((exact >= _OVERFLOW, made == _INFINITE)),
                    conj((exact <= -_OVERFLOW, made == -_INFINITE)),
                )
            )
        )
        self.exact.append(made == exact)
        return made

    def _fresh(self, what: str) -> Z:
        self._made += 1
        return z3().Real(f"{what}.{self._made}")

    def whole(self, value: Any) -> Term:
        """`int(…)` of a number: towards zero, open past 64 bits."""
        known = constants(value)
        if known is not None:
            return _converted("int", known)
        module = z3()
        if module.is_int(value):
            return Term("number", value)
        down = module.ToInt(value)
        result = module.If(either(value >= 0, module.ToReal(down) == value), down, down + 1)
        return Term("number", result, neg(conj((value > values.MIN_INT, value < values.MAX_INT))))

    def double(self, value: Any) -> Term:
        """`double(…)` of a number: exact up to 2**53, rounded past it."""
        known = constants(value)
        if known is not None:
            return _converted("double", known)
        module = z3()
        if not module.is_int(value):
            return Term("number", value)
        exact = module.ToReal(value)
        small = conj((value <= 2**53, value >= -(2**53)))
        return Term("number", module.If(small, exact, self.rounded(exact)))

    @staticmethod
    def negative(value: Any, static: str) -> Term:
        known = constants(value)
        if known is not None:
            found = [(test, values.negative(each)) for test, each in known]
            open_ = disj(test for test, each in found if each.__class__ is Indeterminate)
            kept = tuple((test, each) for test, each in found if each.__class__ is not Indeterminate)
            if len(kept) == 1 and open_ is False:
                return Term("number", kept[0][1])
            return Term("number", Cases(kept or ((True, 0),)), open_)
        return Term("number", -value, _outside(-value) if z3().is_int(value) else False)


def _is_power_of_two(value: Any) -> bool:
    """A literal by which a double of any sensible size is scaled without rounding."""
    if not isinstance(value, float | int) or isinstance(value, bool) or not 2**-100 <= abs(value) <= 2**100:
        return False
    numerator, denominator = abs(Fraction(value)).as_integer_ratio()
    return numerator & (numerator - 1) == 0 and denominator & (denominator - 1) == 0


def _outside(value: Z) -> B:
    return disj((value < values.MIN_INT, value > values.MAX_INT))


def _converted(name: str, known: tuple[tuple[B, Any], ...]) -> Term:
    from exportguard.language.conversions import CONVERSIONS

    found = [(test, CONVERSIONS[name](each)) for test, each in known]
    open_ = disj(test for test, each in found if each.__class__ is Indeterminate)
    kept = tuple((test, each) for test, each in found if each.__class__ is not Indeterminate)
    if len(kept) == 1 and open_ is False:
        return Term("number", kept[0][1])
    return Term("number", Cases(kept or ((True, 0),)), open_)
