"""What judging costs an Azure or OpenAI call: recognising it, and the whole of it as a share of a stubbed call."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

from bench.report import Report, interleaved, percentile

S = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers"
ARM = "https://management.azure.com"
PADDING: dict[str, Any] = {
    "storageProfile": {
        "imageReference": {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
        "osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "Premium_LRS"}},
    },
    "osProfile": {
        "computerName": "vm-0001",
        "adminUsername": "azureuser",
        "linuxConfiguration": {"disablePasswordAuthentication": True},
    },
    "networkProfile": {"networkInterfaces": [{"id": f"{S}/Microsoft.Network/networkInterfaces/nic-0001"}]},
    "licenseType": "None",
}


def machine(size: str) -> dict[str, Any]:
    """The body of a machine: 650 bytes as JSON."""
    return {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": size}, **PADDING}}


class Transport:
    """Answers at once, below the SDK's own transport."""

    def __init__(self) -> None:
        import requests
        from azure.core.pipeline.transport import RequestsTransport
        from requests.adapters import BaseAdapter

        class Stub(BaseAdapter):
            def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
                answer = requests.Response()
                answer.status_code, answer.url, answer.request = 200, str(request.url), request
                answer.headers["content-type"] = "application/json"
                answer.raw = io.BytesIO(b'{"name":"v"}')
                return answer

            def close(self) -> None: ...

        session = requests.Session()
        session.mount("https://", Stub())
        self.azure = RequestsTransport(session=session)


class Credential:
    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("t", 9_999_999_999)


def each(function: Callable[[int], object], times: int) -> list[float]:
    """Microseconds of every single call."""
    found = []
    for number in range(times):
        start = time.perf_counter()
        function(number)
        found.append((time.perf_counter() - start) * 1e6)
    return found


def run(report: Report) -> None:
    recognise(report)
    whole(report)
    openai(report)


def recognise(report: Report) -> None:
    from exportguard.adapters.azure.facts import observe
    from exportguard.adapters.azure.passage import exempt

    sent = json.dumps(machine("Standard_ND96isr_H100_v5")).encode()
    small = json.dumps({"properties": {"mode": "Incremental", "template": template(20)}}).encode()
    known = f"{ARM}{S}/Microsoft.Compute/virtualMachines/v?api-version=2024-07-01"
    urls = [f"{ARM}{S}/Microsoft.Compute/virtualMachines/v{n}?api-version=2024-07-01" for n in range(6000)]
    other = f"{ARM}{S}/Microsoft.Storage/storageAccounts/s?api-version=2024-01-01"
    cases: list[tuple[str, Callable[[int], object], int, float | None]] = [
        (f"a machine, {len(sent)} bytes, p50", lambda n: observe("PUT", known, sent), 4000, 10.0),
        (f"a machine of a new name, {len(sent)} bytes, p50", lambda n: observe("PUT", urls[n], sent), 6000, None),
        ("a call outside the surface, p50", lambda n: observe("PUT", other, sent), 4000, None),
        (f"a template of 20 resources, {len(small)} bytes, p50", lambda n: observe("PUT", TEMPLATES, small), 400, None),
    ]
    parsing = percentile(each(lambda n: json.loads(sent), 4000), 0.5)
    for name, call, times, bound in cases:
        peers = {"json.loads of the body": parsing} if bound is not None else None
        report.add("azure", name, percentile(each(call, times), 0.5), "µs", peers=peers, at_most=bound)
    from azure.core.rest import HttpRequest

    read = HttpRequest("GET", known)
    loops = 20_000
    report.add("azure", "a read, seen and let pass", interleaved({"x": lambda: exempt(read)}, loops=loops)["x"] * 1e6,
               "µs", at_most=1.0)  # fmt: skip


TEMPLATES = f"{ARM}{S}/Microsoft.Resources/deployments/d?api-version=2024-07-01"


def template(count: int) -> dict[str, Any]:
    one = {
        "type": "Microsoft.Compute/virtualMachines",
        "apiVersion": "2024-07-01",
        "name": "[concat('v', copyIndex())]",
        "location": "[parameters('where')]",
        "properties": {"hardwareProfile": {"vmSize": "[variables('size')]"}},
    }
    return {
        "parameters": {"where": {"type": "string", "defaultValue": "westeurope"}},
        "variables": {"size": "[concat('Standard_', 'D2s_v3')]"},
        "resources": [one] * count,
    }


def whole(report: Report) -> None:
    """A stubbed call of the compute client, bare and under an installed guard that records nothing."""
    from azure.mgmt.compute import ComputeManagementClient

    from exportguard import Guard

    client: Any = ComputeManagementClient(Credential(), "s", transport=Transport().azure)
    machines = client.virtual_machines

    def write() -> None:
        machines.begin_create_or_update("rg", "v", machine("Standard_D2s_v3"), polling=False)

    def read() -> None:
        machines.get("rg", "v")

    bare = interleaved({"write": write, "read": read}, loops=40)
    with Guard.load(record=None, ledger=None, lists=None) as guard:
        guard.install()
        under = interleaved({"write": write, "read": read}, loops=40)
    for name in ("write", "read"):
        report.add("azure", f"a {name} of the compute client under a guard", under[name] * 1e6, "µs",
                   peers={"without": bare[name] * 1e6})  # fmt: skip
        share = (under[name] - bare[name]) / bare[name]
        report.add("azure", f"the guard's share of a stubbed {name}", max(0.0, share) * 100, "%")


def openai(report: Report) -> None:
    from exportguard.adapters.openai.facts import observe

    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x" * 500}], "max_tokens": 100}
    found = each(lambda n: observe("https://api.openai.com/v1", "/chat/completions", body), 4000)
    report.add("azure", "an openai call recognised, p50", percentile(found, 0.5), "µs", at_most=10.0)
