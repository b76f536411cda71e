"""What is ordered rather than started: quota, reservations, subscriptions, desktops, hardware for one's own premises.

Paths: azure-mgmt-quota 3.0, azure-mgmt-subscription 3.1, azure-mgmt-desktopvirtualization 2.0,
azure-mgmt-azurestackhcivm 1.0b1, and the services' REST reference.
"""

from __future__ import annotations

import re
from typing import Final

from exportguard.adapters.azure.operations.reading import (
    ACCELERATOR,
    Call,
    Items,
    Table,
    always,
    any_text,
    as_it_is,
    both,
    chip,
    first_of,
    machine,
    model,
    most,
    row,
    sizes,
    text,
    unknown,
)
from exportguard.adapters.azure.places import place
from exportguard.adapters.azure.tree import parse, search, walk
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.request import Action, Location, Transfer

_AROUND: Final = re.compile(
    r"^(?:standard|basic)|(?:families|family|series)?(?:clusterdedicated)?(?:vcpus)?$|[\s_-]", re.IGNORECASE
)
"""What stands around the family in a quota's name, which differs from service to service (`standardDSv3Family`,
`Standard DSv3 Family Cluster Dedicated vCPUs`, `DSv3 Series`)."""
_CPU_FAMILY: Final = re.compile(
    r"x?(?:[abdeflmg]|dc|ec|fx|h[bcx]?)[abcdeilmnoprstv0-9]{0,6}?(?:v\d+)?(?:promo|(?:mediummemory|highmemory)(?:v\d+)?)?",
    re.IGNORECASE,
)
"""A family by its first letter: sizes with accelerators are the N families (Azure's naming convention)."""
_CHIP: Final = re.compile(r"(GB[23]00|[HAB]\d00|H20|A10|T4|V100|P100|P40|M60|K80|MI\d{2,3}X?|V620|V710|U250)", re.I)
_NO_MACHINE: Final = re.compile(r"disk|snapshot|ssd|storage|ipaddress|network|loadbalanc|galler|image", re.IGNORECASE)
_NO_SIZE: Final = words(
    """account dedicated lowpriority spot totallowprioritycores totaldedicatedcores totaldedicatedvcpus cores
    virtualmachines availabilitysets virtualmachinescalesets disks lowprioritycores spotcores dedicatedvcpus
    standarddiskcount premiumdiskcount standardssddiskcount ultrassddiskcount standardsnapshotcount publicipaddresses
    networkinterfaces virtualnetworks networksecuritygroups loadbalancers sharedimages galleries snapshots"""
)


def _quota_item(name: Maybe[str], where: str) -> Item | None:
    """A quota is a right to a family of sizes, or to tokens of a model (`OpenAI.Standard.gpt-4o`)."""
    if isinstance(name, Unknown):
        return unknown(name.reason)
    kind = name.rpartition("/")[2] if name.startswith("/") else name
    if _CHIP.search(kind) is None and (
        kind.lower() in _NO_SIZE
        or _NO_MACHINE.search(kind)
        or _CPU_FAMILY.fullmatch(_AROUND.sub("", _AROUND.sub("", kind)))
    ):
        return None
    if name.lower().startswith(("openai.", "aiservices.", "accountcount")):
        return model(name.rpartition(".")[2] or name, where, name[:500])
    spelled = _CHIP.search(name)
    named = spelled[1] if spelled else Unknown(f"quota `{name[:300]}` is for a family whose chip is not named")
    return Item(kind=ACCELERATOR, name=f"quota {name}"[:2000], accelerator=named, where=where or None)


