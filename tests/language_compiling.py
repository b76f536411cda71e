"""One condition of the profile, compiled against the stand-in."""

from __future__ import annotations

from exportguard.diagnostics import render_all
from exportguard.language import CompiledCondition, PolicySource
from exportguard.language.cel import parse
from exportguard.language.check import Checker
from exportguard.language.schema import Vocabularies
from exportguard.language.source import Scalar
from language_standin import REFERENCE

WORDS = Vocabularies(REFERENCE)
SENSELESS = {"EG207", "EG212", "EG217"}
"""What the checker refuses in random conditions although its types are right: a count below zero, for example, or
one in a million that nests so many lists that it would cost too much."""


def compiled(text: str) -> CompiledCondition | None:
    """The condition, or None where it is refused as senseless."""
    source = PolicySource("random", text)
    checker = Checker(Scalar(source, text, 0, len(text), "|"), WORDS, {}, may_ask_unknown=True)
    checked = checker.condition(parse(text))
    if checker.problems and {problem.code for problem in checker.problems} <= SENSELESS:
        return None
    assert not checker.problems, render_all(checker.problems)
    return CompiledCondition(checked.node, text)
