"""ECS: GPUs and inference accelerators that tasks ask for, and capacity providers that make instances."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, number, times
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import of_family, required, runs
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown


def containers(call: Call, rows: Any, where: str, tasks: Maybe[int]) -> None:
    """Resource requirements of containers. A GPU's kind depends on the instance that the task lands on."""
    for place, container in call.rows(rows, where):
        for spot, wanted in call.rows(get(container, "resourceRequirements"), f"{place}.resourceRequirements"):
            kind = get(wanted, "type")
            if isinstance(kind, str) and kind.strip().upper() == "GPU":
                count = times(tasks, number(get(wanted, "value"), f"{spot}.value"))
                if count != 0:
                    call.accelerator(Unknown("a GPU of whatever instance the task lands on"), count, where=spot)
            elif isinstance(kind, str) and kind.strip().upper() in ("VCPU", "MEMORY"):
                continue
            elif not (isinstance(kind, str) and kind == "InferenceAccelerator"):
                call.unknown(f"{spot} asks for something unreadable", spot)
        devices(call, container, place, tasks)


_DEVICE = re.compile(r"/dev/(nvidia|neuron|dri|kfd|accel|habana|hl|fpga|xdma)", re.IGNORECASE)
_SHOWN = ("NVIDIA_VISIBLE_DEVICES", "AWS_NEURON_VISIBLE_DEVICES")
"""Variables by which NVIDIA's and Neuron's container runtimes hand over devices of the host."""
_CHOSEN = re.compile(
    r"\s*attribute:ecs\.instance-type\s*(?:==|=~|in|matches)\s*(\[[^\]]*\]|[^\s()]+)\s*", re.IGNORECASE
)
"""A constraint that pins tasks to instance types, if it says nothing else; one with `or` or `not` in it pins nothing,
but the types that it names are where the tasks may land."""
_NOT = re.compile(r"(!|\bnot\b)\s*\(?\s*$", re.IGNORECASE)


def devices(call: Call, container: Any, place: str, tasks: Maybe[int]) -> None:
    """Accelerators that a container takes from its host, as devices or by its variables, without asking for them."""
    for spot, row in call.rows(get(container, "environment"), f"{place}.environment"):
        seen = str(get(row, "value") or "").strip().lower()
        if str(get(row, "name")).strip() in _SHOWN and seen not in ("", "void", "none"):
            call.accelerator(Unknown("a GPU of whatever instance the task lands on"), tasks, where=spot)
    for spot, row in call.rows(get(get(container, "linuxParameters"), "devices"), f"{place}.linuxParameters.devices"):
        path = get(row, "hostPath")
        if not isinstance(path, str) or _DEVICE.search(path):
            call.accelerator(
                Unknown(f"the device {str(path)[:60]} of whatever instance it lands on"), tasks, where=spot
            )


def constraints(call: Call, tasks: Maybe[int]) -> bool:
    """Instance types that tasks are pinned to by a placement constraint. False where none pins them."""
    pinned = False
    for place, row in call.rows(call.get("placementConstraints"), "placementConstraints"):
        expression = str(get(row, "expression") or "")[:2000]
        alone = _CHOSEN.fullmatch(expression) is not None
        for chosen in _CHOSEN.finditer(expression):
            if not alone and _NOT.search(expression[: chosen.start()]):
                continue  # types that are not wanted
            for name in re.split(r"[,\s]+", chosen[1].strip("[]")):
                if name:
                    pinned = pinned or alone
                    of_family(call, name.strip("'\""), tasks, where=f"{place}.expression")
    return pinned


def asks(call: Call) -> bool:
    """Whether an accelerator is asked for already that nobody can name; anything harmless beside it settles nothing."""
    return any(isinstance(item.accelerator, Unknown) for item in call.items)


def inference(call: Call, rows: Any, where: str, tasks: Maybe[int]) -> None:
    for place, row in call.rows(rows, where):
        call.accelerator(get(row, "deviceType"), tasks, where=f"{place}.deviceType")


