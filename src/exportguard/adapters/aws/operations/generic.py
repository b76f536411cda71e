"""Operations without an extractor of their own: a walk over known parameter paths, or a look through unknown keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, OneOf, get, number, text
from exportguard.adapters.aws.classify import surface
from exportguard.adapters.aws.operations.launch import reads_as_type, required, types_in_text
from exportguard.adapters.aws.operations.models import hub_model, named_model
from exportguard.adapters.aws.operations.template_text import parse
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

_ACCELERATED = re.compile(r"GPU|GRAPHICS|NVIDIA|CUDA|NEURON|ACCELERAT|INFERENTIA|TRAINIUM", re.IGNORECASE)
PLAIN_CHOICE = re.compile(
    r"v?cpu|memory|custom|base|(windows|linux|arm)(_server_\d{4})?(_lambda)?_(container|ec2)|mac_arm|byol_regular(_\w+)?"
    r"|(al2|al2023|bottlerocket)_(x86_64|arm_64)(_standard|_fips)?|windows_(core|full)_\d{4}_x86_64"
    r"|value|standard|performance|power(pro)?|generalpurpose_\d+xlarge",
    re.IGNORECASE,
)
"""Choices known to ask for no accelerator. One that is neither this nor says that it has one is not known."""
_COUNTS = ("InstanceCount", "InitialInstanceCount", "DesiredInstances", "DesiredCapacity", "MaxSize", "Count")
_RUNS = re.compile(
    r"(Start|Invoke|Run|Execute|Evaluate|Ingest|Generate|Chat|Query|Predict|Sample|Send|Test)(?=[A-Z]|$)"
)
_NO_MODEL = re.compile(
    r"Browser|CodeInterpreter|WebSearch|Payment|MemoryRecords|Command|Subscription|Feedback|Notify|"
    r"ContentUpload|ImportJob|StartImport$|SourceSync"
)
_GROWS = re.compile(
    r"(Start|Execute|Resume|Launch|Exit|Run|Purchase|Accept|Associate|Extend|Activate|Continue|Rollback)"
)
_MOST_DEPTH = 24
_MOST_NODES = 50_000


def at(value: Any, path: str, where: str = "", row: Any = None) -> Iterator[tuple[str, Any, Any]]:
    """(place, value, the structure it lies in) for each value at *path*, whose lists are written `[]`."""
    head, _, rest = path.partition(".")
    lists = 0
    while head.endswith("[]"):
        head, lists = head[:-2], lists + 1
    if isinstance(value, Unknown):
        yield where or path, value, row
        return
    if not isinstance(value, Mapping):
        if value is not None:
            yield where or path, Unknown(f"{where or path} is not a structure"), row
        return
    inner = get(value, head)
    if inner is None:
        return
    places = [(f"{where}.{head}" if where else head, inner)]
    for _ in range(lists):
        spread: list[tuple[str, Any]] = []
        for place, element in places:
            if isinstance(element, (list, tuple)):
                spread += [(f"{place}[{index}]", entry) for index, entry in enumerate(element)]
            else:
                spread.append((place, Unknown(f"{place} is not a list")))
        places = spread
    for place, element in places:
        if rest and not isinstance(element, Unknown):
            yield from at(element, rest, place, value)
        elif element is not None:
            yield place, element, value


def named_paths(call: Call, role: str) -> Iterator[tuple[str, Any, Any]]:
    """Every value of one role at the paths that the surface knows for this operation."""
    row = surface().get(call.service, {}).get(call.operation, {})
    for path in row.get(role, ()):
        yield from at(call.parameters, path)


def counted(row: Any, where: str) -> Maybe[int]:
    for key in _COUNTS:
        if get(row, key) is not None:
            return number(get(row, key), f"{where}: {key}")
    return NOT_GIVEN


def walk(call: Call) -> None:
    """Read the surface's paths. What runs a model or an instance without naming it is unknown; the rest is outside."""
    everything(call)
    if call.items:
        return
    row = surface().get(call.service, {}).get(call.operation, {})
    what = f"{call.service}.{call.operation}"
    kinds, tier = row.get("kinds", ()), row.get("tier")
    runs = tier == "inference" or (tier == "acquire" and not row.get("model")) or _RUNS.match(call.operation)
    if "model" in kinds and runs and not _NO_MODEL.search(call.operation):
        call.action = Action.INVOKE if tier == "inference" else call.action
        call.model(Unknown(f"{what} does not say which model"), where=call.operation)
        return
    named = next(iter(named_paths(call, "indirect")), None)
    if "template" in kinds and named is not None:
        call.unknown(f"what {what} makes is written elsewhere", named[0])
    elif "indirect" in kinds and named is not None and _GROWS.match(call.operation):
        call.action = Action.START
        call.unresolved(f"what {what} starts is set elsewhere", named[0])
    else:
        call.not_applicable(f"{what} names no instance type, accelerator or model")


