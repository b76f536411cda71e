"""Policy text and places in it. Every offset counts characters of the text as it was given, after a leading BOM."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from exportguard.diagnostics import Diagnostic, Span
from exportguard.errors import PolicyError

MAX_TEXT = 2 * 1024 * 1024
"""Characters in one policy file. The shipped packs are a hundredth of it."""

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
"""Control characters, lone surrogates, and what makes text read otherwise than it shows (bidi, zero width, fillers).

Left out of Unicode's Default_Ignorable_Code_Point, as of 15.1: the joiners that some scripts are spelt with, and the
variation selectors of emoji.
"""
MOST_TOLD = 20
"""Characters that are not allowed, each told by itself; a file in another encoding is full of them."""


@dataclass(frozen=True)
class PolicySource:
    """One policy text and the name that diagnostics show for it (a path as the user gave it)."""

    name: str
    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if self.text.startswith("\ufeff"):
            object.__setattr__(self, "text", self.text[1:])

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> PolicySource:
        """Decode UTF-8 (a BOM is dropped).

        Raises:
            PolicyError: too long (EG101), or not UTF-8 (EG102, with the line and column of the first bad byte).
        """
        if len(data) > MAX_TEXT * 4:
            raise PolicyError((too_long(name, len(data)),))
        try:
            return cls(name, data.decode("utf-8"))
        except UnicodeDecodeError as error:
            good = cls(name, data[: error.start].decode("utf-8") + "\N{REPLACEMENT CHARACTER}")
            problem = Diagnostic(
                "EG102",
                "error",
                f"the file is not UTF-8: byte 0x{data[error.start]:02x}",
                good.span(len(good.text) - 1, len(good.text)),
                "cannot be read",
                "save the file as UTF-8",
            )
            raise PolicyError((problem,)) from None

    @classmethod
    def from_path(cls, path: Path, name: str | None = None) -> PolicySource:
        """Read a file without ever holding more of it than the limit.

        Raises:
            PolicyError: unreadable (EG100), too long (EG101), or not UTF-8 (EG102).
        """
        shown = name or str(path)
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_TEXT * 4 + 1)
        except OSError as error:
            problem = Diagnostic("EG100", "error", f"cannot read `{shown}`: {error.strerror or 'it cannot be opened'}")
            raise PolicyError((problem,)) from None
        return cls.from_bytes(shown, data)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]

    def line_column(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, max(0, min(offset, len(self.text)))) - 1
        return line + 1, offset - self._starts[line] + 1

    def offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column - 1

    def line_text(self, line: int) -> str:
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        """The stretch from *start* to *end*, cut at the end of the line it starts on."""
        line, column = self.line_column(start)
        text = self.line_text(line)
        length = max(1, min(end - start, len(text) - column + 1))
        return Span(self.name, line, column, length, text)

    def problem(
        self,
        code: str,
        message: str,
        start: int,
        end: int,
        label: str = "",
        hint: str | None = None,
        *notes: str,
    ) -> Diagnostic:
        return Diagnostic(code, "error", message, self.span(start, end), label, hint, notes)

    def refuse_unreadable(self) -> list[Diagnostic]:
        """What makes the text unfit to be parsed at all: its size, and characters that do not show as they read."""
        if len(self.text) > MAX_TEXT:
            return [too_long(self.name, len(self.text))]
        return [
            self.problem(
                "EG102",
                f"the character U+{ord(found.group()):04X} is not allowed in policy text",
                found.start(),
                found.end(),
                "control, invisible or direction-changing character",
                "remove it, or write it as an escape inside a quoted string",
            )
            for found in islice(_FORBIDDEN.finditer(self.text), MOST_TOLD)
        ]


def too_long(name: str, size: int) -> Diagnostic:
    return Diagnostic(
        "EG101",
        "error",
        f"`{name}` is too long: {size} characters or more; at most {MAX_TEXT} are read",
        help="split it into several policies",
    )


@dataclass(frozen=True)
class Scalar:
    """One YAML scalar as text, with where each of its characters stands in the source.

    `style` is None for plain, else one of ``' " | >``. `start` and `end` enclose the whole scalar in the source,
    quotes included.
    """

    source: PolicySource
    text: str
    start: int
    end: int
    style: str | None = None

    @cached_property
    def offsets(self) -> list[int] | None:
        """Source offset of each character of `text` and of its end; None where they cannot be told apart."""
        from exportguard.language.align import align

        return align(self.source.text, self.start, self.end, self.style, self.text)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The source stretch of `text[start:end]`; the whole scalar's where it cannot be told exactly."""
        offsets = self.offsets
        if offsets is None or not 0 <= start <= len(self.text):
            return self.start, self.end
        first = offsets[start]
        last = offsets[min(end, len(self.text)) - 1] + 1 if end > start else first + 1
        return first, max(last, first + 1)

    def problem(
        self,
        code: str,
        message: str,
        at: tuple[int, int] | None = None,
        label: str = "",
        hint: str | None = None,
        *notes: str,
    ) -> Diagnostic:
        """A diagnostic at ``text[at[0]:at[1]]``, or at the whole scalar."""
        start, end = (self.start, self.end) if at is None else self.place(*at)
        return self.source.problem(code, message, start, end, label, hint, *notes)

    def joined_lines(self, start: int) -> bool:
        """Whether the line of *text* that *start* is on was folded from several source lines."""
        offsets = self.offsets
        stop = self.text.find("\n", start)
        stop = len(self.text) if stop < 0 else stop
        if offsets is None:
            return self.style != "|"
        rest = self.text[start:stop].rstrip()
        first = self.source.line_column(offsets[start])[0]
        return bool(rest) and self.source.line_column(offsets[start + len(rest) - 1])[0] != first
