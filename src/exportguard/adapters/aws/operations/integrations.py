"""Services that call another one by an address: API Gateway, AppSync, API destinations, and databases in SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.classify import Standing, standing, surface
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.instances_within import named_within
from exportguard.adapters.aws.operations.models import named_model
from exportguard.adapters.aws.operations.template_text import parse
from exportguard.vocabulary import Action, Unknown

_SERVICES = {
    "runtime.sagemaker": "sagemaker-runtime",
    "api.sagemaker": "sagemaker",
    "states": "stepfunctions",
    "elasticmapreduce": "emr",
}
"""Host names that are not botocore's service names."""
_GATEWAY = re.compile(r"arn:[^:]+:apigateway:[^:]*:([^:]+):(path|action)/(.*)", re.DOTALL)
_MODEL_PATH = re.compile(r"/?model/([^/]+)/(invoke|converse)")
_ASKED_BY_PATH = frozenset({
    "ec2", "ecs", "eks", "batch", "emr", "cloudformation", "autoscaling", "omics", "braket", "deadline", "imagebuilder",
    "emr-containers", "scheduler", "pipes", "qbusiness",
})  # fmt: skip
"""Services of which a path, or a query that is mapped at run time, may ask for anything."""
_HOST = re.compile(r"(?:^|\.)((?:bedrock|sagemaker)[a-z-]*|runtime\.sagemaker|ec2|autoscaling|cloudformation)[.-]")


_ELSEWHERE = {
    "api.anthropic.com": "anthropic.claude",
    "api.openai.com": "openai.gpt",
    "openai.azure.com": "openai.gpt",
}
"""Hosts of models outside AWS, and the family that is asked for there."""


def url(call: Call, address: Any, where: str) -> None:
    """A web address: one of a model's own API names the model in its path, or may be given any."""
    if not isinstance(address, str):
        call.unknown(f"{where} is not readable", where)
        return
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        call.unknown(f"{where} is not an address", where)
        return
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        elsewhere = next((model for end, model in _ELSEWHERE.items() if f".{host}".endswith(f".{end}")), None)
        if elsewhere is not None:
            call.model(elsewhere, where=where, name=host[:100])
        return
    found = _HOST.search(host)
    if found is None:
        return
    path = _MODEL_PATH.match(unquote(parts.path))
    if path:
        named_model(call, path[1], where)
    elif found[1].startswith(("bedrock", "runtime", "sagemaker")):
        call.model(Unknown(f"whatever model a request to {host[:100]} names"), where=where)
    else:
        call.unknown(f"whatever a request to {host[:100]} asks for", where)


def gateway(call: Call, uri: Any, where: str) -> None:
    """An API's integration: with another service by an action or a path, with a function, or with an address."""
    if uri is None:
        return
    match = _GATEWAY.fullmatch(uri.strip()) if isinstance(uri, str) else None
    if match is None:
        if not (isinstance(uri, str) and re.match(r"arn:[^:]+:(lambda|elasticloadbalancing|servicediscovery):", uri)):
            url(call, uri, where)
        return
    host, kind, rest = match.groups()
    name = _SERVICES.get(host, host)
    path = _MODEL_PATH.match(unquote(rest)) if kind == "path" else None
    if path:
        named_model(call, path[1], where)
    elif "${" in host:
        call.unknown(f"{where} names no readable service", where)
    elif name.startswith(("bedrock", "sagemaker")):
        call.model(Unknown(f"whatever model a request to {host[:60]} names"), where=where)
    elif (
        kind == "action"
        and name in surface()
        and standing(name, re.split(r"\W", rest, maxsplit=1)[0]) is Standing.SURFACE
    ):
        call.unknown(f"{name}.{rest[:60]} with parameters that are mapped at run time", where)
    elif kind == "path" and name in _ASKED_BY_PATH:
        call.unknown(f"whatever a request to {host[:60]} asks for", where)


@operation("apigateway", "PutIntegration")
def rest_integration(call: Call) -> None:
    if str(call.get("type")).upper() != "MOCK":
        gateway(call, call.get("uri"), "uri")
    call.not_applicable("the integration reaches no accelerator and no model")


