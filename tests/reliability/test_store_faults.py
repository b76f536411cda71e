"""When a store cannot be used: an error that names place and remedy, and never a record that is believed to be kept."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exportguard.authority import UsageDraw, open_ledger
from exportguard.errors import LedgerError, RecordError
from exportguard.record import open_log
from reliability.writers import AT


def entry(name: str, size: int = 10) -> dict[str, Any]:
    return {"decision_id": name, "filling": "x" * size}


def refused(action: Callable[[], object], error: type[Exception], place: object, said: str) -> None:
    with pytest.raises(error) as caught:
        action()
    text = str(caught.value)
    assert str(place) in text
    assert said in text
    assert "help: " in text


def test_a_place_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "log.sqlite3"
    refused(lambda: open_log(place), RecordError, place, "cannot be created")
    refused(lambda: open_ledger(place), LedgerError, place, "cannot be created")
    refused(lambda: open_log(tmp_path), RecordError, tmp_path, "is a directory")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="/proc: a place that root cannot write either")
def test_a_read_only_place() -> None:
    refused(lambda: open_log("/proc/exportguard/log"), RecordError, "/proc/exportguard/log", "cannot be created")


@pytest.mark.skipif(os.geteuid() == 0, reason="read-only file: root may write it all the same")
def test_a_read_only_file(tmp_path: Path) -> None:
    place = tmp_path / "log"
    open_log(place).close()
    place.chmod(0o400)
    refused(lambda: open_log(place), RecordError, place, "cannot be written")


@pytest.mark.parametrize("content", [b"not a database" * 500, b"SQLite format 3\x00" + b"\xff" * 8000, b"x"])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "log"
    place.write_bytes(content)
    with pytest.raises(RecordError, match="help: "):
        open_log(place)
    assert place.read_bytes() == content


def test_a_damaged_database_is_never_written_into_silently(tmp_path: Path) -> None:
    """Pages overwritten by something else: appending or reading says so; it does not pass over it."""
    place = tmp_path / "log"
    log = open_log(place)
    for n in range(300):
        log.append(entry(f"d{n}", 900))
    log.close()
    data = bytearray(place.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    place.write_bytes(bytes(data))

    def use() -> None:
        log = open_log(place)
        log.append(entry("new"))

    refused(use, RecordError, place, "damaged")


def test_a_planted_trigger_or_view_is_refused(tmp_path: Path) -> None:
    """It would change what is counted, and no record would tell."""
    for number, planted in enumerate((
        "CREATE TRIGGER t AFTER UPDATE ON ledger_use BEGIN UPDATE ledger_use SET tokens = 0; END",
        "CREATE VIEW v AS SELECT 1",
    )):  # fmt: skip
        place = tmp_path / f"store{number}"
        open_ledger(place).close()
        with sqlite3.connect(place) as connection:
            connection.execute(planted)
        connection.close()
        refused(lambda place=place: open_ledger(place), LedgerError, place, "not exportguard's")


def test_a_locked_database(tmp_path: Path) -> None:
    """Another process holds it longer than the time limit: refused; once it lets go, everything works again."""
    place = tmp_path / "log"
    log, ledger = open_log(place, timeout=0.2), open_ledger(place, timeout=0.2)
    holder = sqlite3.connect(place, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    refused(lambda: log.append(entry("d1")), RecordError, place, "locked by another process")
    refused(lambda: log.prove_writable(), RecordError, place, "locked by another process")
    use = [UsageDraw("customer", "c", tokens=1)]
    refused(lambda: ledger.reserve("k", use, as_of=AT), LedgerError, place, "locked by another process")
    holder.execute("ROLLBACK")
    holder.close()
    assert log.append(entry("d1")) == 1
    assert not ledger.reserve("k", use, as_of=AT).replayed
    log.close()
    ledger.close()


@pytest.mark.parametrize("replacement", [None, b""])
def test_a_file_that_went_away(tmp_path: Path, replacement: bytes | None) -> None:
    """Removed or replaced beneath a running process: writing into the lost file would look like success."""
    place = tmp_path / "log"
    log = open_log(place)
    log.append(entry("d1"))
    place.unlink()
    if replacement is not None:
        place.write_bytes(replacement)
    for n in range(2):
        refused(lambda n=n: log.append(entry(f"d{n + 2}")), RecordError, place, "removed or replaced")
    log.close()
    fresh = open_log(place)
    assert fresh.append(entry("d1")) == 1
    fresh.close()


@pytest.mark.parametrize("name", ["-wal", "-shm"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_beside_it_that_went_away(tmp_path: Path, name: str, replaced: bool) -> None:
    """`rm *-wal`: SQLite goes on writing into what nobody will ever open again, and says that it is durable."""
    place = tmp_path / "log"
    log = open_log(place)
    log.append(entry("d1"))
    beside = Path(f"{place}{name}")
    content = beside.read_bytes()
    beside.unlink()
    if replaced:
        beside.write_bytes(content)
    refused(lambda: log.append(entry("d2")), RecordError, place, "was removed or replaced")
    log.close()


def test_a_file_beside_it_is_another_after_everybody_closed_it(tmp_path: Path) -> None:
    """SQLite itself removes it then, and after a fork: that is no reason to refuse."""
    place = tmp_path / "log"
    log = open_log(place)
    log.append(entry("d1"))
    if hasattr(os, "fork"):
        child = os.fork()
        if child == 0:
            try:
                log.append(entry("d2"))
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    log.append(entry("d3"))
    log.close()
    assert log.append(entry("d4")) == 4
    log.close()


def cut(path: Path, part: float) -> None:
    os.truncate(path, int(path.stat().st_size * part))


def zero(path: Path, part: float) -> None:
    with path.open("r+b") as stream:
        size = path.stat().st_size
        stream.seek(int(size * part))
        stream.write(bytes(size - stream.tell()))


@pytest.mark.parametrize("harm", [cut, zero])
@pytest.mark.parametrize("part", [0, 0.3, 0.6, 0.95])
def test_a_write_ahead_log_that_is_cut_or_overwritten_in_place(tmp_path: Path, harm: Any, part: float) -> None:
    """`: > *-wal`: SQLite writes on behind the hole and says that it is durable; whoever opens the store after a crash
    reads up to the hole. What is acknowledged afterwards has to outlive one, too."""
    place = tmp_path / "log"
    log = open_log(place)
    for n in range(9):
        log.append(entry(f"d{n}", 500))
    harm(Path(f"{place}-wal"), part)
    refused(lambda: log.append(entry("not kept")), RecordError, place, "was cut or overwritten")
    kept = []
    for n in range(3):
        with contextlib.suppress(RecordError):
            log.append(entry(f"e{n}"))
            kept.append(f"e{n}")
    (tmp_path / "after").mkdir()
    if kept:
        for name in ("log", "log-wal"):
            shutil.copy(tmp_path / name, tmp_path / "after" / name)
        after = open_log(tmp_path / "after" / "log")
        assert [stored.decision_id for stored in after.tail(len(kept))] == kept
        after.close()
    log.close()


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_a_file_that_is_cut_in_place(tmp_path: Path, pages: int) -> None:
    place = tmp_path / "log"
    log = open_log(place)
    for n in range(9):
        log.append(entry(f"d{n}", 500))
    log.close()
    log.append(entry("e"))
    os.truncate(place, pages * 4096)
    for n in range(3):
        refused(lambda n=n: log.append(entry(f"f{n}")), RecordError, place, "was cut or overwritten")
    log.close()


@pytest.mark.parametrize("statement", ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"])
def test_what_sqlite_itself_makes_shorter_is_no_damage(tmp_path: Path, statement: str) -> None:
    place = tmp_path / "log"
    log = open_log(place)
    for n in range(9):
        log.append(entry(f"d{n}", 500))
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("CREATE TABLE filling AS SELECT randomblob(100000)")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        log.append(entry("e"))
        other.execute("DROP TABLE filling")
        for n in range(3):
            other.execute(statement)
            log.append(entry(f"f{n}"))
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            log.append(entry(f"g{n}"))
    log.close()
    assert len(list(open_log(place).read())) == 16


def test_what_a_crash_tore_apart_is_written_over(tmp_path: Path) -> None:
    """A commit's last frame may reach the disk without those before it. It lies behind the true end, is written over
    frame by frame, and is no damage."""
    place, torn = tmp_path / "log", tmp_path / "torn"
    log = open_log(place)
    log.append(entry("d0"))
    size = Path(f"{place}-wal").stat().st_size
    for n in range(1, 6):
        log.append(entry(f"d{n}", 3000))
    whole = bytearray(Path(f"{place}-wal").read_bytes())
    whole[size + 24 : size + 4120] = bytes(4096)
    torn.mkdir()
    shutil.copy(place, torn / "log")
    (torn / "log-wal").write_bytes(whole)
    log.close()
    again = open_log(torn / "log")
    for n in range(12):
        again.append(entry(f"e{n}"))
    assert [stored.decision_id for stored in again.read()] == ["d0", *[f"e{n}" for n in range(12)]]
    again.close()


def test_opening_a_store_again_lets_go_of_no_lock_on_it(tmp_path: Path) -> None:
    """A process that closes any descriptor of a file loses its locks on it (POSIX). Another process that closes the
    store last then takes the write-ahead log away from under the first one."""
    place = tmp_path / "log"
    log = open_log(place)
    log.append(entry("d1"))
    beside = os.stat(f"{place}-wal").st_ino
    again = open_log(place)  # not used: it only looks at the file
    other = "import sys; from exportguard.record import open_log; log = open_log(sys.argv[1]); log.tail(1); log.close()"
    subprocess.run([sys.executable, "-c", other, str(place)], check=True, timeout=60)
    assert os.stat(f"{place}-wal").st_ino == beside
    assert log.append(entry("d2")) == 2
    again.close()
    log.close()
    fresh = open_log(place)
    assert [stored.record["decision_id"] for stored in fresh.tail(5)] == ["d1", "d2"]
    fresh.close()


def test_a_store_behind_a_link_is_made_where_the_link_points(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "store")
    log = open_log(tmp_path / "link")
    assert log.append(entry("d1")) == 1
    log.close()
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o600


def test_a_removed_directory(tmp_path: Path) -> None:
    place = tmp_path / "home" / "log"
    log = open_log(place)
    shutil.rmtree(tmp_path / "home")
    refused(lambda: log.append(entry("d1")), RecordError, place, "removed or replaced")
    log.close()


FULL_DISK = """if True:
    import resource, sys
    from exportguard.errors import RecordError
    from exportguard.record import open_log
    log = open_log(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    kept = refused = 0
    for n in range(400):
        try:
            log.append({"decision_id": f"d{n}", "filling": "x" * 3000})
            kept += 1
            print(f"d{n}", flush=True)
        except RecordError as error:
            refused += 1
            assert sys.argv[1] in str(error) and "help: " in str(error), error
    assert kept and refused, (kept, refused)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    log.append({"decision_id": "after"})
    print("after", flush=True)
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """Files cannot grow any more: what does not fit is refused, what was acknowledged stays, and with room again the
    same log goes on."""
    place = str(tmp_path / "log")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, place],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    log = open_log(place)
    names = {stored.decision_id for stored in log.read()}
    assert set(done.stdout.split()) == names
    log.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for a few hundred records."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("a full file system: there is no `mount` here")
    if done.returncode:
        pytest.skip("a full file system: this user may not mount one")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_file_system(small_disk: Path) -> None:
    """Log and ledger: what does not fit is refused as such, what was acknowledged stays, and both go on with room."""
    log, ledger = open_log(small_disk / "log"), open_ledger(small_disk / "ledger")
    kept: list[str] = []
    reserved: list[str] = []

    def fill() -> None:
        while True:
            log.append(entry(f"d{len(kept)}", 2000))
            kept.append(f"d{len(kept)}")

    def order() -> None:
        while True:
            ledger.reserve(f"k{len(reserved)}", [UsageDraw("customer", "c" * 50, tokens=1)], as_of=AT)
            reserved.append(f"k{len(reserved)}")

    refused(fill, RecordError, small_disk, "the disk")
    refused(order, LedgerError, small_disk, "the disk")
    assert [stored.decision_id for stored in log.read()] == kept
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    log.append(entry("with room again"))
    ledger.reserve("with room again", [UsageDraw("customer", "c" * 50, tokens=1)], as_of=AT)
    assert [stored.decision_id for stored in log.read()] == [*kept, "with room again"]
    assert len(ledger.pending()) == len(reserved) + 1
    log.close()
    ledger.close()


