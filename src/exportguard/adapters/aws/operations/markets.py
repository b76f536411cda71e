"""Markets and licences: what is bought there may be a model."""

from __future__ import annotations

import re

from exportguard.adapters.aws.call import Call, get
from exportguard.adapters.aws.operations import operation
from exportguard.vocabulary import Action, Unknown


@operation("license-manager", "CheckoutLicense")
def checkout(call: Call) -> None:
    call.not_applicable("counts a use of a licence that was granted before")


@operation("marketplace-catalog", "StartChangeSet", action=Action.SUBSCRIBE)
def change_set(call: Call) -> None:
    """A seller's side: listings are described, offers are made. Only offers of machine-learning products matter."""
    for place, row in call.rows(call.get("ChangeSet"), "ChangeSet"):
        kind = f"{get(get(row, 'Entity'), 'Type')} {get(row, 'ChangeType')}"
        if re.search(r"MachineLearning|\bModel", kind, re.IGNORECASE):
            call.model(Unknown(f"what {kind[:80]} offers is not known"), where=place)
        elif not isinstance(get(row, "ChangeType"), str):
            call.unknown(f"{place} is not readable", place)
    call.not_applicable("no model is offered")
