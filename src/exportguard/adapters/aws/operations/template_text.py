"""CloudFormation templates and other documents as text, parsed without trust, and the parameters that they declare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from exportguard.adapters.aws.call import OneOf
from exportguard.vocabulary import Unknown

LARGEST = 2_000_000
"""Characters. CloudFormation takes 1 MB from a bucket and 51,200 bytes in the call."""
LOCAL = "exportguard-stack-resource:"
"""What stands for a reference to another resource of the same template."""
NAMED_BY_OTHERS = {
    "AWS::EC2::LaunchTemplate": "DescribeLaunchTemplateVersions",
    "AWS::AutoScaling::LaunchConfiguration": "DescribeLaunchConfigurations",
    "AWS::SageMaker::EndpointConfig": "DescribeEndpointConfig",
    "AWS::SageMaker::Endpoint": "DescribeEndpoint",
    "AWS::SageMaker::Model": "DescribeModel",
    "AWS::ECS::TaskDefinition": "DescribeTaskDefinition",
    "AWS::ECS::Service": "DescribeServices",
    "AWS::Batch::JobDefinition": "DescribeJobDefinitions",
    "AWS::AutoScaling::AutoScalingGroup": "DescribeAutoScalingGroups",
    "AWS::StepFunctions::StateMachine": "DescribeStateMachine",
    "AWS::Serverless::StateMachine": "DescribeStateMachine",
    "AWS::EC2::Subnet": "DescribeSubnets",
    "AWS::ImageBuilder::InfrastructureConfiguration": "GetInfrastructureConfiguration",
    "AWS::CodeBuild::Fleet": "BatchGetFleets",
}
"""Resource types that other resources are made from, and the look-up that would tell what they say."""


def parse(text: Any) -> Mapping[str, Any] | Unknown:
    """A JSON or YAML document, or why it cannot be read. YAML aliases are refused: CloudFormation has none."""
    if isinstance(text, Mapping):
        return text
    if not isinstance(text, str) or len(text) > LARGEST:
        return Unknown("the document is no text, or too long to read")
    try:
        if text.lstrip()[:1] == "{":
            document = json.loads(text, object_pairs_hook=_once)
        else:
            document = _yaml(text)
    except (ValueError, RecursionError):
        return Unknown("the document cannot be parsed")
    return document if isinstance(document, Mapping) else Unknown("the document is not a structure")


def substituted(text: Any, puts: Any) -> Any:
    """A definition with CloudFormation's `DefinitionSubstitutions` put in where they are known."""
    for name, value in puts.items() if isinstance(text, str) and isinstance(puts, Mapping) else ():
        if isinstance(value, (str, int)):
            text = text.replace("${" + str(name) + "}", json.dumps(str(value))[1:-1])
    return text


def _yaml(text: str) -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=base)):
            raise ValueError("aliases are not read")
        return yaml.load(text, Loader=_loader(base))
    except yaml.YAMLError as problem:
        raise ValueError(str(problem)[:200]) from None


@cache
def _loader(base: Any) -> Any:
    """The safe loader with CloudFormation's short tags (`!Ref`, `!Sub`), no dates and floats, and strict keys."""
    import yaml

    class Loader(base):  # type: ignore[misc]
        pass

    def tagged(loader: Any, suffix: str, node: Any) -> Any:
        key = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
        if isinstance(node, yaml.ScalarNode):
            value: Any = loader.construct_scalar(node)
            if suffix == "GetAtt" and isinstance(value, str):
                value = value.split(".", 1)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = mapping(loader, node)
        return {key: value}

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            if isinstance(key, (list, dict)) or key in found:
                raise ValueError("a key twice, or no text")
            found[key] = loader.construct_object(value_node, deep=True)
        return found

    Loader.add_multi_constructor("!", tagged)
    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    for kind in ("timestamp", "float"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", lambda loader, node: loader.construct_scalar(node))
    return Loader


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def parameter(spec: Any, given: Any, name: str) -> Any:
    """A template parameter's value: as given, else its default. One that names an SSM parameter is not known."""
    kind = spec.get("Type") if isinstance(spec, Mapping) else None
    value = given if given is not None else (spec.get("Default") if isinstance(spec, Mapping) else None)
    if isinstance(kind, str) and kind.startswith("AWS::SSM::Parameter::Value"):
        return Unknown(f"parameter {name[:80]} is read from the parameter store")
    if value is None:
        value = Unknown(f"parameter {name[:80]} is not given")
    if isinstance(value, Unknown):
        return _allowed(spec, value)
    if isinstance(value, str) and "{{resolve:" in value:
        return Unknown(f"parameter {name[:80]} is read at deployment")
    if isinstance(kind, str) and (kind == "CommaDelimitedList" or kind.startswith("List<")) and isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return value


_MOST_CHOICES = 200


def one_of(values: Iterable[Any], why: Unknown) -> Any:
    """The one value that it can only be, a closed list of texts, or *why* nobody knows."""
    found = list(dict.fromkeys(str(value) if isinstance(value, int) else value for value in values))
    if not 0 < len(found) <= _MOST_CHOICES or not all(isinstance(v, str) and "{{resolve:" not in v for v in found):
        return Unknown(why.reason)
    return found[0] if len(found) == 1 else OneOf(why.reason, found)


def _allowed(spec: Any, value: Unknown) -> Any:
    """A parameter that nobody knows is still one of the values that the template allows, which holds for kept ones."""
    allowed = spec.get("AllowedValues") if isinstance(spec, Mapping) else None
    kind = spec.get("Type") if isinstance(spec, Mapping) else None
    plain = kind in ("String", "Number") and isinstance(allowed, list) and value.__class__ is Unknown
    return one_of(allowed, value) if plain and isinstance(allowed, list) else value
