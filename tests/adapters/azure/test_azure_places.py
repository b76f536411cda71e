"""Where a call goes: the cloud of its host, beside what its body says."""

from __future__ import annotations

import pytest

from adapters.azure.azure_live import guard
from adapters.azure.azure_must_calls import ND, vm
from adapters.azure.test_azure_facts import VM
from exportguard.adapters.azure.facts import observe
from exportguard.vocabulary import NOT_GIVEN, ProvisioningRequest, Unknown


@pytest.mark.parametrize(
    ("host", "country", "outcome"),
    [
        ("management.chinacloudapi.cn", "CN", "DENY"),
        ("management.usgovcloudapi.net", "US", "ALLOW"),
        ("management.azure.com", None, "HOLD"),
    ],
)
def test_a_sovereign_cloud_lies_in_its_country(host: str, country: str | None, outcome: str) -> None:
    """Where a call names no region, and where it names one of another cloud: nothing of that one stands there."""
    resize = {"properties": {"hardwareProfile": {"vmSize": ND}}}
    seen = observe("PATCH", f"https://{host}{VM}?api-version=1", resize)
    assert isinstance(seen, ProvisioningRequest)
    assert isinstance(seen.locations, tuple)
    (place,) = seen.locations
    assert place.country == country if country else isinstance(place.country, Unknown)
    named = observe("PUT", f"https://{host}{VM}?api-version=1", vm())
    assert isinstance(named, ProvisioningRequest)
    assert isinstance(named.locations, tuple)
    assert [(p.region, p.country) for p in named.locations] == [("westeurope", country or NOT_GIVEN)]
    call = {"sdk": "azure", "method": "PATCH", "url": f"https://{host}{VM}?api-version=1", "body": resize}
    with guard() as one:
        assert one.check({**call, "customer": "plain"}).outcome.value == outcome
