"""Collections in brackets and braces: in one line, or filled over several within a width."""

from __future__ import annotations

from exportguard.language.parse import Mapping, Tree
from exportguard.language.source import PolicySource, Scalar


def one_line(source: PolicySource, tree: Tree) -> str:
    """*tree* in one line: `{a: b, c: [d, e]}`."""
    if isinstance(tree, Scalar):
        return _scalar(source, tree)
    if isinstance(tree, Mapping):
        return "{" + ", ".join(_pair(source, key, one_line(source, value)) for key, value in tree.entries) + "}"
    return "[" + ", ".join(one_line(source, item) for item in tree.items) + "]"


def _pair(source: PolicySource, key: Scalar, value: str) -> str:
    return f"{_scalar(source, key)}: {value}" if value else f"{_scalar(source, key)}:"


def _scalar(source: PolicySource, scalar: Scalar) -> str:
    raw = source.text[scalar.start : scalar.end]
    if "\n" not in raw:
        return raw
    if scalar.style is None:
        return scalar.text if "\n" not in scalar.text else raw
    if scalar.style == "'" and "\n" not in scalar.text:
        return "'" + scalar.text.replace("'", "''") + "'"
    if scalar.style == '"' and "\\" not in raw and "\n" not in scalar.text:
        return f'"{scalar.text}"'
    return raw


def several_lines(source: PolicySource, tree: Tree, column: int, width: int) -> list[str]:
    """*tree* filled over lines of at most *width*, the first to stand at *column*, the others inside its bracket."""
    if isinstance(tree, Scalar):
        return [_scalar(source, tree)]
    if isinstance(tree, Mapping):
        brackets = "{}"
        parts = [(f"{_scalar(source, key)}: ", value) for key, value in tree.entries]
    else:
        brackets = "[]"
        parts = [("", item) for item in tree.items]
    inside = " " * (column + 1)
    lines = [brackets[0]]
    for number, (head, value) in enumerate(parts):
        tail = "," if number < len(parts) - 1 else brackets[1]
        whole = _pair_text(head, one_line(source, value))
        used = column if len(lines) == 1 else 0
        gap = "" if lines[-1] in (brackets[0], inside) else " "
        if used + len(lines[-1]) + len(gap) + len(whole) + len(tail) <= width:
            lines[-1] += gap + whole + tail
            continue
        if lines[-1] not in (brackets[0], inside):
            lines.append(inside)
        if len(inside) + len(whole) + len(tail) <= width or isinstance(value, Scalar):
            lines[-1] += whole + tail
            continue
        here = (column if len(lines) == 1 else 0) + len(lines[-1]) + len(head)
        more = several_lines(source, value, here, width)
        lines[-1] += head + more[0]
        lines += more[1:]
        lines[-1] += tail
    if not parts:
        lines[-1] += brackets[1]
    return lines


def _pair_text(head: str, value: str) -> str:
    return head + value if value else head.rstrip()
