"""Every problem and warning of a policy folder at once: policies, suites, customers, authorizations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from exportguard.authoring.files import Kind, PolicyFile
from exportguard.authoring.placing import Document, document_problems, in_scope
from exportguard.authoring.suite import Suite, expanded, read_case, read_suite
from exportguard.authoring.warnings import RulePlaces, warnings_of
from exportguard.authoring.wordlists import WordLists
from exportguard.diagnostics import Diagnostic, Span
from exportguard.errors import DocumentError, InputError, PolicyError
from exportguard.language import CompiledPolicySet, PolicySource, compile_scope, load_policies

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in the order file, line, column, and how many files were looked at."""

    problems: tuple[Diagnostic, ...]
    files: int

    @property
    def errors(self) -> int:
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors


def lint(
    files: Sequence[PolicyFile],
    reference: ReferenceData,
    *,
    as_of: datetime,
    sources: Sequence[PolicySource] = (),
    overlooked: Sequence[PolicyFile] = (),
    tell: Callable[[PolicyFile], None] = lambda file: None,
) -> Report:
    """Check *files*, and further policy *sources* beside them.

    Args:
        as_of: the day for which a rule is or is not out of date.
        overlooked: files that read like policies and are not read.
        tell: called with each file before it is read.
    """
    problems: list[Diagnostic] = []
    policies: list[PolicySource] = list(sources)
    for file in files:
        if file.kind is not Kind.POLICY:
            continue
        tell(file)
        try:
            policies.append(PolicySource.from_path(file.path, file.name))
        except PolicyError as error:
            problems += error.diagnostics
    loaded, found = _load(policies, reference)
    problems += found
    places = RulePlaces(policies)
    words = WordLists(reference)
    for one in loaded:
        problems += warnings_of(one, places, as_of, words)
    known = {f"{rule.policy}/{rule.id}" for one in loaded for rule in one.rules}
    broken = any(problem.severity == "error" for problem in problems)
    for file in files:
        reader = _READERS.get(file.kind)
        if reader is not None:
            tell(file)
            problems += reader(file, reference, set() if broken else known)
    names = {file.name for file in files} | {source.name for source in sources}
    problems += map(_not_read, overlooked)
    distinct = dict.fromkeys(_placed(problem, names) for problem in problems)
    return Report(tuple(sorted(distinct, key=_order)), len(files) + len(sources))


def _not_read(file: PolicyFile) -> Diagnostic:
    span = Document(file).line(1)
    hint = "let its name end in `.yaml`, or keep it elsewhere"
    return Diagnostic("EG416", "warning", f"`{file.name}` reads like a policy and is not read", span, "", hint)


def _placed(problem: Diagnostic, names: set[str]) -> Diagnostic:
    """A problem of a file as a whole (unreadable, empty) stands at its start, so that every report can show it."""
    if problem.span is not None:
        return problem
    named = next((part for part in problem.message.split("`") if part in names), None)
    return replace(problem, span=Span(named, 1, 1, 1, "")) if named is not None else problem


def lint_text(text: str, name: str, reference: ReferenceData, *, as_of: datetime) -> Report:
    """Check one policy text, as an editor or standard input gives it."""
    return lint((), reference, as_of=as_of, sources=[PolicySource(name, text)])


def _order(problem: Diagnostic) -> tuple[str, int, int, str, str]:
    span = problem.span
    where = (span.file, span.line, span.column) if span else ("", 0, 0)
    return (*where, problem.code, problem.message)


def _load(
    sources: Sequence[PolicySource], reference: ReferenceData
) -> tuple[list[CompiledPolicySet], list[Diagnostic]]:
    """The policies that load, together where all do, else each by itself; and every problem."""
    if not sources:
        return [], []
    try:
        whole = load_policies(sources, reference)
    except PolicyError as error:
        problems = list(error.diagnostics)
    else:
        return [whole], list(whole.warnings)
    sets: list[CompiledPolicySet] = []
    for source in sources:
        try:
            one = load_policies([source], reference)
        except PolicyError:
            continue
        sets.append(one)
        problems += one.warnings
    return sets, problems


def _suite(file: PolicyFile, reference: ReferenceData, known: set[str]) -> Iterable[Diagnostic]:
    try:
        read = read_suite(file.path, file.name)
    except InputError as error:
        return document_problems("EG501", error, file)
    lines = dict(read.lines)
    unread = [problem for index in range(len(read.suite.cases)) for problem in _unread(read.suite, index, file, lines)]
    return [*unread, *_unknown_rules(read.suite, file, known, lines)] if known else unread


