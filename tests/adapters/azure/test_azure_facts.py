"""What one Azure call is seen to provision, by method, URL and body alone."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from adapters.azure.azure_must_calls import AKS, CS, MUST, ND, TEMPLATE, UNKNOWN, G, S, sku, url, vm
from exportguard.adapters.azure.facts import observe, observe_document
from exportguard.vocabulary import (
    AzureCall,
    Certainty,
    Item,
    NotApplicable,
    ProvisioningRequest,
    Transfer,
    Unknown,
)

VM = f"{G}/Microsoft.Compute/virtualMachines/v"


def items(seen: Any) -> tuple[Item, ...]:
    assert isinstance(seen, ProvisioningRequest), seen
    assert isinstance(seen.items, tuple)
    return seen.items


def names(seen: Any) -> set[str]:
    """What the items name; an unknown one is `unknown`."""
    found = set()
    for item in items(seen):
        given = [x for x in (item.instance_type, item.accelerator, item.model) if isinstance(x, str)]
        found |= set(given) or {UNKNOWN}
    return found


@pytest.mark.parametrize(("operation", "method", "path", "body", "expected"), MUST, ids=[m[0] for m in MUST])
@pytest.mark.parametrize("form", ["mapping", "bytes", "stream"])
def test_every_must_operation_is_judged_on_content(
    operation: str, method: str, path: str, body: Any, expected: str, form: str
) -> None:
    """Each of the operations that create accelerators or models is seen, whatever its body is handed over as."""
    sent: Any = body
    if body is not None and form != "mapping":
        sent = json.dumps(body).encode()
        sent = io.BytesIO(sent) if form == "stream" else sent
    seen = observe(method, url(path), sent)
    assert expected in names(seen)
    assert isinstance(seen, ProvisioningRequest)
    assert seen.locations
    if form == "stream" and body is not None:
        assert sent.tell() == 0


@pytest.mark.parametrize(("operation", "method", "path", "body", "expected"), [m for m in MUST if "://" not in m[2]])
def test_spelling_is_no_way_round(operation: str, method: str, path: str, body: Any, expected: str) -> None:
    """Case of the URL and of keys, doubled and trailing slashes and a private host change nothing."""

    def shout(node: Any) -> Any:
        if isinstance(node, dict):
            return {key.upper() if not key.startswith("$") else key: shout(value) for key, value in node.items()}
        return [shout(each) for each in node] if isinstance(node, list) else node

    twisted = url(path.upper().replace("/PROVIDERS/", "//providers/") + "/", "http://127.0.0.1:8080")
    assert {name.lower() for name in names(observe(method.lower(), twisted, shout(body)))} >= {expected.lower()}


def test_call_documents_are_judged_as_live_calls() -> None:
    """A document and the call that it describes give one observation."""
    document = AzureCall(sdk="azure", method="PUT", url=url(VM), body=vm())
    assert observe_document(document) == observe("PUT", url(VM), json.dumps(vm()))


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "get"])
def test_reads_and_deletes_are_outside(method: str) -> None:
    """They provision nothing, whatever they carry."""
    assert isinstance(observe(method, url(VM), vm()), NotApplicable)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{VM}/deallocate", None),
        ("POST", f"{VM}/powerOff", None),
        ("PATCH", VM, {"tags": {"a": "b"}}),
        ("PATCH", f"{G}/Microsoft.Compute/virtualMachineScaleSets/s", {"tags": {}}),
        ("PATCH", f"{G}/Microsoft.Compute/virtualMachineScaleSets/s", {"sku": {"capacity": 0}}),
        ("PATCH", f"{CS}/deployments/d", {"tags": {}}),
        ("POST", f"{VM}/runCommand", {"script": ["vmSize"]}),
        ("PUT", f"{G}/Microsoft.Storage/storageAccounts/s", {"sku": {"name": "Standard_LRS"}, "location": "x"}),
        ("PUT", f"{G}/Microsoft.Network/virtualNetworks/n", {"location": "x"}),
        ("PUT", f"{S}/resourcegroups/rg", {"location": "westeurope"}),
        ("PUT", f"{G}/Microsoft.Brand.New/things/t", {"location": "x", "sku": {"name": "Premium"}}),
        ("POST", f"{G}/Microsoft.Resources/deployments/d/whatIf", {"properties": {"template": TEMPLATE}}),
        ("PUT", f"{CS}", {"kind": "SpeechServices", "location": "x"}),
        ("PUT", f"{G}/Microsoft.App/containerApps/a", {"properties": {"workloadProfileName": "Consumption"}}),
        ("PUT", f"{G}/Microsoft.App/managedEnvironments/e", {"properties": {"workloadProfiles": [
            {"workloadProfileType": "Consumption"}, {"workloadProfileType": "D4"}]}}),
        ("PUT", f"{G}/Microsoft.ContainerInstance/containerGroups/c", {"properties": {"containers": []}}),
        ("PUT", f"{S}/providers/Microsoft.Compute/locations/x/providers/Microsoft.Quota/quotas/standardDSv3Family",
         {"properties": {"name": {"value": "standardDSv3Family"}}}),
        ("POST", "https://login.microsoftonline.com/t/oauth2/v2.0/token", "grant_type=x"),
        ("PUT", "https://a.blob.core.windows.net/subscriptions/providers/blob", b"vmSize"),
        ("POST", "https://a.vault.azure.net/keys/k/sign", {"value": "H100"}),
        ("POST", "https://acct.openai.azure.com/openai/files", {"purpose": "batch"}),
        ("POST", "https://acct.cognitiveservices.azure.com/language/:analyze-text", {"kind": "x"}),
        ("POST", "https://a.westeurope.batch.azure.com/jobs/j/tasks", {"id": "t"}),
    ],
)  # fmt: skip
def test_everyday_calls_are_outside(method: str, path: str, body: Any) -> None:
    """Known not to provision an accelerator or a model: nobody is asked who is behind them."""
    assert isinstance(observe(method, url(path), body), NotApplicable)


@pytest.mark.parametrize(
    "body",
    [
        b'{"location":"westeurope","properties":{"hardwareProfile":{"vmSize":"Standard_D2s_v3","VMSize":"%s"}}}',
        b'{"location":"x","properties":{"hardwareProfile":{"vmSize":"Standard_D2s_v3"}},'
        b'"PROPERTIES":{"hardwareProfile":{"vmSize":"%s"}}}',
        b'{"location":"a:b","properties":{"hardwareProfile":{"vmSize":"%s","vmSize" :"Standard_D2s_v3"}}}',
        b'{"location":"x","properties":{"hardwareProfile":{"vmSize":"Standard_D2s_v3","\\u0076mSize":"%s"}}}',
        b'\xef\xbb\xbf{"properties":{"hardwareProfile":{"vmSize":"%s"}}}',
    ],
)
def test_a_key_given_twice_means_either_value(body: bytes) -> None:
    """Both values are items, since nobody says which one the service takes."""
    assert ND in names(observe("PUT", url(VM), body % ND.encode()))


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"\x1f\x8b compressed",
        [],
        "[]",
        {"properties": []},
        {"properties": {"hardwareProfile": "x"}},
        {"properties": {"hardwareProfile": {"vmSize": 7}}},
        {"properties": {"hardwareProfile": {"vmSize": ""}}},
        None,
        iter([b"x"]),
        b" " * (4 * 1024 * 1024 + 1),
    ],
)
def test_what_cannot_be_read_is_unknown(body: Any) -> None:
    """Never none: an unreadable body of a call that matters is an unknown item."""
    assert names(observe("PUT", url(VM), body)) == {UNKNOWN}


@pytest.mark.parametrize(
    "path",
    [
        VM.replace("providers", "%70roviders"),
        VM + "%2F",
        VM.replace("rg", "a/../rg"),
        f"{G}/Microsoft.Network/virtualNetworks/n%2Fproviders%2FMicrosoft.Compute%2FvirtualMachines%2Fv",
        f"{VM}%2Fproviders%2FMicrosoft.Network%2FvirtualNetworks%2Fn",
        VM.replace("00000000-0000-0000-0000-000000000001", "{subscriptionId}"),
    ],
)
def test_a_twisted_url_is_still_a_machine(path: str) -> None:
    """Percent-encoding, dot segments and placeholder ids; an encoded slash is read both ways."""
    assert ND in names(observe("PUT", url(path), vm()))


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("https://management.azure.com", None),
        ("https://MANAGEMENT.AZURE.COM.", None),
        ("https://management.chinacloudapi.cn", "AzureChinaCloud"),
        ("https://management.usgovcloudapi.net", "AzureUSGovernment"),
        ("http://127.0.0.1:9", None),
        ("https://gateway.example.com", None),
    ],
)
def test_the_cloud_is_that_of_the_host(host: str, cloud: str | None) -> None:
    """A sovereign cloud is a place of its own, whatever region the body names."""
    seen = observe("PUT", url(VM, host), vm())
    assert isinstance(seen, ProvisioningRequest)
    (place,) = seen.locations
    assert (place.cloud, place.region) == (cloud, "westeurope")


def deploy(template: Any, **properties: Any) -> Any:
    return observe("PUT", url(f"{G}/Microsoft.Resources/deployments/d"),
                   {"properties": {"template": template, **properties}})  # fmt: skip


def with_size(expression: Any, **more: Any) -> dict[str, Any]:
    resource = {**TEMPLATE["resources"][0], "properties": {"hardwareProfile": {"vmSize": expression}}}
    return {**TEMPLATE, "resources": [resource], **more}


@pytest.mark.parametrize(
    "expression",
    [
        "[concat('Standard_ND96isr', variables('suffix'))]",
        "[format('Standard_ND{0}isr_{1}_v{2}', 96, 'H100', 5)]",
        "[if(equals(1, 1), 'Standard_ND96isr_H100_v5', 'Standard_D2s_v3')]",
        "[if(equals(resourceGroup().location, 'x'), 'Standard_ND96isr_H100_v5', 'Standard_D2s_v3')]",
        "[replace('Standard_ND96isr_X_v5', 'X', toUpper('h100'))]",
        "[createArray('Standard_D2s_v3', 'Standard_ND96isr_H100_v5')[1]]",
        "[base64ToString('U3RhbmRhcmRfTkQ5Nmlzcl9IMTAwX3Y1')]",
        '[json(\'{"a": "Standard_ND96isr_H100_v5"}\').a]',
        "[first(split('Standard_ND96isr_H100_v5;x', ';'))]",
        "[  variables ( 'deep' ) ]",
        "[map(createArray('ND96isr'), lambda('n', 'i', concat('Standard_', lambdaVariables('n'), '_H100_v5')))[0]]",
        "[filter(createArray('x', 'Standard_ND96isr_H100_v5'), lambda('n', contains(lambdaVariables('n'), '_')))[0]]",
        "[reduce(createArray('ND96isr', '_H100_v5'), 'Standard_', lambda('a', 'b', concat(lambdaVariables('a'),"
        " lambdaVariables('b'))))]",
        "[toObject(createArray(variables('deep')), lambda('n', 'k')).k]",
        "[groupBy(createArray(variables('deep')), lambda('n', 'k')).k[0]]",
        "[mapValues(createObject('a', '_H100_v5'), lambda('n', concat('Standard_ND96isr', lambdaVariables('n')))).a]",
        "[createArray('Standard_D2s_v3', variables('deep'))[parameters('none')]]",
        "Standard_ND96isr_H100_v5",
    ],
)
def test_expressions_are_evaluated(expression: str) -> None:
    """A size that is put together is the size that is deployed; an open condition is both."""
    template = with_size(expression, variables={"suffix": "_H100_v5", "deep": "[concat('Standard_ND96isr',"
                                                "variables('suffix'))]"})  # fmt: skip
    assert ND in names(deploy(template))


@pytest.mark.parametrize(
    "expression", ["[reference('x').size]", "[broken(]", "[parameters('none')]", "[variables('loop')]", {"a": 1}, 7,
                   "[filter(createArray('a', 'b'), lambda('n', parameters('none')))[0]]", "[lambda('n', 'x')]",
                   "[map(createArray('a'), lambda('n', lambdaVariables('m')))[0]]", "[map(parameters('none'), 1)[0]]"]
)  # fmt: skip
def test_what_cannot_be_evaluated_is_unknown(expression: Any) -> None:
    """Run-time functions, errors and loops of names never make an item vanish."""
    assert names(deploy(with_size(expression, variables={"loop": "[variables('loop')]"}))) == {UNKNOWN}


def test_parameters_win_over_defaults_and_a_linked_file_over_both() -> None:
    """What is in a linked parameters file is not known, so no default is trusted."""
    assert names(deploy(TEMPLATE, parameters={"SIZE": {"value": ND}})) == {ND}
    assert names(deploy(TEMPLATE)) == {"Standard_D2s_v3"}
    assert names(deploy(TEMPLATE, parametersLink={"uri": "https://x"})) == {UNKNOWN}
    assert names(deploy(TEMPLATE, parameters={"size": {"reference": {"keyVault": {}}}})) == {UNKNOWN}


def test_a_template_as_text_and_by_link() -> None:
    """Text is read; a link hides everything."""
    assert names(deploy(json.dumps(with_size(ND)))) == {ND}
    linked = observe("PUT", url(f"{G}/Microsoft.Resources/deployments/d"),
                     {"properties": {"templateLink": {"uri": "https://x"}}})  # fmt: skip
    assert names(linked) == {UNKNOWN}


@pytest.mark.parametrize("scope", ["inner", "outer"])
def test_nested_deployments_are_read(scope: str) -> None:
    """A nested template with its own or the outer parameters, in list and in symbolic-name form."""
    size = "[parameters('size')]"
    inner = {
        "type": "Microsoft.Resources/deployments",
        "name": "n",
        "properties": {
            "expressionEvaluationOptions": {"scope": scope},
            "parameters": {"size": {"value": "[parameters('size')]"}},
            "template": with_size(size, parameters={"size": {"type": "string"}}),
        },
    }
    for resources in ([inner], {"symbol": inner}):
        outer = {**TEMPLATE, "resources": resources}
        assert names(deploy(outer, parameters={"size": {"value": ND}})) == {ND}


def test_copies_conditions_and_children() -> None:
    """Loops multiply, a condition that is false drops, one that is unknown does not, children have full types."""
    machine = with_size(ND)["resources"][0]
    looped = {**machine, "copy": {"name": "c", "count": 3}}
    assert [item.instances for item in items(deploy({"resources": [looped, machine]}))] == [4]
    thousand = items(deploy({"resources": [{**machine, "copy": {"name": "c", "count": 1000}}]}))
    assert [item.instances for item in thousand] == [1000]
    assert isinstance(deploy({"resources": [{**machine, "condition": False}]}), NotApplicable)
    assert names(deploy({"resources": [{**machine, "condition": "[equals(reference('x'), 1)]"}]})) == {ND}
    child = {"type": "agentPools", "name": "a", "properties": {"vmSize": ND}}
    cluster = {"type": "Microsoft.ContainerService/managedClusters", "name": "k", "location": "eastasia",
               "properties": {}, "resources": [child]}  # fmt: skip
    seen = deploy({"resources": [cluster]})
    assert names(seen) == {ND}
    assert [place.region for place in seen.locations] == ["eastasia"]


def test_a_large_everyday_template_is_read_to_its_end() -> None:
    """Eight hundred resources, as many as one deployment may have: the machines are counted, nothing is held back."""
    machine = with_size("Standard_D2s_v3")["resources"][0]
    subnet = "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')]"
    network = {"type": "Microsoft.Network/networkInterfaces", "name": "n", "properties": {"subnet": subnet}}
    seen = deploy({"resources": [network] * 400 + [machine] * 400})
    assert [(item.instance_type, item.instances) for item in items(seen)] == [("Standard_D2s_v3", 400)]


def test_a_template_bomb_is_an_unknown_item() -> None:
    """A template that would take for ever is held, not evaluated."""
    variables = {f"v{i}": f"[concat(variables('v{i + 1}'), variables('v{i + 1}'))]" for i in range(40)}
    template = with_size("[variables('v0')]", variables={**variables, "v40": "x" * 50})
    assert names(deploy(template)) == {UNKNOWN}


def test_loops_of_nested_deployments_have_one_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops in loops multiply: a template that would take hours is an unknown item within a moment."""
    monkeypatch.setattr("exportguard.adapters.azure.expressions._MOST_STEPS", 20_000)
    resource: dict[str, Any] = {"type": "Microsoft.Storage/storageAccounts", "name": "s"}
    for depth in range(8):
        resource = {
            "type": "Microsoft.Resources/deployments",
            "name": "n",
            "copy": {"name": f"l{depth}", "count": 30},
            "properties": {
                "expressionEvaluationOptions": {"scope": "inner"},
                "template": {"resources": [resource]},
            },
        }
    assert any("too many steps" in str(item.kind) for item in items(deploy({"resources": [resource]})))


