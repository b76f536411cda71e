"""What instances are launched from: an explicit type, else attribute-based requirements, else a launch template."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from exportguard.adapters.aws.call import Call, OneOf, _other, get, misspelt, number, plain, text, times
from exportguard.vocabulary import NOT_GIVEN, Maybe, Unknown

DEFAULT_INSTANCE_TYPE = "m1.small"
"""What RunInstances starts when nothing names a type (EC2 API Reference, RunInstances, InstanceType)."""

_ATTACHED = frozenset({
    "ElasticGpuSpecification", "ElasticGpuSpecifications", "ElasticInferenceAccelerators", "elasticGpuSpecification",
    "elasticGpuSpecifications", "elasticInferenceAccelerators",
})  # fmt: skip


def launched(
    call: Call, spec: Any, instances: Maybe[int], where: str, *, template: Any = None, default: str | None = None
) -> None:
    """Add the instances that *spec* describes: its own type, else its requirements, else the template's.

    `default`: the type AWS takes when nothing names one; None: nothing named is unknown.
    """
    spec = call.struct(spec, where)
    dot = f"{where}." if where else ""
    attached_accelerators(call, spec, instances, dot)
    runs(call, get(spec, "UserData"), f"{dot}UserData")
    if not _KNOWN.issuperset(spec):
        said_twice(call, spec, instances, dot)
    declared = get(spec, "InstanceType")
    if declared is not None:
        call.instance(declared, instances, where=f"{dot}InstanceType")
    wanted = get(spec, "InstanceRequirements")
    if wanted is not None:
        required(call, wanted, instances, f"{dot}InstanceRequirements")
    if declared is not None or wanted is not None:
        return
    own_template = get(spec, "LaunchTemplate", "LaunchTemplateSpecification")
    named = own_template if own_template is not None else template
    strange = misspelt(spec, "InstanceType") or misspelt(spec, "LaunchTemplate")
    if strange is not None:
        call.unresolved(
            f"`{strange[:60]}` is not a parameter, yet it names what is launched", where or strange, instances=instances
        )
        return
    if named is None:
        said = None if default is None else not_default(spec)
        if said is not None:
            call.unresolved(f"{said} decides what is launched", where or "InstanceType", instances=instances)
        elif default is not None:
            call.instance(default, instances, where=f"{dot}InstanceType")
        else:
            call.unresolved("no instance type is named", where or "InstanceType", instances=instances)
        return
    data = template_data(call, named)
    if isinstance(data, Unknown):
        call.unresolved(data.reason, f"{dot}LaunchTemplate", instances=instances)
        return
    if get(data, "LaunchTemplate", "LaunchTemplateSpecification") is not None:
        call.unresolved("a launch template that names another", f"{dot}LaunchTemplate", instances=instances)
        return
    launched(call, data, instances, f"{dot}LaunchTemplate.LaunchTemplateData", default=DEFAULT_INSTANCE_TYPE)


def not_default(spec: Mapping[str, Any]) -> str | None:
    """Why no default is taken although nothing names a type: the capacity that instances are put on has one, or what
    is said in no spelling of a parameter's may name it."""
    for key in ("InstanceMarketOptions", "CapacityReservationSpecification", "Placement"):
        said = get(spec, key)
        if said is not None and not isinstance(said, Mapping):
            return f"{key}, which is not readable,"
    if str(get(get(spec, "InstanceMarketOptions"), "MarketType")).strip().lower() == "capacity-block":
        return "a capacity block"
    if get(get(spec, "CapacityReservationSpecification"), "CapacityReservationTarget") is not None:
        return "a capacity reservation"
    placement = get(spec, "Placement")
    if get(placement, "HostId", "HostResourceGroupArn") is not None:
        return "a dedicated host"
    strange = next((key for key in spec if not isinstance(key, str) or re.search(r"[_\-\s]|^[A-Z0-9]{6,}$", key)), None)
    return None if strange is None else f"`{str(strange)[:60]}`, which is no parameter,"


_KNOWN = frozenset({
    "BlockDeviceMappings", "ImageId", "InstanceType", "Ipv6AddressCount", "Ipv6Addresses", "KernelId", "KeyName",
    "MaxCount", "MinCount", "Monitoring", "Placement", "RamdiskId", "SecurityGroupIds", "SecurityGroups", "SubnetId",
    "UserData", "ElasticGpuSpecification", "ElasticInferenceAccelerators", "TagSpecifications", "LaunchTemplate",
    "InstanceMarketOptions", "CreditSpecification", "CpuOptions", "CapacityReservationSpecification",
    "HibernationOptions", "LicenseSpecifications", "MetadataOptions", "EnclaveOptions", "PrivateDnsNameOptions",
    "MaintenanceOptions", "DisableApiStop", "EnablePrimaryIpv6", "NetworkPerformanceOptions", "Operator",
    "SecondaryInterfaces", "DryRun", "DisableApiTermination", "InstanceInitiatedShutdownBehavior", "PrivateIpAddress",
    "ClientToken", "AdditionalInfo", "NetworkInterfaces", "IamInstanceProfile", "EbsOptimized", "WeightedCapacity",
    "InstanceRequirements", "LaunchTemplateSpecification", "AvailabilityZone", "MaxPrice", "Priority", "SpotPrice",
})  # fmt: skip
"""Keys that no second look is due to."""
_SAYS_TYPE = frozenset({"instancetype", "instancetypes"})


