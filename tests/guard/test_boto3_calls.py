"""Real boto3 clients over moto, judged by a real guard."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from moto import mock_aws

from exportguard import Outcome, ProvisioningDenied, ProvisioningHeld, ProvisioningRefused, RecordError
from exportguard.record import open_log

AMI = "ami-12c6146b"


def session(region: str = "us-east-1") -> boto3.Session:
    return boto3.Session("demo", "demo", "demo", region_name=region)


def run(ec2: Any, instance_type: str, count: int = 1) -> Any:
    return ec2.run_instances(ImageId=AMI, InstanceType=instance_type, MinCount=count, MaxCount=count)


@pytest.fixture
def moto() -> Any:
    with mock_aws():
        yield


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every attempt to open a connection, which also fails."""
    tried: list[Any] = []

    def connect(self: Any, address: Any) -> None:
        tried.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def test_a_denial_reaches_the_caller_unchanged_and_opens_no_connection(guard, no_network):
    """Without moto: the refusal comes before any socket is touched, and it is no SDK exception."""
    ec2 = guard.attach(session().client("ec2"))
    with guard.acting_for("cust-shenzhen"), pytest.raises(ProvisioningDenied) as caught:
        run(ec2, "p5.48xlarge")
    assert no_network == []
    assert caught.value.decision.reasons[0].rule == "headquarters-d5-macau"
    assert "Shenzhen University" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.decision == caught.value.decision


def test_what_is_allowed_really_starts(guard, moto):
    ec2 = guard.attach(session().client("ec2"))
    with guard.acting_for("cust-zurich"):
        started = run(ec2, "p5.48xlarge")["Instances"][0]
    assert started["InstanceType"] == "p5.48xlarge"


def test_everyday_instances_need_nobody(guard, moto):
    ec2 = guard.attach(session().client("ec2"))
    assert run(ec2, "t3.micro")["Instances"]


def test_an_unknown_end_user_is_held_and_the_missing_facts_are_named(guard, moto):
    ec2 = guard.attach(session().client("ec2"))
    with pytest.raises(ProvisioningHeld) as caught:
        run(ec2, "p4d.24xlarge")
    assert "party.ultimate_parent.headquarters" in {fact.path for fact in caught.value.decision.unknown}
    assert "missing: party.ultimate_parent.headquarters" in str(caught.value)
    assert session().client("ec2").describe_instances()["Reservations"] == []


def test_every_judged_call_is_recorded_and_the_others_are_not(guard, moto, tmp_path):
    ec2 = guard.attach(session().client("ec2"))
    ec2.describe_instances()
    run(ec2, "t3.micro")
    with pytest.raises(ProvisioningHeld):
        run(ec2, "p5.48xlarge")
    log = open_log(tmp_path / "decisions.sqlite3")
    assert [stored.record["outcome"] for stored in log.read()] == ["ALLOW", "HOLD"]
    log.close()


def test_a_call_is_refused_when_its_record_cannot_be_kept(load, moto, tmp_path):
    """No ALLOW leaves before its record is durable."""

    class Full:
        place = "a full disk"

        def prove_writable(self) -> None: ...
        def append(self, record: Any) -> int:
            raise RecordError("the disk is full")

        def read(self, after: int = 0, limit: int | None = None) -> Any:
            return iter(())

        def get(self, decision_id: str) -> None: ...
        def tail(self, n: int) -> tuple[()]:
            return ()

        def size(self) -> int:
            return 0

        def close(self) -> None: ...

    guard = load(record=Full())
    ec2 = guard.attach(session().client("ec2"))
    with pytest.raises(RecordError):
        run(ec2, "t3.micro")
    assert session().client("ec2").describe_instances()["Reservations"] == []


def test_threads_keep_their_own_customer(guard, moto):
    """A pool thread acts for nobody unless the function is bound; bound ones act for whom they were bound."""
    ec2 = guard.attach(session().client("ec2"))

    def attempt() -> Outcome:
        try:
            run(ec2, "p5.48xlarge")
        except ProvisioningRefused as refused:
            return refused.decision.outcome
        return Outcome.ALLOW

    with ThreadPoolExecutor(4) as pool:
        with guard.acting_for("cust-zurich"):
            unbound = [pool.submit(attempt) for _ in range(4)]
            zurich = [pool.submit(guard.bind(attempt)) for _ in range(4)]
        with guard.acting_for("cust-shenzhen"):
            shenzhen = [pool.submit(guard.bind(attempt)) for _ in range(4)]
        assert {f.result() for f in unbound} == {Outcome.HOLD}
        assert {f.result() for f in zurich} == {Outcome.ALLOW}
        assert {f.result() for f in shenzhen} == {Outcome.DENY}


