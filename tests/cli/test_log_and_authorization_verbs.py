"""`exportguard log` and `exportguard authorizations`, on what a live guard has written."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from typer.testing import CliRunner

from exportguard import Guard, ProvisioningHeld
from exportguard.cli.app import app
from exportguard.errors import ExportguardError
from exportguard.language import PolicySource
from exportguard.vocabulary import CallOrigin

NOW = datetime.now(UTC)
POLICY = """
policy: house
version: 1
title: The rules of the house
basis: company_policy
references:
  - cite: a test
    read: 2026-11-25
rules:
  - id: look-first
    title: A chip of the top class needs somebody to look first
    effect: hold
    when: item.accelerator.family == "H100"
    because: "{item.name}: somebody has to look first"
    authorizable_by: [internal_waiver]
  - id: never-lifted
    title: An H200 is held whatever anybody says
    effect: hold
    when: item.accelerator.family == "H200"
    because: "{item.name} is held"
"""
UNKNOWN = (
    POLICY.partition("  - id")[0]
    + """
  - id: unknown
    title: What cannot be named is held
    effect: hold
    when: unknown(item.accelerator.id)
    because: "{item.name}: it is not known what it is"
    authorizable_by: [internal_waiver]
"""
)
COUNTED = (
    POLICY
    + """
  - id: never-so-many
    title: More than a hundred accelerators
    effect: hold
    when: usage.accelerators > 100.0
    per: {by: customer}
    because: too many
"""
)
PARTY = {
    "role": "end_user", "name": "Universität Zürich", "country": "CH", "headquarters": "CH",
    "ultimate_parent": None, "listings": [], "owners": [], "verified": True,
}  # fmt: skip
CUSTOMERS = {"customers": [{"id": "cust-zurich", "parties": [PARTY]}]}
LICENCE = {
    "id": "w-1", "kind": "internal_waiver", "scope": 'item.accelerator.family == "H100"',
    "parties": [{"role": "end_user", "name": "Universität Zürich"}], "effective": {"from": "2026-01-01"},
    "quantity": {"unit": "accelerators", "limit": 8}, "requested_by": "a@example.com", "approved_by": ["b@example.com"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def moto() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPORTGUARD_RECORD", str(tmp_path / "store.sqlite3"))
    monkeypatch.setenv("EXPORTGUARD_LEDGER", str(tmp_path / "store.sqlite3"))
    return tmp_path / "store.sqlite3"


@pytest.fixture
def make(place: Path) -> Iterator[Callable[..., Guard]]:
    guards: list[Guard] = []

    def made(policy: str = POLICY, **options: Any) -> Guard:
        settings: dict[str, Any] = {
            "customers": CUSTOMERS, "record": place, "ledger": place, "lists": None, "clock": lambda: NOW, **options
        }  # fmt: skip
        guards.append(Guard.load((PolicySource("house.yaml", policy),), **settings))
        return guards[-1]

    yield made
    for guard in guards:
        guard.close()


def client(guard: Guard, customer: str | None = "cust-zurich") -> Any:
    session = boto3.Session("demo", "demo", "demo", region_name="us-east-1")
    return guard.attach(session.client("ec2", config=Config(retries={"total_max_attempts": 1})), customer=customer)


def run(ec2: Any, kind: str = "p5.48xlarge", count: int = 1) -> Any:
    return ec2.run_instances(ImageId="ami-12c6146b", InstanceType=kind, MinCount=count, MaxCount=count)


def held(ec2: Any, **more: Any) -> str:
    with pytest.raises(ProvisioningHeld) as caught:
        run(ec2, **more)
    assert caught.value.decision.decision_id is not None
    return caught.value.decision.decision_id


def shell(*arguments: str) -> tuple[int, str]:
    """Exit code and output; errors of ours are 2, as the entry point makes them."""
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, ExportguardError):
        return 2, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def approve(decision: str, *more: str, by: str = "second@example.com") -> tuple[int, str]:
    return shell("authorizations", "approve", decision, "--by", by, "--reason", "looked at", *more)


def test_a_second_person_releases_one_held_request_once(make):
    """Approved: the same request goes through, once; a second, a larger one, or somebody else's is held as before."""
    guard = make()
    ec2 = client(guard)
    decision = held(ec2)
    assert approve(decision)[0] == 0
    held(ec2, count=2)
    held(client(guard, None))
    assert run(ec2)["Instances"]
    held(ec2)
    code, listed = shell("authorizations", "list", "--format", "jsonl")
    assert code == 0
    assert json.loads(listed)["status"] == "used up"
    code, told = shell("log", "replay")
    assert (code, told) == (0, "5 same\n")


