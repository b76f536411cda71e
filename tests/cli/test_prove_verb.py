"""`exportguard prove`, run as a user runs it; and `check` on what it found."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from cli.test_check_verb import exportguard

POLICY = """\
policy: mine
version: 1
title: Mine
basis: company_policy
rules:
  - id: no-china
    effect: deny
    when: item.eccn == "3A090.a" && party.headquarters == "CN"
    authorizable_by: [internal_waiver]
"""
PROPERTIES = """\
properties: mine
as_of: 2026-11-25
claims:
  - id: china
    title: Nothing for China
    claim: never_allowed
    when: item.eccn == "3A090.a" && party.headquarters == "CN"
"""
WRONG = """\
  - {id: russia, claim: never_allowed, when: 'item.eccn == "3A090.a" && party.headquarters == "RU"'}
  - id: waived
    claim: never_allowed
    when: item.eccn == "3A090.a" && party.headquarters == "CN"
    without: [bis_license]
"""
TEXT = "  - {id: text, claim: never_allowed, when: 'string(item.count) == \"8\"'}\n"


def folder(path: Path, more: str = "") -> Path:
    (path / "policy.yaml").write_text(POLICY)
    (path / "properties.yaml").write_text(PROPERTIES + more)
    return path


def test_exit_codes_tell_proved_refuted_undecided_and_error_apart(tmp_path):
    assert exportguard("prove", str(folder(tmp_path))).returncode == 0
    assert exportguard("prove", str(folder(tmp_path, TEXT))).returncode == 3
    assert exportguard("prove", str(folder(tmp_path, TEXT + WRONG))).returncode == 1
    done = exportguard("prove", str(folder(tmp_path, "  - {id: x, claim: never}\n")))
    assert done.returncode == 2
    assert "error[EG302]" in done.stderr
    assert exportguard("prove", str(tmp_path / "nowhere")).returncode == 2


def test_check_confirms_a_counterexample(tmp_path):
    """The documents that `--write` leaves are let out by `check` under the same policies."""
    done = exportguard("prove", str(folder(tmp_path, WRONG)), "--write", str(tmp_path / "found"), "--format", "json")
    assert done.returncode == 1, done.stderr
    status = {entry["id"]: entry["status"] for entry in json.loads(done.stdout)}
    assert status == {"china": "proved", "russia": "refuted", "waived": "refuted"}
    files = {path.stem.rpartition("-")[2]: path for path in (tmp_path / "found").glob("*[!s].json")}
    plain = ("--policies", str(tmp_path / "policy.yaml"), "--as-of", "2026-11-25", "--format", "jsonl")
    checked = exportguard("check", str(files["russia"]), *plain)
    assert (checked.returncode, json.loads(checked.stdout)["outcome"]) == (0, "ALLOW"), checked.stderr
    assert exportguard("check", str(files["waived"]), *plain).returncode == 1
    lifting = files["waived"].with_suffix(".authorizations.json")
    checked = exportguard("check", str(files["waived"]), *plain, "--authorizations", str(lifting))
    assert (checked.returncode, json.loads(checked.stdout)["outcome"]) == (0, "ALLOW"), checked.stderr


def test_the_report_states_bounds_and_names_the_request(tmp_path):
    done = exportguard("prove", str(folder(tmp_path, WRONG)))
    assert "of requests of any size (decided by those of at most 1 item, 2 parties, 1 location" in done.stdout
    assert "refuted by (as of 2026-11-25): {" in done.stdout
    assert "1 proved, 2 refuted" in done.stdout


def test_junit_and_annotations_name_what_failed(tmp_path):
    where = str(folder(tmp_path, WRONG + TEXT))
    cases = ElementTree.fromstring(exportguard("prove", where, "--format", "junit").stdout).findall(".//testcase")
    assert {case.get("name"): [child.tag for child in case] for case in cases} == {
        "china": [], "russia": ["failure"], "waived": ["failure"], "text": ["error"],
    }  # fmt: skip
    lines = [line for line in exportguard("prove", where, "--format", "github").stdout.splitlines() if line]
    assert len(lines) == 3
    assert all(line.startswith("::error file=") for line in lines)


def test_claims_are_chosen_by_name_and_policies_by_option(tmp_path):
    where = str(folder(tmp_path, WRONG))
    done = exportguard("prove", where, "-k", "russia", "--policies", str(tmp_path / "policy.yaml"), "--format", "jsonl")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["russia"]
    assert exportguard("prove", where, "-k", "nothing").returncode == 2
