"""What somebody would try to get a machine past the guard, each with the client that would do it."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core import PipelineClient
from azure.core.pipeline.policies import RedirectPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import HttpRequest as OldRequest
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient

from adapters.azure.azure_live import Cloud, Credential, guard, send
from adapters.azure.azure_must_calls import ND, G, S, vm
from exportguard import Guard, ProvisioningDenied, ProvisioningHeld, ProvisioningRefused

VM = f"https://management.azure.com{G}/Microsoft.Compute/virtualMachines/v?api-version=2024-07-01"
SMALL = "Standard_D2s_v3"


@pytest.fixture(params=["install", "policy"])
def way(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def made() -> Iterator[Guard]:
    one = guard(resolver="auto")
    yield one
    one.uninstall()


def client_of(kind: Any, made: Guard, way: str, cloud: Cloud, credential: Any = None, **more: Any) -> Any:
    policies = [made.azure_policy()] if way == "policy" else []
    if way == "install":
        made.install()
    return kind(credential or Credential(), "00000000-0000-0000-0000-000000000001", transport=cloud.transport(),
                per_call_policies=policies, **more)  # fmt: skip


@pytest.mark.parametrize(
    "size",
    [ND, ND.upper(), ND.lower(), " " + ND, ND.removeprefix("Standard_"), "Standard_ND96amsr_A100_v4",
     "Standard_NC24ads_A100_v4", "Standard_ND96isr_MI300X_v5", "Standard_ND128isr_NDR_GB200_v6"],
)  # fmt: skip
def test_a_size_in_any_spelling_is_refused(made: Guard, way: str, size: str) -> None:
    """Upper or lower case, padded, without its prefix, with the chip's name or without: nothing leaves."""
    cloud, credential = Cloud(), Credential()
    compute = client_of(ComputeManagementClient, made, way, cloud, credential)
    with made.acting_for("d5"), pytest.raises(ProvisioningRefused):
        compute.virtual_machines.begin_create_or_update("rg", "v", vm(size))
    assert (cloud.sent, credential.asked) == ([], 0)


def test_a_resize_after_a_small_machine_was_created(made: Guard, way: str) -> None:
    """The small machine goes through; the update that makes it a large one does not."""
    cloud = Cloud().on("GET", "/virtualMachines/v", 200, vm(SMALL))
    compute = client_of(ComputeManagementClient, made, way, cloud)
    with made.acting_for("d5"):
        compute.virtual_machines.begin_create_or_update("rg", "v", vm(SMALL))
        with pytest.raises(ProvisioningDenied):
            compute.virtual_machines.begin_update("rg", "v", {"properties": {"hardwareProfile": {"vmSize": ND}}})
    assert cloud.writes == ["PUT v"]


def test_a_start_after_it_was_deallocated(made: Guard, way: str) -> None:
    """Deallocating is everyday; the start is judged by what it starts, read with the client's own credential."""
    cloud = (
        Cloud().on("GET", "/virtualMachines/v", 200, vm(ND)).on("POST", "/deallocate", 200).on("POST", "/start", 200)
    )
    compute = client_of(ComputeManagementClient, made, way, cloud)
    compute.virtual_machines.begin_deallocate("rg", "v")
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        compute.virtual_machines.begin_start("rg", "v")
    with made.acting_for("plain"):
        compute.virtual_machines.begin_start("rg", "v")
    assert cloud.writes == ["POST deallocate", "POST start"]


@pytest.mark.parametrize("broken", [403, 500])
def test_a_start_that_cannot_be_looked_up_is_held(made: Guard, way: str, broken: int) -> None:
    """No read permission is no way round."""
    cloud = Cloud().on("GET", "/virtualMachines/v", broken, {"error": {"code": "x", "message": "y"}})
    compute = client_of(ComputeManagementClient, made, way, cloud, retry_total=0)
    with made.acting_for("plain"), pytest.raises(ProvisioningHeld):
        compute.virtual_machines.begin_start("rg", "v")
    assert cloud.writes == []


