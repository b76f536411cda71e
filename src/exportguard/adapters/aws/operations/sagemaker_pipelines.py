"""SageMaker, at one remove: pipelines whose steps are the calls of jobs, components, projects, sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.generic import named_paths
from exportguard.adapters.aws.operations.models import hub_model
from exportguard.adapters.aws.operations.sagemaker_serving import containers, of_endpoint, served
from exportguard.adapters.aws.operations.template_text import parse
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

_STEPS = {
    "Training": ("sagemaker", "CreateTrainingJob"),
    "Processing": ("sagemaker", "CreateProcessingJob"),
    "Transform": ("sagemaker", "CreateTransformJob"),
    "Tuning": ("sagemaker", "CreateHyperParameterTuningJob"),
    "Model": ("sagemaker", "CreateModel"),
    "RegisterModel": ("sagemaker", "CreateModelPackage"),
    "AutoML": ("sagemaker", "CreateAutoMLJobV2"),
    "EMR": ("emr", "RunJobFlow"),
    "EMRServerless": ("emr-serverless", "StartJobRun"),
    "EndpointConfig": ("sagemaker", "CreateEndpointConfig"),
    "Endpoint": ("sagemaker", "CreateEndpoint"),
    "QualityCheck": ("sagemaker", "CreateProcessingJob"),
    "ClarifyCheck": ("sagemaker", "CreateProcessingJob"),
}
"""Step types whose arguments are those of a call (SageMaker pipeline definition schema, 2020-12-01)."""
_QUIET = ("Condition", "Fail", "Callback", "Lambda")
_MOST = 5_000


def pipeline(call: Call, text: Any, given: Mapping[str, Any], where: str) -> None:
    """Each step of a definition, in the branches of conditions too, with its parameters filled in."""
    document = parse(text)
    if isinstance(document, Unknown):
        call.unknown(f"{where}: {document.reason}", where)
        return
    values = {**_defaults(document), **given}
    todo = list(call.rows(document.get("Steps"), f"{where}.Steps"))
    if not todo:
        call.unknown(f"{where} has no steps that can be read", where)
    seen = 0
    while todo:
        place, step = todo.pop()
        seen += 1
        if seen > _MOST:
            call.unknown(f"{where} has too many steps to read", where)
            return
        kind, arguments = get(step, "Type"), call.struct(get(step, "Arguments"), f"{place}.Arguments")
        for key in ("IfSteps", "ElseSteps"):
            todo += call.rows(get(arguments, key), f"{place}.{key}")
        known = _STEPS.get(kind) if isinstance(kind, str) else None
        if known is not None:
            wanted = _filled(arguments, values)
            if kind == "EMR":
                wanted = get(get(step, "ClusterConfig") or wanted, "Instances") or {}
                if not wanted:
                    continue  # a step on a cluster that runs already
                wanted = {"Instances": _filled(wanted, values)}
            call.nested(*known, wanted, place)
        elif kind not in _QUIET:
            call.unknown(f"a step of type {str(kind)[:60]} was not read", place)


def _defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rows = document.get("Parameters")
    for row in rows if isinstance(rows, list) else ():
        name = get(row, "Name")
        if isinstance(name, str):
            default = get(row, "DefaultValue")
            found[name] = (
                Unknown(f"parameter {name[:60]} is given when the pipeline runs") if default is None else default
            )
    return found


def _filled(value: Any, given: Mapping[str, Any], depth: int = 0) -> Any:
    """`{"Get": "Parameters.X"}` is the parameter's value; what other steps put out is unknown before they run."""
    if depth > 60:
        return Unknown("nested too deeply to read")
    if isinstance(value, Mapping):
        if len(value) == 1:
            ((key, inner),) = value.items()
            if key == "Get" and isinstance(inner, str):
                name = inner.removeprefix("Parameters.")
                return given.get(name, Unknown(f"{inner[:80]} is known when the pipeline runs"))
            if key == "Std:Join" and isinstance(inner, Mapping):
                parts = _filled(inner.get("Values"), given, depth + 1)
                if isinstance(parts, list) and all(isinstance(part, (str, int, float)) for part in parts):
                    return str(inner.get("On", "")).join(str(part) for part in parts)
                return Unknown("a text that is put together when the pipeline runs")
        return {str(key): _filled(entry, given, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, given, depth + 1) for entry in value]
    return value


