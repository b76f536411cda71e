"""The schemas in a real editor back end: the YAML language server from npm, told by the modeline alone."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from cli_process import run

pytestmark = pytest.mark.node
VERSION = "1.19.2"
TIMEOUT = 60


class Server:
    """A language server on its standard input and output."""

    def __init__(self, script: Path, folder: Path) -> None:
        self.process = subprocess.Popen(
            ["node", str(script), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.number = 0
        self.incoming: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
        self.send({"method": "initialized", "params": {}})

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while line := stream.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not length:
                return
            self.incoming.put(json.loads(stream.read(length)))

    def send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self.process.stdin.flush()

    def until(self, wanted: Any) -> dict[str, Any]:
        while True:
            message = self.incoming.get(timeout=TIMEOUT)
            if "id" in message and "method" in message:
                many = len(message["params"].get("items", ())) if message["method"] == "workspace/configuration" else 0
                self.send({"id": message["id"], "result": [{} for _ in range(many)] if many else None})
            elif wanted(message):
                return message

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        self.number += 1
        number = self.number
        self.send({"id": number, "method": method, "params": params})
        return self.until(lambda message: message.get("id") == number).get("result")

    def opened(self, path: Path, text: str) -> list[dict[str, Any]]:
        """The diagnostics of *text* in an editor that has *path* open."""
        uri = path.as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        told = self.until(lambda m: m.get("method") == "textDocument/publishDiagnostics" and m["params"]["uri"] == uri)
        return list(told["params"]["diagnostics"])

    def completions(self, path: Path, line: int, character: int) -> set[str]:
        params = {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": character}}
        found = self.ask("textDocument/completion", params)
        items = found["items"] if isinstance(found, dict) else found or []
        return {item["label"] for item in items}

    def hover(self, path: Path, line: int, character: int) -> str:
        params = {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": character}}
        found = self.ask("textDocument/hover", params)
        return str(found["contents"]) if found else ""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    assert run("init", folder, "--name", "acme").returncode == 0
    return folder


@pytest.fixture(scope="module")
def server(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("npm")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("not run: npm is not on this machine")
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", f"yaml-language-server@{VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip("not run: npm cannot install the YAML language server here")
    script = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    started = Server(script, project)
    yield started
    started.process.kill()
    started.process.wait()


def test_what_init_writes_has_no_diagnostics(server, project):
    for name in ("acme/policy.yaml", "acme/tests.yaml", "customers.yaml"):
        path = project / "policies" / name
        assert server.opened(path, path.read_text()) == [], name


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("acme/policy.yaml", "effect: hold", "effect: refuse", "deny"),
        ("acme/policy.yaml", "    remedy:", "    remedi:", "remedi"),
        ("acme/policy.yaml", "authorizable_by: [internal_waiver]", "authorizable_by: [waiver]", "internal_waiver"),
        ("acme/tests.yaml", "expect: {outcome: ALLOW}", "expect: {outcom: ALLOW}", "outcom"),
        ("customers.yaml", "role: end_user", "role: boss", "end_user"),
    ],
)  # fmt: skip
def test_mistakes_are_marked_in_the_line_they_are_in(server, project, name, old, new, told):
    text = (project / "policies" / name).read_text()
    assert old in text
    broken = text.replace(old, new, 1)
    path = project / "policies" / name.replace(".yaml", f"-{abs(hash(new))}.yaml")
    found = server.opened(path, broken)
    line = broken[: broken.index(new)].count("\n")
    assert any(told in each["message"] and each["range"]["start"]["line"] == line for each in found), found


def test_keys_and_words_are_completed_and_described(server, project):
    path = project / "policies" / "acme" / "new.yaml"
    text = (
        "# yaml-language-server: $schema=../.schemas/policy.schema.json\n"
        "policy: p\nrules:\n  - id: a\n    effect: \n    \n"
    )
    server.opened(path, text)
    assert {"deny", "hold", "flag"} <= server.completions(path, 4, 12)
    assert {"when", "unless", "because", "authorizable_by"} <= server.completions(path, 5, 4)
    assert "refuses" in server.hover(path, 4, 6)
