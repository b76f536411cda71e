"""`exportguard fmt`: idempotent, keeps comments and meaning."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli_process import run
from exportguard import reference
from exportguard.authoring.celtext import lay_out
from exportguard.authoring.fmt import FormatError, format_text
from exportguard.errors import PolicyError
from exportguard.language import PolicySource, load_policies

ROOT = Path(__file__).resolve().parents[2]
MESSY = """# licence header
# yaml-language-server: $schema=./x.json

# about rules
rules: # the rules

  # first
  -   # dash comment
    id:   a    # the id
    when: |   # header comment
       item.count>8&&(  party.verified||
            !(party.country in["CN","HK"]))   // cel comment
    # before effect
    effect:   deny


    unless: "party.country=='CH'"
    cites:
    - 'a b'   # one
    # between
    -   "c"
    effective: {from: 2020-01-01,
       until: 2021-01-01}   # period
    authorizable_by: [
      internal_waiver, # why
      bis_license
    ]
    # end of rule a
  # before b
  - {id: b, effect: hold, when: 'item.count>variables.big'}
# about policy
policy:    company
variables:
    big:   8
title: A
  long
  title
# the end
"""
NEAT = """# licence header
# yaml-language-server: $schema=./x.json

# about policy
policy: company
title: A
  long
  title
variables:
  big: 8

# about rules
rules: # the rules

  # first
  - # dash comment
    id: a # the id
    # before effect
    effect: deny
    when: | # header comment
      item.count > 8 && (party.verified ||
                         !(party.country in ["CN", "HK"])) // cel comment

    unless: "party.country == 'CH'"
    cites:
      - 'a b' # one
      # between
      - "c"
    authorizable_by: [
      internal_waiver, # why
      bis_license
      ]
    # end of rule a
    effective: {from: 2020-01-01, until: 2021-01-01} # period
  # before b
  - {id: b, effect: hold, when: 'item.count>variables.big'}
