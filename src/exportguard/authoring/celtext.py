"""The layout of CEL text: one space around operators, none inside brackets, lines aligned to the bracket they are in.

Line breaks are the author's, comments stay where they are, and no token is ever changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from exportguard.language.cel import parse
from exportguard.language.syntax import CelSyntaxError, Node

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*)
    | (?P<string>[rRbB]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''
                              |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    | (?P<number>(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)[uU]?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator>&&|\|\||==|!=|<=|>=|[<>+*/%?:!-])
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<comma>,)
    | (?P<dot>\.)
    | (?P<newline>\n)
    | (?P<space>[ \t\r\f]+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
WIDTH = 120
"""Columns; a longer line is broken after a `&&` or `||` where it has one."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def lay_out(text: str, indent: int = 0) -> str:
    """*text* laid out; as it was, where it is no condition. *indent*: columns it will be moved in by."""
    try:
        before = parse(text)
    except CelSyntaxError:
        return text
    tokens = [
        _Token(str(found.lastgroup), found.group())
        for found in _TOKEN.finditer(text.replace("\r\n", "\n"))
        if found.lastgroup != "space"
    ]
    lines = _lines(tokens, indent)
    made = "\n".join(lines).strip("\n")
    try:
        after = parse(made)
    except CelSyntaxError:
        return text
    return made if shape(before) == shape(after) else text


def shape(node: Node) -> object:
    """The tree without its places."""
    return (node.op, node.value, type(node.value), tuple(shape(arg) for arg in node.args))


def _lines(tokens: list[_Token], indent: int) -> list[str]:
    groups: list[list[_Token]] = [[]]
    for token in tokens:
        if token.kind == "newline":
            groups.append([])
        else:
            groups[-1].append(token)
    lines: list[str] = []
    columns: Columns = []
    previous: _Token | None = None
    while groups and not groups[0]:
        groups.pop(0)
    while groups and not groups[-1]:
        groups.pop()
    while groups:
        group = groups.pop(0)
        if not group:
            lines.append("")
            continue
        start = _start(group[0], columns)
        line, opened, last, cut = _write(group, start, list(columns), previous, WIDTH - indent)
        if cut is not None and cut < len(group):
            groups.insert(0, group[cut:])
            line, opened, last, _ = _write(group[:cut], start, list(columns), previous, WIDTH * 10)
        lines.append(line.rstrip())
        columns, previous = opened, last
    return [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]


Columns = list[tuple[int, int]]
"""Of each open bracket: where the lines inside start, and where its closing bracket does."""


def _start(first: _Token, columns: Columns) -> int:
    return columns[-1][first.kind == "close"] if columns else 0


def _write(
    group: list[_Token], start: int, columns: Columns, previous: _Token | None, width: int
) -> tuple[str, Columns, _Token | None, int | None]:
    """The line, the columns of brackets open after it, its last token, and where it should be cut (tokens)."""
    line = " " * start
    cut: tuple[int, int] | None = None
    depth = 0
    for number, token in enumerate(group):
        if number and _spaced(previous, token, group[number - 2] if number > 1 else None):
            line += " "
        line += token.text
        if token.kind == "open":
            alone = number == len(group) - 1 or group[number + 1].kind == "comment"
            columns.append((start + 2, start) if alone else (len(line), len(line) - 1))
            depth += 1
        elif token.kind == "close" and columns:
            columns.pop()
            depth -= 1
        if token.text in ("&&", "||") and token.kind == "operator" and len(line) <= width:
            rank = (-depth, number + 1)
            if cut is None or rank[0] >= cut[0]:
                cut = rank
        if token.kind != "comment":
            previous = token
    too_long = len(line.rstrip()) > width and not any(token.kind == "comment" for token in group)
    return line, columns, previous, cut[1] if too_long and cut is not None else None


_UNARY_BEFORE = ("operator", "open", "comma")


def _spaced(before: _Token | None, token: _Token, earlier: _Token | None) -> bool:
    """Whether a space stands between *before* and *token*."""
    if before is None or token.kind == "comment":
        return token.kind == "comment"
    if before.kind in ("open", "dot") or token.kind in ("close", "comma", "dot"):
        return False
    if before.kind == "operator" and (before.text == "!" or (before.text == "-" and _is_sign(earlier))):
        return False
    if token.kind == "open":
        # A call or an index is written together; `in (…)` and operators are not.
        if before.kind in ("name", "close") and before.text != "in":
            return False
        return before.kind != "string"
    return True


def _is_sign(earlier: _Token | None) -> bool:
    return earlier is None or earlier.kind in _UNARY_BEFORE or (earlier.kind == "name" and earlier.text == "in")
