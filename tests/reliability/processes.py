"""Starting the programs of `writers`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT / "src"), str(_ROOT / "tests")])}
    command = [sys.executable, str(Path(__file__).with_name("writers.py")), program, *arguments]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )


def killed(process: subprocess.Popen[bytes]) -> list[str]:
    """End it as nothing can prepare for; the whole lines that it had said by then."""
    process.kill()
    process.wait(30)
    # By the same buffer that lines were read from before: `communicate` would pass over what is in it.
    assert process.stdout is not None
    *whole, _ = process.stdout.read().decode().split("\n")
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return whole


def tell(process: subprocess.Popen[bytes]) -> None:
    """Send it an empty line."""
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def lines(process: subprocess.Popen[bytes], end: str) -> Iterator[str]:
    """What it says before the line *end*."""
    assert process.stdout is not None
    for line in process.stdout:
        text = line.decode().strip()
        if text == end:
            return
        yield text
    raise AssertionError(f"ended without saying {end}")
