"""Clients that hide others, clients of data planes, and bodies of every kind, under an installed guard."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.ai.ml import MLClient, command
from azure.ai.ml.entities import AmlCompute
from azure.batch import BatchClient
from azure.batch.models import BatchPoolCreateOptions
from azure.core import PipelineClient
from azure.core.credentials import AzureKeyCredential, AzureNamedKeyCredential
from azure.core.rest import HttpRequest
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.resource.resources import ResourceManagementClient

from adapters.azure.azure_live import Cloud, Credential, guard, send
from adapters.azure.azure_must_calls import AKS, ND, G, url, vm
from exportguard import Guard, ProvisioningDenied, ProvisioningHeld, ProvisioningRefused

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
VM = url(f"{G}/Microsoft.Compute/virtualMachines/v")


@pytest.fixture
def made() -> Iterator[Guard]:
    one = guard(resolver="auto")
    one.install()
    yield one
    one.uninstall()


def test_the_machine_learning_client_is_guarded_through_the_clients_it_hides(made: Guard) -> None:
    """MLClient makes its service clients itself; computes and jobs are judged in them."""
    cloud = Cloud().on("GET", "/workspaces/w", 200, {"name": "w", "location": "westeurope", "properties": {}})
    ml: Any = MLClient(Credential(), SUBSCRIPTION, "rg", "w", transport=cloud.transport())
    compute = AmlCompute(name="gpu", size=ND, location="westeurope", min_instances=0, max_instances=4)
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        ml.compute.begin_create_or_update(compute)
    job = command(command="x", environment="azureml:e:1", instance_type=ND, instance_count=1)
    with made.acting_for("d5"), pytest.raises(ProvisioningRefused):
        ml.jobs.create_or_update(job)
    assert [write for write in cloud.writes if "computes" in write or "jobs" in write] == []


def test_the_batch_client_is_guarded(made: Guard) -> None:
    """The account's own endpoint creates pools; the region is in its name."""
    cloud = Cloud().on("POST", "/pools", 201)
    key = AzureNamedKeyCredential("acct", "a2V5")
    batch: Any = BatchClient("https://acct.westeurope.batch.azure.com", key, transport=cloud.transport())
    pool = BatchPoolCreateOptions(id="p", vm_size=ND, target_dedicated_nodes=2)
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        batch.create_pool(pool)
    small = BatchPoolCreateOptions(id="p", vm_size="Standard_D2s_v3", target_dedicated_nodes=1)
    batch.create_pool(small)
    assert cloud.writes == ["POST pools"]


def test_the_inference_client_is_guarded(made: Guard) -> None:
    """A deployment hides its model: held for whom everything is known, and nothing is sent."""
    cloud = Cloud()
    chat: Any = ChatCompletionsClient(
        "https://acct.services.ai.azure.com/models", AzureKeyCredential("k"), transport=cloud.transport()
    )
    with made.acting_for("plain"), pytest.raises(ProvisioningHeld):
        chat.complete(model="prod", messages=[{"role": "user", "content": "x"}])
    assert cloud.sent == []


def test_clusters_and_generic_resources_are_guarded(made: Guard) -> None:
    """Of the Kubernetes client, and of the client that writes any resource by its id."""
    cloud = Cloud()
    aks: Any = ContainerServiceClient(Credential(), SUBSCRIPTION, transport=cloud.transport())
    pool = {"properties": {"count": 1, "vmSize": ND}}
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        aks.agent_pools.begin_create_or_update("rg", "aks", "p", pool)
    anything: Any = ResourceManagementClient(Credential(), SUBSCRIPTION, transport=cloud.transport())
    for ident in (f"{G}/Microsoft.Compute/virtualMachines/v", f"{AKS}/agentPools/p".lower()):
        with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
            anything.resources.begin_create_or_update_by_id(
                ident, api_version="2024-07-01", parameters=vm() if "Compute" in ident else pool
            )
    assert cloud.writes == []


BODY = json.dumps(vm()).encode()


def chunks() -> Iterator[bytes]:
    yield BODY[:20]
    yield BODY[20:]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (BODY, ProvisioningDenied),
        (BODY.decode(), ProvisioningDenied),
        (io.BytesIO(BODY), ProvisioningDenied),
        ("\ufeff" + BODY.decode(), ProvisioningDenied),
        (BODY.decode().encode("utf-16"), ProvisioningDenied),
        (BODY.decode().encode("utf-32"), ProvisioningDenied),
        (BODY.replace(b"vmSize", b"vm\\u0053ize"), ProvisioningDenied),
        (BODY.replace(b'"vmSize":', b'"vmSize": "Standard_D2s_v3", "vmsize":'), ProvisioningDenied),
        (chunks(), ProvisioningHeld),
        (io.BufferedReader(io.BytesIO(BODY)), ProvisioningDenied),  # type: ignore[arg-type]
        (b"\x1f\x8b\x08" + BODY, ProvisioningHeld),
        (BODY + b" " * (5 * 1024 * 1024), ProvisioningHeld),
        (BODY + b"{", ProvisioningHeld),
        (b"", ProvisioningHeld),
    ],
    ids=["bytes", "text", "stream", "bom", "utf-16", "utf-32", "escape", "twice", "generator", "buffered", "gzip",
         "large", "trailing", "empty"],
)  # fmt: skip
def test_a_body_of_every_kind(made: Guard, body: Any, refusal: Any) -> None:
    """What can be read is judged, and a stream is put back; what cannot be read without using it up is held."""
    cloud = Cloud()
    client: Any = PipelineClient("https://management.azure.com", transport=cloud.transport(), policies=[])
    request = HttpRequest("PUT", VM, content=body, headers={"content-type": "application/json"})
    with made.acting_for("d5"), pytest.raises(refusal):
        client.send_request(request)
    assert cloud.writes == []
    if isinstance(body, io.BytesIO):
        assert body.tell() == 0


def test_uploads_are_not_read_and_reads_are_not_asked_about(made: Guard) -> None:
    """Data-plane payloads pass whatever they are: a generator is handed on as it came."""
    cloud = Cloud()
    read: list[int] = []

    def upload() -> Iterator[bytes]:
        read.append(1)
        yield b"vmSize"

    client: Any = PipelineClient("https://x", transport=cloud.transport(), policies=[])
    client.send_request(HttpRequest("PUT", "https://a.blob.core.windows.net/c/b", content=upload()))
    send(cloud, "POST", "https://a.vault.azure.net/keys/k/sign", {"value": "H100"})
    send(cloud, "GET", VM)
    assert [method for method, _ in cloud.sent] == ["PUT", "POST", "GET"]
