"""What a judgement carries from step to step: what is decided by, and how far one call has come."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from exportguard.vocabulary import (
    Authorization,
    CallOrigin,
    Decision,
    FactSource,
    ProvisioningRequest,
    Usage,
)

if TYPE_CHECKING:
    from exportguard.language import CompiledPolicySet, PolicySource
    from exportguard.parties import CustomerDirectory
    from exportguard.reference import ReferenceData

Mode = Literal["enforce", "warn", "audit"]


def new_decision_id() -> str:
    """A random UUID (version 4, RFC 9562) in hex; `uuid.uuid4().hex` says the same at four times the cost."""
    random = os.urandom(16).hex()
    return f"{random[:12]}4{random[13:16]}{'89ab'[int(random[16], 16) & 3]}{random[17:]}"


@dataclass(frozen=True)
class State:
    """What a guard decides by. Replaced whole by `reload`, never changed: a judgement sees one state throughout."""

    policies: CompiledPolicySet
    reference: ReferenceData
    directory: CustomerDirectory
    authorizations: tuple[Authorization, ...]
    screener: Any
    sources: tuple[PolicySource, ...] = ()
    """The texts that `policies` was compiled from: kept by content with what they decided."""

    @functools.cached_property
    def authorizations_content(self) -> bytes | None:
        """The authorizations as they are kept by content; None where there are none."""
        from exportguard.record.document import authorizations_text

        return authorizations_text(self.authorizations) if self.authorizations else None

    @functools.cached_property
    def authorizations_digest(self) -> str | None:
        content = self.authorizations_content
        return None if content is None else f"sha256:{sha256(content).hexdigest()}"


@dataclass(slots=True)
class Draft:
    """One call between `judge` and `settle`. `key` makes its reservation its own: SDK retries share it."""

    origin: CallOrigin
    mode: Mode
    state: State | None = None
    """What it is decided by, to the end, though the guard be reloaded in between."""
    decision: Decision | None = None
    observed: ProvisioningRequest | None = None
    """As the call said it."""
    request: ProvisioningRequest | None = None
    """With its parties resolved."""
    sources: tuple[FactSource, ...] = ()
    """Who named which customer, and which list was asked."""
    customers: tuple[str, ...] = ()
    as_of: datetime | None = None
    fingerprint: str | None = None
    usage: Usage = field(default_factory=dict)
    readings: Any = None
    exhausted: frozenset[str] = frozenset()
    """Authorizations that turned out to be used up."""
    approvals: tuple[Authorization, ...] = ()
    """Approvals of this very request, where it was held without them."""
    id: str = field(default_factory=new_decision_id)
    """Of the decision."""
    token: str | None = None
    """The provider's own client token, scoped; where there is none, the decision's id is the nonce."""
    reserved: bool = False
    replayed: bool = False
    """An earlier call with the same client token owns the reservation."""
    sharing: bool = False
    """Counted among the calls under way with its client token."""

    secured: bool = False
    """What its release reserves is reserved: `settle` finds it."""
    over: bool = False
    """Settled. A release that is still under way then, of a call that was given up, gives back what it reserves."""

    meter: Any = None
    """Where calls of models are counted together (`exportguard.metering`), whose leases are not use yet."""
    meter_version: int = 0
    lease: Any = None
    leased: int = 0

    @property
    def key(self) -> str:
        return self.token or self.id

    recorded: bool = False
