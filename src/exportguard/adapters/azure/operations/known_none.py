"""Resource types that carry no accelerator and no model, so that nobody has to read their bodies.

Namespaces and types of the Azure resource provider reference. A type that is missing here is looked through, which
costs time, not safety; a type must not be listed unless nothing in it starts, sizes or names a machine or a model.
"""

from __future__ import annotations

from typing import Final

from exportguard.adapters.azure.words import words

NAMESPACES: Final = frozenset(
    "microsoft." + name
    for name in words(
        """aad aadiam addons advisor alertsmanagement analysisservices apimanagement appconfiguration attestation
        authorization automation azureactivedirectory billing botservice cache cdn certificateregistration
        changeanalysis chaos communication confidentialledger confluent consumption containerregistry
        costmanagement customerlockbox customproviders dashboard databasewatcher datadog dataprotection
        datashare dbformariadb dbformysql dbforpostgresql deviceregistry devices deviceupdate digitaltwins
        dns dnsresolver domainregistration elastic elasticsan eventgrid eventhub extendedlocation features
        graph guestconfiguration healthbot healthcareapis hybridcompute hybridconnectivity intune iotcentral
        iotoperations iotsecurity keyvault kubernetesconfiguration loadtestservice logic maintenance
        managedidentity managedservices management maps marketplaceordering media mixedreality monitor
        netapp network notificationhubs operationalinsights operationsmanagement peering policyinsights
        portal powerbi powerbidedicated powerplatform privatedns purview recoveryservices relay
        resourcegraph resourcehealth resourcenotifications scheduler search security securitydevops
        securityinsights serialconsole servicebus servicelinker servicenetworking signalrservice
        softwareplan sql storage storageactions storagecache storagemover storagesync streamanalytics
        support syntex timeseriesinsights visualstudio voiceservices web windowsesu"""
    )
)

TYPES: Final = words(
    """
    microsoft.app/connectedenvironments microsoft.app/managedenvironments/certificates
    microsoft.app/managedenvironments/daprcomponents microsoft.app/managedenvironments/storages
    microsoft.app/containerapps/authconfigs microsoft.app/containerapps/sourcecontrols
    microsoft.batch/batchaccounts microsoft.batch/batchaccounts/applications
    microsoft.batch/batchaccounts/applications/versions microsoft.batch/batchaccounts/certificates
    microsoft.cognitiveservices/accounts/privateendpointconnections microsoft.cognitiveservices/accounts/raipolicies
    microsoft.cognitiveservices/accounts/raiblocklists
    microsoft.cognitiveservices/accounts/raiblocklists/raiblocklistitems
    microsoft.cognitiveservices/accounts/connections microsoft.cognitiveservices/accounts/projects
    microsoft.cognitiveservices/accounts/projects/connections microsoft.cognitiveservices/accounts/encryptionscopes
    microsoft.compute/availabilitysets microsoft.compute/disks microsoft.compute/snapshots microsoft.compute/images
    microsoft.compute/galleries microsoft.compute/galleries/images microsoft.compute/galleries/images/versions
    microsoft.compute/galleries/applications microsoft.compute/galleries/applications/versions
    microsoft.compute/diskaccesses microsoft.compute/diskencryptionsets microsoft.compute/sshpublickeys
    microsoft.compute/restorepointcollections microsoft.compute/restorepointcollections/restorepoints
    microsoft.compute/hostgroups microsoft.compute/capacityreservationgroups
    microsoft.compute/locations/placementscores microsoft.computerecommender/locations/diagnostics
    microsoft.compute/virtualmachines/extensions microsoft.compute/virtualmachines/runcommands
    microsoft.compute/virtualmachinescalesets/extensions
    microsoft.compute/virtualmachinescalesets/virtualmachines/extensions
    microsoft.compute/virtualmachinescalesets/virtualmachines/runcommands
    microsoft.containerservice/managedclusters/maintenanceconfigurations
    microsoft.containerservice/managedclusters/privateendpointconnections
    microsoft.containerservice/managedclusters/trustedaccessrolebindings
    microsoft.desktopvirtualization/applicationgroups microsoft.desktopvirtualization/applicationgroups/applications
    microsoft.desktopvirtualization/workspaces microsoft.desktopvirtualization/scalingplans
    microsoft.documentdb/databaseaccounts microsoft.documentdb/databaseaccounts/sqldatabases
    microsoft.documentdb/databaseaccounts/sqldatabases/containers microsoft.documentdb/mongoclusters
    microsoft.insights/actiongroups microsoft.insights/activitylogalerts microsoft.insights/components
    microsoft.insights/datacollectionendpoints microsoft.insights/datacollectionruleassociations
    microsoft.insights/datacollectionrules microsoft.insights/diagnosticsettings microsoft.insights/logprofiles
    microsoft.insights/metricalerts microsoft.insights/privatelinkscopes microsoft.insights/scheduledqueryrules
    microsoft.insights/webtests microsoft.insights/workbooks
    microsoft.kusto/clusters/databases microsoft.kusto/clusters/principalassignments
    microsoft.kusto/clusters/databases/dataconnections microsoft.kusto/clusters/databases/scripts
    microsoft.machinelearningservices/workspaces/data microsoft.machinelearningservices/workspaces/data/versions
    microsoft.machinelearningservices/workspaces/datastores microsoft.machinelearningservices/workspaces/environments
    microsoft.machinelearningservices/workspaces/environments/versions
    microsoft.machinelearningservices/workspaces/codes microsoft.machinelearningservices/workspaces/codes/versions
    microsoft.machinelearningservices/workspaces/connections microsoft.machinelearningservices/workspaces
    microsoft.machinelearningservices/workspaces/outboundrules
    microsoft.machinelearningservices/workspaces/privateendpointconnections
    microsoft.machinelearningservices/workspaces/onlineendpoints
    microsoft.machinelearningservices/workspaces/batchendpoints
    microsoft.resources/resourcegroups microsoft.resources/subscriptions microsoft.resources/tags
    microsoft.resources/links microsoft.resources/deploymentscripts microsoft.resources/deploymentstackswhatifresults
    microsoft.resources/templatespecs microsoft.synapse/workspaces microsoft.synapse/workspaces/firewallrules
    microsoft.synapse/workspaces/sqlpools microsoft.synapse/workspaces/keys
    """
)