def _quota(call: Call) -> Items:
    if call.method.upper() == "PATCH" and not any(
        True for key in ("properties", "value") for _ in walk(call.body, key)
    ):
        return None
    scope = "/".join(call.address.segments).lower()
    if not any(n in scope for n in ("microsoft.compute", "microsoft.machinelearning", "microsoft.cognitive")) and (
        "/providers/microsoft.network" in f"/{scope}" or "/providers/microsoft.storage" in f"/{scope}"
    ):
        return None
    names = [text(v, at) for p in ("properties.name.value", "properties.value[].properties.resourceName",
                                   "value[].properties.resourceName", "value[].id", "properties.resourceName")
             for at, v in walk(call.body, p)]  # fmt: skip
    last = call.address.names[-1] if call.address.names else ""
    if call.address.type.endswith(("/quotas", "/servicelimits")) and last:
        names.append(last)
    found = [_quota_item(name, "name") for name in dict.fromkeys(names)]
    items = [item for item in found if item is not None]
    if not names and call.address.type == "microsoft.quota/groupquotas":
        return None  # an empty group: what it is given is asked for below it
    if not names:
        return [unknown("the quota that is asked for is not named")]
    return items or None


def _ticket(call: Call) -> Items:
    """A support ticket that asks for quota: what is asked for is JSON inside a string."""
    found: list[Item] = []
    for where, value in walk(call.body, "properties.quotaTicketDetails.quotaChangeRequests[].payload"):
        tree = parse(value) if isinstance(value, str) else value
        families = [text(v, at) for at, v in search(tree, frozenset({"vmfamily"}))]
        families = families or [text(v, at) for at, v in search(tree, _FAMILIES)]
        asked = [_quota_item(family, where) for family in dict.fromkeys(families)]
        found += [item for item in asked if item is not None]
        if not families and any(True for _ in search(tree, _PER_SIZE)):
            found.append(unknown(f"`{where}` asks for sizes that it does not name", kind=ACCELERATOR))
    return found or None


_FAMILIES: Final = frozenset({"sku", "type", "family"})
_PER_SIZE: Final = frozenset({"newlimit"})


def _reservation(call: Call) -> Items:
    kinds = [k.lower() for k in any_text(call.body, "properties.reservedResourceType") if isinstance(k, str)]
    if kinds and not any(k in ("virtualmachines", "dedicatedhost", "openai", "machinelearning") for k in kinds):
        return None
    return sizes("sku.name", count=most("properties.quantity"), missing="what is reserved is not named")(call)


_VENDORS: Final = re.compile(
    r"nvidia|dgx|gpu|h[12]00|a100|anthropic|claude|openai|mistral|cohere|llama|deepseek|coreweave", re.IGNORECASE
)


def _offer(call: Call) -> Items:
    """What is bought in the marketplace is named by its publisher, its offer and its plan."""
    named = [text(v, at) for key in ("publisherId", "offerId", "planId", "skuId")
             for at, v in walk(call.body, f"properties.{key}")]  # fmt: skip
    said = [name for name in named if isinstance(name, Unknown) or _VENDORS.search(name)]
    return [unknown(f"an offer of the marketplace: {said[0]}"[:500])] if said else None


def _desktop(call: Call) -> Items:
    """A host pool keeps the machines that are made for it as JSON inside a string."""
    found: list[Item] = []
    for where, value in walk(call.body, "properties.vmTemplate"):
        tree = parse(value) if isinstance(value, str) else value
        if isinstance(tree, Unknown):
            found.append(unknown(f"`{where}` is not readable", kind=ACCELERATOR))
            continue
        names = [text(v["id"] if isinstance(v, dict) and "id" in v else v, at)
                 for at, v in search(tree, frozenset({"vmsize", "vmsizeid", "virtualmachinesize"}))]  # fmt: skip
        found += [machine(name, where=where) for name in names]
    found += [machine(text(v, at), where=at) for at, v in walk(call.body, "properties.vmSizeId")]
    return found or None


_NO_GPU_SIZES: Final = frozenset({"custom", "default"})


def _own_premises(call: Call) -> Items:
    """A machine on the customer's own hardware; its GPUs are listed beside its size."""
    found: list[Item] = []
    for at, gpu in walk(call.body, "properties.hardwareProfile.virtualMachineGPUs[]"):
        names = [text(v, at) for _, v in walk(gpu, "gpuName")] or [Unknown("the GPU is not named")]
        found += [chip(name, 1, at) for name in names]
    for at, value in walk(call.body, "properties.hardwareProfile.vmSize"):
        name = text(value, at)
        if not (isinstance(name, str) and name.lower() in _NO_GPU_SIZES):
            found.append(machine(name, 1, at))
    return found or None


