"""Application Auto Scaling: bounds of something that is set up elsewhere; a look-up by the target's name tells what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exportguard.adapters.aws.call import Call, get, most, number
from exportguard.adapters.aws.operations import operation
from exportguard.vocabulary import Action, Maybe

_PLAIN = frozenset({"dynamodb", "lambda", "rds", "kafka", "elasticache", "neptune", "cassandra", "comprehend"})
"""Namespaces whose targets have no accelerators: tables, functions, replicas, brokers, Comprehend's endpoints."""


@operation("application-autoscaling", "RegisterScalableTarget", "PutScheduledAction", action=Action.SCALE)
def scalable_target(call: Call) -> None:
    """The largest capacity that the target may take counts, of whatever it runs on."""
    space, ident = call.get("ServiceNamespace"), call.get("ResourceId")
    scheduled = call.operation == "PutScheduledAction"
    action = call.struct(call.get("ScalableTargetAction"), "ScalableTargetAction")
    source: Any = action if scheduled else call.parameters
    bounds = [get(source, key) for key in ("MaxCapacity", "MinCapacity")]
    size = most(*(number(bound, "MaxCapacity") for bound in bounds if bound is not None))
    if isinstance(space, str) and space.strip().lower() in _PLAIN:
        call.not_applicable(f"{space[:60]} targets have no accelerators")
    elif all(bound is None or bound == 0 for bound in bounds):
        call.not_applicable("no capacity grows")
    elif isinstance(space, str) and isinstance(ident, str) and space in _TARGETS and ident.count("/") >= 1:
        _TARGETS[space](call, ident, size)
        call.not_applicable("the target runs on no accelerator")
    else:
        call.unresolved(f"what {str(ident)[:100]} runs on is set elsewhere", "ResourceId", instances=size)


def _sagemaker(call: Call, ident: str, size: Maybe[int]) -> None:
    """`endpoint/NAME/variant/VARIANT` or `inference-component/NAME`."""
    from exportguard.adapters.aws.operations.sagemaker_serving import of_endpoint

    kind, _, rest = ident.partition("/")
    if kind == "endpoint":
        name, _, variant = rest.rpartition("/variant/")
        of_endpoint(call, name or rest, "ResourceId", size, variant=variant if name else None)
    else:
        grown = {"InferenceComponentName": rest, "DesiredRuntimeConfig": {"CopyCount": size}}
        call.nested("sagemaker", "UpdateInferenceComponentRuntimeConfig", grown, "ResourceId")


def _spot_fleet(call: Call, ident: str, size: Maybe[int]) -> None:
    """`spot-fleet-request/ID`."""
    grown = {"SpotFleetRequestId": ident.rpartition("/")[2], "TargetCapacity": size}
    call.nested("ec2", "ModifySpotFleetRequest", grown, "ResourceId")


def _tasks(call: Call, ident: str, size: Maybe[int]) -> None:
    """`service/CLUSTER/SERVICE`."""
    path, _, service = ident.rpartition("/")
    grown = {"cluster": path.partition("/")[2] or None, "service": service, "desiredCount": size}
    call.nested("ecs", "UpdateService", grown, "ResourceId")


def _instance_group(call: Call, ident: str, size: Maybe[int]) -> None:
    """`instancegroup/CLUSTER/GROUP`."""
    path, _, group = ident.rpartition("/")
    grown = {"InstanceGroupId": group, "InstanceCount": size}
    cluster = path.rpartition("/")[2]
    call.nested("emr", "ModifyInstanceGroups", {"ClusterId": cluster, "InstanceGroups": [grown]}, "ResourceId")


def _streams(call: Call, ident: str, size: Maybe[int]) -> None:
    """`fleet/NAME`."""
    grown = {"Name": ident.rpartition("/")[2], "ComputeCapacity": {"DesiredInstances": size}}
    call.nested("appstream", "UpdateFleet", grown, "ResourceId")


def _desktops(call: Call, ident: str, size: Maybe[int]) -> None:
    """`workspacespool/ID`."""
    from exportguard.adapters.aws.operations.screens import pool

    pool(call, ident.rpartition("/")[2], "ResourceId")


_TARGETS: dict[str, Callable[[Call, str, Maybe[int]], None]] = {
    "sagemaker": _sagemaker,
    "ec2": _spot_fleet,
    "ecs": _tasks,
    "elasticmapreduce": _instance_group,
    "appstream": _streams,
    "workspaces": _desktops,
}
