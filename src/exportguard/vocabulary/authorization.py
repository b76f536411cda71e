"""What may lift a rule: a BIS licence, a licence exception, an internal waiver; scoped, dated, counted."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

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
