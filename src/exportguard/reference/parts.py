"""Parts of countries to ISO 3166-2 codes.

Only the parts of Ukraine are known by name: some of them are embargoed by themselves, whoever is said to govern them.
Of any other country a part stands as it is written, a code of its own in capital letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exportguard.reference.names import MAX_NAME, fold, visible, word_set, words
from exportguard.vocabulary.fact import Maybe, Unknown

DIVIDED = frozenset({"UA"})
"""Countries of which a part is treated otherwise than the rest (Crimea, the so-called DNR and LNR: 15 CFR 746.6)."""

_CLAIMING = frozenset({"UA", "RU"})
"""In whose addresses those parts are written."""

_CODE = re.compile(r"([A-Z]{2})-([A-Z0-9]{1,3})")
_ABOUT = word_set(
    "the so called autonomous republic of people peoples s oblast region province city federal ukraine russia "
    "temporarily occupied область обл республика народная автономная украина україна автономна республіка народна"
)
"""Words around the name of a part."""


def read_part(text: str, country: Maybe[str] | None, parts: Mapping[str, str]) -> str | Unknown:
    """The code of the part of *country* that *text* names, by *parts* (folded names and codes). Never raises."""
    shown = " ".join(visible(text).split())[:MAX_NAME]
    written = shown.upper()
    known = country if isinstance(country, str) else None
    code = _CODE.fullmatch(written)
    claimed = known is None or known in _CLAIMING
    if code[1] not in _CLAIMING if code is not None else not claimed:
        return written if known not in DIVIDED else _unread(shown, known)
    found = named_part(shown, parts)
    if found is None and known in DIVIDED and shown.isdigit():
        found = parts.get(f"{known.casefold()}{shown}")
    if found is not None:
        return found
    if known in DIVIDED or (code[1] in DIVIDED if code is not None else known is None):
        return _unread(shown, known)
    return written


def _unread(shown: str, country: str | None) -> Unknown:
    return Unknown(f"`{shown[:60]}` cannot be read as a part of {country or 'a country that is not known'}")


def named_part(text: str, parts: Mapping[str, str]) -> str | None:
    """The code of the part that *text* names by itself (`Crimea`, `UA-43`), with or without words around it."""
    if len(text) > MAX_NAME:
        return None
    return parts.get(fold(text)) or parts.get("".join(w for w in words(text) if w not in _ABOUT))


def part_keys(parts: Mapping[str, list[str]]) -> tuple[dict[str, str], list[str]]:
    """Codes and names, folded, and the problems met: used when the data is built."""
    named = [(fold(text), code) for code, texts in parts.items() for text in (code, *texts)]
    keys = dict(reversed(named))
    return keys, [f"parts: `{text}` names {keys[text]} and {code}" for text, code in named if keys[text] != code]
