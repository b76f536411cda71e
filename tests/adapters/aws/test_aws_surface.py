"""The surface beyond the must-list, operations nobody has seen, and a scan of the installed botocore."""

# ruff: noqa: E501 - a case a line reads best

from __future__ import annotations

import gzip
import re
from pathlib import Path

import botocore
import botocore.session
import pytest

from adapters.aws.aws_shown import items
from adapters.aws.aws_surface_scan import DATA, carriers, choices, name_lines
from exportguard.adapters.aws.classify import Standing, only_reads_or_releases, standing, surface
from exportguard.adapters.aws.facts import observe
from exportguard.vocabulary import NotApplicable

CARRIES_NOTHING_ACCELERATED = {
    # Instance classes of their own, none with an accelerator (the services' API references list them).
    "opensearch", "es", "mq", "kafka", "timestream-influxdb", "route53resolver", "cloudsearch", "codecatalyst", "m2",
    "managedblockchain", "workspaces-web",
    # Findings and agents that tell of instances which exist.
    "securityhub", "groundstation",
    # Named after models of another kind: of an API's data, of fraud, or trained on one's own texts.
    "apigatewayv2", "comprehend", "frauddetector",
}  # fmt: skip


def mentions(service: str) -> bool:
    """Whether the service's description has any such word at all: most have none, and parsing them all is slow."""
    (newest,) = sorted((Path(botocore.__file__).parent / "data" / service).glob("*/service-2.json*"))[-1:]
    raw = newest.read_bytes()
    text = gzip.decompress(raw) if newest.suffix == ".gz" else raw
    return (
        re.search(
            rb"(?i)instancetype|accelerator(type|name)|model(id|arn|identifier)|foundationmodel"
            rb"|\"(\w+[_-])?(gpu|nvidia|neuron|cuda|hardware[_-]accelerated)",
            text,
        )
        is not None
    )


