"""The decision log and the ledger against a bare SQLite insert with the same settings."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from math import log2
from pathlib import Path
from timeit import repeat
from typing import Any

from bench.report import Report, interleaved
from exportguard.authority import AuthorizationDraw, UsageDraw, open_ledger
from exportguard.record import SqlLog, open_log, verify
from exportguard.record.merkle import node_hash
from exportguard.storage.sqlite import DURABLE

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECONDS = 2.0
SYNC_S = 0.002
"""Added to each commit: about what a sync of a cloud's network volume takes."""
VERIFIED = 100_000
"""Records that are really verified; the figure is for a million. The work of each is the same, but for the tree's
depth: a root over n records takes about log2(n) / 2 hashes."""


def record(number: int) -> dict[str, Any]:
    """About 2 kB of canonical JSON, in the shape of a decision's record, its keys in order as `decision_record` gives
    them."""
    reason = {"cites": ["15 CFR 744.23(a)(3)"], "message": "x" * 120, "policy": "p"}
    request = {"items": [{"count": 8, "kind": "accelerator"}] * 3, "operation": "RunInstances", "provider": "aws"}
    decision = {
        "parties": [{"name": "n" * 60}] * 6,
        "reasons": [{**reason, "rule": f"rule-{n}"} for n in range(5)],
        "request": request,
    }
    return {
        "decision": decision,
        "decision_id": f"{number:032x}",
        "outcome": "ALLOW",
        "policy_digest": "sha256:" + "a" * 64,
        "reference_digest": "sha256:" + "b" * 64,
        "released": True,
        "schema": "exportguard/decision-record/1",
        "time": AT.isoformat(),
    }


def run(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _unbatched(report, Path(folder))
        _grouped(report, Path(folder))
        _ledger(report, Path(folder))
        _verify(report, Path(folder))


def bare(path: Path) -> Callable[[bytes], None]:
    """One INSERT a transaction, with what durability the log asks for, and nothing else."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    for setting in DURABLE:
        connection.execute(setting)
    connection.execute("CREATE TABLE bare (sequence INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB)")
    numbers = count(1)

    def insert(body: bytes) -> None:
        number = next(numbers)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO bare VALUES (?, ?, ?)", (number, f"{number:032x}", body))
        connection.execute("COMMIT")

    return insert


def _unbatched(report: Report, folder: Path) -> None:
    from exportguard.record.canonical import canonical

    log = open_log(folder / "one")
    insert, body = bare(folder / "bare"), canonical(record(0))
    numbers = count()
    tasks: dict[str, Callable[[], object]] = {
        "log": lambda: log.append(record(next(numbers))),
        "bare": lambda: insert(body),
    }
    for task in tasks.values():
        for _ in range(600):  # until the write-ahead log is written over: while it grows, a sync takes longer
            task()
    found = interleaved(tasks, repeats=15, loops=40)
    ratio = found["log"] / found["bare"]
    peers = {"bare INSERT": found["bare"] * 1e6}
    report.add("record", "durable record, one at a time", found["log"] * 1e6, "us", peers=peers)
    report.add("record", f"as a multiple of a bare INSERT ({len(body)} bytes)", ratio, "x", at_most=2.5)
    log.close()


def rate(work: Callable[[int], object], threads: int) -> float:
    """How often a second *work* is done by *threads* at once."""
    numbers, end = count(), time.perf_counter() + SECONDS
    done = [0] * threads

    def loop(index: int) -> None:
        while time.perf_counter() < end:
            work(next(numbers))
            done[index] += 1

    running = [threading.Thread(target=loop, args=(n,)) for n in range(threads)]
    start = time.perf_counter()
    for each in running:
        each.start()
    for each in running:
        each.join()
    return sum(done) / (time.perf_counter() - start)


def _grouped(report: Report, folder: Path) -> None:
    alone, together = [], []
    for turn in range(3):
        log = open_log(folder / f"group{turn}")
        alone.append(rate(lambda n, log=log: log.append(record(n)), 1))
        together.append(rate(lambda n, log=log: log.append(record(10**9 + n)), 8))
        log.close()
    one, eight = statistics.median(alone), statistics.median(together)
    report.add("record", "durable records, 8 threads", eight, "/s", peers={"1 thread": one})
    report.add("record", "group commit against one at a time", eight / one, "x", at_least=5)
    # Where a sync costs next to nothing there is little to share: the same on a disk whose sync takes as long as that
    # of a network volume does, for one thread and for eight alike.
    log = open_log(folder / "slower")
    assert isinstance(log, SqlLog)
    log.append(record(0))
    session: Any = log.database._writer
    commit = session.commit

    def slower() -> None:
        time.sleep(SYNC_S)
        commit()

    session.commit = slower
    one = rate(lambda n: log.append(record(1 + n)), 1)
    eight = rate(lambda n: log.append(record(10**9 + n)), 8)
    what = f"group commit against one at a time, where a sync takes {SYNC_S * 1000:g} ms longer"
    report.add("record", what, eight / one, "x", at_least=5)
    log.close()


def _ledger(report: Report, folder: Path) -> None:
    ledger = open_ledger(folder / "ledger")
    draw = [AuthorizationDraw("licence", "accelerators", 1, 10**9)]
    use = [UsageDraw("customer", "c", accelerators=1)]
    alone = rate(lambda n: ledger.reserve(f"a{n}", use, draw, as_of=AT), 1)
    together = rate(lambda n: ledger.reserve(f"b{n}", use, draw, as_of=AT), 8)
    report.add("record", "reservations, 8 threads", together, "/s", peers={"1 thread": alone}, at_least=5000)
    ledger.close()


def _verify(report: Report, folder: Path) -> None:
    log = open_log(folder / "long")
    assert isinstance(log, SqlLog)
    for start in range(0, VERIFIED, 5000):
        works = [log.appending(record(n)) for n in range(start, start + 5000)]
        log.write(lambda session, works=works: [work(session) for work in works])
    began = time.perf_counter()
    assert verify(log).intact
    taken = time.perf_counter() - began
    deeper = (
        (log2(1e6) - log2(VERIFIED)) / 2 * min(repeat(lambda: node_hash(b"l" * 32, b"r" * 32), number=100_000)) / 1e5
    )
    report.add("record", "verify a million records", (taken / VERIFIED + deeper) * 1e6, "s", at_most=30)
    tracemalloc.start()
    verify(log)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report.add("record", "memory while verifying", peak / 2**20, "MB", at_most=16)
    log.close()
