"""The clients before azure-core (msrest), which some packages still bring: an installed guard stands in them too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msrest import Configuration, ServiceClient
from msrest.pipeline.requests import PipelineRequestsHTTPSender
from msrest.universal_http.requests import RequestsHTTPSender

from adapters.azure.azure_live import Cloud, guard
from adapters.azure.azure_must_calls import ND, G, url, vm
from exportguard import Guard, ProvisioningDenied, ProvisioningHeld

VM = url(f"{G}/Microsoft.Compute/virtualMachines/v")


class Token:
    """Signs nothing; counts the sessions that were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def signed_session(self, session: Any = None) -> Any:
        self.asked += 1
        return session


def older(cloud: Cloud) -> tuple[Any, Token]:
    token = Token()
    client: Any = ServiceClient(token, Configuration("https://management.azure.com"))
    sender = RequestsHTTPSender()
    sender.session.mount("https://", cloud)
    client.config.pipeline._sender = PipelineRequestsHTTPSender(sender)
    client.config.pipeline._impl_policies[-1].next = client.config.pipeline._sender
    return client, token


@pytest.fixture
def made() -> Iterator[Guard]:
    one = guard(resolver="auto")
    yield one
    one.uninstall()


def test_an_older_client_is_refused_before_its_token(made: Guard) -> None:
    """Made before or after the guard was installed; a small machine goes through."""
    cloud = Cloud()
    before, token = older(cloud)
    made.install()
    after, _ = older(cloud)
    for client in (before, after):
        with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
            client.send(client.put(VM, content=vm(ND)))
    assert (cloud.sent, token.asked) == ([], 0)
    before.send(before.put(VM, content=vm("Standard_D2s_v3")))
    assert cloud.writes == ["PUT v"]


def test_an_older_client_reads_with_its_own_pipeline(made: Guard) -> None:
    """What is started is looked up; what cannot be is held."""
    made.install()
    known = Cloud().on("GET", "/virtualMachines/v", 200, vm(ND))
    client, _ = older(known)
    start = VM.replace("/v?", "/v/start?")
    with made.acting_for("d5"), pytest.raises(ProvisioningDenied):
        client.send(client.post(start))
    unknown = Cloud().on("GET", "/virtualMachines/v", 403, {})
    client, _ = older(unknown)
    with made.acting_for("plain"), pytest.raises(ProvisioningHeld):
        client.send(client.post(start))
    assert (known.writes, unknown.writes) == ([], [])


def test_uninstall_gives_the_older_pipeline_back(made: Guard) -> None:
    """Nothing stays behind."""
    from msrest.pipeline import Pipeline

    before = Pipeline.run
    made.install()
    assert Pipeline.run is not before
    made.uninstall()
    assert Pipeline.run is before
    cloud = Cloud()
    client, _ = older(cloud)
    client.send(client.put(VM, content=json.loads(json.dumps(vm(ND)))))
    assert cloud.writes == ["PUT v"]
