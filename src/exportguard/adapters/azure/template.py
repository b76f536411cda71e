"""ARM templates: which resources a deployment would create, with their expressions evaluated as far as they can be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from exportguard.adapters.azure.expressions import MOST_COPIES, Loop, Scope, TooMuch, evaluate, unrolled
from exportguard.adapters.azure.texts import Rough
from exportguard.adapters.azure.tree import Many, Tree, parse
from exportguard.vocabulary.fact import Unknown

_MOST_RESOURCES: Final = 2_000
_MOST_NESTED: Final = 12
LATER: Final = Unknown("a parameter that whoever deploys the template gives")
"""Of a template that is kept. The call that deploys it says what it is, and is judged by that."""
DEPLOYMENTS: Final = "microsoft.resources/deployments"


@dataclass(slots=True)
class Resource:
    """One resource of a template. `copies` is how many of it a loop makes, where they are alike or too many."""

    type: Tree
    name: str
    body: Tree
    copies: Tree = 1
    sure: bool = True
    """Whether it will be made: no condition, or one that is known to hold."""
    group: int = 0
    """What has the same number stands in the same resource group; 0 is the deployment's own."""
    names_in: int = 0
    """The group that its ids without one are of: a nested template may be evaluated in the scope around it."""


@dataclass(slots=True)
class Found:
    """What a template holds; `holes` says what of it could not be read at all."""

    resources: list[Resource] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    wanted: Callable[[str], bool] = lambda kind: True
    """Which types are worth reading; of the others only the children are."""
    subscriptions: dict[str | Unknown, None] = field(default_factory=dict)
    """Into which nested deployments go; unknown where an expression does not say."""
    elsewhere: dict[str, list[Tree]] = field(default_factory=dict)
    """Locations, by type, of the resources that are not worth reading: others stand in them."""
    group: int = 0
    groups: int = 0
    """The resource group that is being read, and how many others there are (each that a nested deployment names)."""
    spent: list[int] = field(default_factory=lambda: [0])
    """Steps, of this template and of all that are nested in it: loops in loops multiply."""
    scopes: list[Scope] = field(default_factory=list)
    """Kept, since an expression that cannot be evaluated says the same only within one of them."""


def deployed(
    properties: Tree,
    surroundings: dict[str, Tree],
    wanted: Callable[[str], bool] = lambda kind: True,
    spent: list[int] | None = None,
    kept: bool = False,
) -> Found:
    """The resources of a deployment's *properties* (`template` or `templateLink`, `parameters`), of types *wanted*.

    *spent* counts the steps of a template around it, whose bound is also this one's. *kept*: the template is only put
    by, so that what it asks for as a parameter is `LATER`.
    """
    found = Found(wanted=wanted, spent=[0] if spent is None else spent)
    try:
        _deployment(properties, surroundings, found, 0, None, kept)
    except TooMuch as error:
        found.holes.append(str(error))
    return found


def _each(value: Tree) -> tuple[Tree, ...]:
    if value is None:
        return ()
    return value.values if isinstance(value, Many) else (value,)


def _deployment(
    properties: Tree, surroundings: dict[str, Tree], found: Found, depth: int, outer: Scope | None, kept: bool = False
) -> None:
    """*outer* is the scope of the template around a nested one that is evaluated in it, or None."""
    if depth > _MOST_NESTED:
        found.holes.append("deployments are nested too deep to be read")
        return
    if not isinstance(properties, dict):
        why = properties.reason if isinstance(properties, Unknown) else "the deployment has no readable properties"
        found.holes.append(why)
        return
    if properties.get("onerrordeployment") is not None:
        found.holes.append("the deployment that is made again after an error is only named")
    for link in _each(properties.get("templatelink")):
        where = link.get("uri") or link.get("id") or link.get("relativepath") if isinstance(link, dict) else None
        found.holes.append(f"the template is elsewhere: {where if isinstance(where, str) else 'not readable'}"[:1000])
    templates = _each(properties.get("template"))
    if not templates and not found.holes:
        found.holes.append("the deployment has no template")
    for template in templates:
        if isinstance(template, str):
            template = parse(template)
        if not isinstance(template, dict):
            found.holes.append(template.reason if isinstance(template, Unknown) else "the template is no object")
            continue
        scope = outer
        if scope is None:
            scope = _scope(template, properties, surroundings, found.spent)
            scope.group = found.group
            if kept:
                _ask_later(template, scope)
            found.scopes.append(scope)
        _resources(template.get("resources"), scope, found, depth, "", "")


