"""A call document: one SDK call, as an SDK would send it. Judged exactly as the live call would be."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

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


CallDocument = Annotated[Boto3Call | AzureCall | OpenAICall, Field(discriminator="sdk")]
