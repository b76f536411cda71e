"""The lists on this machine: the one that ships with the package, and those that `data refresh` has put beside it.

A snapshot is kept by its content and never changed, so that a decision can be replayed by the list it was made by. The
instant of a decision picks the snapshot: the newest of its day or earlier.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from exportguard.errors import InputError, NaiveInstantError
from exportguard.forks import Lock
from exportguard.parties.screening.listfile import digest_of, read_raw
from exportguard.parties.screening.result import Screener, ScreeningResult, Status

logger = logging.getLogger("exportguard")

EMBEDDED = Path(__file__).parent / "data" / "csl-2026-07-31.json.gz"
MAX_LIST_AGE = timedelta(days=30)
"""A list older than this proves no name clear, unless configured otherwise."""

_NAME = re.compile(r"csl-(\d{4}-\d{2}-\d{2})\.(\d{8}T\d{12}Z)\.([0-9a-f]{64})\.list")
_PAST = "00000000T000000000000Z"


class Snapshot(NamedTuple):
    """One list on disk. `installed` orders two of one day: the later one is a correction of the earlier."""

    day: date
    installed: str
    path: Path
    digest: str | None
    """sha256 of the file as its name has it; None for the embedded one."""


def lists_directory() -> Path:
    """Where refreshed lists lie: `lists` in the state directory (`EXPORTGUARD_HOME` moves it)."""
    from exportguard.storage.places import state_directory

    return state_directory() / "lists"


def snapshot_name(day: date, digest: str, now: datetime) -> str:
    """The file name of a snapshot: its day, when it was put there, and its content."""
    return f"csl-{day.isoformat()}.{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}.{digest}.list"


def snapshots(folder: Path | None = None) -> tuple[Snapshot, ...]:
    """Every list on this machine, the oldest first; the embedded one is among them."""
    found = [Snapshot(date(2026, 7, 31), _PAST, EMBEDDED, None)]
    try:
        paths = sorted((folder if folder is not None else lists_directory()).glob("csl-*.list"))
    except (OSError, RuntimeError):
        paths = []
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        try:
            found.append(Snapshot(date.fromisoformat(match[1]), match[2], path, match[3]))
        except ValueError:
            continue
    return tuple(sorted(found, key=lambda snapshot: (snapshot.day, snapshot.installed)))


class UnavailableScreener:
    """Stands in where a list cannot be loaded: every name is unknown, with that reason."""

    digest = "none"

    def __init__(self, reason: str, list_date: date = date.min) -> None:
        self._reason = reason
        self.list_date = list_date

    def screen(self, name: str, *, as_of: datetime, country: str | None = None) -> ScreeningResult:
        """Unknown, whoever is asked about."""
        return ScreeningResult(name, Status.UNKNOWN, (), self.list_date, self._reason)


class InstalledScreener:
    """Screens against the lists of this machine; loading one is put off to the first name that needs it.

    Which lists there are is looked up once, so that a guard decides by the same lists until it is reloaded. One that
    turns out to be damaged makes what depends on it unknown, with that reason.

    Args:
        max_list_age: a list older than this at the instant of a decision proves no name clear.
        folder: where refreshed lists lie; None: `lists_directory()`.
    """

    def __init__(self, *, max_list_age: timedelta = MAX_LIST_AGE, folder: Path | None = None) -> None:
        self.max_list_age = max_list_age
        self.snapshots = snapshots(folder)
        self._loaded: dict[Path, Screener] = {}
        self._lock = Lock()
        newest = self.snapshots[-1]
        if newest.digest is not None and (problem := damage(newest)) is not None:
            logger.warning("%s; what depends on it is unknown", problem)

    @property
    def digest(self) -> str:
        """Of the newest list."""
        newest = self.snapshots[-1]
        return newest.digest if newest.digest is not None else self._screener(newest).digest

    @property
    def list_date(self) -> date:
        """The day of the newest list."""
        return self.snapshots[-1].day

    def screen(self, name: str, *, as_of: datetime, country: str | None = None) -> ScreeningResult:
        """Screen against the list of *as_of*. See `NameScreener.screen`."""
        if as_of.tzinfo is None:
            raise NaiveInstantError("`as_of` has no timezone")
        return self._screener(self.snapshot_of(as_of)).screen(name, as_of=as_of, country=country)

    def source_of(self, digest: str) -> Path | None:
        """The file of the list that has *digest*."""
        for snapshot in self.snapshots:
            if digest == (snapshot.digest or self._screener(snapshot).digest):
                return snapshot.path
        return None

    def snapshot_of(self, as_of: datetime) -> Snapshot:
        """The newest list of that day or earlier; before the first, the first."""
        day = as_of.astimezone(UTC).date()
        past = [snapshot for snapshot in self.snapshots if snapshot.day <= day]
        return past[-1] if past else self.snapshots[0]

    def _screener(self, snapshot: Snapshot) -> Screener:
        with self._lock:
            found = self._loaded.get(snapshot.path)
            if found is None:
                found = self._loaded[snapshot.path] = _load(snapshot, self.max_list_age)
            return found


def damage(snapshot: Snapshot) -> str | None:
    """What is wrong with a refreshed list, with its place; None when its bytes are those that were put there."""
    try:
        whole = digest_of(read_raw(snapshot.path)) == snapshot.digest
    except InputError as problem:
        return str(problem).replace("\n", " ")
    return None if whole else f"{snapshot.path}: the screening list was changed or cut off since it was refreshed"


def _load(snapshot: Snapshot, max_list_age: timedelta) -> Screener:
    from exportguard.parties.screening.screener import load_screener

    if snapshot.digest is not None and (problem := damage(snapshot)) is not None:
        return UnavailableScreener(f"{problem}; run `exportguard data refresh --list URL`", snapshot.day)
    try:
        return load_screener(snapshot.path, list_date=snapshot.day, max_list_age=max_list_age)
    except InputError as problem:
        return UnavailableScreener(str(problem).replace("\n", " "), snapshot.day)
