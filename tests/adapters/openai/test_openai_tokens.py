"""What an answer says it used is what the call is settled with: parsed, raw, streamed, sync and async."""

from __future__ import annotations

import asyncio
import gc
import json
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential
from openai import AsyncOpenAI, OpenAI

from adapters.azure.azure_live import Cloud
from adapters.openai.test_openai_client_is_judged import Loopback
from exportguard.adapters.azure.hook import AzureHook
from exportguard.adapters.openai.hook import OpenAIHook
from exportguard.adapters.openai.usage import settle_abandoned
from exportguard.vocabulary import CallResult, Judgement
from exportguard.vocabulary.tokens import tokens_in, tokens_of, used_tokens

MESSAGES: Any = [{"role": "user", "content": "hello"}]
CHAT = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [
    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "usage": {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}}  # fmt: skip
RESPONSE = {"id": "r", "object": "response", "created_at": 0, "model": "m", "status": "completed", "output": [],
            "parallel_tool_calls": False, "tool_choice": "auto", "tools": [],
            "usage": {"input_tokens": 40, "output_tokens": 2, "total_tokens": 42,
                      "input_tokens_details": {"cached_tokens": 0},
                      "output_tokens_details": {"reasoning_tokens": 0}}}  # fmt: skip
EMBEDDING = {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
             "usage": {"prompt_tokens": 42, "total_tokens": 42}}  # fmt: skip


class Settled:
    """A gate that lets everything pass and keeps what calls are settled with."""

    def __init__(self) -> None:
        self.ends: list[tuple[CallResult, Any]] = []

    def judge(self, observe: Any, origin: Any) -> Judgement:
        observe()
        return Judgement(None, None)  # type: ignore[arg-type]

    def release(self, judgement: Judgement) -> None: ...

    def settle(self, judgement: Judgement, result: CallResult, details: Any = None) -> None:
        self.ends.append((result, dict(details or {}).get("tokens")))


