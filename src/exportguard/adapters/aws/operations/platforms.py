"""Services that run things on instances of their own choosing, told by options, capabilities, or a definition."""

from __future__ import annotations

import json
import re
from typing import Any

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import launched, reads_as_type, runs, types_in_text
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

# -- Elastic Beanstalk -------------------------------------------------------------------------------------------


@operation("elasticbeanstalk", "CreateEnvironment", "UpdateEnvironment", "CreateConfigurationTemplate",
           "UpdateConfigurationTemplate", "RebuildEnvironment")  # fmt: skip
def beanstalk(call: Call) -> None:
    """Instance types are options. Without any, Beanstalk takes a small general-purpose one (`aws:ec2:instances`)."""
    options(call, call.get("OptionSettings"), "OptionSettings")
    if call.items:
        return
    named: dict[str, Any] | None = None
    source = call.get("SourceConfiguration")
    if call.operation == "RebuildEnvironment" or _grows(call):
        named = {"EnvironmentName": call.get("EnvironmentName")}
    elif call.get("TemplateName") is not None and "Environment" in call.operation:
        named = {"TemplateName": call.get("TemplateName")}
    elif source is not None:
        named = {"TemplateName": get(source, "TemplateName")}
    elif call.operation == "CreateConfigurationTemplate" and call.get("EnvironmentId") is not None:
        call.unresolved("the template is made like an environment that was not read", "EnvironmentId")
    if named is not None:
        application = get(source, "ApplicationName") or call.get("ApplicationName")
        answer = call.ask("elasticbeanstalk", "DescribeConfigurationSettings", ApplicationName=application, **named)
        if isinstance(answer, Unknown):
            call.unresolved(f"the configuration was not resolved: {answer.reason}", next(iter(named)))
        else:
            for place, row in call.rows(get(answer, "ConfigurationSettings"), "ConfigurationSettings"):
                options(call, get(row, "OptionSettings"), f"{place}.OptionSettings")
    call.not_applicable("no option names an instance type")


@operation("elasticbeanstalk", "CreatePlatformVersion")
def builder(call: Call) -> None:
    """A platform is built on an instance that options choose like an environment's."""
    options(call, call.get("OptionSettings"), "OptionSettings")
    call.not_applicable("no option names an instance type")


@operation("elasticbeanstalk", "ComposeEnvironments")
def composed(call: Call) -> None:
    call.unresolved("the environments are described in the versions' source", "VersionLabels")


def _grows(call: Call) -> bool:
    """Whether an environment that exists is given another size."""
    rows = call.get("OptionSettings") if call.operation == "UpdateEnvironment" else ()
    return any(
        str(get(row, "Namespace")).strip().lower() == "aws:autoscaling:asg"
        and str(get(row, "OptionName")).strip().lower() in ("minsize", "maxsize")
        for row in (rows if isinstance(rows, (list, tuple)) else ())
    )


def options(call: Call, settings: Any, where: str) -> None:
    most: Maybe[int] = NOT_GIVEN
    rows = list(call.rows(settings, where))
    for place, row in rows:
        if get(row, "Namespace") == "aws:autoscaling:asg" and get(row, "OptionName") == "MaxSize":
            most = number(get(row, "Value"), place)
    for place, row in rows:
        name, value = get(row, "OptionName"), get(row, "Value")
        if isinstance(name, str) and re.fullmatch(r"instancetypes?", name.strip(), re.IGNORECASE):
            for kind in value.split(",") if isinstance(value, str) else [value]:
                call.instance(kind.strip() if isinstance(kind, str) else kind, most, where=f"{place}.Value")
        elif name == "Subnets":
            call.seen.append({"Subnets": value})
        elif not isinstance(name, str) and name is not None:
            call.unknown(f"{place} is not readable", place)


# -- CodeBuild ---------------------------------------------------------------------------------------------------


@operation("codebuild", "UpdateFleet", action=Action.SCALE)
def build_fleet(call: Call) -> None:
    """Another kind of machine is named as when a fleet is made; more of the same are those that the fleet has."""
    from exportguard.adapters.aws.operations.generic import everything

    everything(call)
    sizes = (call.get("baseCapacity"), get(call.get("scalingConfiguration"), "maxCapacity"))
    named = any(call.get(key) is not None for key in ("environmentType", "computeType", "computeConfiguration"))
    if not call.items and not named and any(size not in (None, 0) for size in sizes):
        answer = call.ask("codebuild", "BatchGetFleets", names=[call.get("arn")])
        rows = () if isinstance(answer, Unknown) else get(answer, "fleets") or ()
        for row in rows:
            call.nested("codebuild", "CreateFleet", row, "arn")
        if not rows:
            reason = answer.reason if isinstance(answer, Unknown) else "not found"
            call.unresolved(f"the fleet was not resolved: {reason}", "arn")
    call.not_applicable("the fleet does not grow, or has no accelerator")


