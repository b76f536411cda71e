"""EKS: node groups, at the largest size they may scale to; clusters that make nodes by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, most, number, plain
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import launched
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

DEFAULT_INSTANCE_TYPE = "t3.medium"
"""What a managed node group takes when neither it nor a template names a type (EKS API Reference, CreateNodegroup)."""


_SAID = ("clusterName", "nodegroupName", "scalingConfig", "diskSize", "subnets", "instanceTypes", "amiType", "nodeRole",
         "remoteAccess", "labels", "taints", "tags", "clientRequestToken", "launchTemplate", "updateConfig", "version",
         "nodeRepairConfig", "capacityType", "releaseVersion", "warmPoolConfig", "forceUpdateEnabled")  # fmt: skip
_KNOWN = frozenset(_SAID) | {name[:1].upper() + name[1:] for name in _SAID}
"""What a node group is made with, as the API and as CloudFormation spell it."""


def _strange(parameters: Mapping[str, Any]) -> bool:
    """Whether something is said besides; instance types in another spelling are read all the same."""
    return not _KNOWN.issuperset(parameters) and any(
        key not in _KNOWN and not plain(str(key)).startswith("instancetype") for key in parameters
    )


def scaling(call: Call) -> Maybe[int] | None:
    """The largest size of a node group's scaling configuration and warm pool; None where none is set."""
    counts: list[Maybe[int]] = []
    for key, names in (
        ("scalingConfig", ("maxSize", "desiredSize", "minSize")),
        ("warmPoolConfig", ("minSize", "maxGroupPreparedCapacity")),
    ):
        config = call.struct(call.get(key), key)
        counts += [number(get(config, n), f"{key}.{n}") for n in names if get(config, n) is not None]
    return most(*counts) if counts else None


@operation("eks", "CreateNodegroup")
def create_nodegroup(call: Call) -> None:
    found = scaling(call)
    size: Maybe[int] = NOT_GIVEN if found is None else found
    types = list(call.entries(call.get("instanceTypes"), "instanceTypes"))
    for place, value in types:
        call.instance(value, size, where=place)
    if types or call.items:
        return
    template = call.get("launchTemplate")
    ami = call.get("amiType")
    if template is not None:
        launched(call, {"LaunchTemplate": template}, size, "")
    elif isinstance(ami, str) and any(word in ami.upper() for word in ("GPU", "NVIDIA", "NEURON")):
        call.unresolved(f"an accelerated image ({ami[:60]}) and no instance type", "amiType", instances=size)
    elif (ami is not None and not isinstance(ami, str)) or _strange(call.parameters):
        call.unresolved(
            "what is said is no node group's, and may name its instance types", "instanceTypes", instances=size
        )
    else:
        call.instance(DEFAULT_INSTANCE_TYPE, size, where="instanceTypes")


def existing(call: Call, size: Maybe[int]) -> None:
    answer = call.ask(
        "eks", "DescribeNodegroup", clusterName=call.get("clusterName"), nodegroupName=call.get("nodegroupName")
    )
    if isinstance(answer, Unknown):
        call.unresolved(f"node group not resolved: {answer.reason}", "nodegroupName", instances=size)
        return
    nodegroup = get(answer, "nodegroup")
    call.seen.append({"subnets": get(nodegroup, "subnets")})
    types = get(nodegroup, "instanceTypes") or ()
    for value in types:
        call.instance(value, size, where="nodegroup.instanceTypes")
    if not types:
        launched(call, {"LaunchTemplate": get(nodegroup, "launchTemplate")}, size, "nodegroup")


@operation("eks", "UpdateNodegroupConfig", action=Action.SCALE)
def update_nodegroup(call: Call) -> None:
    size = scaling(call)
    if size is None or size == 0:
        if not call.items:
            call.not_applicable("the node group's size does not grow")
        return
    existing(call, size)


@operation("eks", "UpdateNodegroupVersion", action=Action.RESIZE)
def update_nodegroup_version(call: Call) -> None:
    template = call.get("launchTemplate")
    if template is None:
        call.not_applicable("another version of Kubernetes on the same instance types")
        return
    launched(call, {"LaunchTemplate": template}, NOT_GIVEN, "")


@operation("eks", "CreateCluster", "UpdateClusterConfig")
def clusters(call: Call) -> None:
    """A cluster by itself has no nodes. In auto mode it makes them as pods ask, of any type."""
    outpost = call.struct(call.get("outpostConfig"), "outpostConfig")
    for key in ("controlPlaneInstanceType", "etcdInstanceType"):
        if get(outpost, key) is not None:
            call.instance(get(outpost, key), where=f"outpostConfig.{key}")
    call.outpost(get(outpost, "outpostArns"))
    compute = call.struct(call.get("computeConfig"), "computeConfig")
    if get(compute, "enabled") and get(compute, "nodePools") != []:
        call.not_applicable("the built-in node pools of auto mode hold general-purpose instances")
