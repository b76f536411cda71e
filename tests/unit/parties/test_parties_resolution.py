"""Who counts as a party: the request's own, the named customer's and the account's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from exportguard import Guard, reference
from exportguard.errors import NaiveInstantError, UnknownCustomerError
from exportguard.parties import ResolvedParties, load_directory, resolve
from exportguard.parties.screening import ScreeningResult, Status
from exportguard.parties.screening.result import Entry, Match
from exportguard.vocabulary import OwnershipQuestion, Party, ProvisioningRequest, Unknown

AS_OF = datetime(2026, 8, 1, tzinfo=UTC)
CUSTOMERS = {
    "customers": [
        {
            "id": "school",
            "valid_until": "2026-12-01",
            "end_use": "inference",
            "parties": [{"role": "end_user", "name": "Example School", "country": "CN", "owners": []}],
        },
        {
            "id": "reseller",
            "accounts": {"aws": ["111122223333"]},
            "parties": [{"role": "purchaser", "name": "Example Reseller", "country": "SG", "listings": []}],
        },
        {"id": "blank", "accounts": {"aws": ["444455556666"]}},
    ]
}


class ListOfOne:
    """A screener that lists one name on the Entity List and one for a person to look at."""

    digest = "0" * 64
    list_date = date(2026, 7, 31)

    def screen(self, name: str, *, as_of: datetime, country: str | None = None) -> ScreeningResult:
        entry = Entry("EL", "Listed Works", "Entity List (EL)")
        if name == "Listed Works":
            matches = (Match("EL", entry, "Listed Works", 1.0, "the listed name"),)
            return ScreeningResult(name, Status.HIT, matches, self.list_date)
        if name == "Listed Wroks":
            return ScreeningResult(name, Status.REVIEW, (), self.list_date, "a person has to look")
        return ScreeningResult(name, Status.CLEAR, (), self.list_date)


def resolved(request: ProvisioningRequest, as_of: datetime = AS_OF, **more: Any) -> ResolvedParties:
    more = {"screener": ListOfOne(), "directory": load_directory(CUSTOMERS)} | more
    return resolve(request, reference=reference.default(), as_of=as_of, **more)


def parties(found: ResolvedParties) -> tuple[Party, ...]:
    assert not isinstance(found.request.parties, Unknown)
    return found.request.parties


def test_two_customers_both_count_and_raise_a_flag() -> None:
    """The account is the reseller's, the caller names the school: both are asked about."""
    found = resolved(ProvisioningRequest(provider="aws", account="1111-2222-3333"), customers=["school"])
    assert found.customers == ("school", "reseller")
    assert [party.name for party in parties(found)] == ["Example School", "Example Reseller"]
    assert [party.customer for party in parties(found)] == ["school", "reseller"]
    assert "customer_conflict" in found.red_flags
    assert found.request.red_flags == found.red_flags
    assert found.request.end_use == "inference"


def test_a_stale_record_keeps_roles_and_nothing_else() -> None:
    """From `valid_until` on, what a record says is unknown and says why."""
    request = ProvisioningRequest(customer="school")
    before = parties(resolved(request, datetime(2026, 11, 30, 23, 59, tzinfo=UTC)))
    assert before[0].country == "CN"
    stale = resolved(request, datetime(2026, 12, 1, tzinfo=UTC))
    party = parties(stale)[0]
    assert party.role == "end_user"
    why = Unknown("record of `school` was valid until 2026-12-01")
    assert {party.name, party.country, party.headquarters, party.owners, party.listings, party.verified} == {why}
    assert isinstance(stale.request.end_use, Unknown)


def test_a_party_named_twice_is_completed_not_doubled() -> None:
    """The request's bare name and the record's facts are one party."""
    own = Party(role="end_user", name="EXAMPLE  school", headquarters="CN")
    found = resolved(ProvisioningRequest(parties=(own,)), customers=["school"])
    (party,) = parties(found)
    assert (party.country, party.headquarters, party.owners) == ("CN", "CN", ())
    assert found.red_flags == ()


@pytest.mark.parametrize(("stated", "count"), [("US", 2), ("P.R. China", 1), ("中国", 1)])
def test_sources_that_disagree_both_count(stated: str, count: int) -> None:
    """Another country is another party and a red flag; another spelling of the same is neither."""
    own = Party(role="end_user", name="Example School", country=stated)
    found = resolved(ProvisioningRequest(parties=(own,)), customers=["school"])
    assert len(parties(found)) == count
    assert ("sources_disagree" in found.red_flags) == (count == 2)


