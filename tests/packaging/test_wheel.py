"""The wheel is built and installed, and the demo runs from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds just what the wheel installs. Its dependencies come from the test environment."""
    work = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(work), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = work.glob("*.whl")
    target = work / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def _run(installed: Path, *arguments: str, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(installed), "EXPORTGUARD_HOME": str(home)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=180, cwd=cwd, env=env, check=False
    )


def test_the_wheel_has_the_packs_the_data_and_the_licence(installed):
    assert (installed / "exportguard" / "_policies" / "iaas-remote-access" / "policy.yaml").is_file()
    assert (installed / "exportguard" / "py.typed").is_file()
    (metadata,) = installed.glob("*.dist-info/METADATA")
    text = metadata.read_text()
    core = {
        line.split(":")[1].strip().split(">")[0].lower()
        for line in text.splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    }
    assert core == {"pydantic", "cel-python", "google-re2", "pyyaml", "rapidfuzz", "rfc8785"}
    assert list(installed.glob("*.dist-info/licenses/LICENSE"))


def test_the_demo_runs_from_the_wheel(installed, tmp_path):
    """Away from the source tree, with the packs and the data that the wheel carries."""
    where = _run(installed, "-c", "import exportguard; print(exportguard.__file__)", cwd=tmp_path, home=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(installed)
    done = _run(installed, "-m", "exportguard", "demo", cwd=tmp_path, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "DENY" in done.stdout
    assert "read back from" in done.stdout


def test_check_decides_from_the_wheel(installed, tmp_path):
    document = ROOT / "examples" / "tender_shenzhen_servers.json"
    arguments = ("-m", "exportguard", "check", str(document), "--as-of", "2024-08-23", "--format", "jsonl")
    done = _run(installed, *arguments, cwd=tmp_path, home=tmp_path)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["outcome"] == "DENY"
