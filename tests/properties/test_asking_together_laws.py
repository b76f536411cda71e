"""Conditions asked together answer as each does by itself."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from exportguard.language import CompiledCondition, Indeterminate, Scope, Together
from language_compiling import compiled
from language_random import COUNTRIES, condition, hidden, known_scope
from language_standin import WORLD

CASES = 1200
SOAK = 60_000

_WORDS = (
    "item.eccn", "party.country", "party.headquarters", "location.country", "party.ultimate_parent.headquarters",
    "item.accelerator.family", "party.name",
)  # fmt: skip


def _worded(r: Random) -> str:
    """A conjunction as policies have them: words of facts first, so that it is found by them."""
    parts = []
    for path in r.sample(_WORDS, r.randint(1, 3)):
        if "country" in path or "headquarters" in path:
            tests = [
                f'{path} == "{r.choice(COUNTRIES)}"', f'{path} != "{r.choice(COUNTRIES)}"',
                f'{path} in ["{r.choice(COUNTRIES)}", "{r.choice(COUNTRIES)}"]', f'{path} in country_group("D:5")',
                f'!({path} in country_group("A:5"))',
                f'({path} in country_group("D:5") || {path} == "MO" || !({path} != "US"))',
            ]  # fmt: skip
            parts.append(r.choice(tests))
        elif path == "item.eccn":
            parts.append(r.choice(('item.eccn in ["3A090.a", "3A090.b"]', 'item.eccn == "3A090.b"')))
        elif path == "party.name":
            parts.append(f'party.name == "{r.choice(("", "a", "ab", "Shenzhen University"))}"')
        else:
            parts.append(f'{path} == "{r.choice(("H100", "A100"))}"')
    if r.random() < 0.5:
        parts.append(condition(r, 2))
    r.shuffle(parts)
    return " && ".join(parts)


def _batches(count: int, start: int) -> list[tuple[list[CompiledCondition], list[Scope]]]:
    made = []
    for first in range(start, start + count, 40):
        r = Random(first)
        asked = [compiled(_worded(r) if r.random() < 0.7 else condition(r)) for _ in range(40)]
        scopes = [known_scope(r) for _ in range(6)]
        scopes += [hidden(r, scope) for scope in scopes for _ in range(2)]
        made.append(([c for c in asked if c is not None and "usage" not in c.roots], scopes))
    return made


def _short(answer: Any) -> Any:
    return "open" if isinstance(answer, Indeterminate) else answer


def check(count: int, start: int = 0) -> tuple[int, int]:
    """(answers compared, of them asked by themselves)"""
    compared = alone = 0
    for asked, scopes in _batches(count, start):
        together = Together(asked, WORLD)
        for scope in scopes:
            found = dict(together(scope.request, scope.item, scope.party, scope.location))
            for position, each in enumerate(asked):
                expected = each.ask_slowly(scope)
                given = found.get(position, False)
                if given is None:
                    alone += 1
                    given = each(scope)
                assert given == expected, (start, each.text, given)
                compared += 1
    return compared, alone


def test_conditions_asked_together_answer_as_each_does_by_itself() -> None:
    """What is found by a word, left out as surely false or taken as surely true is what the condition alone says."""
    compared, alone = check(CASES)
    assert compared > 10_000
    assert alone < compared / 2, "hardly anything is answered together"


@pytest.mark.soak
def test_conditions_asked_together_answer_as_each_does_by_itself_at_length() -> None:
    """The same over many more cases."""
    check(SOAK, CASES)


def test_a_fact_that_is_not_of_its_type_is_never_taken_for_false() -> None:
    """Broken views leave a condition to the three-valued path, which names what is wrong."""
    from dataclasses import replace

    r = Random(5)
    asked = [c for c in (compiled(_worded(r)) for _ in range(200)) if c is not None]
    together = Together(asked, WORLD)
    junk: tuple[Any, ...] = (None, True, 0, float("nan"), object(), [], {}, b"x", (object(),))
    for _ in range(60):
        scope = known_scope(r)
        broken = replace(
            scope.party,
            **{r.choice(("country", "headquarters", "ultimate_parent", "listings", "name")): r.choice(junk)},
        )
        scope.party = broken
        found = dict(together(scope.request, scope.item, scope.party, scope.location))
        for position, each in enumerate(asked):
            given = found.get(position, False)
            answer = _short(each(scope))
            assert answer == (answer if given is None else given), each.text
