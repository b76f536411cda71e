"""Policy text that is meant to hurt: it is refused or bounded, never a crash, a hang or half a load."""

from __future__ import annotations

from pathlib import Path

import pytest

from exportguard.errors import PolicyError
from exportguard.language import PolicySource, load_policies
from language_compiling import compiled
from language_standin import REFERENCE, party, scope

HEAD = "policy: p\nrules:\n  - id: r\n    effect: deny\n    when: "


def codes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_policies([PolicySource("hostile.yaml", text)], REFERENCE)
    str(caught.value)
    return [d.code for d in caught.value.diagnostics]


@pytest.mark.parametrize(("text", "code"), [
    ("a: " + "[" * 10_000, "EG108"),
    ("a: " + "{a: " * 10_000, "EG108"),
    ("".join("  " * i + "a:\n" for i in range(800)), "EG108"),
    ("- " * 5000 + "a", "EG108"),
    ("? " * 5000 + "a", "EG103"),
    ("a: &a [x]\nb: [*a, *a]\n", "EG106"),
    ("x" * (2 * 1024 * 1024 + 1), "EG101"),
    (HEAD + "'" + "a" * 70_000 + "'", "EG221"),
    (HEAD + '"' + "(" * 200 + "true" + ")" * 200 + '"', "EG213"),
    (HEAD + '"' + "[" * 5000 + '"', "EG213"),
    (HEAD + '"' + "!" * 5000 + 'true"', "EG213"),
    (HEAD + '"' + "-" * 5000 + '1 > 0"', "EG213"),
    (HEAD + '"item' + ".a" * 5000 + '"', "EG213"),
    (HEAD + '"' + "true == " * 5000 + 'true"', "EG213"),
    (HEAD + '"' + "true ? true : " * 3000 + 'true"', "EG213"),
    (HEAD + '"' + "1 + " * 5000 + '1 > 0"', "EG213"),
    (HEAD + '"item.count > ' + "9" * 5000 + '"', "EG215"),
    (HEAD + '"item.count > 1e' + "9" * 5000 + '"', "EG215"),
    ("a: \ud800", "EG102"), ("a: \x85b", "EG102"), ("a: b\u2028c", "EG102"), ("\x00", "EG102"),
    ("a" * 100_000 + ": x", "EG103"),
])  # fmt: skip
def test_hostile_text_is_refused_with_a_code(text: str, code: str) -> None:
    """The problem is named; no RecursionError, no MemoryError."""
    assert code in codes(text)


def test_a_hundred_megabytes_are_refused_unread(tmp_path: Path) -> None:
    """A file's size is checked before it is read on."""
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    with pytest.raises(PolicyError) as caught:
        PolicySource.from_path(huge)
    assert [d.code for d in caught.value.diagnostics] == ["EG101"]


def test_bytes_are_utf8_or_refused_with_a_place() -> None:
    """A BOM is dropped; anything but UTF-8 is refused at its first bad byte."""
    assert PolicySource.from_bytes("x", b"\xef\xbb\xbfpolicy: p").text == "policy: p"
    with pytest.raises(PolicyError, match=r"x:2:4"):
        PolicySource.from_bytes("x", b"a: b\nc: \xff\n")
    with pytest.raises(PolicyError, match="cannot read"):
        PolicySource.from_path(Path("/nonexistent/policy.yaml"))


@pytest.mark.parametrize("op", ["&&", "||"])
def test_a_chain_of_a_thousand_terms_works(op: str) -> None:
    """Chains are not nesting."""
    condition = compiled(f" {op} ".join(["party.headquarters in country_group('D:5')"] * 1000))
    assert condition is not None
    assert condition(scope()) is True
    assert condition(scope(party=party(headquarters="US"))) is False


def test_a_catastrophic_pattern_is_harmless() -> None:
    """RE2 takes linear time whatever the pattern is."""
    condition = compiled("party.name.matches('^(a+)+(a|aa)*$')")
    assert condition is not None
    assert condition(scope(party=party(name="a" * 50_000 + "!"))) is False


def test_a_list_of_facts_without_end_leaves_the_rule_open() -> None:
    """Past its bound a list is neither walked nor taken as short."""
    condition = compiled("party.listings.all(l, l == 'EL')")
    assert condition is not None
    answer = condition(scope(party=party(listings=("EL",) * 20_000)))
    assert answer is not True
    assert answer is not False


def test_every_scalar_is_text_first() -> None:
    """`NO` is Norway, a version may be any text, a cite that looks like a number keeps its zeros."""
    text = (
        "policy: p\nversion: 1.10\nrules:\n  - id: on\n    title: NO\n    effect: deny\n"
        "    when: party.country == 'NO'\n    cites: [742.60, 0x10, yes]\n    remedy: 12:30:00\n"
    )
    rule = load_policies([PolicySource("p.yaml", text)], REFERENCE).rules[0]
    assert (rule.policy_version, rule.id, rule.title, rule.remedy) == ("1.10", "on", "NO", "12:30:00")
    assert rule.cites == ("742.60", "0x10", "yes")
    assert rule.when(scope(party=party(country="NO"))) is True


def test_line_endings_do_not_matter() -> None:
    """CRLF and CR files are the same policy."""
    text = (
        "policy: p\nrules:\n  - id: r\n    effect: deny\n    when: |\n      item.count > 1 &&\n      party.verified\n"
    )
    digests = {
        load_policies([PolicySource("p", text.replace("\n", end))], REFERENCE).digest for end in ("\n", "\r\n", "\r")
    }
    assert len(digests) == 1
