"""A server on 127.0.0.1 that stands in for AWS, so that real clients can send what they were allowed to."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Loopback:
    """A server on 127.0.0.1 that answers every request with the next of *answers* (the last one again and again)."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = answers[min(len(outer.requests), len(answers) - 1)]
                outer.requests.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def loopback(*answers: tuple[int, bytes]) -> Iterator[Loopback]:
    server = Loopback(*answers)
    try:
        yield server
    finally:
        server.close()
