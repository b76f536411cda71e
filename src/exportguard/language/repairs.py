"""What to read in place of a slip, so that what stands behind it can be checked too. Never what is compiled.

A repair only has to leave text of the same kind: the slip itself is reported, and the policy does not load.
"""

from __future__ import annotations

import re
import unicodedata

from exportguard.language.syntax import Repairs

NOT_EQUAL = re.compile(r"is\s+not\b", re.IGNORECASE)
_DIGITS = re.compile(r"([0-9][0-9_]*(?:\.[0-9][0-9_]*)?)([kKmMgGtTbB]?)\Z")
_POWERS = {"k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
_GROUP = re.compile(r"country_group\s*\(\s*\w+\s*\Z")
_MACRO = re.compile(r"\.\s*\w+\s*\(\s*\w+\s*\Z")
_IN = re.compile(r"\bin\s*\Z")
_TEXT = re.compile(r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""")
QUOTES = "“”„‟‘’‚‛«»`"
"""Quotes that are not CEL's."""
_COMMENT = re.compile(r"//[^\n]*")
_JOINS = re.compile(r"&&|\|\||[()\[\]{}]")
_WORDS = {"and": "&&", "or": "||", "is": "==", "equals": "==", "not": ""}
SIGNS = {
    "≥": ">=", "≤": "<=", "≠": "!=", "∧": "&&", "∨": "||", "¬": "!", "×": "*", "÷": "/", "∈": " in ",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
}  # fmt: skip
"""What stands for an operator in print."""


def repairs_of(text: str, at: int, end: int, word: str) -> Repairs:
    """What belongs in place of ``text[at:end]``, where the parser stopped at *word*; nothing where nobody can say."""
    before, after = text[at - 1 : at], text[end : end + 1]
    if word[:1] in QUOTES and word:
        closing = next((i for i in range(end, len(text)) if text[i] in QUOTES or text[i] == "\n"), -1)
        straight = "'" if '"' in text[end:closing] else '"'
        closed = closing >= 0 and text[closing] in QUOTES
        return ((at, end, straight), (closing, closing + 1, straight)) if closed else ()
    if word[:1] and not word[0].isascii():
        plain = SIGNS.get(word[0]) or unicodedata.normalize("NFKC", word[0])
        return ((at, at + 1, plain),) if plain.isascii() and plain.isprintable() else ()
    if word == "=":
        return _equals(text, at, before, after)
    if word == ">" and before == "<":
        return ((at - 1, end, "!="),)
    if word in ("&", "|"):
        return ((at, end, word * 2),) if word not in (before, after) else ()
    if word == "," or word == ":":
        return _list_or_group(text, at, word, before, after)
    if word == "?" and before == ".":
        return ((at, end, " "),)
    if word == "#":
        stop = text.find("\n", at)
        return ((at, len(text) if stop < 0 else stop, " "),)
    if word == "$" and after == "{" and "}" in text[end:]:
        closing = text.index("}", end)
        return ((at, at + 2, "  "), (closing, closing + 1, " "))
    if word in (";", "$", "%") or text[at:end] in ("return", "when", "where", "unless"):
        return ((at, end, " "),)
    if found := NOT_EQUAL.match(text, at):
        return ((at, found.end(), "!="),)
    written = text[at:end]
    if written.lower() in _WORDS:
        return ((at, end, _WORDS[written.lower()]),)
    if written[:1].isdigit():
        return ((at, end, _number(written)),)
    return ()


def _equals(text: str, at: int, before: str, after: str) -> Repairs:
    if before == "=" or text[at - 2 : at] == "!=":
        return ((at, at + 1, " "),)
    if after == ">" and _MACRO.search(text, 0, at):
        return ((at, at + 2, ","),)
    if after in ("<", ">"):
        return ((at, at + 2, f"{after}="),)
    return ((at, at + 1, "=="),) if after not in ("~", "=") else ()


def _list_or_group(text: str, at: int, word: str, before: str, after: str) -> Repairs:
    if word == ":":
        named = _GROUP.search(text, 0, at)
        closing = text.find(")", at)
        if named is None or closing < 0:
            return ()
        opened = text.index("(", named.start()) + 1
        return ((opened, opened, '"'), (closing, closing, '"'))
    if before.isdigit() and after.isdigit():
        return ((at, at + 1, ""),)
    opened = max(text.rfind("(", 0, at), text.rfind("{", 0, at))
    if opened < 0 or not _IN.search(text, 0, opened):
        return ()
    rest = _TEXT.sub(_blanks, text[opened:])
    closing = rest.find(")" if text[opened] == "(" else "}")
    return ((opened, opened + 1, "["), (opened + closing, opened + closing + 1, "]")) if closing > 0 else ()


def _number(written: str) -> str:
    """The number in a word that starts with digits, or the word as text."""
    found = _DIGITS.match(written)
    if found is None:
        return f'"{written}"'
    digits, unit = found[1].replace("_", ""), found[2].lower()
    return f"{float(digits) * _POWERS[unit]:.0f}" if unit else digits


def without_operand(text: str, at: int) -> Repairs:
    """`true` in place of the part between `&&` and `||` that holds *at*, where nobody can say how it was meant.

    Nothing where the text is one part, or where a quote without its other half says that strings begin elsewhere.
    """
    plain = _COMMENT.sub(_blanks, _TEXT.sub(_blanks, text))
    if "'" in plain or '"' in plain:
        return ()
    depth, start, cuts = 0, 0, []
    for found in _JOINS.finditer(plain):
        if found[0] in ("&&", "||"):
            if depth == 0:
                cuts.append((start, found.start(), found.end()))
                start = found.end()
        else:
            depth += 1 if found[0] in "([{" else -1
    parts = [(first, last) for first, last, _ in cuts] + [(start, len(text))]
    # An operator that does not fit is told of, and what is not finished stands before it.
    here = next((part for part, (_, last, behind) in zip(parts, cuts, strict=False) if at < behind), parts[-1])
    return ((*here, " true "),) if len(parts) > 1 else ()


def _blanks(found: re.Match[str]) -> str:
    return " " * len(found[0])


class Repaired:
    """A text with its repairs made, and where each character of it came from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.origins = list(range(len(text) + 1))
        self._touched: list[tuple[int, int]] = []

    @property
    def changed(self) -> bool:
        return bool(self._touched)

    def origin(self, at: tuple[int, int]) -> tuple[int, int]:
        """The stretch of the text as it was written."""
        start, end = (min(max(0, place), len(self.text)) for place in at)
        first = self.origins[start]
        return first, self.origins[end - 1] + 1 if end > start else first

    def follows_a_repair(self, at: tuple[int, int]) -> bool:
        """Whether what is wrong at *at* (as written) touches something repaired, which may be what is wrong with it."""
        return any(at[0] <= end and start <= at[1] for start, end in self._touched)

    def make(self, repairs: Repairs) -> None:
        for start, end, instead in sorted(repairs, reverse=True):
            self._touched.append(self.origin((start, end)))
            first, last = self.origins[start], self.origins[end]
            self.origins[start:end] = [min(first + index, max(last - 1, first)) for index in range(len(instead))]
            self.text = self.text[:start] + instead + self.text[end:]
