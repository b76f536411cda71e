"""A power cut at any write: what was acknowledged is there afterwards, and the tree fits (needs APSW)."""

from __future__ import annotations

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
from reliability.fault_vfs import Disk, FaultyDriver, FaultyVfs
from reliability.writers import AT

_names = count()


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
    draw = [AuthorizationDraw("licence", "accelerators", 1, 10**6)]
    use = [UsageDraw("customer", "c", accelerators=1)]
    for n in range(dice.randrange(4, 14)):
        record = log.appending({"decision_id": f"d{n}", "filling": "x" * dice.randrange(2000)})
        ledger.reserve(f"d{n}", use, draw, as_of=AT, also=record)
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
