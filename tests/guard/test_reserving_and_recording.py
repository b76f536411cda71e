"""Real clients, a guard with a rule over cumulative use: what is reserved, recorded, given back and told."""

from __future__ import annotations

import json
import pkgutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from exportguard import Guard, LedgerError, ProvisioningHeld, ProvisioningRefused, RecordError
from exportguard.authority import ReservationState, open_ledger
from exportguard.language import PolicySource
from exportguard.record import SqlLog, open_log, verify
from exportguard.vocabulary import Unknown, UsageQuestion

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
ZURICH = (UsageQuestion("customer", "P1Y"), "cust-zurich")

CUMULATIVE = """
policy: cumulative
version: 1
title: No more than four accelerators a year by one customer
basis: company_policy
references:
  - cite: a test
    read: 2026-11-25
rules:
  - id: many-small-orders
    title: More than sixteen accelerators a year
    effect: hold
    when: usage.accelerators > 16.0
    per: {by: customer, period: P1Y}
    because: "{usage.accelerators} accelerators this year"
    authorizable_by: [internal_waiver]
"""


@pytest.fixture(autouse=True)
def moto() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def make(load: Any, store: Path) -> Callable[..., Guard]:
    def made(**options: Any) -> Guard:
        settings = {"record": store, "ledger": store, "clock": lambda: AT, **options}
        return load((PolicySource("cumulative.yaml", CUMULATIVE),), **settings)

    return made


def client(guard: Guard, customer: str = "cust-zurich", **options: Any) -> Any:
    session = boto3.Session("demo", "demo", "demo", region_name="us-east-1")
    return guard.attach(session.client("ec2", **options), customer=customer)


def run(ec2: Any, count: int = 1, **more: Any) -> Any:
    return ec2.run_instances(ImageId="ami-12c6146b", InstanceType="p5.48xlarge", MinCount=count, MaxCount=count, **more)


def running() -> int:
    found = boto3.client("ec2", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b").describe_instances()
    return sum(len(each["Instances"]) for each in found["Reservations"])


def records(store: Path) -> list[dict[str, Any]]:
    log = open_log(store)
    try:
        assert isinstance(log, SqlLog)
        assert verify(log).intact
        return [stored.record for stored in log.read()]
    finally:
        log.close()


def used(store: Path) -> float:
    ledger = open_ledger(store)
    try:
        found = ledger.read([ZURICH], AT)[ZURICH].accelerators
        assert isinstance(found, int | float)
        return found
    finally:
        ledger.close()


def test_many_small_orders_add_up_to_the_limit_and_no_further(make, store):
    """Sixteen accelerators in two orders, and the third is held with what it comes to."""
    ec2 = client(make())
    run(ec2)
    run(ec2)
    with pytest.raises(ProvisioningHeld, match="24 accelerators this year"):
        run(ec2)
    assert running() == 2
    assert used(store) == 16
    assert [each["outcome"] for each in records(store)] == ["ALLOW", "ALLOW", "HOLD"]


@pytest.mark.parametrize("separate", [False, True])
def test_threads_never_pass_the_limit_together(make, store, tmp_path, separate):
    """Twelve threads order at once, with log and ledger in one store or in two: two orders are let out, and no more."""
    guard = make(ledger=tmp_path / "ledger.sqlite3" if separate else store)
    ec2 = client(guard)

    def attempt(_: int) -> bool:
        try:
            run(ec2)
        except ProvisioningRefused:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(attempt, range(12))) == 2
    assert running() == 2


@pytest.mark.parametrize("separate", [False, True])
def test_threads_far_from_the_limit_do_not_hold_one_another_up(load, store, tmp_path, separate):
    """Use that moves while it is read is decided again: two hundred orders of one customer by eight threads, and none
    is held for it."""
    from exportguard import judging
    from exportguard.vocabulary import CallOrigin, CallResult

    text = CUMULATIVE.replace("> 16.0", "> 100000.0")
    ledger = tmp_path / "ledger.sqlite3" if separate else store
    guard = load((PolicySource("c.yaml", text),), record=store, ledger=ledger, clock=lambda: AT)
    document = {
        "sdk": "boto3", "service": "ec2", "operation": "RunInstances", "region": "us-east-1",
        "parameters": {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1},
    }  # fmt: skip
    observation, _ = judging.observe(judging.read_document(document, "test"))

    def order(_: int) -> bool:
        judgement = guard.judge(lambda: observation, CallOrigin("boto3", "cust-zurich"))
        guard.release(judgement)
        guard.settle(judgement, CallResult.SUCCEEDED)
        return judgement.decision.allowed

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(order, range(200)))
    assert used(ledger) == 1600
    assert len(records(store)) == 200


