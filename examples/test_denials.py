"""A company's test suite: its rules and the shipped packs, held to their word. Run it with pytest."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from exportguard import Guard
from exportguard.testing import UNKNOWN, assert_allowed, assert_denied, assert_held, request

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard.load(
        HERE / "company_policies",
        packs=["iaas-remote-access", "model-provider-terms", "baseline"],
        customers=HERE / "company_policies" / "customers.yaml",
        lists=None,
        record=None,
        ledger=None,
        clock=lambda: datetime(2024, 8, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize("country", ["CN", "HK", "MO", "IR", "RU"])
def test_no_h100_for_restricted_headquarters(guard: Guard, country: str) -> None:
    assert_denied(guard, request(accelerator="H100", end_user=country), by="headquarters-d5-macau")


def test_a_reseller_abroad_does_not_hide_the_end_user(guard: Guard) -> None:
    assert_denied(guard, request(accelerator="A100", end_user="CN", purchaser="SG"), by="headquarters-d5-macau")


def test_an_end_user_nobody_knows_is_held(guard: Guard) -> None:
    assert_held(guard, request(accelerator="H100", end_user=UNKNOWN), missing="party.ultimate_parent.headquarters")


def test_a_university_abroad_gets_its_chips(guard: Guard) -> None:
    assert_allowed(guard, request(accelerator="H100", end_user="CH"))


def test_a_named_customer_is_looked_up(guard: Guard) -> None:
    order = request(instance_type="p5.48xlarge", region="us-east-1", parties=())
    assert_denied(guard, order, by="headquarters-d5-macau", customer="cust-shenzhen")


def test_everyday_instances_need_nobody(guard: Guard) -> None:
    assert_allowed(guard, request(instance_type="t3.micro", region="us-east-1", end_user=UNKNOWN))
