"""Where each character of a YAML scalar stands in the source, for carets that are exact.

YAML folds, unescapes and strips; it never reorders. So the value and its source are walked side by side, and the
walk proves itself: when a character does not agree, there is no answer rather than a wrong one.
"""

from __future__ import annotations

_BLANK = " \t\r\n"
_SIMPLE = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX = {"x": 2, "u": 4, "U": 8}


def align(source: str, start: int, end: int, style: str | None, value: str) -> list[int] | None:
    """Offsets in *source* of each character of *value*, and one more for its end; None if they do not agree."""
    at = start
    if style in ("|", ">"):
        # The header line (indicators, a comment) is no content.
        while at < end and source[at] not in "\r\n":
            at += 1
    elif style is not None:
        at += 1
        end -= 1
    offsets: list[int] = []
    for char in value:
        if char in _BLANK:
            written = _escape(source, at, end) if style == '"' else None
            offsets.append(min(at, end))
            if written is not None and written[0] == char:
                at = written[1]
            elif at < end and source[at] == char:
                at += 1
            continue
        at = _skip_blank(source, at, end, style)
        if at >= end:
            return None
        written = _escape(source, at, end) if style == '"' else None
        if written is not None:
            if written[0] != char:
                return None
            offsets.append(at)
            at = written[1]
        elif source[at] == char:
            offsets.append(at)
            at += 2 if style == "'" and char == "'" else 1
        else:
            return None
    offsets.append(min(at, end))
    # A blank is where the next character starts at the latest: a folded line break shows at its line's end.
    return offsets


def _skip_blank(source: str, at: int, end: int, style: str | None) -> int:
    while at < end:
        if source[at] in _BLANK or (style == '"' and source[at] == "\\" and source[at + 1 : at + 2] in ("\n", "\r")):
            at += 1
        else:
            break
    return at


def _escape(source: str, at: int, end: int) -> tuple[str, int] | None:
    """The character that a backslash escape at *at* stands for, and where it ends; None if there is no escape."""
    if at + 1 >= end or source[at] != "\\":
        return None
    kind = source[at + 1]
    if kind in _HEX:
        stop = at + 2 + _HEX[kind]
        try:
            code = int(source[at + 2 : stop], 16)
            if 0xD800 <= code < 0xDC00 and source[stop : stop + 2] == "\\u":
                # JSON's way to write a character in two halves
                low = int(source[stop + 2 : stop + 6], 16)
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), stop + 6
            return chr(code), stop
        except (ValueError, OverflowError):
            return None
    if kind in _SIMPLE:
        return _SIMPLE[kind], at + 2
    return None
