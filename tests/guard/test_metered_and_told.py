"""Calls of models counted together, and what OpenTelemetry is told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from exportguard import Guard, ProvisioningHeld, ProvisioningRefused, RecordError, judging
from exportguard.authority import open_ledger
from exportguard.language import PolicySource
from exportguard.record import SqlLog, open_log, verify
from exportguard.vocabulary import CallOrigin, UsageQuestion

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEY = (UsageQuestion("customer", "P1Y"), "cust-zurich")
MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
POLICY = """
policy: tokens
version: 1
title: Tokens add up
basis: company_policy
references:
  - cite: a test
    read: 2026-11-25
rules:
  - id: too-many
    title: More than a thousand tokens a year
    effect: hold
    when: item.kind == "model" && usage.tokens > 1000
    per: {by: customer, period: P1Y}
    because: "{usage.tokens} tokens this year"
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
    def made(policy: str = POLICY, **options: Any) -> Guard:
        settings = {"record": store, "ledger": store, "clock": lambda: AT, "invoke": "aggregate", **options}
        return load((PolicySource("tokens.yaml", policy),), **settings)

    return made


def client(guard: Guard, customer: str = "cust-zurich") -> Any:
    session = boto3.Session("demo", "demo", "demo", region_name="us-east-1")
    made = session.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))
    return guard.attach(made, customer=customer)


def ask(bedrock: Any, tokens: int = 10, text: str = "hello") -> None:
    """A call that plans for *tokens* in all, those of its text included (a token for four bytes)."""
    sent = -(-len(f"user{text}") // 4)
    body = {"max_tokens": max(1, tokens - sent), "messages": [{"role": "user", "content": text}]}
    bedrock.invoke_model(modelId=MODEL, body=json.dumps(body))


def records(store: Path) -> list[dict[str, Any]]:
    log = open_log(store)
    assert isinstance(log, SqlLog)
    assert verify(log).intact
    found = [stored.record for stored in log.read()]
    log.close()
    return found


def used(store: Path) -> Any:
    ledger = open_ledger(store)
    found = ledger.read([KEY], AT)[KEY].tokens
    ledger.close()
    return found


def test_the_first_call_is_durable_before_it_leaves_and_the_others_are_counted(make, store):
    guard = make()
    bedrock = client(guard)
    seen: list[int] = []
    bedrock.meta.events.register("before-send", lambda **_: seen.append(len(records(store))))
    for _ in range(5):
        ask(bedrock)
    assert seen == [1] * 5
    guard.close()
    first, counted = records(store)
    assert (first["outcome"], counted["schema"]) == ("ALLOW", "exportguard/aggregate/1")
    assert counted["aggregate"]["first"] == first["decision_id"]
    assert (counted["aggregate"]["calls"], counted["aggregate"]["tokens"]) == (4, 40)
    assert used(store) == 50


def test_counting_together_reaches_a_limit_exactly(make, store):
    """A hundred times ten tokens, though a block of a hundred thousand is leased; and not one call more."""
    guard = make()
    bedrock = client(guard)

    def attempt(_: int) -> bool:
        try:
            ask(bedrock)
        except ProvisioningRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(130))) == 100
    guard.close()
    assert used(store) == 1000


def test_a_lease_is_use_for_everybody_else_until_it_is_given_back(make, store):
    """Another guard on the same ledger never grants what this one may still use."""
    one, other = make(), make()
    ask(client(one))
    with pytest.raises(ProvisioningHeld):
        ask(client(other))
    one.flush()
    ask(client(other), 990)
    with pytest.raises(ProvisioningHeld):
        ask(client(one))


def test_another_party_model_or_hour_has_a_first_call_of_its_own(make, store):
    now = [AT]
    guard = make(POLICY.replace("> 1000", "> 1000000"), clock=lambda: now[0])
    bedrock = client(guard)
    ask(bedrock)
    ask(bedrock, 20)
    bedrock.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body='{"max_tokens": 10, "messages": []}')
    now[0] = AT + timedelta(hours=1)
    ask(bedrock)
    guard.close()
    kinds = [each["schema"].split("/")[1] for each in records(store)]
    assert kinds == ["decision-record", "decision-record", "aggregate", "decision-record"]


def test_what_was_counted_is_recorded_within_a_minute_of_calls(make, store):
    now = [AT]
    bedrock = client(make(clock=lambda: now[0]))
    for seconds in (0, 20, 40, 65, 70):
        now[0] = AT + timedelta(seconds=seconds)
        ask(bedrock)
    first, counted = records(store)
    assert (first["outcome"], counted["aggregate"]["calls"]) == ("ALLOW", 3)


def test_a_refused_call_is_recorded_by_itself(make, store):
    bedrock = client(make())
    ask(bedrock)
    for _ in range(2):
        with pytest.raises(ProvisioningHeld):
            ask(bedrock, 2000)
    assert [each["outcome"] for each in records(store)] == ["ALLOW", "HOLD", "HOLD"]


