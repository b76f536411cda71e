"""Regions and zones of both clouds."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader

from exportguard.reference import RegionFact, default
from exportguard.vocabulary.fact import Unknown

REFERENCE = default()


@pytest.mark.parametrize(
    ("provider", "name", "country", "cloud"),
    [
        ("aws", "us-east-1", "US", "aws"), ("aws", "ap-east-1", "HK", "aws"), ("aws", "ap-east-2", "TW", "aws"),
        ("aws", "cn-north-1", "CN", "aws-cn"), ("aws", "cn-south-9", "CN", "aws-cn"),
        ("aws", "us-gov-west-1", "US", "aws-us-gov"), ("aws", "us-gov-south-7", "US", "aws-us-gov"),
        ("aws", "us-isob-east-1", "US", "aws-iso-b"), ("aws", "fips-us-gov-west-1", "US", "aws-us-gov"),
        ("aws", "us-west-2-fips", "US", "aws"), ("aws", "us-east-1a", "US", "aws"),
        ("aws", "cn-north-1b", "CN", "aws-cn"),
        ("aws", "use1-az1", "US", "aws"), ("aws", "apse1-az3", "SG", "aws"), ("aws", "us-east-1-bue-1a", "AR", "aws"),
        ("aws", "us-west-2-lax-1a", "US", "aws"), ("aws", "af-south-1-los-1a", "NG", "aws"),
        ("aws", "us-east-1-wl1-bos-wlz-1", "US", "aws"), ("aws", "ap-northeast-1-tpe-1a", "TW", "aws"),
        ("azure", "eastus2", "US", "AzureCloud"), ("azure", "East US 2", "US", "AzureCloud"),
        ("azure", "EASTASIA", "HK", "AzureCloud"), ("azure", "(Asia Pacific) East Asia", "HK", "AzureCloud"),
        ("azure", "China North 3", "CN", "AzureChinaCloud"), ("azure", "chinawest9", "CN", "AzureChinaCloud"),
        ("azure", "USGov Virginia", "US", "AzureUSGovernment"), ("Azure", "norwayeast", "NO", "AzureCloud"),
    ],
)  # fmt: skip
def test_a_region_or_zone_names_a_country_and_a_cloud(provider: str, name: str, country: str, cloud: str) -> None:
    """The country is where the hardware stands, whatever the name of the parent region suggests."""
    fact = REFERENCE.region(provider, name)
    assert isinstance(fact, RegionFact)
    assert (fact.country, fact.cloud) == (country, cloud)


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("aws", "eu-west-9"), ("aws", "aws-global"), ("aws", "aws-cn-global"), ("aws", "us-east-1-zzz-1a"),
        ("aws", ""),
        ("aws", "eu-west-9a"), ("aws", "eu-west-3-wl7-zzz-wlz-1"), ("aws", "East US"), ("aws", "global"),
        ("azure", "global"),
        ("azure", "mars"), ("azure", "europe"), ("azure", "us-east-1"), ("gcp", "us-central1"),
        ("aws", "us-east-1 "*80),
        ("aws", "cn-"), ("aws", "xx-cn-north-1"), ("azure", "chinanorthish"),
    ],
)  # fmt: skip
def test_an_unlisted_region_is_unknown_even_where_a_pattern_fits(provider: str, name: str) -> None:
    """Nothing is guessed from a prefix: a zone or region that the data does not have may stand anywhere."""
    assert isinstance(REFERENCE.region(provider, name), Unknown)


def test_every_region_of_the_installed_botocore_is_known() -> None:
    """A new AWS region shows up here before it shows up as a held call."""
    partitions = Loader().load_data("partitions")["partitions"]
    for partition in partitions:
        for name in partition["regions"]:
            fact = REFERENCE.region("aws", name)
            if name.endswith("-global"):
                assert isinstance(fact, Unknown), name
            else:
                assert isinstance(fact, RegionFact), name
                assert fact.cloud == partition["id"], name


def test_every_listed_region_is_found_by_its_own_name() -> None:
    for provider in ("aws", "azure"):
        names = REFERENCE.region_names(provider)
        assert len(names) > 40
        for name in names:
            fact = REFERENCE.region(provider, name)
            assert isinstance(fact, RegionFact)
            assert fact.region == name
            assert fact.country in REFERENCE.countries
            assert fact.source
