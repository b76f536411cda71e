"""What each operation provisions, one file for each family of services.

An extractor is a function of one `Call`: it reads `call.parameters` and adds items to the call. `@operation`
registers it. Operations of the surface without one are read by the generic walk over their known parameter paths,
operations nobody has seen by their keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from exportguard.adapters.aws.call import Call
from exportguard.adapters.aws.classify import Standing, standing
from exportguard.vocabulary import Action

Extractor: TypeAlias = Callable[[Call], None]


@dataclass(frozen=True, slots=True)
class Operation:
    """How one operation is read. `action` is what it does unless the extractor says otherwise."""

    extract: Extractor
    action: Action
    complete: bool = False
    """Whether the extractor reads all there is; otherwise what is plainly an instance type is looked for after it."""


_FAMILIES = {
    "ec2": ("ec2", "fleets", "capacity", "launch_templates"),
    "autoscaling": ("autoscaling",),
    "sagemaker": ("sagemaker", "sagemaker_serving", "sagemaker_pipelines", "sagemaker_plans", "scripts"),
    "sagemaker-runtime": ("sagemaker_serving",),
    "bedrock": ("bedrock",),
    "bedrock-runtime": ("bedrock_runtime",),
    "bedrock-agent": ("bedrock_agents",),
    "bedrock-agent-runtime": ("bedrock_agents",),
    "eks": ("eks", "scripts"),
    "ecs": ("ecs", "systems_manager"),
    "fis": ("systems_manager",),
    "chatbot": ("scripts",),
    "ssm-quicksetup": ("systems_manager",),
    "batch": ("batch",),
    "emr": ("emr", "scripts"),
    "cloudformation": ("cloudformation",),
    "cloudcontrol": ("cloud_control",),
    "stepfunctions": ("workflows",),
    "events": ("workflows", "integrations"),
    "scheduler": ("workflows",),
    "pipes": ("workflows",),
    "eventbridgev2": ("workflows",),
    "ssm": ("systems_manager",),
    "config": ("systems_manager",),
    "apigateway": ("integrations",),
    "apigatewayv2": ("integrations",),
    "appsync": ("integrations",),
    "osis": ("integrations",),
    "rds-data": ("integrations",),
    "athena": ("integrations",),
    "redshift-data": ("integrations",),
    "elasticbeanstalk": ("platforms",),
    "datapipeline": ("platforms",),
    "codebuild": ("platforms",),
    "deadline": ("platforms",),
    "pcs": ("platforms",),
    "omics": ("platforms",),
    "imagebuilder": ("platforms", "scripts"),
    "emr-containers": ("platforms",),
    "emr-serverless": ("platforms",),
    "servicecatalog": ("platforms",),
    "autoscaling-plans": ("platforms",),
    "application-autoscaling": ("scaling",),
    "backup": ("recovery",),
    "drs": ("recovery",),
    "mgn": ("recovery",),
    "gamelift": ("screens",),
    "gameliftstreams": ("screens",),
    "workspaces": ("screens",),
    "appstream": ("screens",),
    "proton": ("deployments",),
    "launch-wizard": ("deployments",),
    "datazone": ("deployments",),
    "codepipeline": ("deployments",),
    "codeconnections": ("deployments",),
    "codestar-connections": ("deployments",),
    "arc-region-switch": ("recovery",),
    "iot": ("integrations",),
    "license-manager": ("markets",),
    "marketplace-catalog": ("markets",),
}
"""service -> the modules that register its operations. Loaded when the first call of the service is seen."""

IN_SUBNETS = frozenset({"ec2", "autoscaling", "eks", "ecs", "emr", "batch", "pcs", "imagebuilder", "elasticbeanstalk",
                         "workspaces-instances", "evs", "drs", "mgn"})  # fmt: skip
"""Services whose instances stand in the subnets that they are given. Others' have an interface in them at most."""

_registered: dict[tuple[str, str], Operation] = {}
_loaded: set[str] = set()


def operation(
    service: str, *names: str, action: Action = Action.PROVISION, complete: bool = False
) -> Callable[[Extractor], Extractor]:
    """Register the decorated function as the extractor of these operations of *service* (botocore's names)."""

    def register(extract: Extractor) -> Extractor:
        for name in names:
            _registered[service, name] = Operation(extract, action, complete)
        return extract

    return register


def extractor(service: str, name: str) -> Operation | None:
    """The operation's own extractor, or None: the generic walk reads it."""
    if service not in _loaded:
        for module in (*_FAMILIES.get(service, ()), "various"):
            import_module(f"{__name__}.{module}")
        _loaded.add(service)
    return _registered.get((service, name))


@cache
def has_extractors(service: str) -> bool:
    """Whether any operation of *service* has an extractor of its own."""
    extractor(service, "")
    return any(registered == service for registered, _ in _registered)


@cache
def _where() -> Any:
    """A module that imports this one, and that most calls need: to import it in each of them costs a microsecond."""
    return import_module(f"{__name__}.where")


@cache
def _respelt() -> Any:
    return import_module(f"{__name__}.respelt")


def extract(call: Call) -> None:
    """Add what *call* provisions to its items, by its own extractor, the generic walk, or a look through its keys."""
    found = standing(call.service, call.operation)
    if found is Standing.OUTSIDE:
        call.not_applicable(f"{call.service}.{call.operation} provisions no accelerator and no model")
        return
    own = extractor(call.service, call.operation)
    if own is not None:
        call.action = own.action
        own.extract(call)
        if not own.complete:
            from exportguard.adapters.aws.operations.instances_within import overlooked

            overlooked(call)
    else:
        from exportguard.adapters.aws.operations import generic

        if found is Standing.SURFACE:
            generic.walk(call)
        else:
            generic.look_through(call)
    if not call.depth:
        _respelt().read_again(call)
    if not call.items and call.service != "bedrock-runtime":
        from exportguard.adapters.aws.operations.second_look import second_look

        second_look(call)
    if call.items and call.service in IN_SUBNETS:
        _where().standing_places(call)
