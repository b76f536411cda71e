"""What happens between the judgement and the wire: hooks of the HTTP client, redirects, the client's own transport."""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from openai._base_client import AsyncAPIClient, SyncAPIClient

from adapters.openai.test_openai_client_is_judged import MESSAGES, Loopback, RecordingGate, Refused, guarded, loopback
from exportguard.vocabulary import ProvisioningRequest

__all__ = ["guarded", "loopback"]

HTTP: Any = __import__("openai._base_client", fromlist=["x"])
PACKAGE: Any = getattr(HTTP, "httpx2", None) or HTTP.httpx
"""The HTTP package of this generation of openai."""


def models(seen: Any) -> list[Any]:
    return [item.model for item in seen.items] if isinstance(seen, ProvisioningRequest) else []  # type: ignore[union-attr]


def gpt(seen: Any) -> bool:
    return "gpt-4o" in models(seen)


def rewriting(to: bytes) -> Any:
    def hook(request: Any) -> None:
        request.stream = PACKAGE.ByteStream(to)
        request._content = to
        request.headers["content-length"] = str(len(to))

    return hook


def test_a_hook_of_the_http_client_cannot_change_the_model_unseen(loopback: Loopback, guarded: Any) -> None:
    """A request hook runs after the request was built; what it makes of the body is judged before it is sent."""
    gate: RecordingGate = guarded(gpt)
    http = PACKAGE.Client(event_hooks={"request": [rewriting(b'{"model":"gpt-4o","messages":[]}')]})
    client = OpenAI(api_key="k", base_url=loopback.url, http_client=http, max_retries=0)
    with pytest.raises(Refused):
        client.chat.completions.create(model="llama3", messages=MESSAGES)
    assert loopback.connections == 0
    assert [models(seen) for seen in gate.seen] == [["llama3"], ["gpt-4o"]]


async def test_a_hook_of_an_async_http_client_neither(loopback: Loopback, guarded: Any) -> None:
    """The same on the event loop."""
    guarded(gpt)
    change = rewriting(b'{"model":"gpt-4o","messages":[]}')

    async def hook(request: Any) -> None:
        change(request)

    http = PACKAGE.AsyncClient(event_hooks={"request": [hook]})
    client = AsyncOpenAI(api_key="k", base_url=loopback.url, http_client=http, max_retries=0)
    with pytest.raises(Refused):
        await client.chat.completions.create(model="llama3", messages=MESSAGES)
    assert loopback.connections == 0


@pytest.mark.parametrize("attached", [False, True])
def test_a_redirect_to_another_host_is_judged_again(loopback: Loopback, guarded: Any, attached: bool) -> None:
    """A 307 carries the body elsewhere: the call is asked about again, with the host that it would go to."""
    gate: RecordingGate = guarded() if not attached else RecordingGate()

    def answer(request: Any) -> Any:
        if request.url.host == "localhost":
            return PACKAGE.Response(307, headers={"location": "https://api.openai.com/v1/chat/completions"})
        raise AssertionError("the redirect was followed")

    http = PACKAGE.Client(transport=PACKAGE.MockTransport(answer), follow_redirects=True)
    client = OpenAI(api_key="k", base_url="http://localhost:9/v1", http_client=http, max_retries=0)
    gate.refuse = lambda seen: isinstance(seen, ProvisioningRequest) and seen.provider == "openai"
    if attached:
        from exportguard.adapters.openai.hook import OpenAIHook

        OpenAIHook(gate).attach(client)
    with pytest.raises(Refused):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert len(gate.seen) == 2


def test_a_redirect_of_one_host_is_not_asked_about_twice(loopback: Loopback, guarded: Any) -> None:
    """A slash that a server adds is no new call."""
    gate: RecordingGate = guarded()
    answered: list[str] = []

    def answer(request: Any) -> Any:
        answered.append(str(request.url))
        if len(answered) == 1:
            return PACKAGE.Response(307, headers={"location": str(request.url) + "/"})
        return PACKAGE.Response(200, json={"id": "c", "object": "chat.completion", "choices": [], "model": "m"})

    http = PACKAGE.Client(transport=PACKAGE.MockTransport(answer), follow_redirects=True)
    client = OpenAI(api_key="k", base_url="https://api.openai.com:443/v1", http_client=http, max_retries=0)
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert len(gate.seen) == 1
    assert len(answered) == 2