def test_an_approval_works_for_guards_that_were_loaded_before_it_was_given(make):
    """Also in another process: it is looked for when a request is held."""
    first, second = make(), make()
    decision = held(client(first))
    assert approve(decision)[0] == 0
    assert run(client(second))["Instances"]
    held(client(first))


@pytest.mark.parametrize(
    ("changes", "lapses"),
    [
        ([], False),
        ([("somebody has to look first", "somebody looks first"), ("version: 1", "version: 2")], False),
        ([('family == "H200"', 'family == "B200"')], False),
        ([('family == "H100"', 'family in ["H100", "B200"]')], True),
        ([('family == "H100"', 'family == "H100" && item.count >= 1.0')], True),
        ([("    authorizable_by", "    effective: {from: 2026-01-01}\n    authorizable_by")], True),
        ([("    authorizable_by", "    if_unknown: flag\n    why: a test\n    authorizable_by")], True),
    ],
)
def test_an_approval_is_of_what_its_rules_said_then(make, changes, lapses):
    """The rule that held it is another one now: approved was what it said before. Wording and other rules are not."""
    decision = held(client(make()))
    assert approve(decision)[0] == 0
    text = POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    ec2 = client(make(text))
    if lapses:
        held(ec2)
    else:
        assert run(ec2)["Instances"]
    assert shell("log", "replay")[0] == 0


def test_an_approval_of_what_was_open_is_none_of_what_matches(make):
    """Nobody knew how much was used when it was approved; now it is known, and too much."""
    counted = COUNTED.replace("> 100.0", "> 1.0").replace('family == "H100"', 'family == "B200"')
    counted = counted.replace("because: too many", "because: too many\n    authorizable_by: [internal_waiver]")
    assert approve(held(client(make(counted, ledger=None))))[0] == 0
    matching = held(client(make(counted)))
    assert approve(matching)[0] == 0
    assert run(client(make(counted)))["Instances"]


def test_whoever_asked_cannot_approve(make):
    """Neither by the account of the process, nor by the name that the approver gives for the requester."""
    decision = held(client(make()))
    _, shown = shell("log", "show", decision)
    account = json.loads(shown)["caller"]["user"]
    for by, more in ((account, ()), (account.upper(), ()), ("a@b.c", ("--requested-by", "Ann <A@B.C>")), (" ", ())):
        code, said = approve(decision, *more, by=by)
        assert code == 2
        assert "somebody else" in said or "the name of who approves" in said
    held(client(make()))


@pytest.mark.parametrize(
    "by", ["ann+2@b.c", "mailto:ANN@B.C", "CORP\\ann", "Ann", "a\u200bnn@b.c", "\uff21nn <ann@b.c>"]
)
def test_another_spelling_of_the_requester_cannot_approve(make, by):
    code, said = approve(held(client(make())), "--requested-by", "Ann Lee <ann@b.c>", by=by)
    assert (code, "somebody else" in said) == (2, True)


def test_an_approval_of_a_call_that_was_not_looked_into_is_for_that_call(make):
    """Two launch templates that nobody looked up are unknown alike, and still two requests."""
    ec2 = client(make(UNKNOWN))

    def start(name: str) -> Any:
        return ec2.run_instances(LaunchTemplate={"LaunchTemplateName": name}, MinCount=1, MaxCount=1)

    for name in ("one", "other"):
        data = {"InstanceType": "t3.micro", "ImageId": "ami-12c6146b"}
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    with pytest.raises(ProvisioningHeld) as caught:
        start("one")
    assert approve(caught.value.decision.decision_id)[0] == 0
    with pytest.raises(ProvisioningHeld):
        start("other")
    assert start("one")["Instances"]


