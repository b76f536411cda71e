"""One fuzzing target in a process of its own: `python target.py NAME [libFuzzer options]`.

Whatever the input is, the target ends in time with a result or with an error that is documented for it. libFuzzer
holds the bound on memory (`-rss_limit_mb`) and ends what does not end by itself (`-timeout`).
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports(include=["exportguard"]):
    from exportguard.decide import decide, explain_decision
    from exportguard.documents import parse_json
    from exportguard.errors import DocumentError, PolicyError
    from exportguard.judging import observe, read_document
    from exportguard.language import PolicySource, Scope, World, compile_scope, load_policies
    from exportguard.packs import policy_sources
    from exportguard.reference import default
    from exportguard.vocabulary import ProvisioningRequest

from language_standin import REFERENCE, scope

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
POLICIES = load_policies(policy_sources(), default())


def _shown(refused: PolicyError) -> None:
    """A refusal names its problems in text that can be printed."""
    assert refused.diagnostics
    assert str(refused).encode("utf-8")


def policy_text(data: bytes) -> None:
    """Any bytes: a policy set, or a PolicyError whose problems can be shown; what loads can be asked."""
    try:
        loaded = load_policies([PolicySource.from_bytes("fuzz.yaml", data)], REFERENCE)
    except PolicyError as refused:
        _shown(refused)
        return
    for rule in loaded.rules:
        answer = rule.when(scope())
        assert answer is True or answer is False or answer.causes
        rule.say(scope())


def condition(data: bytes) -> None:
    """Any text as a condition: the same, and asked of nothing at all it does not raise."""
    text = data.decode("utf-8", "replace")
    try:
        asked = compile_scope(text, REFERENCE, name="fuzz")
    except PolicyError as refused:
        _shown(refused)
        return
    for facts in (scope(), Scope(world=World(default(), AS_OF))):
        answer = asked(facts)
        assert answer is True or answer is False or answer.causes


def request_document(data: bytes) -> None:
    """Any bytes: a decision that explains itself, or a DocumentError."""
    with contextlib.suppress(DocumentError):
        document = parse_json(data.decode("utf-8", "replace"), "fuzz.json")
        if not isinstance(document, dict):
            return
        request = read_document({k: v for k, v in document.items() if k != "sdk"}, "fuzz.json")
        assert isinstance(request, ProvisioningRequest)
        decision = decide(request, POLICIES, default(), as_of=AS_OF)
        assert decision.allowed or decision.reasons
        json.loads(decision.model_dump_json())
        explain_decision(request, POLICIES, default(), as_of=AS_OF)


def call_document(data: bytes) -> None:
    """Any bytes: what the call asks for, or a DocumentError; never another exception."""
    with contextlib.suppress(DocumentError):
        document = parse_json(data.decode("utf-8", "replace"), "fuzz.json")
        if isinstance(document, dict):
            observe({"sdk": "boto3", **document})


SECONDS_AN_INPUT = 10
"""Of this process's own time: what else the machine does must not count against an input."""


def within_its_time(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def timed(data: bytes) -> None:
        start = time.process_time()
        target(data)
        taken = time.process_time() - start
        assert taken < SECONDS_AN_INPUT, f"{taken:.1f} s"

    return timed


TARGETS = {each.__name__: each for each in (policy_text, condition, request_document, call_document)}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, within_its_time(TARGETS[name]))
    atheris.Fuzz()
