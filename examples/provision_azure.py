"""One Azure client with the guard's policy. A server on this machine stands in for Azure and counts connections."""

import json
import tempfile
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken
from azure.mgmt.compute import ComputeManagementClient

from exportguard import Guard, ProvisioningRefused

HERE = Path(__file__).parent


class Arm(BaseHTTPRequestHandler):
    """Creates whatever is asked for."""

    sent: int = 0

    def do_PUT(self) -> None:
        type(self).sent += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body.setdefault("properties", {})["provisioningState"] = "Succeeded"
        answer = json.dumps({"name": "vm-1", **body}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None: ...


class Credential:
    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken("not-a-token", int(time.time()) + 3600)


def main() -> None:
    server = HTTPServer(("127.0.0.1", 0), Arm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        guard = Guard.load(
            customers=HERE / "company_policies" / "customers.yaml",
            record=Path(folder) / "decisions.sqlite3",
            ledger=Path(folder) / "decisions.sqlite3",
            clock=lambda: datetime(2024, 8, 23, tzinfo=UTC),
        )
        with guard:
            compute = ComputeManagementClient(
                Credential(),
                "00000000-0000-0000-0000-000000000000",
                base_url=f"http://127.0.0.1:{server.server_port}",
                credential_scopes=["https://management.azure.com/.default"],
                per_call_policies=[guard.azure_policy(customer="cust-shenzhen")],
            )
            for size in ("Standard_D2s_v5", "Standard_ND96isr_H100_v5"):
                machine: Any = {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": size}}}
                before = Arm.sent
                try:
                    # Only the loopback server is spoken to without TLS.
                    machines = compute.virtual_machines
                    machines.begin_create_or_update("group", "vm-1", machine, enforce_https=False).result()
                    print(f"{size}: created")
                except ProvisioningRefused as refused:
                    told = refused.decision.reasons[0].rule
                    print(f"{size}: {refused.decision.outcome} by {told}, {Arm.sent - before} requests sent")


if __name__ == "__main__":
    main()
