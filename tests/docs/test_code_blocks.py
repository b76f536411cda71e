"""Every code block of the documentation is executed, by Sybil: Python runs, commands run, documents are read.

A page is run from top to bottom in a folder of its own, as a reader would follow it: a YAML or JSON block is saved
under the name in its first comment (or the name of its kind), so that later blocks find it. A block that needs what a
test must not have (an account, a network) stands after ``<!-- not executed: why -->``, and is listed.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
import shlex
import signal
import tomllib
from pathlib import Path

import pytest
from sybil import Example
from sybil.document import Document
from sybil.parsers.markdown import CodeBlockParser

from cli_process import run
from exportguard import reference
from exportguard.authoring.suite import Suite
from exportguard.documents import as_json, parse_json, parse_yaml, validate
from exportguard.judging import read_document
from exportguard.language import PolicySource, compile_scope, load_policies

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
SHOWN = ("text", "console", "mermaid", "")
"""Blocks that show something and are nothing to run."""
OTHERS = ("pip", "make", "git", "export", "python", "pytest", "npm", "docker", "curl", "jq")
"""Commands that a reader runs and a test does not."""
NOT_RUN = (["demo"], ["--show-completion"], ["--install-completion"], ["data", "refresh"], ["log"], ["authorizations"])
"""Verbs of ours that change the machine, wait, or need what only a reader has: their names and options are checked."""
SECONDS = 120
"""For one command: one that waits for ever must not."""
KNOWN = {"subscription_id": "00000000-0000-0000-0000-000000000000"}
"""Names that a reader's program has already."""
_SKIP = re.compile(r"<!--\s*not executed:\s*(.+?)\s*-->\s*\Z", re.DOTALL)
_HEAD = "policy: shown\nversion: 1\ntitle: Shown\n"


def _skipped(example: Example) -> bool:
    return _SKIP.search(example.document.text[: example.start]) is not None


def python(example: Example) -> None:
    if _skipped(example):
        return
    code = compile(str(example.parsed), str(example.path), "exec")
    space = example.namespace
    before = set(space)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, space)
    tests = [name for name in space if name.startswith("test_") and name not in before]
    if tests:
        file = Path("test_shown.py")
        file.write_text(str(example.parsed))
        assert pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", "/dev/null", str(file)]) == 0


def yaml(example: Example) -> None:
    if _skipped(example):
        return
    text = str(example.parsed)
    data, _ = parse_yaml(text, str(example.path), scalar=as_json)
    assert data is not None
    named = re.match(r"#\s*([\w./-]+\.ya?ml)\s*$", text.split("\n", 1)[0])
    if isinstance(data, dict) and ("policy" in data or "rules" in data):
        whole = text if "policy" in data else _HEAD + text
        load_policies([PolicySource(f"{example.path}:{example.line}", whole)], reference.default())
    elif isinstance(data, dict) and "suite" in data:
        validate(Suite, data, f"{example.path}:{example.line}")
    elif isinstance(data, dict) and "customers" in data and isinstance(data["customers"], list):
        from exportguard.parties import load_directory

        Path(named[1] if named else "customers.yaml").write_text(text)
        load_directory(named[1] if named else "customers.yaml")
    elif isinstance(data, dict) and "authorizations" in data and isinstance(data["authorizations"], list):
        from exportguard.authority import load_authorizations

        Path(named[1] if named else "authorizations.yaml").write_text(text)
        for entry in load_authorizations(named[1] if named else "authorizations.yaml"):
            compile_scope(entry.scope, reference.default(), name=entry.id)


def documents(example: Example) -> None:
    if _skipped(example):
        return
    try:
        found = [parse_json(str(example.parsed), str(example.path))]
    except Exception:
        found = [json.loads(line) for line in str(example.parsed).splitlines() if line.strip()]
    for document in found:
        if isinstance(document, dict) and ("sdk" in document or "provider" in document):
            read_document({k: v for k, v in document.items() if k != "id"}, str(example.path))
            Path("call.json" if "sdk" in document else "request.json").write_text(json.dumps(document))


