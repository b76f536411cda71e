"""Where a call goes: the client's region, the region it is signed for, the region in the host, the zones it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from exportguard.vocabulary import Location, Unknown

_REGION = re.compile(r"(?:^|[.-])((?:[a-z]{2,4}|us-gov|us-isob?|us-isof|eu-isoe)-[a-z]+-\d{1,2})(?=\.|$)")
_AWS_HOSTS = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".on.aws",
    ".api.amazonwebservices.com.cn",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
)
"""DNS suffixes of the partitions (botocore, partitions.json). Another host (a proxy, a test server) names no region."""
_ZONE_ID = re.compile(r"[a-z]{3,5}\d+-az\d+")
"""A zone id (`use1-az1`) lies in its region; that of a local zone (`use1-bue1-az1`) has one part more."""


def normal_region(region: object) -> str | None:
    """`us-east-1` of `fips-us-east-1`; None for a pseudo region (`aws-global`) and for what is no text."""
    return _normal(region) if isinstance(region, str) and len(region) < 100 else None


@lru_cache(maxsize=1024)
def _normal(region: str) -> str | None:
    name = region.strip().lower()
    if not name.isascii():
        return None
    name = name.removeprefix("fips-").removesuffix("-fips").removeprefix("s3-external-")
    return None if not name or name.endswith("-global") or name == "*" else name


@lru_cache(maxsize=1024)
def region_of_host(url: str | None) -> str | None:
    """The region in the host of *url*, or None where the host is not one of AWS's.

    A regionless host of AWS (`ec2.amazonaws.com`) is the service's first region, us-east-1.
    """
    if not url:
        return None
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return None
    if not host.endswith(_AWS_HOSTS):
        return None
    found = _REGION.findall(host)
    if found:
        return normal_region(found[-1])
    return "us-east-1" if host.endswith(".amazonaws.com") else None


@lru_cache(maxsize=1024)
def account_of_host(url: str | None) -> str | None:
    """The account id in an account-based endpoint (`111122223333.ddb.us-east-1.amazonaws.com`)."""
    if not url:
        return None
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return None
    match = re.match(r"(\d{12})\.", host)
    return match[1] if match and host.endswith(_AWS_HOSTS) else None


def locations(regions: Iterable[object], zones: Iterable[str], further: Iterable[Location]) -> tuple[Location, ...]:
    """Every place that matters, each once. A zone stands for its region: a local zone may lie in another country."""
    regions = tuple(regions)
    zones, further = tuple(zones), tuple(further)
    if not zones and not further:
        return _plain(regions)
    return _locations(regions, zones, further)


@lru_cache(maxsize=1024)
def _plain(regions: tuple[object, ...]) -> tuple[Location, ...]:
    return _locations(regions, (), ())


def _locations(
    regions: tuple[object, ...], zones: tuple[str, ...], further: tuple[Location, ...]
) -> tuple[Location, ...]:
    named = list(dict.fromkeys(r for r in map(normal_region, regions) if r is not None))
    specific = list(dict.fromkeys(z.strip().lower() for z in zones))
    specific = [zone for zone in specific if not _ZONE_ID.fullmatch(zone)]
    kept = [r for r in named if not any(zone.startswith(r) for zone in specific)]
    found = [Location(region=place) for place in (*kept, *specific)]
    found += [location for location in further if location not in found]
    unreadable = any(isinstance(r, str) and r.strip() and not r.isascii() for r in regions)
    if unreadable or (not named and not specific):
        found.insert(
            0, Location(region=Unknown("the region is not readable" if unreadable else "the call names no region"))
        )
    return tuple(found)