@operation("apigateway", "UpdateIntegration")
def changed_integration(call: Call) -> None:
    for place, row in call.rows(call.get("patchOperations"), "patchOperations"):
        if str(get(row, "path")).strip("/ ").lower() == "uri":
            gateway(call, get(row, "value"), place)
    call.not_applicable("the integration reaches no accelerator and no model")


@operation("apigateway", "ImportRestApi", "PutRestApi")
@operation("apigatewayv2", "ImportApi", "ReimportApi")
def described_api(call: Call) -> None:
    """An API by its OpenAPI description, with the integrations written into it."""
    body = call.get("body", "definitionBody")
    if isinstance(body, (bytes, bytearray)):
        body = body.decode("utf-8", "replace")
    document = {} if body is None else body if isinstance(body, Unknown) else parse(body)
    if call.get("bodyS3Location", "definitionUri") is not None:
        document = Unknown("it lies in a bucket")
    if isinstance(document, Unknown):
        call.unknown(f"the description of the API: {document.reason}", "body")
        return
    todo: list[tuple[str, Any, int]] = [("body", document, 0)]
    while todo:
        place, node, depth = todo.pop()
        if depth >= 60:
            call.unknown("the description of the API is nested too deeply to be read", place[:200])
        elif isinstance(node, Mapping):
            for key, entry in node.items():
                if str(key).lower().startswith("x-amazon-apigateway-integration"):
                    _written_integrations(call, entry, f"{place}.{key}")
                else:
                    todo.append((f"{place}.{key}", entry, depth + 1))
        elif isinstance(node, list):
            todo += [(f"{place}[{index}]", entry, depth + 1) for index, entry in enumerate(node)]
    call.not_applicable("the API's integrations reach no accelerator and no model")


def _written_integrations(call: Call, entry: Any, place: str) -> None:
    """One integration, or several by name."""
    rows = [(place, entry)]
    rows += [(f"{place}.{key}", value) for key, value in entry.items()] if isinstance(entry, Mapping) else []
    for spot, row in rows:
        if isinstance(row, Mapping) and get(row, "uri") is not None and str(get(row, "type")).upper() != "MOCK":
            gateway(call, get(row, "uri"), f"{spot}.uri")


@operation("apigatewayv2", "CreateIntegration", "UpdateIntegration")
def http_integration(call: Call) -> None:
    subtype = call.get("IntegrationSubtype")
    if isinstance(subtype, str) and subtype.startswith("StepFunctions-"):
        arn = get(call.get("RequestParameters"), "StateMachineArn")
        call.nested("stepfunctions", "StartExecution", {"stateMachineArn": arn}, "IntegrationSubtype")
    gateway(call, call.get("IntegrationUri"), "IntegrationUri")
    call.not_applicable("the integration reaches no accelerator and no model")


@operation("appsync", "CreateDataSource", "UpdateDataSource")
def data_source(call: Call) -> None:
    """Resolvers choose a model at run time, so a source of models may be asked for any."""
    kind = call.get("type")
    if isinstance(kind, str) and kind.strip().upper() == "AMAZON_BEDROCK_RUNTIME":
        call.model(Unknown("whatever model a resolver names"), where="type")
    elif kind is not None and not isinstance(kind, str):
        call.unknown("type is not readable", "type")
    address = get(call.get("httpConfig"), "endpoint")
    if address is not None:
        url(call, address, "httpConfig.endpoint")
    call.not_applicable("the data source reaches no model")


_IN_CODE = re.compile(
    r"""/model/([^/"'\s]{1,300})/(?:invoke|converse)|modelId["']?\s{0,9}[:=]\s{0,9}["']([^"']{1,300})["']""",
    re.IGNORECASE,
)
_ASKS_IN_CODE = re.compile(r"\b(invokeModel|converse)\s*\(|/model/[^\s]{0,300}/(invoke|converse)", re.IGNORECASE)


