"""Intrinsic functions of one CloudFormation template, resolved as far as its text and its parameters allow."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

from exportguard.adapters.aws.call import OneOf, get
from exportguard.adapters.aws.operations.template_text import LOCAL, NAMED_BY_OTHERS, one_of, parameter
from exportguard.vocabulary import Unknown

_DEEPEST = 100
_MOST_OPEN = 5
"""Conditions that only the deployment decides, of which every combination is judged; past it each choice is unknown."""
_MOST_TURNS = 300
_LOOSE = frozenset({"Arn", "Target", "Uri", "IntegrationUri", "Endpoint", "DefinitionString", "InvocationEndpoint",
                    "uri", "ResourceId", "Create", "Update", "Delete", "QueryString", "QueryStatement"})  # fmt: skip
"""Addresses: what leads where is seen in the parts that are known, so an unknown part does not hide the others."""
_ARNS = {
    "AWS::Lambda::Function": "lambda:{region}:000000000000:function:{name}",
    "AWS::Lambda::Alias": "lambda:{region}:000000000000:function:{name}",
    "AWS::Lambda::Version": "lambda:{region}:000000000000:function:{name}",
    "AWS::Serverless::Function": "lambda:{region}:000000000000:function:{name}",
    "AWS::SQS::Queue": "sqs:{region}:000000000000:{name}",
    "AWS::SNS::Topic": "sns:{region}:000000000000:{name}",
    "AWS::Kinesis::Stream": "kinesis:{region}:000000000000:stream/{name}",
    "AWS::KinesisFirehose::DeliveryStream": "firehose:{region}:000000000000:deliverystream/{name}",
    "AWS::Logs::LogGroup": "logs:{region}:000000000000:log-group:{name}",
    "AWS::Events::EventBus": "events:{region}:000000000000:event-bus/{name}",
    "AWS::Events::ApiDestination": "events:{region}:000000000000:api-destination/{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:000000000000:table/{name}",
    "AWS::Serverless::SimpleTable": "dynamodb:{region}:000000000000:table/{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::IAM::Role": "iam::000000000000:role/{name}",
    "AWS::ECS::Cluster": "ecs:{region}:000000000000:cluster/{name}",
    "AWS::Batch::JobQueue": "batch:{region}:000000000000:job-queue/{name}",
    "AWS::Glue::Workflow": "glue:{region}:000000000000:workflow/{name}",
    "AWS::CodeBuild::Project": "codebuild:{region}:000000000000:project/{name}",
    "AWS::CodePipeline::Pipeline": "codepipeline:{region}:000000000000:{name}",
    "AWS::StepFunctions::Activity": "states:{region}:000000000000:activity:{name}",
    "AWS::ElasticLoadBalancingV2::Listener": "elasticloadbalancing:{region}:000000000000:listener/{name}",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "elasticloadbalancing:{region}:000000000000:loadbalancer/{name}",
    "AWS::ServiceDiscovery::Service": "servicediscovery:{region}:000000000000:service/{name}",
}
"""What a template's own resources are addressed by. Only what kind of thing it is matters to whoever reads it."""


