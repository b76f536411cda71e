"""A PostgreSQL server that goes away and comes back."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from exportguard.authority import UsageDraw, open_ledger
from exportguard.errors import LedgerError, RecordError
from exportguard.record import SqlLog, open_log, verify
from exportguard.vocabulary import UsageQuestion
from reliability import postgres_server
from reliability.writers import AT

pytestmark = pytest.mark.postgres


@pytest.fixture
def server() -> Iterator[postgres_server.Server]:
    reason = postgres_server.why_not()
    if reason is not None:
        pytest.skip(reason)
    pytest.importorskip("sqlalchemy", reason="PostgreSQL: the extra `postgres` is not installed")
    pytest.importorskip("psycopg", reason="PostgreSQL: the extra `postgres` is not installed")
    started = postgres_server.Server()
    yield started
    started.stop()


QUESTION = (UsageQuestion("customer", "P1Y"), "c")


def use_so_far(kept: list[str]) -> int:
    return sum(name.startswith("d") for name in kept)


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(server: postgres_server.Server) -> None:
    """While it is away calls are refused; when it is back, the same log and ledger go on, with everything there."""
    place = server.fresh(f"t{uuid.uuid4().hex}")
    log, ledger = open_log(place, timeout=3), open_ledger(place, timeout=3)
    kept = []
    use = [UsageDraw("customer", "c", tokens=1)]
    for round_ in range(2):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: ledger.read([QUESTION], AT), range(8)))
        for n in range(20):
            log.append({"decision_id": f"d{round_}-{n}"})
            ledger.reserve(f"k{round_}-{n}", use, as_of=AT)
            kept.append(f"d{round_}-{n}")
        server.kill()
        with pytest.raises(RecordError, match=r"cannot be reached(.|\n)*help: "):
            log.append({"decision_id": f"lost{round_}"})
        with pytest.raises(LedgerError, match="cannot be reached"):
            ledger.reserve(f"lost{round_}", use, as_of=AT)
        server.start()
        # Connections for reading that lay idle, several of them, are no reason to fail either.
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda _: ledger.read([QUESTION], AT)[QUESTION].tokens == use_so_far(kept), range(8)))
        log.append({"decision_id": f"back{round_}"})
        kept.append(f"back{round_}")
    assert [stored.decision_id for stored in log.read()] == kept
    assert len(ledger.pending()) == 40
    assert isinstance(log, SqlLog)
    assert verify(log).findings == ()
    log.close()
    ledger.close()


def test_another_writer_that_hangs_in_its_transaction(server: postgres_server.Server) -> None:
    """It holds the writers' lock: after the time limit the call is refused, not left hanging."""
    import psycopg

    place = server.fresh(f"t{uuid.uuid4().hex}")
    log = open_log(place, timeout=1)
    with psycopg.connect(host="127.0.0.1", port=server.port, user="tester", dbname="postgres") as other:
        from exportguard.storage.postgres import ONE_WRITER

        other.execute(f"SELECT pg_advisory_xact_lock({ONE_WRITER})")
        with pytest.raises(RecordError, match="locked by another process"):
            log.append({"decision_id": "d1"})
    assert log.append({"decision_id": "d1"}) == 1
    log.close()


def test_a_server_that_stands_still_is_not_waited_for_without_end(server: postgres_server.Server) -> None:
    """It takes what is sent and never answers: none of its own time limits runs then."""
    log = open_log(server.fresh(f"t{uuid.uuid4().hex}"), timeout=0.2)
    log.append({"decision_id": "d1"})
    with server.standing_still():
        began = time.monotonic()
        with pytest.raises(RecordError, match="cannot be reached"):
            log.append({"decision_id": "d2"})
        assert time.monotonic() - began < 30
    assert log.append({"decision_id": "d3"}) >= 2
    log.close()
