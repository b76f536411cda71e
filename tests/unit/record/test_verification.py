"""Whatever is done to a log behind its back, `verify` names it."""

from __future__ import annotations

import random
import sqlite3
import stat
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from exportguard.authority import AuthorizationDraw, SqlLedger, UsageDraw, open_ledger
from exportguard.errors import ConfigurationError, InputError, LedgerError, RecordError
from exportguard.record import (
    Checkpoint,
    SqlLog,
    Verification,
    Verifier,
    file_signer,
    file_verifier,
    make_checkpoint,
    make_key,
    open_log,
    verify,
)
from exportguard.record.merkle import Frontier, leaf_hash
from exportguard.storage import open_database

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
PACKED = zlib.compress(b"another list").hex()


def filled(place: Path, records: int = 23) -> SqlLog:
    log = open_log(place)
    assert isinstance(log, SqlLog)
    for n in range(1, records + 1):
        log.append({"decision_id": f"d{n}", "outcome": "DENY", "n": n})
    return log


def tamper(place: Path, *statements: str) -> None:
    with sqlite3.connect(place) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def kinds(found: Verification) -> list[tuple[str, int | None]]:
    return [(each.kind, each.sequence) for each in found.findings]


def swap(columns: str, a: int, b: int) -> list[str]:
    names = columns.split(", ")
    moved = ", ".join(f"{c} = (SELECT {c} FROM other WHERE other.sequence = log_record.sequence)" for c in names)
    return [
        f"CREATE TEMP TABLE other AS SELECT {a} + {b} - sequence AS sequence, {columns} FROM log_record "
        f"WHERE sequence IN ({a}, {b})",
        f"UPDATE log_record SET decision_id = 'x' || sequence WHERE sequence IN ({a}, {b})",
        f"UPDATE log_record SET {moved} WHERE sequence IN ({a}, {b})",
    ]


