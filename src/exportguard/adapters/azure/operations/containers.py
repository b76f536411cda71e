"""Kubernetes, container groups and container apps.

Paths: azure-mgmt-containerservice 41.8, azure-mgmt-containerinstance 10.1, azure-mgmt-appcontainers 5.1.
"""

from __future__ import annotations

import re
from typing import Final

from exportguard.adapters.azure.operations.embedded import container_scripts
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
    truthy,
    unknown,
    whole,
)
from exportguard.adapters.azure.tree import walk
from exportguard.vocabulary.fact import Maybe, Unknown
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
    """Node auto-provisioning (always on in an Automatic cluster) picks sizes; the AI toolchain operator picks GPUs."""
    modes = any_text(call.body, "properties.nodeProvisioningProfile.mode")
    plans = [plan for plan in any_text(call.body, "sku.name") if isinstance(plan, str) and plan.lower() == "automatic"]
    if plans or any(not isinstance(mode, str) or mode.lower() == "auto" for mode in modes):
        return [machine(Unknown("the cluster picks sizes by itself"))]
    if any(truthy(flag) for _, flag in walk(call.body, "properties.aiToolchainOperatorProfile.enabled")):
        return [machine(Unknown("the AI toolchain operator adds nodes with accelerators by itself"))]
    return None


_cluster = both(_pools("properties.agentPoolProfiles[]", True), _self_provisioning)
"""A cluster as it is created or as it is now."""
_pool = _pools("properties", True)


def _pool_put(call: Call) -> Items:
    return _pool(call) or [machine(Unknown("the pool names no size"))]


def _gpus(call: Call) -> Items:
    """Container groups ask for GPUs by number and kind, in what they request and in how far they may go."""
    found: list[Item] = []
    for at, resources in (
        *walk(call.body, "properties.containers[].properties.resources"),
        *walk(call.body, "properties.initContainers[].properties.resources"),
    ):
        asked: dict[Maybe[str], Maybe[int]] = {}
        for path in ("requests.gpu", "limits.gpu"):
            for where, gpu in walk(resources, path):
                kinds = [text(v, where) for _, v in walk(gpu, "sku")] or [Unknown("the GPU's kind is not given")]
                counts = [whole(v, where) for _, v in walk(gpu, "count")] or [Unknown("no number is given")]
                for kind in kinds:
                    before, count = asked.get(kind, 0), counts[0]
                    known = isinstance(before, int) and isinstance(count, int)
                    asked[kind] = max(before, count) if known else count  # type: ignore[type-var]
        found += [chip(kind, count, at) for kind, count in asked.items() if count != 0]
    return found or None


_PROFILES: Final = (
    "properties.containerGroupProfiles[].resource.id",
    "properties.containerGroupProfile.id",
    "properties.containerGroupProperties.containerGroupProfile.id",
)


def _group(call: Call) -> Items:
    """Container groups made from profiles, which are only named: one, many of them, or some kept ready."""
    found: list[Item] = []
    for ident in (ident for path in _PROFILES for ident in any_text(call.body, path)):
        current = call.known(ident) if isinstance(ident, str) else ident
        if isinstance(current, Unknown):
            found.append(unknown(f"the container group profile is only named: {current.reason}", kind=ACCELERATOR))
        else:
            found += _gpus(Call(call.method, call.address, current)) or ()
    return found or None


_container_group = both(_gpus, _group, container_scripts)

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


def _profile_of(call: Call, name: Maybe[str]) -> list[Item]:
    """What the profile *name* of the app's environment is, where somebody can look it up."""
    why = f"workload profile `{name}` hides its type" if isinstance(name, str) else name.reason
    for key in ("properties.managedEnvironmentId", "properties.environmentId"):
        for ident in any_text(call.body, key):
            current = call.known(ident) if isinstance(ident, str) else ident
            if isinstance(current, Unknown):
                why = f"{why}: {current.reason}"
                continue
            profiles = [p for _, p in walk(current, "properties.workloadProfiles[]")]
            mine = [p for p in profiles if isinstance(name, str) and name.lower() in _lowered(any_text(p, "name"))]
            if mine:
                return list(_profiles(Call("PUT", call.address, {"properties": {"workloadprofiles": mine}})) or ())
    return [machine(Unknown(why[:2000]))]


