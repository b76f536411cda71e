"""Microsoft.Compute and its relatives: machines, scale sets, reservations, hosts, fleets.

Paths and actions: azure-mgmt-compute 39.0 (2026-04-01), azure-mgmt-computefleet 2.0, and the services' REST
reference.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from exportguard.adapters.azure.operations.embedded import first_scripts, scripts_at
from exportguard.adapters.azure.operations.reading import (
    ACCELERATOR,
    Call,
    Items,
    Table,
    always,
    any_text,
    as_it_is,
    both,
    first_of,
    largest,
    machine,
    most,
    row,
    sizes,
    text,
    total,
    unknown,
)
from exportguard.adapters.azure.places import locations_of
from exportguard.adapters.azure.tree import walk
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.request import Action, Location

_VM_SIZE = "properties.hardwareProfile.vmSize"
_vm = sizes(_VM_SIZE, missing="the machine's size is not given")
_capacity = most("sku.capacity")


def _scale_set(call: Call) -> Items:
    """`sku.name` is the size, or `Mix` beside `properties.skuProfile.vmSizes`: any of those may be taken."""
    count = _capacity(call.body)
    mixed = [
        machine(text(value, where), count, where)
        for where, value in walk(call.body, "properties.skuProfile.vmSizes[].name")
    ]
    named = [
        machine(name, count, "sku.name")
        for name in any_text(call.body, "sku.name")
        if not (mixed and isinstance(name, str) and name.lower() == "mix")
    ]
    named += [
        machine(text(value, where), count, where)
        for where, value in walk(call.body, "properties.virtualMachineProfile.hardwareProfile.vmSize")
    ]
    return mixed + named or None


def _scale_set_put(call: Call) -> Items:
    found = _scale_set(call)
    if found is None:
        profile = any(True for _ in walk(call.body, "properties.virtualMachineProfile"))
        flexible = any(
            isinstance(mode, str) and mode.lower() == "flexible"
            for mode in any_text(call.body, "properties.orchestrationMode")
        )
        if flexible and not profile:
            return None  # an empty shell: its machines are created, and judged, one by one
        return [machine(Unknown("the scale set names no size"), _capacity(call.body))]
    return found


_scale_set_as_it_is = first_of(_scale_set, lambda call: [unknown("the scale set names no size", kind=ACCELERATOR)])
_scale_set_patch = first_of(
    _scale_set, as_it_is(_scale_set_as_it_is, lambda body: largest(body, "sku.capacity") or 0, when=("sku.capacity",))
)
_scale_out = as_it_is(_scale_set_as_it_is, most("capacity"))

_sku_count = sizes("sku.name", count=_capacity, missing="no SKU is given")
_sku_patch = first_of(
    sizes("sku.name", count=_capacity),
    as_it_is(_sku_count, lambda body: largest(body, "sku.capacity") or 0, when=("sku.capacity",)),
)

_FLEET_COUNT = total("properties.spotPriorityProfile.capacity", "properties.regularPriorityProfile.capacity")


_WANTED = ("acceleratorCount", "acceleratorTypes[]", "acceleratorManufacturers[]")


def _fleet_attributes(call: Call) -> Items:
    """Attribute-based choice: unless accelerators are excluded, the service may pick machines that have some."""
    found: Items = None
    for _, wanted in walk(call.body, "properties.vmAttributes"):
        support = any_text(wanted, "acceleratorSupport")
        asked = any(True for key in _WANTED for _ in walk(wanted, key))
        if support and not asked and all(isinstance(each, str) and each.lower() == "excluded" for each in support):
            found = found or []
        else:
            kinds = [kind for kind in any_text(wanted, "acceleratorTypes[]") if isinstance(kind, str)]
            makers = [maker for maker in any_text(wanted, "acceleratorManufacturers[]") if isinstance(maker, str)]
            said = " ".join(kinds + makers) or "any kind"
            why = Unknown(f"the fleet picks machines by attributes; accelerators: {said}"[:2000])
            found = [*(found or []), machine(why, _FLEET_COUNT(call.body), "properties.vmAttributes")]
    return found


_fleet_sizes = both(
    sizes("properties.vmSizesProfile[].name", root=_FLEET_COUNT),
    sizes(
        "properties.computeProfile.baseVirtualMachineProfile.hardwareProfile.vmSize",
        "properties.additionalLocationsProfile.locationProfiles[].virtualMachineProfileOverride.hardwareProfile.vmSize",
        root=_FLEET_COUNT,
    ),
    _fleet_attributes,
)
_fleet_put = first_of(_fleet_sizes, lambda call: [unknown("the fleet names no size", kind=ACCELERATOR)])
_fleet_patch = first_of(
    _fleet_sizes,
    as_it_is(
        _fleet_put,
        _FLEET_COUNT,
        when=(
            "properties.spotPriorityProfile.capacity",
            "properties.regularPriorityProfile.capacity",
            "properties.additionalLocationsProfile",
        ),
    ),
)


_BULK_COUNT = most("properties.capacity")
_bulk_launch = first_of(
    both(
        sizes(
            "properties.vmSizesProfile[].name",
            "properties.computeProfile.virtualMachineProfile.hardwareProfile.vmSize",
            root=_BULK_COUNT,
        ),
        _fleet_attributes,
    ),
    lambda call: [unknown("the launch names no size", kind=ACCELERATOR)],
)


def _fleet_places(call: Call) -> tuple[Location, ...]:
    return locations_of(call, "properties.additionalLocationsProfile.locationProfiles[].location")


def _listed_machines(call: Call) -> Items:
    """Bulk actions name machines by id; each may be of any size."""
    found = [
        machine(Unknown(f"the size of `{ident}` is not in the call"[:500]), 1, "resources.ids")
        for ident in any_text(call.body, "resources.ids[]")
    ]
    return found or [unknown("the machines that are started are not named", kind=ACCELERATOR)]


def _scheduled(call: Call) -> Items:
    """A recurring action is for machines that are attached to it later; all but a start shrink."""
    kinds = any_text(call.body, "properties.actionType")
    if kinds and all(isinstance(kind, str) and kind.lower() != "start" for kind in kinds):
        return None
    if not kinds and call.method.upper() == "PATCH":
        return None
    return [machine(Unknown("the machines that are started are not in the call"))]


_scheduled_as_it_is = as_it_is(first_of(_scheduled, lambda call: []))


def _bulk_create(call: Call) -> Items:
    found = [
        machine(text(value, where), NOT_GIVEN, where)
        for path in (
            "resourceConfigParameters.baseProfile.properties.hardwareProfile.vmSize",
            "resourceConfigParameters.resourceOverrides[].properties.hardwareProfile.vmSize",
            "resourceConfigParameters.flexProperties.vmSizeProfiles[].name",
        )
        for where, value in walk(call.body, path)
    ]
    return found or [unknown("the machines that are created name no size", kind=ACCELERATOR)]


_SCALED: Final = re.compile(
    r"/microsoft\.(?:compute|classiccompute|machinelearningservices|containerservice|batch|azurefleet)/", re.IGNORECASE
)


def _autoscale(call: Call) -> Items:
    """An autoscale setting scales a scale set out to its maximum; other targets carry no accelerator."""
    if not any(True for _ in walk(call.body, "properties.profiles[]")):
        return None
    targets = any_text(call.body, "properties.targetResourceUri")
    if targets and all(isinstance(t, str) and not _SCALED.search(unquote(unquote(t))) for t in targets):
        return None
    if largest(call.body, "properties.profiles[].capacity.maximum") == 0:
        return []
    count = most("properties.profiles[].capacity.maximum")(call.body)
    found = _of_scale_sets(call, "properties.targetResourceUri", count)
    return found or [machine(Unknown("what the autoscale setting scales is not in the call"), count)]


def _standby(call: Call) -> Items:
    """A pool keeps machines ready for a scale set, of that scale set's size."""
    count = most("properties.elasticityProfile.maxReadyCapacity")(call.body)
    if call.method.upper() == "PATCH" and not any(True for _ in walk(call.body, "properties")):
        return None
    if largest(call.body, "properties.elasticityProfile.maxReadyCapacity") == 0:
        return []
    return _of_scale_sets(call, "properties.attachedVirtualMachineScaleSetId", count) or [
        machine(Unknown("the size is that of the scale set the pool is for"), count)
    ]


