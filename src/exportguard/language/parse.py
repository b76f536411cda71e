"""YAML as text: every scalar is read as it is written, every place is kept, and what surprises people is refused.

Built on PyYAML's events, so that nothing recurses and nothing is constructed: no aliases, anchors, tags, merge keys,
duplicate keys, tabs for indentation, second documents or directives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from exportguard.diagnostics import Diagnostic
from exportguard.language.source import PolicySource, Scalar
from exportguard.language.yamlproblems import refusal, tag, tag_name

MAX_DEPTH = 24
"""Levels of nesting in a policy document; the format itself needs five."""
MAX_NODES = 100_000

_TAB = re.compile(r"^ *\t[ \t]*(?=[^\s#])", re.MULTILINE)
_NO_SPACE = re.compile(r"^ *([\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000])", re.MULTILINE)
"""What looks like a space at the start of a line and counts as text."""


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


Tree: TypeAlias = "Scalar | Sequence | Mapping"


class _Refused(Exception):
    def __init__(self, problem: Diagnostic) -> None:
        super().__init__(problem.message)
        self.problem = problem


def parse(source: PolicySource) -> tuple[Tree | None, list[Diagnostic]]:
    """The one document of *source*, and every problem found. No tree if it cannot be read to its end."""
    problems = source.refuse_unreadable()
    if problems:
        return None, problems
    problems = _tabs(source)
    if problems:
        return None, problems
    try:
        tree = _build(source, problems)
    except _Refused as refused:
        return None, [*problems, refused.problem]
    if tree is None:
        at = len(source.text) - len(source.text.lstrip())
        return None, [
            source.problem("EG113", f"`{source.name}` holds no policy: the document is empty", at, at + 1, "nothing")
        ]
    return tree, problems


def _tabs(source: PolicySource) -> list[Diagnostic]:
    found = _TAB.search(source.text)
    if found is not None:
        at = source.text.index("\t", found.start())
        return [source.problem("EG104", "a tab cannot indent", at, at + 1, "tab", "indent with spaces")]
    found = _NO_SPACE.search(source.text)
    if found is not None:
        at, what = found.start(1), f"the character U+{ord(found[1]):04X} cannot indent"
        return [source.problem("EG104", what, at, at + 1, "looks like a space", "indent with spaces")]
    return []


def _events(source: PolicySource) -> Iterator[Any]:
    import yaml

    try:
        yield from yaml.parse(source.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _Refused(refusal(source, error)) from None
    except (yaml.YAMLError, ValueError, IndexError, OverflowError, RecursionError) as error:
        raise _Refused(source.problem("EG103", "this is not YAML", 0, 1, type(error).__name__)) from None


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
                raise _Refused(
                    source.problem(
                        "EG107", "a file holds one document", start, start + 3, "a second one starts", "split the file"
                    )
                )
            if event.version or event.tags:
                raise _Refused(source.problem("EG106", "YAML directives are refused", start, end, "directive"))
            continue
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(
                source.problem(
                    "EG106", f"the alias `*{event.anchor}` is refused", start, end, "alias", "write the value out"
                )
            )
        if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            done = stack.pop()
            done.end = end
            keys.pop()
            continue
        if not isinstance(event, yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent):
            continue
        count += 1
        if count > MAX_NODES:
            raise _Refused(
                source.problem("EG109", f"a policy file has at most {MAX_NODES} values", start, end, "too many")
            )
        _refuse_extras(source, event, start, end)
        tree: Tree
        if isinstance(event, yaml.ScalarEvent):
            tree = Scalar(source, _characters(source, event.value, start, end), start, end, event.style)
        elif isinstance(event, yaml.SequenceStartEvent):
            tree = Sequence(source, start, end)
        else:
            tree = Mapping(source, start, end)
        if not stack:
            root = tree
        else:
            _attach(stack[-1], keys, tree, problems)
        if not isinstance(tree, Scalar):
            stack.append(tree)
            keys.append(None)
            if len(stack) > MAX_DEPTH:
                raise _Refused(
                    source.problem(
                        "EG108",
                        f"the document is nested more than {MAX_DEPTH} levels deep",
                        start,
                        start + 1,
                        "one level too many",
                    )
                )
    if isinstance(root, Scalar) and not root.text:
        return None
    return root


def _characters(source: PolicySource, text: str, start: int, end: int) -> str:
    """*text* with the surrogate pairs that JSON writes characters as (`\\ud83d\\ude80`) read as those characters."""
    try:
        return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        what, label = "half of a surrogate pair is no character", "an escape in this text"
        hint = "write the character itself, or both halves"
        raise _Refused(source.problem("EG102", what, start, end, label, hint)) from None


def _refuse_extras(source: PolicySource, event: Any, start: int, end: int) -> None:
    if event.anchor is not None:
        what, hint = f"the anchor `&{event.anchor}` is refused", "write plain values: they are read as text"
        raise _Refused(source.problem("EG106", what, start, max(start + 1, end), "anchor", hint))
    if event.tag is not None:
        raise _Refused(tag(source, f"the tag `{tag_name(event.tag)}` is refused", start, end))


def _attach(parent: Sequence | Mapping, keys: list[Scalar | None], tree: Tree, problems: list[Diagnostic]) -> None:
    if isinstance(parent, Sequence):
        parent.items.append(tree)
        return
    key = keys[-1]
    if key is not None:
        parent.entries.append((key, tree))
        keys[-1] = None
        return
    if not isinstance(tree, Scalar):
        raise _Refused(tree.source.problem("EG103", "a key is plain text", tree.start, tree.start + 1, "not text"))
    if tree.text == "<<":
        raise _Refused(tree.problem("EG106", "merge keys are refused", None, "merge key", "write the values out"))
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
    keys[-1] = tree
