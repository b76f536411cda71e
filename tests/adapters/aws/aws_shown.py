"""One line for each item of an observation, so that tables of expectations stay readable."""

from __future__ import annotations

from typing import Any

from exportguard.adapters.aws.facts import observe
from exportguard.adapters.aws.lookup import Question
from exportguard.vocabulary import Item, NotApplicable, ProvisioningRequest, Unknown


def known(value: Any) -> Any:
    return "?" if isinstance(value, Unknown) else value


def shown(item: Item) -> str:
    """`p5.48xlarge x2` · `acc:a100 x8` · `model:anthropic.… t100` · `??` for a kind nobody knows."""
    if isinstance(item.kind, Unknown):
        return "??"
    if item.kind.value == "model":
        return f"model:{known(item.model)} t{known(item.tokens)}"
    if item.accelerator is not None:
        return f"acc:{known(item.accelerator)} x{known(item.count)}"
    return f"{known(item.instance_type)} x{known(item.instances)}"


def items(service: str, operation: str, parameters: Any, **more: Any) -> list[str] | None:
    """The items of one call in order; None where it is outside."""
    seen = observe(service, operation, parameters, **{"region": "us-east-1", **more})
    if isinstance(seen, NotApplicable):
        return None
    assert isinstance(seen, ProvisioningRequest)
    assert isinstance(seen.items, tuple)
    return [shown(item) for item in seen.items]


class Answers:
    """A resolver over a dictionary: operation name -> answer. Everything else is unknown. Questions are kept."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, []

    def ask(self, question: Question) -> Any:
        self.asked.append(question)
        return self.answers.get(question.operation, Unknown("not in the table"))
