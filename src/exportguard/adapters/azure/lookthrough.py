"""Types and actions that nobody has listed: looked through for the fields that carry a size, a chip or a model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from exportguard.adapters.azure.operations.reading import Call, text
from exportguard.adapters.azure.tree import MAX_DEPTH, Many, Tree, search, walk
from exportguard.adapters.azure.words import words
from exportguard.reference import instances_azure
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.item import Item

_SIZES: Final = words(
    """vmsize vmsizes agentvmsize virtualmachinesize targetvmsize vmsizeid vmskuname nodesize nodevmsize nodesku
    instancetype instancetypes instance_type instance_types machinetype hostsize rolesize computesize node_type_id
    driver_node_type_id workloadprofiletype vmskus vmsizesprofile vmsizeprofiles vmattributes targetvmsku nodeskutype
    targetazurevmsize recoveryazurevmsize recoveryvmsize newclusternodetype newclusterdrivernodetype headnodesize
    datanodesize zookeepernodesize hardwaresku"""
)
_CHIPS: Final = re.compile(r"gpu|accelerators?(?!enabled|support|manufacturer)|\bnpus?\b")
_NO_CHIPS: Final = re.compile(
    r"driver|metric|monitor|plugin|support|alert|utili[sz]ation|acceleratorenabled|accelerated"
)
"""Keys that are about one in another way."""
_SWITCHES: Final = words("gpu gpuenabled enablegpu usegpu requiregpu requiresgpu enable_gpu use_gpu gpu_enabled hasgpu")
_CHOICES: Final = re.compile(
    r"(?:sku|skuname|tier|type|hardware|size|shape|family|instance|chip|flavou?r|machine|node|class|plan|spec)$"
)
_SPELLED_CHIP: Final = re.compile(
    r"(?<![a-z0-9])(?:\d+x)?(?:nvidia)?(?:gb[23]00|b[23]00|h[12]00|a100|mi3\d\d[ax]?)(?:x\d+)?(?![a-z0-9])"
    r"|(?<![a-z])gpu(?![a-z])",
    re.IGNORECASE,
)
_NOTHING: Final = words("none no false disabled off 0")
_MODELS: Final = words("modelid modelname model_id model_name modeluri basemodel model foundationmodel")
_NAMED: Final = frozenset({"name", "id", "modelid"})
_N_SERIES: Final = re.compile(
    r"(?:^|[_\-. ])N[CDGPV]C?\d|H100|H200|H20(?!\d)|A100|GB[23]00|B[23]00|MI3\d\d|GPU", re.IGNORECASE
)
"""A SKU name that parses as an N-series size (Azure's naming convention) or spells a chip."""
_GPU_SIZE: Final = re.compile(r"(?:standard|basic)_n[a-z]{1,3}\d[a-z0-9_-]*", re.IGNORECASE)
"""A value that is an N-series size and nothing else, whatever its key is called."""
_PROSE: Final = words("tags description displayname title metadata query comment comments notes policyrule")
_START: Final = re.compile(
    r"start|resume|scale|resize|(?<!de)allocate|provision|failover|createvm|launch|deploy|reimage|migrat|convert|upgrade"
    r"|restore|expand|grow|create|initiatemove|claim|trigger|(?<!de)activate",
    re.IGNORECASE,
)


def look_through(body: Tree, kind: str) -> list[Item]:
    """Items of unknown kind for what *body* carries; empty when it carries nothing."""
    why = f"`{kind or 'this call'}` is not in the surface"
    if isinstance(body, Unknown):
        return [Item(kind=Unknown(f"{why}, and {body.reason}"[:2000]))]
    reason = Unknown(f"{why}, yet it carries a size, an accelerator or a model"[:2000])
    found: list[Item] = []
    for where, value in search(body, _SIZES):
        if _describes(value) or _tagged(where):
            continue
        for each in value if isinstance(value, list) else (value,):
            name = _name(each, where)
            if not (isinstance(name, str) and instances_azure.never(instances_azure.key(name))):
                found.append(Item(kind=reason, instance_type=name, where=where))
    named = {item.instance_type for item in found}
    for where, size in gpu_sizes(body):
        if size not in named:
            found.append(Item(kind=reason, instance_type=size, where=where))
    for where, value in _chips(body):
        found.append(Item(kind=reason, accelerator=_name(value, where), where=where))
    for where, value in search(body, _MODELS):
        if _tagged(where):
            continue
        if isinstance(value, dict) and not _NAMED.intersection(value):
            continue  # an input or an output that happens to be called so; what is in it is searched
        if value not in ("", [], {}) and not isinstance(value, (bool, int, float)):
            found.append(Item(kind=reason, model=_name(value, where), where=where))
    for path in ("sku.name", "sku.size", "properties.sku.name") if isinstance(body, dict) else ():
        for where, value in walk(body, path):
            if isinstance(value, Unknown) or (isinstance(value, str) and _N_SERIES.search(value)):
                found.append(Item(kind=reason, instance_type=text(value, where), where=where))
    return found[:200]


_JSON_TYPES: Final = words("string integer number boolean object array null")


def _describes(value: Tree) -> bool:
    """Whether *value* is a JSON schema: what something of that name will look like, not what it is. What a schema
    spells out (a default, choices) is found by its own shape."""
    kinds = value.get("type") if isinstance(value, dict) else None
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return bool(kinds) and all(isinstance(kind, str) and kind.lower() in _JSON_TYPES for kind in kinds)


def _tagged(where: str) -> bool:
    """Whether a place is among a resource's tags, which are somebody's own words."""
    return where.startswith("tags.") or ".tags." in where


def _chips(node: Tree, where: str = "", depth: int = 0) -> Iterator[tuple[str, Tree]]:
    """What stands under keys that speak of accelerators, and what names one where something is chosen."""
    if depth > MAX_DEPTH:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            place = f"{where}.{key}"[-200:] if where else key[:200]
            if key in _PROSE:
                continue
            asks = _CHIPS.search(key) is not None and not _NO_CHIPS.search(key) and _says(value, key)
            inner = list(_chips(value, place, depth + 1)) if isinstance(value, (dict, list, Many)) else []
            yield from inner  # the kind, where there is one, is the most that is said
            if not inner and (
                asks or (isinstance(value, str) and _CHOICES.search(key) and _SPELLED_CHIP.search(value))
            ):
                yield place, value
    elif isinstance(node, (list, Many)):
        for number, value in enumerate(node.values if isinstance(node, Many) else node):
            yield from _chips(value, f"{where}[{number}]", depth + 1)


def _says(value: Tree, key: str) -> bool:
    """Whether *value* asks for something: more than none, and not how something will look."""
    if isinstance(value, bool):
        return value and key in _SWITCHES
    if isinstance(value, str):
        return bool(value.strip()) and value.strip().lower() not in _NOTHING
    if isinstance(value, dict):
        return not _describes(value) and any(_says(each, key) for each in value.values())
    if isinstance(value, (list, Many)):
        return any(_says(each, key) for each in (value.values if isinstance(value, Many) else value))
    return value is not None and value != 0


def gpu_sizes(node: Tree, where: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every value that is the name of an N-series size, with its place; prose and tags are left out."""
    if isinstance(node, str):
        if _GPU_SIZE.fullmatch(node.strip()):
            yield where or "?", node.strip()[:2000]
    elif depth > MAX_DEPTH:
        return
    elif isinstance(node, dict):
        for key, value in node.items():
            if key not in _PROSE:
                yield from gpu_sizes(value, f"{where}.{key}"[-200:] if where else key[:200], depth + 1)
    elif isinstance(node, (list, Many)):
        for number, value in enumerate(node.values if isinstance(node, Many) else node):
            yield from gpu_sizes(value, f"{where}[{number}]", depth + 1)


_PROGRAMS: Final = (
    "microsoft.web/", "microsoft.app/containerapps", "microsoft.app/jobs", "microsoft.app/sessionpools",
    "microsoft.containerinstance/", "microsoft.support/", "microsoft.logic/", "microsoft.authorization/",
    "microsoft.containerregistry/",
)  # fmt: skip
"""Namespaces whose settings are somebody's own words."""


def misplaced(call: Call) -> list[Item] | None:
    """Of a listed operation that seems to touch no size: sizes with accelerators that stand where none belongs. Which
    versions of an API take them there is not known for all."""
    if not isinstance(call.body, (dict, list, Many)) or call.address.type.startswith(_PROGRAMS):
        return None
    why = Unknown("a size with accelerators stands where this operation takes none")
    return [Item(kind=why, instance_type=size, where=where) for where, size in gpu_sizes(call.body)][:200] or None


def _name(value: Tree, where: str) -> str | Unknown:
    if isinstance(value, dict):
        for key in sorted(_NAMED):
            if isinstance(value.get(key), str):
                return text(value[key], where)
    return text(value, where)


def may_start(action: str) -> bool:
    """Whether an unlisted action sounds like one that takes capacity."""
    return _START.search(action) is not None
