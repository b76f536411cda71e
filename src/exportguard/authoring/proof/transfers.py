"""Which operations send hardware itself, as the derivation of `transfer` reads their names."""

from __future__ import annotations

from exportguard.authoring.proof.logic import B, disj
from exportguard.authoring.proof.terms import Term, UnsupportedError
from exportguard.authoring.proof.texts import Dictionary
from exportguard.decide.derive import _EXPORTING


def exporting(words: Dictionary, operation: Term, service: Term | None) -> B:
    """Whether the name of the operation, or of a known service, is one of those."""

    def sends(text: str) -> bool:
        name = text.lower().replace("-", "").replace("_", "")
        return any(word in name for word in _EXPORTING)

    try:
        found = [words.satisfies(operation.value, sends)]
        if service is not None and service.open is not True:
            found.append(words.satisfies(service.value, sends))
    except UnsupportedError:
        return False  # a free text: more requests are then thought possible than are, never fewer
    return disj(found)