@operation("codebuild", "CreateProject", "UpdateProject", "StartBuild", "StartBuildBatch")
def builds(call: Call) -> None:
    """Machines by the environment, or those of a fleet, which were named when it was made."""
    from exportguard.adapters.aws.operations.generic import everything

    everything(call)
    named = get(call.get("environment"), "fleet")
    arn = get(named if named is not None else call.get("fleetOverride"), "fleetArn")
    if arn is not None and not call.items:
        answer = call.ask("codebuild", "BatchGetFleets", names=[arn])
        rows = () if isinstance(answer, Unknown) else get(answer, "fleets") or ()
        for row in rows:
            call.nested("codebuild", "CreateFleet", row, "fleetArn")
        if not rows:
            reason = answer.reason if isinstance(answer, Unknown) else "not found"
            call.unresolved(f"the fleet was not resolved: {reason}", "fleetArn")
    call.not_applicable("the build's environment has no accelerator")


# -- Data Pipeline -----------------------------------------------------------------------------------------------


@operation("datapipeline", "PutPipelineDefinition", "ActivatePipeline")
def data_pipeline(call: Call) -> None:
    """Resources are objects with fields, some of which are instance types. References are filled in when it runs."""
    source: Any = call.parameters
    if call.operation == "ActivatePipeline":
        source = call.ask("datapipeline", "GetPipelineDefinition", pipelineId=call.get("pipelineId"))
        if isinstance(source, Unknown):
            call.unknown(f"the pipeline was not resolved: {source.reason}", "pipelineId")
            return
    values = {}
    for row in (*_list(get(source, "parameterObjects")), *_list(call.get("parameterValues"))):
        values[get(row, "id")] = get(row, "stringValue") or next(
            (get(a, "stringValue") for a in _list(get(row, "attributes")) if get(a, "key") == "default"), None
        )
    for place, thing in call.rows(get(source, "pipelineObjects"), "pipelineObjects"):
        for spot, field in call.rows(get(thing, "fields"), f"{place}.fields"):
            key, value = get(field, "key"), get(field, "stringValue")
            if not isinstance(key, str) or not re.search(r"instanceType\s*$", key, re.IGNORECASE):
                continue
            reference = re.fullmatch(r"\s*#\{(\w+)\}\s*", value) if isinstance(value, str) else None
            if reference:
                value = values.get(reference[1]) or Unknown("filled in when the pipeline runs")
            elif isinstance(value, str) and "#{" in value:
                value = Unknown("filled in when the pipeline runs")
            call.instance(value, where=spot)
    call.not_applicable("no object names an instance type")


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


# -- Deadline Cloud ----------------------------------------------------------------------------------------------


@operation("deadline", "CreateFleet", "UpdateFleet")
def deadline(call: Call) -> None:
    """A fleet has accelerators only if it asks for them (Deadline Cloud API, ServiceManagedEc2InstanceCapabilities)."""
    most = call.get("maxWorkerCount")
    size: Maybe[int] = NOT_GIVEN if most is None else number(most, "maxWorkerCount")
    config = call.get("configuration")
    runs(call, get(call.get("hostConfiguration"), "scriptBody"), "hostConfiguration.scriptBody")
    if config is not None and not call.struct(config, "configuration"):
        call.not_applicable("the fleet's configuration is empty")
    elif config is not None:
        capabilities(call, config, size, "configuration")
        call.not_applicable("the fleet asks for no accelerator")
    elif call.operation == "UpdateFleet" and most not in (None, 0):
        ids = {key: call.get(key) for key in ("farmId", "fleetId")}
        answer = call.ask("deadline", "GetFleet", **ids)
        if isinstance(answer, Unknown):
            call.unresolved(f"the fleet was not resolved: {answer.reason}", "fleetId", instances=size)
        else:
            capabilities(call, get(answer, "configuration"), size, "fleetId")
    call.not_applicable("the fleet does not grow, or asks for no accelerator")


