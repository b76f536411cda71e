"""Whether what a ledger counts is what its reservations say: an amount, a reservation or a draw that was changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from exportguard.authority.ledger import rows
from exportguard.authority.ledger.model import Counted, is_whole
from exportguard.authority.ledger.periods import LEVEL, buckets_of
from exportguard.storage import Session

_ALL: Final = """
    SELECT state, key, CAST(expires_at AS TEXT) || ' ' || asked, made_at, draws FROM ledger_reservation
        WHERE state <> 'released'
    UNION ALL SELECT 'use', scope, bucket, 0, CAST(tokens AS TEXT) || ' ' || CAST(accelerators AS TEXT) || ' '
        || CAST(tpp AS TEXT) || ' ' || CAST(unknown_tokens AS TEXT) || ' ' || CAST(unknown_accelerators AS TEXT)
        || ' ' || CAST(unknown_tpp AS TEXT) FROM ledger_use
    UNION ALL SELECT 'drawn', name, unit, drawn, '' FROM ledger_authorization
"""
"""In one statement, so that it is one moment though others go on writing."""

_SUMS: Final = ("use", "drawn")

_Amounts = tuple[int, ...]
_NONE: Final = (0,) * 6


def problems(session: Session) -> Iterator[str]:
    """What does not add up, in words, each scope and authorization by itself."""
    found = _Sums()
    for state, name, place, number, text in session.execute(_ALL):
        try:
            found.add(str(state), str(name), str(place), number, str(text))
            if state not in _SUMS and not _is_whole(str(name), str(place), number):
                yield f"the reservation {name} was changed: its key, an instant of it, or what was asked"
        except (ValueError, TypeError, AttributeError, OverflowError):
            yield f"what the ledger keeps of {name} cannot be read"
    for scope, bucket in sorted({*found.said, *found.counted}):
        if found.said[scope, bucket] != found.counted[scope, bucket]:
            yield f"the use by {scope} ({bucket}) is not the sum of its reservations"
    for entry, unit in sorted({*found.draws, *found.drawn}):
        if found.draws[entry, unit] != found.drawn[entry, unit]:
            yield f"what is drawn of {entry} ({unit}) is not the sum of its reservations"


def _is_whole(key: str, told: str, made: Any) -> bool:
    expires, _, asked = told.partition(" ")
    return is_whole(asked, key, int(made), int(expires))


class _Sums:
    def __init__(self) -> None:
        self.said: defaultdict[tuple[str, str], _Amounts] = defaultdict(lambda: _NONE)
        self.counted: defaultdict[tuple[str, str], _Amounts] = defaultdict(lambda: _NONE)
        self.draws: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.drawn: defaultdict[tuple[str, str], int] = defaultdict(int)

    def add(self, state: str, name: str, place: str, number: int, text: str) -> None:
        if state == "use":
            self.counted[name, place] = tuple(int(each) for each in text.split(" "))
            return
        if state == "drawn":
            self.drawn[name, place] = int(number)
            return
        counted, lowered = Counted.from_text(text), state == "lowered"
        sign = -1 if lowered else 1
        for scope, amounts in counted.usage:
            row = tuple(sign * (whole or 0) for whole in amounts) + tuple(sign * (whole is None) for whole in amounts)
            for bucket in (LEVEL,) if lowered else buckets_of(rows.instant(int(number))):
                self.said[scope, bucket] = tuple(a + b for a, b in zip(self.said[scope, bucket], row, strict=True))
        for entry, unit, amount in counted.authorizations:
            self.draws[entry, unit] += amount
