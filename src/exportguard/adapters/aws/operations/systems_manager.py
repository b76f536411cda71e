"""Systems Manager: commands on instances, automations by name and by document, and what runs them later."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, misspelt
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.instances_within import named_within
from exportguard.adapters.aws.operations.launch import TELLING, types_in_text
from exportguard.adapters.aws.operations.template_text import parse
from exportguard.adapters.aws.operations.workflows import api_call
from exportguard.vocabulary import Action, Location, Unknown

_OWN = re.compile(
    r"AWS(Support|SupportPages|ConfigRemediation|SystemsManager\w*|EC2|FIS|QuickSetup\w*|Incidents)?-\w+", re.IGNORECASE
)
"""Documents of AWS's own, whose names are taken (`AWS-…`, `AWSSupport-…`); their steps are published."""
_STARTS = re.compile(
    r"Start(?!Rds|Db|Aurora|Neptune)|Restart(?!Rds|Db)|Resize|Resume|ExitStandby|Stack|Execute|Run(?!Patch|Inspec|Ansible|Document\b)|Launch|Asg|ASG|Clone|"
    r"CopyEC2|RestoreEC2|Migrate",
    re.IGNORECASE,
)
"""Of those, the ones that may start or make what their parameters do not name."""
_QUIET = re.compile(
    r"\w+-(Delete|Stop|Terminate|Disable|Detach|Remove|Revoke|Release|Cancel|Describe|Get|List|Check|Validate|Collect|Analyze|"
    r"Troubleshoot|Export|Publish)(?!\w*And(Start|Restart|Resize))",
    re.IGNORECASE,
)
"""And those that only read, or take away, whatever they are about."""


@operation("ssm", "SendCommand", "StartSession")
def command(call: Call) -> None:
    """A command on an instance: outside, unless its text plainly calls for instances or models."""
    told(call, call.get("Parameters"), "Parameters")
    call.not_applicable("runs a command on instances that exist")


def told(call: Call, given: Any, where: str) -> None:
    """The text of a command: it calls for instances or models, or names a type that it may call for."""
    written = json.dumps(given, default=str) if given is not None else ""
    if TELLING.search(written[:200_000]) or len(written) > 200_000:
        call.unknown("a command that may provision by itself", where)
    types_in_text(call, written[:200_000], where)


@operation("ssm", "CreateAssociation", "UpdateAssociation", "CreateAssociationBatch", "StartAssociationsOnce")
def association(call: Call) -> None:
    """A document that runs again and again: a command, or an automation by its name."""
    rows = [row for _, row in call.rows(call.get("Entries"), "Entries")] or [call.parameters]
    for row in rows:
        name, given = get(row, "Name"), get(row, "Parameters")
        if get(row, "AutomationTargetParameterName") is not None or (isinstance(name, str) and _starts(name)):
            run(call, name, given, "Name")
        else:
            told(call, given, "Parameters")
    call.not_applicable("runs a command on instances that exist")


def _starts(name: str) -> bool:
    short = name.strip().rpartition("/")[2]
    return bool(_OWN.fullmatch(short) and re.match(r"AWS-(Start|Restart|Resize)", short, re.IGNORECASE))


def run(call: Call, name: Any, given: Any, where: str) -> None:
    """One automation: AWS's own are known by name, any other document's steps are not read."""
    short = name.strip().rpartition("/")[2].partition(":")[0] if isinstance(name, str) else ""
    before = len(call.items)
    kinds = get(given, "InstanceType")
    for value in kinds if isinstance(kinds, (list, tuple)) else [kinds] if kinds is not None else []:
        call.instance(value, where="Parameters.InstanceType")
    if short.lower() == "aws-resizeinstance":
        if len(call.items) == before:
            call.unresolved("the automation resizes an instance to a type that is not named", where)
    elif short.lower() in ("aws-startec2instance", "aws-restartec2instance"):
        ids = get(given, "InstanceId")
        call.nested("ec2", "StartInstances", {"InstanceIds": [ids] if isinstance(ids, str) else ids}, "Parameters")
    elif _OWN.fullmatch(short) and _QUIET.match(short):
        return
    elif not _OWN.fullmatch(short) or (_STARTS.search(short.partition("-")[2]) and len(call.items) == before):
        call.unknown(f"what automation {short[:100]} does was not read", where)


