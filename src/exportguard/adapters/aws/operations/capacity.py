"""EC2 capacity that is reserved or bought ahead: reservations, capacity blocks, reserved instances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exportguard.adapters.aws.call import Call, get, number, weighted
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import required
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

_DURATIONS = (24, 48, 72, 96, 120, 144, 168, 240, 336, 504, 672, 1008, 1344, 2016)
"""Hours that offerings are listed by; the API wants one. The lengths that are bought most come first (days, then weeks,
of at most 182 days)."""


@operation("ec2", "CreateCapacityReservation", action=Action.RESERVE)
def create_capacity_reservation(call: Call) -> None:
    call.instance(call.get("InstanceType"), number(call.get("InstanceCount"), "InstanceCount"), where="InstanceType")
    call.zone(call.get("AvailabilityZone"))
    call.zone(call.get("AvailabilityZoneId"))
    call.outpost(call.get("OutpostArn"))


@operation("ec2", "CreateCapacityReservationFleet", action=Action.RESERVE)
def create_capacity_reservation_fleet(call: Call) -> None:
    """A type's weight is how much of the target one instance of it fulfils."""
    total = number(call.get("TotalTargetCapacity"), "TotalTargetCapacity")
    for place, row in call.rows(call.get("InstanceTypeSpecifications"), "InstanceTypeSpecifications"):
        each = weighted(total, get(row, "Weight"), f"{place}.Weight")
        call.instance(get(row, "InstanceType"), each, where=f"{place}.InstanceType")
        call.zone(get(row, "AvailabilityZone"))
        call.zone(get(row, "AvailabilityZoneId"))
    if call.get("InstanceRequirements") is not None:
        required(call, call.get("InstanceRequirements"), total, "InstanceRequirements")
    elif not call.items:
        call.unresolved("the fleet names no instance type", "InstanceTypeSpecifications", instances=total)


def offered(call: Call, answer: Any, rows: Iterable[str], where: str, what: str, count: Maybe[int] = NOT_GIVEN) -> None:
    """The instance types that an answer about an offering or a reservation names."""
    if isinstance(answer, Unknown):
        call.unresolved(f"{what} not resolved: {answer.reason}", where, instances=count)
        return
    found = [row for key in rows for row in (get(answer, key) or ())]
    for row in found[:50]:
        given = get(row, "InstanceCount", "TotalInstanceCount", "ReservedInstanceCount")
        number_of = count if given is None or not isinstance(count, Unknown) else number(given, "InstanceCount")
        call.instance(get(row, "InstanceType"), number_of, where=where)
        call.zone(get(row, "AvailabilityZone"))
    if not found:
        call.unresolved(f"{what} not resolved: not found", where, instances=count)


@operation("ec2", "PurchaseCapacityBlock", action=Action.PURCHASE)
def purchase_capacity_block(call: Call) -> None:
    """The offering's id hides the type: it is looked for among the offerings of now."""
    ident = call.get("CapacityBlockOfferingId")
    answer: Any = Unknown("no offering was listed")
    for hours in _DURATIONS:
        answer = call.ask("ec2", "DescribeCapacityBlockOfferings", CapacityDurationHours=hours)
        if isinstance(answer, Unknown):
            break
        rows = get(answer, "CapacityBlockOfferings") or ()
        answer = {"Offerings": [r for r in rows if get(r, "CapacityBlockOfferingId") == ident]}
        if answer["Offerings"]:
            break
    offered(call, answer, ("Offerings",), "CapacityBlockOfferingId", "capacity block offering")


@operation("ec2", "ModifyCapacityReservationFleet", action=Action.RESERVE)
def modify_capacity_reservation_fleet(call: Call) -> None:
    total = call.get("TotalTargetCapacity")
    if total in (None, 0):
        call.not_applicable("the fleet's capacity does not grow")
        return
    ident = call.get("CapacityReservationFleetId")
    answer = call.ask("ec2", "DescribeCapacityReservationFleets", CapacityReservationFleetIds=[ident])
    if not isinstance(answer, Unknown):
        fleets = get(answer, "CapacityReservationFleets") or ()
        rows = [row for fleet in fleets for row in get(fleet, "InstanceTypeSpecifications") or ()]
        answer = {"Specifications": [{"InstanceType": get(row, "InstanceType")} for row in rows]}
    size = number(total, "TotalTargetCapacity")
    offered(call, answer, ("Specifications",), "CapacityReservationFleetId", "reservation fleet", size)


