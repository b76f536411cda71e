"""Azure Batch: pools by ARM and by the account's own endpoint, and jobs that bring their own pool.

Paths: azure-mgmt-batch 19.0, azure-batch 15.1.
"""

from __future__ import annotations

from exportguard.adapters.azure.operations.embedded import scripts_at
from exportguard.adapters.azure.operations.reading import (
    ACCELERATOR,
    Call,
    Items,
    Table,
    as_it_is,
    both,
    first_of,
    largest,
    row,
    sizes,
    total,
    unknown,
)
from exportguard.adapters.azure.tree import Tree, walk
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.request import Action

_FIXED = "properties.scaleSettings.fixedScale"
_arm_count = total(f"{_FIXED}.targetDedicatedNodes", f"{_FIXED}.targetLowPriorityNodes")
_arm_pool = sizes("properties.vmSize", count=_arm_count, missing="the pool names no size")


def _shrinks(body: Tree, *paths: str) -> bool:
    """Whether nodes are only taken away: every number that is given is zero."""
    given = [largest(body, path) for path in paths]
    return any(count is not None for count in given) and all(count in (None, 0) for count in given)


def _to_none(call: Call) -> Items:
    fixed = _shrinks(call.body, f"{_FIXED}.targetDedicatedNodes", f"{_FIXED}.targetLowPriorityNodes")
    return [] if fixed and not any(True for _ in walk(call.body, "properties.scaleSettings.autoScale")) else None


_arm_update = first_of(
    sizes("properties.vmSize", count=_arm_count),
    _to_none,
    as_it_is(_arm_pool, _arm_count, when=("properties.scaleSettings",)),
)

_commands = scripts_at("commandline")
TABLE: Table = {
    "microsoft.batch/batchaccounts/pools": {
        "put": row("Pool_Create", Action.PROVISION, both(_arm_pool, _commands)),
        "patch": row("Pool_Update", Action.SCALE, both(_arm_update, _commands)),
    },
}

_count = total("targetDedicatedNodes", "targetLowPriorityNodes")
_pool = sizes("vmSize", count=_count, missing="the pool names no size")
_pool_update = sizes("vmSize", count=_count)


_job = sizes("vmSize", each="poolInfo.autoPoolSpecification.pool", count=_count, missing="the pool names no size")
_schedule = sizes(
    "vmSize",
    each="jobSpecification.poolInfo.autoPoolSpecification.pool",
    count=_count,
    missing="the pool names no size",
)


def _resized(call: Call) -> Items:
    """The pool as it is, with the number of nodes that is asked for now."""
    segments = call.address.segments
    current = call.known(f"/pools/{segments[1]}") if len(segments) > 1 else Unknown("no pool is named")
    if isinstance(current, Unknown):
        return [unknown(f"the size of the pool is not in the call: {current.reason}", kind=ACCELERATOR)]
    asked = _count(call.body)
    found = _pool(Call(call.method, call.address, current)) or ()
    return [item.model_copy(update={"instances": asked}) for item in found]


def read(call: Call) -> Items:
    """A call to `https://{account}.{region}.batch.azure.com`."""
    return both(_sized, _commands)(call)


def _sized(call: Call) -> Items:
    low = [segment.lower() for segment in call.address.segments]
    family, depth, last = (low[0] if low else ""), len(low), (low[-1] if low else "")
    if family == "pools":
        if last == "resize" and _shrinks(call.body, "targetDedicatedNodes", "targetLowPriorityNodes"):
            return None
        if last in ("resize", "enableautoscale") or (low[-3:-2] == ["nodes"] and last == "start"):
            return _resized(call)
        if depth == 1:
            return _pool(call)
        return _pool_update(call)
    if family == "jobs" and depth <= 2:
        return _job(call)
    if family == "jobschedules" and depth <= 2:
        return _schedule(call)
    return None