def capabilities(call: Call, config: Any, size: Maybe[int], where: str) -> None:
    wanted = get(get(config, "serviceManagedEc2"), "instanceCapabilities")
    place = f"{where}.serviceManagedEc2.instanceCapabilities"
    for spot, kind in call.entries(get(wanted, "allowedInstanceTypes"), f"{place}.allowedInstanceTypes"):
        call.instance(kind, size, where=spot)
    chips = get(wanted, "acceleratorCapabilities")
    each = get(get(chips, "count"), "max")
    count = (
        Unknown("how many is not stated") if each is None else number(each, f"{place}.acceleratorCapabilities.count")
    )
    rows = list(call.rows(get(chips, "selections"), f"{place}.acceleratorCapabilities.selections"))
    for spot, row in rows:
        call.accelerator(get(row, "name"), count, where=spot)
    if chips is not None and not rows and each != 0:
        call.accelerator(Unknown("any accelerator"), where=f"{place}.acceleratorCapabilities")


# -- HealthOmics, Image Builder, ParallelComputingService ----------------------------------------------------------


@operation("omics", "StartRun", "StartRunBatch", action=Action.START)
def omics_run(call: Call) -> None:
    """A workflow of one's own says whether it takes accelerators."""
    ident = call.get("workflowId") or get(call.get("defaultRunSetting"), "workflowId")
    answer = call.ask("omics", "GetWorkflow", id=ident) if ident is not None else Unknown("no workflow is named")
    if isinstance(answer, Unknown):
        call.unresolved(f"workflow {str(ident)[:60]} not resolved: {answer.reason}", "workflowId")
    elif get(answer, "accelerators"):
        call.accelerator(Unknown("a GPU of whatever instance HealthOmics takes"), where="workflowId")
    call.not_applicable("the workflow takes no accelerator")


@operation("imagebuilder", "CreateImage", "CreateImagePipeline", "UpdateImagePipeline", "StartImagePipelineExecution")
def image(call: Call) -> None:
    """An image is built on an instance that the infrastructure configuration chooses."""
    arn = call.get("infrastructureConfigurationArn")
    if call.operation == "StartImagePipelineExecution":
        call.action = Action.START
        known = call.ask("imagebuilder", "GetImagePipeline", imagePipelineArn=call.get("imagePipelineArn"))
        if isinstance(known, Unknown):
            call.unresolved(f"the pipeline was not resolved: {known.reason}", "imagePipelineArn", instances=1)
            return
        arn = get(get(known, "imagePipeline"), "infrastructureConfigurationArn")
    if arn is None:
        call.not_applicable("no infrastructure is named")
        return
    answer = call.ask("imagebuilder", "GetInfrastructureConfiguration", infrastructureConfigurationArn=arn)
    if isinstance(answer, Unknown):
        call.unresolved(f"the infrastructure was not resolved: {answer.reason}", "infrastructureConfigurationArn")
        return
    kinds = get(get(answer, "infrastructureConfiguration"), "instanceTypes")
    for place, kind in call.entries(kinds, "infrastructureConfigurationArn"):
        call.instance(kind, 1, where=place)
    call.not_applicable("the infrastructure names no instance type; Image Builder takes a general-purpose one")


@operation("imagebuilder", "RetryImage", action=Action.START)
def built_again(call: Call) -> None:
    answer = call.ask("imagebuilder", "GetImage", imageBuildVersionArn=call.get("imageBuildVersionArn"))
    if isinstance(answer, Unknown):
        call.unresolved(f"the image was not resolved: {answer.reason}", "imageBuildVersionArn", instances=1)
        return
    kinds = get(get(get(answer, "image"), "infrastructureConfiguration"), "instanceTypes")
    for place, kind in call.entries(kinds, "imageBuildVersionArn"):
        call.instance(kind, 1, where=place)
    call.not_applicable("the infrastructure names no instance type; Image Builder takes a general-purpose one")


@operation("imagebuilder", "CreateInfrastructureConfiguration", "UpdateInfrastructureConfiguration")
def infrastructure(call: Call) -> None:
    """Where it names no types, Image Builder takes general-purpose ones."""
    for place, kind in call.entries(call.get("instanceTypes"), "instanceTypes"):
        call.instance(kind, 1, where=place)
    call.not_applicable("no instance type is named")