def commands(call: Call, rows: Any, where: str) -> None:
    """What containers are told to run, wherever they land."""
    for place, container in call.rows(rows, where):
        for key in ("command", "entryPoint"):
            runs(call, get(container, key), f"{place}.{key}")


def fargate(source: Mapping[str, Any]) -> bool:
    """Fargate has no accelerators (Amazon ECS developer guide, task definition differences for Fargate)."""
    launch = get(source, "launchType")
    strategy = get(source, "capacityProviderStrategy")
    if isinstance(strategy, (list, tuple)) and strategy:
        names = [get(row, "capacityProvider") for row in strategy]
        return all(name in ("FARGATE", "FARGATE_SPOT") for name in names)
    return bool(launch == "FARGATE")


@operation("ecs", "RegisterTaskDefinition")
def register(call: Call) -> None:
    commands(call, call.get("containerDefinitions"), "containerDefinitions")
    if call.get("requiresCompatibilities") in (["FARGATE"], ("FARGATE",)):
        call.not_applicable("Fargate has no accelerators")
        return
    containers(call, call.get("containerDefinitions"), "containerDefinitions", NOT_GIVEN)
    inference(call, call.get("inferenceAccelerators"), "inferenceAccelerators", NOT_GIVEN)
    constraints(call, NOT_GIVEN)
    for place, row in call.rows(call.get("volumes"), "volumes"):
        path = get(get(row, "host"), "sourcePath")
        if isinstance(path, str) and _DEVICE.search(path):
            call.accelerator(Unknown(f"the device {path[:60]} of whatever instance it lands on"), where=place)
    call.not_applicable("no container asks for an accelerator")


def run(call: Call, tasks: Maybe[int]) -> None:
    """What a task definition asks for, by the resolver, and what the call lays over it."""
    overrides = call.struct(call.get("overrides"), "overrides")
    commands(call, get(overrides, "containerOverrides"), "overrides.containerOverrides")
    if fargate(call.parameters):
        call.not_applicable("Fargate has no accelerators")
        return
    containers(call, get(overrides, "containerOverrides"), "overrides.containerOverrides", tasks)
    inference(call, get(overrides, "inferenceAcceleratorOverrides"), "overrides.inferenceAcceleratorOverrides", tasks)
    pinned = constraints(call, tasks)
    definition = call.get("taskDefinition")
    if pinned or definition is None or asks(call):
        return
    answer = call.ask("ecs", "DescribeTaskDefinition", taskDefinition=definition)
    if isinstance(answer, Unknown):
        call.accelerator(
            Unknown(f"task definition {str(definition)[:100]} not resolved: {answer.reason}"),
            where="taskDefinition",
        )
        return
    known = get(answer, "taskDefinition")
    containers(call, get(known, "containerDefinitions"), "taskDefinition.containerDefinitions", tasks)
    inference(call, get(known, "inferenceAccelerators"), "taskDefinition.inferenceAccelerators", tasks)
    call.not_applicable("the task definition asks for no accelerator")


@operation("ecs", "RunTask", "StartTask", action=Action.START)
def run_task(call: Call) -> None:
    instances = call.get("containerInstances")
    given = len(instances) if isinstance(instances, (list, tuple)) else call.get("count")
    run(call, number(1 if given is None else given, "count"))


@operation("ecs", "CreateService", "UpdateService", "CreateTaskSet", action=Action.SCALE)
def services(call: Call) -> None:
    """An update that names neither tasks nor a definition changes nothing that runs."""
    desired = call.get("desiredCount")
    if desired == 0 or (call.operation == "UpdateService" and desired is None and call.get("taskDefinition") is None):
        call.not_applicable("the service's tasks do not grow")
        return
    tasks = number(desired, "desiredCount") if desired is not None else NOT_GIVEN
    if call.operation == "UpdateService" and call.get("taskDefinition") is None and not fargate(call.parameters):
        name, cluster = call.get("service"), call.get("cluster")
        answer = call.ask("ecs", "DescribeServices", services=[name], **({"cluster": cluster} if cluster else {}))
        rows = () if isinstance(answer, Unknown) else get(answer, "services") or ()
        for row in rows:
            launch = {k: get(row, k) for k in ("launchType", "capacityProviderStrategy", "taskDefinition")}
            inner = Call("ecs", "RunTask", launch, region=call.region, resolver=call.resolver)
            run(inner, tasks)
            call.items += inner.items
        if not rows:
            reason = answer.reason if isinstance(answer, Unknown) else "not found"
            call.accelerator(Unknown(f"service {str(name)[:80]} not resolved: {reason}"), where="service")
        return
    run(call, tasks)


