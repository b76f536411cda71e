"""Laws of the ownership cascade, checked on random graphs."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from exportguard.parties.cascade import StakeOf, cascade

NODES = [f"n{i}" for i in range(7)]
nodes = st.sampled_from(NODES)
shares = st.one_of(
    st.integers(0, 100).map(Fraction), st.sampled_from([Fraction(100, 3), Fraction(50, 7), Fraction("16.7")])
)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[StakeOf]]:
    made: dict[str, list[StakeOf]] = {}
    for _ in range(draw(st.integers(0, 14))):
        low, high = sorted((draw(shares), draw(shares)))
        if draw(st.booleans()):
            high = low
        made.setdefault(draw(nodes), []).append((draw(nodes), low, high))
    return made


thresholds = st.sampled_from(
    [(">=", Fraction(25)), (">=", Fraction(50)), (">=", Fraction(100)), (">", Fraction(0)), (">", Fraction(50))]
)
some = st.sets(nodes, max_size=3)


def reaches(share: Fraction, threshold: tuple[str, Fraction]) -> bool:
    return share >= threshold[1] if threshold[0] == ">=" else share > threshold[1]


def slow(
    graph: dict[str, list[StakeOf]],
    listed: set[str],
    maybe: set[str],
    unknown: set[str],
    threshold: tuple[str, Fraction],
) -> tuple[set[str], set[str]]:
    """The definition, iterated over every node until nothing changes: surely caught, possibly caught."""
    surely: set[str] = set()
    possibly: set[str] = set()
    while True:
        counting, open_ = surely | listed, possibly | listed | maybe | unknown
        next_surely = {
            n
            for n in NODES
            if reaches(sum((s[1] for s in graph.get(n, ()) if s[0] in counting), Fraction()), threshold)
        }
        next_possibly = set(unknown)
        for n in NODES:
            stakes = graph.get(n, [])
            most = sum((s[2] for s in stakes if s[0] in open_), Fraction())
            if sum((s[1] for s in stakes), Fraction()) <= 100:
                most = min(most, 100 - sum((s[1] for s in stakes if s[0] not in open_), Fraction()))
            if reaches(most, threshold):
                next_possibly.add(n)
        next_surely |= surely
        next_possibly |= possibly | next_surely
        if (next_surely, next_possibly) == (surely, possibly):
            return surely, possibly
        surely, possibly = next_surely, next_possibly


@settings(max_examples=200, deadline=None)
@given(graphs(), some, some, some, thresholds)
def test_the_cascade_equals_its_definition(graph, listed, maybe, unknown, threshold) -> None:  # type: ignore[no-untyped-def]
    """Surely caught and possibly caught are what iterating the rule over every entity gives."""
    found = cascade(
        graph, listed=listed, maybe_listed=maybe, owners_unknown=unknown, comparison=threshold[0], percent=threshold[1]
    )
    surely, possibly = slow(graph, listed, maybe, unknown, threshold)
    for node in NODES:
        if node in graph or node in unknown:
            expected = True if node in surely else None if node in possibly else False
            assert found.answer(node) is expected


@settings(max_examples=200, deadline=None)
@given(graphs(), some, nodes, thresholds)
def test_one_more_listed_owner_never_loosens(graph, listed, more, threshold) -> None:  # type: ignore[no-untyped-def]
    """Listing one more entity catches everything that was caught, and frees nothing that was open."""
    options = {"comparison": threshold[0], "percent": threshold[1]}
    before, after = cascade(graph, listed=listed, **options), cascade(graph, listed=listed | {more}, **options)
    assert set(before.caught) <= set(after.caught)
    assert before.possible <= after.possible


@settings(max_examples=100, deadline=None)
@given(graphs(), some, some, thresholds)
def test_knowing_more_never_turns_a_sure_answer(graph, listed, maybe, threshold) -> None:  # type: ignore[no-untyped-def]
    """Whichever way doubts about listings turn out, a sure answer stays what it was."""
    options = {"comparison": threshold[0], "percent": threshold[1]}
    open_ = cascade(graph, listed=listed, maybe_listed=maybe, **options)
    for settled in (listed, listed | maybe):
        known = cascade(graph, listed=settled, **options)
        for node in NODES:
            if open_.answer(node) is not None:
                assert known.answer(node) is open_.answer(node)


@settings(max_examples=100, deadline=None)
@given(graphs(), some, thresholds, st.randoms())
def test_order_of_stakes_changes_nothing(graph, listed, threshold, random) -> None:  # type: ignore[no-untyped-def]
    """Edges in another order give the same answers."""
    shuffled = {}
    for key in random.sample(list(graph), len(graph)):
        shuffled[key] = random.sample(graph[key], len(graph[key]))
    options = {"listed": listed, "comparison": threshold[0], "percent": threshold[1]}
    one, other = cascade(graph, **options), cascade(shuffled, **options)
    assert (one.caught, one.possible) == (other.caught, other.possible)