def test_a_call_that_was_not_read_cannot_be_approved(make):
    """Nothing would tell it from any other."""
    guard = make(UNKNOWN)
    with guard.acting_for("cust-zurich"):
        refusal = guard.judge(lambda: 1 / 0, CallOrigin("boto3")).refusal
    code, said = approve(refusal.decision.decision_id)
    assert (code, "could not be read" in said) == (2, True)


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_approval_without_a_reason_is_none(make, reason):
    decision = held(client(make()))
    assert shell("authorizations", "approve", decision, "--by", "b@example.com", "--reason", reason)[0] == 2


def test_what_no_waiver_lifts_cannot_be_approved(make):
    code, said = approve(held(client(make()), kind="p5e.48xlarge"))
    assert code == 2
    assert "no waiver lifts house/never-lifted" in said


def test_an_approval_is_for_somebody(make):
    """Nobody is named as end user: approving is refused, and says what to do."""
    code, said = approve(held(client(make(), None)))
    assert code == 2
    assert "acting_for" in said


def test_a_decision_is_approved_once_and_only_when_held(make):
    ec2 = client(make())
    decision = held(ec2)
    assert approve(decision)[0] == 0
    assert approve(decision)[0] == 2
    run(ec2, kind="t3.micro")
    _, last = shell("log", "tail", "-n", "1", "--format", "jsonl")
    code, said = approve(json.loads(last)["decision_id"])
    assert (code, "not HOLD" in said) == (2, True)
    assert approve("no-such-decision")[0] == 2


def test_an_approval_ends(make):
    """Past its days it lifts nothing; the clock of the guard says so."""
    now = [NOW]
    ec2 = client(make(clock=lambda: now[0]))
    assert approve(held(ec2), "--days", "1")[0] == 0
    now[0] = NOW + timedelta(days=2)
    held(ec2)
    now[0] = NOW + timedelta(hours=1)
    run(ec2)


def test_an_approval_is_of_what_held_the_request_then(make):
    """A rule that holds it since is not what was approved."""
    assert approve(held(client(make())))[0] == 0
    more = POLICY + POLICY[POLICY.index("  - id: look-first") : POLICY.index("  - id: never-lifted")].replace(
        "look-first", "look-twice"
    )
    held(client(make(more)))
    run(client(make()))


def test_a_record_that_was_changed_cannot_be_approved(make, place):
    decision = held(client(make()))
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE log_record SET body = replace(body, 'look first', 'look again')")
    connection.close()
    code, said = approve(decision)
    assert (code, "was changed" in said) == (2, True)


def test_authorizations_are_listed_with_what_is_left(make, tmp_path):
    document = tmp_path / "authorizations.json"
    later = {**LICENCE, "id": "w-2", "effective": {"from": "2999-01-01"}}
    document.write_text(json.dumps({"authorizations": [LICENCE, later]}))
    ec2 = client(make(authorizations=document))
    run(ec2)
    held(ec2)
    code, listed = shell("authorizations", "list", "--authorizations", str(document), "--format", "json")
    assert code == 0
    first, second = json.loads(listed)
    assert (first["status"], first["quantities"][0]["left"]) == ("used up", 0)
    assert second["status"] == "not in force before 2999-01-01"
    assert shell("log", "replay") == (0, "2 same\n")


