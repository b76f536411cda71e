"""Variants of listed names for measuring recall, made by rule from the shipped list; and the split."""

from __future__ import annotations

import hashlib
import random

SEED = 20261124


def held_out(name: str) -> bool:
    """The half that thresholds are never set on: sha256 of the name, first byte odd."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def _typo(name: str, rnd: random.Random) -> str:
    places = [i for i in range(1, len(name) - 1) if name[i - 1 : i + 2].isalpha()]
    i = rnd.choice(places)
    kind = rnd.randrange(4)
    if kind == 0:
        return name[:i] + name[i + 1 :]
    if kind == 1:
        return name[:i] + name[i] + name[i:]
    if kind == 2:
        return name[:i] + name[i + 1] + name[i] + name[i + 2 :]
    return name[:i] + rnd.choice("abcdefghijklmnopqrstuvwxyz") + name[i + 1 :]


_LOOKALIKES = {"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "i": "і"}
_SHORT = {"University": "Univ.", "Institute": "Inst.", "Technology": "Tech.", "Company": "Co", "Corporation": "Corp",
          "International": "Intl", "Research": "Res.", "Science": "Sci."}  # fmt: skip


def variants(name: str) -> dict[str, str]:
    """One variant of each kind that applies to *name*."""
    rnd = random.Random(f"{SEED}:{name}")
    words = name.split()
    made = {"exact": name, "upper": name.upper(), "typo": _typo(name, rnd)}
    made["zero_width"] = "".join(ch + ("\u200b" if i % 5 == 4 else "") for i, ch in enumerate(name))
    if any(ch in _LOOKALIKES for ch in name):
        made["lookalikes"] = "".join(_LOOKALIKES.get(ch, ch) if i % 2 else ch for i, ch in enumerate(name))
    made["punctuation"] = name.replace(",", "").replace(".", "").replace("-", " ")
    made["legal_form"] = name + " Ltd" if not name.lower().rstrip(".").endswith(("ltd", "limited")) else name + " Co"
    if 2 <= len(words) <= 4 and "," not in name:
        made["order"] = " ".join(reversed(words))
    short = " ".join(_SHORT.get(word, word) for word in words)
    if short != name:
        made["abbreviated"] = short
    return made