def _lowered(names: list[Maybe[str]]) -> list[str]:
    return [name.lower() for name in names if isinstance(name, str)]


def _app(call: Call) -> Items:
    """An app names a profile of its environment; only `Consumption` is what it says."""
    found: list[Item] = []
    for name in any_text(call.body, "properties.workloadProfileName"):
        if not (isinstance(name, str) and name.lower() == "consumption"):
            found += _profile_of(call, name)
    for template in ("template.containers[]", "template.initContainers[]", "customContainerTemplate.containers[]"):
        found += [
            chip(Unknown("the GPU's kind is not given"), whole(v, at), at)
            for key in ("gpu", "gpus")
            for at, v in walk(call.body, f"properties.{template}.resources.{key}")
            if v
        ]
    return found or None


def _parents_app(call: Call) -> Items:
    """A revision that is run again: what it runs on is the app's."""
    current = call.known(call.address.parents[0][1])
    if isinstance(current, Unknown):
        return [unknown(f"what the app runs on is not in the call: {current.reason}", kind=ACCELERATOR)]
    return _app(Call(call.method, call.address, current, call.resolver)) or []


def _snapshot(call: Call) -> Items:
    """A cluster made from a snapshot has the pools of the snapshot, where it does not list its own."""
    if any(True for _ in walk(call.body, "properties.agentPoolProfiles")):
        return None
    named = any(True for _ in walk(call.body, "properties.creationData.sourceResourceId"))
    return [machine(Unknown("the pools are those of a snapshot that is only named"))] if named else None


_p = "microsoft.containerservice/managedclusters"
TABLE: Table = {
    _p: {
        "put": row("ManagedClusters_CreateOrUpdate", Action.PROVISION, both(_cluster, _snapshot)),
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
        "put": row("ContainerGroups_CreateOrUpdate", Action.PROVISION, _container_group),
        **{
            f"post:{verb}": row(
                "ContainerGroups_Start", Action.START, as_it_is(first_of(_container_group, lambda call: []))
            )
            for verb in ("start", "restart")
        },
    },
    "microsoft.containerinstance/containergroupprofiles": {
        "put": row("ContainerGroupProfiles_CreateOrUpdate", Action.PROVISION, _gpus),
    },
    "microsoft.containerinstance/ngroups": {
        verb: row("NGroups_CreateOrUpdate", Action.SCALE, _group) for verb in ("put", "patch")
    },
    "microsoft.standbypool/standbycontainergrouppools": {
        verb: row("StandbyContainerGroupPools_CreateOrUpdate", Action.SCALE, _group) for verb in ("put", "patch")
    },
    "microsoft.app/containerapps/revisions": {
        "post:activate": row("ContainerAppsRevisions_ActivateRevision", Action.START, _parents_app),
    },
    "microsoft.app/managedenvironments": {
        verb: row("ManagedEnvironments_CreateOrUpdate", Action.PROVISION, _profiles) for verb in ("put", "patch")
    },
    **{
        kind: {
            **dict.fromkeys(
                ("put", "patch"), row(f"{name}_CreateOrUpdate", Action.PROVISION, both(_app, container_scripts))
            ),
            **{
                f"post:{verb}": row(f"{name}_{verb}", Action.START, as_it_is(first_of(_app, lambda call: [])))
                for verb in ("start", "resume")
            },
        }
        for kind, name in (
            ("microsoft.app/containerapps", "ContainerApps"), ("microsoft.app/jobs", "Jobs"),
            ("microsoft.app/sessionpools", "ContainerAppsSessionPools"),
        )
    },
    **{
        kind: {verb: row("WebApps_CreateOrUpdate", Action.PROVISION, _app) for verb in ("put", "patch")}
        for kind in ("microsoft.web/sites", "microsoft.web/sites/slots")  # functions may run on container apps
    },
}  # fmt: skip
