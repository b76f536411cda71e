"""The openai client for Azure. A deployment's name hides its model, so the guard is given what the names stand for."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import httpx
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


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        guard = Guard.load(
            customers=HERE / "company_policies" / "customers.yaml",
            record=Path(folder) / "decisions.sqlite3",
            ledger=None,
            resolver={"openai": {"chat-prod": "gpt-4"}},
            clock=lambda: datetime(2024, 8, 23, tzinfo=UTC),
        )
        network = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=COMPLETION)))
        client = AzureOpenAI(
            azure_endpoint="https://example.openai.azure.com",
            api_key="not-a-key",
            api_version="2024-06-01",
            http_client=network,
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
