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
    approvers = [name for name in entry.approved_by if person(name)]
    if not approvers:
        return "nobody approved it"
    same = any(same_person(name, entry.requested_by) for name in approvers)
    return "its requester approved it: somebody else has to" if same else None


def person(text: str) -> str:
    """Who is meant: `Ann <a@example.com>`, `mailto:a@example.com` and `A@EXAMPLE.COM` are one person."""
    visible = "".join(ch for ch in normalize("NFKC", text) if category(ch) != "Cf")
    tidy = " ".join(visible.casefold().split())
    address = re.search(r"[^\s<>:;,()]+@[^\s<>:;,()]+", tidy)
    return address.group() if address else tidy


def same_person(one: str, other: str) -> bool:
    """Whether two names may be of one person, in doubt yes: an address with a tag in it (`a.lee+x@example.com`) is the
    one without, and a bare name (`CORP\\a.lee`, `Lee, A.`) goes with the address that begins with it."""
    (first, first_host), (second, second_host) = _parts(person(one)), _parts(person(other))
    if first_host and second_host:
        return (first, first_host) == (second, second_host)
    return _words(first) == _words(second)


def _parts(name: str) -> tuple[str, str]:
    local, _, host = name.partition("@")
    return (local.partition("+")[0] or local if host else name), host


def _words(name: str) -> list[str]:
    return sorted(re.findall(r"\w+", name.rpartition("\\")[2])) or [name]
