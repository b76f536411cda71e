"""JSON and YAML text to plain data, refusing what could be read in two ways, with the place of every problem.

Refused: duplicate keys, NaN and infinities, anchors, aliases, tags and merges, several documents in one file,
nesting past `MAX_DEPTH`, text that is no UTF-8, and more than the caller's limit of bytes. YAML scalars are text
first: `NO` is Norway and `012345678901` an account. Only an unquoted `null` (or `~`, or nothing), and `true` and
`false` where a schema wants them, are more than text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from exportguard.errors import DocumentError

MAX_DEPTH = 64
_LOCATED_BYTES = 4 << 20
"""Finding the line of a problem in JSON reads the text once more, slowly; past this size the path has to do."""

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: a JSON path, with the line where it is known."""

    message: str
    path: Path_ = ()
    line: int | None = None


@dataclass(slots=True)
class Parsed:
    """Plain data and a way to find the line of a path in it."""

    data: Any
    line_of: Callable[[Path_], int | None]
    problems: list[Problem]


def json_path(path: Path_) -> str:
    """`("customers", 0, "parties")` as `$.customers[0].parties`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def refuse(name: str, problems: list[Problem], what: str, remedy: str | None = None) -> NoReturn:
    """Raise one DocumentError that lists every problem (the first two hundred) with its place."""

    def place(problem: Problem) -> str:
        line = f":{problem.line}" if problem.line is not None else ""
        return f"{name}{line}" + (f" {json_path(problem.path)}" if problem.path else "")

    if len(problems) == 1:
        raise DocumentError(problems[0].message, place=place(problems[0]), remedy=remedy)
    shown = [f"  {place(p)}: {p.message}" for p in problems[:200]]
    if len(problems) > 200:
        shown.append(f"  … and {len(problems) - 200} more")
    message = f"{what} cannot be read: {len(problems)} problems\n" + "\n".join(shown)
    raise DocumentError(message, place=place(problems[0]), remedy=remedy)


def read_bytes(path: Path, limit: int, what: str) -> str:
    """The text of a file of at most *limit* bytes. DocumentError names what is wrong with it."""
    try:
        if path.is_dir():
            raise DocumentError(f"{what} should be a file, not a directory", place=str(path))
        with path.open("rb") as stream:
            raw = stream.read(limit + 1)
    except OSError as problem:
        why = problem.strerror or "it cannot be opened"
        raise DocumentError(f"{what} cannot be read: {why.lower()}", place=str(path)) from problem
    if len(raw) > limit:
        raise DocumentError(
            f"{what} is larger than {limit >> 20} MB",
            place=str(path),
            remedy="write it as JSON (up to 256 MB), split it, or use SQLite",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw[: problem.start].count(b"\n") + 1
        raise DocumentError("is not UTF-8 text", place=f"{path}:{line}") from problem


class _DuplicateKey(dict[str, Any]):
    """An object that had a key twice; it keeps which, so that the walk that follows can say where."""

    twice: tuple[str, ...] = ()


def parse_json(text: str, name: str) -> Parsed:
    """Parse JSON text. Problems that leave the rest readable (duplicate keys, NaN) are collected."""
    duplicates: list[_DuplicateKey] = []
    not_finite: list[str] = []

    def from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        seen: set[str] = set()
        marked = _DuplicateKey(made)
        marked.twice = tuple(dict.fromkeys(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
        duplicates.append(marked)
        return marked

    def constant(word: str) -> float:
        not_finite.append(word)
        return float(word)

    try:
        data = json.loads(text, object_pairs_hook=from_pairs, parse_constant=constant)
    except RecursionError:
        refuse(name, [Problem(f"is nested deeper than {MAX_DEPTH} levels")], "the document")
    except json.JSONDecodeError as problem:
        refuse(
            name, [Problem(f"is not JSON: {problem.msg.lower()} (column {problem.colno})", (), problem.lineno)], "it"
        )
    except ValueError as problem:
        refuse(name, [Problem(f"is not JSON: {problem}")], "it")
    problems: list[Problem] = []
    locate = _JsonLines(text)
    if duplicates or not_finite:
        for path, value in _walk(data):
            if isinstance(value, _DuplicateKey):
                problems += [Problem(f"key `{key}` stands twice", path, locate(path)) for key in value.twice]
            elif isinstance(value, float) and not (-1e308 < value < 1e308):
                problems.append(Problem("is not a finite number", path, locate(path)))
        if not problems:
            # A NaN under a key that stood twice is gone from the data, and refused all the same.
            problems.append(Problem(f"`{(not_finite or ['a duplicate key'])[0]}` is not allowed"))
    return Parsed(data, locate, problems)


def _walk(data: Any) -> Iterator[tuple[Path_, Any]]:
    stack: list[tuple[Path_, Any]] = [((), data)]
    while stack:
        path, value = stack.pop()
        yield path, value
        if isinstance(value, dict):
            stack += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            stack += [((*path, index), item) for index, item in enumerate(value)]


class _JsonLines:
    """Lines of paths in JSON text: JSON is YAML enough for the YAML scanner to say where things stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[Path_, int] | None = None

    def __call__(self, path: Path_) -> int | None:
        if len(self._text) > _LOCATED_BYTES:
            return None
        if self._lines is None:
            from exportguard.parties.yamltext import lines_of

            self._lines = lines_of(self._text)
        for end in range(len(path), 0, -1):
            if path[:end] in self._lines:
                return self._lines[path[:end]]
        return None