@operation("ecs", "CreateCapacityProvider", "UpdateCapacityProvider", action=Action.RESERVE)
def capacity_provider(call: Call) -> None:
    """Managed instances are chosen by their requirements; without any, ECS takes the cheapest general-purpose ones."""
    managed = call.struct(call.get("managedInstancesProvider"), "managedInstancesProvider")
    template = call.struct(get(managed, "instanceLaunchTemplate"), "managedInstancesProvider.instanceLaunchTemplate")
    wanted = get(template, "instanceRequirements")
    where = "managedInstancesProvider.instanceLaunchTemplate.instanceRequirements"
    if wanted is not None:
        required(call, wanted, NOT_GIVEN, where)
        call.not_applicable("the requirements exclude accelerators")
    elif managed and call.operation == "CreateCapacityProvider":
        call.unresolved("ECS picks instances by what the tasks ask for", where)
    elif call.get("autoScalingGroupProvider") is not None:
        _group(call, call.get("autoScalingGroupProvider"))
    else:
        call.not_applicable("no instances are chosen")


def _group(call: Call, provider: Any) -> None:
    """A provider over an Auto Scaling group: the group was judged when it was made, and is again when it grows."""
    from exportguard.adapters.aws.operations import autoscaling

    arn = get(provider, "autoScalingGroupArn")
    if arn is None:
        call.not_applicable("the group stays")
        return
    name = arn.rpartition("autoScalingGroupName/")[2] if isinstance(arn, str) else arn
    autoscaling.existing(call, name, NOT_GIVEN, "autoScalingGroupProvider.autoScalingGroupArn")


@operation("ecs", "UpdateTaskSet", action=Action.SCALE)
def task_set(call: Call) -> None:
    """Another share of the service's tasks; what they ask for is on the task set."""
    if get(call.get("scale"), "value") in (0, 0.0, None):
        call.not_applicable("the task set does not grow")
        return
    names = {key: call.get(key) for key in ("cluster", "service")}
    answer = call.ask("ecs", "DescribeTaskSets", **names, taskSets=[call.get("taskSet")])
    rows = () if isinstance(answer, Unknown) else get(answer, "taskSets") or ()
    for row in rows:
        launch = {k: get(row, k) for k in ("launchType", "capacityProviderStrategy", "taskDefinition")}
        call.nested("ecs", "RunTask", launch, "taskSet")
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.accelerator(Unknown(f"task set {str(call.get('taskSet'))[:80]} not resolved: {reason}"), where="taskSet")
    call.not_applicable("the task set asks for no accelerator")


@operation("ecs", "RegisterDaemonTaskDefinition")
def register_daemon(call: Call) -> None:
    containers(call, call.get("containerDefinitions"), "containerDefinitions", NOT_GIVEN)
    call.not_applicable("no container asks for an accelerator")


@operation("ecs", "CreateCluster", "PutClusterCapacityProviders")
def clusters(call: Call) -> None:
    call.not_applicable("joins a cluster with capacity that was judged when it was made")


@operation("ecs", "RegisterContainerInstance")
def register_instance(call: Call) -> None:
    for place, row in call.rows(call.get("platformDevices"), "platformDevices"):
        kind = get(row, "type")
        if not isinstance(kind, str) or kind.upper() == "GPU":
            call.accelerator(Unknown("a GPU of a machine that registers itself"), 1, where=place)
