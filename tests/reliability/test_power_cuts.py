"""A power cut at any write: what was acknowledged is there afterwards, and the tree fits (needs APSW)."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from itertools import count

import pytest

pytest.importorskip("apsw", reason="power cuts: APSW is not installed")

from exportguard.authority.ledger.model import AuthorizationDraw, UsageDraw
from exportguard.authority.ledger.store import SqlLedger
from exportguard.errors import LedgerError, RecordError
from exportguard.record import SqlLog, verify
from exportguard.storage import Database
from exportguard.storage.sqlite import DURABLE
from reliability.fault_vfs import FAULTS, Disk, FaultyDriver, FaultyVfs
from reliability.writers import AT

_names = count()
USE = [UsageDraw("customer", "c", accelerators=1)]
DRAW = [AuthorizationDraw("licence", "accelerators", 1, 10**6)]


def opened(disk: Disk, settings: tuple[str, ...] = DURABLE) -> tuple[FaultyVfs, SqlLog, SqlLedger]:
    vfs = FaultyVfs(f"faulty-{next(_names)}", disk)
    database = Database(FaultyDriver(vfs, settings))
    return vfs, SqlLog(database), SqlLedger(database.share())


def states(number: int, settings: tuple[str, ...], found: Callable[[Disk, list[str]], None]) -> None:
    """Run a store; cut the power at *number* writes and syncs of it, and show what is found, with what was
    acknowledged by then."""
    dice = random.Random(20261125)
    seen = 0
    while seen < number:
        cuts = run_with_cuts(dice, settings)[: number - seen]
        for cut, known in cuts:
            found(cut, known)
        seen += len(cuts)


def run_with_cuts(dice: random.Random, settings: tuple[str, ...]) -> list[tuple[Disk, list[str]]]:
    disk = Disk()
    acknowledged: list[str] = []
    cuts: list[tuple[Disk, list[str]]] = []

    def cut() -> None:
        cuts.append((disk.after_a_power_cut(dice), list(acknowledged)))

    disk.written = lambda: cut() if dice.random() < 0.12 else None
    _, log, ledger = opened(disk, settings)
    for n in range(dice.randrange(4, 14)):
        record = log.appending({"decision_id": f"d{n}", "filling": "x" * dice.randrange(2000)})
        ledger.reserve(f"d{n}", USE, DRAW, as_of=AT, also=record)
        acknowledged.append(f"d{n}")
        cut()
    return cuts


def is_whole(cut: Disk, acknowledged: list[str]) -> None:
    _, log, ledger = opened(cut)
    names = [stored.decision_id for stored in log.read()]
    assert names[: len(acknowledged)] == acknowledged
    assert verify(log).findings == ()
    # A record and its reservation come together: what was not acknowledged is there whole or not at all.
    pending = {each.key for each in ledger.pending()}
    assert pending == set(names)
    assert ledger.drawn("licence", "accelerators") == len(names)


def test_no_power_cut_loses_what_was_acknowledged() -> None:
    """1,000 states of the disk: no acknowledged record or reservation is missing or half there."""
    states(1000, DURABLE, is_whole)


@pytest.mark.soak
def test_no_power_cut_loses_what_was_acknowledged_for_long() -> None:
    states(20_000, DURABLE, is_whole)


@pytest.mark.parametrize(("operation", "kind"), [(name, kind) for name, kinds in FAULTS.items() for kind in kinds])
def test_a_disk_that_fails_once_refuses_and_loses_nothing(operation: str, kind: str) -> None:
    """An error, a full disk, a read or write that stops in the middle, a sync that failed and is forgotten: what was
    acknowledged is there after a power cut that follows, nothing is half there, and the store goes on."""
    dice = random.Random(f"{operation} {kind}")
    for failing in (1, 2, 3, 5, 9, 17, 33):
        disk, left, acknowledged = Disk(), failing, []

        def fault(asked: str) -> str | None:
            nonlocal left
            left -= asked == operation
            return kind if asked == operation and left == 0 else None

        _, log, ledger = opened(disk)
        disk.fault = fault
        for n in range(12):
            record = log.appending({"decision_id": f"d{n}", "filling": "x" * dice.randrange(2000)})
            with contextlib.suppress(LedgerError):
                ledger.reserve(f"d{n}", USE, DRAW, as_of=AT, also=record)
                acknowledged.append(f"d{n}")
        assert len(acknowledged) >= 10
        disk.fault = None
        _, log, ledger = opened(disk.after_a_power_cut(dice))
        names = {stored.decision_id for stored in log.read()}
        assert set(acknowledged) <= names
        assert verify(log).intact
        assert {each.key for each in ledger.pending()} == names
        assert ledger.verify() == ()


def test_weaker_settings_are_seen_to_lose_records() -> None:
    """The test can fail: with `synchronous = NORMAL`, and only that changed, acknowledged records go missing."""
    lost = 0

    def look(cut: Disk, acknowledged: list[str]) -> None:
        nonlocal lost
        try:
            _, log, _ = opened(cut)
            names = {stored.decision_id for stored in log.read()}
        except (RecordError, LedgerError):
            names = set()
        lost += not set(acknowledged) <= names

    states(200, ("PRAGMA synchronous = NORMAL", *DURABLE[1:]), look)
    assert lost > 20