def test_a_definite_failure_gives_back_and_an_unclear_one_keeps(make, store):
    """A 4xx: given back. No answer: kept until somebody reconciles it, and then a new order fits in again."""
    guard = make()
    ec2 = client(guard)
    with pytest.raises(ClientError):
        run(ec2, SecurityGroupIds=["sg-there-is-none"])
    assert used(store) == 0
    lost = unreachable(client(guard, config=Config(retries={"total_max_attempts": 1})))[0]
    for _ in range(2):
        with pytest.raises(EndpointConnectionError):
            run(lost)
    assert used(store) == 16
    with pytest.raises(ProvisioningHeld):
        run(ec2)
    ledger = open_ledger(store)
    pending = ledger.pending()
    assert len(pending) == 2
    assert {each.key for each in pending} <= {each["decision_id"] for each in records(store)}
    ledger.release(pending[0].key, as_of=AT, note="it never arrived")
    ledger.close()
    run(ec2)
    assert used(store) == 16


def unreachable(ec2: Any) -> tuple[Any, list[int]]:
    """*ec2* without a network, and its attempts."""
    attempts: list[int] = []

    def fail(**_: Any) -> None:
        attempts.append(1)
        raise EndpointConnectionError(endpoint_url="https://ec2.example")

    ec2.meta.events.register_first("before-send", fail)
    return ec2, attempts


def test_the_retries_of_an_sdk_reserve_once(make, store):
    """Three attempts, one reservation: they stay between release and settlement."""
    retrying = Config(retries={"total_max_attempts": 3, "mode": "standard"})
    lost, attempts = unreachable(client(make(), config=retrying))
    with pytest.raises(EndpointConnectionError):
        run(lost)
    assert len(attempts) == 3
    assert used(store) == 8


def test_the_same_client_token_is_the_same_call(make, store):
    """A caller that repeats its own call under its client token is counted once; another token is another call."""
    guard = make(customers={"customers": [_zurich(accounts={"aws": ["123456789012"]})]}, resolver={"aws": _Account()})
    ec2 = client(guard)
    for token in ("a", "a", "b", "b", "a"):
        run(ec2, ClientToken=token)
    assert used(store) == 16
    with pytest.raises(ProvisioningHeld):
        run(ec2, ClientToken="c")