def test_the_first_call_is_refused_when_its_record_cannot_be_kept(make, store):
    guard = make()
    bedrock = client(guard)
    log = open_log(store)
    assert isinstance(log, SqlLog)
    log.write(lambda session: session.execute("ALTER TABLE log_record RENAME TO gone"))
    with pytest.raises(RecordError):
        ask(bedrock)
    log.write(lambda session: session.execute("ALTER TABLE gone RENAME TO log_record"))
    log.close()
    ask(bedrock)
    guard.close()
    assert len(records(store)) == 1
    assert used(store) == 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork: not on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_takes_nothing_from_its_parents_lease(make, store):
    """It leases for itself, and the parent's count stays the parent's."""
    guard = make(POLICY.replace("> 1000", "> 1000000"))
    bedrock = client(guard)
    ask(bedrock)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            ask(bedrock)
            guard.flush()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    ask(bedrock)
    guard.close()
    assert used(store) == 30


def test_spans_and_metrics_tell_outcomes_and_nothing_of_a_calls_content(make, store):
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="telemetry: the OpenTelemetry SDK is not installed")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from exportguard.telemetry import Telemetry

    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    guard = make(telemetry=Telemetry(provider, MeterProvider([reader])))
    bedrock = client(guard)
    ask(bedrock, text="a secret question")
    with pytest.raises(ProvisioningHeld):
        ask(bedrock, 5000)
    finished = spans.get_finished_spans()
    assert [span.name for span in finished] == ["exportguard.judge", "exportguard.release", "exportguard.judge"]
    told = [dict(span.attributes or {}) for span in finished]
    assert [each["exportguard.outcome"] for each in told if "exportguard.outcome" in each] == ["ALLOW", "HOLD"]
    assert told[2]["exportguard.rules"] == ("tokens/too-many",)
    data = reader.get_metrics_data()
    assert data is not None
    metrics = {m.name: m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}
    assert sum(point.value for point in metrics["exportguard.decisions"].data.data_points) == 2
    assert metrics["exportguard.duration"].unit == "s"
    assert "secret question" not in repr(told) + repr(metrics)


def test_telemetry_that_fails_changes_no_call(make, caplog):
    """An exporter that raises is told of once; the call goes its way."""
    pytest.importorskip("opentelemetry", reason="telemetry: OpenTelemetry is not installed")
    from exportguard.telemetry import Telemetry

    class Broken:
        def __getattr__(self, name: str) -> Any:
            def fail(*_: Any, **__: Any) -> Any:
                raise RuntimeError("exporter is down")

            return fail

    telemetry = Telemetry()
    for name in ("_tracer", "_decisions", "_failures", "_duration"):
        setattr(telemetry, name, Broken())
    bedrock = client(make(telemetry=telemetry))
    ask(bedrock)
    with pytest.raises(ProvisioningHeld):
        ask(bedrock, 5000)
    assert caplog.text.count("telemetry does not work") == 1


BESIDE = (
    POLICY.replace("> 1000 tokens", "> 1000")
    + """
  - id: talks
    title: Conversations need a waiver
    effect: hold
    when: item.kind == "model" && request.operation == "Converse"
    because: a conversation
    authorizable_by: [internal_waiver]
"""
)


def test_a_call_that_is_not_counted_does_not_pass_a_limit_beside_one_that_is(make, store):
    """A counted call takes of its process's lease, which moves nothing in the ledger. A lifted call that was decided
    before that, and reserves after it, is decided again."""
    waiver = {
        "id": "w", "kind": "internal_waiver", "scope": 'request.operation == "Converse"',
        "parties": [{"role": "end_user", "name": "Example University of Zurich"}],
        "effective": {"from": "2026-01-01", "until": "2027-01-01"}, "requested_by": "a", "approved_by": ["b"],
    }  # fmt: skip
    guard = make(BESIDE, authorizations=[waiver])
    bedrock = client(guard)
    ask(bedrock, 10)
    document = {
        "sdk": "boto3", "service": "bedrock-runtime", "operation": "Converse", "region": "us-east-1",
        "parameters": {"modelId": MODEL, "inferenceConfig": {"maxTokens": 950}, "messages": [
            {"role": "user", "content": [{"text": "hello"}]}]},
    }  # fmt: skip
    seen, _ = judging.observe(judging.read_document(document, "call"))
    judgement = guard.judge(lambda: seen, CallOrigin("boto3", customer="cust-zurich"))
    assert judgement.decision.allowed, judgement.decision.summary
    ask(bedrock, 100)
    with pytest.raises(ProvisioningHeld):
        guard.release(judgement)
    guard.close()
    assert 110 <= used(store) < 200
