"""Every problem in policy text, exactly as it is shown. One input, one expected text.

After a change on purpose: ``REWRITE_GOLDEN=1 pytest tests/diagnostics``, then read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exportguard.diagnostics import render_all
from exportguard.errors import PolicyError
from exportguard.language import PolicySource, load_policies
from language_standin import REFERENCE

HERE = Path(__file__).parent
CASES = sorted((HERE / "policies").glob("*.yaml"))


def shown(path: Path) -> str:
    try:
        loaded = load_policies([PolicySource.from_path(path, path.name)], REFERENCE)
    except PolicyError as error:
        return str(error) + "\n"
    return f"loaded: {len(loaded.rules)} rules\n" + render_all(loaded.warnings)


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_a_problem_is_shown_exactly(path: Path) -> None:
    """An author sees this text for this file: code, place, caret and help."""
    expected = path.with_suffix(".txt")
    if os.environ.get("REWRITE_GOLDEN"):
        expected.write_text(shown(path), encoding="utf-8")
    assert shown(path) == expected.read_text(encoding="utf-8")


def test_every_expected_text_has_its_input() -> None:
    """No expected text is left behind by a case that is gone."""
    assert {p.stem for p in (HERE / "policies").glob("*.txt")} == {p.stem for p in CASES}
