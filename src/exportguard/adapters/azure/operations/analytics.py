"""Clusters of the data services: HDInsight, Synapse, Kusto, Data Factory, and others whose nodes are Azure sizes.

Paths: azure-mgmt-hdinsight 9.0, azure-mgmt-synapse 2.0, azure-mgmt-kusto 4.0, and the services' REST reference.
"""

from __future__ import annotations

import re
from typing import Final

from exportguard.adapters.azure.operations.embedded import scripts_at
from exportguard.adapters.azure.operations.reading import (
    ACCELERATOR,
    Call,
    Counter,
    Items,
    Operation,
    Reader,
    Table,
    always,
    any_text,
    as_it_is,
    both,
    first_of,
    machine,
    most,
    row,
    scaled,
    sizes,
    text,
)
from exportguard.adapters.azure.tree import walk
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.request import Action

_roles = sizes(
    "hardwareProfile.vmSize",
    each="properties.computeProfile.roles[]",
    count=most("targetInstanceCount", "autoscale.capacity.maxInstanceCount"),
    missing="a role names no size",
)


def _role(call: Call) -> Items:
    """A role that is scaled: its size is in the cluster."""
    count = most("targetInstanceCount", "autoscale.capacity.maxInstanceCount")(call.body)
    current = call.known(call.address.parents[0][1]) if call.address.parents else Unknown("no cluster is named")
    why = "the cluster has no such role"
    if isinstance(current, Unknown):
        why = current.reason
    else:
        name = call.address.names[-1].lower()
        for _, role in walk(current, "properties.computeProfile.roles[]"):
            if name in [each.lower() for each in any_text(role, "name") if isinstance(each, str)]:
                return [machine(text(v, at), count, at) for at, v in walk(role, "hardwareProfile.vmSize")] or [
                    machine(Unknown("the role names no size"), count)
                ]
    return [machine(Unknown(f"the size of the role is not in the call: {why}"[:2000]), count)]


_spark_count = most("properties.autoScale.maxNodeCount", "properties.nodeCount")
_CPU_FAMILIES: Final = frozenset({"none", "memoryoptimized"})


def _spark(call: Call) -> Items:
    """A Spark pool's size is a word (`Small`); its family says whether there are accelerators."""
    families = any_text(call.body, "properties.nodeSizeFamily")
    if families and all(isinstance(f, str) and f.lower() in _CPU_FAMILIES for f in families):
        return []
    if not families and not any(True for _ in walk(call.body, "properties.nodeSize")):
        return None
    said = ", ".join(f for f in families if isinstance(f, str)) or "no family"
    sized = ", ".join(s for s in any_text(call.body, "properties.nodeSize") if isinstance(s, str)) or "no size"
    why = Unknown(f"a Spark pool of {said}, {sized}: its accelerator is not named"[:1000])
    return [machine(why, _spark_count(call.body), "properties.nodeSizeFamily")]


_runtime = sizes(
    "properties.typeProperties.computeProperties.nodeSize",
    count=most("properties.typeProperties.computeProperties.numberOfNodes"),
)
_KUSTO: Final = re.compile(r"^(?:Dev\(No SLA\)_)?(?P<size>[^+]+)(?:\+.*)?$", re.IGNORECASE)


def _kusto(call: Call) -> Items:
    """A cluster's SKU is a size with what is bolted to it (`Standard_E8as_v5+1TB_PS`)."""
    found = []
    for where, value in walk(call.body, "sku.name"):
        name = text(value, where)
        match = _KUSTO.match(name) if isinstance(name, str) else None
        found.append(machine(match["size"] if match else name, most("sku.capacity")(call.body), where))
    return found or None


_named_kusto = first_of(_kusto, lambda call: [machine(Unknown("the cluster names no SKU"))])


_VMWARE: Final = re.compile(r"av(36p?t?|48t?|52t?|64)", re.IGNORECASE)
"""Host types of Azure VMware Solution, none of which has a GPU (its private clouds REST reference)."""


def _vmware(call: Call) -> Items:
    named = [(at, text(value, at)) for at, value in walk(call.body, "sku.name")]
    found = [machine(name, where=at) for at, name in named if not (isinstance(name, str) and _VMWARE.fullmatch(name))]
    return found or None


def _builder(call: Call) -> Items:
    """The machine that an image is built on; an empty size means the service's own small one."""
    named = [(at, value) for at, value in walk(call.body, "properties.vmProfile.vmSize") if value != ""]
    return [machine(text(value, at), 1, at) for at, value in named] or None


