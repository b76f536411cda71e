"""Proofs about small policy sets: each kind of claim, both ways; what is undecided; what must not be hidden."""

from __future__ import annotations

import functools
import sys
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from exportguard import reference
from exportguard.authoring.proof import confirm, prover
from exportguard.authoring.proof.catalogue import rows
from exportguard.authoring.proof.mentions import Mentions
from exportguard.authoring.proof.properties import load_properties, packs_of
from exportguard.authoring.proof.prover import ProofMismatchError, Prover, Result, Status
from exportguard.authoring.proof.samples import model_names
from exportguard.authoring.proof.sorts import passes, representatives
from exportguard.errors import ConfigurationError, PolicyError
from exportguard.language import CompiledPolicySet, PolicySource, load_policies
from exportguard.vocabulary import Outcome

AS_OF = datetime(2026, 11, 25, tzinfo=UTC)
POLICY = """\
policy: small
version: 1
title: A few rules
basis: company_policy
rules:
  - {id: d5, effect: deny, when: 'item.eccn == "3A090.a" && party.headquarters in country_group("D:5")', authorizable_by: [bis_license, internal_waiver]}
  - {id: china, effect: deny, when: 'item.eccn == "3A090.a" && party.headquarters == "CN"', authorizable_by: [bis_license]}
  - {id: many, effect: hold, when: 'item.count >= 64'}
  - {id: half, effect: hold, when: 'item.count * 0.5 >= 32.0'}
  - {id: us, effect: flag, when: 'location.country == "US"'}
  - {id: abroad, effect: flag, when: 'location.country != "US"'}
  - {id: quiet, effect: deny, if_unknown: flag, why: a test, when: 'party.country == "IR"'}
  - {id: old, effect: deny, when: 'item.kind == "model"', effective: {from: 2020-01-01, until: 2021-01-01}}
  - {id: never, effect: hold, when: 'item.count > 5.0 && item.count < 5.0'}
  - {id: named, effect: hold, when: 'party.name.startsWith("Acme") && item.kind == "model"'}
"""  # noqa: E501


@functools.cache
def small() -> CompiledPolicySet:
    return load_policies([PolicySource("small.yaml", POLICY)], reference.default())


def result(claim: str, policies: CompiledPolicySet | None = None, **options: Any) -> Result:
    """One claim, written as the inside of a YAML mapping, proved."""
    chosen = policies if policies is not None else small()
    text = f"properties: trial\nclaims:\n  - {{id: it, {claim}}}\n"
    (read,) = load_properties(PolicySource("trial.yaml", text), chosen, reference.default()).properties
    return Prover(chosen, reference.default(), **options).prove(read, AS_OF)


PROVED = (
    'claim: never_allowed, when: \'item.eccn == "3A090.a" && party.headquarters == "RU"\'',
    "claim: never_allowed, when: 'item.eccn == \"3A090.a\" && unknown(party.headquarters)'",
    'claim: never_denied, every: \'item.kind == "model" && party.country == "US"\'',
    'claim: always_denied, when: \'item.eccn == "3A090.a" && party.headquarters == "RU"\'',
    'claim: always_allowed, every: \'item.kind == "model" && party.name == "Example" && party.country == "US"\'',
    'claim: always_held, every: \'item.count == 64 && item.eccn == "not-3A090" && party.country == "US"\'',
    "claim: sometimes_allowed, when: 'item.eccn == \"3A090.a\"'",
    "claim: sometimes_held, when: 'item.count == 64'",
    "claim: sometimes_denied, when: 'party.country == \"IR\"'",
    "claim: never_matches, rules: old",
    "claim: never_matches, rules: never",
    "claim: can_match, rules: old, as_of: 2020-06-01",
    "claim: shadowed, rules: china, by: [d5]",
    "claim: shadowed, rules: half",
    "claim: not_shadowed, rules: many, by: [d5]",
    "claim: implies, rules: [china, d5]",
    "claim: disjoint, rules: [us, abroad]",
    "claim: equivalent, rules: [many, half]",
    "claim: covers, rules: [us, abroad], when: 'location.country in country_group(\"A:5\")'",
)
REFUTED = (
    'claim: never_allowed, when: \'item.eccn == "3A090.a" && party.headquarters == "AE"\'',
    'claim: never_allowed, when: \'item.eccn == "3A090.a" && party.headquarters == "RU"\', without: [bis_license]',
    "claim: always_allowed, every: 'item.kind == \"accelerator\"'",
    "claim: never_held, when: 'item.kind == \"accelerator\"'",
    "claim: never_matches, rules: named",
    "claim: shadowed, rules: d5",
    "claim: implies, rules: [d5, china]",
    "claim: disjoint, rules: [d5, china]",
    "claim: equivalent, rules: [d5, china]",
    "claim: covers, rules: [us], when: 'location.country in country_group(\"A:5\")'",
)


