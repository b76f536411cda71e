"""The hook on real clients: botocore over moto, the Stubber and a closed port. A refusal opens no connection."""

from __future__ import annotations

import boto3
import botocore
import botocore.handlers
import botocore.session
import pytest
from botocore.awsrequest import prepare_request_dict
from botocore.stub import Stubber
from moto import mock_aws

from adapters.aws.aws_recording import RecordingGate, Refused, connections, names_p5, types_of
from exportguard.adapters.aws.hook import _EVENTS, AwsHook, _living_emitters, _points
from exportguard.errors import ConfigurationError, GuardError, RecordError
from exportguard.vocabulary import CallResult, ProvisioningRequest

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
AMI = "ami-12c6146b"


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate(names_p5)


@pytest.fixture
def hook(gate: RecordingGate):
    hook = AwsHook(gate, resolver=None)
    yield hook
    hook.uninstall()


def ec2(**more):
    return boto3.client("ec2", **{**KEYS, **more})


def run(client, kind: str, **more):
    return client.run_instances(ImageId=AMI, InstanceType=kind, MinCount=2, MaxCount=2, **more)


def test_a_refused_call_opens_no_connection(gate, hook):
    """The exception arrives unchanged and nothing was connected to or resolved."""
    client = ec2()
    hook.attach(client)
    with connections() as made, pytest.raises(Refused):
        run(client, "p5.48xlarge")
    assert made == []
    assert gate.released == [] == gate.settled


@mock_aws
def test_an_allowed_call_is_released_once_and_settled_as_succeeded(gate, hook):
    """The instance really starts; the gate hears judge, release, settle once each."""
    client = ec2()
    hook.attach(client)
    answer = run(client, "t3.micro")
    assert len(answer["Instances"]) == 2
    assert [types_of(seen) for seen in gate.seen] == [["t3.micro"]]
    assert len(gate.released) == 1
    assert [result for result, _ in gate.settled] == [CallResult.SUCCEEDED]


@pytest.mark.parametrize(
    ("status", "code", "result"),
    [
        (400, "InvalidAMIID.NotFound", CallResult.FAILED),
        (403, "UnauthorizedOperation", CallResult.FAILED),
        (400, "Throttling", CallResult.UNCLEAR),
        (429, "TooManyRequestsException", CallResult.UNCLEAR),
        (503, "Unavailable", CallResult.UNCLEAR),
    ],
)
def test_how_a_call_ended_is_told_apart(gate, hook, status, code, result):
    """A definite 4xx gives a reservation back; a throttle or a 5xx keeps it."""
    client = ec2()
    hook.attach(client)
    with Stubber(client) as stub:
        stub.add_client_error("run_instances", code, http_status_code=status)
        with pytest.raises(client.exceptions.ClientError):
            run(client, "t3.micro")
    assert [each for each, _ in gate.settled] == [result]


def test_a_parameter_error_leaks_nothing(gate, hook):
    """A call that botocore itself rejects was never released."""
    client = ec2()
    hook.attach(client)
    with pytest.raises(botocore.exceptions.ParamValidationError):
        run(client, "t3.micro", NoSuchParameter=1)
    assert gate.released == []


@mock_aws
def test_install_reaches_every_route_to_a_client(gate, hook):
    """Living clients, living sessions, the default session, later sessions, resources, paginators, waiters."""
    before = ec2()
    old_session = boto3.Session(**KEYS)
    raw_session = botocore.session.get_session()
    boto3.setup_default_session(**KEYS)
    hook.install()
    raw = raw_session.create_client("ec2", **KEYS)
    later = boto3.Session(**KEYS).client("ec2")
    for client in (before, old_session.client("ec2"), raw, boto3.client("ec2"), later):
        with pytest.raises(Refused):
            run(client, "p5.48xlarge")
    with pytest.raises(Refused):
        boto3.resource("ec2", **KEYS).create_instances(ImageId=AMI, InstanceType="p5.48xlarge", MinCount=1, MaxCount=1)
    assert len(gate.seen) == 6


