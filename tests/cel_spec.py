"""The conformance tests of google/cel-spec, run against the policy language.

    python tests/cel_spec.py path/to/cel-spec/tests/simple/testdata

prints for each file how many of its tests passed, lie outside the profile (refused by name when a policy loads, or
about protocol buffers, maps, bytes …) and failed, and says what failed. A test that is refused passes where an error
is expected: a policy is refused at load rather than at three in the morning.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import textproto
from exportguard.language.cel import parse as parse_condition
from exportguard.language.check import Checker
from exportguard.language.evaluation import Indeterminate, Scope
from exportguard.language.schema import Vocabularies
from exportguard.language.source import PolicySource, Scalar
from exportguard.language.syntax import CelSyntaxError, Node
from exportguard.language.threevalued import build_over
from exportguard.language.types import BOOL, DOUBLE, DURATION, DYN, INT, NULL, STRING, TIMESTAMP, Type, list_of
from language_standin import REFERENCE, WORLD

_PRIMITIVES = {"BOOL": BOOL, "INT64": INT, "DOUBLE": DOUBLE, "STRING": STRING}
_WELL_KNOWN = {"TIMESTAMP": TIMESTAMP, "DURATION": DURATION}
_MESSAGES = {b"google.protobuf.Timestamp": TIMESTAMP, b"google.protobuf.Duration": DURATION}


class Outside(Exception):
    """Not of the profile."""


@dataclass(frozen=True)
class Result:
    test: str
    outcome: str
    """passed, outside or failed"""
    why: str = ""


def run_file(path: Path) -> Iterator[Result]:
    document = textproto.parse(path.read_text(encoding="utf-8"))
    for section in document.all("section"):
        for test in section.all("test"):
            name = f"{_text(section.get('name', b''))}/{_text(test.get('name', b''))}"
            try:
                yield _judged(name, test)
            except Outside as why:
                yield Result(name, "outside", str(why))
            except Exception as error:
                yield Result(name, "failed", f"{type(error).__name__}: {error}")


def _judged(name: str, test: textproto.Message) -> Result:
    for needed in ("container", "disable_macros", "check_only", "any_eval_errors", "unknown", "any_unknowns"):
        value = test.get(needed)
        if value is not None and value not in (b"", textproto.Word("false")):
            raise Outside(f"needs `{needed}`")
    text = _text(test.get("expr", b""))
    bound = _bindings(test)
    scalar = Scalar(PolicySource("test", text), text, 0, len(text), "|")
    expects_error = "eval_error" in test
    try:
        checker = Checker(scalar, Vocabularies(REFERENCE), {}, roots=())
        checker.scope = [(each, kind) for each, (kind, _) in bound.items()]
        checked = checker.check(parse_condition(text))
    except CelSyntaxError as error:
        if expects_error:
            return Result(name, "passed", f"refused: {error.code}")
        raise Outside(f"{error.code}: {error}") from None
    if checker.problems:
        first = checker.problems[0]
        if expects_error:
            return Result(name, "passed", f"refused: {first.code}")
        raise Outside(f"{first.code}: {first.message}")
    answer = _answer(checked.node, bound)
    if expects_error:
        return Result(name, "passed" if isinstance(answer, Indeterminate) else "failed", f"gave {answer!r}")
    expected = test.get("value")
    if "typed_result" in test:
        expected = test.get("typed_result").get("result")
    wanted = _value(expected) if expected is not None else True
    return Result(name, "passed" if _same(answer, wanted) else "failed", f"{text}: gave {answer!r}, not {wanted!r}")


def _answer(node: Node, bound: dict[str, tuple[Type, Any]]) -> Any:
    run = build_over(node, tuple(bound))
    return run(Scope(world=WORLD), tuple((value, 0) for _, value in bound.values()))


def _bindings(test: textproto.Message) -> dict[str, tuple[Type, Any]]:
    types: dict[str, Type] = {}
    for entry in test.all("type_env"):
        if "ident" in entry:
            types[_text(entry.get("name"))] = _type(entry.get("ident").get("type"))
        else:
            raise Outside("declares functions")
    bound: dict[str, tuple[Type, Any]] = {}
    for entry in test.all("bindings"):
        name, held = _text(entry.get("key")), entry.get("value")
        if "value" not in held:
            raise Outside("binds an unknown or an error")
        value = _value(held.get("value"))
        bound[name] = (types.get(name) or _type_of(value), value)
    for name in types.keys() - bound.keys():
        raise Outside(f"declares `{name}` without a value")
    if any("." in name for name in bound):
        raise Outside("binds a qualified name")
    return bound


def _type(given: textproto.Message) -> Type:
    if "primitive" in given and given.get("primitive").name in _PRIMITIVES:
        return _PRIMITIVES[given.get("primitive").name]
    if "well_known" in given and given.get("well_known").name in _WELL_KNOWN:
        return _WELL_KNOWN[given.get("well_known").name]
    if given.get("message_type") in _MESSAGES:
        return _MESSAGES[given.get("message_type")]
    if "list_type" in given:
        return list_of(_type(given.get("list_type").get("elem_type")))
    if "null" in given:
        return NULL
    if "dyn" in given:
        return DYN
    raise Outside("a type that the profile does not have")


def _type_of(value: Any) -> Type:
    if isinstance(value, tuple):
        return list_of(DYN)
    kinds = {bool: BOOL, int: INT, float: DOUBLE, str: STRING, datetime: TIMESTAMP, timedelta: DURATION}
    return kinds.get(type(value), NULL)


def _value(given: textproto.Message) -> Any:
    ((kind, value),) = given.fields
    match kind:
        case "bool_value":
            return value == textproto.Word("true")
        case "int64_value":
            return int(value)
        case "double_value":
            return float(value)
        case "string_value":
            return _text(value)
        case "null_value":
            return None
        case "list_value":
            return tuple(_value(part) for part in value.all("values"))
        case "object_value":
            return _object(value)
    raise Outside(f"a `{kind}`")


def _object(given: textproto.Message) -> Any:
    for name, held in given.fields:
        seconds, nanos = held.get("seconds", 0), held.get("nanos", 0)
        if nanos % 1000:
            raise Outside("finer than a microsecond")
        try:
            span = timedelta(seconds=seconds, microseconds=nanos // 1000)
            if name == "[type.googleapis.com/google.protobuf.Timestamp]":
                return datetime(1970, 1, 1, tzinfo=UTC) + span
            if name == "[type.googleapis.com/google.protobuf.Duration]":
                return span
        except OverflowError:
            raise Outside("a time out of Python's range") from None
    raise Outside("a protocol buffer")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Outside("bytes that are no text") from None


def _same(answer: Any, wanted: Any) -> bool:
    if isinstance(answer, frozenset):
        answer = tuple(sorted(answer))
    if isinstance(answer, tuple) and isinstance(wanted, tuple):
        return len(answer) == len(wanted) and all(map(_same, answer, wanted))
    if isinstance(answer, float) and isinstance(wanted, float) and math.isnan(wanted):
        return math.isnan(answer)
    return type(answer) is type(wanted) and answer == wanted


def main(paths: list[str]) -> int:
    files = [f for path in map(Path, paths) for f in (sorted(path.rglob("*.textproto")) if path.is_dir() else [path])]
    if not files:
        print("usage: python tests/cel_spec.py FILE-OR-FOLDER...", file=sys.stderr)
        return 2
    failed = 0
    print(f"{'file':<28} {'passed':>7} {'outside':>8} {'failed':>7}")
    for file in files:
        try:
            results = list(run_file(file))
        except ValueError as error:
            failed += 1
            print(f"{file.stem:<28} cannot be read: {error}")
            continue
        counts = [sum(r.outcome == o for r in results) for o in ("passed", "outside", "failed")]
        failed += counts[2]
        print(f"{file.stem:<28} {counts[0]:>7} {counts[1]:>8} {counts[2]:>7}")
        for result in results:
            if result.outcome == "failed":
                print(f"    FAILED {result.test}: {result.why}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
