"""Call documents of anthropic clients: Bedrock by region, Anthropic itself, other clouds; judged as the live call."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import anthropic
import pytest

from adapters.aws.aws_recording import RecordingGate
from adapters.calls_corpus import differences
from exportguard.adapters.aws.anthropic_sdk.facts import observe_document
from exportguard.adapters.aws.anthropic_sdk.hook import AnthropicHook
from exportguard.errors import DocumentError
from exportguard.judging import observe
from exportguard.vocabulary import AnthropicCall, ProvisioningRequest

CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
ASK = {"max_tokens": 7, "messages": [{"role": "user", "content": "hello"}]}


def test_each_call_is_judged_as_the_corpus_says():
    """A customer in D:5, nobody known, a customer of whom everything is known."""
    assert differences(Path(__file__).parent / "corpus" / "anthropic.jsonl") == []


@pytest.mark.parametrize("bedrock", [True, False])
def test_a_document_is_judged_as_the_live_client_is(bedrock):
    """The same request, by the client and by the document."""
    gate = RecordingGate(lambda request: True)
    hook = AnthropicHook(gate)
    keys = {"aws_region": "us-east-1", "aws_access_key": "a", "aws_secret_key": "s"}
    client = anthropic.AnthropicBedrock(**keys) if bedrock else anthropic.Anthropic(api_key="k")
    hook.attach(client)
    with pytest.raises(Exception, match="no"):
        client.messages.create(model=CLAUDE, **ASK)
    (live,) = gate.seen
    document = AnthropicCall(sdk="anthropic", region="us-east-1" if bedrock else None, body={"model": CLAUDE, **ASK})
    assert observe_document(document) == live


def test_the_time_of_a_document_is_read_for_every_sdk():
    """An instant with a timezone is the request's time; anything else is refused with its place."""
    said = {"time": "2026-01-01T00:00:00Z"}
    documents = [
        {"sdk": "anthropic", "body": {"model": "claude-opus-4-1"}},
        {"sdk": "openai", "base_url": "https://api.openai.com/v1/", "path": "/embeddings", "body": {"model": "gpt-4o"}},
        {"sdk": "boto3", "service": "ec2", "operation": "RunInstances", "parameters": {"InstanceType": "p5.48xlarge"}},
    ]
    for document in documents:
        seen, _ = observe({**document, **said})
        assert isinstance(seen, ProvisioningRequest)
        assert seen.time == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(DocumentError, match="timezone"):
        observe({**documents[0], "time": "2026-01-01T00:00:00"})
