"""Calls that carry other calls: deployments of templates, deployment stacks, template specs, ARM's `/batch`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from exportguard.adapters.azure import operations
from exportguard.adapters.azure.address import Address, Plane
from exportguard.adapters.azure.lookthrough import gpu_sizes, look_through
from exportguard.adapters.azure.operations.known_none import harmless_action, harmless_type
from exportguard.adapters.azure.operations.reading import Call, text, unknown
from exportguard.adapters.azure.places import locations_of, place
from exportguard.adapters.azure.resolve import Resolver
from exportguard.adapters.azure.template import LATER, Found, Resource, deployed
from exportguard.adapters.azure.tree import Many, Tree, plant, read_body, walk
from exportguard.vocabulary.fact import Maybe, Unknown
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.methods import overriding
from exportguard.vocabulary.request import Action, Location, NotApplicable, Observation, ProvisioningRequest, Transfer

_NOTHING: Final = NotApplicable(reason="nothing in the template carries an accelerator or a model")
_ONLY_ASKS: Final = NotApplicable(reason="the call only asks what a deployment would do")
_MOST_ITEMS: Final = 500
TEMPLATES: Final = frozenset(
    {
        "microsoft.resources/deployments", "microsoft.resources/deploymentstacks",
        "microsoft.resources/templatespecs/versions", "microsoft.blueprint/blueprints/artifacts",
        "microsoft.solutions/applications", "microsoft.solutions/applicationdefinitions",
        "microsoft.authorization/policydefinitions", "microsoft.authorization/policydefinitions/versions",
    }
)  # fmt: skip
"""Types that carry a template, each in its own place."""


def observe(address: Address, method: str, body: object, resolver: Resolver | None, account: str | None) -> Observation:
    if address.type not in TEMPLATES:
        return _batch(address, body, resolver, account)
    if address.action and harmless_action(address.action):
        return _ONLY_ASKS
    tree = read_body(body)
    if method == "PATCH" and isinstance(tree, dict) and "properties" not in tree:
        return _NOTHING
    found, name = _template(address, tree, resolver)
    seen = _judge(address, name, found, resolver, account)
    if resolver is not None and isinstance(seen, ProvisioningRequest) and _placeless(seen):
        # Only now is it worth asking where the resource group is.
        group = _group(address)
        where = Call("GET", address, None, resolver).location(group) if group else Unknown("no group is named")
        if isinstance(where, str):
            found, name = _template(address, tree, resolver, where)
            seen = _judge(address, name, found, resolver, account)
    return seen


def _placeless(seen: ProvisioningRequest) -> bool:
    places = seen.locations
    return isinstance(places, Unknown) or any(isinstance(place.region, Unknown) for place in places)


def _group(address: Address) -> str | None:
    """The id of the resource group that the call is about."""
    low = [segment.lower() for segment in address.segments]
    if "resourcegroups" not in low[:-1] or address.subscription is None:
        return None
    return f"/subscriptions/{address.subscription}/resourceGroups/{address.segments[low.index('resourcegroups') + 1]}"


def _template(
    address: Address,
    tree: Tree,
    resolver: Resolver | None,
    group_in: str | None = None,
    spent: list[int] | None = None,
) -> tuple[Found, str]:
    """What the call's own kind keeps its template in. *spent*: the steps of a template around it."""
    steps = [0] if spent is None else spent
    if isinstance(tree, Unknown) or not isinstance(tree, dict):
        return Found(holes=[tree.reason if isinstance(tree, Unknown) else "the call has no readable body"]), "?"
    kind = address.type
    properties = tree.get("properties")
    around = _surroundings(address, tree, group_in)
    if kind.startswith("microsoft.authorization/policydefinitions"):
        return _policy(tree, around, steps), "PolicyDefinitions_CreateOrUpdate"
    if kind == "microsoft.resources/templatespecs/versions":
        main = properties.get("maintemplate") if isinstance(properties, dict) else None
        found = deployed({"template": main}, around, _matters, steps, kept=True)
        for _, linked in walk(tree, "properties.linkedTemplates[].template"):
            part = deployed({"template": linked}, around, _matters, steps, kept=True)
            found.resources += part.resources
            found.holes += part.holes
        return found, "TemplateSpecVersions_CreateOrUpdate"
    if kind.startswith("microsoft.solutions/"):
        main = properties.get("maintemplate") if isinstance(properties, dict) else None
        if main is None:
            return Found(holes=["what a managed application deploys is not in the call"]), "Applications_CreateOrUpdate"
        kept = kind == "microsoft.solutions/applicationdefinitions"
        return deployed({"template": main}, around, _matters, steps, kept), "Applications_CreateOrUpdate"
    if kind == "microsoft.blueprint/blueprints/artifacts":
        if str(tree.get("kind", "")).lower() != "template":
            return Found(), "Artifacts_CreateOrUpdate"
        return deployed(properties, around, _matters, steps, kept=True), "Artifacts_CreateOrUpdate"
    return deployed(_with_spec(properties, address, resolver), around, _matters, steps), (
        "DeploymentStacks_CreateOrUpdate" if "stacks" in kind else "Deployments_CreateOrUpdate"
    )


