"""Each way round the guard that anybody has thought of, on real clients, under the shipped packs."""

# ruff: noqa: E501 - a case a line reads best

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest
from botocore.awsrequest import prepare_request_dict
from moto import mock_aws
from moto.server import ThreadedMotoServer

from adapters.aws.aws_recording import connections
from adapters.aws.loopback import loopback
from exportguard import Guard, ProvisioningDenied, ProvisioningHeld, ProvisioningRefused
from exportguard.adapters.aws.facts import observe
from exportguard.errors import GuardError

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
CUSTOMERS = Path(__file__).parents[3] / "examples" / "company_policies" / "customers.yaml"
AMI = "ami-12c6146b"
CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
ARN = f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}"


@pytest.fixture
def load() -> Iterator[Any]:
    made: list[Guard] = []

    def guard(**options: Any) -> Guard:
        made.append(Guard.load(customers=CUSTOMERS, record=None, ledger=None, lists=None,
                               clock=lambda: datetime(2026, 8, 1, tzinfo=UTC), **options))  # fmt: skip
        return made[-1]

    yield guard
    for each in made:
        each.close()


def client(service: str = "ec2", **more: Any) -> Any:
    return boto3.client(service, **{**KEYS, **more})


def run(ec2: Any, kind: Any = "p5.48xlarge", **more: Any) -> Any:
    return ec2.run_instances(ImageId=AMI, InstanceType=kind, MinCount=1, MaxCount=1, **more)


SPELLINGS = [
    "P5.48XLARGE",
    " p5.48xlarge",
    "p5.48xlarge\n",
    "ｐ５.48xlarge",
    "р5.48xlarge",
    "p5.48xlarge\u200b",
    "p5 .48xlarge",
    "",
]


@pytest.mark.parametrize("kind", SPELLINGS)
def test_another_spelling_of_a_type_is_no_other_type(load, kind):
    """Case and white space are read away; what only looks alike is unknown. Neither passes, nothing is connected to."""
    ec2 = load().attach(client(), customer="cust-shenzhen")
    with connections() as made, pytest.raises(ProvisioningRefused):
        run(ec2, kind)
    assert made == []