@operation("ssm", "StartAutomationExecution", "StartChangeRequestExecution", action=Action.START)
def automation(call: Call) -> None:
    named = [(call.get("DocumentName", "Name"), call.get("Parameters"))]
    for _, row in call.rows(call.get("Runbooks"), "Runbooks"):
        given = get(row, "Parameters")
        named.append((get(row, "DocumentName"), call.get("Parameters") if given is None else given))
    if call.operation == "StartChangeRequestExecution" and len(named) > 1:
        named = named[1:]  # the document itself is the approval; the runbooks are what runs
    for name, given in named:
        run(call, name, given, "DocumentName")
    for _, row in call.rows(call.get("TargetLocations"), "TargetLocations"):
        for _, region in call.entries(get(row, "Regions"), "TargetLocations.Regions"):
            if isinstance(region, str) and region:
                call.place(Location(region=region))
    call.not_applicable("the automation starts no instance")


@operation("ssm", "RegisterTaskWithMaintenanceWindow", "UpdateMaintenanceWindowTask")
def window_task(call: Call) -> None:
    """What runs in a window: a command, an automation, a state machine or a function."""
    arn, kind, given = call.get("TaskArn"), call.get("TaskType"), call.get("TaskInvocationParameters")
    inner = get(given, "Automation")
    if kind == "STEP_FUNCTIONS" or get(given, "StepFunctions") is not None or ":states:" in str(arn):
        call.nested("stepfunctions", "StartExecution", {"stateMachineArn": arn}, "TaskArn")
    elif kind == "AUTOMATION" or inner is not None:
        run(call, arn, get(inner, "Parameters"), "TaskArn")
    elif get(given, "RunCommand") is not None:
        call.nested("ssm", "SendCommand", get(given, "RunCommand"), "TaskInvocationParameters.RunCommand")
    call.not_applicable("the task runs a command or a function")


@operation("config", "PutRemediationConfigurations")
def remediation(call: Call) -> None:
    """Automations that answer a rule; their parameters are fixed, or are the resource itself."""
    for place, row in call.rows(call.get("RemediationConfigurations"), "RemediationConfigurations"):
        given = {key: get(get(value, "StaticValue"), "Values") for key, value in (get(row, "Parameters") or {}).items()}
        run(call, get(row, "TargetId"), {k: v for k, v in given.items() if v is not None}, f"{place}.TargetId")
    call.not_applicable("no remediation starts an instance")


@operation("config", "PutConformancePack", "PutOrganizationConformancePack")
def conformance_pack(call: Call) -> None:
    """A template of rules and remediations. One that lies elsewhere may hold nothing else, and its automations are
    judged when they are made."""
    from exportguard.adapters.aws.operations.cloudformation import stack

    if call.get("TemplateBody") is not None:
        stack(call, call.get("TemplateBody"), None)
    call.not_applicable("no remediation starts an instance")


@operation("ssm", "CreateDocument", "UpdateDocument")
def document(call: Call) -> None:
    """Automation steps that call an API, read as that call; commands by what they plainly call for."""
    found = parse(call.get("Content"))
    if isinstance(found, Unknown):
        kind = call.get("DocumentType")
        if kind in (None, "Automation", "CloudFormation"):
            call.unknown(f"Content: {found.reason}", "Content")
        call.not_applicable("no automation")
        return
    if get(found, "Resources") is not None:
        from exportguard.adapters.aws.operations.cloudformation import stack

        stack(call, found, None, "Content")
    automates = get(found, "assumeRole") or _automates(found)
    if automates:
        rows = get(found, "mainSteps", misspelt(found, "mainSteps") or "mainSteps")
        steps(call, rows, "Content.mainSteps")
    elif get(found, "Resources") is None:
        told(call, found, "Content")
    call.not_applicable("no step starts an accelerator or a model")


