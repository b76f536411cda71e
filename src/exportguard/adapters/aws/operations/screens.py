"""Desktops, applications and games that are streamed from instances with, or without, a GPU."""

from __future__ import annotations

import re
from typing import Any

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.vocabulary import NOT_GIVEN, Action, Item, ItemKind, Maybe, Unknown

# -- WorkSpaces --------------------------------------------------------------------------------------------------

_SIZED = re.compile(r"GRAPHICS_(G[A-Z]?\d+[A-Z]*)_(\d*X?LARGE)")

PLAIN_COMPUTE = re.compile(r"VALUE|STANDARD|PERFORMANCE|POWER(PRO)?|GENERALPURPOSE_\d+XLARGE|BASE")
"""Compute types without a GPU; another one that does not say GRAPHICS is not known."""


def compute(call: Call, kind: Any, where: str) -> None:
    """A compute type: `GRAPHICS_G6_XLARGE` is a g6.xlarge, `GRAPHICS_G4DN` has a T4, `STANDARD` has no GPU."""
    if not isinstance(kind, str):
        call.accelerator(Unknown("the compute type is not readable"), 1, where=where)
        return
    name = kind.strip().upper()
    sized = _SIZED.fullmatch(name)
    if sized:
        call.instance(f"{sized[1].lower()}.{sized[2].lower()}", 1, where=where)
    elif name.endswith("G4DN"):
        call.accelerator("t4", 1, where=where)
    elif "GRAPHICS" in name or "GPU" in name:
        call.accelerator(Unknown(f"the GPU of compute type {name[:40]}"), 1, where=where)
    elif not PLAIN_COMPUTE.fullmatch(name):
        call.accelerator(Unknown(f"whether compute type {name[:40]} has a GPU"), 1, where=where)


def bundle(call: Call, ident: Any, where: str) -> None:
    """The compute type of a bundle, by the resolver."""
    answer = call.ask("workspaces", "DescribeWorkspaceBundles", BundleIds=[ident])
    rows = () if isinstance(answer, Unknown) else get(answer, "Bundles") or ()
    for row in rows:
        compute(call, get(get(row, "ComputeType"), "Name"), where)
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.accelerator(Unknown(f"bundle {str(ident)[:60]} not resolved: {reason}"), where=where)


def pool(call: Call, ident: Any, where: str) -> None:
    """The compute type of a pool's bundle, by the resolver."""
    answer = call.ask("workspaces", "DescribeWorkspacesPools", PoolIds=[ident])
    rows = () if isinstance(answer, Unknown) else get(answer, "WorkspacesPools") or ()
    for row in rows:
        bundle(call, get(row, "BundleId"), where)
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.accelerator(Unknown(f"pool {str(ident)[:80]} not resolved: {reason}"), where=where)


@operation("workspaces", "CreateWorkspaces", "CreateStandbyWorkspaces")
def workspaces(call: Call) -> None:
    """A compute type says whether it has a GPU. Without one the bundle decides."""
    rows = list(call.rows(call.get("Workspaces", "StandbyWorkspaces"), "Workspaces"))
    for place, row in rows:
        kind = get(get(row, "WorkspaceProperties"), "ComputeTypeName")
        if kind is not None:
            compute(call, kind, f"{place}.WorkspaceProperties.ComputeTypeName")
        elif get(row, "BundleId") is not None:
            bundle(call, get(row, "BundleId"), f"{place}.BundleId")
        else:
            call.accelerator(Unknown("neither a bundle nor a compute type is named"), where=place)
    call.not_applicable("no compute type has a GPU")


@operation("workspaces", "ModifyWorkspaceProperties", "CreateWorkspaceBundle", "UpdateWorkspaceBundle",
           "MigrateWorkspace", "CreateWorkspacesPool", "UpdateWorkspacesPool", action=Action.RESIZE)  # fmt: skip