@operation("pcs", "CreateComputeNodeGroup", "UpdateComputeNodeGroup")
def node_group(call: Call) -> None:
    most = get(call.get("scalingConfiguration"), "maxInstanceCount")
    size: Maybe[int] = NOT_GIVEN if most is None else number(most, "maxInstanceCount")
    for place, row in call.rows(call.get("instanceConfigs"), "instanceConfigs"):
        call.instance(get(row, "instanceType"), size, where=f"{place}.instanceType")
    template = call.get("customLaunchTemplate")
    updated = call.operation == "UpdateComputeNodeGroup"
    if call.items:
        return
    if updated and (most not in (None, 0) or template is not None):
        ids = {"clusterIdentifier": call.get("clusterIdentifier"),
               "computeNodeGroupIdentifier": call.get("computeNodeGroupIdentifier")}  # fmt: skip
        answer = call.ask("pcs", "GetComputeNodeGroup", **ids)
        if isinstance(answer, Unknown):
            call.unresolved(f"the node group was not resolved: {answer.reason}", "computeNodeGroupIdentifier",
                            instances=size)  # fmt: skip
        else:
            for place, row in call.rows(get(get(answer, "computeNodeGroup"), "instanceConfigs"), "instanceConfigs"):
                call.instance(get(row, "instanceType"), size, where=f"computeNodeGroupIdentifier.{place}")
    elif template is not None:
        launched(call, {"LaunchTemplate": template}, size, "customLaunchTemplate")
    call.not_applicable("no instance type is named")


# -- Spark, and products -----------------------------------------------------------------------------------------

_WANTS_GPU = re.compile(r"gpu|rapids|nvidia|neuron|podTemplateFile", re.IGNORECASE)


@operation("emr-containers", "StartJobRun", "CreateJobTemplate", "CreateManagedEndpoint", action=Action.START)
def spark_on_eks(call: Call) -> None:
    """Executors run on nodes that were judged when they were made; a job that asks for GPUs says so in its text."""
    told = {key: call.get(key) for key in ("releaseLabel", "jobDriver", "configurationOverrides", "jobTemplateData")}
    if call.operation == "StartJobRun" and call.get("jobTemplateId") is not None:
        answer = call.ask("emr-containers", "DescribeJobTemplate", id=call.get("jobTemplateId"))
        if isinstance(answer, Unknown):
            call.accelerator(Unknown(f"the job's template was not resolved: {answer.reason}"), where="jobTemplateId")
        else:
            told["jobTemplate"] = answer
    if _WANTS_GPU.search(json.dumps(told, default=str)[:500_000]):
        call.accelerator(Unknown("a GPU of whatever node the executor lands on"), where="jobDriver")
    types_in_text(call, json.dumps(told, default=str)[:200_000], "jobDriver")
    call.not_applicable("the job asks for no GPU")


@operation("emr-serverless", "StartJobRun", "CreateApplication", "UpdateApplication", action=Action.START)
def spark_serverless(call: Call) -> None:
    """Workers have vCPUs, memory and disk, and no accelerators (EMR Serverless API, WorkerResourceConfig)."""
    call.not_applicable("EMR Serverless workers have no accelerators")


@operation("servicecatalog", "ProvisionProduct", "UpdateProvisionedProduct", "CreateProvisionedProductPlan",
           "ExecuteProvisionedProductPlan", "ExecuteProvisionedProductServiceAction")  # fmt: skip
def product(call: Call) -> None:
    """A product's template is its owner's; what the parameters say of instance types is judged beside it."""
    for place, row in call.rows(call.get("ProvisioningParameters"), "ProvisioningParameters"):
        key, value = get(row, "Key"), get(row, "Value")
        named = isinstance(key, str) and re.search(r"instance_?types?$", key, re.IGNORECASE)
        for kind in value.split(",") if isinstance(value, str) else ():
            if named or reads_as_type(kind):
                call.instance(kind.strip(), where=f"{place}.Value")
    call.unknown("what the product makes was not read", "ProductId")


@operation("autoscaling-plans", "CreateScalingPlan", "UpdateScalingPlan", action=Action.SCALE)
def scaling_plan(call: Call) -> None:
    """Bounds for resources that are set up elsewhere. Those of tables and replicas have no accelerators."""
    for place, row in call.rows(call.get("ScalingInstructions"), "ScalingInstructions"):
        space = get(row, "ServiceNamespace")
        if space in ("dynamodb", "rds"):
            continue
        name = str(get(row, "ResourceId"))
        most = number(get(row, "MaxCapacity"), f"{place}.MaxCapacity")
        if space == "autoscaling" and most != 0:
            group = {"AutoScalingGroupName": name.rpartition("/")[2], "MaxSize": get(row, "MaxCapacity")}
            call.nested("autoscaling", "UpdateAutoScalingGroup", group, place)
        elif most != 0:
            call.unresolved(f"what {name[:100]} runs on is set elsewhere", f"{place}.ResourceId", instances=most)
    call.not_applicable("no capacity grows")
