"""What a call of a model plans for in tokens: its limit and what it sends; what nobody can tell is unknown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.aws.aws_shown import items
from exportguard.adapters.aws.anthropic_sdk.facts import observe

CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
TEXT = "x" * 396
"""With `user`, 400 bytes: about a hundred tokens."""
SAID = [{"role": "user", "content": [{"text": TEXT}]}]


def planned(operation: str, **parameters: Any) -> str:
    found = items("bedrock-runtime", operation, {"modelId": CLAUDE, **parameters})
    assert found is not None
    (item,) = found
    return item.rpartition(" t")[2]


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"inferenceConfig": {"maxTokens": 50}, "messages": SAID}, "150"),
        ({"inferenceConfig": {"maxTokens": 50}, "messages": SAID, "system": [{"text": "y" * 40}]}, "160"),
        ({"inferenceConfig": {"maxTokens": 50}, "messages": SAID, "toolConfig": {"tools": ["z" * 40]}}, "160"),
        ({"inferenceConfig": {"maxTokens": 50}, "messages": SAID,
          "additionalModelRequestFields": {"max_tokens": 500}}, "600"),
        ({"messages": SAID}, "?"),
        ({"inferenceConfig": {"maxTokens": 50}, "messages": [{"role": "user", "content": [
            {"image": {"format": "png", "source": {"bytes": b"x"}}}]}]}, "?"),
        ({"inferenceConfig": {"maxTokens": 50}, "messages": [{"role": "user", "content": [
            {"document": {"name": "d", "source": {"s3Location": {"uri": "s3://x"}}}}]}]}, "?"),
        ({"inferenceConfig": {"maxTokens": 50}, "modelId": "arn:aws:bedrock:us-east-1:1:prompt/X:1"}, "?"),
        ({"inferenceConfig": {"maxTokens": "many"}, "messages": SAID}, "?"),
        ({"inferenceConfig": {"maxTokens": 10**15}, "messages": SAID}, "?"),
    ],
)  # fmt: skip
def test_a_conversation_counts_what_is_sent_and_what_may_be_answered(operation, parameters, expected):
    """System texts and tools are read by the model too; images and documents come to nobody knows how much."""
    assert planned(operation, **parameters) == expected


@pytest.mark.parametrize("operation", ["InvokeModel", "InvokeModelWithResponseStream"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"max_tokens": 50, "system": "y" * 40, "messages": [{"role": "user", "content": TEXT}]}, "160"),
        ({"prompt": "x" * 400, "max_gen_len": 50}, "150"),
        ({"inputText": "x" * 400, "textGenerationConfig": {"maxTokenCount": 50}}, "150"),
        ({"message": "x" * 400, "chat_history": [{"message": "y" * 40}], "max_tokens": 50}, "160"),
        ({"prompt": "x" * 400, "max_tokens": 50, "num_generations": 5}, "350"),
        ({"messages": [{"role": "user", "content": TEXT}], "max_completion_tokens": 50, "n": 2}, "200"),
        ({"max_tokens": 50, "max_tokens_to_sample": 70, "prompt": "x" * 400}, "170"),
        ({"max_tokens": 50, "messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "?"),
        ({"max_tokens": 50, "messages": [], "tools": [{"type": "web_search_20250305"}]}, "?"),
        ({"messages": [{"role": "user", "content": TEXT}]}, "?"),
        ([], "?"),
    ],
)  # fmt: skip
def test_a_body_of_each_vendors_shape_is_counted(operation, body, expected):
    """Anthropic's, Meta's, Amazon's, Cohere's, OpenAI's: all the text is input, whatever its key."""
    assert planned(operation, body=json.dumps(body)) == expected
    assert planned(operation, body=json.dumps(body).encode()) == expected


@pytest.mark.parametrize(
    ("model", "body", "expected"),
    [
        ("amazon.titan-embed-text-v2:0", {"inputText": "x" * 400}, "100"),
        ("cohere.embed-english-v3", {"texts": ["x" * 200, "x" * 200], "input_type": ""}, "100"),
        ("cohere.rerank-v3-5:0", {"query": "x" * 40, "documents": ["x" * 360]}, "100"),
        ("amazon.titan-embed-image-v1", {"inputText": "x", "image": "aGVsbG8="}, "?"),
        ("amazon.titan-text-express-v1", {"inputText": "x" * 400}, "?"),
        # What somebody calls a throughput of their own says nothing of what it writes.
        ("my-embed-throughput", {"inputText": "x" * 400}, "?"),
        ("arn:aws:bedrock:us-east-1::foundation-model/cohere.embed-english-v3", {"texts": ["x" * 400]}, "100"),
    ],
)
def test_a_model_that_writes_nothing_counts_its_input(model, body, expected):
    """Embeddings and rankings have no limit to state."""
    assert planned("InvokeModel", modelId=model, body=json.dumps(body)) == expected


def test_what_is_not_read_is_unknown():
    """A stream, a long body, a two-way stream, a batch in a bucket."""
    long = json.dumps({"max_tokens": 1, "prompt": "x" * 300_000})
    for operation, given in (
        ("InvokeModel", {"body": object()}),
        ("InvokeModel", {"body": long}),
        ("InvokeModelWithBidirectionalStream", {"body": "{}"}),
        ("StartAsyncInvoke", {"modelInput": {"text": "x"}}),
    ):
        assert planned(operation, **given) == "?"
    for operation, given in (("CreateModelInvocationJob", {}), ("CreateProvisionedModelThroughput", {"modelUnits": 1})):
        found = items("bedrock", operation, {"modelId": CLAUDE, **given})
        assert found == [f"model:{CLAUDE} t?"]


def test_the_anthropic_client_counts_alike():
    """A message, and the requests of a batch together; one that cannot be told makes the batch unknown."""
    message = {"model": "claude-opus-4-1", "max_tokens": 50, "messages": [{"role": "user", "content": TEXT}]}
    for base in ("https://api.anthropic.com", "https://bedrock-runtime.us-east-1.amazonaws.com"):
        seen = observe(base, "/v1/messages", message)
        assert [item.tokens for item in seen.items] == [150]
        batch = {"requests": [{"custom_id": "a", "params": message}, {"custom_id": "b", "params": message}]}
        assert {item.tokens for item in observe(base, "/v1/messages/batches", batch).items} == {300}
        open_ = {"requests": [{"params": message}, {"params": {"model": "claude-opus-4-1", "messages": []}}]}
        (item,) = {item.tokens for item in observe(base, "/v1/messages/batches", open_).items}
        assert not isinstance(item, int)