def test_the_batch_endpoint_is_read_request_by_request() -> None:
    """ARM's own bulk call hides nothing."""
    body = {"requests": [
        {"httpMethod": "GET", "url": VM},
        {"httpMethod": "PUT", "url": url(VM), "content": vm()},
        {"httpMethod": "PUT", "relativeUrl": f"{VM}?api-version=1", "content": json.dumps(vm("Standard_D2s_v3"))},
    ]}  # fmt: skip
    assert names(observe("POST", url("/batch"), body)) == {ND, "Standard_D2s_v3"}
    assert isinstance(observe("POST", url("/batch"), {"requests": [{"httpMethod": "GET", "url": VM}]}), NotApplicable)


def test_an_unseen_type_is_looked_through() -> None:
    """A newer service's size, chip or model is an item of unknown kind."""
    path = url(f"{G}/Microsoft.Brand.New/things/t")
    for body in ({"properties": {"deep": [{"vmSize": ND}]}}, {"sku": {"name": "Standard_NC24ads_A100_v4"}},
                 {"properties": {"gpuCount": 8}}, {"properties": {"model": {"name": "gpt-4o"}}}):  # fmt: skip
        seen = items(observe("PUT", path, body))
        assert seen
        assert all(isinstance(item.kind, Unknown) for item in seen)
    assert names(observe("POST", f"{url(VM).replace('?', '/hibernateAndRestart?')}", None)) == {UNKNOWN}


