"""What one boto3 call provisions, as a request. Needs no SDK: call documents and logs go through the same functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from exportguard.adapters.aws.call import Call, get, text
from exportguard.adapters.aws.classify import Standing, services, standing, surface
from exportguard.adapters.aws.lookup import Resolver, Together
from exportguard.adapters.aws.places import account_of_host, locations, region_of_host
from exportguard.adapters.aws.reading import reading
from exportguard.vocabulary import (
    NOT_GIVEN,
    Boto3Call,
    Item,
    Maybe,
    NotApplicable,
    Observation,
    ProvisioningRequest,
    Unknown,
)
from exportguard.vocabulary.building import built

_PASSED_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):(?:role|instance-profile)/")
_PASSED_ROLES = (
    "IamInstanceProfile", "roleArn", "RoleArn", "ExecutionRoleArn", "executionRoleArn", "serviceRole", "nodeRole",
    "JobFlowRole",
)  # fmt: skip
_PASSED_KEYS = frozenset(_PASSED_ROLES) | {key[:1].swapcase() + key[1:] for key in _PASSED_ROLES}
"""Parameters that pass a role: iam:PassRole works inside one account only, so their ARN names the caller's account."""


def observe(
    service: str,
    operation: str,
    parameters: Any,
    *,
    region: str | None,
    url: str | None = None,
    account: str | None = None,
    resolver: Resolver | None = None,
    signing_region: str | None = None,
    passing_on: Iterable[str] = (),
) -> Observation:
    """The request that one API call makes, or `NotApplicable` when it can provision neither accelerator nor model.

    Pure but for *resolver*, and never raises: what cannot be read is an item that is unknown. Secrets and payloads
    (UserData, prompts) are never in the result.

    Args:
        service: botocore's service name (`ec2`, `bedrock-runtime`).
        operation: the API's name (`RunInstances`).
        parameters: as handed to botocore, before serialisation.
        region: the client's region; `signing_region` and the host of *url* count beside it where they differ.
        url: where the request goes, if known.
        account: the 12-digit account that calls, if known; else read from *url* or a passed role.
        resolver: looks up what a call only names; None: that stays unknown.
        passing_on: further regions that the request is known to reach.
    """
    if standing(service, operation) is Standing.OUTSIDE:
        return NotApplicable(reason=f"{service}.{operation} provisions no accelerator and no model")
    where = region_of_host(url)
    bounded = Together(resolver) if resolver is not None else None
    read = reading(service, operation, parameters, where or region, bounded)
    if not read.items:
        why = read.outside or f"{service}.{operation} names no instance type, accelerator or model"
        return NotApplicable(reason=why[:2000])
    return built(
        ProvisioningRequest,
        provider="aws",
        service=text(service, "service"),
        operation=text(operation, "operation"),
        action=read.action,
        account=_account(account, url, service, operation, parameters, where or region, bounded),
        locations=locations((region, signing_region, where, *passing_on), read.zones, read.locations),
        items=read.items,
        transfer=read.transfer,
        tags=dict(read.tags),
        idempotency_key=_token(parameters),
        call=read.digest,
    )


def observe_document(call: Boto3Call, *, resolver: Resolver | None = None) -> Observation:
    """The same for a call document; what the document says of parties, end use and time is added.

    Raises:
        DocumentError: `time` is not an ISO 8601 instant with a timezone.
    """
    service, operation = _spelled(call.service, call.operation)
    seen = observe(
        service, operation, call.parameters, region=call.region, url=call.url, account=call.account, resolver=resolver
    )
    if isinstance(seen, NotApplicable):
        return seen
    said: dict[str, Any] = {}
    if call.parties is not None:
        said["parties"] = call.parties
    if call.end_use is not None:
        said["end_use"] = call.end_use
    if call.customer is not None:
        said["customer"] = call.customer
    if call.time is not None:
        said["time"] = call.instant()
    if call.tags:
        said["tags"] = {**seen.tags, **call.tags}
    return seen.model_copy(update=said) if said else seen


def _spelled(service: str, operation: str) -> tuple[str, str]:
    """botocore's spelling of names written by hand: `EC2`, `run_instances`."""
    service = service_named(service.strip().lower().replace("_", "-").replace(" ", "-"))
    service, operation = _operation_spelled(service, operation)
    # Logs name the runtime after the service itself: `bedrock.amazonaws.com` for InvokeModel.
    if operation not in surface().get(service, {}) and operation in surface().get(f"{service}-runtime", {}):
        service = f"{service}-runtime"
    return service, operation


def _operation_spelled(service: str, operation: str) -> tuple[str, str]:
    plain = operation.strip()
    if "_" in plain or plain[:1].islower() or plain.isupper():
        folded = plain.replace("_", "").replace("-", "").lower()
        for name in (*surface().get(service, {}), *surface().get(f"{service}-runtime", {})):
            if name.lower() == folded:
                return service, name
        return service, "".join(part[:1].upper() + part[1:] for part in plain.split("_"))
    return service, plain


_SERVICE_IDS = {
    "sfn": "stepfunctions",
    "elasticmapreduce": "emr",
    "applicationautoscaling": "application-autoscaling",
    "eventbridge": "events",
    "states": "stepfunctions",
    "runtime-sagemaker": "sagemaker-runtime",
}


@cache
def service_named(name: str) -> str:
    """botocore's name of a service that is written as its id, host, event or type (`auto-scaling`, `aws::ec2`)."""
    name = name.removesuffix(".amazonaws.com").removeprefix("aws::")
    if name in services():
        return name
    plain = name.replace("-", "").removeprefix("amazon").removeprefix("aws")
    known = {service.replace("-", ""): service for service in services()}
    return _SERVICE_IDS.get(name) or known.get(name.replace("-", "")) or known.get(plain) or name


def _account(
    given: str | None,
    url: str | None,
    service: str,
    operation: str,
    parameters: Any,
    region: str | None,
    resolver: Resolver | None,
) -> Maybe[str]:
    """Who calls: as given, by the endpoint, by a role that is passed, else what STS says, where it may be asked."""
    found = given or account_of_host(url)
    if found:
        return text(found, "account")
    readable = type(parameters) is dict or isinstance(parameters, Mapping)
    for key in _PASSED_ROLES if readable and not _PASSED_KEYS.isdisjoint(parameters) else ():
        value = get(parameters, key)
        value = get(value, "Arn") if isinstance(value, Mapping) else value
        match = _PASSED_ROLE.match(value) if isinstance(value, str) else None
        if match:
            return match[1]
    if resolver is None:
        return NOT_GIVEN
    answer = Call(service, operation, {}, region=region, resolver=resolver).ask("sts", "GetCallerIdentity")
    return answer if isinstance(answer, Unknown) else text(get(answer, "Account"), "account")


def _token(parameters: Any) -> str | None:
    token = get(parameters, "ClientToken", "ClientRequestToken")
    return token if isinstance(token, str) and 0 < len(token) <= 2000 and token.isascii() else None


def unreadable(service: str, operation: str, region: str | None, why: str) -> ProvisioningRequest:
    """A call of which nothing could be read: one item, of unknown kind."""
    return ProvisioningRequest(
        provider="aws",
        service=service,
        operation=operation,
        locations=locations((region,), (), ()),
        items=(Item(kind=Unknown(why)),),
    )
