"""Suites: what a case can say, and how it is told that it does not hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli_process import run
from exportguard.authoring.suite import load_suite
from exportguard.errors import DocumentError

ROOT = Path(__file__).resolve().parents[2]
POLICY = """policy: company
rules:
  - id: no-h100
    effect: deny
    when: item.accelerator.family == "H100" && party.headquarters == "CN"
    authorizable_by: [internal_waiver]
  - id: too-many
    effect: hold
    when: usage.accelerators > 16
    per: {by: end_user, period: P1Y}
"""
PARTY = "{role: end_user, name: A, country: CH, headquarters: CN, ultimate_parent: null, listings: []}"
CASE = f"""  - name: one
    request:
      provider: aws
      locations: [{{region: us-east-1}}]
      items: [{{kind: accelerator, accelerator: H100, count: 8}}]
      parties: [{PARTY}]
    usage: {{accelerators: 0}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def suite(folder: Path, cases: str, head: str = "") -> Path:
    file = folder / "tests.yaml"
    file.write_text(f"suite: company\nas_of: 2024-08-23\n{head}cases:\n{cases}")
    return file


def holds(folder: Path, cases: str, head: str = "") -> bool:
    suite(folder, cases, head)
    done = run("test", folder)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode == 0


@pytest.mark.parametrize(
    ("expect", "held"),
    [
        ("{outcome: DENY}", True),
        ("{outcome: HOLD}", False),
        ("{outcome: DENY, rules: [no-h100]}", True),
        ("{outcome: DENY, rules: [company/no-h100]}", True),
        ("{outcome: DENY, rules: [too-many]}", False),
        ("{outcome: DENY, not_rules: [too-many]}", True),
        ("{outcome: DENY, not_rules: [no-h100]}", False),
        ("{outcome: DENY, rules: [no-h100], only: true}", True),
        ("{outcome: DENY, only: true}", False),
        ("{outcome: DENY, unknown: [party.headquarters]}", False),
        ("{outcome: DENY, flags: [x]}", False),
        ("{outcome: DENY, lifted: [no-h100]}", False),
    ],
)
def test_a_case_holds_just_when_every_expectation_does(folder, expect, held):
    assert holds(folder, f"{CASE}    expect: {expect}\n") is held


def test_a_hidden_fact_and_earlier_use_change_the_outcome(folder):
    hidden = (
        CASE + "    hide: ['parties[0].headquarters']\n    expect: {outcome: HOLD, unknown: [party.headquarters]}\n"
    )
    assert holds(folder, hidden)
    used = CASE.replace("headquarters: CN", "headquarters: CH").replace("accelerators: 0", "accelerators: 9")
    assert holds(folder, used + "    expect: {outcome: HOLD, rules: [too-many], only: true}\n")
    below = used.replace("accelerators: 9", "accelerators: 8")
    assert holds(folder, below + "    expect: {outcome: ALLOW}\n")


def test_what_cannot_be_hidden_is_an_error(folder):
    suite(folder, CASE + "    hide: ['parties[0].headquarter']\n    expect: {outcome: HOLD}\n")
    done = run("test", folder)
    assert done.returncode == 2
    assert "`parties[0].headquarter` is no known fact" in done.stdout


def test_a_matrix_is_every_combination_and_rows_are_just_themselves(folder):
    text = """  - name: by headquarters
    rows:
      - {hq: CN, outcome: DENY}
      - {hq: CH, outcome: ALLOW}
    matrix:
      chips: [1, 8]
      chip: [H100, "${other}"]
    request:
      provider: aws
      locations: [{region: us-east-1}]
      items: [{kind: accelerator, accelerator: "${chip}", count: "${chips}"}]
      parties: ["${buyer}"]
    usage: {accelerators: 0}
    expect: {outcome: "${outcome}"}
"""
    fixtures = """fixtures:
  other: H100
  buyer: {role: end_user, name: "In ${hq}", country: CH, headquarters: "${hq}", ultimate_parent: null, listings: []}
"""
    file = suite(folder, text, fixtures)
    done = run("test", folder, "--format", "jsonl")
    assert done.returncode == 0, done.stdout
    names = [json.loads(line)["case"] for line in done.stdout.splitlines()]
    assert len(names) == 8
    assert names[0] == "by headquarters [hq=CN, outcome=DENY, chips=1, chip=H100]"
    assert len(load_suite(file).cases) == 1


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("    matrix: {x: [1]}\n    expect: {outcome: DENY}\n", "`x` is not used"),
        ("    matrix: {x: []}\n    expect: {outcome: DENY}\n", "`x` has no value"),
        ("    matrix: {x: [1]}\n    note: ${y}\n    expect: {outcome: DENY}\n", "`${y}` names nothing"),
        ('    matrix: {x: ["${x}"]}\n    note: ${x}\n    expect: {outcome: DENY}\n', "leads back to itself"),
        ("    matrix: {x: [MAYBE]}\n    expect: {outcome: '${x}'}\n", "`MAYBE` is not one of"),
        ("    expect: {outcome: DENI}\n", "DENI"),
        ("    call: {sdk: boto3}\n    expect: {outcome: DENY}\n", "give either `request` or `call`"),
        ("    expects: {outcome: DENY}\n", "`expects` is not a key"),
    ],
)
def test_a_suite_that_says_nothing_sensible_is_refused_with_its_place(folder, broken, told):
    file = suite(folder, CASE + broken)
    with pytest.raises(DocumentError) as caught:
        load_suite(file)
    assert told in str(caught.value)
    assert "cases[0]" in str(caught.value)
    assert run("test", folder).returncode == 2


