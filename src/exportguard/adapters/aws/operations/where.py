"""Where accelerated instances stand, beside the region that is asked: by the zones, subnets and Outposts named.

A local or Wavelength zone may lie in another country than its region, an Outpost anywhere. A zone says so by its name;
a subnet does not, so it is looked up, and only where something with an accelerator may be placed in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.lookup import NO_RESOLVER, NOT_LOOKED_UP
from exportguard.adapters.aws.operations.instances_within import SAID_BY_USERS
from exportguard.adapters.aws.operations.template_text import LOCAL
from exportguard.vocabulary import ItemKind, Location, Unknown

_ZONES = frozenset({"availabilityzone", "availabilityzones", "availabilityzoneid", "availabilityzoneids"})
_SUBNETS = frozenset({"subnet", "subnetid", "subnetids", "subnets", "vpczoneidentifier", "ec2subnetid",
                      "ec2subnetids"})  # fmt: skip
_INTERFACES = frozenset({"networkinterfaceid"})
_MOST = 20_000


def standing_places(call: Call) -> None:
    """Add the places in which what was found in *call* may stand."""
    if not _matters(call) or (not call.seen and _says_no_place(call.parameters)):
        return
    subnets: dict[str, None] = {}
    interfaces: dict[str, None] = {}
    for key, value in _named([call.parameters, *call.seen]):
        if key == "outpostarn":
            call.outpost(value)
        elif key in _ZONES:
            call.zone(value)
        elif isinstance(value, str):  # one that a stack makes elsewhere is no more known than one in a document
            found = interfaces if key in _INTERFACES else subnets
            found.update(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    if call.resolver is NO_RESOLVER or not (subnets or interfaces):
        return
    own = [name for name in subnets if name.startswith(LOCAL)]
    others = [name for name in subnets if name not in own]
    for asked in (*([name] for name in own), others):
        if asked:
            _stands(call, call.ask("ec2", "DescribeSubnets", SubnetIds=asked, immutable=True), "Subnets", asked)
    cards = list(interfaces)
    if cards:
        answer = call.ask("ec2", "DescribeNetworkInterfaces", NetworkInterfaceIds=cards, immutable=True)
        _stands(call, answer, "NetworkInterfaces", cards)


def _stands(call: Call, answer: Any, key: str, asked: list[str]) -> None:
    """The zones of an answer. Where nothing can be looked up, as for a document, the region is all that is known."""
    rows = () if isinstance(answer, Unknown) else get(answer, key) or ()
    for row in rows:
        call.zone(get(row, "AvailabilityZone"))
        call.outpost(get(row, "OutpostArn"))
    if len(rows) < len(asked) and not (isinstance(answer, Unknown) and answer.reason == NOT_LOOKED_UP):
        reason = answer.reason if isinstance(answer, Unknown) else "not found"
        call.place(Location(region=Unknown(f"{', '.join(asked)[:200]} not resolved: {reason}")))


def _matters(call: Call) -> bool:
    """Whether anything but models and instances without an accelerator was found."""
    for item in call.items:
        kind = item.instance_type
        if item.kind is not ItemKind.MODEL and not (isinstance(kind, str) and plain_type(kind)):
            return True
    return False


@lru_cache(maxsize=4096)
def plain_type(kind: str) -> bool:
    from exportguard.reference import NoAccelerator, default

    return isinstance(default().instance("aws", kind), NoAccelerator)


_PLACES = _ZONES | _SUBNETS | _INTERFACES | {"outpostarn"}
_NAMES_NO_PLACE = frozenset({
    "ImageId", "InstanceType", "MinCount", "MaxCount", "KeyName", "ClientToken", "UserData", "DryRun", "EbsOptimized",
})  # fmt: skip
"""What most calls consist of. With a text or a number as its value, none of it says where anything stands."""


def _says_no_place(parameters: Any) -> bool:
    """Whether a look at the names alone is enough, as it is for the plainest calls."""
    return (
        type(parameters) is dict
        and _NAMES_NO_PLACE.issuperset(parameters)
        and _SCALARS.issuperset(map(type, parameters.values()))
    )


_SCALARS = frozenset({str, int, bool})


def _named(source: Any) -> Iterator[tuple[str, Any]]:
    """(key in lower case, value) of what names a place, each element of a list by itself."""
    todo = [source]
    for _ in range(_MOST):
        if not todo:
            return
        value = todo.pop()
        if isinstance(value, (list, tuple)):
            todo += value
        elif isinstance(value, Mapping):
            for key, entry in value.items():
                name = key.lower() if isinstance(key, str) else ""
                if name in _PLACES:
                    for each in entry if isinstance(entry, (list, tuple)) else (entry,):
                        yield name, each
                elif not isinstance(entry, (str, int)) and key not in SAID_BY_USERS:
                    todo.append(entry)
