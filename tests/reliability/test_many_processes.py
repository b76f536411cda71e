"""Several processes at once, on one store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from exportguard.authority import UsageDraw, UsageMovedError, open_ledger
from exportguard.errors import LedgerError
from exportguard.record import SqlLog, open_log, verify
from exportguard.vocabulary import UsageQuestion
from reliability.processes import lines, start, tell
from reliability.writers import AT


def test_processes_get_exactly_what_there_is(place: str) -> None:
    """1,600 requests by eight processes against a limit of 1,000: exactly 1,000 are granted, on either store. Asked
    again under the same keys, nothing is counted twice."""
    _grant_exactly(place, 8, 200, 1000)


def _grant_exactly(place: str, processes: int, requests: int, limit: int) -> None:
    running = [start("reserve_twice", place, f"p{n}", str(requests), str(limit)) for n in range(processes)]
    for each in running:
        assert list(lines(each, "ready")) == []
    refused = processes * requests - limit
    for expected in ({"granted": limit, "refused": refused}, {"replayed": limit, "refused": refused}):
        for each in running:
            tell(each)
        said = [word for each in running for word in lines(each, "done")]
        assert {word: said.count(word) for word in set(said)} == expected
    for each in running:
        _, error = each.communicate(timeout=60)
        assert error == b""
    ledger = open_ledger(place)
    question = (UsageQuestion("customer", "P1Y"), "c")
    assert ledger.drawn("licence", "accelerators") == limit
    assert ledger.read([question], AT)[question].accelerators == limit
    assert len(ledger.pending()) == limit
    ledger.close()


def test_two_processes_may_open_a_fresh_store_at_once(place: str) -> None:
    """Whoever comes first makes the tables; nobody sees half of them."""
    running = [start("open_both", place, f"p{n}") for n in range(2)]
    for each in running:
        assert list(lines(each, "ready")) == []
    for each in running:
        tell(each)
    results = [each.communicate(timeout=60) for each in running]
    assert [error.decode() for _, error in results if error] == []
    assert [out for out, _ in results] == [b"done\n"] * 2
    log = open_log(place)
    assert isinstance(log, SqlLog)
    assert {stored.decision_id for stored in log.read()} == {f"p{n}" for n in range(2)}
    assert verify(log).findings == ()
    log.close()


def test_threads_that_decide_on_a_reading_never_pass_a_limit(place: str) -> None:
    """Read, decide, reserve on the condition of what was read: with eight threads, forty tokens are forty."""
    ledger = open_ledger(place)
    question = (UsageQuestion("customer", "P1Y"), "c")

    def order(number: int) -> bool:
        while True:
            seen = ledger.read([question], AT)
            tokens = seen[question].tokens
            assert isinstance(tokens, int)
            if tokens + 1 > 40:
                return False
            try:
                ledger.reserve(f"k{number}", [UsageDraw("customer", "c", tokens=1)], as_of=AT, conditional_on=seen)
            except UsageMovedError:
                continue
            return True

    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(order, range(80)))
    assert granted == 40
    assert ledger.read([question], AT)[question].tokens == 40
    ledger.close()


def test_log_and_ledger_share_a_store_without_waiting_for_one_another(place: str) -> None:
    """Threads that record and threads that reserve: each gets its own, and what fails in one leaves the other whole."""
    log, ledger = open_log(place), open_ledger(place)

    def work(number: int) -> int:
        ledger.reserve(f"k{number // 2}", [UsageDraw("customer", "c", tokens=number // 2)], as_of=AT)
        with suppress(LedgerError):
            ledger.reserve("k0", [UsageDraw("customer", "c", tokens=99)], as_of=AT)
        return log.append({"decision_id": f"d{number}"})

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(200))) == list(range(1, 201))
    assert len(ledger.pending()) == 100
    log.close()
    ledger.close()
