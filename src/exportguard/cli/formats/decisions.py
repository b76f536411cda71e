"""Decisions for CI systems: a test report, each request a case and a refusal its failure; findings for review."""

from __future__ import annotations

import re
from collections.abc import Sequence

from exportguard.cli.formats.junit import JunitCase, junit
from exportguard.cli.formats.sarif import Found, Place, sarif, workflow_commands
from exportguard.cli.inputs import Answer
from exportguard.vocabulary import Decision, Outcome

_LINE = re.compile(r"\A(.*?):(\d+)\Z")


def _name(number: int, answer: Answer) -> str:
    return str(answer.entry.id) if answer.entry.id is not None else f"request {number}"


def _place(answer: Answer) -> Place:
    found = _LINE.match(answer.entry.place)
    return Place(found[1], int(found[2])) if found else Place(answer.entry.place.partition("[")[0])


def _told(decision: Decision) -> str:
    lines = [f"{decision.outcome} as of {decision.as_of:%Y-%m-%d}: {decision.summary}"]
    for reason in decision.reasons:
        cites = f" ({'; '.join(reason.cites)})" if reason.cites else ""
        lines.append(f"{reason.effect} {reason.policy}/{reason.rule}: {reason.message}{cites}")
    lines += [f"missing {fact.path}: {fact.why}; {fact.how}" for fact in decision.unknown]
    return "\n".join(lines)


def as_junit(answers: Sequence[Answer]) -> str:
    """A refused request is a failure, one that cannot be read an error."""
    cases = []
    for number, answer in enumerate(answers, 1):
        place = _place(answer)
        error = str(answer.error) if answer.error is not None else None
        refused = answer.decision is not None and not answer.decision.allowed
        failure = _told(answer.decision) if answer.decision is not None and refused else None
        cases.append(JunitCase(_name(number, answer), place.file, place.line or None, failure=failure, error=error))
    return junit([("check", cases)])


def _found(answers: Sequence[Answer]) -> tuple[list[Found], dict[str, str]]:
    found: list[Found] = []
    rules: dict[str, str] = {}
    for number, answer in enumerate(answers, 1):
        place, name = _place(answer), _name(number, answer)
        if answer.error is not None:
            found.append(Found("unreadable", "error", f"{name}: {answer.error}", place))
            rules["unreadable"] = "The document cannot be read."
        decision = answer.decision
        if decision is None or decision.allowed:
            continue
        level = "error" if decision.outcome is Outcome.DENY else "warning"
        for reason in decision.reasons:
            rule = f"{reason.policy}/{reason.rule}"
            rules.setdefault(rule, f"{reason.basis}: {'; '.join(reason.cites) or rule}")
            found.append(Found(rule, level, f"{name}: {reason.message}", place, reason.remedy))
    return found, rules


def as_sarif(answers: Sequence[Answer]) -> str:
    found, rules = _found(answers)
    return sarif(found, rules)


def as_annotations(answers: Sequence[Answer]) -> str:
    return workflow_commands(_found(answers)[0])