def test_a_database_that_may_not_grow(tmp_path: Path) -> None:
    """SQLite itself says that it is full: the error says so."""
    place = tmp_path / "log"
    log = open_log(place)
    log.append(entry("d0"))
    from exportguard.storage import open_database

    database = open_database(place)
    database.write(lambda session: session.execute("PRAGMA max_page_count = 1"))
    refused(lambda: [log.append(entry(f"d{n}", 5000)) for n in range(1, 99)], RecordError, place, "the disk is full")
    database.close()
    log.close()


def test_one_bad_record_in_a_shared_commit_does_not_take_its_neighbours_along(tmp_path: Path) -> None:
    """Threads share a commit; a record that is refused refuses nobody else's."""
    log = open_log(tmp_path / "log")
    log.append(entry("taken"))
    outcomes: list[str] = []

    def work(number: int) -> None:
        for n in range(20):
            try:
                log.append(entry("taken", 99) if n % 2 else entry(f"d{number}-{n}"))
                outcomes.append("kept")
            except RecordError:
                outcomes.append("refused")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("kept"), outcomes.count("refused")) == (80, 80)
    assert len(list(log.read())) == 81
    log.close()


def test_a_failed_write_leaves_nothing_half(tmp_path: Path) -> None:
    """An error in the middle of a transaction, whatever it is, leaves neither rows nor a lock behind."""
    from exportguard.storage import open_database

    log = open_log(tmp_path / "log")
    database = open_database(tmp_path / "log")

    def work(session: Any) -> None:
        session.execute("INSERT INTO log_checkpoint (size, note) VALUES (1, 'half')")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.write(work)
    assert database.read(lambda session: session.execute("SELECT * FROM log_checkpoint")) == []
    assert log.append(entry("d1")) == 1
    database.close()
    log.close()
