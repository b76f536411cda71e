"""Which readings of the ledger a decision hangs on: only those are read, and only those can keep it waiting."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exportguard.decide import questions_that_matter
from exportguard.decide.derive import derive
from exportguard.errors import NaiveInstantError
from exportguard.language import load_policies
from exportguard.packs import policy_sources
from exportguard.reference import default
from exportguard.vocabulary import ProvisioningRequest, UsageQuestion

REFERENCE = default()
PACKS = load_policies(policy_sources(), REFERENCE)
NOW = datetime(2026, 11, 25, tzinfo=UTC)
A_YEAR = UsageQuestion("end_user", "P1Y")


def request(country, item):
    party = {"role": "end_user", "name": "A", "ultimate_parent": None, "owners": [], "listings": []}
    if country is not None:
        party |= {"country": country, "headquarters": country}
    return ProvisioningRequest.model_validate({"provider": "aws", "items": [item], "parties": [party]})


CHIP = {"kind": "accelerator", "instance_type": "p5.48xlarge", "instances": 1}
NOTHING = {"kind": "accelerator", "instance_type": "t3.micro", "instances": 1}
OPEN = {"kind": "model", "model": "meta.llama3-70b-instruct-v1:0", "tokens": 1}
CLOSED = {"kind": "model", "model": "amazon.nova-pro-v1:0", "tokens": 1}


@pytest.mark.parametrize(
    ("country", "item", "matter"),
    [
        ("CH", CHIP, set()),
        ("CH", CLOSED, set()),
        ("CN", OPEN, set()),
        ("CN", NOTHING, set()),
        ("CN", CHIP, {A_YEAR}),
        ("CN", CLOSED, {A_YEAR}),
        (None, CLOSED, {A_YEAR}),
    ],
)
def test_use_matters_where_a_rule_over_it_may_hold(country, item, matter):
    """Whose party is known to be elsewhere is decided without the ledger; an unknown party is not."""
    assert questions_that_matter(derive(request(country, item), REFERENCE, NOW), PACKS, REFERENCE, as_of=NOW) == matter


def test_rules_that_are_not_in_force_ask_nothing():
    before = datetime(2025, 5, 12, tzinfo=UTC)
    assert (
        questions_that_matter(derive(request("CN", CLOSED), REFERENCE, before), PACKS, REFERENCE, as_of=before) == set()
    )
    with pytest.raises(NaiveInstantError):
        derive(request("CN", CLOSED), REFERENCE, datetime(2026, 1, 1))  # noqa: DTZ001
