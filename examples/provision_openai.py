"""The openai client for Azure. A deployment's name hides its model, so the guard is given what the names stand for."""

import json
import tempfile
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from openai import AzureOpenAI

from exportguard import Guard, ProvisioningRefused

HERE = Path(__file__).parent
COMPLETION = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "gpt-4",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}],
}


class Answers(BaseHTTPRequestHandler):
    """Stands in for Azure OpenAI, on this machine."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(COMPLETION).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        guard = Guard.load(
            customers=HERE / "company_policies" / "customers.yaml",
            record=Path(folder) / "decisions.sqlite3",
            ledger=Path(folder) / "decisions.sqlite3",
            resolver={"openai": {"chat-prod": "gpt-4"}},
            clock=lambda: datetime(2024, 8, 23, tzinfo=UTC),
        )
        server = HTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = AzureOpenAI(
            azure_endpoint=f"http://127.0.0.1:{server.server_port}", api_key="not-a-key", api_version="2024-06-01"
        )
        with guard:
            guard.attach(client)
            for customer, deployment in (
                ("cust-zurich", "chat-prod"),
                ("cust-zurich", "chat-other"),
                ("cust-shenzhen", "chat-prod"),
            ):
                with guard.acting_for(customer):
                    try:
                        client.chat.completions.create(model=deployment, messages=[{"role": "user", "content": "Hi"}])
                        print(f"{customer}, {deployment}: answered")
                    except ProvisioningRefused as refused:
                        print(f"{customer}, {deployment}: {refused.decision.outcome}")


if __name__ == "__main__":
    main()
