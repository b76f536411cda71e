"""A call that repeats is remembered piece by piece; whatever it hangs on may change in between, and then it counts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from exportguard import Outcome, ProvisioningDenied
from exportguard.vocabulary import CallOrigin, Item, ItemKind, Location, Party, ProvisioningRequest

CUSTOMERS = Path(__file__).resolve().parents[2] / "examples" / "company_policies" / "customers.yaml"
ITEMS = (Item(kind=ItemKind.ACCELERATOR, instance_type="p5.48xlarge", instances=1),)
PLACES = (Location(region="us-east-1"),)
ZURICH = (
    Party(
        role="end_user", name="Hochschule", country="CH", headquarters="CH", ultimate_parent=None, owners=(),
        listings=(), verified=True,
    ),
)  # fmt: skip
SHENZHEN = (ZURICH[0].model_copy(update={"country": "CN", "headquarters": "CN"}),)
SAID: dict[str, Any] = {
    "provider": "aws", "service": "ec2", "operation": "RunInstances", "action": "provision", "account": "111122223333",
    "locations": PLACES, "items": ITEMS, "parties": ZURICH, "end_use": "inference", "transfer": "remote_access",
    "red_flags": (),
}  # fmt: skip
OTHERS: dict[str, Any] = {
    "parties": SHENZHEN, "locations": (Location(region="cn-north-1"),), "end_use": "military",
    "account": "444455556666",
    "items": (Item(kind=ItemKind.ACCELERATOR, instance_type="t3.micro", instances=1),), "red_flags": ("unverified",),
    "transfer": "export", "provider": "azure",
}  # fmt: skip


def judged(guard: Any, request: ProvisioningRequest) -> Any:
    decision = guard.judge(lambda: request, CallOrigin("test")).decision
    return decision.model_copy(update={"decision_id": None})


def test_requests_that_share_all_but_one_part_are_decided_each_as_alone(load):
    """The same objects in every part but one or two: a guard that has seen them all says what a new one says."""
    old = load(record=None)
    changes = [dict(pair) for n in (0, 1, 2) for pair in itertools.combinations(OTHERS.items(), n)]
    requests = [ProvisioningRequest(**SAID).model_copy(update=change) for change in changes]
    for _ in range(2):
        seen = [judged(old, request) for request in requests]
    assert {decision.outcome for decision in seen} == set(Outcome)
    new = load(record=None)
    from exportguard import deciding
    from exportguard.decide import evaluate

    for request, told in zip(requests, seen, strict=True):
        deciding._derived.clear()
        evaluate._decided.clear()
        assert judged(new, request) == told
        assert told.request == new.judge(lambda r=request: r, CallOrigin("test")).decision.request


def test_the_rules_of_another_day_are_asked_of_a_call_that_repeats(load):
    """On the clock of today, and of the day before a rule, and of today again."""
    day = [datetime(2022, 1, 1, tzinfo=UTC)]
    guard = load(record=None, clock=lambda: day[0])
    request = ProvisioningRequest(**SAID).model_copy(update={"parties": SHENZHEN})
    outcomes = []
    for year in (2022, 2024, 2022, 2024):
        day[0] = datetime(year, 1, 1, tzinfo=UTC)
        decision = judged(guard, request)
        assert decision.as_of == day[0]
        outcomes.append((decision.outcome, len(decision.reasons)))
    assert outcomes[:2] == outcomes[2:]
    assert outcomes[0] != outcomes[1]


def test_rules_and_records_that_were_reloaded_count_at_once(load, tmp_path):
    """The same call of a living client: allowed, then denied by a new rule, then by a new record of the customer."""
    guard = load(record=None, ledger=None)
    rule = tmp_path / "mine.yaml"
    rule.write_text(
        "policy: mine\nversion: 1\ntitle: Mine\nrules:\n  - id: none\n    title: None\n    effect: deny\n"
        "    when: item.accelerator.family == 'H100'\n    because: no {item.name}\n"
    )
    with mock_aws():
        ec2 = boto3.Session("demo", "demo", "demo", region_name="us-east-1").client("ec2")
        guard.attach(ec2, customer="cust-zurich")
        call = {"ImageId": "ami-12c6146b", "InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1}
        moved = [{"id": "cust-zurich", "parties": [SHENZHEN[0].model_dump(mode="json", exclude_unset=True)]}]
        for _ in range(2):
            for _ in range(3):
                ec2.run_instances(**call)
            guard.reload(customers={"customers": moved})
            for _ in range(3):
                with pytest.raises(ProvisioningDenied, match="Hochschule"):
                    ec2.run_instances(**call)
            guard.reload(customers=CUSTOMERS)
        guard.reload(rule)
        for _ in range(3):
            with pytest.raises(ProvisioningDenied, match="no p5"):
                ec2.run_instances(**call)
