"""anthropic's and openai's own Bedrock clients, which sign outside botocore: the real ones, over a loopback server."""

# ruff: noqa: E501 - a case a line reads best

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.aws.aws_recording import RecordingGate, Refused, connections
from adapters.aws.aws_shown import Answers
from adapters.aws.loopback import loopback
from exportguard import Guard, ProvisioningDenied
from exportguard.adapters.aws.anthropic_sdk.facts import observe
from exportguard.adapters.aws.anthropic_sdk.hook import AnthropicHook
from exportguard.errors import ConfigurationError
from exportguard.vocabulary import CallResult, NotApplicable, ProvisioningRequest, Unknown

anthropic = pytest.importorskip("anthropic")

CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
KEYS = {"aws_access_key": "testing", "aws_secret_key": "testing", "aws_region": "us-east-1", "max_retries": 0}
ASK: dict[str, Any] = {"max_tokens": 7, "messages": [{"role": "user", "content": "a secret prompt"}]}
ANSWER = json.dumps({
    "id": "m", "type": "message", "role": "assistant", "model": "c", "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
}).encode()  # fmt: skip


def names_claude(request: ProvisioningRequest) -> bool:
    return any(isinstance(item.model, str) and "claude" in item.model for item in request.items)


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate(names_claude)


@pytest.fixture
def hook(gate: RecordingGate) -> Iterator[AnthropicHook]:
    hook = AnthropicHook(gate)
    yield hook
    hook.uninstall()


def models(gate: RecordingGate) -> list[Any]:
    return [item.model for seen in gate.seen for item in seen.items]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["AnthropicBedrock", "AnthropicBedrockMantle"])
def test_a_client_made_before_install_is_refused_without_a_connection(gate, hook, kind):
    """Neither a token nor a byte leaves; the exception arrives raw, and once."""
    make = getattr(anthropic, kind, None)
    if make is None:
        pytest.skip(f"this anthropic has no {kind}")
    client = make(**KEYS)
    hook.install()
    with connections() as made, pytest.raises(Refused):
        client.messages.create(model=CLAUDE, **ASK)
    with connections() as more, pytest.raises(Refused):
        client.messages.create(model=CLAUDE, stream=True, **ASK)
    assert made == more == []
    assert models(gate) == [CLAUDE, CLAUDE]
    (seen, _) = gate.seen
    assert isinstance(seen, ProvisioningRequest)
    assert seen.provider == "aws"
    assert [(item.tokens, place.region) for item in seen.items for place in seen.locations] == [(12, "us-east-1")]
    assert "secret" not in repr(seen)


def test_what_is_allowed_is_sent_once_and_settled(hook, gate):
    """An allowed call goes through release and settle once, over its retries, and answers as before."""
    gate.refuses = lambda request: False
    with loopback((200, ANSWER)) as server:
        client = anthropic.AnthropicBedrock(base_url=server.url, **KEYS)
        hook.install()
        assert client.messages.create(model=CLAUDE, **ASK).content[0].text == "hi"
    assert len(server.requests) == len(gate.seen) == len(gate.released) == 1
    assert [result for result, _ in gate.settled] == [CallResult.SUCCEEDED]


def test_retries_are_one_call_and_end_unclear(hook, gate):
    """Three 503s: judged once, released once; nobody knows what the service did."""
    gate.refuses = lambda request: False
    with loopback((503, b"{}")) as server:
        client = anthropic.AnthropicBedrock(base_url=server.url, **{**KEYS, "max_retries": 2})
        hook.install()
        with pytest.raises(anthropic.APIStatusError):
            client.messages.create(model=CLAUDE, **ASK)
    assert len(server.requests) == 3
    assert len(gate.seen) == len(gate.released) == 1
    assert [result for result, _ in gate.settled] == [CallResult.UNCLEAR]


