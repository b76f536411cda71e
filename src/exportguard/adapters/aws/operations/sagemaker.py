"""SageMaker: instances (`ml.*`) wherever a job, endpoint, notebook or cluster names them, and the models they serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, most, number, times
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.generic import named_paths
from exportguard.adapters.aws.operations.models import hub_model
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

_COUNTS = ("InstanceCount", "InitialInstanceCount", "MaxInstanceCount", "TargetCount", "IncrementTargetCountBy")


def counted(row: Any, where: str, *, default: int | None = None) -> Maybe[int]:
    """The largest count beside an instance type, managed scaling included."""
    counts = [number(get(row, key), f"{where}.{key}") for key in _COUNTS if get(row, key) is not None]
    scaling = get(row, "ManagedInstanceScaling")
    if get(scaling, "MaxInstanceCount") is not None:
        counts.append(number(get(scaling, "MaxInstanceCount"), f"{where}.ManagedInstanceScaling.MaxInstanceCount"))
    if counts:
        return most(*counts)
    return NOT_GIVEN if default is None else default


def cluster(call: Call, config: Any, where: str) -> None:
    """A resource configuration: a type and a count, instance groups, or preferences to choose among."""
    config = call.struct(config, where)
    size = counted(config, where)
    for key in ("InstanceType", "SelectedInstanceType"):
        if get(config, key) is not None:
            call.instance(get(config, key), size, where=f"{where}.{key}")
    for key in ("InstanceGroups", "RestrictedInstanceGroups", "InstancePreferences"):
        for place, row in call.rows(get(config, key), f"{where}.{key}" if where else key):
            instance_group(call, row, place, size if key == "InstancePreferences" else NOT_GIVEN)
    warm = get(config, "TrainingPlanArn", "TrainingPlanArns")
    if warm is not None and not call.items:
        training_plan(call, warm, f"{where}.TrainingPlanArn")


def instance_group(call: Call, row: Mapping[str, Any], place: str, size: Maybe[int] = NOT_GIVEN) -> None:
    own = counted(row, place)
    count = size if isinstance(own, Unknown) else own
    wanted = get(row, "InstanceRequirements")
    types = list(call.entries(get(wanted, "InstanceTypes"), f"{place}.InstanceRequirements.InstanceTypes"))
    for spot, value in types:
        call.instance(value, count, where=spot)
    if get(row, "InstanceType") is not None:
        call.instance(get(row, "InstanceType"), count, where=f"{place}.InstanceType")
    elif not types:
        plan = get(row, "TrainingPlanArn", "TrainingPlanArns")
        if plan is not None:
            training_plan(call, plan, f"{place}.TrainingPlanArn")
        elif wanted is not None or count != 0:
            call.unresolved("the group names no instance type", place, instances=count)


def training_plan(call: Call, arn: Any, where: str) -> None:
    arn = arn[0] if isinstance(arn, (list, tuple)) and arn else arn
    name = arn.rpartition("/")[2] if isinstance(arn, str) else None
    answer = call.ask("sagemaker", "DescribeTrainingPlan", TrainingPlanName=name)
    rows = () if isinstance(answer, Unknown) else get(answer, "ReservedCapacitySummaries") or ()
    for row in rows:
        call.instance(get(row, "InstanceType"), number(get(row, "TotalInstanceCount"), where), where=where)
    if not rows:
        reason = answer.reason if isinstance(answer, Unknown) else "it names no capacity"
        call.unresolved(f"training plan {str(name)[:80]} not resolved: {reason}", where)


def rest(call: Call) -> None:
    """Whatever the surface knows of this operation beside what was read: rules, warm pools, validation profiles."""
    seen = {item.where for item in call.items}
    for role in ("instance", "accelerator"):
        for place, value, row in named_paths(call, role):
            if place in seen or "Selected" in place or "TrainingPlan" in place:
                continue
            if role == "instance":
                count = counted(row, place)
                call.instance(value, count, where=place)
            elif isinstance(value, str) and value.startswith("ml.eia"):
                call.accelerator(value, counted(row, place), where=place)
            elif isinstance(value, str) and value.startswith("arn:"):
                continue
            else:
                call.instance(value, NOT_GIVEN, where=place)


@operation("sagemaker", "CreateTrainingJob", "UpdateTrainingJob")
def training_job(call: Call) -> None:
    config = call.get("ResourceConfig")
    if call.operation == "CreateTrainingJob" and config is None and call.get("ServerlessJobConfig") is None:
        call.unresolved("the job names no resources", "ResourceConfig")
    cluster(call, config, "ResourceConfig")
    serverless = call.get("ServerlessJobConfig")
    if serverless is not None:
        base = get(serverless, "BaseModelArn")
        call.action = Action.CUSTOMIZE
        call.model(hub_model(base) or Unknown("the base model is not readable"), where="ServerlessJobConfig")
    rest(call)
    if not call.items:
        call.not_applicable("the job's instances stay")


@operation("sagemaker", "CreateHyperParameterTuningJob")
def tuning_job(call: Call) -> None:
    """Each training job takes its resources; as many run at once as the limits allow."""
    limits = get(call.get("HyperParameterTuningJobConfig"), "ResourceLimits")
    parallel = get(limits, "MaxParallelTrainingJobs")
    jobs = list(call.rows(call.get("TrainingJobDefinitions"), "TrainingJobDefinitions"))
    single = call.get("TrainingJobDefinition")
    if single is not None:
        jobs.append(("TrainingJobDefinition", call.struct(single, "TrainingJobDefinition")))
    for place, job in jobs:
        inner = Call(call.service, call.operation, job, region=call.region, resolver=call.resolver)
        tuned = get(job, "HyperParameterTuningResourceConfig")
        if get(job, "ResourceConfig") is not None:
            cluster(inner, get(job, "ResourceConfig"), "ResourceConfig")
        if tuned is not None:
            tuned = inner.struct(tuned, "HyperParameterTuningResourceConfig")
            if get(tuned, "InstanceType") is not None:
                inner.instance(
                    get(tuned, "InstanceType"),
                    counted(tuned, "HyperParameterTuningResourceConfig"),
                    where="HyperParameterTuningResourceConfig.InstanceType",
                )
            for spot, row in inner.rows(
                get(tuned, "InstanceConfigs"), "HyperParameterTuningResourceConfig.InstanceConfigs"
            ):
                inner.instance(get(row, "InstanceType"), counted(row, spot), where=f"{spot}.InstanceType")
        if not inner.items:
            inner.unresolved("the job names no resources", "ResourceConfig")
        for item in inner.items:
            count = item.instances
            if parallel is not None:
                count = times(count, number(parallel, "MaxParallelTrainingJobs"))
            call.add(item.model_copy(update={"where": f"{place}.{item.where}"[:2000], "instances": count}))
    if not jobs:
        call.unresolved("the tuning job has no job definition", "TrainingJobDefinition")


@operation("sagemaker", "CreateProcessingJob")
def processing_job(call: Call) -> None:
    resources = get(call.struct(call.get("ProcessingResources"), "ProcessingResources"), "ClusterConfig")
    cluster(call, resources, "ProcessingResources.ClusterConfig")
    if not call.items:
        call.unresolved("the job names no resources", "ProcessingResources.ClusterConfig")


@operation("sagemaker", "CreateNotebookInstance")
def notebook(call: Call) -> None:
    call.instance(call.get("InstanceType"), 1, where="InstanceType")
    eias(call)


@operation("sagemaker", "UpdateNotebookInstance", action=Action.RESIZE)
def update_notebook(call: Call) -> None:
    if call.get("InstanceType") is not None:
        call.instance(call.get("InstanceType"), 1, where="InstanceType")
    eias(call)
    if not call.items:
        call.not_applicable("the notebook's instance type stays")


def eias(call: Call) -> None:
    for place, value in call.entries(call.get("AcceleratorTypes"), "AcceleratorTypes"):
        call.accelerator(value, 1, where=place)


@operation("sagemaker", "StartNotebookInstance", "CreatePresignedNotebookInstanceUrl", action=Action.START)
def start_notebook(call: Call) -> None:
    if call.operation != "StartNotebookInstance":
        call.not_applicable("opens a notebook that runs already")
        return
    name = call.get("NotebookInstanceName")
    answer = call.ask("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)
    if isinstance(answer, Unknown):
        reason = f"notebook {str(name)[:80]} not resolved: {answer.reason}"
        call.unresolved(reason, "NotebookInstanceName", instances=1)
    else:
        call.instance(get(answer, "InstanceType"), 1, where="NotebookInstanceName")


@operation("sagemaker", "CreateApp")
def create_app(call: Call) -> None:
    """An app without a resource specification takes its space's, user profile's or domain's default."""
    spec = call.struct(call.get("ResourceSpec"), "ResourceSpec")
    kind = get(spec, "InstanceType")
    if kind is not None:
        if kind != "system":
            call.instance(kind, 1, where="ResourceSpec.InstanceType")
        else:
            call.not_applicable("runs on SageMaker's shared system instance")
    elif get(spec, "TrainingPlanArn") is not None:
        training_plan(call, get(spec, "TrainingPlanArn"), "ResourceSpec.TrainingPlanArn")
    elif call.get("AppType") in ("JupyterServer", "Canvas", "RStudioServerPro"):
        call.not_applicable("runs on SageMaker's shared system instance")
    elif not call.items:
        call.unresolved("the app takes a default instance type that is set elsewhere", "ResourceSpec", instances=1)


