"""What every verb of the command line has: help with an example, completion, colours and bars on terminals only."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli_process import run

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from exportguard.cli import main; main()"]


def verbs() -> list[tuple[str, ...]]:
    """Every verb, those of groups included. Examples of these stand in `cli/examples.py`."""
    import typer.main

    from exportguard.cli.app import app

    found: list[tuple[str, ...]] = []

    def walk(command, names):
        inner = getattr(command, "commands", None)
        if inner:
            for name, each in inner.items():
                walk(each, (*names, name))
        else:
            found.append(names)

    walk(typer.main.get_command(app), ())
    return sorted(found)


VERBS = verbs()


def test_the_verbs_are_those_of_the_documentation():
    names = {names[0] for names in VERBS}
    assert {"check", "test", "lint", "fmt", "explain", "coverage", "schema", "init", "demo"} <= names
    table = (ROOT / "docs" / "command-line.md").read_text()
    for name in names:
        assert f"`{name}" in table, f"docs/command-line.md does not name `{name}`"


@pytest.mark.parametrize("names", VERBS, ids=" ".join)
def test_every_verb_has_help_with_an_example(names):
    done = run(*names, "--help")
    assert done.returncode == 0
    assert re.search(rf"Example: .*exportguard {' '.join(names)}", " ".join(done.stdout.split()))


@pytest.mark.parametrize("names", VERBS, ids=" ".join)
def test_a_wrong_option_is_told_on_standard_error_with_exit_code_2(names):
    done = run(*names, "--no-such-option")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no-such-option" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_shells_get_a_completion(shell):
    done = run("completion", shell)
    assert done.returncode == 0
    assert "_EXPORTGUARD_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [("exportguard li", "lint"), ("exportguard schema po", "policy"), ("exportguard explain EG20", "EG203")],
)
def test_completion_knows_verbs_and_words(words, expected):
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "_EXPORTGUARD_COMPLETE": "complete_bash"}
    env |= {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    script = "import sys; sys.argv[0] = 'exportguard'; from exportguard.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert expected in done.stdout.split()


def on_a_terminal(*arguments: str, cwd: Path, **env: str) -> bytes:
    """What a terminal would show, escapes included."""
    parent, child = pty.openpty()
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "xterm-256color", "COLUMNS": "120", **env}
    process = subprocess.Popen([*COMMAND, *arguments], stdin=child, stdout=child, stderr=child, cwd=cwd, env=variables)
    os.close(child)
    shown = b""
    while True:
        try:
            block = os.read(parent, 65536)
        except OSError:
            break
        if not block:
            break
        shown += block
    os.close(parent)
    process.wait(60)
    return shown


@pytest.fixture
def many(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text("policy: p\nrules:\n  - {id: a, effect: deny, when: item.count > 8}\n")
    cases = "".join(
        f"  - {{name: c{i}, request: {{provider: aws, items: []}}, expect: {{outcome: ALLOW}}}}\n" for i in range(40)
    )
    (tmp_path / "tests.yaml").write_text(f"suite: p\nas_of: 2024-01-01\ncases:\n{cases}")
    return tmp_path


def test_a_terminal_gets_colours_and_a_bar_and_a_pipe_gets_neither(many):
    shown = on_a_terminal("test", str(many), cwd=many)
    assert b"\x1b[1;32m" in shown or b"\x1b[32m" in shown
    assert b"testing" in shown
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    piped = subprocess.run([*COMMAND, "test", str(many)], capture_output=True, timeout=60, env=env, check=False)
    assert b"\x1b" not in piped.stdout + piped.stderr
    assert b"testing" not in piped.stdout + piped.stderr
    assert piped.returncode == 0


def test_no_color_switches_colours_off(many):
    shown = on_a_terminal("lint", str(many), cwd=many, NO_COLOR="1")
    assert not [code for code in (b"\x1b[31m", b"\x1b[32m", b"\x1b[33m", b"\x1b[1;3", b";32m") if code in shown]


def test_standard_output_may_be_closed_early(many):
    """`exportguard … | head` ends without a traceback."""
    process = subprocess.Popen(
        [*COMMAND, "lint", str(ROOT / "tests" / "diagnostics" / "policies"), "--format", "jsonl"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    errors = process.stderr.read()
    process.wait(60)
    assert b"Traceback" not in errors


TOO_LONG = "x" * 300
"""A path that cannot be looked at, for root as well, whom no folder is closed to."""


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", TOO_LONG),
        ("explain", TOO_LONG),
        ("lint", TOO_LONG),
        ("fmt", TOO_LONG),
        ("test", TOO_LONG),
        ("coverage", TOO_LONG),
        ("prove", TOO_LONG),
        ("diff", TOO_LONG, "default", "--no-prove"),
        ("diff", "default", "default", "--no-prove", "--log", TOO_LONG),
        ("own", TOO_LONG, "x"),
        ("screen", "--file", TOO_LONG),
        ("init", TOO_LONG),
        ("check", "-", "--lists", TOO_LONG),
        ("check", "-", "--policies", TOO_LONG),
        ("check", "-", "--customers", TOO_LONG),
        ("check", "-", "--customers", f"{TOO_LONG}.sqlite"),
        ("check", "-", "--authorizations", TOO_LONG),
        ("test", str(ROOT / "policies" / "baseline"), "--policies", TOO_LONG),
        ("log", "tail", "--record", TOO_LONG),
        ("log", "verify", "--record", TOO_LONG),
        ("authorizations", "reconcile", "--ledger", TOO_LONG),
    ],
    ids=lambda arguments: " ".join(arguments).replace(TOO_LONG, "PATH").replace(str(ROOT), ""),
)
def test_a_path_that_cannot_be_looked_at_is_told_by_its_name_and_never_with_a_traceback(arguments, tmp_path):
    done = run(*arguments, stdin="{}", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    # A table folds what is long.
    assert "xxxxxxxx" in done.stdout + done.stderr


def test_a_folder_that_may_not_be_entered_is_told_apart_from_one_that_is_not_there(tmp_path, monkeypatch):
    def closed(self, **_):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", closed)
    for arguments in (("lint", "closed/x"), ("check", "-", "--policies", "closed/x"), ("log", "tail", "--record", "x")):
        done = run(*arguments, stdin="{}", cwd=tmp_path)
        assert done.returncode == 2
        assert re.fullmatch(r"error: (closed/)?x: cannot be read: Permission denied\n", done.stderr), done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_behind_standard_output_is_told_without_a_traceback():
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "schema"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: No space left on device\n"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("check", "-", "--as-of", "soon"), "--as-of"),
        (("log", "export", "--since", "soon"), "--since"),
        (("log", "export", "--until", "soon"), "--until"),
        (("log", "erase", "--before", "soon", "--by", "b", "--reason", "r"), "--before"),
    ],
)
def test_a_date_that_is_none_is_told_with_the_option_that_it_stands_in(arguments, option):
    done = run(*arguments, stdin="{}")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {option}: `soon` is no date or instant\n")


def test_a_percentage_that_is_none_is_told_once_and_with_a_remedy(tmp_path):
    for text, said in (("x", "`x` is neither a decimal nor a fraction"), ("500", "`500` is not between 0 and 100")):
        done = run("own", "graph.json", "a", "--at-least", text, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (
            2,
            f"error: --at-least: {said}\n  help: Write a percentage, such as 50 or 33.3.\n",
        )


def test_a_list_that_cannot_be_fetched_says_why_in_plain_words():
    done = run("data", "refresh", "--list", "http://127.0.0.1:1/list.json")
    assert done.returncode == 2
    assert "cannot be fetched: Connection refused\n" in done.stderr