def test_unclear_calls_are_reconciled_by_the_decision_that_let_them_out(make, tmp_path):
    """Listed, then said to have failed: what they drew is there again. Said to have succeeded: it stays drawn."""
    ec2 = client(make(authorizations=[{**LICENCE, "quantity": {"unit": "accelerators", "limit": 16}}]))

    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://ec2.example")

    ec2.meta.events.register_first("before-send", fail)
    for _ in range(2):
        with pytest.raises(EndpointConnectionError):
            run(ec2)
    held(ec2)
    code, listed = shell("authorizations", "reconcile", "--format", "json")
    first, second = (each["key"] for each in json.loads(listed))
    assert code == 0
    assert shell("authorizations", "reconcile", first, "--failed", "--note", "not in the console")[0] == 0
    assert shell("authorizations", "reconcile", second, "--succeeded")[0] == 0
    assert shell("authorizations", "reconcile")[1] == "nothing is pending\n"
    ec2.meta.events.unregister("before-send", fail)
    run(ec2)
    held(ec2)
    for wrong in (("nobody", "--failed"), (first,), ("--failed",), (first, "--failed", "--succeeded")):
        assert shell("authorizations", "reconcile", *wrong)[0] == 2


def test_the_log_is_shown_verified_and_signed(make, place, tmp_path):
    ec2 = client(make())
    run(ec2, kind="t3.micro")
    decision = held(ec2)
    code, told = shell("log", "tail")
    assert code == 0
    assert [line.split()[2] for line in told.splitlines()] == ["ALLOW", "HOLD"]
    assert json.loads(shell("log", "show", "2")[1])["decision_id"] == decision
    assert shell("log", "show", "3")[0] == 2
    key, note = tmp_path / "key.pem", tmp_path / "note"
    assert shell("log", "checkpoint", "--require-signed")[0] == 2
    code, printed = shell("log", "checkpoint", "--key", str(key), "--new-key")
    assert code == 0
    note.write_text(printed)
    signed = ("--public-key", str(key), "--require-signed")
    code, told = shell("log", "verify", "--checkpoint", str(note), *signed)
    assert (code, told.splitlines()[-1]) == (0, "intact")
    with sqlite3.connect(place) as connection:
        connection.execute("DELETE FROM log_record WHERE sequence = 2")
        connection.execute("UPDATE log_checkpoint SET note = substr(note, 1, instr(note, char(10) || char(10)) + 1)")
    connection.close()
    code, told = shell("log", "verify", "--checkpoint", str(note), *signed, "--format", "json")
    assert code == 1
    assert {"cut", "signature"} <= {finding["kind"] for finding in json.loads(told)["findings"]}
    assert shell("log", "verify", "--require-signed")[0] == 2


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE ledger_use SET accelerators = 0", "use: the use by customer:cust-zurich (H"),
        ("UPDATE ledger_reservation SET draws = replace(draws, '000', '001')", "is not the sum of its reservations"),
        ("UPDATE ledger_authorization SET drawn = 0", "what is drawn of w-1 (accelerators)"),
        ("UPDATE ledger_reservation SET draws = '{}'", "cannot be read"),
        ("UPDATE log_content SET body = x'{policies}' WHERE kind = 'policies'", "do not have their digest"),
    ],
)
def test_what_lies_beside_the_records_is_verified_too(make, place, statement, said):
    """The ledger's sums and draws, and the policies by what they mean."""
    guard = make(COUNTED, authorizations=[LICENCE])
    run(client(guard))
    guard.close()
    assert shell("log", "verify")[1].splitlines()[-1] == "intact"
    texts = [{"name": "house.yaml", "text": COUNTED.replace("hold", "deny")}]
    with sqlite3.connect(place) as connection:
        connection.execute(statement.replace("{policies}", zlib.compress(json.dumps(texts).encode()).hex()))
    connection.close()
    code, told = shell("log", "verify")
    assert code == 1
    assert said in told


def test_a_log_that_is_not_there_is_not_made_by_looking_at_it(place):
    for verb in (("tail",), ("verify",), ("replay",), ("export",), ("checkpoint",)):
        code, said = shell("log", *verb)
        assert (code, "no decision log" in said) == (2, True)
    assert shell("authorizations", "reconcile")[0] == 2
    assert not place.exists()
    place.touch()  # emptied is not empty
    assert shell("log", "verify")[0] == 2
    assert place.stat().st_size == 0


