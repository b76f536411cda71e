"""EMR: instance groups and fleets, with the most that their policies and targets allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, most, number, weighted
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import runs
from exportguard.adapters.aws.operations.scripts import steps
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown


def instance_group(call: Call, row: Mapping[str, Any], place: str, managed: Maybe[int] | None = None) -> None:
    """`managed`: the most that a managed scaling policy of the cluster allows."""
    constraints = get(get(row, "AutoScalingPolicy"), "Constraints")
    counts = [number(v, place) for v in (get(row, "InstanceCount"), get(constraints, "MaxCapacity")) if v is not None]
    if managed is not None and str(get(row, "InstanceRole")).upper() != "MASTER":
        counts.append(managed)
    call.instance(get(row, "InstanceType"), most(*counts), where=f"{place}.InstanceType")


def managed_limit(policy: Any, where: str) -> Maybe[int] | None:
    """The most instances that a managed scaling policy allows; None without a policy."""
    limits = get(policy, "ComputeLimits")
    if limits is None:
        return None
    unit = get(limits, "UnitType")
    if unit == "VCPU":
        return Unknown("the policy counts in vCPUs")
    return number(get(limits, "MaximumCapacityUnits"), f"{where}.ComputeLimits.MaximumCapacityUnits")


def instance_fleet(call: Call, fleet: Any, place: str, managed: Maybe[int] | None = None) -> None:
    """On-demand and spot targets may both go to one type."""
    fleet = call.struct(fleet, place)
    targets = [
        number(get(fleet, key), f"{place}.{key}")
        for key in ("TargetOnDemandCapacity", "TargetSpotCapacity")
        if get(fleet, key) is not None
    ]
    unknown = next((t for t in targets if isinstance(t, Unknown)), None)
    total: Maybe[int] = NOT_GIVEN
    if targets:
        total = unknown if unknown is not None else sum(t for t in targets if not isinstance(t, Unknown))
    if managed is not None and str(get(fleet, "InstanceFleetType")).upper() != "MASTER":
        total = most(total, managed) if targets else managed
    found = False
    for spot, row in call.rows(get(fleet, "InstanceTypeConfigs"), f"{place}.InstanceTypeConfigs"):
        found = True
        each = weighted(total, get(row, "WeightedCapacity"), f"{spot}.WeightedCapacity")
        call.instance(get(row, "InstanceType"), each, where=f"{spot}.InstanceType")
    if not found:
        call.unresolved("the fleet names no instance types", place, instances=total)


@operation("emr", "RunJobFlow")
def run_job_flow(call: Call) -> None:
    instances = call.struct(call.get("Instances"), "Instances")
    managed = managed_limit(call.get("ManagedScalingPolicy"), "ManagedScalingPolicy")
    count = get(instances, "InstanceCount")
    size = NOT_GIVEN if count is None else number(count, "Instances.InstanceCount")
    size = size if managed is None else managed if count is None else most(size, managed)
    for key in ("MasterInstanceType", "SlaveInstanceType"):
        if get(instances, key) is not None:
            some = 1 if key == "MasterInstanceType" else size
            call.instance(get(instances, key), some, where=f"Instances.{key}")
    for place, row in call.rows(get(instances, "InstanceGroups"), "Instances.InstanceGroups"):
        instance_group(call, row, place, managed)
    for place, row in call.rows(get(instances, "InstanceFleets"), "Instances.InstanceFleets"):
        instance_fleet(call, row, place, managed)
    for key in ("MasterInstanceGroup", "CoreInstanceGroup"):  # CloudFormation's spelling
        if get(instances, key) is not None:
            row = call.struct(get(instances, key), f"Instances.{key}")
            instance_group(call, row, f"Instances.{key}", None if key == "MasterInstanceGroup" else managed)
    for key in ("MasterInstanceFleet", "CoreInstanceFleet"):
        if get(instances, key) is not None:
            instance_fleet(
                call, get(instances, key), f"Instances.{key}", None if key == "MasterInstanceFleet" else managed
            )
    for key in ("TaskInstanceGroups", "TaskInstanceFleets"):
        for place, row in call.rows(get(instances, key), f"Instances.{key}"):
            instance_group(call, row, place, managed) if key.endswith("Groups") else instance_fleet(
                call, row, place, managed
            )
    zone = get(instances, "Placement")
    call.zone(get(zone, "AvailabilityZone"))
    for _, value in call.entries(get(zone, "AvailabilityZones"), "Instances.Placement.AvailabilityZones"):
        call.zone(value)
    if not call.items:
        call.unresolved("the cluster names no instances", "Instances")
    steps(call, call.get("Steps"), "Steps")
    for place, row in call.rows(call.get("BootstrapActions"), "BootstrapActions"):
        runs(call, get(get(row, "ScriptBootstrapAction"), "Args"), f"{place}.ScriptBootstrapAction.Args")


@operation("emr", "AddInstanceGroups", action=Action.SCALE)
def add_groups(call: Call) -> None:
    for place, row in call.rows(call.get("InstanceGroups"), "InstanceGroups"):
        instance_group(call, row, place)
    if not call.items:
        call.unresolved("no instance group is named", "InstanceGroups")


@operation("emr", "AddInstanceFleet", action=Action.SCALE)
def add_fleet(call: Call) -> None:
    instance_fleet(call, call.get("InstanceFleet"), "InstanceFleet")


@operation("emr", "ModifyInstanceFleet", action=Action.SCALE)
def modify_fleet(call: Call) -> None:
    fleet = call.struct(call.get("InstanceFleet"), "InstanceFleet")
    targets = [get(fleet, key) for key in ("TargetOnDemandCapacity", "TargetSpotCapacity")]
    if get(fleet, "InstanceTypeConfigs") is not None:
        instance_fleet(call, fleet, "InstanceFleet")
    elif any(target not in (None, 0) for target in targets):
        sizes = [number(target, "InstanceFleet") for target in targets if target is not None]
        unknown = next((size for size in sizes if isinstance(size, Unknown)), None)
        total = unknown if unknown is not None else sum(size for size in sizes if not isinstance(size, Unknown))
        existing(call, total, get(fleet, "InstanceFleetId"))
    else:
        call.not_applicable("the fleet does not grow")


@operation("emr", "ModifyInstanceGroups", "PutAutoScalingPolicy", "PutManagedScalingPolicy", action=Action.SCALE)
def scale_groups(call: Call) -> None:
    """More of a group whose type was set before."""
    counts = [get(row, "InstanceCount") for _, row in call.rows(call.get("InstanceGroups"), "InstanceGroups")]
    counts.append(get(get(call.get("AutoScalingPolicy"), "Constraints"), "MaxCapacity"))
    managed = managed_limit(call.get("ManagedScalingPolicy"), "ManagedScalingPolicy")
    sizes = [number(c, "InstanceCount") for c in counts if c not in (None, 0)]
    sizes += [] if managed is None or managed == 0 else [managed]
    if not sizes:
        call.not_applicable("no group grows")
        return
    named = {get(row, "InstanceGroupId") for _, row in call.rows(call.get("InstanceGroups"), "InstanceGroups")}
    named.add(call.get("InstanceGroupId"))
    existing(call, most(*sizes), *(ident for ident in named if isinstance(ident, str)))


def existing(call: Call, size: Maybe[int], *idents: Any) -> None:
    """What a cluster that exists runs on, in its groups or fleets: those named, or all where none is found so."""
    cluster = call.get("ClusterId")
    answer = call.ask("emr", "ListInstanceGroups", ClusterId=cluster)
    rows = _typed(answer, "InstanceGroups")
    if not rows:
        answer = call.ask("emr", "ListInstanceFleets", ClusterId=cluster)
        rows = _typed(answer, "InstanceFleets")
    for kinds in [kinds for ident, kinds in rows if ident in idents] or [kinds for _, kinds in rows]:
        for kind in kinds:
            call.instance(kind, size, where="ClusterId")
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.unresolved(f"cluster {str(cluster)[:60]} not resolved: {reason}", "ClusterId", instances=size)


def _typed(answer: Any, key: str) -> list[tuple[Any, list[Any]]]:
    """(id, instance types) of each group or fleet of an answer."""
    found: list[tuple[Any, list[Any]]] = []
    for row in () if isinstance(answer, Unknown) else get(answer, key) or ():
        kinds = [get(spec, "InstanceType") for spec in get(row, "InstanceTypeSpecifications") or ()]
        found.append((get(row, "Id"), kinds or [get(row, "InstanceType")]))
    return found
