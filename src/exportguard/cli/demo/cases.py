"""The news report's cases, each a real SDK call. What is refused is refused by the guard, and by nothing else here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exportguard.cli.demo.servers import (
    ArmHandler,
    CountingCredential,
    CountingServer,
    OpenAIHandler,
    serving,
)
from exportguard.errors import ProvisioningRefused
from exportguard.vocabulary import Decision

if TYPE_CHECKING:
    from exportguard.guard import Guard

TOKENS = 40_000_000
"""What Sichuan University planned to buy, by the report."""

DEPLOYMENTS = {"tender-gpt-4": "gpt-4"}
"""What a resolver would read from Azure (`deployments list`): the deployment name alone hides the model."""


@dataclass(frozen=True, slots=True)
class Case:
    """One call of the demo. `refused` is the decision that the raised exception carries, None where the call was let
    through; `proof` is what was seen to happen, or not to."""

    who: str
    what: str
    where: str
    refused: Decision | None
    proof: str


def run(guard: Guard) -> Iterator[Case]:
    """Make every call in turn."""
    yield from _ec2(guard)
    yield from _bedrock(guard)
    yield from _azure(guard)
    yield from _openai(guard)


def _outcome(call: Callable[[], Any]) -> tuple[Decision | None, Any]:
    try:
        return None, call()
    except ProvisioningRefused as refused:
        return refused.decision, None


def counted(number: int, what: str) -> str:
    """`1 request`, `2 requests`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@contextmanager
def _moto() -> Iterator[Any]:
    """moto in place of AWS, for sessions with made-up credentials; the user's own are neither used nor read."""
    os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
    from moto import mock_aws

    with mock_aws():
        yield mock_aws


def _client(guard: Guard, service: str, region: str, sent: list[str]) -> Any:
    import boto3

    session = boto3.Session(
        aws_access_key_id="demo", aws_secret_access_key="demo", aws_session_token="demo", region_name=region
    )
    client = session.client(service)
    # Runs only when a request is about to go out: what is refused never gets here.
    client.meta.events.register_first("before-send.*.*", lambda request, **_: sent.append(request.url))
    return guard.attach(client)


def _ec2(guard: Guard) -> Iterator[Case]:
    def start(ec2: Any, instance_type: str) -> Any:
        return ec2.run_instances(ImageId="ami-12c6146b", InstanceType=instance_type, MinCount=1, MaxCount=1)

    tender = "Shenzhen University, through Yunda Technology (tender of March 2024, about 200,000 yuan)"
    benign = "Example University of Zurich"
    rows = [
        ("shenzhen-university", tender, "p4d.24xlarge"),
        ("shenzhen-university", tender, "p5.48xlarge"),
        ("example-university", benign, "p5.48xlarge"),
        ("example-reseller", "Example Reseller of Zurich, for an end user it does not name", "p5.48xlarge"),
        (None, "nobody known", "t3.micro"),
    ]
    with _moto():
        sent: list[str] = []
        ec2 = _client(guard, "ec2", "us-east-1", sent)
        for customer, who, instance_type in rows:
            sent.clear()
            with guard.acting_for(customer) if customer else nullcontext():
                decision, answer = _outcome(lambda kind=instance_type: start(ec2, kind))  # type: ignore[misc]
            proof = counted(len(sent), "request") + " sent"
            if answer is not None:
                proof += f", {answer['Instances'][0]['InstanceId']} started"
            yield Case(who, f"EC2 {instance_type}", "us-east-1", decision, proof)


def _bedrock(guard: Guard) -> Iterator[Case]:
    model = "anthropic.claude-3-5-sonnet-20240620-v1:0"
    body = '{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 256, "messages": []}'
    rows = [
        ("eda-center", "National Center of Technology Innovation for EDA (about 600,000 yuan)", "us-east-1"),
        ("example-university", "Example University of Zurich", "cn-north-1"),
        ("example-university", "Example University of Zurich", "us-east-1"),
    ]
    with _moto():
        for customer, who, region in rows:
            sent: list[str] = []
            client = _client(guard, "bedrock-runtime", region, sent)
            with guard.acting_for(customer):
                decision, _ = _outcome(lambda c=client: c.invoke_model(modelId=model, body=body))  # type: ignore[misc]
            yield Case(who, "Bedrock Claude 3.5 Sonnet", region, decision, counted(len(sent), "request") + " sent")


def _azure(guard: Guard) -> Iterator[Case]:
    from azure.mgmt.compute import ComputeManagementClient

    rows = [
        ("shenzhen-university", "Shenzhen University, through Yunda Technology", "Standard_ND96isr_H100_v5"),
        (None, "nobody known", "Standard_D2s_v5"),
    ]
    with serving(ArmHandler) as server:
        for customer, who, size in rows:
            credential = CountingCredential()
            before = server.connections
            with ComputeManagementClient(
                credential,
                "00000000-0000-0000-0000-000000000000",
                base_url=server.url,
                credential_scopes=["https://management.azure.com/.default"],
                per_call_policies=[guard.azure_policy()],
                polling_interval=0,
            ) as compute:
                machine: Any = {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": size}}}

                def create(compute: Any = compute, machine: Any = machine) -> Any:
                    poller = compute.virtual_machines.begin_create_or_update(
                        "demo", "vm-1", machine, enforce_https=False
                    )
                    return poller.result()

                with guard.acting_for(customer) if customer else nullcontext():
                    decision, answer = _outcome(create)
            made = server.connections - before
            proof = f"{counted(made, 'connection')}, {counted(credential.asked, 'token')} asked for"
            if answer is not None:
                proof += f", {answer.name} created"
            yield Case(who, f"Azure {size}", "westeurope", decision, proof)


def _openai(guard: Guard) -> Iterator[Case]:
    rows = [
        ("sichuan-university", "Sichuan University, through Xuedong Technology", "tender-gpt-4", TOKENS),
        ("example-university", "Example University of Zurich", "prod", 256),
        ("example-university", "Example University of Zurich", "tender-gpt-4", 256),
    ]
    with serving(OpenAIHandler) as server:
        for customer, who, deployment, tokens in rows:
            before = server.connections
            with _azure_openai(guard, server) as client, guard.acting_for(customer):
                decision, _ = _outcome(
                    lambda c=client, d=deployment, t=tokens: c.chat.completions.create(  # type: ignore[misc]
                        model=d, max_tokens=t, messages=[{"role": "user", "content": "Hello"}]
                    )
                )
            what = f"Azure OpenAI {tokens:,} tokens, deployment {deployment}"
            yield Case(who, what, "a loopback server", decision, counted(server.connections - before, "connection"))


def _azure_openai(guard: Guard, server: CountingServer) -> Any:
    from openai import AzureOpenAI

    return guard.attach(AzureOpenAI(azure_endpoint=server.url, api_key="demo", api_version="2024-06-01", max_retries=0))
