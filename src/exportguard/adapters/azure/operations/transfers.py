"""What brings a machine back or to somebody else: restores, failovers, moves, labs, scripts, subscriptions.

Paths and properties: the REST references of Recovery Services, Resource Mover, Resource Manager, DevTest Labs and
Subscription.
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
    always,
    any_text,
    machine,
    row,
    sizes,
    text,
    unknown,
)
from exportguard.adapters.azure.tree import search, walk
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.request import Action

_NO_MACHINE: Final = words("restoredisks")


def _restored(root: str) -> Reader:
    """A restore of a virtual machine creates it again at its size; one of disks, files or databases does not."""

    def read(call: Call) -> Items:
        kinds = any_text(call.body, f"{root}.objectType")
        if kinds and all(isinstance(kind, str) and "iaasvm" not in kind.lower() for kind in kinds):
            return None
        ways = any_text(call.body, f"{root}.recoveryType")
        if ways and all(isinstance(way, str) and way.lower() in _NO_MACHINE for way in ways):
            return None
        return [machine(Unknown("the size of the machine that is restored is not in the call"), 1)]

    return read


_TARGETS: Final = words(
    "targetvmsize targetazurevmsize recoveryazurevmsize recoveryvmsize recoveryazurevmsizeid targetvmsku vmsize"
)


def _planned(call: Call) -> Items:
    """The size that a replicated machine will have once it is failed over."""
    return [machine(text(value, where), 1, where) for where, value in search(call.body, _TARGETS)] or None


_failover = row(
    "ReplicationProtectedItems_Failover",
    Action.START,
    always("the machines that a failover creates are not in the call", ACCELERATOR),
)

_PROVISIONS: Final = (
    "microsoft.compute/virtualmachine", "microsoft.compute/capacityreservation", "microsoft.compute/hostgroups",
    "microsoft.containerservice/", "microsoft.machinelearningservices/", "microsoft.cognitiveservices/",
    "microsoft.batch/", "microsoft.azurefleet/", "microsoft.databricks/", "microsoft.classiccompute/",
    "microsoft.devtestlab/", "microsoft.kusto/", "microsoft.hdinsight/", "microsoft.synapse/",
)  # fmt: skip
"""Types that hold accelerators or models: moved to another subscription, they are another customer's."""


def _moved(call: Call) -> Items:
    target = any_text(call.body, "targetResourceGroup")
    own = f"/subscriptions/{call.address.subscription}/"
    if target and all(isinstance(group, str) and f"{group.lower()}/".startswith(own) for group in target):
        return None
    found = [
        unknown(f"`{ident[:500]}` goes to another subscription" if isinstance(ident, str) else ident.reason)
        for ident in any_text(call.body, "resources[]")
        if not isinstance(ident, str) or any(kind in ident.lower() for kind in _PROVISIONS)
    ]
    return found[:200] or None


def _shared(call: Call) -> Items:
    """A group of reserved machines can be opened to other subscriptions."""
    shared = [who for _, who in walk(call.body, "properties.sharingProfile.subscriptionIds[]")]
    return [machine(Unknown("the reserved machines that are shared are not in the call"))] if shared else None


def environment(call: Call) -> Items:
    """A deployment environment, made by a dev center's own service from a template that the call only names."""
    low = [segment.lower() for segment in call.address.segments]
    if call.method != "PUT" or "environments" not in low[:-1]:
        return None
    return [unknown("what an environment deploys is a template that is only named")]


_lab = sizes("properties.size", missing="the lab machine names no size")
_named = always("the lab machine is only named", ACCELERATOR)
_resources = "microsoft.recoveryservices/vaults/"
_fabric = _resources + "replicationfabrics/replicationprotectioncontainers/"
_lab_type = "microsoft.devtestlab/labs"


def _starts(call: Call) -> Items:
    """A schedule that starts machines; the others stop them."""
    kinds = any_text(call.body, "properties.taskType")
    starts = any(not isinstance(kind, str) or "startup" in kind.lower() for kind in kinds)
    return _named(call) if starts else None


