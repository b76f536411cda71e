"""Microsoft.MachineLearningServices: computes, endpoints, jobs, schedules, registries.

Paths: azure-ai-ml 1.35 (2025-12-01), azure-mgmt-machinelearningservices 1.0.
"""

from __future__ import annotations

import re
from typing import Final

from exportguard.adapters.azure.operations.embedded import commands
from exportguard.adapters.azure.operations.reading import (
    ACCELERATOR,
    MODEL,
    Call,
    Items,
    Table,
    always,
    any_text,
    as_it_is,
    asked,
    both,
    first_of,
    largest,
    machine,
    model,
    most,
    row,
    sizes,
    text,
    unknown,
)
from exportguard.adapters.azure.places import locations_of
from exportguard.adapters.azure.tree import Tree, search, walk
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.request import Action, Location

_INNER: Final = "properties.properties."
_COUNTS: Final = (
    _INNER + "scaleSettings.maxNodeCount", _INNER + "targetNodeCount", _INNER + "agentCount",
    _INNER + "autoScaleProperties.maxNodeCount", _INNER + "nodeCount", "properties.scaleSettings.maxNodeCount",
)  # fmt: skip
_count = most(*_COUNTS)
_SIZE_PATHS: Final = tuple(
    _INNER + name
    for name in ("vmSize", "agentVmSize", "virtualMachineSize", "nodeSize", "instanceTypes{*}.nodeSelector{*}")
)
_NO_MACHINES: Final = frozenset({"datafactory", "datalakeanalytics"})


def _compute(call: Call) -> Items:
    kinds = [kind.lower() for kind in any_text(call.body, "properties.computeType") if isinstance(kind, str)]
    count: Maybe[int] = 1 if kinds == ["computeinstance"] else _count(call.body)
    found = [machine(text(v, at), count, at) for path in _SIZE_PATHS for at, v in walk(call.body, path)]
    found += [
        Item(kind=ACCELERATOR, accelerator=Unknown("the GPU's kind is not given"), where=at)
        for at, _ in search(call.body, frozenset({"nvidia.com/gpu", "amd.com/gpu", "gpus"}))
    ]
    if found or (kinds and set(kinds) <= _NO_MACHINES):
        return found or None
    return [unknown("the compute names no size", kind=ACCELERATOR)]


_compute_patch = first_of(
    lambda call: (
        [machine(text(v, at), _count(call.body), at) for p in _SIZE_PATHS for at, v in walk(call.body, p)] or None
    ),
    as_it_is(_compute, asked(*_COUNTS), when=(_INNER + "scaleSettings", "properties.scaleSettings")),
)


def _compute_schedules(call: Call) -> Items:
    """Times at which an instance is started, or stopped, by itself."""
    actions = any_text(call.body, "computeStartStop[].action")
    if actions and all(isinstance(action, str) and action.lower() == "stop" for action in actions):
        return None
    return as_it_is(_compute)(call) if actions else None


def asset_model(value: Tree, where: str) -> Item:
    """A model by its asset id: a registry's id names it, anything else is a file of somebody's own."""
    if isinstance(value, dict):
        inner = value.get("assetid") or value.get("path") or value.get("id") or value.get("uri")
        value = inner if inner is not None else Unknown("the model names nothing")
    name = text(value, where)
    if isinstance(name, Unknown):
        return model(name, where)
    parts = name.replace("azureml://", "").split("/")
    low = [part.lower() for part in parts]
    if "registries" in low and "models" in low[:-1]:
        return model(text(parts[low.index("models") + 1], where), where, name[:500])
    return model(Unknown(f"`{name[:500]}` does not say which model it is"), where)


_OWN_FILE: Final = re.compile(
    r"(?:azureml:)?(?://[^?#]*)?/?(?:[^?#]*/)?workspaces/[^/?#]+/models/[^/?#]+(?:/(?:versions|labels)/[^/?#]+)?",
    re.IGNORECASE,
)


def _served(call: Call) -> list[Item]:
    """The model that a deployment serves. One that is registered in the workspace is a file of somebody's own: where
    it came from a registry, its registration named it."""
    found = []
    for at, value in walk(call.body, "properties.model"):
        inner = value.get("assetid") if isinstance(value, dict) else value
        if not (isinstance(inner, str) and _OWN_FILE.fullmatch(inner) and "registries/" not in inner.lower()):
            found.append(asset_model(value, at))
    return found


