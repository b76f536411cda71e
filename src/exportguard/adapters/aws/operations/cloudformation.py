"""CloudFormation and Cloud Control: a stack's resources are judged as the calls that make them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from exportguard.adapters.aws.call import Call, get, misspelt
from exportguard.adapters.aws.classify import Standing, services, standing
from exportguard.adapters.aws.lookup import Question
from exportguard.adapters.aws.lookup import Resolver as Lookups
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.instances_within import SAY_ONLY
from exportguard.adapters.aws.operations.launch import types_in_text
from exportguard.adapters.aws.operations.resource_types import CALLS, PROVISIONED, definition, renamed
from exportguard.adapters.aws.operations.second_look import look_within
from exportguard.adapters.aws.operations.template_text import LOCAL, NAMED_BY_OTHERS, parse
from exportguard.adapters.aws.operations.template_values import Resolver
from exportguard.vocabulary import Action, Location, Unknown

_KNOWN_MACROS = re.compile(r"AWS::(LanguageExtensions|Serverless-2016-10-31|SecretsManager-[\d-]+|CodeDeployBlueGreen)")
"""Macros of AWS's own that add functions, roles and permissions, or are read here."""
_NESTED = ("AWS::CloudFormation::Stack", "AWS::CloudFormation::StackSet", "AWS::CloudFormation::ChangeSet",
           "AWS::Serverless::Application")  # fmt: skip


def stack(
    call: Call, text: Any, given: Any, where: str = "TemplateBody", *, regions: Sequence[str | None] | None = None
) -> None:
    """Judge every resource of a template, in every way in which conditions may turn out that are not decided yet.

    `regions`: where the stack is made, if not in the call's region; None in it is a region that nobody named.
    """
    template = text if isinstance(text, Unknown) else parse(text)
    if isinstance(template, Unknown):
        call.unknown(f"{where}: {template.reason}", where)
        return
    if not isinstance(template.get("Resources"), Mapping):
        call.unknown(f"{where} has no resources that can be read", where)
        return
    transforms = template.get("Transform")
    for name in transforms if isinstance(transforms, list) else [transforms]:
        if name is not None and not (isinstance(name, str) and _KNOWN_MACROS.fullmatch(name)):
            call.unknown("a macro rewrites the template at deployment", f"{where}.Transform")
    if any(str(key).startswith("Fn::") for key in template):
        call.unknown("a part of the template is put in at deployment", f"{where}.Fn::Transform")
    values = _given(call, given)
    before, outer = len(call.items), call.resolver
    for region in [call.region] if regions is None else regions:
        for resolver in Resolver(template, values, region).ways():
            rows = list(resolver.resources())
            call.resolver = _WithinStack({name: (turn, row) for turn, name, row in rows}, outer)
            for turn, name, resource in rows:
                _resource(call, turn, name, resource, f"{where}.Resources.{name}")
    call.resolver = outer
    call.items[before:] = list(dict.fromkeys(call.items[before:]))


class _WithinStack:
    """Answers what a template says of a resource that another of its resources is made from; else asks further."""

    def __init__(self, rows: Mapping[str, tuple[Resolver, Any]], further: Lookups) -> None:
        self._rows, self._further = rows, further

    def ask(self, question: Question) -> Mapping[str, Any] | Unknown:
        named = re.search(rf"{LOCAL}(\w+)", repr(question.parameters))
        if named is None:
            return self._further.ask(question)
        values, row = self._rows.get(named[1], (None, None))
        kind = row.get("Type") if isinstance(row, Mapping) else None
        if values is None or not isinstance(row, Mapping) or NAMED_BY_OTHERS.get(str(kind)) != question.operation:
            return Unknown(f"resource {named[1][:80]} of the same template does not tell")
        said = values.value(row.get("Properties", {}))
        if not isinstance(said, Mapping):
            return Unknown(f"resource {named[1][:80]} of the same template cannot be read")
        data = get(said, "LaunchTemplateData")
        wanted = [str(version) for version in question.parameters.get("Versions") or ()]
        if any(version.isdecimal() and version != "1" for version in wanted):
            return Unknown(f"version {', '.join(wanted)[:40]} of {named[1][:80]} is not the one of the template")
        return {
            "LaunchTemplateVersions": [{"LaunchTemplateData": data if data is not None else {}}],
            "LaunchConfigurations": [said],
            "AutoScalingGroups": [said],
            "jobDefinitions": [said],
            "taskDefinition": said,
            "services": [said],
            "Subnets": [said],
            "infrastructureConfiguration": said,
            "fleets": [said],
            "definition": definition(said),
            **said,
        }


