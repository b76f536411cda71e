"""Real Azure clients over a loopback ARM server: refused before a connection and before a token, judged once."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from azure.core import AsyncPipelineClient, PipelineClient
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline._base import _TransportRunner
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient as AsyncComputeManagementClient

from adapters.azure.azure_must_calls import vm
from exportguard.adapters.azure.hook import AzureHook
from exportguard.errors import ConfigurationError
from exportguard.vocabulary import CallResult, Judgement, NotApplicable, ProvisioningRequest, Unknown

VM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"


class Refused(Exception):
    pass


def names(seen: Any) -> list[Any]:
    found = seen.items if isinstance(seen, ProvisioningRequest) and isinstance(seen.items, tuple) else ()
    return [item.model if item.instance_type is None else item.instance_type for item in found]


class RecordingGate:
    """Refuses an N-series machine, or what cannot be read; writes down the order of things."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.steps: list[str] = []
        self.customers: list[str | None] = []
        self.results: list[CallResult] = []
        self.threads: list[str] = []

    def judge(self, observe: Any, origin: Any) -> Judgement:
        seen = observe()
        self.seen.append(seen)
        self.steps.append("judge")
        self.customers.append(origin.customer)
        self.threads.append(threading.current_thread().name)
        bad = any(isinstance(name, Unknown) or "_ND" in str(name) for name in names(seen))
        return Judgement(None, Refused("no") if bad else None)  # type: ignore[arg-type]

    def release(self, judgement: Judgement) -> None:
        self.steps.append("release")

    def settle(self, judgement: Judgement, result: CallResult, details: Any = None) -> None:
        self.steps.append("settle")
        self.results.append(result)


class CountingCredential:
    def __init__(self) -> None:
        self.asked = 0

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        self.asked += 1
        return AccessToken("token", 9_999_999_999)


class AsyncCountingCredential(CountingCredential):
    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:  # type: ignore[override]
        return super().get_token(*scopes)

    async def close(self) -> None:
        pass

    async def __aexit__(self, *args: Any) -> None:
        pass


class PlainHttp(SansIOHTTPPolicy):  # type: ignore[misc]
    """Lets a bearer token go to the loopback server."""

    def on_request(self, request: Any) -> None:
        request.context.options["enforce_https"] = False


class LoopbackArm:
    """Answers every write with what was sent, and every read with a small machine."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[tuple[str, str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.requests.append((self.command, self.path))
                status, headers = outer.answers.pop(0) if outer.answers else (200, {})
                if self.command == "GET":
                    body = json.dumps(vm("Standard_D2s_v3")).encode()
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = _answer

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def arm() -> Iterator[LoopbackArm]:
    served = LoopbackArm()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def hooked() -> Iterator[Callable[..., tuple[RecordingGate, AzureHook]]]:
    hooks = []

    def make(resolver: Any = None) -> tuple[RecordingGate, AzureHook]:
        gate = RecordingGate()
        hooks.append(AzureHook(gate, resolver=resolver))
        return gate, hooks[-1]

    yield make
    for hook in hooks:
        hook.uninstall()


def compute(arm: LoopbackArm, credential: Any, *policies: Any, **kwargs: Any) -> Any:
    return ComputeManagementClient(
        credential, "s", base_url=arm.url, per_call_policies=[PlainHttp(), *policies],
        credential_scopes=["https://management.azure.com/.default"], **kwargs,
    )  # fmt: skip


def guarded(way: str, arm: LoopbackArm, credential: Any, hook: AzureHook, **kwargs: Any) -> Any:
    """A compute client that is guarded in one of the ways there are."""
    policies = [hook.policy("cust-17")] if "policy" in way else []
    client = compute(arm, credential, *policies, **kwargs)
    if "install" in way:
        hook.install()
    if "attach" in way:
        hook.attach(client, customer="cust-17")
    return client


WAYS = ["policy", "install", "attach", "policy+install", "attach+install", "policy+attach+install"]


@pytest.mark.parametrize("way", WAYS)
def test_a_denied_machine_makes_no_connection_and_asks_for_no_token(arm: LoopbackArm, hooked: Any, way: str) -> None:
    """Whatever way the client is guarded, and however many: one judgement, nothing opened, nothing asked."""
    gate, hook = hooked("auto")
    credential = CountingCredential()
    client = guarded(way, arm, credential, hook)
    with pytest.raises(Refused):
        client.virtual_machines.begin_create_or_update("g", "v", vm())
    assert (arm.connections, credential.asked, gate.steps) == (0, 0, ["judge"])
    assert gate.customers == [None if way == "install" else "cust-17"]


@pytest.mark.parametrize("way", WAYS)
def test_an_allowed_machine_is_judged_released_and_settled_once(arm: LoopbackArm, hooked: Any, way: str) -> None:
    """Retries, pollers and result reads are one call."""
    gate, hook = hooked()
    arm.answers = [(503, {"retry-after": "0"}), (201, {})]
    client = guarded(way, arm, CountingCredential(), hook)
    poller = client.virtual_machines.begin_create_or_update("g", "v", vm("Standard_D2s_v3"), polling_interval=0)
    poller.result()
    assert gate.steps == ["judge", "release", "settle"]
    assert gate.results == [CallResult.SUCCEEDED]
    assert [method for method, _ in arm.requests][:2] == ["PUT", "PUT"]


@pytest.mark.parametrize("way", ["policy", "install", "attach"])
async def test_the_async_client_is_judged_off_the_loop(arm: LoopbackArm, hooked: Any, way: str) -> None:
    """The loop is never blocked; a denial opens nothing; an allowed call is settled."""
    gate, hook = hooked()
    credential = AsyncCountingCredential()
    policies = [PlainHttp(), *([hook.policy()] if way == "policy" else [])]
    client = AsyncComputeManagementClient(
        credential, "s", base_url=arm.url, per_call_policies=policies,
        credential_scopes=["https://management.azure.com/.default"],
    )  # fmt: skip
    if way == "install":
        hook.install()
    if way == "attach":
        hook.attach(client)
    async with client:
        with pytest.raises(Refused):
            await client.virtual_machines.begin_create_or_update("g", "v", vm())
        assert (arm.connections, credential.asked, gate.steps) == (0, 0, ["judge"])
        assert threading.main_thread().name not in gate.threads
        await client.virtual_machines.begin_create_or_update("g", "v", vm("Standard_D2s_v3"))
    assert gate.steps == ["judge", "judge", "release", "settle"]


async def test_the_async_resolver_reads_through_the_clients_own_pipeline(arm: LoopbackArm, hooked: Any) -> None:
    """A started machine's size is looked up without blocking the loop that has to do it."""
    gate, hook = hooked("auto")
    client = AsyncComputeManagementClient(
        AsyncCountingCredential(), "s", base_url=arm.url, per_call_policies=[PlainHttp(), hook.policy()],
        credential_scopes=["https://management.azure.com/.default"],
    )  # fmt: skip
    async with client:
        await asyncio.wait_for(client.virtual_machines.begin_start("g", "v"), 20)
    assert names(gate.seen[0]) == ["Standard_D2s_v3"]


