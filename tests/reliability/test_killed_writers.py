"""kill -9 at any point: what was acknowledged is there, and the store goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import TextIO

import pytest

from exportguard.authority import open_ledger
from exportguard.record import SqlLog, open_log, verify
from exportguard.vocabulary import UsageQuestion
from reliability.processes import killed, start
from reliability.writers import AT


def _wait_for_a_line(process: object) -> str:
    return process.stdout.readline().decode().strip()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize(("writers", "kills"), [(1, 8), (4, 2)])
def test_every_acknowledged_record_outlives_kill_9(tmp_path: Path, writers: int, kills: int) -> None:
    """Writers are killed at random moments, again and again, on one file: nothing acknowledged is missing, the
    sequence has no gap, and the tree fits its records. (Few kills, for the time that starting a process takes;
    the next test has two hundred.)"""
    _kill_again_and_again(tmp_path, writers, kills)


@pytest.mark.soak
@pytest.mark.parametrize(("writers", "kills"), [(1, 200), (4, 450)])
def test_every_acknowledged_record_outlives_kill_9_for_long(tmp_path: Path, writers: int, kills: int) -> None:
    """2,000 kills of processes of their own: 200 of one writer, 1,800 of four."""
    _kill_again_and_again(tmp_path, writers, kills)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork: not on this system")
@pytest.mark.parametrize(("writers", "rounds"), [(1, 152), (4, 12)])
def test_every_acknowledged_record_outlives_two_hundred_kills(tmp_path: Path, writers: int, rounds: int) -> None:
    """The same with forked children, which start at once: 200 kills in all."""
    place = str(tmp_path / "log")
    log = open_log(place)
    log.append({"decision_id": "first"})
    dice = random.Random(200 + writers)
    acknowledged = {"first"}
    for round_ in range(rounds):
        children = [_child(place, f"r{round_}w{n}") for n in range(writers)]
        acknowledged |= {each.readline().strip() for _, each in children}
        time.sleep(dice.uniform(0, 0.01))
        for child, said in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            *whole, _ = said.read().split("\n")
            acknowledged |= set(whole)
            said.close()
    assert acknowledged <= {stored.decision_id for stored in log.read()}
    assert len(acknowledged) > writers * rounds
    assert isinstance(log, SqlLog)
    assert verify(log).findings == ()
    log.close()


def _child(place: str, name: str) -> tuple[int, TextIO]:
    """A forked writer, and what it says was acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(30)
        try:
            log = open_log(place)
            for number in range(10**9):
                log.append({"decision_id": f"{name}-{number}", "filling": "x" * 700})
                os.write(writing, f"{name}-{number}\n".encode())
        finally:
            os._exit(1)
    os.close(writing)
    return child, open(reading, encoding="utf-8")


def _kill_again_and_again(tmp_path: Path, writers: int, kills: int) -> None:
    place = str(tmp_path / "log")
    dice = random.Random(20261124 + writers)
    acknowledged: set[str] = set()
    for round_ in range(kills):
        running = [start("append_for_ever", place, f"r{round_}w{n}") for n in range(writers)]
        acknowledged |= {_wait_for_a_line(each) for each in running}
        time.sleep(dice.uniform(0, 0.05))
        for each in running:
            acknowledged |= set(killed(each))
        log = open_log(place)
        assert isinstance(log, SqlLog)
        log.prove_writable()
        log.close()
    log = open_log(place)
    assert isinstance(log, SqlLog)
    assert acknowledged <= {stored.decision_id for stored in log.read()}
    assert len(acknowledged) >= writers * kills
    assert verify(log).findings == ()
    log.close()


def test_no_reservation_is_half_made_by_kill_9(tmp_path: Path) -> None:
    """After each kill: usage, drawdown and pending reservations say the same number, at least the acknowledged one."""
    place = str(tmp_path / "ledger")
    dice = random.Random(7)
    acknowledged: set[str] = set()
    for round_ in range(5):
        running = start("reserve_for_ever", place, f"r{round_}")
        acknowledged.add(_wait_for_a_line(running))
        time.sleep(dice.uniform(0, 0.05))
        acknowledged |= set(killed(running))
        ledger = open_ledger(place)
        pending = {each.key for each in ledger.pending()}
        question = (UsageQuestion("customer", "P1D"), "c")
        assert acknowledged <= pending
        assert ledger.drawn("licence", "accelerators") == len(pending)
        assert ledger.read([question], AT)[question].accelerators == len(pending)
        ledger.close()
