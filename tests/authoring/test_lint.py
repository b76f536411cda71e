"""`exportguard lint`: every problem with its code and place, in every kind of file."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli_process import run
from exportguard.authoring.reasoning import always_holds, follows, never_holds
from exportguard.language.codes import EXPLANATIONS
from exportguard.language.conditions import parse_condition
from exportguard.language.source import PolicySource, Scalar

ROOT = Path(__file__).resolve().parents[2]
HEAD = "policy: company\nrules:\n"


def rule(when: str, *, name: str = "a", effect: str = "deny", **more: str) -> str:
    lines = [f"  - id: {name}", f"    effect: {effect}", f"    when: {json.dumps(when)}"]
    return "\n".join([*lines, *(f"    {key}: {value}" for key, value in more.items())]) + "\n"


def found(folder: Path, **files: str) -> list[tuple[str, str, int]]:
    """(code, file, line) of what lint says of *files* in *folder*."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    done = run("lint", folder, "--format", "jsonl", "--as-of", "2026-11-25")
    problems = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == (1 if any(p["severity"] == "error" for p in problems) else 0)
    assert all(p["code"] in EXPLANATIONS for p in problems)
    return [(p["code"], Path(p["file"]).name if p["file"] else "", p["line"]) for p in problems]


def test_what_is_shipped_is_clean():
    """The packs and the examples have neither errors nor warnings."""
    done = run("lint", ROOT / "policies", ROOT / "examples" / "company_policies", "--strict")
    assert done.returncode == 0, done.stdout


def test_every_problem_of_every_file_is_told_at_once(tmp_path):
    problems = found(
        tmp_path,
        one=HEAD + rule("party.headquarter == 'CN'"),
        two="policy: other\nrules:\n" + rule("party.country == 'China'") + rule("item.count > 1", name="a"),
        tests="suite: s\nas_of: 2024-01-01\ncases:\n  - name: x\n    request: {}\n    expect: {outcome: MAYBE}\n",
        customers="customers:\n  - id: c\n    parties:\n      - role: boss\n",
        authorizations="authorizations:\n  - id: a\n    kind: nothing\n",
    )
    assert ("EG203", "one.yaml", 5) in problems
    assert ("EG208", "two.yaml", 5) in problems
    assert ("EG301", "two.yaml", 6) in problems
    assert ("EG501", "tests.yaml", 6) in problems
    assert {code for code, *_ in problems} == {"EG203", "EG208", "EG301", "EG501", "EG502", "EG503"}


@pytest.mark.parametrize(
    ("code", "when", "more"),
    [
        ("EG403", "item.count > 8 && item.count < 3", {}),
        ("EG403", "item.count > 8 && item.count <= 8", {}),
        ("EG403", "party.country == 'CN' && party.country == 'MO'", {}),
        ("EG403", "party.country in ['CN', 'HK'] && !(party.country in ['HK', 'CN', 'MO'])", {}),
        ("EG403", "party.verified && !party.verified", {}),
        ("EG403", "item.count + 0.0 < 3.0 && item.count + 0.0 > 5.0", {}),
        ("EG403", "item.accelerator.family == 'H100' && item.tokens > 5", {}),
        ("EG403", "item.count > 8 || (party.country == 'CN' && party.country == 'MO')", {}),
        ("EG403", "false", {}),
        ("EG403", "party.country == 'MO' && party.country in country_group('D:5')", {}),
        ("EG403", "party.country in country_group('E:1') && !(party.country in country_group('D:5'))", {}),
        ("EG403", "item.eccn == '4E091'", {}),
        ("EG403", "item.kind == 'model' && item.count > 3", {}),
        ("EG403", "item.kind == 'model' && item.eccn == '3A090.a'", {}),
        ("EG403", "item.count > 8 || (item.tokens > 5 && item.kind == 'accelerator')", {}),
        (
            "EG403",
            "request.time > timestamp('2026-01-01T00:00:00Z') && timestamp('2025-01-01T00:00:00Z') > request.time",
            {},
        ),
        ("EG404", "item.model.weights == 'open' || item.model.weights == 'closed'", {}),
        ("EG404", "party.verified == true || party.verified == false", {}),
        ("EG404", "item.count > 8 && (item.kind == 'model' || item.kind == 'accelerator')", {}),
        ("EG404", "party.verified || !party.verified", {}),
        ("EG404", "item.count >= 5 || item.count < 9", {}),
        ("EG404", "item.count > 8 && (party.country != 'CN' || party.country != 'MO')", {}),
        ("EG404", "item.count > 8 && 1 + 1 == 2", {}),
        ("EG403", "item.count > 8 && 'a' in ['b']", {}),
        ("EG408", "item.accelerator.family == 'H100'", {"if_unknown": "flag", "why": "because"}),
        ("EG409", "item.count > 8", {"basis": "prohibition"}),
        ("EG410", "item.count > 8", {"unless": "item.count > 3"}),
        ("EG410", "item.count > 8", {"unless": "item.count > 3 && item.count < 2"}),
        ("EG410", "item.count > 8", {"unless": "item.count < 3"}),
        ("EG410", "party.country == 'CN'", {"unless": "party.country in ['HK', 'MO'] && party.verified"}),
        ("EG407", "item.count > 8", {"effective": "{from: 2020-01-01, until: 2021-01-01}"}),
        ("EG401", "item.count > 8", {"status": "proposed"}),
    ],
)
def test_a_rule_that_is_most_likely_not_meant_is_warned_of(tmp_path, code, when, more):
    assert [c for c, *_ in found(tmp_path, policy=HEAD + rule(when, **more))] == [code]