@pytest.mark.parametrize("way", ["policy", "install", "attach"])
def test_what_a_call_only_names_is_looked_up_with_the_clients_credential(
    arm: LoopbackArm, hooked: Any, way: str
) -> None:
    """`resolver="auto"`: start, and a resize without a location, are read through the same pipeline, by GET only."""
    gate, hook = hooked("auto")
    client = guarded(way, arm, CountingCredential(), hook)
    client.virtual_machines.begin_start("g", "v")
    assert names(gate.seen[0]) == ["Standard_D2s_v3"]
    assert gate.seen[0].locations[0].region == "westeurope"
    assert arm.requests[0][0] == "GET"
    client.virtual_machines.begin_update("g", "v", {"properties": vm("Standard_D4s_v3")["properties"]})
    assert gate.seen[1].locations[0].region == "westeurope"


def test_a_start_that_nobody_can_look_up_is_unknown(arm: LoopbackArm, hooked: Any) -> None:
    """A failing look-up is an unknown item, never none."""
    gate, hook = hooked("auto")
    arm.answers = [(404, {})]
    with pytest.raises(Refused):
        guarded("attach", arm, CountingCredential(), hook).virtual_machines.begin_start("g", "v")
    assert isinstance(names(gate.seen[0])[0], Unknown)
    assert [method for method, _ in arm.requests] == ["GET"]


def test_cognitive_services_deployments_are_judged(arm: LoopbackArm, hooked: Any) -> None:
    """Another client generation, without a location."""
    gate, hook = hooked()
    client = CognitiveServicesManagementClient(
        CountingCredential(), "s", base_url=arm.url, per_call_policies=[PlainHttp(), hook.policy()],
        credential_scopes=["https://management.azure.com/.default"],
    )  # fmt: skip
    body = {"sku": {"name": "Standard"}, "properties": {"model": {"name": "gpt-4o", "format": "OpenAI"}}}
    client.deployments.begin_create_or_update("g", "acct", "prod", body)
    assert names(gate.seen[0]) == ["gpt-4o"]


def test_a_client_without_policies_and_with_its_own_transport_is_caught(arm: LoopbackArm, hooked: Any) -> None:
    """`policies=[]` and a custom transport are no way round an installed guard, nor is an existing client."""
    gate, hook = hooked()
    client: Any = PipelineClient(arm.url, policies=[])
    hook.install()
    with pytest.raises(Refused):
        client.send_request(HttpRequest("PUT", VM, json=vm()))
    assert arm.connections == 0
    assert len(gate.seen) == 1