async def test_the_async_client_is_refused_too(hook, gate):
    """Judged off the event loop, with the same answer."""
    client = anthropic.AsyncAnthropicBedrock(**KEYS)
    hook.install()
    with connections() as made, pytest.raises(Refused):
        await client.messages.create(model=CLAUDE, **ASK)
    assert made == []


def test_a_model_put_in_by_the_extra_body_or_a_raw_path_is_seen(hook, gate):
    """The body that is sent counts, whichever argument it came by."""
    client = anthropic.AnthropicBedrock(**KEYS)
    hook.install()
    with connections() as made:
        with pytest.raises(Refused):
            client.messages.create(model="amazon.nova-lite-v1:0", extra_body={"model": CLAUDE}, **ASK)
        with pytest.raises(Refused):
            client.post(f"/model/{CLAUDE}/invoke", body={"max_tokens": 1}, cast_to=object)
    assert made == []


def test_a_header_that_overrides_the_method_is_read(gate, hook):
    """A GET that asks to be taken for a POST is judged as one."""
    hook.install()
    client = anthropic.Anthropic(api_key="k", max_retries=0)
    with connections() as made, pytest.raises(Refused):
        client.delete("/v1/messages", body={"model": CLAUDE, **ASK}, cast_to=object,
                      options={"headers": {"X-HTTP-Method-Override": "POST"}})  # fmt: skip
    assert (made, models(gate)) == ([], [CLAUDE])


def test_an_attached_client_acts_for_its_customer_and_so_do_its_copies(gate, hook):
    """`attach(client, customer=…)` binds one client; another one of the process stays free."""
    client = anthropic.AnthropicBedrock(**KEYS)
    hook.attach(client, customer="cust-7")
    with pytest.raises(Refused):
        client.with_options(timeout=1).messages.create(model=CLAUDE, **ASK)
    assert [origin.customer for origin in gate.origins] == ["cust-7"]
    with pytest.raises(anthropic.APIConnectionError):
        anthropic.AnthropicBedrock(base_url="http://127.0.0.1:9", **KEYS).messages.create(model=CLAUDE, **ASK)
    assert len(gate.seen) == 1
    with pytest.raises(ConfigurationError):
        hook.attach(object())


def test_uninstall_leaves_the_package_as_it_was(gate):
    """The very functions are back, and calls go unjudged."""
    from anthropic._base_client import AsyncAPIClient, BaseClient, SyncAPIClient

    places = [(SyncAPIClient, "request"), (AsyncAPIClient, "request"), (BaseClient, "_build_request")]
    hook = AnthropicHook(gate)
    gc.collect()  # clients that other tests attached a hook to
    hook.uninstall()
    before = [vars(owner)[name] for owner, name in places]
    for _ in range(2):
        hook.install()
        hook.install()
        assert all(vars(owner)[name] is not was for (owner, name), was in zip(places, before, strict=True))
        hook.uninstall()
        assert [vars(owner)[name] for owner, name in places] == before


PROFILE = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"


