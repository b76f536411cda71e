"""YAML as text: every scalar is read as it is written, every place is kept, and what surprises people is refused.

Built on PyYAML's events, so that nothing recurses and nothing is constructed: no aliases, anchors, tags, merge keys,
duplicate keys, tabs for indentation, second documents or directives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeAlias

from exportguard.diagnostics import Diagnostic
from exportguard.language.source import MOST_TOLD, PolicySource, Scalar
from exportguard.language.yamlproblems import refusal, tag, tag_name

MAX_DEPTH = 24
"""Levels of nesting in a policy document; the format itself needs five."""
MAX_NODES = 100_000

_TAB = re.compile(r"^ *\t[ \t]*(?=[^\s#])", re.MULTILINE)
_NO_SPACE = re.compile(r"^ *([\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000])", re.MULTILINE)
"""What looks like a space at the start of a line and counts as text."""
_BRACES = "text with braces stands between quotes, or in a block after `|`"
_MERGE = "<<"
_MOST_PROBLEMS = 100
"""After which a bomb of aliases is told no further."""
_YAML_TAG = "tag:yaml.org,2002:"
_NO_TREE = frozenset({"EG101", "EG102", "EG104", "EG106", "EG107", "EG113"})
"""What is wrong with a text whose values are not all known."""


@dataclass
class Sequence:
    source: PolicySource
    start: int
    end: int
    items: list[Tree] = field(default_factory=list)


@dataclass
class Mapping:
    source: PolicySource
    start: int
    end: int
    entries: list[tuple[Scalar, Tree]] = field(default_factory=list)
    partial: bool = False
    """Whether further keys may stand where nothing could be read."""


class Hole(Scalar):
    """A value that was refused: it is there, and nothing is known of it. No tree of `parse` has one."""


Tree: TypeAlias = "Scalar | Sequence | Mapping"


class NotRead(Exception):
    """Text that cannot be read past *problem*. `opened` is where the construct starts that it breaks, if one does."""

    def __init__(self, problem: Diagnostic, opened: int | None = None) -> None:
        super().__init__(problem.message)
        self.problem, self.opened = problem, opened


def parse(source: PolicySource) -> tuple[Tree | None, list[Diagnostic]]:
    """The one document of *source*, and every problem found. No tree if it cannot be read to its end."""
    problems: list[Diagnostic] = []
    try:
        tree = read(source, problems)
    except NotRead as refused:
        return None, [*problems, refused.problem]
    return (None if any(problem.code in _NO_TREE for problem in problems) else tree), problems


def read(source: PolicySource, problems: list[Diagnostic]) -> Tree | None:
    """The one document of *source*, as far as it says something; None where nothing of it can be read.

    Raises:
        NotRead: the text breaks off.
    """
    problems += source.refuse_unreadable() or _tabs(source)
    if problems:
        return None
    tree = _build(source, problems)
    if tree is None:
        at = len(source.text) - len(source.text.lstrip())
        problems.append(
            source.problem(
                "EG113",
                f"`{source.name}` holds no policy: the document is empty",
                at,
                at + 1,
                "nothing",
                "start with `policy: name`",
            )
        )
    return tree


def _tabs(source: PolicySource) -> list[Diagnostic]:
    problems = []
    for found in islice(_TAB.finditer(source.text), MOST_TOLD):
        at = source.text.index("\t", found.start())
        problems.append(source.problem("EG104", "a tab cannot indent", at, at + 1, "tab", "indent with spaces"))
    for found in islice(_NO_SPACE.finditer(source.text), MOST_TOLD):
        at, what = found.start(1), f"the character U+{ord(found[1]):04X} cannot indent"
        problems.append(source.problem("EG104", what, at, at + 1, "looks like a space", "indent with spaces"))
    return problems


def _events(source: PolicySource) -> Iterator[Any]:
    import yaml

    try:
        yield from yaml.parse(source.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        opened = error.context_mark.index if error.context_mark is not None else None
        raise NotRead(refusal(source, error), opened) from None
    except (yaml.YAMLError, ValueError, IndexError, OverflowError, RecursionError) as error:
        raise NotRead(source.problem("EG103", "this is not YAML", 0, 1, type(error).__name__)) from None


def _build(source: PolicySource, problems: list[Diagnostic]) -> Tree | None:
    import yaml

    root: Tree | None = None
    stack: list[Sequence | Mapping] = []
    keys: list[Scalar | None] = []
    documents = count = 0
    for event in _events(source):
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                problems.append(
                    source.problem(
                        "EG107", "a file holds one document", start, start + 3, "a second one starts", "split the file"
                    )
                )
                break
            if event.version or event.tags:
                problems.append(
                    source.problem("EG106", "YAML directives are refused", start, end, "directive", "remove it")
                )
            continue
        if isinstance(event, yaml.AliasEvent):
            merged = bool(keys) and keys[-1] is not None and keys[-1].text == _MERGE
            if not merged and len(problems) < _MOST_PROBLEMS:
                told = f"the alias `*{event.anchor}` is refused"
                problems.append(source.problem("EG106", told, start, end, "alias", "write the value out"))
            hole = Hole(source, "", start, end)
            if stack:
                _attach(stack, keys, hole, problems)
            else:
                root = hole
            continue
        if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            done = stack.pop()
            done.end = end
            keys.pop()
            continue
        if not isinstance(event, yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent):
            continue
        count += 1
        if count > MAX_NODES:
            raise NotRead(
                source.problem("EG109", f"a policy file has at most {MAX_NODES} values", start, end, "too many")
            )
        if len(problems) < _MOST_PROBLEMS:
            problems += _extras(source, event, start, end)
        tree: Tree
        if isinstance(event, yaml.ScalarEvent) and event.tag is not None and not event.tag.startswith(_YAML_TAG):
            tree = Hole(source, "", start, end)
        elif isinstance(event, yaml.ScalarEvent):
            tree = Scalar(source, _characters(source, event.value, start, end), start, end, event.style)
        elif isinstance(event, yaml.SequenceStartEvent):
            tree = Sequence(source, start, end)
        else:
            tree = Mapping(source, start, end)
        if not stack:
            root = tree
        else:
            _attach(stack, keys, tree, problems)
        if isinstance(tree, Sequence | Mapping):
            stack.append(tree)
            keys.append(None)
            if len(stack) > MAX_DEPTH:
                raise NotRead(
                    source.problem(
                        "EG108",
                        f"the document is nested more than {MAX_DEPTH} levels deep",
                        start,
                        start + 1,
                        "one level too many",
                        "a policy is a list of rules with keys: take levels out",
                    )
                )
    if isinstance(root, Scalar) and not root.text and not isinstance(root, Hole):
        return None
    return root


def _characters(source: PolicySource, text: str, start: int, end: int) -> str:
    """*text* with the surrogate pairs that JSON writes characters as (`\\ud83d\\ude80`) read as those characters."""
    try:
        return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        what, label = "half of a surrogate pair is no character", "an escape in this text"
        hint = "write the character itself, or both halves"
        raise NotRead(source.problem("EG102", what, start, end, label, hint)) from None


def _extras(source: PolicySource, event: Any, start: int, end: int) -> Iterator[Diagnostic]:
    if event.anchor is not None:
        what, hint = f"the anchor `&{event.anchor}` is refused", "write plain values: they are read as text"
        stop = start + 1 + len(event.anchor) if source.text.startswith(f"&{event.anchor}", start) else end
        yield source.problem("EG106", what, start, max(start + 1, stop), "anchor", hint)
    if event.tag is not None:
        yield tag(source, f"the tag `{tag_name(event.tag)}` is refused", start, end)


def _attach(stack: list[Sequence | Mapping], keys: list[Scalar | None], tree: Tree, problems: list[Diagnostic]) -> None:
    parent, key = stack[-1], keys[-1]
    if isinstance(parent, Sequence):
        # A refused entry is told already: nothing else is to be said of it.
        if not isinstance(tree, Hole):
            parent.items.append(tree)
        return
    if key is not None:
        if key.text == _MERGE:
            parent.partial = True
        else:
            parent.entries.append((key, tree))
        keys[-1] = None
        return
    if not isinstance(tree, Scalar):
        raise NotRead(
            tree.source.problem("EG103", "a key is plain text", tree.start, tree.start + 1, "not text", _BRACES)
        )
    keys[-1] = tree
    if tree.text == _MERGE:
        problems.append(tree.problem("EG106", "merge keys are refused", None, "merge key", "write the values out"))
        return
    for earlier, _ in parent.entries:
        if earlier.text == tree.text:
            line = tree.source.line_column(earlier.start)[0]
            problems.append(
                tree.problem(
                    "EG105",
                    f"the key `{tree.text}` is here twice",
                    None,
                    f"first given in line {line}",
                    "keep one of them",
                )
            )
            break