def test_an_untouched_log_is_intact(place: str) -> None:
    log = open_log(place)
    assert isinstance(log, SqlLog)
    assert verify(log).intact
    for n in range(9):
        log.append({"decision_id": f"d{n}"})
        make_checkpoint(log, at=AT)
    found = verify(log)
    assert found.findings == ()
    assert found.size == 9
    log.close()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE log_record SET body = replace(body, 'DENY', 'DENX') WHERE sequence = 7"], [("changed", 7)]),
        (["UPDATE log_record SET decision_id = 'd99' WHERE sequence = 7"], [("changed", 7)]),
        (["UPDATE log_record SET leaf = zeroblob(32) WHERE sequence = 7"], [("changed", 7)]),
        (["DELETE FROM log_record WHERE sequence > 20"], [("cut", 21)]),
        (["DELETE FROM log_record WHERE sequence = 23"], [("cut", 23)]),
        (["DELETE FROM log_record"], [("cut", 1)]),
        (["DELETE FROM log_record WHERE sequence = 7"], [("missing", 7)]),
        (["DELETE FROM log_record WHERE sequence IN (7, 8, 9)"], [("missing", 7)]),
        (["DELETE FROM log_record WHERE sequence = 1"], [("missing", 1)]),
        (swap("decision_id, body", 7, 8), [("swapped", 7)]),
        (swap("decision_id, body", 3, 20), [("swapped", 3)]),
        (swap("decision_id, body, leaf", 7, 8), [("swapped", 7)]),
        (swap("decision_id, body, leaf", 3, 20), [("swapped", 3)]),
        (swap("decision_id, body, leaf, root", 7, 8), [("swapped", 7)]),
        (["UPDATE log_state SET size = 22"], [("added", 23)]),
        (["UPDATE log_state SET frontier = zeroblob(128)"], [("state", None)]),
        (["DELETE FROM log_state"], [("unreadable", 24)]),
        (["UPDATE log_record SET root = zeroblob(32) WHERE sequence = 7"], [("rewritten", 7)]),
        (["UPDATE log_record SET body = 99999999999 WHERE sequence = 7"], [("changed", 7)]),
        (["UPDATE log_state SET size = 'many'"], [("unreadable", 24)]),
        (["INSERT INTO log_content VALUES ('sha256:00', 'list', x'00')"], [("content", None)]),
        ([f"INSERT INTO log_content VALUES ('sha256:00', 'list', x'{PACKED}')"], [("content", None)]),
        (["DROP TABLE log_content"], [("unreadable", 24)]),
    ],
)
def test_tampering_is_named(tmp_path: Path, statements: list[str], expected: list[tuple[str, int | None]]) -> None:
    """A flipped byte, a cut tail, a swapped pair, a missing record: each by its kind and the record it begins at."""
    place = tmp_path / "log"
    log = filled(place)
    assert verify(log).intact
    tamper(place, *statements)
    assert kinds(verify(log)) == expected
    log.close()


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of more than two of the pages that `verify` looks at as a whole, with checkpoints inside and between."""
    place = tmp_path_factory.mktemp("long") / "log"
    log = filled(place, 0)
    made = 0
    for upto in (1, 500, 512, 513, 1024, 1100, 1200):
        works = [log.appending({"decision_id": f"d{n}", "outcome": "DENY"}) for n in range(made + 1, upto + 1)]
        log.write(lambda session, works=works: [work(session) for work in works])
        make_checkpoint(log, at=AT)
        made = upto
    assert verify(log).intact
    assert verify(log).size == 1200
    log.close()
    return place


@pytest.mark.parametrize("n", [1, 511, 512, 513, 700, 1024, 1025, 1199])
@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE log_record SET body = replace(body, 'DENY', 'DENX') WHERE sequence = {n}"], "changed"),
        (["UPDATE log_record SET body = x'' WHERE sequence = {n}"], "changed"),
        (["UPDATE log_record SET body = 7 WHERE sequence = {n}"], "changed"),
        (["UPDATE log_record SET leaf = 7 WHERE sequence = {n}"], "changed"),
        (["UPDATE log_record SET decision_id = 'x' WHERE sequence = {n}"], "changed"),
        (["UPDATE log_record SET root = zeroblob(32) WHERE sequence = {n}"], "rewritten"),
        (["UPDATE log_record SET root = 7 WHERE sequence = {n}"], "rewritten"),
        (["DELETE FROM log_record WHERE sequence = {n}"], "missing"),
        (["DELETE FROM log_record WHERE sequence > {n}"], "cut"),
    ],
)
def test_tampering_is_named_wherever_it_is(
    tmp_path: Path, long_log: Path, n: int, statements: list[str], expected: str
) -> None:
    """At the edge of a page that is looked at as a whole, in its middle, and once more far behind it."""
    place = tmp_path / "log"
    place.write_bytes(long_log.read_bytes())
    tamper(place, *(each.format(n=n) for each in statements))
    log = open_log(place)
    assert isinstance(log, SqlLog)
    found = verify(log).findings
    named = n + 1 if expected == "cut" else n
    assert (expected, named) in [(each.kind, each.sequence) for each in found]
    # Where a record is missing, what is there is less than the checkpoints of the end are over.
    assert {each.kind for each in found if each.sequence is not None and each.sequence < 1000} <= {expected}
    tamper(place, "UPDATE log_record SET body = replace(body, 'DENY', 'DENX') WHERE sequence = 1200")
    if expected != "cut":
        assert ("changed", 1200) in kinds(verify(log))
    log.close()


class _WrittenInto(SqlLog):
    """Somebody appends whenever it is asked how long it is, a few times."""

    left = 3

    def state(self) -> tuple[int, bytes]:
        if self.left:
            self.left -= 1
            self.append({"decision_id": f"later{self.left}"})
        return super().state()


def test_a_log_that_is_written_into_meanwhile_is_no_finding(tmp_path: Path) -> None:
    filled(tmp_path / "log").close()
    log = _WrittenInto(open_database(tmp_path / "log"))
    found = verify(log)
    assert (found.findings, found.size) == ((), 26)
    log.close()


def test_an_erasure_is_one_only_under_the_name_of_one(tmp_path: Path) -> None:
    """A text that is gone and that another record speaks of as erased: named, unless it is the log's own record."""
    place = tmp_path / "log"
    for name, expected in (("erasure-1", []), ("d24", [("changed", 7)])):
        log = filled(place / name)
        content = {"sequences": [[7, 7]]}
        log.append({"decision_id": name, "schema": "exportguard/erasure/1", "erasure": content})
        tamper(place / name, "UPDATE log_record SET body = x'' WHERE sequence = 7")
        assert kinds(verify(log)) == expected
        log.close()