def test_global_skus_are_possible_places() -> None:
    """A global or data-zone deployment may be processed elsewhere than its account stands."""
    for name, certainties in (("GlobalStandard", 1), ("DataZoneProvisionedManaged", 1), ("Standard", 0)):
        body = {"sku": {"name": name}, "properties": {"model": {"name": "gpt-4o"}}}
        seen = observe("PUT", url(f"{CS}/deployments/d"), body)
        assert isinstance(seen, ProvisioningRequest)
        assert sum(place.certainty is Certainty.POSSIBLE for place in seen.locations) == certainties


def test_fleets_stand_in_all_their_locations() -> None:
    """Additional locations are locations."""
    body = {"location": "westeurope", "properties": {
        "vmSizesProfile": [{"name": ND}],
        "regularPriorityProfile": {"capacity": 3}, "spotPriorityProfile": {"capacity": 4},
        "additionalLocationsProfile": {"locationProfiles": [{"location": "eastasia"}]}}}  # fmt: skip
    seen = observe("PUT", url(f"{G}/Microsoft.AzureFleet/fleets/f"), body)
    assert {place.region for place in seen.locations} == {"westeurope", "eastasia"}
    assert items(seen)[0].instances == 7


def test_own_premises_are_an_export() -> None:
    """What runs on the customer's own hardware goes to the customer."""
    call = next(m for m in MUST if m[0].startswith("azurestackhci"))
    seen = observe(call[1], url(call[2]), call[3])
    assert isinstance(seen, ProvisioningRequest)
    assert seen.transfer is Transfer.EXPORT


