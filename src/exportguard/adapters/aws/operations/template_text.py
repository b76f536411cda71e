"""CloudFormation templates as text: parsed without trust, intrinsic functions resolved where they can be.

What cannot be resolved becomes `Unknown` in its place, so that the extractors see it as what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from exportguard.vocabulary import Unknown

LARGEST = 2_000_000
"""Characters. CloudFormation takes 1 MB from a bucket and 51,200 bytes in the call."""
_DEEPEST = 100
LOCAL = "exportguard-stack-resource:"
"""What stands for a reference to another resource of the same template."""
NAMED_BY_OTHERS = {
    "AWS::EC2::LaunchTemplate": "DescribeLaunchTemplateVersions",
    "AWS::AutoScaling::LaunchConfiguration": "DescribeLaunchConfigurations",
    "AWS::SageMaker::EndpointConfig": "DescribeEndpointConfig",
    "AWS::SageMaker::Model": "DescribeModel",
    "AWS::ECS::TaskDefinition": "DescribeTaskDefinition",
    "AWS::Batch::JobDefinition": "DescribeJobDefinitions",
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


class Resolver:
    """Resolves intrinsic functions in one template. `branch`: which side of every `Fn::If` is taken."""

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, Any], region: str | None, branch: bool) -> None:
        self._mappings = template.get("Mappings")
        body = template.get("Resources")
        self._resources: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
        self._region, self._branch = region, branch
        self._values: dict[str, Any] = {}
        declared = template.get("Parameters")
        if isinstance(declared, Mapping):
            for name, spec in declared.items():
                self._values[str(name)] = _parameter(spec, given.get(str(name)), str(name))
        self._pseudo = {"AWS::Region": region, "AWS::NoValue": None, "AWS::Partition": "aws", "AWS::URLSuffix": None}

    def value(self, node: Any, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            return Unknown("nested too deeply to read")
        if isinstance(node, str):
            return Unknown("a value that is read at deployment") if "{{resolve:" in node else node
        if isinstance(node, list):
            return [self.value(entry, depth + 1) for entry in node]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            ((key, argument),) = node.items()
            if key == "Ref":
                return self._ref(argument)
            if isinstance(key, str) and key.startswith("Fn::") and not key.startswith("Fn::ForEach"):
                return self._function(key[4:], argument, depth + 1)
        found = {}
        for key, entry in node.items():
            resolved = self.value(entry, depth + 1)
            if key in ("Fn::Transform", "Fn::Include"):
                return Unknown("a macro that is expanded at deployment")
            found[str(key)] = resolved
        return found

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            return Unknown("a reference that is not readable")
        if name in self._values:
            return self._values[name]
        if name in self._pseudo and (name == "AWS::NoValue" or self._pseudo[name] is not None):
            return self._pseudo[name]
        if self._local(name) is not None:
            return f"{LOCAL}{name}"
        return Unknown(f"a reference to {name[:80]}")

    def _local(self, name: Any) -> Any:
        """The type of a resource of this template that others are made from."""
        resource = self._resources.get(name) if isinstance(name, str) else None
        kind = resource.get("Type") if isinstance(resource, Mapping) else None
        return kind if kind in NAMED_BY_OTHERS else None

    def _function(self, name: str, argument: Any, depth: int) -> Any:
        if name == "If" and isinstance(argument, list) and len(argument) == 3:
            return self.value(argument[1 if self._branch else 2], depth)
        if name == "Sub":
            return self._sub(argument, depth)
        if name == "GetAtt" and isinstance(argument, list) and len(argument) == 2 and self._local(argument[0]):
            return "$Latest" if "Version" in str(argument[1]) else f"{LOCAL}{argument[0]}"
        resolved = self.value(argument, depth)
        if isinstance(resolved, list):
            if name == "Join" and len(resolved) == 2 and isinstance(resolved[1], list):
                if isinstance(resolved[0], str) and all(isinstance(part, (str, int)) for part in resolved[1]):
                    return resolved[0].join(str(part) for part in resolved[1])
            elif name == "Select" and len(resolved) == 2 and isinstance(resolved[1], list):
                index = int(resolved[0]) if str(resolved[0]).isdecimal() else -1
                return resolved[1][index] if 0 <= index < len(resolved[1]) else Unknown("a choice out of range")
            elif name == "Split" and len(resolved) == 2 and all(isinstance(part, str) for part in resolved):
                return resolved[1].split(resolved[0]) if resolved[0] else Unknown("a split by nothing")
            elif name == "FindInMap" and len(resolved) >= 3:
                return self._find(resolved[:3], depth)
        if name == "Base64" and isinstance(resolved, str):
            return resolved
        return Unknown(f"Fn::{name[:30]} cannot be resolved before deployment")

    def _find(self, keys: list[Any], depth: int) -> Any:
        found: Any = self._mappings
        for key in keys:
            if not isinstance(key, (str, int)) or not isinstance(found, Mapping) or str(key) not in map(str, found):
                return Unknown("a mapping that has no such entry")
            found = next(entry for name, entry in found.items() if str(name) == str(key))
        return self.value(found, depth)

    def _sub(self, argument: Any, depth: int) -> Any:
        names: Mapping[str, Any] = {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
            argument, names = argument[0], argument[1]
        if not isinstance(argument, str):
            return Unknown("Fn::Sub of something unreadable")
        unknown: list[Unknown] = []

        def put(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            value = self.value(names[name], depth) if name in names else self._ref(name)
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                return str(value)
            unknown.append(value if isinstance(value, Unknown) else Unknown(f"${{{name[:60]}}} is no text"))
            return ""

        text = re.sub(r"\$\{([^}]*)\}", put, argument)
        if unknown:
            return unknown[0]
        return Unknown("a value that is read at deployment") if "{{resolve:" in text else text


def _parameter(spec: Any, given: Any, name: str) -> Any:
    """A template parameter's value: as given, else its default. One that names an SSM parameter is not known."""
    kind = spec.get("Type") if isinstance(spec, Mapping) else None
    value = given if given is not None else (spec.get("Default") if isinstance(spec, Mapping) else None)
    if isinstance(kind, str) and kind.startswith("AWS::SSM::Parameter::Value"):
        return Unknown(f"parameter {name[:80]} is read from the parameter store")
    if value is None:
        return Unknown(f"parameter {name[:80]} is not given")
    if isinstance(value, str) and "{{resolve:" in value:
        return Unknown(f"parameter {name[:80]} is read at deployment")
    if isinstance(kind, str) and (kind == "CommaDelimitedList" or kind.startswith("List<")) and isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return value
