"""The HTTP client that an openai client holds, used by itself: what it sends to its hosts is judged too."""

from __future__ import annotations

import weakref
from types import SimpleNamespace
from typing import Any, Final

_OWNED: Final = "_exportguard_openai"
"""On an HTTP client: for which openai clients it sends."""


class _Owned:
    """One HTTP client's openai clients: the first one, or what is to be known of it, and the hosts of all."""

    __slots__ = ("_client", "_known", "hosts")

    def __init__(self, client: Any) -> None:
        self._client = weakref.ref(client)
        self._known = SimpleNamespace(base_url=str(client.base_url))
        if hasattr(client, "_azure_deployment"):
            self._known._azure_deployment = client._azure_deployment
        self.hosts: set[str] = set()

    def client(self) -> Any:
        alive = self._client()
        return self._known if alive is None else alive


def own(client: Any) -> None:
    """Remember what the HTTP client of *client* is for. A client copied from another one shares it."""
    attributes = getattr(getattr(client, "_client", None), "__dict__", None)
    host = getattr(getattr(client, "base_url", None), "host", None)
    if attributes is None or not host:
        return
    if _OWNED not in attributes:
        attributes[_OWNED] = _Owned(client)
    attributes[_OWNED].hosts.add(host)


def owner_of(http: Any, request: Any) -> Any | None:
    """The openai client that *request* would be one of, by the host that it goes to; None for anybody else's."""
    owned: _Owned | None = getattr(http, "__dict__", {}).get(_OWNED)
    if owned is None:
        return None
    host = getattr(request.url, "host", None)
    client = owned.client()
    now = getattr(getattr(client, "base_url", None), "host", None)  # it can be given another one at any time
    return client if host in owned.hosts or host == now else None