def _given(call: Call, given: Any) -> dict[str, Any]:
    """The parameters of a call. One that keeps its value has the stack's, if that can be looked up."""
    if isinstance(given, Mapping):  # a nested stack's, or Cloud Control's
        return {str(name): value for name, value in given.items()}
    values: dict[str, Any] = {}
    kept: dict[str, str] = {}
    for place, row in call.rows(given, "Parameters"):
        name = get(row, "ParameterKey")
        if isinstance(name, str):
            name = name.strip()
            if get(row, "UsePreviousValue") or get(row, "ParameterValue") is None:
                kept[name] = place
            else:
                values[name] = get(row, "ParameterValue")
    known = _known_parameters(call) if kept else {}
    for name, place in kept.items():
        values[name] = known.get(name, Unknown(f"{place} keeps its previous value"))
    return values


def _known_parameters(call: Call) -> dict[str, Any]:
    if call.get("StackName") is None:
        return {}
    answer = call.ask("cloudformation", "DescribeStacks", StackName=call.get("StackName"))
    stacks = () if isinstance(answer, Unknown) else get(answer, "Stacks") or ()
    rows = [row for found in stacks for row in get(found, "Parameters") or ()]
    # What a parameter of the parameter store resolves to is written beside its name, which says nothing.
    return {str(get(row, "ParameterKey")): get(row, "ParameterValue") for row in rows if get(row, "ParameterValue")}


def _resource(call: Call, resolver: Resolver, name: str, resource: Any, where: str) -> None:
    kind = resource.get("Type") if isinstance(resource, Mapping) else None
    if not isinstance(resource, Mapping) or not isinstance(kind, str):
        call.unknown(f"resource {name[:80]} is not readable", where)
        return
    if any(str(key).startswith("Fn::") for key in resource):
        call.unknown(f"a part of resource {name[:80]} is put in at deployment", where)
    strange = misspelt(resource, "Properties") or ("properties" if "properties" in resource else None)
    if strange is not None:
        call.unknown(f"`{strange[:60]}` is no part of a resource, yet says what it is", where)
    properties = resolver.value(resource.get("Properties", {}))
    judge_resource(call, kind, properties, f"{where}.Properties")


def judge_resource(call: Call, kind: str, properties: Any, where: str) -> None:
    """One resource, by the call that would make it."""
    if properties is None:
        properties = {}
    if not isinstance(properties, Mapping):
        call.unknown(f"{where} is not readable", where)
        return
    known = CALLS.get(kind)
    if kind in _NESTED:
        body = properties.get("TemplateBody")
        if body is None:
            call.unknown("a nested stack's template was not read", where)
        elif call.depth < 6:
            call.depth += 1
            stack(call, body, properties.get("Parameters"), f"{where}.TemplateBody", regions=_of_set(kind, properties))
            call.depth -= 1
        else:
            call.unknown("stacks are nested too deeply to read", where)
    elif known is not None:
        call.nested(*known, renamed(kind, properties), where)
    elif kind in PROVISIONED:
        call.unknown("what a product makes is written elsewhere", where)
    elif kind.startswith(("Custom::", "AWS::CloudFormation::CustomResource", "AWS::CloudFormation::Macro")):
        custom(call, properties, where)
    elif "::MODULE" in kind or not kind.startswith("AWS::"):
        call.unknown(f"resource type {kind[:100]} is not known", where)
    else:
        _look(call, kind, properties, where)
        if not _of_a_known_service(kind):
            look_within(call, properties, where)


def _of_a_known_service(kind: str) -> bool:
    """Whether a type belongs to a service of this adapter's time, by a name that is much like botocore's."""
    name = re.sub(r"(V\d+)?$", "", kind.split("::")[1]).lower() if kind.count("::") == 2 else ""
    return name in _service_names() or kind.startswith(SAY_ONLY)


@cache
def _service_names() -> frozenset[str]:
    return frozenset(re.sub(r"v\d+$", "", known.replace("-", "")) for known in services()) | {"serverless"}


