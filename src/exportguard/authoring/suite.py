"""Policy tests: the cases that stand beside a pack and hold its rules to their word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, WithJsonSchema

from exportguard.authoring.matrix import expansions
from exportguard.documents import as_json, decode, parse_yaml, validate
from exportguard.errors import DocumentError, InputError
from exportguard.vocabulary import Decision, Outcome, ProvisioningRequest
from exportguard.vocabulary.fact import Amount, Count, Frozen, Text
from exportguard.vocabulary.hiding import fact_paths, hide
from exportguard.vocabulary.questions import UsageQuestion, UsageReading

if TYPE_CHECKING:
    from datetime import datetime

    from exportguard.guard import Guard

Placeholder = Annotated[str, StringConstraints(pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$")]
"""`${name}`: a value of the matrix or a fixture, put in when the case is expanded."""


def _first_instant(value: Any) -> Any:
    return f"{value}T00:00:00Z" if isinstance(value, str) and len(value) == len("2024-05-01") else value


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_first_instant),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([Tt ].+)?$"}),
]
"""An instant with a timezone; a bare date is its first instant, UTC."""


class Expectation(Frozen):
    """What a case expects: the outcome; rules (by id) that match or stay open; fact paths reported missing.

    `rules`: `rule` or `policy/rule`, each of them among the reasons; `not_rules`: none of them. `only: true`: no
    other rule than those of `rules`. `lifted`: rules that an authorization lifted.
    """

    outcome: Outcome | Placeholder
    rules: tuple[Text, ...] = ()
    not_rules: tuple[Text, ...] = ()
    only: bool = False
    unknown: tuple[Text, ...] = ()
    flags: tuple[Text, ...] = ()
    lifted: tuple[Text, ...] = ()


class Used(Frozen):
    """What was used before this call, over whatever a rule's `per` says."""

    tokens: Count = 0
    accelerators: Count | Amount = 0
    tpp: Count | Amount = 0


class Case(Frozen):
    """One request or call document and what is expected of it. `as_of` defaults to the suite's.

    `matrix` makes a case of every combination of its values, `rows` one of every row; `${name}` puts a value in
    wherever it stands. `hide` takes facts of the request away (`parties[0].headquarters`).
    """

    name: Text
    note: Text | None = None
    request: dict[str, Any] | Placeholder | None = None
    call: dict[str, Any] | Placeholder | None = None
    customer: Text | None = None
    as_of: Instant | Placeholder | None = None
    usage: Used | None = None
    hide: tuple[Text, ...] = ()
    matrix: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()
    expect: Expectation


