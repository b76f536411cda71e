"""SageMaker, serving: endpoints and the instances they run on, and the weights in the models behind them.

What a model holds is asked when it is made and when it answers. A configuration that names a model provisions
instances; it adds the model only where a look-up tells its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, most, number, plain, text
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.models import hub_model, jumpstart_model
from exportguard.adapters.aws.operations.sagemaker import cluster, counted
from exportguard.vocabulary import Action, Maybe, Unknown


@operation("sagemaker", "CreateTransformJob")
def transform_job(call: Call) -> None:
    cluster(call, call.get("TransformResources"), "TransformResources")
    if not call.items:
        call.unresolved("the job names no resources", "TransformResources")
    served(call, call.get("ModelName"), "ModelName")


def variants(call: Call, source: Any, dot: str = "") -> None:
    """The production variants of an endpoint configuration."""
    for key in ("ProductionVariants", "ShadowProductionVariants"):
        for place, row in call.rows(get(source, key), f"{dot}{key}"):
            size = counted(row, place)
            if get(row, "InstanceType") is not None:
                call.instance(get(row, "InstanceType"), size, where=f"{place}.InstanceType")
            pools = list(call.rows(get(row, "InstancePools"), f"{place}.InstancePools"))
            for spot, pool in pools:
                call.instance(get(pool, "InstanceType"), size, where=f"{spot}.InstanceType")
            if get(row, "AcceleratorType") is not None:
                call.accelerator(get(row, "AcceleratorType"), size, where=f"{place}.AcceleratorType")
            if get(row, "InstanceType") is None and not pools and get(row, "ServerlessConfig") is None:
                call.unresolved("the variant names no instance type", place, instances=size)
            if get(row, "ModelName") is not None:
                served(call, get(row, "ModelName"), f"{place}.ModelName")


def served(call: Call, name: Any, where: str) -> None:
    """A SageMaker model by its name. It was judged when it was made, so here only what a look-up names is added."""
    if not isinstance(name, str):
        if name is not None:
            call.model(text(name, where), where=where)
        return
    answer = call.ask("sagemaker", "DescribeModel", ModelName=name)
    if not isinstance(answer, Unknown):
        for model, place in _weights(call, answer, where):
            if isinstance(model, str):
                call.model(model, where=place)


_OF_ONES_OWN = re.compile(
    r"\s*(\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/(sagemaker-(xgboost|scikit-learn|sparkml-serving|rl-\w+|clarify-"
    r"processing|model-monitor-analyzer|data-wrangler-container)|sagemaker-base-python|linear-learner|kmeans|pca|lda|ntm|"
    r"knn|factorization-machines|forecasting-deepar|randomcutforest|ipinsights|object2vec|blazingtext|image-"
    r"classification|object-detection|semantic-segmentation|seq2seq|xgboost|autogluon-inference|sagemaker-autogluon-\w+)[:@]"
)
"""AWS's images of algorithms that are trained on one's own tables, texts or pictures: they serve no model that anybody
offers (SageMaker developer guide, "Docker Registry Paths and Example Code")."""


def containers(call: Call, source: Any, where: str = "") -> None:
    """The weights in a model's containers: a hub's model by name, none in an algorithm's image, else unknown."""
    for model, place in _weights(call, source, where):
        if model is not None:
            call.model(model, where=place)


def _weights(call: Call, source: Any, where: str) -> Iterator[tuple[str | Unknown | None, str]]:
    """(model, place) of each container; None where an image holds none that anybody offers."""
    dot = f"{where}." if where else ""
    rows = list(call.rows(get(source, "Containers"), f"{dot}Containers"))
    if get(source, "PrimaryContainer") is not None:
        rows.append((f"{dot}PrimaryContainer", call.struct(get(source, "PrimaryContainer"), f"{dot}PrimaryContainer")))
    for place, row in rows:
        sources = [get(row, "ModelDataSource"), *(v for _, v in call.entries(
            get(row, "AdditionalModelDataSources"), f"{place}.AdditionalModelDataSources"))]  # fmt: skip
        found: set[str] = {
            name
            for data in sources
            if (name := hub_model(get(get(get(data, "S3DataSource"), "HubAccessConfig"), "HubContentArn")))
        }
        image = get(row, "Image")
        found = found or _named_otherwise(row, image)
        for name in sorted(found):
            yield name, place
        if not found and (_loads(row) or not _of_aws(image, get(source, "ExecutionRoleArn"))):
            yield Unknown("weights of one's own, or of a package, which nobody named"), place
    if not rows and get(source, "InferenceExecutionConfig") is None:
        yield Unknown("the model names no container"), where or "PrimaryContainer"


def _of_aws(image: Any, role: Any) -> bool:
    """Whether an image is one of AWS's algorithms: a repository of the same name in one's own account is not."""
    found = _OF_ONES_OWN.match(image) if isinstance(image, str) else None
    own = re.match(r"arn:[^:]+:iam::(\d{12}):", role) if isinstance(role, str) else None
    return found is not None and not (own is not None and own[1] == found[1])


def _loads(row: Any) -> bool:
    """Whether a container is told to fetch a model, which no algorithm's image does, whatever the image is called."""
    told = get(row, "Environment")
    return isinstance(told, Mapping) and any(plain(str(key)) in ("hfmodelid", "optionmodelid") for key in told)


_LOADS_BY_NAME = re.compile(
    r"\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/(huggingface-(pytorch-)?(tgi|tei|inference|vllm)[\w-]*|djl-inference|"
    r"vllm|sglang)[:@]"
)
"""AWS's images that fetch the model which a variable names, where no data is given (AWS Deep Learning Containers)."""
_JUMPSTART = re.compile(r"s3://jumpstart-(private-)?cache-prod-[a-z0-9-]+/(.+)")
"""Buckets of AWS's own with the models of JumpStart, by their names in the path."""