@operation("ec2", "AcceptReservedInstancesExchangeQuote", action=Action.PURCHASE)
def accept_exchange(call: Call) -> None:
    """Convertible reserved instances for others, by the offerings of those."""
    for place, row in call.rows(call.get("TargetConfigurations"), "TargetConfigurations"):
        given = get(row, "InstanceCount")
        count = NOT_GIVEN if given is None else number(given, f"{place}.InstanceCount")
        ident = get(row, "OfferingId")
        answer = call.ask("ec2", "DescribeReservedInstancesOfferings", ReservedInstancesOfferingIds=[ident])
        offered(call, answer, ("ReservedInstancesOfferings",), f"{place}.OfferingId", "offering", count)
    call.not_applicable("nothing is taken in exchange")


@operation("ec2", "PurchaseCapacityBlockExtension", action=Action.PURCHASE)
def purchase_capacity_block_extension(call: Call) -> None:
    _reservation(call, "CapacityReservationId")


@operation(
    "ec2",
    "CreateCapacityReservationBySplitting",
    "ModifyCapacityReservation",
    "MoveCapacityReservationInstances",
    "AcceptCapacityReservationBillingOwnership",
    "CreateInterruptibleCapacityReservationAllocation",
    "UpdateInterruptibleCapacityReservationAllocation",
    action=Action.RESERVE,
)
def change_reservation(call: Call) -> None:
    count = call.get("InstanceCount", "TargetInstanceCount")
    if call.operation == "ModifyCapacityReservation" and (count is None or count == 0):
        if call.get("EndDate") is None and call.get("EndDateType") is None:
            call.not_applicable("neither the reservation's size nor its end changes")
            return
        count = None
    key = next(
        (k for k in ("SourceCapacityReservationId", "CapacityReservationId") if call.get(k) is not None),
        "CapacityReservationId",
    )
    _reservation(call, key, NOT_GIVEN if count is None else number(count, "InstanceCount"))


def _reservation(call: Call, key: str, count: Maybe[int] = NOT_GIVEN) -> None:
    answer = call.ask("ec2", "DescribeCapacityReservations", CapacityReservationIds=[call.get(key)])
    offered(call, answer, ("CapacityReservations",), key, "capacity reservation", count)


@operation(
    "ec2",
    "AssociateCapacityReservationBillingOwner",
    "CreateCapacityReservationCancellationQuote",
    "CreateCapacityReservationDateChangeQuote",
    "ModifyInstanceCapacityReservationAttributes",
    action=Action.RESERVE,
)
def pays_or_quotes(call: Call) -> None:
    call.not_applicable("provisions nothing: a quote, who pays, or which reservation an instance counts against")


@operation("ec2", "ModifyReservedInstances", action=Action.RESERVE)
def modify_reserved_instances(call: Call) -> None:
    for place, row in call.rows(call.get("TargetConfigurations"), "TargetConfigurations"):
        if get(row, "InstanceType") is not None:
            count = get(row, "InstanceCount")
            call.instance(
                get(row, "InstanceType"),
                NOT_GIVEN if count is None else number(count, f"{place}.InstanceCount"),
                where=f"{place}.InstanceType",
            )
        call.zone(get(row, "AvailabilityZone"))


@operation("ec2", "PurchaseReservedInstancesOffering", action=Action.PURCHASE)
def purchase_reserved_instances(call: Call) -> None:
    ident = call.get("ReservedInstancesOfferingId")
    answer = call.ask("ec2", "DescribeReservedInstancesOfferings", ReservedInstancesOfferingIds=[ident])
    count = number(call.get("InstanceCount"), "InstanceCount")
    offered(call, answer, ("ReservedInstancesOfferings",), "ReservedInstancesOfferingId", "offering", count)


@operation("ec2", "PurchaseHostReservation", action=Action.PURCHASE)
def purchase_host_reservation(call: Call) -> None:
    call.not_applicable("a price commitment for hosts that are allocated already")


@operation("ec2", "PurchaseScheduledInstances", action=Action.PURCHASE)
def purchase_scheduled_instances(call: Call) -> None:
    for place, row in call.rows(call.get("PurchaseRequests"), "PurchaseRequests"):
        count = number(get(row, "InstanceCount"), f"{place}.InstanceCount")
        call.unresolved("a purchase token hides the instance type", f"{place}.PurchaseToken", instances=count)


@operation(
    "ec2",
    "CopyImage",
    "ModifyImageAttribute",
    "ModifySnapshotAttribute",
    "ReplaceImageInstanceTypeSpecification",
    complete=True,
)
def images(call: Call) -> None:
    call.not_applicable("an image or snapshot is copied, shared or described; nothing is launched")
