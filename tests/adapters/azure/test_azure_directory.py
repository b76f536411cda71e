"""Who a subscription is for, as Azure says it: tags, tenant, managing tenants, country as evidence."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.azure.azure_live import Cloud, Credential
from adapters.azure.azure_must_calls import ND, G, url, vm
from exportguard import Guard
from exportguard.adapters.azure.directory import AzureDirectory
from exportguard.errors import ConfigurationError, GuardError
from exportguard.parties import CustomerDirectory
from exportguard.vocabulary import Unknown

SUB = "00000000-0000-0000-0000-000000000001"
HOME, RESELLER, STRANGER = (f"00000000-0000-0000-0000-00000000000{n}" for n in "abc")


def party(role: str, name: str, country: str) -> dict[str, Any]:
    return {"role": role, "name": name, "country": country, "headquarters": country, "owners": [], "listings": [],
            "ultimate_parent": {"name": name, "headquarters": country}, "verified": True}  # fmt: skip


def customers(**accounts: Any) -> dict[str, Any]:
    return {"customers": [
        {"id": "cust-17", "accounts": accounts, "end_use": "inference",
         "parties": [party("end_user", "Example Institute", "US")]},
        {"id": "reseller", "accounts": {"tenants": [RESELLER]}, "parties": [party("purchaser", "Reseller Ltd", "HK")]},
    ]}  # fmt: skip


def cloud(tags: Any = None, managers: Any = (), countries: Any = None, status: int = 200) -> Cloud:
    named = {HOME: "US", **(countries or {})}
    return (
        Cloud()
        .on("GET", f"/subscriptions/{SUB}", status, {
            "subscriptionId": SUB, "tenantId": HOME, "tags": tags,
            "managedByTenants": [{"tenantId": m} for m in managers],
        })
        .on("GET", "/tenants", 200, {"value": [
            {"tenantId": ident, "countryCode": code, "displayName": f"Tenant {code}"} for ident, code in named.items()
        ]})
    )  # fmt: skip


def directory(where: Cloud, record: Any, **more: Any) -> AzureDirectory:
    return AzureDirectory(Credential(), customers=record, transport=where.transport(), **more)


def ids(found: Any) -> list[str]:
    return [customer.id for customer in found]


@pytest.mark.parametrize(
    ("record", "tags"),
    [
        ({"azure": [SUB]}, None),
        ({"tags": {"customer": "cust-17"}}, {"Customer": "CUST-17"}),
        ({"tenants": [HOME]}, None),
    ],
    ids=["map", "tags", "tenant"],
)  # fmt: skip
def test_a_customer_is_found_by_map_tags_and_tenant(record: Any, tags: Any) -> None:
    """Whichever of them the record knows; ARM paths and upper case are the same subscription."""
    asked = directory(cloud(tags), customers(**record))
    assert isinstance(asked, CustomerDirectory)
    for spelled in (SUB, SUB.upper(), f"/subscriptions/{SUB}"):
        assert ids(asked.by_account("azure", spelled)) == ["cust-17"]


def test_a_managing_tenant_is_somebody_as_well() -> None:
    """A reseller that the record knows counts with its parties, a stranger as a purchaser of whom little is known."""
    found = directory(cloud(managers=(RESELLER, STRANGER)), customers(azure=[SUB])).by_account("azure", SUB)
    assert ids(found) == ["cust-17", "reseller", f"azure-managers:{SUB}"]
    (stranger,) = found[-1].parties
    assert (stranger.role, stranger.id) == ("purchaser", STRANGER)
    assert isinstance(stranger.name, Unknown)


def test_a_country_that_contradicts_the_record_counts_twice() -> None:
    """The end user is asked about in both countries; one that agrees adds nobody."""
    agreed = directory(cloud(), customers(azure=[SUB])).by_account("azure", SUB)
    assert [p.country for p in agreed[0].parties] == ["US"]
    differs = directory(cloud(countries={HOME: "CN"}), customers(azure=[SUB])).by_account("azure", SUB)
    assert [p.country for p in differs[0].parties] == ["US", "CN"]
    assert differs[0].parties[1].sources[0].source.startswith(f"tenant {HOME}")


def test_nobody_in_the_record_is_the_tenant() -> None:
    """What Azure knows is little, and said to be evidence."""
    (found,) = directory(cloud(countries={HOME: "CN"}), customers()).by_account("azure", SUB)
    (only,) = found.parties
    assert (found.id, only.country, only.name) == (f"azure-tenant:{HOME}", "CN", "Tenant CN")
    assert not isinstance(only.headquarters, str)


@pytest.mark.parametrize(("status", "error"), [(403, ConfigurationError), (404, ConfigurationError), (500, GuardError)])
def test_an_answer_that_cannot_be_had_is_never_nobody(status: int, error: Any) -> None:
    """An error, which holds the call that asked."""
    asked = directory(cloud(status=status), customers(azure=[SUB]))
    with pytest.raises(error):
        asked.by_account("azure", SUB)


def test_other_accounts_are_not_asked_about() -> None:
    """An AWS account is the record's alone."""
    where = cloud()
    assert ids(directory(where, customers(aws=["111122223333"])).by_account("aws", "111122223333")) == ["cust-17"]
    assert where.sent == []


def test_an_answer_is_used_again_for_a_while_and_then_asked_for_anew() -> None:
    """`keep` seconds; a failure is not kept."""
    now = [0.0]
    where = cloud()
    asked = directory(where, customers(azure=[SUB]), keep=60.0, clock=lambda: now[0])
    for instant, reads in ((0.0, 2), (59.0, 2), (61.0, 4)):
        now[0] = instant
        asked.by_account("azure", SUB)
        assert len(where.sent) == reads


@pytest.mark.parametrize(("country", "outcome"), [("US", "ALLOW"), ("CN", "DENY")])
def test_a_guard_asks_it(country: str, outcome: str) -> None:
    """The record says who it is; a tenant registered in a restricted destination denies the chip all the same."""
    found = directory(
        cloud({"customer": "cust-17"}, countries={HOME: country}), customers(tags={"customer": "cust-17"})
    )
    guard = Guard.load(customers=found, record=None, ledger=None, lists=None)
    call = {"sdk": "azure", "method": "PUT", "url": url(f"{G}/Microsoft.Compute/virtualMachines/v"), "body": vm(ND)}
    decision = guard.check(call)
    assert decision.outcome.value == outcome
    assert ("sources_disagree" in decision.red_flags) is (country == "CN")
