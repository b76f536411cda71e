"""Policy sets: what a rule carries, when it is in force, what is asked beforehand, and what names a set."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from exportguard.errors import NaiveInstantError, PolicyError
from exportguard.language import CompiledPolicySet, PolicySource, World, compile_scope, load_policies
from exportguard.language.schema import NOT_CONDITIONS, RECORDS
from exportguard.language.types import Type
from exportguard.vocabulary import scope as views
from exportguard.vocabulary.decision import Effect
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.questions import UsageQuestion
from language_standin import AS_OF, REFERENCE, item, party, scope

POLICY = """
policy: sample
version: 3
basis: license_requirement
references:
  - {cite: 15 CFR 742.6, read: 2026-07-23, confidence: secondary}
variables:
  controlled: item.eccn in ["3A090.a", "3A090.b"]
  risky: variables.controlled && party.headquarters in country_group("D:5")
rules:
  - id: first
    effect: deny
    when: variables.risky && !(party.country == "NO")
    unless: location.country == "US" && party.verified
    because: "{item.count} of {item.name} for {party.name} at {location.region}, braces {{ }}"
    cites: [15 CFR 742.6]
    authorizable_by: [bis_license, internal_waiver]
    effective: {from: 2023-11-17, until: 2026-01-15T12:00:00+01:00}
    status:
      enforced: {until: 2025-01-01}
      suspended: {from: 2025-01-01, until: 2025-06-01}
      unverified: {from: 2025-06-01}
  - id: second
    effect: hold
    when: usage.tokens > 30000000
    per: {by: end_user, period: P1Y}
    if_unknown: flag
    why: small orders of nobody in particular
"""


def load(*texts: str) -> CompiledPolicySet:
    return load_policies([PolicySource(f"{i}.yaml", text) for i, text in enumerate(texts)], REFERENCE)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_rule_carries_what_the_document_says() -> None:
    """Every key arrives, with defaults from the policy."""
    first, second = load(POLICY).rules
    assert (first.policy, first.policy_version, first.id, first.title) == ("sample", "3", "first", "first")
    assert first.roots == {"item", "party", "location"}
    assert first.kinds == {"accelerator", "model"}
    assert first.paths == ("item.eccn", "location.country", "party.country", "party.headquarters", "party.verified")
    assert (first.basis, first.confidence, first.cites) == ("license_requirement", "secondary", ("15 CFR 742.6",))
    assert first.authorizable_by == {"bis_license", "internal_waiver"}
    assert (second.if_unknown, second.why) == ("flag", "small orders of nobody in particular")
    assert second.per == UsageQuestion("end_user", "P1Y")
    assert load(POLICY).usage_questions == {UsageQuestion("end_user", "P1Y")}
    assert second.roots == {"usage"}


@pytest.mark.parametrize(("at", "status", "in_force", "effect"), [
    ("2023-11-16T23:59:59", "enforced", False, Effect.DENY), ("2023-11-17", "enforced", True, Effect.DENY),
    ("2024-12-31T23:59:59", "enforced", True, Effect.DENY), ("2025-01-01", "suspended", False, Effect.DENY),
    ("2025-06-01", "unverified", True, Effect.HOLD), ("2026-01-15T10:59:59", "unverified", True, Effect.HOLD),
    ("2026-01-15T11:00:00", "unverified", False, Effect.HOLD),
])  # fmt: skip
def test_a_rule_is_in_force_within_its_dates_and_statuses(at: str, status: str, in_force: bool, effect: Effect) -> None:
    """Periods are half-open in UTC; suspended rules are not asked; an unverified deny holds."""
    rule = load(POLICY).rules[0]
    assert (rule.status_at(instant(at)), rule.in_force(instant(at)), rule.effect_at(instant(at))) == (
        status, in_force, effect,
    )  # fmt: skip


def test_a_message_is_filled_in_and_says_what_is_unknown() -> None:
    """Numbers read plainly, a missing fact says so, and nothing raises."""
    rule = load(POLICY).rules[0]
    assert rule.say(scope()) == "16 of p5.48xlarge for Shenzhen University at us-east-1, braces { }"
    assert "unknown party.name" in rule.say(scope(party=party(name=Unknown("x"))))
    assert "unknown party.name" in rule.say(scope(party=None))
    assert "unknown item.count" in rule.say(scope(item=item(count=object())))


@pytest.mark.parametrize(("text", "kinds"), [
    ("item.accelerator.tpp > 4800", {"accelerator"}), ("item.count > 8", {"accelerator"}),
    ("item.tokens > 5", {"model"}), ("item.model.family == 'claude'", {"model"}),
    ("item.model.family == 'claude' || item.count > 8", {"accelerator", "model"}),
    ("party.country == 'CN'", {"accelerator", "model"}), ("item.eccn == '3A090.a'", {"accelerator", "model"}),
])  # fmt: skip
def test_a_rule_is_asked_of_the_kinds_it_names(text: str, kinds: set[str]) -> None:
    """A rule over accelerators is not asked of model items, and the other way round."""
    rules = load(f'policy: p\nrules:\n  - {{id: r, effect: deny, when: "{text}"}}\n').rules
    assert rules[0].kinds == kinds


def test_order_files_and_layout_do_not_change_a_set() -> None:
    """The digest is over what the rules say; equal sets are equal whatever their files' order."""
    other = "policy: other\nrules:\n  - id: r\n    effect: hold\n    when: item.count > 1\n"
    relaid = "# a comment\n" + other.replace("item.count > 1", "|\n      item.count   // many\n        > 1")
    assert load(POLICY, other).digest == load(relaid, POLICY).digest
    assert [r.id for r in load(POLICY, other).rules] == [r.id for r in load(relaid, POLICY).rules]
    assert load(other, other).digest == load(other).digest
    assert load(other).digest != load(other.replace("> 1", "> 2")).digest
    assert load(other).digest != load(other.replace("hold", "deny")).digest


