"""A guard on the shipped packs, with the customers of the examples and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exportguard import Guard

CUSTOMERS = Path(__file__).resolve().parents[2] / "examples" / "company_policies" / "customers.yaml"
AS_OF = datetime(2024, 8, 23, tzinfo=UTC)


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Any]:
    """`load(**options)`: a guard that is closed, and uninstalled, when the test ends."""
    guards: list[Guard] = []

    def make(policies: Any = None, **options: Any) -> Guard:
        settings: dict[str, Any] = {
            "customers": CUSTOMERS,
            "record": tmp_path / "decisions.sqlite3",
            "ledger": None,
            "lists": None,
            "clock": lambda: AS_OF,
            **options,
        }
        guard = Guard.load(policies, **settings)
        guards.append(guard)
        return guard

    yield make
    for guard in reversed(guards):
        guard.close()


@pytest.fixture
def guard(load: Any) -> Guard:
    return load()
