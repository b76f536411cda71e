"""The 49 must-operations as the calls that an SDK sends: (operation, method, path, body, what has to be seen)."""

from __future__ import annotations

import json
from typing import Any

S = "/subscriptions/00000000-0000-0000-0000-000000000001"
G = f"{S}/resourceGroups/rg/providers"
ND = "Standard_ND96isr_H100_v5"
UNKNOWN = "unknown"
AKS = f"{G}/Microsoft.ContainerService/managedClusters/aks"
ML = f"{G}/Microsoft.MachineLearningServices/workspaces/ws"
CS = f"{G}/Microsoft.CognitiveServices/accounts/acct"
TEMPLATE: dict[str, Any] = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "parameters": {"size": {"type": "string", "defaultValue": "Standard_D2s_v3"}},
    "variables": {"suffix": "_H100_v5"},
    "resources": [
        {
            "type": "Microsoft.Compute/virtualMachines",
            "apiVersion": "2024-07-01",
            "name": "vm",
            "location": "westeurope",
            "properties": {"hardwareProfile": {"vmSize": "[parameters('size')]"}},
        }
    ],
}
_DEPLOY = {
    "location": "westeurope",
    "properties": {"mode": "Incremental", "template": TEMPLATE, "parameters": {"size": {"value": ND}}},
}


def vm(size: str = ND) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": size}}}


def sku(name: str | None = ND, capacity: int = 2, **more: Any) -> dict[str, Any]:
    return {"location": "westeurope", "sku": {**({"name": name} if name else {}), "capacity": capacity}, **more}


