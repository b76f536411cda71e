"""What a user may rely on of the ledger, on every kind of store."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exportguard.authority import (
    AuthorizationDraw,
    Ledger,
    LimitReachedError,
    ReservationState,
    SqlLedger,
    UsageDraw,
    UsageMovedError,
    authorization_draws,
    open_ledger,
)
from exportguard.errors import LedgerError, NaiveInstantError
from exportguard.vocabulary import Authorization, Decision, Lifted, Outcome, UsageQuestion, UsageReading
from exportguard.vocabulary.fact import Unknown, is_known

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
YEAR = UsageQuestion("customer", "P1Y")
DAY = UsageQuestion("customer", "P1D")
LEVEL = UsageQuestion("customer", None)


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    opened = open_ledger(place)
    yield opened
    opened.close()


def tokens(amount: int | Unknown, key: str = "c1") -> list[UsageDraw]:
    return [UsageDraw("customer", key, tokens=amount)]


def read(ledger: Ledger, question: UsageQuestion, at: datetime = AT, key: str = "c1") -> UsageReading:
    return ledger.read([(question, key)], at)[(question, key)]


def test_forty_orders_are_forty(ledger: Ledger) -> None:
    """40 million tokens in forty equal orders are 40 million."""
    for n in range(40):
        ledger.reserve(f"order-{n}", tokens(1_000_000), as_of=AT)
    assert read(ledger, YEAR).tokens == 40_000_000


def test_a_retry_is_counted_once(ledger: Ledger) -> None:
    """The same key again, before or after the commit, counts nothing and says so."""
    draw = [AuthorizationDraw("bis-1", "tokens", 7, 10)]
    assert not ledger.reserve("k", tokens(7), draw, as_of=AT).replayed
    assert ledger.reserve("k", tokens(7), draw, as_of=AT).replayed
    ledger.commit("k", as_of=AT)
    assert ledger.reserve("k", tokens(7), draw, as_of=AT).state is ReservationState.COMMITTED
    assert read(ledger, YEAR).tokens == 7
    assert ledger.drawn("bis-1", "tokens") == 7


def test_a_key_belongs_to_one_call(ledger: Ledger) -> None:
    ledger.reserve("k", tokens(7), as_of=AT)
    with pytest.raises(LedgerError, match="used for another call"):
        ledger.reserve("k", tokens(8), as_of=AT)
    assert read(ledger, YEAR).tokens == 7


def test_a_key_does_not_carry_a_greater_draw_than_it_was_reserved_for(ledger: Ledger) -> None:
    """Where no rule counts use, the draw tells one call from another: a client token used again for more is refused."""
    ledger.reserve("k", (), [AuthorizationDraw("bis-1", "accelerators", 1, 8)], as_of=AT)
    with pytest.raises(LedgerError, match="used for another call"):
        ledger.reserve("k", (), [AuthorizationDraw("bis-1", "accelerators", 8, 8)], as_of=AT)
    assert ledger.drawn("bis-1", "accelerators") == 1
    assert ledger.reserve("k", (), [AuthorizationDraw("w-2", "accelerators", 1, 8)], as_of=AT).replayed


def test_a_released_call_is_as_if_never_made(ledger: Ledger) -> None:
    """Usage and authorization are given back; the same call may then be tried again under its key, and counts once."""
    draw = [AuthorizationDraw("bis-1", "accelerators", 8, 8)]
    use = [UsageDraw("customer", "c1", accelerators=8, tpp=8 * 15824.0)]
    ledger.reserve("k", use, draw, as_of=AT)
    assert ledger.release("k", as_of=AT, note="400").state is ReservationState.RELEASED
    ledger.release("k", as_of=AT)
    assert read(ledger, LEVEL)[:3] == (0, 0, 0)
    assert ledger.drawn("bis-1", "accelerators") == 0
    ledger.reserve("k", use, draw, as_of=AT)
    assert read(ledger, LEVEL)[:3] == (0, 8, 126592)
    assert ledger.drawn("bis-1", "accelerators") == 8


def test_what_was_carried_out_is_not_given_back(ledger: Ledger) -> None:
    ledger.reserve("k", tokens(7), as_of=AT)
    ledger.commit("k", as_of=AT)
    with pytest.raises(LedgerError, match="was carried out"):
        ledger.release("k", as_of=AT)
    assert read(ledger, YEAR).tokens == 7


def test_a_late_success_is_counted_after_all(ledger: Ledger) -> None:
    """A call believed to have failed, and then found to have been made, is counted."""
    ledger.reserve("k", tokens(7), [AuthorizationDraw("w", "tokens", 7, 7)], as_of=AT)
    ledger.release("k", as_of=AT)
    ledger.commit("k", as_of=AT)
    assert read(ledger, YEAR).tokens == 7
    assert ledger.drawn("w", "tokens") == 7


def test_committing_what_was_really_used(ledger: Ledger) -> None:
    """Leased in a block, used in part: the rest is given back, and the retry of the reservation is still known."""
    ledger.reserve("k", tokens(1000), [AuthorizationDraw("w", "tokens", 1000, 1000)], as_of=AT)
    ledger.commit("k", as_of=AT, usage=tokens(123), authorizations=[AuthorizationDraw("w", "tokens", 123, 1000)])
    assert read(ledger, YEAR).tokens == 123
    assert ledger.drawn("w", "tokens") == 123
    assert ledger.reserve("k", tokens(1000), as_of=AT).replayed


def test_all_of_a_reservation_or_nothing(ledger: Ledger) -> None:
    """The second authorization is exhausted: the first is not drawn on, and nothing is counted."""
    ledger.reserve("k0", (), [AuthorizationDraw("zz", "units", 3, 3)], as_of=AT)
    draws = [AuthorizationDraw("aa", "units", 1, 9), AuthorizationDraw("zz", "units", 1, 3)]
    with pytest.raises(LimitReachedError, match="zz has no 1 units left of 3"):
        ledger.reserve("k1", tokens(5), draws, as_of=AT)
    assert ledger.drawn("aa", "units") == 0
    assert read(ledger, YEAR).tokens == 0
    assert [r.key for r in ledger.pending()] == ["k0"]


def test_a_reading_that_moved_refuses(ledger: Ledger) -> None:
    """Deciding on an old reading is noticed; a reading of somebody else's use is not disturbed."""
    before = ledger.read([(YEAR, "c1"), (LEVEL, "c1")], AT)
    other = ledger.read([(YEAR, "c2")], AT)
    ledger.reserve("k1", tokens(5), as_of=AT, conditional_on=before)
    with pytest.raises(UsageMovedError):
        ledger.reserve("k2", tokens(5), as_of=AT, conditional_on=before)
    ledger.reserve("k3", tokens(5, "c2"), as_of=AT, conditional_on=other)
    ledger.reserve("k2", tokens(5), as_of=AT, conditional_on=ledger.read([(YEAR, "c1")], AT))
    assert read(ledger, YEAR).tokens == 10


