"""Real Azure and openai clients against loopback servers, judged by a real guard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from exportguard import ProvisioningDenied, ProvisioningHeld
from exportguard.cli.demo.servers import ArmHandler, CountingCredential, CountingServer, OpenAIHandler, serving

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
H100 = "Standard_ND96isr_H100_v5"


@pytest.fixture
def arm() -> Iterator[CountingServer]:
    with serving(ArmHandler) as server:
        yield server


@pytest.fixture
def openai_server() -> Iterator[CountingServer]:
    with serving(OpenAIHandler) as server:
        yield server


def compute(arm: CountingServer, credential: CountingCredential, **options: Any) -> Any:
    from azure.mgmt.compute import ComputeManagementClient

    return ComputeManagementClient(
        credential,
        SUBSCRIPTION,
        base_url=arm.url,
        credential_scopes=["https://management.azure.com/.default"],
        polling_interval=0,
        **options,
    )


def create(client: Any, size: str) -> Any:
    machine: Any = {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": size}}}
    return client.virtual_machines.begin_create_or_update("group", "vm-1", machine, enforce_https=False).result()


def test_a_denial_makes_no_connection_and_asks_for_no_token(guard, arm):
    credential = CountingCredential()
    client = compute(arm, credential, per_call_policies=[guard.azure_policy()])
    with guard.acting_for("cust-shenzhen"), pytest.raises(ProvisioningDenied) as caught:
        create(client, H100)
    assert (arm.connections, credential.asked) == (0, 0)
    assert caught.value.decision.reasons[0].rule == "headquarters-d5-macau"


def test_an_everyday_machine_is_created_with_nobody_known(guard, arm):
    credential = CountingCredential()
    client = compute(arm, credential, per_call_policies=[guard.azure_policy()])
    assert create(client, "Standard_D2s_v5").name == "vm-1"
    assert credential.asked == 1
    with pytest.raises(ProvisioningHeld):
        create(client, H100)
    assert len(arm.requests) == 1


def test_a_policy_made_for_a_customer_acts_for_it(guard, arm):
    client = compute(arm, CountingCredential(), per_call_policies=[guard.azure_policy(customer="cust-zurich")])
    assert create(client, H100).name == "vm-1"


def test_install_covers_living_and_later_azure_clients(guard, arm):
    before = compute(arm, CountingCredential())
    guard.install()
    guard.install()
    after = compute(arm, CountingCredential(), per_call_policies=[guard.azure_policy()])
    for client in (before, after):
        with pytest.raises(ProvisioningHeld):
            create(client, H100)
    assert arm.connections == 0
    guard.uninstall()
    assert create(before, H100).name == "vm-1"


def test_attach_takes_azure_and_openai_clients(guard, arm, openai_server):
    client = guard.attach(compute(arm, CountingCredential()))
    with pytest.raises(ProvisioningHeld):
        create(client, H100)
    assert arm.connections == 0


def azure_openai(server: CountingServer) -> Any:
    from openai import AzureOpenAI

    return AzureOpenAI(azure_endpoint=server.url, api_key="k", api_version="2024-06-01", max_retries=0)


def chat(client: Any, model: str) -> Any:
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}])


def test_a_deployment_whose_model_is_not_known_is_held(guard, openai_server):
    client = guard.attach(azure_openai(openai_server))
    with guard.acting_for("cust-zurich"), pytest.raises(ProvisioningHeld) as caught:
        chat(client, "prod")
    assert any(fact.path.startswith("item.model") for fact in caught.value.decision.unknown)
    assert openai_server.connections == 0


def test_a_resolved_deployment_is_judged_by_its_model(load, openai_server):
    guard = load(resolver={"openai": {"prod": {"model": "gpt-4", "location": "swedencentral"}}})
    client = guard.attach(azure_openai(openai_server))
    with guard.acting_for("cust-shenzhen"), pytest.raises(ProvisioningDenied) as caught:
        chat(client, "prod")
    assert caught.value.decision.reasons[0].rule.startswith("openai-")
    assert openai_server.connections == 0
    with guard.acting_for("cust-zurich"):
        assert chat(client, "prod").choices


async def test_async_clients_are_judged_off_the_event_loop(load, openai_server):
    from openai import AsyncAzureOpenAI

    guard = load(resolver={"openai": {"prod": {"model": "gpt-4", "location": "swedencentral"}}})
    client = AsyncAzureOpenAI(azure_endpoint=openai_server.url, api_key="k", api_version="2024-06-01", max_retries=0)
    guard.attach(client)
    with guard.acting_for("cust-shenzhen"), pytest.raises(ProvisioningDenied):
        await chat(client, "prod")
    with guard.acting_for("cust-zurich"):
        assert (await chat(client, "prod")).choices
    await client.close()


def test_install_covers_every_openai_client(guard, openai_server):
    before = azure_openai(openai_server)
    guard.install()
    with guard.acting_for("cust-zurich"), pytest.raises(ProvisioningHeld):
        chat(before, "prod")
    guard.uninstall()
    assert chat(before, "prod").choices