_C = f"{G}/Microsoft.Compute"
MUST: list[tuple[str, str, str, Any, str]] = [
    ("compute.VirtualMachines.create_or_update", "PUT", f"{_C}/virtualMachines/v", vm(), ND),
    ("compute.VirtualMachines.update", "PATCH", f"{_C}/virtualMachines/v", {"properties": vm()["properties"]}, ND),
    ("compute.VirtualMachines.start", "POST", f"{_C}/virtualMachines/v/start", None, UNKNOWN),
    ("compute.VirtualMachines.migrate", "POST", f"{_C}/virtualMachines/v/migrateToVirtualMachineScaleSet",
     {"targetZone": "1", "targetVMSize": ND}, ND),
    ("compute.VMSS.create_or_update", "PUT", f"{_C}/virtualMachineScaleSets/s", sku(), ND),
    ("compute.VMSS.create_or_update (Mix)", "PUT", f"{_C}/virtualMachineScaleSets/s",
     sku("Mix", properties={"skuProfile": {"vmSizes": [{"name": "Standard_D2s_v3"}, {"name": ND}]}}), ND),
    ("compute.VMSS.update", "PATCH", f"{_C}/virtualMachineScaleSets/s", {"sku": {"capacity": 40}}, UNKNOWN),
    ("compute.VMSS.start", "POST", f"{_C}/virtualMachineScaleSets/s/start", {"instanceIds": ["*"]}, UNKNOWN),
    ("compute.VMSS.scale_out", "POST", f"{_C}/virtualMachineScaleSets/s/scaleOut", {"capacity": 8}, UNKNOWN),
    ("compute.VMSSVMs.update", "PUT", f"{_C}/virtualMachineScaleSets/s/virtualMachines/0", vm(), ND),
    ("compute.CapacityReservations.create_or_update", "PUT",
     f"{_C}/capacityReservationGroups/g/capacityReservations/r", sku(), ND),
    ("compute.CapacityReservations.update", "PATCH", f"{_C}/capacityReservationGroups/g/capacityReservations/r",
     {"sku": {"capacity": 4}}, UNKNOWN),
    ("compute.DedicatedHosts.create_or_update", "PUT", f"{_C}/hostGroups/g/hosts/h", sku("NVv3-Type1"), "NVv3-Type1"),
    ("compute.InterconnectBlocks.create_or_update", "PUT", f"{_C}/interconnectBlocks/b", sku(), ND),
    ("computefleet.Fleets.create_or_update", "PUT", f"{G}/Microsoft.AzureFleet/fleets/f",
     {"location": "westeurope", "properties": {"vmSizesProfile": [{"name": ND}], "spotPriorityProfile":
      {"capacity": 2}}}, ND),
    ("computefleet.Fleets.create_or_update (attributes)", "PUT", f"{G}/Microsoft.AzureFleet/fleets/f",
     {"location": "westeurope", "properties": {"vmAttributes": {"acceleratorSupport": "Included"}}}, UNKNOWN),
    ("containerservice.ManagedClusters.create_or_update", "PUT", AKS,
     {"location": "westeurope", "properties": {"agentPoolProfiles": [{"name": "a", "vmSize": ND, "count": 3}]}}, ND),
    ("containerservice.AgentPools.create_or_update", "PUT", f"{AKS}/agentPools/a",
     {"properties": {"virtualMachinesProfile": {"scale": {"manual": [{"size": ND, "count": 2}]}}}}, ND),
    ("machinelearningservices.Compute.create_or_update", "PUT", f"{ML}/computes/c",
     {"location": "westeurope", "properties": {"computeType": "AmlCompute", "properties": {"vmSize": ND}}}, ND),
    ("ai-ml.Compute.create_or_update (AKS)", "PUT", f"{ML}/computes/c",
     {"location": "westeurope", "properties": {"computeType": "AKS", "properties": {"agentVmSize": ND}}}, ND),
    ("ai-ml.Compute.update", "PATCH", f"{ML}/computes/c",
     {"properties": {"properties": {"scaleSettings": {"maxNodeCount": 9}}}}, UNKNOWN),
    ("ai-ml.OnlineDeployments.create_or_update", "PUT", f"{ML}/onlineEndpoints/e/deployments/d",
     {"location": "westeurope", "sku": {"capacity": 1}, "properties": {"instanceType": ND,
      "model": "azureml://registries/azureml-deepseek/models/DeepSeek-R1/versions/1"}}, ND),
    ("ai-ml.OnlineDeployments.update", "PATCH", f"{ML}/onlineEndpoints/e/deployments/d",
     {"sku": {"capacity": 5}}, UNKNOWN),
    ("ai-ml.BatchDeployments.create_or_update", "PUT", f"{ML}/batchEndpoints/e/deployments/d",
     {"location": "westeurope", "properties": {"resources": {"instanceType": ND, "instanceCount": 2}}}, ND),
    ("ai-ml.BatchDeployments.create_or_update (compute)", "PUT", f"{ML}/batchEndpoints/e/deployments/d",
     {"location": "westeurope", "properties": {"compute": f"{ML}/computes/gpu"}}, UNKNOWN),
    ("ai-ml.Jobs.create_or_update", "PUT", f"{ML}/jobs/j",
     {"properties": {"jobType": "Pipeline", "jobs": {"a": {"resources": {"instance_type": ND}}}}}, ND),
    ("ai-ml.Schedules.create_or_update", "PUT", f"{ML}/schedules/s",
     {"properties": {"action": {"actionType": "CreateJob", "jobDefinition": {"resources": {"instanceType": ND}}}}},
     ND),
    ("ai-ml.ServerlessEndpoints.create_or_update", "PUT", f"{ML}/serverlessEndpoints/e",
     {"location": "westeurope", "properties": {"modelSettings":
      {"modelId": "azureml://registries/azureml-deepseek/models/DeepSeek-R1"}}}, "DeepSeek-R1"),
    ("ai-ml.MarketplaceSubscriptions.create_or_update", "PUT", f"{ML}/marketplaceSubscriptions/m",
     {"properties": {"modelId": "azureml://registries/azureml-mistral/models/Mistral-large"}}, "Mistral-large"),
    ("ai-ml.Registries.create_or_update", "PUT", f"{G}/Microsoft.MachineLearningServices/registries/r",
     {"location": "westeurope", "properties": {"regionDetails": [{"location": "eastasia"}]}}, UNKNOWN),
    ("cognitiveservices.Deployments.create_or_update", "PUT", f"{CS}/deployments/prod",
     {"sku": {"name": "GlobalStandard", "capacity": 10},
      "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "1"}}}, "gpt-4o"),
    ("cognitiveservices.Deployments.update", "PATCH", f"{CS}/deployments/prod",
     {"sku": {"name": "GlobalStandard"}}, UNKNOWN),
    ("cognitiveservices.Accounts.create", "PUT", CS,
     {"location": "westeurope", "kind": "AIServices", "sku": {"name": "S0"}}, UNKNOWN),
    ("batch.Pool.create (ARM)", "PUT", f"{G}/Microsoft.Batch/batchAccounts/b/pools/p",
     {"properties": {"vmSize": ND, "scaleSettings": {"fixedScale": {"targetDedicatedNodes": 2}}}}, ND),
    ("batch.Pool.update (ARM)", "PATCH", f"{G}/Microsoft.Batch/batchAccounts/b/pools/p",
     {"properties": {"scaleSettings": {"autoScale": {"formula": "$TargetDedicatedNodes=9"}}}}, UNKNOWN),
    ("batch.create_pool", "POST", "https://acct.westeurope.batch.azure.com/pools?api-version=1",
     {"id": "p", "vmSize": ND, "targetDedicatedNodes": 2}, ND),
    ("batch.create_job", "POST", "https://acct.westeurope.batch.azure.com/jobs?api-version=1",
     {"id": "j", "poolInfo": {"autoPoolSpecification": {"pool": {"vmSize": ND}}}}, ND),
    ("containerinstance.ContainerGroups.create_or_update", "PUT", f"{G}/Microsoft.ContainerInstance/containerGroups/c",
     {"location": "westeurope", "properties": {"containers": [{"properties": {"resources": {"requests":
      {"gpu": {"count": 1, "sku": "V100"}}}}}]}}, "V100"),
    ("appcontainers.ManagedEnvironments.create_or_update", "PUT", f"{G}/Microsoft.App/managedEnvironments/e",
     {"location": "westeurope", "properties": {"workloadProfiles": [{"name": "g", "workloadProfileType":
      "Consumption-GPU-NC24-A100"}]}}, "Consumption-GPU-NC24-A100"),
    ("hdinsight.Clusters.create", "PUT", f"{G}/Microsoft.HDInsight/clusters/h",
     {"location": "westeurope", "properties": {"computeProfile": {"roles": [{"name": "w", "targetInstanceCount": 3,
      "hardwareProfile": {"vmSize": ND}}]}}}, ND),
    ("synapse.BigDataPools.create_or_update", "PUT", f"{G}/Microsoft.Synapse/workspaces/w/bigDataPools/p",
     {"location": "westeurope", "properties": {"nodeSize": "Large", "nodeSizeFamily": "HardwareAcceleratedGPU"}},
     UNKNOWN),
    ("kusto.Clusters.create_or_update", "PUT", f"{G}/Microsoft.Kusto/clusters/k",
     sku("Standard_NC24ads_A100_v4+1TB_PS"), "Standard_NC24ads_A100_v4"),
    ("azurestackhcivm.VirtualMachineInstances.create_or_update", "PUT",
     f"{G}/Microsoft.HybridCompute/machines/m/providers/Microsoft.AzureStackHCI/virtualMachineInstances/default",
     {"extendedLocation": {"type": "CustomLocation", "name": "x"}, "properties": {"hardwareProfile":
      {"vmSize": "Custom", "virtualMachineGPUs": [{"gpuName": "NVIDIA A2"}]}}}, "NVIDIA A2"),
    ("desktopvirtualization.HostPools.create_or_update", "PUT", f"{G}/Microsoft.DesktopVirtualization/hostPools/h",
     {"location": "westeurope", "properties": {"vmTemplate": json.dumps({"vmSize": {"id": ND, "cores": 96}})}}, ND),
    ("resource-deployments.Deployments.create_or_update", "PUT", f"{G}/Microsoft.Resources/deployments/d", _DEPLOY, ND),
    ("resource-deployments.Deployments.create_or_update_at_subscription_scope", "PUT",
     f"{S}/providers/Microsoft.Resources/deployments/d", _DEPLOY, ND),
    ("resource-deployments.Deployments.create_or_update_at_tenant_scope", "PUT",
     "/providers/Microsoft.Resources/deployments/d", _DEPLOY, ND),
    ("resource-deployments.Deployments.create_or_update_at_management_group_scope", "PUT",
     "/providers/Microsoft.Management/managementGroups/m/providers/Microsoft.Resources/deployments/d", _DEPLOY, ND),
    ("resource-deploymentstacks.DeploymentStacks.create_or_update", "PUT",
     f"{G}/Microsoft.Resources/deploymentStacks/d", _DEPLOY, ND),
    ("resource.Resources.create_or_update_by_id", "PUT",
     f"{S}/resourcegroups/rg/providers/microsoft.compute/virtualmachines/v", vm(), ND),
    ("quota.Quota.create_or_update", "PUT",
     f"{S}/providers/Microsoft.Compute/locations/westeurope/providers/Microsoft.Quota/quotas/standardNDSH100v5Family",
     {"properties": {"limit": {"value": 96}, "name": {"value": "standardNDSH100v5Family"}}}, "H100"),
    ("ai-inference.ChatCompletions.complete", "POST", "https://acct.services.ai.azure.com/models/chat/completions",
     {"model": "gpt-4o", "messages": []}, UNKNOWN),
    ("openai.Responses.create", "POST", "https://acct.openai.azure.com/openai/v1/responses",
     {"model": "prod", "input": "x"}, UNKNOWN),
    ("openai.Jobs.create", "POST", "https://acct.openai.azure.com/openai/v1/fine_tuning/jobs",
     {"model": "gpt-4o", "training_file": "f"}, UNKNOWN),
]  # fmt: skip


def url(path: str, host: str = "https://management.azure.com") -> str:
    if "://" in path:
        return path
    return f"{host}{path}?api-version=2024-07-01"