def rewrite(place: Path, keep: int, change: Callable[[str], str]) -> None:
    """What somebody does who knows how the log is made: every leaf, root and state made anew."""
    with sqlite3.connect(place) as connection:
        rows = connection.execute("SELECT sequence, body FROM log_record ORDER BY sequence LIMIT ?", (keep,)).fetchall()
        connection.execute("DELETE FROM log_record WHERE sequence > ?", (keep,))
        frontier = Frontier()
        for sequence, body in rows:
            text = change(bytes(body).decode()).encode()
            frontier.append(leaf_hash(text))
            connection.execute(
                "UPDATE log_record SET body = ?, leaf = ?, root = ? WHERE sequence = ?",
                (text, leaf_hash(text), frontier.root(), sequence),
            )
        connection.execute("UPDATE log_state SET size = ?, frontier = ?", (frontier.size, frontier.to_bytes()))
    connection.close()


def test_a_log_written_anew_is_told_by_a_kept_checkpoint(tmp_path: Path) -> None:
    """Inside such a log everything fits; a note of its past does not."""
    place = tmp_path / "log"
    log = filled(place)
    kept = make_checkpoint(log, at=AT).note
    log.append({"decision_id": "later"})
    assert verify(log, checkpoint=kept).intact
    tamper(place, "DELETE FROM log_checkpoint")
    rewrite(place, 24, lambda text: text.replace("DENY", "PASS"))
    assert verify(log).intact
    found = verify(log, checkpoint=kept)
    assert kinds(found) == [("rewritten", None), ("old", None)]
    assert "the kept checkpoint over 23 records" in found.findings[0].message
    log.close()


def test_a_tail_cut_with_care_is_told_by_a_kept_checkpoint(tmp_path: Path) -> None:
    place = tmp_path / "log"
    log = filled(place)
    kept = make_checkpoint(log, at=AT).note
    tamper(place, "DELETE FROM log_checkpoint")
    rewrite(place, 20, lambda text: text)
    assert verify(log).intact
    assert kinds(verify(log, checkpoint=kept)) == [("cut", 21), ("old", None)]
    log.close()


def test_an_old_checkpoint_put_back_is_told(tmp_path: Path) -> None:
    """The tail is cut and the checkpoint of that time put in place: the newer one that was kept says so."""
    place = tmp_path / "log"
    pytest.importorskip("cryptography")
    verifier = make_key(tmp_path / "key.pem", "log.example")
    signer = file_signer(tmp_path / "key.pem", "log.example")
    log = filled(place, 10)
    older = make_checkpoint(log, at=AT, signer=signer).note
    for n in range(5):
        log.append({"decision_id": f"e{n}"})
    kept = make_checkpoint(log, at=AT, signer=signer).note
    tamper(place, "DELETE FROM log_checkpoint")
    assert [each.kind for each in verify(log, checkpoint=kept, verifier=verifier).findings] == ["old"]
    make_checkpoint(log, at=AT, signer=signer)
    assert verify(log, checkpoint=kept, verifier=verifier).intact
    tamper(place, "DELETE FROM log_checkpoint WHERE size = 15")
    log.keep_checkpoint(10, older)
    rewrite(place, 10, lambda text: text)
    assert verify(log, verifier=verifier, require_signed=True).intact
    found = verify(log, checkpoint=kept, verifier=verifier)
    assert [each.kind for each in found.findings] == ["cut", "old"]
    log.close()