@operation("sagemaker", "CreateSpace", "UpdateSpace", "CreateUserProfile", "UpdateUserProfile", "CreateDomain",
           "UpdateDomain")  # fmt: skip
def studio_defaults(call: Call) -> None:
    """Default instance types of apps. Lists of what users may not see are no wish for it."""
    from exportguard.adapters.aws.operations.instances_within import named_within

    if isinstance(call.parameters, Mapping):
        named_within(call, call.parameters, "", "sagemaker")
    call.items = [item for item in call.items if item.instance_type != "system"]
    call.not_applicable("names no default instance type")


@operation("sagemaker", "CreateCluster", "UpdateCluster")
def hyperpod(call: Call) -> None:
    cluster(call, call.parameters, "")
    if call.operation == "UpdateCluster":
        call.action = Action.RESIZE
        call.not_applicable("no instance group changes")
    elif not call.items:
        call.not_applicable("the cluster has no instance groups")


@operation("sagemaker", "BatchAddClusterNodes", "UpdateClusterSoftware", action=Action.SCALE)
def grow_cluster(call: Call) -> None:
    if call.operation == "UpdateClusterSoftware":
        call.not_applicable("patches the software of nodes that exist")
        return
    answer = call.ask("sagemaker", "DescribeCluster", ClusterName=call.get("ClusterName"))
    groups = {} if isinstance(answer, Unknown) else {
        get(row, "InstanceGroupName"): get(row, "InstanceType") for row in get(answer, "InstanceGroups") or ()
    }  # fmt: skip
    for place, row in call.rows(call.get("NodesToAdd"), "NodesToAdd"):
        kinds = [v for _, v in call.entries(get(row, "InstanceTypes"), f"{place}.InstanceTypes")]
        kinds = kinds or [groups.get(get(row, "InstanceGroupName"), Unknown("the instance group is not resolved"))]
        for kind in kinds:
            call.instance(kind, counted(row, place), where=f"{place}.InstanceGroupName")
    call.not_applicable("no nodes are added")


