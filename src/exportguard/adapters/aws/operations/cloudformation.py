"""CloudFormation and Cloud Control: a stack's resources are judged as the calls that make them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.lookup import Question
from exportguard.adapters.aws.lookup import Resolver as Lookups
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.template_text import LOCAL, NAMED_BY_OTHERS, Resolver, parse
from exportguard.vocabulary import Action, Location, Unknown

_CALLS: dict[str, tuple[str, str]] = {
    "AWS::EC2::Instance": ("ec2", "RunInstances"),
    "AWS::EC2::LaunchTemplate": ("ec2", "CreateLaunchTemplate"),
    "AWS::EC2::EC2Fleet": ("ec2", "CreateFleet"),
    "AWS::EC2::SpotFleet": ("ec2", "RequestSpotFleet"),
    "AWS::EC2::Host": ("ec2", "AllocateHosts"),
    "AWS::EC2::CapacityReservation": ("ec2", "CreateCapacityReservation"),
    "AWS::EC2::CapacityReservationFleet": ("ec2", "CreateCapacityReservationFleet"),
    "AWS::AutoScaling::AutoScalingGroup": ("autoscaling", "CreateAutoScalingGroup"),
    "AWS::AutoScaling::LaunchConfiguration": ("autoscaling", "CreateLaunchConfiguration"),
    "AWS::EKS::Nodegroup": ("eks", "CreateNodegroup"),
    "AWS::EKS::Cluster": ("eks", "CreateCluster"),
    "AWS::Batch::ComputeEnvironment": ("batch", "CreateComputeEnvironment"),
    "AWS::Batch::JobDefinition": ("batch", "RegisterJobDefinition"),
    "AWS::ECS::TaskDefinition": ("ecs", "RegisterTaskDefinition"),
    "AWS::ECS::Service": ("ecs", "CreateService"),
    "AWS::ECS::TaskSet": ("ecs", "CreateTaskSet"),
    "AWS::ECS::CapacityProvider": ("ecs", "CreateCapacityProvider"),
    "AWS::EMR::Cluster": ("emr", "RunJobFlow"),
    "AWS::SageMaker::NotebookInstance": ("sagemaker", "CreateNotebookInstance"),
    "AWS::SageMaker::EndpointConfig": ("sagemaker", "CreateEndpointConfig"),
    "AWS::SageMaker::Endpoint": ("sagemaker", "CreateEndpoint"),
    "AWS::SageMaker::Model": ("sagemaker", "CreateModel"),
    "AWS::SageMaker::App": ("sagemaker", "CreateApp"),
    "AWS::SageMaker::Space": ("sagemaker", "CreateSpace"),
    "AWS::SageMaker::Domain": ("sagemaker", "CreateDomain"),
    "AWS::SageMaker::UserProfile": ("sagemaker", "CreateUserProfile"),
    "AWS::SageMaker::Cluster": ("sagemaker", "CreateCluster"),
    "AWS::SageMaker::ProcessingJob": ("sagemaker", "CreateProcessingJob"),
    "AWS::SageMaker::Pipeline": ("sagemaker", "CreatePipeline"),
    "AWS::Bedrock::ApplicationInferenceProfile": ("bedrock", "CreateInferenceProfile"),
    "AWS::Bedrock::Agent": ("bedrock-agent", "CreateAgent"),
    "AWS::Bedrock::KnowledgeBase": ("bedrock-agent", "CreateKnowledgeBase"),
    "AWS::Bedrock::IntelligentPromptRouter": ("bedrock", "CreatePromptRouter"),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", "CreateStateMachine"),
    "AWS::Serverless::StateMachine": ("stepfunctions", "CreateStateMachine"),
    "AWS::Scheduler::Schedule": ("scheduler", "CreateSchedule"),
    "AWS::Events::Rule": ("events", "PutTargets"),
    "AWS::Pipes::Pipe": ("pipes", "CreatePipe"),
    "AWS::SSM::Document": ("ssm", "CreateDocument"),
}
"""Resource types whose properties are those of a call, up to a letter's case. Any other type is looked through."""

_NESTED = ("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::Serverless::Application")
_LISTS_OF_RESOURCES = "Fn::ForEach"


