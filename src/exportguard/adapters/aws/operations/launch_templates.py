"""Launch templates: what they say will be launched; how many is not said."""

from __future__ import annotations

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.ec2 import placed
from exportguard.adapters.aws.operations.launch import launched, template_data
from exportguard.vocabulary import NOT_GIVEN, Action, Unknown


@operation("ec2", "CreateLaunchTemplate")
def create_launch_template(call: Call) -> None:
    data = call.get("LaunchTemplateData")
    if isinstance(data, dict) and not _names_what_runs(data):
        call.not_applicable("the template names no instance type")
        return
    launched(call, data, NOT_GIVEN, "LaunchTemplateData")
    placed(call, data)


@operation("ec2", "CreateLaunchTemplateVersion")
def create_launch_template_version(call: Call) -> None:
    """A version takes over from its source what it does not say itself."""
    data = call.get("LaunchTemplateData")
    placed(call, data)
    if data is not None and (not isinstance(data, dict) or _names_what_runs(data)):
        launched(call, data, NOT_GIVEN, "LaunchTemplateData")
        return
    source = call.get("SourceVersion")
    if source is None:
        call.not_applicable("the version names no instance type")
        return
    known = template_data(
        call,
        {
            "LaunchTemplateId": call.get("LaunchTemplateId"),
            "LaunchTemplateName": call.get("LaunchTemplateName"),
            "Version": source,
        },
    )
    if isinstance(known, Unknown):
        call.unresolved(known.reason, "SourceVersion")
    elif _names_what_runs(known):
        launched(call, known, NOT_GIVEN, "SourceVersion.LaunchTemplateData")


@operation("ec2", "ModifyLaunchTemplate", action=Action.RESIZE)
def modify_launch_template(call: Call) -> None:
    """Another default version: what is launched from the template changes from now on."""
    version = call.get("DefaultVersion", "SetDefaultVersion")
    if version is None:
        call.not_applicable("the default version stays")
        return
    names = {key: call.get(key) for key in ("LaunchTemplateId", "LaunchTemplateName")}
    launched(call, {"LaunchTemplate": {**names, "Version": version}}, NOT_GIVEN, "")


@operation("ec2", "EnableFastLaunch")
def enable_fast_launch(call: Call) -> None:
    template = call.get("LaunchTemplate")
    if template is None:
        call.not_applicable("no launch template is named")
        return
    launched(call, {"LaunchTemplate": template}, NOT_GIVEN, "")


def _names_what_runs(data: object) -> bool:
    keys = ("InstanceType", "InstanceRequirements", "ElasticGpuSpecifications", "ElasticInferenceAccelerators")
    return any(get(data, key) is not None for key in keys)
