"""How names are compared: one folding for country names, one for accelerators."""

from __future__ import annotations

import unicodedata

MAX_NAME = 200
"""Longer texts are no name of anything here; they are not looked at."""


def visible(text: str) -> str:
    """NFKC without invisible characters (zero-width, direction marks)."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")


def fold(text: str) -> str:
    """Letters and digits only, of any script: NFKC, no case, no accents, no punctuation, no invisible characters."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(c for c in decomposed if c.isalnum() or c == "&")
    return unicodedata.normalize("NFC", kept.replace("&", "and"))


def words(text: str) -> list[str]:
    """The runs of letters and digits in *text*, NFKC and lower case; invisible characters do not split a word."""
    seen = (c for c in unicodedata.normalize("NFKC", text).casefold() if unicodedata.category(c) not in ("Cf", "Mn"))
    return "".join(c if c.isalnum() else " " for c in seen).split()


def word_set(text: str) -> frozenset[str]:
    """The words of a list that reads better as text."""
    return frozenset(text.split())
