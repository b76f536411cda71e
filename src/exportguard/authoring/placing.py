"""Problems of documents (suites, customers, authorizations) as diagnostics, at the key or value that they speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from exportguard.authoring.files import PolicyFile
from exportguard.diagnostics import Diagnostic, Span
from exportguard.errors import InputError, PolicyError
from exportguard.language.parse import Mapping, Sequence, Tree, parse
from exportguard.language.source import PolicySource, Scalar

_PART = r"(?:\.[A-Za-z0-9_-]+|\[\d+\])"
_PATH = re.compile(rf"\${_PART}+")
_INNER = re.compile(r"[a-z_]+\[\d+\](?:\.[a-z_]+|\[\d+\])*")
"""The rest of a path, where a message starts with it."""
_NEXT = re.compile(r"; (?=\$[.\[])")
"""Between the problems of one error that name no file; others stand on a line each."""
_LISTED = re.compile(rf"(?:.*?:(?P<line>\d+):? )?(?P<path>\${_PART}*): (?P<text>.+)")
_PLACE = re.compile(r":(\d+)(?::(\d+))?(?=\D|$)")
_NO_YAML = ("EG103", "EG104", "EG105", "EG106", "EG107", "EG108", "EG109")


@dataclass(frozen=True)
class Document:
    """A YAML file with its tree, as far as it is YAML."""

    file: PolicyFile

    @cached_property
    def source(self) -> PolicySource:
        try:
            text = self.file.path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError:
            text = ""
        return PolicySource(self.file.name, text)

    @cached_property
    def _parsed(self) -> tuple[Tree | None, list[Diagnostic]]:
        try:
            return parse(PolicySource.from_path(self.file.path, self.file.name))
        except PolicyError as error:
            return None, list(error.diagnostics)

    @property
    def not_yaml(self) -> list[Diagnostic]:
        return [problem for problem in self._parsed[1] if problem.code in _NO_YAML]

    def at(self, path: str, message: str) -> Span | None:
        """The stretch that *path* names: the key where the key is wrong, else the value, else what lacks it."""
        tree, key = self._parsed[0], None
        if tree is None or self._parsed[1]:
            return None
        parts = [int(part[1:-1]) if part[0] == "[" else part[1:] for part in re.findall(_PART, path)]
        missing = False
        for part in parts:
            step = _step(tree, part)
            if step is None:
                missing = True
                break
            key, tree = step
        if not missing and key is not None and "is not a key" in message:
            return key.source.span(key.start, key.end)
        if not missing and isinstance(tree, Scalar) and tree.end > tree.start:
            return tree.source.span(tree.start, tree.end)
        if key is None and isinstance(tree, Mapping) and tree.entries:
            key = tree.entries[0][0]
        if key is not None:
            return key.source.span(key.start, key.end)
        return tree.source.span(tree.start, tree.start + 1)

    def scalar(self, *parts: str | int) -> Scalar | None:
        """The text at a path."""
        tree = self._parsed[0]
        for part in parts:
            step = _step(tree, part) if tree is not None else None
            if step is None:
                return None
            tree = step[1]
        return tree if isinstance(tree, Scalar) else None

    def naming(self, text: str) -> Span | None:
        """The first value that is *text*."""
        pending = [self._parsed[0]]
        while pending:
            tree = pending.pop(0)
            if isinstance(tree, Scalar) and tree.text.strip() == text:
                return tree.source.span(tree.start, tree.end)
            if isinstance(tree, Sequence):
                pending += tree.items
            elif isinstance(tree, Mapping):
                pending += [value for _, value in tree.entries]
        return None

    def line(self, line: int, column: int = 0) -> Span:
        texts = self.source.text.splitlines()
        text = texts[line - 1] if 0 < line <= len(texts) else ""
        start = column if 0 < column <= len(text) else len(text) - len(text.lstrip()) + 1
        return Span(self.file.name, line, start, max(1, len(text.rstrip()) - start + 1), text)


def _step(tree: Tree, part: str | int) -> tuple[Scalar | None, Tree] | None:
    if isinstance(part, int):
        found = tree.items[part] if isinstance(tree, Sequence) and part < len(tree.items) else None
        return (None, found) if found is not None else None
    entries = tree.entries if isinstance(tree, Mapping) else []
    return next(((key, value) for key, value in entries if key.text == part), None)


def document_problems(code: str, error: InputError, file: PolicyFile) -> list[Diagnostic]:
    """An error of a document as diagnostics, each where the slip is."""
    document = Document(file)
    if document.not_yaml:
        return [replace(problem, code=code) for problem in document.not_yaml]
    place = error.place or ""
    for spelled in (str(file.path), file.name):
        place = place.replace(spelled, "", 1)
    found: list[Diagnostic] = []
    for at, message in _problems(place, error.message, file):
        span = _span(document, at, message) if file.path.is_file() else None
        path = _PATH.search(at)
        shown = f"{path[0]}: {message}" if path and path[0] not in message else message
        found.append(Diagnostic(code, "error", shown, span, "", error.remedy if not found else None))
    return found


def _problems(place: str, message: str, file: PolicyFile) -> Iterable[tuple[str, str]]:
    """(place, problem) of each problem of one message."""
    heading, *lines = message.split("\n")
    for spelled in (str(file.path), file.name):
        lines = [line.replace(f"{spelled}:", ":", 1) for line in lines]
    listed = [(line, _LISTED.match(line.strip())) for line in lines]
    if not heading.endswith("problems"):
        first, *others = _NEXT.split(heading)
        yield place, first
        for other in others:
            path, _, text = other.partition(": ")
            yield path, text
    for line, told in listed:
        if told is None:
            yield place, line.strip()
        else:
            yield f":{told['line'] or ''} {told['path']}", told["text"]


def _span(document: Document, place: str, message: str) -> Span:
    path = _PATH.search(place) or _PATH.search(message)
    inner = _INNER.match(message)
    exact = document.at(path[0] + (f".{inner[0]}" if inner else ""), message) if path else None
    if exact is not None:
        return exact
    at = _PLACE.match(place)
    if at is None:
        named = re.search(r"`([^`]+)`", message)
        return (document.naming(named[1]) if named else None) or document.line(1)
    return document.line(int(at[1]), int(at[2] or 0))


def in_scope(problem: Diagnostic, scalar: Scalar | None, text: str) -> Diagnostic:
    """A problem of the condition *text* at its place in the document that holds it as *scalar*."""
    span = problem.span
    if span is None or scalar is None or scalar.text.strip() != text.strip():
        return problem
    lead = len(scalar.text) - len(scalar.text.lstrip())
    lines = text.lstrip().split("\n")
    start = lead + sum(len(line) + 1 for line in lines[: span.line - 1]) + span.column - 1
    first, end = scalar.place(start, start + span.length)
    return replace(problem, span=scalar.source.span(first, end))