def _scope(
    template: dict[str, Tree], properties: dict[str, Tree], surroundings: dict[str, Tree], spent: list[int]
) -> Scope:
    given: dict[str, Tree] = {}
    parameters = properties.get("parameters")
    if isinstance(parameters, str):
        parameters = parse(parameters)
    if isinstance(parameters, dict) and isinstance(parameters.get("parameters"), dict):
        parameters = parameters["parameters"]  # a whole parameters file
    for name, entry in parameters.items() if isinstance(parameters, dict) else ():
        values = []
        for each in _each(entry):
            if isinstance(each, dict) and "value" in each:
                values.append(each["value"])
            else:
                values.append(Unknown(f"parameter `{name[:100]}` is kept elsewhere"))
        given[name] = Many(values) if len(values) != 1 else values[0]
    defaults = {}
    declared = template.get("parameters")
    for name, entry in declared.items() if isinstance(declared, dict) else ():
        if isinstance(entry, dict) and (entry.get("defaultvalue") is not None or entry.get("nullable") is True):
            defaults[name] = entry.get("defaultvalue")
            if name in given and given[name] is None:
                del given[name]  # null asks for the default
    if properties.get("parameterslink") is not None or isinstance(parameters, Unknown):
        # What is in that file overrides every default.
        why = Unknown("the parameters are in a linked file")
        given = {**dict.fromkeys(declared if isinstance(declared, dict) else (), why), **given}
        defaults = {}
    scope = Scope(given, defaults, _variables(template), _functions(template), dict(surroundings), spent=spent)
    # With symbolic names a nested deployment is evaluated in a scope of its own unless it says otherwise.
    scope.symbolic = str(template.get("languageversion", "1")).startswith("2")
    scope.surroundings.setdefault("deployment", Unknown("the deployment's own properties"))
    return scope


def _ask_later(template: dict[str, Tree], scope: Scope) -> None:
    declared = template.get("parameters")
    for name, entry in declared.items() if isinstance(declared, dict) else ():
        if isinstance(entry, dict) and name not in scope.parameters and name not in scope.defaults:
            scope.parameters[name] = LATER


def _variables(template: dict[str, Tree]) -> dict[str, Tree]:
    variables = template.get("variables")
    found = dict(variables) if isinstance(variables, dict) else {}
    for loop in _each(found.pop("copy", None)):
        for each in loop if isinstance(loop, list) else [loop]:
            if isinstance(each, dict) and isinstance(each.get("name"), str):
                found[each["name"].lower()] = Loop(each)
    return found


def _functions(template: dict[str, Tree]) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    declared = template.get("functions")
    for space in declared if isinstance(declared, list) else ():
        if isinstance(space, dict) and isinstance(space.get("members"), dict):
            for name, body in space["members"].items():
                if isinstance(body, dict):
                    found[f"{space.get('namespace', '')}.{name}".lower()] = body
    return found


def _resources(node: Tree, scope: Scope, found: Found, depth: int, parent: str, parent_name: str) -> None:
    for each in _each(node):
        if isinstance(each, str) and each.startswith("["):
            each = evaluate(each, scope)
            if isinstance(each, Many):
                _resources(each, scope, found, depth, parent, parent_name)
                continue
        if isinstance(each, dict):
            listed: list[Tree] = list(each.values())
        elif isinstance(each, list):
            listed = each
        else:
            found.holes.append(each.reason if isinstance(each, Unknown) else "the resources are not readable")
            continue
        for resource in listed:
            for one in _each(resource):
                _resource(one, scope, found, depth, parent, parent_name)


def _resource(resource: Tree, scope: Scope, found: Found, depth: int, parent: str, parent_name: str) -> None:
    scope.spend()
    if not isinstance(resource, dict):
        found.holes.append("a resource is not readable")
        return
    if scope.symbolic and resource.get("existing") is True:
        return
    if len(found.resources) > _MOST_RESOURCES:
        found.holes.append("the template has more resources than are read")
        return
    sure = True
    if "condition" in resource:
        condition = evaluate(resource["condition"], scope)
        if condition is False or (isinstance(condition, str) and condition.lower() == "false"):
            return
        sure = condition is True
    loop = resource.get("copy")
    if loop is None:
        _one(resource, scope, found, depth, parent, parent_name, 1, sure)
        return
    count = evaluate(loop.get("count"), scope) if isinstance(loop, dict) else None
    name = str(loop.get("name", "")).lower() if isinstance(loop, dict) else ""
    before = dict(scope.loops)
    indexes: list[Any] = [Unknown("the number of a loop")]
    copies: Tree = count if isinstance(count, int) else Unknown("how many a loop makes is not known")
    if isinstance(count, int) and 0 <= count <= MOST_COPIES:
        indexes, copies = list(range(count)), 1
    for index in indexes:
        scope.loops = {**before, "": index, name: index}
        _one(resource, scope, found, depth, parent, parent_name, copies, sure)
    scope.loops = before


