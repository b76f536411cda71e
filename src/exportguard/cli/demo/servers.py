"""Loopback servers that stand in for Azure Resource Manager and Azure OpenAI, so that the demo needs no account.

They really answer, and count connections and requests: a refusal is shown to have opened none.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class CountingServer(ThreadingHTTPServer):
    """An HTTP server on a free loopback port that counts what reaches it."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.connections = 0
        self.requests: list[str] = []

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: CountingServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent: the demo's own table is the output."""

    def _body(self) -> Any:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length) if length else b""
        return json.loads(data) if data else {}

    def _answer(self, status: int, document: Any) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class ArmHandler(_Handler):
    """Creates virtual machines: PUT answers 201 with the resource in state Succeeded, GET gives it back."""

    def do_PUT(self) -> None:
        path = self.path.split("?")[0]
        body = self._body()
        body.setdefault("properties", {})["provisioningState"] = "Succeeded"
        body.update(id=path, name=path.rsplit("/", 1)[-1], type="Microsoft.Compute/virtualMachines")
        _CREATED[(self.server.server_address, path)] = body
        self._answer(201, body)

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        found = _CREATED.get((self.server.server_address, path))
        if found is None:
            self._answer(404, {"error": {"code": "ResourceNotFound", "message": path}})
        else:
            self._answer(200, found)


_CREATED: dict[Any, Any] = {}


class OpenAIHandler(_Handler):
    """Answers a chat completion with one short sentence."""

    def do_POST(self) -> None:
        asked = self._body()
        self._answer(
            200,
            {
                "id": "chatcmpl-demo",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": asked.get("model", "demo"),
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": "A loopback server says hello."},
                    }
                ],
                "usage": {"prompt_tokens": 1, "completion_tokens": 6, "total_tokens": 7},
            },
        )


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[CountingServer]:
    """A server on a free port, in a thread, while the block runs."""
    server = CountingServer(handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class CountingCredential:
    """A token credential that gives a worthless token and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        from azure.core.credentials import AccessToken

        self.asked += 1
        return AccessToken("not-a-token", int(time.time()) + 3600)

    def get_token_info(self, *scopes: str, **kwargs: Any) -> Any:
        from azure.core.credentials import AccessTokenInfo

        self.asked += 1
        return AccessTokenInfo("not-a-token", int(time.time()) + 3600)