def test_asyncio_tasks_inherit_their_own_customer(guard, moto):
    """Two tasks side by side act for two customers."""
    ec2 = guard.attach(session().client("ec2"))

    async def attempt(customer: str) -> Outcome:
        with guard.acting_for(customer):
            await asyncio.sleep(0.01)
            try:
                await asyncio.to_thread(run, ec2, "p5.48xlarge")
            except ProvisioningRefused as refused:
                return refused.decision.outcome
            return Outcome.ALLOW

    async def both() -> list[Outcome]:
        return await asyncio.gather(attempt("cust-zurich"), attempt("cust-shenzhen"), attempt("cust-zurich"))

    assert asyncio.run(both()) == [Outcome.ALLOW, Outcome.DENY, Outcome.ALLOW]


def test_install_covers_clients_made_before_and_after_and_uninstall_leaves_nothing(guard, moto):
    before = session().client("ec2")
    guard.install()
    guard.install()
    after = session().client("ec2")
    for client in (before, after, boto3.client("ec2", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")):
        with pytest.raises(ProvisioningHeld):
            run(client, "p5.48xlarge")
    guard.uninstall()
    for client in (before, after, session().client("ec2")):
        assert run(client, "p5.48xlarge")["Instances"]


def test_two_installed_guards_both_judge(load, moto):
    """Any refusal refuses, and each guard goes by itself."""
    strict, lenient = load(), load(packs=["model-provider-terms"])
    lenient.install()
    strict.install()
    client = session().client("ec2")
    with pytest.raises(ProvisioningHeld):
        run(client, "p5.48xlarge")
    strict.uninstall()
    assert run(client, "p5.48xlarge")["Instances"]


def test_attached_and_installed_is_judged_once(guard, moto, tmp_path):
    client = guard.attach(session().client("ec2"))
    guard.install()
    guard.attach(client)
    run(client, "t3.micro")
    log = open_log(tmp_path / "decisions.sqlite3")
    assert len(list(log.read())) == 1
    log.close()


def test_a_client_attached_for_a_customer_acts_for_it_in_any_thread(guard, moto):
    client = guard.attach(session().client("ec2"), customer="cust-zurich")
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(run(client, "p5.48xlarge")))
    thread.start()
    thread.join()
    assert seen[0]["Instances"]


def test_warn_and_audit_tell_and_record_but_refuse_nothing(load, moto, tmp_path, caplog):
    for mode in ("warn", "audit"):
        guard = load(mode=mode, record=tmp_path / f"{mode}.sqlite3")
        client = guard.attach(session().client("ec2"))
        with caplog.at_level("INFO", logger="exportguard"):
            assert run(client, "p5.48xlarge")["Instances"]
        assert "would be refused" in caplog.text
        log = open_log(tmp_path / f"{mode}.sqlite3")
        assert [(s.record["outcome"], s.record["mode"]) for s in log.read()] == [("HOLD", mode)]
        log.close()


def test_claude_is_refused_for_a_party_in_china_and_in_a_china_region(guard, moto):
    model = "anthropic.claude-3-5-sonnet-20240620-v1:0"
    body = '{"max_tokens": 10, "messages": []}'
    here = guard.attach(session().client("bedrock-runtime"))
    with guard.acting_for("cust-shenzhen"), pytest.raises(ProvisioningDenied):
        here.invoke_model(modelId=model, body=body)
    there = guard.attach(session("cn-north-1").client("bedrock-runtime"))
    with guard.acting_for("cust-zurich"), pytest.raises(ProvisioningDenied) as caught:
        there.invoke_model(modelId=model, body=body)
    assert caught.value.decision.reasons[0].rule == "anthropic-region-unsupported"
    with guard.acting_for("cust-zurich"):
        assert here.invoke_model(modelId=model, body=body)


def test_an_exception_inside_the_guard_holds_the_call(load, moto):
    """A clock that fails must not open the gate, and neither may anything else of ours."""

    def broken() -> Any:
        raise RuntimeError("the clock is down")

    guard = load(clock=broken)
    client = guard.attach(session().client("ec2"))
    with pytest.raises(ProvisioningHeld) as caught:
        run(client, "p5.48xlarge")
    assert "RuntimeError at test_boto3_calls.py" in str(caught.value)
    assert session().client("ec2").describe_instances()["Reservations"] == []
