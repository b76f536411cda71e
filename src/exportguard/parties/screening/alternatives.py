"""Names that a published entry implies beyond those it states."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exportguard.parties.screening.words import ABBREVIATIONS, CHINESE_PLACES, FILLERS, GENERIC

_PARENTHESES = re.compile(r"\s*\(([^()]*)\)")
_PART_OF = re.compile(
    r"\b(?:affiliated entit(?:y|ies)|subordinate institutions?|sub-institutions?|a\.k\.a\.|d/b/a)\s*[:\-–]?\s*",
    re.IGNORECASE,
)
_PARENT = re.compile(r"(?:academy|university|ministry|corporation)\b[^,]*?(?:[’']s?\s|,\s|\s?[-–]\s?)", re.IGNORECASE)
_BODY = re.compile(r"\b(?:institutes?|academy|laborator(?:y|ies)|cent(?:er|re)|factory|bureau)\b", re.IGNORECASE)
_ACRONYM = re.compile(r"[A-Z][A-Z0-9&\-]{2,9}")
_SHORT_NAME = re.compile(r"[A-Z][a-z]{4,}")


def _is_acronym(inside: str, outside: str) -> bool:
    """Its letters are, in order, initials of the words outside the brackets; `(SINGAPORE)` is a place."""
    initials = iter(word[0].upper() for word in re.findall(r"[A-Za-z][A-Za-z'\-]*", outside))
    return all(letter in initials for letter in inside if letter.isalpha())


def behind_parent(name: str) -> str | None:
    """`Chinese Academy of Sciences' Shanghai Institute of Microsystem` goes by what stands behind the academy too.

    Only what two words tell from others of its kind does: there is a `School of Computer Science` everywhere.
    """
    parent = _PARENT.search(name)
    part = name[parent.end() :].strip(" .,;-–") if parent is not None else ""
    if not _BODY.search(part) or "(" in part:
        return None
    words = [ABBREVIATIONS.get(word, word) for word in re.findall(r"[a-z]+", part.lower())]
    telling = {word for word in words if word not in FILLERS and (word not in GENERIC or word in CHINESE_PLACES)}
    return part if len(telling) > 1 else None


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
