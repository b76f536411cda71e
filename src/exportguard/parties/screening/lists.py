"""The lists of the Consolidated Screening List: their codes and what being on one means.

A code is the short name that the publishing agency uses for its list; trade.gov's spellings of the same lists are
read as well. What a list means is told here for people; what follows from it is for rules to say.
"""

from __future__ import annotations

from typing import NamedTuple

from exportguard.reference.listcodes import list_code


class RestrictedList(NamedTuple):
    code: str
    name: str
    agency: str
    meaning: str
    aliases: tuple[str, ...] = ()


_BIS, _OFAC, _STATE = "Bureau of Industry and Security", "Treasury Department", "State Department"

LISTS: dict[str, RestrictedList] = {
    entry.code: entry
    for entry in (
        RestrictedList("EL", "Entity List", _BIS, "a licence is required for the items that the entry names"),
        RestrictedList("DPL", "Denied Persons List", _BIS, "dealings in items subject to the EAR are prohibited"),
        RestrictedList("UVL", "Unverified List", _BIS, "no licence exception; a UVL statement is required"),
        RestrictedList("MEU", "Military End User List", _BIS, "a licence is required under 15 CFR 744.21"),
        RestrictedList("SDN", "Specially Designated Nationals", _OFAC, "blocked; 15 CFR 744.8 for listed programmes"),
        RestrictedList(
            "NS-CMIC", "Non-SDN Chinese Military-Industrial Complex Companies List", _OFAC,
            "dealings in securities only: not an export ban", ("CMIC",),
        ),
        RestrictedList("SSI", "Sectoral Sanctions Identifications List", _OFAC, "sectoral OFAC restrictions"),
        RestrictedList(
            "MBS", "Non-SDN Menu-Based Sanctions List", _OFAC, "particular OFAC restrictions",
            ("NS-MBS", "NS-MBS LIST"),
        ),
        RestrictedList(
            "PLC", "Palestinian Legislative Council List", _OFAC, "particular OFAC restrictions", ("NS-PLC",)
        ),
        RestrictedList("CAP", "CAPTA List", _OFAC, "correspondent accounts of foreign banks", ("CAPTA",)),
        RestrictedList("DTC", "AECA Debarred (ITAR)", _STATE, "debarred from ITAR transactions", ("AECA",)),
        RestrictedList("ISN", "Nonproliferation Sanctions", _STATE, "nonproliferation sanctions"),
    )
}  # fmt: skip

_ALIASES = {alias: code for code, entry in LISTS.items() for alias in entry.aliases}


def canonical(code: str) -> str | None:
    """The code of a list, from any case, its name and trade.gov's spelling; None when no list has it."""
    tidy = " ".join(code.upper().split())
    tidy = _ALIASES.get(tidy, tidy)
    return tidy if tidy in LISTS else list_code(code)


def code_of_source(source: str) -> str | None:
    """The code of the list that a published row names as its `source`; it stands there in parentheses."""
    start = source.rfind("(")
    end = source.find(")", start)
    return canonical(source[start + 1 : end]) if 0 <= start < end else canonical(source)