def shell(example: Example) -> None:
    if _skipped(example):
        return
    for line in str(example.parsed).replace("\\\n", " ").splitlines():
        command, _, comment = line.partition("#")
        wanted = re.search(r"exit code (\d)", comment)
        for part in command.split("&&"):
            one(shlex.split(part), int(wanted[1]) if wanted else 0)


def one(words: list[str], code: int) -> None:
    """One command: one of ours runs, and ends with *code*."""
    if not words:
        return
    if "|" in words:
        words = words[words.index("|") + 1 :] if words[0] != "exportguard" else words[: words.index("|")]
    if words[0] != "exportguard":
        assert words[0] in OTHERS, f"`{words[0]}` is no command that is known here"
        return
    if any(words[1 : 1 + len(each)] == each for each in NOT_RUN) or {"--watch", "--follow", "-f"} & set(words):
        told(words[1:])
        return
    with limited():
        done = run(*words[1:])
    assert done.returncode == code, f"{' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


@contextlib.contextmanager
def limited():
    def late(*_):
        raise TimeoutError(f"still running after {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def told(words: list[str]) -> None:
    """The verb is there, and takes every option that is shown."""
    names = list(itertools.takewhile(lambda word: re.fullmatch("[a-z]+", word), words))[:2]
    done = run(*names, "--help")
    while done.returncode and len(names) > 1:
        names.pop()
        done = run(*names, "--help")
    assert done.returncode == 0, f"there is no `{' '.join(names)}`"
    for word in words:
        if word.startswith("--") and word not in ("--show-completion", "--install-completion"):
            assert re.search(rf"{re.escape(word)}\b", done.stdout), f"`{' '.join(names)}` has no `{word}`"


def condition(example: Example) -> None:
    text = "\n".join(f"      {line}" for line in str(example.parsed).splitlines())
    assert text.strip()


def toml(example: Example) -> None:
    tomllib.loads(str(example.parsed))


def nothing(example: Example) -> None:
    return None


RUNNERS = {
    "python": python, "yaml": yaml, "json": documents, "jsonl": documents, "sh": shell, "bash": shell,
    "toml": toml, "cel": condition, **dict.fromkeys(SHOWN, nothing),
}  # fmt: skip
PARSERS = [CodeBlockParser(language, runner) for language, runner in RUNNERS.items() if language]
_FENCE = re.compile(r"^ *```([^\n`]*)$(.*?)^ *```\s*$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def reader(page, tmp_path, monkeypatch):
    """The folder of a reader, who has customers, and a cloud that is none."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "examples" / "company_policies" / "customers.yaml").read_text()
    _, second, third = text.split("  - id: ")
    head = text.split("  - id: ")[0]
    people = [second, third.replace("cust-shenzhen", "shenzhen-university"), _other(second, "cust-17", "333344445555")]
    Path("customers.yaml").write_text("".join([head, *(f"  - id: {each}" for each in people)]))
    examples = tmp_path / "examples"
    examples.symlink_to(ROOT / "examples")
    if "exportguard init" not in page.read_text():
        run("init", tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    from moto import mock_aws

    from exportguard import Guard

    loaded: list[Guard] = []
    load = Guard.load

    def remembered(*args, **kwargs):
        loaded.append(load(*args, **kwargs))
        return loaded[-1]

    monkeypatch.setattr(Guard, "load", remembered)
    try:
        with mock_aws():
            yield tmp_path
    finally:
        for guard in loaded:
            guard.close()


def _other(customer: str, name: str, account: str) -> str:
    """The same customer under another id and account."""
    lines = customer.split("\n")
    return "\n".join([name, *(line.replace("222233334444", account) for line in lines[1:])])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_code_blocks_of_a_page_run(page, reader):
    text = page.read_text(encoding="utf-8")
    languages = [found[1].split(" ")[0].strip() for found in _FENCE.finditer(text)]
    unknown = sorted(set(languages) - set(RUNNERS))
    assert not unknown, f"{page.name}: nobody runs {unknown}"
    document = Document.parse(str(page), *PARSERS)
    document.namespace.update(KNOWN)
    count = 0
    for example in document.examples():
        count += 1
        example.evaluate()
    assert count == sum(language not in ("",) for language in languages)
