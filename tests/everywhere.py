"""The suite on every Python of this machine, and with the oldest and newest SDKs, from the built wheel.

``make test-all``, or ``python tests/everywhere.py NAME…`` for some of: python3.11 python3.12 python3.13 oldest newest.
Each has an environment of its own under ``build/everywhere/``, and runs in a copy of the repository without ``src``, so
that nothing but the wheel can be imported. An interpreter that is not on this machine is listed as not run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "everywhere"
COPIED = ("tests", "examples", "docs", "policies", ".mkdocs.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md",
          "LICENSE", "Makefile", "pyproject.toml", "constraints.txt")  # fmt: skip
OLDEST = {"boto3": "1.34.0", "azure-core": "1.30.0", "pydantic": "2.9.0", "openai": "1.40.0"}
"""The lower bounds of pyproject.toml; `_check_bounds` holds them to it."""
OF_THAT_TIME = {
    "botocore": "1.34.106", "s3transfer": "0.9.0", "aiobotocore": "2.13.0", "moto": "5.1.4", "pydantic-core": "2.23.2",
    "httpx": "0.27.2", "httpcore": "1.0.5", "distro": "1.9.0", "sniffio": "1.3.1", "azure-common": "1.1.28",
    "azure-mgmt-core": "1.4.0", "azure-mgmt-compute": "33.0.0", "azure-mgmt-cognitiveservices": "13.5.0",
    "azure-mgmt-containerservice": "30.0.0", "azure-mgmt-machinelearningservices": "1.0.0",
    "azure-mgmt-resource": "23.1.1", "azure-identity": "1.16.0", "azure-ai-ml": "1.28.0",
    "azure-ai-inference": "1.0.0b1", "azure-storage-blob": "12.19.1", "azure-storage-file-share": "12.15.0",
    "azure-storage-file-datalake": "12.14.0", "azure-monitor-opentelemetry": "1.6.0",
    "azure-monitor-opentelemetry-exporter": "1.0.0b28",
}  # fmt: skip
"""What went with them: put in place of the pins without asking a resolver, which would try every version."""
NOT_FROM_A_WHEEL = {
    "tests/adapters/aws/test_aws_documented_rights.py::test_the_documented_policy_is_what_is_asked": "reads the source",
}
"""Tests that need the source tree, each with why."""
NOT_THEN = {
    "tests/guard/test_reserving_and_recording.py::"
    "test_forty_orders_of_a_million_tokens_are_forty_million": "botocore of that time has no Converse",
    "tests/guard/test_reserving_and_recording.py::test_what_a_call_did_not_say_is_known_from_its_answer": "the same",
    "tests/guard/test_reserving_and_recording.py::"
    "test_an_estimate_is_raised_by_the_answer_and_never_lowered": "the same",
    "tests/guard/test_secrets.py::test_no_secret_of_a_boto3_call_comes_out": "the same",
    "tests/cli/test_demo_verb.py": "moto of that time answers no InvokeModel",
    "tests/unit/reference/test_reference_accelerators.py::"
    "test_every_accelerator_name_of_ec2_and_deadline_is_read": "botocore of that time lists fewer types",
    "tests/unit/reference/test_reference_catalogue.py::"
    "test_the_installed_botocore_has_no_type_that_nobody_has_looked_at": "the same",
    "tests/unit/reference/test_reference_instances_aws.py::"
    "test_every_ec2_type_of_the_installed_botocore_is_classified": "the same",
    "tests/unit/reference/test_reference_instances_aws.py::"
    "test_every_type_that_a_service_lists_is_classified": "the same",
    "tests/guard/test_metered_and_told.py": "moto of that time answers no InvokeModel",
    "tests/guard/test_boto3_calls.py::test_claude_is_refused_for_a_party_in_china_and_in_a_china_region": "the same",
    "tests/adapters/azure/test_azure_evasions_live.py": "no azure-mgmt-resource-deployments for azure-core 1.30",
    "tests/adapters/azure/test_azure_projects.py": "azure-ai-projects is for openai 3",
    "tests/adapters/openai/test_openai_tokens.py": "openai 1.40 has no responses",
    "tests/adapters/openai/test_openai_client_is_judged.py::"
    "test_every_surface_that_runs_a_model_is_refused_before_a_connection": "openai 1.40 has no responses",
    "tests/adapters/openai/test_openai_client_is_judged.py::"
    "test_realtime_is_refused_before_its_socket": "openai 1.40 has no realtime",
    "tests/adapters/openai/test_openai_client_is_judged.py::"
    "test_attach_guards_one_client_and_its_copies_only": "openai 1.40 has no responses",
}
"""Tests that the oldest SDKs cannot run, each with why."""
SDK_TESTS = ("tests/adapters", "tests/guard", "tests/testing", "tests/cli", "tests/unit", "tests/packaging")
DESELECTED = "not wheel and not soak"


@dataclass(frozen=True)
class Environment:
    name: str
    python: str
    pins: dict[str, str] = field(default_factory=dict)
    deselected: dict[str, str] = field(default_factory=dict)
    upgrade: tuple[str, ...] = ()
    tests: tuple[str, ...] = ("tests",)


def environments() -> list[Environment]:
    found = [Environment(f"python3.{minor}", f"python3.{minor}") for minor in (11, 12, 13)]
    newest = tuple(OLDEST)
    return [
        *found,
        Environment("oldest", "python3.11", pins={**OLDEST, **OF_THAT_TIME}, deselected=NOT_THEN, tests=SDK_TESTS),
        Environment("newest", "python3.13", upgrade=newest, tests=SDK_TESTS),
    ]


def _check_bounds() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name, version in OLDEST.items():
        bound = re.search(rf'"{re.escape(name)}>=([\d.]+)', text)
        assert bound is not None
        assert version.startswith(bound[1]), f"pyproject.toml says {name}>={bound[1]}, this file {version}"


def _run(*command: str | Path, cwd: Path = ROOT, quiet: bool = True, env: dict[str, str] | None = None) -> int:
    out = subprocess.DEVNULL if quiet else None
    done = subprocess.run([str(part) for part in command], cwd=cwd, stdout=out, env=env, check=False)
    return done.returncode


def _interpreter(name: str) -> str | None:
    """A Python of this version: on the PATH, and one that really starts."""
    path = shutil.which(name)
    wanted = name.removeprefix("python")
    for candidate in filter(
        None, (path, *map(str, sorted(Path.home().glob(f".pyenv/versions/{wanted}.*/bin/python"))))
    ):
        told = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
        if told.returncode == 0 and f" {wanted}." in f"{told.stdout} ":
            return candidate
    return None


def _wheel() -> Path:
    target = HOME / "wheel"
    shutil.rmtree(target, ignore_errors=True)
    code = _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT)
    if code:
        raise SystemExit("the wheel cannot be built")
    (wheel,) = target.glob("*.whl")
    return wheel


def _prepared(environment: Environment, interpreter: str, wheel: Path) -> Path | None:
    venv = HOME / environment.name
    python = venv / "bin" / "python"
    if not python.exists() and _run(interpreter, "-m", "venv", "--clear", venv):
        return None
    install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    if _run(*install, "--constraint", ROOT / "constraints.txt", f"{wheel}[demo,dev]"):
        return None
    if _run(*install, "--force-reinstall", "--no-deps", wheel):
        return None
    pins = [f"{name}=={version}" for name, version in environment.pins.items()]
    if pins and _run(*install, "--no-deps", *pins):
        return None
    if environment.upgrade and _run(*install, "--upgrade", *environment.upgrade):
        return None
    return python


def _snapshot() -> Path:
    """What stands beside the wheel, as it is now: preparing environments takes minutes in which somebody may edit."""
    return _copy(ROOT, HOME / "tree")


def _copy(whole: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in COPIED:
        source = whole / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copy2(source, target / name)
    return target


def _left_out(name: str) -> tuple[str, str]:
    return ("--deselect", name) if "::" in name else ("--ignore", name)


def judge(environment: Environment, wheel: Path, snapshot: Path) -> tuple[str, float]:
    start = time.monotonic()
    interpreter = _interpreter(environment.python)
    if interpreter is None:
        return f"not run: {environment.python} is not on this machine", 0.0
    python = _prepared(environment, interpreter, wheel)
    if python is None:
        return "FAILED: its environment cannot be prepared", time.monotonic() - start
    tree = _copy(snapshot, HOME / f"{environment.name}-tree")
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env["PATH"] = f"{python.parent}{os.pathsep}{env['PATH']}"
    deselected = {**NOT_FROM_A_WHEEL, **environment.deselected}
    for name, why in deselected.items():
        print(f"not run: {name}: {why}", flush=True)
    left_out = [option for name in deselected for option in _left_out(name)]
    arguments = (
        "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-o", "pythonpath=tests", "-m", DESELECTED, *left_out,
        *environment.tests,
    )  # fmt: skip
    code = _run(python, *arguments, cwd=tree, quiet=False, env=env)
    return "passed" if code == 0 else f"FAILED (pytest exit code {code})", time.monotonic() - start


def main(names: list[str]) -> int:
    _check_bounds()
    HOME.mkdir(parents=True, exist_ok=True)
    chosen = [each for each in environments() if not names or each.name in names]
    wheel, snapshot = _wheel(), _snapshot()
    told = []
    for environment in chosen:
        print(f"== {environment.name}", flush=True)
        told.append((environment.name, *judge(environment, wheel, snapshot)))
    print()
    for name, result, seconds in told:
        print(f"{name}: {result} ({seconds:.0f} s)")
    return 1 if any(result.startswith("FAILED") for _, result, _ in told) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
