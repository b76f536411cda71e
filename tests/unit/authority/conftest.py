"""The places that a ledger can be at: the shared ones, and a DynamoDB table by moto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reliability.stores import PLACES, place_of


@pytest.fixture(params=[*PLACES, "dynamodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param != "dynamodb":
        yield place_of(request.param, tmp_path)
        return
    moto = pytest.importorskip("moto", reason="DynamoDB: moto is not installed")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws():
        yield "dynamodb://ledger?region=us-east-1"
