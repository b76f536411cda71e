"""A policy file that breaks off somewhere, read past the rule that breaks it: every problem of a load at once.

The rule in which the YAML goes wrong is taken out, as blanks of the same length, and the rest is read again. Where a
slip reaches further than one rule (a quote that another rule's quote closes), what follows from it cannot be told
from what else is wrong, and the slip alone is reported.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace

from exportguard.diagnostics import Diagnostic
from exportguard.language.parse import Mapping, NotRead, Tree, read
from exportguard.language.source import PolicySource

_MOST_BREAKS = 10
"""Times that a file is read again; one with more breaks is no YAML at all."""
_RULES = re.compile(r"^rules:[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
_ITEM = re.compile(r"^( *)- ", re.MULTILINE)
_TOP = re.compile(r"^([A-Za-z_][\w-]*)[ \t]*:", re.MULTILINE)
_FOLLOWING = re.compile(r"^[^\s#-]", re.MULTILINE)
_NOT_SPARED = ("rules", "variables")
"""Keys that others lean on."""


def read_past(source: PolicySource) -> tuple[Tree | None, list[Diagnostic]]:
    """The document of *source* without what breaks it, and every problem found."""
    found: list[Diagnostic] = []
    text = source.text
    headless = False
    for _ in range(_MOST_BREAKS):
        problems: list[Diagnostic] = []
        plain = source if text is source.text else PolicySource(source.name, text)
        tree: Tree | None = None
        try:
            tree = read(plain, problems)
            broken = [NotRead(each) for each in problems if each.code == "EG104"]
        except NotRead as error:
            broken = [error]
            problems.append(error.problem)
        found += problems
        if not broken:
            if found and text is not source.text and not _rules(text)[0]:
                tree = None
            if headless and isinstance(tree, Mapping):
                tree.partial = True
            return tree, _shown(found, source)
        for each in broken:
            where = _to_take_out(plain, each)
            if where is None:
                return None, _shown(found, source)
            headless = headless or not _within_rules(plain.text, where[0])
            text = text[: where[0]] + re.sub(r"[^\r\n]", " ", text[where[0] : where[1]]) + text[where[1] :]
    return None, _shown(found, source)


def as_written(problems: list[Diagnostic], source: PolicySource) -> list[Diagnostic]:
    """*problems* with the lines that *source* really has."""
    return [
        replace(each, span=replace(each.span, text=source.line_text(each.span.line)))
        if each.span is not None and each.span.file == source.name
        else each
        for each in problems
    ]


def _shown(problems: list[Diagnostic], source: PolicySource) -> list[Diagnostic]:
    return list(dict.fromkeys(as_written(problems, source)))


def _rules(text: str) -> tuple[list[int], int]:
    """Where the entries of `rules` start, each on a line of its own, and where the last one ends."""
    head = _RULES.search(text)
    first = _ITEM.search(text, head.end()) if head is not None else None
    if head is None or first is None:
        return [], len(text)
    following = _FOLLOWING.search(text, first.start())
    end = following.start() if following is not None and first[1] else len(text)
    if not first[1]:
        following = _TOP.search(text, first.start())
        end = following.start() if following is not None else len(text)
    return [each.start() for each in _ITEM.finditer(text, first.start(), end) if each[1] == first[1]], end


def _within_rules(text: str, at: int) -> bool:
    starts, end = _rules(text)
    return bool(starts) and starts[0] <= at < end


def _to_take_out(source: PolicySource, broken: NotRead) -> tuple[int, int] | None:
    """The stretch that holds all of what is broken, if one rule or one key of the head does."""
    text, span = source.text, broken.problem.span
    if span is None or broken.problem.code not in ("EG103", "EG104", "EG106", "EG107"):
        return None
    at = source.offset(span.line, span.column)
    starts, end = _rules(text)
    if not starts or at >= end:
        return None
    if at < starts[0]:
        return _key_of_head(text, at, starts[0])
    index = bisect_right(starts, at) - 1
    stretch = starts[index], starts[index + 1] if index + 1 < len(starts) else end
    dash = text.index("-", starts[index])
    opened = broken.opened
    # A list or document that goes on is no sign of where the slip began; anything else that opened before this rule is.
    listed = opened is not None and (opened == text.index("-", starts[0]) or opened < starts[0])
    if at <= dash or (opened is not None and opened < stretch[0] and not listed):
        return None
    return stretch


def _key_of_head(text: str, at: int, stop: int) -> tuple[int, int] | None:
    keys = [each for each in _TOP.finditer(text, 0, stop) if each.start() <= at]
    if not keys or keys[-1][1] in _NOT_SPARED:
        return None
    following = next((each.start() for each in _TOP.finditer(text, at + 1, stop)), stop)
    return keys[-1].start(), following
