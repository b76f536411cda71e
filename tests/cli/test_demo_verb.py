"""`exportguard demo`: twice, interrupted, and two at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def _start(home: Path) -> Any:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "EXPORTGUARD_HOME": str(home)}
    command = [sys.executable, "-m", "exportguard", "demo"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def _finish(process: Any) -> str:
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    return out


def _outcomes(out: str) -> dict[str, int]:
    found = re.search(r"(\d+) decisions of this run read back from \S+: (.*?)\s+\((\d+) in all\)", out, re.DOTALL)
    assert found, out
    counts = {name: int(count) for count, name in re.findall(r"(\d+) (ALLOW|DENY|HOLD)", found[2])}
    return {**counts, "run": int(found[1]), "all": int(found[3])}


def test_the_demo_shows_the_report_and_reads_its_decisions_back(tmp_path):
    """What issue and report ask for: refused, held and allowed, each on a real client, and all in the log."""
    out = _finish(_start(tmp_path))
    flat = re.sub(r"[\s│]+", " ", out)
    for told in (
        "0 requests sent",
        "1 request sent",
        "0 connections, 0 tokens asked",
        "1 connection, 1 token asked",
        "started",
        "vm-1 created",
        "Shenzhen",
        "Sichuan",
    ):
        assert told in flat
    first = _outcomes(out)
    assert first == {"ALLOW": 5, "DENY": 6, "HOLD": 2, "run": 13, "all": 13}
    assert _outcomes(_finish(_start(tmp_path)))["all"] == 26


def test_an_interrupted_demo_and_two_at_once_leave_the_store_whole(tmp_path):
    broken = _start(tmp_path)
    time.sleep(2.5)
    broken.send_signal(signal.SIGKILL)
    broken.communicate(timeout=60)
    both = [_start(tmp_path), _start(tmp_path)]
    for out in [_finish(process) for process in both]:
        assert _outcomes(out)["run"] == 13
