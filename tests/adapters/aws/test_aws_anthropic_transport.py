"""What happens between an anthropic client and the wire: hooks of its HTTP client, and that client used by itself."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.aws.aws_recording import RecordingGate, Refused
from exportguard.adapters.aws.anthropic_sdk.hook import AnthropicHook

anthropic = pytest.importorskip("anthropic")
HTTP: Any = __import__("anthropic._base_client", fromlist=["x"])
PACKAGE: Any = getattr(HTTP, "httpx2", None) or HTTP.httpx
"""The HTTP package of this generation of anthropic."""

ASK: dict[str, Any] = {"max_tokens": 7, "messages": [{"role": "user", "content": "x"}]}
CLAUDE = b'{"model":"claude-opus-4","max_tokens":7,"messages":[]}'
URL = "https://api.anthropic.com/v1/messages"
MESSAGE = {
    "id": "m", "type": "message", "role": "assistant", "model": "c", "content": [], "stop_reason": "end_turn",
    "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate(lambda request: any("claude" in str(item.model) for item in request.items))


@pytest.fixture
def hook(gate: RecordingGate) -> Iterator[AnthropicHook]:
    hook = AnthropicHook(gate)
    hook.install()
    yield hook
    hook.uninstall()


@pytest.fixture
def sent() -> list[Any]:
    return []


@pytest.fixture
def make(sent: list[Any]) -> Callable[..., Any]:
    """A client over a transport that keeps what would have been sent."""

    def answer(request: Any) -> Any:
        sent.append(request)
        return PACKAGE.Response(200, json=MESSAGE)

    def client(kind: str = "Anthropic", http: str = "Client", **more: Any) -> Any:
        inner = getattr(PACKAGE, http)(transport=PACKAGE.MockTransport(answer), **more)
        return getattr(anthropic, kind)(api_key="k", max_retries=2, http_client=inner)

    return client


def rewriting(request: Any) -> None:
    request.stream = PACKAGE.ByteStream(CLAUDE)
    request._content = CLAUDE
    request.headers["content-length"] = str(len(CLAUDE))


class _Rewriting(PACKAGE.Auth):  # type: ignore[misc, name-defined]
    def auth_flow(self, request: Any) -> Any:
        rewriting(request)
        yield request


@pytest.mark.parametrize("more", [{"event_hooks": {"request": [rewriting]}}, {"auth": _Rewriting()}])
def test_what_the_http_client_makes_of_a_call_is_judged(make, sent, gate, hook, more):
    """It comes after the request was built; the refusal is no broken connection, and arrives once."""
    with pytest.raises(Refused):
        make(**more).messages.create(model="other", **ASK)
    assert sent == []
    assert len(gate.seen) == 2


def test_an_async_client_neither(make, sent, hook):
    """The same on the event loop."""

    async def rewrite(request: Any) -> None:
        rewriting(request)

    async def ask() -> None:
        client = make("AsyncAnthropic", "AsyncClient", event_hooks={"request": [rewrite]})
        await client.messages.create(model="other", **ASK)

    with pytest.raises(Refused):
        asyncio.run(ask())
    assert sent == []


def test_the_http_client_used_by_itself_is_no_way_round(make, sent, hook):
    """Also after its anthropic client is gone, or is given another HTTP client or host."""
    with pytest.raises(Refused):
        make()._client.post(URL, content=CLAUDE)
    alone = make()._client
    gc.collect()
    with pytest.raises(Refused):
        alone.post(URL, content=CLAUDE)
    moved = make()
    moved.base_url = "https://gateway.example"
    with pytest.raises(Refused):
        moved._client.post("https://gateway.example/v1/messages", content=CLAUDE)
    swapped = make()
    swapped._client = make(event_hooks={"request": [rewriting]})._client
    with pytest.raises(Refused):
        swapped.messages.create(model="other", **ASK)

    async def ask() -> None:
        await make("AsyncAnthropic", "AsyncClient")._client.post(URL, content=CLAUDE)

    with pytest.raises(Refused):
        asyncio.run(ask())
    assert sent == []


def test_what_it_sends_elsewhere_is_somebody_elses(make, sent, gate, hook):
    """A token, a web hook: the client's own hosts are what counts."""
    make()._client.post("https://example.com/v1/messages", content=CLAUDE)
    assert len(sent) == 1
    assert gate.seen == []


def test_an_unchanged_call_is_judged_once(make, sent, gate, hook):
    """What leaves is what was judged."""
    make().messages.create(model="other", **ASK)
    asyncio.run(make("AsyncAnthropic", "AsyncClient").messages.create(model="other", **ASK))
    assert (len(sent), len(gate.seen)) == (2, 2)


def test_only_an_attached_client_is_watched(make, sent, gate):
    """And nothing is once the guard is gone."""
    hook, mine = AnthropicHook(gate), make()
    hook.attach(mine)
    with pytest.raises(Refused):
        mine._client.post(URL, content=CLAUDE)
    make()._client.post(URL, content=CLAUDE)
    hook.install()
    later = make()
    hook.uninstall()
    later._client.post(URL, content=CLAUDE)
    later.messages.create(model="claude-opus-4", **ASK)
    assert len(sent) == 3