@pytest.mark.parametrize("claim", PROVED)
def test_a_true_claim_is_proved(claim):
    """Each for requests of any size, and a claim that one request shows comes with that request."""
    found = result(claim)
    assert found.status is Status.PROVED, found
    assert found.any_size


@pytest.mark.parametrize("claim", REFUTED)
def test_a_false_claim_is_refuted_by_a_request_that_the_evaluator_confirms(claim):
    found = result(claim)
    assert found.status is Status.REFUTED
    assert found.found is not None
    assert found.decision is not None


@pytest.mark.parametrize(
    "claim", ['sometimes_allowed, when: \'party.country == "US" && party.country == "CA"\'', "can_match, rules: never"]
)
def test_what_no_request_shows_is_refuted_without_one(claim):
    found = result(f"claim: {claim}")
    assert (found.status, found.found, found.why) == (Status.REFUTED, None, "there is no such request")


def test_a_counterexample_is_as_plain_as_it_can_be():
    """Known facts, one party, an accelerator that a reader knows."""
    found = result('claim: never_allowed, when: \'item.eccn == "3A090.a" && party.headquarters == "AE"\'').found
    assert found is not None
    assert [item["accelerator"] for item in found.document["items"]] == ["H100"]
    assert [party["headquarters"] for party in found.document["parties"]] == ["AE"]


def test_the_kinds_of_authorization_that_may_be_there_are_the_others():
    """What a waiver lifts is let out by somebody who may have a waiver; what only a licence lifts is not."""
    when = 'when: \'item.eccn == "3A090.a" && party.headquarters == "{}"\''
    waived = result(f"claim: never_allowed, {when.format('RU')}, without: [bis_license]")
    assert waived.found is not None
    assert {entry.kind.value for entry in waived.found.authorizations} == {"internal_waiver", "license_exception"}
    assert waived.decision is not None
    assert waived.decision.lifted[0].authorization == "example-internal_waiver"
    for kinds in ("[bis_license, internal_waiver]", "[any]"):
        assert result(f"claim: never_allowed, {when.format('RU')}, without: {kinds}").status is Status.PROVED
    assert result(f"claim: never_allowed, {when.format('CN')}, without: [bis_license]").status is Status.PROVED


def test_an_authorization_lifts_nothing_for_an_end_user_without_a_name():
    when = 'item.eccn == "3A090.a" && party.headquarters == "RU" && party.role == "end_user" && unknown(party.name)'
    assert result(f"claim: never_allowed, when: '{when}', without: [bis_license]").status is Status.PROVED


def test_a_rule_over_a_whole_list_bounds_the_proof_and_says_so():
    """`all` may be true of few parties and false of many: the sizes that were looked at are stated."""
    text = POLICY + "  - {id: all, effect: hold, when: 'request.parties.all(p, p.country == \"US\")'}\n"
    policies = load_policies([PolicySource("small.yaml", text)], reference.default())
    found = result('claim: never_allowed, when: \'item.eccn == "3A090.a" && party.headquarters == "RU"\'', policies)
    assert found.status is Status.PROVED
    assert not found.any_size
    assert found.bounds.parties >= 3


def test_an_exists_over_parties_needs_one_party_more_and_no_bound():
    text = POLICY + "  - {id: some, effect: hold, when: 'request.parties.exists(p, p.country == \"US\")'}\n"
    policies = load_policies([PolicySource("small.yaml", text)], reference.default())
    claim = 'claim: never_allowed, when: \'party.country == "US" && item.kind == "model"\''
    assert (result(claim, policies).status, result(claim, policies).any_size) == (Status.PROVED, True)
    smaller = result(f"{claim}, bounds: {{items: 1, parties: 1, locations: 1}}", policies)
    assert not smaller.any_size


