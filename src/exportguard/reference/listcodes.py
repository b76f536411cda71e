"""The code of a restricted-party list, from the ways in which people and publishers write it.

A list that is named in words is that list: read as unknown, `Denied Persons List` would hold less than `DPL`.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NAMES = {
    "EL": ("Entity List",),
    "DPL": ("Denied Persons List", "Denied Person", "Denied Party List", "DPL"),
    "UVL": ("Unverified List",),
    "MEU": ("Military End User List", "Military End-User", "Military End Users"),
    "SDN": (
        "Specially Designated Nationals",
        "Specially Designated National",
        "Specially Designated Nationals and Blocked Persons",
        "SDNs",
        "OFAC SDN",
    ),
    "NS-CMIC": (
        "CMIC",
        "Non-SDN Chinese Military-Industrial Complex Companies List",
        "Chinese Military-Industrial Complex Companies",
    ),
    "SSI": ("Sectoral Sanctions Identifications List",),
    "MBS": ("NS-MBS", "Non-SDN Menu-Based Sanctions List", "Menu-Based Sanctions"),
    "PLC": ("NS-PLC", "Palestinian Legislative Council List", "Non-SDN Palestinian Legislative Council"),
    "CAP": ("CAPTA", "Capta List"),
    "DTC": ("AECA", "AECA Debarred", "ITAR Debarred"),
    "ISN": ("Nonproliferation Sanctions",),
}
"""Names of the lists as their agencies and the Consolidated Screening List give them (read 2026-07-31)."""

_AGENCY = re.compile(r"\s+-\s+(bureau of industry and security|treasury department|state department)$")
_CODE_IN_BRACKETS = re.compile(r"(.+?)\s*\(([a-z-]{2,8})\)(?:\s*list)?$")
_SIGNS = re.compile(r"[^a-z0-9]")


def _plain(text: str) -> str:
    return _SIGNS.sub("", text).removesuffix("list")


_KNOWN = {_plain(name.lower()): code for code, names in _NAMES.items() for name in (code, *names)}


@lru_cache(maxsize=1024)
def list_code(text: str) -> str | None:
    """The code that *text* names, or None: `el`, `Entity List`, `ITAR Debarred (DTC) - State Department`."""
    tidy = _AGENCY.sub("", " ".join(text.lower().split()))
    found = _KNOWN.get(_plain(tidy))
    if found is not None:
        return found
    # What stands before the brackets has to say the same: `not screened (SDN)` names no list.
    both = _CODE_IN_BRACKETS.fullmatch(tidy)
    if both is None:
        return None
    named, code = _KNOWN.get(_plain(both[1])), _KNOWN.get(_plain(both[2]))
    return code if code == named else None