def _online(call: Call) -> Items:
    count = most("sku.capacity", "properties.scaleSettings.maxInstances")(call.body)
    found = [machine(text(v, at), count, at) for at, v in walk(call.body, "properties.instanceType")]
    found += [
        Item(kind=ACCELERATOR, accelerator=Unknown("the GPU's kind is not given"), where=at)
        for at, v in search(call.body, frozenset({"gpu"}))
        if v not in (0, "0", "")
    ]
    found = found or [machine(Unknown("the deployment names no instance type"), count)]
    return found + _served(call)


_online_patch = first_of(
    lambda call: _online(call) if any(True for _ in walk(call.body, "properties.instanceType")) else None,
    as_it_is(_online, lambda body: largest(body, "sku.capacity") or 0, when=("sku.capacity",)),
)


def _batch(call: Call) -> Items:
    count = most("properties.resources.instanceCount")(call.body)
    found = [machine(text(v, at), count, at) for at, v in walk(call.body, "properties.resources.instanceType")]
    if not found:
        found = [item for at, v in walk(call.body, "properties.compute") for item in _named_compute(call, v, at)]
    found = found or [unknown("the deployment names no compute", kind=ACCELERATOR)]
    return found + _served(call)


def _named_compute(call: Call, value: Tree, where: str) -> list[Item]:
    """What the compute that is named consists of, where somebody can look it up by its id."""
    name = text(value, where)
    why = name.reason if isinstance(name, Unknown) else f"compute `{name[:300]}` is only named"
    if isinstance(name, str) and name.lower().startswith("/subscriptions/"):
        current = call.known(name)
        if not isinstance(current, Unknown):
            return list(_compute(Call(call.method, call.address, current)) or ())
        why = f"{why}: {current.reason}"
    return [machine(Unknown(why[:2000]), where=where)]


_TYPES: Final = frozenset({"instancetype", "instance_type", "instancetypes", "instance_types"})
_COMMAND: Final = frozenset({"command"})
_COMPUTES: Final = frozenset({"computeid", "compute", "default_compute", "defaultcompute", "compute_id"})


def _job(call: Call) -> Items:
    """A job and all that is in it: pipelines nest their steps as free JSON, sweeps and schedules their trials."""
    found: list[Item] = []
    counts = [whole for at, whole in search(call.body, frozenset({"instancecount", "instance_count"}))]
    known = [c for c in counts if isinstance(c, int) and not isinstance(c, bool) and c >= 0]
    count: Maybe[int] = max(known) if known and len(known) == len(counts) else Unknown("no number is given")
    for at, value in search(call.body, _TYPES):
        found += [machine(text(each, at), count, at) for each in (value if isinstance(value, list) else [value])]
    for at, value in search(call.body, _COMPUTES):
        if isinstance(value, (str, Unknown)) and str(value).lower() != "serverless":
            found += _named_compute(call, value, at)
    if not found:
        found.append(unknown("the job names neither a compute nor an instance type", kind=ACCELERATOR))
    for at, details in search(call.body, frozenset({"finetuningdetails"})):
        found += [asset_model(v, f"{at}.{w}") for w, v in walk(details, "model")] or [
            model(Unknown("the model that is tuned is not named"), at)
        ]
    return found + commands(call.body, _COMMAND)


def _labels(call: Call) -> Items:
    """People label; a compute trains where they are assisted."""
    found = [item for at, value in search(call.body, _COMPUTES) for item in _named_compute(call, value, at)]
    return found or None


def _schedule(call: Call) -> Items:
    kinds = any_text(call.body, "properties.action.actionType")
    if kinds and all(isinstance(k, str) and k.lower() == "invokebatchendpoint" for k in kinds):
        return [unknown("the endpoint that is invoked is only named", kind=ACCELERATOR)]
    return _job(call)


def _registry_places(call: Call) -> tuple[Location, ...]:
    return locations_of(call, "properties.regionDetails[].location")


def _serverless(call: Call) -> Items:
    found = [asset_model(v, at) for at, v in walk(call.body, "properties.modelSettings.modelId")]
    return found or [unknown("the endpoint names no model", kind=MODEL)]


def _hosted(call: Call) -> Items:
    """A deployment of a hosted model, reached through a workspace."""
    found = [model(text(v, at), at) for at, v in walk(call.body, "properties.model.name")]
    found += [asset_model(v, at) for at, v in walk(call.body, "properties.modelId")]
    found += [machine(text(v, at), where=at) for at, v in walk(call.body, "properties.instanceType")]
    return found or [unknown("the deployment names no model", kind=MODEL)]


def _subscribed(call: Call) -> Items:
    found = [asset_model(v, at) for at, v in walk(call.body, "properties.modelId")]
    return found or [unknown("the subscription names no model", kind=MODEL)]


