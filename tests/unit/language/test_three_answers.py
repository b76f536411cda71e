"""What each operator answers when facts are true, false, unknown or broken."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from exportguard.language import Cause, Indeterminate
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.scope import RestrictedOwnershipView, UsageView
from language_compiling import compiled
from language_random import QUESTION
from language_standin import accelerator, item, location, model_item, parent, party, request, scope

T, F, U = True, False, None


def ask(text: str, **views: Any) -> Any:
    """True, False, or None for indeterminate."""
    condition = compiled(text)
    assert condition is not None, text
    answer = condition(scope(**views))
    return None if isinstance(answer, Indeterminate) else answer


def causes(text: str, **views: Any) -> tuple[Cause, ...]:
    condition = compiled(text)
    assert condition is not None
    answer = condition(scope(**views))
    assert isinstance(answer, Indeterminate)
    return answer.causes


def fact(value: bool | None) -> Any:
    return Unknown("not asked") if value is None else value


AND = {(T, T): T, (T, F): F, (F, T): F, (F, F): F, (T, U): U, (U, T): U, (F, U): F, (U, F): F, (U, U): U}


@pytest.mark.parametrize(("left", "right"), list(product((T, F, U), repeat=2)))
def test_and_or_not_are_kleenes(left: bool | None, right: bool | None) -> None:
    """`false && unknown` is false, `true || unknown` is true, whichever side; `!unknown` is unknown."""
    views = {"party": party(verified=fact(left)), "item": item(accelerator=accelerator(datacenter=fact(right)))}
    a, b = "party.verified", "item.accelerator.datacenter"
    assert ask(f"{a} && {b}", **views) is AND[left, right]
    flipped = AND[None if left is None else not left, None if right is None else not right]
    assert ask(f"{a} || {b}", **views) is (None if flipped is None else not flipped)
    assert ask(f"!{a}", **views) is (None if left is None else not left)
    expected = None if None in (left, right) else left == right
    assert ask(f"{a} == {b}", **views) is expected


@pytest.mark.parametrize(
    "broken", ["1 / 0 > 1", "item.tokens > 5", "party.listings[9] == 'EL'", "size(item.model.id) > 1"]
)
def test_an_error_is_absorbed_as_cel_absorbs_it(broken: str) -> None:
    """An error beside a deciding value does not matter; otherwise the rule is indeterminate, never skipped."""
    assert ask(f"{broken} && party.country == 'US'") is F
    assert ask(f"party.country == 'US' && {broken}") is F
    assert ask(f"{broken} || party.country == 'CN'") is T
    assert ask(f"{broken} && party.country == 'CN'") is U
    assert ask(f"!({broken})") is U
    assert all(cause.kind == "error" for cause in causes(broken))


NOBODY = Unknown("nobody asked")


@pytest.mark.parametrize("text", [
    "party.country == 'CN'", "party.country != 'CN'", "party.country in ['CN']",
    "party.country in country_group('D:5')",
    "!(party.country in ['CN'])", "party.country == party.country", "party.country == party.headquarters",
    "party.country.startsWith('C')", "party.country.matches('^C')", "size(party.country) == 2", "has(party.country)",
    "(party.country == 'CN') ? true : true", "party.country + 'x' == 'CNx'", "party.country < 'ZZ'",
])  # fmt: skip
def test_unknown_compared_with_anything_is_unknown(text: str) -> None:
    """No operator turns a fact that nobody knows into false."""
    assert causes(text, party=party(country=NOBODY)) == (Cause("party.country", "nobody asked"),)


def test_in_is_true_if_a_known_element_equals_else_open() -> None:
    """An unknown element makes `in` open only where no known one settles it."""
    some = party(listings=("EL", Unknown("list not read")))
    assert ask('"EL" in party.listings', party=some) is T
    assert causes('"MEU" in party.listings', party=some) == (Cause("party.listings", "list not read"),)
    assert ask('"EL" in party.listings', party=party(listings=())) is F
    assert ask('"EL" in party.listings', party=party(listings=NOBODY)) is U
    assert ask("party.country in ['CN', party.headquarters]", party=party(headquarters=NOBODY)) is T
    assert ask("party.country in ['US', party.headquarters]", party=party(headquarters=NOBODY)) is U


def test_macros_over_unknown_elements() -> None:
    """`exists` and `all` are settled by one deciding element, the others by none while one is open."""
    blind, plain, other = party(country=NOBODY), party(country="CN"), party(country="US")

    def over(text: str, *parties: Any) -> Any:
        return ask(f"request.parties.{text}", request=request(parties=tuple(parties)))

    assert over("exists(p, p.country == 'CN')", blind, plain) is T
    assert over("exists(p, p.country == 'CN')", blind, other) is U
    assert over("all(p, p.country == 'CN')", blind, other) is F
    assert over("all(p, p.country == 'CN')", blind, plain) is U
    assert over("exists_one(p, p.country == 'CN')", plain, other) is T
    assert over("exists_one(p, p.country == 'CN')", plain, blind) is U
    assert ask("size(request.parties.filter(p, p.country == 'CN')) > 0", request=request(parties=(plain, blind))) is U
    assert ask("'CN' in request.parties.map(p, p.country)", request=request(parties=(plain, blind))) is T
    assert ask("'US' in request.parties.map(p, p.country)", request=request(parties=(plain, blind))) is U
    for macro in ("exists", "all", "exists_one"):
        assert ask(f"request.parties.{macro}(p, p.verified)", request=request(parties=NOBODY)) is U
    assert over("exists(p, p.verified)") is F
    assert over("all(p, p.verified)") is T


def test_causes_name_the_whole_path_once_and_in_order() -> None:
    """The facts that would settle a rule are told by path: inside records, elements and records unknown as a whole."""
    text = (
        "party.ultimate_parent.headquarters == 'CN' || item.eccn == '3A090.a' || party.headquarters == 'CN' || "
        "party.headquarters == 'MO'"
    )
    blind = {"party": party(headquarters=Unknown("b"), ultimate_parent=Unknown("a")), "item": item(eccn=Unknown("c"))}
    assert causes(text, **blind) == (
        Cause("item.eccn", "c"),
        Cause("party.headquarters", "b"),
        Cause("party.ultimate_parent.headquarters", "a"),
    )
    assert causes("party.ultimate_parent.headquarters == 'CN'", party=Unknown("no end user was named")) == (
        Cause("party.ultimate_parent.headquarters", "no end user was named"),
    )
    members = request(parties=(party(country="US"), party(country=Unknown("x"))))
    assert causes("request.parties.exists(p, p.country == 'CN')", request=members) == (
        Cause("request.parties[1].country", "x"),
    )


def test_an_absent_record_is_an_error_and_an_absent_fact_is_null() -> None:
    """A model item has no accelerator: asking about it is open, never false; `has` knows."""
    assert causes("item.accelerator.tpp >= 4800", item=model_item())[0].kind == "error"
    assert ask("has(item.accelerator)", item=model_item()) is F
    assert ask("has(item.accelerator.tpp)", item=model_item()) is F
    assert ask("has(item.accelerator) && item.accelerator.tpp >= 4800", item=model_item()) is F
    assert ask("item.count == null", item=model_item()) is T
    assert ask("location.subdivision == 'UA-43'") is F
    assert ask("item.count >= 8", item=model_item()) is U


def test_unknown_asks_whether_a_fact_is_missing() -> None:
    """True for an unknown fact and for a fact of a record unknown as a whole; absent is not unknown."""
    assert ask("unknown(party.country)", party=party(country=NOBODY)) is T
    assert ask("unknown(party.ultimate_parent.headquarters)", party=party(ultimate_parent=NOBODY)) is T
    assert ask("unknown(party)", party=NOBODY) is T
    assert ask("unknown(party.country)") is F
    assert ask("unknown(item.tokens)") is F


def test_a_broken_fact_is_an_error_and_never_false() -> None:
    """NaN, infinity and values of another type make a rule indeterminate."""
    for value in (float("nan"), float("inf"), "16", True, object()):
        assert ask("item.count >= 8", item=item(count=value)) is U
    assert ask("item.total_tpp / item.count >= 4800.0", item=item(total_tpp=0.0, count=0.0)) is U
    assert ask("party.country == 'CN'", party=party(country=5)) is U
    assert ask("party.verified", party=party(verified="yes")) is U
    assert ask("party.country == 'CN'", party=None) is U


def test_numbers_compare_exactly_across_types() -> None:
    """No rounding through floats: neighbours of 2**53 differ, fractions are themselves."""
    from fractions import Fraction

    assert ask("usage.tokens == 9007199254740992.0", usage=UsageView(9007199254740993, 0.0, 0.0)) is F
    assert ask("usage.tokens > 9007199254740992.0", usage=UsageView(9007199254740993, 0.0, 0.0)) is T
    assert ask("item.count >= 1", item=item(count=Fraction(1, 8))) is F
    assert ask("item.count * 8.0 >= 1.0", item=item(count=Fraction(1, 8))) is T
    assert ask("item.count == 8", item=item(count=8)) is T
    assert ask("item.count / 3.0 > 2.5", item=item(count=8)) is T


@pytest.mark.parametrize(("text", "expected"), [
    ("-7 / 2 == -3", T), ("-7 % 2 == -1", T), ("7 % -2 == 1", T), ("9223372036854775807 + 1 > 0", U),
    ("-9223372036854775808 - 1 < 0", U), ("-9223372036854775808 / -1 > 0", U), ("5 % 0 == 0", U), ("5 / 0 == 0", U),
    ("4611686018427387904 * 2 > 0", U), ("1.0 / 0.0 > 1e308", T), ("int(2.9) == 2", T), ("int(-2.9) == -2", T),
    ("int('12') == 12", T), ("double('1.5') == 1.5", T), ("string(12) == '12'", T), ("string(true) == 'true'", T),
    ("string(duration('90m')) == '5400s'", T), ("string(timestamp(0)) == '1970-01-01T00:00:00Z'", T),
    ("timestamp('2024-02-29T23:30:00Z').getDate() == 29", T), ("timestamp('2024-02-29T23:30:00Z').getMonth() == 1", T),
    ("timestamp('2024-02-29T23:30:00Z').getDate('+01:00') == 1", T),
    ("timestamp('2024-02-29T23:30:00Z').getHours('Asia/Shanghai') == 7", T),
    ("timestamp('2024-02-29T23:30:00Z').getDayOfWeek() == 4", T),
    ("timestamp('2024-02-29T23:30:00+08:00').getHours() == 15", T),
    ("timestamp('2024-02-29T23:30:00Z').getHours('Mars/' + 'Base') == 7", U),
    ("duration('-90s').getMinutes() == -1", T),
    ("request.time - duration('1h') < request.time", T), ("[1, 2][1] == 2", T), ("[1, 2][2] == 2", U),
    ("[1] + [2] == [1, 2.0]", T), ("'a' + 'b' == 'ab'", T), ("'Universität'.matches('^Univ.*t$')", T),
    ("size('大学') == 2", T), ("'abc'.contains('')", T), ("(1 < 2) ? 'a' == 'a' : 1 / 0 == 0", T),
])  # fmt: skip
def test_values_are_cels(text: str, expected: bool | None) -> None:
    """Arithmetic truncates toward zero and does not wrap; times are UTC unless a zone is named."""
    assert ask(text) is expected


def test_ownership_is_looked_up_and_a_missing_answer_is_unknown() -> None:
    """`owned` is true, false or open as the cascade says; a question nobody put is open."""
    text = 'owned(party, ["EL"], ">=", 50)'
    for answer in (True, False):
        assert ask(text, party=party(ownership={QUESTION: answer})) is answer
    assert ask(text, party=party(ownership={QUESTION: Unknown("range")})) is U
    assert causes(text, party=party())[0].path == "party.owners"
    condition = compiled('owned(party, ["MEU", "EL"], ">", 33.3) || owned(party, ["EL"], ">=", 50)')
    assert condition is not None
    assert {(q.lists, q.comparison, str(q.percent)) for q in condition.ownership_questions} == {
        (("EL", "MEU"), ">", "333/10"),
        (("EL",), ">=", "50"),
    }
    assert condition.roots == {"party"}


def test_an_unknown_record_inside_a_party_is_open() -> None:
    """`restricted_ownership` may be a record, unknown, or known to be absent."""
    text = "party.restricted_ownership.percent >= 50"
    assert ask(text, party=party(restricted_ownership=RestrictedOwnershipView("EL", 50))) is T
    assert ask(text, party=party(restricted_ownership=NOBODY)) is U
    assert ask(f"has(party.restricted_ownership) && {text}") is F


def test_a_group_that_cannot_be_looked_up_leaves_the_rule_open() -> None:
    """Whatever reference data raises, no rule is skipped."""

    class Broken:
        def country_group(self, name: str) -> Any:
            raise RuntimeError("disk gone")

    assert ask("party.country in country_group('D:5')", world=Broken()) is U
    assert ask("location.country in country_group('D:5')", location=location(country=NOBODY)) is U
    assert (
        ask("party.ultimate_parent.country in country_group('D:5')", party=party(ultimate_parent=parent(country="HK")))
        is T
    )


def test_a_record_may_be_compared_with_null() -> None:
    """An accelerator item has no model; of an unknown one nobody can say."""
    assert ask("item.model == null", item=item()) is True
    assert ask("item.model != null", item=item()) is False
    assert ask("item.model == null", item=model_item()) is False
    assert ask("item.model == null", item=item(model=Unknown("x"))) is None
    assert ask("party.restricted_ownership == null", party=party(restricted_ownership=None)) is True


def test_an_inner_macro_variable_hides_an_outer_one_of_its_name() -> None:
    """And the outer one is back behind it, in generated code as in the plain path."""
    parties = (party(country="CN", listings=("EL",)), party(country="US", listings=("MEU",)))
    views = {"request": request(parties=parties)}
    assert ask('request.parties.exists(p, p.listings.exists(p, p == "EL") && p.country == "CN")', **views) is True
    assert ask('request.parties.exists(p, p.listings.exists(p, p == "EL") && p.country == "US")', **views) is False
    assert ask("request.parties.exists(p, [1].map(p, p + 1) == [2] && p.country == 'US')", **views) is True
    assert ask("request.parties.map(p, p.country).exists(p, p == 'US')", **views) is True
