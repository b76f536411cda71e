"""`exportguard coverage`: what the cases have tried of the rules."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cli_process import run

POLICY = """policy: p
variables:
  big: item.count > 8
rules:
  - id: a
    effect: deny
    when: variables.big && party.country in ["CN", "HK"]
    unless: party.verified
    effective: {from: 2024-01-01}
"""
HEAD = "suite: p\nas_of: 2024-08-23\ncases:\n"


def case(name: str, *, count: int = 9, country: str = "CN", verified: str = "false", as_of: str = "2024-08-23") -> str:
    return f"""  - name: {name}
    as_of: {as_of}
    request:
      provider: aws
      locations: [{{region: us-east-1}}]
      items: [{{kind: accelerator, accelerator: H100, count: {count}}}]
      parties: [{{role: end_user, name: "<b>A</b>", country: {country}, verified: {verified}}}]
    expect: {{outcome: ALLOW}}
"""


MATCH, SMALL, ELSEWHERE = case("match"), case("small", count=8), case("elsewhere", country="CH")
VERIFIED, BEFORE = case("verified", verified="true"), case("before", as_of="2023-12-31T23:59:59Z")


def measured(folder: Path, *cases: str) -> Any:
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "tests.yaml").write_text(HEAD + "".join(cases))
    done = run("coverage", folder, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_cases_on_both_sides_of_everything_cover_everything(tmp_path):
    told = measured(tmp_path, MATCH, SMALL, ELSEWHERE, VERIFIED, BEFORE)
    assert told["percent"] == 100
    (rule,) = told["rules"]
    assert rule["gaps"] == []
    assert rule["results"] == {"match": 1, "no_match": 3, "indeterminate": 0}
    (count, date) = rule["bounds"]
    assert (count["lower"], count["upper"]) == (8, 9)
    assert date["lower"].startswith("2023-12-31")


@pytest.mark.parametrize(
    ("left_out", "gaps"),
    [
        (MATCH, ["never matched"]),
        (SMALL, ["`item.count > 8` was never false", "`item.count > 8`: a value at or below it was never tried"]),
        (ELSEWHERE, ['`party.country in ["CN", "HK"]` was never false']),
        (VERIFIED, ["`party.verified` was never true"]),
        (BEFORE, ["`effective from 2024-01-01`: a value below it was never tried"]),
    ],
)
def test_each_case_that_is_left_out_leaves_its_gap(tmp_path, left_out, gaps):
    every = (MATCH, SMALL, ELSEWHERE, VERIFIED, BEFORE)
    (rule,) = measured(tmp_path, *(each for each in every if each != left_out))["rules"]
    assert rule["gaps"] == gaps


def test_a_fact_that_nobody_knows_covers_nothing(tmp_path):
    """An open clause was neither true nor false."""
    (rule,) = measured(tmp_path, case("unknown", verified="{unknown: nobody}"))["rules"]
    assert "`party.verified` was never true" in rule["gaps"]
    assert "`party.verified` was never false" in rule["gaps"]
    assert [c["open"] for c in rule["clauses"] if c["text"] == "party.verified"] == [1]


def test_the_percentage_can_be_demanded(tmp_path):
    measured(tmp_path, MATCH)
    assert run("coverage", tmp_path, "--fail-under", 10).returncode == 0
    assert run("coverage", tmp_path, "--fail-under", 90).returncode == 1
    assert run("coverage", tmp_path, "--fail-under", 101).returncode == 2
    assert run("coverage", tmp_path / "nowhere").returncode == 2


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.external: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.external += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_escaped_and_needs_nothing_else(tmp_path):
    measured(tmp_path, MATCH)
    assert run("coverage", tmp_path, "--html", tmp_path / "c.html").returncode == 0
    text = (tmp_path / "c.html").read_text()
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.external == []
    assert "party.country in [&quot;CN&quot;" in text
    assert "<b>A</b>" not in text


def test_reports_list_the_gaps(tmp_path):
    measured(tmp_path, MATCH)
    assert "was never false" in run("coverage", tmp_path).stdout
    assert "::warning" in run("coverage", tmp_path, "--format", "github").stdout
    assert json.loads(run("coverage", tmp_path, "--format", "sarif").stdout)["runs"][0]["results"]
    assert "<failure" in run("coverage", tmp_path, "--format", "junit").stdout
    assert json.loads(run("coverage", tmp_path, "--format", "jsonl").stdout)["rule"] == "p/a"