@operation("sagemaker", "CreatePipeline", "UpdatePipeline")
def define_pipeline(call: Call) -> None:
    definition = call.get("PipelineDefinition")
    if isinstance(definition, Mapping):  # CloudFormation's spelling
        definition = get(definition, "PipelineDefinitionBody")
    if definition is not None:
        pipeline(call, definition, {}, "PipelineDefinition")
    elif call.get("PipelineDefinitionS3Location") is not None or call.operation == "CreatePipeline":
        call.unknown("the definition lies in a bucket and was not read", "PipelineDefinitionS3Location")
    call.not_applicable("no step runs on an accelerator")


@operation("sagemaker", "StartPipelineExecution", "RetryPipelineExecution", action=Action.START)
def start_pipeline(call: Call) -> None:
    """The pipeline's definition, with the parameters of this execution; they are judged even if it is not found."""
    given: dict[str, Any] = {}
    for place, row in call.rows(call.get("PipelineParameters"), "PipelineParameters"):
        name, value = get(row, "Name"), get(row, "Value")
        if isinstance(name, str):
            given[name] = value
        if isinstance(value, str) and value.strip().lower().startswith("ml."):
            call.instance(value, where=f"{place}.Value")
    if call.operation == "StartPipelineExecution":
        answer = call.ask("sagemaker", "DescribePipeline", PipelineName=call.get("PipelineName"))
    else:
        arn = call.get("PipelineExecutionArn")
        answer = call.ask("sagemaker", "DescribePipelineDefinitionForExecution", PipelineExecutionArn=arn)
    if isinstance(answer, Unknown):
        call.unresolved(f"the pipeline was not resolved: {answer.reason}", "PipelineName")
        return
    pipeline(call, get(answer, "PipelineDefinition"), given, "PipelineName")
    call.not_applicable("no step runs on an accelerator")


@operation("sagemaker", "CreateProject", "UpdateProject")
def project(call: Call) -> None:
    """A project is made from a product or a template that nobody read; other changes only describe it."""
    keys = ("ServiceCatalogProvisioningDetails", "ServiceCatalogProvisioningUpdateDetails", "TemplateProviders",
            "TemplateProvidersToUpdate", "TemplateProviderDetails")  # fmt: skip
    named = next((key for key in keys if call.get(key) is not None), None)
    if named is not None:
        call.unknown("what the project is made from was not read", named)
    call.not_applicable("the project is made from no template")


@operation("sagemaker", "CreateInferenceComponent", "UpdateInferenceComponent")
def component(call: Call) -> None:
    """A model put on an endpoint's instances: an instance type if it names one, else accelerators of the endpoint's."""
    copies = get(call.get("RuntimeConfig"), "CopyCount")
    many: Maybe[int] = NOT_GIVEN if copies is None else number(copies, "RuntimeConfig.CopyCount")
    rows = list(call.rows(call.get("Specifications"), "Specifications"))
    if call.get("Specification") is not None:
        rows.append(("Specification", call.struct(call.get("Specification"), "Specification")))
    for place, row in rows:
        if get(row, "InstanceType") is not None:
            call.instance(get(row, "InstanceType"), many, where=f"{place}.InstanceType")
        else:
            wanted = get(get(row, "ComputeResourceRequirements"), "NumberOfAcceleratorDevicesRequired")
            if wanted not in (None, 0, 0.0):
                _of_components_endpoint(call, many, place)
        if get(row, "ModelName") is not None:
            served(call, get(row, "ModelName"), f"{place}.ModelName")
        elif get(row, "Container") is not None:
            containers(call, {"PrimaryContainer": get(row, "Container")}, place)
    if not rows and copies not in (None, 0):
        _grown(call, many)
    call.not_applicable("the component asks for no accelerator and holds no model that anybody offers")


