"""`exportguard init`: everything that it writes passes at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cli_process import run
from exportguard import Guard

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    done = run("init", folder, "--name", "acme")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("command", ["lint --strict", "test", "fmt --check", "coverage --fail-under 95"])
@pytest.mark.parametrize("named", [True, False], ids=["by path", "from inside"])
def test_what_it_writes_passes_at_once(project, command, named):
    verb, *options = command.split()
    done = run(verb, *([project] if named else []), *options, cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_properties_are_proved(project):
    done = run("prove", project / "policies")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 proved" in done.stdout


def test_its_pytest_suite_passes(project):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert "7 passed" in done.stdout, done.stdout + done.stderr


def test_a_guard_loads_it_alone_and_beside_packs(project):
    assert Guard.load(project, lists=None, record=None, ledger=None)
    assert Guard.load(
        project / "policies", packs=["baseline"], customers=project / "policies" / "customers.yaml", lists=None,
        record=None, ledger=None,
    )  # fmt: skip


def test_the_ci_file_runs_verbs_that_there_are(project):
    steps = yaml.safe_load((project / ".github" / "workflows" / "exportguard.yaml").read_text())["jobs"]["policies"][
        "steps"
    ]
    for step in steps:
        command = step.get("run", "").split()
        if command[:1] == ["exportguard"]:
            assert run(*command[1:], cwd=project).returncode == 0, command


def test_nothing_that_is_there_is_overwritten(project):
    file = project / "policies" / "acme" / "policy.yaml"
    before = file.read_text()
    file.write_text("mine")
    done = run("init", project, "--name", "acme")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert file.read_text() == "mine"
    assert run("init", project, "--name", "acme", "--force").returncode == 0
    assert file.read_text() == before


@pytest.mark.parametrize("name", ["tests", "../x", "", "a b"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    assert run("init", tmp_path, "--name", name).returncode == 2
    assert list(tmp_path.iterdir()) == []