SAGEMAKER = {"NotebookInstanceName": "n", "RoleArn": "arn:aws:iam::111122223333:role/x"}


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sagemaker", "create_notebook_instance", {**SAGEMAKER, "InstanceType": "ml.p4d.24xlarge"}),
        ("ec2", "create_fleet", {"TargetCapacitySpecification": {"TotalTargetCapacity": 1}, "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
             "Overrides": [*({"InstanceType": "m5.large"} for _ in range(49)), {"InstanceType": "p4d.24xlarge"}]}]}),
        ("ec2", "create_fleet", {"TargetCapacitySpecification": {"TotalTargetCapacity": 1}, "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"}, "Overrides": [
                {"InstanceRequirements": {"VCpuCount": {"Min": 96}, "MemoryMiB": {"Min": 1}, "AcceleratorCount": {"Min": 8}}}]}]}),
        ("bedrock-runtime", "invoke_model", {"modelId": f"us.{CLAUDE}", "body": "{}"}),
        ("bedrock-runtime", "invoke_model", {"modelId": f"global.{CLAUDE}", "body": "{}"}),
        ("bedrock-runtime", "invoke_model", {"modelId": ARN, "body": "{}"}),
        ("bedrock-runtime", "converse", {"modelId": f"arn:aws:bedrock:us-east-1:111122223333:inference-profile/eu.{CLAUDE}"}),
        ("bedrock-runtime", "converse_stream", {"modelId": "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"}),
        ("cloudformation", "create_stack", {"StackName": "s", "TemplateBody": json.dumps({"Resources": {
            "I": {"Type": "AWS::EC2::Instance", "Properties": {"InstanceType": {"Fn::Join": ["", ["p5", ".48xlarge"]]}}}}})}),
        ("scheduler", "create_schedule", {"Name": "s", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": "arn:aws:scheduler:::aws-sdk:ec2:runInstances", "RoleArn": "arn:aws:iam::111122223333:role/x",
                       "Input": json.dumps({"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1})}}),
    ],
)  # fmt: skip
def test_by_another_door(load, service, operation, parameters):
    """Other services, overrides, requirements, profiles, ARNs, templates, schedules: refused before a connection."""
    made_client = load().attach(client(service), customer="cust-shenzhen")
    if not hasattr(made_client, operation):
        pytest.skip("this botocore does not know the operation")
    with connections() as made, pytest.raises(ProvisioningRefused):
        getattr(made_client, operation)(**parameters)
    assert made == []


@mock_aws
def test_resized_after_it_was_made_and_started_after_it_was_stopped(load):
    """A small instance is everyday; making it a large one, or starting one that was stopped before, is not."""
    bare = client()
    small = run(bare, "t3.micro")["Instances"][0]["InstanceId"]
    large = run(bare, "p5.48xlarge")["Instances"][0]["InstanceId"]
    bare.stop_instances(InstanceIds=[small, large])
    ec2 = load(resolver="auto").attach(client(), customer="cust-shenzhen")
    with pytest.raises(ProvisioningDenied):
        ec2.modify_instance_attribute(InstanceId=small, InstanceType={"Value": "p4d.24xlarge"})
    with pytest.raises(ProvisioningRefused):
        ec2.start_instances(InstanceIds=[small, large])
    ec2.start_instances(InstanceIds=[small])
    ec2.stop_instances(InstanceIds=[large])


@mock_aws
def test_a_template_that_changes_between_two_calls(load):
    """`$Latest` means what it is now, each time."""
    bare = client()
    bare.create_launch_template(LaunchTemplateName="tpl", LaunchTemplateData={"InstanceType": "t3.micro"})
    ec2 = load(resolver="auto").attach(client(), customer="cust-shenzhen")
    named = {"LaunchTemplateName": "tpl", "Version": "$Latest"}
    ec2.run_instances(ImageId=AMI, LaunchTemplate=named, MinCount=1, MaxCount=1)
    bare.create_launch_template_version(LaunchTemplateName="tpl", LaunchTemplateData={"InstanceType": "p5.48xlarge"})
    with pytest.raises(ProvisioningRefused):
        ec2.run_instances(ImageId=AMI, LaunchTemplate=named, MinCount=1, MaxCount=1)


def test_a_model_behind_a_prompt_router_is_found_by_asking(load):
    """The router is looked up at the client's own endpoint, and the models behind it are judged; the call is not made."""
    answer = json.dumps({"models": [{"modelArn": ARN}], "fallbackModel": {"modelArn": ARN.replace("3-5", "3")},
                         "promptRouterName": "r", "routingCriteria": {"responseQualityDifference": 0.1}, "status": "AVAILABLE",
                         "promptRouterArn": "a", "type": "custom"}).encode()  # fmt: skip
    if not hasattr(client("bedrock"), "get_prompt_router"):
        pytest.skip("this botocore is older than prompt routers")
    with loopback((200, answer)) as server:
        bedrock = load(resolver="auto").attach(
            client("bedrock-runtime", endpoint_url=server.url), customer="cust-shenzhen"
        )
        with pytest.raises(ProvisioningDenied) as caught:
            bedrock.invoke_model(modelId="arn:aws:bedrock:us-east-1:111122223333:prompt-router/abc", body="{}")
    assert {item.model for item in caught.value.decision.request.items} == {CLAUDE, CLAUDE.replace("3-5", "3")}
    assert not [path for path in server.requests if "invoke" in path]


@pytest.mark.parametrize(
    "more",
    [
        {"endpoint_url": "https://proxy.example.com"},
        {"config": botocore.config.Config(use_fips_endpoint=True)},
        {"config": botocore.config.Config(use_dualstack_endpoint=True)},
        {"config": botocore.config.Config(retries={"total_max_attempts": 5, "mode": "adaptive"})},
    ],
)
def test_another_endpoint_is_the_same_call(load, more):
    """A proxy, FIPS, dual-stack and retries change nothing of what is asked for."""
    ec2 = load().attach(client(**more), customer="cust-shenzhen")
    with connections() as made, pytest.raises(ProvisioningDenied):
        run(ec2)
    assert made == []


def test_a_url_that_is_signed_for_later(load):
    """A presigned URL is the call: refused where it is signed."""
    ec2 = load().attach(client(), customer="cust-shenzhen")
    with pytest.raises(ProvisioningDenied):
        ec2.generate_presigned_url("run_instances", Params={"ImageId": AMI, "InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1})  # fmt: skip


def quiet(function: Any, otherwise: Any) -> Any:
    """*function*, with every exception swallowed."""

    def swallowing(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception:  # what the test is about
            return otherwise

    return swallowing


@pytest.mark.parametrize("how", ["emit", "emit_until_response", "both"])
def test_a_refusal_that_somebody_swallows_still_sends_nothing(load, how):
    """An emitter that eats exceptions turns a refusal into silence: the call then ends in an answer of the guard's."""
    ec2 = load().attach(client(), customer="cust-shenzhen")
    for name in ("emit", "emit_until_response") if how == "both" else (how,):
        setattr(ec2.meta.events, name, quiet(getattr(ec2.meta.events, name), [] if name == "emit" else (None, None)))
    with connections() as made, pytest.raises((ProvisioningDenied, botocore.exceptions.ClientError)):
        run(ec2)
    assert made == []


def past_the_client(made: Any, operation: str, parameters: dict[str, Any]) -> Any:
    """What an application does that wants no events of the client's own: it builds the request and hands it on."""
    model = made.meta.service_model.operation_model(operation)
    context = {"client_region": "us-east-1", "client_config": made.meta.config, "has_streaming_input": False}
    built = made._serializer.serialize_to_request(parameters, model)
    prepare_request_dict(built, endpoint_url=made.meta.endpoint_url, context=context)
    return made._endpoint.make_request(model, built)


def test_a_request_that_goes_past_the_clients_methods_is_not_sent(load):
    """Its parameters were never seen, so it is unknown what it asks for; what cannot matter goes through."""
    guard = load()
    ec2 = guard.attach(client(), customer="cust-shenzhen")
    wanted = {"ImageId": AMI, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    with connections() as made, pytest.raises(ProvisioningHeld):
        past_the_client(ec2, "RunInstances", wanted)
    assert made == []
    emr = guard.attach(boto3.client("emr", **KEYS), customer="cust-shenzhen")
    with connections() as made, pytest.raises(ProvisioningHeld):
        # Read by an extractor of its own, and in no list of parameter paths.
        past_the_client(emr, "ModifyInstanceGroups", {"InstanceGroups": [{"InstanceGroupId": "g", "InstanceCount": 9}]})
    assert made == []
    with mock_aws():
        response, _ = past_the_client(ec2, "DescribeInstances", {})
        assert response.status_code == 200


def test_a_request_past_the_client_is_what_it_says_it_is(load):
    """Not what the model that is handed on with it is called; where only an address says it, it may be anything."""
    guard = load()
    ec2 = guard.attach(client(), customer="cust-shenzhen")
    context = {"client_region": "us-east-1", "client_config": ec2.meta.config, "has_streaming_input": False}
    harmless = ec2.meta.service_model.operation_model("DescribeInstances")
    form = {"Action": "RunInstances", "InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1}
    built = {"url_path": "/", "query_string": "", "method": "POST", "headers": {}, "body": form, "context": {}}
    prepare_request_dict(built, endpoint_url=ec2.meta.endpoint_url, context=context)
    with connections() as made, pytest.raises(ProvisioningRefused):
        ec2._endpoint.make_request(harmless, built)
    bedrock = guard.attach(boto3.client("bedrock", **KEYS), customer="cust-shenzhen")
    harmless = bedrock.meta.service_model.operation_model("ListFoundationModels")
    built = {"url_path": "/model-invocation-job", "query_string": "", "method": "POST", "headers": {}, "body": b"{}"}
    prepare_request_dict(built, endpoint_url=bedrock.meta.endpoint_url, context=context)
    with connections() as also, pytest.raises(ProvisioningRefused):
        bedrock._endpoint.make_request(harmless, built)
    assert made == also == []


def into_run_instances(params, **_):
    params["body"] = {"Action": "RunInstances", "InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1}


def into_a_training_job(params, **_):
    params["headers"]["X-Amz-Target"] = "SageMaker.CreateTrainingJob"
    params["body"] = b'{"ResourceConfig": {"InstanceType": "ml.p5.48xlarge"}}'


def into_an_invocation(params, **_):
    params["method"], params["url"] = "POST", params["url"].replace("/foundation-models", "/model-invocation-job")


OTHER_OPERATIONS = [
    ("ec2", "describe_instances", into_run_instances),
    ("sagemaker", "list_models", into_a_training_job),
    ("bedrock", "list_foundation_models", into_an_invocation),
]


@pytest.mark.parametrize(("service", "method", "change"), OTHER_OPERATIONS, ids=[row[0] for row in OTHER_OPERATIONS])
@pytest.mark.parametrize("event", ["before-call", "request-created"])
def test_a_call_that_cannot_matter_is_made_into_no_other(load, service, method, change, event):
    """Form, header or address: what says which operation it is stays what it was."""
    made = load().attach(boto3.client(service, **KEYS), customer="cust-shenzhen")

    def late(request=None, params=None, **_):
        if params is None:
            params = {"headers": request.headers, "method": request.method, "url": request.url, "body": request.data}
            change(params)
            request.method, request.url, request.data = params["method"], params["url"], params["body"]
        else:
            change(params)

    made.meta.events.register(event, late)
    with connections() as opened, pytest.raises(GuardError):
        getattr(made, method)()
    assert opened == []


def test_a_command_is_made_into_no_automation(load):
    """Two operations that take the same body are told apart by a header alone."""
    ssm = load().attach(boto3.client("ssm", **KEYS), customer="cust-shenzhen")

    def into_an_automation(params, **_):
        params["headers"]["X-Amz-Target"] = "AmazonSSM.StartAutomationExecution"

    ssm.meta.events.register("before-call", into_an_automation)
    with connections() as opened, pytest.raises(GuardError):
        ssm.send_command(DocumentName="Restart", Parameters={"services": ["nginx"]})
    assert opened == []


def test_a_text_that_is_written_otherwise_than_it_reads_is_not_known(load):
    """A class of its own may say one thing when it is asked and another when it is sent; a choice of an enum does not."""

    class Sly(str):
        def __str__(self):
            return "p5.48xlarge"

    class Kind(str, Enum):  # noqa: UP042 - as users write it, and as it is written out otherwise than it reads
        SMALL = "t3.micro"

    ec2 = load().attach(client(), customer="cust-shenzhen")
    with connections() as made, pytest.raises(ProvisioningHeld):
        run(ec2, Sly("t3.micro"))
    assert made == []
    seen = observe("ec2", "RunInstances", {"InstanceType": Kind.SMALL}, region="us-east-1")
    assert seen.items[0].instance_type == "t3.micro"


def test_a_context_that_an_outside_call_went_through_hides_nothing(load):
    """That a call cannot matter is noted in its context; another call that is given the same is judged all the same."""
    ec2 = load().attach(client(), customer="cust-shenzhen")
    context: dict[str, object] = {"client_region": "us-east-1"}
    for operation, parameters in (("DescribeInstances", {}), ("RunInstances", {"InstanceType": "p5.48xlarge"})):
        model = ec2.meta.service_model.operation_model(operation)
        refused = pytest.raises(ProvisioningDenied) if parameters else contextlib.nullcontext()
        with refused:
            ec2.meta.events.emit(
                f"before-parameter-build.ec2.{operation}", params=parameters, model=model, context=context
            )


@mock_aws
def test_concurrent_customers_of_one_client(load):
    """Two threads, one client, two customers: each gets its own answer every time."""
    guard = load()
    ec2 = guard.attach(client())
    seen: dict[str, set[str]] = {"cust-zurich": set(), "cust-shenzhen": set()}

    def work(who: str) -> None:
        for _ in range(10):
            with guard.acting_for(who):
                try:
                    run(ec2)
                    seen[who].add("started")
                except ProvisioningDenied:
                    seen[who].add("denied")

    threads = [threading.Thread(target=work, args=(who,)) for who in seen for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"cust-zurich": {"started"}, "cust-shenzhen": {"denied"}}


def test_over_a_server_of_its_own(load):
    """The same over HTTP: look-ups go to the endpoint of the judged client, and what is refused never reaches it."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        there = {"endpoint_url": f"http://127.0.0.1:{port}"}
        bare = client(**there)
        ident = run(bare)["Instances"][0]["InstanceId"]
        bare.stop_instances(InstanceIds=[ident])
        ec2 = load(resolver="auto").attach(client(**there), customer="cust-shenzhen")
        with pytest.raises(ProvisioningDenied):
            ec2.start_instances(InstanceIds=[ident])
        with pytest.raises(ProvisioningDenied):
            run(ec2)
        assert run(ec2, "t3.micro")["Instances"]
        found = [i for r in bare.describe_instances()["Reservations"] for i in r["Instances"]]
        assert [(i["InstanceType"], i["State"]["Name"]) for i in found] == [
            ("p5.48xlarge", "stopped"), ("t3.micro", "running")]  # fmt: skip
    finally:
        server.stop()
