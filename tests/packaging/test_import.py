"""Importing the package costs next to nothing and drags nothing in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import exportguard

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("boto3", "botocore", "azure", "celpy", "lark", "typer", "rich", "duckdb", "ibis", "openai", "pydantic", "yaml")


def _modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n{code}\n"
         "import json; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_no_sdk_and_no_heavy_library():
    assert not {name.split(".")[0] for name in _modules_after("import exportguard")} & set(HEAVY)


@pytest.mark.parametrize(
    ("room", "absent"),
    [
        ("exportguard.guard", {"boto3", "botocore", "azure", "openai", "celpy", "lark", "typer", "rich"}),
        ("exportguard.decide", {"boto3", "azure", "openai", "celpy", "lark", "sqlite3"}),
        ("exportguard.adapters.aws.facts", {"boto3", "botocore"}),
        ("exportguard.adapters.azure.facts", {"azure"}),
        ("exportguard.adapters.openai.facts", {"openai"}),
    ],
)
def test_a_room_loads_no_sdk_before_it_is_needed(room, absent):
    """Facts and decisions work where no SDK is installed."""
    assert not {name.split(".")[0] for name in _modules_after(f"import {room}")} & absent


def test_public_names_are_there_and_others_are_not():
    for name in exportguard.__all__:
        assert getattr(exportguard, name) is not None
    assert set(exportguard.__all__) <= set(dir(exportguard))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = exportguard.no_such_name
