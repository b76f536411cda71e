"""Free texts by what is asked of them: one text for every combination of answers that some text gives."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from exportguard.authoring.proof.logic import B, Z, conj, neg, string, z3
from exportguard.authoring.proof.mentions import Test
from exportguard.authoring.proof.regexes import matches_expression
from exportguard.authoring.proof.samples import samples
from exportguard.authoring.proof.terms import UnsupportedError
from exportguard.authoring.proof.texts import TESTS, string_relation, text_of
from exportguard.language.regex import compile_pattern
from exportguard.language.schema import as_word

_MOST = 200
_TIMEOUT = 2000
"""Milliseconds for the next text. Past them the claim is undecided."""


@lru_cache(maxsize=64)
def representatives(tests: frozenset[Test], form: str) -> tuple[str, ...]:
    """Texts that together give every combination of answers to *tests*; *form* restricts them (`word`, `lowercase`).

    Most combinations are met by texts put together from samples of the tests; Z3 is asked about the others alone.

    Raises:
        UnsupportedError: a test is not covered, or Z3 cannot say whether there is another text.
    """
    asked = sorted(tests)
    found: dict[tuple[bool, ...], str] = {}
    for text in _samples(asked, form):
        found.setdefault(tuple(passes(test, text) for test in asked), text)
    if len(found) == 2 ** len(asked):
        return tuple(found.values())
    module = z3()
    text = module.String("text")
    formulas = [_formula(test, text) for test in asked]
    solver = module.Solver()
    solver.set("timeout", _TIMEOUT)
    solver.add(module.Length(text) >= 1, module.Length(text) <= 60, module.InRe(text, shape(form)))
    for answers in found:
        solver.add(neg(_answered(formulas, answers)))
    while True:
        answer = solver.check()
        if answer == module.unsat:
            return tuple(found.values())
        if answer != module.sat or len(found) >= _MOST:
            raise UnsupportedError("so many tests of one free text")
        made = text_of(solver.model().eval(text, model_completion=True))
        answers = tuple(passes(test, made) for test in asked)
        if answers in found:
            raise UnsupportedError(f"a regular expression that Z3 reads otherwise, at `{made}`")
        found[answers] = made
        solver.add(neg(_answered(formulas, answers)))


def _answered(formulas: list[B], answers: tuple[bool, ...]) -> B:
    return conj(f if a else neg(f) for f, a in zip(formulas, answers, strict=True))


def _samples(tests: list[Test], form: str) -> list[str]:
    """Texts that pass some of *tests* and fail others, in the form that facts have."""
    parts = ["example_1"]
    for name, literal in tests:
        parts += samples(literal, most=3) if name == "matches" else [literal, f"{literal}!"]
    made = [*parts, *(f"{a}_{b}" for a in parts for b in parts), "_".join(parts)]
    return [text for text in dict.fromkeys(made) if text and _has_form(text, form)]


def _has_form(text: str, form: str) -> bool:
    if form == "word":
        return text == as_word(text)
    return text == text.strip().lower() if form in ("lowercase", "provider") else True


def passes(test: Test, text: str) -> bool:
    """What the evaluator answers."""
    name, literal = test
    if name == "matches":
        return compile_pattern(literal).search(text) is not None
    return TESTS[name](text, literal)


def _formula(test: Test, text: Z) -> B:
    name, literal = test
    return matches_expression(text, literal) if name == "matches" else string_relation(name, text, string(literal))


def shape(form: str) -> Z:
    """Texts as facts arrive: `word` and `lowercase` are brought into that form, any text has no control characters."""
    module = z3()
    every = module.ReSort(module.StringSort())
    printable = module.Range(" ", "~")
    if form not in ("lowercase", "word", "provider"):
        return module.Plus(printable)
    bad = [module.Range("A", "Z"), *([module.Re(" "), module.Re("-")] if form == "word" else [])]
    allowed = module.Plus(module.Intersect(printable, module.Complement(_union(bad))))
    if form == "word":
        return allowed
    starts = module.Complement(module.Concat(module.Re(" "), module.Full(every)))
    ends = module.Complement(module.Concat(module.Full(every), module.Re(" ")))
    return module.Intersect(allowed, starts, ends)


def _union(parts: Iterable[Z]) -> Z:
    made = list(parts)
    return made[0] if len(made) == 1 else z3().Union(*made)
