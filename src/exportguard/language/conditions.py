"""A condition's text, parsed and checked, with every problem at its place."""

from __future__ import annotations

from dataclasses import dataclass, replace

from exportguard.diagnostics import Diagnostic
from exportguard.language.cel import comments, parse
from exportguard.language.check import Checked, Checker
from exportguard.language.fields import NOT_LOADED
from exportguard.language.repairs import Repaired, without_operand
from exportguard.language.schema import Vocabularies
from exportguard.language.source import Scalar
from exportguard.language.syntax import CelSyntaxError, Node

_MOST_SLIPS = 20
"""Slips of one condition that are told; more than that is no condition."""


@dataclass(frozen=True)
class Parsed:
    """The untyped tree of a condition, and the text that its places are in: as written, or read past its slips."""

    node: Node
    scalar: Scalar
    as_written: bool


def parse_condition(scalar: Scalar, problems: list[Diagnostic]) -> Parsed | None:
    """Parse a condition and report its slips. Past a slip the text is read as it was meant, where that is plain."""
    for at in comments(scalar.text):
        if scalar.joined_lines(at):
            problems.append(
                scalar.problem(
                    "EG220",
                    "this comment swallows the lines after it",
                    (at, at + 2),
                    "the text is folded into one line",
                    "write the condition as a block after `|`",
                    NOT_LOADED,
                )
            )
            return None
    read, slips = Repaired(scalar.text), 0
    while True:
        refused: list[CelSyntaxError] = []
        try:
            node = parse(read.text, refused)
        except CelSyntaxError as error:
            place = read.origin(error.at)
            if read.follows_a_repair(place):
                return None
            _report(scalar, error, place, problems)
            slips += 1
            repairs = error.repairs or without_operand(read.text, error.at[0])
            if not repairs or slips == _MOST_SLIPS:
                return None
            read.make(repairs)
            continue
        for each in refused:
            _report(scalar, each, read.origin(each.at), problems)
        if not read.changed:
            return Parsed(node, scalar, not refused)
        offsets = scalar.offsets
        known = Scalar(scalar.source, read.text, scalar.start, scalar.end, scalar.style)
        object.__setattr__(known, "offsets", offsets and [offsets[origin] for origin in read.origins])
        return Parsed(node, known, False)


def _report(scalar: Scalar, error: CelSyntaxError, at: tuple[int, int], problems: list[Diagnostic]) -> None:
    hint = error.hint
    if error.code == "EG201" and not error.repairs and _cut_by_a_comment(scalar):
        hint = "in YAML a `#` after a space starts a comment: write the condition as a block after `|`"
    problems.append(scalar.problem(error.code, error.message, at, error.label, hint, NOT_LOADED))


def _cut_by_a_comment(scalar: Scalar) -> bool:
    after = scalar.source.text[scalar.end : scalar.end + 200].lstrip(" ")
    return scalar.style is None and after.startswith("#")


def check_condition(
    scalar: Scalar,
    words: Vocabularies,
    variables: dict[str, Checked],
    problems: list[Diagnostic],
    may_ask: bool,
    refusal: str,
    roots: tuple[str, ...] | None = None,
    warnings: list[Diagnostic] | None = None,
) -> Checked | None:
    """Parse and check a condition; None if it cannot be parsed."""
    parsed = parse_condition(scalar, problems)
    if parsed is None:
        return None
    checker = Checker(parsed.scalar, words, variables, may_ask_unknown=may_ask, unknown_refusal=refusal)
    if roots is not None:
        checker.roots = roots
    # What a text that was read past a slip amounts to says nothing about the text that is there.
    checked = checker.condition(parsed.node) if parsed.as_written else checker.check(parsed.node)
    problems.extend(checker.problems)
    if warnings is not None:
        warnings.extend(checker.warnings)
    return checked if parsed.as_written else replace(checked, ok=False)
