"""The runner for google/cel-spec's simple tests, and a small set of our own in their form."""

from __future__ import annotations

from pathlib import Path

import pytest

import cel_spec
import textproto

OURS = Path(__file__).parent / "cel_spec" / "profile.textproto"


def test_our_own_cases_hold() -> None:
    """Nothing fails, and only what is meant to be is outside the profile."""
    results = list(cel_spec.run_file(OURS))
    assert [r for r in results if r.outcome == "failed"] == []
    assert {r.test.partition("/")[0] for r in results if r.outcome == "outside"} == {"outside"}
    assert sum(r.outcome == "passed" for r in results) > 100


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("1 + 1", "int64_value: 3"),
        ("1 + 1", "double_value: 2"),
        ("'a'", 'string_value: "b"'),
        ("true", "int64_value: 1"),
    ],
)
def test_a_wrong_answer_is_a_failure(tmp_path: Path, expr: str, expected: str) -> None:
    """The runner can fail, by value and by type."""
    file = tmp_path / "x.textproto"
    file.write_text(f'name: "x" section {{ name: "s" test {{ name: "t" expr: "{expr}" value {{ {expected} }} }} }}')
    assert [r.outcome for r in cel_spec.run_file(file)] == ["failed"]
    assert cel_spec.main([str(tmp_path)]) == 1


def test_an_answer_where_an_error_is_expected_is_a_failure(tmp_path: Path) -> None:
    """And a refusal at load is none."""
    file = tmp_path / "x.textproto"
    error = "eval_error { errors { message: 'x' } }"
    tests = "".join(
        f'test {{ name: "{n}" expr: "{e}" {error} }}' for n, e in (("a", "1 + 1"), ("b", "1 +"), ("c", "1 / 0"))
    )
    file.write_text(f'section {{ name: "s" {tests} }}')
    assert [r.outcome for r in cel_spec.run_file(file)] == ["failed", "passed", "passed"]


def test_no_file_is_an_error(tmp_path: Path) -> None:
    """Nothing to run is not success."""
    assert cel_spec.main([str(tmp_path)]) == 2


def test_the_text_form_is_read_as_it_is_written() -> None:
    """Separators, lists, both brackets, joined strings, escapes that name bytes, comments."""
    read = textproto.parse(
        """a: 1, b: -2; c: [3, 4] # note
        d { e: "x" 'y' } f < g: true >
        [type.googleapis.com/a.B] { h: 0x1F } i: "\\\\377\\\\n" j: inf k: 1.5f l: -0.0"""
    )
    assert read.all("c") == [3, 4]
    assert read.get("d").get("e") == b"xy"
    assert read.get("f").get("g") == textproto.Word("true")
    assert read.get("[type.googleapis.com/a.B]").get("h") == 31
    assert read.get("i") == b"\\377\\n".replace(b"\\\\377", b"\\xff")
    assert (read.get("a"), read.get("b"), read.get("j"), read.get("k")) == (1, -2, float("inf"), 1.5)
    with pytest.raises(ValueError):
        textproto.parse("a: }")
