"""From a request as observed to what conditions see: what is named but not known is unknown, never harmless."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from exportguard.decide.derive import Facts, derive
from exportguard.reference import default
from exportguard.reference.listcodes import list_code
from exportguard.vocabulary import Item, Location, Party, ProvisioningRequest, Unknown

AS_OF = datetime(2024, 8, 23, tzinfo=UTC)


def seen(**fields: Any) -> Facts:
    return derive(ProvisioningRequest(**{"provider": "aws", **fields}), default(), AS_OF)


def item(**fields: Any) -> Any:
    views = seen(items=(Item(**{"kind": "accelerator", **fields}),)).items
    assert len(views) == 1, views
    return views[0]


def test_an_instance_type_tells_chip_count_and_class():
    view = item(instance_type="p5.48xlarge", instances=2)
    assert view.accelerator.family == "H100"
    assert (view.count, view.quantity, view.eccn) == (16, 2, "3A090.a")
    assert view.total_tpp == view.accelerator.tpp * 16


def test_what_is_known_to_carry_none_is_dropped_and_nothing_else():
    assert seen(items=(Item(kind="accelerator", instance_type="t3.micro"),)).items == ()
    for odd in ("p7.48xlarge", "zz9.large", "P5", ""):
        if odd:
            assert isinstance(item(instance_type=odd).eccn, Unknown)


def test_an_item_that_names_nothing_is_unknown():
    assert isinstance(item().eccn, Unknown)
    assert isinstance(item(instance_type=Unknown("a launch template")).accelerator.id, Unknown)


def test_missing_items_are_one_unknown_item_and_an_empty_list_is_none():
    assert len(seen().items) == 1
    assert isinstance(seen().items[0].kind, Unknown)
    assert seen(items=()).items == ()


def test_a_family_shares_what_its_chips_share():
    """Which H100 it is, is not known; that it is 3A090.a is."""
    view = item(accelerator="H100", count=8)
    assert view.accelerator.family == "H100"
    assert view.eccn == "3A090.a"
    assert isinstance(view.accelerator.id, Unknown)


def test_two_accelerators_named_are_both_asked_about():
    views = seen(items=(Item(kind="accelerator", instance_type="g4dn.xlarge", instances=1, accelerator="H100"),)).items
    assert {view.accelerator.family for view in views} == {"T4", "H100"}


def test_a_harmless_type_with_accelerators_is_not_harmless():
    assert isinstance(item(instance_type="t3.micro", count=8).eccn, Unknown)
    views = seen(items=(Item(kind="accelerator", instance_type="t3.micro", accelerator="H100", count=8),)).items
    assert "H100" in {getattr(view.accelerator, "family", None) for view in views}


def test_the_larger_of_two_counts_counts():
    assert item(instance_type="p5.48xlarge", instances=2, count=1).count == 16
    assert item(instance_type="p5.48xlarge", instances=1, count=64).count == 64


def test_fractions_of_an_accelerator_add_up():
    azure = seen(
        provider="azure", items=(Item(kind="accelerator", instance_type="Standard_NV6ads_A10_v5", instances=6),)
    )
    assert azure.items[0].count == 1


def test_a_model_item_is_never_3a090_and_its_kind_is_not_hidden():
    view = item(kind="model", model="anthropic.claude-3-5-sonnet-20240620-v1:0", tokens=5)
    assert (view.model.provider, view.eccn, view.tokens) == ("anthropic", "not-3A090", 5)
    both = item(kind="model", model="anthropic.claude-3-5-sonnet-20240620-v1:0", instance_type="p5.48xlarge")
    assert isinstance(both.kind, Unknown)


def test_a_region_tells_the_country_and_a_contradiction_asks_about_both():
    assert [v.country for v in seen(locations=(Location(region="ap-east-1"),)).locations] == ["HK"]
    facts = seen(locations=(Location(region="us-east-1", country="CN"),))
    assert [v.country for v in facts.locations] == ["US", "CN"]
    assert "location_conflict" in facts.request.red_flags


def test_a_region_nobody_knows_is_an_unknown_place():
    (place,) = seen(locations=(Location(region="xx-west-9"),)).locations
    assert isinstance(place.country, Unknown)
    for nowhere in ({}, {"locations": ()}):
        (place,) = seen(**nowhere).locations
        assert isinstance(place.country, Unknown)


def test_an_inference_profile_adds_possible_places():
    facts = seen(
        locations=(Location(region="eu-central-1"),),
        items=(Item(kind="model", model="eu.anthropic.claude-3-5-sonnet-20240620-v1:0"),),
    )
    certain = {v.certainty for v in facts.locations}
    assert certain == {"declared", "possible"}


def test_there_is_always_an_end_user():
    for nobody in ({}, {"parties": ()}, {"parties": (Party(role="purchaser", country="US"),)}):
        users = [party for party in seen(**nobody).parties if party.role == "end_user"]
        assert len(users) == 1
        assert isinstance(users[0].country, Unknown)


@pytest.mark.parametrize(
    ("said", "country"), [("cn", "CN"), ("CHN", "CN"), ("P.R. China", "CN"), ("中国", "CN"), ("NO", "NO")]
)
def test_countries_are_read_in_any_spelling(said, country):
    (party,) = seen(parties=(Party(role="end_user", country=said, headquarters=said),)).parties
    assert (party.country, party.headquarters) == (country, country)


def test_a_country_that_cannot_be_read_is_unknown():
    (party,) = seen(parties=(Party(role="end_user", country="Ruritania"),)).parties
    assert isinstance(party.country, Unknown)


def test_null_for_the_parent_says_the_party_is_its_own():
    (own,) = seen(parties=(Party(role="end_user", headquarters="IR", ultimate_parent=None),)).parties
    assert own.ultimate_parent.headquarters == "IR"
    (unsaid,) = seen(parties=(Party(role="end_user", headquarters="IR"),)).parties
    assert isinstance(unsaid.ultimate_parent, Unknown)


def test_a_list_nobody_knows_is_some_list():
    """A misspelt code is unknown, never *not the Entity List*."""
    (party,) = seen(parties=(Party(role="end_user", listings=("el", "Enitty List")),)).parties
    assert party.listings[0] == "EL"
    assert isinstance(party.listings[1], Unknown)


@pytest.mark.parametrize(
    ("fields", "transfer"),
    [
        ({"service": "ec2", "operation": "RunInstances"}, "remote_access"),
        ({"service": "outposts", "operation": "CreateOrder"}, "export"),
        ({"service": "ec2", "operation": "RunInstances", "transfer": "export"}, "export"),
        ({"service": "outposts", "operation": "CreateOrder", "transfer": "remote_access"}, "export"),
        ({"provider": "other", "transfer": "export"}, "export"),
    ],
)
def test_the_operation_tells_whether_hardware_moves(fields, transfer):
    assert seen(**fields).request.transfer == transfer


def test_a_transfer_that_is_said_to_be_unknown_is_not_guessed_from_an_operation():
    """Only what is left out is: hiding that hardware goes somewhere would otherwise make access from afar of it."""
    hidden = seen(service="ec2", operation="RunInstances", transfer=Unknown("nobody says"))
    assert isinstance(hidden.request.transfer, Unknown)


def test_without_an_operation_the_transfer_is_unknown():
    assert isinstance(seen().request.transfer, Unknown)


@pytest.mark.parametrize("said", ["AI training", "ai-training", " AI_Training "])
def test_an_end_use_means_the_same_in_any_spelling(said):
    assert seen(end_use=said).request.end_use == "ai_training"


def test_which_part_of_a_divided_country_is_not_known_until_it_is_said():
    """Crimea is in Ukraine by its country code; a party in Ukraine is not known to be elsewhere."""
    (unsaid,) = seen(parties=(Party(role="end_user", country="UA"),)).parties
    assert isinstance(unsaid.subdivision, Unknown)
    (said,) = seen(parties=(Party(role="end_user", country="UA", subdivision="ua-30"),)).parties
    assert said.subdivision == "UA-30"
    (elsewhere,) = seen(parties=(Party(role="end_user", country="CH"),)).parties
    assert elsewhere.subdivision is None


@pytest.mark.parametrize(
    ("country", "written", "part"),
    [
        ("UA", "Crimea", "UA-43"),
        ("UA", "43", "UA-43"),
        ("UA", "UA_43", "UA-43"),
        ("UA", "UA\u201143", "UA-43"),
        ("UA", "Autonomous Republic of Crimea", "UA-43"),
        ("UA", "Донецкая область", "UA-14"),
        ("UA", "Kyiv", "UA-30"),
        ("UA", "US-CA", None),
        ("UA", "UA-99", None),
        ("UA", "the south", None),
        ("RU", "Sevastopol", "UA-40"),
        ("RU", "RU-CR", "UA-43"),
        ("RU", "Moscow", "MOSCOW"),
        ("US", "California", "CALIFORNIA"),
        ("US", "us-ca", "US-CA"),
        ("US", "Odessa", "ODESSA"),
        ("US", "UA-43", "UA-43"),
    ],
)
def test_a_part_of_a_country_is_read_in_any_usual_spelling(country, written, part):
    """What is written otherwise of a divided country is not known to be elsewhere in it."""
    (party,) = seen(parties=(Party(role="end_user", country=country, subdivision=written),)).parties
    assert party.subdivision == part if part is not None else isinstance(party.subdivision, Unknown)
    (place,) = seen(locations=(Location(country=country, subdivision=written),)).locations
    assert place.subdivision == party.subdivision


def test_a_part_stated_as_a_country_is_its_country_and_that_part():
    (party,) = seen(parties=(Party(role="end_user", country="Crimea"),)).parties
    assert (party.country, party.subdivision) == ("UA", "UA-43")
    (run,) = seen(parties=(Party(role="end_user", country="DE", headquarters="Sevastopol"),)).parties
    assert (run.country, run.headquarters, run.subdivision) == ("DE", "UA", "UA-40")
    (place,) = seen(locations=(Location(country="Luhansk People's Republic"),)).locations
    assert (place.country, place.subdivision) == ("UA", "UA-09")
    (open_,) = seen(parties=(Party(role="end_user", country="UA", headquarters="Kyiv"),)).parties
    assert isinstance(open_.subdivision, Unknown)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("el", "EL"),
        ("Entity List", "EL"),
        ("entity-list", "EL"),
        ("Entity List (EL) - Bureau of Industry and Security", "EL"),
        ("Military End User (MEU) List - Bureau of Industry and Security", "MEU"),
        ("Specially Designated Nationals", "SDN"),
        ("SDN List", "SDN"),
        ("Denied Persons List", "DPL"),
        ("CMIC", "NS-CMIC"),
        ("NS-MBS List", "MBS"),
        ("ITAR Debarred (DTC) - State Department", "DTC"),
        ("not screened (SDN)", None),
        ("Non-SDN", None),
        ("1260H", None),
        ("", None),
    ],
)
def test_a_list_is_known_by_its_name_too(written, code):
    """Read as some list that nobody knows, a denied person would pass with what is not controlled."""
    found = list_code(written)
    assert found == code
