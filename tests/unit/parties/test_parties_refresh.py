"""Lists on disk: refreshed at once or not at all, picked by the instant of a decision, never believed when damaged."""

from __future__ import annotations

import http.server
import json
import logging
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exportguard.errors import ConfigurationError, DocumentError
from exportguard.parties.screening import InstalledScreener, Status, load_lists, old_list
from exportguard.parties.screening.choosing import read_age
from exportguard.parties.screening.refresh import refresh
from exportguard.parties.screening.snapshots import EMBEDDED, snapshots

NOW = datetime(2026, 9, 10, tzinfo=UTC)


def row(name: str, code: str = "EL") -> dict[str, Any]:
    return {"name": name, "source": f"Some List ({code}) - Some Department", "alt_names": []}


def write(path: Path, *names: str, day: str = "2026-09-01") -> Path:
    path.write_text(json.dumps({"search_performed_at": f"{day}T00:00:00+00:00", "results": [row(n) for n in names]}))
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPORTGUARD_HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_refreshed_list_is_picked_by_the_instant_of_the_decision(home: Path) -> None:
    """From its day on the new list decides; a decision of an earlier day is replayed by the list of then."""
    done = refresh(write(home / "new.json", "Brandnew Works"), now=NOW, force=True)
    assert (done.day, done.previous_day, done.rows, done.changed) == (date(2026, 9, 1), date(2026, 7, 31), 1, True)
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o600
    screener = InstalledScreener()
    assert (screener.list_date, screener.digest) == (done.day, done.digest)
    after = screener.screen("Brandnew Works", as_of=NOW)
    assert (after.status, after.digest) == (Status.HIT, done.digest)
    before = screener.screen("Brandnew Works", as_of=datetime(2026, 8, 2, tzinfo=UTC))
    assert (before.status, before.list_date) == (Status.CLEAR, date(2026, 7, 31))
    again = refresh(home / "new.json", now=NOW + timedelta(hours=1))
    assert (again.changed, again.path) == (False, done.path)


def test_a_correction_of_the_same_day_replaces_the_earlier_one(home: Path) -> None:
    """Two lists of one day: the one that came later counts."""
    refresh(write(home / "a.json", "First Works"), now=NOW, force=True)
    refresh(write(home / "b.json", "Second Works"), now=NOW + timedelta(hours=1), force=True)
    assert InstalledScreener().screen("Second Works", as_of=NOW).status is Status.HIT
    assert InstalledScreener().screen("First Works", as_of=NOW).status is Status.CLEAR


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"results": [', "truncated"),
        (json.dumps({"search_performed_at": "2026-09-11T00:00:00Z", "results": [row("X")]}), "has not come"),
        (json.dumps({"search_performed_at": "2026-01-11T00:00:00Z", "results": [row("X")]}), "one in use of"),
        (json.dumps({"search_performed_at": "2026-09-01T00:00:00Z", "results": [row("X")]}), "may be cut off"),
        (json.dumps({"results": [row("X")]}), "of which day"),
    ],
)
def test_a_list_that_is_no_newer_whole_one_changes_nothing(home: Path, content: str, said: str) -> None:
    """Truncated, of tomorrow, older, much shorter or undated: refused with the place, and nothing is written."""
    source = home / "list.json"
    source.write_text(content)
    with pytest.raises(DocumentError, match=said) as refused:
        refresh(source, now=NOW)
    assert "list.json" in str(refused.value)
    assert len(snapshots()) == 1
    assert not list(home.glob("home/lists/*"))


def test_a_damaged_refreshed_list_makes_names_unknown_and_says_where(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A list changed or cut off on disk is named at load, and clears nobody."""
    done = refresh(write(home / "new.json", "Brandnew Works"), now=NOW, force=True)
    done.path.write_bytes(done.path.read_bytes()[:-20])
    with caplog.at_level(logging.WARNING, logger="exportguard"):
        screener = InstalledScreener()
    assert str(done.path) in caplog.text
    result = screener.screen("Brandnew Works", as_of=NOW)
    assert result.status is Status.UNKNOWN
    assert str(done.path) in str(result.reason)
    assert screener.screen("Sichuan University", as_of=datetime(2026, 8, 1, tzinfo=UTC)).status is Status.HIT


def test_a_disk_that_refuses_is_an_error_and_leaves_nothing(home: Path) -> None:
    """Where the folder cannot be made, the refresh says so."""
    (home / "home").write_text("a file where a folder should be")
    with pytest.raises(ConfigurationError, match="cannot be kept"):
        refresh(write(home / "new.json", "Brandnew Works"), now=NOW, force=True)


class _Server(http.server.BaseHTTPRequestHandler):
    body = b""
    said: int | None = None

    def do_GET(self) -> None:
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.said if self.said is not None else len(self.body)))
        self.send_header("Last-Modified", "Wed, 02 Sep 2026 07:28:00 GMT")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[_Server]]]:
    handler = type("Handler", (_Server,), {})
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}", handler
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_list_is_fetched_whole_or_not_at_all(home: Path, server: tuple[str, type[_Server]]) -> None:
    """The server's date counts where the list has none; a short answer and a missing one are refused."""
    url, handler = server
    handler.body = b"source,name\nEntity List (EL) - BIS,Fetched Works\n"
    assert refresh(f"{url}/consolidated.csv", now=NOW, force=True).day == date(2026, 9, 2)
    assert InstalledScreener().screen("Fetched Works", as_of=NOW).status is Status.HIT
    handler.said = len(handler.body) + 10
    for path in ("/consolidated.csv", "/gone"):
        with pytest.raises(DocumentError):
            refresh(url + path, now=NOW, force=True)
    assert len(snapshots()) == 2


def test_lists_come_by_https_only() -> None:
    """Plain http and other schemes are refused before anything is asked."""
    for url in ("http://example.com/list.json", "ftp://example.com/list.json"):
        with pytest.raises(ConfigurationError, match="not fetched by"):
            refresh(url, now=NOW)


def test_the_age_that_is_allowed_is_configured_in_days(home: Path) -> None:
    """45, "45d" and P45D are 45 days; what is no age is refused, never taken as the default."""
    for age in (45, "45", "45d", "P45D", timedelta(days=45)):
        assert read_age(age) == timedelta(days=45)
    for wrong in ("soon", -1, True, 4.5, timedelta(days=-1)):
        with pytest.raises(ConfigurationError):
            read_age(wrong)  # type: ignore[arg-type]
    assert "older than 30 days" in str(old_list(load_lists("default"), NOW))
    patient = load_lists("default", max_list_age=60)
    assert old_list(patient, NOW) is None
    assert patient.screen("Sichuan Normal University", as_of=NOW).status is Status.CLEAR
    assert load_lists(EMBEDDED, max_list_age="60").screen("Sichuan Normal University", as_of=NOW).status is Status.CLEAR
