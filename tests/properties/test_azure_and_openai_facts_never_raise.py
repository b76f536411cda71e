"""Laws of the Azure and OpenAI facts: they never raise, and no spelling makes an accelerator vanish."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exportguard.adapters.azure import facts as azure
from exportguard.adapters.azure import tree
from exportguard.adapters.openai import facts as openai
from exportguard.vocabulary import NotApplicable, ProvisioningRequest

ND = "Standard_ND96isr_H100_v5"
_TYPES = [
    "Microsoft.Compute/virtualMachines/v", "Microsoft.Compute/virtualMachineScaleSets/s", "Microsoft.X/y/z",
    "Microsoft.ContainerService/managedClusters/k/agentPools/a", "Microsoft.Resources/deployments/d",
    "Microsoft.MachineLearningServices/workspaces/w/jobs/j", "Microsoft.CognitiveServices/accounts/a/deployments/d",
    "Microsoft.DesktopVirtualization/hostPools/h", "Microsoft.AzureFleet/fleets/f", "Microsoft.Quota/quotas/q",
    "Microsoft.MachineLearningServices/workspaces/w/computes/c", "Microsoft.App/managedEnvironments/e",
    "Microsoft.Batch/batchAccounts/b/pools/p", "Microsoft.Kusto/clusters/k", "Microsoft.HDInsight/clusters/h",
]  # fmt: skip
_KEYS = st.sampled_from(
    ["properties", "template", "resources", "type", "name", "sku", "vmSize", "hardwareProfile", "location", "capacity",
     "copy", "count", "condition", "parameters", "variables", "agentPoolProfiles", "model", "modelId", "templateLink",
     "skuProfile", "vmSizes", "workloadProfiles", "requests", "url", "method", "max_tokens", "tools", "jobs"]
) | st.text(max_size=5)  # fmt: skip
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from([ND, "[parameters('a')]", "[if(x", "[concat(variables('name'),'a')]", "[copyIndex()]", "[[x]",
                       "Microsoft.Compute/virtualMachines", "Microsoft.Resources/deployments", "PUT"])
)  # fmt: skip
_BODIES: Any = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=25
)
_HOSTS = st.sampled_from(
    ["https://management.azure.com", "http://127.0.0.1:1", "https://a.openai.azure.com", "https://a.b.batch.azure.com",
     "https://adb-1.1.azuredatabricks.net", "https://x.services.ai.azure.com", "//", "", "http://[::1"]
)  # fmt: skip
_PATHS = st.sampled_from([f"/subscriptions/s/resourceGroups/g/providers/{t}" for t in _TYPES]) | st.text(max_size=60)


@given(method=st.sampled_from(["PUT", "PATCH", "POST", "post", "WEIRD"]), host=_HOSTS, path=_PATHS, body=_BODIES,
       raw=st.booleans())  # fmt: skip
@settings(max_examples=250, deadline=None)
def test_azure_facts_never_raise(method: str, host: str, path: str, body: Any, raw: bool) -> None:
    """Any method, URL and body give an observation."""
    sent = json.dumps(body).encode() if raw else body
    assert isinstance(azure.observe(method, host + path, sent), (NotApplicable, ProvisioningRequest))


@given(base=_HOSTS | st.text(max_size=20), path=_PATHS | st.sampled_from(["/chat/completions", "/realtime"]),
       body=_BODIES, deployment=st.none() | st.text(max_size=5))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_openai_facts_never_raise(base: str, path: str, body: Any, deployment: str | None) -> None:
    """Any base URL, path and body give an observation."""
    seen = openai.observe(base, path, body, deployment=deployment)
    assert isinstance(seen, (NotApplicable, ProvisioningRequest))


@given(flips=st.lists(st.booleans(), min_size=60, max_size=60), slashes=st.integers(1, 3), extra=_BODIES)
@settings(max_examples=100, deadline=None)
def test_no_spelling_hides_a_size(flips: list[bool], slashes: int, extra: Any) -> None:
    """Case of path and keys, doubled slashes and other fields beside it leave the size seen."""

    def twist(text: str) -> str:
        return "".join(c.upper() if flips[i % len(flips)] else c.lower() for i, c in enumerate(text))

    path = twist("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v")
    body = {"zone": extra, twist("properties"): {twist("hardwareProfile"): {twist("vmSize"): ND}}}
    seen = azure.observe("PUT", "https://management.azure.com" + path.replace("/", "/" * slashes), body)
    assert isinstance(seen, ProvisioningRequest)
    assert isinstance(seen.items, tuple)
    assert ND in [item.instance_type for item in seen.items]


_TWICE = st.lists(
    st.tuples(st.sampled_from(["a", "A", "k", "\u212a", "a:", 'q"']), st.sampled_from(["1", '"a:b"', '"\\""', "[{}]"])),
    max_size=4,
)


@given(outer=_TWICE, inner=_TWICE, gap=st.sampled_from(["", " ", "\n"]), escaped=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_body_is_the_same_tree_whichever_reader_takes_it(outer: Any, inner: Any, gap: str, escaped: bool) -> None:
    """The fast reader leaves to the other whatever may hold a key twice; what it does read it reads alike."""

    def written(pairs: Any) -> str:
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=escaped)}{gap}:{value}" for key, value in pairs) + "}"

    text = written([*outer, ("inner", written(inner))])
    fast = tree._fast(text.encode())
    assert fast is None or fast == tree._DECODER.decode(text)
