"""What every test shares: a state directory of its own, no cloud credentials, and a list of what did not run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made says something of the machine, nothing of the law.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

for name in list(os.environ):
    if name.startswith(("AWS_", "AZURE_", "OPENAI_", "EXPORTGUARD_")):
        del os.environ[name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for the run: caches in it are then built once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_state_directory(_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test writes into the user's state directory."""
    monkeypatch.setenv("EXPORTGUARD_HOME", str(_home))


def pytest_configure(config: pytest.Config) -> None:
    if not config.option.markexpr:
        config.option.markexpr = "not soak"


def _postgres_is_there() -> bool:
    return shutil.which("pg_ctl") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))


NEEDS = {"postgres": _postgres_is_there, "node": lambda: shutil.which("node") is not None}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = {name for name, is_there in NEEDS.items() if not is_there()}
    for item in items:
        for name in absent & {mark.name for mark in item.iter_markers()}:
            item.add_marker(pytest.mark.skip(reason=f"not run: {name} is not on this machine"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Every test that was not run, with its reason: never skipped in silence."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    terminalreporter.section("not run here")
    reasons: dict[str, int] = {}
    for report in skipped:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[text] = reasons.get(text, 0) + 1
    for text, count in sorted(reasons.items()):
        terminalreporter.line(f"{count} x {text}")