@pytest.mark.parametrize(
    ("base", "path", "body", "expected"),
    [
        ("https://bedrock-runtime.eu-west-1.amazonaws.com", "/v1/messages", {"model": "us." + CLAUDE},
            ("aws", ["us." + CLAUDE], ["eu-west-1", None])),
        ("https://bedrock-mantle.us-east-1.api.aws/anthropic", "/v1/messages", {"model": "claude-sonnet-4-5"},
            ("aws", ["claude-sonnet-4-5"], ["us-east-1"])),
        ("https://api.anthropic.com", "/v1/messages", {"model": "claude-sonnet-4-5"}, ("anthropic", ["claude-sonnet-4-5"], ["?"])),
        ("https://api.anthropic.com", "/v1/messages/batches", {"requests": [{"params": {"model": "claude-opus-4-1"}}]},
            ("anthropic", ["claude-opus-4-1"], ["?"])),
        ("https://api.anthropic.com", "/v1/messages", {"model": "claude-haiku-4-5", "tools": [{"type": "advisor", "model": "claude-opus-4-1"}]},
            ("anthropic", ["claude-haiku-4-5", "claude-opus-4-1"], ["?"])),
        ("https://api.anthropic.com", "/v1/sessions", {"agent": "agent_1"}, ("anthropic", ["?"], ["?"])),
        ("https://api.anthropic.com", "/v1/files", {}, None),
        ("https://api.anthropic.com", "/v1/messages/count_tokens", {"model": "claude-opus-4-1"}, None),
        ("https://us-east5-aiplatform.googleapis.com/v1", "/v1/messages", {"model": "claude-opus-4-1"},
            ("gcp", ["claude-opus-4-1"], ["us-east5"])),
    ],
)  # fmt: skip
def test_what_a_call_runs_is_read(base, path, body, expected):
    """Model, provider and place by the address; what writes itself is never looked at."""
    seen = observe(base, path, {**body, "messages": [{"content": {"model": "claude-opus-9"}}]})
    if expected is None:
        assert isinstance(seen, NotApplicable)
        return
    assert isinstance(seen, ProvisioningRequest)
    shown = ["?" if isinstance(item.model, Unknown) else item.model for item in seen.items]
    places = ["?" if isinstance(place.region, Unknown) else place.region for place in seen.locations]
    assert (seen.provider, shown, places) == expected


def test_an_arn_is_looked_up_or_unknown():
    """A profile of one's own hides its model from the name, not from the resolver."""
    base = "https://bedrock-runtime.us-east-1.amazonaws.com"
    hidden = observe(base, "/v1/messages", {"model": PROFILE})
    assert isinstance(hidden, ProvisioningRequest)
    assert isinstance(hidden.items[0].model, Unknown)
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}"
    known = observe(base, "/v1/messages", {"model": PROFILE},
                    resolver=Answers({"GetInferenceProfile": {"models": [{"modelArn": arn}]}}))  # fmt: skip
    assert isinstance(known, ProvisioningRequest)
    assert known.items[0].model == CLAUDE


def test_openais_bedrock_client_is_judged_by_the_wrap_of_its_package(gate):
    """openai's clients for Bedrock pass the same function as all others of that package: no connection, one answer."""
    openai = pytest.importorskip("openai")
    if not hasattr(openai, "BedrockOpenAI"):
        pytest.skip("this openai has no Bedrock client")
    from exportguard.adapters.openai.hook import OpenAIHook

    hook = OpenAIHook(gate)
    client = openai.BedrockOpenAI(
        aws_region="us-west-2", aws_access_key_id="t", aws_secret_access_key="t", max_retries=0
    )
    hook.install()
    try:
        with connections() as made, pytest.raises(Refused):
            client.chat.completions.create(model=CLAUDE, messages=[{"role": "user", "content": "hi"}])
    finally:
        hook.uninstall()
    assert made == []
    (seen,) = gate.seen
    assert isinstance(seen, ProvisioningRequest)
    assert (seen.provider, seen.locations[0].region) == ("aws", "us-west-2")


def test_a_guard_denies_and_allows_by_customer():
    """Under the shipped packs: Claude on Bedrock for a party in China is denied, and nothing is connected to."""
    customers = Path(__file__).parents[3] / "examples" / "company_policies" / "customers.yaml"
    with Guard.load(customers=customers, record=None, ledger=None, lists=None,
                    clock=lambda: datetime(2026, 8, 1, tzinfo=UTC)) as guard:  # fmt: skip
        denied = guard.attach(anthropic.AnthropicBedrock(**KEYS), customer="cust-shenzhen")
        with connections() as made, pytest.raises(ProvisioningDenied):
            denied.messages.create(model=CLAUDE, **ASK)
        assert made == []
        guard.install()
        with guard.acting_for("cust-zurich"), loopback((200, ANSWER)) as server:
            client = anthropic.AnthropicBedrock(base_url=server.url, **KEYS)
            assert client.messages.create(model=CLAUDE, **ASK).content[0].text == "hi"