def _named_otherwise(row: Any, image: Any) -> set[str]:
    """The model that a container's data or variables name: JumpStart's by their place, Hugging Face's by their id."""
    where = get(row, "ModelDataUrl") or get(get(get(row, "ModelDataSource"), "S3DataSource"), "S3Uri")
    if where is not None:
        place = _JUMPSTART.fullmatch(where) if isinstance(where, str) else None
        parts = place[2].split("/") if place else []
        return {name for name in map(jumpstart_model, parts) if name is not None}
    named = get(get(row, "Environment"), "HF_MODEL_ID")
    hub = isinstance(named, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", named)
    loads = isinstance(image, str) and _LOADS_BY_NAME.search(image)
    return {named} if hub and loads and get(row, "ModelPackageName") is None else set()


@operation("sagemaker", "CreateModel")
def create_model(call: Call) -> None:
    containers(call, call.parameters)
    call.not_applicable("an algorithm's image, which serves no model that anybody offers")


@operation("sagemaker", "CreateEndpointConfig")
def endpoint_config(call: Call) -> None:
    variants(call, call.parameters)
    if not call.items and not call.get("ProductionVariants"):
        call.unresolved("the configuration has no variants", "ProductionVariants")
    call.not_applicable("serverless variants have no accelerators")


@operation("sagemaker", "CreateEndpoint", "UpdateEndpoint")
def endpoint(call: Call) -> None:
    name = call.get("EndpointConfigName")
    answer = call.ask("sagemaker", "DescribeEndpointConfig", EndpointConfigName=name)
    if isinstance(answer, Unknown):
        call.unresolved(f"endpoint configuration {str(name)[:80]} not resolved: {answer.reason}", "EndpointConfigName")
    else:
        variants(call, answer, "EndpointConfig.")
        if not call.items and not get(answer, "ProductionVariants"):
            call.unresolved("the endpoint configuration has no variants", "EndpointConfigName")
    call.not_applicable("serverless variants have no accelerators")


@operation("sagemaker", "UpdateEndpointWeightsAndCapacities", action=Action.SCALE)
def endpoint_capacity(call: Call) -> None:
    rows = list(call.rows(call.get("DesiredWeightsAndCapacities"), "DesiredWeightsAndCapacities"))
    grow = [number(get(row, "DesiredInstanceCount"), place) for place, row in rows
            if get(row, "DesiredInstanceCount") not in (None, 0)]  # fmt: skip
    if grow:
        of_endpoint(call, call.get("EndpointName"), "EndpointName", most(*grow))
    else:
        call.not_applicable("no capacity grows")


@operation("sagemaker-runtime", "InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream",
           action=Action.INVOKE)  # fmt: skip
def invoke_endpoint(call: Call) -> None:
    """What the endpoint serves, by its configuration and its models; a target model of many is one's own."""
    name = call.get("EndpointName")
    config = _configuration(call, name)
    if isinstance(config, Unknown):
        call.model(
            Unknown(f"what endpoint {str(name)[:80]} serves is not known: {config.reason}"), where="EndpointName"
        )
        return
    served_by = [get(row, "ModelName") for _, row in call.rows(get(config, "ProductionVariants"), "ProductionVariants")]
    if not served_by or None in served_by:
        call.model(Unknown(f"endpoint {str(name)[:80]} serves components that were not read"), where="EndpointName")
    for model in [m for m in served_by if m is not None]:
        answer = call.ask("sagemaker", "DescribeModel", ModelName=model)
        if isinstance(answer, Unknown):
            call.model(Unknown(f"model {str(model)[:80]} not resolved: {answer.reason}"), where="EndpointName")
        else:
            containers(call, answer, "EndpointName")
    call.not_applicable("an algorithm's image, which serves no model that anybody offers")


@operation("sagemaker", "CreateAIBenchmarkJob", action=Action.INVOKE)
def benchmark(call: Call) -> None:
    """Load on an endpoint that exists: what it serves answers."""
    ident = get(get(call.struct(call.get("BenchmarkTarget"), "BenchmarkTarget"), "Endpoint"), "Identifier")
    name = ident.rpartition("/")[2] if isinstance(ident, str) else ident
    call.nested("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": name}, "BenchmarkTarget.Endpoint.Identifier")
    call.not_applicable("an algorithm's image, which serves no model that anybody offers")


def _configuration(call: Call, name: Any) -> Any:
    """The configuration of an endpoint that exists, or why it is unknown."""
    found = call.ask("sagemaker", "DescribeEndpoint", EndpointName=name)
    if isinstance(found, Unknown):
        return found
    return call.ask("sagemaker", "DescribeEndpointConfig", EndpointConfigName=get(found, "EndpointConfigName"))


def of_endpoint(call: Call, name: Any, where: str, size: Maybe[int], *, variant: str | None = None) -> None:
    """More instances of an endpoint that exists, of whatever its configuration names (for one *variant*, if it is
    there)."""
    config = _configuration(call, name)
    found = 0
    if not isinstance(config, Unknown):
        rows = list(call.rows(get(config, "ProductionVariants"), "ProductionVariants"))
        rows = [row for row in rows if get(row[1], "VariantName") == variant] or rows
        for place, row in rows:
            kinds = [get(row, "InstanceType")]
            kinds += [get(pool, "InstanceType") for _, pool in call.rows(get(row, "InstancePools"), place)]
            for kind in kinds:
                if kind is not None:
                    found += 1
                    call.instance(kind, size, where=where)
    if not found:
        reason = config.reason if isinstance(config, Unknown) else "it names no instance type"
        call.unresolved(f"endpoint {str(name)[:80]} not resolved: {reason}", where, instances=size)
