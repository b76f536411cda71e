"""The hook under retries, threads, event loops, garbage collection and look-ups."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import threading
from collections.abc import Iterator

import boto3
import botocore.config
import botocore.exceptions
import pytest
from moto import mock_aws

from adapters.aws.aws_recording import RecordingGate, Refused, connections, names_p5, types_of
from adapters.aws.loopback import loopback
from exportguard.adapters.aws.hook import AwsHook, _living_emitters
from exportguard.adapters.aws.lookup import Question
from exportguard.adapters.aws.resolver import ClientResolver
from exportguard.vocabulary import CallResult, ProvisioningRequest, Unknown

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
AMI = "ami-12c6146b"
FAST = botocore.config.Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=2, read_timeout=2)
CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate(names_p5)


@pytest.fixture
def hook(gate: RecordingGate) -> Iterator[AwsHook]:
    hook = AwsHook(gate, resolver=None)
    yield hook
    hook.uninstall()


def client(service: str, **more):
    return boto3.client(service, **{**KEYS, "config": FAST, **more})


def test_three_failures_of_the_server_are_one_call(gate, hook):
    """Retries stay between release and settle; what three 503s leave behind is unclear."""
    with loopback((503, b"{}")) as server:
        bedrock = client("bedrock-runtime", endpoint_url=server.url)
        hook.attach(bedrock)
        with pytest.raises(botocore.exceptions.ClientError):
            bedrock.invoke_model(modelId=CLAUDE, body="{}")
    assert len(server.requests) == 3
    assert len(gate.seen) == len(gate.released) == 1
    assert [result for result, _ in gate.settled] == [CallResult.UNCLEAR]


def test_converse_over_a_loopback_endpoint_keeps_the_clients_region(gate, hook):
    """A host that is not one of AWS's names no region; the client's counts."""
    if not hasattr(client("bedrock-runtime"), "converse"):
        pytest.skip("this botocore is older than Converse")
    body = json.dumps(
        {"output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}}, "stopReason": "end_turn"}
    )
    with loopback((200, body.encode())) as server:
        bedrock = client("bedrock-runtime", endpoint_url=server.url)
        hook.attach(bedrock)
        bedrock.converse(
            modelId=CLAUDE,
            messages=[{"role": "user", "content": [{"text": "a secret prompt"}]}],
            inferenceConfig={"maxTokens": 40},
        )
    (seen,) = gate.seen
    assert isinstance(seen, ProvisioningRequest)
    assert [place.region for place in seen.locations] == ["us-east-1"]
    assert [(item.model, item.tokens) for item in seen.items] == [(CLAUDE, 45)]
    assert "secret" not in repr(seen)
    assert [result for result, _ in gate.settled] == [CallResult.SUCCEEDED]


def test_a_lost_connection_is_unclear(gate, hook):
    """Nobody knows what the service did; the reservation is kept."""
    bedrock = client("bedrock-runtime", endpoint_url="http://127.0.0.1:9")
    hook.attach(bedrock)
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        bedrock.invoke_model(modelId=CLAUDE, body="{}")
    assert [result for result, _ in gate.settled] == [CallResult.UNCLEAR]


def test_a_call_that_cannot_be_signed_failed(gate, hook, monkeypatch):
    """Without credentials nothing was sent, so a reservation is given back."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    bedrock = boto3.Session().client("bedrock-runtime", region_name="us-east-1", config=FAST)
    hook.attach(bedrock)
    with pytest.raises(botocore.exceptions.NoCredentialsError):
        bedrock.invoke_model(modelId=CLAUDE, body="{}")
    assert [result for result, _ in gate.settled] == [CallResult.FAILED]


@mock_aws
def test_many_threads_on_one_client_are_each_judged(gate, hook):
    """Forty calls from eight threads: twenty refused, twenty carried out, none confused."""
    ec2 = client("ec2")
    hook.attach(ec2)
    refused, started = [], []

    def work(index: int) -> None:
        for turn in range(5):
            kind = "p5.48xlarge" if (index + turn) % 2 else "t3.micro"
            try:
                started.append(ec2.run_instances(ImageId=AMI, InstanceType=kind, MinCount=1, MaxCount=1))
            except Refused:
                refused.append(kind)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(refused), len(started)) == (20, 20)
    assert set(refused) == {"p5.48xlarge"}
    assert {i["InstanceType"] for answer in started for i in answer["Instances"]} == {"t3.micro"}


def test_install_while_others_make_clients_and_the_heap_is_frozen(gate, hook):
    """A frozen heap (a pre-forking server) hides nothing from install, and stays frozen."""
    ec2 = client("ec2")
    gc.freeze()
    try:
        hook.install()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
    with connections() as made, pytest.raises(Refused):
        ec2.run_instances(ImageId=AMI, InstanceType="p5.48xlarge", MinCount=1, MaxCount=1)
    assert made == []
    assert _living_emitters()


async def test_async_clients_are_judged_off_the_event_loop(gate, hook):
    """aiobotocore's handlers are awaited: the judgement runs on another thread, and the refusal arrives unchanged."""
    aiobotocore = pytest.importorskip("aiobotocore.session")
    hook.install()
    async with aiobotocore.get_session().create_client("ec2", **KEYS) as ec2:
        with connections() as made, pytest.raises(Refused):
            await ec2.run_instances(ImageId=AMI, InstanceType="p5.48xlarge", MinCount=1, MaxCount=1)
        await asyncio.sleep(0)
    assert made == []
    assert gate.threads[0] != threading.get_ident()


