"""The pytest plugin in a fresh project: its fixtures, its marker, and what it costs where it is not used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = (ROOT / "examples" / "company_policies" / "customers.yaml").read_text()
POLICY = (ROOT / "examples" / "company_policies" / "policy.yaml").read_text()


def pytest_in(folder: Path, tests: str, *arguments: str, **files: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(tests)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for name in [name for name in env if name.startswith("PYTEST_")]:
        del env[name]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=folder, env=env, check=False)


def test_a_fresh_project_needs_no_configuration(tmp_path):
    """The fixture `guard` has the shipped packs; nothing is imported in `conftest.py`, nothing is registered."""
    done = pytest_in(
        tmp_path,
        """
from exportguard.testing import UNKNOWN, assert_allowed, assert_denied, assert_held, party, request, boto3_call

def test_no_h100_for_d5(guard):
    assert_denied(guard, request(accelerator="H100", end_user="IR"), by="headquarters-d5-macau")
    assert_held(guard, request(accelerator="H100", end_user=UNKNOWN), missing="party.ultimate_parent.headquarters")
    assert_allowed(guard, request(instance_type="t3.micro", end_user=UNKNOWN))
    assert_held(guard, boto3_call("ec2", "RunInstances", InstanceType="p5.48xlarge", MinCount=1, MaxCount=1))
    assert_denied(guard, request(accelerator="H100", end_user=party("CH", ultimate_parent={"headquarters": "CN"})))

def test_a_wrong_rule_is_told(guard):
    assert_denied(guard, request(accelerator="H100", end_user="IR"), by="another")
""",
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "expected a denial by `another`, but others deny it" in done.stdout
    assert "deny iaas-remote-access/headquarters-d5-macau (match)" in done.stdout


LIVE = """
import boto3, pytest
from moto import mock_aws
from exportguard.testing import refuses

pytestmark = pytest.mark.exportguard(customers="customers.yaml", as_of="2024-08-23", install=True, lists=None)

def start(kind):
    ec2 = boto3.client("ec2", region_name="us-east-1")
    ec2.run_instances(ImageId="ami-12c6146b", InstanceType=kind, MinCount=1, MaxCount=1)

@mock_aws
@pytest.mark.parametrize("n", range(2))
def test_decorated(guard, attempts, n):
    with guard.acting_for("cust-zurich"):
        start("p5.48xlarge")
    with refuses("DENY", by="headquarters-d5-macau"), guard.acting_for("cust-shenzhen"):
        start("p5.48xlarge")
    start("t3.micro")
    assert len(boto3.client("ec2", region_name="us-east-1").describe_instances()["Reservations"]) == 2
    assert [str(a.outcome) for a in attempts] == ["ALLOW", "DENY", "ALLOW"]
    assert [a.sent for a in attempts] == [True, False, True]
    assert attempts[0].result == "succeeded"
    assert len(attempts.of("ec2.RunInstances")) == 3
    assert "headquarters-d5-macau" in attempts.denied[0].rules

@pytest.mark.exportguard(customer="cust-shenzhen")
def test_context(attempts):
    with mock_aws(), refuses(by="headquarters-d5-macau") as refused:
        start("p4d.24xlarge")
    assert refused[0].outcome == "DENY"
    assert not attempts.sent

@pytest.mark.exportguard(install=False)
@mock_aws
def test_not_installed(attempts):
    start("p5.48xlarge")
    assert len(attempts.every) == 0

@mock_aws
def test_nothing_is_left_behind():
    start("p5.48xlarge")
"""


def test_live_calls_are_recorded_under_motos_decorators_and_xdist(tmp_path):
    """Refused calls reach no backend; a test without the fixture is not guarded, before or after others."""
    done = pytest_in(tmp_path, LIVE, "-n", "2", customers__yaml=CUSTOMERS)
    assert "5 passed" in done.stdout, done.stdout + done.stderr


def test_settings_come_from_marker_ini_and_pyproject(tmp_path):
    """The nearest wins; a misspelt one is an error that names the near one."""
    tests = """
import pytest
from exportguard.testing import assert_allowed, assert_held, request

big = request(accelerator="H100", count=9, end_user={"name": "A", "country": "CH", "headquarters": "CH",
    "ultimate_parent": None, "listings": [], "verified": False})

def test_configured(guard):
    assert_held(guard, big, by="large-orders-need-verification")
    guard._require("cust-zurich")

@pytest.mark.exportguard(packs=["baseline"])
def test_marked(guard):
    assert_allowed(guard, big)

@pytest.mark.exportguard(policy="x")
def test_misspelt(guard):
    pass
"""
    table = '[tool.exportguard]\npolicies = "policy.yaml"\ncustomers = "customers.yaml"\n'
    files = {"policy__yaml": POLICY, "customers__yaml": CUSTOMERS}
    done = pytest_in(tmp_path, tests, pyproject__toml=table, **files)
    assert "2 passed, 1 error" in done.stdout, done.stdout
    assert "Did you mean `policies`" in done.stdout
    (tmp_path / "pyproject.toml").unlink()
    ini = "[pytest]\nexportguard_policies = policy.yaml\nexportguard_customers = customers.yaml\n"
    done = pytest_in(tmp_path, tests, pytest__ini=ini, **files)
    assert "2 passed, 1 error" in done.stdout, done.stdout


def test_rules_over_usage_count_in_a_ledger_of_the_test(tmp_path):
    policy = """policy: p
rules:
  - id: many
    effect: hold
    when: usage.accelerators > 8
    per: {by: customer, period: P1Y}
"""
    tests = """
import boto3, pytest
from moto import mock_aws
from exportguard.testing import refuses

@mock_aws
@pytest.mark.parametrize("again", [1, 2])
@pytest.mark.exportguard(policies="policy.yaml", customers="customers.yaml", lists=None, ledger=True)
def test_the_second_is_held_in_each(guard, again):
    ec2 = guard.attach(boto3.client("ec2", region_name="us-east-1"), customer="cust-zurich")
    run = lambda: ec2.run_instances(ImageId="ami-12c6146b", InstanceType="p5.48xlarge", MinCount=1, MaxCount=1)
    run()
    with refuses("HOLD", by="many"):
        run()
"""
    done = pytest_in(tmp_path, tests, policy__yaml=policy, customers__yaml=CUSTOMERS)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_a_suite_that_does_not_use_it_imports_nothing(tmp_path):
    """No SDK, no language, not even the vocabulary: only the plugin module and the package's front door."""
    tests = """
import sys

def test_lazy():
    ours = sorted(name for name in sys.modules if name.split(".")[0] == "exportguard")
    assert ours == ["exportguard", "exportguard._version", "exportguard.testing", "exportguard.testing.plugin"], ours
    heavy = {"boto3", "botocore", "azure", "openai", "celpy", "lark", "pydantic", "yaml", "typer"}
    assert not heavy & {name.split(".")[0] for name in sys.modules}
"""
    done = pytest_in(tmp_path, tests, "-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:asyncio")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_marker_is_known_and_a_suites_own_guard_wins(tmp_path):
    tests = """
import pytest
from exportguard.errors import ConfigurationError

@pytest.fixture
def guard():
    return "mine"

def test_mine(guard):
    assert guard == "mine"

@pytest.mark.exportguard(as_of="2024-05-01")
def test_marked(guard):
    pass
"""
    done = pytest_in(tmp_path, tests, "--strict-markers")
    assert "2 passed" in done.stdout, done.stdout + done.stderr
