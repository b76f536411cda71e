"""What a call only names, looked up: by the client's own pipeline, by ARM with a credential, in what is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from azure.mgmt.compute import ComputeManagementClient

from adapters.azure.azure_live import Cloud, Credential, guard, send
from adapters.azure.azure_must_calls import AKS, ML, ND, TEMPLATE, G, S, url, vm
from exportguard import ProvisioningDenied, ProvisioningHeld
from exportguard.adapters.azure.deployments import ArmDeployments
from exportguard.adapters.azure.facts import observe
from exportguard.adapters.azure.resolver import TIMEOUT, PipelineReader, Places
from exportguard.vocabulary import ProvisioningRequest, Unknown

SS = f"{G}/Microsoft.Compute/virtualMachineScaleSets/s"
ACCOUNT = f"{G}/Microsoft.CognitiveServices/accounts/acct"
APP = f"{G}/Microsoft.App/containerApps/a"
GPU_PROFILE = {"c": {"properties": {"containers": [
    {"properties": {"resources": {"requests": {"gpu": {"count": 1, "sku": ND}}}}}]}}}  # fmt: skip
HOST = "acct.openai.azure.com"


class Reader:
    """Answers from a table by the end of the id; writes down what it was asked."""

    def __init__(self, **known: Any) -> None:
        self.known, self.asked = known, []

    def read(self, resource_id: str, cloud: str | None) -> Mapping[str, Any] | Unknown:
        self.asked.append(resource_id)
        found = self.known.get(resource_id.rpartition("/")[2])
        return found if found is not None else Unknown("no such thing")

    def deployment(self, host: str, name: str) -> Unknown:
        return Unknown("no such thing")


def sizes(seen: Any) -> list[Any]:
    assert isinstance(seen, ProvisioningRequest), seen
    assert isinstance(seen.items, tuple)
    named = [item.accelerator if item.instance_type is None else item.instance_type for item in seen.items]
    return [item.kind if name is None else name for item, name in zip(seen.items, named, strict=True)]


@pytest.mark.parametrize(
    ("method", "path", "body", "known"),
    [
        ("PUT", f"{ML}/jobs/j", {"properties": {"computeId": f"{ML}/computes/gpu"}},
         {"gpu": {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": ND}}}}),
        ("PUT", f"{ML}/batchEndpoints/e/deployments/d", {"properties": {"compute": f"{ML}/computes/gpu"}},
         {"gpu": {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": ND}}}}),
        ("PUT", f"{G}/Microsoft.App/containerApps/a", {"properties": {"workloadProfileName": "Big",
         "managedEnvironmentId": f"{G}/Microsoft.App/managedEnvironments/e"}},
         {"e": {"properties": {"workloadProfiles": [{"name": "big", "workloadProfileType": ND}]}}}),
        ("POST", "https://acct.westeurope.batch.azure.com/pools/p/resize", {"targetDedicatedNodes": 4},
         {"p": {"id": "p", "vmSize": ND}}),
        ("POST", f"{G}/Microsoft.HDInsight/clusters/h/roles/workernode/resize", {"targetInstanceCount": 4},
         {"h": {"properties": {"computeProfile": {"roles": [
             {"name": "headnode", "hardwareProfile": {"vmSize": "Standard_D2s_v3"}},
             {"name": "workernode", "hardwareProfile": {"vmSize": ND}}]}}}}),
        ("PUT", f"{G}/Microsoft.StandbyPool/standbyVirtualMachinePools/p", {"properties": {
            "attachedVirtualMachineScaleSetId": SS, "elasticityProfile": {"maxReadyCapacity": 3}}},
         {"s": {"sku": {"name": ND, "capacity": 0}}}),
        ("PUT", f"{G}/Microsoft.Insights/autoscaleSettings/a", {"properties": {"targetResourceUri": SS,
            "profiles": [{"capacity": {"maximum": "9"}}]}}, {"s": {"sku": {"name": ND}}}),
        ("PUT", f"{G}/Microsoft.ContainerInstance/nGroups/n", {"properties": {"containerGroupProfiles": [
            {"resource": {"id": f"{G}/Microsoft.ContainerInstance/containerGroupProfiles/c"}}]}},
         {"c": {"properties": {"containers": [{"properties": {"resources": {
             "requests": {"gpu": {"count": 1, "sku": ND}}}}}
         ]}}}),
        ("POST", f"{AKS}/start", None, {"aks": {"properties": {"agentPoolProfiles": [{"vmSize": ND}]}}}),
        ("PUT", f"{G}/Microsoft.ContainerInstance/containerGroups/g", {"properties": {"containerGroupProfile": {
            "id": f"{G}/Microsoft.ContainerInstance/containerGroupProfiles/c", "revision": 1}}}, GPU_PROFILE),
        ("PUT", f"{G}/Microsoft.StandbyPool/standbyContainerGroupPools/p", {"properties": {
            "elasticityProfile": {"maxReadyCapacity": 3}, "containerGroupProperties": {"containerGroupProfile": {
                "id": f"{G}/Microsoft.ContainerInstance/containerGroupProfiles/c"}}}}, GPU_PROFILE),
        ("POST", f"{APP}/revisions/r/activate", None, {
            "a": {"properties": {"workloadProfileName": "big",
                                 "environmentId": f"{G}/Microsoft.App/managedEnvironments/e"}},
            "e": {"properties": {"workloadProfiles": [{"name": "big", "workloadProfileType": ND}]}}}),
    ],
)  # fmt: skip
def test_what_is_only_named_is_read_where_somebody_can(method: str, path: str, body: Any, known: Any) -> None:
    """With a resolver the machine itself is seen, without one that it is unknown."""
    assert sizes(observe(method, url(path), body, resolver=Reader(**known))) == [ND]
    assert all(isinstance(size, Unknown) for size in sizes(observe(method, url(path), body)))


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (f"{APP}/revisions/r/activate", {"a": {"properties": {"template": {"containers": [{"image": "i"}]}}}}),
        (f"{APP}/start", {"a": {"properties": {"workloadProfileName": "Consumption"}}}),
        (f"{G}/Microsoft.ComputeSchedule/scheduledActions/s/attachResources",
         {"s": {"properties": {"actionType": "Deallocate"}}}),
        (f"{G}/Microsoft.Compute/virtualMachines/v/start", {"v": vm("Standard_D2s_v3")}),
    ],
)  # fmt: skip
def test_what_turns_out_to_have_no_accelerator_is_let_pass(path: str, known: Any) -> None:
    """For nobody known at all: everyday actions need a look-up, not a customer."""
    with guard(resolver=Reader(**known)) as one:
        call = {"sdk": "azure", "method": "POST", "url": url(path)}
        assert one.check(call).allowed, one.check(call)


def test_the_resource_group_is_asked_for_where_a_template_leaves_the_place_to_it() -> None:
    """And only then: a template that says where it goes needs nobody."""
    there = {**TEMPLATE, "resources": [{**TEMPLATE["resources"][0], "location": "[resourceGroup().location]"}]}
    for template, asked in ((there, [f"{S}/resourceGroups/rg"]), (TEMPLATE, [])):
        reader = Reader(rg={"location": "northeurope"})
        body = {"properties": {"mode": "Incremental", "template": template, "parameters": {"size": {"value": ND}}}}
        seen = observe("PUT", url(f"{G}/Microsoft.Resources/deployments/d"), body, resolver=reader)
        assert isinstance(seen, ProvisioningRequest)
        assert isinstance(seen.locations, tuple)
        assert [place.region for place in seen.locations] == (["northeurope"] if asked else ["westeurope"])
        assert reader.asked == asked


def test_a_call_that_names_hundreds_is_not_looked_up_for_ever() -> None:
    """Some twenty are; what is left is unknown."""
    reader = Reader(**{f"c{n}": {"properties": {"properties": {"vmSize": "Standard_D2s_v3"}}} for n in range(300)})
    jobs = {f"j{n}": {"computeId": f"{ML}/computes/c{n}"} for n in range(300)}
    seen = observe("PUT", url(f"{ML}/jobs/j"), {"properties": {"jobs": jobs}}, resolver=reader)
    assert len(reader.asked) <= 21
    assert any(isinstance(size, Unknown) for size in sizes(seen))


def test_a_location_is_kept_for_a_minute_and_forgotten_when_it_may_move() -> None:
    """The place of a resource is asked once; a write to it asks anew. Ids are the same in any case."""
    now = [0.0]
    places = Places(lambda: now[0])
    places.put("https://h/ID", "westeurope")
    assert places.get("https://h/id") == "westeurope"
    now[0] = 61.0
    assert places.get("https://h/id") is None
    places.put("https://h/id", "westeurope")
    places.forget("https://h/ID")
    assert places.get("https://h/id") is None


def test_resizes_of_one_machine_look_its_place_up_once() -> None:
    """The second update reads nothing; what the machine is made of is never kept."""
    one = guard(resolver="auto")
    one.install()
    try:
        cloud = Cloud().on("GET", "/virtualMachines/v", 200, vm("Standard_D2s_v3"))
        where = url(f"{G}/Microsoft.Compute/virtualMachines/v")
        for _ in range(2):
            send(cloud, "PATCH", where, {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v3"}}})
        assert [method for method, _ in cloud.sent] == ["GET", "PATCH", "PATCH"]
        for _ in range(2):
            send(cloud, "POST", where.replace("/v?", "/v/start?"))
        assert [method for method, _ in cloud.sent[3:]] == ["GET", "POST", "GET", "POST"]
    finally:
        one.uninstall()


def arm(model: str = "gpt-4o") -> Cloud:
    listed = {"id": ACCOUNT, "location": "swedencentral", "properties": {"endpoint": f"https://{HOST}/"}}
    second = f"https://management.azure.com{S}/providers/Microsoft.CognitiveServices/accounts?page=2"
    return (
        Cloud()
        .on("GET", "/accounts", 200, {"value": [{"id": "x", "location": "y", "properties": {}}], "nextLink": second})
        .on("GET", "/accounts", 200, {"value": [listed]})
        .on("GET", "/deployments/prod", 200, {"sku": {"name": "Standard"}, "properties": {"model": {"name": model}}})
        .on("GET", "/deployments/gone", 404, {})
    )


def test_a_deployment_is_looked_up_and_kept_for_a_while() -> None:
    """Model, SKU and region, over all pages of the accounts; a failure is unknown and not kept."""
    now, cloud = [0.0], arm()
    known = ArmDeployments(Credential(), ["s"], transport=cloud.transport(), clock=lambda: now[0])
    for instant, reads in ((0.0, 3), (59.0, 3), (61.0, 4)):
        now[0] = instant
        found = known.deployment(HOST.upper(), "PROD" if reads == 3 and instant else "prod")
        assert not isinstance(found, Unknown)
        assert (found.model, found.sku, found.location) == ("gpt-4o", "Standard", "swedencentral")
        assert len(cloud.sent) == reads
    assert isinstance(known.deployment(HOST, "gone"), Unknown)
    assert isinstance(known.deployment("other.openai.azure.com", "prod"), Unknown)


@pytest.mark.parametrize("given", ["arm", "mapping"])
def test_a_guard_knows_the_model_behind_a_deployment(given: str) -> None:
    """For a live client of the model endpoint and for a document of the same call."""
    where = f"https://{HOST}/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-06-01"
    known: Any = {"gpt-35-turbo": {"model": "gpt-4o", "location": "swedencentral"}}
    if given == "arm":
        cloud = arm().on("GET", "/deployments/gpt-35-turbo", 200, {"properties": {"model": {"name": "gpt-4o"}}})
        known = ArmDeployments(Credential(), ["s"], transport=cloud.transport())
    one = guard(resolver={"azure": known, "openai": known})
    body = {"messages": [], "max_tokens": 5}
    document = {"sdk": "azure", "method": "POST", "url": where, "body": body}
    assert one.check({**document, "customer": "d5"}).outcome.value == "DENY"
    assert one.check({**document, "customer": "plain"}).outcome.value == "ALLOW"
    shown = {"sdk": "openai", "base_url": f"https://{HOST}", "path": "/chat/completions", "deployment": "gpt-35-turbo"}
    assert one.check({**shown, "body": body, "customer": "d5"}).outcome.value == "DENY"
    one.install()
    try:
        service = Cloud()
        with one.acting_for("d5"), pytest.raises(ProvisioningDenied):
            send(service, "POST", where, body)
        with one.acting_for("plain"):
            send(service, "POST", where, body)
        with one.acting_for("plain"), pytest.raises(ProvisioningHeld):
            send(service, "POST", where.replace("gpt-35-turbo", "other"), body)
        assert service.writes == ["POST completions"]
    finally:
        one.uninstall()


def test_a_look_up_never_waits_for_the_service_to_be_ready() -> None:
    """A service that asks for an hour before the next try is not waited for: what it would tell is unknown."""
    one = guard(resolver="auto").install()
    try:
        cloud = Cloud().on("GET", "/virtualMachines/v", 429, {}, Retry_After="3600")
        compute: Any = ComputeManagementClient(Credential(), "s", transport=cloud.transport())
        with one.acting_for("plain"), pytest.raises(ProvisioningHeld):
            compute.virtual_machines.begin_start("rg", "v")
        assert [method for method, _ in cloud.sent] == ["GET"]
    finally:
        one.uninstall()


def test_many_look_ups_share_one_limit_of_time() -> None:
    """A call that names many things does not multiply the time that a look-up may take."""

    class Slow:
        _impl_policies: tuple[Any, ...] = ()
        asked = 0

        def run(self, request: Any, **limits: Any) -> Any:
            type(self).asked += 1
            assert limits["read_timeout"] <= TIMEOUT
            raise TimeoutError

    reader = PipelineReader(Slow(), "https://management.azure.com/providers/microsoft.compute/?api-version=1")
    assert isinstance(reader.read("/providers/Microsoft.Compute/x/1", None), Unknown)
    reader._until = 0.001  # long ago
    assert isinstance(reader.read("/providers/Microsoft.Compute/x/2", None), Unknown)
    assert Slow.asked == 1
