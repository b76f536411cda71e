"""`exportguard diff`, run as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.test_check_verb import exportguard
from unit.authoring.test_diff import POLICY

REQUEST = {
    "provider": "aws",
    "locations": [{"region": "us-east-1"}],
    "items": [{"kind": "accelerator", "accelerator": "T4", "count": 64}],
    "parties": [{"role": "end_user", "name": "A", "headquarters": "US", "listings": []}],
}


@pytest.fixture
def sets(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "old.yaml").write_text(POLICY)
    (tmp_path / "new.yaml").write_text(POLICY.replace(">= 64", ">= 65"))
    return str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml")


def test_exit_codes_tell_same_different_undecided_and_error_apart(sets):
    old, new = sets
    assert exportguard("diff", old, old).returncode == 0
    assert exportguard("diff", old, new).returncode == 1
    assert exportguard("diff", old, new, "--no-prove").returncode == 0
    assert exportguard("diff", old, new, "--timeout", "0.000001").returncode == 3
    done = exportguard("diff", old, "nothing-of-that-name")
    assert done.returncode == 2
    assert "neither a file" in done.stderr


def test_a_corpus_is_decided_under_both(sets, tmp_path):
    """By id, with the reasons of each; what cannot be read is told and is no word that they agree."""
    few = {**REQUEST, "items": [{"kind": "accelerator", "accelerator": "T4", "count": 1}]}
    lines = [{"id": "many", **REQUEST}, {"id": "few", **few}]
    (tmp_path / "corpus.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    done = exportguard("diff", *sets, "--corpus", str(tmp_path / "corpus.jsonl"), "--no-prove", "--format", "json")
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)["replayed"]
    assert found == {"place": "many", "old": "HOLD", "new": "ALLOW", "old_rules": ["mine/many"], "new_rules": []}
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"id": "x", "provider": 7}) + "\n" + json.dumps(few))
    done = exportguard("diff", sets[0], sets[0], "--corpus", str(tmp_path / "corpus.jsonl"), "--no-prove")
    assert done.returncode == 3
    assert "1 not decided" in done.stdout


def test_the_report_names_rules_and_shows_what_is_newly_let_out(sets):
    done = exportguard("diff", *sets)
    assert "~ mine/many (when)" in done.stdout
    assert "proved: HOLD -> ALLOW: {" in done.stdout
    assert "proved: ALLOW -> DENY: no request, any size" in done.stdout