def test_an_azure_client_is_judged_once_for_a_deployment(loopback: Loopback, guarded: Any) -> None:
    """The client puts the deployment into the URL itself; that changes nothing of what was judged."""
    gate: RecordingGate = guarded(resolver={"prod": "gpt-4o"})
    client = AzureOpenAI(azure_endpoint=loopback.url, api_key="k", api_version="2024-06-01", max_retries=0)
    client.chat.completions.create(model="prod", messages=MESSAGES)
    assert [models(seen) for seen in gate.seen] == [["gpt-4o"]]


def test_a_deployment_named_like_a_model_is_what_the_resolver_says(loopback: Loopback, guarded: Any) -> None:
    """`gpt-35-turbo` is a name that somebody chose: the model behind it counts."""
    gate: RecordingGate = guarded(gpt, resolver={"gpt-35-turbo": "gpt-4o"})
    client = AzureOpenAI(azure_endpoint=loopback.url, api_key="k", api_version="2024-06-01", max_retries=0)
    with pytest.raises(Refused):
        client.chat.completions.create(model="gpt-35-turbo", messages=MESSAGES)
    assert [models(seen) for seen in gate.seen] == [["gpt-4o"]]
    assert loopback.connections == 0


def test_uninstall_gives_the_http_client_its_own_function_back(loopback: Loopback, guarded: Any) -> None:
    """Nothing of the guard stays in the HTTP package."""
    before = PACKAGE.Client.__dict__["_send_single_request"]
    from exportguard.adapters.openai.hook import OpenAIHook

    hook = OpenAIHook(RecordingGate())
    hook.install()
    OpenAI(api_key="k", base_url=loopback.url, max_retries=0).chat.completions.create(model="m", messages=MESSAGES)
    assert PACKAGE.Client.__dict__["_send_single_request"] is not before
    hook.uninstall()
    assert PACKAGE.Client.__dict__["_send_single_request"] is before
    assert not hasattr(SyncAPIClient.request, "__wrapped__")
    assert not hasattr(AsyncAPIClient.request, "__wrapped__")


CALLS: list[Any] = [
    lambda c: c.chat.completions.create(model="m", messages=MESSAGES),
    lambda c: c.embeddings.create(model="m", input="x"),
    lambda c: c.images.generate(model="m", prompt="x"),
    lambda c: c.beta.threads.runs.create("t", assistant_id="a"),
    lambda c: c.batches.create(input_file_id="f", endpoint="/v1/chat/completions", completion_window="24h"),
    lambda c: c.post("/files/../chat/completions", cast_to=object, body={"model": "m"}),
]


@pytest.mark.parametrize("prefix", ["/files", "/projects/p/v1", "/usage", "/connections/c/v1/", "/llm"])
@pytest.mark.parametrize("call", CALLS, ids=["chat", "embeddings", "images", "run", "batch", "dots"])
def test_what_a_gateway_calls_its_own_path_hides_nothing(
    loopback: Loopback, guarded: Any, prefix: str, call: Any
) -> None:
    """A base URL may end with the name of an endpoint that runs no model."""
    gate: RecordingGate = guarded(lambda seen: isinstance(seen, ProvisioningRequest))
    with pytest.raises(Refused):
        call(OpenAI(api_key="k", base_url=loopback.url + prefix, max_retries=0))
    assert (loopback.connections, gate.steps) == (0, ["judge"])


def test_an_upload_through_a_gateway_is_no_model(loopback: Loopback, guarded: Any) -> None:
    """What is everyday stays so below any prefix."""
    guarded(lambda seen: isinstance(seen, ProvisioningRequest))
    client = OpenAI(api_key="k", base_url=f"{loopback.url}/llm/v1", max_retries=0)
    client.files.create(file=("a", b"x"), purpose="batch")
    assert loopback.requests[0][0] == "/llm/v1/files"


OVERRIDES = ("X-HTTP-Method-Override", "x-http-method", "X-METHOD-OVERRIDE")


@pytest.mark.parametrize("where", ["call", "client", "hook"])
def test_a_header_that_overrides_the_method_is_read(loopback: Loopback, guarded: Any, where: str) -> None:
    """A GET that asks to be taken for a POST is judged as one, whoever sets the header."""
    gate: RecordingGate = guarded(lambda seen: isinstance(seen, ProvisioningRequest))
    for header in OVERRIDES:

        def hook(request: Any, name: str = header) -> None:
            request.headers[name] = "POST"

        client = OpenAI(
            api_key="k", base_url=loopback.url, max_retries=0,
            http_client=PACKAGE.Client(event_hooks={"request": [hook]} if where == "hook" else {}),
            default_headers={header: "post"} if where == "client" else {},
        )  # fmt: skip
        options: Any = {"headers": {header: "POST"}} if where == "call" else {}
        with pytest.raises(Refused):
            client.get("/chat/completions", cast_to=object, options=options)
    assert (loopback.connections, len(gate.seen)) == (0, 3)


