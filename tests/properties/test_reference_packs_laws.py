"""Laws of the shipped packs together: worse facts never unlock, missing facts never unlock, dates are half-open."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exportguard import Guard, Outcome
from exportguard.decide.derive import derive
from exportguard.reference import default
from exportguard.vocabulary import ProvisioningRequest
from exportguard.vocabulary.scope import NONE_OF_3A090

STRICTNESS = {Outcome.ALLOW: 0, Outcome.HOLD: 1, Outcome.DENY: 2}
INSTANTS = [
    datetime(*day, tzinfo=UTC)
    for day in ((2022, 10, 6), (2023, 3, 1), (2024, 8, 23), (2025, 6, 1), (2025, 10, 15), (2026, 1, 15), (2026, 11, 25))
]
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def guard() -> Guard:
    return Guard.load(lists=None, record=None, ledger=None)


def chip(name: str) -> dict[str, Any]:
    return {"kind": "accelerator", "accelerator": name, "count": 8}


ITEMS = st.sampled_from(
    [
        *map(chip, ("H100", "A100", "A30", "L4", "T4", "H20", "RTX 4090", "Trainium2")),
        {"kind": "accelerator", "instance_type": "p5.48xlarge", "instances": 1},
        {"kind": "accelerator", "instance_type": "p9.48xlarge", "instances": 1},
        {"kind": "model", "model": "anthropic.claude-3-opus-20240229-v1:0", "tokens": 1000},
        {"kind": "model", "model": "gpt-4o", "tokens": 1000},
        {"kind": "model", "model": "amazon.nova-pro-v1:0", "tokens": 1000},
        {"kind": "model", "model": "meta.llama3-70b-instruct-v1:0", "tokens": 1000},
    ]
)
PLACES = st.sampled_from(
    ["CH", "US", "SG", "TW", "IL", "IN", "VN", "SA", "AE", "KH", "NI", "CN", "MO", "HK", "RU", "IR"]
)
WORST = ("CN", "MO", "RU", "IR", "KP", "CU")


@st.composite
def parties(draw: st.DrawFn) -> dict[str, Any]:
    country = draw(PLACES)
    return {
        "role": draw(st.sampled_from(["end_user", "purchaser", "ultimate_consignee"])),
        "name": draw(st.sampled_from(["A", "B"])),
        "country": country,
        "headquarters": draw(st.sampled_from([country, "US", "CN", "DE"])),
        "ultimate_parent": draw(
            st.sampled_from([None, {"name": "P", "headquarters": "US"}, {"name": "P", "headquarters": "CN"}])
        ),
        "owners": [],
        "listings": draw(st.sampled_from([[], [], ["EL"], ["UVL"], ["NS-CMIC"], ["SDN"]])),
    }


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "provider": draw(st.sampled_from(["aws", "other"])),
        "transfer": draw(st.sampled_from(["remote_access", "export"])),
        "locations": [{"country": draw(PLACES)}],
        "items": [draw(ITEMS)],
        "parties": draw(st.lists(parties(), min_size=1, max_size=2)),
        "end_use": draw(st.sampled_from(["research", "ai_training"])),
    }


def decide(request: dict[str, Any], as_of: datetime) -> Outcome:
    return guard().check(request, as_of=as_of).outcome


def changed(request: dict[str, Any], **facts: Any) -> dict[str, Any]:
    first, *others = request["parties"]
    return {**request, "parties": [{**first, **facts}, *others]}


@QUICK
@given(request=requests(), as_of=st.sampled_from(INSTANTS), country=st.sampled_from(WORST))
def test_worsening_a_jurisdiction_never_unlocks(request: dict[str, Any], as_of: datetime, country: str) -> None:
    """A party that moves its headquarters to a worse place is not treated better for it."""
    assume(request["parties"][0]["headquarters"] not in WORST)
    before, after = decide(request, as_of), decide(changed(request, headquarters=country), as_of)
    assert after is not Outcome.ALLOW or before is Outcome.ALLOW


@QUICK
@given(
    request=requests(),
    as_of=st.sampled_from(INSTANTS),
    code=st.sampled_from(["EL", "MEU", "SDN", "DPL", "UVL"]),
    percent=st.sampled_from([10, 50, 60, {"min": 40, "max": 60}]),
)
def test_a_restricted_owner_or_listing_never_unlocks(
    request: dict[str, Any], as_of: datetime, code: str, percent: Any
) -> None:
    before = decide(request, as_of)
    owner = {"name": "X", "percent": percent, "listings": [code], "owners": []}
    listed = [*request["parties"][0]["listings"], code]
    for worse in (changed(request, owners=[owner]), changed(request, listings=listed)):
        assert STRICTNESS[decide(worse, as_of)] >= STRICTNESS[before]


@QUICK
@given(
    request=requests(),
    as_of=st.sampled_from(INSTANTS),
    fact=st.sampled_from(["country", "headquarters", "ultimate_parent", "listings", "name", "role"]),
)
def test_hiding_a_fact_of_a_party_never_unlocks_a_controlled_item(
    request: dict[str, Any], as_of: datetime, fact: str
) -> None:
    """What is not known holds; rules for what is not controlled may let it pass (`if_unknown: flag`)."""
    assume(request["items"][0]["kind"] == "accelerator")
    # What is controlled depends on the day: before 2022-10-07 nothing is.
    (item,) = derive(ProvisioningRequest.model_validate(request), default(), as_of).items
    assume(item.eccn != NONE_OF_3A090)
    first, *others = request["parties"]
    blind = {**request, "parties": [{k: v for k, v in first.items() if k != fact}, *others]}
    if decide(blind, as_of) is Outcome.ALLOW:
        assert decide(request, as_of) is Outcome.ALLOW


@st.composite
def larger_requests(draw: st.DrawFn) -> dict[str, Any]:
    """Several items, parties and places, in one request."""
    request = draw(requests())
    return {
        **request,
        "items": draw(st.lists(ITEMS, min_size=1, max_size=3)),
        "parties": draw(st.lists(parties(), min_size=1, max_size=3)),
        "locations": [{"country": place} for place in draw(st.lists(PLACES, min_size=1, max_size=2))],
    }


def facts_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every fact in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from facts_of(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from facts_of(inner, (*path, index))


def with_fact(request: dict[str, Any], path: tuple[Any, ...], fact: Any) -> dict[str, Any]:
    made = deepcopy(request)
    here: Any = made
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = fact
    return made


def controlled(request: dict[str, Any], as_of: datetime) -> bool:
    items = derive(ProvisioningRequest.model_validate(request), default(), as_of).items
    return any(item.kind == "accelerator" and item.eccn != NONE_OF_3A090 for item in items)


@QUICK
@given(request=larger_requests(), as_of=st.sampled_from(INSTANTS), data=st.data())
def test_no_fact_that_becomes_unknown_unlocks_a_controlled_item(
    request: dict[str, Any], as_of: datetime, data: st.DataObject
) -> None:
    """Whatever it is, and wherever it stands: what nobody knows is no reason to allow."""
    path = data.draw(st.sampled_from(sorted(facts_of(request), key=str)))
    assume(controlled(request, as_of) and path[-1] != "kind" and path != ("items",))
    blind = with_fact(request, path, {"unknown": "not told"})
    if decide(blind, as_of) is Outcome.ALLOW:
        assert decide(request, as_of) is Outcome.ALLOW


@QUICK
@given(request=larger_requests(), as_of=st.sampled_from(INSTANTS), data=st.data())
def test_what_is_added_to_a_request_never_unlocks_it(
    request: dict[str, Any], as_of: datetime, data: st.DataObject
) -> None:
    """One item, party or place more, known or not, is never a reason to allow what was refused; but that nobody is
    named for whom it is, ends when somebody is."""
    assume(any(party["role"] == "end_user" for party in request["parties"]))
    added = {
        "items": data.draw(st.one_of(ITEMS, st.just({"kind": "accelerator"}), st.just({"kind": "model"}))),
        "parties": data.draw(st.one_of(parties(), st.just({"role": "purchaser"}), st.just({"role": "end_user"}))),
        "locations": data.draw(st.sampled_from([{"country": "US"}, {"country": "CN"}, {"region": {"unknown": "x"}}])),
    }
    before = STRICTNESS[decide(request, as_of)]
    for key, more in added.items():
        assert STRICTNESS[decide({**request, key: [*request[key], more]}, as_of)] >= before, key


@QUICK
@given(request=larger_requests(), as_of=st.sampled_from(INSTANTS), data=st.data())
def test_how_a_request_is_written_changes_nothing(
    request: dict[str, Any], as_of: datetime, data: st.DataObject
) -> None:
    """Lists in another order, an item in two halves, keys in another order, countries by name, and the time that the
    request says of itself."""
    outcome = decide(request, as_of)
    shuffled = {key: data.draw(st.permutations(request[key])) for key in ("items", "parties", "locations")}
    first, *others = request["items"]
    amount = next((key for key in ("count", "tokens") if first.get(key, 1) > 1), None)
    half = first[amount] // 2 if amount else 0
    split = [{**first, amount: half}, {**first, amount: first[amount] - half}, *others] if amount else [first, *others]
    names = {"CN": "China", "US": "U.S.A.", "MO": "Macau", "HK": "Hong Kong", "RU": "Russian Federation"}
    named = [{**party, "country": names.get(party["country"], party["country"])} for party in request["parties"]]
    for other in (
        {**request, **shuffled},
        {**request, "items": split},
        {**request, "parties": named},
        dict(reversed(request.items())),
        {**request, "time": "1990-01-01T00:00:00+09:00"},
    ):
        assert decide(other, as_of) is outcome, other


@QUICK
@given(request=requests(), moment=st.sampled_from(INSTANTS))
def test_whom_a_law_pack_refuses_for_an_export_the_company_refuses_for_access(
    request: dict[str, Any], moment: datetime
) -> None:
    """The loophole is closed: what a licence would be needed for, if it were shipped, is not simply rented out."""
    assume(request["items"][0]["kind"] == "accelerator" and moment >= datetime(2022, 10, 7, tzinfo=UTC))
    shipped = guard_of("us-ear-advanced-computing").check(
        {**request, "provider": "other", "transfer": "export"}, as_of=moment
    )
    assume(any(r.effect == "deny" and r.result == "match" for r in shipped.reasons))
    rented = guard_of("iaas-remote-access").check(
        {**request, "provider": "other", "transfer": "remote_access"}, as_of=moment
    )
    assert rented.outcome is Outcome.DENY


@cache
def guard_of(pack: str) -> Guard:
    return Guard.load(packs=[pack], lists=None, record=None, ledger=None)


def test_the_lists_that_rules_and_screening_name_are_the_same() -> None:
    from exportguard.parties.screening.lists import LISTS

    assert set(LISTS) == default().list_codes
