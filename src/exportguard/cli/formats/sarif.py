"""SARIF 2.1.0: one run, its rules, and a result for each finding."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from exportguard import __version__

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is. Lines and columns count from 1; 0: not known."""

    file: str
    line: int = 0
    column: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One finding for a report: `rule` is its stable id, `level` one of error, warning, note."""

    rule: str
    level: str
    message: str
    place: Place | None = None
    help: str | None = None


def sarif(found: Iterable[Found], descriptions: dict[str, str]) -> str:
    """The log as JSON text. *descriptions* say more of the rule ids that are found."""
    results = list(found)
    rules = sorted({each.rule for each in results})
    described: list[dict[str, Any]] = []
    for rule in rules:
        entry: dict[str, Any] = {"id": rule}
        if rule in descriptions:
            entry["shortDescription"] = {"text": descriptions[rule]}
        described.append(entry)
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "exportguard", "version": __version__, "rules": described}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(each, rules) for each in results],
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _result(found: Found, rules: list[str]) -> dict[str, Any]:
    text = found.message + (f" ({found.help})" if found.help else "")
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "ruleIndex": rules.index(found.rule),
        "level": found.level,
        "message": {"text": text},
    }
    place = found.place
    if place is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": PurePath(place.file).as_posix()}}
        if place.line:
            region = {"startLine": place.line}
            if place.column:
                region["startColumn"] = place.column
                region["endColumn"] = place.column + max(1, place.length)
            physical["region"] = region
        result["locations"] = [{"physicalLocation": physical}]
    return result


def workflow_commands(found: Iterable[Found]) -> str:
    """The same as workflow commands, which code review shows beside the lines."""
    words = {"error": "error", "warning": "warning", "note": "notice"}
    lines = []
    for each in found:
        options = []
        if each.place is not None:
            options.append(f"file={_property(each.place.file)}")
            if each.place.line:
                options.append(f"line={each.place.line}")
            if each.place.column:
                options.append(f"col={each.place.column}")
                options.append(f"endColumn={each.place.column + max(1, each.place.length)}")
        options.append(f"title={_property(each.rule)}")
        text = each.message + (f"\nhelp: {each.help}" if each.help else "")
        lines.append(f"::{words[each.level]} {','.join(options)}::{_data(text)}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