def test_a_proof_about_counts_holds_for_every_double():
    """Half of a count is rounded as doubles are; what turns on less than that rounding is not called proved."""
    assert result("claim: never_allowed, when: 'item.count * 0.1 >= 6.4'").status is not Status.PROVED
    assert result("claim: never_allowed, when: 'item.count * 0.5 >= 32.5'").status is Status.PROVED


def test_what_is_not_decided_in_its_time_says_so_and_is_no_proof():
    found = result("claim: never_allowed, when: 'item.eccn == \"3A090.a\"'", timeout=1e-9)
    assert found.status is Status.UNDECIDED
    assert "time" in found.why


def test_what_is_not_compiled_to_z3_is_undecided():
    found = result("claim: never_allowed, when: 'string(item.count) == \"8\"'")
    assert found.status is Status.UNDECIDED
    assert "not compiled to Z3" in found.why


def test_a_counterexample_that_the_evaluator_denies_is_told_loudly(monkeypatch):
    """Were the two ever to disagree, no result would be given."""

    class Liar(confirm.Witness):
        def decide(self, policies: CompiledPolicySet) -> Any:
            return super().decide(policies).model_copy(update={"outcome": Outcome.DENY})

    monkeypatch.setattr(prover, "Witness", Liar)
    with pytest.raises(ProofMismatchError, match="internal error"):
        result('claim: never_allowed, when: \'item.eccn == "3A090.a" && party.headquarters == "AE"\'')


def test_without_z3_the_error_names_the_extra(monkeypatch):
    from exportguard.authoring.proof import logic

    monkeypatch.setattr(logic, "_module", None)
    monkeypatch.setitem(sys.modules, "z3", None)
    with pytest.raises(ConfigurationError, match=r"exportguard\[prove\]"):
        result("claim: never_matches, rules: d5")


def test_every_problem_of_a_properties_file_is_told_with_its_place():
    text = (
        "properties: wrong\n"
        "clams: []\n"
        "claims:\n"
        "  - {id: a, claim: never_alowed, when: 'true'}\n"
        "  - {id: a, claim: never_matches, rules: d6}\n"
        "  - {id: b, claim: disjoint, rules: [d5]}\n"
        "  - {id: c, claim: never_allowed}\n"
        "  - {id: d, claim: never_allowed, when: 'party.headquarter == \"CN\"', without: [licence]}\n"
        "  - {id: e, claim: can_match, rules: d5, by: [china], bounds: {items: 0}}\n"
    )
    with pytest.raises(PolicyError) as caught:
        load_properties(PolicySource("wrong.yaml", text), small(), reference.default())
    told = [(d.code, d.span.line if d.span else 0) for d in caught.value.diagnostics]
    assert told == [
        ("EG110", 2), ("EG302", 4), ("EG301", 5), ("EG302", 5), ("EG112", 6), ("EG111", 7), ("EG203", 8), ("EG302", 8),
        ("EG112", 9), ("EG112", 9),
    ]  # fmt: skip
    assert "did you mean `small/d5`?" in str(caught.value)


def test_a_file_may_name_the_packs_that_it_speaks_of():
    assert packs_of(PolicySource("p", "packs: [baseline, us-ofac]\n")) == ("baseline", "us-ofac")
    assert packs_of(PolicySource("p", "packs: default\n")) == ("default",)
    assert packs_of(PolicySource("p", "properties: x\n")) is None


def test_every_family_of_models_has_a_name_in_the_catalogue():
    """An item class that no name stands for would be left out of every proof."""
    data = reference.default()
    read = [data.model(None, name) for name in model_names(data)]
    assert data.model_families <= {getattr(fact, "family", None) for fact in read}
    assert data.model_providers <= {getattr(fact, "provider", None) for fact in read}
    assert {"open", "closed"} <= {getattr(fact, "weights", None) for fact in read}


