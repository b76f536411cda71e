"""A call document: one SDK call, as an SDK would send it. Judged exactly as the live call would be."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from exportguard.errors import DocumentError
from exportguard.vocabulary.fact import Frozen, Text
from exportguard.vocabulary.party import Party


class _Call(Frozen):
    id: str | int | None = None
    customer: Text | None = None
    account: Text | None = None
    parties: tuple[Party, ...] | None = None
    end_use: Text | None = None
    time: Text | None = None
    tags: dict[str, str] = Field(default_factory=dict)

    def instant(self) -> datetime | None:
        """When the call is made, if the document says.

        Raises:
            DocumentError: `time` is not an ISO 8601 instant with a timezone.
        """
        if self.time is None:
            return None
        try:
            instant = datetime.fromisoformat(self.time)
        except ValueError:
            raise DocumentError(
                f"`{self.time[:50]}` is not an instant", place="$.time", remedy="write ISO 8601"
            ) from None
        if instant.tzinfo is None:
            raise DocumentError(f"`{self.time[:50]}` has no timezone", place="$.time", remedy="add `Z` or an offset")
        return instant


class Boto3Call(_Call):
    sdk: Literal["boto3"]
    service: Text
    """botocore's service name: `ec2`, `bedrock-runtime`."""
    operation: Text
    region: Text | None = None
    url: Text | None = None
    """The URL that the request goes to, where it is known: an `endpoint_url` may point at another region."""
    parameters: dict[str, Any] = Field(default_factory=dict)


class AzureCall(_Call):
    sdk: Literal["azure"]
    method: Text
    url: Text
    body: Any = None


class OpenAICall(_Call):
    sdk: Literal["openai"]
    base_url: Text
    path: Text
    method: Text = "POST"
    deployment: Text | None = None
    body: Any = None


class AnthropicCall(_Call):
    sdk: Literal["anthropic"]
    base_url: Text | None = None
    """The client's. None: Anthropic's own, or that of Bedrock in `region`."""
    path: Text = "/v1/messages"
    method: Text = "POST"
    region: Text | None = None
    """The AWS region of a client for Bedrock (`AnthropicBedrock`); None: the client is not one for AWS."""
    body: Any = None


SdkCall = Boto3Call | AzureCall | OpenAICall | AnthropicCall
CallDocument = Annotated[SdkCall, Field(discriminator="sdk")]
