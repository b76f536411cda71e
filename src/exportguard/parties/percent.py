"""Stakes as exact ranges. `33.3` is 333/10, `"100/3"` a third, a float is what its shortest decimal says."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.party import PercentRange

_TEXT = re.compile(r"\s*(?:(\d{1,9})\s+)?(\d{1,40}(?:\.\d{1,40})?)(?:\s*/\s*(\d{1,40}))?\s*%?\s*", re.ASCII)
"""`60`, `33.3`, `100/3`, `33 1/3`, each with or without a percent sign."""


class Stake(NamedTuple):
    """A share between two bounds, both included, in percent: 0 <= low <= high <= 100."""

    low: Fraction
    high: Fraction


_PLAIN = frozenset({int, float, str})
ANY_STAKE = Stake(Fraction(0), Fraction(100))


def number(value: object) -> Fraction:
    """The exact number that *value* (an int, a float, or text) names. ValueError when it names none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction):
        raise ValueError("is not a number")
    if isinstance(value, int | Fraction):
        return Fraction(value)
    if isinstance(value, float):
        text = repr(value)
        if "e" in text or "n" in text:
            # 1e-07 is a number all the same; inf and nan are none, and Fraction refuses them.
            try:
                return Fraction(text)
            except ValueError:
                raise ValueError("is not a finite number") from None
        return Fraction(text)
    match = _TEXT.fullmatch(value)
    if match is None:
        raise ValueError(f"`{value[:40]}` is neither a decimal nor a fraction")
    whole, upper, lower = match.groups()
    if whole is not None and lower is None:
        raise ValueError(f"`{value[:40]}` is neither a decimal nor a fraction")
    if lower is not None and ("." in upper or int(lower) == 0):
        raise ValueError(f"`{value[:40]}` is not a fraction")
    return Fraction(int(whole or 0)) + Fraction(upper) / Fraction(int(lower) if lower is not None else 1)


def stake(percent: object) -> Stake:
    """The bounds of a stated percentage, 0 to 100. Unknown is any stake.

    Raises:
        ValueError: unreadable, below 0, above 100, or `min` above `max`; the text says which.
    """
    if type(percent) in _PLAIN:
        return _stake(percent)
    if isinstance(percent, Unknown):
        return ANY_STAKE
    if isinstance(percent, PercentRange):
        low, high = number(percent.min), number(percent.max)
        if low > high:
            raise ValueError("`min` is above `max`")
    else:
        low = high = number(percent)
    return _within(low, high)


@lru_cache(maxsize=8192, typed=True)
def _stake(percent: object) -> Stake:
    """Of one plain number or text: a document has many stakes and few different ones."""
    exact = number(percent)
    return _within(exact, exact)


def _within(low: Fraction, high: Fraction) -> Stake:
    if low < 0 or high > 100:
        raise ValueError("is not between 0 and 100")
    return Stake(low, high)


def as_text(value: Fraction) -> str:
    """Exact text: `50`, `33.3`, `100/3`."""
    denominator = value.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    if value.denominator == 1 or denominator != 1:
        return str(value)
    digits = 0
    scaled = value
    while scaled.denominator != 1:
        scaled *= 10
        digits += 1
    text = str(abs(scaled.numerator)).rjust(digits + 1, "0")
    return f"{'-' if value < 0 else ''}{text[:-digits]}.{text[-digits:]}"