def said_twice(call: Call, spec: Mapping[str, Any], instances: Maybe[int], dot: str) -> None:
    """Instance types under further spellings beside the one that is read: nobody knows which of them is meant."""
    read = next((key for key in ("InstanceType", "instanceType") if spec.get(key) is not None), None)
    for key, value in spec.items():
        if key == read or not isinstance(key, str):
            continue
        if plain(key) not in _SAYS_TYPE:
            if key not in _KNOWN and _other(key) not in _KNOWN:
                _said_besides(call, value, instances, f"{dot}{key}")
            continue
        if read is None and plain(key) == "instancetype":
            continue  # told by the caller: what is launched is not known
        for each in value if isinstance(value, (list, tuple)) else [value]:
            call.instance(each, instances, where=f"{dot}{key}")


def _said_besides(call: Call, value: Any, instances: Maybe[int], where: str) -> None:
    """Accelerated types in what is no parameter of a launch, and so means something by itself."""
    written = value if isinstance(value, str) else json.dumps(value, default=str)
    types_in_text(call, written[:200_000], where, instances)


def template_data(call: Call, specification: Any) -> Mapping[str, Any] | Unknown:
    """The data of a launch template version, or why it is unknown. `$Latest` and `$Default` are read each time."""
    if not isinstance(specification, Mapping):
        return Unknown("the launch template is not named in a readable way")
    ident = get(specification, "LaunchTemplateId", "Id")
    name = get(specification, "LaunchTemplateName", "Name")
    label = text(ident if ident is not None else name, "the launch template")
    if isinstance(label, Unknown):
        return label
    version = get(specification, "Version", "LaunchTemplateVersion")
    if isinstance(version, Unknown):
        return Unknown(f"launch template {label[:200]} not resolved: {version.reason}")
    version = "$Default" if version is None or version == "" else str(version)
    which: dict[str, Any] = {"LaunchTemplateId": ident} if ident is not None else {"LaunchTemplateName": name}
    answer = call.ask(
        "ec2",
        "DescribeLaunchTemplateVersions",
        immutable=version.isdecimal() and ident is not None,
        **which,
        Versions=[version],
    )
    if isinstance(answer, Unknown):
        return Unknown(f"launch template {label[:200]} not resolved: {answer.reason}")
    versions = get(answer, "LaunchTemplateVersions")
    if isinstance(versions, list) and len(versions) == 1:
        data = get(versions[0], "LaunchTemplateData")
        if isinstance(data, Mapping):
            call.seen.append(data)
            return data
    return Unknown(f"launch template {label[:200]} not resolved: version {version[:50]} was not found")


def attached_accelerators(call: Call, spec: Mapping[str, Any], instances: Maybe[int], dot: str) -> None:
    """Elastic GPUs and elastic inference accelerators, attached to instances that have none of their own."""
    if _ATTACHED.isdisjoint(spec):
        return
    for key in ("ElasticGpuSpecification", "ElasticGpuSpecifications", "ElasticInferenceAccelerators"):
        for place, row in call.rows(get(spec, key), f"{dot}{key}"):
            each = number(get(row, "Count") if get(row, "Count") is not None else 1, f"{place}.Count")
            call.accelerator(get(row, "Type"), times(instances, each), where=f"{place}.Type")


def required(call: Call, requirements: Any, instances: Maybe[int], where: str) -> None:
    """Attribute-based selection. No bound on accelerators means any instance type may come, so it is unknown.

    `AcceleratorCount.Max` of 0 excludes accelerators (EC2 API Reference, InstanceRequirements).
    """
    wanted = call.struct(requirements, where)
    if not wanted:
        if isinstance(requirements, Mapping):
            call.unresolved("any instance type that fits no stated requirement", where, instances=instances)
        return
    allowed = get(wanted, "AllowedInstanceTypes")
    if allowed is not None and allowed not in ([], ()):
        for place, value in call.entries(allowed, f"{where}.AllowedInstanceTypes"):
            of_family(call, value, instances, where=place)
        return
    bound = get(wanted, "AcceleratorCount")
    most_each: Maybe[int] = NOT_GIVEN
    if isinstance(bound, Mapping) and get(bound, "Max") is not None:
        most_each = number(get(bound, "Max"), f"{where}.AcceleratorCount.Max")
        if most_each == 0:
            return
    count = times(instances, most_each)
    names = get(wanted, "AcceleratorNames")
    if names:
        for place, value in call.entries(names, f"{where}.AcceleratorNames"):
            call.accelerator(value, count, where=place)
        return
    makers = get(wanted, "AcceleratorManufacturers", "AcceleratorTypes")
    if makers or bound is not None or get(wanted, "AcceleratorTotalMemoryMiB") is not None:
        call.accelerator(Unknown(f"any accelerator that fits {_brief(wanted)}"), count, where=where)
        return
    call.unresolved("the requirements do not exclude accelerators", where, instances=instances)


