"""Laws of the ledger, over sequences of what callers may do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exportguard.authority import AuthorizationDraw, LimitReachedError, UsageDraw, open_ledger
from exportguard.authority.ledger.periods import bucket_range, buckets_of, read_period, window
from exportguard.errors import LedgerError
from exportguard.vocabulary import UsageQuestion

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
LIMIT = 10

steps = st.lists(
    st.tuples(st.sampled_from(["reserve", "commit", "release", "expire"]), st.integers(0, 5), st.integers(1, 6)),
    max_size=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_what_is_drawn_is_the_sum_of_what_was_not_given_back(steps: list[tuple[str, int, int]]) -> None:
    """After any sequence of calls: drawn = sum over reserved and committed keys, never above the limit; the level and
    the period agree with it."""
    amounts: dict[int, int] = {}
    state: dict[int, str] = {}
    with TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder) / "ledger")
        try:
            for step, key, amount in steps:
                name = f"k{key}"
                counted = sum(amounts[k] for k, s in state.items() if s != "released")
                try:
                    if step == "reserve":
                        asked = amounts.get(key, amount) if state.get(key) not in (None, "released") else amount
                        draws = [AuthorizationDraw("w", "tokens", asked, LIMIT)]
                        made = ledger.reserve(name, [UsageDraw("customer", "c", tokens=asked)], draws, as_of=AT)
                        if not made.replayed:
                            assert counted + asked <= LIMIT
                            amounts[key], state[key] = asked, "reserved"
                    elif step == "commit":
                        ledger.commit(name, as_of=AT)
                        state[key] = "committed"
                    elif step == "release":
                        ledger.release(name, as_of=AT)
                        state[key] = "released"
                    else:
                        for gone in ledger.expire(AT + timedelta(days=8)):
                            state[int(gone.key[1:])] = "released"
                except LimitReachedError:
                    assert counted + amount > LIMIT
                except LedgerError:
                    assert state.get(key) in (None, "committed")
                counted = sum(amounts[k] for k, s in state.items() if s != "released")
                assert ledger.drawn("w", "tokens") == counted
                questions = [(UsageQuestion("customer", p), "c") for p in (None, "P1Y", "P1D", "PT1H")]
                assert {r.tokens for r in ledger.read(questions, AT).values()} == {counted}
        finally:
            ledger.close()


instants = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
periods = st.sampled_from(
    ["P1Y", "P2Y", "P1M", "P3M", "P6M", "P1W", "P2W", "P1D", "P7D", "P30D", "PT1H", "PT6H", "P1DT12H"]
)


@given(period=periods, at=instants)
def test_every_instant_is_in_its_window_and_windows_do_not_overlap(period: str, at: datetime) -> None:
    read = read_period(period)
    start, end = window(read, at)
    assert start <= at < end
    assert window(read, start) == (start, end)
    assert window(read, end)[0] == end
    assert window(read, start - timedelta(microseconds=1))[1] == start


@given(period=periods, at=instants, other=instants)
def test_a_bucket_is_in_the_range_exactly_when_its_instant_is_in_the_window(
    period: str, at: datetime, other: datetime
) -> None:
    """What is added by hours and months sums up to what the window says."""
    start, end = window(read_period(period), at)
    first, after = bucket_range(period, at)
    for instant in (other, start, end, end - timedelta(microseconds=1), start - timedelta(microseconds=1)):
        inside = any(first <= bucket < after for bucket in buckets_of(instant))
        assert inside == (start <= instant < end)
