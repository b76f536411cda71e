"""What a screening answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol


class Status(StrEnum):
    HIT = "hit"
    REVIEW = "review"
    """Close enough that a person has to look."""
    CLEAR = "clear"
    UNKNOWN = "unknown"
    """It could not be told: the list is too old, or the name cannot be read without the extra `screening`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the published list, with what the agency says of it."""

    list: str
    name: str
    source: str
    countries: tuple[str, ...] = ()
    type: str | None = None
    programs: tuple[str, ...] = ()
    license_requirement: str | None = None
    license_policy: str | None = None
    federal_register_notice: str | None = None
    source_list_url: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """One entry that the name resembles: a hit or a review by itself. `score` is 0 to 1; `why` says how it was
    reached."""

    list: str
    entry: Entry
    matched_name: str
    score: float
    why: str
    status: Status = Status.HIT

    def document(self) -> dict[str, Any]:
        return asdict(self) | {"score": round(self.score, 4), "status": self.status.value}


@dataclass(frozen=True, slots=True)
class ScreeningResult:
    """The answer for one name: that of its best match, or of the list where there is none.

    `reason` says what is open and how to settle it; a hit has one too when more than the hit is open (other
    lists in review, a list too old to say that there is nothing else).
    """

    query: str
    status: Status
    matches: tuple[Match, ...]
    list_date: date
    reason: str | None = None
    red_flags: tuple[str, ...] = ()
    digest: str | None = None
    """sha256 of the list that was asked, hexadecimal."""

    @property
    def hits(self) -> tuple[Match, ...]:
        """The matches that are hits; in a review there are none."""
        return tuple(match for match in self.matches if match.status is Status.HIT)

    def document(self) -> dict[str, Any]:
        """As `exportguard screen --format jsonl` prints it."""
        made: dict[str, Any] = {
            "query": self.query,
            "status": self.status.value,
            "matches": [match.document() for match in self.matches],
            "list_date": self.list_date.isoformat(),
        }
        if self.digest is not None:
            made["list_digest"] = self.digest
        if self.reason is not None:
            made["reason"] = self.reason
        if self.red_flags:
            made["red_flags"] = list(self.red_flags)
        return made


class Screener(Protocol):
    """Screens names against restricted-party lists. Thread-safe."""

    @property
    def digest(self) -> str:
        """sha256 of the newest list, hexadecimal."""
        ...

    @property
    def list_date(self) -> date:
        """The day of the newest list."""
        ...

    def screen(self, name: str, *, as_of: datetime, country: str | None = None) -> ScreeningResult:
        """Screen one name. *country*: a verified one, alpha-2, or None."""
        ...
