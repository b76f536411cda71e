"""What PyYAML says of a text that is no YAML, at the place where the slip is and in words that lead to it."""

from __future__ import annotations

import re
from typing import Any

from exportguard.diagnostics import Diagnostic
from exportguard.language.source import PolicySource

_BLOCK = "put all of it in a block after `|`"
_KEY = re.compile(r"(?:- +)*([A-Za-z_][\w-]*) *\Z")
"""What stands before a colon where a key was meant."""
_CLOSING = {"[": "]", "{": "}"}
_NEGATED = re.compile(r":\s+!")
_UNSPACED = re.compile(r"(?:- *)?[\w-]+:(?=\S)")


def refusal(source: PolicySource, error: Any) -> Diagnostic:
    """The problem behind a MarkedYAMLError."""
    problem, context = str(error.problem or ""), str(error.context or "")
    at = _index(error.problem_mark, error.context_mark)
    opened = _index(error.context_mark, error.problem_mark)
    if "'\\t' that cannot start any token" in problem:
        return source.problem("EG104", "a tab cannot stand here", at, at + 1, "tab", "separate with spaces")
    if context == "while scanning a tag":
        start = source.text.rfind("!", 0, at + 1)
        return tag(source, "a tag is refused", start if start >= 0 else at, at + 1)
    if context in ("while scanning an anchor", "while scanning an alias"):
        negated = _NEGATED.search(source.line_text(source.line_column(at)[0]))
        if negated:
            start = at - source.line_column(at)[1] + 1 + negated.end() - 1
            return tag(source, "a tag is refused", start, start + 1)
    if "<document start>" in problem:
        return source.problem("EG107", "a file holds one document", at, at + 1, "more follows", "split the file")
    if "could not find expected ':'" in problem:
        return _no_colon(source, opened)
    if "mapping values are not allowed" in problem:
        return _stray_colon(source, at)
    label = _plain(problem)
    hint: str | None = f"text that holds signs of YAML stands between quotes; of a condition, {_BLOCK}"
    if "unknown escape character" in problem or "expected escape sequence" in problem:
        hint = f"`\\\\` is a backslash between double quotes; of a condition, {_BLOCK}"
    elif "sequence entries are not allowed" in problem:
        hint = "a list starts on the line after its key"
    elif context.startswith("while scanning a quoted scalar") and "end of stream" in problem:
        at, label = opened, "this quote is never closed"
        hint = f"close it with `{source.text[opened : opened + 1]}`, or {_BLOCK}"
    elif context.startswith("while parsing a flow") and "stream end" in problem:
        at, label = opened, "this bracket is never closed"
        hint = f"close it with `{_CLOSING.get(source.text[opened : opened + 1], ']')}`"
    elif context.startswith("while parsing a flow") and "but got ':'" in problem and _later(source, opened, at):
        # A key of the rule follows: no list goes on like that.
        at, label = opened, "this bracket is never closed"
        hint = f"close it with `{_CLOSING.get(source.text[opened : opened + 1], ']')}`"
    elif context.startswith("while parsing a flow"):
        hint = f"`{source.text[opened : opened + 1]}` of line {source.line_column(opened)[0]} is not closed before this"
    elif "cannot start any token" in problem:
        hint = "text that starts with this character stands between quotes, or in a block after `|`"
    elif "expected a comment or a line break" in problem:
        hint = "the text of a block starts on the line after `|`"
    elif "expected alphabetic or numeric character" in problem:
        hint = "text that starts with `&` or `*` stands between quotes, or in a block after `|`"
    elif "expected <block end>" in problem:
        before = source.line_text(source.line_column(at)[0])[: source.line_column(at)[1] - 1].rstrip()
        quoted, bracketed = before.endswith(("'", '"')), before.endswith(("}", "]"))
        hint = "check the indentation of this line against those above it"
        label = "more text after the closing quote" if quoted else "stands further in or out than what it belongs to"
        hint = f"a value that starts with a quote ends with it: {_BLOCK}" if quoted else hint
        if bracketed:
            label = "more text after the closing bracket"
            hint = f"text that starts with a bracket stands between quotes; of a condition, {_BLOCK}"
    return source.problem("EG103", "this is not YAML", at, at + 1, label, hint)


def tag(source: PolicySource, what: str, start: int, end: int) -> Diagnostic:
    """A tag, which is mostly a condition that starts with `!`."""
    ours = source.text[start : start + 2] == "!!"
    hint = "write plain values: they are read as text" if ours else f"is `!` meant as *not*? Then {_BLOCK}"
    return source.problem("EG106", what, start, max(start + 1, end), "tag", hint)


def tag_name(text: str) -> str:
    """A tag as it is written."""
    return text.replace("tag:yaml.org,2002:", "!!")


def _index(*marks: Any) -> int:
    return next((int(mark.index) for mark in marks if mark is not None), 0)


def _no_colon(source: PolicySource, at: int) -> Diagnostic:
    """A line that YAML takes for the start of `key: value`."""
    line = source.line_column(at)[0]
    text = source.line_text(line).strip()
    unspaced = _UNSPACED.match(text)
    hint = "a line of a mapping is `key: value`"
    if unspaced:
        hint = f"a space belongs after the colon: `{unspaced[0].lstrip('- ')} …`"
    elif line > 1 and re.search(r"[|>][-+0-9]*\s*\Z", source.line_text(line - 1)):
        hint = "the text of a block stands further in than its key"
    return source.problem("EG103", "this is not YAML", at, at + len(text), "a key without `: `", hint)


def _stray_colon(source: PolicySource, at: int) -> Diagnostic:
    line, column = source.line_column(at)
    before = source.line_text(line)[: column - 1]
    key = _KEY.match(before.lstrip(" "))
    label = "mapping values are not allowed here"
    if key is None or line == 1:
        hint = "text that holds `: ` stands between quotes, or in a block after `|`"
        return source.problem("EG103", "this is not YAML", at, at + 1, label, hint)
    start = at - len(before) + before.index(key[1])
    hint = "YAML reads this line as more of the text above it: check how far in both stand, and the `- ` above"
    return source.problem("EG103", "this is not YAML", start, at, label, hint)


def _later(source: PolicySource, opened: int, at: int) -> bool:
    return source.line_column(at)[0] > source.line_column(opened)[0]


def _plain(problem: str) -> str:
    return problem.replace("<", "").replace(">", "")
