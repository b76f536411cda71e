"""What an adapter knows of the guard: a Gate to hand a request to, and what comes back.

The life of one SDK call: `judge` when its parameters are final, `release` just before it leaves (the record is
durable and the quota reserved when it returns), `settle` when its result is known. Retries of the SDK stay between
`release` and `settle`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from exportguard.vocabulary.decision import Decision
from exportguard.vocabulary.request import Observation


class CallResult(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Definitely not carried out (a 4xx, a parameter error): a reservation is given back."""
    UNCLEAR = "unclear"
    """A time-out, a 5xx, a lost connection: a reservation is kept until reconciled."""


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """Where a call was seen: the enforcement point (`boto3`, `azure-pipeline`, `openai`, `check`) and who made it.

    `customer` is one bound to the client (`attach(client, customer=...)`); `lookup` reads what the call only
    names, with the judged client's own credentials (an adapter's resolver), or is None.
    """

    point: str
    customer: str | None = None
    sdk_version: str | None = None


@dataclass(slots=True)
class Judgement:
    """What became of one call. `refusal` is to be raised as it is: it is no SDK exception on purpose.

    `token` is the gate's own state between the stages (its draft record, its reservation); adapters carry it.
    """

    decision: Decision
    refusal: Exception | None
    token: Any = None
    notes: dict[str, Any] = field(default_factory=dict)


class Gate(Protocol):
    """The guard, as adapters see it. Thread-safe. Nothing here imports an SDK."""

    def judge(self, observe: Callable[[], Observation], origin: CallOrigin) -> Judgement:
        """Decide one call. *observe* extracts the facts; it is called once, and when it raises, the call is held.

        A refusal has been recorded when this returns. Never raises itself but for `KeyboardInterrupt` and
        the like; in `warn` and `audit` mode `refusal` is None.
        """
        ...

    def release(self, judgement: Judgement) -> None:
        """Make the decision durable and reserve what it draws. Raises what must stop the call."""
        ...

    def settle(self, judgement: Judgement, result: CallResult, details: Mapping[str, Any] | None = None) -> None:
        """Tell how the call ended. Never raises."""
        ...