class Changing(SansIOHTTPPolicy):  # type: ignore[misc]
    """A policy after the guard's that turns the call into another one."""

    def __init__(self, **change: Any) -> None:
        self.change = change

    def on_request(self, request: Any) -> None:
        for name, value in self.change.items():
            if name == "body":
                # The older request class has the body as a public attribute.
                setattr(request.http_request, "_data" if hasattr(request.http_request, "_data") else "data", value)
            else:
                setattr(request.http_request, name, value)


@pytest.mark.parametrize("way", ["policy", "install", "attach"])
@pytest.mark.parametrize("change", [{"body": json.dumps(vm())}, {"url": "scale set"}])
def test_a_call_that_is_changed_after_the_judgement_is_judged_again(
    arm: LoopbackArm, hooked: Any, way: str, change: dict[str, str]
) -> None:
    """At the transport it is compared with what was judged; what was reserved is given back."""
    gate, hook = hooked()
    if "url" in change:
        change = {"url": arm.url + VM.replace("virtualMachines", "virtualMachineScaleSets")}
    client = guarded(way, arm, CountingCredential(), hook, per_retry_policies=[Changing(**change)])
    with pytest.raises(Refused):
        client.virtual_machines.begin_create_or_update("g", "v", vm("Standard_D2s_v3"))
    assert arm.connections == 0
    assert gate.steps == ["judge", "release", "judge", "settle"]
    assert gate.results == [CallResult.FAILED]


def test_a_read_that_becomes_a_write_is_judged(arm: LoopbackArm, hooked: Any) -> None:
    """An installed guard sees a GET that a policy turns into a PUT."""
    gate, hook = hooked()
    hook.install()
    change = Changing(method="PUT", body=json.dumps(vm()))
    client = compute(arm, CountingCredential(), per_retry_policies=[change])
    with pytest.raises(Refused):
        client.virtual_machines.get("g", "v")
    assert (arm.connections, len(gate.seen)) == (0, 1)


@pytest.mark.parametrize("way", ["policy", "install", "attach"])
def test_a_redirect_to_another_host_is_judged_again(arm: LoopbackArm, hooked: Any, way: str) -> None:
    """A 307 to another cloud or another resource is another call."""
    gate, hook = hooked()
    where = arm.url.replace("127.0.0.1", "localhost") + VM.replace("virtualMachines/v", "virtualMachineScaleSets/x")
    arm.answers = [(307, {"location": where + "?api-version=1"})]
    client = guarded(way, arm, CountingCredential(), hook)
    with pytest.raises(Refused):
        client.virtual_machines.begin_create_or_update("g", "v", vm("Standard_D2s_v3"))
    assert gate.steps[:3] == ["judge", "release", "judge"]
    assert len(arm.requests) == 1
    assert gate.results == [CallResult.UNCLEAR]


@pytest.mark.parametrize(
    ("status", "result"), [(400, CallResult.FAILED), (403, CallResult.FAILED), (409, CallResult.UNCLEAR)]
)
def test_the_answer_settles(arm: LoopbackArm, hooked: Any, status: int, result: CallResult) -> None:
    """A definite 4xx gives a reservation back; a conflict may be an earlier attempt of the same call."""
    gate, hook = hooked()
    arm.answers = [(status, {})]
    with pytest.raises(HttpResponseError):
        guarded("policy", arm, CountingCredential(), hook).virtual_machines.begin_create_or_update(
            "g", "v", vm("Standard_D2s_v3")
        )
    assert gate.results == [result]


def test_a_credential_that_fails_gives_the_reservation_back(arm: LoopbackArm, hooked: Any) -> None:
    """The transport was never reached, so nothing was done."""
    gate, hook = hooked()

    class NoCredential:
        def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
            raise ValueError("no token")

    with pytest.raises(ValueError, match="no token"):
        guarded("install", arm, NoCredential(), hook).virtual_machines.begin_create_or_update(
            "g", "v", vm("Standard_D2s_v3")
        )
    assert gate.results == [CallResult.FAILED]


def test_a_failure_of_the_guard_refuses_and_one_of_settling_does_not(arm: LoopbackArm, hooked: Any) -> None:
    """Before the call every exception stops it; afterwards the caller gets the answer."""
    gate, hook = hooked()
    client = guarded("policy", arm, CountingCredential(), hook)
    gate.settle = lambda *args: 1 / 0
    client.virtual_machines.begin_create_or_update("g", "v", vm("Standard_D2s_v3"))
    gate.release = lambda *args: 1 / 0
    before = arm.connections
    with pytest.raises(ZeroDivisionError):
        client.virtual_machines.begin_create_or_update("g", "v", vm("Standard_D2s_v3"))
    assert arm.connections == before