def resources(template: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each resource of a template, those in the bodies of `Fn::ForEach` loops too."""
    body = template.get("Resources")
    todo = list(body.items()) if isinstance(body, Mapping) else []
    while todo:
        name, resource = todo.pop(0)
        if str(name).startswith(_LISTS_OF_RESOURCES):
            inner = resource[2] if isinstance(resource, list) and len(resource) == 3 else None
            if isinstance(inner, Mapping):
                todo = [*inner.items(), *todo]
            else:
                yield str(name), None
        else:
            yield str(name), resource


def stack(call: Call, text: Any, given: Any, where: str = "TemplateBody") -> None:
    """Judge every resource of a template, on both sides of each condition."""
    template = text if isinstance(text, Unknown) else parse(text)
    if isinstance(template, Unknown):
        call.unknown(f"{where}: {template.reason}", where)
        return
    if not isinstance(template.get("Resources"), Mapping):
        call.unknown(f"{where} has no resources that can be read", where)
        return
    transforms = template.get("Transform")
    for name in transforms if isinstance(transforms, list) else [transforms]:
        if name is not None and name not in ("AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"):
            call.unknown("a macro rewrites the template at deployment", f"{where}.Transform")
    values = _given(call, given)
    before, outer = len(call.items), call.resolver
    for branch in (True, False):
        resolver = Resolver(template, values, call.region, branch)
        call.resolver = _WithinStack(resolver, dict(resources(template)), outer)
        for name, resource in resources(template):
            _resource(call, resolver, name, resource, f"{where}.Resources.{name}")
    call.resolver = outer
    call.items[before:] = list(dict.fromkeys(call.items[before:]))


class _WithinStack:
    """Answers what a template says of a resource that another of its resources is made from; else asks further."""

    def __init__(self, values: Resolver, rows: Mapping[str, Any], further: Lookups) -> None:
        self._values, self._rows, self._further = values, rows, further

    def ask(self, question: Question) -> Mapping[str, Any] | Unknown:
        named = re.search(rf"{LOCAL}(\w+)", repr(question.parameters))
        if named is None:
            return self._further.ask(question)
        row = self._rows.get(named[1])
        kind = row.get("Type") if isinstance(row, Mapping) else None
        if not isinstance(row, Mapping) or NAMED_BY_OTHERS.get(str(kind)) != question.operation:
            return Unknown(f"resource {named[1][:80]} of the same template does not tell")
        said = self._values.value(row.get("Properties", {}))
        if not isinstance(said, Mapping):
            return Unknown(f"resource {named[1][:80]} of the same template cannot be read")
        data = get(said, "LaunchTemplateData")
        return {
            "LaunchTemplateVersions": [{"LaunchTemplateData": data if data is not None else {}}],
            "LaunchConfigurations": [said],
            "jobDefinitions": [said],
            "taskDefinition": said,
            **said,
        }


def _given(call: Call, given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):  # a nested stack's, or Cloud Control's
        return {str(name): value for name, value in given.items()}
    values: dict[str, Any] = {}
    for place, row in call.rows(given, "Parameters"):
        name = get(row, "ParameterKey")
        if isinstance(name, str):
            previous = get(row, "UsePreviousValue") or get(row, "ParameterValue") is None
            values[name] = Unknown(f"{place} keeps its previous value") if previous else get(row, "ParameterValue")
    return values


def _resource(call: Call, resolver: Resolver, name: str, resource: Any, where: str) -> None:
    kind = resource.get("Type") if isinstance(resource, Mapping) else None
    if not isinstance(resource, Mapping) or not isinstance(kind, str):
        call.unknown(f"resource {name[:80]} is not readable", where)
        return
    properties = resolver.value(resource.get("Properties", {}))
    judge_resource(call, kind, properties, f"{where}.Properties")


def judge_resource(call: Call, kind: str, properties: Any, where: str) -> None:
    """One resource, by the call that would make it."""
    if properties is None:
        properties = {}
    if not isinstance(properties, Mapping):
        call.unknown(f"{where} is not readable", where)
        return
    known = _CALLS.get(kind)
    if kind in _NESTED:
        body = properties.get("TemplateBody")
        if body is None:
            call.unknown("a nested stack's template was not read", where)
        elif call.depth < 6:
            call.depth += 1
            stack(call, body, properties.get("Parameters"), f"{where}.TemplateBody")
            call.depth -= 1
        else:
            call.unknown("stacks are nested too deeply to read", where)
    elif known is not None:
        call.nested(*known, _renamed(kind, properties), where)
    elif kind.startswith(("Custom::", "AWS::CloudFormation::CustomResource", "AWS::CloudFormation::Macro")):
        return  # runs a function of the account, whose own calls are judged where it runs
    elif "::MODULE" in kind or not kind.startswith("AWS::"):
        call.unknown(f"resource type {kind[:100]} is not known", where)
    else:
        _look(call, kind, properties, where)


def _look(call: Call, kind: str, properties: Mapping[str, Any], where: str) -> None:
    """A type without a call of its own: what its keys name is added as it is named."""
    from exportguard.adapters.aws.operations.instances_within import named_within

    named_within(call, properties, where, kind)


def _renamed(kind: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Properties whose names differ from the call's by more than a letter's case."""
    changed = dict(properties)
    if kind == "AWS::EC2::Instance":
        changed["MaxCount"] = 1
        changed["Placement"] = {"AvailabilityZone": changed.get("AvailabilityZone")}
    elif kind == "AWS::EC2::Host":
        changed.setdefault("Quantity", 1)
    elif kind == "AWS::EMR::Cluster":
        return changed
    elif kind.endswith("::StateMachine") and changed.get("Definition") is not None:
        changed["Definition"] = json.dumps(changed["Definition"], default=lambda unknown: "${unknown}")
    elif kind.endswith("::StateMachine"):
        changed["Definition"] = changed.get("DefinitionString") or Unknown("the definition is not in the template")
    elif kind == "AWS::AutoScaling::AutoScalingGroup" and "MaxSize" not in changed:
        changed["MaxSize"] = Unknown("the group's size is not given")
    return changed


# -- the calls ---------------------------------------------------------------------------------------------------


@operation("cloudformation", "CreateStack", "UpdateStack", "CreateChangeSet", "CreateStackSet", "UpdateStackSet")
def create_stack(call: Call) -> None:
    body, url = call.get("TemplateBody"), call.get("TemplateURL")
    if call.operation.startswith("Update"):
        call.action = Action.RESIZE
    if body is not None:
        stack(call, body, call.get("Parameters"))
    elif url is not None:
        call.unknown("the template lies in a bucket and was not read", "TemplateURL")
    elif call.get("StackId") is not None and call.operation == "CreateStackSet":
        call.unknown("the template is that of an existing stack", "StackId")
    elif call.get("ImportExistingResources") or call.get("ResourcesToImport") is not None:
        call.unknown("existing resources are imported", "ResourcesToImport")
    else:
        _previous(call)
    _spread(call)
    if not call.items:
        call.not_applicable("no resource of the template has an accelerator or a model")


def _previous(call: Call) -> None:
    """The template that the stack has, with new parameters."""
    key = "StackSetName" if "StackSet" in call.operation else "StackName"
    name = call.get(key)
    if key == "StackSetName":
        answer = call.ask("cloudformation", "DescribeStackSet", StackSetName=name)
        body = answer if isinstance(answer, Unknown) else get(get(answer, "StackSet"), "TemplateBody")
    else:
        answer = call.ask("cloudformation", "GetTemplate", StackName=name, TemplateStage="Processed")
        body = answer if isinstance(answer, Unknown) else get(answer, "TemplateBody")
    if isinstance(body, Unknown) or body is None:
        reason = body.reason if isinstance(body, Unknown) else "not found"
        call.unknown(f"the template of {str(name)[:100]} was not read: {reason}", key)
    else:
        stack(call, body, call.get("Parameters"), key)


def _spread(call: Call) -> None:
    """Where a stack set's instances are made, beside the region that is asked."""
    for source, dot in ((call.parameters, ""), (call.get("DeploymentTargets"), "DeploymentTargets.")):
        for place, region in call.entries(get(source, "Regions"), f"{dot}Regions"):
            if isinstance(region, str) and region.strip() and len(region) < 100:
                call.place(Location(region=region))
            else:
                call.place(Location(region=Unknown(f"{place} is not readable")))


@operation("cloudformation", "CreateStackInstances", "UpdateStackInstances")
def stack_instances(call: Call) -> None:
    """The stack set's template, in each of the regions."""
    name = call.get("StackSetName")
    answer = call.ask("cloudformation", "DescribeStackSet", StackSetName=name)
    body = None if isinstance(answer, Unknown) else get(get(answer, "StackSet"), "TemplateBody")
    if body is None:
        reason = answer.reason if isinstance(answer, Unknown) else "it has none"
        call.unknown(f"the template of stack set {str(name)[:100]} was not read: {reason}", "StackSetName")
    else:
        known = [row for row in get(get(answer, "StackSet"), "Parameters") or () if isinstance(row, Mapping)]
        overrides = call.get("ParameterOverrides")
        overrides = list(overrides) if isinstance(overrides, (list, tuple)) else []
        stack(call, body, [*known, *overrides], "StackSetName")
    _spread(call)
    if not call.items:
        call.not_applicable("no resource of the template has an accelerator or a model")


@operation("cloudformation", "ExecuteChangeSet")
def execute_change_set(call: Call) -> None:
    """The change set's template; it was judged when it was made, perhaps by nobody."""
    names = {key: call.get(key) for key in ("StackName", "ChangeSetName") if call.get(key) is not None}
    answer = call.ask("cloudformation", "GetTemplate", **names, TemplateStage="Processed")
    body = answer if isinstance(answer, Unknown) else get(answer, "TemplateBody")
    if isinstance(body, Unknown) or body is None:
        reason = body.reason if isinstance(body, Unknown) else "not found"
        call.unknown(f"the change set was not read: {reason}", "ChangeSetName")
        return
    described = call.ask("cloudformation", "DescribeChangeSet", **names)
    stack(call, body, None if isinstance(described, Unknown) else get(described, "Parameters"), "ChangeSetName")
    call.not_applicable("no resource of the template has an accelerator or a model")


@operation("cloudformation", "CreateStackRefactor")
def refactor(call: Call) -> None:
    call.not_applicable("moves resources between stacks; none is made")


@operation("cloudformation", "RollbackStack", "ContinueUpdateRollback")
def rollback(call: Call) -> None:
    call.unknown("the stack goes back to a template that was not read", "StackName")


@operation("cloudcontrol", "CreateResource")
def create_resource(call: Call) -> None:
    kind, state = call.get("TypeName"), call.get("DesiredState")
    document = parse(state)
    if not isinstance(kind, str) or isinstance(document, Unknown):
        call.unknown("the desired state cannot be read", "DesiredState")
        return
    judge_resource(call, kind, document, "DesiredState")
    call.not_applicable(f"{kind[:100]} has no accelerator and no model")


@operation("cloudcontrol", "UpdateResource", action=Action.RESIZE)
def update_resource(call: Call) -> None:
    """A JSON patch: what it sets is read by the last part of each path, the rest of the resource stays."""
    kind, patch = call.get("TypeName"), call.get("PatchDocument")
    try:
        rows = json.loads(patch) if isinstance(patch, str) and len(patch) < 2_000_000 else None
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(kind, str) or not isinstance(rows, list):
        call.unknown("the patch cannot be read", "PatchDocument")
        return
    from exportguard.adapters.aws.operations.instances_within import named_within

    for index, row in enumerate(rows):
        place = f"PatchDocument[{index}]"
        verb, path = get(row, "op"), get(row, "path")
        if verb in ("remove", "test"):
            continue
        if verb not in ("add", "replace") or not isinstance(path, str):
            call.unknown(f"{place} cannot be read", place)
            continue
        keys = [key for key in path.split("/") if key and key != "-" and not key.isdecimal()]
        named_within(call, {keys[-1] if keys else "value": get(row, "value")}, place, kind)
    call.not_applicable("no instance type, accelerator, model or size is set")