def steps(call: Call, rows: Any, where: str, depth: int = 0) -> None:
    """The steps of an automation, those in loops too."""
    for place, step in call.rows(rows, where):
        named, inputs = get(step, "action"), get(step, "inputs")
        action = _ACTIONS.get(named.strip().lower(), named) if isinstance(named, str) else named
        if action in _ASKING:
            inputs = _moustache(inputs)
            given = {key: value for key, value in inputs.items() if key not in ("Service", "Api")} if inputs else {}
            api_call(call, str(get(inputs, "Service")), str(get(inputs, "Api")), given, f"{place}.inputs")
        elif action == "aws:runInstances":
            inputs = _moustache(inputs)
            call.nested("ec2", "RunInstances", {"MaxCount": get(inputs, "MaxInstanceCount") or 1,
                        "InstanceType": get(inputs, "InstanceType")}, f"{place}.inputs")  # fmt: skip
        elif action == "aws:loop" and depth < 10:
            steps(call, get(inputs, "Steps"), f"{place}.inputs.Steps", depth + 1)
        elif action == "aws:executeAutomation":
            run(call, get(inputs, "DocumentName"), _moustache(get(inputs, "RuntimeParameters") or {}), place)
        elif action in ("aws:createStack", "aws:executeScript", "aws:executeStateMachine", "aws:loop"):
            call.unknown(f"{place} does what was not read", place)
        elif action == "aws:changeInstanceState" and get(inputs, "DesiredState") == "running":
            call.unresolved("instances that are started", place)
        elif action in ("aws:runCommand", "aws:invokeLambdaFunction", "aws:invokeWebhook"):
            told(call, get(inputs, "Parameters") if action == "aws:runCommand" else None, f"{place}.inputs")
        elif action not in _ACTIONS.values():
            named_within(call, _moustache(step), place, "")


_ASKING = ("aws:executeAwsApi", "aws:waitForAwsResourceProperty", "aws:assertAwsResourceProperty")
"""Steps that call an API, to see something of its answer too."""
_ACTIONS = {
    action.lower(): action
    for action in (
        *_ASKING, "aws:runInstances", "aws:loop", "aws:executeAutomation", "aws:createStack", "aws:executeScript",
        "aws:executeStateMachine", "aws:changeInstanceState", "aws:runCommand", "aws:invokeLambdaFunction",
        "aws:invokeWebhook", "aws:approve", "aws:branch", "aws:copyImage", "aws:createImage", "aws:createTags",
        "aws:deleteImage", "aws:deleteStack", "aws:pause", "aws:sleep", "aws:updateVariable",
    )
}  # fmt: skip
"""The actions of an automation (Systems Manager Automation actions reference), each by its letters alone."""


def _automates(found: Mapping[str, Any]) -> bool:
    return str(get(found, "schemaVersion", misspelt(found, "schemaVersion") or "schemaVersion")) == "0.3"


def _moustache(value: Any, depth: int = 0) -> Any:
    """`{{ parameter }}` is filled in at run time."""
    if depth > 60:
        return Unknown("nested too deeply to read")
    if isinstance(value, Mapping):
        return {str(key): _moustache(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_moustache(entry, depth + 1) for entry in value]
    return Unknown("filled in at run time") if isinstance(value, str) and "{{" in value else value


@operation("ecs", "ExecuteCommand")
def in_container(call: Call) -> None:
    told(call, call.get("command"), "command")
    call.not_applicable("runs a command in a container that exists")


@operation("fis", "CreateExperimentTemplate", "UpdateExperimentTemplate")
def experiment(call: Call) -> None:
    """Experiments break things on purpose; among their actions is any automation."""
    for name, action in call.struct(call.get("actions"), "actions").items():
        kind, given = get(action, "actionId"), call.struct(get(action, "parameters"), f"actions.{name}.parameters")
        written = get(given, "documentParameters")
        parameters = {} if written is None else parse(written)
        if kind is not None and not isinstance(kind, str):
            call.unknown(f"what action {str(name)[:60]} does is not readable", f"actions.{name}")
        elif str(kind).strip().lower() == "aws:ssm:start-automation-execution":
            run(call, get(given, "documentArn"), None if isinstance(parameters, Unknown) else parameters,
                f"actions.{name}.parameters.documentArn")  # fmt: skip
        elif str(kind).strip().lower() == "aws:ssm:send-command":
            told(call, written, f"actions.{name}.parameters.documentParameters")
    call.not_applicable("no action starts an instance")


@operation("ssm-quicksetup", "CreateConfigurationManager", "UpdateConfigurationDefinition")
def quick_setup(call: Call) -> None:
    """Managers of what is set up once for many accounts; one of them starts tagged instances by a calendar."""
    rows = [row for _, row in call.rows(call.get("ConfigurationDefinitions"), "ConfigurationDefinitions")]
    for row in rows or [call.parameters]:
        if "scheduler" in str(get(row, "Type")).lower():
            call.unresolved("whatever instances are tagged so are started by a calendar", "ConfigurationDefinitions")
    call.not_applicable("nothing is started")


@operation("ssm", "StartExecutionPreview")
def preview(call: Call) -> None:
    call.not_applicable("a preview runs nothing")