def _matters(kind: str) -> bool:
    return kind in TEMPLATES or operations.find(kind, "PUT", "") is not None or not harmless_type(kind)


def _policy(tree: Tree, around: dict[str, Tree], steps: list[int]) -> Found:
    """A policy that deploys a template where it finds something missing, or writes a size into what others create."""
    found = Found()
    for _, then in walk(tree, "properties.policyRule.then"):
        for _, properties in walk(then, "details[].deployment.properties"):
            part = deployed(properties, around, _matters, steps)
            found.resources += part.resources
            found.holes += part.holes
        for path in ("details.operations[].value", "details[].value"):
            for _, value in walk(then, path):
                found.holes += [f"the policy writes `{size}`"[:1000] for _, size in gpu_sizes(value)]
    return found


def _with_spec(properties: Tree, address: Address, resolver: Resolver | None) -> Tree:
    """*properties* with the template that a template spec holds, where somebody can look it up."""
    link = properties.get("templatelink") if isinstance(properties, dict) else None
    ident = link.get("id") if isinstance(link, dict) else None
    if resolver is None or not isinstance(ident, str) or properties.get("template") is not None:
        return properties
    current = resolver.read(ident, address.cloud)
    main = None if isinstance(current, Unknown) else next(walk(plant(current), "properties.mainTemplate"), None)
    if main is None:
        return properties
    return {**properties, "template": main[1], "templatelink": None}


def _surroundings(address: Address, tree: Tree, group_in: str | None = None) -> dict[str, Tree]:
    """What `subscription()`, `resourceGroup()` and `deployment()` say; a group's location is not in the call."""
    found: dict[str, Tree] = {
        "subscription": {"subscriptionid": address.subscription or Unknown("no subscription is named")},
        "environment": Unknown("the cloud's endpoints"),
    }
    group = _group(address)
    if group is not None:
        found["resourcegroup"] = {
            "name": group.rpartition("/")[2],
            "id": group,
            "location": group_in or Unknown("the resource group's location is not in the call"),
        }
    location = tree.get("location") if isinstance(tree, dict) else None
    if location is not None:
        found["deployment"] = {"location": location, "name": address.names[-1] if address.names else ""}
    return found


def _judge(
    address: Address,
    name: str,
    found: Found,
    resolver: Resolver | None,
    account: str | None,
) -> Observation:
    items: list[Item] = [unknown(why) for why in dict.fromkeys(found.holes)]
    places: dict[Location, None] = {}
    transfer = Transfer.REMOTE_ACCESS
    declared, others = _declared(found), _index(found.resources)
    if items:
        places[place(Unknown("where the template puts things is not known"), address.cloud)] = None
    for resource in found.resources:
        seen = _resource(address, resource, declared, others, found.spent)
        if isinstance(seen, ProvisioningRequest):
            given = seen.items if isinstance(seen.items, tuple) else (unknown("the items are not known"),)
            items += [item for item in given if LATER not in (item.instance_type, item.model, item.kind)]
            places.update(dict.fromkeys(seen.locations if isinstance(seen.locations, tuple) else ()))
            transfer = Transfer.EXPORT if seen.transfer is Transfer.EXPORT else transfer
    items = _merged(items)
    if len(items) > _MOST_ITEMS:
        items = [unknown("the template has more items than are read")]
    if not items:
        return _NOTHING
    return ProvisioningRequest(
        provider="azure",
        service="microsoft.resources",
        operation=name,
        action=Action.PROVISION,
        account=_account(address.subscription or account, found.subscriptions),
        locations=tuple(places),
        items=tuple(items),
        transfer=transfer,
    )


