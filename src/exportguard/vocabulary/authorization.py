"""What may lift a rule: a BIS licence, a licence exception, an internal waiver; scoped, dated, counted."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from unicodedata import category, normalize

from pydantic import AwareDatetime, Field

from exportguard.vocabulary.fact import Frozen, Text
from exportguard.vocabulary.party import Role
from exportguard.vocabulary.questions import Quantity


class AuthorizationKind(StrEnum):
    BIS_LICENSE = "bis_license"
    LICENSE_EXCEPTION = "license_exception"
    INTERNAL_WAIVER = "internal_waiver"


class AuthorizedParty(Frozen):
    """A party that the authorization names with its role: by name, by party id, or by customer id.

    A customer id names that customer itself, never whoever stands behind it.
    """

    role: Role
    id: Text | None = None
    name: Text | None = None
    customer: Text | None = None


class Effective(Frozen):
    """Half-open [from, until), UTC. A bare date means its first instant."""

    from_: AwareDatetime | date | None = None
    until: AwareDatetime | date | None = None


class Authorization(Frozen):
    """One authorization as its document states it. It names the end user, or it lifts nothing."""

    id: Text
    kind: AuthorizationKind
    scope: Text
    parties: tuple[AuthorizedParty, ...]
    effective: Effective
    quantity: Quantity | None = None
    requested_by: Text
    approved_by: tuple[Text, ...]
    evidence: dict[str, str] = Field(default_factory=dict)
    request_fingerprint: Text | None = None
    """Set by an approval of one held request: it lifts that request alone."""


def unapproved(entry: Authorization) -> str | None:
    """Why *entry* was not approved by a second person; None if it was. Until then it lifts nothing."""
    approvers = {person(name) for name in entry.approved_by} - {""}
    if not approvers:
        return "nobody approved it"
    return "its requester approved it: somebody else has to" if person(entry.requested_by) in approvers else None


def person(text: str) -> str:
    """Who is meant: `Ann <a@example.com>`, `mailto:a@example.com` and `A@EXAMPLE.COM` are one person."""
    visible = "".join(ch for ch in normalize("NFKC", text) if category(ch) != "Cf")
    tidy = " ".join(visible.casefold().split())
    address = re.search(r"[^\s<>:;,()]+@[^\s<>:;,()]+", tidy)
    return address.group() if address else tidy
