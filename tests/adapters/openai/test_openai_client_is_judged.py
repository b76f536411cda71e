"""The real openai client over a loopback server: judged before a byte leaves, once, whatever the client is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from openai import APIStatusError, AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from openai._base_client import AsyncAPIClient, BaseClient, SyncAPIClient

from exportguard.adapters.openai.hook import OpenAIHook
from exportguard.vocabulary import CallResult, Judgement, NotApplicable, ProvisioningRequest, Unknown

ANSWER = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [
    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}  # fmt: skip
MESSAGES: Any = [{"role": "user", "content": "hello"}]


class Refused(Exception):
    pass


class RecordingGate:
    """Refuses what *refuse* says, and writes down the order of things."""

    def __init__(self, refuse: Callable[[Any], bool] = lambda seen: False) -> None:
        self.refuse = refuse
        self.seen: list[Any] = []
        self.customers: list[str | None] = []
        self.steps: list[str] = []
        self.results: list[CallResult] = []
        self.threads: list[str] = []

    def judge(self, observe: Any, origin: Any) -> Judgement:
        seen = observe()
        self.seen.append(seen)
        self.customers.append(origin.customer)
        self.threads.append(threading.current_thread().name)
        self.steps.append("judge")
        return Judgement(None, Refused("no") if self.refuse(seen) else None)  # type: ignore[arg-type]

    def release(self, judgement: Judgement) -> None:
        self.steps.append("release")

    def settle(self, judgement: Judgement, result: CallResult, details: Any = None) -> None:
        self.steps.append("settle")
        self.results.append(result)


class Loopback:
    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.connections = 0
        self.statuses: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
                outer.requests.append((self.path, body))
                status = outer.statuses.pop(0) if outer.statuses else 200
                stream = '"stream":true' in body.replace(" ", "")
                if stream:
                    content = b"data: [DONE]\n\n"
                else:
                    content = json.dumps(ANSWER if status == 200 else {"error": {"message": "x"}}).encode()
                self.send_response(status)
                self.send_header("content-type", "text/event-stream" if stream else "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = _answer

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    served = Loopback()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def guarded() -> Iterator[Callable[..., RecordingGate]]:
    hooks: list[OpenAIHook] = []

    def make(refuse: Callable[[Any], bool] = lambda seen: False, **kwargs: Any) -> RecordingGate:
        gate = RecordingGate(refuse)
        hook = OpenAIHook(gate, **kwargs)
        hook.install()
        hooks.append(hook)
        return gate

    yield make
    for hook in hooks:
        hook.uninstall()


def is_request(seen: Any) -> bool:
    return isinstance(seen, ProvisioningRequest)


def test_a_refused_call_makes_no_connection_and_asks_for_no_token(loopback: Loopback, guarded: Any) -> None:
    """A denial arrives raw and once, before a socket or a token."""
    gate = guarded(is_request)
    asked: list[int] = []
    client = AzureOpenAI(
        azure_endpoint=loopback.url, api_version="2024-10-21", azure_ad_token_provider=lambda: asked.append(1) or "t"
    )
    with pytest.raises(Refused):
        client.chat.completions.create(model="prod", messages=MESSAGES)
    assert (loopback.connections, asked, gate.steps) == (0, [], ["judge"])


async def test_a_refused_async_call_makes_no_connection_and_is_judged_off_the_loop(
    loopback: Loopback, guarded: Any
) -> None:
    """The async client's loop is never blocked by a decision."""
    gate = guarded(is_request)
    async with AsyncAzureOpenAI(azure_endpoint=loopback.url, api_version="2024-10-21", api_key="k") as client:
        with pytest.raises(Refused):
            await client.chat.completions.create(model="prod", messages=MESSAGES)
    assert loopback.connections == 0
    assert gate.threads[0] != threading.main_thread().name


def test_an_allowed_call_is_judged_released_and_settled_once(loopback: Loopback, guarded: Any) -> None:
    """Retries of the SDK are one call."""
    gate = guarded()
    loopback.statuses = [503, 200]
    client = OpenAI(base_url=loopback.url + "/v1", api_key="k", max_retries=1)
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=40_000_000)
    assert gate.steps == ["judge", "release", "settle"]
    assert gate.results == [CallResult.SUCCEEDED]
    (item,) = gate.seen[0].items
    assert (item.model, item.tokens) == ("gpt-4o", 40_000_003)
    assert isinstance(gate.seen[0].provider, Unknown)
    assert len(loopback.requests) == 2


