"""The outline of a YAML document: its block entries, and to which of them each comment and blank line belongs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from exportguard.language.parse import Mapping, Sequence, Tree
from exportguard.language.source import PolicySource, Scalar

_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)


@dataclass
class Comment:
    """`column` counts from 0. `own_line`: nothing but space stands before it on its line."""

    text: str
    start: int
    column: int
    own_line: bool
    blank_before: bool


@dataclass
class Entry:
    """A line of its own in a block: a key with its value, or an item after a dash (`key` is None)."""

    key: Scalar | None
    value: Tree
    start: int
    column: int
    blank_before: bool = False
    blank_between: bool = False
    """A blank line between the comments before it and the entry itself."""
    entries: list[Entry] = field(default_factory=list)
    leading: list[Comment] = field(default_factory=list)
    trailing: list[Comment] = field(default_factory=list)
    footer: list[Comment] = field(default_factory=list)
    verbatim: bool = False
    """A collection in brackets with comments inside: its lines are kept."""


@dataclass
class Outline:
    entries: list[Entry]
    head: list[Comment]
    """Comments before the document marker, or those at the very top."""
    tail: list[Comment]
    marker: bool
    comments: list[Comment]


def is_block(source: PolicySource, tree: Tree) -> bool:
    return not isinstance(tree, Scalar) and source.text[tree.start : tree.start + 1] not in ("[", "{")


def outline(source: PolicySource, tree: Tree) -> Outline:
    """The outline of the one document of *source*, whose line breaks are `\\n`."""
    text = source.text
    entries = _entries(source, tree)
    flat: list[Entry] = []
    _flatten(entries, flat)
    marker = re.search(r"^---(?=\s|$)", text[: tree.start], re.MULTILINE)
    comments = _comments(source, tree)
    head: list[Comment] = []
    tail: list[Comment] = []
    for comment in comments:
        if marker is not None and comment.start < tree.start:
            head.append(comment)
            continue
        _place(comment, comments, flat, tail)
    for entry in flat:
        first = min([entry.start, *(comment.start for comment in entry.leading)])
        entry.blank_before = _blank_before(text, first)
        entry.blank_between = bool(entry.leading) and _blank_before(text, entry.start)
        if entry.leading:
            entry.leading[0].blank_before = entry.blank_before
    if flat and not head:
        _split_head(flat[0], head)
    return Outline(entries, head, tail, marker is not None, comments)


def _split_head(first: Entry, head: list[Comment]) -> None:
    """The comments at the top stay at the top, whatever comes first after keys were put in order.

    A last group of several, set apart by a blank line, belongs to the first key.
    """
    groups = [number for number, comment in enumerate(first.leading) if comment.blank_before]
    split = groups[-1] if groups and groups[-1] > 0 and not first.blank_between else len(first.leading)
    head.extend(first.leading[:split])
    first.leading = first.leading[split:]
    first.blank_before = first.leading[0].blank_before if first.leading else first.blank_between


def _entries(source: PolicySource, tree: Tree) -> list[Entry]:
    if not is_block(source, tree):
        return []
    made: list[Entry] = []
    if isinstance(tree, Mapping):
        for key, value in tree.entries:
            column = source.line_column(key.start)[1] - 1
            made.append(Entry(key, value, key.start, column, entries=_entries(source, value)))
    elif isinstance(tree, Sequence):
        for item in tree.items:
            dash = _dash(source.text, item.start)
            made.append(Entry(None, item, dash, source.line_column(dash)[1] - 1, entries=_entries(source, item)))
    return made


def _dash(text: str, item: int) -> int:
    """Where the dash of an item stands: the last one before it that is no part of a comment."""
    at = item
    while at > 0:
        at = text.rfind("-", 0, at)
        if at < 0:
            return item
        line = text.rfind("\n", 0, at) + 1
        if not text[line:at].strip(" -"):
            return at
    return item


def _flatten(entries: list[Entry], flat: list[Entry]) -> None:
    for entry in entries:
        flat.append(entry)
        _flatten(entry.entries, flat)


def _comments(source: PolicySource, tree: Tree) -> list[Comment]:
    """Every comment: what stands outside all scalars after a `#`, and on the header lines of block scalars."""
    text = source.text
    spans: list[tuple[int, int]] = []
    _spans(source, tree, spans)
    spans.sort()
    found: list[Comment] = []
    at = 0
    for start, end in [*spans, (len(text), len(text))]:
        for match in _COMMENT.finditer(text, at, start):
            line = text.rfind("\n", 0, match.start()) + 1
            found.append(
                Comment(
                    match.group().rstrip(),
                    match.start(),
                    match.start() - line,
                    not text[line : match.start()].strip(),
                    _blank_before(text, match.start()),
                )
            )
        at = max(at, end)
    return found


def _spans(source: PolicySource, tree: Tree, spans: list[tuple[int, int]]) -> None:
    if isinstance(tree, Scalar):
        if tree.style in ("|", ">"):
            body = source.text.find("\n", tree.start, tree.end)
            if body >= 0:
                spans.append((body, max(tree.end, body)))
        elif tree.end > tree.start:
            spans.append((tree.start, tree.end))
        return
    if isinstance(tree, Mapping):
        for key, value in tree.entries:
            _spans(source, key, spans)
            _spans(source, value, spans)
        return
    for item in tree.items:
        _spans(source, item, spans)


def _blank_before(text: str, at: int) -> bool:
    line = text.rfind("\n", 0, at)
    if line < 0 or text[line + 1 : at].strip(" -"):
        return False
    earlier = text.rfind("\n", 0, line)
    return not text[earlier + 1 : line].strip() if line > 0 else False


def _place(comment: Comment, comments: list[Comment], flat: list[Entry], tail: list[Comment]) -> None:
    inside = next((e for e in flat if not e.entries and _within(comment, e)), None)
    if inside is not None:
        inside.verbatim = True
        return
    before = [entry for entry in flat if entry.start < comment.start]
    after = next((entry for entry in flat if entry.start > comment.start), None)
    if not comment.own_line:
        (before[-1].trailing if before else tail).append(comment)
        return
    if after is not None and (comment.column <= after.column or not before):
        after.leading.append(comment)
        return
    holders = [entry for entry in before if entry.column <= comment.column]
    if not holders:
        tail.append(comment)
        return
    if after is None and comment.column == 0:
        tail.append(comment)
        return
    # The innermost open block that starts no further right: its last entry.
    holder = max(holders, key=lambda entry: entry.start)
    holder.footer.append(comment)


def _within(comment: Comment, entry: Entry) -> bool:
    value = entry.value
    return not isinstance(value, Scalar) and value.start < comment.start < value.end
