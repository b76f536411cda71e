"""Forking: a pre-forking server opens the guard once, and its children write."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from exportguard.authority import UsageDraw, open_ledger
from exportguard.record import SqlLog, open_log, verify
from reliability.writers import AT

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork: not on this system")


def _fork(work: object) -> int:
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        status = 1
        try:
            work()  # type: ignore[operator]
            status = 0
        finally:
            os._exit(status)
    return child


def _status(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_children_write_while_the_parents_threads_write(place: str) -> None:
    """Forked in the middle of the parent's transactions, six children record and reserve; nothing hangs or is lost."""
    log, ledger = open_log(place), open_ledger(place)
    log.append({"decision_id": "before"})
    stop = threading.Event()
    written: list[str] = []

    def keep_writing(name: str) -> None:
        number = 0
        while not stop.is_set():
            decision = f"{name}-{number}"
            log.append({"decision_id": decision})
            ledger.reserve(decision, [UsageDraw("customer", name, tokens=1)], as_of=AT)
            list(log.read(after=number, limit=3))
            written.append(decision)
            number += 1

    threads = [threading.Thread(target=keep_writing, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()

    def child(number: int) -> None:
        for n in range(10):
            log.append({"decision_id": f"c{number}-{n}"})
            ledger.reserve(f"c{number}-{n}", [UsageDraw("customer", "c", tokens=1)], as_of=AT)

    children = []
    for number in range(6):
        time.sleep(0.01)
        children.append(_fork(lambda number=number: child(number)))
    assert [_status(each) for each in children] == [0] * 6
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    expected = {"before", *written, *(f"c{number}-{n}" for number in range(6) for n in range(10))}
    assert {stored.decision_id for stored in log.read()} == expected
    assert {each.key for each in ledger.pending()} == expected - {"before"}
    assert isinstance(log, SqlLog)
    assert verify(log).findings == ()
    log.close()
    ledger.close()


def test_a_childs_child_writes_too(tmp_path: Path) -> None:
    log = open_log(tmp_path / "log")
    log.append({"decision_id": "parent"})

    def child() -> None:
        def grandchild() -> None:
            log.append({"decision_id": "grandchild"})

        assert _status(_fork(grandchild)) == 0
        log.append({"decision_id": "child"})

    assert _status(_fork(child)) == 0
    log.append({"decision_id": "parent again"})
    names = [stored.decision_id for stored in log.read()]
    assert names == ["parent", "grandchild", "child", "parent again"]
    log.close()


def test_a_child_holds_the_files_lock_itself(tmp_path: Path) -> None:
    """The parent goes away, another process opens the file: it must not believe that nobody uses it."""
    place = str(tmp_path / "log")
    program = """if True:
        import os, sys, time
        from exportguard.record import open_log
        log = open_log(sys.argv[1])
        log.append({"decision_id": "parent"})
        if os.fork():
            os._exit(0)
        log.append({"decision_id": "child 1"})
        print("ready", flush=True)
        sys.stdin.readline()
        log.append({"decision_id": "child 2"})
        print("done", flush=True)
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
    child = subprocess.Popen(
        [sys.executable, "-c", program, place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == "ready\n"
    with sqlite3.connect(place, timeout=0.1) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("PRAGMA journal_mode = DELETE")
        other.execute("PRAGMA wal_checkpoint")
    other.close()
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "done\n"
    child.communicate(timeout=30)
    log = open_log(place)
    assert [stored.decision_id for stored in log.read()] == ["parent", "child 1", "child 2"]
    log.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_judges_though_another_thread_was_in_the_middle_of_it(tmp_path: Path) -> None:
    """Every lock of the library may be held by some thread at the fork; it is not in the child to let it go."""
    import gc

    from exportguard import Guard
    from exportguard.forks import Lock

    customers = Path(__file__).resolve().parents[2] / "examples" / "company_policies" / "customers.yaml"
    guard = Guard.load(None, customers=customers, record=tmp_path / "log", ledger=None, lists=None)
    call = {
        "sdk": "boto3", "service": "ec2", "operation": "RunInstances", "region": "us-east-1",
        "customer": "cust-zurich", "parameters": {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1},
    }  # fmt: skip
    guard.check(call)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        locks = [each for each in gc.get_objects() if isinstance(each, Lock)]
        assert locks
        with contextlib.ExitStack() as stack:
            for each in locks:
                stack.enter_context(each)
            held.set()
            let_go.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)
    child = _fork(lambda: guard.check(call))
    let_go.set()
    thread.join()
    assert _status(child) == 0
    guard.close()


def test_who_forks_in_the_middle_lets_go_of_what_it_held() -> None:
    from exportguard.forks import Lock

    lock = Lock()

    def nested() -> None:
        with lock:
            pass

    with lock:
        child = os.fork()
        if child == 0:
            signal.alarm(30)
    if child == 0:
        taken = threading.Thread(target=nested, daemon=True)
        taken.start()
        taken.join(20)
        os._exit(int(taken.is_alive()))
    assert _status(child) == 0


def test_no_lock_of_the_library_stays_taken_in_a_child() -> None:
    """Outside of `forks` and `storage`, which renew theirs, a lock of `threading` would."""
    source = Path(__file__).resolve().parents[2] / "src" / "exportguard"
    exempt = {source / "forks.py", source / "storage" / "database.py", source / "testing" / "recorder.py"}
    made = re.compile(r"threading\.(R?Lock|Condition|Semaphore|Event)\(")
    found = [str(path) for path in source.rglob("*.py") if path not in exempt and made.search(path.read_text("utf-8"))]
    assert found == []