@pytest.mark.parametrize(
    "when",
    [
        "true",
        "(true || item.kind == 'accelerator') && item.count > 8",
        "item.count > 8 && item.count < 30",
        "item.count >= 8 && item.count <= 8",
        "party.country == 'CN' && party.headquarters == 'MO'",
        "item.count != 8 && item.tokens == null",
        "item.accelerator.family == 'H100' || item.tokens > 5",
        "request.items.exists(i, i.count > 8) && request.items.exists(i, i.count < 3)",
        "party.country in country_group('D:5') && !(party.country in country_group('D:1'))",
        "item.count * 2.0 > 16.0 && item.count < 3",
        "!(party.verified) && party.role == 'end_user'",
        "'EL' in party.listings && 'MEU' in party.listings",
        "party.country == 'HK' && party.country in country_group('D:5')",
        "party.country == 'KH' && party.country in country_group('D:5')",  # until 2026
        "party.country == 'AE' && !(party.country in country_group('D:4'))",  # since 2026
        "request.provider != 'aws' && request.provider != 'azure' && request.provider != 'openai'",
        "item.kind == 'accelerator' && item.eccn == '3A090.a'",
        "request.time > timestamp('2025-01-01T00:00:00Z') && request.time < timestamp('2026-01-01T00:00:00Z')",
    ],
)
def test_an_everyday_rule_is_not_warned_of(tmp_path, when):
    assert found(tmp_path, policy=HEAD + rule(when)) == []


def test_rules_that_change_nothing_are_warned_of(tmp_path):
    """The same twice, and one inside the other; not those that differ in what lifts them, in time or in effect."""
    inside = rule("item.count > 8", name="inside")
    wide = rule("item.count > 4", name="wide")
    again = rule("4.0 < item.count", name="again")
    assert [c for c, *_ in found(tmp_path, policy=HEAD + inside + wide)] == ["EG405"]
    assert [c for c, *_ in found(tmp_path, policy=HEAD + wide + again)] == ["EG406"]
    for other in (
        rule("item.count > 4", name="wide", effect="hold"),
        rule("item.count > 4", name="wide", authorizable_by="[internal_waiver]"),
        rule("item.count > 4", name="wide", effective="{from: 2024-01-01}"),
        rule("item.count > 4", name="wide", unless="party.verified"),
    ):
        assert found(tmp_path, policy=HEAD + inside + other) == []


def test_every_problem_of_a_document_has_its_own_line(tmp_path):
    suite = "suite: s\nas_of: yesterday\ncases:\n  - name: x\n    request: {}\n    expect: {outcome: MAYBE}\n"
    assert found(tmp_path, policy=HEAD + rule("item.count > 8"), tests=suite) == [
        ("EG501", "tests.yaml", 2),
        ("EG501", "tests.yaml", 6),
    ]


def test_what_a_case_asks_about_is_read(tmp_path):
    """A slip in a request is shown where it is, once for all rows; one in a fixture at the case that uses it."""
    suite = (
        "suite: s\nas_of: 2026-01-01\nfixtures: {buyer: {role: end_user, contry: CH}}\ncases:\n"
        "  - name: rows\n    rows: [{n: 1}, {n: 2}]\n"
        "    request:\n      items: [{kind: accelerator, acelerator: H100, count: '${n}'}]\n      providr: aws\n"
        "    expect: {outcome: HOLD}\n"
        "  - name: fixture\n    request: {parties: ['${buyer}']}\n    expect: {outcome: HOLD}\n"
        "  - name: call\n    call: {sdk: boto3, servce: ec2, operation: RunInstances}\n    expect: {outcome: HOLD}\n"
    )
    told = found(tmp_path, policy=HEAD + rule("item.count > 8"), tests=suite)
    assert [place for place in told if place[2] < 15] == [
        ("EG501", "tests.yaml", 8),
        ("EG501", "tests.yaml", 9),
        ("EG501", "tests.yaml", 12),
    ]
    assert {place for place in told if place[2] >= 15} == {("EG501", "tests.yaml", 15)}