def _premises(call: Call) -> tuple[Location, ...]:
    return (place(Unknown("it stands on the customer's own premises"), call.address.cloud),)


_H = "microsoft.azurestackhci/virtualmachineinstances"
_hardware = row("Order", Action.PURCHASE, always("hardware that is shipped", ACCELERATOR), transfer=Transfer.EXPORT,
                places=_premises)  # fmt: skip
_quota_row = row("Quota_CreateOrUpdate", Action.RESERVE, _quota)

TABLE: Table = {
    **{
        kind: {"put": _quota_row, "patch": _quota_row}
        for kind in (
            "microsoft.quota/quotas", "microsoft.quota/groupquotas",
            "microsoft.quota/groupquotas/resourceproviders/groupquotalimits",
            "microsoft.quota/groupquotas/resourceproviders/quotaallocations",
            "microsoft.quota/groupquotas/quotaallocations", "microsoft.quota/groupquotas/groupquotarequests",
            "microsoft.capacity/resourceproviders/locations/servicelimits",
        )
    },
    "microsoft.machinelearningservices/locations": {"post:updatequotas": _quota_row},
    **{
        kind: {"put": row("ReservationOrder_Purchase", Action.PURCHASE, _reservation)}
        for kind in ("microsoft.capacity/reservationorders", "microsoft.billingbenefits/reservationorderaliases")
    },
    "microsoft.capacity": {
        "post:exchange": row("Exchange_Post", Action.PURCHASE, always("what is bought in exchange is only named")),
    },
    "microsoft.support/supporttickets": {
        "put": row("SupportTickets_Create", Action.RESERVE, _ticket),
    },
    "microsoft.subscription/aliases": {
        "put": row("Alias_Create", Action.SUBSCRIBE, always("anything can be provisioned in a new subscription")),
    },
    "microsoft.billing/billingaccounts/billingsubscriptionaliases": {
        "put": row("BillingSubscriptionsAliases_CreateOrUpdate", Action.SUBSCRIBE,
                   always("anything can be provisioned in a new subscription")),
    },
    **{
        f"microsoft.billing/{kind}": {
            "post:accepttransfer": row("RecipientTransfers_Accept", Action.SUBSCRIBE,
                                       always("anything can be in the subscriptions that are taken over")),
        }
        for kind in ("transfers", "partnertransfers")
    },
    "microsoft.saas/resources": {"put": row("SaasResources_Create", Action.PURCHASE, _offer)},
    "microsoft.desktopvirtualization/hostpools": {
        verb: row("HostPools_CreateOrUpdate", Action.PROVISION, _desktop) for verb in ("put", "patch")
    },
    "microsoft.desktopvirtualization/hostpools/sessionhostconfigurations": {
        verb: row("SessionHostConfigurations_CreateOrUpdate", Action.PROVISION, _desktop) for verb in ("put", "patch")
    },
    "microsoft.desktopvirtualization/hostpools/sessionhostmanagements": {
        "post:initiatesessionhostupdate": row(
            "InitiateSessionHostUpdate_Post", Action.RESIZE,
            always("the size of the desktops is in their configuration", ACCELERATOR),
        ),
    },
    _H: {
        "put": row("VirtualMachineInstances_CreateOrUpdate", Action.PROVISION, _own_premises,
                   transfer=Transfer.EXPORT, places=_premises),
        "patch": row("VirtualMachineInstances_Update", Action.RESIZE, _own_premises,
                     transfer=Transfer.EXPORT, places=_premises),
        **{
            f"post:{verb}": row("VirtualMachineInstances_Start", Action.START,
                                as_it_is(first_of(both(_own_premises), lambda call: [])),
                                transfer=Transfer.EXPORT, places=_premises)
            for verb in ("start", "restart")
        },
    },
    "microsoft.databoxedge/databoxedgedevices": {"put": _hardware},
    "microsoft.databoxedge/databoxedgedevices/orders": {"put": _hardware},
    "microsoft.edgeorder/orderitems": {"put": _hardware},
    "microsoft.edgeorder/orders": {"put": _hardware},
    "microsoft.databox/jobs": {"put": _hardware},
}  # fmt: skip
