"""What a request says beside its items: places, account, tags, transfer; attribute-based requirements; documents."""

# ruff: noqa: E501 - a case a line reads best

from __future__ import annotations

import subprocess
import sys
from time import process_time

import pytest

from adapters.aws.aws_shown import Answers, items
from exportguard.adapters.aws.facts import observe, observe_document
from exportguard.errors import DocumentError
from exportguard.vocabulary import Boto3Call, Certainty, NotApplicable, Transfer, Unknown


def run(region: str | None = "us-east-1", *, url: str | None = None, resolver=None, **more):
    parameters = {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1, **more}
    return observe("ec2", "RunInstances", parameters, region=region, url=url, resolver=resolver)


def regions(seen) -> list[str]:
    return [place.region if isinstance(place.region, str) else "?" for place in seen.locations]


@pytest.mark.parametrize(
    ("region", "url", "expected"),
    [
        ("us-east-1", None, ["us-east-1"]),
        ("us-east-1", "https://ec2.us-east-1.amazonaws.com/", ["us-east-1"]),
        ("us-east-1", "https://ec2.cn-north-1.amazonaws.com.cn/", ["us-east-1", "cn-north-1"]),
        ("us-east-1", "https://vpce-0a-b.ec2.ap-east-1.vpce.amazonaws.com", ["us-east-1", "ap-east-1"]),
        ("eu-west-1", "https://ec2.amazonaws.com", ["eu-west-1", "us-east-1"]),
        ("us-east-1", "http://localhost:5000", ["us-east-1"]),
        ("us-east-1", "https://ec2-fips.us-east-1.api.aws/", ["us-east-1"]),
        ("fips-us-gov-west-1", None, ["us-gov-west-1"]),
        ("US-EAST-1 ", None, ["us-east-1"]),
        ("aws-global", None, ["?"]),
        (None, None, ["?"]),
        ("us-east-１", None, ["?"]),
        ("us-east-1", "https://[broken", ["us-east-1"]),
    ],
)  # fmt: skip
def test_every_region_that_a_call_touches_is_a_location(region, url, expected):
    """Client region and host region both count where they differ; a host that is not AWS's names none."""
    assert regions(run(region, url=url)) == expected


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        ({"AvailabilityZone": "us-east-1a"}, ["us-east-1a"]),
        ({"AvailabilityZone": "us-east-1-bue-1a"}, ["us-east-1-bue-1a"]),
        ({"AvailabilityZone": "cn-north-1a"}, ["us-east-1", "cn-north-1a"]),
        ({"AvailabilityZoneId": "use1-az1"}, ["us-east-1"]),
        ({"AvailabilityZoneId": "use1-bue1-az1"}, ["us-east-1", "use1-bue1-az1"]),
        ({"AvailabilityZone": 5}, ["us-east-1", "?"]),
    ],
)
def test_a_zone_stands_for_its_region(placement, expected):
    """A local zone may lie in another country, so the zone itself is the location."""
    assert regions(run(Placement=placement)) == expected


def test_an_inference_profile_adds_where_it_may_process():
    """The endpoint's region is declared; the geography's places are possible ones."""
    seen = observe("bedrock-runtime", "Converse", {"modelId": "jp.anthropic.claude-v2"}, region="us-east-1")
    assert [(p.region, p.country, p.certainty) for p in seen.locations[1:]] == [(None, "JP", Certainty.POSSIBLE)]
    seen = observe("bedrock-runtime", "Converse", {"modelId": "global.anthropic.claude-v2"}, region="us-east-1")
    assert isinstance(seen.locations[1].region, Unknown)
    seen = observe("bedrock-runtime", "Converse", {"modelId": "ai21.jamba-1-5-large-v1:0"}, region="us-east-1")
    assert len(seen.locations) == 1


def test_an_outpost_is_an_export_to_a_place_nobody_knows():
    """Hardware at a customer's site goes to the party; the region alone would hide where it stands."""
    seen = observe(
        "ec2", "AllocateHosts", {"InstanceType": "g4dn.metal", "Quantity": 1, "OutpostArn": "arn:x"}, region="us-east-1"
    )
    assert seen.transfer is Transfer.EXPORT
    assert regions(seen) == ["us-east-1", "?"]
    assert run().transfer is Transfer.REMOTE_ACCESS


def test_the_account_comes_from_a_passed_role_or_from_sts():
    """A role is passed inside one account only; else STS is asked where a resolver is there; else it is unknown."""
    role = {"IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/x"}}
    assert run(**role).account == "111122223333"
    assert run(resolver=Answers({"GetCallerIdentity": {"Account": "444455556666"}})).account == "444455556666"
    assert isinstance(run().account, Unknown)


