"""The decision point: pure functions of request, policies, reference data and instant."""

from exportguard.decide.combine import combine
from exportguard.decide.evaluate import MAX_COMBINATIONS, decide, not_applicable

__all__ = ["MAX_COMBINATIONS", "combine", "decide", "not_applicable"]