async def test_a_living_async_client_is_reached_and_settled(gate, hook):
    """A client made before install, over a loopback endpoint, goes through all three stages."""
    aiobotocore = pytest.importorskip("aiobotocore.session")
    with loopback((200, b"{}")) as server:
        async with aiobotocore.get_session().create_client(
            "bedrock-runtime", endpoint_url=server.url, **KEYS
        ) as bedrock:
            hook.install()
            await bedrock.invoke_model(modelId=CLAUDE, body="{}")
    assert len(gate.seen) == len(gate.released) == 1
    assert [result for result, _ in gate.settled] == [CallResult.SUCCEEDED]


async def test_an_async_call_that_is_cancelled_while_it_is_released_gives_back(gate, hook):
    """It never left: what the other thread reserves meanwhile does not stay."""
    aiobotocore = pytest.importorskip("aiobotocore.session")
    inside, go, release = threading.Event(), threading.Event(), gate.release

    def slow(judgement):
        inside.set()
        go.wait(10)
        release(judgement)

    gate.release = slow
    hook.install()
    async with aiobotocore.get_session().create_client("bedrock-runtime", **KEYS) as bedrock:
        with connections() as made:
            task = asyncio.ensure_future(bedrock.invoke_model(modelId=CLAUDE, body="{}"))
            while not inside.is_set():
                await asyncio.sleep(0.002)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go.set()
            while not gate.settled:
                await asyncio.sleep(0.002)
    assert made == []
    assert [result for result, _ in gate.settled] == [CallResult.FAILED]


# -- look-ups ------------------------------------------------------------------------------------------------------


@mock_aws
def test_a_launch_template_is_resolved_with_the_clients_own_credentials():
    """`auto` reads the template; what it calls itself is not judged; `$Latest` is read anew each time."""
    gate = RecordingGate(names_p5)
    hook = AwsHook(gate)
    ec2 = client("ec2")
    made = ec2.create_launch_template(LaunchTemplateName="template", LaunchTemplateData={"InstanceType": "t3.micro"})
    named = {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"}
    hook.install()
    try:
        ec2.run_instances(ImageId=AMI, LaunchTemplate=named, MinCount=1, MaxCount=1)
        with contextlib.suppress(Refused):
            ec2.create_launch_template_version(
                LaunchTemplateId=named["LaunchTemplateId"], LaunchTemplateData={"InstanceType": "p4d.24xlarge"}
            )
        ec2.run_instances(ImageId=AMI, LaunchTemplate=named, MinCount=1, MaxCount=1)
    finally:
        hook.uninstall()
    assert [types_of(seen) for seen in gate.seen] == [["t3.micro"], ["p4d.24xlarge"], ["p4d.24xlarge"]]
    assert {seen.account for seen in gate.seen} == {"123456789012"}


@mock_aws
def test_starting_a_stopped_instance_is_resolved():
    """StartInstances names only ids: the types are read."""
    gate = RecordingGate(names_p5)
    ec2 = client("ec2")
    ident = ec2.run_instances(ImageId=AMI, InstanceType="p5.48xlarge", MinCount=1, MaxCount=1)["Instances"][0][
        "InstanceId"
    ]
    ec2.stop_instances(InstanceIds=[ident])
    AwsHook(gate).attach(ec2)
    with pytest.raises(Refused):
        ec2.start_instances(InstanceIds=[ident])


def test_what_cannot_be_reached_is_unknown_in_time_and_asked_once():
    """A look-up that fails gives the reason, never an exception, and is not tried again at once."""
    ec2 = client("ec2", endpoint_url="http://127.0.0.1:9")
    resolver = ClientResolver.of(ec2, seconds=3.0)
    question = Question("ec2", "DescribeInstances", {"InstanceIds": ["i-1"]}, "us-east-1")
    first = resolver.ask(question)
    assert isinstance(first, Unknown)
    with connections() as made:
        assert resolver.ask(question) == first
    assert made == []


@mock_aws
def test_processes_that_make_a_client_for_each_call_ask_who_they_are_once(monkeypatch):
    """The account of an access key is looked up once, whichever client asks."""
    asked = []
    real = ClientResolver._limited
    monkeypatch.setattr(ClientResolver, "_limited", lambda self, q: asked.append(q.operation) or real(self, q))
    gate = RecordingGate(names_p5)
    hook = AwsHook(gate)
    for _ in range(2):
        ec2 = client("ec2", aws_access_key_id="AKIAONCEONLY")
        hook.attach(ec2)
        ec2.run_instances(ImageId=AMI, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    assert asked == ["GetCallerIdentity"]
    assert [seen.account for seen in gate.seen] == ["123456789012"] * 2


def test_a_resolver_never_changes_anything():
    """Only read-only operations are ever called."""
    resolver = ClientResolver.of(client("ec2", endpoint_url="http://127.0.0.1:9"))
    with connections() as made:
        assert isinstance(resolver.ask(Question("ec2", "RunInstances", {})), Unknown)
    assert made == []


def test_a_resolver_that_raises_knows_nothing(gate):
    """An injected resolver's failure leaves the fact unknown; the call is still judged."""

    class Broken:
        def ask(self, question):
            raise OSError("down")

    ec2 = client("ec2")
    gate.refuses = lambda request: True
    AwsHook(gate, resolver=Broken()).attach(ec2)
    with pytest.raises(Refused):
        ec2.start_instances(InstanceIds=["i-1"])
    assert types_of(gate.seen[0]) == ["?"]
