"""The shipped packs load, and their cases hold."""

from __future__ import annotations

import pytest

from exportguard import Guard
from exportguard.authoring.suite import load_suite, run_suite
from exportguard.packs import shipped_folder, shipped_packs


@pytest.mark.parametrize("pack", shipped_packs())
def test_the_cases_of_a_pack_hold(pack):
    """Every case beside the pack, judged by that pack alone."""
    guard = Guard.load(packs=[pack], lists=None, record=None, ledger=None)
    results = list(run_suite(guard, load_suite(shipped_folder() / pack / "tests.yaml")))
    assert {result.case.name: result.problems for result in results if result.problems} == {}


@pytest.mark.parametrize("pack", shipped_packs())
def test_every_rule_of_a_pack_has_a_match_a_near_miss_and_an_unknown(pack):
    guard = Guard.load(packs=[pack], lists=None, record=None, ledger=None)
    suite = load_suite(shipped_folder() / pack / "tests.yaml")
    matched: set[str] = set()
    opened: set[str] = set()
    missed: set[str] = set()
    rules = {rule.id for rule in guard._state.policies.rules}
    for result in run_suite(guard, suite):
        assert result.decision is not None
        told = {reason.rule: reason.result for reason in result.decision.reasons}
        matched |= {rule for rule, answer in told.items() if answer == "match"}
        opened |= {rule for rule, answer in told.items() if answer == "indeterminate"}
        if result.decision.not_applicable is None:
            missed |= rules - set(told)
    asks_unknown = {rule for rule in rules if rule.startswith("unknown-")}
    assert matched == rules
    assert missed == rules
    assert opened == rules - asks_unknown


@pytest.mark.parametrize("pack", shipped_packs())
def test_a_pack_says_what_it_is(pack):
    text = (shipped_folder() / pack / "README.md").read_text(encoding="utf-8")
    assert "leaves out" in text
