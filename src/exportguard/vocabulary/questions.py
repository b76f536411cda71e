"""Questions that a compiled policy set asks before a decision, and their answers.

Deciding is pure, so what a rule needs from the ownership graph or the ledger is asked beforehand: the compiled
set lists its questions, the guard puts them to `parties` and `authority`, and the answers travel with the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

from exportguard.vocabulary.fact import Count, Frozen, Maybe, Text, Unknown


class OwnershipQuestion(NamedTuple):
    """Is a party owned by parties on these lists, adding up as the 50% rules do?

    `comparison` and `percent` belong to the rule: OFAC's and BIS's rules say ``>= 50``, a provider's terms
    may say ``> 50``. Lists are sorted, so equal questions are equal.
    """

    lists: tuple[str, ...]
    comparison: Literal[">=", ">"]
    percent: Fraction

    def __hash__(self) -> int:
        # Equal fractions have equal numerators; the hash of a whole one costs more than the rest of a look-up.
        return hash((self.lists, self.comparison, self.percent.numerator))


@lru_cache(maxsize=1024)
def _question(lists: tuple[str, ...], comparison: Literal[">=", ">"], percent: str) -> OwnershipQuestion:
    return OwnershipQuestion(lists, comparison, Fraction(percent))


class OwnershipAnswer(Frozen):
    """The cascade's answer for one party: true, false or unknown, and the path that shows it."""

    lists: tuple[Text, ...]
    comparison: Literal[">=", ">"]
    percent: Text
    """As a decimal or fraction in text, exact: `50`, `33 1/3` is `100/3`."""
    owned: Maybe[bool]
    path: tuple[Text, ...] = ()

    @property
    def question(self) -> OwnershipQuestion:
        return _question(self.lists, self.comparison, self.percent)


class UsageQuestion(NamedTuple):
    """Cumulative use, over whom and how long: a rule's `per: {by: end_user, period: P1Y}`."""

    by: Literal["end_user", "customer", "account"]
    period: str | None
    """An ISO 8601 duration aligned to UTC boundaries, or None for a level (installed TPP)."""


class UsageReading(NamedTuple):
    """What the ledger held before this call. Tokens and TPP as in `item`; accelerators may be fractions of one."""

    tokens: int | Unknown
    accelerators: float | Unknown
    tpp: float | Unknown
    version: int = 0
    """The ledger's row version: a reservation is conditional on it."""


Usage = Mapping[UsageQuestion, UsageReading]

NO_USAGE: Usage = {}
"""No ledger was read. A rule over `usage` is then indeterminate, never unlimited."""


class Quantity(Frozen):
    """An amount with its unit: of a licence, of a drawdown."""

    unit: Literal["accelerators", "tpp", "tokens", "gpu_hours", "units"]
    limit: Count
