"""Problems in policy text: a code, a place, help; and the one renderer of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from unicodedata import east_asian_width


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one source line. `line` and `column` count from 1, `column` and `length` in characters."""

    file: str
    line: int
    column: int
    length: int
    text: str
    """The whole source line, for the caret."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. `code` is stable (`EG203`); `label` stands after the caret; user input stands in backticks."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    span: Span | None = None
    label: str = ""
    help: str | None = None
    notes: tuple[str, ...] = ()


def _width(text: str) -> int:
    return sum(2 if east_asian_width(ch) in "WF" else 1 for ch in text)


def render(problem: Diagnostic) -> str:
    """The text of one problem: headline, place, source line with carets, help, notes."""
    lines = [f"{problem.severity}[{problem.code}]: {problem.message}"]
    gutter = " "
    span = problem.span
    if span is not None:
        number = str(span.line)
        gutter = " " * len(number)
        shown = span.text.replace("\t", " ").rstrip("\r\n")
        before, under = shown[: span.column - 1], shown[span.column - 1 : span.column - 1 + span.length]
        carets = "^" * max(1, _width(under))
        lines += [
            f"{gutter} --> {span.file}:{span.line}:{span.column}",
            f"{gutter}  |",
            f" {number} | {shown}",
            f"{gutter}  | {' ' * _width(before)}{carets} {problem.label}".rstrip(),
        ]
    if problem.help:
        lines.append(f"{gutter}  = help: {problem.help}")
    lines += [f"{gutter}  = note: {note}" for note in problem.notes]
    return "\n".join(lines)


def render_all(problems: Iterable[Diagnostic]) -> str:
    return "\n\n".join(render(p) for p in problems)