def test_the_log_is_exported_in_three_formats(make, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet", reason="Parquet: the extra `report` is not installed")
    ec2 = client(make())
    run(ec2, kind="t3.micro")
    decision = held(ec2)
    approve(decision)
    rows = [json.loads(line) for line in shell("log", "export")[1].splitlines()]
    assert [row["sequence"] for row in rows] == [1, 2, 3]
    events = [json.loads(line) for line in shell("log", "export", "--format", "ocsf")[1].splitlines()]
    assert [(e["class_uid"], e["action_id"], e["disposition_id"], e["api"]["operation"]) for e in events] == [
        (6003, 1, 1, "RunInstances"), (6003, 2, 2, "RunInstances"),
    ]  # fmt: skip
    required = {
        "metadata", "category_uid", "class_uid", "activity_id", "type_uid", "time", "severity_id", "actor", "api",
        "src_endpoint", "cloud",
    }  # fmt: skip
    assert all(required <= event.keys() for event in events)
    target = tmp_path / "log.parquet"
    assert shell("log", "export", "--format", "parquet")[0] == 2
    assert shell("log", "export", "--format", "parquet", "-o", str(target))[0] == 0
    table = pq.read_table(target).to_pylist()
    assert [row["outcome"] for row in table] == ["ALLOW", "HOLD", None]
    assert table[1]["end_users"] == ["Universität Zürich"]
    assert table[1]["rules"] == ["house/look-first"]
    assert json.loads(table[1]["record"])["decision_id"] == decision
    assert len(shell("log", "export", "--since", "2999-01-01")[1].splitlines()) == 0


def test_a_parquet_export_replaces_nothing_but_a_file(make, tmp_path):
    """Root's would put one where a device or a pipe was."""
    run(client(make()), kind="t3.micro")
    os.mkfifo(tmp_path / "pipe")
    code, told = shell("log", "export", "--format", "parquet", "-o", str(tmp_path / "pipe"))
    assert (code, "is no file" in told) == (2, True)
    assert (tmp_path / "pipe").is_fifo()


def test_replaying_as_understood_now_lists_what_was_let_out_and_would_be_refused(make, tmp_path):
    """Stricter policies since: exposure, exit code 1. As decided then, everything comes out the same all the same."""
    ec2 = client(make(POLICY.replace("H100", "A100")))
    run(ec2)
    policies = tmp_path / "today"
    policies.mkdir()
    (policies / "policy.yaml").write_text(POLICY)
    customers = tmp_path / "customers.json"
    customers.write_text(json.dumps(CUSTOMERS))
    assert shell("log", "replay") == (0, "1 same\n")
    code, told = shell(
        "log", "replay", "--now", "--policies", str(policies), "--customers", str(customers), "--format", "jsonl"
    )
    assert code == 1
    assert json.loads(told)["verdict"] == "exposed"
    listed = {"customers": [{"id": "cust-zurich", "parties": [{**PARTY, "listings": ["EL"]}]}]}
    customers.write_text(json.dumps(listed))
    code, told = shell("log", "replay", "--now", "--packs", "iaas-remote-access", "--customers", str(customers))
    assert code == 1
    assert "ALLOW -> DENY" in told
    assert shell("log", "replay", "--as-of", "2026-01-01")[0] == 2


def test_a_decision_that_was_changed_in_the_log_comes_out_different(make, place):
    """Its outcome turned round, with hashes to fit: replaying does not come to it."""
    from exportguard.record import open_log

    held(client(make()))
    log = open_log(place)
    record = log.tail(1)[0].record
    record["decision"] = {**record["decision"], "outcome": "ALLOW", "reasons": []}
    log.append({**record, "decision_id": "forged", "outcome": "ALLOW", "released": True})
    log.close()
    code, told = shell("log", "replay", "--format", "json")
    assert code == 1
    assert [each["verdict"] for each in json.loads(told)["replayed"]] == ["different"]


def test_what_the_log_no_longer_keeps_cannot_be_replayed_and_says_so(make, place):
    held(client(make()))
    with sqlite3.connect(place) as connection:
        connection.execute("DELETE FROM log_content WHERE kind = 'policies'")
    connection.close()
    code, told = shell("log", "replay")
    assert code == 3
    assert "does not keep the policies" in told


def test_records_are_erased_after_their_years_and_holds_keep_them(make, place):
    """Too early: refused. Held: kept. Erased: the tree still verifies, and the text is nowhere in the files."""
    old = NOW - timedelta(days=4000)
    now = [old]
    ec2 = client(make(clock=lambda: now[0]))
    first, second = held(ec2), held(ec2, count=2)
    now[0] = NOW
    held(ec2, count=3)
    erase = ("log", "erase", "--by", "dpo@example.com", "--reason", "past its time", "--before")
    assert shell(*erase, f"{NOW - timedelta(days=900):%Y-%m-%d}")[0] == 2
    assert shell(*erase, "2010-01-01", "--years", "4")[0] == 2
    assert shell("log", "hold", "case-7", "--by", "counsel", "--reason", "lawsuit", "--decision", first)[0] == 0
    assert "case-7" in shell("log", "hold")[1]
    code, told = shell(*erase, f"{NOW - timedelta(days=3700):%Y-%m-%d}")
    assert (code, told) == (0, "1 erased, 1 kept by a legal hold\n")
    code, told = shell("log", "verify", "--format", "json")
    assert (code, json.loads(told)["erased"]) == (0, 1)
    assert json.loads(shell("log", "show", first)[1])["outcome"] == "HOLD"
    assert json.loads(shell("log", "show", second)[1])["erased"]
    assert shell("log", "hold", "case-7", "--lift", "--by", "counsel", "--reason", "settled")[0] == 0
    assert shell(*erase, f"{NOW - timedelta(days=3700):%Y-%m-%d}")[1].startswith("1 erased")
    assert shell("log", "verify")[0] == 0
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE log_record SET body = x'' WHERE sequence = 3")
    connection.close()
    code, told = shell("log", "verify", "--format", "json")
    assert code == 1
    assert "no erasure of the log says so" in json.loads(told)["findings"][0]["message"]


LEVEL = (
    POLICY[: POLICY.index("  - id: look-first")]
    + """  - id: installed
    title: More than eight accelerators at once
    effect: hold
    when: usage.accelerators > 8.0
    per: {by: customer}
    because: "{usage.accelerators} accelerators"
"""
)


def test_a_record_of_a_clock_that_went_wrong_is_kept_as_long_as_those_before_it(make):
    """A clock that stood at 1990 for a day does not make last week's records old."""
    now = [NOW]
    ec2 = client(make(clock=lambda: now[0]))
    run(ec2, kind="t3.micro")
    now[0] = NOW.replace(year=1990)
    run(ec2, kind="t3.micro")
    code, said = shell("log", "erase", "--before", "2000-01-01", "--by", "x", "--reason", "y")
    assert (code, said.split(",")[0]) == (0, "0 erased")


def test_a_level_falls_under_each_name_that_an_end_user_counts_under(make):
    party = {**PARTY, "id": "party-7"}
    guard = make(
        LEVEL.replace("by: customer", "by: end_user"),
        customers={"customers": [{"id": "cust-zurich", "parties": [party]}]},
    )
    ec2 = client(guard)
    run(ec2)
    held(ec2)
    names = ("--of", PARTY["name"], "--of", "id:party-7")
    assert shell("authorizations", "lower", "i-0abc", *names, "--by", "end_user", "--accelerators", "8")[0] == 0
    run(ec2)


def test_a_level_falls_when_instances_end(make):
    """Eight at once: eight more are held until the first have ended. The same end reported twice counts once."""
    ec2 = client(make(LEVEL))
    run(ec2)
    held(ec2)
    ended = ("authorizations", "lower", "i-0abc", "--of", "cust-zurich")
    for _ in range(2):
        assert shell(*ended, "--accelerators", "8", "--note", "terminated")[0] == 0
    run(ec2)
    held(ec2)
    assert shell(*ended)[0] == 2
    assert shell(*ended, "--by", "nobody", "--tpp", "1")[0] == 2