@pytest.mark.parametrize(("status", "result"), [(400, CallResult.FAILED), (409, CallResult.UNCLEAR)])
def test_an_answer_that_says_nothing_was_done_gives_back(
    loopback: Loopback, guarded: Any, status: int, result: CallResult
) -> None:
    """A definite 4xx is a failure; a conflict or a time-out is unclear."""
    gate = guarded()
    loopback.statuses = [status]
    with pytest.raises(APIStatusError):
        OpenAI(base_url=loopback.url, api_key="k", max_retries=0).embeddings.create(model="m", input="x")
    assert gate.results == [result]


def test_an_extra_body_cannot_change_the_model_unseen(loopback: Loopback, guarded: Any) -> None:
    """What is judged is what is sent: `extra_body` over the body, fallback lists, nested tools."""
    gate = guarded()
    client = OpenAI(base_url=loopback.url, api_key="k")
    client.chat.completions.create(
        model="gpt-4o", messages=MESSAGES, extra_body={"model": "deepseek-r1", "models": ["qwen-max"]}
    )
    assert {item.model for item in gate.seen[0].items} == {"deepseek-r1", "qwen-max"}
    assert gate.steps.count("judge") == 1


def test_the_deployment_in_the_url_wins_and_hides_the_model(loopback: Loopback, guarded: Any) -> None:
    """`azure_deployment=` decides, and a model's name given to a deployment proves nothing."""
    gate = guarded()
    client = AzureOpenAI(
        azure_endpoint=loopback.url, azure_deployment="gpt-35-turbo", api_version="2024-10-21", api_key="k"
    )
    client.chat.completions.create(model="other", messages=MESSAGES)
    (item,) = gate.seen[0].items
    assert isinstance(item.model, Unknown)
    assert "gpt-35-turbo" in item.model.reason
    assert gate.seen[0].provider == "azure"
    assert loopback.requests[0][0].startswith("/openai/deployments/gpt-35-turbo/chat/completions")


def test_a_resolver_tells_the_model_behind_a_deployment(loopback: Loopback, guarded: Any) -> None:
    """The model, the region and the SKU's reach come from the look-up."""

    class Behind:
        model, sku, location = "gpt-4o", "GlobalStandard", "swedencentral"

    class Knows:
        def deployment(self, host: str, name: str) -> Any:
            return Behind() if name == "prod" else Unknown("no such deployment")

    gate = guarded(resolver=Knows())
    client = AzureOpenAI(azure_endpoint=loopback.url, api_version="2024-10-21", api_key="k")
    client.chat.completions.create(model="prod", messages=MESSAGES)
    seen = gate.seen[0]
    assert seen.items[0].model == "gpt-4o"
    assert [str(place.certainty) for place in seen.locations] == ["declared", "possible"]
    assert seen.locations[0].region == "swedencentral"
    assert gate.steps == ["judge", "release", "settle"]


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.models.list(),
        lambda c: c.files.create(file=b"{}", purpose="batch"),
        lambda c: c.fine_tuning.jobs.cancel("j"),
        lambda c: c.files.delete("f"),
    ],
)
def test_calls_that_run_no_model_are_outside(loopback: Loopback, guarded: Any, call: Any) -> None:
    """Listings, uploads and cancellations pass without a question about parties."""
    gate = guarded(is_request)
    call(OpenAI(base_url=loopback.url, api_key="k"))
    assert all(isinstance(seen, NotApplicable) for seen in gate.seen)
    assert len(loopback.requests) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.responses.create(model="m", input="x"),
        lambda c: c.completions.create(model="m", prompt="x"),
        lambda c: c.embeddings.create(model="m", input="x"),
        lambda c: c.images.generate(model="m", prompt="x"),
        lambda c: c.audio.speech.create(model="m", input="x", voice="alloy"),
        lambda c: c.audio.transcriptions.create(model="m", file=b"x"),
        lambda c: c.fine_tuning.jobs.create(model="m", training_file="f"),
        lambda c: c.batches.create(input_file_id="f", endpoint="/v1/chat/completions", completion_window="24h"),
        lambda c: c.moderations.create(model="m", input="x"),
        lambda c: c.chat.completions.with_raw_response.create(model="m", messages=MESSAGES),
        lambda c: c.chat.completions.create(model="m", messages=MESSAGES, stream=True),
        lambda c: c.with_options(timeout=5).chat.completions.create(model="m", messages=MESSAGES),
        lambda c: c.post("/chat/completions", cast_to=object, body={"model": "m"}),
        lambda c: c.post("/brand_new_endpoint", cast_to=object, body={"model": "m"}),
    ],
)
def test_every_surface_that_runs_a_model_is_refused_before_a_connection(
    loopback: Loopback, guarded: Any, call: Any
) -> None:
    """Whatever the method of the client, and endpoints of a newer SDK."""
    gate = guarded(is_request)
    with pytest.raises(Refused):
        call(OpenAI(base_url=loopback.url, api_key="k"))
    assert (loopback.connections, gate.steps) == (0, ["judge"])