_LAB: Final = re.compile(r"classic_(?P<letter>[a-z])(?P<more>[a-z]*)(?P<version>v\d)_(?P<cores>\d+)_.*", re.IGNORECASE)


def _lab_machine(call: Call) -> Items:
    """A lab's SKU spells the family and the cores of its size (`Classic_Dsv4_2_8GB_128_S_SSD` is a `D2s_v4`)."""
    found = []
    for at, value in walk(call.body, "properties.virtualMachineProfile.sku.name"):
        name = text(value, at)
        said = _LAB.fullmatch(name) if isinstance(name, str) else None
        size = f"Standard_{said['letter']}{said['cores']}{said['more']}_{said['version']}" if said else name
        found.append(machine(size, most("properties.virtualMachineProfile.sku.capacity")(call.body), at))
    return found or None


_runtime_start = row("IntegrationRuntimes_Start", Action.START, lambda call: None)
"""Its nodes run SQL Server Integration Services on sizes of the A, D and E series (Data Factory's page on that)."""


def _both_verbs(name: str, read: Reader) -> dict[str, Operation]:
    return {verb: row(f"{name}_CreateOrUpdate", Action.PROVISION, read) for verb in ("put", "patch")}


def _sized(name: str, *paths: str, each: str = "", count: Counter | None = None) -> dict[str, Operation]:
    return _both_verbs(name, sizes(*paths, each=each, count=count or most("count")))


TABLE: Table = {
    "microsoft.hdinsight/clusters": {
        "put": row("Clusters_Create", Action.PROVISION, _roles),
    },
    "microsoft.hdinsight/clusters/applications": {"put": row("Applications_Create", Action.PROVISION, _roles)},
    "microsoft.hdinsight/clusters/roles": {
        f"post:{verb}": row(
            "Clusters_Resize", Action.SCALE,
            _role,
        )
        for verb in ("resize", "autoscale")
    },
    "microsoft.synapse/workspaces/bigdatapools": _both_verbs(
        "BigDataPools", scaled(_spark, "properties.autoScale.maxNodeCount", "properties.nodeCount")
    ),
    "microsoft.synapse/workspaces/integrationruntimes": {
        "put": row("IntegrationRuntimes_Create", Action.PROVISION, _runtime),
        "post:start": row("IntegrationRuntimes_Start", Action.START, as_it_is(first_of(_runtime, lambda call: []))),
    },
    "microsoft.datafactory/factories/integrationruntimes": {
        "put": row("IntegrationRuntimes_CreateOrUpdate", Action.PROVISION, _runtime),
        "post:start": _runtime_start,
    },
    "microsoft.kusto/clusters": {
        "put": row("Clusters_CreateOrUpdate", Action.PROVISION, _named_kusto),
        "patch": row("Clusters_Update", Action.RESIZE, _kusto),
        "post:start": row("Clusters_Start", Action.START, as_it_is(_named_kusto)),
    },
    "microsoft.servicefabric/managedclusters/nodetypes": _both_verbs(
        "NodeTypes",
        scaled(
            sizes("properties.vmSize", count=most("properties.vmInstanceCount")),
            "sku.capacity",
            "properties.vmInstanceCount",
        ),
    ),
    "microsoft.redhatopenshift/openshiftclusters": _sized(
        "OpenShiftClusters", "properties.masterProfile.vmSize", "properties.workerProfiles[].vmSize",
        count=most("properties.workerProfiles[].count"),
    ),
    "microsoft.redhatopenshift/openshiftclusters/machinepools": _both_verbs(
        "MachinePools", always("the machines of a pool are written in a text that is not read", ACCELERATOR)
    ),
    "microsoft.virtualmachineimages/imagetemplates": _both_verbs(
        "ImageTemplates", both(_builder, scripts_at("inline"))
    ),
    "microsoft.devopsinfrastructure/pools": _both_verbs(
        "Pools",
        scaled(
            sizes("properties.fabricProfile.sku.name", root=most("properties.maximumConcurrency")),
            "properties.maximumConcurrency",
        ),
    ),
    "microsoft.labservices/labs": _both_verbs("Labs", _lab_machine),
    "microsoft.documentdb/cassandraclusters/datacenters": _sized(
        "CassandraDataCenters", "properties.sku", count=most("properties.nodeCount")
    ),
    "microsoft.avs/privateclouds": _both_verbs("PrivateClouds", _vmware),
    "microsoft.avs/privateclouds/clusters": _both_verbs("Clusters", _vmware),
}  # fmt: skip
