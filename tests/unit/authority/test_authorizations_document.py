"""What a user may rely on when authorizations are read: whole, or not at all and every problem with its place."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from exportguard.authority import load_authorizations
from exportguard.errors import DocumentError
from exportguard.vocabulary import Role
from exportguard.vocabulary.authorization import unapproved

GOOD = """\
authorizations:
  - id: bis-D1234567
    kind: bis_license                  # bis_license | license_exception | internal_waiver
    scope: item.accelerator.family == "H100" && location.country == "US"
    parties: [{role: end_user, name: Example Institute}, {role: purchaser, customer: cust-17}]
    effective: {from: 2026-01-01, until: 2026-12-31T12:00:00+01:00}
    quantity: {unit: accelerators, limit: 64}
    requested_by: a@example.com
    approved_by: [b@example.com]
    evidence: {number: 00123}
"""


def entry(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": "w1",
        "kind": "internal_waiver",
        "scope": "true",
        "parties": [{"role": "end_user", "name": "Example Institute"}],
        "effective": {"from": "2026-01-01", "until": "2027-01-01"},
        "requested_by": "a@example.com",
        "approved_by": ["b@example.com"],
    }
    base.update(changes)
    return {key: value for key, value in base.items() if value is not ...}


def problems(source: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        load_authorizations(source)
    return str(caught.value)


def test_a_document_is_read_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "authorizations.yaml"
    path.write_text(GOOD)
    (found,) = load_authorizations(path)
    assert found.id == "bis-D1234567"
    assert found.effective.from_ == date(2026, 1, 1)
    assert found.effective.until == datetime(2026, 12, 31, 11, tzinfo=UTC)
    assert [p.role for p in found.parties] == [Role.END_USER, Role.PURCHASER]
    assert found.quantity is not None
    assert found.quantity.limit == 64
    assert found.evidence == {"number": "00123"}


def test_yaml_json_mapping_and_list_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(json.dumps({"authorizations": [entry()]}))
    (tmp_path / "a.json").write_text(json.dumps({"authorizations": [entry()]}))
    expected = load_authorizations([entry()])
    assert load_authorizations({"authorizations": [entry()]}) == expected
    assert load_authorizations(str(tmp_path / "a.yaml")) == load_authorizations(tmp_path / "a.json") == expected
    assert load_authorizations(expected) == expected
    assert load_authorizations(None) == load_authorizations([]) == load_authorizations({"authorizations": []}) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "bis_licence"}, "$[0].kind: `bis_licence` is not one of"),
        ({"scop": "x"}, "$[0].scop: `scop` is not a key"),
        ({"id": ...}, "$[0].id: is missing"),
        ({"id": ""}, "$[0].id:"),
        ({"id": 7}, "$[0].id: expected text"),
        ({"scope": "  "}, "$[0].scope: is blank"),
        ({"parties": []}, "$[0].parties: names no end user"),
        ({"parties": [{"role": "purchaser", "name": "E"}]}, "$[0].parties: names no end user"),
        ({"parties": [{"role": "end_user"}]}, "$[0].parties[0]: names nobody"),
        ({"parties": [{"role": "end_user", "name": "\u200b "}]}, "$[0].parties[0]: is named by blanks"),
        ({"parties": [{"role": "boss", "name": "E"}]}, "$[0].parties[0].role:"),
        ({"approved_by": "b@example.com"}, "$[0].approved_by: expected a list"),
        ({"approved_by": [" "]}, "$[0].approved_by[0]: is blank"),
        ({"requested_by": ...}, "$[0].requested_by: is missing"),
        ({"effective": ...}, "$[0].effective: is missing"),
        ({"effective": {}}, "$[0].effective: has no dates"),
        ({"effective": {"from": None}}, "$[0].effective: has no dates"),
        ({"effective": {"from": "2026-02-30"}}, "$[0].effective.from: `2026-02-30` is no date"),
        ({"effective": {"from": "01/02/2026"}}, "$[0].effective.from:"),
        ({"effective": {"from": "2026-01-01T00:00:00"}}, "$[0].effective.from:"),
        ({"effective": {"from": 1767225600}}, "$[0].effective.from:"),
        ({"effective": {"from": datetime(2026, 1, 1)}}, "$[0].effective.from: an instant needs a timezone"),  # noqa: DTZ001
        ({"effective": {"until": "soon"}}, "$[0].effective.until: `soon` is no date"),
        ({"effective": {"from": "2026-01-02", "until": "2026-01-01"}}, "$[0].effective.until:"),
        ({"effective": {"from": "2026-01-01", "until": "2026-01-01T00:00:00Z"}}, "is never in force"),
        ({"effective": {"from_": "2026-01-01"}}, "`from_` is not a key"),
        ({"effective": {"from": "2026-01-01", "to": "2027-01-01"}}, "$[0].effective.to: `to` is not a key"),
        ({"effective": "2026"}, "$[0].effective:"),
        ({"quantity": {"unit": "accelerators", "limit": -1}}, "$[0].quantity.limit:"),
        ({"quantity": {"unit": "accelerators", "limit": 1.5}}, "$[0].quantity.limit:"),
        ({"quantity": {"unit": "accelerators", "limit": float("nan")}}, "$[0].quantity.limit:"),
        ({"quantity": {"unit": "acelerators", "limit": 1}}, "$[0].quantity.unit:"),
        ({"quantity": {"unit": "accelerators"}}, "$[0].quantity.limit: is missing"),
        ({"evidence": {"number": 7}}, "$[0].evidence.number: expected text"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changes: dict[str, Any], said: str) -> None:
    """A faulty authorization is an error of the load: silently, it would lift nothing."""
    assert said in problems([entry(**changes)])


@pytest.mark.parametrize(
    "approvers",
    [
        [],
        ["a@example.com"],
        ["b@example.com", "A@EXAMPLE.com "],
        ["Ann A. <a@example.com>"],
        ["ａ@example.com"],
        ["a\u200b@example.com"],
    ],
)
def test_what_no_second_person_approved_is_read_and_lifts_nothing(approvers: list[str]) -> None:
    """One that waits for its approval keeps nothing else from loading (`test_lift` shows that it lifts nothing)."""
    waiting, good = load_authorizations([entry(approved_by=approvers), entry(id="w2")])
    assert unapproved(waiting) is not None
    assert unapproved(good) is None


def test_every_problem_of_a_document_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "authorizations:\n"
        "  - {id: one, kind: nonsense, scope: x, parties: [], effective: {}, requested_by: a, approved_by: [b]}\n"
        "  - id: one\n"
        "    kind: internal_waiver\n"
        "    scope: x\n"
        "    parties: [{role: end_user, name: E}]\n"
        "    effective: {from: 2026-13-01}\n"
        "    requested_by: a\n"
        "    approved_by: [A]\n"
        "  - just text\n"
    )
    told = problems(path)
    for said in (
        f"{path}:2: $.authorizations[0].kind: `nonsense`",
        f"{path}:7: $.authorizations[1].effective.from: `2026-13-01`",
        f"{path}:10: $.authorizations[2]: expected an object",
        f"{path}:3: $.authorizations[1].id: the id `one` is used twice",
    ):
        assert said in told
    assert "Nothing was loaded" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected an object"),
        ("[]", "expected an object"),
        ("authorisations: []", "`authorisations` is not a key"),
        ("authorizations:", "`authorizations` has no value"),
        ("authorizations:\n  - id: a\n    quantity:", ":3:14: `quantity` has no value"),
        ("authorizations: []\nauthorizations: []", ":2:1: the key `authorizations` is given twice"),
        ("authorizations:\n  - {id: a, id: b}", ":2:13: the key `id` is given twice"),
        ("authorizations: &x []", "anchors"),
        ("authorizations: !!python/object:os.system []", "tag"),
        ("authorizations: [\n", "not YAML"),
        ("authorizations: []\n---\nauthorizations: []", "more than one document"),
        ("authorizations: " + "[" * 5000, "deep"),
        ("? [a]\n: b", "a key should be text"),
        ("authorizations:\n  - <<: {id: a}", "merge"),
    ],
)
def test_a_file_that_is_not_such_a_document(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    told = problems(path)
    assert said in told
    assert str(path) in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"authorizations": [{"quantity": {"limit": NaN}}]}', "NaN is not a number"),
        ('{"authorizations": [], "authorizations": []}', "given twice"),
        ("[" * 10000, "deep"),
        ("{", "not JSON"),
    ],
)
def test_a_json_file_is_read_as_strictly(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert said in problems(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in problems(tmp_path / "nothing.yaml")
    assert "cannot be read" in problems(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"authorizations: \xe4")
    assert "UTF-8" in problems(tmp_path / "latin.yaml")
    (tmp_path / "huge.yaml").write_bytes(b" " * (17 * 2**20))
    assert "limit" in problems(tmp_path / "huge.yaml")


def test_what_holds_no_authorizations() -> None:
    assert "holds no authorizations" in problems(7)
    assert "expected an object" in problems(["text"])
