"""Call documents with the outcome that each has for three customers, one a line.

`want` is three letters (A allow, H hold, D deny): for a customer in country group D:5, for nobody known, and for a
plain customer of whom everything is known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from exportguard import Guard

CUSTOMERS: dict[str, Any] = {
    "customers": [
        {"id": ident, "end_use": "inference", "parties": [
            {"role": "end_user", "name": name, "country": country, "headquarters": country, "owners": [],
             "ultimate_parent": {"name": name, "headquarters": country}, "listings": [], "verified": True}]}
        for ident, name, country in (("d5", "Example University", "CN"), ("plain", "Example Institute", "US"))
    ]
}  # fmt: skip


def differences(corpus: Path) -> list[str]:
    """Every call of *corpus* that is not judged as it says, under the shipped packs; empty when all are."""
    guard = Guard.load(customers=CUSTOMERS, record=None, ledger=None, lists=None)
    found = []
    for number, line in enumerate(corpus.read_text(encoding="utf-8").splitlines(), start=1):
        document = json.loads(line)
        want = document.pop("want")
        got = "".join(
            guard.check({**document, **({} if customer is None else {"customer": customer})}).outcome.value[0].upper()
            for customer in ("d5", None, "plain")
        )
        if got != want:
            said = f"{document.get('method', '')} {document.get('url') or document.get('path')}"
            found.append(f"{corpus.name}:{number}: {want} expected, {got} found: {said[:200]}")
    return found
