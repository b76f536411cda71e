"""Fuzzing with atheris, a target a process: no crash but the documented errors, within time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
POLICIES = TESTS.parent / "policies"

RUNS = 150_000
SECONDS = 300
"""After which an input hangs; how long one may work is in `target.py`."""
MEGABYTES = 1024

REQUESTS = (
    {
        "provider": "aws",
        "items": [{"kind": "accelerator", "instance_type": "p5.48xlarge", "instances": 2}],
        "parties": [{"role": "end_user", "name": "Example", "country": "CN", "listings": ["EL"]}],
        "locations": [{"region": "us-east-1", "certainty": "possible"}],
    },
    {"items": {"unknown": "x"}, "parties": [], "time": "2024-05-01T00:00:00Z", "red_flags": ["a"]},
)
CALLS = (
    {
        "sdk": "boto3", "service": "ec2", "operation": "RunInstances", "region": "us-east-1",
        "parameters": {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 2},
    },
    {"sdk": "azure", "method": "PUT", "url": "https://management.azure.com/subscriptions/x", "body": {"location": "a"}},
    {"sdk": "openai", "base_url": "https://a.openai.azure.com/", "path": "/chat/completions", "body": {"model": "m"}},
)  # fmt: skip


def _seeds(name: str, folder: Path) -> None:
    folder.mkdir()
    if name == "policy_text":
        files = [*POLICIES.rglob("policy.yaml"), *(TESTS / "diagnostics" / "policies").glob("*.yaml")]
        texts = [file.read_bytes() for file in files]
    elif name == "condition":
        texts = [
            b'party.country == "CN"',
            b"request.parties.exists(p, p.listings.all(l, l != 'EL'))",
            b"-1 + 2.5 * 3 > 1",
        ]
    else:
        texts = [json.dumps(each).encode() for each in (REQUESTS if name == "request_document" else CALLS)]
    for number, text in enumerate(texts):
        (folder / str(number)).write_bytes(text)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["policy_text", "condition", "request_document", "call_document"])
def test_nothing_but_documented_errors(name: str, tmp_path: Path) -> None:
    """Over many inputs grown from real ones; the input that breaks is left in the test's folder."""
    _seeds(name, tmp_path / "seeds")
    (tmp_path / "found").mkdir()
    done = subprocess.run(
        [
            sys.executable, str(HERE / "target.py"), name, str(tmp_path / "found"), str(tmp_path / "seeds"),
            f"-runs={RUNS}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}", "-max_len=8192",
            f"-artifact_prefix={tmp_path}/", "-print_final_stats=1",
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"stat::number_of_executed_units: {RUNS}" in done.stderr