@pytest.mark.parametrize("where", ["call", "client"])
def test_a_model_in_the_query_is_read_before_the_call_is_built(loopback: Loopback, guarded: Any, where: str) -> None:
    """Both names count, the body's and the query's: which one is served is the gateway's choice."""
    gate: RecordingGate = guarded(gpt)
    client = OpenAI(api_key="k", base_url=loopback.url, default_query={"model": "gpt-4o"} if where == "client" else {})
    with pytest.raises(Refused):
        client.chat.completions.create(
            model="llama3", messages=MESSAGES, extra_query={"model": "gpt-4o"} if where == "call" else {}
        )
    assert [models(seen) for seen in gate.seen] == [["llama3", "gpt-4o"]]
    assert loopback.connections == 0


def test_a_hook_that_leads_an_upload_to_a_model_is_noticed(loopback: Loopback, guarded: Any) -> None:
    """The fields of a form are not read at the wire, but where it goes is."""
    guarded(lambda seen: isinstance(seen, ProvisioningRequest))

    def hook(request: Any) -> None:
        request.url = request.url.copy_with(raw_path=b"/v1/audio/transcriptions")

    http = PACKAGE.Client(event_hooks={"request": [hook]})
    client = OpenAI(api_key="k", base_url=loopback.url, http_client=http, max_retries=0)
    with pytest.raises(Refused):
        client.files.create(file=("a", b"x"), purpose="batch")
    assert loopback.connections == 0


def saying(model: str) -> dict[str, Any]:
    return {"model": model, "messages": MESSAGES}


@pytest.mark.parametrize("made", ["before", "after", "copied", "dropped"])
def test_the_http_client_used_by_itself_is_guarded_too(loopback: Loopback, guarded: Any, made: str) -> None:
    """What it sends to its client's own host is one of that client's calls, judged and settled once."""
    before = OpenAI(api_key="k", base_url=loopback.url, max_retries=0)
    gate: RecordingGate = guarded(gpt)
    client = before if made == "before" else OpenAI(api_key="k", base_url=loopback.url, max_retries=0)
    if made == "copied":
        client = client.with_options(timeout=3)
    http: Any = client._client
    if made == "dropped":
        held = PACKAGE.Client()
        OpenAI(api_key="k", base_url=loopback.url, http_client=held)
        http = held
    with pytest.raises(Refused):
        http.post(f"{loopback.url}/chat/completions", json=saying("gpt-4o"))
    assert loopback.connections == 0
    http.post(f"{loopback.url}/chat/completions", json=saying("llama3"))
    http.get(f"{loopback.url}/models")
    assert gate.steps == ["judge", "judge", "release", "settle"]


async def test_an_async_http_client_used_by_itself_too(loopback: Loopback, guarded: Any) -> None:
    """The same on the event loop."""
    gate: RecordingGate = guarded(gpt)
    client = AsyncOpenAI(api_key="k", base_url=loopback.url, max_retries=0)
    with pytest.raises(Refused):
        await client._client.post(f"{loopback.url}/chat/completions", json=saying("gpt-4o"))
    await client._client.post(f"{loopback.url}/chat/completions", json=saying("llama3"))
    assert gate.steps == ["judge", "judge", "release", "settle"]


def test_what_an_http_client_sends_elsewhere_is_not_a_call_of_a_model(loopback: Loopback, guarded: Any) -> None:
    """A client that is shared with other code is asked about for its openai client's hosts only."""
    gate: RecordingGate = guarded(lambda seen: True)
    http = PACKAGE.Client()
    OpenAI(api_key="k", base_url="https://api.openai.com/v1", http_client=http)
    http.post(f"{loopback.url}/orders", json={"model": "a bicycle"})
    assert gate.seen == []


def test_a_host_header_says_whom_a_call_is_for(loopback: Loopback, guarded: Any) -> None:
    """A name that is a model's own at one host is a deployment's at the other: judged for both."""
    gate: RecordingGate = guarded(lambda seen: "llama3" not in models(seen) or len(models(seen)) > 1)
    client = OpenAI(api_key="k", base_url=loopback.url, max_retries=0)
    with pytest.raises(Refused):
        client.chat.completions.create(model="llama3", messages=MESSAGES, extra_headers={"Host": "a.openai.azure.com"})
    assert loopback.connections == 0
    client.chat.completions.create(model="llama3", messages=MESSAGES, extra_headers={"Host": "gateway.example.com"})
    assert len(gate.seen) >= 2