def another_compute_type(call: Call) -> None:
    kind = get(call.get("WorkspaceProperties"), "ComputeTypeName")
    named = get(call.get("ComputeType"), "Name")
    for value, where in ((kind, "WorkspaceProperties.ComputeTypeName"), (named, "ComputeType.Name")):
        if value is not None:
            compute(call, value, where)
    if call.operation != "UpdateWorkspaceBundle" and call.get("BundleId") is not None:
        bundle(call, call.get("BundleId"), "BundleId")
    elif get(call.get("Capacity"), "DesiredUserSessions") not in (None, 0):
        pool(call, call.get("PoolId"), "PoolId")
    call.not_applicable("no compute type with a GPU is named")


@operation("workspaces", "StartWorkspaces", "StartWorkspacesPool", action=Action.START)
def start_workspaces(call: Call) -> None:
    """Desktops that were judged when they were made; the resolver tells their compute type."""
    if call.operation == "StartWorkspacesPool":
        pool(call, call.get("PoolId"), "PoolId")
        call.not_applicable("no desktop of the pool has a GPU")
        return
    idents = [
        get(row, "WorkspaceId") for _, row in call.rows(call.get("StartWorkspaceRequests"), "StartWorkspaceRequests")
    ]
    answer = call.ask("workspaces", "DescribeWorkspaces", WorkspaceIds=idents) if idents else Unknown("none is named")
    rows = () if isinstance(answer, Unknown) else get(answer, "Workspaces") or ()
    for row in rows:
        compute(call, get(get(row, "WorkspaceProperties"), "ComputeTypeName"), "StartWorkspaceRequests")
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.accelerator(Unknown(f"the desktops were not resolved: {reason}"), where="StartWorkspaceRequests")
    call.not_applicable("no desktop has a GPU")


# -- AppStream ---------------------------------------------------------------------------------------------------


@operation("appstream", "CreateFleet", "UpdateFleet", "CreateImageBuilder", "StartFleet", "StartImageBuilder")
def appstream(call: Call) -> None:
    """Types are `stream.graphics.g6.xlarge` and the like. A fleet that only grows or starts keeps its own."""
    wanted = get(call.get("ComputeCapacity"), "DesiredInstances", "DesiredSessions")
    size: Maybe[int] = NOT_GIVEN if wanted is None else number(wanted, "ComputeCapacity")
    if call.operation.startswith("Start"):
        call.action = Action.START
    if call.get("InstanceType") is not None:
        call.instance(call.get("InstanceType"), size, where="InstanceType")
        return
    if call.operation.startswith("Create"):
        call.unresolved("no instance type is named", "InstanceType", instances=size)
        return
    if call.operation == "UpdateFleet" and size in (NOT_GIVEN, 0):
        call.not_applicable("neither the fleet's type nor its capacity grows")
        return
    builder = "ImageBuilder" in call.operation
    what = "DescribeImageBuilders" if builder else "DescribeFleets"
    answer = call.ask("appstream", what, Names=[call.get("Name")])
    rows = () if isinstance(answer, Unknown) else get(answer, "ImageBuilders" if builder else "Fleets") or ()
    for row in rows:
        call.instance(get(row, "InstanceType"), size, where="Name")
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.unresolved(f"{str(call.get('Name'))[:60]} not resolved: {reason}", "Name", instances=size)


# -- GameLift ----------------------------------------------------------------------------------------------------

_LARGEST = "g5g.16xlarge"
"""The most accelerated type that GameLift offers (its API's EC2InstanceType; the others are c, m, r and t)."""


@operation("gamelift", "CreateGameServerGroup", "UpdateGameServerGroup")
def server_group(call: Call) -> None:
    """The group's own list of types takes the place of its template's."""
    most = call.get("MaxSize")
    size: Maybe[int] = NOT_GIVEN if most is None else number(most, "MaxSize")
    for place, row in call.rows(call.get("InstanceDefinitions"), "InstanceDefinitions"):
        call.instance(get(row, "InstanceType"), size, where=f"{place}.InstanceType")
    if call.operation == "CreateGameServerGroup" and not call.items:
        call.unresolved("the group names no instance type", "InstanceDefinitions", instances=size)
    call.not_applicable("the group's instance types stay")