def test_a_signature_is_required_because_the_caller_says_so(tmp_path: Path) -> None:
    """Stripped, by another key, or over another text: none of them counts as signed."""
    pytest.importorskip("cryptography")
    verifier = make_key(tmp_path / "key.pem", "log.example")
    make_key(tmp_path / "other.pem", "log.example")
    signer, other = (file_signer(tmp_path / f"{n}.pem", "log.example") for n in ("key", "other"))
    log = filled(tmp_path / "log")
    assert [each.kind for each in verify(log, verifier=verifier, require_signed=True).findings] == ["signature"]
    made = make_checkpoint(log, at=AT, signer=signer)
    assert verify(log, verifier=verifier, require_signed=True).intact
    assert verify(log, checkpoint=made.note, verifier=verifier, require_signed=True).intact

    forged = make_checkpoint(log, at=AT, signer=other)
    assert kinds(verify(log, verifier=verifier)) == [("signature", None)]
    log.keep_checkpoint(made.size, replace(made, signatures=()).note)
    assert "is not signed" in verify(log, verifier=verifier).findings[0].message
    log.keep_checkpoint(made.size, replace(made, origin="elsewhere").note)
    assert kinds(verify(log, verifier=verifier)) == [("signature", None)]
    log.keep_checkpoint(made.size, replace(forged, signatures=(*forged.signatures, *made.signatures)).note)
    assert verify(log, verifier=verifier).intact
    log.keep_checkpoint(made.size, "no checkpoint")
    assert kinds(verify(log)) == [("checkpoint", None)]
    log.close()