ACTIONS: Final = words(
    """
    stop deallocate poweroff delete cancel canceljob generalize capture runcommand retrievebootdiagnosticsdata
    attachdetachdatadisks assesspatches installpatches converttomanageddisks convertToSinglePlacementGroup
    converttosingleplacementgroup approverollingupgrade setorchestrationservicestate simulateeviction
    forcerecoveryservicefabricplatformupdatedomainwalk updateosprofile updatedomainwalk listcredentials move
    validate whatif validatemoveresources moveresources exporttemplate checkexistence
    listclusteradmincredential listclusterusercredential rotateclustercertificates rotateserviceaccountsigningkeys
    resetaadprofile resetserviceprincipalprofile abort upgradenodeimageversion deletemachines
    regeneratekey regeneratekeys syncautostoragekeys stopresize disableautoscale
    performmaintenance reapplynetwork undelete exec attach openssh startpendingupload createorgetstartpendingupload
    osrollingupgrade
    extensionrollingupgrade expandmsiximage enableinteractivequery disableinteractivequery restarthosts createrun
    createlinkedintegrationruntime publish accept reject
    """
)
"""POST actions that stop, delete, list, check or otherwise take no capacity, on whatever they are called."""

_READING: Final = (
    "list", "get", "check", "validate", "retrieve", "query", "calculate", "detect", "export", "preview",
            "download", "diagnose", "stop", "pause", "suspend", "deallocate", "delete", "cancel", "abort")  # fmt: skip


def harmless_type(kind: str) -> bool:
    """Whether nothing of this type (lower case) can carry an accelerator or a model."""
    return kind in TYPES or kind.partition("/")[0] in NAMESPACES


def harmless_action(action: str) -> bool:
    """Whether a POST with this action (lower case) only reads, stops or shrinks."""
    return action in ACTIONS or action.startswith(_READING)