# the end
"""


def laid_out(text: str) -> str:
    return format_text(PolicySource("t", text))


def test_a_messy_policy_becomes_neat_and_a_neat_one_stays():
    assert laid_out(MESSY) == NEAT
    assert laid_out(NEAT) == NEAT


def test_the_meaning_of_a_policy_is_kept():
    """The digest, which is over what rules say, stays the same."""
    for text in (MESSY, *(p.read_text() for p in sorted((ROOT / "policies").glob("*/policy.yaml")))):
        before = load_policies([PolicySource("t", text)], reference.default())
        after = load_policies([PolicySource("t", laid_out(text))], reference.default())
        assert before.digest == after.digest


FILES = [
    *sorted((ROOT / "policies").glob("*/*.yaml")),
    *sorted((ROOT / "examples" / "company_policies").glob("*.yaml")),
]
TEXTS = [MESSY, *("\n".join(p.read_text().split("\n")[:60]) for p in FILES)]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_laying_out_twice_is_laying_out_once_and_no_comment_is_lost(text, rnd):
    """Whatever comments, blank lines and spaces stand where."""
    made, marks = _disturbed(text, rnd)
    try:
        once = laid_out(made)
    except PolicyError:
        return
    assert laid_out(once) == once
    for mark in marks:
        assert once.count(mark) == made.count(mark)


def _disturbed(text: str, rnd: random.Random) -> tuple[str, list[str]]:
    lines, marks = text.split("\n"), []
    for number in range(rnd.randrange(0, 8)):
        mark, at, kind = f"# c{number}x", rnd.randrange(len(lines)), rnd.randrange(6)
        if kind < 2:
            lines.insert(at, " " * rnd.randrange(9) + mark)
            marks.append(mark)
        elif kind < 4:
            lines[at] += f" {mark}"
            marks.append(mark)
        elif kind == 4:
            lines.insert(at, " " * rnd.randrange(4))
        else:
            lines[at] = lines[at].replace(": ", ":   ", 1)
    return "\n".join(lines), marks


@pytest.mark.parametrize("path", sorted((ROOT / "tests/diagnostics/policies").glob("*.yaml")), ids=lambda p: p.stem)
def test_what_is_not_a_policy_yet_is_laid_out_or_refused_whole(path):
    """A policy with mistakes is laid out as far as it is YAML; what is not gets its diagnostics."""
    try:
        source = PolicySource.from_path(path)
        once = format_text(source)
    except (PolicyError, FormatError):
        return
    assert laid_out(once) == once


@pytest.mark.parametrize(
    ("text", "neat"),
    [
        ("--- # hi\npolicy: a\n...\n", "# hi\n---\npolicy: a\n"),
        ("{policy: a, rules: [{id: a}]}", "{policy: a, rules: [{id: a}]}\n"),
        ("? policy\n: a\n", "policy: a\n"),
        ("a:\n  - - b\n    - c\n  -\n    - d\n", "a:\n  - - b\n    - c\n  - - d\n"),
        ("a:\n\n\n  b: 1\n\n\n  c: 2\n", "a:\n  b: 1\n\n  c: 2\n"),
        ("a: |2\n    x\n   y\n", "a: |2\n    x\n   y\n"),
        ("a: |\n  x  \n  y\n", "a: |\n  x  \n  y\n"),
        ("a: |+\n  x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"),
        ("a: >-\n\n   x\n\n     y\n", "a: >-\n\n  x\n\n    y\n"),
        ("a: 'x\n     y\n\n  z'\n", "a: 'x\n  y\n\n  z'\n"),
        ("x:\n- y:\n    z: 1\n  # after z\n- w\n", "x:\n  - y:\n      z: 1\n    # after z\n  - w\n"),
        ("a: 1\r\n# deep\r\n", "a: 1\n# deep\n"),
        ("-\n- {x:  y}", "-\n- {x: y}\n"),
    ],
)
def test_yaml_of_every_shape_keeps_its_meaning(text, neat):
    assert laid_out(text) == neat
    assert laid_out(neat) == neat


@pytest.mark.parametrize(
    ("text", "neat"),
    [
        ("a&&b", "a && b"),
        ("a ? b:c", "a ? b : c"),
        ("x in[1,-2]&&- y<z", "x in [1, -2] && -y < z"),
        ("f( a,\n b )", "f(a,\n  b)"),
        ("f(\na,\nb\n)", "f(\n  a,\n  b\n)"),
        ('a=="x&&y"//c&&d', 'a == "x&&y" //c&&d'),
        ("a. b [ 0 ].exists( x , x>1 )", "a.b[0].exists(x, x > 1)"),
        ("not valid &&", "not valid &&"),
    ],
)
def test_conditions_are_spaced_alike(text, neat):
    assert lay_out(text) == neat
    assert lay_out(neat) == neat


def test_long_conditions_and_collections_are_broken_where_they_can_be():
    long = " && ".join(f'(item.name == "number {i}" || party.verified)' for i in range(9))
    names = ", ".join(f"name-number-{i}" for i in range(20))
    text = f"policy: p\nrules:\n  - id: a\n    effect: deny\n    when: |\n      {long}\n    cites: [{names}]\n"
    made = laid_out(text)
    assert max(map(len, made.splitlines())) <= 120
    assert laid_out(made) == made


def test_the_verb_changes_checks_and_shows(tmp_path):
    file = tmp_path / "policy.yaml"
    file.write_bytes(MESSY.replace("\n", "\r\n").encode())
    shown = run("fmt", tmp_path, "--check")
    assert shown.returncode == 1
    assert "would change" in shown.stdout
    assert run("fmt", tmp_path, "--diff").stdout.startswith("---")
    assert file.read_bytes().startswith(b"# licence header\r\n")
    assert run("fmt", tmp_path).returncode == 0
    assert file.read_text() == NEAT
    assert run("fmt", tmp_path, "--check").returncode == 0
    assert run("fmt", "-", stdin=MESSY).stdout == NEAT


def test_a_file_that_cannot_be_read_is_told_and_left_alone(tmp_path):
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_text("policy: [\n")
    good.write_text(MESSY)
    done = run("fmt", tmp_path)
    assert done.returncode == 2
    assert "EG103" in done.stderr
    assert bad.read_text() == "policy: [\n"
    assert good.read_text() == NEAT
    assert run("fmt", "-", stdin="policy: [").returncode == 2
    assert run("fmt", tmp_path / "nowhere").returncode == 2