def carets(folder, **files) -> list[tuple[str, str, str]]:
    """(code, file, what the caret is under) of each problem."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    told = json.loads(run("lint", folder, "--format", "json").stdout)
    shown = []
    for problem in told:
        line = (folder / Path(problem["file"]).name).read_text(encoding="utf-8").splitlines()[problem["line"] - 1]
        start = problem["column"] - 1
        shown.append((problem["code"], Path(problem["file"]).name, line[start : start + problem["length"]]))
    return shown


AUTHORIZATION = """\
authorizations:
  - id: w
    kind: waiver
    scope: item.kind == "accelerator"
    parties: [{role: end_user, name: Example}]
    effective: {from: 2026-01-01, until: 2026-12-31}
    quantity: {unit: accelerators, limit: many}
    requested_by: a@example.com
    approved_by: [b@example.com]
    evidence: {number: W17}
"""


def test_a_problem_of_a_document_is_at_the_key_or_value_that_it_speaks_of(tmp_path):
    """Each problem by itself, in customers, authorizations and suites: what is wrong, not the line that it is in."""
    customers = "customers:\n  - id: a\n    colour: red\n    parties: [{name: x, rol: y}]\n  - id: a\n    parties: []\n"
    suite = "suite: s\nas_of: soon\ncases:\n  - name: x\n    request: {}\n    expect: {outcome: hold, rule: [a]}\n"
    policy = HEAD + rule("item.count > 8")
    told = carets(tmp_path, policy=policy, customers=customers, authorizations=AUTHORIZATION, tests=suite)
    assert told == [
        ("EG503", "authorizations.yaml", "waiver"),
        ("EG503", "authorizations.yaml", "many"),
        ("EG502", "customers.yaml", "colour"),
        ("EG502", "customers.yaml", "rol"),
        ("EG501", "tests.yaml", "soon"),
        ("EG501", "tests.yaml", "hold"),
        ("EG501", "tests.yaml", "rule"),
    ]
    (tmp_path / "customers.yaml").unlink()
    share = "customers:\n  - {id: b, parties: [{role: end_user, name: x, owners: [{name: y, percent: half}]}]}\n"
    assert ("EG502", "customers.yaml", "half") in carets(tmp_path, customers=share)


def test_what_is_no_yaml_is_placed_alike_in_every_document(tmp_path):
    told = carets(
        tmp_path,
        policy=HEAD + rule("item.count > 8"),
        customers="customers:\n  - id: a\n\tparties: []\n",
        authorizations="authorizations:\n  - id: w\n    kind waiver\n    scope: true\n",
        tests='suite: s\ncases: "unclosed\n',
    )
    assert told == [
        ("EG503", "authorizations.yaml", "kind waiver"),
        ("EG502", "customers.yaml", "\t"),
        ("EG501", "tests.yaml", '"'),
    ]


def test_a_problem_of_a_scope_is_where_the_scope_stands(tmp_path):
    scope = 'scope: >-\n      item.count > 8 &&\n      party.countri == "China"'
    text = AUTHORIZATION.replace("waiver", "internal_waiver").replace("many", "8")
    text = text.replace('scope: item.kind == "accelerator"', scope)
    told = carets(tmp_path, policy=HEAD + rule("item.count > 8"), authorizations=text)
    assert told == [("EG203", "authorizations.yaml", "countri")]
    never = 'scope: item.count > 8 && request.parties.exists(p, party.country == "US")'
    text = AUTHORIZATION.replace("waiver", "internal_waiver").replace("many", "8")
    told = carets(tmp_path, authorizations=text.replace('scope: item.kind == "accelerator"', never))
    assert told == [("EG413", "authorizations.yaml", "p")]


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    """Loading would refuse it too: a policy that is not there must not go unnoticed."""
    (tmp_path / "lost.yaml").symlink_to(tmp_path / "nowhere.yaml")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    problems = found(tmp_path, policy=HEAD + rule("item.count > 8"))
    assert problems == [("EG113", "empty.yaml", 1), ("EG100", "lost.yaml", 1)]


def test_properties_that_cannot_be_read_are_told_with_their_place(tmp_path):
    text = "properties: p\nclaims:\n  - id: a\n    never: ALLOW\n    whenn: item.count > 3\n"
    problems = found(tmp_path, policy=HEAD + rule("item.count > 8"), properties=text)
    assert ("EG110", "properties.yaml", 5) in problems


def test_a_case_of_a_rule_that_is_not_there_is_an_error(tmp_path):
    suite = (
        "suite: s\nas_of: 2024-01-01\ncases:\n  - name: x\n    request: {}\n    expect: {outcome: HOLD, rules: [b]}\n"
    )
    assert found(tmp_path, policy=HEAD + rule("item.count > 8"), tests=suite) == [("EG504", "tests.yaml", 6)]


def test_a_policy_that_is_not_read_for_its_name_is_told(tmp_path):
    """Its rules would be missing in silence. What somebody put aside, and what is no policy, is left alone."""
    text = HEAD + rule("item.count > 8")
    for name in ("a.yamll", "b.policy", ".c.yaml", "noext"):
        (tmp_path / name).write_text(text)
    (tmp_path / "d.json").write_text('{"policy": "d", "rules": [{"id": "a", "effect": "deny", "when": "true"}]}')
    for name in ("e.yaml.bak", "f.yaml~", ".#g.yaml"):
        (tmp_path / name).write_text(text)
    (tmp_path / "README.md").write_text("# Rules\n\n```yaml\n" + text + "```\n")
    (tmp_path / "h.bin").write_bytes(b"policy:\xff\nrules:\n")
    told = found(tmp_path, policy=text)
    assert told == [("EG416", name, 1) for name in (".c.yaml", "a.yamll", "b.policy", "d.json", "noext")]


def test_standard_input_and_single_files_are_checked_too(tmp_path):
    done = run("lint", "-", stdin=HEAD + rule("party.headquarter == 'CN'"))
    assert done.returncode == 1
    assert "error[EG203]" in done.stdout
    assert "--> <stdin>:5:" in done.stdout
    file = tmp_path / "p.yaml"
    file.write_text(HEAD + rule("item.count > 8"))
    assert run("lint", file).returncode == 0


def test_strict_and_ignore_say_what_warnings_mean(tmp_path):
    (tmp_path / "p.yaml").write_text(HEAD + rule("false"))
    assert run("lint", tmp_path).returncode == 0
    assert run("lint", tmp_path, "--strict").returncode == 1
    assert run("lint", tmp_path, "--strict", "--ignore", "EG403").returncode == 0


def test_nothing_to_check_is_an_error(tmp_path):
    assert run("lint", tmp_path / "nowhere").returncode == 2
    assert run("lint", tmp_path).returncode == 2


def test_reports_for_other_programs_carry_code_and_place(tmp_path):
    (tmp_path / "p.yaml").write_text(HEAD + rule("party.headquarter == 'CN'"))
    sarif = json.loads(run("lint", tmp_path, "--format", "sarif").stdout)
    (result,) = sarif["runs"][0]["results"]
    assert result["ruleId"] == "EG203"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 5
    assert sarif["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "EG203"
    told = run("lint", tmp_path, "--format", "github").stdout
    assert told.startswith("::error file=")
    assert "line=5" in told
    assert "title=EG203" in told
    (suite,) = ElementTree.fromstring(run("lint", tmp_path, "--format", "junit").stdout)
    assert suite.attrib["failures"] == "1"
    listed = json.loads(run("lint", tmp_path, "--format", "json").stdout)
    assert listed[0]["help"].startswith("did you mean")
    target = tmp_path / "out.json"
    run("lint", tmp_path, "--format", "json", "--output", target)
    assert json.loads(target.read_text()) == listed


def test_an_unreadable_file_is_told_and_the_others_are_checked(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"policy: \xff\n")
    problems = found(tmp_path, b=HEAD + rule("party.headquarter == 'CN'"))
    assert {code for code, *_ in problems} == {"EG102", "EG203"}


def node(text: str):
    problems: list = []
    made = parse_condition(Scalar(PolicySource("t", text), text, 0, len(text), "|"), problems)
    assert made is not None
    assert not problems
    return made.node


def test_what_follows_from_what_is_never_claimed_wrongly():
    """Of what is not understood, nothing is concluded."""
    assert follows(node("item.count > 8"), node("item.count > 4"))
    assert follows(node("a == 'x'"), node("a in ['x', 'y']"))
    assert not follows(node("item.count > 4"), node("item.count > 8"))
    assert not follows(node("f(a)"), node("f(b)"))
    assert not follows(node("item.accelerator.family == 'H100'"), node("item.tokens > 5"))
    assert never_holds(node("a == 1 && a == 2"))
    assert not never_holds(node("a == 1 && b == 2"))
    assert not never_holds(node("a == 1 && a == 1.0"))
    assert not always_holds(node("a || b"))
    many = " && ".join(f"(a{i} || b{i})" for i in range(20))
    assert not never_holds(node(many))