@pytest.mark.parametrize(
    ("results", "left"),
    [
        (("failed", "unclear"), 8), (("unclear", "failed"), 8), (("failed", "succeeded"), 8),
        (("succeeded", "failed"), 8), (("failed", "failed"), 0), (("failed", "failed", "unclear"), 8),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [1, -1])
def test_calls_at_once_under_one_client_token_keep_what_one_of_them_may_have_used(make, store, results, left, order):
    """The first reserves for all of them: its failure gives nothing back while another may still be carried out."""
    from exportguard import judging
    from exportguard.vocabulary import CallOrigin, CallResult

    guard = make()
    document = {
        "sdk": "boto3", "service": "ec2", "operation": "RunInstances", "region": "us-east-1", "account": "123456789012",
        "parameters": {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1, "ClientToken": "t"},
    }  # fmt: skip
    observation, _ = judging.observe(judging.read_document(document, "test"))
    calls = [guard.judge(lambda: observation, CallOrigin("boto3", "cust-zurich")) for _ in results]
    for each in calls:
        guard.release(each)
    assert used(store) == 8
    for each, result in list(zip(calls, results, strict=True))[::order]:
        guard.settle(each, CallResult(result))
    assert used(store) == left
    again = guard.judge(lambda: observation, CallOrigin("boto3", "cust-zurich"))
    guard.release(again)
    guard.settle(again, CallResult.FAILED)
    assert used(store) == left


def test_a_call_under_the_token_of_another_process_keeps_what_it_may_have_used(make, store, monkeypatch):
    """The process that reserved gives back when its own call fails; it knows nothing of this one, which was lost."""
    from exportguard import judging
    from exportguard.vocabulary import CallOrigin, CallResult

    document = {
        "sdk": "boto3", "service": "ec2", "operation": "RunInstances", "region": "us-east-1", "account": "123456789012",
        "parameters": {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1, "ClientToken": "t"},
    }  # fmt: skip
    observation, _ = judging.observe(judging.read_document(document, "test"))
    shared: list[dict[str, Any]] = [{}, {}]
    guards = [make(), make()]
    calls = []
    for guard, each in zip(guards, shared, strict=True):
        monkeypatch.setattr("exportguard.securing._sharing", each)
        calls.append(guard.judge(lambda: observation, CallOrigin("boto3", "cust-zurich")))
        guard.release(calls[-1])
    for guard, each, call, result, left in zip(guards, shared, calls, ("failed", "unclear"), (0, 8), strict=True):
        monkeypatch.setattr("exportguard.securing._sharing", each)
        guard.settle(call, CallResult(result))
        assert used(store) == left


def test_a_repetition_that_fails_leaves_what_the_first_call_reserved(make, store):
    """Nobody knows whether the first was carried out: a record that fails under its client token changes nothing."""
    guard = make(customers={"customers": [_zurich(accounts={"aws": ["123456789012"]})]}, resolver={"aws": _Account()})
    lost = client(guard, config=Config(retries={"total_max_attempts": 1}))
    lost.meta.events.register_first("before-send", _lose)
    with pytest.raises(EndpointConnectionError):
        run(lost, ClientToken="a")
    log = open_log(store)
    assert isinstance(log, SqlLog)
    log.write(lambda session: session.execute("ALTER TABLE log_record RENAME TO gone"))
    with pytest.raises(RecordError):
        run(lost, ClientToken="a")
    log.close()
    assert used(store) == 8


def _lose(**_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://ec2")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("after", ["secure", "release", "send"])
def test_an_interrupt_on_the_way_out_leaves_nothing_reserved(make, store, monkeypatch, error, after):
    """Whatever arrives before the call has left gives back what was reserved; the next call works."""
    guard = make()
    ec2 = client(guard)

    def interrupted(*arguments: Any) -> Any:
        original(*arguments)
        monkeypatch.undo()
        raise error

    place, name = {
        "secure": ("exportguard.securing", "secure"), "release": ("exportguard.gate.CallGate", "release"),
        "send": ("exportguard.adapters.aws.stages.Point", "_release"),
    }[after]  # fmt: skip
    original = pkgutil.resolve_name(f"{place}.{name}")
    monkeypatch.setattr(f"{place}.{name}", interrupted)
    with pytest.raises(error):
        run(ec2)
    assert (running(), used(store)) == (0, 0)
    run(ec2)
    assert (running(), used(store)) == (1, 8)


class _Account:
    def ask(self, question: Any) -> Any:
        return {"Account": "123456789012"} if question.operation == "GetCallerIdentity" else Unknown("not asked")


def _zurich(**more: Any) -> dict[str, Any]:
    party = {
        "role": "end_user", "name": "Universität Zürich", "country": "CH", "headquarters": "CH",
        "ultimate_parent": None, "listings": [], "owners": [], "verified": True,
    }  # fmt: skip
    return {"id": "cust-zurich", "parties": [party], **more}


@pytest.mark.parametrize("separate", [False, True])
def test_a_record_that_cannot_be_kept_leaves_no_reservation(make, store, tmp_path, separate):
    """The log fails after the reservation, or in its transaction: the call is refused and nothing stays reserved."""
    ledger = tmp_path / "ledger.sqlite3" if separate else store
    guard = make(ledger=ledger)
    ec2 = client(guard)
    log = open_log(store)
    assert isinstance(log, SqlLog)
    log.write(lambda session: session.execute("ALTER TABLE log_record RENAME TO gone"))
    with pytest.raises(RecordError, match="help: "):
        run(ec2)
    assert running() == 0
    assert used(ledger) == 0
    log.write(lambda session: session.execute("ALTER TABLE gone RENAME TO log_record"))
    log.close()
    run(ec2)
    assert running() == 1
    assert used(ledger) == 8


def test_a_locked_store_refuses_and_lets_go(load, store, caplog):
    """Another process holds the store past the time limit: refused, with nothing half; then everything goes on."""
    guard = load(
        (PolicySource("cumulative.yaml", CUMULATIVE),),
        record=open_log(store, timeout=0.3),
        ledger=open_ledger(store, timeout=0.3),
        clock=lambda: AT,
    )
    ec2 = client(guard)
    holder = sqlite3.connect(store, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordError, match="locked by another process"):
        run(ec2)
    holder.execute("ROLLBACK")
    holder.close()
    assert "may have left a reservation" not in caplog.text  # to ask it again would only take as long again
    assert (running(), used(store), len(records(store))) == (0, 0, 0)
    run(ec2)
    assert (running(), used(store), len(records(store))) == (1, 8, 1)


def test_a_store_that_went_away_refuses(make, store):
    guard = make()
    ec2 = client(guard)
    run(ec2)
    store.unlink()
    for _ in range(2):
        with pytest.raises((RecordError, LedgerError, ProvisioningHeld)):
            run(ec2)
    assert running() == 1


def test_nothing_raises_after_the_call_was_let_out(make, store, caplog):
    """The store goes away while the call is under way: the caller has its answer, and is told by the process's log."""
    guard = make()
    ec2 = client(guard)
    ec2.meta.events.register("before-send", lambda **_: store.unlink())
    assert run(ec2)["Instances"]
    assert "its result could not be noted" in caplog.text


def test_an_answer_that_cannot_be_read_is_the_callers_all_the_same(make, store, monkeypatch):
    def broken(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr("exportguard.adapters.aws.stages.result", broken)
    assert run(client(make()))["Instances"]
    assert used(store) == 8


@pytest.mark.parametrize("mode", ["warn", "audit"])
def test_modes_that_refuse_nothing_count_and_record_all_the_same(make, store, mode):
    """What goes out is counted, also past the limit; each decision is on record as what it was."""
    ec2 = client(make(mode=mode))
    for _ in range(3):
        run(ec2)
    assert running() == 3
    assert used(store) == 24
    assert [(each["outcome"], each["released"]) for each in records(store)] == [
        ("ALLOW", True), ("ALLOW", True), ("HOLD", True),
    ]  # fmt: skip


def test_what_goes_out_unrecorded_is_counted_all_the_same(make, store, tmp_path):
    """The log of a guard that refuses nothing fails; its ledger, elsewhere, does not."""
    ledger = tmp_path / "ledger.sqlite3"
    ec2 = client(make(mode="warn", ledger=ledger))
    store.unlink()
    run(ec2)
    assert (running(), used(ledger)) == (1, 8)


@pytest.mark.parametrize("mode", ["warn", "audit"])
def test_modes_that_refuse_nothing_do_not_fail_either(make, store, mode, caplog):
    ec2 = client(make(mode=mode))
    store.unlink()
    for _ in range(2):
        assert run(ec2)["Instances"]
    assert "could not be" in caplog.text


def test_a_clock_that_jumps_counts_in_the_period_that_it_names(make, store):
    """Back or forth: no call is counted twice or lost, and a new year has its own limit."""
    now = [AT]
    ec2 = client(make(clock=lambda: now[0]))
    run(ec2)
    now[0] = AT - timedelta(days=200)
    run(ec2)
    with pytest.raises(ProvisioningHeld):
        run(ec2)
    now[0] = AT + timedelta(days=60)
    run(ec2)
    assert used(store) == 16
    now[0] = AT.replace(tzinfo=None)
    with pytest.raises(ProvisioningHeld, match="timezone"):
        run(ec2)


def test_a_customer_that_is_renamed_does_not_begin_at_nothing(load, store):
    """Its own id is what it is counted by beside its name."""
    (party,) = _zurich()["parties"]

    def named(name: str) -> dict[str, Any]:
        return {"customers": [{"id": "cust-zurich", "parties": [{**party, "id": "party-7", "name": name}]}]}

    guard = load(
        (PolicySource("cumulative.yaml", CUMULATIVE.replace("by: customer", "by: end_user")),),
        record=store, ledger=store, clock=lambda: AT, customers=named("Universität Zürich"),
    )  # fmt: skip
    ec2 = client(guard)
    run(ec2, 2)
    guard.reload(customers=named("Zürcher Hochschule"))
    with pytest.raises(ProvisioningHeld, match="24"):
        run(ec2)


def test_another_spelling_of_a_name_does_not_begin_at_nothing(load, store):
    """Legal forms, accents, punctuation and what does not show make no other end user of one."""
    (party,) = _zurich()["parties"]

    def named(name: str) -> dict[str, Any]:
        return {"customers": [{"id": "cust-zurich", "parties": [{**party, "name": name}]}]}

    guard = load(
        (PolicySource("cumulative.yaml", CUMULATIVE.replace("by: customer", "by: end_user")),),
        record=store, ledger=store, clock=lambda: AT, customers=named("Züri-Rechner AG"),
    )  # fmt: skip
    ec2 = client(guard)
    run(ec2, 2)
    for name in ("Zuri Rechner GmbH", "ZÜRI RECHNER", "Züri-\u200bRechner, Ltd."):
        guard.reload(customers=named(name))
        with pytest.raises(ProvisioningHeld, match="24"):
            run(ec2)
    guard.reload(customers=named("Berner Rechner AG"))
    assert run(ec2)["Instances"]


def test_use_adds_up_over_the_subsidiaries_of_one_house(load, store):
    """Two end users of one ultimate parent order through two resellers: what a rule by end user sees is their sum."""
    party = _zurich()["parties"][0]
    parent = {"name": "Holding AG", "country": "CH", "headquarters": "CH"}
    customers = [
        {"id": f"cust-{n}", "parties": [{**party, "name": f"Tochter {n} AG", "ultimate_parent": parent}]} for n in "ab"
    ]
    text = CUMULATIVE.replace("by: customer", "by: end_user")
    guard = load(
        (PolicySource("cumulative.yaml", text),),
        customers={"customers": customers}, record=store, ledger=store, clock=lambda: AT,
    )  # fmt: skip
    run(client(guard, "cust-a"))
    run(client(guard, "cust-b"))
    for customer in ("cust-a", "cust-b"):
        with pytest.raises(ProvisioningHeld):
            run(client(guard, customer))


def test_the_record_names_the_reservation_and_the_reservation_is_settled(make, store):
    run(client(make()))
    (record,) = records(store)
    ledger = open_ledger(store)
    made = ledger.get(record["idempotency_key"])
    assert made is not None
    assert made.state is ReservationState.COMMITTED
    assert ledger.pending() == ()
    ledger.close()
    json.dumps(record)


def test_forty_orders_of_a_million_tokens_are_forty_million(load, store):
    """The news report's order, cut up: the shipped pack lets out thirty-nine, and holds the one that completes it."""
    guard = load(packs=["bis-iaas-red-flags"], record=store, ledger=store, clock=lambda: AT)
    session = boto3.Session("demo", "demo", "demo", region_name="us-east-1")
    bedrock = guard.attach(session.client("bedrock-runtime"), customer="cust-shenzhen")
    body = json.dumps({"max_tokens": 1_000_000, "messages": []})
    model = "anthropic.claude-3-5-sonnet-20240620-v1:0"
    for _ in range(39):
        bedrock.invoke_model(modelId=model, body=body)
    with pytest.raises(ProvisioningHeld, match="40000000 tokens within a year"):
        bedrock.invoke_model(modelId=model, body=body)


def test_what_a_call_did_not_say_is_known_from_its_answer(load, store):
    """A conversation without a bound on its tokens counts as unknown until its answer says how many it took."""
    text = CUMULATIVE.replace("usage.accelerators > 16.0", "usage.tokens > 100").replace("accelerators", "tokens")
    guard = load((PolicySource("tokens.yaml", text),), record=store, ledger=store, clock=lambda: AT)
    session = boto3.Session("demo", "demo", "demo", region_name="us-east-1")
    bedrock = guard.attach(session.client("bedrock-runtime"), customer="cust-zurich")
    request = {
        "modelId": "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "messages": [{"role": "user", "content": [{"text": "hello"}]}],
    }
    with pytest.raises(ProvisioningHeld):
        bedrock.converse(**request)
    lenient = text.replace("authorizable_by", "if_unknown: flag\n    why: a test\n    authorizable_by")
    told = load((PolicySource("tokens.yaml", lenient),), record=store, ledger=store, clock=lambda: AT)
    bedrock = told.attach(session.client("bedrock-runtime"), customer="cust-zurich")
    answer = {
        "usage": {"inputTokens": 30, "outputTokens": 40, "totalTokens": 70},
        "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
        "stopReason": "end_turn",
        "metrics": {"latencyMs": 1},
    }
    with Stubber(bedrock) as stubber:
        stubber.add_response("converse", answer)
        bedrock.converse(**request)
    ledger = open_ledger(store)
    assert ledger.read([ZURICH], AT)[ZURICH].tokens == 70
    ledger.close()


@pytest.mark.parametrize(("took", "counted"), [(70, 70), (5, 42)])
def test_an_estimate_is_raised_by_the_answer_and_never_lowered(load, store, took, counted):
    """Forty tokens at most and two for what is sent: more than that counts as it was, less stays as it was asked."""
    text = CUMULATIVE.replace("usage.accelerators > 16.0", "usage.tokens > 100").replace("accelerators", "tokens")
    guard = load((PolicySource("tokens.yaml", text),), record=store, ledger=store, clock=lambda: AT)
    session = boto3.Session("demo", "demo", "demo", region_name="us-east-1")
    bedrock = guard.attach(session.client("bedrock-runtime"), customer="cust-zurich")
    answer = {
        "usage": {"inputTokens": 1, "outputTokens": took - 1, "totalTokens": took},
        "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
        "stopReason": "end_turn",
        "metrics": {"latencyMs": 1},
    }
    with Stubber(bedrock) as stubber:
        stubber.add_response("converse", answer)
        bedrock.converse(
            modelId="anthropic.claude-3-5-sonnet-20240620-v1:0",
            inferenceConfig={"maxTokens": 40},
            messages=[{"role": "user", "content": [{"text": "hi"}]}],
        )
    ledger = open_ledger(store)
    assert ledger.read([ZURICH], AT)[ZURICH].tokens == counted
    ledger.close()


def test_what_is_used_up_is_known_before_the_call_and_said(load, store):
    """`check` sees what is left of an authorization; a refusal says which one has not enough left."""
    deny = CUMULATIVE.replace("usage.accelerators > 16.0", 'item.accelerator.family == "H100"')
    deny = deny.replace("    per: {by: customer, period: P1Y}\n", "").replace("{usage.accelerators}", "{item.name}")
    waiver = {
        "id": "w-1", "kind": "internal_waiver", "scope": "true", "effective": {"from": "2026-01-01"},
        "parties": [{"role": "end_user", "name": "Example University of Zurich"}],
        "quantity": {"unit": "accelerators", "limit": 8}, "requested_by": "a@b.c", "approved_by": ["d@e.f"],
    }  # fmt: skip
    guard = load(
        (PolicySource("deny.yaml", deny),), record=store, ledger=store, clock=lambda: AT, authorizations=[waiver]
    )
    document = {
        "sdk": "boto3", "service": "ec2", "operation": "RunInstances", "region": "us-east-1", "customer": "cust-zurich",
        "parameters": {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1},
    }  # fmt: skip
    assert guard.check(document).allowed
    run(client(guard))
    assert not guard.check(document).allowed
    with pytest.raises(ProvisioningHeld) as caught:
        run(client(guard))
    assert caught.value.decision.advice == ("authorization w-1 lifts nothing: it has not enough left",)
    assert [each.get("authorizations_exhausted") for each in records(store)] == [None, ["w-1"]]


class _Failing:
    """A store of the user's own, which fails in one of its methods by whatever it is made with."""

    def __init__(self, store: Any, method: str, error: BaseException) -> None:
        self._store, self._method, self._error = store, method, error

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            return self._fail
        if name in ("database", "appending"):
            raise AttributeError(name)
        return getattr(self._store, name)

    def _fail(self, *_: Any, **__: Any) -> None:
        raise self._error


@pytest.mark.parametrize("problem", [
    OSError("s3cr3t"), EndpointConnectionError(endpoint_url="https://s3cr3t"), RecursionError("s3cr3t"),
    ClientError({"Error": {"Code": "ThrottlingException", "Message": "s3cr3t"}}, "PutItem"),
])  # fmt: skip
@pytest.mark.parametrize(("what", "method", "error"), [
    ("record", "append", RecordError), ("record", "keep", RecordError), ("ledger", "reserve", LedgerError),
])  # fmt: skip
def test_whatever_a_store_raises_the_refusal_is_the_guards_own(make, store, what, method, error, problem):
    """A program tells refusals by their classes, and an SDK tries its own errors again."""
    open_it: Any = open_log if what == "record" else open_ledger
    ec2 = client(make(**{what: _Failing(open_it(store), method, problem)}))
    with pytest.raises(error) as caught:
        run(ec2)
    assert caught.value.__cause__ is problem
    assert "s3cr3t" not in str(caught.value)
    assert (running(), used(store)) == (0, 0)


def test_an_instant_that_no_period_ends_after_refuses(make, store):
    """The ledger cannot count in it."""
    with pytest.raises(LedgerError):
        run(client(make(clock=lambda: datetime.max.replace(tzinfo=UTC))))
    assert (running(), used(store)) == (0, 0)


def test_a_refusal_quotes_nothing_of_a_store_that_fails_beside_it(make, store):
    guard = make(record=_Failing(open_log(store), "append", OSError("s3cr3t")))
    with pytest.raises(ProvisioningHeld) as caught:
        run(client(guard), count=9)
    assert "could not be secured: OSError" in caught.value.__notes__[0]
    assert "s3cr3t" not in caught.value.__notes__[0]
