"""Choices from closed lists: what is not known to be without an accelerator is unknown, never harmless."""

from __future__ import annotations

from typing import Any

import botocore
import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError

from adapters.aws.aws_shown import items
from exportguard.adapters.aws.classify import surface
from exportguard.adapters.aws.operations.generic import _ACCELERATED, PLAIN_CHOICE

NEWEST_READ = (1, 43)
"""The botocore that the surface was read from: an older one does not have all of it."""
READ_ELSEWHERE = {
    ("sagemaker", "OutputConfig.TargetPlatform.Accelerator"): "what a model is compiled for; nothing runs"
}


def choices() -> set[tuple[str, str, str]]:
    """Every member of every enumeration that the surface reads as a choice, in the installed botocore."""
    session = botocore.session.get_session()
    found: set[tuple[str, str, str]] = set()
    for service, operations in surface().items():
        for operation, row in operations.items():
            for path in row.get("enum", ()):
                try:
                    shape: Any = session.get_service_model(service).operation_model(operation).input_shape
                    for part in path.split("."):
                        shape = shape.member if shape.type_name == "list" else shape
                        shape = shape.members[part.removesuffix("[]")]
                        shape = shape.member if part.endswith("[]") else shape
                except (UnknownServiceError, OperationNotFoundError, KeyError):
                    installed = tuple(int(part) for part in botocore.__version__.split(".")[:2])
                    assert installed < NEWEST_READ, f"{service}.{operation} has no {path}"
                    continue
                if (service, path) not in READ_ELSEWHERE:
                    found |= {(service, path, member) for member in getattr(shape, "enum", ())}
    return found


def test_every_choice_of_the_installed_botocore_is_known():
    """A new member says that it has an accelerator, or is added to the plain ones, or fails here."""
    found = choices()
    assert len(found) > 40
    assert not {c for c in found if not _ACCELERATED.search(c[2]) and not PLAIN_CHOICE.fullmatch(c[2])}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("codebuild", "StartBuild", {"projectName": "p", "environmentTypeOverride": "LINUX_CONTAINER"}, None),
        ("codebuild", "StartBuild", {"projectName": "p", "environmentTypeOverride": "LINUX_HOPPER"}, ["acc:? x?"]),
        ("workspaces", "ModifyWorkspaceProperties", {"WorkspaceProperties": {"ComputeTypeName": "POWERPRO"}}, None),
        (
            "workspaces",
            "ModifyWorkspaceProperties",
            {"WorkspaceProperties": {"ComputeTypeName": "AI_LARGE"}},
            ["acc:? x1"],
        ),
        ("snowball", "CreateJob", {"SnowballType": "EDGE_S"}, None),
        ("snowball", "CreateJob", {}, None),
        ("snowball", "CreateJob", {"SnowballType": "EDGE_AI"}, ["acc:? x1"]),
        ("lightsail", "CreateInstances", {"bundleId": "medium_win_3_0"}, None),
        ("lightsail", "CreateInstances", {"bundleId": "nano_ipv6_3_0"}, None),
        ("lightsail", "CreateInstances", {"bundleId": "p5.48xlarge"}, ["acc:? x?"]),
        ("lightsail", "CreateInstances", {"bundleId": "ai_xlarge_1_0"}, ["acc:? x?"]),
    ],
)
def test_a_choice_that_nobody_knows_is_an_unknown_accelerator(service, operation, parameters, expected):
    assert items(service, operation, parameters) == expected
