"""What `make test-all` says of itself is true: its bounds are the package's, and it leaves out tests that exist."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _everywhere():
    spec = importlib.util.spec_from_file_location("everywhere", ROOT / "tests" / "everywhere.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["everywhere"] = module
    spec.loader.exec_module(module)
    return module


def test_the_oldest_versions_are_the_lower_bounds_of_the_package():
    _everywhere()._check_bounds()


def test_every_test_that_is_left_out_is_one_and_has_a_reason():
    everywhere = _everywhere()
    for name, why in {**everywhere.NOT_FROM_A_WHEEL, **everywhere.NOT_THEN}.items():
        file, _, test = name.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in text, name
        assert why
