"""AWS Batch: compute environments by type, family or whatever fits, and GPUs that jobs ask for."""

from __future__ import annotations

from typing import Any

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.ecs import asks, commands, containers
from exportguard.adapters.aws.operations.launch import launched, of_family, required, runs
from exportguard.adapters.aws.operations.template_text import parse
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

_GENERAL = frozenset({"optimal", "default_x86_64", "default_arm64"})
"""Batch's own choices. They are drawn from general-purpose families (m, c, r), none of which has an accelerator
(AWS Batch API Reference, ComputeResource.instanceTypes)."""


def compute(call: Call, resources: Any, where: str = "computeResources") -> None:
    """How many instances `maxvCpus` makes depends on their size, so the number stays unknown."""
    resources = call.struct(resources, where)
    limits = [get(resources, key) for key in ("maxvCpus", "desiredvCpus", "minvCpus")]
    size: Maybe[int] = Unknown("the environment is sized in vCPUs")
    if all(limit in (None, 0) for limit in limits) and any(limit == 0 for limit in limits):
        size = 0
    kind = get(resources, "type")
    if isinstance(kind, str) and kind.upper().startswith("FARGATE"):
        call.not_applicable("Fargate has no accelerators")
        return
    template = get(resources, "launchTemplate")
    overrides = [
        {"LaunchTemplate": row} for _, row in call.rows(get(template, "overrides"), f"{where}.launchTemplate.overrides")
    ]
    for index, override in enumerate(overrides):
        if get(override["LaunchTemplate"], "launchTemplateId", "launchTemplateName") is not None:
            launched(call, override, size, f"{where}.launchTemplate.overrides[{index}]")
    types = list(call.entries(get(resources, "instanceTypes"), f"{where}.instanceTypes"))
    for place, value in types:
        if isinstance(value, str) and value.strip().lower() in _GENERAL:
            continue
        of_family(call, value, size, where=place)
    managed = get(get(resources, "managedInstancesProvider"), "instanceLaunchTemplate")
    if get(managed, "instanceRequirements") is not None:
        place = f"{where}.managedInstancesProvider.instanceLaunchTemplate.instanceRequirements"
        required(call, get(managed, "instanceRequirements"), size, place)
    elif not types and template is not None and not overrides:
        launched(call, {"LaunchTemplate": template}, size, where)


@operation("batch", "CreateComputeEnvironment")
def create(call: Call) -> None:
    resources = call.get("computeResources")
    if resources is None:
        call.not_applicable("an unmanaged environment makes no instances itself")
        return
    compute(call, resources)
    if not call.items and get(resources, "instanceTypes") is None and call.outside is None:
        call.unresolved("the environment names no instance type", "computeResources.instanceTypes")


@operation("batch", "UpdateComputeEnvironment", action=Action.RESIZE)
def update(call: Call) -> None:
    """Types or a template: judged. A larger size alone: of types that were set before."""
    resources = call.struct(call.get("computeResources"), "computeResources")
    compute(call, resources)
    if call.items:
        return
    limits = [number(get(resources, key), key) for key in ("maxvCpus", "desiredvCpus", "minvCpus")
              if get(resources, key) is not None]  # fmt: skip
    general = get(resources, "instanceTypes") is not None
    if general or not limits or all(limit == 0 for limit in limits):
        call.not_applicable("no accelerated type is named and no size grows")
        return
    name = call.get("computeEnvironment")
    answer = call.ask("batch", "DescribeComputeEnvironments", computeEnvironments=[name])
    rows = () if isinstance(answer, Unknown) else get(answer, "computeEnvironments") or ()
    for row in rows:
        call.seen.append({"subnets": get(get(row, "computeResources"), "subnets")})
        compute(call, get(row, "computeResources"), "computeEnvironment.computeResources")
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.unresolved(f"compute environment {str(name)[:80]} not resolved: {reason}", "computeEnvironment")


