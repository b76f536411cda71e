"""Laws of reading AWS parameters: what is remembered of a call is what reading it anew says, and nothing secret."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportguard.adapters.aws import reading
from exportguard.adapters.aws.facts import observe
from exportguard.adapters.aws.lookup import Question
from exportguard.vocabulary import NotApplicable, ProvisioningRequest, Unknown

CORPUS = Path(__file__).parents[1] / "adapters" / "aws" / "corpus"
ROWS = [
    json.loads(line)
    for name in ("everyday.jsonl", "evasions.jsonl")
    for line in (CORPUS / name).read_text("utf-8").splitlines()
]
PLAIN = {"ImageId": "ami-1", "InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    reading._read.clear()
    yield
    reading._read.clear()


def seen(row: Mapping[str, Any], **more: Any) -> Any:
    return observe(row["service"], row["operation"], {**row["parameters"], **more}, region=row.get("region"))


def test_what_is_remembered_is_what_reading_anew_says():
    """Every call of the corpus: read first, read again, and read again under a client token of its own."""
    for row in ROWS:
        reading._read.clear()
        first = seen(row)
        assert seen(row) == first, row
        token = "7f0e1a52-6b1f-4a83-8d70-1f6a4a0c1d2e"
        named = seen(row, ClientToken=token)
        if isinstance(first, NotApplicable):
            assert named == first, row
        else:
            assert named == first.model_copy(update={"idempotency_key": token}), row


def test_what_is_read_is_what_the_checked_constructor_makes():
    for row in ROWS:
        found = seen(row)
        if isinstance(found, ProvisioningRequest):
            assert ProvisioningRequest.model_validate(found.model_dump(mode="json")) == found, row
            assert ProvisioningRequest(**found.__dict__) == found, row


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.floats(allow_nan=False, width=16), st.text(max_size=3),
    st.binary(max_size=3), st.just(Unknown("x")), st.just(bytearray(b"1")),
    st.sampled_from(["p5.48xlarge", "t3.micro", "1", 1, 1.0, True]),
)  # fmt: skip
PARAMETERS = st.dictionaries(
    st.sampled_from(
        ["InstanceType", "MinCount", "MaxCount", "LaunchTemplate", "ClientToken", "ImageId", "instanceType"]
    ),
    st.one_of(VALUES, st.lists(VALUES, max_size=2), st.dictionaries(st.sampled_from(["Id", "Version"]), VALUES)),
)


@given(many=st.lists(PARAMETERS, min_size=2, max_size=8))
def test_no_call_is_given_what_another_said(many):
    """However alike two calls are (`1`, `1.0`, `True`, `"1"`), each reads as it does when nothing is remembered."""
    reading._read.clear()
    together = [observe("ec2", "RunInstances", each, region="us-east-1") for each in many]
    for each, found in zip(many, together, strict=True):
        reading._read.clear()
        assert observe("ec2", "RunInstances", each, region="us-east-1") == found


class Answering:
    """A resolver whose answer changes between two calls."""

    def __init__(self) -> None:
        self.kinds = ["t3.micro", "p5.48xlarge"]

    def ask(self, question: Question) -> Any:
        if question.operation == "GetCallerIdentity":
            return {"Account": "111122223333"}
        kind = self.kinds.pop(0)
        return {"LaunchTemplateVersions": [{"VersionNumber": 1, "LaunchTemplateData": {"InstanceType": kind}}]}


def test_what_was_looked_up_is_looked_up_again():
    resolver, parameters = (
        Answering(),
        {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "$Latest"}, "MinCount": 1},
    )
    kinds = [
        observe("ec2", "RunInstances", parameters, region="us-east-1", resolver=resolver).items[0].instance_type  # type: ignore[union-attr]
        for _ in range(2)
    ]
    assert kinds == ["t3.micro", "p5.48xlarge"]


def test_parameters_that_change_after_they_were_read_are_read_anew():
    parameters: dict[str, Any] = {**PLAIN, "InstanceType": "t3.micro"}
    observe("ec2", "RunInstances", parameters, region="us-east-1")
    parameters["InstanceType"] = "p5.48xlarge"
    again = observe("ec2", "RunInstances", parameters, region="us-east-1")
    assert isinstance(again, ProvisioningRequest)
    assert [item.instance_type for item in again.items] == ["p5.48xlarge"]  # type: ignore[union-attr]


def test_nothing_of_a_call_outlives_it_but_what_its_request_says():
    observe("ec2", "RunInstances", {**PLAIN, "UserData": "export PASSWORD=hunter2"}, region="us-east-1")
    assert reading._read
    assert "hunter2" not in repr(reading._read)


def test_what_is_kept_is_bounded():
    for number in range(reading._KEPT + 5):
        observe("ec2", "RunInstances", {**PLAIN, "ImageId": f"ami-{number}"}, region="us-east-1")
    assert len(reading._read) <= reading._KEPT
