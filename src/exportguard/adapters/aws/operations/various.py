"""Operations of other services that need more than the generic walk, each for a reason that is written here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import of_family, runs
from exportguard.adapters.aws.operations.models import named_model
from exportguard.vocabulary import NOT_GIVEN, Action, Transfer, Unknown


@operation("lambda", "Invoke", action=Action.INVOKE)
def invoke_function(call: Call) -> None:
    """A payload that is not read: what a function calls is judged where it calls, under its own role."""
    call.not_applicable("what a function calls is judged where it runs")


PLAIN_DEVICES = frozenset({"STANDARD", "EDGE", "EDGE_C", "EDGE_S", "SNC1_HDD", "SNC1_SSD", "V3_5C", "V3_5S"})
"""Devices without a GPU, by the product's documentation as read; another one is not known."""


@operation("snowball", "CreateJob", "CreateCluster", action=Action.PURCHASE)
def snowball(call: Call) -> None:
    """A device that is shipped. Only the GPU one (`EDGE_CG`) has an accelerator."""
    call.transfer = Transfer.EXPORT
    kind = call.get("SnowballType")
    if kind == "EDGE_CG":
        call.accelerator(Unknown("the GPU of a Snowball Edge Compute Optimized device"), 1, where="SnowballType")
    elif kind is not None and (not isinstance(kind, str) or kind not in PLAIN_DEVICES):
        call.accelerator(Unknown(f"whether the device {str(kind)[:40]} has an accelerator"), 1, where="SnowballType")
    else:
        call.not_applicable("the device has no accelerator")


@operation("outposts", "CreateOrder", action=Action.PURCHASE)
def outposts_order(call: Call) -> None:
    """Racks and servers that go to a site; a catalog item hides what is in them."""
    call.outpost(True)
    for place, row in call.rows(call.get("LineItems"), "LineItems"):
        count = number(get(row, "Quantity"), f"{place}.Quantity")
        call.unresolved(
            f"catalog item {str(get(row, 'CatalogItemId'))[:60]}", f"{place}.CatalogItemId", instances=count
        )
    if not call.items:
        call.unresolved("the order names no item", "LineItems")


@operation("outposts", "StartCapacityTask", action=Action.RESIZE)
def outposts_capacity(call: Call) -> None:
    call.outpost(True)
    for place, row in call.rows(call.get("InstancePools"), "InstancePools"):
        call.instance(
            get(row, "InstanceType"), number(get(row, "Count"), f"{place}.Count"), where=f"{place}.InstanceType"
        )


@operation("savingsplans", "CreateSavingsPlan", action=Action.PURCHASE)
def savings_plan(call: Call) -> None:
    call.not_applicable("a price commitment; nothing is provisioned")


@operation("ram", "CreateResourceShare", "AssociateResourceShare", action=Action.SUBSCRIBE)
def share(call: Call) -> None:
    """Sharing a reservation or a model gives it to another account; sharing a subnet does not."""
    for place, arn in call.entries(call.get("resourceArns"), "resourceArns"):
        if isinstance(arn, Unknown) and call.depth:
            continue  # of the same template, where it is judged itself
        if not isinstance(arn, str):
            call.unknown(f"{place} is not readable", place)
        elif re.search(r":(capacity-reservation|dedicated-host)/", arn):
            call.unresolved(f"what {arn[:150]} reserves is not known", place)
        elif re.search(r":(sagemaker|bedrock):", arn):
            call.model(Unknown(f"what {arn[:150]} holds is not known"), where=place)
    call.not_applicable("neither capacity nor a model is shared")


_PLAIN_BUNDLE = re.compile(
    r"([cmr]_)?(app_standard_)?(nano|micro|small|medium|large|\d*xlarge)(_(win|ipv6))*_\d+_\d+", re.IGNORECASE
)
"""Bundle ids of general, compute- and memory-optimised plans: a size and a version, without a word for a GPU."""


@operation("lightsail", "CreateInstances", "CreateInstancesFromSnapshot")
def lightsail(call: Call) -> None:
    """Bundles hide the type. Those of Lightsail for Research with a GPU say so in their ids."""
    bundle = call.get("bundleId")
    runs(call, call.get("userData"), "userData")
    if isinstance(bundle, str) and _PLAIN_BUNDLE.fullmatch(bundle):
        call.not_applicable("the bundle has no GPU")
    else:
        call.accelerator(Unknown(f"the GPU of bundle {str(bundle)[:60]}"), where="bundleId")


@operation("lambda", "UpdateCapacityProvider", action=Action.SCALE)
def capacity_provider(call: Call) -> None:
    """More instances for functions, of the types that the provider was made with."""
    most = get(call.get("CapacityProviderScalingConfig"), "MaxVCpuCount")
    if most in (None, 0):
        call.not_applicable("the provider does not grow")
        return
    answer = call.ask("lambda", "GetCapacityProvider", CapacityProviderName=call.get("CapacityProviderName"))
    if isinstance(answer, Unknown):
        call.unresolved(f"the provider was not resolved: {answer.reason}", "CapacityProviderName")
        return
    allowed = get(get(get(answer, "CapacityProvider"), "InstanceRequirements"), "AllowedInstanceTypes")
    for place, kind in call.entries(allowed, "CapacityProviderName"):
        of_family(call, kind, Unknown("the provider is sized in vCPUs"), where=place)
    call.not_applicable("the provider names no instance types; Lambda takes general-purpose ones")


