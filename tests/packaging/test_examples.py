"""Every example runs, and so does the README's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def _run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=180, cwd=cwd, env=env, check=False
    )


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("provision_boto3.py", ["t3.micro: started", "cust-zurich: started", "cust-shenzhen: DENY by"]),
        ("provision_azure.py", ["Standard_D2s_v5: created", "Standard_ND96isr_H100_v5: DENY by", "0 requests sent"]),
        ("provision_openai.py", ["chat-prod: answered", "chat-other: HOLD", "cust-shenzhen, chat-prod: DENY"]),
    ],
)
def test_an_example_runs_and_says_what_it_shows(name, lines):
    done = _run(str(EXAMPLES / name))
    assert done.returncode == 0, done.stderr
    for line in lines:
        assert line in done.stdout


def test_the_example_suite_of_denials_passes():
    done = _run("-m", "pytest", "-v", "-p", "no:cacheprovider", "-c", os.devnull, str(EXAMPLES / "test_denials.py"))
    assert done.returncode == 0, done.stdout
    assert "10 passed" in done.stdout


def test_the_company_folder_holds_its_own_cases():
    """`tests.yaml` beside a policy: every case as expected, and every rule with a match."""
    from exportguard import Guard
    from exportguard.authoring.suite import load_suite, run_suite

    folder = EXAMPLES / "company_policies"
    guard = Guard.load(folder, lists=None, record=None, ledger=None)
    results = list(run_suite(guard, load_suite(folder / "tests.yaml")))
    assert results
    assert {result.case.name: result.problems for result in results if result.problems} == {}


def test_the_readme_example_runs(tmp_path):
    """The ten lines, as they stand, over moto and with the examples' customers."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "Guard.load" in block)
    assert len(code.strip().splitlines()) <= 11
    customers = (EXAMPLES / "company_policies" / "customers.yaml").read_text()
    (tmp_path / "customers.yaml").write_text(customers.replace("cust-shenzhen", "shenzhen-university"))
    script = tmp_path / "readme.py"
    script.write_text(
        "import os\nos.environ.update(AWS_ACCESS_KEY_ID='a', AWS_SECRET_ACCESS_KEY='b')\n"
        "from moto import mock_aws\nmock_aws().start()\n" + code
    )
    done = _run(str(script), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "DENY headquarters-d5-macau"


def test_the_examples_are_listed():
    listed = set(re.findall(r"^\| `([^`]+?)/?` \|", (EXAMPLES / "README.md").read_text(), re.MULTILINE))
    there = {p.name for p in EXAMPLES.iterdir() if p.name != "README.md" and not p.name.startswith(("_", "."))}
    assert listed == there