def _of_scale_sets(call: Call, path: str, count: Maybe[int]) -> list[Item]:
    """The machines of the scale sets that are named at *path*; none when any of them cannot be looked up."""
    found: list[Item] = []
    for target in any_text(call.body, path):
        current = call.known(target) if isinstance(target, str) else target
        inner = None if isinstance(current, Unknown) else _scale_set(Call(call.method, call.address, current))
        if inner is None:
            return []
        found += [item.model_copy(update={"instances": count}) for item in inner]
    return found


_START = (
    "start", "restart", "redeploy", "reimage", "reimageall", "reapply", "manualupgrade", "approverollingupgrade",
)  # fmt: skip
"""Actions that run again what is there. Only `start` takes new capacity; the rest are asked about all the same,
since the call does not say what it acts on."""

_c = "microsoft.compute/"
TABLE: Table = {
    _c + "virtualmachines": {
        "put": row("VirtualMachines_CreateOrUpdate", Action.PROVISION, both(_vm, first_scripts)),
        "patch": row("VirtualMachines_Update", Action.RESIZE, both(sizes(_VM_SIZE), first_scripts)),
        "post:migratetovirtualmachinescaleset": row(
            "VirtualMachines_MigrateToVMScaleSet", Action.RESIZE, first_of(sizes("targetVMSize"), as_it_is(_vm))
        ),
        **{f"post:{verb}": row(f"VirtualMachines_{verb}", Action.START, as_it_is(_vm)) for verb in _START},
    },
    _c + "virtualmachinescalesets": {
        "put": row("VirtualMachineScaleSets_CreateOrUpdate", Action.PROVISION, both(_scale_set_put, first_scripts)),
        "patch": row("VirtualMachineScaleSets_Update", Action.SCALE, both(_scale_set_patch, first_scripts)),
        "post:scaleout": row("VirtualMachineScaleSets_ScaleOut", Action.SCALE, _scale_out),
        **{
            f"post:{verb}": row(f"VirtualMachineScaleSets_{verb}", Action.START, as_it_is(_scale_set_as_it_is))
            for verb in _START
        },
    },
    _c + "virtualmachinescalesets/virtualmachines": {
        "put": row("VirtualMachineScaleSetVMs_Update", Action.RESIZE, sizes(_VM_SIZE, "sku.name")),
        "patch": row("VirtualMachineScaleSetVMs_Update", Action.RESIZE, sizes(_VM_SIZE, "sku.name")),
        **{f"post:{verb}": row(f"VirtualMachineScaleSetVMs_{verb}", Action.START, as_it_is(_vm)) for verb in _START},
    },
    _c + "capacityreservationgroups/capacityreservations": {
        "put": row("CapacityReservations_CreateOrUpdate", Action.RESERVE, _sku_count),
        "patch": row("CapacityReservations_Update", Action.RESERVE, _sku_patch),
    },
    _c + "hostgroups/hosts": {
        "put": row("DedicatedHosts_CreateOrUpdate", Action.RESERVE, sizes("sku.name", missing="no host SKU is given")),
        "patch": row("DedicatedHosts_Update", Action.RESIZE, sizes("sku.name")),
        **{
            f"post:{verb}": row("DedicatedHosts_Restart", Action.START, as_it_is(sizes("sku.name")))
            for verb in ("restart", "redeploy")
        },
    },
    _c + "availabilitysets": {
        f"post:{verb}": row(
            "AvailabilitySets_ConvertToVirtualMachineScaleSet",
            Action.RESIZE,
            always("the machines of the availability set are only named", ACCELERATOR),
        )
        for verb in ("converttovirtualmachinescaleset", "startmigrationtovirtualmachinescaleset")
    },
    _c + "interconnectblocks": {
        "put": row("InterconnectBlocks_CreateOrUpdate", Action.RESERVE, _sku_count),
        "patch": row("InterconnectBlocks_Update", Action.RESERVE, _sku_patch),
    },
    _c + "proximityplacementgroups": {
        "put": row(
            "ProximityPlacementGroups_CreateOrUpdate",
            Action.RESERVE,
            sizes("properties.intent.vmSizes[]", count=lambda node: NOT_GIVEN),
        ),
    },
    _c + "cloudservices": {
        verb: row(
            "CloudServices_CreateOrUpdate",
            Action.PROVISION,
            sizes("sku.name", each="properties.roleProfile.roles[]", count=_capacity),
        )
        for verb in ("put", "patch")
    },
    "microsoft.azurefleet/fleets": {
        "put": row("Fleets_CreateOrUpdate", Action.PROVISION, both(_fleet_put, first_scripts), places=_fleet_places),
        "patch": row("Fleets_Update", Action.SCALE, _fleet_patch, places=_fleet_places),
    },
    "microsoft.computeschedule/locations": {
        **{
            f"post:virtualmachines{verb}start": row("ScheduledActions_Start", Action.START, _listed_machines)
            for verb in ("submit", "execute")
        },
        **{
            f"post:virtualmachinesexecute{verb}": row("ScheduledActions_Create", Action.PROVISION, _bulk_create)
            for verb in ("create", "createflex")
        },
    },
    "microsoft.computeschedule/scheduledactions": {
        **{verb: row("ScheduledActions_CreateOrUpdate", Action.START, _scheduled) for verb in ("put", "patch")},
        **{
            f"post:{verb}": row("ScheduledActions_AttachResources", Action.START, _scheduled_as_it_is)
            for verb in ("attachresources", "patchresources", "triggermanualoccurrence", "enable")
        },
    },
    "microsoft.computebulkactions/locations/launchbulkinstancesoperations": {
        "put": row("BulkActions_CreateOrUpdate", Action.PROVISION, _bulk_launch),
    },
    "microsoft.standbypool/standbyvirtualmachinepools": {
        verb: row(
            "StandbyVirtualMachinePools_CreateOrUpdate",
            Action.SCALE,
            _standby,
        )
        for verb in ("put", "patch")
    },
    "microsoft.insights/autoscalesettings": {
        verb: row("AutoscaleSettings_CreateOrUpdate", Action.SCALE, _autoscale) for verb in ("put", "patch")
    },
    **{
        _c + f"galleries/{kind}": {
            verb: row(
                "GalleryApplications_CreateOrUpdate",
                Action.PROVISION,
                scripts_at("script", "install", "update", "remove"),
            )
            for verb in ("put", "patch")
        }
        for kind in ("applications", "applications/versions", "scripts/versions")
    },
    "classic": {
        verb: row("Classic", Action.PROVISION, always("a classic deployment is not read", ACCELERATOR))
        for verb in ("put", "post:")
    },
    "invoke": {
        verb: row("Invoke", Action.PROVISION, always("what the portal's call is about is named in a header"))
        for verb in ("put", "patch", "post:")
    },
    "microsoft.classiccompute/virtualmachines": {
        "put": row("ClassicVirtualMachines_Create", Action.PROVISION, sizes("properties.hardwareProfile.size")),
        "post:start": row("ClassicVirtualMachines_Start", Action.START, as_it_is(_vm)),
    },
}
