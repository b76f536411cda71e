"""`Guard.check`, `load` and `reload`: what they take, and what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest

from exportguard import (
    ConfigurationError,
    DocumentError,
    Outcome,
    PolicyError,
    ProvisioningRequest,
    UnknownCustomerError,
)
from exportguard.draft import new_decision_id
from exportguard.errors import NaiveInstantError

P5 = {"sdk": "boto3", "service": "ec2", "operation": "RunInstances", "region": "us-east-1"}
P5["parameters"] = {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 2}


def test_a_decision_has_no_truth_value(guard):
    """`if decision:` would be a fail-open bug, so it raises."""
    decision = guard.check(P5)
    with pytest.raises(TypeError, match=r"decision\.allowed"):
        bool(decision)
    assert decision.outcome is Outcome.HOLD
    assert not decision.allowed


def test_a_call_document_is_judged_as_the_live_call_would_be(guard):
    assert guard.check({**P5, "customer": "cust-zurich"}).outcome is Outcome.ALLOW
    denied = guard.check({**P5, "customer": "cust-shenzhen"})
    assert denied.outcome is Outcome.DENY
    assert denied.request.items[0].instances == 2


def test_the_account_map_tells_who_is_behind_an_account(guard):
    assert guard.check({**P5, "account": "111122223333"}).outcome is Outcome.DENY
    assert guard.check({**P5, "account": "222233334444"}).outcome is Outcome.ALLOW


def test_acting_for_and_the_account_map_disagree(guard):
    """Both customers' parties count, and a red flag says so."""
    with guard.acting_for("cust-zurich"):
        decision = guard.check({**P5, "account": "111122223333"})
    assert decision.outcome is Outcome.DENY
    assert "customer_conflict" in decision.red_flags


def test_an_unknown_customer_is_an_error_and_never_nobody(guard):
    with pytest.raises(UnknownCustomerError), guard.acting_for("cust-zuerich"):
        pass
    with pytest.raises(UnknownCustomerError):
        guard.check({**P5, "customer": "nobody"})
    with pytest.raises(UnknownCustomerError):
        guard.azure_policy(customer="nobody")


def test_a_call_outside_the_surface_is_not_applicable(guard):
    decision = guard.check({"sdk": "boto3", "service": "s3", "operation": "PutObject", "region": "us-east-1",
                            "parameters": {"Bucket": "b", "Key": "k", "Body": "p5.48xlarge"}})  # fmt: skip
    assert decision.outcome is Outcome.ALLOW
    assert decision.not_applicable


def test_the_instant_selects_the_rules_and_needs_a_timezone(guard):
    """Before October 2022 nothing was 3A090; a naive instant is refused."""
    request = {**P5, "customer": "cust-shenzhen"}
    assert guard.check(request, as_of=datetime(2022, 9, 1, tzinfo=UTC)).outcome is Outcome.ALLOW
    assert guard.check(request, as_of=datetime(2023, 1, 1, tzinfo=UTC)).outcome is Outcome.DENY
    with pytest.raises(NaiveInstantError):
        guard.check(request, as_of=datetime(2024, 1, 1))  # noqa: DTZ001


def test_the_time_a_request_states_selects_nothing(guard):
    """A requester could back-date it."""
    request = {
        "provider": "aws",
        "items": [{"kind": "accelerator", "accelerator": "H100", "count": 8}],
        "customer": "cust-shenzhen",
        "time": "2020-01-01T00:00:00Z",
    }
    assert guard.check(request).outcome is Outcome.DENY


@pytest.mark.parametrize(
    "document",
    [
        {"provider": "aws", "itmes": []},
        {"sdk": "boto4", "service": "ec2"},
        {"items": [{"kind": "accelerator", "count": float("nan")}]},
        {"items": [{"kind": "accelerator", "count": -1}]},
        {"parties": [{"role": "end_user", "country": 86}]},
        "not a document",
        None,
    ],
)
def test_a_document_that_cannot_be_read_is_refused_with_its_place(guard, document):
    with pytest.raises(DocumentError):
        guard.check(document)


def test_policies_with_a_mistake_do_not_load_and_reload_keeps_the_old_ones(guard, tmp_path):
    bad = tmp_path / "policy.yaml"
    bad.write_text("policy: p\nrules:\n  - id: r\n    effect: deny\n    when: party.countri == 'CN'\n")
    digest = guard.check(P5).policy_digest
    with pytest.raises(PolicyError):
        guard.reload(bad)
    assert guard.check(P5).policy_digest == digest


def test_reload_reads_again_from_the_same_places_and_keeps_what_it_is_not_given(load, tmp_path):
    """A company's own rules stay in force: nothing falls back to the shipped packs, or to no customers."""
    folder = tmp_path / "policies"
    folder.mkdir()
    rule = "policy: own\nbasis: company_policy\nrules:\n  - {id: r, title: t, effect: deny, when: 'item.count > %d'}\n"
    (folder / "policy.yaml").write_text(rule % 4)
    guard = load(folder)
    named = {**P5, "customer": "cust-zurich"}
    assert guard.check(named).reasons[0].policy == "own"
    (folder / "policy.yaml").write_text(rule % 400)
    assert guard.check(named).outcome is Outcome.DENY
    guard.reload()
    assert guard.check(named).outcome is Outcome.ALLOW
    (folder / "policy.yaml").write_text(rule % 4)
    guard.reload(customers={"customers": [{"id": "cust-zurich", "parties": [{"role": "end_user"}]}]})
    assert guard.check(named).reasons[0].policy == "own"
    (folder / "policy.yaml").unlink()
    with pytest.raises(ConfigurationError):
        guard.reload()
    assert guard.check(named).reasons[0].policy == "own"


def test_a_guard_without_rules_is_refused(load, tmp_path):
    """It would allow everything."""
    for folder in (tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigurationError):
            load(folder)
    with pytest.raises(ConfigurationError, match="Did you mean"):
        load(packs=["iaas-remote-acess"])
    with pytest.raises(ConfigurationError):
        load(mode="strict")


def test_packs_and_a_folder_add_up(load):
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2] / "examples" / "company_policies"
    alone, both = load(folder), load(folder, packs=["iaas-remote-access"])
    request = ProvisioningRequest.model_validate(
        {
            "provider": "aws",
            "locations": [{"country": "US"}],
            "items": [{"kind": "accelerator", "accelerator": "H100", "count": 1}],
            "customer": "cust-shenzhen",
        }
    )
    assert alone.check(request).outcome is Outcome.ALLOW
    assert both.check(request).outcome is Outcome.DENY


def test_a_policy_file_is_found_whatever_its_case_and_behind_links(tmp_path):
    """A rule must not go missing because of where it is kept; a link in a circle is followed once."""
    from exportguard.packs import policy_sources

    folder, elsewhere = tmp_path / "policies", tmp_path / "elsewhere"
    for place in (folder / ".hidden", elsewhere):
        place.mkdir(parents=True)
        (place / "linked.yml").write_text("policy: linked\nrules: []\n")
    (folder / "Loud.YAML").write_text("policy: loud\nrules: []\n")
    (folder / "shared").symlink_to(elsewhere)
    (elsewhere / "round").symlink_to(folder)
    names = [source.name.removeprefix(f"{folder}/") for source in policy_sources(folder)]
    assert names == ["Loud.YAML", "shared/linked.yml"]


def test_a_decision_is_named_by_a_random_uuid():
    made = [UUID(new_decision_id()) for _ in range(200)]
    assert {(each.version, each.variant) for each in made} == {(4, RFC_4122)}
    assert len(set(made)) == 200
