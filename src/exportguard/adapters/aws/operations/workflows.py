"""Calls that a service makes later: Step Functions tasks, and the targets of schedules, events and pipes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, misspelt, plain
from exportguard.adapters.aws.classify import Standing, services, standing, surface
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import types_in_text
from exportguard.adapters.aws.operations.respelt import respelt
from exportguard.adapters.aws.operations.template_text import parse
from exportguard.vocabulary import Action, Unknown

_MOST_STATES = 5_000
_FUNCTION = re.compile(r"arn:[^:]+:(lambda:|states:[^:]*:[^:]*:activity:|swf:)", re.IGNORECASE)
_WANTS_GPU = re.compile(r"(nvidia|amd|aws\.amazon|habana|gpu)[\w.-]{0,60}/(gpu|neuron|mig)|gpu\b|neuron", re.IGNORECASE)
_SERVICES = {
    "sfn": "stepfunctions",
    "bedrockruntime": "bedrock-runtime",
    "bedrockagent": "bedrock-agent",
    "bedrockagentruntime": "bedrock-agent-runtime",
    "sagemakerruntime": "sagemaker-runtime",
    "elasticmapreduce": "emr",
    "applicationautoscaling": "application-autoscaling",
    "eventbridge": "events",
}
_OPTIMIZED = {
    ("elasticmapreduce", "createCluster"): ("emr", "RunJobFlow"),
    ("elasticmapreduce", "modifyInstanceGroupByName"): ("emr", "ModifyInstanceGroups"),
    ("elasticmapreduce", "modifyInstanceFleetByName"): ("emr", "ModifyInstanceFleet"),
    ("elasticmapreduce", "addStep"): ("emr", "AddJobFlowSteps"),
    ("bedrock", "invokeModel"): ("bedrock-runtime", "InvokeModel"),
    ("bedrock", "createModelCustomizationJob"): ("bedrock", "CreateModelCustomizationJob"),
    ("states", "startExecution"): ("stepfunctions", "StartExecution"),
}
"""Optimized integrations whose names are not the API's (Step Functions developer guide)."""


def api_call(call: Call, service: str, action: str, parameters: Any, where: str) -> None:
    """One call by its integration name (`ec2:runInstances`), judged as if it were made now."""
    parameters = _unpathed(parameters)
    if service == "elasticmapreduce" and action == "modifyInstanceGroupByName":
        parameters = {"ClusterId": get(parameters, "ClusterId"), "InstanceGroups": [get(parameters, "InstanceGroup")]}
    elif service == "elasticmapreduce" and action == "addStep":
        parameters = {"Steps": [get(parameters, "Step")]}
    known = _OPTIMIZED.get((service, action))
    name = known[0] if known else _SERVICES.get(service.lower(), service.lower())
    wanted = known[1] if known else action[:1].upper() + action[1:]
    if name not in services() and standing(name, wanted) is Standing.UNSEEN:
        name = next((s for s in services() if s.replace("-", "") == name.replace("-", "")), name)
    wanted = next((o for o in surface().get(name, {}) if o.lower() == wanted.lower()), wanted)
    call.nested(name, wanted, respelt(name, parameters), where)


def _unpathed(value: Any, depth: int = 0) -> Any:
    """Arguments whose value is a path into the input (`"InstanceType.$": "$.kind"`) or an expression are unknown."""
    if depth > 60:
        return Unknown("nested too deeply to read")
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for key, entry in value.items():
            if isinstance(key, str) and key.endswith(".$"):
                found[key[:-2]] = Unknown(f"`{key[:60]}` is read from the input of the execution")
            else:
                found[str(key)] = _unpathed(entry, depth + 1)
        return found
    if isinstance(value, list):
        return [_unpathed(entry, depth + 1) for entry in value]
    if isinstance(value, str) and (value.lstrip().startswith("{%") or re.search(r"\$\{|<aws\.|<[$.]", value)):
        return Unknown("an expression that is evaluated at run time")
    return value


def state_machine(call: Call, text: Any, where: str) -> None:
    """Every task of a definition, in branches and iterators too."""
    document = text if isinstance(text, Unknown) else parse(text)
    if isinstance(document, Unknown):
        call.unknown(f"{where}: {document.reason}", where)
        return
    todo: list[tuple[str, Any, bool]] = [(where, document, False)]
    seen = 0
    while todo:
        place, node, by_name = todo.pop()
        seen += 1
        if seen > _MOST_STATES * 10:
            call.unknown(f"{where} is too large to read", where)
            return
        if isinstance(node, list):
            todo += [(f"{place}[{index}]", entry, False) for index, entry in enumerate(node)]
        elif isinstance(node, Mapping):
            resource, kind = get(node, "Resource"), get(node, "Type")
            if by_name:
                pass  # states by their names, which may be any, `Parameters` too
            elif str(kind).strip().lower() == "task" or (isinstance(resource, (str, Unknown)) and kind is not None):
                _task(call, resource, node, place)
            elif misspelt(node, "Resource") is not None:
                call.unknown(f"{place} is not spelt as a state is", place)
            for key, entry in node.items():
                if isinstance(entry, (Mapping, list)) and (by_name or plain(str(key)) not in _GIVEN):
                    todo.append((f"{place}.{key}", entry, not by_name and plain(str(key)) == "states"))


