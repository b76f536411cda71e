"""The data itself: fresh, checked, sourced, cheap to import."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest

from exportguard.errors import ReferenceDataError
from exportguard.reference import ReferenceData, default
from exportguard.reference.build import main, read_tables
from exportguard.reference.checks import check
from exportguard.reference.countries_from_cldr import table
from exportguard.reference.store import DATA, Store, encode

TABLES, PROBLEMS = read_tables()


def test_the_compact_form_is_what_the_yaml_says() -> None:
    """`python -m exportguard.reference.build` was run after the last edit of the tables."""
    assert main(["--check"]) == 0


def test_the_countries_are_what_cldr_says() -> None:
    pytest.importorskip("babel")
    assert (DATA / "countries.yaml").read_text(encoding="utf-8") == table()


def test_the_shipped_data_has_no_problem() -> None:
    assert PROBLEMS == []
    assert check(TABLES) == []


def accelerator(tables: dict[str, Any], id_: str) -> dict[str, Any]:
    row: dict[str, Any] = next(r for r in tables["accelerators"]["accelerators"] if r["id"] == id_)
    return row


def wrong_tpp(tables: dict[str, Any]) -> None:
    accelerator(tables, "h100-sxm")["tpp"] = 9999


def wrong_density(tables: dict[str, Any]) -> None:
    accelerator(tables, "h100-sxm")["performance_density"] = 5.9


def no_source(tables: dict[str, Any]) -> None:
    accelerator(tables, "l4")["sources"] = []


def twice(tables: dict[str, Any]) -> None:
    tables["instances_aws"]["instances"].append(dict(tables["instances_aws"]["instances"][0]))


def no_country(tables: dict[str, Any]) -> None:
    tables["regions"]["groups"][0]["regions"][0].pop("country")


def unknown_code(tables: dict[str, Any]) -> None:
    tables["country_groups"]["groups"][0]["members"].append("QX")


def unknown_chip(tables: dict[str, Any]) -> None:
    tables["instances_azure"]["instances"][0]["accelerators"] = ["h900"]


def undated_change(tables: dict[str, Any]) -> None:
    tables["country_groups"]["changes"][0]["from"] = "soon"


def orphaned_zone(tables: dict[str, Any]) -> None:
    tables["zones"]["places"]["us-moon-1-lun"] = "US"


def broken_pattern(tables: dict[str, Any]) -> None:
    tables["models"]["families"][0]["name"] = "claude("


def unknown_geography(tables: dict[str, Any]) -> None:
    tables["processing"]["geographies"][0]["countries"] = ["QX"]


def undated_threshold(tables: dict[str, Any]) -> None:
    tables["ear_rules"]["thresholds"][0]["effective"] = "last autumn"


def unread_table(tables: dict[str, Any]) -> None:
    tables["regions"]["read"] = "yesterday"


def country_served_twice(tables: dict[str, Any]) -> None:
    tables["provider_countries"]["lists"][0]["countries"].append("US")


@pytest.mark.parametrize(
    ("spoil", "place", "what"),
    [
        (wrong_tpp, "accelerators.yaml: h100-sxm", "does not follow from the peaks"),
        (wrong_density, "accelerators.yaml: h100-sxm", "performance density"),
        (no_source, "accelerators.yaml: l4", "no source"),
        (twice, "instances_aws.yaml: dl1.24xlarge", "a second entry"),
        (no_country, "regions.yaml: aws: af-south-1", "no country"),
        (unknown_code, "country_groups.yaml: A:1", "`QX`"),
        (unknown_chip, "instances_azure.yaml: Standard_NC6", "`h900`"),
        (undated_change, "country_groups.yaml: change of AE", "no date"),
        (orphaned_zone, "zones.yaml: us-moon-1-lun", "parent region `us-moon-1`"),
        (broken_pattern, "models.yaml: claude", "no pattern"),
        (unknown_geography, "processing.yaml: us", "`QX`"),
        (undated_threshold, "ear_rules.yaml: last autumn", "no date"),
        (unread_table, "regions.yaml", "yesterday"),
        (country_served_twice, "provider_countries.yaml: openai", "`US` is listed twice"),
    ],
)
def test_bad_data_is_reported_with_its_place(spoil: Any, place: str, what: str) -> None:
    tables = copy.deepcopy(TABLES)
    spoil(tables)
    problems = check(tables)
    assert len(problems) == 1
    assert problems[0].startswith(place)
    assert what in problems[0]


def test_the_digest_is_over_the_content() -> None:
    """Equal tables give equal digests; any change of a fact gives another."""
    same = ReferenceData(Store.of(TABLES))
    assert same.digest == default().digest
    changed = copy.deepcopy(TABLES)
    accelerator(changed, "h100-sxm")["notes"] = "changed"
    assert ReferenceData(Store.of(changed)).digest != same.digest
    assert default() is default()


def test_unreadable_data_is_an_error_of_its_own() -> None:
    with pytest.raises(ReferenceDataError):
        Store(b"not a table\n")
    with pytest.raises(ReferenceDataError):
        Store(b"models\t{broken\n").table("models")
    with pytest.raises(ReferenceDataError):
        Store(encode({"models": {}})).table("regions")


def test_importing_and_using_the_room_loads_nothing_heavy() -> None:
    """The shipped look-ups need neither a YAML parser nor babel nor an SDK."""
    code = (
        "import sys; from exportguard.reference import default; r = default(); r.country('cn');"
        "r.model(None, 'gpt-4o');"
        "r.instance('aws', 'p5.48xlarge'); r.region('azure', 'eastus');"
        "print(sorted({'yaml', 'babel', 'pycountry', 'boto3', 'botocore', 'azure', 'celpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(DATA.parents[2])}


def test_closed_vocabularies_hold_what_policies_name() -> None:
    reference = default()
    assert {"A100", "A800", "H100", "H800", "H20", "H200", "B200", "GB200", "MI300X", "Trainium2", "T4", "V100"} <= (
        reference.accelerator_families
    )
    assert {"3A090.a", "3A090.b", "4A090.a", "4E091"} <= reference.eccns
    assert {"EL", "MEU", "DPL", "UVL", "SDN"} <= reference.list_codes
    assert {
        "claude",
        "gpt",
        "llama",
        "mistral",
        "nova",
        "titan",
        "command",
        "deepseek",
        "qwen",
    } <= reference.model_families
    assert {"anthropic", "openai", "amazon", "meta"} <= reference.model_providers
    assert {"A:1", "A:5", "A:6", "D:1", "D:4", "D:5", "E:1", "E:2", "provider:anthropic"} <= reference.group_names
