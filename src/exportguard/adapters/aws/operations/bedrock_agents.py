"""Bedrock agents, flows and knowledge bases: the models they are built with, and those that an invocation names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.generic import named_paths
from exportguard.adapters.aws.operations.models import named_model
from exportguard.vocabulary import Action, Unknown


def models_within(call: Call) -> None:
    """Every model at the paths that the surface knows."""
    for place, value, _ in named_paths(call, "model"):
        if isinstance(value, (str, Unknown)):
            named_model(call, value, place)


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


@operation("bedrock-agent-runtime", "InvokeAgent", action=Action.INVOKE)
def invoke_agent(call: Call) -> None:
    """An agent's model is on the agent; rerankers may be named in the call beside it."""
    ident = call.get("agentId")
    answer = call.ask("bedrock-agent", "GetAgent", agentId=ident)
    resolved(call, answer, [("agent", "foundationModel")], f"agent {str(ident)[:50]}", "agentId")
    models_within(call)


@operation("bedrock-agent-runtime", "InvokeInlineAgent", action=Action.INVOKE)
def invoke_inline_agent(call: Call) -> None:
    named_model(call, call.get("foundationModel"), "foundationModel")
    for place, value, _ in named_paths(call, "model"):
        if place != "foundationModel" and isinstance(value, (str, Unknown)):
            named_model(call, value, place)


@operation("bedrock-agent-runtime", "RetrieveAndGenerate", "RetrieveAndGenerateStream", action=Action.INVOKE)
def retrieve_and_generate(call: Call) -> None:
    models_within(call)
    if not call.items:
        call.model(Unknown("the configuration names no model"), where="retrieveAndGenerateConfiguration")


@operation("bedrock-agent-runtime", "Rerank", "Retrieve", "AgenticRetrieveStream", action=Action.INVOKE)
def retrieve(call: Call) -> None:
    """A plain retrieval runs the embedding model of the knowledge base; a reranker is named in the call."""
    models_within(call)
    if not call.items:
        call.model(Unknown("the knowledge base's model is not named"), where="knowledgeBaseId")


@operation("bedrock-agent-runtime", "InvokeFlow", "StartFlowExecution", action=Action.INVOKE)
def invoke_flow(call: Call) -> None:
    ident = call.get("flowIdentifier")
    alias = call.get("flowAliasIdentifier")
    call.model(
        Unknown(f"the models of flow {str(ident)[:60]} ({str(alias)[:30]}) are not named"), where="flowIdentifier"
    )


@operation(
    "bedrock-agent-runtime", "CreateSession", "UpdateSession", "EndSession", "CreateInvocation", "PutInvocationStep"
)
def sessions(call: Call) -> None:
    call.not_applicable("stores a conversation; no model answers")