def test_a_retry_is_not_refused_because_its_own_draw_moved_the_reading(ledger: Ledger) -> None:
    before = ledger.read([(YEAR, "c1")], AT)
    ledger.reserve("k1", tokens(5), as_of=AT, conditional_on=before)
    assert ledger.reserve("k1", tokens(5), as_of=AT, conditional_on=before).replayed


def test_tokens_are_a_flow_and_what_is_installed_is_a_level(ledger: Ledger) -> None:
    """A period resets at its UTC boundary; a level falls when instances end, and the period's sum stays."""
    late = datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    use = [UsageDraw("customer", "c1", tokens=5, accelerators=8, tpp=100.5)]
    ledger.reserve("k", use, as_of=late)
    assert read(ledger, YEAR, late)[:3] == (5, 8, 100.5)
    after = late + timedelta(microseconds=1)
    assert read(ledger, YEAR, after)[:3] == read(ledger, DAY, after)[:3] == (0, 0, 0)
    assert read(ledger, LEVEL, after)[:3] == (5, 8, 100.5)
    down = [UsageDraw("customer", "c1", accelerators=6, tpp=75.375)]
    ledger.lower("ended-1", down, as_of=after)
    ledger.lower("ended-1", down, as_of=after)
    assert read(ledger, LEVEL, after)[:3] == (5, 2, 25.125)
    assert read(ledger, YEAR, late)[:3] == (5, 8, 100.5)
    with pytest.raises(LedgerError, match="something else"):
        ledger.lower("k", down, as_of=after)