NESTED: dict[str, Any] = {
    "$schema": "x", "contentVersion": "1.0.0.0", "variables": {"a": "Standard_ND", "b": "96isr_H100_v5"},
    "resources": [{
        "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "n",
        "properties": {"mode": "Incremental", "template": {"$schema": "x", "contentVersion": "1.0.0.0", "resources": [{
            "type": "[concat('Microsoft.Compute', '/', 'virtualMachines')]", "apiVersion": "2024-07-01", "name": "v",
            "location": "westeurope",
            "properties": {"hardwareProfile": {"vmSize": "[toLower(concat(variables('a'), variables('b')))]"}}}]}},
    }],
}  # fmt: skip


@pytest.mark.parametrize("template", [NESTED, json.dumps(NESTED)], ids=["object", "text"])
def test_a_nested_template_that_hides_a_machine_in_an_expression(made: Guard, way: str, template: Any) -> None:
    """The expression is evaluated, the nested template read, in whatever form the template is handed over."""
    cloud = Cloud()
    deployments = client_of(DeploymentsMgmtClient, made, way, cloud)
    body: Any = {"properties": {"mode": "Incremental", "template": template}}
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        deployments.deployments.begin_create_or_update("rg", "d", body)
    assert cloud.writes == []


def test_a_linked_template_is_held(made: Guard, way: str) -> None:
    """What is elsewhere is not known."""
    cloud = Cloud()
    deployments = client_of(DeploymentsMgmtClient, made, way, cloud)
    body: Any = {"properties": {"mode": "Incremental", "templateLink": {"uri": "https://example.org/t.json"}}}
    with made.acting_for("plain"), pytest.raises(ProvisioningHeld):
        deployments.deployments.begin_create_or_update("rg", "d", body)
    assert cloud.writes == []


def test_a_template_spec_is_looked_up(made: Guard, way: str) -> None:
    """With a resolver, the template that a spec holds is read as if it were in the call."""
    spec = f"{G}/Microsoft.Resources/templateSpecs/s/versions/1"
    cloud = Cloud().on("GET", "/versions/1", 200, {"properties": {"mainTemplate": NESTED}})
    deployments = client_of(DeploymentsMgmtClient, made, way, cloud)
    body: Any = {"properties": {"mode": "Incremental", "templateLink": {"id": spec}}}
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        deployments.deployments.begin_create_or_update("rg", "d", body)
    assert cloud.writes == []


def test_a_second_generation_of_the_client(made: Guard) -> None:
    """A client made before, one made after and one made by hand are the same to an installed guard."""
    cloud = Cloud()
    before = ComputeManagementClient(Credential(), "s", transport=cloud.transport())
    made.install()
    after = ComputeManagementClient(Credential(), "s", transport=cloud.transport(), api_version="2019-03-01")
    for each in (before, after):
        with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
            each.virtual_machines.begin_create_or_update("rg", "v", vm())
    for url in (VM, VM.replace("2024-07-01", "2015-06-15"), VM.replace("2024-07-01", "2031-01-01-preview")):
        with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
            send(cloud, "PUT", url, vm())
    assert cloud.sent == []


def test_no_policies_and_a_transport_of_ones_own(made: Guard) -> None:
    """`policies=[]` takes every policy away, a transport of one's own the network: the guard stands before both."""

    class Own(RequestsTransport):  # type: ignore[misc]
        def send(self, request: Any, **kwargs: Any) -> Any:
            raise AssertionError("it was sent")

    made.install()
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        send(Cloud(), "PUT", VM, vm(), policies=[], transport=Own())


def test_a_redirect_with_307_is_judged_where_it_goes(made: Guard) -> None:
    """A call to a host that serves nothing of the kind is answered with a redirect to one that does."""
    made.install()
    cloud = Cloud().on("PUT", "/box", 307, None, location=VM)
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        send(cloud, "PUT", "https://files.blob.core.windows.net/c/box", vm(), policies=[RedirectPolicy()])
    assert cloud.writes == ["PUT box"]


