"""Services that make things from documents kept elsewhere, told by parameters under names of the document's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.generic import plainly
from exportguard.adapters.aws.operations.systems_manager import told
from exportguard.adapters.aws.operations.template_text import parse
from exportguard.vocabulary import Action, Unknown

# -- Proton ------------------------------------------------------------------------------------------------------


@operation("proton", "CreateComponent", "UpdateComponent")
def component(call: Call) -> None:
    """A component brings its infrastructure with it, as a template or as Terraform, which is not read."""
    from exportguard.adapters.aws.operations.cloudformation import stack

    text = call.get("templateFile")
    if text is None:
        call.not_applicable("the component's template stays")
    elif isinstance(parse(text), Unknown):
        plainly(call, text, "templateFile")
        call.unknown("the component's infrastructure is not a template that can be read", "templateFile")
    else:
        stack(call, text, None, "templateFile")
        call.not_applicable("no resource of the component has an accelerator or a model")


@operation("proton", "CreateEnvironment", "CreateService", "CreateServiceInstance", "UpdateEnvironment",
           "UpdateService", "UpdateServiceInstance", "UpdateServicePipeline")  # fmt: skip
def from_bundle(call: Call) -> None:
    """A specification fills in a template that lies in a bundle. What it says plainly is judged beside it."""
    if call.operation.startswith("Update") and call.get("spec") is None and _stays(call.get("deploymentType")):
        call.not_applicable("nothing is deployed")
        return
    plainly(call, call.get("spec"), "spec")
    call.unknown("what the template makes of the specification was not read", "spec")


def _stays(kind: Any) -> bool:
    return kind is None or str(kind).strip().upper() == "NONE"


# -- Launch Wizard, DataZone -------------------------------------------------------------------------------------


@operation("launch-wizard", "CreateDeployment", "UpdateDeployment")
def wizard(call: Call) -> None:
    """A workload by its pattern, whose specifications name the instance types."""
    plainly(call, call.get("specifications"), "specifications")
    if not call.items and call.operation == "CreateDeployment":
        call.unresolved("the specifications name no instance type", "specifications")
    call.not_applicable("no instance type is named")


@operation("datazone", "CreateEnvironment", "UpdateEnvironment", "CreateEnvironmentProfile", "UpdateEnvironmentProfile",
           "CreateProject", "UpdateProject", "CreateProjectProfile", "UpdateProjectProfile",
           "PutEnvironmentBlueprintConfiguration")  # fmt: skip
def environment(call: Call) -> None:
    """Parameters of a blueprint, by names of its own. A blueprint's template is judged where it is given."""
    keys = ("userParameters", "environmentConfigurations", "regionalParameters", "globalParameters")
    for key in keys:
        plainly(call, call.get(key), key)
    call.not_applicable("no parameter names an instance type or a model")


# -- pipelines ---------------------------------------------------------------------------------------------------

_TEMPLATES = ("cloudformation", "cloudformationstackset", "cloudformationstackinstances", "servicecatalog")


@operation("codepipeline", "CreatePipeline", "UpdatePipeline")
def pipeline(call: Call) -> None:
    """Actions that deploy a template of an artifact, start a state machine or run commands."""
    stages = get(call.struct(call.get("pipeline"), "pipeline"), "stages") or call.get("stages")
    for place, stage in call.rows(stages, "pipeline.stages"):
        for spot, action in call.rows(get(stage, "actions"), f"{place}.actions"):
            _deploys(call, action, spot)
    call.not_applicable("no action provisions an accelerator or a model")


def _deploys(call: Call, action: Mapping[str, Any], spot: str) -> None:
    provider = get(get(action, "actionTypeId"), "provider")
    given = call.struct(get(action, "configuration"), f"{spot}.configuration")
    if provider is not None and not isinstance(provider, str):
        call.unknown(f"{spot} is not readable", f"{spot}.actionTypeId")
        return
    name = str(provider).strip().lower()
    if name in _TEMPLATES:
        if str(get(given, "ActionMode")).upper() == "DELETE_ONLY":
            return
        for key, value in given.items():
            document = parse(value) if isinstance(value, str) else value
            plainly(call, value if isinstance(document, Unknown) else document, f"{spot}.configuration.{key}")
        call.unknown("the template lies in an artifact and was not read", f"{spot}.configuration")
    elif name == "stepfunctions":
        arn = get(given, "StateMachineArn")
        call.nested("stepfunctions", "StartExecution", {"stateMachineArn": arn}, f"{spot}.configuration")
    elif name == "commands":
        told(call, get(action, "commands"), f"{spot}.commands")


@operation("codeconnections", "CreateSyncConfiguration", "UpdateSyncConfiguration")
@operation("codestar-connections", "CreateSyncConfiguration", "UpdateSyncConfiguration")
def synchronised(call: Call) -> None:
    """A stack that follows a branch: its template lies in a repository, now and later."""
    call.action = Action.PROVISION
    if call.operation.startswith("Update") and all(
        call.get(key) is None for key in ("Branch", "ConfigFile", "RepositoryLinkId")
    ):
        call.not_applicable("what is followed stays")
    else:
        call.unknown("the template lies in a repository and was not read", "ConfigFile")