def custom(call: Call, properties: Mapping[str, Any], where: str) -> None:
    """What a function of the account makes. Its calls are judged where it runs; what it is told plainly is read here:
    instance types, models, and the SDK calls that CDK's `AwsCustomResource` writes out in it."""
    from exportguard.adapters.aws.operations.workflows import api_call, manifest

    for key in _OBJECTS:
        if isinstance(get(properties, key), str):
            manifest(call, {"RequestBody": get(properties, key)}, f"{where}.{key}")
    told = {key: value for key, value in properties.items() if key.title() not in _SDK_CALLS and key not in _OBJECTS}
    _look(call, "", told, where)
    look_within(call, told, where)
    if isinstance(get(told, "Values"), str):  # a Helm chart's
        types_in_text(call, told["Values"][:200_000], f"{where}.Values")
    for key in _SDK_CALLS:
        written = get(properties, key)
        if written is None:
            continue
        said = parse(written) if isinstance(written, (str, Mapping)) else Unknown("written when it is deployed")
        service, action = get(said, "service"), get(said, "action")
        if isinstance(service, str) and isinstance(action, str) and "${" not in f"{service}{action}":
            service = service.lower().removeprefix("@aws-sdk/client-").replace("-", "")
            if isinstance(get(said, "region"), str):
                call.place(Location(region=said["region"]))  # type: ignore[index]
            bare = action.removesuffix("Command")  # a class of the SDK's, unless that is what the operation is called
            named = action if _is_operation(service, action) else bare
            api_call(call, service, named, get(said, "parameters") or {}, f"{where}.{key}")
        elif isinstance(written, Unknown) or (isinstance(written, str) and '"service"' in written):
            call.unknown("a custom resource whose call cannot be read", f"{where}.{key}")


def _is_operation(service: str, action: str) -> bool:
    name = action[:1].upper() + action[1:]
    found = [known for known in services() if known.replace("-", "") == service]
    return any(standing(known, name) is not Standing.UNSEEN for known in found)


_SDK_CALLS = ("Create", "Update", "Delete")
"""Of CDK's `AwsCustomResource`. What it calls when it is deleted, the deletion of a stack makes."""
_OBJECTS = ("Manifest", "ApplyPatchJson", "RestorePatchJson")
"""Kubernetes objects of CDK's resources."""


def _of_set(kind: str, properties: Mapping[str, Any]) -> list[str | None] | None:
    """The regions of a stack set that is itself a resource; None for a nested stack, which stays where it is."""
    if kind != "AWS::CloudFormation::StackSet":
        return None
    groups = properties.get("StackInstancesGroup")
    rows = groups if isinstance(groups, list) else []
    named: list[str | None] = [r for row in rows for r in get(row, "Regions") or () if isinstance(r, str)]
    return list(dict.fromkeys(named))[:40] or [None]


def _look(call: Call, kind: str, properties: Mapping[str, Any], where: str) -> None:
    """A type without a call of its own: what its keys name is added as it is named."""
    from exportguard.adapters.aws.operations.instances_within import named_within

    named_within(call, properties, where, kind)


# -- the calls ---------------------------------------------------------------------------------------------------


@operation("cloudformation", "CreateStack", "UpdateStack", "CreateChangeSet", "CreateStackSet", "UpdateStackSet")
def create_stack(call: Call) -> None:
    body, url = call.get("TemplateBody"), call.get("TemplateURL")
    if call.operation.startswith("Update"):
        call.action = Action.RESIZE
    if body is not None:
        stack(call, body, call.get("Parameters"), regions=_regions(call) if "StackSet" in call.operation else None)
    if url is not None:
        call.unknown("the template lies in a bucket and was not read", "TemplateURL")
    elif body is not None:
        pass
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
        stack(call, body, call.get("Parameters"), key, regions=_regions(call) if key == "StackSetName" else None)


def _regions(call: Call) -> list[str | None]:
    """The regions that a stack set's instances are made in. Where none is named they come later, anywhere."""
    named: list[Any] = []
    for source in (call.parameters, call.get("DeploymentTargets")):
        given = get(source, "Regions")
        named += given if isinstance(given, (list, tuple)) else ()
    found: list[str | None] = [r.strip() for r in named if isinstance(r, str) and r.strip()]
    return list(dict.fromkeys(found))[:40] or [None]


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
        stack(call, body, [*known, *overrides], "StackSetName", regions=_regions(call))
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