@pytest.mark.parametrize("azure", [False, True])
def test_realtime_is_refused_before_its_socket(loopback: Loopback, guarded: Any, azure: bool) -> None:
    """A web socket runs a model for as long as it is open."""
    gate = guarded(is_request)
    client: Any = (
        AzureOpenAI(azure_endpoint=loopback.url, api_version="v", api_key="k")
        if azure
        else OpenAI(base_url=loopback.url, api_key="k")
    )
    with pytest.raises(Refused), client.realtime.connect(model="m"):
        pass
    assert loopback.connections == 0
    assert isinstance(gate.seen[0].items[0].model, Unknown) is azure


def test_attach_guards_one_client_and_its_copies_only(loopback: Loopback) -> None:
    """Another client is none of its business; the bound customer goes with the copy."""
    gate = RecordingGate(is_request)
    hook = OpenAIHook(gate)
    client = OpenAI(base_url=loopback.url, api_key="k")
    hook.attach(client, customer="cust-1")
    hook.attach(client, customer="cust-17")
    for each in (client, client.with_options(timeout=3), client.copy().with_options(max_retries=0)):
        with pytest.raises(Refused):
            each.responses.create(model="m", input="x")
    assert gate.customers == ["cust-17"] * 3
    OpenAI(base_url=loopback.url, api_key="k").embeddings.create(model="m", input="x")
    assert gate.steps == ["judge"] * 3


def test_install_and_attach_judge_once_and_uninstall_restores(loopback: Loopback) -> None:
    """Twice is once; afterwards the SDK has its very own functions back."""
    before = (SyncAPIClient.request, AsyncAPIClient.request, BaseClient._build_request)
    gate = RecordingGate()
    hook = OpenAIHook(gate)
    hook.install()
    hook.install()
    client = OpenAI(base_url=loopback.url, api_key="k")
    client.embeddings.create(model="m", input="x")
    assert gate.steps == ["judge", "release", "settle"]
    hook.uninstall()
    assert (SyncAPIClient.request, AsyncAPIClient.request, BaseClient._build_request) == before
    client.embeddings.create(model="m", input="x")
    assert len(gate.steps) == 3


def test_two_guards_are_both_asked(loopback: Loopback, guarded: Any) -> None:
    """Any refusal refuses, and what the first guard reserved is given back."""
    first, second = guarded(), guarded(is_request)
    with pytest.raises(Refused):
        OpenAI(base_url=loopback.url, api_key="k").embeddings.create(model="m", input="x")
    assert first.results == [CallResult.FAILED]
    assert second.steps == ["judge"]


def test_a_failure_of_the_guard_refuses(loopback: Loopback, guarded: Any) -> None:
    """An exception in judging or releasing stops the call."""
    gate = guarded()
    gate.release = lambda judgement: 1 / 0
    with pytest.raises(ZeroDivisionError):
        OpenAI(base_url=loopback.url, api_key="k").embeddings.create(model="m", input="x")
    assert loopback.connections == 0


def test_a_request_that_changes_after_the_judgement_is_judged_again(loopback: Loopback, guarded: Any) -> None:
    """A subclass that swaps the model behind the guard is seen when the request is built."""
    gate = guarded(lambda seen: is_request(seen) and seen.items[0].model == "deepseek-r1")

    class Swapping(OpenAI):
        def _prepare_options(self, options: Any) -> Any:
            options.json_data = {**options.json_data, "model": "deepseek-r1"}
            return options

    with pytest.raises(Refused):
        Swapping(base_url=loopback.url, api_key="k").embeddings.create(model="m", input="x")
    assert loopback.connections == 0
    assert gate.results == [CallResult.FAILED]


async def test_async_plain_client_is_settled(loopback: Loopback, guarded: Any) -> None:
    """The async client goes the same way."""
    gate = guarded()
    async with AsyncOpenAI(base_url=loopback.url, api_key="k") as client:
        await client.embeddings.create(model="m", input="x")
    assert gate.steps == ["judge", "release", "settle"]
