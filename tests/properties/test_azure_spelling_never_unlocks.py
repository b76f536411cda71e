"""However a call of Azure is spelled, what it provisions is seen."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exportguard.adapters.azure.facts import observe
from exportguard.vocabulary import ProvisioningRequest, Unknown

ND = "Standard_ND96isr_H100_v5"
SMALL = "Standard_D2s_v3"
PATH = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{name}"
HOST = "https://management.azure.com"


def sizes(seen: Any) -> list[Any]:
    if not isinstance(seen, ProvisioningRequest) or not isinstance(seen.items, tuple):
        return []
    return [item.kind if item.instance_type is None else item.instance_type for item in seen.items]


def refused(seen: Any) -> bool:
    """Whether the machine is among what is seen, or something that is not known."""
    return any(isinstance(size, Unknown) or str(size).lower() == ND.lower() for size in sizes(seen))


@st.composite
def spelled(draw: st.DrawFn, path: str) -> str:
    """*path* as a client could also send it: case, percent-encoding, empty parts, dots, a final slash."""
    parts = []
    for part in path.split("/")[1:]:
        letters = []
        for letter in part:
            way = draw(st.integers(0, 5))
            letters.append(letter.swapcase() if way == 1 else f"%{ord(letter):02x}" if way == 2 else letter)
        parts.append("".join(letters))
        parts += draw(st.lists(st.sampled_from(["", ".", "%2e", "x/..", "x/%2E%2e"]), max_size=1))
    return "/" + "/".join(parts) + draw(st.sampled_from(["", "/", "//", "/."]))


NAMES = st.sampled_from(["v", "providers", "subscriptions", "resourceGroups", "start", "deployments", "openai"])


@given(NAMES.flatmap(lambda name: spelled(PATH.format(name=name))), st.sampled_from(["PUT", "put", " Put "]))
@settings(max_examples=150, deadline=None)
def test_spelling_of_a_url_never_hides_a_machine(path: str, method: str) -> None:
    """The same machine, whatever it is called and however its address is written."""
    body = {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": ND}}}
    assert refused(observe(method, f"{HOST}{path}?api-version=2024-07-01", body))


@given(NAMES.flatmap(lambda name: spelled(PATH.format(name=name) + "/start")))
@settings(max_examples=150, deadline=None)
def test_spelling_of_a_url_never_hides_a_start(path: str) -> None:
    """What is started is not in the call: it is never nothing."""
    assert refused(observe("POST", f"{HOST}{path}", None))


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A machine's body with keys in any case, a key given twice, other encodings, spaces and escapes."""

    def key(name: str) -> str:
        return "".join(draw(st.sampled_from([c.upper(), c.lower()])) for c in name)

    pairs = [f'"{key("vmSize")}": {json.dumps(size)}' for size in draw(st.permutations([ND, *[SMALL] * 2]))]
    profile = "{" + ", ".join(pairs) + "}"
    text = f'{{"{key("location")}": "westeurope", "{key("properties")}": {{"{key("hardwareProfile")}": {profile}}}}}'
    if draw(st.booleans()):
        text = text.replace("Standard", "\\u0053tandard")
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]))
    return (draw(st.sampled_from(["", " ", "\n"])) + text).encode(encoding)


@given(bodies())
@settings(max_examples=100, deadline=None)
def test_a_key_given_twice_never_hides_a_machine(body: bytes) -> None:
    """Whichever of the values the service takes, the worse one is seen."""
    assert refused(observe("PUT", HOST + PATH.format(name="v"), body))


@st.composite
def hiding(draw: st.DrawFn, text: str = ND, depth: int = 0) -> tuple[str, dict[str, Any]]:
    """An expression (without brackets) that makes *text*, and the variables that it needs."""
    ways = ["plain", "lower", "replace", "variable"] + (
        ["concat", "format", "if", "json", "index"] if depth < 3 else []
    )
    way = draw(st.sampled_from(ways))
    if way == "plain":
        return f"'{text}'", {}
    if way == "lower":
        return f"toLower('{text.upper()}')", {}
    if way == "replace":
        return f"replace('{text.replace('_', '#')}', '#', '_')", {}
    if way == "variable":
        name = f"v{text.encode().hex()}"  # one name for one value
        return f"variables('{name}')", {name: text}
    if way in ("concat", "format"):
        cut = draw(st.integers(1, len(text) - 1)) if len(text) > 1 else 0
        one, first = draw(hiding(text[:cut] or text, depth + 1))
        two, second = draw(hiding(text[cut:], depth + 1)) if cut else ("''", {})
        joined = f"concat({one}, {two})" if way == "concat" else f"format('{{0}}{{1}}', {one}, {two})"
        return joined, {**first, **second}
    inner, needed = draw(hiding(text, depth + 1))
    if way == "if":
        return f"if(equals('a', 'A'), '{SMALL}', {inner})", needed
    if way == "json":
        return f"createObject('x', {inner}).x", needed
    return f"createArray('{SMALL}', {inner})[1]", needed


@given(hiding(), st.integers(0, 3), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_an_expression_never_hides_a_machine(
    hidden: tuple[str, dict[str, Any]], nested: int, as_text: bool, own_scope: bool
) -> None:
    """However its size is put together, wherever the template is nested, as an object or as text."""
    expression, variables = hidden
    machine = {
        "type": "Microsoft.Compute/virtualMachines", "apiVersion": "1", "name": "v", "location": "westeurope",
        "properties": {"hardwareProfile": {"vmSize": f"[{expression}]"}},
    }  # fmt: skip
    template: dict[str, Any] = {"variables": variables, "resources": [machine]}
    for _ in range(nested):
        scope = {"expressionEvaluationOptions": {"scope": "inner"}} if own_scope else {}
        inner = {"type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "n",
                 "properties": {"mode": "Incremental", "template": template, **scope}}  # fmt: skip
        template = {"variables": {} if own_scope else variables, "resources": [inner]}
    sent: Any = json.dumps(template) if as_text else template
    path = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Resources/deployments/d"
    assert refused(observe("PUT", HOST + path, {"properties": {"mode": "Incremental", "template": sent}}))
