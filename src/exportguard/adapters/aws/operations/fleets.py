"""EC2 fleets and spot fleets: the whole target may go to any one of the overrides, so each gets all of it."""

from __future__ import annotations

from typing import Any

from exportguard.adapters.aws.call import Call, get, most, number, weighted
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.ec2 import placed
from exportguard.adapters.aws.operations.launch import launched
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown


def fleet_configs(call: Call, configs: Any, capacity: Maybe[int], where: str) -> int:
    """Launch template configurations with overrides. An override's own type wins. Returns how many."""
    count = 0
    for place, config in call.rows(configs, where):
        count += 1
        template = get(config, "LaunchTemplateSpecification", "LaunchTemplate")
        overrides = get(config, "Overrides")
        if overrides is None or overrides == [] or overrides == ():
            launched(call, {"LaunchTemplate": template} if template is not None else {}, capacity, place)
            continue
        for spot, override in call.rows(overrides, f"{place}.Overrides"):
            each = weighted(capacity, get(override, "WeightedCapacity"), f"{spot}.WeightedCapacity")
            launched(call, override, each, spot, template=template)
            placed(call, override)
    return count


def target(specification: Any, where: str) -> Maybe[int]:
    """Instances (or weighted units) that are asked for. Counted in vCPUs or memory, how many that is stays unknown."""
    if specification is None:
        return NOT_GIVEN
    unit = get(specification, "TargetCapacityUnitType")
    if unit is not None and unit != "units":
        return Unknown(f"the capacity is counted in {str(unit)[:30]}")
    total = get(specification, "TotalTargetCapacity")
    parts = [get(specification, key) for key in ("OnDemandTargetCapacity", "SpotTargetCapacity")]
    counts = [number(value, f"{where}.{key}") for key, value in zip(
        ("TotalTargetCapacity", "OnDemandTargetCapacity", "SpotTargetCapacity"), (total, *parts), strict=True
    ) if value is not None]  # fmt: skip
    return most(*counts) if counts else NOT_GIVEN


@operation("ec2", "CreateFleet")
def create_fleet(call: Call) -> None:
    capacity = target(call.get("TargetCapacitySpecification"), "TargetCapacitySpecification")
    if not fleet_configs(call, call.get("LaunchTemplateConfigs"), capacity, "LaunchTemplateConfigs"):
        call.unresolved("the fleet names no launch template", "LaunchTemplateConfigs", instances=capacity)


@operation("ec2", "ModifyFleet", action=Action.SCALE)
def modify_fleet(call: Call) -> None:
    specification = call.get("TargetCapacitySpecification")
    configs = call.get("LaunchTemplateConfigs")
    capacity = target(specification, "TargetCapacitySpecification")
    if configs is None and (specification is None or capacity == 0):
        call.not_applicable("neither the fleet's types nor its capacity grow")
    elif configs is not None:
        fleet_configs(call, configs, capacity, "LaunchTemplateConfigs")
    else:
        answer = call.ask("ec2", "DescribeFleets", FleetIds=[call.get("FleetId")])
        fleets = () if isinstance(answer, Unknown) else get(answer, "Fleets") or ()
        for fleet in fleets:
            call.seen.append(get(fleet, "LaunchTemplateConfigs"))
            fleet_configs(call, get(fleet, "LaunchTemplateConfigs"), capacity, "Fleet.LaunchTemplateConfigs")
        if not call.items:
            reason = answer.reason if isinstance(answer, Unknown) else "not found"
            call.unresolved(f"fleet not resolved: {reason}", "FleetId", instances=capacity)


@operation("ec2", "RequestSpotFleet")
def request_spot_fleet(call: Call) -> None:
    spot_fleet(call, call.get("SpotFleetRequestConfig", "SpotFleetRequestConfigData"), "SpotFleetRequestConfig")


def spot_fleet(call: Call, config: Any, where: str) -> None:
    config = call.struct(config, where)
    unit = get(config, "TargetCapacityUnitType")
    counts = [
        number(get(config, key), f"{where}.{key}")
        for key in ("TargetCapacity", "OnDemandTargetCapacity")
        if get(config, key) is not None
    ]
    capacity = most(*counts)
    if unit is not None and unit != "units":
        capacity = Unknown(f"the capacity is counted in {str(unit)[:30]}")
    found = fleet_configs(call, get(config, "LaunchTemplateConfigs"), capacity, f"{where}.LaunchTemplateConfigs")
    for place, specification in call.rows(get(config, "LaunchSpecifications"), f"{where}.LaunchSpecifications"):
        found += 1
        each = weighted(capacity, get(specification, "WeightedCapacity"), f"{place}.WeightedCapacity")
        launched(call, specification, each, place)
        placed(call, specification)
    if not found:
        call.unresolved("the fleet names no launch specification", where, instances=capacity)


@operation("ec2", "ModifySpotFleetRequest", action=Action.SCALE)
def modify_spot_fleet(call: Call) -> None:
    counts = [
        number(call.get(key), key) for key in ("TargetCapacity", "OnDemandTargetCapacity") if call.get(key) is not None
    ]
    capacity = most(*counts)
    configs = call.get("LaunchTemplateConfigs")
    if configs is not None:
        fleet_configs(call, configs, capacity, "LaunchTemplateConfigs")
        return
    if not counts or capacity == 0:
        call.not_applicable("neither the fleet's types nor its capacity grow")
        return
    answer = call.ask("ec2", "DescribeSpotFleetRequests", SpotFleetRequestIds=[call.get("SpotFleetRequestId")])
    if isinstance(answer, Unknown):
        call.unresolved(f"spot fleet not resolved: {answer.reason}", "SpotFleetRequestId", instances=capacity)
        return
    for row in get(answer, "SpotFleetRequestConfigs") or ():
        existing = dict(get(row, "SpotFleetRequestConfig") or {})
        call.seen.append(existing)
        spot_fleet(call, {**existing, "TargetCapacity": call.get("TargetCapacity")}, "SpotFleetRequest")
    if not call.items:
        call.unresolved("spot fleet not resolved: not found", "SpotFleetRequestId", instances=capacity)