def _faults(call: Call) -> Items:
    """An experiment may start or move machines, and run what it is given in them."""
    said = [name for _, name in search(call.body, frozenset({"name"})) if isinstance(name, str)]
    risky = [name for name in said if _FAULT.match(name)]
    return [unknown(f"an experiment does `{risky[0][:200]}`", kind=ACCELERATOR)] if risky else None


_FAULT: Final = re.compile(r"urn:csci:microsoft:virtualmachine\w*:(?:start|redeploy|scale|create)", re.IGNORECASE)
_FAILOVERS: Final = ("testfailover", "plannedfailover", "unplannedfailover", "migrate", "testmigrate")

TABLE: Table = {
    _resources + "backupfabrics/protectioncontainers/protecteditems/recoverypoints": {
        "post:restore": row("Restores_Trigger", Action.PROVISION, _restored("properties")),
    },
    "microsoft.recoveryservices/locations": {
        "post:backupcrossregionrestore": row("CrossRegionRestore", Action.PROVISION, _restored("restoreRequest")),
    },
    **{
        _fabric + kind: {
            **{verb: row("ReplicationItems_Update", Action.RESERVE, _planned) for verb in ("put", "patch")},
            **{f"post:{verb}": _failover for verb in _FAILOVERS},
        }
        for kind in ("replicationprotecteditems", "replicationmigrationitems")
    },
    _resources + "replicationrecoveryplans": {f"post:{verb}": _failover for verb in _FAILOVERS},
    "microsoft.migrate/movecollections": {
        "post:initiatemove": row(
            "MoveCollections_InitiateMove", Action.PROVISION,
            always("the resources that a move creates are not in the call"),
        ),
    },
    "microsoft.blueprint/blueprintassignments": {
        "put": row("Assignments_CreateOrUpdate", Action.PROVISION,
                   always("what a blueprint deploys is only named")),
    },
    "microsoft.resources/resourcegroups": {
        "post:moveresources": row("Resources_MoveResources", Action.PROVISION, _moved),
    },
    "microsoft.compute/capacityreservationgroups": {
        verb: row("CapacityReservationGroups_Share", Action.RESERVE, _shared) for verb in ("put", "patch")
    },
    **{
        kind: {
            f"post:{verb}": row("Subscription_Take", Action.SUBSCRIBE,
                                always("anything can be provisioned in the subscription that is taken over"))
            for verb in ("acceptownership", "createsubscription", "createsubscriptioninrateplan", "enable")
        }
        for kind in ("microsoft.subscription", "microsoft.subscription/subscriptions")
    },
    "microsoft.subscription/subscriptiondefinitions": {
        "put": row("SubscriptionDefinitions_Create", Action.SUBSCRIBE,
                   always("anything can be provisioned in a new subscription")),
    },
    _lab_type: {
        "post:createenvironment": row("Labs_CreateEnvironment", Action.PROVISION, _lab),
        "post:claimanyvm": row("Labs_ClaimAnyVm", Action.START, _named),
    },
    _lab_type + "/virtualmachines": {
        "put": row("LabVirtualMachines_CreateOrUpdate", Action.PROVISION, _lab),
        "post:resize": row("LabVirtualMachines_Resize", Action.RESIZE, sizes("size", missing="no size is given")),
        **{f"post:{verb}": row("LabVirtualMachines_Start", Action.START, _named)
           for verb in ("start", "restart", "redeploy", "claim", "transferdisks")},
    },
    **{
        kind: {verb: row("Schedules_CreateOrUpdate", Action.START, _starts) for verb in ("put", "patch")}
        for kind in (_lab_type + "/schedules", "microsoft.devtestlab/schedules",
                     _lab_type + "/virtualmachines/schedules", _lab_type + "/users/servicefabrics/schedules")
    },
    "microsoft.chaos/experiments": {
        verb: row("Experiments_CreateOrUpdate", Action.START, _faults) for verb in ("put", "patch")
    },
    _lab_type + "/formulas": {
        "put": row("Formulas_CreateOrUpdate", Action.RESERVE, sizes("properties.formulaContent.properties.size")),
    },
    _lab_type + "/users/environments": {
        "put": row("Environments_CreateOrUpdate", Action.PROVISION,
                   always("what an environment deploys is a template that is only named")),
    },
}  # fmt: skip