def test_the_placeholders_of_a_template_stay_as_they_are(folder):
    call = """  - name: a stack
    matrix: {size: [t3.micro, t3.nano]}
    call:
      sdk: boto3
      service: ec2
      operation: RunInstances
      region: us-east-1
      parameters: {InstanceType: "${size}", UserData: "${AWS::Region} ${Other}", MinCount: 1, MaxCount: 1}
    expect: {outcome: ALLOW}
"""
    assert holds(folder, call)


def test_a_failure_reads_as_expected_against_got(folder):
    suite(folder, CASE + "    expect: {outcome: HOLD, rules: [too-many]}\n")
    done = run("test", folder)
    assert done.returncode == 1
    assert "- expected  HOLD" in done.stdout
    assert "+ got       DENY by no-h100" in done.stdout
    assert "tests.yaml:4" in done.stdout
    assert "deny company/no-h100 (match)" in done.stdout


def test_reports_for_other_programs(folder):
    suite(folder, CASE + "    expect: {outcome: HOLD}\n" + CASE.replace("one", "two") + "    expect: {outcome: DENY}\n")
    (xml,) = ElementTree.fromstring(run("test", folder, "--format", "junit").stdout)
    assert (xml.attrib["tests"], xml.attrib["failures"], xml.attrib["errors"]) == ("2", "1", "0")
    assert xml[0][0].attrib["message"].startswith("expected HOLD, got DENY")
    sarif = json.loads(run("test", folder, "--format", "sarif").stdout)
    (result,) = sarif["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 4
    assert run("test", folder, "--format", "github").stdout.startswith("::error file=")
    told = json.loads(run("test", folder, "--format", "json").stdout)
    assert [case["holds"] for case in told[0]["cases"]] == [False, True]


def test_exit_codes(folder, tmp_path):
    suite(folder, CASE + "    expect: {outcome: DENY}\n")
    assert run("test", folder).returncode == 0
    assert run("test", folder / "tests.yaml").returncode == 0
    assert run("test", folder, "-k", "ONE").returncode == 0
    assert run("test", folder, "-k", "nothing like it").returncode == 2
    (folder / "policy.yaml").write_text(POLICY.replace("party.headquarters", "party.headquarter"))
    done = run("test", folder)
    assert done.returncode == 2
    assert "EG203" in done.stdout
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("test", empty).returncode == 2
    assert run("test", tmp_path / "nowhere").returncode == 2


def test_shipped_packs_run_their_own_suites_and_others_against_them(folder):
    assert run("test", "--packs", "baseline,us-ear-end-users").returncode == 0
    suite(folder, CASE + "    expect: {outcome: DENY, rules: [headquarters-d5-macau]}\n")
    assert run("test", folder, "--packs", "iaas-remote-access").returncode == 0
    alone = folder / "elsewhere"
    alone.mkdir()
    text = (folder / "tests.yaml").read_text().replace("as_of:", "packs: [iaas-remote-access]\nas_of:")
    (alone / "tests.yaml").write_text(text)
    assert run("test", alone).returncode == 0


def test_watching_runs_again_when_a_file_changes(folder):
    file = suite(folder, CASE + "    expect: {outcome: HOLD}\n")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "exportguard", "test", str(folder), "--watch"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell in the background ignores it
    )  # fmt: skip
    try:
        assert process.stdout is not None
        first = _until(process.stdout, "waiting for changes")
        assert "1 do not" in first
        time.sleep(0.05)
        file.write_text(file.read_text().replace("HOLD", "DENY"))
        assert "1 hold, 0 do not" in _until(process.stdout, "waiting for changes")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def _until(stream, text: str) -> str:
    read = ""
    while text not in read:
        line = stream.readline()
        assert line, read
        read += line
    return read