@operation("appsync", "CreateResolver", "UpdateResolver", "CreateFunction", "UpdateFunction")
def resolver(call: Call) -> None:
    """What a resolver asks its source of is written in code; of code that lies elsewhere the source is judged alone."""
    for key in ("code", "requestMappingTemplate"):
        text = call.get(key)
        if not isinstance(text, str):
            if text is not None and not isinstance(text, Unknown):
                call.unknown(f"{key} is not readable", key)
            continue
        named = [found[1] or found[2] for found in _IN_CODE.finditer(text[:500_000])]
        for model in dict.fromkeys(named):
            named_model(call, Unknown("put together at run time") if "$" in model else unquote(model), key)
        if not named and _ASKS_IN_CODE.search(text[:500_000]):
            call.model(Unknown("a model that code names at run time"), where=key)
    call.not_applicable("the code asks no model")


@operation("iot", "CreateTopicRule", "ReplaceTopicRule")
def topic_rule(call: Call) -> None:
    """Rules pass messages on; among where to are addresses, with signatures of AWS's, and state machines."""
    payload = call.struct(call.get("topicRulePayload"), "topicRulePayload")
    rows = list(call.rows(get(payload, "actions"), "topicRulePayload.actions"))
    rows += [("topicRulePayload.errorAction", call.struct(get(payload, "errorAction"), "topicRulePayload.errorAction"))]
    for place, row in rows:
        address = get(get(row, "http"), "url")
        if address is not None:
            url(call, address, f"{place}.http.url")
        machine = get(row, "stepFunctions")
        if machine is not None:
            named = {"stateMachineArn": _machine(call, machine)}
            call.nested("stepfunctions", "StartExecution", named, f"{place}.stepFunctions")
    call.not_applicable("no action reaches an accelerator or a model")


def _machine(call: Call, machine: Any) -> Any:
    """The ARN of a state machine in the account of the role that starts it."""
    account = re.match(r"arn:([^:]+):iam::(\d{12}):", str(get(machine, "roleArn")))
    name = get(machine, "stateMachineName")
    return f"arn:{account[1]}:states:{call.region}:{account[2]}:stateMachine:{name}" if account else name


@operation("events", "CreateApiDestination", "UpdateApiDestination")
def api_destination(call: Call) -> None:
    if call.get("InvocationEndpoint") is not None:
        url(call, call.get("InvocationEndpoint"), "InvocationEndpoint")
    call.not_applicable("the destination is no model's")


_CALLS_MODELS = re.compile(
    r"aws_(bedrock|sagemaker|ml)\b|aws_(bedrock|sagemaker)\.|external\s+model|create\s+model"
    r"|external\s.*function.*sagemaker",
    re.I | re.S,
)


@operation("osis", "CreatePipeline", "UpdatePipeline")
def ingestion(call: Call) -> None:
    """OpenSearch Ingestion: a pipeline in YAML, whose `ml_inference` asks Bedrock or SageMaker for each record."""
    body = call.get("PipelineConfigurationBody")
    if body is None or (isinstance(body, str) and not _ASKS_A_MODEL.search(body)):
        call.not_applicable("no processor of the pipeline asks a model")
        return
    document = parse(body)
    if isinstance(document, Mapping):
        named_within(call, document, "PipelineConfigurationBody", "osis")
    if not call.items:
        call.model(Unknown("a model that the pipeline asks for each record"), where="PipelineConfigurationBody")


_ASKS_A_MODEL = re.compile(r"ml_inference|bedrock|sagemaker", re.IGNORECASE)


@operation("rds-data", "ExecuteStatement", "BatchExecuteStatement", action=Action.INVOKE, complete=True)
@operation("redshift-data", "ExecuteStatement", "BatchExecuteStatement", action=Action.INVOKE, complete=True)
@operation("athena", "StartQueryExecution", "CreatePreparedStatement", "UpdatePreparedStatement", "CreateNamedQuery",
           "UpdateNamedQuery", action=Action.INVOKE, complete=True)  # fmt: skip
def sql(call: Call) -> None:
    """Databases that call models from SQL (Aurora and Redshift machine learning)."""
    one, many = call.get("sql", "QueryString", "QueryStatement"), call.get("Sqls")
    texts = [one] if one is not None else []
    texts += many if isinstance(many, (list, tuple)) else [] if many is None else [many]
    if texts and all(isinstance(text, str) and not _CALLS_MODELS.search(text) for text in texts):
        call.not_applicable("the statement calls no model")
    else:
        call.model(Unknown("a model that is called from SQL"), where="sql")