@operation("codedeploy", "CreateDeploymentGroup", "UpdateDeploymentGroup")
def deployment_group(call: Call) -> None:
    """A blue and green deployment copies the Auto Scaling groups that it takes over, again for each deployment."""
    from exportguard.adapters.aws.operations import autoscaling

    green = get(call.get("blueGreenDeploymentConfiguration"), "greenFleetProvisioningOption")
    if str(get(green, "action")).strip().upper() == "COPY_AUTO_SCALING_GROUP":
        for place, name in call.entries(call.get("autoScalingGroups"), "autoScalingGroups"):
            autoscaling.existing(call, name, NOT_GIVEN, place)
    call.not_applicable("no Auto Scaling group is copied")


@operation("iotsitewise", "InvokeAssistant", action=Action.INVOKE)
@operation("devops-agent", "SendMessage", action=Action.INVOKE)
@operation("lexv2-models", "GenerateBotElement", "StartBotResourceGeneration", action=Action.INVOKE)
def assistant(call: Call) -> None:
    call.model(Unknown("a model of the service's choice, which nobody names"), where=call.operation)


@operation("iotsitewise", "CreateTask", "UpdateTask")
def container_task(call: Call) -> None:
    """A container on compute of the service's, with or without a GPU."""
    config = call.struct(call.get("taskConfiguration"), "taskConfiguration")
    config = call.struct(get(config, "containerTaskConfiguration"), "taskConfiguration.containerTaskConfiguration")
    kind = get(config, "processingType")
    if kind is not None and str(kind).strip().upper() != "GENERIC_COMPUTE_PROCESSING":
        where = "taskConfiguration.containerTaskConfiguration.processingType"
        call.accelerator(Unknown(f"a GPU that {str(kind)[:60]} stands for"), where=where)
    call.not_applicable("the task asks for no accelerator")


@operation("elasticbeanstalk", "RequestEnvironmentInfo", action=Action.INVOKE)
def analysed(call: Call) -> None:
    """Of the kinds of information, an analysis is written by a model on Bedrock, in the account's name."""
    if str(call.get("InfoType")).strip().lower() == "analyze":
        call.model(Unknown("a model that Beanstalk picks on Bedrock"), where="InfoType")
    call.not_applicable("logs are collected")


@operation("datazone", "StartNotebookRun", action=Action.START, complete=True)
def notebook_run(call: Call) -> None:
    """SageMaker Unified Studio: types are SageMaker's (`ml.…`), or the service's own name for the same (`sc.…`)."""
    kind = get(call.get("computeConfiguration"), "instanceType")
    if kind is None:
        call.unresolved("the run takes the notebook's own compute, which is set elsewhere", "notebookIdentifier")
    else:
        named = f"ml.{kind[3:]}" if isinstance(kind, str) and kind.lower().startswith("sc.") else kind
        call.instance(named, 1, where="computeConfiguration.instanceType")


@operation("quicksight", "CreateActionConnector", "UpdateActionConnector")
def connector(call: Call) -> None:
    """An action may ask a connected service for anything; those of Bedrock answer with a model."""
    kind = call.get("Type")
    if not isinstance(kind, str) and (kind is not None or call.operation.startswith("Create")):
        call.unknown("Type is not readable", "Type")
    elif isinstance(kind, str) and "BEDROCK" in kind.upper():
        call.model(Unknown("whatever model an action asks for"), where="Type")
    call.not_applicable("the connected service is no model's")


@operation("bedrock-agentcore-control", "CreateGatewayTarget", "UpdateGatewayTarget")
def gateway_target(call: Call) -> None:
    """A gateway leads to tools, or passes on what is asked of models: those that it names, else any."""
    config = call.get("targetConfiguration")
    inference = get(config, "inference")
    operations = get(get(inference, "provider"), "operations")
    for place, row in call.rows(operations, "targetConfiguration.inference.provider.operations"):
        for spot, model in call.rows(get(row, "models"), f"{place}.models"):
            named_model(call, get(model, "model"), f"{spot}.model")
    passed_on = get(get(get(config, "http"), "passthrough"), "protocolType") == "INFERENCE"
    if not call.items and (inference is not None or passed_on):
        call.model(Unknown("whatever model is asked for through the gateway"), where="targetConfiguration")
    call.not_applicable("the target is no model")


@operation("mwaa-serverless", "CreateWorkflow", "UpdateWorkflow")
def workflow(call: Call) -> None:
    """A workflow of tasks that call AWS, written in a bucket."""
    if call.get("DefinitionS3Location") is not None:
        call.unknown("the workflow's definition lies in a bucket and was not read", "DefinitionS3Location")
    call.not_applicable("the definition stays")


@operation("evs", "CreateEnvironment", "CreateEnvironmentHost")
def instance_types_by_key(call: Call) -> None:
    from exportguard.adapters.aws.operations.instances_within import named_within

    if isinstance(call.parameters, Mapping):
        for key, value in call.parameters.items():
            named_within(call, {key: value}, "", call.service)
