"""Operations of other services that need more than the generic walk, each for a reason that is written here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.generic import walk
from exportguard.adapters.aws.operations.launch import launched
from exportguard.vocabulary import Action, Transfer, Unknown


@operation("lambda", "Invoke", action=Action.INVOKE)
def invoke_function(call: Call) -> None:
    """A payload that is not read: what a function calls is judged where it calls, under its own role."""
    call.not_applicable("what a function calls is judged where it runs")


@operation("rds-data", "ExecuteStatement", action=Action.INVOKE)
@operation("redshift-data", "ExecuteStatement", action=Action.INVOKE)
def sql(call: Call) -> None:
    """Databases that call models from SQL (Aurora and Redshift machine learning)."""
    text = call.get("sql", "Sql")
    if isinstance(text, str) and not re.search(r"aws_(bedrock|sagemaker)|external\s+model|create\s+model", text, re.I):
        call.not_applicable("the statement calls no model")
    else:
        call.model(Unknown("a model that is called from SQL"), where="sql")


@operation("snowball", "CreateJob", "CreateCluster", action=Action.PURCHASE)
def snowball(call: Call) -> None:
    """A device that is shipped. Only the GPU one (`EDGE_CG`) has an accelerator."""
    call.transfer = Transfer.EXPORT
    kind = call.get("SnowballType")
    if kind == "EDGE_CG":
        call.accelerator(Unknown("the GPU of a Snowball Edge Compute Optimized device"), 1, where="SnowballType")
    elif kind is not None and not isinstance(kind, str):
        call.unknown("SnowballType is not readable", "SnowballType")
    else:
        call.not_applicable("the device has no accelerator")


@operation("outposts", "CreateOrder", action=Action.PURCHASE)
def outposts_order(call: Call) -> None:
    """Racks and servers that go to a site; a catalog item hides what is in them."""
    call.outpost(True)
    for place, row in call.rows(call.get("LineItems"), "LineItems"):
        count = number(get(row, "Quantity"), f"{place}.Quantity")
        call.unresolved(
            f"catalog item {str(get(row, 'CatalogItemId'))[:60]}", f"{place}.CatalogItemId", instances=count
        )
    if not call.items:
        call.unresolved("the order names no item", "LineItems")


@operation("outposts", "StartCapacityTask", action=Action.RESIZE)
def outposts_capacity(call: Call) -> None:
    call.outpost(True)
    for place, row in call.rows(call.get("InstancePools"), "InstancePools"):
        call.instance(
            get(row, "InstanceType"), number(get(row, "Count"), f"{place}.Count"), where=f"{place}.InstanceType"
        )


@operation("savingsplans", "CreateSavingsPlan", action=Action.PURCHASE)
def savings_plan(call: Call) -> None:
    call.not_applicable("a price commitment; nothing is provisioned")


@operation("ram", "CreateResourceShare", "AssociateResourceShare", action=Action.SUBSCRIBE)
def share(call: Call) -> None:
    """Sharing a reservation or a model gives it to another account; sharing a subnet does not."""
    for place, arn in call.entries(call.get("resourceArns"), "resourceArns"):
        if not isinstance(arn, str):
            call.unknown(f"{place} is not readable", place)
        elif re.search(r":(capacity-reservation|dedicated-host)/", arn):
            call.unresolved(f"what {arn[:150]} reserves is not known", place)
        elif re.search(r":(sagemaker|bedrock):", arn):
            call.model(Unknown(f"what {arn[:150]} holds is not known"), where=place)
    call.not_applicable("neither capacity nor a model is shared")


@operation("application-autoscaling", "RegisterScalableTarget", "PutScheduledAction", action=Action.SCALE)
def scalable_target(call: Call) -> None:
    """Targets that scale instances or endpoints. Tables, replicas and functions have no accelerators."""
    space, ident = call.get("ServiceNamespace"), call.get("ResourceId")
    source: Any = call.get("ScalableTargetAction") if call.operation == "PutScheduledAction" else call.parameters
    largest = get(source, "MaxCapacity") if get(source, "MaxCapacity") is not None else get(source, "MinCapacity")
    if isinstance(space, str) and space not in ("ec2", "sagemaker", "ecs", "elasticmapreduce", "appstream",
                                                "custom-resource", "workspaces"):  # fmt: skip
        call.not_applicable(f"{space[:60]} targets have no accelerators")
    elif largest is None or largest == 0:
        call.not_applicable("no capacity grows")
    else:
        call.unresolved(f"what {str(ident)[:100]} runs on is set elsewhere", "ResourceId",
                        instances=number(largest, "MaxCapacity"))  # fmt: skip


@operation("lightsail", "CreateInstances", "CreateInstancesFromSnapshot")
def lightsail(call: Call) -> None:
    """Bundles hide the type. Those of Lightsail for Research with a GPU say so in their ids."""
    bundle = call.get("bundleId")
    if isinstance(bundle, str) and "gpu" not in bundle.lower():
        call.not_applicable("the bundle has no GPU")
    else:
        call.accelerator(Unknown(f"the GPU of bundle {str(bundle)[:60]}"), where="bundleId")


@operation("workspaces", "CreateWorkspaces", "StartWorkspaces", "CreateWorkspacesPool")
def workspaces(call: Call) -> None:
    """A compute type says whether it has a GPU. Without one the bundle decides, which hides it."""
    rows = list(call.rows(call.get("Workspaces"), "Workspaces"))
    for place, row in rows:
        kind = get(get(row, "WorkspaceProperties"), "ComputeTypeName")
        if kind is None:
            call.accelerator(
                Unknown(f"bundle {str(get(row, 'BundleId'))[:60]} was not read"), where=f"{place}.BundleId"
            )
    if rows:
        from exportguard.adapters.aws.operations.generic import everything

        everything(call)
        call.not_applicable("no compute type has a GPU")
    else:
        walk(call)


@operation("pcs", "CreateComputeNodeGroup", "UpdateComputeNodeGroup")
def parallel_cluster(call: Call) -> None:
    most = get(call.get("scalingConfiguration"), "maxInstanceCount")
    for place, row in call.rows(call.get("instanceConfigs"), "instanceConfigs"):
        call.instance(get(row, "instanceType"), number(most, "maxInstanceCount"), where=f"{place}.instanceType")
    template = call.get("customLaunchTemplate")
    if not call.items and template is not None:
        launched(call, {"LaunchTemplate": template}, number(most, "maxInstanceCount"), "customLaunchTemplate")
    call.not_applicable("no instance type is named")


@operation("gamelift", "CreateContainerFleet", "UpdateGameServerGroup")
@operation("evs", "CreateEnvironment", "CreateEnvironmentHost")
def instance_types_by_key(call: Call) -> None:
    from exportguard.adapters.aws.operations.instances_within import named_within

    if isinstance(call.parameters, Mapping):
        for key, value in call.parameters.items():
            named_within(call, {key: value}, "", call.service)
