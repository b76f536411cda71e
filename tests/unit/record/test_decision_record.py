"""The record of a decision: complete, free of secrets, and never impossible to write."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from exportguard.authority import load_authorizations
from exportguard.record import decision_record, fingerprint
from exportguard.record.canonical import canonical, json_safe, read_canonical
from exportguard.record.document import presentable
from exportguard.record.redaction import scrub_all
from exportguard.vocabulary import (
    Decision,
    FactSource,
    Item,
    ItemKind,
    Location,
    Outcome,
    Party,
    ProvisioningRequest,
    Reason,
    Role,
    Transfer,
    Unknown,
    UsageQuestion,
    UsageReading,
)

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)

REQUEST = ProvisioningRequest(
    provider="aws",
    service="ec2",
    operation="RunInstances",
    account="111122223333",
    locations=(Location(region="us-east-1"), Location(region="us-west-2")),
    items=(
        Item(kind=ItemKind.ACCELERATOR, instance_type="p5.48xlarge", instances=2, where="InstanceType"),
        Item(kind=ItemKind.MODEL, model="anthropic.claude-v2:1", tokens=40_000_000),
    ),
    parties=(
        Party(role=Role.END_USER, name="深圳大学", country="CN", listings=()),
        Party(role=Role.PURCHASER, name="Example Reseller Ltd", country=Unknown("the directory timed out after 2.1 s")),
    ),
    tags={"customer": "cust-17", "db-password": "hunter2"},
    time=AT,
)


def decided(request: ProvisioningRequest | None = REQUEST, **more: Any) -> Decision:
    base: dict[str, Any] = {
        "decision_id": "d1", "outcome": Outcome.ALLOW, "as_of": AT, "policy_digest": "p", "reference_digest": "r",
        "request": request,
    }  # fmt: skip
    return Decision(**{**base, **more})


def recorded(decision: Decision, **more: Any) -> dict[str, Any]:
    return decision_record(decision, point="boto3", mode=more.pop("mode", "enforce"), library_version="0.1.0", **more)


def test_the_record_says_everything_that_deciding_again_takes() -> None:
    """Request with its parties, instant, digests, customers, authorizations and readings, all as they were."""
    authorization = {
        "id": "w", "kind": "internal_waiver", "scope": "true", "parties": [{"role": "end_user", "name": "E"}],
        "effective": {"from": "2026-01-01"}, "requested_by": "a", "approved_by": ["b"],
    }  # fmt: skip
    entries = load_authorizations([authorization])
    usage = {UsageQuestion("customer", "P1Y"): UsageReading(Unknown("why"), 1.5, 0.0, 7)}
    record = recorded(decided(), customers=["cust-17"], authorizations=entries, usage=usage, idempotency_key="k")
    again = read_canonical(canonical(record))
    assert again == record
    assert Decision.model_validate(again["decision"]).request == REQUEST.model_copy(
        update={"tags": {"customer": "cust-17", "db-password": "[redacted: password]"}}
    )
    assert Decision.model_validate(again["decision"]).as_of == AT
    assert again["usage"] == [
        {"by": "customer", "period": "P1Y", "version": 7, "tokens": {"unknown": "why"}, "accelerators": 1.5, "tpp": 0.0}
    ]
    (stored,) = again["authorizations"]
    stored["effective"]["from"] = stored["effective"].pop("from_")
    stored = {k: v for k, v in stored.items() if v is not None}
    assert load_authorizations([stored]) == entries
    for key, value in {
        "decision_id": "d1", "outcome": "ALLOW", "released": True, "point": "boto3", "mode": "enforce",
        "library_version": "0.1.0", "policy_digest": "p", "reference_digest": "r", "customers": ["cust-17"],
        "fingerprint": fingerprint(REQUEST), "time": "2026-11-24T12:00:00+00:00", "idempotency_key": "k",
    }.items():  # fmt: skip
        assert again[key] == value


def test_what_was_let_through_is_said() -> None:
    """A denied call in audit mode went out all the same, and the record says so."""
    denied = decided(outcome=Outcome.DENY)
    assert recorded(denied)["released"] is False
    assert recorded(denied, mode="audit")["released"] is True
    assert recorded(denied, mode="audit", released=False)["released"] is False


def test_no_secret_enters_by_any_way() -> None:
    """Tags, parameters, notes, texts of reasons and of unknown facts."""
    key = "AKIAIOSFODNN7EXAMPLE"
    reason = Reason(
        policy="p", rule="r", effect="deny", result="match", basis="prohibition", message=f"said {key}",
        values=(("request.tags", key),),
    )  # fmt: skip
    request = REQUEST.model_copy(update={"end_use": Unknown(f"https://ann:hunter2@db.example failed with {key}")})
    record = recorded(
        decided(request, reasons=(reason,)),
        parameters={"UserData": "hunter2", "Environment": {"A": "hunter2"}},
        notes={"password": "hunter2", "text": f"token={key}"},
    )
    assert "hunter2" not in repr(record)
    assert key not in repr(record)


enormous = st.just(5000).map(lambda n: 10**n)
odd = st.sampled_from([object(), 10**400, -(2**53), "\ud800", {1, 2}, Outcome.HOLD])
numbers = st.integers() | st.floats() | st.fractions() | st.decimals() | enormous
keys = st.text(max_size=3) | st.integers() | st.none() | enormous
awkward = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters()) | st.binary() | st.dates() | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(value=awkward)
def test_whatever_the_parameters_hold_the_decision_can_be_recorded(value: Any) -> None:
    record = recorded(decided(), parameters=value, notes={"n": value})
    assert read_canonical(canonical(record)) == record
    assert read_canonical(canonical(json_safe(value))) == json_safe(value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.floats(1e-4, 1e15)
    | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=json_values)
def test_the_quick_way_writes_what_the_standard_says(value: Any) -> None:
    """Encoders in C are used where they write as RFC 8785 does, one for keys in order and one for others: byte for byte
    what the reference writes."""
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError):
        with pytest.raises(ValueError):
            canonical(value)
    else:
        assert canonical(value) == expected
        in_order = read_canonical(expected)
        assert canonical(in_order) == rfc8785.dumps(in_order) == expected


@pytest.mark.parametrize("text", ["1.0", "8.0,", '"a":8.0}', ".0]", ".0", "3.11.0"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_text_that_looks_like_a_whole_number_stays_as_it_is(text: str, order: int) -> None:
    for number in (8.0, 8.05, 100.0, 7):
        value = dict([("a", text), ("b", number), ("c", [number, text])][::order])
        assert canonical(value) == rfc8785.dumps(value)


def test_what_holds_itself_has_no_canonical_form() -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    for value in (loop, {"a": loop}):
        with pytest.raises(ValueError, match="nested more than"):
            canonical(value)


@pytest.mark.parametrize(
    "number", [8.0, -0.0, 1e15, 1.5e15, 1e16, 1e21, 1e-4, 9.9e-5, 1e-7, 2**53 - 1, 123456789012345.6]
)
def test_numbers_at_the_edges_are_written_as_the_standard_says(number: float) -> None:
    for value in (number, -number):
        assert canonical({"n": [value]}) == rfc8785.dumps({"n": [value]})


def test_a_decision_without_a_request_is_recorded_too() -> None:
    record = recorded(decided(None))
    assert record["fingerprint"] is None


def test_the_fingerprint_names_the_request_and_not_the_moment() -> None:
    """Asked again tomorrow, under a new nonce, with sources read anew: the same request."""
    later = REQUEST.model_copy(
        update={
            "time": AT + timedelta(days=1),
            "idempotency_key": "another",
            "items": tuple(reversed([i.model_copy(update={"where": "elsewhere", "name": "n"}) for i in REQUEST.items])),
            "locations": tuple(reversed(REQUEST.locations)),
            "parties": tuple(
                p.model_copy(
                    update={
                        "sources": (FactSource(path="country", source="registry", as_of=date(2026, 1, 1)),),
                        "listings_as_of": date(2026, 1, 1),
                        "country": Unknown("the directory timed out after 9.7 s")
                        if isinstance(p.country, Unknown)
                        else p.country,
                    }
                )
                for p in reversed(REQUEST.parties)
            ),
        }
    )
    assert fingerprint(later) == fingerprint(REQUEST)


def test_the_fingerprint_tells_requests_apart() -> None:
    """Another amount, place, party, or a fact that became known: another request, and no approval carries over."""
    item, model = REQUEST.items
    user, buyer = REQUEST.parties
    changes: list[dict[str, Any]] = [
        {"provider": "azure"},
        {"operation": "CreateFleet"},
        {"account": "444455556666"},
        {"locations": (Location(region="us-east-1"),)},
        {"items": (item,)},
        {"items": (item, item, model)},
        {"items": (item.model_copy(update={"instances": 3}), model)},
        {"items": (item, model.model_copy(update={"tokens": 40_000_001}))},
        {"items": ()},
        {"items": Unknown("x")},
        {"parties": (user,)},
        {"parties": (user, buyer.model_copy(update={"country": "SG"}))},
        {"parties": (user.model_copy(update={"listings": ("EL",)}), buyer)},
        {"parties": (user.model_copy(update={"listings": Unknown("x")}), buyer)},
        {"parties": (user.model_copy(update={"ultimate_parent": None}), buyer)},
        {"end_use": "inference"},
        {"transfer": Transfer.EXPORT},
        {"customer": "cust-18"},
        {"tags": {}},
        {"red_flags": ("customers disagree",)},
    ]
    prints = {fingerprint(REQUEST.model_copy(update=change)) for change in changes}
    assert len(prints | {fingerprint(REQUEST)}) == len(changes) + 1


_WHOLE = decided(
    parties=REQUEST.parties,
    reasons=(
        Reason(
            policy="p", rule="r", effect="hold", result="match", basis="company_policy", item="an item",
            party="a party", location="a place", message="a message", remedy="a remedy", cites=("15 CFR 1",),
            values=(("party.name", "Somebody Ltd"),),
        ),
    ),
    unknown=({"path": "party.country", "why": "not given", "how": "state it"},),
    advice=("some advice",),
    red_flags=("a flag",),
)  # fmt: skip


def _texts(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, str):
        return [path]
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in inside for found in _texts(inner, (*path, key))]


@given(
    place=st.sampled_from(_texts(_WHOLE.model_dump(mode="json"))),
    text=st.sampled_from(["AKIAIOSFODNN7EXAMPLE", "password=hunter2", "https://u:pw@host/x", "sk-" + "a" * 40, "plain"])
    | st.text(min_size=1, max_size=20),
)
def test_a_decision_is_shown_as_its_scrubbed_document_whatever_stands_where(place: tuple[Any, ...], text: str) -> None:
    """Looking through the objects finds what writing all of them out and scrubbing that would find."""
    document = _WHOLE.model_dump(mode="json")
    spot = document
    for key in place[:-1]:
        spot = spot[key]
    spot[place[-1]] = text
    try:
        decision = Decision.model_validate(document)
    except ValueError:
        return
    shown = presentable(decision)
    if place in (("decision_id",), ("policy_digest",), ("reference_digest",)):
        return  # made by exportguard itself
    assert shown == Decision.model_validate(scrub_all(decision.model_dump(mode="json")))