def test_a_new_operation_that_carries_something_is_classified():
    """Every operation of the installed botocore with an instance type, accelerator or model parameter, or with a choice
    that stands for one, is in the surface, reads, releases, is never seen (and so looked through), or is of a service known to have none."""
    session = botocore.session.get_session()
    missed = []
    for service in session.get_available_services():
        if service in CARRIES_NOTHING_ACCELERATED or not mentions(service):
            continue
        model = session.get_service_model(service)
        for operation in model.operation_names:
            if standing(service, operation) is Standing.OUTSIDE and not only_reads_or_releases(operation):
                found = carriers(model.operation_model(operation)) + choices(model.operation_model(operation))
                if found:
                    missed.append((service, operation, found[:2]))
    assert missed == []


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("appstream", "CreateFleet", {"InstanceType": "stream.graphics.g4dn.xlarge", "Name": "f",
            "ComputeCapacity": {"DesiredInstances": 3}}, ["stream.graphics.g4dn.xlarge x3"]),
        ("appstream", "UpdateFleet", {"Name": "f", "ComputeCapacity": {"DesiredInstances": 3}}, ["? x3"]),
        ("appstream", "StartFleet", {"Name": "f"}, ["? x?"]),
        ("codebuild", "StartBuild", {"projectName": "p"}, None),
        ("codebuild", "StartBuild", {"projectName": "p", "environmentTypeOverride": "LINUX_GPU_CONTAINER"}, ["acc:? x?"]),
        ("codebuild", "CreateProject", {"name": "p", "environment": {"type": "LINUX_CONTAINER"}}, None),
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"InstanceType"}, None),
        ("lambda", "CreateFunction", {"FunctionName": "f"}, None),
        ("rds-data", "ExecuteStatement", {"sql": "select 1"}, None),
        ("rds-data", "ExecuteStatement", {"sql": "select aws_bedrock.invoke_model('x')"}, ["model:? t?"]),
        ("qbusiness", "ChatSync", {"applicationId": "a", "userMessage": "hi"}, ["model:? t?"]),
        ("qbusiness", "PutFeedback", {"applicationId": "a"}, None),
        ("bedrock", "CreateGuardrail", {"name": "g"}, None),
        ("bedrock-runtime", "ApplyGuardrail", {"guardrailIdentifier": "g"}, None),
        ("bedrock-agent", "CreateAgent", {"agentName": "a", "foundationModel": "anthropic.claude-v2"},
            ["model:anthropic.claude-v2 t?"]),
        ("bedrock-agent", "PrepareAgent", {"agentId": "a"}, None),
        ("bedrock-agentcore", "InvokeAgentRuntime", {"agentRuntimeArn": "x", "payload": b"x"}, ["model:? t?"]),
        ("workspaces", "CreateWorkspaces", {"Workspaces": [{"WorkspaceProperties": {"ComputeTypeName": "STANDARD"}}]}, None),
        ("workspaces", "CreateWorkspaces", {"Workspaces": [{"WorkspaceProperties": {"ComputeTypeName": "GRAPHICS_G4DN"}}]}, ["acc:t4 x1"]),
        ("workspaces", "CreateWorkspaces", {"Workspaces": [{"WorkspaceProperties": {"ComputeTypeName": "GRAPHICS_G6_2XLARGE"}}]}, ["g6.2xlarge x1"]),
        ("application-autoscaling", "RegisterScalableTarget", {"ServiceNamespace": "dynamodb", "ResourceId": "table/x",
            "MaxCapacity": 5}, None),
        ("application-autoscaling", "RegisterScalableTarget", {"ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/e/variant/v", "MaxCapacity": 5}, ["? x5"]),
        ("lightsail", "CreateInstances", {"bundleId": "nano_3_0"}, None),
        ("savingsplans", "CreateSavingsPlan", {"savingsPlanOfferingId": "x"}, None),
        ("ssm", "SendCommand", {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["uptime"]}}, None),
        ("ssm", "SendCommand", {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["aws ec2 run-instances"]}}, ["??"]),
        ("ssm", "StartAutomationExecution", {"DocumentName": "AWS-ResizeInstance", "Parameters": {"InstanceType": ["p5.48xlarge"]}},
            ["p5.48xlarge x?"]),
        ("ec2", "CopyImage", {"SourceImageId": "ami-1", "SourceRegion": "us-east-1", "Name": "x"}, None),
        ("ram", "CreateResourceShare", {"name": "s", "resourceArns": ["arn:aws:ec2:us-east-1:1:subnet/x"]}, None),
        ("ram", "CreateResourceShare", {"name": "s", "resourceArns": ["arn:aws:ec2:us-east-1:1:capacity-reservation/cr"]}, ["? x?"]),
        ("lambda", "CreateCapacityProvider", {"InstanceRequirements": {"AllowedInstanceTypes": ["p5.48xlarge"]}}, ["p5.48xlarge x?"]),
        ("braket", "CreateJob", {"instanceConfig": {"instanceType": "ml.p3.8xlarge", "volumeSizeInGb": 1, "instanceCount": 2}},
            ["ml.p3.8xlarge x2"]),
        ("ec2", "TerminateInstances", {"InstanceIds": ["i-1"]}, None),
        ("s3", "PutObject", {"Body": b"InstanceType p5.48xlarge"}, None),
        # never seen
        ("ec2", "LaunchQuantumInstances", {"Spec": [{"InstanceType": "p9.large"}]}, ["??"]),
        ("newservice", "CreateThing", {"acceleratorType": "h100"}, ["??"]),
        ("newservice", "InvokeThing", {"config": {"modelId": "x"}}, ["??"]),
        ("newservice", "CreateThing", {"Name": "x", "Tags": [{"Key": "InstanceType", "Value": "p5.48xlarge"}]}, None),
        ("newservice", "DescribeThing", {"InstanceType": "p5.48xlarge"}, None),
    ],
)  # fmt: skip
def test_the_rest_of_the_surface_is_recognised(service, operation, parameters, expected):
    """Extracted where the parameters say enough, unknown where they hide it, outside where it is known not to matter."""
    assert items(service, operation, parameters) == expected


def test_every_operation_of_the_surface_survives_nothing_and_nonsense():
    """No operation of the 609 raises, whatever it is given."""
    count = 0
    for service, operations in surface().items():
        for operation in operations:
            count += 1
            for parameters in ({}, {"Name": 5}, [], "x"):
                observe(service, operation, parameters, region="us-east-1")
    assert count == 609


