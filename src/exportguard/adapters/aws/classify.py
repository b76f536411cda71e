"""Whether a call can matter at all, by service and operation alone; its parameters are not looked at here."""

from __future__ import annotations

import json
import re
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

_READS_OR_RELEASES = re.compile(
    r"(Describe|List|Get|Head|Search|Lookup|Select|Scan|Query(?!Assistant)|BatchGet|BatchDescribe|BatchDelete|Check|"
    r"Count|Preview|Validate|Verify|Delete|Remove|Terminate|Stop|Cancel|Release|Deregister|Disassociate|Disable|Detach|"
    r"Revoke|Reject|Tag|Untag|Unassign|Unsubscribe|Abort|Shutdown|Deactivate|Decline|Dismiss|AddTags|ListTags)"
    r"(?=[A-Z0-9]|$)"
)
"""Verbs that read or let go. They are outside in every service, unless the surface lists the operation itself."""


class Standing(Enum):
    """What is known of an operation before its parameters are read."""

    SURFACE = "surface"
    OUTSIDE = "outside"
    UNSEEN = "unseen"
    """In neither list: a newer SDK's. Its parameters are looked through."""


def only_reads_or_releases(operation: str) -> bool:
    return _READS_OR_RELEASES.match(operation) is not None


@cache
def surface() -> dict[str, dict[str, dict[str, Any]]]:
    """service -> operation -> {"kinds", "tier", and by role the parameter paths that carry something}."""
    text = resources.files(__package__).joinpath("data/surface.json").read_text("utf-8")
    table: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return table


@cache
def _known() -> dict[str, str]:
    text = resources.files(__package__).joinpath("data/known_operations.txt").read_text("utf-8")
    lines = (line.partition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {service: f" {operations} " for service, _, operations in lines}


@cache
def services() -> frozenset[str]:
    """botocore's names of services, as far as this adapter was made with."""
    return frozenset((*surface(), *_known()))


_memo: dict[tuple[str, str], Standing] = {}


def standing(service: str, operation: str) -> Standing:
    """Where an operation stands, by botocore's names. Never reads parameters; an answer is remembered."""
    key = (service, operation)
    found = _memo.get(key)
    if found is None:
        found = _standing(service, operation)
        if len(_memo) < 50_000:
            _memo[key] = found
    return found


def _standing(service: str, operation: str) -> Standing:
    from exportguard.adapters.aws.operations import extractor

    if operation in surface().get(service, {}) or extractor(service, operation) is not None:
        return Standing.SURFACE
    if only_reads_or_releases(operation) or f" {operation} " in _known().get(service, ""):
        return Standing.OUTSIDE
    return Standing.UNSEEN


@cache
def leads_nowhere(service: str) -> bool:
    """Whether nothing that is known of *service* leads to an accelerator or a model."""
    from exportguard.adapters.aws.operations import has_extractors

    return service not in surface() and not has_extractors(service)


def wholly_outside(service_model: Any) -> bool:
    """Whether no operation of botocore's *service_model* can matter: each is known, and none is in the surface."""
    service = service_model.service_name
    return leads_nowhere(service) and all(
        standing(service, name) is Standing.OUTSIDE for name in service_model.operation_names
    )
