"""Two policy sets compared: by their rules, by requests under both, by proof."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from exportguard import reference
from exportguard.authoring.diff import PAIRS, compare, replay_log, rule_changes, sources_of
from exportguard.authoring.proof.properties import load_properties, packs_of
from exportguard.authoring.proof.prover import Prover, Status
from exportguard.errors import ConfigurationError
from exportguard.guard import Guard
from exportguard.judging import load_state
from exportguard.language import CompiledPolicySet, PolicySource, load_policies
from exportguard.packs import policy_sources
from exportguard.record import open_log
from exportguard.vocabulary import Outcome

AS_OF = datetime(2026, 11, 25, tzinfo=UTC)
POLICY = """\
policy: mine
version: 1
title: Mine
basis: company_policy
variables:
  chip: item.eccn == "3A090.a"
rules:
  - {id: china, effect: deny, when: 'variables.chip && party.headquarters == "CN"'}
  - {id: many, effect: hold, when: 'item.count >= 64'}
"""


def policies(text: str = POLICY) -> CompiledPolicySet:
    return load_policies([PolicySource("mine.yaml", text)], reference.default())


def differences(old: str, new: str) -> dict[tuple[str, str], str]:
    found = compare(policies(old), policies(new), reference.default(), as_of=AS_OF)
    return {(each.old.value, each.new.value): each.status for each in found if each.status != "same"}


def test_a_policy_set_differs_from_itself_in_nothing():
    assert rule_changes(policies(), policies()) == ()
    assert differences(POLICY, POLICY) == {}


def test_layout_comments_and_variables_are_no_change():
    """What counts is the tree with its variables put in."""
    spread = POLICY.replace("variables.chip &&", '(item.eccn == "3A090.a") &&')
    assert rule_changes(policies(), policies(spread)) == ()


def test_rules_that_are_added_removed_and_changed_are_told():
    changed = POLICY.replace("effect: hold", "effect: deny").replace("id: china", "id: russia")
    told = {each.rule: (each.change, each.what) for each in rule_changes(policies(), policies(changed))}
    assert told == {
        "mine/china": ("removed", ()), "mine/russia": ("added", ()), "mine/many": ("changed", ("effect",)),
    }  # fmt: skip
    (moved,) = rule_changes(policies(), policies(POLICY.replace("64", "65")))
    assert moved.what == ("when",)


def test_a_rewriting_that_decides_the_same_is_proved_to():
    """Other words, other rules, the same decisions for every request."""
    rewritten = POLICY.replace(
        'variables.chip && party.headquarters == "CN"', '!(item.eccn != "3A090.a" || party.headquarters != "CN")'
    ).replace("item.count >= 64", "!(item.count < 64)")
    assert len(rule_changes(policies(), policies(rewritten))) == 2
    assert differences(POLICY, rewritten) == {}


def test_a_loosening_is_shown_by_a_request_that_is_let_out_newly():
    looser = POLICY.replace(">= 64", ">= 65")
    every = compare(policies(), policies(looser), reference.default(), as_of=AS_OF)
    found = {(each.old, each.new): each for each in every}
    shown = found[Outcome.HOLD, Outcome.ALLOW]
    assert shown.status == "differs"
    assert shown.found is not None
    counts = [item["count"] for item in shown.found.document["items"]]
    assert any(64 <= count < 65 for count in counts)
    assert [pair for pair, each in found.items() if each.status == "differs"] == [(Outcome.HOLD, Outcome.ALLOW)]
    assert shown.any_size


def test_a_deny_that_becomes_a_hold_is_told_apart_from_one_that_is_dropped():
    assert differences(POLICY, POLICY.replace("effect: deny", "effect: hold")) == {("DENY", "HOLD"): "differs"}
    dropped = "\n".join(line for line in POLICY.splitlines() if "china" not in line and "chip" not in line)
    dropped = dropped.replace("variables:\n", "")
    assert set(differences(POLICY, dropped)) == {("DENY", "ALLOW"), ("HOLD", "ALLOW"), ("DENY", "HOLD")}


def test_what_is_not_decided_in_its_time_is_neither_a_difference_nor_none():
    looser = policies(POLICY.replace(">= 64", ">= 65"))
    found = list(compare(policies(), looser, reference.default(), as_of=AS_OF, timeout=1e-9))
    assert {each.status for each in found} <= {"undecided", "same"}
    assert any(each.status == "undecided" for each in found)
    assert len(found) == len(PAIRS)


def test_policies_are_named_by_path_by_pack_or_by_default(tmp_path):
    (tmp_path / "p.yaml").write_text(POLICY)
    assert [source.text for source in sources_of(str(tmp_path))] == [POLICY]
    assert {source.name.partition("/")[0] for source in sources_of("baseline, us-ofac")} == {"baseline", "us-ofac"}
    assert len(sources_of("default")) >= 7
    with pytest.raises(ConfigurationError, match="neither a file"):
        sources_of("nothing-of-that-name")


def test_the_decision_log_is_replayed_under_both(tmp_path):
    """Each logged request, decided as the one and as the other set would."""
    (tmp_path / "old.yaml").write_text(POLICY)
    (tmp_path / "new.yaml").write_text(POLICY.replace(">= 64", ">= 65"))
    place = tmp_path / "log.db"
    guard = Guard.load(tmp_path / "old.yaml", lists=None, record=place, ledger=None, mode="audit")
    with mock_aws():
        client = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
        guard.attach(client)
        image = client.describe_images()["Images"][0]["ImageId"]
        for count in (1, 8, 9):  # eight T4 each
            client.run_instances(ImageId=image, InstanceType="g4dn.metal", MinCount=count, MaxCount=count)
    guard.close()
    states = [load_state(sources_of(str(tmp_path / name)), None, None, None, None) for name in ("old.yaml", "new.yaml")]
    log = open_log(place)
    try:
        found = list(replay_log(log, *states, AS_OF))
    finally:
        log.close()
    told = [(getattr(each.old, "outcome", None), getattr(each.new, "outcome", None)) for each in found]
    assert told == [("ALLOW", "ALLOW"), ("HOLD", "ALLOW"), ("HOLD", "HOLD")]
    assert [each.differs for each in found] == [False, True, False]


def test_the_properties_that_the_documentation_shows_are_proved():
    page = (Path(__file__).resolve().parents[3] / "docs" / "proving.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(properties: .*?)```", page, re.DOTALL)
    source = PolicySource("proving.md", text)
    shown = load_policies(policy_sources(packs=packs_of(source)), reference.default())
    claims = load_properties(source, shown, reference.default()).properties
    prover = Prover(shown, reference.default(), timeout=60)
    assert {claim.id: prover.prove(claim, AS_OF).status for claim in claims} == dict.fromkeys(
        (claim.id for claim in claims), Status.PROVED
    )