class Service(Loopback):
    """Answers every path with what it was given; a stream as its events."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Any] = {"/chat/completions": CHAT, "/responses": RESPONSE, "/embeddings": EMBEDDING}
        outer = self

        def answer(handler: Any) -> None:
            body = json.loads(handler.rfile.read(int(handler.headers.get("content-length") or 0)) or b"{}")
            found = outer.answers[next(path for path in outer.answers if path in handler.path)]
            if body.get("stream"):
                kind, content = "text/event-stream", "".join(f"data: {json.dumps(each)}\n\n" for each in found)
                content += "data: [DONE]\n\n"
            else:
                kind, content = "application/json", json.dumps(found)
            handler.send_response(outer.statuses.pop(0) if outer.statuses else 200)
            handler.send_header("content-type", kind)
            handler.send_header("content-length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content.encode())

        self.server.RequestHandlerClass.do_POST = answer  # type: ignore[attr-defined]


@pytest.fixture
def service() -> Iterator[Service]:
    served = Service()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def gate() -> Iterator[Settled]:
    made = Settled()
    hook = OpenAIHook(made)
    hook.install()
    yield made
    hook.uninstall()


def client(service: Service, **more: Any) -> OpenAI:
    return OpenAI(api_key="k", base_url=f"{service.url}/openai/v1", max_retries=0, **more)


CALLS: dict[str, Callable[[Any], Any]] = {
    "chat": lambda c: c.chat.completions.create(model="m", messages=MESSAGES),
    "responses": lambda c: c.responses.create(model="m", input="x"),
    "embeddings": lambda c: c.embeddings.create(model="m", input="x"),
    "raw": lambda c: c.chat.completions.with_raw_response.create(model="m", messages=MESSAGES),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_answer_says_what_it_used(service: Service, gate: Settled, call: Callable[[Any], Any]) -> None:
    """Sync and async, whatever the endpoint."""
    call(client(service))

    async def later() -> None:
        async with AsyncOpenAI(api_key="k", base_url=f"{service.url}/openai/v1", max_retries=0) as one:
            await call(one)

    asyncio.run(later())
    assert gate.ends == [(CallResult.SUCCEEDED, 42)] * 2


def chunk(**more: Any) -> dict[str, Any]:
    return {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [], **more}


TOLD = {"stream": True, "stream_options": {"include_usage": True}}
CHUNKS = [chunk(choices=[{"index": 0, "delta": {"content": "hi"}}]), chunk(usage=CHAT["usage"])]
EVENTS = [{"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "status": "in_progress"}},
          {"type": "response.completed", "sequence_number": 1, "response": RESPONSE}]  # fmt: skip


def test_a_stream_says_at_its_end_what_it_used(service: Service, gate: Settled) -> None:
    """Nothing is settled before the last event; then once, with what it says."""
    service.answers = {"/chat/completions": CHUNKS, "/responses": EVENTS}
    for stream in (
        client(service).chat.completions.create(model="m", messages=MESSAGES, **TOLD),
        client(service).responses.create(model="m", input="x", stream=True),
    ):
        gate.ends.clear()
        assert next(stream) is not None  # type: ignore[call-overload]
        assert gate.ends == []
        assert len(list(stream)) == 1  # type: ignore[call-overload]
        assert gate.ends == [(CallResult.SUCCEEDED, 42)]


def test_an_async_stream_does_so_too(service: Service, gate: Settled) -> None:
    """Settled off the loop."""
    service.answers = {"/chat/completions": CHUNKS}

    async def later() -> None:
        async with AsyncOpenAI(api_key="k", base_url=f"{service.url}/openai/v1", max_retries=0) as one:
            stream = await one.chat.completions.create(model="m", messages=MESSAGES, **TOLD)
            assert [each async for each in stream]

    asyncio.run(later())
    assert gate.ends == [(CallResult.SUCCEEDED, 42)]


def test_a_stream_that_is_not_read_to_its_end_is_settled_without_a_number(service: Service, gate: Settled) -> None:
    """Dropped, it waits for the next call; broken off, it is settled at once. A part is never taken for the whole."""
    service.answers = {"/chat/completions": CHUNKS, "/embeddings": EMBEDDING}
    one = client(service)
    stream: Any = one.chat.completions.create(model="m", messages=MESSAGES, **TOLD)
    next(stream)
    stream.close()
    del stream
    gc.collect()
    assert gate.ends == []
    one.embeddings.create(model="m", input="x")
    assert gate.ends == [(CallResult.SUCCEEDED, None), (CallResult.SUCCEEDED, 42)]
    settle_abandoned()
    assert len(gate.ends) == 2


def test_an_interrupted_release_gives_back(service: Service, gate: Settled) -> None:
    """It may have reserved already when the interrupt arrived."""

    def interrupted(judgement: Judgement) -> None:
        raise KeyboardInterrupt

    gate.release = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        client(service).embeddings.create(model="m", input="x")
    assert gate.ends == [(CallResult.FAILED, None)]


def test_threads_settle_a_dropped_stream_once_and_none_fails() -> None:
    """One takes the last of them just when another was about to."""
    from exportguard.adapters.openai import usage

    ended: list[int | None] = []

    def end(used: int | None) -> None:
        ended.append(used)
        usage._abandoned.clear()

    class Emptied(deque[Any]):
        def __bool__(self) -> bool:
            return True

    before, usage._abandoned = usage._abandoned, Emptied([(end, None)])
    try:
        settle_abandoned()
    finally:
        usage._abandoned = before
    assert ended == [None]


def test_a_stream_that_does_not_say_is_settled_when_it_opens(service: Service, gate: Settled) -> None:
    """Nobody waits for what will not come."""
    service.answers = {"/chat/completions": CHUNKS[:1]}
    client(service).chat.completions.create(model="m", messages=MESSAGES, stream=True)
    assert gate.ends == [(CallResult.SUCCEEDED, None)]


def test_an_attempt_before_the_answer_may_have_used_some_too(service: Service, gate: Settled) -> None:
    """After a retry the estimate stays."""
    service.statuses = [500, 200]
    OpenAI(api_key="k", base_url=f"{service.url}/openai/v1", max_retries=1).embeddings.create(model="m", input="x")
    assert gate.ends == [(CallResult.SUCCEEDED, None)]


@pytest.mark.parametrize(
    ("answer", "used"),
    [
        ({"usage": {"total_tokens": 7}}, 7),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 7}}, 14),
        ({"usage": {"input_tokens": 5, "output_tokens": 9, "cache_read_input_tokens": 100}}, 114),
        ({"usage": {"prompt_tokens": 5}}, None),
        ({"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}, None),
        ({"usage": {"total_tokens": "7"}}, None),
        ({"usage": {"total_tokens": True}}, None),
        ({"usage": {"total_tokens": -7}}, None),
        ({"usage": None}, None),
        ({"usage": {"total_tokens": 7}, "status": "in_progress"}, None),
        ({"usage": {"total_tokens": 7}, "status": "incomplete"}, 7),
        ("text", None),
    ],
)
def test_what_is_used_is_never_told_too_low(answer: Any, used: int | None) -> None:
    """The larger of a total and its parts; a part alone, or an answer that is not done, says nothing."""
    assert tokens_of(answer) == used
    assert tokens_in(json.dumps(answer).encode()) == used
    assert used_tokens(None) is None
    assert tokens_in(b"{" + b" " * (1 << 21) + b"}") is None


def test_the_inference_client_says_so_as_well() -> None:
    """Read from the answer that its pipeline has; the caller gets the same."""
    gate, cloud = Settled(), Cloud().on("POST", "/chat/completions", 200, CHAT)
    hook = AzureHook(gate, resolver=None)
    hook.install()
    try:
        made: Any = ChatCompletionsClient("https://acct.services.ai.azure.com/models", AzureKeyCredential("k"),
                                          transport=cloud.transport())  # fmt: skip
        assert made.complete(messages=MESSAGES, model="m").usage.total_tokens == 42
    finally:
        hook.uninstall()
    assert gate.ends == [(CallResult.SUCCEEDED, 42)]
