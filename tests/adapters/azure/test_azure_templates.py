"""Resources of one template that name one another."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.azure.azure_must_calls import ND, UNKNOWN
from adapters.azure.test_azure_facts import deploy, items, names
from exportguard.vocabulary.request import ProvisioningRequest


def scaled(size: str, **more: Any) -> list[dict[str, Any]]:
    target = "[resourceId('Microsoft.Compute/virtualMachineScaleSets', 's')]"
    profile = {"capacity": {"minimum": "1", "maximum": "9", "default": "1"}}
    return [
        {"type": "Microsoft.Compute/virtualMachineScaleSets", "name": "s", "location": "westeurope",
         "sku": {"name": size, "capacity": 2}, "properties": {"virtualMachineProfile": {}}, **more},
        {"type": "Microsoft.Insights/autoscaleSettings", "name": "a", "location": "westeurope",
         "properties": {"targetResourceUri": target, "profiles": [profile]}},
    ]  # fmt: skip


def test_what_a_template_makes_is_known_where_it_is_named() -> None:
    """A setting that scales a scale set of its own template is of that scale set's size."""
    seen = items(deploy({"resources": scaled("Standard_D2s_v3")}))
    assert [(item.instance_type, item.instances) for item in seen] == [("Standard_D2s_v3", 2 + 9)]
    assert names(deploy({"resources": scaled(ND)})) == {ND}


@pytest.mark.parametrize(
    "more", [{"condition": "[equals(reference('x'), 1)]"}, {"copy": {"name": "c", "count": "[parameters('none')]"}},
             {"name": "other"}]
)  # fmt: skip
def test_what_a_template_may_make_is_not(more: dict[str, Any]) -> None:
    """If it is not made, what is named is something else, which exists already."""
    assert UNKNOWN in names(deploy({"resources": scaled("Standard_D2s_v3", **more)}))


def test_what_stands_in_another_group_is_not_what_a_template_makes() -> None:
    """A nested deployment to another group makes its own scale set of the same name."""
    group, setting = scaled("Standard_D2s_v3")
    nested = {"type": "Microsoft.Resources/deployments", "name": "n", "resourceGroup": "other",
              "properties": {"template": {"resources": [group]}}}  # fmt: skip
    assert UNKNOWN in names(deploy({"resources": [nested, setting]}))


def test_what_an_outer_scope_names_is_of_the_outer_group() -> None:
    """A nested template is evaluated in the scope around it, unless it says otherwise: so are the ids in it."""
    nested = {"type": "Microsoft.Resources/deployments", "name": "n", "resourceGroup": "other",
              "properties": {"template": {"resources": scaled("Standard_D2s_v3")}}}  # fmt: skip
    assert UNKNOWN in names(deploy({"resources": [nested]}))
    inner = {**nested["properties"], "expressionEvaluationOptions": {"scope": "inner"}}  # type: ignore[dict-item]
    assert names(deploy({"resources": [{**nested, "properties": inner}]})) == {"Standard_D2s_v3"}


_SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"
_UNIQUE = "[concat('s', uniqueString(resourceGroup().id))]"


def _unread(name: str, target: str) -> list[dict[str, Any]]:
    group, setting = scaled("Standard_D2s_v3")
    return [{**group, "name": name}, {**setting, "properties": {**setting["properties"], "targetResourceUri": target}}]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        (_UNIQUE, f"[resourceId('{_SCALE_SETS}', concat('s',uniqueString(resourceGroup().id)))]"),
        ("[variables('n')]", "[resourceId('Microsoft.Compute/virtualMachineScaleSets', variables('n'))]"),
        ("web", "[concat(resourceGroup().id, '/providers/Microsoft.Compute/virtualMachineScaleSets/web')]"),
    ],
)  # fmt: skip
def test_a_name_that_only_the_service_can_tell_is_known_again(name: str, target: str) -> None:
    """Everyday templates make names unique; the same text in the same template is the same name."""
    template = {"variables": {"n": _UNIQUE}, "resources": _unread(name, target)}
    assert names(deploy(template)) == {"Standard_D2s_v3"}


def test_what_scales_no_machines_need_not_have_a_known_name() -> None:
    """The type is spelled out, and that is enough."""
    target = "[resourceId('Microsoft.Web/serverfarms', variables('n'))]"
    template = {"variables": {"n": _UNIQUE}, "resources": [_unread("x", target)[1]]}
    assert not isinstance(deploy(template), ProvisioningRequest)


def test_the_same_text_in_another_template_is_another_name() -> None:
    """Parameters of a nested template are its own."""
    group, setting = _unread(
        "[parameters('n')]", "[resourceId('Microsoft.Compute/virtualMachineScaleSets', parameters('n'))]"
    )
    nested = {"type": "Microsoft.Resources/deployments", "name": "n",
              "properties": {"expressionEvaluationOptions": {"scope": "inner"}, "template": {"resources": [setting]},
                             "parameters": {"n": {"value": "[uniqueString('x')]"}}}}  # fmt: skip
    template = {"parameters": {"n": {"type": "string"}}, "resources": [group, nested]}
    assert UNKNOWN in names(deploy(template))


@pytest.mark.parametrize(
    "condition",
    [
        """equals(mod(-7, 2), -1)""",
        """equals(div(-7, 2), -3)""",
        """equals(length('\U0001f600'), 2)""",
        """equals(string(createObject('a', 1)), '{"a":1}')""",
        """equals(length(string(createArray('a', 'b'))), 9)""",
        """equals(string(json('{"A":2}')), '{"A":2}')""",
        """equals(length(union(createArray('a'), createArray('A'))), 1)""",
        """equals(length(intersection(createArray('a'), createArray('A'))), 1)""",
        """equals(length(groupBy(createArray('a', 'A'), lambda('x', lambdaVariables('x')))), 2)""",
        """equals(uriComponent('a/b'), 'a%2Fb')""",
        """less('a', 'B')""",
        """greater('B', 'a')""",
        """and(true(), 'true')""",
        """or(false(), 'True')""",
        """contains(resourceId('A/b', 'c'), '/subscriptions/0')""",
        """not(startsWith(resourceId('A/b', 'c'), '/subscriptions/-'))""",
        """not(equals(length(resourceId('A/b', 'c')), 33))""",
        """not(equals(concat(resourceId('A/b', 'c'), ''), '/subscriptions/-/providers/A/b/c'))""",
        """not(equals(objectKeys(json('{"A":2}'))[0], 'a'))""",
        """not(equals(concat(items(json('{"A":2}'))[0].key, ''), 'a'))""",
        """equals(length(split(concat('', true()), 't')), 2)""",
        """not(equals(replace('aA', 'a', 'b'), 'bA'))""",
        """equals(json('1.0'), 1)""",
        """equals(concat('a', json('1.0')), 'a1')""",
    ],
)
def test_what_the_service_may_compute_otherwise_picks_nothing(condition: str) -> None:
    """Letters' case, how values are written, scopes of ids, signs: where these decide, the machine behind is seen."""
    size = f"[if({condition}, '{ND}', 'Standard_B2s')]"
    template = {"resources": [{"type": "Microsoft.Compute/virtualMachines", "name": "v", "location": "westeurope",
                "properties": {"hardwareProfile": {"vmSize": size}}}]}  # fmt: skip
    assert names(deploy(template)) & {ND, UNKNOWN}
