"""`exportguard demo`: the news report's cases on real SDK clients, with embedded defaults."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exportguard.errors import ConfigurationError

HELP = """Make the calls of the 2024 news report with real SDK clients, and show what is refused and why.

Nothing leaves this machine: AWS is played by moto, Azure and Azure OpenAI by servers on 127.0.0.1.

Example: exportguard demo
"""

AS_OF = datetime(2024, 8, 23, tzinfo=UTC)
"""The day of the report: its rules decide, whatever day it is."""

_NEEDED = ("boto3", "moto", "azure.mgmt.compute", "openai")


def demo() -> None:
    missing = [name for name in _NEEDED if not _is_there(name)]
    if missing:
        raise ConfigurationError(
            f"the demo makes its calls with real SDKs, and {', '.join(missing)} cannot be imported",
            remedy="pip install 'exportguard[demo]'",
        )
    from exportguard.cli.demo.cases import DEPLOYMENTS
    from exportguard.cli.demo.show import Remembering, show
    from exportguard.guard import Guard
    from exportguard.record import default_store

    store = default_store().with_name("demo.sqlite3")
    with Remembering(store) as log:
        guard = Guard.load(
            customers=Path(__file__).with_name("customers.yaml"),
            record=log,
            ledger=store,
            resolver={"openai": DEPLOYMENTS},
            clock=lambda: AS_OF,
        )
        with guard:
            show(guard, log, AS_OF)


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


__all__: list[Any] = ["AS_OF", "HELP", "demo"]