def test_parties_that_could_not_be_read_do_not_vanish_behind_a_customer() -> None:
    """An unreadable list of parties stays an unknown end user beside those of the customer."""
    found = resolved(ProvisioningRequest(parties=Unknown("tag cut off")), customers=["school"])
    assert Unknown("tag cut off") in [party.name for party in parties(found)]


def test_a_record_without_parties_is_an_unknown_end_user() -> None:
    """`parties` left out is unknown, and the answer says how to state that there are none."""
    (party,) = parties(resolved(ProvisioningRequest(provider="aws", account="444455556666")))
    assert party.role == "end_user"
    assert isinstance(party.name, Unknown)
    assert "`parties: []`" in party.name.reason


def test_listings_come_from_screening_and_given_ones_stand() -> None:
    """A hit gives its list, a clear name none, a review is unknown with a flag; given listings are not asked."""
    names = ("Listed Works", "Plain Works", "Listed Wroks")
    own = tuple(Party(role="end_user", name=name) for name in names)
    given = Party(role="purchaser", name="Listed Works", listings=())
    found = resolved(ProvisioningRequest(parties=(*own, given)))
    hit, clear, review, stated = parties(found)
    assert (hit.listings, hit.listings_as_of) == (("EL",), date(2026, 7, 31))
    assert clear.listings == ()
    assert review.listings == Unknown("a person has to look")
    assert stated.listings == ()
    assert "screening_review" in found.red_flags
    assert any("sha256" in source.source for source in found.sources)


def test_without_a_screener_listings_are_unknown() -> None:
    """No list, no clear name."""
    (party,) = parties(resolved(ProvisioningRequest(parties=(Party(role="end_user", name="X"),)), screener=None))
    assert isinstance(party.listings, Unknown)


def test_owners_are_screened_and_the_cascade_answers() -> None:
    """An owner on no record is screened by name; ten percent short of the threshold is not caught."""
    question = OwnershipQuestion(("EL",), ">=", Fraction(50))
    for percent, expected in ((50, True), (40, False)):
        owner = {"name": "Listed Works", "percent": percent, "owners": []}
        party = Party.model_validate({"role": "end_user", "name": "Y", "owners": [owner]})
        found = resolved(ProvisioningRequest(parties=(party,)), questions=frozenset({question}))
        answer = parties(found)[0].ownership_answers[0]
        assert (answer.question, answer.owned) == (question, expected)
        assert parties(found)[0].restricted_ownership.percent == percent  # type: ignore[union-attr]


def test_the_shared_graph_of_a_document_is_asked() -> None:
    """`ownership` and `entities` of a customers document stand for every party whose id they name."""
    document = {
        "customers": [{"id": "c", "parties": [{"role": "end_user", "id": "e1", "name": "One"}]}],
        "ownership": [
            {"owner": "e2", "owned": "e1", "percent": "50", "since": "2020-01-01", "until": "2026-09-01"},
            {"owner": "e3", "owned": "e2", "percent": 60},
        ],
        "entities": [{"id": "e3", "name": "State Works", "listings": ["CMIC", "EL"], "owners": []}],
    }
    question = OwnershipQuestion(("EL",), ">=", Fraction(50))

    def owned(as_of: datetime) -> object:
        found = resolved(
            ProvisioningRequest(customer="c"),
            as_of,
            directory=load_directory(document),
            questions=frozenset({question}),
        )
        return parties(found)[0].ownership_answers[0].owned

    assert owned(AS_OF) is True
    assert owned(datetime(2026, 9, 1, tzinfo=UTC)) is False


def test_wrong_arguments_are_errors() -> None:
    """An instant without a timezone and a customer that is not there."""
    with pytest.raises(NaiveInstantError):
        resolved(ProvisioningRequest(), datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(UnknownCustomerError):
        resolved(ProvisioningRequest(customer="nobody"))


def test_what_is_known_of_a_customer_is_found_out_once_a_day_and_not_for_each_call() -> None:
    """The same guard asks the same questions for each call; a question that came as another object was another one."""
    with Guard.load(customers=CUSTOMERS, record=None, ledger=None, lists=None) as guard:
        days = (AS_OF, AS_OF, AS_OF + timedelta(days=1))
        one, again, later = (
            guard.check({"provider": "aws", "items": []}, customer="reseller", as_of=day).parties for day in days
        )
    assert one is again
    assert later is not one
    assert later == one
