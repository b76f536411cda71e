"""What stands before and after a person's name: titles, ranks and offices. They are no part of it."""

from __future__ import annotations

from exportguard.parties.screening.names import Words, canonical_word
from exportguard.parties.screening.words import FILLERS

_BEFORE = """
    mr mrs ms miss mister dr doctor prof professor sir madam madame mme mlle monsieur herr frau senor senora sr sra don
    dona sheikh shaykh sheik hajji haji hajj hojjat gen general col colonel capt captain maj major lt lieutenant cmdr
    commander adm admiral marshal brigadier sgt pres president minister senator ambassador governor eng ing engr ir hon
    rev ayatollah mullah mawlawi tov gospodin gospozha pan pani
    """
_AFTER = """
    phd md esq jr sr ceo cto cfo coo chairman chairwoman director president owner founder professor dr xiansheng nushi
    """
_LEADING = frozenset(canonical_word(word) for word in _BEFORE.split())
_TRAILING = frozenset(canonical_word(word) for word in _AFTER.split())
_ANYWHERE = frozenset({"mr", "mrs", "dr", "professor"})
"""`Berjisian, Dr. Adel`."""
_FEWEST = 2
"""Words of a name that have to be left: `General Electric` is nobody's rank."""


def without_titles(words: Words) -> Words | None:
    """*words* without the titles around them; None where there are none, or too little is left."""
    tokens = words.tokens
    start, end = 0, len(tokens)
    if tokens[:2] in (("g", "n"), ("g", "zha")):  # Russian abbreviations of Mr and Mrs
        start = 2
    while start < end and tokens[start] in _LEADING:
        start += 1
    while end > start and (tokens[end - 1] in _TRAILING or (end < len(tokens) and tokens[end - 1] in FILLERS)):
        end -= 1
    left = tuple(token for token in tokens[start:end] if token not in _ANYWHERE)
    return Words(left) if _FEWEST <= len(left) < len(tokens) else None