_GIVEN = ("parameters", "arguments")


def _task(call: Call, resource: Any, node: Mapping[str, Any], place: str) -> None:
    parameters = get(node, "Parameters", "Arguments")
    parameters = {} if parameters is None else parameters
    if not isinstance(resource, str) or "${" in resource:
        call.unknown(f"{place} names no readable resource", place)
        return
    resource = resource.strip()
    if _FUNCTION.match(resource):
        return  # a function or an activity: its own calls are judged where it runs
    match = re.fullmatch(r"arn:[^:]+:states:[^:]*:[^:]*:(aws-sdk:)?([^:]+):([^:.]+)(\..+)?", resource, re.IGNORECASE)
    if match is None:
        call.unknown(f"{place} names a resource that is not known", place)
        return
    if (match[2], match[3]) == ("lambda", "invoke"):
        return
    if (match[2], match[3]) == ("http", "invoke"):
        _http(call, parameters, place)
        return
    if match[2] == "eks" and match[3] in ("runJob", "call"):
        manifest(call, parameters, place)
        return
    if isinstance(parameters, str):
        parameters = {}
        call.unknown(f"{place} builds its arguments at run time", place)
    api_call(call, match[2], match[3], parameters, place)


def manifest(call: Call, parameters: Any, place: str) -> None:
    """A request to a cluster: pods that ask for accelerators, and Karpenter's pools by the types they name."""
    method = str(get(parameters, "Method") or "POST").strip().upper()
    if method in ("GET", "HEAD", "DELETE"):
        return
    written = json.dumps(parameters, default=str)[:500_000]
    before = len(call.items)
    if _WANTS_GPU.search(written):
        call.accelerator(Unknown("an accelerator that a Kubernetes manifest asks for"), where=place)
    types_in_text(call, written, place)
    if len(call.items) == before and _NODES.search(written):
        call.unresolved("nodes of whatever type the pods ask for", place)


_NODES = re.compile(r"karpenter\.|node(pools?|claims?)\b|ec2nodeclass|machine(deployments?|pools?)\b", re.IGNORECASE)


def _http(call: Call, parameters: Any, place: str) -> None:
    """A request to an address, of which the host has to be written out: models have an API of their own."""
    from exportguard.adapters.aws.operations.integrations import url

    address = get(parameters, "ApiEndpoint")
    written = address if address is not None else get(parameters, "ApiEndpoint.$")
    host = re.search(r"https?://[A-Za-z0-9.-]+(?=[/?'\"]|$)", written.strip()) if isinstance(written, str) else None
    if host is None:
        call.unknown(f"{place} asks an address that is known at run time", place)
    else:
        url(call, written if written == address and "{%" not in written else host[0], f"{place}.ApiEndpoint")


@operation("stepfunctions", "CreateStateMachine", "UpdateStateMachine", "TestState")
def define(call: Call) -> None:
    definition = call.get("definition")
    if definition is None and call.operation == "UpdateStateMachine":
        call.not_applicable("the definition stays")
        return
    if call.operation == "TestState" and isinstance(definition, str):
        definition = f'{{"States": {{"tested": {definition}}}}}'
    state_machine(call, definition, "definition")
    call.not_applicable("no task provisions an accelerator or a model")


@operation("stepfunctions", "StartExecution", "StartSyncExecution", "RedriveExecution", action=Action.START)
def execute(call: Call) -> None:
    arn = call.get("stateMachineArn")
    if call.operation == "RedriveExecution":
        described = call.ask("stepfunctions", "DescribeExecution", executionArn=call.get("executionArn"))
        arn = None if isinstance(described, Unknown) else get(described, "stateMachineArn")
    answer = call.ask("stepfunctions", "DescribeStateMachine", stateMachineArn=arn)
    if isinstance(answer, Unknown):
        call.unknown(f"state machine {str(arn)[:150]} not resolved: {answer.reason}", "stateMachineArn")
        return
    state_machine(call, get(answer, "definition"), "stateMachineArn.definition")
    call.not_applicable("no task provisions an accelerator or a model")


_TELLS = re.compile(r"gpu|accelerat|neuron|instance-?_?type|fleet", re.IGNORECASE)


def _input(call: Call, payload: Any, row: Any, where: str) -> Mapping[str, Any] | None:
    """What is passed to a target that takes a call's overrides as its input, a template of an event's fields too."""
    template = get(get(row, "InputTransformer"), "InputTemplate")
    written = payload if payload is not None else template
    if written is None:
        return None
    document = parse(written)
    if isinstance(document, Mapping):
        return document
    if not isinstance(written, str) or _TELLS.search(written):
        call.unknown(f"{where}.Input: {document.reason}", f"{where}.Input")
    return None


