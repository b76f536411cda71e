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


def _is_acronym(inside: str, outside: str) -> bool:
    """Its letters are, in order, initials of the words outside the brackets; `(SINGAPORE)` is a place."""
    initials = iter(word[0].upper() for word in re.findall(r"[A-Za-z][A-Za-z'\-]*", outside))
    return all(letter in initials for letter in inside if letter.isalpha())


def implied_names(name: str) -> Iterator[tuple[str, bool]]:
    """Names that *name* implies, and whether each is a name of its own weight.

    `National University of Defense Technology (NUDT)` is also its name without the acronym, and the acronym; `X.
    Affiliated Entity: Y` is also Y. A word in brackets may be a short form, as `(Huawei)`, or a place: it has little
    weight.
    """
    pieces = [piece.strip(" .,;-–") for piece in _PART_OF.split(name)]
    if len(pieces) > 1 and len(pieces[-1]) > 5:
        yield pieces[-1], True
    if "(" in name:
        without = " ".join(_PARENTHESES.sub(" ", name).split()).strip(" ,.")
        if len(without) > 3 and without != name:
            yield without, True
        for inside in map(str.strip, _PARENTHESES.findall(name)):
            if _ACRONYM.fullmatch(inside) and _is_acronym(inside, without):
                yield inside, True
            elif _SHORT_NAME.fullmatch(inside) and inside.casefold() not in CHINESE_PLACES:
                yield inside, False
