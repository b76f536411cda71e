"""Instances that come back: restored from a backup, recovered or migrated to EC2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import launched
from exportguard.vocabulary import Action, Location, Unknown


@operation("backup", "StartRestoreJob", action=Action.START)
def restore(call: Call) -> None:
    """An instance is restored as the type that its metadata names, else as the one that it was."""
    metadata, arn = call.struct(call.get("Metadata"), "Metadata"), call.get("RecoveryPointArn")
    named = get(metadata, "InstanceType")
    if named is not None:
        call.instance(named, 1, where="Metadata.InstanceType")
    elif str(call.get("ResourceType")).strip().upper() == "EC2" or (isinstance(arn, str) and ":image/ami-" in arn):
        call.unresolved("the restored instance takes the type that it was backed up with", "RecoveryPointArn",
                        instances=1)  # fmt: skip
    call.not_applicable("what is restored is no instance")


@operation("backup", "CreateRestoreTestingSelection", "UpdateRestoreTestingSelection")
def tested(call: Call) -> None:
    """Backups that are restored again and again to test them, as the type that is named instead of theirs."""
    overrides = get(call.get("RestoreTestingSelection") or call.parameters, "RestoreMetadataOverrides")
    for key, value in call.struct(overrides, "RestoreMetadataOverrides").items():
        if str(key).lower() == "instancetype":
            call.instance(value, where=f"RestoreMetadataOverrides.{key}")
    call.not_applicable("no instance type is named")


@operation("drs", "StartRecoveryPlanExecution", "RetryRecoveryPlanExecutionStep", action=Action.START)
def plan(call: Call) -> None:
    call.unresolved("the servers that the plan recovers were not read", "recoveryPlanArn")


# -- switching regions -------------------------------------------------------------------------------------------


@operation("arc-region-switch", "CreatePlan", "UpdatePlan")
def switch(call: Call) -> None:
    """What grows in another region when a plan is executed."""
    workflows(call, call.get("workflows"), "workflows")
    call.not_applicable("no step of the plan adds capacity")


@operation("arc-region-switch", "StartPlanExecution", action=Action.START)
def switched(call: Call) -> None:
    if isinstance(call.get("targetRegion"), str):
        call.place(Location(region=call.get("targetRegion")))
    answer = call.ask("arc-region-switch", "GetPlan", arn=call.get("planArn"))
    if isinstance(answer, Unknown):
        call.unresolved(f"the plan was not resolved: {answer.reason}", "planArn")
    else:
        workflows(call, get(get(answer, "plan"), "workflows"), "planArn")
    call.not_applicable("no step of the plan adds capacity")


def workflows(call: Call, rows: Any, where: str) -> None:
    todo = [pair for place, row in call.rows(rows, where) for pair in call.rows(get(row, "steps"), f"{place}.steps")]
    for place, step in todo:
        block = call.struct(get(step, "executionBlockConfiguration"), place)
        todo += list(call.rows(get(get(block, "parallelConfig"), "steps"), f"{place}.parallelConfig.steps"))
        groups = get(get(block, "ec2AsgCapacityIncreaseConfig"), "asgs")
        for spot, row in call.rows(groups, f"{place}.asgs"):
            name = str(get(row, "arn")).rpartition("autoScalingGroupName/")[2]
            _grown(call, get(row, "arn"), "autoscaling", "ExecutePolicy", {"AutoScalingGroupName": name}, spot)
        services = get(get(block, "ecsCapacityIncreaseConfig"), "services")
        for spot, row in call.rows(services, f"{place}.services"):
            given = {
                "cluster": get(row, "clusterArn"),
                "service": get(row, "serviceArn"),
                "desiredCount": Unknown("as many as ran elsewhere"),
            }
            _grown(call, get(row, "serviceArn"), "ecs", "UpdateService", given, spot)
        if get(block, "regionSwitchPlanConfig") is not None:
            call.unresolved("another plan, which was not read", f"{place}.regionSwitchPlanConfig")


def _grown(call: Call, arn: Any, service: str, name: str, given: Mapping[str, Any], spot: str) -> None:
    """A call in the region of what it grows."""
    parts = arn.split(":") if isinstance(arn, str) else []
    here, call.region = call.region, parts[3] if len(parts) > 5 and parts[3] else call.region
    if call.region:
        call.place(Location(region=call.region))
    call.nested(service, name, given, spot)
    call.region = here


@operation("drs", "StartRecovery", action=Action.START)
@operation("mgn", "StartTest", "StartCutover", action=Action.START)
def recover(call: Call) -> None:
    """Each source server is launched from a launch template of its own."""
    idents = [value for _, value in call.entries(call.get("sourceServerIDs"), "sourceServerIDs")]
    idents += [get(row, "sourceServerID") for _, row in call.rows(call.get("sourceServers"), "sourceServers")]
    for ident in idents:
        answer = call.ask(call.service, "GetLaunchConfiguration", sourceServerID=ident)
        template: Any = answer if isinstance(answer, Unknown) else get(answer, "ec2LaunchTemplateID")
        if isinstance(template, str):
            launched(call, {"LaunchTemplate": {"LaunchTemplateId": template}}, 1, f"source server {str(ident)[:40]}")
        else:
            why = answer.reason if isinstance(answer, Unknown) else "it has no launch template"
            call.unresolved(f"source server {str(ident)[:40]} not resolved: {why}", "sourceServers", instances=1)
    call.not_applicable("no source server is named")
