"""Async calls that are given up while they are judged and released: nothing leaves, and nothing stays reserved."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exportguard import Guard, securing
from exportguard.authority import open_ledger
from exportguard.cli.demo.servers import ArmHandler, CountingServer, OpenAIHandler, serving
from exportguard.language import PolicySource
from exportguard.record import open_log

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
COUNTED = """
policy: counted
version: 1
title: Accelerators and tokens a year by one customer
basis: company_policy
references:
  - cite: a test
    read: 2026-11-25
rules:
  - id: many
    title: Too many
    effect: hold
    when: usage.accelerators > 1000.0 || usage.tokens > 1000000
    per: {by: customer, period: P1Y}
    because: too many
"""
H100 = "Standard_ND96isr_H100_v5"
MODEL = "gpt-4o"
CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"
Call = Callable[[Guard, CountingServer], Awaitable[Any]]


class _Credential:
    async def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("token", 2**31)

    async def close(self) -> None: ...


async def _azure(guard: Guard, server: CountingServer, installed: bool) -> Any:
    from azure.mgmt.compute.aio import ComputeManagementClient

    policies = [] if installed else [guard.azure_policy()]
    client: Any = ComputeManagementClient(
        _Credential(), "00000000-0000-0000-0000-000000000000", base_url=server.url, per_call_policies=policies,
        credential_scopes=["https://management.azure.com/.default"], retry_total=0, polling_interval=0,
    )  # fmt: skip
    machine: Any = {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": H100}}}
    async with client:
        await client.virtual_machines.begin_create_or_update("group", "vm-1", machine, enforce_https=False)


async def _openai(guard: Guard, server: CountingServer, installed: bool) -> Any:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0) as client:
        if not installed:
            guard.attach(client)
        await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hello"}], max_tokens=9)


async def _aws(guard: Guard, server: CountingServer, installed: bool) -> Any:
    session = pytest.importorskip("aiobotocore.session")
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    made = session.get_session().create_client("bedrock-runtime", endpoint_url=server.url, **keys)
    async with made as client:
        if not installed:
            guard.attach(client)
        await client.invoke_model(modelId=CLAUDE, body='{"max_tokens": 9}')


@pytest.fixture(params=["aws", "azure", "openai"])
def way(request: pytest.FixtureRequest) -> Any:
    return {"aws": (_aws, OpenAIHandler), "azure": (_azure, ArmHandler), "openai": (_openai, OpenAIHandler)}[
        request.param
    ]


@pytest.fixture
def server(way: Any) -> Iterator[CountingServer]:
    with serving(way[1]) as running:
        yield running


class _Gate:
    """Holds a step of the guard up, before or after it is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
        self.inside, self.go, self.done = threading.Event(), threading.Event(), threading.Event()
        original = securing.secure

        def slow(*arguments: Any) -> Any:
            if not after:
                self.wait()
            try:
                return original(*arguments)
            finally:
                if after:
                    self.wait()
                self.done.set()

        monkeypatch.setattr(securing, "secure", slow)

    def wait(self) -> None:
        self.inside.set()
        assert self.go.wait(10)


def pending(store: Path) -> list[str]:
    ledger = open_ledger(store)
    try:
        return [made.key for made in ledger.pending()]
    finally:
        ledger.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("installed", [False, True])
@pytest.mark.parametrize("how", ["cancel", "wait_for", "end of the loop"])
def test_nothing_stays_of_a_call_that_is_given_up(load, tmp_path, way, server, monkeypatch, after, installed, how):
    store = tmp_path / "store.sqlite3"
    guard = load((PolicySource("counted.yaml", COUNTED),), record=store, ledger=store, clock=lambda: AT)
    if installed:
        guard.install()
    gate = _Gate(monkeypatch, after)

    async def main() -> None:
        task = asyncio.ensure_future(way[0](guard, server, installed))
        if how == "wait_for":
            task = asyncio.ensure_future(asyncio.wait_for(task, 0.1))
        while not gate.inside.is_set():
            assert not task.done(), task.result()
            await asyncio.sleep(0.002)
        if how == "end of the loop":
            asyncio.get_running_loop().call_later(0.05, gate.go.set)
            threading.Timer(0.2, gate.go.set).start()
            return
        if how == "cancel":
            task.cancel()
        with pytest.raises((asyncio.CancelledError, TimeoutError)):
            await task
        gate.go.set()
        while not gate.done.is_set():
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.02)

    with guard.acting_for("cust-zurich"), suppress(asyncio.CancelledError):
        asyncio.run(main())
    assert gate.done.is_set()
    assert server.connections == 0
    assert pending(store) == []


@pytest.mark.parametrize("installed", [False, True])
def test_a_call_is_judged_once_where_no_more_threads_start(load, tmp_path, way, server, monkeypatch, installed):
    """The executor has queued the work by the time it says that it cannot start a thread for it."""
    store = tmp_path / "store.sqlite3"
    guard = load((PolicySource("counted.yaml", COUNTED),), record=store, ledger=store, clock=lambda: AT)
    if installed:
        guard.install()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        queued, original = [], loop.run_in_executor

        def refused(executor: Any, function: Any, *arguments: Any) -> Any:
            if type(getattr(function, "__self__", None)).__module__ != "exportguard.offloop":
                return original(executor, function, *arguments)
            queued.append(function)
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(loop, "run_in_executor", refused)
        with suppress(Exception):  # what becomes of the answer of a server that is none
            await way[0](guard, server, installed)
        assert queued
        for each in queued:
            each()

    with guard.acting_for("cust-zurich"):
        asyncio.run(main())
    assert pending(store) == []
    assert len([each for each in open_log(store).read() if each.record["outcome"] == "ALLOW"]) == 1