def test_every_accelerator_and_instance_type_has_a_row_of_its_own_where_its_name_counts():
    data, mentions = reference.default(), Mentions()
    mentions.fields |= {"accelerator.id", "item.instance_type"}
    mentions.exact |= {"accelerator.id", "item.instance_type"}
    made = rows(data, AS_OF, mentions)
    ids = {getattr(row.view.accelerator, "id", None) for row in made}
    assert {name for name in data.accelerator_ids if data.accelerators(name)} <= ids
    types = {row.item.instance_type for row in made}
    for table in ("instances_aws", "instances_azure"):
        assert {row["name"] for row in data.table(table)["instances"]} <= types


def test_free_texts_stand_for_every_combination_of_answers():
    tests = frozenset({("matches", "^a|z$"), ("startsWith", "ab"), ("contains", "z")})
    texts = representatives(tests, "text")
    answers = {tuple(passes(test, text) for test in sorted(tests)) for text in texts}
    assert len(answers) == len(texts)
    # Every combination that any short text over these letters gives is among them.
    letters = "abmz"
    short = [a + b + c for a in letters for b in ("", *letters) for c in ("", *letters)]
    assert {tuple(passes(test, text) for test in sorted(tests)) for text in short} <= answers


def test_a_share_on_the_threshold_is_exact():
    """`>=` 50 and `>` 50 differ at half, and there the counterexample lies."""
    text = POLICY + (
        '  - {id: half-or-more, effect: deny, when: \'owned(party, ["SDN"], ">=", 50) && item.kind == "model"\'}\n'
        '  - {id: more-than-half, effect: deny, when: \'owned(party, ["SDN"], ">", 50) && item.kind == "model"\'}\n'
    )
    policies = load_policies([PolicySource("small.yaml", text)], reference.default())
    assert result("claim: implies, rules: [more-than-half, half-or-more]", policies).status is Status.PROVED
    found = result("claim: implies, rules: [half-or-more, more-than-half]", policies).found
    assert found is not None
    (owner,) = [owner for party in found.document["parties"] for owner in party.get("owners", ())]
    assert Fraction(str(owner["percent"] if not isinstance(owner["percent"], dict) else owner["percent"]["min"])) == 50


def test_a_party_whose_name_is_known_and_whose_listings_are_not_is_a_party_that_no_list_settles():
    """`check` screens a name; what turns on its being open is confirmed by a guard that has no list, and says so."""
    text = POLICY + '  - {id: listed, effect: hold, when: \'"EL" in party.listings && item.kind == "model"\'}\n'
    policies = load_policies([PolicySource("small.yaml", text)], reference.default())
    when = 'item.kind == "model" && unknown(party.listings) && party.name == "Example Institute"'
    claim = f'claim: never_held, every: \'{when} && party.role == "end_user" && party.country == "US"\''
    found = result(f"{claim}, as_of: 2026-08-01", policies)  # the shipped list is of the day before
    assert found.status is Status.REFUTED
    assert found.found is not None
    assert not found.found.screened


def test_the_schema_of_properties_admits_what_is_shipped_and_refuses_what_is_not_read():
    import yaml
    from jsonschema import Draft7Validator

    from exportguard.authoring.prove import shipped_properties
    from exportguard.authoring.schema import schema

    validator = Draft7Validator(schema("properties"))
    for path in shipped_properties():
        plain = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)
        for claim in plain["claims"]:
            claim.update({"bounds": {k: int(v) for k, v in claim["bounds"].items()}} if "bounds" in claim else {})
        assert list(validator.iter_errors(plain)) == [], path
    assert not validator.is_valid({"properties": "x", "claims": [{"id": "a", "claim": "never"}]})


def test_what_fails_in_compiling_is_undecided_and_not_a_proof(monkeypatch):
    from exportguard.authoring.proof.encode import Encoder

    def fail(*_: Any) -> Any:
        raise TypeError("a sort that was not thought of")

    monkeypatch.setattr(Encoder, "_cmp", fail)
    found = result("claim: never_matches, rules: d5")
    assert (found.status, "TypeError" in found.why) == (Status.UNDECIDED, True)


def test_an_element_of_a_list_of_parties_may_be_the_end_user_that_is_added():
    text = POLICY + "  - {id: first, effect: deny, when: 'request.parties[0].country == \"CN\"'}\n"
    policies = load_policies([PolicySource("small.yaml", text)], reference.default())
    when = 'request.parties[0].country == "CN" && item.kind == "model"'
    assert result(f"claim: always_denied, when: '{when}'", policies).status is Status.PROVED