def test_a_checkpoint_is_a_note_that_reads_back(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    verifier = make_key(tmp_path / "key.pem", "log.example")
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    log = filled(tmp_path / "log", 3)
    made = make_checkpoint(log, at=AT, signer=file_signer(tmp_path / "key.pem", "log.example"))
    lines = made.note.split("\n")
    assert lines[:2] == ["exportguard", "3"]
    assert lines[3:5] == ["time 2026-11-24T12:00:00+00:00", ""]
    assert lines[5].startswith("— log.example ")
    read = Checkpoint.parse(made.note)
    assert read == made
    assert read.signed_by(verifier)
    assert read.signed_by(file_verifier(tmp_path / "key.pem", "log.example"))
    assert not read.signed_by(Verifier("other.example", verifier.public_key))
    log.close()


@pytest.mark.parametrize(
    "note", ["", "exportguard", "exportguard\n3\nAAAA\ntime 2026-11-24T12:00:00+00:00\n\n", "x\n" * 9]
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, note: str) -> None:
    log = filled(tmp_path / "log", 1)
    with pytest.raises(InputError, match="not a checkpoint"):
        verify(log, checkpoint=note)
    log.close()


def test_a_key_that_cannot_be_used(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    (tmp_path / "bad.pem").write_text("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n")
    for path in (tmp_path / "bad.pem", tmp_path / "none.pem"):
        with pytest.raises(ConfigurationError):
            file_signer(path, "name")
        with pytest.raises(ConfigurationError):
            file_verifier(path, "name")
    with pytest.raises(ConfigurationError):
        make_key(tmp_path / "bad.pem", "name")
    with pytest.raises(ConfigurationError):
        make_key(tmp_path / "new.pem", "two words")


def test_a_new_key_has_its_public_half_beside_it_for_whoever_verifies(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    verifier = make_key(tmp_path / "log.pem", "log.example")
    public = tmp_path / "log.pub.pem"
    assert file_verifier(public, "log.example") == verifier
    assert b"PRIVATE" not in public.read_bytes()
    (tmp_path / "other.pub.pem").write_text("somebody's")
    with pytest.raises(ConfigurationError, match="File exists"):
        make_key(tmp_path / "other.pem", "log.example")
    assert not (tmp_path / "other.pem").exists()
    assert (tmp_path / "other.pub.pem").read_text() == "somebody's"


def test_a_key_that_cannot_be_read_says_why_in_plain_words(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    (tmp_path / "bad.pem").write_text("nonsense")
    for make, what in ((file_signer, "signing"), (file_verifier, "public")):
        with pytest.raises(ConfigurationError, match=f"the {what} key cannot be read: No such file or directory"):
            make(tmp_path / "none.pem", "name")
        with pytest.raises(ConfigurationError, match=f"the {what} key cannot be read: it is not such a key"):
            make(tmp_path / "bad.pem", "name")


def test_a_signature_that_was_taken_away_is_named_without_a_key_too(tmp_path: Path) -> None:
    """Beside a signed one before it, or a signed one that was kept; unsigned ones before signing began are none."""
    place = tmp_path / "log"
    log = filled(place, 2)
    make_checkpoint(log, at=AT)
    make_key(tmp_path / "key.pem", "me")
    signer = file_signer(tmp_path / "key.pem", "me")
    notes = []
    for n in (3, 4):
        log.append({"decision_id": f"d{n}"})
        notes.append(make_checkpoint(log, at=AT, signer=signer).note)
    assert verify(log).intact
    assert verify(log, checkpoint=notes[0]).intact
    stripped = "UPDATE log_checkpoint SET note = substr(note, 1, instr(note, char(10) || char(10)) + 1)"
    tamper(place, f"{stripped} WHERE size = 4")
    assert kinds(verify(log)) == [("signature", None)]
    tamper(place, stripped)
    assert kinds(verify(log, checkpoint=notes[1])) == [("signature", None)]
    log.close()


def test_a_flipped_byte_of_the_file_is_named_or_refused_or_changes_nothing(tmp_path: Path) -> None:
    """Wherever it is: in a record, an index, what is kept by content, or what the ledger counts."""
    place, dice = tmp_path / "store", random.Random(7)
    log, ledger = filled(place, 12), open_ledger(place)
    log.keep("sha256:" + sha256(b"list" * 900).hexdigest(), "list", b"list" * 900)
    for n in range(6):
        draw = AuthorizationDraw("w-1", "accelerators", 1, 100)
        ledger.reserve(f"k{n}", [UsageDraw("customer", "c", n, n, n)], [draw], as_of=AT)
    log.close()
    ledger.close()
    whole, before = place.read_bytes(), _content(place)
    used = [at for at, byte in enumerate(whole) if byte]
    said: Counter[str] = Counter()
    for _ in range(80):
        at = dice.choice(used)
        place.write_bytes(whole[:at] + bytes([whole[at] ^ dice.randrange(1, 256)]) + whole[at + 1 :])
        outcome = _looked_at(place)
        said[outcome] += 1
        assert outcome != "ok" or _content(place) == before, at
    assert said["wrong"] > 10


def _looked_at(place: Path) -> str:
    try:
        log, ledger = open_log(place), open_ledger(place)
    except (RecordError, LedgerError):
        return "refused"
    assert isinstance(log, SqlLog)
    assert isinstance(ledger, SqlLedger)
    try:
        return "ok" if verify(log).intact and not ledger.verify() else "wrong"
    except LedgerError:
        return "refused"
    finally:
        log.close()
        ledger.close()


def _content(place: Path) -> list[Any]:
    """What matters of it: the log, what is kept, the sums, and of the reservations what they draw."""
    with sqlite3.connect(place) as connection:
        found = [
            sorted(connection.execute(f"SELECT {columns} FROM {table}"))
            for columns, table in (
                ("*", "log_record"), ("*", "log_state"), ("*", "log_content"), ("*", "ledger_use"),
                ("*", "ledger_authorization"), ("draws", "ledger_reservation WHERE state <> 'released'"),
            )
        ]  # fmt: skip
    connection.close()
    return found