def test_problems_of_all_files_come_together() -> None:
    """One load reports every problem of every file."""
    with pytest.raises(PolicyError) as caught:
        load("policy: a\nrules: [x]\n", "policy: a\nrules: []\ncolour: red\n", "- no\n")
    assert [d.code for d in caught.value.diagnostics] == ["EG112", "EG301", "EG110", "EG112"]


def test_a_rule_that_is_never_in_force_and_a_variable_never_used_are_warnings() -> None:
    """They load, and say so."""
    loaded = load(
        "policy: p\nvariables:\n  idle: item.count > 1\nrules:\n  - id: r\n    effect: deny\n    when: item.count > 1\n"
        "    status: proposed\n"
    )
    assert [(w.code, w.span.line, w.span.column) for w in loaded.warnings if w.span] == [
        ("EG402", 3, 3),
        ("EG401", 8, 5),
    ]


def test_a_scope_of_an_authorization() -> None:
    """Conditions over item, party, location and request; no `usage`, no `unknown`, no variables."""
    condition = compile_scope(
        'item.accelerator.family == "H100" && location.country == "US"', REFERENCE, name="bis-D1234567"
    )
    assert condition(scope()) is True
    assert condition.roots == {"item", "location"}
    for text in ("usage.tokens > 5", "unknown(party.country)", "variables.x", "item.count", ""):
        with pytest.raises(PolicyError, match=r"bis-D1234567:1:"):
            compile_scope(text, REFERENCE, name="bis-D1234567")


def _kinds(hint: Any) -> set[str]:
    """The kinds that a field of a view may hold, as the schema calls them."""
    names = {str: "string", float: "double", int: "int", bool: "bool", datetime: "timestamp", type(None): "null"}
    if get_origin(hint) is tuple:
        inner = [_kinds(arg) for arg in get_args(hint) if arg is not Ellipsis]
        return {f"list({next(iter(inner[0] - {'unknown'}))})"}
    if get_args(hint):
        return set().union(*(_kinds(arg) for arg in get_args(hint)))
    if hint is Unknown:
        return {"unknown"}
    return {names.get(hint) or "record:" + RECORD_OF[hint]}


RECORD_OF = {
    views.RequestView: "request", views.ItemView: "item", views.PartyView: "party", views.LocationView: "location",
    views.UsageView: "usage", views.AcceleratorView: "accelerator", views.ModelView: "model",
    views.UltimateParentView: "ultimate_parent", views.RestrictedOwnershipView: "restricted_ownership",
}  # fmt: skip