def test_the_boundary_is_utc_wherever_the_clock_is(ledger: Ledger) -> None:
    from datetime import timezone

    tokyo = timezone(timedelta(hours=9))
    ledger.reserve("k", tokens(5), as_of=datetime(2027, 1, 1, 8, tzinfo=tokyo))
    assert read(ledger, YEAR, datetime(2026, 6, 1, tzinfo=UTC)).tokens == 5
    assert read(ledger, YEAR, datetime(2027, 6, 1, tzinfo=UTC)).tokens == 0


def test_what_nobody_knew_is_not_nothing(ledger: Ledger) -> None:
    """One call that did not say how many tokens makes the sum unknown, until it is known or given back."""
    ledger.reserve("k1", tokens(5), as_of=AT)
    ledger.reserve("k2", tokens(Unknown("no max_tokens")), as_of=AT)
    found = read(ledger, YEAR)
    assert isinstance(found.tokens, Unknown)
    assert "1 earlier request did not say how many tokens" in found.tokens.reason
    assert found.accelerators == 0
    ledger.commit("k2", as_of=AT, usage=tokens(7))
    assert read(ledger, YEAR).tokens == 12


@pytest.mark.parametrize("period", ["PT5M", "P1M1D", "P", "PT", "P0D", "1Y", "P1.5Y", "-P1D", ""])
def test_a_period_that_cannot_be_counted_is_unknown(ledger: Ledger, period: str) -> None:
    question = UsageQuestion("customer", period)
    found = read(ledger, question)
    assert not is_known(found.tokens)
    assert not is_known(found.accelerators)


@pytest.mark.parametrize("amount", [-1, math.nan, math.inf, 10**17, True, "5"])
def test_an_amount_that_cannot_be_counted_is_refused(ledger: Ledger, amount: object) -> None:
    with pytest.raises(LedgerError):
        ledger.reserve("k", [UsageDraw("customer", "c1", tokens=amount)], as_of=AT)  # type: ignore[arg-type]
    with pytest.raises(LedgerError):
        ledger.reserve("k", (), [AuthorizationDraw("a", "units", amount, 10**18)], as_of=AT)  # type: ignore[arg-type]
    assert ledger.pending() == ()


def test_a_thousand_fractions_add_up_exactly(ledger: Ledger) -> None:
    """A tenth is no binary fraction: ten tenths are still one, and the eleventh is refused."""
    for n in range(10):
        ledger.reserve(f"k{n}", (), [AuthorizationDraw("a", "accelerators", 0.1, 1)], as_of=AT)
    with pytest.raises(LimitReachedError):
        ledger.reserve("k10", (), [AuthorizationDraw("a", "accelerators", 0.001, 1)], as_of=AT)
    assert ledger.drawn("a", "accelerators") == 1


def test_unclear_calls_are_kept_until_they_expire(ledger: Ledger) -> None:
    """What nobody settled stays counted and pending, oldest first; expiry gives back those that are due."""
    ledger.reserve("b", tokens(1), as_of=AT + timedelta(seconds=1))
    ledger.reserve("a", tokens(2), as_of=AT, expires_after=timedelta(days=1))
    ledger.reserve("c", tokens(4), as_of=AT)
    ledger.commit("c", as_of=AT)
    assert [r.key for r in ledger.pending()] == ["a", "b"]
    assert ledger.expire(AT + timedelta(hours=23)) == ()
    assert [(r.key, r.note) for r in ledger.expire(AT + timedelta(days=1))] == [("a", "expired")]
    assert [r.key for r in ledger.pending()] == ["b"]
    assert read(ledger, YEAR).tokens == 5


def test_nothing_is_reserved_under_an_unknown_key(ledger: Ledger) -> None:
    for settle in (ledger.commit, ledger.release):
        with pytest.raises(LedgerError, match="nothing is reserved"):
            settle("never", as_of=AT)


def test_an_instant_needs_its_timezone(ledger: Ledger) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(NaiveInstantError):
        ledger.read([(YEAR, "c1")], naive)
    with pytest.raises(NaiveInstantError):
        ledger.reserve("k", tokens(1), as_of=naive)