def _one(
    resource: dict[str, Tree],
    scope: Scope,
    found: Found,
    depth: int,
    parent: str,
    parent_name: str,
    copies: Tree,
    sure: bool,
) -> None:
    kinds = evaluate(resource.get("type"), scope)
    name = evaluate(resource.get("name"), scope)
    title = name if isinstance(name, str) else _unread(resource.get("name"), scope)
    for kind in _each(kinds) or (Unknown("a resource has no type"),):
        if not isinstance(kind, str):
            found.resources.append(Resource(kind, title, _body(resource, scope), copies))
            continue
        full = f"{parent}/{kind}".lower() if parent and kind.count("/") == 0 else kind.partition("@")[0].lower()
        if "/providers/" in full:
            full = _extending(full, name if isinstance(name, str) else str(resource.get("name")))
        whole_name = f"{parent_name}/{title}" if parent and kind.count("/") == 0 else title
        if full == DEPLOYMENTS:
            _nested(resource, scope, found, depth)
        elif found.wanted(full):
            found.resources.append(
                Resource(full, whole_name, _body(resource, scope, full), copies, sure, found.group, scope.group)
            )
        elif resource.get("location") is not None:
            found.elsewhere.setdefault(full, []).append(evaluate(resource["location"], scope))
        if resource.get("resources") is not None:
            _resources(resource["resources"], scope, found, depth, full, whole_name)


def _nested(resource: dict[str, Tree], scope: Scope, found: Found, depth: int) -> None:
    properties = resource.get("properties")
    if isinstance(properties, str):
        properties = evaluate(properties, scope)
    for other in _each(evaluate(resource.get("subscriptionid"), scope)):
        found.subscriptions[other.lower() if isinstance(other, str) else Unknown("another subscription")] = None
    for each in _each(properties) or (None,):
        inner = scope.symbolic
        if isinstance(each, dict):
            options = each.get("expressionevaluationoptions")
            if isinstance(options, dict) and isinstance(options.get("scope"), str):
                inner = options["scope"].lower() == "inner"
            each = {
                **each,
                "parameters": evaluate(each.get("parameters"), scope),
                "templatelink": evaluate(each.get("templatelink"), scope),
                "template": evaluate(each["template"], scope)
                if isinstance(each.get("template"), str) and each["template"].startswith("[")
                else each.get("template"),
            }
        around = dict(scope.surroundings)
        if resource.get("resourcegroup") is not None:
            around["resourcegroup"] = Unknown("another resource group")
        before = found.group
        if any(resource.get(key) is not None for key in ("resourcegroup", "subscriptionid", "scope")):
            found.groups += 1
            found.group = found.groups
        _deployment(each, around, found, depth + 1, None if inner else scope)
        found.group = before


_POINTING: Final = ("microsoft.insights/", "microsoft.standbypool/", "microsoft.app/", "microsoft.web/")
"""Types that say what they are for by an id, and are of that one's size."""


def _body(resource: dict[str, Tree], scope: Scope, kind: str = "") -> Tree:
    """What would be sent: the resource without its children, expressions evaluated, property loops made."""
    kept = {key: value for key, value in resource.items() if key not in ("resources", "dependson", "copy", "condition")}
    body = evaluate(unrolled(kept, scope), scope)
    return _pointed(kept, body, scope) if kind.startswith(_POINTING) else body


_NAMESPACE: Final = re.compile(r"/([\w.-]+\.[\w.-]+)/")


def _extending(kind: str, name: str) -> str:
    """What a resource of another one's is (`…/vaults/providers/diagnosticSettings`): its namespace is in its name."""
    base, _, own = kind.rpartition("/providers/")
    parts = name.split("/")
    after = base.rpartition("/providers/")[2].count("/")
    literal = _NAMESPACE.findall(name)
    space = (
        parts[after]
        if not name.startswith("[") and len(parts) > after
        else literal[-1]
        if literal
        else "a.namespace.that.is.not.known"
    )
    return f"{space}/{own}".lower()


_POINTER: Final = re.compile(r"\[\s*resourceId\(\s*'([\w.]+/[\w./]+)'\s*,(.+)\)\s*\]", re.IGNORECASE | re.DOTALL)


def _unread(written: Tree, scope: Scope) -> str:
    """What stands for a name whose expression cannot be evaluated: within one scope the same for the same text."""
    if not isinstance(written, str) or not written.startswith("["):
        return "-"
    return f"={id(scope)}:{''.join(written[1:-1].split())}".lower().replace("/", "|")


def _pointed(written: Tree, body: Tree, scope: Scope) -> Tree:
    """*body* with an id in the place of each that names a type and a name that cannot be evaluated (`uniqueString()`):
    what it points at may be a resource of the template whose name is written so."""
    if isinstance(written, dict) and isinstance(body, dict):
        return {key: _pointed(written.get(key), value, scope) for key, value in body.items()}
    if isinstance(body, Unknown) and isinstance(written, str):
        match = _POINTER.fullmatch(written)
        if match is not None and match[1].count("/") == 1:
            return Rough(f"/subscriptions/-/providers/{match[1]}/{_unread(f'[{match[2]}]', scope)}")
    return body