def _account(own: str | None, others: Iterable[str | Unknown]) -> Maybe[str]:
    """The one subscription that everything goes to. Several may be several customers': then nobody is known."""
    named = {each for each in (own, *others) if each is not None}
    only = next(iter(named)) if len(named) == 1 else None
    if isinstance(only, str):
        return only
    return Unknown("it goes to several subscriptions" if named else "the call names no subscription")


def _merged(items: list[Item]) -> list[Item]:
    """Machines that are alike as one item, with their numbers added up."""
    if len(items) < 2:
        return items
    kept: dict[tuple[object, ...], Item] = {}
    for item in items:
        key = (item.kind, item.instance_type, item.accelerator, item.count, item.model, item.tokens, item.name)
        before = kept.get(key)
        if before is None:
            kept[key] = item
        elif isinstance(before.instances, int) and isinstance(item.instances, int):
            kept[key] = before.model_copy(update={"instances": before.instances + item.instances})
        elif item.model is None:
            unknown_number = next(n for n in (before.instances, item.instances) if isinstance(n, Unknown))
            kept[key] = before.model_copy(update={"instances": unknown_number})
    return list(kept.values())


def _declared(found: Found) -> dict[str, Tree]:
    """Locations of the template's own resources by type: a child without one stands in its parent's."""
    places = {kind: list(values) for kind, values in found.elsewhere.items()}
    for resource in found.resources:
        if isinstance(resource.type, str) and isinstance(resource.body, dict):
            location = resource.body.get("location")
            if location is not None:
                places.setdefault(resource.type, []).append(location)
    return {kind: values[0] for kind, values in places.items() if len({str(v) for v in values}) == 1}


_Index = dict[tuple[str, int], list[Resource]]


def _index(resources: list[Resource]) -> _Index:
    """*resources* by the end of their ids, after `/providers/`, and the group that they stand in."""
    found: _Index = {}
    for each in resources:
        if isinstance(each.type, str):
            namespace, *types = each.type.split("/")
            pairs = zip(types, each.name.lower().split("/"), strict=False)
            ident = "/".join((namespace, *(part for pair in pairs for part in pair)))
            found.setdefault((ident, each.group), []).append(each)
    return found


class _Siblings:
    """What a template itself makes, for what another resource of it only names (a scale set's autoscale setting)."""

    def __init__(self, resources: _Index, group: int, own: str | None) -> None:
        self._resources, self._group = resources, group
        self._scopes = {"/subscriptions/-"} if own is None or group else {"/subscriptions/-", own.lower()}

    def read(self, resource_id: str, cloud: str | None) -> Mapping[str, Any] | Unknown:
        scope, _, wanted = resource_id.lower().rpartition("/providers/")
        found = self._resources.get((wanted, self._group), [])
        # An id that names a group may be one of another: the template functions leave the own one out.
        only = found[0] if scope in self._scopes and len(found) == 1 else None
        if only is not None and only.sure and only.copies == 1 and isinstance(only.body, dict):
            return only.body
        return Unknown("only a look-up could tell, and there is none")

    def deployment(self, host: str, name: str) -> Unknown:
        return Unknown("a template calls no deployment")


