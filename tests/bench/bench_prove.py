"""Proofs: seconds for a property over 50 and over 1,000 rules, proved and refuted, and for comparing two sets."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from bench.report import Report
from exportguard import reference
from exportguard.authoring.diff import compare
from exportguard.authoring.proof.properties import load_properties
from exportguard.authoring.proof.prover import Prover, Status
from exportguard.language import CompiledPolicySet, PolicySource, load_policies
from exportguard.packs import policy_sources

AS_OF = datetime(2026, 11, 25, tzinfo=UTC)
REPEATS = 3
CLAIMS = (
    (
        "proved",
        Status.PROVED,
        'claim: never_allowed, when: \'item.eccn == "3A090.a" && party.headquarters in country_group("D:5")\'',
    ),
    ("refuted", Status.REFUTED, 'claim: never_allowed, when: \'item.eccn == "3A090.a" && party.country == "NZ"\''),
    ("shadowed", Status.PROVED, "claim: shadowed, rules: 'bench/rule-0'"),
)


def rules(count: int) -> CompiledPolicySet:
    """*count* rules of a dozen shapes, over countries, chips, models, lists, counts and places; two are the same."""
    countries = sorted(reference.default().countries)
    families = sorted(reference.default().accelerator_families)
    shapes = (
        'item.eccn in ["3A090.a", "3A090.b"] && party.headquarters in country_group("D:5")',
        'item.eccn == "3A090.a" && party.country == "{country}" && party.role != "purchaser"',
        'item.accelerator.family == "{family}" && location.country == "{country}"',
        'item.model.provider == "anthropic" && party.ultimate_parent.headquarters == "{country}"',
        'item.kind == "accelerator" && "EL" in party.listings && party.country == "{country}"',
        'item.count > {number}.0 && party.headquarters == "{country}"',
        'item.accelerator.tpp >= {number}000.0 && location.country in country_group("D:1") && !party.verified',
        'request.transfer == "export" && party.country in ["{country}", "{other}"]',
        'item.model.weights == "closed" && item.tokens > {number}000000 && party.country == "{country}"',
        'request.end_use == "ai_training" && party.headquarters == "{country}"',
    )
    lines = ["policy: bench", "version: 1", "title: Bench", "basis: company_policy", "rules:"]
    for number in range(count):
        # The first one again: it is what the last claim is about.
        shape = shapes[0] if number < 2 else shapes[number % len(shapes)]
        text = shape.format(
            country=countries[number * 7 % len(countries)],
            other=countries[number * 11 % len(countries)],
            family=families[number % len(families)],
            number=1 + number % 90,
        )
        effect = "deny" if number % 3 or number < 2 else "hold"
        lines += [f"  - id: rule-{number}", f"    effect: {effect}", f"    when: |\n      {text}"]
    return load_policies([PolicySource("bench.yaml", "\n".join(lines) + "\n")], reference.default())


def run(report: Report) -> None:
    for count, bound in ((50, 1.0), (1000, 10.0)):
        policies = rules(count)
        for name, expected, claim in CLAIMS:
            text = f"properties: bench\nclaims:\n  - {{id: it, {claim}}}\n"
            (wanted,) = load_properties(PolicySource("b", text), policies, reference.default()).properties
            seconds = []
            for _ in range(REPEATS):
                result = Prover(policies, reference.default(), timeout=120).prove(wanted, AS_OF)
                assert result.status is expected, result
                seconds.append(result.seconds)
            report.add("prove", f"{count} rules, {name}", sorted(seconds)[REPEATS // 2], "s", at_most=bound)
    shipped = load_policies(policy_sources(), reference.default())
    start = time.perf_counter()
    assert all(each.status == "same" for each in compare(shipped, shipped, reference.default(), as_of=AS_OF))
    report.add("prove", "the default packs compared with themselves, six pairs", time.perf_counter() - start, "s")