def everything(call: Call) -> None:
    """Each role of the surface's paths, in turn."""
    for place, value, row in named_paths(call, "instance"):
        call.instance(value, counted(row, place), where=place)
    for place, value, _ in named_paths(call, "requirements"):
        required(call, value, NOT_GIVEN, place)
    for place, value, row in named_paths(call, "enum"):
        _enumerated(call, value, place, row)
    for place, value, _ in named_paths(call, "accelerator"):
        _accelerator(call, value, place)
    for place, value, _ in named_paths(call, "model"):
        _model(call, value, place)
    for place, _value, _ in named_paths(call, "template"):
        call.unknown(f"{place} is not read here", place)
    if not call.items:
        _sized(call)


def _enumerated(call: Call, value: Any, place: str, row: Any) -> None:
    """A choice from a closed list: it asks for an accelerator if it says so."""
    if isinstance(value, OneOf):
        for each in value.values:
            _enumerated(call, each, place, row)
        return
    name = text(value, place)
    if isinstance(name, Unknown):
        call.unknown(name.reason, place)
    elif _ACCELERATED.search(name) or name.lower() in ("habana", "xilinx", "amd", "inference", "fpga"):
        given = get(row, "Value", "Count")
        call.accelerator(
            Unknown(f"an accelerator that {name[:60]} stands for"),
            NOT_GIVEN if given is None else number(given, place),
            where=place,
        )
    elif not PLAIN_CHOICE.fullmatch(name):
        call.accelerator(Unknown(f"whether `{name[:60]}` has an accelerator"), where=place)


def _accelerator(call: Call, value: Any, place: str) -> None:
    last = place.rpartition(".")[2].lower()
    if "trainingplan" in last or "capacityreservation" in last or "offering" in last:
        if not call.items:
            call.unresolved(f"what {place} reserves is not known", place)
        return
    if isinstance(value, bool) or value in (0, "0", [], (), {}):
        return
    if isinstance(value, int):
        call.accelerator(Unknown(f"{place} does not say which"), number(value, place), where=place)
    elif isinstance(value, Mapping) and get(value, "Max", "max") == 0:
        return
    elif not any(item.where and item.where.startswith(place) for item in call.items):
        call.accelerator(Unknown(f"{place} asks for accelerators"), where=place)


def _model(call: Call, value: Any, place: str) -> None:
    if isinstance(value, (list, tuple)):
        return
    hub = hub_model(value)
    last = place.rpartition(".")[2]
    if hub is not None:
        call.model(hub, where=place)
    elif last in ("HubContentName", "BaseModelName", "ModelProfileId"):
        call.model(value, where=place)
    elif call.service == "sagemaker":
        if last.endswith(("BaseModelArn", "HubContentArn")):
            call.model(Unknown(f"what {last} {str(value)[:80]} holds is not known"), where=place)
        # A model or package of one's own, by name: it was judged when it was made (`sagemaker_serving`).
    elif "odelPackage" in last:
        call.model(Unknown(f"what {last} {str(value)[:80]} holds is not known"), where=place)
    elif last != "modelName":
        named_model(call, value, place)


def _sized(call: Call) -> None:
    """Sizes and launch templates of things that are set up elsewhere. Sizes of zero only shrink."""
    for place, value, _ in named_paths(call, "indirect"):
        last = place.rpartition(".")[2].rstrip("]0123456789[")
        if re.search(r"(Capacity|Size|Instances|Count|vCpus)$", last) and isinstance(value, (int, str, float)):
            if number(value, place) != 0:
                call.action = Action.SCALE
                call.unresolved(
                    f"{place} grows something that is set up elsewhere", place, instances=number(value, place)
                )
                return
        elif re.search(r"(launchTemplate|InfrastructureConfiguration)", last, re.IGNORECASE):
            call.unresolved(f"{place} names a template that was not read", place)
            return


# -- operations nobody has seen ----------------------------------------------------------------------------------

