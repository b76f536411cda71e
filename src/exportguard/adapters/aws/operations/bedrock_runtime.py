"""Bedrock inference: which model is invoked, how many tokens it may write, and where it may be processed."""

from __future__ import annotations

import json
from typing import Any

from exportguard.adapters.aws.call import Call, get, number
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.models import named_model
from exportguard.vocabulary import NOT_GIVEN, Action, Maybe, Unknown

LARGEST_BODY = 262_144
"""Bytes of an InvokeModel body that are parsed for its token limit. Past it the limit is unknown."""

_LIMITS = (
    ("max_tokens",),
    ("max_completion_tokens",),
    ("max_tokens_to_sample",),
    ("max_gen_len",),
    ("maxTokens",),
    ("inferenceConfig", "maxTokens"),
    ("inferenceConfig", "max_new_tokens"),
    ("textGenerationConfig", "maxTokenCount"),
    ("max_new_tokens",),
    ("parameters", "max_new_tokens"),
)
"""Where the models on Bedrock take the most tokens to write (their pages in the Bedrock user guide)."""


def tokens_in(body: Any) -> Maybe[int]:
    """The most tokens that a body asks for. A stream is never consumed, and nothing else of the body is kept."""
    if isinstance(body, (bytes, bytearray, str)) and len(body) <= LARGEST_BODY:
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return NOT_GIVEN
    for path in _LIMITS:
        value = body
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return number(value, ".".join(path))
    return NOT_GIVEN


@operation("bedrock-runtime", "InvokeModel", "InvokeModelWithResponseStream", action=Action.INVOKE, complete=True)
def invoke_model(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId", tokens=tokens_in(call.get("body")))


@operation("bedrock-runtime", "Converse", "ConverseStream", action=Action.INVOKE, complete=True)
def converse(call: Call) -> None:
    limit = get(call.get("inferenceConfig"), "maxTokens")
    tokens = NOT_GIVEN if limit is None else number(limit, "inferenceConfig.maxTokens")
    named_model(call, call.get("modelId"), "modelId", tokens=tokens)


@operation("bedrock-runtime", "InvokeModelWithBidirectionalStream", action=Action.INVOKE, complete=True)
def invoke_stream(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId", tokens=Unknown("a two-way stream has no stated limit"))


@operation("bedrock-runtime", "StartAsyncInvoke", action=Action.INVOKE, complete=True)
def start_async_invoke(call: Call) -> None:
    named_model(call, call.get("modelId"), "modelId", tokens=tokens_in(call.get("modelInput")))


@operation("bedrock-runtime", "CountTokens", action=Action.INVOKE, complete=True)
def count_tokens(call: Call) -> None:
    call.not_applicable("counts tokens; no model answers")


@operation("bedrock-runtime", "ApplyGuardrail", "InvokeGuardrailChecks", action=Action.INVOKE, complete=True)
def apply_guardrail(call: Call) -> None:
    call.not_applicable("checks a text against a guardrail; no model answers")
