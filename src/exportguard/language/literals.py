"""CEL literals as values, read as the CEL specification says; what it leaves out is refused by name."""

from __future__ import annotations

import math
import re

from exportguard.language.syntax import CelSyntaxError

MIN_INT, MAX_INT = -(2**63), 2**63 - 1
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.?))", re.DOTALL
)
_SMALLER = "no fact is as large: compare with a number that one can be"
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def literal_value(kind: str, text: str, at: tuple[int, int]) -> bool | int | float | str | None:
    """The value of a literal token of cel-python's grammar.

    Raises:
        CelSyntaxError: EG210 for bytes and unsigned integers, EG215 for a number out of range, EG201 for a string
            with an escape that CEL does not have.
    """
    if kind == "NULL_LIT":
        return None
    if kind == "BOOL_LIT":
        return text == "true"
    if kind == "INT_LIT":
        digits = text.lstrip("-")
        if len(digits) > 40:
            raise CelSyntaxError("EG215", "the number is too large", at, "not within 64 bits", _SMALLER)
        value = int(digits, 16 if digits.lower().startswith("0x") else 10) * (-1 if text.startswith("-") else 1)
        if not MIN_INT <= value <= MAX_INT:
            raise CelSyntaxError("EG215", f"`{text}` does not fit into 64 bits", at, "too large", _SMALLER)
        return value
    if kind == "FLOAT_LIT":
        number = float(text)
        if not math.isfinite(number):
            raise CelSyntaxError("EG215", f"`{text}` is not a finite number", at, "too large", _SMALLER)
        return number
    if kind in ("STRING_LIT", "MLSTRING_LIT"):
        return _string(text, at, 3 if kind == "MLSTRING_LIT" else 1)
    what = "an unsigned integer (`u`)" if kind == "UINT_LIT" else "a bytes literal"
    hint = f"write `{text[:-1]}`" if kind == "UINT_LIT" else "write a string"
    raise CelSyntaxError("EG210", f"{what} is outside the policy language", at, "not supported", hint)


def _string(text: str, at: tuple[int, int], quotes: int) -> str:
    raw = text[0] in "rR"
    body = text[(1 if raw else 0) + quotes : -quotes]
    quote = text[-1]
    if raw:
        if "\\" + quote in body:
            raise CelSyntaxError(
                "EG201", "a raw string cannot hold its own quote", at, "ambiguous", "use the other kind of quote"
            )
        return body

    def decode(found: re.Match[str]) -> str:
        named, two, four, eight, octal, other = found.groups()
        if named is not None:
            return _NAMED.get(named, named)
        if other is not None:
            raise CelSyntaxError(
                "EG201",
                f"`\\{other}` is not an escape",
                at,
                "in this string",
                'write `\\\\` for a backslash, or a raw string: `r"…"`',
            )
        code = int(octal, 8) if octal else int(two or four or eight, 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise CelSyntaxError("EG201", "the escape names no character", at, "in this string")
        return chr(code)

    return _ESCAPE.sub(decode, body)
