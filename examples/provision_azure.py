"""One Azure client with the guard's policy. The transport stands in for the network and counts what would be sent."""

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.compute import ComputeManagementClient
from requests import Response

from exportguard import Guard, ProvisioningRefused

HERE = Path(__file__).parent


class NoNetwork(RequestsTransport):
    """Answers every request with the resource that was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def send(self, request: Any, **kwargs: Any) -> Any:
        from azure.core.pipeline.transport import RequestsTransportResponse

        self.sent.append(f"{request.method} {request.url}")
        body = json.loads(request.body or "{}")
        body.setdefault("properties", {})["provisioningState"] = "Succeeded"
        answer = Response()
        answer.status_code = 200
        answer._content = json.dumps({"name": "vm-1", **body}).encode()
        answer.headers["Content-Type"] = "application/json"
        return RequestsTransportResponse(request, answer)


class Credential:
    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken("not-a-token", int(time.time()) + 3600)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        guard = Guard.load(
            customers=HERE / "company_policies" / "customers.yaml",
            record=Path(folder) / "decisions.sqlite3",
            ledger=None,
            clock=lambda: datetime(2024, 8, 23, tzinfo=UTC),
        )
        network = NoNetwork()
        with guard:
            compute = ComputeManagementClient(
                Credential(),
                "00000000-0000-0000-0000-000000000000",
                transport=network,
                per_call_policies=[guard.azure_policy(customer="cust-shenzhen")],
            )
            for size in ("Standard_D2s_v5", "Standard_ND96isr_H100_v5"):
                machine: Any = {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": size}}}
                before = len(network.sent)
                try:
                    compute.virtual_machines.begin_create_or_update("group", "vm-1", machine).result()
                    print(f"{size}: created")
                except ProvisioningRefused as refused:
                    told = refused.decision.reasons[0].rule
                    print(f"{size}: {refused.decision.outcome} by {told}, {len(network.sent) - before} requests sent")


if __name__ == "__main__":
    main()
