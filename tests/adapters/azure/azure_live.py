"""A cloud that is not there: answers as Resource Manager gives them, below the SDK's own transport, and a guard."""

from __future__ import annotations

import io
import json
from typing import Any

import requests
from azure.core import PipelineClient
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from requests.adapters import BaseAdapter

from adapters.calls_corpus import CUSTOMERS
from exportguard import Guard


def guard(**more: Any) -> Guard:
    """Over the shipped packs, with a customer of country group D:5 and a plain one; it keeps nothing."""
    return Guard.load(customers=CUSTOMERS, record=None, ledger=None, lists=None, **more)


class Credential:
    """Counts how often it is asked for a token."""

    def __init__(self) -> None:
        self.asked = 0

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        self.asked += 1
        return AccessToken("token", 9_999_999_999)


class Cloud(BaseAdapter):
    """Answers by method and the end of the path, else with an empty object; what arrives is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.answers: list[tuple[str, str, int, dict[str, str], Any]] = []

    def on(self, method: str, tail: str, status: int, body: Any = None, **headers: str) -> Cloud:
        self.answers.append((method, tail, status, headers, body))
        return self

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        path = str(request.url).partition("?")[0]
        self.sent.append((request.method, path))
        found = [each for each in self.answers if each[0] == request.method and path.endswith(each[1])]
        _, _, status, headers, body = found[0] if found else ("", "", 200, {}, {})
        if len(found) > 1:
            self.answers.remove(found[0])
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = status, str(request.url), request
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        answer.headers.update({"content-type": "application/json", **named})
        answer.raw = io.BytesIO(b"" if body is None else json.dumps(body).encode())
        return answer

    def close(self) -> None: ...

    @property
    def writes(self) -> list[str]:
        return [f"{method} {path.rpartition('/')[2]}" for method, path in self.sent if method not in ("GET", "HEAD")]

    def transport(self) -> RequestsTransport:
        session = requests.Session()
        session.mount("https://", self)
        return RequestsTransport(session=session)


def send(cloud: Cloud, method: str, url: str, body: Any = None, **client: Any) -> Any:
    """One raw request through a client that has no policy but what is given."""
    given = {"policies": [], "transport": cloud.transport(), **client}
    made: Any = PipelineClient("https://management.azure.com", **given)
    return made.send_request(HttpRequest(method, url, **({} if body is None else {"json": body})))