def job(call: Call, source: Any, dot: str, tasks: Maybe[int]) -> None:
    """A container, node range, ECS or pod specification, with overrides spelled alike."""
    for key in ("containerProperties", "containerOverrides", "container"):
        body = get(source, key)
        if body is None:
            continue
        body = call.struct(body, f"{dot}{key}")
        if get(body, "instanceType") is not None:
            call.instance(get(body, "instanceType"), tasks, where=f"{dot}{key}.instanceType")
        containers(call, [body], f"{dot}{key}", tasks)
        commands(call, [body], f"{dot}{key}")
    for key in ("ecsProperties", "ecsPropertiesOverride"):
        for place, task in call.rows(get(get(source, key), "taskProperties"), f"{dot}{key}.taskProperties"):
            containers(call, get(task, "containers"), f"{place}.containers", tasks)
            commands(call, get(task, "containers"), f"{place}.containers")
    for key in ("eksProperties", "eksPropertiesOverride"):
        pod = get(get(source, key), "podProperties")
        for name in ("containers", "initContainers"):
            for place, row in call.rows(get(pod, name), f"{dot}{key}.podProperties.{name}"):
                _kubernetes(call, get(row, "resources"), f"{place}.resources", tasks)
                for part in ("command", "args"):
                    runs(call, get(row, part), f"{place}.{part}")


def _kubernetes(call: Call, resources: Any, where: str, tasks: Maybe[int]) -> None:
    for part in ("limits", "requests"):
        for key, value in call.struct(get(resources, part), f"{where}.{part}").items():
            if any(word in str(key).lower() for word in ("gpu", "neuron", "nvidia", "habana", "fpga")) and value != "0":
                call.accelerator(Unknown(f"a {str(key)[:60]} of whatever node the pod lands on"), where=where)


def nodes(call: Call, source: Any, key: str) -> None:
    """Multi-node jobs: each range of nodes has a container of its own."""
    body = call.struct(get(source, key), key)
    total = number(get(body, "numNodes"), f"{key}.numNodes")
    inst = get(body, "instanceType")
    if inst is not None:
        call.instance(inst, total, where=f"{key}.instanceType")
    for name in ("nodeRangeProperties", "nodePropertyOverrides"):
        for place, row in call.rows(get(body, name), f"{key}.{name}"):
            job(call, row, f"{place}.", total)
            for spot, value in call.entries(get(row, "instanceTypes"), f"{place}.instanceTypes"):
                if not (isinstance(value, str) and value.strip().lower() in _GENERAL):
                    of_family(call, value, total, where=spot)


@operation("batch", "RegisterJobDefinition")
def register(call: Call) -> None:
    job(call, call.parameters, "", NOT_GIVEN)
    nodes(call, call.parameters, "nodeProperties")
    call.not_applicable("the job asks for no accelerator")


@operation("batch", "SubmitJob", action=Action.START)
def submit(call: Call) -> None:
    size = get(call.get("arrayProperties"), "size")
    tasks = number(1 if size is None else size, "arrayProperties.size")
    job(call, call.parameters, "", tasks)
    nodes(call, call.parameters, "nodeOverrides")
    if asks(call):
        return
    name = call.get("jobDefinition")
    if isinstance(name, str) and ":job-definition/" in name:
        asked: dict[str, Any] = {"jobDefinitions": [name]}
    elif isinstance(name, str) and ":" in name:
        asked = {"jobDefinitions": [name]}
    else:
        asked = {"jobDefinitionName": name, "status": "ACTIVE"}
    answer = call.ask("batch", "DescribeJobDefinitions", **asked)
    rows = [] if isinstance(answer, Unknown) else list(get(answer, "jobDefinitions") or ())
    for row in rows:
        job(call, row, "jobDefinition.", tasks)
        nodes(call, row, "nodeProperties")
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.accelerator(Unknown(f"job definition {str(name)[:100]} not resolved: {reason}"), where="jobDefinition")
    call.not_applicable("the job asks for no accelerator")


@operation("batch", "SubmitServiceJob", action=Action.START)
def submit_service_job(call: Call) -> None:
    """A SageMaker training job, whose request is the payload."""
    payload = parse(call.get("serviceRequestPayload"))
    if isinstance(payload, Unknown):
        call.unknown(f"serviceRequestPayload: {payload.reason}", "serviceRequestPayload")
    else:
        call.nested("sagemaker", "CreateTrainingJob", payload, "serviceRequestPayload")
    call.not_applicable("the job runs on no accelerator")


@operation("batch", "CreateJobQueue", "UpdateJobQueue", "CreateQuotaShare", "UpdateQuotaShare",
           "CreateServiceEnvironment", "UpdateServiceEnvironment")  # fmt: skip
def queues(call: Call) -> None:
    call.not_applicable("orders or limits work on capacity that is judged where it is made")
