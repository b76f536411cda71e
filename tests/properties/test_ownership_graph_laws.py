"""Laws of the graph of a customers document: asked for one party, or as a whole, it answers the same."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exportguard.parties import graph as graphs_module
from exportguard.parties import load_directory
from exportguard.parties.ownership import OwnershipInquiry
from exportguard.vocabulary import OwnershipQuestion, Party, Unknown

AS_OF = datetime(2026, 8, 1, tzinfo=UTC)
NODES = [f"n{i}" for i in range(6)]
nodes = st.sampled_from(NODES)
percents = st.one_of(
    st.sampled_from([5, 20, 25, 40, 50, 60, 100, "100/3", 33.3]),
    st.just({"unknown": "nobody told"}),
    st.tuples(st.integers(0, 50), st.integers(50, 100)).map(lambda pair: {"min": pair[0], "max": pair[1]}),
)
edges = st.lists(
    st.fixed_dictionaries(
        {"owner": nodes, "owned": nodes, "percent": percents},
        optional={"until": st.sampled_from(["2026-01-01", "2027-01-01"])},
    ),
    max_size=14,
)
entities = st.lists(
    st.fixed_dictionaries(
        {"id": nodes, "listings": st.sampled_from([[], ["EL"], ["SDN"], {"unknown": "not screened"}])},
        optional={"owners": st.just([])},
    ),
    max_size=6,
    unique_by=lambda entity: entity["id"],
)
questions = st.sampled_from(
    [
        OwnershipQuestion(("EL",), ">=", Fraction(50)),
        OwnershipQuestion(("EL", "SDN"), ">", Fraction(50)),
        OwnershipQuestion(("EL", "SDN"), ">=", Fraction(25)),
    ]
)


def asked(document: dict[str, Any], party: Party, question: OwnershipQuestion) -> Any:
    shared = load_directory({"customers": [], **document}).ownership()  # type: ignore[attr-defined]
    return OwnershipInquiry(party, AS_OF, shared).answer(question).owned


def plain(answer: Any) -> bool | None:
    return None if isinstance(answer, Unknown) else answer


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges, entities, questions, nodes, st.lists(st.tuples(nodes, percents), max_size=3))
def test_the_whole_graph_answers_as_the_part_that_bears_on_the_party(
    edges: Any, entities: Any, question: OwnershipQuestion, node: str, nested: Any
) -> None:
    """Whether a party's ancestors are copied or the graph is asked as a whole is a matter of speed alone."""
    document = {"ownership": edges, "entities": entities}
    given_: dict[str, Any] = {"id": node}
    if nested:
        given_["owners"] = [{"id": owner, "percent": percent} for owner, percent in nested]
    party = Party.model_validate({"role": "end_user", "name": "P", **given_})
    copied = plain(asked(document, party, question))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graphs_module, "MAX_COPIED", 0)
        whole = plain(asked(document, party, question))
    assert whole is copied


@settings(max_examples=100, deadline=None)
@given(edges, entities, questions, nodes, nodes)
def test_one_more_listing_never_frees_a_party(
    edges: Any, entities: Any, question: OwnershipQuestion, node: str, more: str
) -> None:
    """Listing one more entity may catch a party or leave it open; it frees nobody."""
    party = Party.model_validate({"role": "end_user", "name": "P", "id": node})
    kept = [entity for entity in entities if entity["id"] != more]
    before = plain(asked({"ownership": edges, "entities": [*kept, {"id": more, "listings": []}]}, party, question))
    after = plain(asked({"ownership": edges, "entities": [*kept, {"id": more, "listings": ["EL"]}]}, party, question))
    order = {False: 0, None: 1, True: 2}
    assert order[after] >= order[before]


def test_owners_named_by_id_are_the_parties_of_that_id() -> None:
    """An edge may name a party of another customer: its name is screened, and its own owners count."""
    document = {
        "customers": [
            {"id": "a", "parties": [{"role": "end_user", "id": "p1", "name": "Some Lab"}]},
            {"id": "b", "parties": [{"role": "purchaser", "id": "p2", "name": "Listed Works", "owners": []}]},
        ],
        "ownership": [{"owner": "p2", "owned": "p1", "percent": 60}],
    }
    shared = load_directory(document).ownership()  # type: ignore[attr-defined]
    party = Party.model_validate({"role": "end_user", "id": "p1", "name": "Some Lab"})
    screened: list[str] = []

    def listings_of(name: str) -> tuple[str, ...]:
        screened.append(name)
        return ("EL",) if name == "Listed Works" else ()

    question = OwnershipQuestion(("EL",), ">=", Fraction(50))
    assert OwnershipInquiry(party, AS_OF, shared, listings_of).answer(question).owned is True
    assert screened == ["Listed Works"]


def test_an_id_is_no_name() -> None:
    """An owner whose record gives no name is not screened by its id: `n17` is on no list, and that says nothing."""
    document = {
        "customers": [],
        "ownership": [{"owner": "n17", "owned": "p1", "percent": 60}],
        "entities": [{"id": "n17", "owners": []}],
    }
    shared = load_directory(document).ownership()  # type: ignore[attr-defined]
    party = Party.model_validate({"role": "end_user", "id": "p1", "name": "Some Lab"})
    question = OwnershipQuestion(("EL",), ">=", Fraction(50))
    assert isinstance(OwnershipInquiry(party, AS_OF, shared, lambda name: ()).answer(question).owned, Unknown)


def test_ten_equal_stakes_told_in_the_graph_are_ten() -> None:
    """One of them told again beside the party is still one of the ten."""
    document = {
        "customers": [],
        "ownership": [{"owner": "x", "owned": "p1", "percent": 5} for _ in range(10)],
        "entities": [{"id": "x", "listings": ["EL"], "owners": []}],
    }
    shared = load_directory(document).ownership()  # type: ignore[attr-defined]
    nested = [{"id": "x", "percent": 5}]
    party = Party.model_validate({"role": "end_user", "id": "p1", "name": "Some Lab", "owners": nested})
    question = OwnershipQuestion(("EL",), ">=", Fraction(50))
    assert OwnershipInquiry(party, AS_OF, shared).answer(question).owned is True
