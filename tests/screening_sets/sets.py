"""The labelled sets as data, the split, and variants of listed names made by rule."""

from __future__ import annotations

import hashlib
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

SEED = 20261124
HERE = Path(__file__).parent
BENIGN = ("world_universities", "companies", "chinese_universities", "han_names", "persons")


def held_out(name: str) -> bool:
    """The half that nothing is ever set on: sha256 of the name, first byte odd."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


@cache
def load(name: str) -> dict[str, Any]:
    """`han_listed`, `latin_listed` or `benign`."""
    data: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return data


def benign(kinds: tuple[str, ...] = BENIGN) -> list[str]:
    """Benign names of the held-out half."""
    return [name for kind in kinds for name in load("benign")[kind] if held_out(name)]


def near_names() -> list[str]:
    """Names that are close to a listed one and are others, of the held-out half."""
    return [name for name, _ in load("benign")["near_names"] if held_out(name)]


def listed(name: str) -> list[tuple[str, str]]:
    """(query, a part of the listed name) of a set, of the held-out half."""
    return [(query, expected) for query, expected in load(name)["names"] if held_out(query)]


def _typo(name: str, rnd: random.Random) -> str:
    places = [i for i in range(1, len(name) - 1) if name[i - 1 : i + 2].isalpha()]
    if not places:
        return name
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
          "International": "Intl", "Research": "Res.", "Science": "Sci.", "Electronics": "Elec."}  # fmt: skip
_SCHOOLS = ("School of Computer Science", "Department of Physics", "State Key Laboratory of Robotics", "College of Law")


def variants(name: str) -> dict[str, str]:
    """One variant of each kind that applies to *name*."""
    rnd = random.Random(f"{SEED}:{name}")
    words = name.split()
    made = {"exact": name, "upper": name.upper(), "typo": _typo(name, rnd)}
    made["zero_width"] = "".join(ch + ("\u200b" if i % 5 == 4 else "") for i, ch in enumerate(name))
    made["full_width"] = "".join(chr(ord(ch) + 0xFEE0) if "!" <= ch <= "~" else ch for ch in name)
    if any(ch in _LOOKALIKES for ch in name):
        made["lookalikes"] = "".join(_LOOKALIKES.get(ch, ch) if i % 2 else ch for i, ch in enumerate(name))
    made["punctuation"] = name.replace(",", "").replace(".", "").replace("-", " ")
    made["legal_form"] = name + " Ltd" if not name.lower().rstrip(".").endswith(("ltd", "limited")) else name + " Co"
    if 2 <= len(words) <= 4 and "," not in name:
        made["order"] = " ".join(reversed(words))
    short = " ".join(_SHORT.get(word, word) for word in words)
    if short != name:
        made["abbreviated"] = short
    if "University" in words or "Institute" in words:
        made["department"] = f"{rnd.choice(_SCHOOLS)}, {name}"
    return made


def list_names(kinds: int, *, half: bool = True) -> list[str]:
    """*kinds* primary names of the shipped list, drawn by the seed from the held-out half: no ships, no aircraft."""
    from exportguard.parties.screening.listfile import parse_list, read_raw
    from exportguard.parties.screening.snapshots import EMBEDDED

    rows = parse_list(read_raw(EMBEDDED), EMBEDDED.name).rows
    names = [row.entry.name for row in rows if row.entry.type not in ("Vessel", "Aircraft") and len(row.entry.name) > 7]
    return random.Random(SEED).sample([name for name in dict.fromkeys(names) if held_out(name) is half], kinds)
