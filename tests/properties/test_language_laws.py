"""Laws of compiled conditions, over random conditions and partly unknown facts.

Seeded, so that a failure names the seed that repeats it.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exportguard.errors import PolicyError
from exportguard.language import CompiledCondition, Indeterminate, Scope, compile_scope
from language_compiling import compiled
from language_random import ROOTS, condition, hidden, known_scope
from language_reference import OPEN, ask
from language_standin import REFERENCE, WORLD

CASES = 20_000
SOAK = 2_000_000
SCOPES = 8
"""Requests that each condition is asked over, each with facts known and with some hidden."""


def cases(count: int, start: int = 0, scopes: int = 1) -> Iterator[tuple[int, str, CompiledCondition, Scope, Scope]]:
    """A seed, a condition, known facts, and the same facts with some hidden: *count* conditions over *scopes* each."""
    for seed in range(start, start + count):
        r = Random(seed)
        text = condition(r)
        asked = compiled(text)
        if asked is not None:
            for _ in range(scopes):
                scope = known_scope(r)
                yield seed, text, asked, scope, hidden(r, scope)


def check_semantics(count: int, start: int = 0) -> int:
    """How many answers were compared; about *count*."""
    compared = 0
    for seed, text, asked, scope, blind in cases(count // (2 * SCOPES) + 1, start, SCOPES):
        answers = []
        for facts in (scope, blind):
            compared += 1
            expected = ask(asked.tree, facts)
            answer = asked(facts)
            assert (OPEN if isinstance(answer, Indeterminate) else answer) is expected, (seed, text, answer)
            assert asked.ask_slowly(facts) == answer, (seed, text)
            answers.append(answer)
        known, decided = answers
        assert isinstance(decided, Indeterminate) or known is decided, (seed, text)
    return compared


def test_a_compiled_condition_answers_as_a_plain_reading_of_the_semantics_does() -> None:
    """The compiled function gives what a slow interpreter gives, facts known or not; which of its two paths answered
    can't be seen in the answer; and hiding a fact gives the same answer or none."""
    assert check_semantics(CASES + 2_000) >= CASES


@pytest.mark.soak
def test_a_compiled_condition_answers_as_a_plain_reading_of_the_semantics_does_at_length() -> None:
    """The same over many more cases."""
    assert check_semantics(SOAK + 200_000, CASES) >= SOAK


def test_the_random_cases_reach_every_answer() -> None:
    """The laws above are not vacuous: each answer is given often, known facts included."""
    seen: dict[object, int] = {}
    for _, _, asked, scope, blind in cases(200):
        for name, facts in (("known", scope), ("blind", blind)):
            answer = asked(facts)
            key = (name, "open" if isinstance(answer, Indeterminate) else answer)
            seen[key] = seen.get(key, 0) + 1
    assert all(seen.get((name, answer), 0) >= 10 for name in ("known", "blind") for answer in (True, False, "open")), (
        seen
    )


def test_hiding_a_fact_never_turns_a_match_that_asks_for_unknown_into_none() -> None:
    """`unknown(…)`, where it is allowed, only ever adds to what holds."""
    for seed, text, _, scope, blind in cases(150):
        asked = compiled(f"({text}) || unknown(party.country) && unknown(item.eccn) || unknown(party.name)")
        assert asked is not None
        if asked(scope) is True:
            assert asked(blind) is not False, (seed, text)


def test_a_condition_survives_as_plain_data() -> None:
    """A cached or pickled condition is the same one."""
    for _, _, asked, scope, blind in cases(200):
        revived = CompiledCondition.from_data(json.loads(json.dumps(asked.to_data())))
        assert revived.tree == asked.tree
        copied = pickle.loads(pickle.dumps(asked))
        for facts in (scope, blind):
            assert revived(facts) == asked(facts) == copied(facts)


JUNK = (None, True, 0, -1, float("nan"), float("inf"), "", "x", object(), [], [1, None], {}, b"x", 10**400, (object(),))


def test_facts_of_any_type_never_raise() -> None:
    """Broken views give an answer, and an open answer names what is wrong; no rule is skipped."""
    for seed, text, asked, _, _ in cases(150):
        r = Random(seed)
        scope = Scope(world=r.choice((WORLD, None)), **{root: r.choice(JUNK) for root in ROOTS})
        answer = asked(scope)
        assert answer is True or answer is False or answer.causes, text


def test_a_field_of_any_type_never_raises() -> None:
    """The same for a field that holds something it should not; NaN never passes a threshold."""
    from dataclasses import replace

    for seed, text, asked, scope, _ in cases(200):
        r = Random(seed)
        views = {root: getattr(scope, root) for root in ROOTS}
        root = r.choice(("item", "party"))
        name = r.choice(
            ("name", "count", "quantity", "accelerator", "country", "listings", "ultimate_parent", "verified")
        )
        if hasattr(views[root], name):
            views[root] = replace(views[root], **{name: r.choice(JUNK)})
        answer = asked(Scope(world=WORLD, **views))
        assert answer is True or answer is False or answer.causes, text


def is_condition_or_problem(text: str) -> None:
    try:
        compile_scope(text, REFERENCE, name="any")
    except PolicyError as error:
        problem = error
    else:
        return
    assert problem.diagnostics
    assert str(problem)


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_is_a_condition_or_a_problem(text: str) -> None:
    """Authors can write what they like: it compiles, or `PolicyError` says where it doesn't."""
    is_condition_or_problem(text)


TOKENS = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "&&",
    "||",
    "!",
    "-",
    "?",
    ":",
    ",",
    ".",
    "==",
    "in",
    "item",
    "party",
    ".name",
    "x",
    "1",
    "2.5",
    "'a'",
    '"b"',
    ".exists(",
    "has(",
    "//",
    "\\",
    "0x",
    'r"',
    ".count",
    ">",
]


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(st.sampled_from(TOKENS), max_size=25))
def test_any_tokens_are_a_condition_or_a_problem(parts: list[str]) -> None:
    """The same for text that looks like CEL."""
    is_condition_or_problem(" ".join(parts))
