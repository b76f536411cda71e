"""The engine beside the engines a user could pick: the same rules, the same facts, every matching rule returned.

What each is given is prepared beforehand (derived facts for ours and the hand-written functions, plain data for the
peers), and their answers are checked to be equal before anything is timed. `decide` as a whole, with facts derived and
reasons written, is timed as well, beside the hand-written functions with the same around them.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from bench.decide_peers import PEERS, hand_written, record, whole
from bench.decide_rules import AS_OF, policy_text, requests, rules
from bench.report import Report, percentile
from exportguard.decide import decide
from exportguard.decide.derive import Facts, derive
from exportguard.decide.evaluate import findings
from exportguard.language import CompiledPolicySet, PolicySource, load_policies
from exportguard.reference import default
from exportguard.vocabulary import NO_USAGE, Outcome, ProvisioningRequest

REQUESTS = 10_000
ROUNDS = 5
SLOW = {"cel-python": 20, "common-expression-language": 300, "cedarpy": 1000, "cel-expr-python": 2000}
"""How many of the requests the slower ones are given; each request is timed by itself, so medians compare."""


def run(report: Report) -> None:
    reference = default()
    documents = requests(REQUESTS)
    observed = [ProvisioningRequest.model_validate(document) for document in documents]
    facts = [derive(request, reference, AS_OF) for request in observed]
    plain = [record(each) for each in facts]
    times: dict[int, dict[str, float]] = {}
    for count in (10, 50, 100, 1000):
        times[count] = _engines(report, count, facts, plain)
    report.add(
        "decide",
        "ask 1,000 rules, known facts, beside itself at 50",
        times[1000]["ours"] / times[50]["ours"],
        "x",
        at_most=3,
    )
    policies = _policies(50)
    known = _each(lambda request: decide(request, policies, reference, as_of=AS_OF), observed)
    many = _policies(1000)
    thousand = _each(lambda request: decide(request, many, reference, as_of=AS_OF), observed)
    blind_requests = [ProvisioningRequest.model_validate(document) for document in requests(REQUESTS, blind=True)]
    blind = _each(lambda request: decide(request, policies, reference, as_of=AS_OF), blind_requests)
    report.add("decide", "decide as a whole, 50 rules, known facts, p50", known, "us")
    report.add("decide", "decide as a whole, 1,000 rules beside 50", thousand / known, "x", at_most=3)
    report.add(
        "decide", "decide as a whole, two facts of the party unknown, beside known", blind / known, "x", at_most=5
    )
    _documents(report, documents, policies)
    _loading(report)
    _memory(report)


def _policies(count: int) -> CompiledPolicySet:
    return load_policies([PolicySource("bench.yaml", policy_text(rules(count)))], default())


def _engines(report: Report, count: int, facts: Sequence[Facts], plain: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The median of each engine at *count* rules, in microseconds, their answers checked equal first."""
    reference, said, policies = default(), rules(count), _policies(count)

    def ours(each: Facts) -> list[str]:
        return [asked.rule.id for asked, _ in findings(each, policies, reference, AS_OF, NO_USAGE)]

    by_hand = hand_written(said)
    tasks: dict[str, tuple[Callable[[Any], list[str]], Sequence[Any]]] = {
        "ours": (ours, facts),
        "hand-written Python": (by_hand, facts),
    }
    for name, make in PEERS.items():
        share = max(3, SLOW[name] * 50 // max(count, 50))
        if count <= 100 or name in ("cel-expr-python", "cedarpy"):
            given = [whole(each) for each in plain[:share]] if name == "cedarpy" else plain[:share]
            tasks[name] = (make(said), given)
    for name, (ask, given) in tasks.items():
        for index, each in enumerate(given):
            if sorted(ask(each)) != sorted(by_hand(facts[index])):
                raise AssertionError(f"{name} answers otherwise than the hand-written rules for request {index}")
    samples: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(ROUNDS):
        for name, (ask, given) in tasks.items():
            samples[name].append(_each(ask, given))
    medians = {name: percentile(each, 0.5) for name, each in samples.items()}
    peers = {name: value for name, value in medians.items() if name != "ours"}
    report.add(
        "decide",
        f"ask {count:,} rules, known facts, p50",
        medians["ours"],
        "us",
        peers=peers,
        at_most=peers["hand-written Python"] if count == 50 else None,
    )
    return medians


def _each(task: Callable[[Any], object], given: Sequence[Any]) -> float:
    """The median of one call, in microseconds."""
    clock = time.perf_counter
    taken = []
    gc.disable()
    try:
        for each in given:
            start = clock()
            task(each)
            taken.append(clock() - start)
    finally:
        gc.enable()
    return percentile(taken, 0.5) * 1e6


def _documents(report: Report, documents: Sequence[dict[str, Any]], policies: CompiledPolicySet) -> None:
    reference = default()
    clock = time.perf_counter
    taken: dict[Outcome, list[float]] = {outcome: [] for outcome in Outcome}
    for document in (*documents, *requests(len(documents), blind=True)):
        start = clock()
        request = ProvisioningRequest.model_validate(document)
        decision = decide(request, policies, reference, as_of=AS_OF)
        taken[decision.outcome].append((clock() - start) * 1e6)
    for outcome, told, bound in (
        (Outcome.ALLOW, "allowed", 25),
        (Outcome.DENY, "denied", 80),
        (Outcome.HOLD, "held for facts that are missing", 80),
    ):
        told = f"from a parsed document to a Decision, {told}, p50"
        report.add("decide", told, percentile(taken[outcome], 0.5), "us", at_most=bound)


_LOAD = """
import sys, time
from exportguard.language import load_policies
from exportguard.packs import policy_sources
from exportguard.reference import default
from exportguard import cache
reference = default()
start = time.perf_counter()
sources = policy_sources()
{load}
print(time.perf_counter() - start, int("celpy" in sys.modules or "lark" in sys.modules), len(policies.rules))
"""


def _loading(report: Report) -> None:
    """In processes of their own, as a start is: reference data and imports are there, policies are not."""
    cold = [_start("policies = load_policies(sources, reference)")[0] for _ in range(3)]
    report.add("decide", "load the shipped packs, cold", percentile(cold, 0.5) * 1000, "ms", at_most=1000)
    with tempfile.TemporaryDirectory() as folder:
        cached = f"policies = cache.load_policies(sources, reference, folder={folder!r})"
        _start(cached)
        warm = [_start(cached) for _ in range(5)]
    if any(parsed for _, parsed in warm):
        raise AssertionError("the parser was imported although the cache was hit")
    report.add(
        "decide", "load the shipped packs, from cache", percentile([s for s, _ in warm], 0.5) * 1000, "ms", at_most=60
    )


def _start(load: str) -> tuple[float, bool]:
    printed = subprocess.run(
        [sys.executable, "-c", _LOAD.format(load=load)], capture_output=True, text=True, check=True
    ).stdout.split()
    return float(printed[0]), printed[1] == "1"


def _memory(report: Report) -> None:
    """What a loaded set of 1,000 rules keeps, asked often enough for every part of it to have been made."""
    reference = default()
    _policies(10)
    observed = [ProvisioningRequest.model_validate(document) for document in requests(3000, seed=9)]
    for request in observed:
        derive(request, reference, AS_OF)
    source = PolicySource("bench.yaml", policy_text(rules(1000, seed=4)))
    gc.collect()
    tracemalloc.start()
    policies = load_policies([source], reference)
    gc.collect()
    loaded = tracemalloc.get_traced_memory()[0]
    for request in observed:
        decide(request, policies, reference, as_of=AS_OF)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    report.add("decide", "memory of 1,000 rules, loaded", loaded / 1e6, "MB", at_most=20)
    report.add("decide", "memory of 1,000 rules, loaded and asked", used / 1e6, "MB", at_most=20)
