"""What a user may rely on of the decision log, on every kind of store."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from exportguard.errors import ConfigurationError, RecordError
from exportguard.record import DecisionLog, default_store, open_log


def entry(name: str, **more: object) -> dict[str, object]:
    return {"decision_id": name, "outcome": "ALLOW", **more}


def test_what_was_appended_is_read_back_in_order(place: str) -> None:
    """Sequence numbers count from 1 without gaps; a second log on the same place reads the same records."""
    log = open_log(place)
    assert [log.append(entry(f"d{n}", n=n)) for n in range(7)] == [1, 2, 3, 4, 5, 6, 7]
    assert [r.record["n"] for r in log.read()] == list(range(7))
    assert [r.sequence for r in log.read(after=5)] == [6, 7]
    assert [r.sequence for r in log.read(after=1, limit=2)] == [2, 3]
    assert [r.decision_id for r in log.tail(2)] == ["d5", "d6"]
    found = log.get("d3")
    assert found is not None
    assert found.record == entry("d3", n=3)
    assert log.get("nobody") is None
    log.close()
    again = open_log(place)
    assert [r.decision_id for r in again.read()] == [f"d{n}" for n in range(7)]
    again.close()


def test_reading_goes_past_a_page(place: str) -> None:
    log = open_log(place)
    threads = [
        threading.Thread(target=lambda k=k: [log.append(entry(f"{k}-{n}")) for n in range(320)]) for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.sequence for r in log.read()] == list(range(1, 1281))
    assert len({r.decision_id for r in log.read()}) == 1280
    log.close()


def test_the_same_record_again_is_the_same_record(place: str) -> None:
    """A caller that is not sure whether its record was kept appends it again; other content under its id is refused."""
    log = open_log(place)
    first = log.append(entry("d1", a=1, b=[1, 2]))
    assert log.append({"b": [1, 2], "a": 1, "outcome": "ALLOW", "decision_id": "d1"}) == first
    with pytest.raises(RecordError, match="recorded before, with other content"):
        log.append(entry("d1", a=2))
    assert len(list(log.read())) == 1
    log.close()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), r"\$\.parties\[1\]\.percent: nan"),
        (float("-inf"), r"\$\.parties\[1\]\.percent: -inf"),
        (2**53, r"\$\.parties\[1\]\.percent: an integer beyond"),
        (-(10**400), r"\$\.parties\[1\]\.percent: an integer beyond"),
        ("\ud800", r"\$\.parties\[1\]\.percent: text that is not Unicode"),
        ({1: 2}, r"\$\.parties\[1\]\.percent: a key that is not text"),
        (object(), r"\$\.parties\[1\]\.percent: a object is not JSON"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(tmp_path: Path, value: object, said: str) -> None:
    log = open_log(tmp_path / "log")
    with pytest.raises(RecordError, match=said):
        log.append(entry("d1", parties=[{}, {"percent": value}]))
    assert log.append(entry("d2")) == 1
    log.close()


@pytest.mark.parametrize("record", [{}, {"decision_id": None}, {"decision_id": ""}, {"decision_id": 7}])
def test_a_record_without_its_id_is_refused(tmp_path: Path, record: dict[str, object]) -> None:
    log = open_log(tmp_path / "log")
    with pytest.raises(RecordError, match="decision_id"):
        log.append(record)
    log.close()


def test_a_newer_store_is_refused(place: str) -> None:
    """An older exportguard never writes into tables that it does not know."""
    log = open_log(place)
    log.append(entry("d1"))
    from exportguard.storage import open_database

    database = open_database(place)
    database.write(lambda s: s.execute("UPDATE exportguard_meta SET value = '99' WHERE name = 'decision_log'"))
    database.close()
    log.close()
    with pytest.raises(RecordError, match=r"version 99(.|\n)*Upgrade exportguard"):
        open_log(place)


def test_another_applications_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite3"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE customer (id)")
    with pytest.raises(RecordError, match="another application's tables"):
        open_log(path)
    with sqlite3.connect(path) as theirs:
        assert theirs.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_the_store_is_the_users_own(tmp_path: Path) -> None:
    """Directories are made; they and the files are closed to others, whatever the umask says."""
    old = os.umask(0)
    try:
        log = open_log(tmp_path / "a" / "b" / "log.sqlite3")
        log.append(entry("d1"))
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*")}
    finally:
        os.umask(old)
    assert modes.pop("a") == modes.pop("b") == 0o700
    assert modes.keys() >= {"log.sqlite3", "log.sqlite3-wal"}
    assert set(modes.values()) == {0o600}
    log.close()


def test_a_ready_log_is_taken_as_it_is(tmp_path: Path) -> None:
    log = open_log(tmp_path / "log")
    assert isinstance(log, DecisionLog)
    assert open_log(log) is log
    log.close()


def test_a_log_and_its_copy_by_another_name_share_one_writer(tmp_path: Path) -> None:
    """Two logs of one file in one process do not wait for one another, and closing one leaves the other open."""
    one, two = open_log(tmp_path / "log"), open_log(f"sqlite:///{tmp_path / 'log'}")
    one.append(entry("d1"))
    one.close()
    assert two.append(entry("d2")) == 2
    two.close()


@pytest.mark.parametrize("target", [":memory:", "mysql://root:hunter2@host/db", "", 7, object()])
def test_what_is_no_place_for_a_log_is_refused(target: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_log(target)  # type: ignore[arg-type]
    assert "hunter2" not in str(caught.value)


def test_the_password_of_a_url_is_not_told() -> None:
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("psycopg")
    with pytest.raises(RecordError) as caught:
        open_log("postgresql://tester:hunter2@127.0.0.1:1/nothing", timeout=2)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)
    assert "cannot be reached" in str(caught.value)


def test_where_the_store_is_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`EXPORTGUARD_HOME`, else the user's state directory; a relative `XDG_STATE_HOME` counts for nothing."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("EXPORTGUARD_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert default_store() == tmp_path / ".local/state/exportguard/exportguard.sqlite3"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert default_store() == tmp_path / ".local/state/exportguard/exportguard.sqlite3"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert default_store() == tmp_path / "state/exportguard/exportguard.sqlite3"
    monkeypatch.setenv("EXPORTGUARD_HOME", str(tmp_path / "home"))
    assert default_store() == tmp_path / "home/exportguard.sqlite3"


def test_proving_writable_writes(place: str) -> None:
    log = open_log(place)
    log.prove_writable()
    log.prove_writable()
    assert list(log.read()) == []
    log.close()
