"""One attempt to provision: what is asked for, where, for whom, when."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from exportguard.vocabulary.fact import NOT_GIVEN, Frozen, Instant, Maybe, Text
from exportguard.vocabulary.hiding import hide
from exportguard.vocabulary.item import Item
from exportguard.vocabulary.party import Party

__all__ = [
    "Action",
    "Certainty",
    "Location",
    "NotApplicable",
    "Observation",
    "ProvisioningRequest",
    "Transfer",
]


class Action(StrEnum):
    """What the call does. Calls that only shrink, stop or delete never become requests."""

    PROVISION = "provision"
    RESIZE = "resize"
    START = "start"
    SCALE = "scale"
    RESERVE = "reserve"
    PURCHASE = "purchase"
    INVOKE = "invoke"
    CUSTOMIZE = "customize"
    SUBSCRIBE = "subscribe"


class Transfer(StrEnum):
    REMOTE_ACCESS = "remote_access"
    """The party reaches a chip or model that stays where the location says."""
    EXPORT = "export"
    """The thing itself goes to the party: Outposts, Snowball, Azure Stack, a purchase of hardware."""


class Certainty(StrEnum):
    DECLARED = "declared"
    POSSIBLE = "possible"
    """One of several places where it may end up (a global deployment). It denies nothing alone, and allows nothing."""


class Location(Frozen):
    """A place where an item may be placed or processed. `region` in the provider's spelling; the country is derived
    from it where it is not given; `subdivision` is ISO 3166-2."""

    region: Maybe[Text] | None = NOT_GIVEN
    country: Maybe[Text] = NOT_GIVEN
    subdivision: Maybe[Text] | None = None
    cloud: Maybe[Text] | None = None
    """The separately run cloud inside a provider: `aws-cn`, `AzureChinaCloud` … None: derived from the region."""
    certainty: Certainty = Certainty.DECLARED


class ProvisioningRequest(Frozen):
    """One attempt to provision, as observed; parties may have been resolved, dated facts are derived when deciding.

    `items` missing is one unknown item, `()` is known to be none. `parties` and `locations` empty or missing mean
    one end user, one location, of whom and which nothing is known.
    """

    provider: Maybe[Text] = NOT_GIVEN
    service: Maybe[Text] = NOT_GIVEN
    operation: Maybe[Text] = NOT_GIVEN
    action: Maybe[Action] = NOT_GIVEN
    account: Maybe[Text] = NOT_GIVEN
    locations: Maybe[tuple[Location, ...]] = NOT_GIVEN
    items: Maybe[tuple[Item, ...]] = NOT_GIVEN
    parties: Maybe[tuple[Party, ...]] = NOT_GIVEN
    end_use: Maybe[Text] = NOT_GIVEN
    transfer: Maybe[Transfer] = NOT_GIVEN
    time: Maybe[Instant] = NOT_GIVEN
    red_flags: Maybe[tuple[Text, ...]] = ()
    customer: Text | None = None
    """A customer id named by the request itself; the guard looks it up in the directory."""
    idempotency_key: Text | None = None
    call: Text | None = None
    """A digest of what the call says, where an item of it could not be named: two such calls are two requests."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Tags of the resource or account that a directory may know the customer by."""

    def without(self, *paths: str) -> ProvisioningRequest:
        """This request with the facts at *paths* hidden (see `exportguard.vocabulary.hiding`)."""
        return hide(self, paths)


class NotApplicable(Frozen):
    """The call is outside the surface: known not to provision an accelerator or a model. ALLOW, with that reason."""

    reason: Text


Observation = ProvisioningRequest | NotApplicable
