"""Bedrock agents, flows, prompts and knowledge bases: the models they are built with, and those that a call names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, plain
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.models import named_model
from exportguard.adapters.aws.operations.template_text import parse, substituted
from exportguard.vocabulary import Action, Unknown

_MODELS = re.compile(r"\w*model(id|arn|identifier)|foundationmodel|promptarn|provisionedthroughput")
_AGENTS = "agentaliasarn"
_MOST = 20_000
_TESTED = "TSTALIASID"
"""The alias that always means the draft."""


def models_within(call: Call, document: Any = None, where: str = "") -> None:
    """Every model, prompt and agent that a key names, however deep: flows nest flows in their loops."""
    todo: list[tuple[str, Any]] = [(where, call.parameters if document is None else document)]
    seen = 0
    while todo:
        place, value = todo.pop()
        seen += 1
        if seen > _MOST:
            call.unknown("too large to read", where)
            return
        if isinstance(value, (list, tuple)):
            todo += [(f"{place}[{index}]", entry) for index, entry in reversed(list(enumerate(value)))]
        elif isinstance(value, Mapping):
            below: list[tuple[str, Any]] = []
            for key, entry in value.items():
                spot = f"{place}.{key}" if place else str(key)
                if not isinstance(key, str) or entry is None:
                    continue
                if _MODELS.fullmatch(plain(key)):
                    if isinstance(entry, (str, Unknown)):
                        named_model(call, entry, spot)
                    else:
                        call.model(Unknown(f"{spot} is not readable"), where=spot)
                elif plain(key) == _AGENTS:
                    alias(call, entry, spot)
                else:
                    below.append((spot, entry))
            todo += reversed(below)


def resolved(call: Call, answer: Any, keys: Iterable[tuple[str, ...]], what: str, where: str) -> None:
    """The model that a look-up names at the first of *keys* it has, or an unknown one."""
    if not isinstance(answer, Unknown):
        for path in keys:
            value = answer
            for key in path:
                value = get(value, key)
            if value is not None:
                named_model(call, value, where)
                return
    reason = answer.reason if isinstance(answer, Unknown) else "it names no model"
    call.model(Unknown(f"{what} not resolved: {reason}"), where=where)


def alias(call: Call, arn: Any, where: str, hops: int = 2) -> None:
    """An agent by the ARN of an alias (`…:agent-alias/AGENT/ALIAS`)."""
    match = re.search(r":agent-alias/([^/]+)/([^/]+)$", arn) if isinstance(arn, str) else None
    if match is None:
        call.model(Unknown(f"agent {str(arn)[:100]} is not named in a readable way"), where=where)
    else:
        agent(call, match[1], match[2], where, hops)


def agent(call: Call, ident: Any, alias_id: Any, where: str, hops: int = 2) -> None:
    """An agent's model, those of its prompts and of agents it works with, in each version that its alias serves."""
    label = f"agent {str(ident)[:50]}"
    answer = call.ask("bedrock-agent", "GetAgent", agentId=ident)
    resolved(call, answer, [("agent", "foundationModel")], label, where)
    if isinstance(answer, Unknown):
        return
    found = [get(answer, "agent")]
    if alias_id not in (None, _TESTED):
        routed = call.ask("bedrock-agent", "GetAgentAlias", agentId=ident, agentAliasId=alias_id)
        for row in () if isinstance(routed, Unknown) else get(get(routed, "agentAlias"), "routingConfiguration") or ():
            version = get(row, "agentVersion")
            served = call.ask("bedrock-agent", "GetAgentVersion", agentId=ident, agentVersion=version)
            resolved(call, served, [("agentVersion", "foundationModel")], f"{label} version {str(version)[:10]}", where)
            if not isinstance(served, Unknown):
                found.append(get(served, "agentVersion"))
    for row in found:
        models_within(call, {"prompts": get(row, "promptOverrideConfiguration")}, where)
        if get(row, "agentCollaboration") in (None, "DISABLED"):
            continue
        version = get(row, "version", "agentVersion") or "DRAFT"
        listed = call.ask("bedrock-agent", "ListAgentCollaborators", agentId=ident, agentVersion=version)
        rows = () if isinstance(listed, Unknown) else get(listed, "agentCollaboratorSummaries") or ()
        for other in rows if hops else ():
            alias(call, get(get(other, "agentDescriptor"), "aliasArn"), where, hops - 1)
        if not rows or not hops:
            call.model(Unknown(f"the agents that {label} works with were not read"), where=where)
    call.items = list(dict.fromkeys(call.items))


@operation("bedrock-agent-runtime", "InvokeAgent", action=Action.INVOKE, complete=True)
def invoke_agent(call: Call) -> None:
    """An agent's model is on the agent; rerankers may be named in the call beside it."""
    agent(call, call.get("agentId"), call.get("agentAliasId"), "agentId")
    models_within(call)


@operation("bedrock-agent-runtime", "InvokeInlineAgent", action=Action.INVOKE, complete=True)
def invoke_inline_agent(call: Call) -> None:
    if call.get("foundationModel") is None:
        call.model(Unknown("the agent names no model"), where="foundationModel")
    models_within(call)


@operation("bedrock-agent-runtime", "RetrieveAndGenerate", "RetrieveAndGenerateStream", action=Action.INVOKE,
           complete=True)  # fmt: skip
