"""Laws of the ledger, over sequences of what callers may do to it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exportguard.authority import (
    AuthorizationDraw,
    LimitReachedError,
    Reservation,
    SqlLedger,
    UsageDraw,
    open_ledger,
)
from exportguard.authority.ledger.periods import bucket_range, buckets_of, read_period, window
from exportguard.errors import LedgerError
from exportguard.storage import do_all
from exportguard.vocabulary import Unknown, UsageQuestion, UsageReading

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


asked = st.lists(
    st.tuples(
        st.sampled_from(["k1", "k2", "k3", "k4", "k5"]),
        st.integers(0, 6),
        st.sampled_from([("w",), ("v", "w"), ()]),
        st.sampled_from([None, 0, 1, 2]),
        st.sampled_from(["c1", "c2"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=asked, asked=asked, given_back=st.sets(st.sampled_from(["k1", "k2", "k3"])))
def test_reservations_of_one_commit_are_those_of_one_after_another(
    before: list[Any], asked: list[Any], given_back: set[str]
) -> None:
    """Same limits, versions and keys: each is granted, replayed or refused as if it had come alone, what else is to be
    done in its transaction is done as often, and the same is left in the store."""
    with TemporaryDirectory() as folder:
        found = [_outcomes(Path(folder) / str(at_once), before, asked, given_back, at_once) for at_once in (1, 0)]
    assert found[0] == found[1]


def _outcomes(place: Path, before: list[Any], asked: list[Any], given_back: set[str], at_once: int) -> Any:
    ledger = open_ledger(place)
    assert isinstance(ledger, SqlLedger)
    done: list[str] = []

    def work(at: int, key: str, amount: int, drawn: tuple[str, ...], version: int | None, customer: str) -> Any:
        draws = [AuthorizationDraw(name, "tokens", amount, LIMIT) for name in drawn]
        reading = UsageReading(0, 0, 0, version or 0)
        read = {(UsageQuestion("customer", None), customer): reading} if version is not None else None
        use = [UsageDraw("customer", customer, tokens=amount, accelerators=Unknown("why") if amount == 6 else 0)]
        also = None if at % 3 == 0 else lambda _: done.append(key)
        return ledger.reserving(key, use, draws, as_of=AT, conditional_on=read, also=also)

    def outcome(made: Any) -> Any:
        return (made.state, made.replayed) if isinstance(made, Reservation) else (type(made), str(made))

    for at, each in enumerate(before):
        ledger.database.write(work(at, *each))
    for key in given_back:
        with suppress(LedgerError):
            ledger.release(key, as_of=AT)
    works = [work(at, *each) for at, each in enumerate(asked)]
    if at_once:
        made = ledger.database.write(lambda session: do_all(session, works))
    else:
        made = [ledger.database.write(each) for each in works]
    tables = ("ledger_reservation", "ledger_use", "ledger_scope", "ledger_authorization")
    left = [sorted(ledger.database.read(lambda s, t=t: s.execute(f"SELECT * FROM {t}"))) for t in tables]
    assert ledger.verify() == ()
    ledger.close()
    return [outcome(each) for each in made], sorted(done), left


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