def target(call: Call, arn: Any, payload: Any, where: str, row: Any) -> None:
    """The target of a schedule, rule or pipe: a universal one is a call; jobs and tasks are started by name."""
    if not isinstance(arn, str) or "${" in ":".join(arn.split(":")[:3]) or ("${" in arn and ":aws-sdk:" in arn):
        call.unknown(f"{where} names no readable target", where)
        return
    universal = re.fullmatch(r"arn:[^:]+:(?:scheduler|events):::aws-sdk:([^:]+):([^:]+)", arn.strip())
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 else ""
    if universal:
        document = {} if payload is None else parse(payload)
        if isinstance(document, Unknown):
            call.unknown(f"{where}.Input: {document.reason}", f"{where}.Input")
        else:
            api_call(call, universal[1], universal[2], document, f"{where}.Input")
    elif service == "scheduler":
        call.unknown(f"{where} names a call that cannot be read", where)
    elif service == "ecs":
        ecs = get(row, "EcsParameters", "EcsTaskParameters")
        given = {
            "taskDefinition": get(ecs, "TaskDefinitionArn"),
            "launchType": get(ecs, "LaunchType"),
            "capacityProviderStrategy": get(ecs, "CapacityProviderStrategy"),
            "overrides": get(ecs, "Overrides") or _input(call, payload, row, where),
            "count": get(ecs, "TaskCount"),
            "placementConstraints": get(ecs, "PlacementConstraints"),
        }
        call.nested("ecs", "RunTask", given, f"{where}.EcsParameters")
    elif service == "batch":
        batch = get(row, "BatchParameters", "BatchJobParameters")
        given = {
            "jobDefinition": get(batch, "JobDefinition"),
            "containerOverrides": get(batch, "ContainerOverrides")
            or get(_input(call, payload, row, where), "ContainerOverrides"),
            "arrayProperties": get(batch, "ArrayProperties"),
        }
        call.nested("batch", "SubmitJob", given, f"{where}.BatchParameters")
    elif service == "codebuild":
        given = {"projectName": arn.rpartition("/")[2], **(_input(call, payload, row, where) or {})}
        call.nested("codebuild", "StartBuild", given, f"{where}.Input")
    elif service == "states":
        call.nested("stepfunctions", "StartExecution", {"stateMachineArn": arn}, where)
    elif service == "sagemaker" and ":pipeline/" in arn:
        given = get(get(row, "SageMakerPipelineParameters"), "PipelineParameterList")
        started = {"PipelineName": arn.rpartition(":pipeline/")[2], "PipelineParameters": given}
        call.nested("sagemaker", "StartPipelineExecution", started, f"{where}.SageMakerPipelineParameters")
    elif service in ("redshift", "redshift-serverless"):
        given = get(row, "RedshiftDataParameters", "RedshiftParameters")
        if given is not None:
            call.nested("redshift-data", "ExecuteStatement", given, f"{where}.RedshiftDataParameters")
    elif service == "ssm":
        document = {} if payload is None else parse(payload)
        given = {
            "DocumentName": arn.rpartition("/")[2],
            "Parameters": {} if isinstance(document, Unknown) else document,
        }
        automates = ":document/" not in arn
        call.nested("ssm", "StartAutomationExecution" if automates else "SendCommand", given, where)
    elif service.startswith(("bedrock", "sagemaker")):
        call.model(Unknown(f"whatever model {arn[:150]} asks"), where=where)


@operation("scheduler", "CreateSchedule", "UpdateSchedule")
def schedule(call: Call) -> None:
    row = call.struct(call.get("Target"), "Target")
    target(call, get(row, "Arn"), get(row, "Input"), "Target", row)
    call.not_applicable("the target starts no accelerator and no model")


@operation("events", "PutTargets")
def put_targets(call: Call) -> None:
    for place, row in call.rows(call.get("Targets"), "Targets"):
        target(call, get(row, "Arn"), get(row, "Input"), place, row)
    call.not_applicable("no target starts an accelerator or a model")


@operation("eventbridgev2", "CreateSubscriber", "UpdateSubscriber")
def subscriber(call: Call) -> None:
    """A subscriber of an event bus: its target may be a call of any service, with what it is given as its input."""
    config = call.struct(call.get("InvokeConfiguration"), "InvokeConfiguration")
    given = get(get(config, "UniversalTargetParameters"), "Input")
    if config:
        target(call, get(config, "TargetArn"), given, "InvokeConfiguration", {})
    call.not_applicable("the target starts no accelerator and no model")


@operation("pipes", "CreatePipe", "UpdatePipe")
def pipe(call: Call) -> None:
    if call.get("Enrichment"):
        target(call, call.get("Enrichment"), None, "Enrichment", {})
    if call.get("Target") is None and call.get("TargetParameters") is None:
        call.not_applicable("the target stays")
        return
    parameters = call.struct(call.get("TargetParameters"), "TargetParameters")
    arn = call.get("Target")
    if arn is None:
        kinds = {"EcsTaskParameters": "ecs", "BatchJobParameters": "batch", "SageMakerPipelineParameters": "sagemaker"}
        named = next((kind for key, kind in kinds.items() if get(parameters, key) is not None), "")
        arn = f"arn:aws:{named}:::pipeline/"
    target(call, arn, None, "TargetParameters", parameters)
    call.not_applicable("the target starts no accelerator and no model")