@pytest.mark.parametrize("view", RECORD_OF, ids=lambda v: v.__name__)
def test_the_fact_schema_mirrors_the_views(view: type) -> None:
    """A field that a view gains, loses or retypes fails here until the schema says the same."""
    record = RECORD_OF[view]
    hints = get_type_hints(view)
    names = {f.name for f in fields(view)} - NOT_CONDITIONS.get(record, set())
    assert names == set(RECORDS[record])
    for name in names:
        declared: Type = RECORDS[record][name]
        kinds = _kinds(hints[name]) - {"unknown"}
        assert kinds - {"null"} == {str(declared)}, name
        assert ("null" in kinds) == declared.nullable, name


def test_a_world_needs_an_exact_instant() -> None:
    """`as_of` selects rules, so it has a timezone."""
    with pytest.raises(NaiveInstantError):
        World(REFERENCE, datetime(2026, 1, 1))  # noqa: DTZ001
    assert World(REFERENCE, AS_OF).country_group("D:5") == {"CN", "HK", "IR"}


def test_threads_share_a_set() -> None:
    """One compiled set answers in many threads at once as it does in one."""
    rule = load(POLICY).rules[0]
    cases = [scope(), scope(item=item(eccn="not-3A090")), scope(party=party(headquarters=Unknown("x")))]
    expected = [rule.when(case) for case in cases]
    wrong: list[object] = []

    def work() -> None:
        for _ in range(300):
            wrong.extend(1 for case, answer in zip(cases, expected, strict=True) if rule.when(case) != answer)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_importing_the_room_is_cheap_and_celpy_stays_out() -> None:
    """Neither importing nor loading policies imports celpy's evaluator; importing alone imports no parser either."""
    code = (
        "import sys; import exportguard.language as l; assert not {'celpy', 'lark', 'yaml', 're2'} & set(sys.modules);"
        "l.load_policies; l.compile_scope; assert not {'celpy', 'lark', 'yaml', 're2'} & set(sys.modules);"
        "from language_standin import REFERENCE;"
        "l.compile_scope('item.count > 1', REFERENCE, name='x'); assert 'celpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_a_policy_without_rules_loads_and_says_so() -> None:
    """It decides nothing, which is seldom what is meant."""
    assert [w.code for w in load("policy: p\nrules: []\n").warnings] == ["EG412"]


def test_of_two_statuses_at_once_the_stricter_counts_whatever_their_order() -> None:
    """And a warning says so; half-open periods that touch are not at once."""
    head = "policy: p\nrules:\n  - id: r\n    effect: deny\n    when: party.verified\n    status: "
    at = datetime(2025, 6, 1, tzinfo=UTC)
    both = ("enforced: {from: 2024-01-01}", "suspended: {from: 2025-01-01}")
    for order in (both, both[::-1]):
        loaded = load(f"{head}{{{order[0]}, {order[1]}}}\n")
        assert [w.code for w in loaded.warnings] == ["EG411"]
        assert loaded.rules[0].status_at(at) == "enforced"
        assert loaded.rules[0].in_force(at)
    touching = load(f"{head}{{enforced: {{until: 2025-01-01}}, suspended: {{from: 2025-01-01}}}}\n")
    assert touching.warnings == ()
    assert not touching.rules[0].in_force(datetime(2025, 1, 1, tzinfo=UTC))
    assert touching.rules[0].in_force(datetime(2024, 12, 31, 23, 59, tzinfo=UTC))


def test_a_character_in_two_halves_as_json_writes_it_is_that_character() -> None:
    """A policy that a program wrote as ASCII JSON means what it shows, and problems behind it keep their place."""
    text = r'{"policy": "p", "rules": [{"id": "r", "effect": "deny", "title": "\ud83d\ude80", "when": "true"}]}'
    assert load(text).rules[0].title == "\N{ROCKET}"
    with pytest.raises(PolicyError) as caught:
        load(text.replace('"when": "true"', r'"when": "party.name == \"\ud83d\ude80\" && party.nam == \"\""'))
    span = caught.value.diagnostics[0].span
    assert span is not None
    assert span.text[span.column - 1 :].startswith("nam ==")