_KEYS = re.compile(
    r"([iI]nstance(Type|Class|Family)s?|[aA]ccelerator(Type|Name|Manufacturer|Count|Kind|Requirement)?s?|[gG]pu\w*|GPU\w*|"
    r"\w*[mM]odel(Id|Arn|Identifier)s?|[fF]oundationModel\w*|[iI]nferenceProfile(Arn|Id|Identifier)?|"
    r"\w+InstanceTypes?|[iI]nstanceRequirements|[cC]apacityBlockOffering\w*|[tT]rainingPlan\w*)"
)
_CHOSEN = re.compile(r"(Type|Class|Kind|Size|Tier|Capability|Capabilities)s?$", re.IGNORECASE)
_MACHINES = re.compile(
    r"(Start|Launch|Run|Resume|Restart|Clone|Provision)(\w*[a-z])?(Instances?|Stack|Fleet|Clusters?|Nodes?|Simulation|Machines?|"
    r"Workstations?|Workspaces?|StreamingSession)"
)
"""Operations that say by their names that machines start, which were chosen when they were made."""
_TAGS = ("Tags", "tags", "TagSpecifications", "tagSpecifications")
_OF_MODELS = ("bedrock", "sagemaker")
_MODEL_ARN = re.compile(
    r"arn:[^:]+:bedrock:[^:]*:[^:]*:[\w-]*(model|inference-profile|prompt-router)[\w-]*/.+", re.DOTALL
)


def look_through(call: Call) -> None:
    """An operation of a newer SDK: any key shaped like a type, accelerator or model makes one item of unknown kind, any
    value that reads as one is judged as what it reads as, and a service of models that is told to run may run any."""
    if call.service.startswith(_OF_MODELS) and _RUNS.match(call.operation) and not _NO_MODEL.search(call.operation):
        call.model(Unknown(f"{call.operation} is an operation never seen before"), where=call.operation)
    todo: list[tuple[str, Any, int]] = [("", call.parameters, 0)]
    nodes = 0
    while todo:
        where, value, depth = todo.pop()
        nodes += 1
        if depth > _MOST_DEPTH or nodes > _MOST_NODES:
            call.unknown("a call never seen before, too large to look through", where)
            return
        if isinstance(value, Mapping):
            for key, entry in value.items():
                place = f"{where}.{key}" if where else str(key)
                if entry is not None and isinstance(key, str) and _KEYS.fullmatch(key):
                    call.unknown(f"an operation never seen before, which names `{key[:60]}`", place)
                elif isinstance(entry, str) and _CHOSEN.search(str(key)) and _ACCELERATED.search(entry):
                    call.accelerator(Unknown(f"an accelerator that {entry[:60]} stands for"), where=place)
                elif key not in _TAGS:
                    todo.append((place, entry, depth + 1))
        elif isinstance(value, (list, tuple)):
            todo += [(f"{where}[{index}]", entry, depth + 1) for index, entry in enumerate(value)]
        elif reads_as_type(value):
            call.instance(value, where=where)
        elif isinstance(value, str) and value[:1] in ("{", "[") and isinstance(parse(value), Mapping):
            todo.append((where, parse(value), depth + 1))
        elif isinstance(value, str) and _reads_as_model(value):
            named_model(call, value, where)
    if not call.items and _MACHINES.fullmatch(call.operation):
        call.unresolved(f"what {call.operation} starts is set elsewhere", call.operation)
    if not call.items:
        call.not_applicable(f"{call.service}.{call.operation} names no instance type, accelerator or model")


def plainly(call: Call, document: Any, where: str) -> None:
    """Types and models that parameters of free names say, or a text writes out. What they say besides stays unread."""
    todo: list[tuple[str, Any, int]] = [(where, document, 0)]
    nodes = 0
    while todo:
        place, value, depth = todo.pop()
        nodes += 1
        if depth > _MOST_DEPTH or nodes > _MOST_NODES:
            call.unknown("too large to look through", where)
            return
        if isinstance(value, Mapping):
            todo += [(f"{place}.{key}", entry, depth + 1) for key, entry in value.items()]
        elif isinstance(value, (list, tuple)):
            todo += [(f"{place}[{index}]", entry, depth + 1) for index, entry in enumerate(value)]
        elif isinstance(value, str):
            words = [word.strip() for word in value.split(",")] if len(value) < 2_000 else []
            kinds = [f"ml.{word[3:]}" if word.lower().startswith("sc.") else word for word in words]
            if any(map(reads_as_type, kinds)):
                for kind in filter(reads_as_type, kinds):
                    call.instance(kind, where=place)
            elif _reads_as_model(value):
                named_model(call, value, place)
            else:
                types_in_text(call, value[:500_000], place)


def _reads_as_model(value: str) -> bool:
    """An ARN of Bedrock's, or an id with a provider in front whose family is known (`us.anthropic.claude-…`)."""
    from exportguard.reference import default

    if len(value) > 500 or ("." not in value and ":" not in value):
        return False
    if _MODEL_ARN.fullmatch(value.strip()):
        return True
    fact = default().model("aws", value)
    return not isinstance(fact, Unknown) and isinstance(fact.family, str)
