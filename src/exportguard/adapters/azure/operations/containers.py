"""Kubernetes, container groups and container apps.

Paths: azure-mgmt-containerservice 41.8, azure-mgmt-containerinstance 10.1, azure-mgmt-appcontainers 5.1.
"""

from __future__ import annotations

import re
from typing import Final

from exportguard.adapters.azure.operations.reading import (
    ACCELERATOR,
    Call,
    Items,
    Reader,
    Table,
    any_text,
    as_it_is,
    both,
    chip,
    first_of,
    machine,
    most,
    nodes,
    row,
    text,
    unknown,
    whole,
)
from exportguard.adapters.azure.tree import walk
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.request import Action, Transfer

_count = most("count", "maxCount")


def _pools(each: str, required: bool) -> Reader:
    """Agent pools: one size, or several under `virtualMachinesProfile.scale`."""

    def read(call: Call) -> Items:
        found: list[Item] = []
        for at, pool in nodes(call.body, each):
            if isinstance(pool, Unknown):
                found.append(unknown(pool.reason, kind=ACCELERATOR))
                continue
            named = [
                machine(text(value, where), _count(pool), f"{at}.{where}") for where, value in walk(pool, "vmSize")
            ]
            for way in ("manual[]", "autoscale[]", "autoscale"):
                for where, scale in walk(pool, f"virtualMachinesProfile.scale.{way}"):
                    for path in ("size", "sizes[]"):
                        named += [
                            machine(text(value, where), _count(scale), f"{at}.{where}")
                            for _, value in walk(scale, path)
                        ]
            touched = any(True for key in ("count", "maxCount", "creationData") for _ in walk(pool, key))
            if not named and (required or touched):
                named = [machine(Unknown("the pool names no size"), _count(pool), at)]
            found += named
        return found or None

    return read


def _self_provisioning(call: Call) -> Items:
    modes = any_text(call.body, "properties.nodeProvisioningProfile.mode")
    if any(not isinstance(mode, str) or mode.lower() == "auto" for mode in modes):
        return [machine(Unknown("the cluster picks sizes by itself"))]
    return None


_cluster = both(_pools("properties.agentPoolProfiles[]", True), _self_provisioning)
_pool = _pools("properties", True)


def _pool_put(call: Call) -> Items:
    return _pool(call) or [machine(Unknown("the pool names no size"))]


def _gpus(call: Call) -> Items:
    """Container groups ask for GPUs by number and kind."""
    found: list[Item] = []
    for path in (
        "properties.containers[].properties.resources.requests.gpu",
        "properties.containers[].properties.resources.limits.gpu",
        "properties.initContainers[].properties.resources.requests.gpu",
    ):
        for where, gpu in walk(call.body, path):
            kinds = [text(value, where) for _, value in walk(gpu, "sku")] or [Unknown("the GPU's kind is not given")]
            counts = [whole(value, where) for _, value in walk(gpu, "count")] or [Unknown("no number is given")]
            if path.split(".")[-2] == "limits" and found:
                continue
            found += [chip(kind, counts[0], where) for kind in kinds]
    return found or None


_CPU_PROFILE: Final = re.compile(r"^(consumption|flex|[de]\d{1,3})$", re.IGNORECASE)
"""Workload profile types that have no GPU: `Consumption`, `Flex` and the D and E series (Container Apps workload
profiles)."""
_CHIP_IN_PROFILE: Final = re.compile(r"-([A-Z]{1,2}\d{1,3})$", re.IGNORECASE)


def _profiles(call: Call) -> Items:
    found: list[Item] = []
    for at, profile in walk(call.body, "properties.workloadProfiles[]"):
        count = most("maximumCount", "minimumCount")(profile)
        kinds = [text(value, at) for _, value in walk(profile, "workloadProfileType")]
        for kind in kinds or [Unknown("a workload profile has no type")]:
            if isinstance(kind, str) and _CPU_PROFILE.match(kind):
                continue
            spelled = _CHIP_IN_PROFILE.search(kind) if isinstance(kind, str) else None
            found.append(
                Item(
                    kind=ACCELERATOR,
                    instance_type=kind,
                    instances=count,
                    accelerator=spelled[1] if spelled else None,
                    where=at,
                )
            )
    return found or None


def _app(call: Call) -> Items:
    """An app names a profile of its environment; only `Consumption` is what it says."""
    found = [
        machine(Unknown(f"workload profile `{name}` hides its type" if isinstance(name, str) else name.reason))
        for name in any_text(call.body, "properties.workloadProfileName")
        if not (isinstance(name, str) and name.lower() == "consumption")
    ]
    for path in ("properties.template.containers[].resources.gpu", "properties.template.containers[].resources.gpus"):
        found += [
            chip(Unknown("the GPU's kind is not given"), whole(v, at), at) for at, v in walk(call.body, path) if v
        ]
    return found or None


_p = "microsoft.containerservice/managedclusters"
TABLE: Table = {
    _p: {
        "put": row("ManagedClusters_CreateOrUpdate", Action.PROVISION, _cluster),
        "post:start": row("ManagedClusters_Start", Action.START, as_it_is(_cluster)),
    },
    _p + "/agentpools": {
        "put": row("AgentPools_CreateOrUpdate", Action.PROVISION, _pool_put),
        "patch": row("AgentPools_Update", Action.SCALE, _pools("properties", False)),
    },
    _p + "/machines": {"put": row("Machines_CreateOrUpdate", Action.PROVISION, _pools("properties.hardware", True))},
    _p + "/agentpools/machines": {
        "put": row("Machines_CreateOrUpdate", Action.PROVISION, _pools("properties.hardware", True))
    },
    "microsoft.containerservice/snapshots": {
        "put": row("Snapshots_CreateOrUpdate", Action.RESERVE, lambda call: None),
    },
    "microsoft.hybridcontainerservice/provisionedclusterinstances": {
        "put": row(
            "ProvisionedClusterInstances_CreateOrUpdate", Action.PROVISION,
            _pools("properties.agentPoolProfiles[]", True), transfer=Transfer.EXPORT,
        ),
    },
    "microsoft.hybridcontainerservice/provisionedclusterinstances/agentpools": {
        "put": row("AgentPool_CreateOrUpdate", Action.PROVISION, _pool_put, transfer=Transfer.EXPORT),
    },
    "microsoft.containerinstance/containergroups": {
        "put": row("ContainerGroups_CreateOrUpdate", Action.PROVISION, _gpus),
        "post:start": row("ContainerGroups_Start", Action.START, as_it_is(first_of(_gpus, lambda call: []))),
        "post:restart": row("ContainerGroups_Restart", Action.START, as_it_is(first_of(_gpus, lambda call: []))),
    },
    "microsoft.containerinstance/containergroupprofiles": {
        "put": row("ContainerGroupProfiles_CreateOrUpdate", Action.PROVISION, _gpus),
    },
    "microsoft.app/managedenvironments": {
        verb: row("ManagedEnvironments_CreateOrUpdate", Action.PROVISION, _profiles) for verb in ("put", "patch")
    },
    **{
        kind: {
            **{verb: row(f"{name}_CreateOrUpdate", Action.PROVISION, _app) for verb in ("put", "patch")},
            **{
                f"post:{verb}": row(f"{name}_{verb}", Action.START, as_it_is(first_of(_app, lambda call: [])))
                for verb in ("start", "resume")
            },
        }
        for kind, name in (("microsoft.app/containerapps", "ContainerApps"), ("microsoft.app/jobs", "Jobs"))
    },
}  # fmt: skip