@operation("sagemaker", "CreateAIRecommendationJob", "CreateInferenceRecommendationsJob")
def recommend(call: Call) -> None:
    """Load tests on the instance types that are named, else on those that the service picks."""
    for place, value, row in named_paths(call, "instance"):
        call.instance(value, counted(row, place), where=place)
    container = get(call.get("InputConfig"), "ContainerConfig")
    where = "InputConfig.ContainerConfig.SupportedInstanceTypes"
    for place, value in call.entries(get(container, "SupportedInstanceTypes"), where):
        call.instance(value, where=place)
    if not call.items:
        call.unresolved("the service picks the instance types that it tries", "InputConfig")


@operation("sagemaker", "CreateAutoMLJobV2")
def fine_tuning(call: Call) -> None:
    """Experiments on tables run where the service pleases, on its own account; a language model is tuned on GPUs."""
    problem = call.struct(call.get("AutoMLProblemTypeConfig"), "AutoMLProblemTypeConfig")
    wanted = get(problem, "TextGenerationJobConfig")
    where = "AutoMLProblemTypeConfig.TextGenerationJobConfig"
    if wanted is not None:
        call.action = Action.CUSTOMIZE
        base = get(wanted, "BaseModelName")
        call.model(Unknown("a base model that the service picks") if base is None else base, where=where)
        call.unresolved("the service picks the instance types that it tunes on", where)
    rest(call)
    call.not_applicable("no language model is tuned")


@operation("sagemaker", "CreatePresignedDomainUrl", "CreateModelPackageGroup", "CreateEdgePackagingJob",
           "PutModelPackageGroupPolicy", "CreateImageVersion", "UpdateImageVersion")  # fmt: skip
def describes(call: Call) -> None:
    call.not_applicable("opens a console, groups, packages or describes; nothing is launched")