@operation("gamelift", "ResumeGameServerGroup", action=Action.SCALE)
def resumed_group(call: Call) -> None:
    """A group that replaces instances again, of the types that it was made with."""
    answer = call.ask("gamelift", "DescribeGameServerGroup", GameServerGroupName=call.get("GameServerGroupName"))
    if isinstance(answer, Unknown):
        call.unresolved(f"the group was not resolved: {answer.reason}", "GameServerGroupName")
        return
    rows = get(get(answer, "GameServerGroup"), "InstanceDefinitions")
    for place, row in call.rows(rows, "GameServerGroupName"):
        call.instance(get(row, "InstanceType"), where=place)


@operation("gamelift", "CreateFleet", "CreateContainerFleet")
def game_fleet(call: Call) -> None:
    kind = call.get("EC2InstanceType", "InstanceType")
    for _, row in call.rows(call.get("Locations"), "Locations"):
        call.zone(get(row, "Location"))
    if kind is not None:
        call.instance(kind, where="EC2InstanceType")
    call.not_applicable("the fleet names no instance type; it runs on hardware of one's own, or on a small default")


@operation("gamelift", "UpdateFleetCapacity", action=Action.SCALE)
def game_capacity(call: Call) -> None:
    most = max((n for n in (call.get("DesiredInstances"), call.get("MaxSize")) if isinstance(n, int)), default=0)
    if most == 0 and not any(call.get(key) for key in ("DesiredInstances", "MaxSize")):
        call.not_applicable("the fleet does not grow")
        return
    answer = call.ask("gamelift", "DescribeFleetAttributes", FleetIds=[call.get("FleetId")])
    rows = () if isinstance(answer, Unknown) else get(answer, "FleetAttributes") or ()
    for row in rows:
        call.instance(get(row, "InstanceType"), most, where="FleetId")
    if not rows:
        name = f"instances of {str(call.get('FleetId'))[:100]}, at most {_LARGEST}"
        call.add(Item(kind=ItemKind.ACCELERATOR, instance_type=_LARGEST, instances=most, where="FleetId", name=name))


_CLASSES = {"gen4n": "t4", "gen5n": "a10g", "gen6n": "l4", "gen6e": "l40s"}
"""The GPU of a stream class's generation (GameLift Streams API Reference, CreateStreamGroup)."""


@operation("gameliftstreams", "CreateStreamGroup", "UpdateStreamGroup", "AddStreamGroupLocations")
def stream_group(call: Call) -> None:
    kind = call.get("StreamClass")
    rows = list(call.rows(call.get("LocationConfigurations"), "LocationConfigurations"))
    keys = ("AlwaysOnCapacity", "OnDemandCapacity", "MaximumCapacity", "TargetIdleCapacity")
    grows = any(get(row, key) not in (None, 0) for _, row in rows for key in keys)
    for _, row in rows:
        call.zone(get(row, "LocationName"))
    if kind is None and call.operation != "CreateStreamGroup":
        if not grows:
            call.not_applicable("no capacity is added")
            return
        call.action = Action.SCALE
        answer = call.ask("gameliftstreams", "GetStreamGroup", Identifier=call.get("Identifier"))
        kind = None if isinstance(answer, Unknown) else get(answer, "StreamClass")
    chip = _CLASSES.get(kind.strip().lower().partition("_")[0]) if isinstance(kind, str) else None
    call.accelerator(chip or Unknown(f"the GPU of stream class {str(kind)[:40]}"),
                     Unknown("a stream takes a part of a GPU"), where="StreamClass")  # fmt: skip
