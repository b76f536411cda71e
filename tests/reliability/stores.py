"""The places that a store can be at: every test of a store's promise runs on each of them."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from reliability import postgres_server

PLACES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def place_of(kind: str, folder: Path) -> str:
    """A fresh place of this kind; skips, with the reason, where it cannot be had."""
    if kind == "sqlite":
        return str(folder / "store.sqlite3")
    reason = postgres_server.why_not()
    if reason is not None:
        pytest.skip(reason)
    pytest.importorskip("sqlalchemy", reason="PostgreSQL: the extra `postgres` is not installed")
    pytest.importorskip("psycopg", reason="PostgreSQL: the extra `postgres` is not installed")
    return postgres_server.server().fresh(f"t{uuid.uuid4().hex}")


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return place_of(request.param, tmp_path)
