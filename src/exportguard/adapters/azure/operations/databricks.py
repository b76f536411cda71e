"""Azure Databricks: a workspace names no machine; its own endpoint creates the clusters.

Paths: the Databricks REST API 2.x (clusters, instance pools, jobs); azure-mgmt-databricks 3.0.
"""

from __future__ import annotations

import re
from typing import Final

from exportguard.adapters.azure.operations.reading import (
    ACCELERATOR,
    MODEL,
    Call,
    Items,
    Table,
    always,
    chip,
    largest,
    machine,
    model,
    row,
    text,
    unknown,
)
from exportguard.adapters.azure.tree import Tree, search, walk
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import NOT_GIVEN, Maybe, Unknown
from exportguard.vocabulary.item import Item
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
_ASKING: Final = frozenset({"statements", "queries", "fine-tuning", "vector-search"})
_STOPS: Final = words(
    """delete permanent-delete terminate get list events pin unpin cancel cancel-all export list-zones change-owner
    list-node-types spark-versions stop"""
)


_HARDWARE: Final = re.compile(r"GPU_(?:(\d+)x)?([A-Za-z0-9]+)", re.IGNORECASE)
_SIZES: Final = frozenset({"xlarge", "large", "medium", "small"})


def _accelerated(call: Call) -> list[Item]:
    """Serverless GPUs, which are named by kind and number (`GPU_8xH100`), or by a word for a size."""
    found = []
    for where, value in search(call.body, frozenset({"hardware_accelerator", "workload_type", "gpu_type"})):
        name = text(value, where)
        match = _HARDWARE.match(name) if isinstance(name, str) else None
        if isinstance(name, str) and name.lower() in ("cpu", "none"):
            continue
        kind = match[2].partition("_")[0] if match else None
        if kind is None or kind.lower() in _SIZES or kind.lower().startswith("multigpu"):
            found.append(chip(Unknown(f"`{where}` does not say which GPU it is"[:500]), where=where))
        else:
            found.append(chip(kind, int(match[1]) if match and match[1] else NOT_GIVEN, where))
    return found


def _served(call: Call, low: list[str]) -> Items:
    """Serving endpoints: pay-per-token models by name, external models, and models on machines of their own."""
    if low[-1] == "invocations":
        return [_served_model(text(call.address.segments[-2], "the path"), "the path")]
    if low[-1] in ("completions", "embeddings", "responses", "messages"):
        names = [_served_model(text(v, at), at) for at, v in walk(call.body, "model")]
        return names or [unknown("the call names no model", kind=MODEL)]
    found = _accelerated(call)
    found += [model(text(v, at), at) for at, v in search(call.body, frozenset({"external_model"}))
              for at, v in walk(v, "name")]  # fmt: skip
    throughput = frozenset({"max_provisioned_throughput", "min_provisioned_throughput", "provisioned_model_units"})
    provisioned = any(True for _ in search(call.body, throughput))
    for at, value in search(call.body, frozenset({"entity_name", "model_name"})):
        name = text(value, at)
        if provisioned or (isinstance(name, str) and name.lower().startswith("system.ai.")):
            found.append(_served_model(name, at))
    return found or None


def _served_model(name: Maybe[str], where: str) -> Item:
    if isinstance(name, Unknown):
        return model(name, where)
    for prefix in ("databricks-", "system.ai."):
        if name.lower().startswith(prefix):
            return model(name[len(prefix) :], where, name[:500])
    return model(Unknown(f"serving endpoint `{name[:300]}` hides its model"), where)


_IN_SQL: Final = re.compile(
    r"\bai_(?:query|gen|classify|extract|fix_grammar|mask|similarity|summarize|translate|parse_document"
    r"|analyze_sentiment)\s*\(",
    re.IGNORECASE,
)
"""Functions of its SQL that ask a model (Databricks AI functions)."""


def _asked(call: Call, low: list[str]) -> Items:
    """Models that are asked from SQL, tuned, or that an index asks for each of its rows."""
    if "statements" in low or "queries" in low:
        texts = [
            v
            for key in ("statement", "query_text", "query.query_text")
            for _, v in walk(call.body, key)
            if isinstance(v, str)
        ]
        return [unknown("a model that is called from SQL", kind=MODEL)] if any(map(_IN_SQL.search, texts)) else None
    if "fine-tuning" in low:
        return [model(text(v, at), at) for at, v in walk(call.body, "model")] or [
            unknown("a model is tuned", kind=MODEL)
        ]
    names = search(call.body, frozenset({"embedding_model_endpoint_name", "model_endpoint_name_for_query"}))
    return [_served_model(text(v, at), at) for at, v in names] or None


_NAMED_ELSEWHERE: Final = words(
    """existing_cluster_id job_cluster_key job_clusters new_cluster run_job_task pipeline_task gen_ai_compute_task
    instance_pool_id driver_instance_pool_id policy_id compute clean_rooms_notebook_task"""
)


_MODELS: Final = frozenset({"completions", "embeddings", "responses"})
_SERVES: Final = frozenset({"serving-endpoints", "ai-gateway", "gateway-proxy"})
_TALKS: Final = frozenset({"start-conversation", "messages"})
_ASSISTANTS: Final = frozenset({"knowledge-assistants", "supervisor-agents", "tiles", "genie-messages"})


def _serverless(body: Tree) -> bool:
    """Whether every task of a job runs on a SQL warehouse or the service's own machines, which have no accelerator
    unless one is asked for."""
    tasks = [task for _, task in walk(body, "tasks[]")] + [task for _, task in walk(body, "new_settings.tasks[]")]
    return bool(tasks) and not any(True for _ in search(body, _NAMED_ELSEWHERE))


def read(call: Call) -> Items:
    """A call to a workspace's `/api/2.x/<family>/<verb>`."""
    low = [segment.lower() for segment in call.address.segments]
    if "policies" in low or "permissions" in low:
        return None
    if (
        (low[-1] in _MODELS or not _SERVES.isdisjoint(low))
        and "genie" not in low
        and not isinstance(call.body, Unknown)
    ):
        return _served(call, low)
    if ("genie" in low and ("mcp" in low or low[-1] in _TALKS)) or not _ASSISTANTS.isdisjoint(low[-1:]):
        return [unknown("an assistant that asks a model of its own choice", kind=MODEL)]
    if low[-2:] == ["commands", "execute"]:
        texts = [v for _, v in walk(call.body, "command") if isinstance(v, str)]
        return (
            [unknown("a model that is called from a command", kind=MODEL)] if any(map(_IN_SQL.search, texts)) else None
        )
    if _ASKING.intersection(low) and low[-1] not in _STOPS:
        return _asked(call, low)
    if not _CREATES.intersection(low) or low[-1] in _STOPS:
        return None
    if isinstance(call.body, Unknown):
        return [unknown(call.body.reason, kind=ACCELERATOR)]
    workers = largest(call.body, "num_workers", "autoscale.max_workers", "max_capacity")
    count = Unknown("no number of workers is given") if workers is None else workers
    found = [machine(text(value, where), count, where) for where, value in search(call.body, _TYPES)]
    found += _accelerated(call)
    if found or ("runs" in low and low[-1] != "repair"):
        return found or None
    if "jobs" in low and low[-1] in ("create", "reset", "update") and _serverless(call.body):
        return None
    if low[-1] in ("start", "resize", "create", "edit", "restart", "run-now", "updates", "repair"):
        return [unknown("the node type is that of something that is only named", kind=ACCELERATOR)]
    return None
