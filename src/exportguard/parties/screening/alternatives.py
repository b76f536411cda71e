"""Names that a published entry implies beyond those it states."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exportguard.parties.screening.words import CHINESE_PLACES

_PARENTHESES = re.compile(r"\s*\(([^()]*)\)")
_PART_OF = re.compile(
    r"\b(?:affiliated entit(?:y|ies)|subordinate institutions?|sub-institutions?|a\.k\.a\.|d/b/a)\s*[:\-–]?\s*",
    re.IGNORECASE,
)
_ACRONYM = re.compile(r"[A-Z][A-Z0-9&\-]{2,9}")
_SHORT_NAME = re.compile(r"[A-Z][a-z]{4,}")


def implied_names(name: str) -> Iterator[str]:
    """`National University of Defense Technology (NUDT)` is also its name without the acronym, and the acronym,
    as `Huawei Technologies (Huawei)` is Huawei;
    `X. Affiliated Entity: Y` is also Y."""
    pieces = [piece.strip(" .,;-–") for piece in _PART_OF.split(name)]
    if len(pieces) > 1 and len(pieces[-1]) > 5:
        yield pieces[-1]
    if "(" in name:
        without = " ".join(_PARENTHESES.sub(" ", name).split()).strip(" ,.")
        if len(without) > 3 and without != name:
            yield without
        for inside in _PARENTHESES.findall(name):
            short = _SHORT_NAME.fullmatch(inside.strip()) and inside.strip().casefold() not in CHINESE_PLACES
            if short or _ACRONYM.fullmatch(inside.strip()):
                yield inside.strip()
