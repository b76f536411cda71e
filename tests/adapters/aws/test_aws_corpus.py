"""Hundreds of call documents under the shipped packs: what is everyday passes with nobody known, what leads to a chip
or a model does not, however it is put."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exportguard import Guard
from exportguard.adapters.aws.operations.resource_types import CALLS

HERE = Path(__file__).parent / "corpus"
CUSTOMERS = Path(__file__).parents[3] / "examples" / "company_policies" / "customers.yaml"


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard]:
    made = Guard.load(
        customers=CUSTOMERS, record=None, ledger=None, lists=None, resolver=None,
        clock=lambda: datetime(2026, 8, 1, tzinfo=UTC),
    )  # fmt: skip
    yield made
    made.close()


def outcome(guard: Guard, row: dict[str, Any], customer: str | None = None) -> str:
    document = {"sdk": "boto3", "region": "us-east-1", "customer": customer, **row}
    document = {key: value for key, value in document.items() if value is not None and key != "expect"}
    return guard.check(document).outcome.value


def test_everyday_calls_are_allowed_with_nobody_known(guard):
    """Storage, queues, functions, general-purpose instances in every service, templates that resolve, shrinking."""
    rows = lines("everyday.jsonl")
    held = [(row["service"], row["operation"], row["parameters"]) for row in rows if outcome(guard, row) != "ALLOW"]
    assert held == []
    assert len(rows) > 350


def test_what_leads_to_a_chip_or_a_model_is_never_let_through(guard):
    """Nobody known: not allowed. Headquartered in D:5: denied where the call names the thing. What is named is no
    riddle either: with full facts it is allowed. What a document alone cannot resolve is held for everybody."""
    rows = lines("evasions.jsonl")
    wrong = []
    for row in rows:
        nobody, known, restricted = (outcome(guard, row, who) for who in (None, "cust-zurich", "cust-shenzhen"))
        _, known_before, restricted_before = row["expect"].split("/")
        weaker = "ALLOW" in (nobody, restricted) or (restricted_before == "DENY" and restricted != "DENY")
        if weaker or (known_before == "ALLOW" and known != "ALLOW"):
            wrong.append((row["service"], row["operation"], row["expect"], nobody, known, restricted))
    assert wrong == []
    assert len(rows) > 400


CALLED: dict[tuple[str, str], list[str]] = {}
for _kind, _called in CALLS.items():
    CALLED.setdefault(_called, []).append(_kind)
ROWS_OF = {
    "AWS::WorkSpaces::Workspace": "Workspaces",
    "AWS::EMR::InstanceGroupConfig": "InstanceGroups",
    "AWS::EMR::InstanceFleetConfig": "InstanceFleet",
    "AWS::Config::RemediationConfiguration": "RemediationConfigurations",
}


def capitalised(value: Any) -> Any:
    """Parameters as CloudFormation spells properties."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: capitalised(entry) for key, entry in value.items()}
    return [capitalised(entry) for entry in value] if isinstance(value, list) else value


def as_stacks(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same thing as a resource of a stack, for every type that the call makes."""
    for kind in CALLED.get((row["service"], row["operation"]), ()):
        properties = capitalised(row["parameters"])
        if kind in ROWS_OF:
            properties = properties.get(ROWS_OF[kind])
            properties = properties[0] if isinstance(properties, list) and properties else properties
            if not properties:
                continue
        if kind == "AWS::ApiGateway::Method":
            properties = {"Integration": properties}
        if kind.endswith("StateMachine"):
            properties["DefinitionString"] = properties.pop("Definition", None)
        body = json.dumps({"Resources": {"X": {"Type": kind, "Properties": properties}}})
        yield {"service": "cloudformation", "operation": "CreateStack",
               "parameters": {"StackName": "s", "TemplateBody": body}}  # fmt: skip


def as_later_calls(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same call, made later by a state machine or a schedule."""
    service = {"stepfunctions": "sfn", "events": "eventbridge"}.get(row["service"], row["service"].replace("-", ""))
    name = row["operation"].strip()
    action = f"{service}:{name[:1].lower()}{name[1:]}"
    task = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Parameters": row["parameters"],
        "End": True,
    }
    yield {"service": "stepfunctions", "operation": "CreateStateMachine",
           "parameters": {"definition": json.dumps({"StartAt": "A", "States": {"A": task}})}}  # fmt: skip
    yield {"service": "scheduler", "operation": "CreateSchedule", "parameters": {"Target": {
        "Arn": f"arn:aws:scheduler:::aws-sdk:{action}", "Input": json.dumps(row["parameters"])}}}  # fmt: skip


def test_a_resource_of_a_stack_is_judged_as_the_call_that_makes_it(guard):
    """In a template everyday things stay everyday, and what is denied as a call is denied as a resource."""
    wrong = []
    count = 0
    for row in lines("everyday.jsonl"):
        for stack in as_stacks(row):
            count += 1
            if outcome(guard, stack) != "ALLOW":
                wrong.append(stack)
    for row in lines("evasions.jsonl"):
        for stack in as_stacks(row):
            count += 1
            restricted = outcome(guard, stack, "cust-shenzhen")
            if restricted == "ALLOW" or (row["expect"].endswith("DENY") and restricted != "DENY"):
                wrong.append(stack)
    assert wrong == []
    assert count > 300


def test_a_call_that_is_made_later_is_never_let_through(guard):
    """Step Functions and EventBridge Scheduler make any call of the SDK: each evasion, by way of them."""
    rows = [later for row in lines("evasions.jsonl") if "_" not in row["operation"] for later in as_later_calls(row)]
    assert [row for row in rows if outcome(guard, row, "cust-shenzhen") == "ALLOW"] == []
    assert len(rows) > 800


def spelt(value: Any, how: Callable[[str], str]) -> Any:
    """Parameters with every key spelt otherwise."""
    if isinstance(value, dict):
        return {how(key): spelt(entry, how) for key, entry in value.items()}
    return [spelt(entry, how) for entry in value] if isinstance(value, list) else value


def snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()


def as_texts(parameters: dict[str, Any]) -> dict[str, Any]:
    """Structures written as texts."""
    return {key: json.dumps(value) if isinstance(value, (dict, list)) else value for key, value in parameters.items()}


OTHERWISE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "lower": lambda parameters: spelt(parameters, str.lower),
    "snake": lambda parameters: spelt(parameters, snake),
    "upper": lambda parameters: spelt(parameters, str.upper),
    "texts": as_texts,
    "wrapped": lambda parameters: {"Parameters": parameters},
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_another_spelling_of_parameters_unlocks_nothing(guard, how):
    """botocore would refuse them; a document that says them means what they stand for."""
    wrong = []
    for row in lines("evasions.jsonl"):
        meant = OTHERWISE[how](row["parameters"])
        if outcome(guard, {**row, "parameters": meant}, "cust-shenzhen") == "ALLOW":
            wrong.append((row["service"], row["operation"], meant))
    assert wrong == []
