"""Some four thousand calls, half of them tries to get round: each with its outcome under the shipped packs."""

from __future__ import annotations

from pathlib import Path

from adapters.calls_corpus import differences


def test_every_call_of_the_corpus_has_its_outcome() -> None:
    """What is refused stays refused, for whom it should be, and what is everyday is not asked about."""
    assert differences(Path(__file__).with_name("calls.jsonl")) == []