def test_a_policy_after_the_guards_that_changes_the_call(made: Guard, way: str) -> None:
    """The call is compared with what was judged where it is handed to the transport."""

    class Change(SansIOHTTPPolicy):  # type: ignore[misc]
        def on_request(self, request: Any) -> None:
            request.http_request._data = json.dumps(vm())

    cloud = Cloud()
    compute = client_of(ComputeManagementClient, made, way, cloud, per_retry_policies=[Change()])
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        compute.virtual_machines.begin_create_or_update("rg", "v", vm(SMALL))
    assert cloud.writes == []


def test_a_deployment_named_like_another_model(made: Guard, way: str) -> None:
    """The deployment's name is a label: what counts is the model in it."""
    cloud = Cloud().on("GET", "/accounts/a", 200, {"location": "westeurope"})
    accounts = client_of(CognitiveServicesManagementClient, made, way, cloud)
    body: Any = {"sku": {"name": "Standard", "capacity": 1},
                 "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "1"}}}  # fmt: skip
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        accounts.deployments.begin_create_or_update("rg", "a", "Llama-3", body)
    with made.acting_for("plain"):
        accounts.deployments.begin_create_or_update("rg", "a", "Llama-3", body)
    assert cloud.writes == ["PUT Llama-3"]


def test_a_long_running_operation_is_judged_once_and_not_blocked_half_way(made: Guard, way: str) -> None:
    """Polls and the final read pass, whoever is acting by then; a continuation token takes the operation up again."""
    where = f"https://management.azure.com{S}/providers/Microsoft.Compute/locations/westeurope/operations/o"
    cloud = (
        Cloud()
        .on("PUT", "/virtualMachines/v", 201, {**vm(), "name": "v"}, Azure_AsyncOperation=where, Retry_After="0")
        .on("GET", "/operations/o", 200, {"status": "InProgress"})
        .on("GET", "/operations/o", 200, {"status": "Succeeded"})
        .on("GET", "/virtualMachines/v", 200, {**vm(), "name": "v"})
    )
    compute = client_of(ComputeManagementClient, made, way, cloud, polling_interval=0)
    with made.acting_for("plain"):
        poller = compute.virtual_machines.begin_create_or_update("rg", "v", vm())
    token = poller.continuation_token()
    with made.acting_for("d5"):
        assert poller.result().name == "v"
        again = compute.virtual_machines.begin_create_or_update("rg", "v", vm(), continuation_token=token)
        assert again.result().name == "v"
    assert cloud.writes == ["PUT v"]


def test_pages_of_a_list_pass(made: Guard, way: str) -> None:
    """Lists and their next pages are reads, by whatever host the next page is named."""
    following = f"https://management.azure.com{G}/Microsoft.Compute/virtualMachines?page=2"
    cloud = Cloud().on("GET", "/virtualMachines", 200, {"value": [{"name": "v"}], "nextLink": following})
    cloud.on("GET", "/virtualMachines", 200, {"value": []})
    compute = client_of(ComputeManagementClient, made, way, cloud)
    assert [each.name for each in compute.virtual_machines.list("rg")] == ["v"]


@pytest.mark.parametrize("kind", [HttpRequest, OldRequest], ids=["rest", "older"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_machine_as_a_part_of_another_request(made: Guard, way: str, kind: Any, method: str) -> None:
    """Each part of a multipart request is judged, whatever carries it; everyday parts go out."""
    if way == "install":
        made.install()
    for size, parts in ((ND, 0), (SMALL, 1)):
        cloud = Cloud()
        policies = [made.azure_policy()] if way == "policy" else []
        client: Any = PipelineClient("https://management.azure.com", policies=policies, transport=cloud.transport())
        outer, part = kind(method, "https://management.azure.com/$batch"), kind("PUT", VM)
        part.headers["content-type"] = "application/json"
        if kind is HttpRequest:
            part = HttpRequest("PUT", VM, json=vm(size))
        else:
            part.set_json_body(vm(size))
        outer.set_multipart_mixed(part)
        with made.acting_for("d5"), contextlib.nullcontext() if parts else pytest.raises(ProvisioningDenied):
            client._pipeline.run(outer)
        assert len(cloud.sent) == parts


OVERRIDES = ("X-HTTP-Method-Override", "x-http-method", "X-METHOD-OVERRIDE")


class Turning(SansIOHTTPPolicy):  # type: ignore[misc]
    """A later policy that makes a write of whatever is sent."""

    def __init__(self, header: str) -> None:
        self._header = header

    def on_request(self, request: Any) -> None:
        request.http_request.headers[self._header] = "put"


def test_a_header_that_overrides_the_method_is_read(made: Guard, way: str) -> None:
    """A read that asks to be taken for a PUT is judged as one, also where a later policy asks for that."""
    policies = [made.azure_policy()] if way == "policy" else []
    if way == "install":
        made.install()
    for method, header in itertools.product(("GET", "POST", "DELETE"), OVERRIDES):
        for headers, later in (({header: "PUT"}, []), ({}, [Turning(header)])):
            cloud = Cloud()
            chain = {"policies": [*policies, *later], "transport": cloud.transport()}
            client: Any = PipelineClient("https://management.azure.com", **chain)
            with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
                client.send_request(HttpRequest(method, VM, json=vm(), headers=headers))
            assert cloud.sent == []


def test_a_read_that_asks_for_a_read_is_let_pass(made: Guard) -> None:
    """Nothing is asked about a GET that says it is a GET."""
    made.install()
    cloud = Cloud()
    client: Any = PipelineClient("https://management.azure.com", policies=[], transport=cloud.transport())
    with made.acting_for("d5"):
        client.send_request(HttpRequest("POST", f"{VM[:-23]}/deallocate", headers={"X-HTTP-Method-Override": "POST"}))
        client.send_request(HttpRequest("GET", VM, headers={"X-HTTP-Method-Override": "GET"}))
    assert len(cloud.sent) == 2


@pytest.mark.parametrize("own", ["https://a.vault.azure.net", "https://login.microsoftonline.com"])
def test_a_host_header_says_whom_a_call_is_for(made: Guard, way: str, own: str) -> None:
    """What the connection is made to is one thing, what is behind it another: the call is judged for both."""
    policies = [made.azure_policy()] if way == "policy" else []
    if way == "install":
        made.install()
    url = VM.replace("https://management.azure.com", own)
    for host, sent in (("management.azure.com", 0), (own.partition("//")[2], 1)):
        cloud = Cloud()
        client: Any = PipelineClient(own, policies=policies, transport=cloud.transport())
        with made.acting_for("d5"), contextlib.nullcontext() if sent else pytest.raises(ProvisioningDenied):
            client.send_request(HttpRequest("PUT", url, json=vm(), headers={"Host": host}))
        assert len(cloud.sent) == sent


def test_the_portals_own_call_is_judged_by_what_its_header_names(made: Guard, way: str) -> None:
    """`/api/invoke` does what a header says; without one nobody knows what it does."""
    policies = [made.azure_policy()] if way == "policy" else []
    if way == "install":
        made.install()
    storage = f"{G}/Microsoft.Storage/storageAccounts/s?api-version=2024-01-01"
    for headers, sent in (({"X-MS-Path-Query": VM[28:]}, 0), ({"x-ms-path-query": storage}, 1), ({}, 0)):
        cloud = Cloud()
        client: Any = PipelineClient("https://management.azure.com", policies=policies, transport=cloud.transport())
        request = HttpRequest("PUT", "https://management.azure.com/api/invoke", json=vm(), headers=headers)
        with made.acting_for("d5"), contextlib.nullcontext() if sent else pytest.raises(ProvisioningRefused):
            client.send_request(request)
        assert len(cloud.sent) == sent
