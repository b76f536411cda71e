"""The enforcement point of the openai package: one client, or every client of the process."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from openai._base_client import AsyncAPIClient, SyncAPIClient

from exportguard.adapters.openai import patches
from exportguard.adapters.openai.resolve import Resolver, as_resolver
from exportguard.errors import ConfigurationError
from exportguard.forks import Lock
from exportguard.vocabulary.enforcement import Gate


class OpenAIHook:
    """Judges the calls of openai clients (1.x to 3.x, sync and async, Azure and not) through *gate*.

    Args:
        gate: the guard, as adapters see it.
        resolver: knows which model an Azure deployment runs, or a mapping of what deployments stand for; None leaves
            it unknown.
    """

    def __init__(self, gate: Gate, *, resolver: Resolver | Mapping[str, Any] | None = None) -> None:
        self.gate = gate
        self.resolver = as_resolver(resolver)
        self._lock = Lock()

    def install(self) -> None:
        """Every client of the process, those that exist already included. Twice is once."""
        patches.add(self)

    def uninstall(self) -> None:
        """Undo `install`: the package has its own functions back once no hook is installed."""
        patches.remove(self)

    @staticmethod
    def accepts(target: object) -> bool:
        """Whether *target* is an openai client."""
        return isinstance(target, (SyncAPIClient, AsyncAPIClient))

    def attach(self, target: Any, *, customer: str | None = None) -> None:
        """Guard one living client and those copied from it. Twice is once; the last *customer* counts.

        Raises:
            ConfigurationError: *target* is no openai client.
        """
        if not self.accepts(target):
            raise ConfigurationError(
                f"a {type(target).__name__} is no openai client", remedy="attach an openai client, or use install()"
            )
        with self._lock:
            attributes = vars(target)
            attributes[patches.MARK] = {**attributes.get(patches.MARK, {}), self: customer}
            for name in ("copy", "with_options"):
                if name not in attributes and hasattr(target, name):
                    attributes[name] = _inheriting(target, name)
            patches.guard_client(target)
            patches.watch(target)
        patches.watch_sockets()


def _inheriting(client: Any, name: str) -> Any:
    """The client's own `copy`, with the copy guarded as the client is."""
    method = getattr(type(client), name)

    @functools.wraps(method)
    def copied(*args: Any, **kwargs: Any) -> Any:
        made = method(client, *args, **kwargs)
        for hook, customer in vars(client).get(patches.MARK, {}).items():
            hook.attach(made, customer=customer)
        return made

    return copied
