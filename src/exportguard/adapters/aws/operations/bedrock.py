"""Bedrock, acquired: customized, imported, copied, deployed, provisioned, subscribed to."""

from __future__ import annotations

import re
from typing import Any

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.models import named_model
from exportguard.vocabulary import Action, Unknown


@operation("bedrock", "CreateModelCustomizationJob", action=Action.CUSTOMIZE)
def customize(call: Call) -> None:
    named_model(call, call.get("baseModelIdentifier"), "baseModelIdentifier")


@operation("bedrock", "CreateProvisionedModelThroughput", action=Action.RESERVE)
def provision_throughput(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId")


@operation("bedrock", "UpdateProvisionedModelThroughput", action=Action.RESERVE)
def update_throughput(call: Call) -> None:
    """Another model behind the same throughput; a change of name alone is none."""
    if call.get("desiredModelId") is None:
        call.not_applicable("the model stays")
    else:
        named_model(call, call.get("desiredModelId"), "desiredModelId")


@operation("bedrock", "CreateFoundationModelAgreement", action=Action.SUBSCRIBE)
def agree(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId")


@operation("bedrock", "PutUseCaseForModelAccess", action=Action.SUBSCRIBE)
def use_case(call: Call) -> None:
    call.not_applicable("describes a use; access is given by an agreement")


@operation("bedrock", "CreateModelInvocationJob", action=Action.INVOKE)
def batch_job(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId", tokens=Unknown("a batch job's tokens are in its input"))


@operation("bedrock", "CreateModelImportJob", "CreateCustomModel", action=Action.CUSTOMIZE)
def import_model(call: Call) -> None:
    """Weights from a bucket: they may be any model's."""
    source = get(get(call.get("modelDataSource", "modelSourceConfig"), "s3DataSource"), "s3Uri")
    package = get(call.get("modelSourceConfig"), "modelPackageArn")
    origin = source if isinstance(source, str) else package
    label = f" from {origin[:200]}" if isinstance(origin, str) else ""
    call.model(Unknown(f"imported weights{label}"), where="modelDataSource")


@operation("bedrock", "CreateModelCopyJob", action=Action.CUSTOMIZE)
def copy_model(call: Call) -> None:
    """The copy lies in the region of the call; the source ARN names where it comes from."""
    named_model(call, call.get("sourceModelArn"), "sourceModelArn")


@operation("bedrock", "CreateInferenceProfile", action=Action.SUBSCRIBE)
def inference_profile(call: Call) -> None:
    named_model(call, get(call.get("modelSource"), "copyFrom"), "modelSource.copyFrom")


@operation("bedrock", "CreatePromptRouter", action=Action.SUBSCRIBE)
def prompt_router(call: Call) -> None:
    for place, row in call.rows(call.get("models"), "models"):
        named_model(call, get(row, "modelArn"), f"{place}.modelArn")
    if call.get("fallbackModel") is not None:
        named_model(call, get(call.get("fallbackModel"), "modelArn"), "fallbackModel.modelArn")
    if not call.items:
        call.model(Unknown("the router names no model"), where="models")


@operation("bedrock", "CreateCustomModelDeployment", "UpdateCustomModelDeployment")
def deploy(call: Call) -> None:
    named_model(call, call.get("modelArn"), "modelArn")


def _endpoint(call: Call, config: Any) -> None:
    sagemaker = get(config, "sageMaker")
    if sagemaker is not None or call.operation == "CreateMarketplaceModelEndpoint":
        count = get(sagemaker, "initialInstanceCount")
        call.instance(
            get(sagemaker, "instanceType"),
            number(count, "endpointConfig.sageMaker.initialInstanceCount"),
            where="endpointConfig.sageMaker.instanceType",
        )


@operation("bedrock", "CreateMarketplaceModelEndpoint", "UpdateMarketplaceModelEndpoint",
           "RegisterMarketplaceModelEndpoint")  # fmt: skip
def marketplace_endpoint(call: Call) -> None:
    _endpoint(call, call.get("endpointConfig"))
    if call.operation == "UpdateMarketplaceModelEndpoint":
        call.action = Action.RESIZE
        call.not_applicable("neither the endpoint's instances nor its model change")
    else:
        named_model(call, call.get("modelSourceIdentifier"), "modelSourceIdentifier")


_NO_MODELS = re.compile(r":(guardrail|guardrail-profile|automated-reasoning-policy)/")


@operation("bedrock", "PutResourcePolicy")
def share(call: Call) -> None:
    """Who else may use a model. Guardrails answer with none."""
    arn = call.get("resourceArn")
    if isinstance(arn, str) and _NO_MODELS.search(arn):
        call.not_applicable("what is shared is no model")
        return
    named_model(call, call.get("resourceArn"), "resourceArn")
