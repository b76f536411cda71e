"""Resources of one template that name one another."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.azure.azure_must_calls import ND, UNKNOWN
from adapters.azure.test_azure_facts import deploy, items, names


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