class Resolver:
    """Resolves intrinsic functions. `assumed`: how conditions that only the deployment decides are taken to turn out.

    `region`: None where the template is deployed in regions that the call does not name.
    """

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, Any], region: str | None) -> None:
        self._mappings = template.get("Mappings")
        body = template.get("Resources")
        self._resources: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
        conditions = template.get("Conditions")
        self._conditions: Mapping[str, Any] = conditions if isinstance(conditions, Mapping) else {}
        self._region = region
        self._assumed: Mapping[str, bool] = {}
        self._values: dict[str, Any] = {}
        declared = template.get("Parameters")
        if isinstance(declared, Mapping):
            for name, spec in declared.items():
                self._values[str(name)] = parameter(spec, given.get(str(name)), str(name))
        self._pseudo = {"AWS::Region": region, "AWS::NoValue": None, "AWS::Partition": "aws", "AWS::URLSuffix": None}

    # -- conditions ----------------------------------------------------------------------------------------------

    def ways(self) -> Iterator[Resolver]:
        """This resolver under each way in which undecided conditions may turn out; they are taken as independent."""
        asked = self._choosing()
        undecided = [str(name) for name in self._conditions if name in asked and self.holds(name) is None]
        roots = [name for name in undecided if not self._refers(self._conditions[name], undecided)]
        if len(roots) > _MOST_OPEN:
            for taken in (True, False):
                yield self._under(dict.fromkeys(roots, taken))
            yield self
            return
        for turns in product((True, False), repeat=len(roots)):
            yield self._under(dict(zip(roots, turns, strict=True)))

    def _choosing(self) -> set[str]:
        """The conditions that some `Fn::If` of a resource asks, and those that they ask in turn.

        One that only says whether a resource is made needs no trial: what is undecided is taken to be made.
        """
        found: set[str] = set()
        todo: list[Any] = [self._resources]
        while todo:
            node = todo.pop()
            if isinstance(node, list):
                todo += node
            elif isinstance(node, Mapping):
                choice = node.get("Fn::If")
                if isinstance(choice, list) and choice and isinstance(choice[0], str):
                    found.add(choice[0])
                todo += node.values()
        open_names = list(found)
        while open_names:
            todo = [self._conditions.get(open_names.pop())]
            while todo:
                node = todo.pop()
                if isinstance(node, list):
                    todo += node
                elif isinstance(node, Mapping):
                    name = node.get("Condition")
                    if isinstance(name, str) and name not in found:
                        found.add(name)
                        open_names.append(name)
                    todo += node.values()
        return found

    def _under(self, assumed: Mapping[str, bool]) -> Resolver:
        other = copy.copy(self)
        other._assumed = assumed
        return other

    def _refers(self, node: Any, names: list[str], depth: int = 0) -> bool:
        if depth > _DEEPEST:
            return False
        if isinstance(node, Mapping):
            if len(node) == 1 and node.get("Condition") in names:
                return True
            return any(self._refers(entry, names, depth + 1) for entry in node.values())
        return isinstance(node, list) and any(self._refers(entry, names, depth + 1) for entry in node)

    def holds(self, name: Any, depth: int = 0) -> bool | None:
        """Whether a condition holds; None: only the deployment decides."""
        if isinstance(name, str) and name in self._assumed:
            return self._assumed[name]
        if depth > _DEEPEST or not isinstance(name, str):
            return None
        return self._decide(self._conditions.get(name), depth + 1)

    def _decide(self, node: Any, depth: int) -> bool | None:
        if depth > _DEEPEST or not isinstance(node, Mapping) or len(node) != 1:
            return None
        ((key, argument),) = node.items()
        if key == "Condition":
            return self.holds(argument, depth)
        if not isinstance(argument, list):
            return None
        if key == "Fn::Equals" and len(argument) == 2:
            left, right = (self.value(side, depth) for side in argument)
            plain = all(isinstance(side, (str, int, float)) for side in (left, right))
            return _plain(left) == _plain(right) if plain else None
        answers = [self._decide(side, depth + 1) for side in argument]
        if key == "Fn::Not" and len(answers) == 1:
            return None if answers[0] is None else not answers[0]
        if key == "Fn::And":
            return False if False in answers else None if None in answers else True
        if key == "Fn::Or":
            return True if True in answers else None if None in answers else False
        return None

    # -- loops ---------------------------------------------------------------------------------------------------

    def resources(self) -> Iterator[tuple[Resolver, str, Any]]:
        """Each resource that is made, `Fn::ForEach` unrolled, with the resolver that knows its loop's variable."""
        yield from self._rows(self._resources, 0)

    def _rows(self, body: Mapping[str, Any], depth: int) -> Iterator[tuple[Resolver, str, Any]]:
        for name, resource in body.items():
            if str(name).startswith("Fn::ForEach"):
                yield from self._unrolled(str(name), resource, depth + 1)
            elif not (isinstance(resource, Mapping) and self.holds(resource.get("Condition")) is False):
                yield self, str(name), resource

    def _unrolled(self, name: str, loop: Any, depth: int) -> Iterator[tuple[Resolver, str, Any]]:
        plain = isinstance(loop, list) and len(loop) == 3 and isinstance(loop[0], str) and isinstance(loop[2], Mapping)
        values = self.value(loop[1]) if plain else None
        if not plain or not isinstance(values, list) or len(values) > _MOST_TURNS or depth > 5:
            inner = loop[2] if plain else None
            if isinstance(inner, Mapping) and depth <= 5:
                yield from self._rows(inner, depth)  # its variable stays unknown
            else:
                yield self, name, None
            return
        for value in values:
            turn = copy.copy(self)
            turn._values = {**self._values, loop[0]: value}
            yield from islice(turn._rows(loop[2], depth), _MOST_TURNS)

    # -- values --------------------------------------------------------------------------------------------------

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
            if isinstance(key, str) and key.startswith("Fn::"):
                return self._function(key[4:], argument, depth + 1)
        found = {}
        for key, entry in node.items():
            if str(key).startswith("Fn::"):
                return Unknown("a macro, a loop or a function beside other keys, which is expanded at deployment")
            resolved = self.value(entry, depth + 1)
            if isinstance(resolved, Unknown) and key in _LOOSE:
                resolved = self._loose(entry, resolved, depth + 1)
            found[str(key)] = resolved
        return found

    def _loose(self, node: Any, otherwise: Any, depth: int) -> Any:
        """A text in which each unknown part is written `${…}`."""
        if isinstance(node, Mapping) and len(node) == 1:
            ((key, argument),) = node.items()
            if key == "Fn::Sub":
                return self._sub(argument, depth, loose=True)
            if (
                key == "Fn::Join"
                and isinstance(argument, list)
                and len(argument) == 2
                and isinstance(argument[1], list)
            ):
                parts = [self.value(part, depth) for part in argument[1]]
                return str(argument[0]).join(str(p) if isinstance(p, (str, int)) else "${unknown}" for p in parts)
        return otherwise

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            return Unknown("a reference that is not readable")
        if name in self._values:
            return self._values[name]
        if name in self._pseudo and (name == "AWS::NoValue" or self._pseudo[name] is not None):
            return self._pseudo[name]
        if self._kind(name) in NAMED_BY_OTHERS:
            return f"{LOCAL}{name}"
        return self._address(name) or Unknown(f"a reference to {name[:80]}")

    def _kind(self, name: Any) -> Any:
        """The type of a resource of this template."""
        resource = self._resources.get(name) if isinstance(name, str) else None
        return resource.get("Type") if isinstance(resource, Mapping) else None

    def _address(self, name: str) -> str | None:
        shape = _ARNS.get(str(self._kind(name)))
        return f"arn:aws:{shape.format(region=self._region or '', name=name)}" if shape else None

    def _attribute(self, name: Any, attribute: Any) -> Any:
        if self._kind(name) == "AWS::EC2::Subnet" and str(attribute) == "AvailabilityZone":
            return self.value(get(get(self._resources[name], "Properties"), "AvailabilityZone")) or Unknown("any zone")
        if self._kind(name) in NAMED_BY_OTHERS:
            return "$Latest" if "Version" in str(attribute) else f"{LOCAL}{name}"
        if isinstance(name, str) and str(attribute).endswith("Arn"):
            return self._address(name) or Unknown(f"{name[:80]}.{str(attribute)[:40]} is known after deployment")
        return Unknown(f"{str(name)[:80]}.{str(attribute)[:40]} is known after deployment")

    def _function(self, name: str, argument: Any, depth: int) -> Any:
        if name == "If" and isinstance(argument, list) and len(argument) == 3:
            holds = self.holds(argument[0])
            if holds is None:
                return Unknown(f"condition {str(argument[0])[:60]} is decided at deployment")
            return self.value(argument[1 if holds else 2], depth)
        if name == "Sub":
            return self._sub(argument, depth)
        if name == "GetAtt" and isinstance(argument, str):
            argument = argument.split(".", 1)
        if name == "GetAtt" and isinstance(argument, list) and len(argument) == 2:
            return self._attribute(argument[0], argument[1])
        resolved = self.value(argument, depth)
        if name == "GetAZs" and isinstance(resolved, str) and (resolved or self._region):
            return [f"{resolved or self._region}{letter}" for letter in "abcdef"]
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
                otherwise = (
                    resolved[3].get("DefaultValue") if len(resolved) == 4 and isinstance(resolved[3], dict) else None
                )
                return self._find(resolved[:3], otherwise, depth)
        if name == "Base64" and isinstance(resolved, str):
            return resolved
        return Unknown(f"Fn::{name[:30]} cannot be resolved before deployment")

    def _find(self, keys: list[Any], otherwise: Any, depth: int) -> Any:
        found: Any = self._mappings
        if any(isinstance(key, Unknown) for key in keys):
            return self._found(keys, otherwise, depth)
        for key in keys:
            if not isinstance(key, (str, int)) or not isinstance(found, Mapping) or str(key) not in map(str, found):
                return otherwise if otherwise is not None else Unknown("a mapping that has no such entry")
            found = next(entry for name, entry in found.items() if str(name) == str(key))
        return self.value(found, depth)

    def _found(self, keys: list[Any], otherwise: Any, depth: int) -> Any:
        """What a mapping may give for keys that only the deployment knows: an entry of it, or the default."""
        why = Unknown("a mapping that is looked up at deployment")
        levels: list[Any] = [self._mappings]
        for key in keys:
            below: list[Any] = []
            for level in levels:
                if not isinstance(level, Mapping) or any(str(name).startswith("Fn::") for name in level):
                    return why
                names = key.values if isinstance(key, OneOf) else None if isinstance(key, Unknown) else (str(key),)
                below += [entry for name, entry in level.items() if names is None or str(name) in names]
            levels = below
        if isinstance(keys[0], Unknown):
            return why
        values = [self.value(entry, depth) for entry in levels] + ([] if otherwise is None else [otherwise])
        return one_of(values, why) if all(isinstance(value, (str, int)) for value in values) else why

    def _sub(self, argument: Any, depth: int, *, loose: bool = False) -> Any:
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
            resource, dot, attribute = name.partition(".")
            if name in names:
                value = self.value(names[name], depth)
            elif dot and not name.startswith("AWS::"):
                value = self._attribute(resource, attribute)
            else:
                value = self._ref(name)
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                return str(value)
            # One of several values for a part is none for the whole.
            unknown.append(Unknown(value.reason if isinstance(value, Unknown) else f"${{{name[:60]}}} is no text"))
            return "${" + name + "}"

        text = re.sub(r"\$\{([^}]*)\}", put, argument)
        if unknown and not loose:
            return unknown[0]
        return Unknown("a value that is read at deployment") if "{{resolve:" in text else text


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