def retrieve_and_generate(call: Call) -> None:
    models_within(call)
    if not call.items:
        call.model(Unknown("the configuration names no model"), where="retrieveAndGenerateConfiguration")


def knowledge_base(call: Call, where: str) -> None:
    """The embedding model of a knowledge base."""
    ident = call.get("knowledgeBaseId")
    answer = call.ask("bedrock-agent", "GetKnowledgeBase", knowledgeBaseId=ident)
    if isinstance(answer, Unknown):
        call.model(Unknown(f"knowledge base {str(ident)[:50]} not resolved: {answer.reason}"), where=where)
        return
    config = get(get(answer, "knowledgeBase"), "knowledgeBaseConfiguration")
    models_within(call, {"config": config}, where)
    if not call.items and get(config, "type") == "VECTOR":
        call.model(Unknown("the knowledge base names no embedding model"), where=where)


@operation("bedrock-agent-runtime", "Rerank", "Retrieve", "AgenticRetrieveStream", action=Action.INVOKE, complete=True)
def retrieve(call: Call) -> None:
    """A plain retrieval runs the embedding model of the knowledge base; a reranker is named in the call."""
    models_within(call)
    if not call.items:
        knowledge_base(call, "knowledgeBaseId")
        call.not_applicable("the knowledge base runs no model")


@operation("bedrock-agent", "StartIngestionJob", "IngestKnowledgeBaseDocuments", action=Action.INVOKE, complete=True)
def ingest(call: Call) -> None:
    """Ingestion embeds with the knowledge base's model, and may read documents with the data source's."""
    knowledge_base(call, "knowledgeBaseId")
    ids = {key: call.get(key) for key in ("knowledgeBaseId", "dataSourceId")}
    source = call.ask("bedrock-agent", "GetDataSource", **ids)
    if not isinstance(source, Unknown):
        models_within(call, {"source": get(get(source, "dataSource"), "vectorIngestionConfiguration")}, "dataSourceId")
    elif not any(isinstance(item.model, Unknown) for item in call.items):
        call.model(Unknown(f"the data source was not resolved: {source.reason}"), where="dataSourceId")
    call.not_applicable("neither the knowledge base nor its source runs a model")


@operation("bedrock-agent-runtime", "OptimizePrompt", action=Action.INVOKE, complete=True)
def optimize_prompt(call: Call) -> None:
    named_model(call, call.get("targetModelId"), "targetModelId")


@operation("bedrock-agent-runtime", "InvokeFlow", "StartFlowExecution", action=Action.INVOKE, complete=True)
def invoke_flow(call: Call) -> None:
    """The flow's definition in the versions that its alias serves; the draft's, for the alias that means it."""
    ident, alias_id = call.get("flowIdentifier"), call.get("flowAliasIdentifier")
    answers: list[Any] = []
    if alias_id == _TESTED:
        answers.append(call.ask("bedrock-agent", "GetFlow", flowIdentifier=ident))
    else:
        routed = call.ask("bedrock-agent", "GetFlowAlias", flowIdentifier=ident, aliasIdentifier=alias_id)
        rows = () if isinstance(routed, Unknown) else get(routed, "routingConfiguration") or ()
        answers += [
            call.ask("bedrock-agent", "GetFlowVersion", flowIdentifier=ident, flowVersion=get(row, "flowVersion"))
            for row in rows
        ]
    read = [answer for answer in answers if not isinstance(answer, Unknown)]
    for answer in read:
        models_within(call, {"definition": get(answer, "definition")}, "flowIdentifier")
    if not read or len(read) < len(answers):
        call.model(
            Unknown(f"the models of flow {str(ident)[:60]} ({str(alias_id)[:30]}) are not named"),
            where="flowIdentifier",
        )
    call.not_applicable("no node of the flow runs a model")


@operation("bedrock-agent", "CreateFlow", "UpdateFlow", "CreateAgent", "UpdateAgent", "CreatePrompt", "UpdatePrompt",
           "CreateKnowledgeBase", "UpdateKnowledgeBase", "CreateDataSource", "UpdateDataSource",
           "CreateAgentAlias", "UpdateAgentAlias", "AssociateAgentCollaborator", "UpdateAgentCollaborator",
           complete=True)  # fmt: skip
def define(call: Call) -> None:
    """What is built names its models: of agents, of prompts in the nodes of flows, of parsers and of agents called."""
    models_within(call, _as_named(call), "")
    written = call.get("definitionString")  # CloudFormation's spelling
    document: Any = {} if written is None else parse(substituted(written, call.get("definitionSubstitutions")))
    if call.get("definitionS3Location") is not None:
        document = Unknown("it lies in a bucket")
    if isinstance(document, Unknown):
        call.model(Unknown(f"the flow's definition was not read: {document.reason}"), where="definition")
    else:
        models_within(call, document, "definitionString")
    call.not_applicable("it names no model")


def _as_named(call: Call) -> Any:
    """An associated agent is named by the ARN of its alias under another key."""
    described = call.get("agentDescriptor")
    return {"agentAliasArn": get(described, "aliasArn")} if described is not None else call.parameters


@operation(
    "bedrock-agent-runtime", "CreateSession", "UpdateSession", "EndSession", "CreateInvocation", "PutInvocationStep"
)
def sessions(call: Call) -> None:
    call.not_applicable("stores a conversation; no model answers")
