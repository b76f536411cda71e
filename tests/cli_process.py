"""The command line inside this process: as fast as a call, with the exit code, output and errors of a process."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@contextmanager
def _there(cwd: Path | None):
    before = Path.cwd()
    if cwd is not None:
        os.chdir(cwd)
    try:
        yield
    finally:
        os.chdir(before)


def run(*arguments: object, stdin: str = "", cwd: Path | None = None) -> Done:
    """`exportguard` with *arguments*."""
    from exportguard.cli.app import run as app

    out, err = io.StringIO(), io.StringIO()
    argv, standard = sys.argv, sys.stdin
    sys.argv = ["exportguard", *map(str, arguments)]
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    code: object = 0
    try:
        with _there(cwd), redirect_stdout(out), redirect_stderr(err):
            app()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.argv, sys.stdin = argv, standard
    assert code is None or isinstance(code, int)
    return Done(code or 0, out.getvalue(), err.getvalue())