def _registered(call: Call) -> Items:
    """Registering a model of a registry; a file of one's own is no model that is provisioned."""
    found = [asset_model(v, at) for at, v in walk(call.body, "properties.modelUri")]
    return [item for item in found if isinstance(item.model, str)] or None


_component = both(
    lambda call: (
        [machine(text(v, at), where=at) for at, v in search(call.body, _TYPES) if isinstance(v, (str, Unknown))] or None
    )
)
"""A component is a definition; it carries a size only where it says what it runs on."""
_features = both(
    lambda call: [machine(text(v, at), where=at) for at, v in search(call.body, frozenset({"instancetype"}))] or None
)

_w = "microsoft.machinelearningservices/workspaces/"
TABLE: Table = {
    _w + "computes": {
        "put": row("Compute_CreateOrUpdate", Action.PROVISION, _compute),
        "patch": row("Compute_Update", Action.SCALE, _compute_patch),
        "post:start": row("Compute_Start", Action.START, as_it_is(_compute)),
        "post:restart": row("Compute_Restart", Action.START, as_it_is(_compute)),
        "post:updateschedules": row("Compute_UpdateSchedules", Action.START, _compute_schedules),
        "post:resize": row(
            "Compute_Resize", Action.RESIZE,
            lambda call: [machine(text(v, at), 1, at) for at, v in walk(call.body, "targetVMSize")]
            or [machine(Unknown("the new size is not given"), 1)],
        ),
    },
    _w + "onlineendpoints/deployments": {
        "put": row("OnlineDeployments_CreateOrUpdate", Action.PROVISION, _online),
        "patch": row("OnlineDeployments_Update", Action.SCALE, _online_patch),
    },
    _w + "batchendpoints/deployments": {
        "put": row("BatchDeployments_CreateOrUpdate", Action.PROVISION, _batch),
        "patch": row("BatchDeployments_Update", Action.SCALE, lambda call: None),
    },
    _w + "jobs": {"put": row("Jobs_CreateOrUpdate", Action.PROVISION, _job)},
    _w + "labelingjobs": {"put": row("LabelingJobs_CreateOrUpdate", Action.PROVISION, _labels)},
    _w + "schedules": {
        "put": row("Schedules_CreateOrUpdate", Action.PROVISION, _schedule),
        "post:trigger": row("Schedules_Trigger", Action.START, as_it_is(_schedule)),
    },
    **{
        _w + f"{kind}/deployments": {
            "put": row("EndpointDeployments_CreateOrUpdate", Action.PROVISION, _hosted),
        }
        for kind in ("endpoints", "connections")
    },
    _w + "inferencepools": {
        verb: row("InferencePools_CreateOrUpdate", Action.PROVISION,
                  sizes("properties.nodeSkuType", missing="the pool names no node type"))
        for verb in ("put", "patch")
    },
    "microsoft.machinelearningservices/capacityreservationgroups": {
        "put": row("CapacityReservationGroups_CreateOrUpdate", Action.RESERVE,
                   always("what a reserved offer runs on is not in the call", ACCELERATOR)),
    },
    **{
        kind: {"put": row("ComponentVersions_CreateOrUpdate", Action.PROVISION, _component)}
        for kind in (_w + "components/versions", "microsoft.machinelearningservices/registries/components/versions")
    },
    _w + "serverlessendpoints": {
        "put": row("ServerlessEndpoints_CreateOrUpdate", Action.PROVISION, _serverless),
        "patch": row("ServerlessEndpoints_Update", Action.SCALE, as_it_is(_serverless, when=("sku", "properties"))),
    },
    _w + "marketplacesubscriptions": {
        "put": row("MarketplaceSubscriptions_CreateOrUpdate", Action.SUBSCRIBE, _subscribed)
    },
    _w + "models/versions": {"put": row("ModelVersions_CreateOrUpdate", Action.PROVISION, _registered)},
    _w + "featuresets/versions": {
        "put": row("FeaturesetVersions_CreateOrUpdate", Action.PROVISION, _features),
        "post:backfill": row("FeaturesetVersions_Backfill", Action.PROVISION, _features),
    },
    "microsoft.machinelearningservices/registries": {
        "put": row(
            "Registries_CreateOrUpdate", Action.PROVISION,
            always("a registry replicates whatever models are put into it", MODEL), places=_registry_places,
        ),
    },
    "microsoft.machinelearningservices/registries/models/versions": {
        "put": row("RegistryModelVersions_CreateOrUpdate", Action.PROVISION, _registered),
    },
}  # fmt: skip
