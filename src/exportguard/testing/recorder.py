"""A guard that remembers what passed through it: what a test tried to provision, and what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exportguard.errors import ConfigurationError
from exportguard.guard import Guard
from exportguard.vocabulary import CallOrigin, CallResult, Decision, Judgement, Observation, Outcome

_NOTE = "exportguard.testing"


@dataclass(slots=True)
class Attempt:
    """One live call. `sent`: the guard let it go; `result`: how it ended, once that is known."""

    decision: Decision
    point: str
    sent: bool = False
    result: CallResult | None = None

    @property
    def outcome(self) -> Outcome:
        return self.decision.outcome

    @property
    def operation(self) -> str:
        """`ec2.RunInstances`, as far as it is known; empty for a call outside the surface."""
        request = self.decision.request
        if request is None:
            return ""
        return ".".join(part for part in (request.service, request.operation) if isinstance(part, str))

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules among the reasons, each once."""
        return tuple(dict.fromkeys(reason.rule for reason in self.decision.reasons))

    def __str__(self) -> str:
        by = f" by {', '.join(self.rules)}" if self.rules else ""
        return f"{self.operation or self.decision.not_applicable or self.point}: {self.outcome}{by}"


class Attempts:
    """The live calls of a test, in order. Calls outside the surface (an upload, a `Describe…`) are in `every` only."""

    def __init__(self) -> None:
        self.every: list[Attempt] = []
        self._lock = threading.Lock()

    def add(self, attempt: Attempt) -> None:
        with self._lock:
            self.every.append(attempt)

    def _surface(self) -> list[Attempt]:
        return [attempt for attempt in self.every if attempt.decision.request is not None]

    @property
    def allowed(self) -> list[Attempt]:
        return [attempt for attempt in self._surface() if attempt.outcome is Outcome.ALLOW]

    @property
    def denied(self) -> list[Attempt]:
        return [attempt for attempt in self._surface() if attempt.outcome is Outcome.DENY]

    @property
    def held(self) -> list[Attempt]:
        return [attempt for attempt in self._surface() if attempt.outcome is Outcome.HOLD]

    @property
    def sent(self) -> list[Attempt]:
        return [attempt for attempt in self._surface() if attempt.sent]

    def of(self, operation: str) -> list[Attempt]:
        """Those of one operation: `RunInstances` or `ec2.RunInstances`."""
        return [a for a in self._surface() if operation in (a.operation, a.operation.rpartition(".")[2])]

    def clear(self) -> None:
        with self._lock:
            self.every.clear()

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self._surface())

    def __len__(self) -> int:
        return len(self._surface())

    def __getitem__(self, index: int) -> Attempt:
        return self._surface()[index]

    def __repr__(self) -> str:
        return "\n".join(["Attempts:", *(f"  {attempt}" for attempt in self)]) if len(self) else "Attempts: none"


class RecordingGuard(Guard):
    """A guard whose `attempts` are the live calls that it judged. It decides as every guard does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attempts = Attempts()

    def judge(self, observe: Callable[[], Observation], origin: CallOrigin) -> Judgement:
        judgement = super().judge(observe, origin)
        attempt = Attempt(judgement.decision, origin.point)
        judgement.notes[_NOTE] = attempt
        self.attempts.add(attempt)
        return judgement

    def release(self, judgement: Judgement) -> None:
        super().release(judgement)
        attempt = judgement.notes.get(_NOTE)
        if isinstance(attempt, Attempt):
            attempt.decision, attempt.sent = judgement.decision, True

    def settle(self, judgement: Judgement, result: CallResult, details: Mapping[str, Any] | None = None) -> None:
        super().settle(judgement, result, details)
        attempt = judgement.notes.get(_NOTE)
        if isinstance(attempt, Attempt):
            attempt.result = result


def attempts_of(guard: Any) -> Attempts:
    """What *guard* judged. Raises ConfigurationError for a guard that does not remember it."""
    found = getattr(guard, "attempts", None)
    if not isinstance(found, Attempts):
        raise ConfigurationError(
            "this guard does not remember what it judged",
            remedy="Let the fixture `guard` be the plugin's, or load it by RecordingGuard.load(...).",
        )
    return found