def test_a_path_of_the_surface_that_is_filled_is_never_outside():
    """Filling any single instance, requirements or model path of the surface gives an item."""
    silent = [
        (service, operation, path)
        for service, operations in surface().items()
        for operation, row in operations.items()
        for role, value in (("instance", "p5.48xlarge"), ("model", "anthropic.claude-v2"))
        for path in row.get(role, ())
        if isinstance(observe(service, operation, filled(path, value), region="us-east-1"), NotApplicable)
    ]
    assert {(service, operation) for service, operation, _ in silent} == NAMED_WITHOUT_EFFECT


NAMED_WITHOUT_EFFECT = {
    ("bedrock-runtime", "CountTokens"),  # no model answers
    ("ec2", "ReplaceImageInstanceTypeSpecification"),  # what an image is fit for
    # Models and packages of one's own, by name: judged when they are made of weights, and when they answer.
    ("sagemaker", "CreateCompilationJob"),
    ("sagemaker", "CreateEdgePackagingJob"),
    ("sagemaker", "CreateInferenceComponent"),
    ("sagemaker", "CreateInferenceExperiment"),
    ("sagemaker", "CreateModelPackage"),
    ("sagemaker", "CreateModelPackageGroup"),
    ("sagemaker", "CreateOptimizationJob"),
    ("sagemaker", "PutModelPackageGroupPolicy"),
    ("sagemaker", "UpdateInferenceComponent"),
    ("sagemaker", "UpdateInferenceExperiment"),
    ("sagemaker", "UpdateModelPackage"),
}


def filled(path: str, value: object) -> dict:
    """Parameters with *value* at *path* and nothing else."""
    for part in reversed(path.split(".")):
        name = part
        while name.endswith("[]"):
            name, value = name[:-2], [value]
        value = {name: value}
    assert isinstance(value, dict)
    return value


def test_the_names_of_parameters_are_those_of_the_botocore_that_they_were_read_from():
    """Read again they are the same; another botocore has some more, or some less."""
    head, *lines = (DATA / "names.txt").read_text("utf-8").splitlines()
    if f"botocore {botocore.__version__} " in head:
        assert lines == name_lines(botocore.session.get_session())
    assert len(lines) > 80


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("batch", "CreateComputeEnvironment", {"computeenvironmentname": "c", "computeresources": {"type": "EC2", "maxvcpus": 64,
            "instancetypes": ["p5"]}}, ["p5.48xlarge x?"]),
        ("ec2", "ModifyInstanceAttribute", {"instance_id": "i", "instance_type": {"value": "p5.48xlarge"}}, ["p5.48xlarge x1"]),
        ("autoscaling", "UpdateAutoScalingGroup", {"AUTOSCALINGGROUPNAME": "g", "MAXSIZE": 4}, ["? x4"]),
        ("bedrock-agent-runtime", "InvokeInlineAgent", {"foundationModel": "amazon.nova-pro-v1:0", "instruction": "i", "sessionId": "s",
            "collaborators": '[{"foundationModel": "anthropic.claude-v2"}]'}, ["model:anthropic.claude-v2 t?"]),
        ("ec2", "CreateFleet", {"input": {"LaunchTemplateConfigs": [{"Overrides": [{"InstanceType": "p5.48xlarge"}]}],
            "TargetCapacitySpecification": {"TotalTargetCapacity": 2}}}, ["p5.48xlarge x2"]),
        ("batch", "SubmitJob", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d", "parameters": {"max_vcpus": "4"},
            "containerOverrides": {"environment": [{"name": "instance_type", "value": "p5.48xlarge"}]}}, ["acc:? x?"]),
    ],
)  # fmt: skip
def test_a_parameter_in_a_spelling_of_no_api_is_read_as_what_it_stands_for(service, operation, parameters, expected):
    """In lower case, with underscores, as a text, or one level further down; what users name themselves is theirs."""
    found = items(service, operation, parameters)
    assert found is not None
    assert set(expected) <= set(found)
    assert len(found) == len(set(found))
