"""JUnit XML, as CI systems read it: suites of cases, each passed, failed or in error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class JunitCase:
    """One case. `failure`: it ran and did not hold; `error`: it could not run. Both None: it passed."""

    name: str
    file: str
    line: int | None = None
    seconds: float = 0.0
    failure: str | None = None
    error: str | None = None


def junit(suites: Sequence[tuple[str, Sequence[JunitCase]]]) -> str:
    """The report of *suites*, each a name and its cases."""
    every = [case for _, cases in suites for case in cases]
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<testsuites name={_attr('exportguard')} {_counts(every)}>"]
    for name, cases in suites:
        lines.append(f"  <testsuite name={_attr(name)} {_counts(cases)}>")
        for case in cases:
            where = f" file={_attr(case.file)}" + (f' line="{case.line}"' if case.line else "")
            head = f"    <testcase classname={_attr(name)} name={_attr(case.name)}{where} time={_time(case.seconds)}"
            told = case.failure if case.failure is not None else case.error
            if told is None:
                lines.append(f"{head}/>")
                continue
            kind = "failure" if case.failure is not None else "error"
            first = told.strip().partition("\n")[0]
            lines.append(f"{head}>")
            lines.append(f"      <{kind} message={_attr(first)}>{escape(_clean(told))}</{kind}>")
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines)


def _counts(cases: Sequence[JunitCase]) -> str:
    failures = sum(case.failure is not None for case in cases)
    errors = sum(case.failure is None and case.error is not None for case in cases)
    total = sum(case.seconds for case in cases)
    return f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="0" time={_time(total)}'


def _time(seconds: float) -> str:
    return f'"{seconds:.4f}"'


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _attr(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;"})
