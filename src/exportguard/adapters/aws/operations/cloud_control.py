"""Cloud Control: one resource by its type, made from a desired state or changed by a JSON patch."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.cloudformation import judge_resource
from exportguard.adapters.aws.operations.instances_within import named_within
from exportguard.adapters.aws.operations.resource_types import CALLS
from exportguard.adapters.aws.operations.template_text import parse
from exportguard.vocabulary import Action, Unknown

_TYPES = {kind.lower(): kind for kind in CALLS}
_LEADS_ELSEWHERE = re.compile(
    r"/(LaunchTemplate|LaunchConfiguration|MixedInstances|EndpointConfigName|DesiredCapacity|MaxSize|MinSize|ScalingConfig|"
    r"TotalTargetCapacity|TargetCapacity|SpotFleetRequestConfig|InstanceCount|InstanceId|TaskDefinition|JobDefinition|"
    r"DesiredCount|Definition|TemplateBody|TemplateURL|Parameters|DefaultVersion|ComputeResources|ModelName|Instances|"
    r"Overrides|MaxvCpus|TargetOnDemand|TargetSpot|OptionSettings|TemplateName|PipelineDefinition|Target|Version)",
    re.IGNORECASE,
)
"""Properties that name what runs, or how much of it, without saying its type."""


@operation("cloudcontrol", "CreateResource")
def create_resource(call: Call) -> None:
    kind, state = call.get("TypeName"), call.get("DesiredState")
    document = parse(state)
    if not isinstance(kind, str) or isinstance(document, Unknown):
        call.unknown("the desired state cannot be read", "DesiredState")
        return
    judge_resource(call, _TYPES.get(kind.strip().lower(), kind), document, "DesiredState")
    call.not_applicable(f"{kind[:100]} has no accelerator and no model")


@operation("cloudcontrol", "UpdateResource", action=Action.RESIZE)
def update_resource(call: Call) -> None:
    """The resource as it will be, if it can be looked up and the patch applied; else what the patch sets by itself."""
    kind, patch = call.get("TypeName"), call.get("PatchDocument")
    try:
        rows = json.loads(patch) if isinstance(patch, str) and len(patch) < 2_000_000 else None
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(kind, str) or not isinstance(rows, list):
        call.unknown("the patch cannot be read", "PatchDocument")
        return
    kind = _TYPES.get(kind.strip().lower(), kind)
    for index, row in enumerate(rows):
        _set(call, kind, row, f"PatchDocument[{index}]")
    if call.items and any(isinstance(item.kind, Unknown) for item in call.items):
        document = _patched(call, rows)
        if document is not None:
            call.items.clear()
            judge_resource(call, kind, document, "Identifier")
    call.not_applicable("no instance type, accelerator, model or size is set")


def _set(call: Call, kind: str, row: Any, place: str) -> None:
    """What one operation of the patch sets, by the last part of its path."""
    verb, path, value = get(row, "op"), get(row, "path"), get(row, "value")
    if verb == "test" or (verb == "remove" and isinstance(path, str) and not _LEADS_ELSEWHERE.search(path)):
        return
    if verb not in ("add", "replace", "remove") or not isinstance(path, str):
        call.unknown(f"{place} cannot be read", place)
        return
    before = len(call.items)
    if not path and isinstance(value, Mapping):
        judge_resource(call, kind, value, place)
    elif verb != "remove":
        keys = [key for key in path.split("/") if key and key != "-" and not key.isdecimal()]
        named_within(call, {keys[-1] if keys else "value": value}, place, kind)
    if len(call.items) == before and kind in CALLS and _LEADS_ELSEWHERE.search(path) and str(value) != "0":
        call.unknown(f"{path[:80]} of a resource whose other properties were not read", place)


def _patched(call: Call, rows: list[Any]) -> Any:
    """The resource's properties after the patch; None where they are not to be had."""
    names = {key: call.get(key) for key in ("TypeName", "Identifier")}
    answer = call.ask("cloudcontrol", "GetResource", **names)
    known = parse(get(get(answer, "ResourceDescription"), "Properties")) if not isinstance(answer, Unknown) else answer
    if isinstance(known, Unknown):
        return None
    document: Any = copy.deepcopy(dict(known))
    for row in rows:
        verb, path = get(row, "op"), str(get(row, "path"))
        if verb == "test":
            continue
        if verb not in ("add", "replace", "remove"):
            return None
        keys = [key.replace("~1", "/").replace("~0", "~") for key in path.split("/")[1:]]
        if not keys:
            document = get(row, "value")
            continue
        holder = document
        for key in keys[:-1]:
            holder = _step(holder, key)
        if not _put(holder, keys[-1], verb, get(row, "value")):
            return None
    return document


def _step(holder: Any, key: str) -> Any:
    if isinstance(holder, list):
        return holder[int(key)] if key.isdecimal() and int(key) < len(holder) else None
    return holder.get(key) if isinstance(holder, dict) else None


def _put(holder: Any, key: str, verb: str, value: Any) -> bool:
    if isinstance(holder, dict):
        if verb == "remove":
            holder.pop(key, None)
        else:
            holder[key] = value
        return True
    if isinstance(holder, list) and (key == "-" or (key.isdecimal() and int(key) <= len(holder))):
        index = len(holder) if key == "-" else int(key)
        if verb == "add":
            holder.insert(index, value)
        elif index < len(holder):
            if verb == "remove":
                del holder[index]
            else:
                holder[index] = value
        else:
            return False
        return True
    return False
