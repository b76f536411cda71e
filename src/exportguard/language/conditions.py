"""A condition's text, parsed and checked, with every problem at its place."""

from __future__ import annotations

from exportguard.diagnostics import Diagnostic
from exportguard.language.cel import comments, parse
from exportguard.language.check import Checked, Checker
from exportguard.language.fields import NOT_LOADED
from exportguard.language.schema import Vocabularies
from exportguard.language.source import Scalar
from exportguard.language.syntax import CelSyntaxError, Node


def parse_condition(scalar: Scalar, problems: list[Diagnostic]) -> Node | None:
    """The untyped tree of a condition's text."""
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
    try:
        return parse(scalar.text)
    except CelSyntaxError as error:
        hint = error.hint
        if _cut_by_a_comment(scalar):
            hint = "in YAML a `#` after a space starts a comment: write the condition as a block after `|`"
        problems.append(scalar.problem(error.code, error.message, error.at, error.label, hint, NOT_LOADED))
        return None


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
) -> Checked | None:
    """Parse and check a condition; None if it cannot be parsed."""
    node = parse_condition(scalar, problems)
    if node is None:
        return None
    checker = Checker(scalar, words, variables, may_ask_unknown=may_ask, unknown_refusal=refusal)
    if roots is not None:
        checker.roots = roots
    checked = checker.condition(node)
    problems.extend(checker.problems)
    return checked
