"""The strategies make what the guard can judge, and assertions say what they mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from exportguard import Guard, Outcome
from exportguard.testing import UNKNOWN, assert_allowed, assert_denied, assert_held, refuses, request
from exportguard.testing import strategies as some
from exportguard.vocabulary import Unknown
from exportguard.vocabulary.hiding import fact_paths

AS_OF = datetime(2024, 8, 23, tzinfo=UTC)
GUARD = Guard.load(lists=None, record=None, ledger=None, clock=lambda: AS_OF)


@settings(max_examples=60, deadline=None)
@given(some.requests())
def test_every_request_is_decided(made):
    """None of them is refused as a document, and each outcome has its reason."""
    decision = GUARD.check(made)
    assert decision.allowed or decision.reasons


@settings(max_examples=60, deadline=None)
@given(some.call_documents())
def test_every_call_document_is_decided(made):
    assert GUARD.check(made).outcome in set(Outcome)


@settings(max_examples=60, deadline=None)
@given(some.requests(unknowns=False))
def test_requests_without_unknowns_have_their_items_parties_and_places(made):
    assert not isinstance(made.items, Unknown)
    assert not isinstance(made.parties, Unknown)
    assert made.items
    assert made.parties
    assert "parties[0].headquarters" in fact_paths(made)


DENIED = request(accelerator="H100", end_user="IR")
HELD = request(accelerator="H100", end_user=UNKNOWN)
ALLOWED = request(accelerator="H100", end_user="CH")


@pytest.mark.parametrize(
    ("assertion", "told"),
    [
        (lambda: assert_allowed(GUARD, DENIED), "expected ALLOW, got DENY"),
        (lambda: assert_denied(GUARD, HELD), "expected DENY, got HOLD"),
        (lambda: assert_held(GUARD, ALLOWED), "expected HOLD, got ALLOW"),
        (lambda: assert_denied(GUARD, DENIED, by="nobody"), "expected a denial by `nobody`"),
        (lambda: assert_held(GUARD, HELD, by="nobody"), "expected `nobody` to hold it"),
        (lambda: assert_held(GUARD, HELD, missing="party.shoe_size"), "expected `party.shoe_size`"),
    ],
)
def test_an_assertion_that_fails_tells_the_whole_decision(assertion, told):
    with pytest.raises(AssertionError) as caught:
        assertion()
    assert told in str(caught.value)
    assert "\n  " in str(caught.value)


def test_assertions_return_the_decision():
    assert assert_denied(GUARD, DENIED, by="iaas-remote-access/headquarters-d5-macau").outcome is Outcome.DENY
    assert assert_held(GUARD, HELD, missing="party.headquarters").unknown
    assert assert_allowed(GUARD, ALLOWED).allowed


def test_a_block_that_is_not_refused_fails():
    with pytest.raises(AssertionError, match="every call within was let go"), refuses():
        pass