class Shelf:
    """A resolver that has some resources."""

    def __init__(self, **resources: Any) -> None:
        self.resources, self.asked = resources, []

    def read(self, resource_id: str, cloud: str | None) -> Any:
        self.asked.append(resource_id)
        return self.resources.get(resource_id.rpartition("/")[2], Unknown("not there"))

    def deployment(self, host: str, name: str) -> Any:
        return Unknown("not there")


def test_what_a_call_only_names_is_looked_up() -> None:
    """Size and place of a stopped machine, place of a cluster, model of a deployment."""
    shelf = Shelf(v=vm(), aks={"location": "eastasia"}, s=sku(), d={"properties": {"model": {"name": "gpt-4o"}}})
    started = observe("POST", url(f"{VM}/start"), None, resolver=shelf)
    assert names(started) == {ND}
    assert isinstance(started, ProvisioningRequest)
    assert started.locations[0].region == "westeurope"
    pool = observe("PUT", url(f"{AKS}/agentPools/a"), {"properties": {"vmSize": ND}}, resolver=shelf)
    assert isinstance(pool, ProvisioningRequest)
    assert pool.locations[0].region == "eastasia"
    scaled = observe("PATCH", url(f"{G}/Microsoft.Compute/virtualMachineScaleSets/s"), {"sku": {"capacity": 9}},
                     resolver=shelf)  # fmt: skip
    assert [(item.instance_type, item.instances) for item in items(scaled)] == [(ND, 9)]
    patched = observe("PATCH", url(f"{CS}/deployments/d"), {"sku": {"name": "GlobalStandard"}}, resolver=shelf)
    assert names(patched) == {"gpt-4o"}


def test_nothing_is_looked_up_for_a_call_that_says_everything() -> None:
    """A denial that needs no look-up opens no connection."""
    shelf = Shelf()
    observe("PUT", url(VM), vm(), resolver=shelf)
    assert shelf.asked == []