def _of_components_endpoint(call: Call, many: Maybe[int], place: str) -> None:
    name = call.get("EndpointName")
    if name is None:
        answer = call.ask("sagemaker", "DescribeInferenceComponent",
                          InferenceComponentName=call.get("InferenceComponentName"))  # fmt: skip
        name = None if isinstance(answer, Unknown) else get(answer, "EndpointName")
    before = len(call.items)
    of_endpoint(call, name, place, many)
    if all(isinstance(item.instance_type, Unknown) for item in call.items[before:]):
        call.items[before:] = []
        call.accelerator(Unknown("an accelerator of the endpoint, whose instances were not resolved"), where=place)


@operation("sagemaker", "UpdateInferenceComponentRuntimeConfig", action=Action.SCALE)
def component_copies(call: Call) -> None:
    copies = get(call.get("DesiredRuntimeConfig"), "CopyCount")
    if copies in (None, 0):
        call.not_applicable("no copy is added")
    else:
        _grown(call, number(copies, "DesiredRuntimeConfig.CopyCount"))
        call.not_applicable("the component asks for no accelerator")


def _grown(call: Call, many: Maybe[int]) -> None:
    """More copies of a component that exists."""
    name = call.get("InferenceComponentName")
    answer = call.ask("sagemaker", "DescribeInferenceComponent", InferenceComponentName=name)
    if isinstance(answer, Unknown):
        call.unresolved(f"component {str(name)[:80]} not resolved: {answer.reason}", "InferenceComponentName",
                        instances=many)  # fmt: skip
        return
    needs = get(get(get(answer, "Specification"), "ComputeResourceRequirements"), "NumberOfAcceleratorDevicesRequired")
    if needs not in (None, 0, 0.0):
        of_endpoint(call, get(answer, "EndpointName"), "InferenceComponentName", many)


@operation("sagemaker", "CreateModelPackage", "UpdateModelPackage")
def package(call: Call) -> None:
    """An entry of the registry. Its validation runs jobs; its weights are judged where a model is made of them."""
    profiles = get(call.get("ValidationSpecification"), "ValidationProfiles")
    for place, row in call.rows(profiles, "ValidationSpecification.ValidationProfiles"):
        job = get(row, "TransformJobDefinition")
        if job is not None:
            call.nested("sagemaker", "CreateTransformJob", job, f"{place}.TransformJobDefinition")
    for place, value, _ in named_paths(call, "model"):
        name = value if place.endswith("HubContentName") else hub_model(value)
        if place.endswith(("HubContentName", "HubContentArn")):
            call.model(name or Unknown("what of a hub it holds is not readable"), where=place)
    call.not_applicable("an entry of the model registry; nothing is launched and no model answers")


@operation("sagemaker", "CreateTrainingSession", "CreateJob", action=Action.CUSTOMIZE)
def customize(call: Call) -> None:
    """Customization without instances of one's own: of a base model, named in the call or in the job's document."""
    if call.operation == "CreateTrainingSession":
        base = get(call.get("ModelConfig"), "BaseModelArn")
        call.model(hub_model(base) or Unknown("the base model is not readable"), where="ModelConfig.BaseModelArn")
        return
    from exportguard.adapters.aws.operations.instances_within import named_within

    document = parse(call.get("JobConfigDocument"))
    if isinstance(document, Mapping):
        named_within(call, document, "JobConfigDocument", "sagemaker")
    if not call.items:
        call.model(Unknown("the job's document names no model that can be read"), where="JobConfigDocument")


@operation("sagemaker", "StartInferenceExperiment", action=Action.START)
def start_experiment(call: Call) -> None:
    answer = call.ask("sagemaker", "DescribeInferenceExperiment", Name=call.get("Name"))
    if isinstance(answer, Unknown):
        call.unresolved(f"the experiment was not resolved: {answer.reason}", "Name")
    else:
        call.nested("sagemaker", "CreateInferenceExperiment", answer, "Name")
    call.not_applicable("the experiment runs on no accelerator")
