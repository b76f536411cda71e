"""One policy set under many threads: nothing that one of them makes is in another's way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from threading import Barrier

from bench import decide_rules
from decide_strategies import reference
from exportguard.decide import decide
from exportguard.language import CompiledPolicySet, PolicySource, load_policies
from exportguard.vocabulary import Decision, ProvisioningRequest

THREADS = 8


def _set(count: int) -> CompiledPolicySet:
    text = decide_rules.policy_text(decide_rules.rules(count))
    return load_policies([PolicySource("p.yaml", text)], reference())


def test_threads_that_start_cold_decide_as_one_does() -> None:
    """Plans, look-ups and generated parts are made by whoever comes first, several sets and instants at once."""
    requests = [ProvisioningRequest.model_validate(d) for d in decide_rules.requests(60)]
    requests += [ProvisioningRequest.model_validate(d) for d in decide_rules.requests(60, blind=True)]
    instants = [decide_rules.AS_OF - timedelta(days=400 * n) for n in range(3)]
    work = [(s, i, q) for s in range(2) for i in range(3) for q in range(len(requests))]

    def decided(
        sets: list[CompiledPolicySet], order: list[tuple[int, int, int]]
    ) -> dict[tuple[int, int, int], Decision]:
        return {(s, i, q): decide(requests[q], sets[s], reference(), as_of=instants[i]) for s, i, q in order}

    alone = decided([_set(20), _set(150)], work)
    shared = [_set(20), _set(150)]
    ready = Barrier(THREADS)

    def run(seed: int) -> dict[tuple[int, int, int], Decision]:
        order = list(work)
        Random(seed).shuffle(order)
        ready.wait()
        return decided(shared, order)

    with ThreadPoolExecutor(THREADS) as pool:
        for together in pool.map(run, range(THREADS)):
            assert together == alone
