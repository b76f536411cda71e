"""Scripts that Azure runs: deployment scripts, runbooks, commands on clusters, machines and containers.

They are not interpreted. A script is an item of unknown kind where it names a size with accelerators, and where it
takes machines or models (Azure CLI, Azure PowerShell, the SDKs, REST) without saying, in plain text, sizes that have
none.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from exportguard.adapters.azure.lookthrough import gpu_sizes
from exportguard.adapters.azure.operations.reading import Call, Items, Reader, Table, machine, row, text, unknown
from exportguard.adapters.azure.operations.scripts import taken
from exportguard.adapters.azure.tree import Tree, search, walk
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.request import Action

_MOST_BYTES: Final = 1 << 20
_MOST_FILES: Final = 200


def _texts(tree: Tree, *paths: str) -> Iterator[tuple[str, str]]:
    for path in paths:
        for where, value in walk(tree, path):
            if isinstance(value, str):
                yield where, value


def _scripts(*paths: str, together: tuple[str, ...] = (), names: bool = False) -> Reader:
    """Scripts at *paths*; what stands at *together* are their arguments, read with them. *names*: as in `taken`."""

    def read(call: Call) -> Items:
        said = " ".join(value for _, value in _texts(call.body, *together))
        whole = "\n".join(value for _, value in _texts(call.body, *paths))
        return taken(f"{whole}\n{said}", paths[0], names) or None

    return read


_ENVIRONMENT: Final = ("properties.arguments", "properties.environmentVariables[].value",
                       "properties.environmentVariables[].secureValue")  # fmt: skip
_inline = _scripts("properties.scriptContent", together=_ENVIRONMENT, names=True)
_RUNS_WHAT_IT_IS_GIVEN: Final = re.compile(
    r"\beval\b|\biex\b|invoke-expression|\bsh\s+-c\s+[\"']?\$|[|]\s*(?:ba)?sh\b|^\s*&?\s*[\"']?\$(?:env:)?\{?\w+\}?[\"']?\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def _hidden(call: Call) -> list[Item]:
    """A script that only the deployment tells, or one that runs a text that only the deployment tells."""
    scripts = [value for _, value in walk(call.body, "properties.scriptContent")]
    for value in scripts:
        if isinstance(value, Unknown):
            return [unknown(value.reason)]
    given = [value for path in _ENVIRONMENT for _, value in walk(call.body, path)]
    secret = next((value for value in given if isinstance(value, Unknown)), None)
    if secret is None or not any(isinstance(s, str) and _RUNS_WHAT_IT_IS_GIVEN.search(s) for s in scripts):
        return []
    return [unknown(f"the script runs what it is given: {secret.reason}")]


def _deployment_script(call: Call) -> Items:
    elsewhere = [
        unknown("the script that a deployment runs is elsewhere")
        for path in ("properties.primaryScriptUri", "properties.supportingScriptUris[]")
        for _, uri in walk(call.body, path)
        if uri != ""
    ]
    return [*elsewhere[:1], *_hidden(call), *(_inline(call) or ())] or None


_BROKEN: Final = (
    ValueError, zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What the reader of an archive raises for one that is damaged, encrypted, or packed in a way it does not know."""
_GROWS: Final = re.compile(
    r"instanceType[\"']?\s*:\s*[\"']?(?P<size>[^\s\"']+)|sku-gpu|nvidia\.com/gpu|amd\.com/gpu"
    r"|sku-(?:family|name)[^-]*?values[\"']?\s*:\s*(?:\[\s*|-\s*)[\"']?(?:Standard_)?N",
    re.IGNORECASE | re.DOTALL,
)
"""What a manifest says that makes a cluster add nodes with accelerators: KAITO's workspaces, node pools of its own
provisioner, and containers that ask for GPUs."""


def _manifest(written: str, where: str) -> list[Item]:
    found = taken(written, where)
    if any(machine_ := [m["size"] for m in _GROWS.finditer(written)]):
        found += [machine(text(size, where), where=where) for size in machine_ if size]
    if any(m["size"] is None for m in _GROWS.finditer(written)):
        found.append(unknown(f"`{where}` asks the cluster for accelerators"))
    return found


def _cluster_command(call: Call) -> Items:
    """A command that is run in a cluster, with the files it is given (a zip archive in base64)."""
    found: list[Item] = []
    for where, command in _texts(call.body, "command"):
        found += _manifest(command, where)
    for where, packed in _texts(call.body, "context"):
        if not packed.strip():
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed, validate=True))) as archive:
                entries = archive.infolist()
                if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
                    raise ValueError("too much")
                for entry in entries:
                    found += _manifest(archive.read(entry).decode("utf-8", "replace"), where)
        except _BROKEN:
            found.append(unknown("the files of the command cannot be read"))
    return found[:200] or None


