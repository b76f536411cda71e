"""A reader of protocol buffers in text form: enough of it for test files, as plain lists of (field, value)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)[fFuU]?(?![A-Za-z_]))
    |(?P<extension>\[[A-Za-z_][\w./-]*\])
    |(?P<word>-?[A-Za-z_][\w.]*)
    |(?P<sign>[{}<>\[\]:;,])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(?:([abfnrtv\\?'\"])|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3}))")
_PLAIN = {
    b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """The fields of a message in order; a repeated one is there several times."""

    fields: tuple[tuple[str, Any], ...]

    def all(self, name: str) -> list[Any]:
        return [value for field, value in self.fields if field == name]

    def get(self, name: str, default: Any = None) -> Any:
        found = self.all(name)
        return found[-1] if found else default

    def __contains__(self, name: object) -> bool:
        return any(field == name for field, _ in self.fields)


@dataclass(frozen=True)
class Word:
    """A bare word: an enumeration's value, `true`, `inf` …"""

    name: str


def parse(text: str) -> Message:
    """Raises ValueError for what is not text form."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"cannot read {text[at : at + 20]!r}")
        if found.lastgroup is not None:
            tokens.append((found.lastgroup, found.group()))
        at = found.end()
    tokens.append(("end", ""))
    message, at = _fields(tokens, 0, "end")
    return message


def _fields(tokens: list[tuple[str, str]], at: int, closing: str) -> tuple[Message, int]:
    fields: list[tuple[str, Any]] = []
    while tokens[at][1] != closing and tokens[at][0] != closing:
        kind, name = tokens[at]
        if kind not in ("word", "extension"):
            raise ValueError(f"a field's name is expected, not {name!r}")
        at += 1
        if tokens[at][1] == ":":
            at += 1
        if tokens[at][1] == "[":
            at += 1
            while tokens[at][1] != "]":
                value, at = _value(tokens, at)
                fields.append((name, value))
                at += tokens[at][1] == ","
            at += 1
        else:
            value, at = _value(tokens, at)
            fields.append((name, value))
        at += tokens[at][1] in (",", ";")
    return Message(tuple(fields)), at + 1


def _value(tokens: list[tuple[str, str]], at: int) -> tuple[Any, int]:
    kind, text = tokens[at]
    if text in ("{", "<"):
        return _fields(tokens, at + 1, "}" if text == "{" else ">")
    if kind == "text":
        parts = []
        while tokens[at][0] == "text":
            parts.append(_unescaped(tokens[at][1][1:-1]))
            at += 1
        return b"".join(parts), at
    if kind == "number":
        bare = text.rstrip("uU")
        if re.fullmatch(r"[+-]?\d+", bare):
            return int(bare), at + 1
        if re.fullmatch(r"[+-]?0[xX][0-9a-fA-F]+", bare):
            return int(bare, 16), at + 1
        return float(bare.rstrip("fF")), at + 1
    if kind == "word":
        if text.lower() in ("inf", "-inf", "nan", "-nan", "infinity", "-infinity"):
            return float(text), at + 1
        return Word(text), at + 1
    raise ValueError(f"a value is expected, not {text!r}")


def _unescaped(text: str) -> bytes:
    """Strings are bytes here: `\\x` escapes name bytes, and only a field's type says whether they are text."""

    def one(found: re.Match[bytes]) -> bytes:
        plain, two, four, eight, octal = found.groups()
        if plain is not None:
            return _PLAIN.get(plain, plain)
        if two is not None:
            return bytes([int(two, 16)])
        if octal is not None:
            return bytes([int(octal, 8) & 0xFF])
        return chr(int(four or eight, 16)).encode("utf-8")

    return _ESCAPE.sub(one, text.encode("utf-8"))
