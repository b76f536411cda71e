"""Cloud regions and zones to the country in which their hardware stands.

A region that is not in the data is Unknown even where a partition's pattern would match it, except for the partitions
and clouds that lie in one country: `cn-*` and `china*` (CN), `us-gov-*`, `us-iso*`, `ussec*` and `usnat*` (US). A zone
is read by its parent region, a Local or Wavelength Zone only by the data: its name starts with the parent region and
its hardware stands elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exportguard.reference.facts import RegionFact
from exportguard.reference.names import MAX_NAME
from exportguard.vocabulary.fact import Unknown

_ONE_COUNTRY = (
    (re.compile(r"cn-[a-z]+-\d+"), "CN", "aws-cn"),
    (re.compile(r"us-gov-[a-z]+-\d+"), "US", "aws-us-gov"),
    (re.compile(r"us-isof-[a-z]+-\d+"), "US", "aws-iso-f"),
    (re.compile(r"us-isob-[a-z]+-\d+"), "US", "aws-iso-b"),
    (re.compile(r"us-iso-[a-z]+-\d+"), "US", "aws-iso"),
)
_AZURE_AIR_GAPPED = re.compile(r"us(?:sec|nat)(?:north|east|south|west|central)+\d*")
_AZURE_CHINA = re.compile(r"china(?:north|east|south|west|central)\d*")
_ZONE = re.compile(r"(?P<region>[a-z]+(?:-[a-z]+)+-\d+)(?P<letter>[a-z])")
_PLACE = re.compile(r"(?P<place>(?P<region>[a-z]+(?:-[a-z]+)+-\d+)-[a-z]{3})-\d+[a-z]?")
_WAVELENGTH = re.compile(r"(?P<place>(?P<region>[a-z]+(?:-[a-z]+)+-\d+)-wl\d+)(?:-[a-z0-9]+)*")
_ZONE_ID = re.compile(r"(?P<short>[a-z]+\d)-az\d+")
_COMPASS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "central": "c", "northeast": "ne", "northwest": "nw",
    "southeast": "se", "southwest": "sw",
}  # fmt: skip


class Regions:
    """Region names of both clouds. AWS names are exact (`fips-` and `-fips` around them are dropped), Azure names are
    compared without case and spaces, so that `East US 2` is `eastus2`."""

    def __init__(self, table: Mapping[str, Any], zones: Mapping[str, Any]) -> None:
        self._facts: dict[str, dict[str, RegionFact]] = {"aws": {}, "azure": {}}
        self._pseudo: set[str] = set()
        for group in table["groups"]:
            self._pseudo.update(group.get("pseudo", ()))
            for row in group["regions"]:
                fact = RegionFact(
                    row["region"],
                    row["country"],
                    row.get("subdivision"),
                    group["cloud"],
                    row.get("confidence", group["confidence"]),
                    group["countries"],
                )
                self._facts[group["provider"]][row["region"]] = fact
        self._places: Mapping[str, str] = zones["places"]
        self._wavelength: Mapping[str, str] = zones["wavelength"]
        self._zones = zones
        self._short = {_short(name): fact for name, fact in self._facts["aws"].items()}
        self._seen: dict[tuple[str, str], RegionFact | Unknown] = {}

    def names(self, provider: str) -> frozenset[str]:
        return frozenset(self._facts.get(provider.strip().lower(), ()))

    def find(self, provider: str, name: str) -> RegionFact | Unknown:
        asked = (provider, name)
        answer = self._seen.get(asked)
        if answer is None:
            answer = self._read(provider, name)
            if len(self._seen) < 4096:  # bounded: names come from requests
                self._seen[asked] = answer
        return answer

    def _read(self, provider: str, name: str) -> RegionFact | Unknown:
        shown = name.strip()[:MAX_NAME]
        if not shown:
            return Unknown("the region is empty")
        cloud = provider.strip().lower()
        if cloud == "aws":
            return self._aws(shown)
        if cloud == "azure":
            return self._azure(shown)
        return Unknown(f"regions of provider `{provider}` are not in the reference data")

    def _azure(self, shown: str) -> RegionFact | Unknown:
        key = re.sub(r"[^a-z0-9]", "", re.sub(r"^\([^)]*\)", "", shown.lower()))
        fact = self._facts["azure"].get(key)
        if fact is not None:
            return fact
        zone = re.fullmatch(r"([a-z0-9]+?)-?(?:az)?([123])", shown.lower())
        if zone is not None and (fact := self._facts["azure"].get(zone.group(1))) is not None and "-" in shown:
            return fact
        if _AZURE_CHINA.fullmatch(key):
            return RegionFact(key, "CN", None, "AzureChinaCloud", "general-knowledge", "that cloud lies in one country")
        if _AZURE_AIR_GAPPED.fullmatch(key):
            cloud = "AzureUSSec" if key.startswith("ussec") else "AzureUSNat"
            return RegionFact(key, "US", None, cloud, "general-knowledge", "that cloud lies in one country")
        return Unknown(f"Azure region `{shown}` is not in the reference data")

    def _aws(self, shown: str) -> RegionFact | Unknown:
        name = shown.lower().removeprefix("fips-").removesuffix("-fips")
        facts = self._facts["aws"]
        fact = facts.get(name) or self._one_country(name)
        if fact is not None:
            return fact
        if name in self._pseudo:
            return Unknown(f"`{shown}` is no place: it stands for every region of its partition")
        if (match := _ZONE.fullmatch(name)) is not None:
            parent = facts.get(match["region"]) or self._one_country(match["region"])
            if parent is not None:
                return _zone(parent, shown)
        if (match := _ZONE_ID.fullmatch(name)) is not None and (parent := self._short.get(match["short"])) is not None:
            return _zone(parent, shown)
        for pattern, places in ((_WAVELENGTH, self._wavelength), (_PLACE, self._places)):
            match = pattern.fullmatch(name)
            if match is None:
                continue
            parent, country = facts.get(match["region"]), places.get(match["place"])
            if parent is not None and country is not None:
                return RegionFact(
                    parent.region, country, None, parent.cloud, self._zones["confidence"], self._zones["source"], shown
                )
            return Unknown(f"zone `{shown}` is not in the reference data, and a local zone may stand anywhere")
        return Unknown(f"AWS region `{shown}` is not in the reference data")

    @staticmethod
    def _one_country(name: str) -> RegionFact | None:
        for pattern, country, cloud in _ONE_COUNTRY:
            if pattern.fullmatch(name):
                return RegionFact(name, country, None, cloud, "general-knowledge", "the partition lies in one country")
        return None


def _zone(parent: RegionFact, shown: str) -> RegionFact:
    return RegionFact(
        parent.region, parent.country, parent.subdivision, parent.cloud, parent.confidence, parent.source, shown
    )


def _short(region: str) -> str:
    """`us-east-1` -> `use1`, `us-gov-west-1` -> `usgw1`: the prefix of zone ids."""
    *head, compass, number = region.split("-")
    return "".join(head[:1]) + "".join(h[:1] for h in head[1:]) + _COMPASS.get(compass, compass) + number
