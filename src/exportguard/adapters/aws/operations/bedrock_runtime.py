"""Bedrock inference: which model is invoked, how many tokens it may write, and where it may be processed."""

from __future__ import annotations

import re

from exportguard.adapters.aws.call import Call, plain
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.models import named_model
from exportguard.adapters.aws.operations.tokens import of_body, of_conversation
from exportguard.vocabulary import Action, Maybe, Unknown

_ASKED = frozenset({
    "modelId", "body", "accept", "contentType", "messages", "system", "inferenceConfig", "toolConfig", "trace",
    "guardrailConfig", "guardrailIdentifier", "guardrailVersion", "additionalModelRequestFields", "promptVariables",
    "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "performanceConfigLatency",
    "serviceTier", "outputConfig", "modelInput", "outputDataConfig", "clientRequestToken", "tags",
})  # fmt: skip
"""Parameters that no second look is due to."""


def asked(call: Call, tokens: Maybe[int]) -> None:
    """The model, and whatever another spelling calls one beside it: nobody knows which of them is meant."""
    named_model(call, call.get("modelId"), "modelId", tokens=tokens)
    if not _ASKED.issuperset(call.parameters):
        read = "modelId" if call.parameters.get("modelId") is not None else "ModelId"
        for key, value in call.parameters.items():
            if key not in _ASKED and key != read and isinstance(key, str) and _NAMES_ONE.fullmatch(plain(key)):
                named_model(call, value, key[:100], tokens=tokens)


_NAMES_ONE = re.compile(r"(foundation)?model(id|arn|identifier|name)?|inferenceprofile(id|arn|identifier)?")


@operation("bedrock-runtime", "InvokeModel", "InvokeModelWithResponseStream", action=Action.INVOKE, complete=True)
def invoke_model(call: Call) -> None:
    asked(call, of_body(call.get("body"), call.get("modelId")))


@operation("bedrock-runtime", "Converse", "ConverseStream", action=Action.INVOKE, complete=True)
def converse(call: Call) -> None:
    asked(call, of_conversation(call.parameters, extra=call.get("additionalModelRequestFields")))


@operation("bedrock-runtime", "InvokeModelWithBidirectionalStream", action=Action.INVOKE, complete=True)
def invoke_stream(call: Call) -> None:
    asked(call, Unknown("a two-way stream has no stated limit"))


@operation("bedrock-runtime", "StartAsyncInvoke", action=Action.INVOKE, complete=True)
def start_async_invoke(call: Call) -> None:
    asked(call, of_body(call.get("modelInput"), call.get("modelId")))


@operation("bedrock-runtime", "CountTokens", action=Action.INVOKE, complete=True)
def count_tokens(call: Call) -> None:
    call.not_applicable("counts tokens; no model answers")


@operation("bedrock-runtime", "ApplyGuardrail", "InvokeGuardrailChecks", action=Action.INVOKE, complete=True)
def apply_guardrail(call: Call) -> None:
    call.not_applicable("checks a text against a guardrail; no model answers")