_ROOT = re.compile(r"\$(?=[.\[])")
"""Where a path starts, in a message about a document."""


def _unread(suite: Suite, index: int, file: PolicyFile, lines: dict[int, int]) -> Iterable[Diagnostic]:
    """Problems of the request or call that a case asks about: such a case fails, whatever it expects."""
    found: dict[str, Diagnostic] = {}
    for case in expanded(suite, index):
        try:
            read_case(case)
        except InputError as error:
            inside = f"$.cases[{index}].{'request' if case.request is not None else 'call'}"
            message, place = (_ROOT.sub(inside, text) for text in (error.message, error.place or ""))
            told = DocumentError(message, place=place.removeprefix("request: "), remedy=error.remedy)
            for problem in document_problems("EG501", told, file):
                span = problem.span if "$" in place else Document(file).line(lines[index])
                found.setdefault(problem.message, replace(problem, span=span))
    return found.values()


def _unknown_rules(suite: Suite, file: PolicyFile, known: set[str], lines: dict[int, int]) -> list[Diagnostic]:
    from difflib import get_close_matches

    if suite.packs or suite.policies:
        return []  # its rules are elsewhere; `exportguard test` loads them
    document = Document(file)
    names = known | {name.partition("/")[2] for name in known}
    found = []
    for index in range(len(suite.cases)):
        wanted = {name for case in expanded(suite, index) for name in (*case.expect.rules, *case.expect.not_rules)}
        for name in sorted(wanted - names):
            near = get_close_matches(name, sorted(names), n=1)
            found.append(
                Diagnostic(
                    "EG504",
                    "error",
                    f"there is no rule `{name}`",
                    _expected(document, index, name) or document.line(lines[index]),
                    "this case expects it",
                    f"did you mean `{near[0]}`?" if near else None,
                )
            )
    return found


def _expected(document: Document, case: int, rule: str) -> Span | None:
    """Where a case names a rule that it expects, or expects not."""
    for key in ("rules", "not_rules"):
        position = 0
        while (named := document.scalar("cases", case, "expect", key, position)) is not None:
            if named.text == rule:
                return named.source.span(named.start, named.end)
            position += 1
    return None


def _customers(file: PolicyFile, reference: ReferenceData, known: set[str]) -> Iterable[Diagnostic]:
    from exportguard.parties import load_directory

    try:
        load_directory(file.path)
    except InputError as error:
        return document_problems("EG502", error, file)
    return []


def _authorizations(file: PolicyFile, reference: ReferenceData, known: set[str]) -> Iterable[Diagnostic]:
    from exportguard.authority import load_authorizations

    try:
        entries = load_authorizations(file.path)
    except InputError as error:
        return document_problems("EG503", error, file)
    found: list[Diagnostic] = []
    document = Document(file)
    for index, entry in enumerate(entries):
        problems: list[Diagnostic] = []
        note = f"the scope of `{entry.id}`"
        try:
            compile_scope(entry.scope, reference, name=f"{file.name} ({entry.id})", warnings=problems)
        except PolicyError as error:
            problems, note = list(error.diagnostics), f"{note}: nothing was loaded"
        if problems:
            scalar = document.scalar("authorizations", index, "scope")
            found += [replace(in_scope(problem, scalar, entry.scope), notes=(note,)) for problem in problems]
    return found


def _properties(file: PolicyFile, reference: ReferenceData, known: set[str]) -> Iterable[Diagnostic]:
    """Claims about the policies beside them: whether they can be read, not whether they hold (`exportguard prove`)."""
    from exportguard.authoring.prove import jobs

    if not known:
        return []
    try:
        jobs([file.path])
    except PolicyError as error:
        return [_named(problem, file) for problem in error.diagnostics]
    except InputError as error:
        return document_problems("EG505", error, file)
    return []


def _named(problem: Diagnostic, file: PolicyFile) -> Diagnostic:
    """A problem that calls the file by its path, by the name that it has in the report."""
    path, span = str(file.path), problem.span
    if span is not None and span.file == path:
        span = replace(span, file=file.name)
    return replace(problem, span=span, message=problem.message.replace(path, file.name))


_READERS: dict[Kind, Callable[[PolicyFile, ReferenceData, set[str]], Iterable[Diagnostic]]] = {
    Kind.SUITE: _suite,
    Kind.CUSTOMERS: _customers,
    Kind.AUTHORIZATIONS: _authorizations,
    Kind.PROPERTIES: _properties,
}
