"""What is provisioned, as it was observed. Dated facts (ECCN, TPP …) are derived from it, never stored in it."""

from __future__ import annotations

from enum import StrEnum

from exportguard.vocabulary.fact import NOT_GIVEN, Amount, Count, Frozen, Maybe, Text


class ItemKind(StrEnum):
    ACCELERATOR = "accelerator"
    MODEL = "model"


class Item(Frozen):
    """One accelerator item or model item, as a request names it.

    An accelerator item is named by what it runs in (`instance_type`: an EC2 type, a SageMaker `ml.*` type, an
    Azure size …, with `instances` of them) or directly (`accelerator`: a family such as `H100` or an id such as
    `h100-sxm`, with `count` of them). `None` means *not named this way*; `Unknown` means *named in a way that
    could not be resolved* (a launch template nobody could read). An item that names nothing is unknown, not none.

    A model item is named by `model` (a Bedrock id or ARN, an Azure or OpenAI model name) with the `tokens` asked
    for. An item whose kind is Unknown is asked about as both.
    """

    kind: Maybe[ItemKind]
    name: Text | None = None
    """A label for messages; derived from the rest when absent."""
    instance_type: Maybe[Text] | None = None
    instances: Maybe[Count] = NOT_GIVEN
    accelerator: Maybe[Text] | None = None
    count: Maybe[Count | Amount] = NOT_GIVEN
    """Accelerators in all. Given together with `instance_type` it wins over what reference data says."""
    model: Maybe[Text] | None = None
    tokens: Maybe[Count] = NOT_GIVEN
    where: Text | None = None
    """The place in the call it was read from (`LaunchTemplateConfigs[0].Overrides[2].InstanceType`)."""