def _sizes_anywhere(call: Call) -> Items:
    """Arguments for a program that is only named: about machines where a size with accelerators is among them."""
    return [machine(size, where=where) for where, size in gpu_sizes(call.body)][:200] or None


def _task(call: Call) -> Items:
    """A task of a registry: its steps are a text in base64, or commands."""
    found: list[Item] = []
    for where, packed in search(call.body, words("encodedtaskcontent encodedvaluescontent")):
        try:
            found += taken(base64.b64decode(str(packed), validate=True).decode("utf-8", "replace"), where)
        except (ValueError, binascii.Error):
            found.append(unknown(f"`{where}` is not readable"))
    return found or None


def runbook(call: Call, body: object) -> Items:
    """The text of a runbook."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        body = bytes(body).decode("utf-8", "replace")
    if body in (None, ""):
        return None
    if not isinstance(body, str):
        return _sizes_anywhere(call) if isinstance(body, dict) else [unknown("the runbook's text cannot be read")]
    return taken(body, "the runbook") or None


_remediates = row("PolicyAssignments_Create", Action.PROVISION, lambda call: (
    _sizes_anywhere(call) if any(True for _ in walk(call.body, "identity")) else None))  # fmt: skip
_arguments = row("Automation_Run", Action.PROVISION, _sizes_anywhere)
_settings = row("KubernetesConfiguration_Create", Action.PROVISION, _sizes_anywhere)
_as_written = row("Triggers_Start", Action.START, lambda call: None)
"""What it starts was judged when it was written."""
_run = row("RunCommand", Action.PROVISION, _scripts("script[]", together=("parameters[].value",)))
_managed_run = row("RunCommands_CreateOrUpdate", Action.PROVISION, _scripts(
    "properties.source.script",
    together=("properties.parameters[].value", "properties.protectedParameters[].value")))  # fmt: skip
_extension = row("Extensions_CreateOrUpdate", Action.PROVISION, _scripts(
    "properties.settings.commandToExecute", "properties.protectedSettings.commandToExecute",
    "properties.settings.script", "properties.protectedSettings.script"))  # fmt: skip
_FACTORIES: Final = ("microsoft.datafactory/factories", "microsoft.synapse/workspaces")
_a = "microsoft.automation/automationaccounts/"
_c = "microsoft.compute/"

TABLE: Table = {
    "microsoft.resources/deploymentscripts": {
        "put": row("DeploymentScripts_Create", Action.PROVISION, _deployment_script),
    },
    "microsoft.containerservice/managedclusters": {
        "post:runcommand": row("ManagedClusters_RunCommand", Action.PROVISION, _cluster_command),
    },
    **{
        kind: {"post:runcommand": _run} for kind in (
            _c + "virtualmachines", _c + "virtualmachinescalesets/virtualmachines",
        )
    },
    **{
        kind: {"put": _managed_run, "patch": _managed_run} for kind in (
            _c + "virtualmachines/runcommands", _c + "virtualmachinescalesets/virtualmachines/runcommands",
            "microsoft.hybridcompute/machines/runcommands",
        )
    },
    **{
        kind: {"put": _extension, "patch": _extension} for kind in (
            _c + "virtualmachines/extensions", _c + "virtualmachinescalesets/extensions",
            _c + "virtualmachinescalesets/virtualmachines/extensions", "microsoft.hybridcompute/machines/extensions",
        )
    },
    **{_a + kind: {"put": _arguments, "patch": _arguments}
       for kind in ("jobs", "jobschedules", "webhooks", "watchers", "softwareupdateconfigurations")},
    _a + "configurations": {verb: row("DscConfiguration_CreateOrUpdate", Action.PROVISION,
                                      _scripts("properties.source.value", names=True)) for verb in ("put", "patch")},
    **{f"microsoft.kubernetesconfiguration/{kind}": {"put": _settings, "patch": _settings}
       for kind in ("extensions", "fluxconfigurations")},
    **{f"{kind}/pipelines": {"post:createrun": _arguments} for kind in _FACTORIES},
    **{f"{kind}/triggers": {"put": _arguments, "post:start": _as_written} for kind in _FACTORIES},
    **{
        f"microsoft.containerregistry/registries{kind}": row_ for kind, row_ in (
            ("", {"post:schedulerun": row("Registries_ScheduleRun", Action.PROVISION, _task)}),
            ("/tasks", {verb: row("Tasks_Create", Action.PROVISION, _task) for verb in ("put", "patch")}),
        )
    },
    **{
        f"microsoft.authorization/{kind}": {"put": _remediates}
        for kind in ("policyassignments", "policysetdefinitions")
    },
}  # fmt: skip
