"""Calls that a workflow, a pipeline or a schedule will make: read out of its definition, and judged like any other.

Logic Apps (HTTP actions, managed connectors, agents), Data Factory and Synapse (web activities), Scheduler. An
expression in a URL is filled in as far as it is spelled out; what it leaves open hides the call where that goes to
Resource Manager or to a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from exportguard.adapters.azure.address import Plane, addresses
from exportguard.adapters.azure.lookthrough import look_through
from exportguard.adapters.azure.operations.embedded import commands
from exportguard.adapters.azure.operations.reading import MODEL, Call, Items, Table, row, unknown
from exportguard.adapters.azure.operations.scripts import unpacked
from exportguard.adapters.azure.resolve import Resolver
from exportguard.adapters.azure.tree import MAX_DEPTH, Many, Tree
from exportguard.adapters.azure.words import words
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.request import Action, ProvisioningRequest

_URLS: Final = ("uri", "url", "requesturi", "path")
_METHODS: Final = ("method", "httpmethod")
_BODIES: Final = ("body", "content", "payload")
_ANY_CALL: Final = "/codeless"
"""How the paths of connectors begin that make whatever call they are given."""
_OPEN: Final = "open-part"
"""Stands in a URL for what only a run will tell."""
_INLINE: Final = re.compile(r"@\{([^{}]*)\}")
_SPELLED: Final = re.compile(r"^(?:\w+\()*\s*'([^']*)'\s*\)*$")
_FUNCTION: Final = re.compile(r"(?!concat\()\b[A-Za-z_]\w*\((?:[^()']|'[^']*')*\)(?:\??\.\w+|\??\[[^\]]*\])*")
_PIECE: Final = re.compile(r"'((?:[^']|'')*)'|\0")
_TELLS: Final = re.compile(
    r"management\.(?:core\.)?(?:azure|windows|chinacloudapi|usgovcloudapi|microsoftazure)"
    r"|/providers/microsoft\.(?:compute|containerservice|machinelearning|cognitiveservices|batch|azurefleet|resources)"
    r"|openai|\.inference\.|\.models\.ai\.|/chat/completions",
    re.IGNORECASE,
)
"""What a URL, or whom it is signed in for, has to say for what it leaves open to matter."""
_ASKS_MODELS: Final = re.compile(r"openai|azureai|foundry|agent", re.IGNORECASE)
_QUERIES: Final = ("text", "query", "sqlreaderquery", "precopyscript")
_IN_SQL: Final = re.compile(
    r"sp_invoke_external_rest_endpoint[\s\S]*(?:openai|\.services\.ai\.|/chat/completions)"
    r"|\bai_generate_embeddings\s*\(|\bazure_openai\.\w+\(|\bazure_ai\.(?:generate|extract|is_true|rank)\w*\(",
    re.IGNORECASE,
)
"""How SQL Server and PostgreSQL ask a model (sp_invoke_external_rest_endpoint, AI_GENERATE_EMBEDDINGS, azure_ai)."""
_MOST_FOUND: Final = 200
_ARM: Final = "https://management.azure.com"
_AT_ARM: Final = re.compile(rf"^(https://management\.azure\.com){_OPEN}", re.IGNORECASE)
"""An id that an event brings, which begins with a slash of its own."""
_READS: Final = words("get head delete options")


def carried(tree: Tree, resolver: Resolver | None = None) -> list[Item] | None:
    """The items of every call that *tree* describes, each as if it were sent now; None when there is none."""
    from exportguard.adapters.azure import facts

    found: list[Item] = []
    for node, method in _calls(tree):
        if len(found) > _MOST_FOUND:
            break
        url = next((node[key] for key in _URLS if key in node), None)
        if isinstance(url, dict):
            url = url.get("value")
        said = _filled(url) if isinstance(url, str) else None
        if said is None or said.startswith(_OPEN):
            if _TELLS.search(f"{unpacked(str(url))} {node.get('authentication')}") or any(_literals(tree)):
                found.append(unknown("where a step of the workflow goes is only told when it runs"))
            continue
        said = _AT_ARM.sub(rf"\1/{_OPEN}", said)
        if "://" not in said:
            if ("deployments/" in said or _ASKS_MODELS.search(said)) and not said.startswith(
                ("/subscriptions", "/providers")
            ):
                found.append(unknown("a step of the workflow asks a deployed model", kind=MODEL))
            if not said.startswith(("/subscriptions", "/providers")):
                continue
            said = _ARM + said
        if _hides(said):
            found.append(unknown("what a step of the workflow is about is only told when it runs"))
            continue
        body = next((node[key] for key in _BODIES if key in node), None)
        for each in body.values if isinstance(body, Many) else (body,):
            seen = facts.observe(method, said, each, resolver=resolver)
            if isinstance(seen, ProvisioningRequest) and isinstance(seen.items, tuple):
                found += seen.items
    found += _asked(tree)
    return found[:_MOST_FOUND] or None


def _calls(node: Tree, depth: int = 0) -> Iterator[tuple[dict[str, Any], str]]:
    """Every object that has a URL and a method that does not only read; what such a call sends is not searched."""
    if depth > MAX_DEPTH:
        return
    if isinstance(node, dict):
        given = [node[key] for key in _METHODS if key in node]
        if given and any(key in node for key in _URLS):
            for method in given[0].values if isinstance(given[0], Many) else given[:1]:
                name = method.strip().upper() if isinstance(method, str) and not method.startswith("@") else "PUT"
                if name.lower() not in _READS:
                    yield node, name
            if str(node.get("path")).lower().startswith(_ANY_CALL):
                yield from _calls(next((node[key] for key in _BODIES if key in node), None), depth + 1)
            return
        for value in node.values():
            yield from _calls(value, depth + 1)
    elif isinstance(node, (list, Many)):
        for value in node.values if isinstance(node, Many) else node:
            yield from _calls(value, depth + 1)


_ADDRESS: Final = re.compile(r"https?://|/subscriptions/", re.IGNORECASE)


def _literals(node: Tree, depth: int = 0) -> Iterator[str]:
    """Addresses that matter, beside the calls that name theirs: in variables, in the defaults of parameters."""
    if depth > MAX_DEPTH:
        return
    if isinstance(node, str):
        if _ADDRESS.match(node) and _TELLS.search(node):
            yield node
    elif isinstance(node, dict):
        spelled = any(isinstance(node.get(key), str) and _filled(node[key]) is not None for key in _URLS)
        if spelled and any(key in node for key in _METHODS):
            return
        for key, value in node.items():
            if key != "$schema":
                yield from _literals(value, depth + 1)
    elif isinstance(node, (list, Many)):
        for value in node.values if isinstance(node, Many) else node:
            yield from _literals(value, depth + 1)


def _filled(url: str) -> str | None:
    """*url* with its expressions filled in by what they spell out; None when it is nothing but one that spells none."""
    url = url.strip()
    if not url.startswith("@") or url.startswith("@{"):
        return _INLINE.sub(lambda part: _spelled(part[1]), url)
    marked = url
    for _ in range(8):
        before, marked = marked, _FUNCTION.sub("\0", marked)
        if before == marked:
            break
    pieces = "".join(_OPEN if part[1] is None else part[1].replace("''", "'") for part in _PIECE.finditer(marked))
    pieces = re.sub(rf"^(https?://[^/]+?){_OPEN}", rf"\1/{_OPEN}", pieces)
    return pieces if "/" in pieces else None


def _spelled(expression: str) -> str:
    match = _SPELLED.match(expression.strip())
    return match[1] if match else _OPEN


def _hides(url: str) -> bool:
    """Whether what *url* leaves open is the host, or the type of a resource."""
    if _OPEN not in url:
        return False
    if _OPEN in url.partition("://")[2].partition("/")[0]:
        return _TELLS.search(url) is not None
    return any(
        each.plane is Plane.ARM and ("providers" not in url.lower() or _OPEN in each.type or not each.type)
        for each in addresses("PUT", url)
    )


def _asked(node: Tree, depth: int = 0) -> list[Item]:
    """Actions that ask a model through a connector of the service's own."""
    if depth > MAX_DEPTH:
        return []
    if isinstance(node, (list, Many)):
        return [
            item for value in (node.values if isinstance(node, Many) else node) for item in _asked(value, depth + 1)
        ]
    if not isinstance(node, dict):
        return []
    provider = node.get("serviceproviderid")
    if (isinstance(provider, str) and _ASKS_MODELS.search(provider)) or "modelconfigurations" in node:
        return [unknown("an action that asks a model", kind=MODEL)]
    if any(isinstance(node.get(key), str) and _IN_SQL.search(node[key]) for key in _QUERIES):
        return [unknown("a query that asks a model", kind=MODEL)]
    return [item for value in node.values() for item in _asked(value, depth + 1)]


_CODE: Final = words("code")


def _workflow(call: Call) -> Items:
    sizes = [item for item in look_through(call.body, call.address.type) if item.model is None]
    return [*sizes, *(carried(call.body, call.resolver) or ()), *commands(call.body, _CODE)] or None


_put = row("Workflows_CreateOrUpdate", Action.PROVISION, _workflow)
TABLE: Table = {
    kind: {"put": _put, "patch": _put}
    for kind in (
        "microsoft.logic/workflows", "microsoft.datafactory/factories/pipelines",
        "microsoft.synapse/workspaces/pipelines", "microsoft.scheduler/jobcollections/jobs",
    )
}  # fmt: skip
