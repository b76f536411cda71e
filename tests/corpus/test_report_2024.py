"""The news report's cases, as of then and as of today: what the law says of them, and what the companies' packs do.

Access from afar to a chip that stays abroad was no violation, so no reason may say that a licence was required for it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from exportguard import Guard, Outcome, ProvisioningHeld

CASES = yaml.safe_load((Path(__file__).with_name("report_2024.yaml")).read_text(encoding="utf-8"))["cases"]
DAYS = {"then": datetime(2024, 8, 23, tzinfo=UTC), "today": datetime(2026, 11, 25, tzinfo=UTC)}
LAW = ["us-ear-advanced-computing", "us-ear-end-users", "us-ofac"]
BY_LAW = ("license_requirement", "prohibition")

each_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
each_day = pytest.mark.parametrize("day", DAYS)


@pytest.fixture(scope="module")
def law():
    return Guard.load(packs=LAW, lists=None, record=None, ledger=None)


@pytest.fixture(scope="module")
def everything():
    return Guard.load(lists=None, record=None, ledger=None)


@each_case
@each_day
def test_by_law_alone(law, case, day):
    """Only what moves needs a licence; of what is reached from afar only prohibitions on dealing may be open."""
    decision = law.check(case["request"], as_of=DAYS[day])
    told = {reason.rule: reason for reason in decision.reasons}
    assert decision.outcome == case["law"][day]
    assert set(case.get("law_rules", ())) <= set(told)
    if not case.get("shipped"):
        assert [reason for reason in decision.reasons if reason.result == "match"] == []
        assert not any(reason.basis == "license_requirement" for reason in decision.reasons)


@each_case
@each_day
def test_with_every_pack(everything, case, day):
    """A refusal of what the law allowed says that a company or a provider refuses, never that a licence is required."""
    decision = everything.check(case["request"], as_of=DAYS[day])
    told = {reason.rule for reason in decision.reasons}
    assert decision.outcome == case["all"][day]
    assert set(case["rules"]) <= told
    if not case.get("shipped"):
        for reason in decision.reasons:
            if reason.result == "match":
                assert reason.basis in ("company_policy", "provider_terms")
            assert "licence is required" not in reason.message


def test_every_reason_says_what_it_rests_on_and_how_well(everything):
    for case in CASES:
        for reason in everything.check(case["request"], as_of=DAYS["today"]).reasons:
            if reason.basis in BY_LAW:
                assert reason.cites
            if reason.result == "match" and reason.effect == "deny":
                assert reason.confidence is not None
                assert reason.grounds


def test_the_same_servers_before_the_first_rule(law, everything):
    """Nothing was 3A090 before 2022-10-07, whoever asked for it."""
    for case in CASES:
        if "A100" in case["name"] or "servers" in case["name"]:
            before = law.check(case["request"], as_of=datetime(2022, 10, 6, 23, 59, tzinfo=UTC))
            assert not any(r.rule.startswith(("china-", "macau-", "datacenter-")) for r in before.reasons)


def test_by_name_alone_the_lists_catch_one_university_of_two():
    """Screening alone lets Shenzhen University pass; its headquarters do not."""
    guard = Guard.load(record=None, ledger=None)
    day = datetime(2026, 8, 1, tzinfo=UTC)
    found = {}
    for case in CASES:
        request = json.loads(json.dumps(case["request"]))
        for party in request["parties"]:
            party.pop("listings", None)
        if case["name"].startswith(("Shenzhen University rents", "Sichuan University plans")):
            decision = guard.check(request, as_of=day)
            assert decision.outcome is Outcome.DENY
            found[case["name"][:8]] = next(p.listings for p in decision.parties if p.role == "end_user")
    assert found == {"Shenzhen": (), "Sichuan ": ("EL",)}


def test_forty_orders_of_a_million_tokens_are_forty_million(tmp_path):
    """Live calls, a ledger, and a model that no terms bar: the order that reaches the amount is held."""
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto")
    customers = tmp_path / "customers.yaml"
    customers.write_text(
        "customers:\n  - id: c\n    parties:\n      - {role: end_user, name: Example Institute, country: CN, "
        "headquarters: CN, ultimate_parent: null, owners: [], listings: []}\n"
    )
    store = tmp_path / "store.sqlite3"
    guard = Guard.load(customers=customers, record=store, ledger=store, lists=None, clock=lambda: DAYS["today"])
    body = json.dumps({"inferenceConfig": {"maxTokens": 1_000_000}, "messages": []})
    with moto.mock_aws(), guard:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        client = guard.attach(boto3.client("bedrock-runtime", region_name="us-east-1", **keys))
        with guard.acting_for("c"):
            for _ in range(39):
                client.invoke_model(modelId="amazon.nova-pro-v1:0", body=body)
            with pytest.raises(ProvisioningHeld) as held:
                client.invoke_model(modelId="amazon.nova-pro-v1:0", body=body)
    assert [r.rule for r in held.value.decision.reasons if r.result == "match"] == ["tokens-cut-up"]