def _resource(
    address: Address, resource: Resource, declared: dict[str, Tree], others: _Index, spent: list[int]
) -> Observation:
    if not isinstance(resource.type, str):
        why = resource.type.reason if isinstance(resource.type, Unknown) else "a resource has no readable type"
        return _request(address, [unknown(why)], (place(Unknown(why), address.cloud),))
    kind = resource.type
    operation = operations.find(kind, "PUT", "")
    if operation is None and kind not in TEMPLATES and harmless_type(kind):
        return _NOTHING
    names = tuple(resource.name.split("/"))
    inner = Address(Plane.ARM, address.host, address.path, address.cloud, address.subscription, kind, names, "", "")
    if kind in TEMPLATES:
        if not isinstance(resource.body, dict):
            return _request(address, [unknown("a template in the template is not readable")], ())
        found, name = _template(inner, resource.body, None, spent=spent)
        return _judge(inner, name, found, None, None)
    call = Call("PUT", inner, resource.body, _Siblings(others, resource.names_in, _group(address)), declared)
    listed: Sequence[Item] | None
    if operation is None:
        listed = look_through(resource.body, kind)
        where, transfer = locations_of(call), Transfer.REMOTE_ACCESS
    else:
        listed = operation.read(call)
        where, transfer = (operation.places or locations_of)(call), operation.transfer
    if not listed:
        return _NOTHING
    return _request(address, [_times(item, resource.copies) for item in listed], where, transfer)


def _times(item: Item, copies: Any) -> Item:
    if copies == 1:
        return item
    if isinstance(copies, int) and isinstance(item.instances, int):
        return item.model_copy(update={"instances": item.instances * copies})
    return item.model_copy(update={"instances": Unknown("how many a loop makes is not known")})


def _request(
    address: Address, items: list[Item], places: tuple[Location, ...], transfer: Transfer = Transfer.REMOTE_ACCESS
) -> ProvisioningRequest:
    return ProvisioningRequest(provider="azure", items=tuple(items), locations=places, transfer=transfer)


def _overriding(inner: Tree) -> tuple[str, ...]:
    return tuple(method for _, headers in walk(inner, "headers") for method in overriding(headers))


def _batch(address: Address, body: object, resolver: Resolver | None, account: str | None) -> Observation:
    """ARM's batch endpoint: every inner request as if it were sent alone."""
    from exportguard.adapters.azure import facts

    tree = read_body(body)
    if isinstance(tree, Unknown):
        return _request(address, [unknown(tree.reason)], (place(tree, address.cloud),))
    items: list[Item] = []
    places: dict[Location, None] = {}
    accounts: dict[Maybe[str], None] = {}
    action: Any = None
    for where, inner in walk(tree, "requests[]"):
        if isinstance(inner, Unknown):
            items.append(unknown(inner.reason))
            continue
        methods = [text(v, where) for key in ("httpMethod", "method") for _, v in walk(inner, key)] or ["GET"]
        methods = [*_overriding(inner), *methods]
        urls = [text(v, where) for key in ("url", "relativeUrl", "name") for _, v in walk(inner, key)]
        content = inner.get("content", inner.get("body")) if isinstance(inner, dict) else Unknown("it is not readable")
        for method in methods:
            for url in urls or [Unknown("a request names no URL")]:
                if not isinstance(method, str) or not isinstance(url, str):
                    items.append(unknown("a request of the batch is not readable"))
                    continue
                whole = url if "://" in url else f"https://{address.host}/{url.lstrip('/')}"
                for each in content.values if isinstance(content, Many) else (content,):
                    seen = facts.observe(method, whole, each, resolver=resolver, account=account)
                    if isinstance(seen, ProvisioningRequest):
                        accounts[seen.account] = None
                        items += seen.items if isinstance(seen.items, tuple) else ()
                        places.update(dict.fromkeys(seen.locations if isinstance(seen.locations, tuple) else ()))
                        action = action or seen.action
    if not items:
        return NotApplicable(reason="no request of the batch provisions anything")
    return ProvisioningRequest(
        provider="azure",
        service="microsoft.resources",
        operation="Batch",
        action=action or Action.PROVISION,
        account=_account(None, accounts),
        locations=tuple(places) or (place(Unknown("no location is readable"), address.cloud),),
        items=tuple(items),
        transfer=Transfer.REMOTE_ACCESS,
    )
