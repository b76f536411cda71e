"""`exportguard explain`: why a request is decided as it is, in four forms; what a code means."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cli_process import run
from exportguard.language.codes import EXPLANATIONS

ROOT = Path(__file__).resolve().parents[2]
TENDER = ROOT / "examples" / "tender_shenzhen_servers.json"
THEN = ("--as-of", "2024-08-23", "--packs", "iaas-remote-access,baseline")
NASTY = '<script>alert("x")</script>`#"];'


def explained(document: Any, *options: str) -> Any:
    return run("explain", "-", *THEN, *options, stdin=json.dumps(document))


def request(**party: Any) -> dict[str, Any]:
    known = {"role": "end_user", "name": "A", "country": "CH", "headquarters": "CH", "ultimate_parent": None}
    return {
        "provider": "aws",
        "locations": [{"region": "us-east-1"}],
        "items": [{"kind": "accelerator", "accelerator": "H100", "count": 8}],
        "parties": [{**known, "owners": [], "listings": [], **party}],
    }


def test_a_denial_shows_the_rule_its_values_and_its_citations():
    done = run("explain", TENDER, *THEN)
    assert done.returncode == 1, done.stderr
    for text in (
        "iaas-remote-access/headquarters-d5-macau (deny) matches",
        '✓ party.headquarters in country_group("D:5")   [party.headquarters = CN]',
        "15 CFR 744.23(a)(3)",
        "remedy: Ask trade compliance",
        "baseline/unknown-accelerator (hold) does not match",
        "in force until 2023-11-17 only",
    ):
        assert text in done.stdout


def test_what_is_explained_is_what_check_decides_also_by_an_old_list():
    """The age past which a list proves no name clear counts for both: an explanation of another decision is none."""
    clean = {"provider": "aws", "locations": [{"region": "us-east-1"}]}
    party = {"role": "end_user", "name": "Xyzzy Bakery", "country": "CH", "headquarters": "CH", "owners": []}
    chip = {"kind": "accelerator", "accelerator": "H100", "count": 1}
    text = json.dumps({**clean, "items": [chip], "parties": [{**party, "ultimate_parent": None}]})
    codes = {}
    for age in ("1", "90"):
        options = ("--packs", "us-ear-end-users", "--as-of", "2026-10-01", "--max-list-age", age)
        codes[age] = [run(verb, "-", *options, stdin=text).returncode for verb in ("check", "explain")]
    assert codes == {"1": [3, 3], "90": [0, 0]}


def test_a_held_request_shows_what_would_settle_it():
    document = request()
    del document["parties"][0]["headquarters"]
    done = explained(document)
    assert done.returncode == 3
    assert "is open" in done.stdout
    assert "What would settle it" in done.stdout
    assert "? party.headquarters" in done.stdout


def test_an_allowed_request_shows_the_first_false_clause_of_every_rule():
    done = explained(request())
    assert done.returncode == 0
    assert "does not match" in done.stdout
    assert "is not so: party.headquarters is CH" in done.stdout


def test_a_call_outside_the_surface_asks_no_rule():
    done = explained({"sdk": "boto3", "service": "s3", "operation": "PutObject", "region": "us-east-1"})
    assert done.returncode == 0
    assert "no rule was asked" in done.stdout


def test_ways_round_a_rule_are_for_its_author_alone():
    kinds = [
        {change["kind"] for change in json.loads(explained(request(headquarters="CN"), *more).stdout)["changes"]}
        for more in (("--format", "json"), ("--format", "json", "--author"))
    ]
    assert "evasive" not in kinds[0]
    assert "evasive" in kinds[1]


def test_json_agrees_with_check():
    told = json.loads(run("explain", TENDER, *THEN, "--format", "json").stdout)
    checked = json.loads(run("check", TENDER, *THEN, "--format", "jsonl").stdout)
    for key in ("outcome", "reasons", "unknown", "policy_digest", "reference_digest"):
        assert told["decision"][key] == checked[key]
    trees = [rule["tree"]["when"] for rule in told["rules"] if rule["answer"] == "match"]
    assert trees
    assert all(tree["answer"] == "true" for tree in trees)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not [value for name, value in attrs if name in ("src", "href", "onclick")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_nothing_of_a_request_becomes_markup():
    done = explained(request(name=NASTY, headquarters="CN"), "--format", "html")
    page = _Page()
    page.feed(done.stdout)
    assert page.open == []
    assert "script" not in page.tags
    assert "&lt;script&gt;" in done.stdout


def test_a_diagram_is_well_formed_whatever_is_named():
    done = explained(request(name=NASTY, headquarters="CN"), "--format", "mermaid")
    first, *lines = done.stdout.splitlines()
    assert first == "flowchart LR"
    for line in lines:
        assert re.fullmatch(
            r'  (\w+(\(\["[^"]*"\]\)|\["[^"]*"\])(:::\w+)?( --> \w+)?|\w+ --> \w+|classDef \w+ \S+)', line
        ), line
    assert "<script" not in done.stdout


@pytest.mark.parametrize("code", sorted(EXPLANATIONS))
def test_every_code_is_explained(code):
    done = run("explain", code.lower())
    assert done.returncode == 0
    assert done.stdout.startswith(f"{code}: ")


def test_what_cannot_be_explained_is_an_error(tmp_path):
    assert run("explain", "EG999").returncode == 2
    assert run("explain", tmp_path / "nowhere.json").returncode == 2
    done = run("explain", "-", stdin='{"provider": "aws"}\n{"provider": "aws"}\n')
    assert done.returncode == 2
    assert "holds 2 documents" in done.stderr
    assert explained({"provider": "aws", "itemz": []}).returncode == 2
