"""Problems in policy text: a code, a place, help; and the one renderer of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from unicodedata import category, east_asian_width


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


_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""What would make a line read otherwise than it is, or reach into a terminal."""
_LONGEST = 200
"""Characters of a source line that are shown; of a longer one, a window around the place."""


def _window(text: str, column: int, length: int) -> tuple[str, str, str]:
    """The shown line before the place, under it and behind it."""
    shown = _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", text.rstrip("\r\n").replace("\t", " "))
    before, under, behind = shown[: column - 1], shown[column - 1 : column - 1 + length], shown[column - 1 + length :]
    if len(shown) <= _LONGEST:
        return before, under, behind
    if len(before) > _LONGEST // 2:
        before = "…" + before[1 - _LONGEST // 2 :]
    if len(under) > _LONGEST // 2:
        under, behind = under[: _LONGEST // 2 - 1] + "…", ""
    room = max(1, _LONGEST - len(before) - len(under))
    return before, under, behind if len(behind) <= room else behind[: room - 1] + "…"


def _width(text: str) -> int:
    return sum(0 if category(ch) in ("Mn", "Me") else 2 if east_asian_width(ch) in "WF" else 1 for ch in text)


def render(problem: Diagnostic) -> str:
    """The text of one problem: headline, place, source line with carets, help, notes."""
    lines = [f"{problem.severity}[{problem.code}]: {problem.message}"]
    gutter = " "
    span = problem.span
    if span is not None:
        number = str(span.line)
        gutter = " " * len(number)
        before, under, behind = _window(span.text, span.column, span.length)
        carets = "^" * max(1, _width(under))
        lines += [
            f"{gutter} --> {span.file}:{span.line}:{span.column}",
            f"{gutter}  |",
            f" {number} | {before}{under}{behind}".rstrip(),
            f"{gutter}  | {' ' * _width(before)}{carets} {problem.label}".rstrip(),
        ]
    if problem.help:
        lines.append(f"{gutter}  = help: {problem.help}")
    lines += [f"{gutter}  = note: {note}" for note in problem.notes]
    return "\n".join(lines)


def render_all(problems: Iterable[Diagnostic]) -> str:
    return "\n\n".join(render(p) for p in problems)
