"""EC2 Auto Scaling: the largest size that a group may take counts, with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, most, number, weighted
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.ec2 import instance_types
from exportguard.adapters.aws.operations.launch import launched
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

_SIZES = ("MaxSize", "DesiredCapacity", "MinSize", "RequestedCapacity", "MaxGroupPreparedCapacity")


def largest(source: Any, where: str = "") -> Maybe[int] | None:
    """The largest size that *source* sets; None where it sets none."""
    counts = [number(get(source, key), f"{where}{key}") for key in _SIZES if get(source, key) is not None]
    return most(*counts) if counts else None


def mixed_instances(call: Call, policy: Any, size: Maybe[int], where: str) -> None:
    """The overrides of a mixed instances policy, each with the whole size; without any, its template."""
    template = call.struct(get(call.struct(policy, where), "LaunchTemplate"), f"{where}.LaunchTemplate")
    specification = get(template, "LaunchTemplateSpecification")
    found = False
    for place, override in call.rows(get(template, "Overrides"), f"{where}.LaunchTemplate.Overrides"):
        found = True
        each = weighted(size, get(override, "WeightedCapacity"), f"{place}.WeightedCapacity")
        launched(call, override, each, place, template=specification)
    if not found:
        launched(call, {"LaunchTemplate": specification} if specification else {}, size, f"{where}.LaunchTemplate")


def group(call: Call, source: Mapping[str, Any], size: Maybe[int], where: str = "") -> bool:
    """What a group launches, from wherever it says so. False where it does not say."""
    dot = f"{where}." if where else ""
    if get(source, "MixedInstancesPolicy") is not None:
        mixed_instances(call, get(source, "MixedInstancesPolicy"), size, f"{dot}MixedInstancesPolicy")
        return True
    if get(source, "LaunchTemplate") is not None:
        launched(call, {"LaunchTemplate": get(source, "LaunchTemplate")}, size, where)
        return True
    configuration = get(source, "LaunchConfigurationName")
    if configuration is not None:
        answer = call.ask("autoscaling", "DescribeLaunchConfigurations", LaunchConfigurationNames=[configuration])
        rows = () if isinstance(answer, Unknown) else get(answer, "LaunchConfigurations") or ()
        for row in rows:
            call.instance(get(row, "InstanceType"), size, where=f"{dot}LaunchConfigurationName")
        if not rows:
            reason = answer.reason if isinstance(answer, Unknown) else "not found"
            label = f"launch configuration {str(configuration)[:100]} not resolved: {reason}"
            call.unresolved(label, f"{dot}LaunchConfigurationName", instances=size)
        return True
    if get(source, "InstanceId") is not None:
        same_as(call, get(source, "InstanceId"), size, f"{dot}InstanceId")
        return True
    return False


def same_as(call: Call, ident: Any, size: Maybe[int], where: str) -> None:
    """What is made like an existing instance."""
    types = instance_types(call, [ident])
    known = types.get(ident) if isinstance(types, dict) and isinstance(ident, str) else None
    if known is not None:
        call.instance(known, size, where=where)
    else:
        reason = types.reason if isinstance(types, Unknown) else "not found"
        call.unresolved(f"instance {str(ident)[:50]} not resolved: {reason}", where, instances=size)


def existing(call: Call, name: Any, size: Maybe[int], where: str = "AutoScalingGroupName") -> None:
    """What a group that exists launches, by the resolver."""
    answer = call.ask("autoscaling", "DescribeAutoScalingGroups", AutoScalingGroupNames=[name])
    groups = () if isinstance(answer, Unknown) else get(answer, "AutoScalingGroups") or ()
    for row in groups:
        call.seen.append({key: get(row, key) for key in ("AvailabilityZones", "VPCZoneIdentifier")})
        now = largest(row)
        limit = size if not isinstance(size, Unknown) or now is None else now
        if not group(call, row, limit, where):
            call.unresolved("the group does not say what it launches", where, instances=limit)
    if not groups:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.unresolved(f"group {str(name)[:100]} not resolved: {reason}", where, instances=size)


def zones(call: Call) -> None:
    for _, zone in call.entries(call.get("AvailabilityZones"), "AvailabilityZones"):
        call.zone(zone)


@operation("autoscaling", "CreateAutoScalingGroup")
def create_group(call: Call) -> None:
    found = largest(call.parameters)
    size: Maybe[int] = NOT_GIVEN if found is None else found
    if not group(call, call.parameters, size):
        call.unresolved("the group does not say what it launches", "LaunchTemplate", instances=size)
    zones(call)


@operation("autoscaling", "CreateLaunchConfiguration")
def create_launch_configuration(call: Call) -> None:
    if call.get("InstanceType") is None and call.get("InstanceId") is not None:
        same_as(call, call.get("InstanceId"), NOT_GIVEN, "InstanceId")
    else:
        call.instance(call.get("InstanceType"), where="InstanceType")


@operation("autoscaling", "UpdateAutoScalingGroup", action=Action.SCALE)
def update_group(call: Call) -> None:
    size = largest(call.parameters)
    if group(call, call.parameters, NOT_GIVEN if size is None else size):
        if size == 0:
            call.action = Action.RESIZE
    elif size is None or size == 0:
        call.not_applicable("neither what the group launches nor its size grows")
    else:
        existing(call, call.get("AutoScalingGroupName"), size)
    zones(call)


@operation("autoscaling", "SetDesiredCapacity", "LaunchInstances", action=Action.SCALE)
def set_desired_capacity(call: Call) -> None:
    size = largest(call.parameters)
    if size == 0:
        call.not_applicable("the group shrinks to nothing")
    else:
        existing(call, call.get("AutoScalingGroupName"), NOT_GIVEN if size is None else size)


@operation("autoscaling", "StartInstanceRefresh", action=Action.RESIZE)
def start_instance_refresh(call: Call) -> None:
    wanted = call.get("DesiredConfiguration")
    if wanted is None or not group(
        call, call.struct(wanted, "DesiredConfiguration"), NOT_GIVEN, "DesiredConfiguration"
    ):
        existing(call, call.get("AutoScalingGroupName"), NOT_GIVEN)


@operation("autoscaling", "PutScalingPolicy", action=Action.SCALE)
def scaling_policy(call: Call) -> None:
    """A policy that only ever takes instances away is none to ask about."""
    kind = call.get("AdjustmentType")
    steps = [get(row, "ScalingAdjustment") for _, row in call.rows(call.get("StepAdjustments"), "StepAdjustments")]
    changes = [c for c in (call.get("ScalingAdjustment"), *steps) if c is not None]
    fixed = kind == "ExactCapacity"
    if changes and all(isinstance(c, int) and (c == 0 if fixed else c <= 0) for c in changes):
        call.not_applicable("the policy only takes instances away")
    else:
        grow_existing(call)


@operation("autoscaling", "ResumeProcesses", action=Action.SCALE)
def resume(call: Call) -> None:
    """Without names all processes resume. Those named here start no instance by themselves."""
    quiet = ("alarmnotification", "azrebalance", "healthcheck", "terminate", "addtoloadbalancer")
    names = call.get("ScalingProcesses")
    if isinstance(names, (list, tuple)) and names and all(str(name).lower() in quiet for name in names):
        call.not_applicable("none of these processes launches instances")
    else:
        existing(call, call.get("AutoScalingGroupName"), NOT_GIVEN)


@operation("autoscaling", "DetachInstances", "EnterStandby", action=Action.SCALE)
def replaced(call: Call) -> None:
    """Taking instances out without shrinking the group makes it launch as many again."""
    if str(call.get("ShouldDecrementDesiredCapacity")).lower() in ("true", "none"):
        call.not_applicable("the group shrinks with what is taken out")
        return
    out = call.get("InstanceIds")
    existing(call, call.get("AutoScalingGroupName"), len(out) if isinstance(out, (list, tuple)) else NOT_GIVEN)


@operation("autoscaling", "RollbackInstanceRefresh", action=Action.RESIZE)
def rollback_refresh(call: Call) -> None:
    """Instances are replaced by what the group was configured with before the refresh."""
    existing(call, call.get("AutoScalingGroupName"), NOT_GIVEN)


@operation(
    "autoscaling", "ExecutePolicy", "ExitStandby", "PutWarmPool", "PutScheduledUpdateGroupAction", action=Action.SCALE
)
def grow_existing(call: Call) -> None:
    size = largest(call.parameters)
    if size == 0 and call.operation != "PutWarmPool":
        call.not_applicable("the group shrinks to nothing")
    elif size is None and call.operation == "PutScheduledUpdateGroupAction":
        call.not_applicable("the scheduled action sets no size")
    else:
        existing(call, call.get("AutoScalingGroupName"), NOT_GIVEN if size is None else size)


@operation("autoscaling", "BatchPutScheduledUpdateGroupAction", action=Action.SCALE)
def schedule_many(call: Call) -> None:
    rows = call.rows(call.get("ScheduledUpdateGroupActions"), "ScheduledUpdateGroupActions")
    sizes = [largest(row, f"{place}.") for place, row in rows]
    given = [size for size in sizes if size is not None and size != 0]
    if given:
        existing(call, call.get("AutoScalingGroupName"), most(*given))
    elif not call.items:
        call.not_applicable("no scheduled action sets a size")
