"""Calls that only have something run, on machines that were made by others: what the script or command writes out."""

from __future__ import annotations

import re
from typing import Any

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.operations import operation
from exportguard.adapters.aws.operations.launch import runs, types_in_text
from exportguard.adapters.aws.operations.systems_manager import told
from exportguard.vocabulary import Unknown


def steps(call: Call, rows: Any, where: str) -> None:
    """Steps of a cluster: a jar with its arguments, which may be any command of a shell."""
    for place, row in call.rows(rows, where):
        runs(call, get(get(row, "HadoopJarStep"), "Args"), f"{place}.HadoopJarStep.Args")


@operation("emr", "AddJobFlowSteps")
def cluster_steps(call: Call) -> None:
    steps(call, call.get("Steps"), "Steps")
    call.not_applicable("runs a step on a cluster that exists")


@operation("imagebuilder", "CreateComponent", "CreateWorkflow", "CreateContainerRecipe")
def built(call: Call) -> None:
    """What runs while an image is built, or how the instance is started that builds it."""
    for key in ("data", "dockerfileTemplateData"):
        if isinstance(call.get(key), str):
            types_in_text(call, call.get(key)[:200_000], key)
    call.not_applicable("the document names no instance type")


@operation("sagemaker", "CreateNotebookInstanceLifecycleConfig", "UpdateNotebookInstanceLifecycleConfig",
           "CreateStudioLifecycleConfig")  # fmt: skip
def at_start(call: Call) -> None:
    runs(call, call.get("StudioLifecycleConfigContent"), "StudioLifecycleConfigContent")
    for key in ("OnCreate", "OnStart"):
        for place, row in call.rows(call.get(key), key):
            runs(call, get(row, "Content"), f"{place}.Content")
    call.not_applicable("the script names no instance type")


@operation("chatbot", "CreateCustomAction", "UpdateCustomAction")
def button(call: Call) -> None:
    """A command of AWS's command line, run when somebody presses a button."""
    told(call, get(call.get("Definition"), "CommandText"), "Definition.CommandText")
    call.not_applicable("the command starts no accelerator and no model")


_PODS = re.compile(r"(nvidia|amd|habana)[\w.]*/(gpu|gaudi|mig)[\w.-]*|aws\.amazon\.com/neuron\w*")
_GIVEN = re.compile(rf"[\"']?({_PODS.pattern})[\"']?\s*:\s*[\"']?[1-9]")


@operation("eks", "CreateAddon", "UpdateAddon")
def add_on(call: Call) -> None:
    """Values of an add-on: the types and the accelerators that its pods ask for. Tolerations ask for none."""
    written = call.get("configurationValues")
    if isinstance(written, str):
        types_in_text(call, written[:200_000], "configurationValues")
    if isinstance(written, str) and _GIVEN.search(written[:200_000].replace("\\", "")):
        call.accelerator(Unknown("an accelerator that an add-on's pods ask for"), where="configurationValues")
    call.not_applicable("the add-on asks for no accelerator")
