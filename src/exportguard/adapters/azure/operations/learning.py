"""The own services of machine learning workspaces (`{region}.api.azureml.ms`): what submits work to a machine.

Paths: those of the first Azure ML SDK's run submission and service deployment. Tracking, metrics and assets are read by
nobody.
"""

from __future__ import annotations

import re
from typing import Final

from exportguard.adapters.azure.lookthrough import gpu_sizes, look_through
from exportguard.adapters.azure.operations.reading import ACCELERATOR, Call, Items, machine, text, unknown
from exportguard.adapters.azure.tree import read_body, search
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Unknown

_SUBMITS: Final = words(
    """execution studioservice modelmanagement pipelines designerservice automl jobs pipelineruns submit flow raisvc
    sparkonlineservice jasper"""
)
_TRACKS: Final = words(
    """mlflow history assetstore content artifact artifacts metric metrics dataset modelregistry environment discovery
    credential rp datastore notebook"""
)
_ONLY_NAMED: Final = re.compile(r"submitpipelinedraft|pipelinesubmit|pipelineruns/?submit", re.IGNORECASE)
"""A pipeline that was published, or drafted, before: what it runs on is not in the call."""
_TARGETS: Final = words("target computetarget computename")
_NOWHERE: Final = words("local amlcompute serverless")
"""Targets that name no machine: the caller's own, and a cluster made for the run, whose size is beside it."""


def read(call: Call, body: object) -> Items:
    """A call to a workspace's own service; the body is read only where a path submits work."""
    low = [segment.lower() for segment in call.address.segments]
    if _TRACKS.intersection(low[:1]) or low[-1] in ("cancel", "query", "list"):
        return None
    tree = read_body(body)
    if not _SUBMITS.intersection(low[:1]):
        return [machine(size, where=where) for where, size in gpu_sizes(tree)][:200] or None
    if isinstance(tree, Unknown):
        return [unknown(tree.reason, kind=ACCELERATOR)]
    found = look_through(tree, "a run submission")
    for where, value in search(tree, _TARGETS):
        name = text(value, where)
        if isinstance(name, str) and name.lower() not in _NOWHERE:
            found.append(unknown(f"compute target `{name[:200]}` is only named", kind=ACCELERATOR))
    if not found and any(_ONLY_NAMED.search(segment) for segment in low):
        found.append(unknown("what the pipeline runs on is not in the call", kind=ACCELERATOR))
    return found or None