_TYPE = re.compile(
    r"\s*(ml\.)?[a-z]{1,4}-?\d[a-z0-9-]*\.(metal(-\w+)?|\d*xlarge|nano|micro|small|medium|large)\s*", re.IGNORECASE
)


def reads_as_type(value: Any) -> bool:
    """Whether a text that may be anything is written like an instance type (`p5.48xlarge`, `ml.m5.large`)."""
    return isinstance(value, str) and len(value) < 60 and _TYPE.fullmatch(value) is not None


_WRITTEN_TYPE = re.compile(
    r"(?<![\w.-])(?:ml\.)?(?:p|g|gr|inf|trn|dl|vt|f|cg)\d[a-z0-9-]{0,20}\.(?:metal(?:-\w{1,10})?|\d*xlarge|small|medium|large)"
    r"(?![\w-])",
    re.IGNORECASE,
)
"""Types of the letters that accelerated families have, as a command, a script or a manifest writes them."""


def types_in_text(call: Call, text: str, where: str, instances: Maybe[int] = NOT_GIVEN) -> None:
    """Each instance type that may have an accelerator and is written out in a text that nobody reads further."""
    for name in _written(text):
        call.instance(name, instances, where=where)


def _written(text: str) -> list[str]:
    small = text.lower()
    if not any(size in small for size in ("large", "metal", "medium", "small")):
        return []
    spaced = re.sub(r"\\[nrt]", " ", small)
    return sorted({found[0] for found in _WRITTEN_TYPE.finditer(spaced)})[:200]


_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{40,}={0,2}\s*")
TELLING = re.compile(
    r"run[-_]?instances|start[-_]?instances|create[-_]?fleet|bedrock|sagemaker|request[-_]?spot|"
    r"(create|update|deploy|execute)[-_]?(stack|change[-_]?set)|cloudformation +deploy|"
    r"(create|update)[-_]?auto[-_]?scaling|set[-_]?desired[-_]?capacity|modify[-_]?instance[-_]?attribute|"
    r"create[-_]?node-?group|create[-_]?compute[-_]?environment|run[-_]?job[-_]?flow|allocate[-_]?hosts|"
    r"(create|purchase)[-_]?capacity|(new|start|request|edit)-ec2(instance|fleet|spot\w*|instanceattribute)\b|"
    r"(new|update)-(cfnstack|asautoscalinggroup|sm\w+)\b|invoke-bdr\w*",
    re.IGNORECASE,
)
"""What the command line, its SDKs and its PowerShell tools call when they provision."""


def runs(call: Call, told: Any, where: str) -> None:
    """What a machine or container is told to run, a script or the words of a command: where it calls for machines
    plainly, the accelerated types that it writes out. What else it does is judged where it is done."""
    if told is None:
        return
    text = told.decode("utf-8", "replace") if isinstance(told, (bytes, bytearray)) else told
    text = (text if isinstance(text, str) else json.dumps(text, default=str))[:200_000]
    if _BASE64.fullmatch(text):
        try:
            text = base64.b64decode(text).decode("utf-8", "replace")
        except ValueError:
            return
    for name in _written(text):
        if TELLING.search(text):
            call.instance(name, where=where)


def of_family(call: Call, value: Any, instances: Maybe[int] = NOT_GIVEN, *, where: str) -> None:
    """An instance type, a bare family (`p4d`) or a pattern (`p4d.*`): each accelerated type it may mean.

    A family that the reference data has no accelerated type of is asked about by one size; that settles whether
    the family is known to carry none. Every family of a letter (`c*`, `m*`, `r*`) is asked about by one of them.
    """
    if isinstance(value, OneOf):
        for each in value.values:
            of_family(call, each, instances, where=where)
        return
    if not isinstance(value, str) or ("." in value and "*" not in value and "?" not in value):
        call.instance(value, instances, where=where)
        return
    pattern = value.strip().lower()
    pattern = pattern if "." in pattern or pattern.endswith("*") else f"{pattern}.*"
    head = re.match(r"(u-\d+tb|mac|hpc|[a-z]{1,4})\d+[a-z]*(-flex)?", pattern)
    found = [name for name in _accelerated() if fnmatchcase(name, pattern)] if pattern[:1].isalpha() else []
    family = head[0] if head else f"{pattern[0]}5" if re.match(r"[cmr][*?]", pattern) else None
    if len(pattern) > 60 or (family is None and not found):
        call.unresolved(f"any instance type like {value[:60]}", where, instances=instances)
        return
    for name in found or [f"{family}.large"]:
        call.instance(name, instances, where=where)


@cache
def _accelerated() -> tuple[str, ...]:
    """The accelerated EC2 types that the reference data knows."""
    from exportguard.reference import default

    return tuple(sorted(str(row["name"]) for row in default().table("instances_aws")["instances"]))


def _brief(wanted: Mapping[str, Any]) -> str:
    parts = [f"{key}={wanted[key]}" for key in wanted if str(key).lower().startswith("accelerator")]
    return "; ".join(parts)[:300]