def test_uninstall_leaves_the_sdk_as_it_was(gate, hook):
    """Handler lists are equal before and after, on sessions and clients alike, and clients made between are free."""
    client = ec2()
    builtin = list(botocore.handlers.BUILTIN_HANDLERS)
    hook.install()
    hook.install()
    between = ec2()
    assert len(botocore.handlers.BUILTIN_HANDLERS) == len(builtin) + 7
    hook.uninstall()
    hook.uninstall()
    assert builtin == botocore.handlers.BUILTIN_HANDLERS
    assert not [point for emitter in _living_emitters() for point in _points(emitter) if point.hook is hook]
    for each in (client, between):
        with Stubber(each) as stub:
            stub.add_response("run_instances", {})
            run(each, "p5.48xlarge")
    assert gate.seen == []


@mock_aws
def test_uninstall_passes_over_a_session_that_took_no_handlers(gate, hook):
    """Botocore's emitter raises when asked to take out what nothing was ever put in for; the others must be left."""
    hook.install()
    session = botocore.session.Session(include_builtin_handlers=False)
    bare = session.create_client("ec2", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
    between = ec2()
    hook.uninstall()
    hook.uninstall()
    assert not [point for emitter in _living_emitters() for point in _points(emitter) if point.hook is hook]
    run(between, "t3.micro")
    assert gate.seen == []
    assert bare.meta.events


def handlers_of(hook, client):
    """Events of *client* at which a handler of *hook* is called."""
    found = client.meta.events._emitter._handlers
    return {
        event
        for event, _, _ in _EVENTS
        for handler in found.prefix_search(event)
        if getattr(getattr(handler, "__self__", None), "hook", None) is hook
    }


@mock_aws
def test_a_client_of_a_service_that_leads_nowhere_is_left_alone_after_its_first_call(gate, hook):
    """But for the look at what is sent past it. A service with one operation that matters, or that nobody has seen,
    keeps every handler."""
    hook.install()
    s3, between = boto3.client("s3", **KEYS), ec2()
    for _ in range(3):
        s3.list_buckets()
        between.describe_instances()
    assert handlers_of(hook, s3) == {"request-created"}
    assert handlers_of(hook, between) == {event for event, _, _ in _EVENTS}
    with pytest.raises(Refused):
        run(between, "p5.48xlarge")
    hook.attach(s3, customer="cust-1")
    s3.list_buckets()
    hook.detach(s3)
    assert handlers_of(hook, s3) == set()
    hook.install()
    hook.uninstall()
    assert handlers_of(hook, between) == set()


@mock_aws
def test_a_service_with_an_operation_that_nobody_has_seen_keeps_its_handlers(gate, hook, monkeypatch):
    """Of a newer SDK, say: it may carry an instance type."""
    client = boto3.client("s3", **KEYS)
    hook.attach(client)
    model = client.meta.service_model
    monkeypatch.setattr(model, "operation_names", [*model.operation_names, "CreateAcceleratedBucket"])
    client.list_buckets()
    client.list_buckets()
    assert handlers_of(hook, client) == {event for event, _, _ in _EVENTS}


def test_what_is_sent_past_a_client_that_was_left_alone_is_seen(gate, hook):
    """A client of another service, handed a request of EC2's."""
    s3, other = boto3.client("s3", **KEYS), ec2()
    hook.attach(s3)
    with Stubber(s3) as stub:
        stub.add_response("list_buckets", {})
        s3.list_buckets()
    assert handlers_of(hook, s3) == {"request-created"}
    model = other.meta.service_model.operation_model("RunInstances")
    built = other._serializer.serialize_to_request({"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1}, model)
    context = {"client_region": "us-east-1", "client_config": s3.meta.config, "has_streaming_input": False}
    prepare_request_dict(built, endpoint_url=other.meta.endpoint_url, context=context)
    gate.refuses = lambda request: True
    with connections() as made, pytest.raises(Refused):
        s3._endpoint.make_request(model, built)
    assert made == []
    assert [seen.operation for seen in gate.seen] == ["RunInstances"]


@mock_aws
def test_install_again_after_uninstall_works(gate, hook):
    """A hook can be put in, taken out and put in again."""
    client = ec2()
    for _ in range(2):
        hook.install()
        with pytest.raises(Refused):
            run(client, "p5.48xlarge")
        hook.uninstall()
    assert len(gate.seen) == 2


@mock_aws
def test_a_client_that_is_attached_and_installed_is_judged_once(gate, hook):
    """Whatever the order, one hook judges one call once, for the customer that the client was attached for."""
    first, second = ec2(), ec2()
    hook.attach(first, customer="cust-1")
    hook.install()
    hook.attach(second, customer="cust-2")
    hook.attach(second, customer="cust-3")
    run(first, "t3.micro")
    run(second, "t3.micro")
    assert [origin.customer for origin in gate.origins] == ["cust-1", "cust-3"]


@mock_aws
def test_two_hooks_both_judge(gate, hook):
    """A second guard adds to the first: any refusal refuses."""
    other = RecordingGate(lambda request: types_of(request) == ["t3.nano"])
    second = AwsHook(other, resolver=None)
    client = ec2()
    hook.install()
    second.install()
    try:
        with pytest.raises(Refused):
            run(client, "p5.48xlarge")
        with pytest.raises(Refused):
            run(client, "t3.nano")
        run(client, "t3.micro")
    finally:
        second.uninstall()
    assert len(gate.released) == len(other.released) == 1


def test_a_handler_that_changes_the_type_is_seen(gate, hook):
    """The parameters that are judged are those after every other handler, also of one registered later."""
    client = ec2()
    hook.attach(client)

    def change(params, **_):
        params["InstanceType"] = "p5.48xlarge"

    client.meta.events.register("before-parameter-build.ec2.RunInstances", change)
    with connections() as made, pytest.raises(Refused):
        run(client, "t3.micro")
    assert made == []


def test_a_change_after_the_judgement_is_judged_again(gate, hook):
    """A handler between judgement and sending cannot put in another type."""
    client = ec2()
    hook.attach(client)

    def change(params, **_):
        params["InstanceType"] = "p5.48xlarge"

    client.meta.events.register("before-endpoint-resolution.ec2", change)
    with connections() as made, pytest.raises(Refused):
        run(client, "t3.micro")
    assert made == []
    assert [types_of(seen) for seen in gate.seen] == [["t3.micro"], ["p5.48xlarge"]]


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("before-call.ec2.RunInstances", lambda params=None, **_: params["body"].update(InstanceType="p5.48xlarge")),
        ("before-call.ec2", lambda params=None, **_: params.update(url="https://ec2.cn-north-1.amazonaws.com.cn/")),
        ("before-sign.ec2", lambda request=None, **_: request.data.update(InstanceType="p5.48xlarge")),
        ("request-created.ec2", lambda request=None, **_: request.data.update(InstanceType="p5.48xlarge")),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_a_request_that_is_changed_after_its_release_is_not_sent(gate, hook, event, change, late):
    """Whatever a handler puts into the request itself, before or after signing, stops the call; nothing is charged."""
    client = ec2()
    if not late:
        client.meta.events.register(event, change)
    hook.attach(client)
    if late:
        client.meta.events.register(event, change)
    with connections() as made, pytest.raises(GuardError, match="changed after it was judged"):
        run(client, "t3.micro")
    assert made == []
    assert [result for result, _ in gate.settled] == [CallResult.FAILED]


@pytest.mark.parametrize(
    "event", ["before-call.bedrock-runtime", "before-sign.bedrock-runtime", "before-send.bedrock-runtime"]
)
def test_a_model_that_is_changed_in_the_address_is_not_sent(gate, hook, event):
    """On Bedrock the model stands in the path: another path is another model."""

    def change(params=None, request=None, **_):
        if params is not None:
            params["url"] = params["url"].replace("nova-lite", "nova-pro")
        else:
            request.url = request.url.replace("nova-lite", "nova-pro")

    client = boto3.client("bedrock-runtime", **KEYS)
    hook.attach(client)
    client.meta.events.register(event, change)
    with connections() as made, pytest.raises(GuardError):
        client.invoke_model(modelId="amazon.nova-lite-v1:0", body="{}")
    assert made == []


def test_an_endpoint_in_another_region_counts(hook):
    """A client of us-east-1 whose endpoint is in China is judged in both places, before anything is connected."""
    gate = RecordingGate(lambda request: any(place.region == "cn-north-1" for place in request.locations))
    hook = AwsHook(gate, resolver=None)
    client = ec2(endpoint_url="https://ec2.cn-north-1.amazonaws.com.cn")
    hook.attach(client)
    with connections() as made, pytest.raises(Refused):
        run(client, "t3.micro")
    assert made == []
    assert [place.region for place in gate.seen[-1].locations] == ["us-east-1", "cn-north-1"]


def test_an_endpoint_that_turns_out_elsewhere_is_judged_again():
    """The host in the final URL is what counts, wherever it was put in."""
    gate = RecordingGate(lambda request: any(place.region == "cn-north-1" for place in request.locations))
    hook = AwsHook(gate, resolver=None)
    client = ec2()
    hook.attach(client)

    def redirect(builtins, **_):
        builtins["SDK::Endpoint"] = "https://ec2.cn-north-1.amazonaws.com.cn"

    client.meta.events.register("before-endpoint-resolution.ec2", redirect)
    with connections() as made, pytest.raises(Refused):
        run(client, "t3.micro")
    assert made == []


@pytest.mark.parametrize("option", ["use_fips_endpoint", "use_dualstack_endpoint"])
def test_fips_and_dual_stack_hosts_name_their_region(gate, hook, option):
    """Other host names of the same region are the same place, judged once."""
    client = ec2(config=botocore.config.Config(**{option: True}))
    hook.attach(client)
    with Stubber(client) as stub:
        stub.add_response("run_instances", {})
        run(client, "t3.micro")
    (seen,) = gate.seen
    assert [place.region for place in seen.locations] == ["us-east-1"]


def test_presigned_urls_are_judged_and_recorded_when_signed(gate, hook):
    """A URL that someone else sends later is refused, or recorded, when it is made; it is never settled."""
    client = ec2()
    hook.attach(client)
    spec = {"ImageId": AMI, "MinCount": 1, "MaxCount": 1}
    with pytest.raises(Refused):
        client.generate_presigned_url("run_instances", Params={**spec, "InstanceType": "p5.48xlarge"})
    assert client.generate_presigned_url("run_instances", Params={**spec, "InstanceType": "t3.micro"})
    assert len(gate.released) == 1
    assert gate.settled == []
    assert [place.region for place in gate.seen[-1].locations] == ["us-east-1"]
    assert len(gate.seen) == 2


def test_calls_outside_the_surface_never_reach_the_gate(gate, hook):
    """Reads, deletions and data-plane calls cost a dictionary look-up; their payloads are not touched."""
    client = ec2()
    hook.attach(client)
    with Stubber(client) as stub:
        stub.add_response("describe_instances", {})
        stub.add_response("terminate_instances", {})
        client.describe_instances()
        client.terminate_instances(InstanceIds=["i-1"])
    assert gate.seen == []


def test_a_record_that_fails_stops_the_call(gate, hook):
    """What release raises reaches the caller, and nothing is connected."""
    gate.release_error = RecordError("disk full")
    client = ec2()
    hook.attach(client)
    with connections() as made, pytest.raises(RecordError):
        run(client, "t3.micro")
    assert made == []


def test_attaching_to_something_else_is_an_error(hook):
    """`accepts` says what can be attached to; anything else is a clear error."""
    assert not AwsHook.accepts(object())
    assert AwsHook.accepts(boto3.Session(**KEYS))
    with pytest.raises(ConfigurationError):
        hook.attach(object())


@mock_aws
def test_a_session_hands_its_gate_to_later_clients(gate, hook):
    """`attach(session, customer=…)` reaches the clients made from it afterwards, and no others."""
    session = boto3.Session(**KEYS)
    hook.attach(session, customer="cust-7")
    with pytest.raises(Refused):
        run(session.client("ec2"), "p5.48xlarge")
    run(ec2(), "p5.48xlarge")
    assert [origin.customer for origin in gate.origins] == ["cust-7"]
    assert isinstance(gate.seen[0], ProvisioningRequest)
