"""An exception of another thread's making (a time limit, an interrupt) at any step of a store."""

from __future__ import annotations

import ctypes
import dis
import random
import sys
import threading
import time
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import exportguard
from exportguard.authority import UsageDraw, open_ledger
from exportguard.forks import Lock
from exportguard.record import SqlLog, open_log, verify
from exportguard.vocabulary import UsageQuestion
from reliability.writers import AT

SOURCE = str(Path(exportguard.__file__).parent)
YEAR = (UsageQuestion("customer", "P1Y"), "c")
ONE = [UsageDraw("customer", "c", tokens=1)]


class Interrupt(BaseException):
    """What no code expects."""


@cache
def places(code: CodeType) -> frozenset[int]:
    """Where CPython looks whether something has arrived: at the start of a function, after a call, in a loop."""
    found, before = set(), ""
    for each in dis.get_instructions(code):
        if before.startswith("CALL") or each.opname == "RESUME" or each.opname.startswith("JUMP_BACKWARD"):
            found.add(each.offset)
        before = each.opname
    return frozenset(found)


class Interrupted:
    """Within it, the interrupt arrives at the *at*-th of those places in exportguard."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __enter__(self) -> Interrupted:
        # Some releases of 3.12 tell of instructions only if a frame has asked for them before tracing begins.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(SOURCE):
            return None
        frame.f_trace_opcodes = True
        return self._step

    def _step(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "opcode" and frame.f_lasti in places(frame.f_code):
            self.left -= 1
            if not self.left:
                sys.settrace(None)
                raise Interrupt
        return self._step


def test_an_interrupt_at_any_step_leaves_the_store_whole_and_free(tmp_path: Path) -> None:
    """What was begun is there whole or not at all, no lock stays taken, and other threads go on."""
    place = tmp_path / "store.sqlite3"
    log, ledger = open_log(place), open_ledger(place)
    assert isinstance(log, SqlLog)

    def reserve(name: str) -> None:
        ledger.reserve(name, ONE, as_of=AT, also=log.appending({"decision_id": name}))

    reserve("first")
    ledger.read([YEAR], AT)
    at = 0
    over = False
    while not over:
        at += 1
        try:
            with Interrupted(at):
                reserve(f"d{at}")
                ledger.read([YEAR], AT)
                over = True
        except Interrupt:
            pass
        if at % 10 == 0 or over:
            other = threading.Thread(target=reserve, args=(f"other{at}",), daemon=True)
            other.start()
            other.join(20)
            assert not other.is_alive(), at
    assert at > 100
    names = {stored.decision_id for stored in log.read()}
    assert {each.key for each in ledger.pending()} == names
    assert ledger.read([YEAR], AT)[YEAR].tokens == len(names)
    assert verify(log).intact
    log.close()
    ledger.close()


def test_a_lock_is_not_left_taken_by_an_interrupt() -> None:
    lock = Lock()

    def once() -> None:
        with lock:
            pass

    for at in range(1, 6):
        try:
            with Interrupted(at):
                once()
        except Interrupt:
            pass
        other = threading.Thread(target=once, daemon=True)
        other.start()
        other.join(20)
        assert not other.is_alive()


def test_threads_that_are_interrupted_take_nobody_along(tmp_path: Path) -> None:
    """Whoever leads a shared commit may be interrupted in it: the others' work is done all the same, once."""
    place = tmp_path / "store.sqlite3"
    log, ledger = open_log(place), open_ledger(place)
    assert isinstance(log, SqlLog)
    end = time.monotonic() + 0.6
    kept: list[str] = []

    def write(who: int) -> None:
        n = 0
        while time.monotonic() < end:
            n += 1
            try:
                ledger.reserve(f"{who}-{n}", ONE, as_of=AT, also=log.appending({"decision_id": f"{who}-{n}"}))
                kept.append(f"{who}-{n}")
            except Interrupt:
                pass

    def writing(who: int) -> None:
        try:
            write(who)
        except Interrupt:
            writing(who)

    threads = [threading.Thread(target=writing, args=(who,), daemon=True) for who in range(4)]
    for each in threads:
        each.start()
    dice = random.Random(1)
    while time.monotonic() < end:
        time.sleep(dice.random() * 0.004)
        ident = ctypes.c_ulong(dice.choice(threads).ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Interrupt))
    for each in threads:
        each.join(20)
    assert not any(each.is_alive() for each in threads)
    names = [stored.decision_id for stored in log.read()]
    assert set(kept) <= set(names)
    assert {each.key for each in ledger.pending()} == set(names)
    assert ledger.read([YEAR], AT)[YEAR].tokens == len(names)
    assert verify(log).intact
    log.close()
    ledger.close()
