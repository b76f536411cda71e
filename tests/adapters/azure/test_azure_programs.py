"""Scripts, workflows and manifests that would make calls of their own: read within bounds, whatever they hold."""

from __future__ import annotations

import base64
import io
import random
import time
import zipfile
from typing import Any

import pytest

from adapters.azure.azure_must_calls import ND, G, url, vm
from exportguard.adapters.azure import operations
from exportguard.adapters.azure.address import addresses
from exportguard.adapters.azure.facts import observe
from exportguard.adapters.azure.operations.reading import Call
from exportguard.adapters.azure.operations.scripts import taken
from exportguard.vocabulary import NotApplicable, ProvisioningRequest

CLUSTER = url(f"{G}/Microsoft.ContainerService/managedClusters/a/runCommand")
NODE_POOL = """apiVersion: karpenter.sh/v1
kind: NodePool
spec: {template: {spec: {requirements: [{key: karpenter.azure.com/sku-gpu-name, operator: In, values: [H100]}]}}}
"""
WEB = "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{image: nginx}]}}}\n"


def packed(*manifests: str) -> str:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, manifest in enumerate(manifests):
            archive.writestr(f"{number}.yaml", manifest)
    return base64.b64encode(held.getvalue()).decode()


@pytest.mark.parametrize(
    ("context", "seen"),
    [(packed(WEB), NotApplicable), (packed(WEB, NODE_POOL), ProvisioningRequest), ("no zip", ProvisioningRequest),
     (packed("x" * (2 << 20)), ProvisioningRequest), ("", NotApplicable)],
    ids=["a deployment", "a node pool beside it", "no archive", "a bomb", "nothing"],
)  # fmt: skip
def test_the_files_of_a_clusters_command_are_read(context: str, seen: type) -> None:
    """Manifests that ask for nodes with accelerators are seen in the archive; one that cannot be read is unknown."""
    body = {"command": "kubectl apply -f .", "context": context}
    assert isinstance(observe("POST", CLUSTER, body), seen)


def test_a_damaged_archive_is_read_or_unknown() -> None:
    """No archive breaks the reading: each is seen, or nothing of it asks for accelerators."""
    chance = random.Random(5)
    whole = base64.b64decode(packed(WEB * 20, NODE_POOL))
    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        call = Call("POST", addresses("POST", CLUSTER)[0], {"context": base64.b64encode(damaged).decode()})
        found = operations.table()["microsoft.containerservice/managedclusters"]["post:runcommand"].read(call)
        assert found is None or len(found) > 0


@pytest.mark.parametrize(
    "script", ["New-AzVM -Size Standard_D2s_v3\n", "az vm ", "ND1_", "az vm abc abc update ", "sku-family ", "--a-a-a"]
)
def test_a_script_is_read_in_little_time(script: str) -> None:
    """A script as long as is read takes a moment; a longer one is unknown without a look."""
    before = time.thread_time()
    taken((script * (1 << 18))[: 1 << 18], "x")
    assert time.thread_time() - before < 5
    (item,) = taken(script * (1 << 18), "x")
    assert "longer" in str(item.kind)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_script_in_a_script_is_read(encoding: str) -> None:
    """Text in base64 is what a script decodes and runs."""
    hidden = base64.b64encode("az vm create -n v --size $SIZE".encode(encoding)).decode()
    assert taken(f"echo {hidden} | base64 -d | sh", "x")
    assert not taken(f"echo {base64.b64encode(b'echo hello world, and so on').decode()} | base64 -d", "x")


@pytest.mark.parametrize(
    "uri",
    ["https://management.azure.com{}?api-version=1", "@concat('https://management.azure.com', '{}')",
     "https://management.azure.com@{{concat('{}')}}", "@{{variables('host')}}{}", "@parameters('anything')"],
)  # fmt: skip
def test_a_step_of_a_workflow_is_a_call(uri: str) -> None:
    """Whatever an expression leaves open, a step that creates a machine is seen by its URL, or whom it signs in for."""
    step: dict[str, Any] = {
        "method": "PUT",
        "body": vm(ND),
        "uri": uri.format(f"{G}/Microsoft.Compute/virtualMachines/v"),
    }
    step["authentication"] = {"type": "ManagedServiceIdentity", "audience": "https://management.azure.com"}
    body = {"properties": {"definition": {"actions": {"s": {"actions": {"a": {"type": "Http", "inputs": step}}}}}}}
    assert isinstance(observe("PUT", url(f"{G}/Microsoft.Logic/workflows/w"), body), ProvisioningRequest)