def test_uninstall_restores_the_very_same_functions(arm: LoopbackArm) -> None:
    """Twice installed is once; afterwards azure-core is as it was."""
    before = (Pipeline.run, AsyncPipeline.run, _TransportRunner.send)
    first, second = AzureHook(RecordingGate()), AzureHook(RecordingGate())
    first.install()
    first.install()
    second.install()
    first.uninstall()
    assert Pipeline.run is not before[0]
    second.uninstall()
    assert (Pipeline.run, AsyncPipeline.run, _TransportRunner.send) == before


def test_two_guards_are_both_asked(arm: LoopbackArm, hooked: Any) -> None:
    """Any refusal refuses; what the other reserved is given back."""
    (first, hook), (second, other) = hooked(), hooked()
    first.judge = lambda observe, origin: Judgement(None, None)  # type: ignore[arg-type]
    hook.install()
    other.install()
    with pytest.raises(Refused):
        compute(arm, CountingCredential()).virtual_machines.begin_create_or_update("g", "v", vm())
    assert first.results == [CallResult.FAILED]
    assert second.steps == ["judge"]


def test_reads_deletes_and_identity_hosts_are_not_even_asked_about(arm: LoopbackArm, hooked: Any) -> None:
    """Pollers, pages and token requests pass at no cost."""
    gate, hook = hooked()
    client = guarded("policy+install", arm, CountingCredential(), hook)
    client.virtual_machines.get("g", "v")
    client.virtual_machines.begin_delete("g", "v")
    assert gate.steps == []
    client.virtual_machines.begin_deallocate("g", "v")
    assert isinstance(gate.seen[0], NotApplicable)


def test_the_same_request_sent_twice_is_judged_twice(arm: LoopbackArm, hooked: Any) -> None:
    """A judgement belongs to one call, not to a request object."""
    gate, hook = hooked()
    hook.install()
    client: Any = PipelineClient(arm.url, policies=[])
    request = HttpRequest("PUT", arm.url + VM, json=vm("Standard_D2s_v3"))
    client.send_request(request)
    client.send_request(request)
    assert gate.steps == ["judge", "release", "settle"] * 2


def test_nothing_of_the_guard_is_left_in_the_context(arm: LoopbackArm, hooked: Any) -> None:
    """Continuation tokens pickle the context of the first answer."""
    gate, hook = hooked()
    client: Any = PipelineClient(arm.url, policies=[hook.policy()])
    response = client._pipeline.run(HttpRequest("PUT", arm.url + VM, json=vm("Standard_D2s_v3")))
    pickle.dumps(response.context)
    assert gate.results == [CallResult.SUCCEEDED]


async def test_a_cancelled_judgement_gives_back_what_it_reserved(arm: LoopbackArm, hooked: Any) -> None:
    """The call never left, so the reservation does not stay."""
    gate, hook = hooked()
    inside, go = threading.Event(), threading.Event()
    judge = gate.judge

    def slow(observe: Any, origin: Any) -> Judgement:
        inside.set()
        go.wait(10)
        return judge(observe, origin)

    gate.judge = slow
    client: Any = AsyncPipelineClient(arm.url, policies=[hook.policy()])
    async with client:
        task = asyncio.ensure_future(client.send_request(HttpRequest("PUT", arm.url + VM, json=vm("Standard_D2s_v3"))))
        while not inside.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
        while "settle" not in gate.steps:
            await asyncio.sleep(0.005)
    assert gate.results == [CallResult.FAILED]
    assert arm.connections == 0


@pytest.mark.parametrize("installed", [False, True])
def test_an_interrupted_release_gives_back(arm: LoopbackArm, hooked: Any, installed: bool) -> None:
    """It may have reserved already when the interrupt arrived."""
    gate, hook = hooked()

    def interrupted(judgement: Judgement) -> None:
        raise KeyboardInterrupt

    gate.release = interrupted
    if installed:
        hook.install()
    client: Any = PipelineClient(arm.url, policies=[] if installed else [hook.policy()])
    with pytest.raises(KeyboardInterrupt):
        client.send_request(HttpRequest("PUT", arm.url + VM, json=vm("Standard_D2s_v3")))
    hook.uninstall()
    assert gate.results == [CallResult.FAILED]
    assert arm.connections == 0


def test_attach_says_what_it_cannot_guard(hooked: Any) -> None:
    """An object without a pipeline is an error, not silence."""
    _, hook = hooked()
    assert not AzureHook.accepts(object())
    with pytest.raises(ConfigurationError, match="no azure-core pipeline"):
        hook.attach(object())


def test_policies_are_never_shared_between_clients(hooked: Any) -> None:
    """Each client gets a policy of its own."""
    _, hook = hooked()
    assert hook.policy() is not hook.policy()
    assert isinstance(hook.policy(), SansIOHTTPPolicy)
