"""The IAM policy in the documentation grants what a resolver may ask, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PREFIXES = {"bedrock-agent": "bedrock", "emr": "elasticmapreduce", "stepfunctions": "states",
            "cloudcontrol": "cloudformation"}  # fmt: skip


def asked() -> set[str]:
    """Every look-up that an operation makes, as an IAM action."""
    found = set()
    for path in (ROOT / "src/exportguard/adapters/aws").rglob("*.py"):
        for service, operation in re.findall(r'\.ask\(\s*"([a-z0-9-]+)",\s*"(\w+)"', path.read_text("utf-8")):
            found.add(f"{PREFIXES.get(service, service)}:{operation}")
    return found


def test_the_documented_policy_is_what_is_asked():
    """Whoever copies it has given neither too little nor too much."""
    text = (ROOT / "docs/aws.md").read_text("utf-8")
    block = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert block is not None
    (statement,) = json.loads(block[1])["Statement"]
    granted = set(statement["Action"])
    # Asked by a name that is put together.
    extra = {"appstream:DescribeFleets", "appstream:DescribeImageBuilders", "drs:GetLaunchConfiguration",
             "mgn:GetLaunchConfiguration"}  # fmt: skip
    assert granted - extra == asked()
    assert len(statement["Action"]) == len(granted)
    assert all(re.match(r"\w[\w-]*:(Describe|Get|List|Search|BatchGet)", action) for action in granted)
