"""Policy tests: the cases that stand beside a pack and hold its rules to their word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, Field

from exportguard.documents import as_json, decode, parse_yaml, validate
from exportguard.errors import DocumentError
from exportguard.vocabulary import Decision, Outcome
from exportguard.vocabulary.fact import Frozen, Text

if TYPE_CHECKING:
    from exportguard.guard import Guard


class Expectation(Frozen):
    """What a case expects: the outcome; rules (by id) that match or stay open; fact paths reported missing."""

    outcome: Outcome
    rules: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()
    flags: tuple[Text, ...] = ()


class Case(Frozen):
    """One request or call document and what is expected of it. `as_of` defaults to the suite's."""

    name: Text
    request: dict[str, Any] | None = None
    call: dict[str, Any] | None = None
    customer: Text | None = None
    as_of: AwareDatetime | None = None
    expect: Expectation


class Suite(Frozen):
    """The cases of one pack. `packs` and `customers` name what is loaded beside it (customers relative to the file)."""

    suite: Text
    as_of: AwareDatetime
    customers: Text | None = None
    cases: tuple[Case, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went: `problems` is empty when it holds."""

    case: Case
    decision: Decision | None
    problems: tuple[str, ...]


def load_suite(path: Path) -> Suite:
    """Read a suite. Raises DocumentError naming every problem."""
    try:
        text = decode(path.read_bytes(), str(path))
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", place=str(path)) from error
    data, _ = parse_yaml(text, str(path), scalar=as_json)
    suite = validate(Suite, data, str(path))
    for index, case in enumerate(suite.cases):
        if (case.request is None) == (case.call is None):
            raise DocumentError(
                "give either `request` or `call`", place=f"{path}: $.cases[{index}]", remedy="One of the two, not both."
            )
    return suite


def run_suite(guard: Guard, suite: Suite) -> Iterator[Result]:
    """Judge every case with *guard*; what cannot be judged is a problem of its case."""
    for case in suite.cases:
        document: Mapping[str, Any] = case.request if case.request is not None else case.call or {}
        try:
            decision = guard.check(document, as_of=case.as_of or suite.as_of, customer=case.customer)
        except DocumentError as error:
            yield Result(case, None, (f"the document cannot be read: {error}",))
        else:
            yield Result(case, decision, tuple(_problems(case.expect, decision)))


def _problems(expected: Expectation, got: Decision) -> Iterator[str]:
    rules = {reason.rule for reason in got.reasons}
    if got.outcome is not expected.outcome:
        yield f"expected {expected.outcome}, got {got.outcome} by {', '.join(sorted(rules)) or 'no rule'}"
    for what, wanted, found in (
        ("rule", expected.rules, rules),
        ("missing fact", expected.unknown, {fact.path for fact in got.unknown}),
        ("red flag", expected.flags, set(got.red_flags)),
    ):
        for name in wanted:
            if name not in found:
                yield f"expected the {what} `{name}`; there are: {', '.join(sorted(found)) or 'none'}"
