"""The words everything speaks: frozen documents and views. No I/O, no clock, no SDK."""

from exportguard.vocabulary.authorization import Authorization, AuthorizationKind, AuthorizedParty, Effective
from exportguard.vocabulary.call import AnthropicCall, AzureCall, Boto3Call, CallDocument, OpenAICall, SdkCall
from exportguard.vocabulary.decision import (
    Basis,
    Decision,
    Effect,
    Lifted,
    Outcome,
    Reason,
    RuleResult,
    UnknownFact,
)
from exportguard.vocabulary.enforcement import CallOrigin, CallResult, Gate, Judgement
from exportguard.vocabulary.fact import NOT_GIVEN, Confidence, FactSource, Maybe, Unknown, is_known
from exportguard.vocabulary.item import Item, ItemKind
from exportguard.vocabulary.party import (
    Owner,
    Party,
    PartyKind,
    PercentRange,
    RestrictedOwnership,
    Role,
    UltimateParent,
)
from exportguard.vocabulary.questions import (
    NO_USAGE,
    OwnershipAnswer,
    OwnershipQuestion,
    Quantity,
    Usage,
    UsageQuestion,
    UsageReading,
)
from exportguard.vocabulary.request import (
    Action,
    Certainty,
    Location,
    NotApplicable,
    Observation,
    ProvisioningRequest,
    Transfer,
)

__all__ = [
    "NOT_GIVEN", "NO_USAGE", "Action", "AnthropicCall", "Authorization", "AuthorizationKind", "AuthorizedParty",
    "AzureCall", "Basis", "Boto3Call", "CallDocument", "CallOrigin", "CallResult", "Certainty", "Confidence",
    "Decision", "Effect", "Effective", "FactSource", "Gate", "Item", "ItemKind", "Judgement", "Lifted", "Location",
    "Maybe", "NotApplicable", "Observation", "OpenAICall", "Outcome", "Owner", "OwnershipAnswer", "OwnershipQuestion",
    "Party", "PartyKind", "PercentRange", "ProvisioningRequest", "Quantity", "Reason", "RestrictedOwnership",
    "Role", "RuleResult", "SdkCall", "Transfer", "UltimateParent", "Unknown", "UnknownFact", "Usage", "UsageQuestion",
    "UsageReading", "is_known",
]  # fmt: skip
