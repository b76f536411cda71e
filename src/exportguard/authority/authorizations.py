"""Authorizations from a document: read whole, with every problem named, or not at all.

What a scope means is the language's business and is checked where it is compiled.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final
from unicodedata import category, normalize

from pydantic import ValidationError

from exportguard.documents import MAX_BYTES, Path_, decode, describe, parse_json, parse_yaml
from exportguard.errors import DocumentError
from exportguard.vocabulary import Authorization, Role
from exportguard.vocabulary.authorization import person

Source = None | str | os.PathLike[str] | Mapping[str, Any] | Sequence[Authorization | Mapping[str, Any]]

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})")
_REMEDY: Final = "Nothing was loaded. The form is in `exportguard schema authorizations`."

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,30})")


class _Place:
    """Names a path of the document: by file and line where there is one, by JSON path always."""

    def __init__(self, name: str, lines: Mapping[Path_, int] | None = None) -> None:
        self.name, self._lines = name, lines or {}

    def __call__(self, path: Path_) -> str:
        shown = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        line = next((self._lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self._lines), None)
        return f"{self.name}:{line}: {shown}" if line is not None else f"{self.name}: {shown}"


def load_authorizations(source: Source) -> tuple[Authorization, ...]:
    """Read the authorizations of *source*, in its order.

    Args:
        source: a YAML or JSON file, its content as a mapping, authorizations or mappings in a list, or None.

    Raises:
        DocumentError: with every problem and its place. Nothing of a faulty document is used: an entry that cannot
            be read would lift nothing, and nobody would notice.
    """
    if source is None:
        return ()
    base: Path_ = ("authorizations",)
    if isinstance(source, str | os.PathLike):
        document, place = _read(Path(source).expanduser())
        entries = _entries(document, place)
    elif isinstance(source, Mapping):
        place = _Place("authorizations")
        entries = _entries(source, place)
    elif isinstance(source, Sequence):
        place = _Place("authorizations")
        entries, base = list(source), ()
    else:
        raise DocumentError(
            f"a {type(source).__name__} holds no authorizations", remedy="Give a path, a mapping, a list, or None."
        )
    problems: list[tuple[str, str]] = []
    found: list[Authorization] = []
    for index, entry in enumerate(entries):
        here: Path_ = (*base, index)
        read, told = _entry(entry)
        problems += [(place((*here, *path)), message) for path, message in told]
        if read is not None:
            found.append(read)
    problems += [(place((*base, index, "id")), message) for index, message in _repeated(entries)]
    if problems:
        raise _error(problems)
    return tuple(found)


def _error(problems: Sequence[tuple[str, str]]) -> DocumentError:
    (first, message), *others = problems
    return DocumentError("\n".join([message, *(f"{p}: {m}" for p, m in others)]), place=first, remedy=_REMEDY)


def _scalar(key: str | None, text: str) -> Any:
    """Text (a licence number keeps its zeros), but for the one key that is a number."""
    return int(text) if key == "limit" and _WHOLE.fullmatch(text) else text


def _read(path: Path) -> tuple[Any, _Place]:
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentError(f"the authorizations cannot be read: {error.strerror or error}", place=name) from error
    if path.suffix.lower() == ".json":
        return parse_json(data, name), _Place(name)
    document, lines = parse_yaml(decode(data, name), name, scalar=_scalar)
    return document, _Place(name, lines)


def _entries(document: Any, place: _Place) -> list[Any]:
    if not isinstance(document, Mapping):
        raise DocumentError("expected an object with the key `authorizations`", place=place(()), remedy=_REMEDY)
    problems = [
        (place((str(key),)), f"`{key}` is not a key of this document") for key in document if key != "authorizations"
    ]
    entries = document.get("authorizations")
    if "authorizations" not in document:
        problems.append((place(()), "the key `authorizations` is missing"))
    elif not isinstance(entries, list | tuple):
        problems.append((place(("authorizations",)), "expected a list"))
    if problems:
        raise _error(problems)
    return list(entries or ())


def _entry(entry: Any) -> tuple[Authorization | None, list[tuple[Path_, str]]]:
    if isinstance(entry, Authorization):
        return entry, list(_contradictions(entry))
    if not isinstance(entry, Mapping):
        return None, [((), "expected an object")]
    problems: list[tuple[Path_, str]] = []
    prepared = {key: value for key, value in entry.items()}  # noqa: C416 - any Mapping becomes a dict of its own
    effective = entry.get("effective")
    if isinstance(effective, Mapping):
        prepared["effective"], told = _effective(effective)
        problems += told
    try:
        read = Authorization.model_validate(prepared)
    except ValidationError as error:
        told_paths = [path for path, _ in problems]
        for text, message in describe(error, prepared):
            path = _as_path(text)
            if path not in told_paths:
                problems.append((path, message))
        return None, problems
    problems += _contradictions(read)
    return (None if problems else read), problems


def _as_path(text: str) -> Path_:
    parts = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", text)
    # The field of the class is called `from_`, because `from` is a word of Python.
    return tuple(int(number) if number else ("from" if name == "from_" else name) for name, number in parts)


def _effective(stated: Mapping[Any, Any]) -> tuple[dict[str, Any], list[tuple[Path_, str]]]:
    out: dict[str, Any] = {}
    problems: list[tuple[Path_, str]] = []
    for key, value in stated.items():
        if key not in ("from", "until"):
            problems.append((("effective", str(key)), f"`{key}` is not a key of this document"))
            continue
        try:
            out["from_" if key == "from" else key] = _moment(value)
        except ValueError as error:
            problems.append((("effective", key), str(error)))
    return out, problems


def _moment(value: Any) -> date | datetime | None:
    """A date, or an instant with its timezone; nothing else is close enough to a deadline."""
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError("an instant needs a timezone, such as 2026-01-01T00:00:00Z")
        return value
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            if _DATE.fullmatch(text):
                return date.fromisoformat(text)
            if _INSTANT.fullmatch(text):
                return datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
        except ValueError:
            pass
    raise ValueError(f"`{str(value)[:60]}` is no date, such as 2026-12-31, nor an instant with a timezone")


def _contradictions(entry: Authorization) -> Iterator[tuple[Path_, str]]:
    """What no well-formed authorization says. That one was not approved (yet) is no mistake of the document: it lifts
    nothing until it is, and the decisions say so."""
    if not any(party.role is Role.END_USER for party in entry.parties):
        yield ("parties",), "names no end user: an authorization is for somebody"
    for index, party in enumerate(entry.parties):
        if party.id is None and party.name is None and party.customer is None:
            yield ("parties", index), "names nobody: it needs `name`, `id` or `customer`"
        elif any(text is not None and not _tidy(text) for text in (party.id, party.name, party.customer)):
            yield ("parties", index), "is named by blanks"
    for index, approver in enumerate(entry.approved_by):
        if not person(approver):
            yield ("approved_by", index), "is blank"
    if not person(entry.requested_by):
        yield ("requested_by",), "is blank"
    start, end = entry.effective.from_, entry.effective.until
    if start is None and end is None:
        yield ("effective",), "has no dates, and would be in force for ever: give `from`, `until` or both"
    for key, bound in (("from", start), ("until", end)):
        if isinstance(bound, datetime) and bound.utcoffset() is None:
            yield ("effective", key), "an instant needs a timezone"
            return
    if start is not None and end is not None and instant(end) <= instant(start):
        yield ("effective", "until"), f"{end} is not after {start}: it is never in force"
    if not entry.scope.strip():
        yield ("scope",), "is blank"


def _repeated(entries: Sequence[Any]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        name = entry.id if isinstance(entry, Authorization) else entry.get("id") if isinstance(entry, Mapping) else None
        if isinstance(name, str):
            if name in seen:
                yield index, f"the id `{name}` is used twice: what is drawn on it could not be told apart"
            seen.add(name)


def instant(bound: date | datetime) -> datetime:
    """The instant that a bound of `effective` stands for: a bare date is its first one, UTC."""
    return bound if isinstance(bound, datetime) else datetime.combine(bound, time.min, tzinfo=UTC)


def _tidy(text: str) -> str:
    visible = "".join(ch for ch in normalize("NFKC", text) if category(ch) != "Cf")
    return " ".join(visible.casefold().split())
