"""The Consolidated Screening List as trade.gov publishes it, JSON or CSV, to rows. Every bad row at once."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from exportguard.errors import DocumentError
from exportguard.parties.reading import Problem, refuse
from exportguard.parties.screening.lists import code_of_source
from exportguard.parties.screening.result import Entry

MAX_BYTES = 256 << 20
"""Of a list, unpacked. The list of 2026-07-31 has 12 MB."""

_DATE_IN_NAME = re.compile(r"(20\d\d)-([01]\d)-([0-3]\d)")
_SHORT = re.compile(r"\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class Row:
    """One published row: the entry and every name that it goes by, the primary one first."""

    entry: Entry
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list that was read: its rows, its day and the digest of its bytes."""

    rows: tuple[Row, ...]
    day: date
    digest: str


def read_raw(path: Path) -> bytes:
    """The bytes of a list as they stand in the file, packed or not."""
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise DocumentError(
            f"the screening list cannot be read: {(problem.strerror or 'it cannot be opened').lower()}", place=str(path)
        ) from problem
    if len(raw) > MAX_BYTES:
        raise DocumentError(f"the screening list is larger than {MAX_BYTES >> 20} MB", place=str(path))
    return raw


def digest_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _unpacked(raw: bytes, name: str) -> str:
    if raw[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(raw)) as stream:
                raw = stream.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as problem:
            raise DocumentError("the screening list is truncated or no gzip file", place=name) from problem
        if len(raw) > MAX_BYTES:
            raise DocumentError(f"the screening list is larger than {MAX_BYTES >> 20} MB unpacked", place=name)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw[: problem.start].count(b"\n") + 1
        raise DocumentError("the screening list is not UTF-8 text", place=f"{name}:{line}") from problem


def parse_list(raw: bytes, name: str, *, day: date | None = None) -> ListFile:
    """Read a list from its bytes.

    Args:
        raw: JSON or CSV, gzipped or not.
        name: shown in messages; a date in it (`csl-2026-07-31.csv`) dates a list that does not date itself.
        day: the day of the list; None: what the list (`search_performed_at`) or its name says.

    Raises:
        DocumentError: truncated, malformed or empty, or without a date: a list of unknown age proves nothing.
    """
    text = _unpacked(raw, name)
    problems: list[Problem] = []
    stated: date | None = None
    if text.lstrip()[:1] in ("{", "["):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as problem:
            line = getattr(problem, "lineno", None)
            why = getattr(problem, "msg", "it is nested too deep")
            refuse(name, [Problem(f"the screening list is truncated or no JSON: {why.lower()}", (), line)], "the list")
        results = data.get("results") if isinstance(data, Mapping) else data
        if isinstance(data, Mapping):
            stated = _day_of(data.get("search_performed_at"))
        if not isinstance(results, list):
            refuse(name, [Problem("`results` should be a list", ("results",))], "the screening list")
        rows = [_row(record, ("results", i), None, problems) for i, record in enumerate(results)]
    else:
        rows = _from_csv(text, name, problems)
    if problems:
        refuse(name, problems, "the screening list")
    if not rows:
        raise DocumentError("the screening list is empty", place=name)
    in_name = _DATE_IN_NAME.search(Path(name).name)
    day = day or stated or (_day_of(in_name[0]) if in_name else None)
    if day is None:
        raise DocumentError(
            "the screening list does not say of which day it is", place=name,
            remedy="name the file with its date (`csl-2026-07-31.csv`), or give the date",
        )  # fmt: skip
    return ListFile(tuple(row for row in rows if row is not None), day, digest_of(raw))


def _day_of(text: object) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None


def _from_csv(text: str, name: str, problems: list[Problem]) -> list[Row | None]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [column for column in ("source", "name") if column not in (reader.fieldnames or ())]
        if missing:
            refuse(name, [Problem(f"the column `{column}` is missing", (), 1) for column in missing], "the list")
        if "_id" in (reader.fieldnames or ()) and not text.endswith("\n"):
            # Every line of the published file has its end: one that has none was cut off inside its last cell.
            line = text.count("\n") + 1
            refuse(name, [Problem("the screening list is truncated: its last line has no end", (), line)], "the list")
        rows: list[Row | None] = []
        for record in reader:
            if None in record or None in record.values():
                problems.append(Problem("the row has too few or too many cells", (), reader.line_num))
                continue
            plain: dict[str, Any] = {key: value.strip() or None for key, value in record.items()}
            plain["alt_names"] = _parts(plain.get("alt_names"))
            plain["programs"] = _parts(plain.get("programs"))
            last = (part.rpartition(",")[2].strip() for part in _parts(plain.get("addresses")))
            plain["addresses"] = [{"country": country} for country in last if country.isupper()]
            rows.append(_row(plain, (), reader.line_num, problems))
        return rows
    except csv.Error as problem:
        refuse(name, [Problem(f"the list is truncated or no CSV: {problem}", (), reader.line_num)], "the list")


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(";") if part.strip()]


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _row(record: Any, path: tuple[str | int, ...], line: int | None, problems: list[Problem]) -> Row | None:
    if not isinstance(record, Mapping):
        problems.append(Problem("should be a mapping", path, line))
        return None
    name, source = _text(record.get("name")), _text(record.get("source"))
    others = record.get("alt_names") or []
    if name is None or source is None or not isinstance(others, list):
        what = "name" if name is None else "source" if source is None else "alt_names"
        problems.append(Problem(f"`{what}` is missing or not text", (*path, what), line))
        return None
    # Some published entries have several names in one, between semicolons.
    names = tuple(dict.fromkeys((name, *(part for other in others for part in _parts(_text(other))))))
    addresses = record.get("addresses") or []
    entry = Entry(
        list=list_code(source),
        name=name,
        source=source,
        countries=tuple(dict.fromkeys(_countries(addresses))),
        type=_text(record.get("type")),
        programs=tuple(part for program in record.get("programs") or () for part in _parts(_text(program))),
        license_requirement=_text(record.get("license_requirement")),
        license_policy=_text(record.get("license_policy")),
        federal_register_notice=_text(record.get("federal_register_notice")),
        source_list_url=_text(record.get("source_list_url")),
    )
    return Row(entry, names)


def _countries(addresses: Any) -> Iterable[str]:
    for address in addresses if isinstance(addresses, list) else ():
        country = _text(address.get("country")) if isinstance(address, Mapping) else None
        if country is not None:
            yield country


def list_code(source: str) -> str:
    """The code of a row's list. A list that is new to this library keeps its own short name: it is some list, and
    rules read a code that nobody knows as one that may be any."""
    known = code_of_source(source)
    if known is not None:
        return known
    short = _SHORT.search(source)
    return (short[1] if short else source).strip()[:60] or "unnamed list"
