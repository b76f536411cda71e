"""Who an account is for, as AWS Organizations says it: tags of the account and of its units, the contact's country."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from adapters.aws.loopback import loopback
from exportguard import Guard, ProvisioningDenied, ProvisioningHeld
from exportguard.adapters.aws.directory import OrganizationsDirectory
from exportguard.errors import ConfigurationError, GuardError
from exportguard.parties import CustomerDirectory

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}


def customers(**accounts: Any) -> dict[str, Any]:
    party = {"role": "end_user", "name": "Example Institute", "country": "US", "headquarters": "US", "owners": [],
             "ultimate_parent": None, "listings": [], "verified": True}  # fmt: skip
    return {"customers": [{"id": "cust-17", "accounts": accounts, "end_use": "inference", "parties": [party]}]}


def organization(tags: Any = (), unit_tags: Any = ()) -> str:
    """An organization with one account in a unit in a unit, over moto; the account's id."""
    client = boto3.client("organizations", **KEYS)
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    outer = client.create_organizational_unit(ParentId=root, Name="customers")["OrganizationalUnit"]["Id"]
    inner = client.create_organizational_unit(ParentId=outer, Name="gpu")["OrganizationalUnit"]["Id"]
    ident = client.create_account(AccountName="a", Email="a@example.com")["CreateAccountStatus"]["AccountId"]
    client.move_account(AccountId=ident, SourceParentId=root, DestinationParentId=inner)
    client.tag_resource(ResourceId=ident, Tags=list(tags))
    client.tag_resource(ResourceId=outer, Tags=list(unit_tags))
    return ident


def directory(record: Any, **more: Any) -> OrganizationsDirectory:
    return OrganizationsDirectory(boto3.Session(**KEYS), customers=record, **more)


@mock_aws
@pytest.mark.parametrize("where", ["account", "unit", "record"])
def test_the_record_is_found_by_account_by_tag_and_by_a_units_tag(where):
    """Whatever says it, the same customer is meant; spelling does not matter."""
    tag = [{"Key": "Customer", "Value": "CUST-17"}]
    ident = organization(tags=tag if where == "account" else (), unit_tags=tag if where == "unit" else ())
    record = customers(aws=[ident]) if where == "record" else customers(tags={"customer": "cust-17"})
    found = directory(record, contact=False)
    assert isinstance(found, CustomerDirectory)
    assert [customer.id for customer in found.by_account("aws", ident)] == ["cust-17"]
    assert found.by_account("azure", ident) == ()
    assert len(found.account(ident).units) == 3


@mock_aws
def test_the_nearest_tag_wins_and_answers_are_kept():
    """An account's own tag overrides its unit's; a change is seen when the answer is too old."""
    now = [0.0]
    ident = organization([{"Key": "customer", "Value": "cust-17"}], [{"Key": "customer", "Value": "other"}])
    found = directory(customers(tags={"customer": "cust-17"}), contact=False, clock=lambda: now[0])
    assert found.account(ident).tags == {"customer": "cust-17"}
    boto3.client("organizations", **KEYS).untag_resource(ResourceId=ident, TagKeys=["customer"])
    assert found.account(ident).tags == {"customer": "cust-17"}
    now[0] = 301.0
    assert found.account(ident).tags == {"customer": "other"}


def answers(country: str) -> Any:
    """What organizations and the account service answer, in the order in which they are asked."""
    return (
        (200, json.dumps({"Parents": [{"Id": "r-1", "Type": "ROOT"}]}).encode()),
        (200, json.dumps({"Tags": []}).encode()),
        (200, json.dumps({"Tags": [{"Key": "customer", "Value": "cust-17"}]}).encode()),
        (200, json.dumps({"ContactInformation": {"CountryCode": country, "CompanyName": "Somebody Ltd",
                                                 "FullName": "x"}}).encode()),
    )  # fmt: skip


def test_a_contact_in_another_country_is_a_second_reading():
    """The record says US, the account's contact says CN: both are asked about."""
    with loopback(*answers("CN")) as server:
        found = directory(customers(tags={"customer": "cust-17"}), endpoint_url=server.url)
        (customer,) = found.by_account("aws", "111122223333")
    assert [party.country for party in customer.parties] == ["US", "CN"]
    with loopback(*answers("US")) as server:
        found = directory(customers(tags={"customer": "cust-17"}), endpoint_url=server.url)
        (customer,) = found.by_account("aws", "111122223333")
    assert [party.country for party in customer.parties] == ["US"]


def test_an_account_that_nobody_has_is_its_contacts():
    """Without a record the contact is all that is known, and everything else of it is unknown."""
    with loopback(*answers("CN")) as server:
        (customer,) = directory(None, endpoint_url=server.url).by_account("aws", "1111-2222-3333")
    assert customer.id == "aws-account:111122223333"
    assert [(party.name, party.country) for party in customer.parties] == [("Somebody Ltd", "CN")]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"__type": "AccessDeniedException", "message": "no"}', ConfigurationError),
        (500, b"{}", GuardError),
        (400, b'{"__type": "TooManyRequestsException", "message": "no"}', GuardError),
    ],
)
def test_what_cannot_be_asked_is_an_error_and_never_nobody(status, body, error):
    """A guard holds the call when its directory fails."""
    with loopback((status, body)) as server:
        found = directory(customers(aws=["111122223333"]), endpoint_url=server.url)
        with pytest.raises(error):
            found.by_account("aws", "111122223333")


@mock_aws
def test_a_guard_decides_by_the_organizations_tags(tmp_path):
    """Account from STS, customer from the account's tag: a live client of that account is judged for its customer."""
    organization()
    ident = boto3.client("sts", **KEYS).get_caller_identity()["Account"]
    boto3.client("organizations", **KEYS).tag_resource(ResourceId=ident, Tags=[{"Key": "customer", "Value": "cust-17"}])
    record = customers(tags={"customer": "cust-17"})
    record["customers"][0]["parties"][0] |= {"country": "CN", "headquarters": "CN"}
    for known, refusal in ((record, ProvisioningDenied), (customers(tags={"customer": "x"}), ProvisioningHeld)):
        with Guard.load(customers=directory(known, contact=False), record=None, ledger=None, lists=None,
                        resolver="auto") as guard:  # fmt: skip
            ec2 = guard.attach(boto3.client("ec2", **KEYS))
            with pytest.raises(refusal):
                ec2.run_instances(ImageId="ami-12c6146b", InstanceType="p5.48xlarge", MinCount=1, MaxCount=1)
