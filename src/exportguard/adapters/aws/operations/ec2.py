"""EC2: instances started, resized and bought one kind at a time."""

from __future__ import annotations

from typing import Any

from exportguard.adapters.aws.call import Call, get, most, number
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import DEFAULT_INSTANCE_TYPE, launched, of_family
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

_PLACES = frozenset({
    "Placement", "placement", "AvailabilityZone", "availabilityZone", "AvailabilityZoneId", "availabilityZoneId",
    "OutpostArn", "outpostArn",
})  # fmt: skip


def placed(call: Call, spec: Any, where: str = "Placement") -> None:
    """The zone and host that a launch specification asks for."""
    if isinstance(spec, dict) and _PLACES.isdisjoint(spec):
        return
    for zone in ("AvailabilityZone", "AvailabilityZoneId"):
        call.zone(get(get(spec, "Placement"), zone))
        call.zone(get(spec, zone))
    call.outpost(get(spec, "OutpostArn"))


@operation("ec2", "RunInstances", complete=True)
def run_instances(call: Call) -> None:
    said = (("MaxCount", call.get("MaxCount")), ("MinCount", call.get("MinCount")))
    counts = [number(count, key) for key, count in said if count is not None]
    launched(call, call.parameters, most(*counts), "", default=DEFAULT_INSTANCE_TYPE)
    placed(call, call.parameters)


@operation("ec2", "RequestSpotInstances")
def request_spot_instances(call: Call) -> None:
    given = call.get("InstanceCount")
    instances = number(1 if given is None else given, "InstanceCount")
    specification = call.get("LaunchSpecification")
    launched(call, specification, instances, "LaunchSpecification", default=DEFAULT_INSTANCE_TYPE)
    placed(call, specification)


@operation("ec2", "RunScheduledInstances", "ImportInstance")
def run_one_specification(call: Call) -> None:
    given = call.get("InstanceCount")
    specification = call.get("LaunchSpecification")
    launched(call, specification, number(1 if given is None else given, "InstanceCount"), "LaunchSpecification")
    placed(call, specification)


@operation("ec2", "StartInstances", action=Action.START)
def start_instances(call: Call) -> None:
    started = list(call.entries(call.get("InstanceIds"), "InstanceIds"))
    types = instance_types(call, [value for _, value in started])
    for place, value in started:
        known = types.get(value, Unknown("not found")) if isinstance(types, dict) and isinstance(value, str) else types
        if isinstance(known, str):
            call.instance(known, 1, where=place)
        else:
            reason = known.reason if isinstance(known, Unknown) else "unreadable"
            call.unresolved(f"instance {str(value)[:50]} not resolved: {reason}", place, instances=1)
    if not started and not call.items:
        call.unresolved("no instance is named", "InstanceIds")


def instance_types(call: Call, idents: list[Any]) -> dict[str, str] | Unknown:
    """The instance types of existing instances, by id."""
    readable = [ident for ident in idents if isinstance(ident, str) and ident]
    if not readable or len(readable) > 500:
        return Unknown("no readable instance ids")
    answer = call.ask("ec2", "DescribeInstances", InstanceIds=readable)
    if isinstance(answer, Unknown):
        return answer
    found: dict[str, str] = {}
    for reservation in get(answer, "Reservations") or ():
        for instance in get(reservation, "Instances") or ():
            ident, kind = get(instance, "InstanceId"), get(instance, "InstanceType")
            if isinstance(ident, str) and isinstance(kind, str):
                found[ident] = kind
                call.zone(get(get(instance, "Placement"), "AvailabilityZone"))
                call.outpost(get(instance, "OutpostArn"))
    return found


@operation("ec2", "ModifyInstanceAttribute", action=Action.RESIZE)
def modify_instance_attribute(call: Call) -> None:
    resized = call.get("InstanceType")
    if resized is not None:
        value = get(resized, "Value") if not isinstance(resized, (str, Unknown)) else resized
        call.instance(value, 1, where="InstanceType.Value")
        return
    attribute = call.get("Attribute")
    if isinstance(attribute, str) and attribute.strip().lower() == "instancetype":
        call.instance(call.get("Value"), 1, where="Value")
    elif attribute is not None and not isinstance(attribute, str):
        call.unknown("Attribute is not readable", "Attribute")
    else:
        call.not_applicable("the attribute that changes is not the instance type")


@operation("ec2", "ModifyInstancePlacement", action=Action.RESIZE)
def modify_instance_placement(call: Call) -> None:
    call.not_applicable("moves an instance between hosts; its type stays")


@operation("ec2", "AllocateHosts", action=Action.RESERVE)
def allocate_hosts(call: Call) -> None:
    hosts(call, call.parameters)


def hosts(call: Call, spec: Any) -> None:
    """Dedicated hosts, of one type or of any size of a family; how many instances a host holds depends on the size."""
    quantity: Maybe[int] = number(get(spec, "Quantity"), "Quantity")
    if get(spec, "AssetIds") is not None and isinstance(quantity, Unknown):
        quantity = NOT_GIVEN
    named = get(spec, "InstanceType")
    if named is not None:
        call.instance(named, quantity, where="InstanceType")
    elif get(spec, "InstanceFamily") is not None:
        of_family(call, get(spec, "InstanceFamily"), Unknown("a host holds many sizes"), where="InstanceFamily")
    else:
        call.unresolved("the host names no instance type", "InstanceType", instances=quantity)
    call.zone(get(spec, "AvailabilityZone"))
    call.zone(get(spec, "AvailabilityZoneId"))
    call.outpost(get(spec, "OutpostArn"))


@operation("ec2", "ModifyHosts", action=Action.RESERVE)
def modify_hosts(call: Call) -> None:
    for key in ("InstanceType", "InstanceFamily"):
        if call.get(key) is not None:
            many = call.get("HostIds")
            of_family(call, call.get(key), len(many) if isinstance(many, (list, tuple)) else NOT_GIVEN, where=key)
    if not call.items:
        call.not_applicable("the hosts' instance type stays")