def test_scopes_do_not_mix(ledger: Ledger) -> None:
    """An account and a customer of the same name are counted apart; the same scope named twice in a call adds up."""
    use = [
        UsageDraw("customer", "x", tokens=1),
        UsageDraw("account", "x", tokens=10),
        UsageDraw("account", "x", tokens=5),
    ]
    ledger.reserve("k", use, as_of=AT)
    assert read(ledger, YEAR, key="x").tokens == 1
    assert read(ledger, UsageQuestion("account", "P1Y"), key="x").tokens == 15
    assert read(ledger, UsageQuestion("end_user", "P1Y"), key="x").tokens == 0


def waiver(**more: object) -> Authorization:
    base = {
        "id": "w", "kind": "internal_waiver", "scope": "true", "parties": [{"role": "end_user", "name": "E"}],
        "effective": {}, "requested_by": "a", "approved_by": ["b"],
    }  # fmt: skip
    return Authorization.model_validate({**base, **more})


def lifting(*lifted: Lifted) -> Decision:
    return Decision(outcome=Outcome.ALLOW, lifted=lifted, as_of=AT, policy_digest="p", reference_digest="r")


def test_a_decision_draws_once_on_each_authorization() -> None:
    """Two rules lifted by one licence are one draw of what the call asks for."""
    licence = waiver(quantity={"unit": "accelerators", "limit": 64})
    two = [Lifted(authorization="w", rule=f"p/{n}", unit="accelerators", quantity=16) for n in range(2)]
    assert authorization_draws(lifting(*two), [licence]) == (AuthorizationDraw("w", "accelerators", 16, 64),)
    assert authorization_draws(lifting(Lifted(authorization="w", rule="p/1")), [waiver()]) == ()


def test_an_approval_of_one_request_is_good_for_one_call(ledger: Ledger) -> None:
    approval = waiver(request_fingerprint="f" * 64)
    draws = authorization_draws(lifting(Lifted(authorization="w", rule="p/1")), [approval])
    ledger.reserve("k1", (), draws, as_of=AT)
    with pytest.raises(LimitReachedError):
        ledger.reserve("k2", (), draws, as_of=AT)


def test_a_limited_quantity_that_is_not_known_cannot_be_drawn() -> None:
    licence = waiver(quantity={"unit": "tokens", "limit": 64})
    with pytest.raises(LedgerError, match="not known"):
        authorization_draws(lifting(Lifted(authorization="w", rule="p/1", unit="tokens")), [licence])
    with pytest.raises(LedgerError, match="not known any more"):
        authorization_draws(lifting(Lifted(authorization="other", rule="p/1")), [licence])


@pytest.mark.parametrize(
    "change",
    [
        "made_at = made_at + 1", "expires_at = expires_at + 1", "key = 'k9'",
        """asked = '[[["customer:c1",[8,0,0]]],[],"0123456789abcdef"]'""", "asked = '[]'", "asked = '[1,2,3]'",
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["k1", "k2", "low"])
def test_a_reservation_that_was_changed_is_named(tmp_path: Path, change: str, key: str) -> None:
    """Also where no sum changes by it: an instant within its hour, or another key."""
    ledger = open_ledger(tmp_path / "ledger")
    assert isinstance(ledger, SqlLedger)
    ledger.reserve("k1", tokens(7), as_of=AT)
    ledger.reserve("k2", tokens(7, "\udcff"), [AuthorizationDraw("w", "tokens", 7, 9)], as_of=AT)
    ledger.commit("k2", as_of=AT, usage=tokens(9, "\udcff"))
    ledger.lower("low", tokens(2), as_of=AT)
    ledger.reserve("k3", tokens(1), as_of=AT)
    ledger.release("k3", as_of=AT)
    ledger.reserve("k3", tokens(1), as_of=AT + timedelta(minutes=1))
    assert ledger.verify() == ()
    with sqlite3.connect(tmp_path / "ledger") as connection:
        connection.execute(f"UPDATE ledger_reservation SET {change} WHERE key = '{key}'")
    connection.close()
    (said,) = ledger.verify()
    assert said.startswith((f"the reservation {key}", "the reservation k9", f"what the ledger keeps of {key}"))
    ledger.close()
