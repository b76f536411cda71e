"""What the pytest plugin costs a suite that does not use it, and how long verbs take over the shipped packs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.report import Report, interleaved
from exportguard import reference
from exportguard.authoring.coverage import Coverage
from exportguard.authoring.files import files_of
from exportguard.authoring.fmt import format_text
from exportguard.authoring.lint import lint
from exportguard.authoring.runner import Loader, run_suites
from exportguard.language import PolicySource
from exportguard.packs import shipped_folder


def run(report: Report) -> None:
    _plugin(report)
    _verbs(report)


def _plugin(report: Report) -> None:
    """A suite of one empty test, with the plugin and without it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n")

        def suite(*more: str) -> None:
            env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other plugins take ten times as long
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, *more]
            subprocess.run([*command, name], cwd=name, check=True, capture_output=True, env=env)

        suite()
        plugin = ("-p", "exportguard.testing.plugin")
        taken = interleaved({"with": lambda: suite(*plugin), "without": suite}, repeats=15)
    report.add("authoring", "pytest, one empty test, plugin unused", taken["with"] * 1000, "ms",
               peers={"without the plugin": taken["without"] * 1000})  # fmt: skip
    alone = interleaved({"import": _imported}, repeats=9, loops=20)["import"]
    report.add("authoring", "the plugin's import, pytest being there", alone * 1000, "ms", at_most=5)


def _imported() -> None:
    """The plugin and what it brings, from their compiled files as a suite starts it."""
    ours = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "exportguard"}
    for name in ours:
        del sys.modules[name]
    importlib.import_module("exportguard.testing.plugin")
    for name in [name for name in sys.modules if name.split(".")[0] == "exportguard"]:
        del sys.modules[name]
    sys.modules.update(ours)


def _verbs(report: Report) -> None:
    folder, data = shipped_folder(), reference.default()
    files = files_of([folder])
    now = datetime(2026, 11, 25, tzinfo=UTC)
    sources = [PolicySource.from_path(file.path, file.name) for file in files]
    loader = Loader()
    results = [timed.result for suite in run_suites(files, loader=loader) for timed in suite.results]
    ready = loader.ready(next(file for file in files if file.kind == "suite"))
    state = ready.guard._state

    def cover() -> None:
        covered = Coverage(state.policies, state.reference)
        for result in results[:50]:
            if result.decision is not None:
                covered.note(result.decision.request, result.decision.as_of)

    taken = interleaved(
        {
            "lint": lambda: lint(files, data, as_of=now),
            "fmt": lambda: [format_text(source) for source in sources],
            "test": lambda: list(run_suites(files, loader=loader)),
            "coverage": cover,
        },
        repeats=3,
    )
    report.add("authoring", f"lint, {len(files)} files of the shipped packs", taken["lint"] * 1000, "ms")
    report.add("authoring", f"fmt, {len(files)} files", taken["fmt"] * 1000, "ms")
    report.add("authoring", f"test, {len(results)} cases, policies loaded", taken["test"] * 1000, "ms")
    report.add("authoring", "coverage, 50 cases of one pack", taken["coverage"] * 1000, "ms")
