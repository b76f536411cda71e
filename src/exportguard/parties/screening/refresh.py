"""Taking a newer list into use: fetched or read, looked at whole, and put beside the old ones at once or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from exportguard.errors import ConfigurationError, DocumentError
from exportguard.parties.screening.listfile import MAX_BYTES, parse_list, read_raw
from exportguard.parties.screening.snapshots import Snapshot, damage, lists_directory, snapshot_name, snapshots

PUBLISHED = "https://data.trade.gov/downloadable_consolidated_screening_list/v1/consolidated.json"
"""Where trade.gov publishes the list (https://www.trade.gov/consolidated-screening-list)."""

_TIMEOUT_SECONDS = 60.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SHRUNK = 0.7
"""A list with fewer rows than this share of the one in use is more likely cut off than shortened by its agencies."""


class Refreshed(NamedTuple):
    """What a refresh did. `changed` is False when that very list was there already."""

    path: Path
    day: date
    digest: str
    rows: int
    previous_day: date
    changed: bool


def refresh(
    source: str | Path = PUBLISHED,
    *,
    list_date: date | None = None,
    force: bool = False,
    folder: Path | None = None,
    now: datetime | None = None,
) -> Refreshed:
    """Put the list at *source* beside those in use; guards take it when they are loaded or reloaded.

    Args:
        source: a file, or an https URL (plain http from this machine only), JSON or CSV, gzipped or not.
        list_date: the day of the list where it does not say: not in it, not in its name, not by the server.
        force: take a list that is older or much shorter than the one in use.
        folder: where refreshed lists lie; None: `lists_directory()`.
        now: the present; None: the clock. No list is of a later day.

    Raises:
        DocumentError: it cannot be fetched or read, is damaged, of tomorrow, older or much shorter. Nothing changed.
        ConfigurationError: the URL is of a kind that is not fetched, or the folder cannot be written.
    """
    present = now if now is not None else datetime.now(UTC)
    name = str(source)
    if "://" in name:
        raw, stated = _fetch(name)
        list_date = list_date or _day_within(raw, name) or stated
    else:
        raw = read_raw(Path(source).expanduser())
    listed = parse_list(raw, name, day=list_date)
    known = snapshots(folder)
    before = known[-1]
    same = next((s for s in known if s.digest == listed.digest and s.day == listed.day and damage(s) is None), None)
    if same is not None:
        return Refreshed(same.path, listed.day, listed.digest, len(listed.rows), before.day, False)
    if listed.day > present.astimezone(UTC).date():
        raise DocumentError(f"the screening list is of {listed.day.isoformat()}, a day that has not come", place=name)
    if not force:
        _plausible(len(listed.rows), listed.day, before, name)
    path = _put(raw, snapshot_name(listed.day, listed.digest, present), folder or lists_directory())
    return Refreshed(path, listed.day, listed.digest, len(listed.rows), before.day, True)


def _plausible(rows: int, day: date, before: Snapshot, name: str) -> None:
    remedy = "look at it, and give `--force` if it is right"
    if day < before.day:
        raise DocumentError(
            f"the screening list is of {day.isoformat()}, and the one in use of {before.day.isoformat()}",
            place=name, remedy=remedy,
        )  # fmt: skip
    try:
        there = len(parse_list(read_raw(before.path), str(before.path), day=before.day).rows)
    except DocumentError:
        return  # a damaged list is no measure
    if rows < there * _SHRUNK:
        raise DocumentError(
            f"the screening list has {rows:,} entries, and the one in use {there:,}: it may be cut off",
            place=name, remedy=remedy,
        )  # fmt: skip


def _put(raw: bytes, name: str, folder: Path) -> Path:
    """Write *raw* as a whole: under another name first, on the disk before it gets its own."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=folder, prefix=".list-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
            Path(draft).replace(folder / name)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(draft).unlink()
            raise
    except (OSError, RuntimeError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise ConfigurationError(
            f"the refreshed list cannot be kept: {why.lower()}", place=str(folder), remedy="set EXPORTGUARD_HOME"
        ) from problem
    return folder / name


def _why(problem: Exception) -> str:
    """In plain words: `urllib` wraps what the machine said into texts of its own."""
    reason = getattr(problem, "reason", None)
    inner = reason if isinstance(reason, Exception) else problem
    return str(getattr(inner, "strerror", None) or inner)


def _fetch(url: str) -> tuple[bytes, date | None]:
    """The bytes at *url* and the day that the server says they are of."""
    import urllib.request
    from http.client import HTTPException

    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigurationError(
            f"a list is not fetched by {parts.scheme}: whoever sits in between could take names off it",
            place=url, remedy="give an https URL, or a file",
        )  # fmt: skip
    request = urllib.request.Request(url, headers={"User-Agent": "exportguard", "Accept": "application/json, text/csv"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            if urlsplit(answer.url).scheme != parts.scheme:
                raise ConfigurationError("the server leads to a place that is not https", place=url)
            raw = answer.read(MAX_BYTES + 1)
            said = answer.headers.get("Content-Length")
            modified = answer.headers.get("Last-Modified")
    except (OSError, HTTPException, ValueError) as problem:
        raise DocumentError(
            f"the screening list cannot be fetched: {_why(problem)}",
            place=url,
            remedy="fetch it by hand, and give the file",
        ) from problem
    if len(raw) > MAX_BYTES:
        raise DocumentError(f"the screening list is larger than {MAX_BYTES >> 20} MB", place=url)
    if said is not None and said.isdigit() and len(raw) != int(said):
        raise DocumentError(f"the screening list is cut off: {len(raw):,} of {int(said):,} bytes", place=url)
    stated: date | None = None
    if modified is not None:
        with contextlib.suppress(ValueError, TypeError):
            stated = parsedate_to_datetime(modified).astimezone(UTC).date()
    return raw, stated


def _day_within(raw: bytes, name: str) -> date | None:
    """The day that the list or its name says, if any: the server's word counts only where there is none."""
    try:
        return parse_list(raw, name).day
    except DocumentError:
        return None