def test_secrets_are_never_in_the_request():
    """User data, prompts and payloads stay where they are; tags are kept for the directory."""
    seen = run(
        UserData="hunter2",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "customer", "Value": "c-1"}]}],
    )
    assert "hunter2" not in repr(seen)
    assert seen.tags == {"customer": "c-1"}


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        ({"AcceleratorNames": ["h100"], "AcceleratorCount": {"Min": 8, "Max": 8}}, ["acc:h100 x16"]),
        ({"AcceleratorNames": ["a100"]}, ["acc:a100 x?"]),
        ({"AcceleratorManufacturers": ["nvidia"]}, ["acc:? x?"]),
        ({"AcceleratorTypes": ["gpu"], "AcceleratorCount": {"Max": 4}}, ["acc:? x8"]),
        ({"AcceleratorCount": {"Min": 1}}, ["acc:? x?"]),
        ({"AcceleratorCount": {"Max": 0}, "VCpuCount": {"Min": 1}}, None),
        ({"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1}}, ["? x2"]),
        ({"VCpuCount": {"Min": 1}, "ExcludedInstanceTypes": ["p*"]}, ["? x2"]),
        ({"AllowedInstanceTypes": ["p4d.*", "m5.large"]}, ["p4d.24xlarge x2", "m5.large x2"]),
        ({"AllowedInstanceTypes": ["*"]}, ["? x2"]),
        ({"AcceleratorNames": [5]}, ["acc:? x?"]),
        ("x", ["??"]),
    ],
)
def test_attribute_based_requirements(requirements, expected):
    """Named accelerators are items; any accelerator is an unknown one; a maximum of none is none; silence is unknown."""
    config = {
        "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1"},
        "Overrides": [{"InstanceRequirements": requirements}],
    }
    call = {"LaunchTemplateConfigs": [config], "TargetCapacitySpecification": {"TotalTargetCapacity": 2}}
    assert items("ec2", "CreateFleet", call) == expected


def test_latest_is_asked_each_time_and_a_numbered_version_may_be_kept():
    """`$Latest` and `$Default` are never cacheable; a version number of an id is."""
    answers = Answers({})
    for version in ("$Latest", "$Default", None, "3"):
        run_template = {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": version}, "MaxCount": 1}
        observe("ec2", "RunInstances", run_template, region="us-east-1", resolver=answers)
    asked = [q for q in answers.asked if q.operation == "DescribeLaunchTemplateVersions"]
    assert [(q.parameters["Versions"], q.immutable) for q in asked] == [
        (["$Latest"], False), (["$Default"], False), (["$Default"], False), (["3"], True)]  # fmt: skip


@pytest.mark.parametrize("operation", ["RunInstances", "run_instances", "runInstances"])
@pytest.mark.parametrize("service", ["ec2", "EC2", " ec2 "])
def test_a_call_document_is_read_like_the_live_call(service, operation):
    """Names written by hand are taken as botocore spells them; what the document says of the parties is added."""
    document = Boto3Call(
        sdk="boto3", service=service, operation=operation, region="us-east-1", customer="cust-1", end_use="ai_training",
        account="111122223333", time="2024-05-01T00:00:00Z", tags={"a": "b"},
        parameters={"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 2},
    )  # fmt: skip
    seen = observe_document(document)
    assert (seen.service, seen.operation, seen.customer, seen.account) == (
        "ec2",
        "RunInstances",
        "cust-1",
        "111122223333",
    )
    assert seen.items == run(MaxCount=2).items
    assert seen.time is not None
    assert seen.tags == {"a": "b"}


@pytest.mark.parametrize("time", ["yesterday", "2024-05-01T00:00:00"])
def test_a_time_that_is_no_instant_is_an_error(time):
    """It selects rules, so it has to be exact."""
    call = {"InstanceType": "p5.48xlarge", "MaxCount": 1}
    with pytest.raises(DocumentError, match="time"):
        observe_document(Boto3Call(sdk="boto3", service="ec2", operation="RunInstances", parameters=call, time=time))


def test_facts_need_no_sdk():
    """Call documents and logs are judged where boto3 is not installed."""
    code = (
        "import sys; from exportguard.adapters.aws.facts import observe;"
        "observe('ec2', 'RunInstances', {'InstanceType': 'm5.large'}, region='us-east-1');"
        "import exportguard.adapters.aws.hook;"
        "assert not {'boto3', 'botocore'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "src"})


def test_a_stranger_in_the_instance_type_is_passed_on_as_it_is():
    """Full-width and homoglyph names are not repaired here: the reference data decides what it knows."""
    for name in ("ｐ5.48xlarge", "р5.48xlarge", " P5.48XLARGE"):
        assert items("ec2", "RunInstances", {"InstanceType": name, "MaxCount": 1}) == [f"{name} x1"]


def test_outside_is_decided_before_parameters_are_touched():
    """A payload outside the surface is never looked at."""

    class Untouchable(dict):
        def __getattribute__(self, name):
            raise AssertionError("read")

    assert isinstance(observe("s3", "PutObject", Untouchable(), region="us-east-1"), NotApplicable)


REPEATED = [
    ("appsync", "CreateResolver", {"code": "/model/x" * 40_000}),
    ("appsync", "CreateResolver", {"code": "modelId = " * 40_000}),
    ("ssm", "SendCommand", {"DocumentName": "d", "Parameters": {"commands": ["p5-" * 60_000]}}),
    ("proton", "UpdateService", {"name": "s", "spec": "g6-" * 150_000}),
    ("lambda", "Invoke", {"a" * 300_000: "b"}),
    ("stepfunctions", "CreateStateMachine", {"definition": '{"States": {"A": {"Type": "Task", "Resource": '
     '"arn:aws:states:::eks:call", "Parameters": {"Path": "' + "nvidia" * 60_000 + '"}}}}'}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "parameters"), REPEATED, ids=[f"{row[0]}-{i}" for i, row in enumerate(REPEATED)]
)
def test_a_text_that_repeats_what_is_looked_for_is_read_in_time(service, operation, parameters):
    """No search in a long text grows with the square of its length."""
    before = process_time()
    observe(service, operation, parameters, region="us-east-1")
    assert process_time() - before < 3
