"""Bedrock inference: which model is invoked, how many tokens it may write, and where it may be processed."""

from __future__ import annotations

from exportguard.adapters.aws.call import Call
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.models import named_model
from exportguard.adapters.aws.operations.tokens import of_body, of_conversation
from exportguard.vocabulary import Action, Unknown


@operation("bedrock-runtime", "InvokeModel", "InvokeModelWithResponseStream", action=Action.INVOKE, complete=True)
def invoke_model(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId", tokens=of_body(call.get("body"), call.get("modelId")))


@operation("bedrock-runtime", "Converse", "ConverseStream", action=Action.INVOKE, complete=True)
def converse(call: Call) -> None:
    tokens = of_conversation(call.parameters, extra=call.get("additionalModelRequestFields"))
    named_model(call, call.get("modelId"), "modelId", tokens=tokens)


@operation("bedrock-runtime", "InvokeModelWithBidirectionalStream", action=Action.INVOKE, complete=True)
def invoke_stream(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId", tokens=Unknown("a two-way stream has no stated limit"))


@operation("bedrock-runtime", "StartAsyncInvoke", action=Action.INVOKE, complete=True)
def start_async_invoke(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId", tokens=of_body(call.get("modelInput"), call.get("modelId")))


@operation("bedrock-runtime", "CountTokens", action=Action.INVOKE, complete=True)
def count_tokens(call: Call) -> None:
    call.not_applicable("counts tokens; no model answers")


@operation("bedrock-runtime", "ApplyGuardrail", "InvokeGuardrailChecks", action=Action.INVOKE, complete=True)
def apply_guardrail(call: Call) -> None:
    call.not_applicable("checks a text against a guardrail; no model answers")
