"""A corpus of calls with secrets in every place where people put them: none comes out anywhere."""

from __future__ import annotations

import contextlib
import json
import logging
import traceback
from base64 import b64encode
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from exportguard import ExportguardError, Guard
from exportguard.record import open_log
from exportguard.record.export import lines, ocsf_event

S = "Hunter2-Zq9-secret"
SCRIPT = f"#!/bin/sh\nexport DB_PASSWORD={S}\n"
ROLE = "arn:aws:iam::123456789012:role/train"
P5 = {"ImageId": "ami-12c6146b", "InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1}
TRAINING: dict[str, Any] = {
    "TrainingJobName": "t", "RoleArn": ROLE, "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
    "ResourceConfig": {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
}  # fmt: skip
TASK = {"family": "f", "containerDefinitions": [{"name": "c", "image": "i", "memory": 1}]}
TEMPLATE = json.dumps({
    "Parameters": {"DbPassword": {"Type": "String", "NoEcho": True, "Default": S}},
    "Resources": {"I": {"Type": "AWS::EC2::Instance", "Properties": {
        "InstanceType": "p5.48xlarge", "ImageId": "ami-1", "UserData": {"Fn::Base64": SCRIPT},
        "Tags": [{"Key": "password", "Value": S}]}}},
})  # fmt: skip

BOTO3: dict[str, tuple[str, str, dict[str, Any]]] = {
    "user data": ("ec2", "run_instances", {**P5, "UserData": SCRIPT}),
    "a tag": ("ec2", "run_instances", {**P5, "TagSpecifications": [
        {"ResourceType": "instance", "Tags": [{"Key": "db-password", "Value": S}, {"Key": "api_key", "Value": S}]}]}),
    "a fleet's template": ("ec2", "create_launch_template", {"LaunchTemplateName": "n", "LaunchTemplateData": {
        "InstanceType": "p5.48xlarge", "UserData": b64encode(SCRIPT.encode()).decode()}}),
    "hyperparameters": ("sagemaker", "create_training_job", {
        **TRAINING, "HyperParameters": {"hf_token": S, "wandb_api_key": S}}),
    "environment": ("sagemaker", "create_training_job", {**TRAINING, "Environment": {"AWS_SECRET": S, "X": S}}),
    "a command line": ("sagemaker", "create_training_job", {**TRAINING, "AlgorithmSpecification": {
        "TrainingImage": "i", "TrainingInputMode": "File", "ContainerEntrypoint": ["sh", "-c", f"login {S}"],
        "ContainerArguments": ["--password", S]}}),
    "a signed URL": ("sagemaker", "create_model", {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {
        "Image": "i", "ModelDataUrl": f"https://b.s3.amazonaws.com/k?X-Amz-Signature={S}", "Environment": {"A": S}}}),
    "a task": ("ecs", "run_task", {"cluster": "c", "taskDefinition": "t", "overrides": {"containerOverrides": [
        {"name": "c", "command": ["run", S], "environment": [{"name": "A", "value": S}],
         "resourceRequirements": [{"type": "GPU", "value": "8"}]}]}}),
    "a batch job": ("batch", "submit_job", {"jobName": "j", "jobQueue": "q", "jobDefinition": "d",
        "containerOverrides": {"command": ["--token", S], "environment": [{"name": "A", "value": S}],
                               "instanceType": "p5.48xlarge"}}),
    "a template": ("cloudformation", "create_stack", {"StackName": "s", "TemplateBody": TEMPLATE, "Parameters": [
        {"ParameterKey": "DbPassword", "ParameterValue": S}]}),
    "a prompt": ("bedrock-runtime", "invoke_model", {"modelId": "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "body": json.dumps({"max_tokens": 5, "api_key": S, "messages": [{"role": "user", "content": S}]})}),
    "a conversation": ("bedrock-runtime", "converse", {"modelId": "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "messages": [{"role": "user", "content": [{"text": f"my password is {S}"}]}]}),
    "a model's name that is a signed URL": ("bedrock-runtime", "invoke_model", {
        "modelId": f"https://b.s3.amazonaws.com/k?X-Amz-Signature={S}", "body": "{}"}),
    "an instance type that is none": ("ec2", "run_instances", {**P5, "InstanceType": f"p5 password={S}"}),
    "a name that is a URL with a password": ("sagemaker", "create_endpoint_config", {
        "EndpointConfigName": "e", "ProductionVariants": [{
            "VariantName": "v", "ModelName": f"https://ann:{S}@models.example/m", "InitialInstanceCount": 1,
            "InstanceType": "ml.p5.48xlarge"}]}),
    "a body that is no JSON": ("bedrock-runtime", "invoke_model", {"modelId": "m", "body": f'{{"password": "{S}'}),
    "a parameter of the wrong type": ("ec2", "run_instances", {**P5, "MinCount": {"password": S}}),
}  # fmt: skip

ARM = "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/"
DOCUMENTS: dict[str, dict[str, Any]] = {
    "a virtual machine": {"sdk": "azure", "method": "PUT",
        "url": f"{ARM}Microsoft.Compute/virtualMachines/v?api-version=2024-07-01",
        "body": {"location": "westeurope", "tags": {"secret": S}, "properties": {
            "hardwareProfile": {"vmSize": "Standard_ND96isr_H100_v5"},
            "osProfile": {"adminPassword": S, "customData": b64encode(SCRIPT.encode()).decode()}}}},
    "an extension": {"sdk": "azure", "method": "PUT",
        "url": f"{ARM}Microsoft.Compute/virtualMachines/v/extensions/e?api-version=2024-07-01",
        "body": {"location": "westeurope", "properties": {"protectedSettings": {"commandToExecute": f"x {S}"}}}},
    "a template": {"sdk": "azure", "method": "PUT",
        "url": f"{ARM}Microsoft.Resources/deployments/d?api-version=2024-03-01",
        "body": {"properties": {"mode": "Incremental", "parameters": {"adminPassword": {"value": S}}, "template": {
            "resources": [{"type": "Microsoft.Compute/virtualMachines", "name": "v", "location": "westeurope",
                           "properties": {"hardwareProfile": {"vmSize": "Standard_ND96isr_H100_v5"},
                                          "osProfile": {"adminPassword": S}}}]}}}},
    "a job": {"sdk": "azure", "method": "PUT",
        "url": f"{ARM}Microsoft.MachineLearningServices/workspaces/w/jobs/j?api-version=2024-04-01",
        "body": {"properties": {"jobType": "Command", "command": f"train --token {S}", "computeId": "gpu",
                                "environmentVariables": {"HF_TOKEN": S},
                                "resources": {"instanceType": "Standard_ND96isr_H100_v5"}}}},
    "a signed URL": {"sdk": "azure", "method": "POST",
        "url": f"{ARM}Microsoft.Compute/images/i?api-version=2024-07-01&sig={S}", "body": {"location": "westeurope"}},
    "a chat": {"sdk": "openai", "base_url": f"https://user:{S}@acct.openai.azure.com/", "path": "/chat/completions",
        "deployment": "prod", "body": {"model": "gpt-4o", "max_tokens": 5, "api_key": S,
                                       "messages": [{"role": "user", "content": S}]}},
}  # fmt: skip


def appears(text: str | bytes) -> bool:
    data = text.encode() if isinstance(text, str) else text
    return any(form in data for form in (S.encode(), b64encode(S.encode())[:-4], b64encode(SCRIPT.encode())[:24]))


def exported(place: Path) -> str:
    log = open_log(place)
    try:
        stored = list(log.read())
        assert stored
        return "\n".join([*lines(stored), *(json.dumps(ocsf_event(each.record, each.sequence)) for each in stored)])
    finally:
        log.close()


def files(place: Path) -> bytes:
    return b"".join(each.read_bytes() for each in place.parent.glob(f"{place.name}*"))


def unreachable(**_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://aws.example")


@pytest.mark.parametrize("mode", ["enforce", "audit"])
@pytest.mark.parametrize("name", BOTO3)
def test_no_secret_of_a_boto3_call_comes_out(load, tmp_path, caplog, name, mode):
    """Neither in the log's files, nor in what is exported of it, nor in the exception and its trace, nor in what the
    process logs."""
    place = tmp_path / "log.sqlite3"
    guard: Guard = load(record=place, mode=mode)
    service, operation, parameters = BOTO3[name]
    session = boto3.Session("demo", "demo", "demo", region_name="us-east-1")
    client = guard.attach(session.client(service, config=Config(retries={"total_max_attempts": 1})))
    client.meta.events.register_first("before-send", unreachable)
    told = []
    with caplog.at_level(logging.DEBUG, logger="exportguard"):
        try:
            getattr(client, operation)(**parameters)
        except ExportguardError as error:
            told += ["".join(traceback.format_exception(error)), repr(error)]
        except (BotoCoreError, ClientError):
            pass
    guard.close()
    assert not appears("\n".join(told))
    assert not appears("\n".join(record.getMessage() for record in caplog.records))
    assert not appears(files(place))
    log = open_log(place)
    recorded = bool(log.tail(1))
    log.close()
    if recorded:
        assert not appears(exported(place))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_secret_of_another_sdks_call_comes_out(load, tmp_path, name):
    """As a call document, judged as the live call is: decision, exception and record."""
    from exportguard import judging
    from exportguard.vocabulary import CallOrigin

    place = tmp_path / "log.sqlite3"
    guard: Guard = load(record=place)
    decision = guard.check(DOCUMENTS[name])
    assert not appears(decision.model_dump_json())
    observation, _ = judging.observe(judging.read_document(DOCUMENTS[name], name))
    judgement = guard.judge(lambda: observation, CallOrigin("check"))
    told = ""
    with contextlib.suppress(ExportguardError):
        guard.release(judgement)
    if judgement.refusal is not None:
        told = "".join(traceback.format_exception(judgement.refusal)) + repr(judgement.refusal)
    guard.close()
    assert not appears(told)
    assert not appears(files(place))


def test_an_error_while_judging_a_call_quotes_nothing_of_it(load, tmp_path, caplog, monkeypatch):
    """Whatever the text of an exception says, the record and the refusal say its kind and place alone."""
    from exportguard.vocabulary import CallOrigin, ProvisioningRequest

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError(f"invalid value: {S}")

    place = tmp_path / "log.sqlite3"
    guard: Guard = load(record=place)
    refusals = [guard.judge(broken, CallOrigin("boto3")).refusal]
    monkeypatch.setattr("exportguard.parties.resolve", broken)
    refusals.append(guard.judge(ProvisioningRequest, CallOrigin("boto3")).refusal)
    guard.close()
    for refusal in refusals:
        assert "ValueError at test_secrets.py" in str(refusal)
        assert not appears("".join(traceback.format_exception(refusal)) + caplog.text)
    assert not appears(files(place))
