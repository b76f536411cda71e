"""The decision point: pure functions of request, policies, reference data and instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exportguard.decide.combine import combine
from exportguard.decide.evaluate import MAX_COMBINATIONS, decide, not_applicable, questions_that_matter

if TYPE_CHECKING:
    from exportguard.decide.changes import Change
    from exportguard.decide.options import Step
    from exportguard.decide.why import Combination, Explanation, RuleAccount, explain_decision

_EXPLAINING = {
    "Change": "changes", "Combination": "why", "Explanation": "why", "RuleAccount": "why", "Step": "options",
    "explain_decision": "why",
}  # fmt: skip

__all__ = [
    "MAX_COMBINATIONS", "Change", "Combination", "Explanation", "RuleAccount", "Step", "combine", "decide",
    "explain_decision", "not_applicable", "questions_that_matter",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # Explaining is seldom asked for, so it is imported when it is.
    if name not in _EXPLAINING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_EXPLAINING[name]}"), name)