class Suite(Frozen):
    """The cases of one pack, and what is loaded for them; paths are relative to the file.

    `policies`: other policies than those of the suite's own folder. `packs`: shipped packs beside them. `lists`:
    `shipped` screens names against the shipped list; left out, nobody is screened. `fixtures`: values for `${name}`.
    """

    suite: Text
    as_of: Instant
    policies: tuple[Text, ...] = ()
    packs: tuple[Text, ...] = ()
    customers: Text | None = None
    authorizations: Text | None = None
    lists: Literal["shipped"] | None = None
    fixtures: dict[str, Any] = Field(default_factory=dict)
    cases: tuple[Case, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a case expected otherwise: `what` it is, in words, and both sides."""

    what: str
    expected: str
    got: str

    def __str__(self) -> str:
        if self.what == "outcome":
            return f"expected {self.expected}, got {self.got}"
        return f"expected {self.what} `{self.expected}`; {self.got}"


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went: `problems` is empty when it holds. `line` is where the case starts, where that is known."""

    case: Case
    decision: Decision | None
    differences: tuple[Difference, ...] = ()
    error: str | None = None
    line: int | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        told = tuple(str(each) for each in self.differences)
        return (self.error, *told) if self.error is not None else told


@dataclass(frozen=True, slots=True)
class SuiteText:
    """A suite as read, and the line of each of its cases."""

    suite: Suite
    path: Path
    lines: Mapping[int, int] = field(default_factory=dict)


def load_suite(path: Path) -> Suite:
    """Read a suite. Raises DocumentError naming every problem."""
    return read_suite(path).suite


def read_suite(path: Path, name: str | None = None) -> SuiteText:
    """As `load_suite`, with places. *name* is what messages call the file."""
    place = name or str(path)
    try:
        text = decode(path.read_bytes(), place)
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", place=place) from error
    data, lines = parse_yaml(text, place, scalar=as_json)
    suite = validate(Suite, data, place)
    for index, case in enumerate(suite.cases):
        if (case.request is None) == (case.call is None):
            raise DocumentError(
                "give either `request` or `call`",
                place=f"{place}: $.cases[{index}]",
                remedy="One of the two, not both.",
            )
        for number, _ in enumerate(expanded(suite, index, data, place)):
            del number
    return SuiteText(suite, path, {i: lines[("cases", i)] for i in range(len(suite.cases))})


def expanded(suite: Suite, index: int, data: Any = None, place: str = "suite") -> Iterator[Case]:
    """The cases that `cases[index]` stands for, placeholders put in. Raises DocumentError for one that is nothing."""
    case = suite.cases[index]
    here = f"{place}: $.cases[{index}]"
    raw = data["cases"][index] if data is not None else case.model_dump(mode="json", exclude_unset=True)
    plain = {key: value for key, value in raw.items() if key not in ("matrix", "rows")}
    for label, made in expansions(plain, case.matrix, case.rows, suite.fixtures, here):
        if label:
            made = {**made, "name": f"{case.name} [{label}]"[:2000]}
        yield validate(Case, made, here)


def run_suite(guard: Guard, suite: Suite, lines: Mapping[int, int] | None = None) -> Iterator[Result]:
    """Judge every case with *guard*; what cannot be judged is an error of its case."""
    for index in range(len(suite.cases)):
        line = lines.get(index) if lines is not None else None
        for case in expanded(suite, index):
            yield run_case(guard, case, suite.as_of, line)


def run_case(guard: Guard, case: Case, as_of: datetime, line: int | None = None) -> Result:
    """Judge one case. Nothing is sent, reserved or recorded."""
    from exportguard.guard import Guard as Judge

    if case.usage is not None:
        used = UsageReading(case.usage.tokens, case.usage.accelerators, case.usage.tpp)
        guard = Judge(guard._state, log=None, ledger=_Used(used), clock=guard._clock)  # type: ignore[arg-type]
    try:
        document = _document(case)
        instant = case.as_of if case.as_of is not None and not isinstance(case.as_of, str) else as_of
        decision = guard.check(document, as_of=instant, customer=case.customer)
    except InputError as error:
        return Result(case, None, error=f"the document cannot be read: {error}", line=line)
    return Result(case, decision, tuple(_differences(case.expect, decision)), line=line)


def read_case(case: Case) -> None:
    """Read what *case* asks about, and judge nothing. Raises InputError as `run_case` tells it."""
    from exportguard.judging import read_document

    document = _document(case)
    if isinstance(document, Mapping):
        read_document(document, "request")


def _document(case: Case) -> Any:
    document = case.request if case.request is not None else case.call
    if not case.hide:
        return document
    if case.request is None:
        raise DocumentError("`hide` takes facts of a `request` away", remedy="A call document has no facts yet.")
    request = validate(ProvisioningRequest, document, "request")
    known = fact_paths(request)
    for path in case.hide:
        if path not in known:
            raise DocumentError(f"`{path}` is no known fact of the request", remedy=f"There are: {', '.join(known)}.")
    return hide(request, case.hide)


@dataclass(frozen=True, slots=True)
class _Used:
    """A ledger that says the same of everybody, and reserves nothing."""

    reading: UsageReading

    def read(self, asked: list[tuple[UsageQuestion, str]], as_of: datetime) -> dict[Any, UsageReading]:
        return dict.fromkeys(asked, self.reading)

    def approvals(self, fingerprint: str) -> tuple[()]:
        return ()


def _differences(expected: Expectation, got: Decision) -> Iterator[Difference]:
    rules = {reason.rule for reason in got.reasons}
    full = {f"{reason.policy}/{reason.rule}" for reason in got.reasons}
    if got.outcome is not expected.outcome:
        by = ", ".join(sorted(rules)) or "no rule"
        yield Difference("outcome", str(expected.outcome), f"{got.outcome} by {by}")
    for what, wanted, found in (
        ("the rule", expected.rules, rules | full),
        ("the missing fact", expected.unknown, {fact.path for fact in got.unknown}),
        ("the red flag", expected.flags, set(got.red_flags)),
        ("the lifted rule", expected.lifted, {lifted.rule for lifted in got.lifted}),
    ):
        shown = rules if found >= full and what == "the rule" else found
        for name in wanted:
            if name not in found:
                yield Difference(what, name, f"there are: {', '.join(sorted(shown)) or 'none'}")
    for name in expected.not_rules:
        if name in rules | full:
            yield Difference("no rule", name, "it is among the reasons")
    if expected.only:
        named = set(expected.rules)
        for reason in sorted(full):
            if reason not in named and reason.partition("/")[2] not in named:
                yield Difference("only the rules", ", ".join(expected.rules) or "none", f"`{reason}` is another")
