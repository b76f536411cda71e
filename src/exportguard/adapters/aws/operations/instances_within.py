"""Documents without a call of their own: what their keys name is added as it is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get, number, plain
from exportguard.adapters.aws.operations.launch import required
from exportguard.adapters.aws.operations.models import named_model
from exportguard.vocabulary import NOT_GIVEN, Unknown

_INSTANCES = re.compile(r"\w*instancetypes?")
_NOT_WANTED = re.compile(r"(excluded|hidden|unsupported|supported)", re.IGNORECASE)
_MODELS = re.compile(r"\w*model(id|arn|identifier)|foundationmodel")
_ACCELERATORS = re.compile(r"accelerator(type|name)s?")
_PLANS = re.compile(r"trainingplanarns?")
"""Capacity that was bought ahead, always accelerated; beside an instance type it says nothing more. Keys are compared
without their spelling: what botocore would reject, whoever wrote the document means something by."""
_DATABASES = ("AWS::RDS::", "AWS::ElastiCache::", "AWS::OpenSearchService::", "AWS::Elasticsearch::", "AWS::DMS::",
              "AWS::DocDB::", "AWS::Neptune::", "AWS::AmazonMQ::", "AWS::MSK::", "AWS::M2::",
              "AWS::ManagedBlockchain::", "AWS::Redshift::", "AWS::MemoryDB::", "AWS::DAX::",
              "AWS::Timestream::")  # fmt: skip
"""Services whose instance classes are their own (`db.r5.large`, `m5.large.search`) and never accelerated."""
_OTHER_MODELS = ("AWS::IoTSiteWise::", "AWS::IoTTwinMaker::", "AWS::IoTFleetWise::", "AWS::IoTWireless::",
                 "AWS::Comprehend::", "AWS::Forecast::", "AWS::FraudDetector::", "AWS::LookoutEquipment::",
                 "AWS::LookoutVision::", "AWS::Rekognition::", "AWS::Personalize::", "AWS::CleanRoomsML::",
                 "AWS::ApiGateway::", "AWS::ApiGatewayV2::", "AWS::AmplifyUIBuilder::",
                 "AWS::NetworkManager::")  # fmt: skip
"""Services whose models are shapes of data or of assets, or are trained on one's own data and answer for a service."""
SAY_ONLY = ("AWS::IAM::", "AWS::Organizations::", "AWS::Budgets::", "AWS::CE::", "AWS::CUR::", "AWS::CloudWatch::",
            "AWS::Logs::", "AWS::Config::ConfigRule", "AWS::Config::OrganizationConfigRule", "AWS::SSM::Parameter",
            "AWS::SecretsManager::", "AWS::AppConfig::", "AWS::ControlTower::", "AWS::S3::", "AWS::DynamoDB::",
            "AWS::Glue::Table", "AWS::Glue::Database", "AWS::SecurityHub::", "AWS::GuardDuty::", "AWS::Inspector",
            "AWS::AccessAnalyzer::", "AWS::ServiceCatalog::LaunchTemplateConstraint", "AWS::CDK::Metadata")  # fmt: skip
"""Types that say what may be or what was, watch it or keep it, and run nothing."""
SAID_BY_USERS = frozenset({
    "EventPattern", "eventPattern",
    "Environment", "environment", "EnvironmentVariables", "HyperParameters", "hyperParameters", "Tags", "tags",
    "Labels", "labels", "Metadata", "UserData", "TagSpecifications",
})  # fmt: skip
"""Maps whose keys are their author's own: a variable called `InstanceType` is none."""
_READ_ELSEWHERE = SAID_BY_USERS | {"InstanceRequirements", "instanceRequirements"}
_KINDS = re.compile(r"(Type|Class|Kind)$")
_ACCELERATED = re.compile(r"(?<![A-Za-z])(GPU|GRAPHICS|NVIDIA|NEURON|INFERENTIA|TRAINIUM)", re.IGNORECASE)
_MOST = 20_000
_DEEPEST = 30


