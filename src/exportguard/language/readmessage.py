"""Reading `because`: a text with facts in braces, checked when the policy loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from exportguard.diagnostics import Diagnostic
from exportguard.language.cel import parse
from exportguard.language.check import Checker
from exportguard.language.message import Parts
from exportguard.language.schema import ROOTS, Vocabularies
from exportguard.language.source import Scalar
from exportguard.language.syntax import CelSyntaxError, Node, path_text

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PATH = r"(?:" + "|".join(sorted(ROOTS)) + r")(?:\.[a-z_]+)+"
_DOUBLED = re.compile(r"\{\{\s*(" + _PATH + r")\s*\}\}")
_BRACED = re.compile(r"\{+\s*(" + _PATH + r")\s*\}+")


def read_message(scalar: Scalar, words: Vocabularies, roots: frozenset[str] | None) -> tuple[Parts, list[Any]]:
    """Text and fact paths in turn, and the problems. *roots* is what the rule is asked over; None: not known."""
    parts: list[str | Node] = []
    problems: list[Any] = []
    text, at = scalar.text, 0

    def problem(start: int, end: int, message: str, label: str, hint: str | None) -> None:
        problems.append(scalar.problem("EG218", message, (start, end), label, hint, "the policy set was not loaded"))

    for found in _BRACES.finditer(text):
        start, end = found.span()
        parts.append(text[at:start])
        at = end
        whole, inner = found.group(), found.group(1)
        if whole in ("{{", "}}"):
            parts.append(whole[0])
            continue
        if inner is None:
            problem(
                start,
                end,
                f"a single `{whole}` in a message",
                "not part of `{path}`",
                f"write `{whole * 2}` for a brace",
            )
            continue
        try:
            node = _shifted(parse(inner), start + 1)
        except CelSyntaxError:
            node = None
        path = path_text(node) if node is not None else None
        if node is None or path is None or "." not in path:
            problem(start, end, f"`{whole}` is not a fact path", "not a path", "as in `{party.name}`; a brace is `{{`")
            continue
        checker = Checker(scalar, words, {})
        checked = checker.check(node)
        problems.extend(checker.problems)
        root = path.partition(".")[0]
        if checked.ok and checked.type.kind == "record":
            problem(start, end, f"`{path}` is a record", "has no text", "name one of its fields")
        elif checked.ok and roots is not None and root not in roots and root != "request":
            problem(
                start,
                end,
                f"the rule is not asked over `{root}`",
                "nothing to put in",
                f"only what `when` and `unless` mention is there: {_listed(roots | {'request'})}",
            )
        parts.append(checked.node)
    parts.append(text[at:])
    return tuple(part for part in parts if part != ""), problems


def left_as_they_are(scalar: Scalar, key: str) -> Iterator[Diagnostic]:
    """Warnings of facts in braces that are not put in: in doubled braces, or under a key that puts in none."""
    told = key == "because"
    for found in (_DOUBLED if told else _BRACED).finditer(scalar.text):
        hint = f"one pair of braces puts the fact in: `{{{found[1]}}}`" if told else "only `because` puts in facts"
        message = f"`{found[0]}` in `{key}` stays as it is"
        problem = scalar.problem("EG414", message, found.span(), "no fact is put in here", hint)
        yield replace(problem, severity="warning")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _shifted(node: Node, by: int) -> Node:
    args = tuple(_shifted(arg, by) for arg in node.args)
    return Node(node.op, args, node.value, node.type, node.start + by, node.end + by)
