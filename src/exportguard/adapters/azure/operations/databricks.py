"""Azure Databricks: a workspace names no machine; its own endpoint creates the clusters.

Paths: the Databricks REST API 2.x (clusters, instance pools, jobs); azure-mgmt-databricks 3.0.
"""

from __future__ import annotations

from typing import Final

from exportguard.adapters.azure.operations.reading import (
    ACCELERATOR,
    Call,
    Items,
    Table,
    always,
    largest,
    machine,
    row,
    text,
    unknown,
)
from exportguard.adapters.azure.tree import search
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.request import Action

TABLE: Table = {
    "microsoft.databricks/workspaces": {
        "put": row(
            "Workspaces_CreateOrUpdate",
            Action.SUBSCRIBE,
            always("clusters of any size are created inside a workspace", ACCELERATOR),
        ),
    },
}

_TYPES: Final = frozenset({"node_type_id", "driver_node_type_id"})
_CREATES: Final = frozenset({"clusters", "cluster-pools", "instance-pools", "jobs", "pipelines", "serving-endpoints"})
_STOPS: Final = words(
    """delete permanent-delete terminate get list events pin unpin cancel cancel-all export list-zones change-owner
    list-node-types spark-versions stop"""
)


def read(call: Call) -> Items:
    """A call to a workspace's `/api/2.x/<family>/<verb>`."""
    low = [segment.lower() for segment in call.address.segments]
    if not _CREATES.intersection(low) or low[-1] in _STOPS:
        return None
    if isinstance(call.body, Unknown):
        return [unknown(call.body.reason, kind=ACCELERATOR)]
    workers = largest(call.body, "num_workers", "autoscale.max_workers", "max_capacity")
    count = Unknown("no number of workers is given") if workers is None else workers
    found = [machine(text(value, where), count, where) for where, value in search(call.body, _TYPES)]
    if found or "runs" in low:
        return found or None
    if low[-1] in ("start", "resize", "create", "edit", "restart", "run-now"):
        return [unknown("the node type is that of something that is only named", kind=ACCELERATOR)]
    return None