def named_within(call: Call, document: Any, where: str, kind: str) -> None:
    """Add each instance type, set of requirements, accelerator and model that a key in *document* names."""
    if kind.startswith(_DATABASES) or kind.startswith(SAY_ONLY):
        return
    todo: list[tuple[str, Any, Any]] = [(where, document, None)]
    models, seen = not kind.startswith(_OTHER_MODELS), 0
    while todo:
        place, value, _ = todo.pop()
        seen += 1
        if seen > _MOST:
            call.unknown(f"{where} is too large to read", where)
            return
        if isinstance(value, Mapping):
            for key, entry in value.items():
                todo_place = f"{place}.{key}" if place else str(key)
                if not isinstance(key, str) or entry is None:
                    continue
                if not _named(call, key, entry, todo_place, value, models=models):
                    todo.append((todo_place, entry, value))
        elif isinstance(value, (list, tuple)):
            todo += [(f"{place}[{index}]", entry, value) for index, entry in enumerate(value)]


def _named(call: Call, key: str, entry: Any, place: str, row: Mapping[str, Any], *, models: bool) -> bool:
    if _NOT_WANTED.search(key):
        return False
    if key in SAID_BY_USERS or _of_policy(key, entry, row):
        return True
    count = get(row, "InstanceCount", "Count", "MaxCount", "DesiredCapacity")
    size = NOT_GIVEN if count is None else number(count, place)
    if key in ("InstanceRequirements", "instanceRequirements"):
        required(call, entry, size, place)
    elif _INSTANCES.fullmatch(plain(key)):
        values = entry if isinstance(entry, (list, tuple)) else [entry]
        for value in values:
            call.instance(get(value, "Value") if isinstance(value, Mapping) else value, size, where=place)
    elif _PLANS.fullmatch(plain(key)):
        if not any(_INSTANCES.fullmatch(plain(str(other))) for other in row):
            call.unresolved("the capacity of a training plan", place, instances=size)
    elif _ACCELERATORS.fullmatch(plain(key)):
        for value in entry if isinstance(entry, (list, tuple)) else [entry]:
            call.accelerator(value, size, where=place)
    elif models and _MODELS.fullmatch(plain(key)) and isinstance(entry, (str, Unknown)):
        named_model(call, entry, place)
    elif _KINDS.search(key) and isinstance(entry, str) and _ACCELERATED.search(entry):
        call.accelerator(Unknown(f"an accelerator that {entry[:60]} stands for"), size, where=place)
    else:
        return False
    return True


def _of_policy(key: str, entry: Any, row: Mapping[str, Any]) -> bool:
    """Whether *entry* is the condition of a policy's statement: it says of which calls the statement speaks
    (`ec2:InstanceType`) and asks for nothing. Elsewhere such a key may mean anything."""
    if key != "Condition" or row.get("Effect") not in ("Allow", "Deny") or not isinstance(entry, Mapping):
        return False
    if row.get("Action") is None and row.get("NotAction") is None:
        return False
    return all(
        isinstance(operator, Mapping) and all(isinstance(name, str) and ":" in name for name in operator)
        for operator in entry.values()
    )


def overlooked(call: Call) -> None:
    """What is plainly called an instance type in the parameters and was not read: an operation's new parameter."""
    known = {item.instance_type for item in call.items if isinstance(item.instance_type, str)}
    todo: list[tuple[str, Any, int]] = [("", call.parameters, 0)]
    while todo:
        place, value, depth = todo.pop()
        if depth > _DEEPEST:
            call.unknown("the parameters are nested too deeply to read", place)
            return
        if isinstance(value, (list, tuple)):
            todo += [(f"{place}[{index}]", entry, depth + 1) for index, entry in enumerate(value)]
        elif isinstance(value, Mapping):
            for key, entry in value.items():
                if not isinstance(key, str) or key in _READ_ELSEWHERE or _NOT_WANTED.search(key):
                    continue
                if _of_policy(key, entry, value):
                    continue
                spot = f"{place}.{key}" if place else key
                if not _INSTANCES.fullmatch(plain(key)):
                    todo.append((spot, entry, depth + 1))
                    continue
                for each in entry if isinstance(entry, (list, tuple)) else [entry]:
                    if not isinstance(each, str):
                        todo.append((spot, each, depth + 1))
                    elif each not in known and "." in each:
                        call.instance(each, where=spot)
