"""Customers documents: what loads, what is refused and with which place."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from exportguard.errors import ConfigurationError, DocumentError, UnknownCustomerError
from exportguard.parties import load_directory
from exportguard.parties.databases import create_directory
from exportguard.parties.directory import customer_of
from exportguard.vocabulary import Unknown

CUSTOMER = {
    "id": "cust-17",
    "accounts": {"aws": ["111122223333"], "azure": ["AAAA-bbbb"], "tags": {"customer": "cust-17", "env": "prod"}},
    "valid_until": "2027-01-01",
    "end_use": "inference",
    "parties": [{"role": "end_user", "name": "Example Institute", "country": "US", "owners": []}],
}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_customer_is_found_by_id_account_and_tags_in_any_spelling() -> None:
    """Dashes of an account id and case do not matter; all tags of a customer have to be there."""
    directory = load_directory({"customers": [CUSTOMER]})
    found = directory.by_id("cust-17")
    assert found is not None
    assert directory.by_account("aws", "1111-2222-3333") == (found,)
    assert directory.by_account(None, "/subscriptions/aaaa-BBBB/resourceGroups/x") == (found,)
    assert directory.by_account("azure", "111122223333") == ()
    assert directory.by_tags({"Customer": "CUST-17", "env": "prod", "more": "x"}) == (found,)
    assert directory.by_tags({"customer": "cust-17"}) == ()


def test_every_source_gives_the_same_customers(tmp_path: Path) -> None:
    """YAML, JSON, a mapping, a list, a function, SQLite and SQLAlchemy answer alike."""
    import yaml

    expected = load_directory({"customers": [CUSTOMER]}).by_id("cust-17")
    assert expected is not None
    database = tmp_path / "customers.sqlite"
    create_directory(database, [expected])
    sources = [
        write(tmp_path, "c.yaml", yaml.safe_dump({"customers": [CUSTOMER]})),
        str(write(tmp_path, "c.json", json.dumps({"customers": [CUSTOMER]}))),
        [CUSTOMER],
        lambda **asked: CUSTOMER if asked.get("id") == "cust-17" or "account" in asked else None,
        database,
        f"sqlite:///{database}",
    ]
    for source in sources:
        directory = load_directory(source)
        assert directory.by_id("cust-17") == expected
        assert directory.by_id("cust-18") is None
        assert [c.id for c in directory.by_account("aws", "111122223333")] == ["cust-17"]
    assert [c.id for c in load_directory(database).by_tags({"customer": "cust-17", "env": "prod"})] == ["cust-17"]


def test_a_database_that_changes_is_read_again(tmp_path: Path) -> None:
    """What another connection commits is seen by the next look-up."""
    database = tmp_path / "customers.sqlite"
    create_directory(database, [])
    directory = load_directory(database)
    assert directory.by_id("a") is None
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO customers VALUES ('a', '{\"parties\": []}')")
    assert directory.by_id("a") is not None


def test_yaml_scalars_are_text_where_the_schema_wants_text(tmp_path: Path) -> None:
    """NO is Norway, an account keeps its leading zero, a null parent is none."""
    text = """customers:
  - id: 017
    accounts: {aws: [012345678901]}
    parties:
      - {role: end_user, name: Yes, country: NO, verified: true, ultimate_parent: null, owners: [{percent: 33.3}]}
"""
    customer = load_directory(write(tmp_path, "c.yml", text)).by_account("aws", "012345678901")[0]
    assert customer.id == "017"
    assert not isinstance(customer.parties, Unknown)
    party = customer.parties[0]
    assert (party.name, party.country, party.verified, party.ultimate_parent) == ("Yes", "NO", True, None)


def test_csv_rows_of_one_id_are_one_customer(tmp_path: Path) -> None:
    """A row is a party; an empty cell is unknown, `-` is known to be none."""
    text = (
        "id,aws,tags,role,name,country,listings,owners,valid_until\n"
        'a,111122223333;444455556666,k=v,end_user,Ex,NO,-,"[{""percent"": ""100/3""}]",2027-01-01\n'
        "b,,,end_user,Other,,,,\na,,,purchaser,Re,,EL;MEU,-,\n"
    )
    directory = load_directory(write(tmp_path, "c.csv", text))
    customer = directory.by_account("aws", "444455556666")[0]
    assert customer.valid_until == date(2027, 1, 1)
    assert not isinstance(customer.parties, Unknown)
    first, second = customer.parties
    assert (first.country, first.listings) == ("NO", ())
    assert (second.listings, second.owners) == (("EL", "MEU"), ())
    other = directory.by_id("b")
    assert other is not None
    assert not isinstance(other.parties, Unknown)
    assert isinstance(other.parties[0].listings, Unknown)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.yaml", "customers:\n  - id: a\n    id: b\n", [":3", "`id` stands twice"]),
        ("c.json", '{"customers": [\n{"id": "a", "id": "b"}]}', [":2", "`id` stands twice"]),
        ("c.json", '{"customers": [{"id": "a"},\n{"id": "a"}]}', [":2", "id `a` stands twice"]),
        ("c.json", '{"customers": [\n{"id": "a", "nmae": 1}]}', [":2", "$.customers[0].nmae"]),
        ("c.json", '{"customers": [{"id": "a", "parties": [\n{"owners": [{"percent": NaN}]}]}]}', [":2", "finite"]),
        ("c.json", '{"customers": [{"id": "a", "parties": [{"owners": [{"percent": 160}]}]}]}', ["0 and 100"]),
        ("c.json", '{"customers": [{"id": "a", "parties": [{"role": "boss"}]}]}', ["role", "'end_user'"]),
        ("c.json", '{"customers": [}', [":1", "not JSON"]),
        ("c.json", "[" * 10_000 + "]" * 10_000, ["nested"]),
        ("c.json", '{"a":' * 10_000 + "1" + "}" * 10_000, ["nested"]),
        ("c.yaml", "[" * 10_000 + "]" * 10_000, ["nested deeper than 64"]),
        ("c.yaml", "customers: &x\n  - *x\n", [":1", "anchors and aliases"]),
        ("c.yaml", "customers: !!python/object:os.system []", ["tag"]),
        ("c.yaml", "customers: []\n---\ncustomers: []\n", [":2", "more than one document"]),
        ("c.yaml", "custmers: []\n", ["custmers", "`customers` is missing"]),
        ("c.yaml", "", ["mapping"]),
        ("c.csv", "id,role\na,boss\n", [":2", "role"]),
        ("c.csv", "id,rle\na,x\n", ["`rle` is not a column"]),
        ("c.csv", "id,role\na\n", [":2", "cells"]),
        ("c.txt", "customers: []", ["use .yaml"]),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path, name: str, text: str, said: list[str]) -> None:
    """Nothing is loaded half; the message has the file, the line where it is known, and what is wrong."""
    path = write(tmp_path, name, text)
    with pytest.raises(DocumentError) as refused:
        load_directory(path)
    assert name in str(refused.value)
    for part in said:
        assert part in str(refused.value)


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    """Three bad customers are three problems in one error."""
    text = "customers:\n" + "".join(f"  - {{id: c{i}, foo: 1}}\n" for i in range(3))
    with pytest.raises(DocumentError, match=r"3 problems(?s:.*)customers\[0\](?s:.*)customers\[2\]"):
        load_directory(write(tmp_path, "c.yaml", text))


def test_files_that_are_not_there_or_no_text_are_refused(tmp_path: Path) -> None:
    """A missing file, a directory, bytes that are no UTF-8, and a database without tables."""
    (tmp_path / "d.json").mkdir()
    (tmp_path / "e.json").write_bytes(b'{"customers": [\n"\xff"]}')
    sqlite3.connect(tmp_path / "f.sqlite").close()
    for name in ("a.json", "b.sqlite", "d.json", "e.json", "f.sqlite"):
        with pytest.raises(DocumentError):
            load_directory(tmp_path / name)


def test_a_source_that_is_none_or_nothing_known_is_said() -> None:
    """No directory knows nobody; a number is no directory; customers are not fetched over the network."""
    assert load_directory(None).by_id("a") is None
    for source in (17, "https://example.com/customers.json"):
        with pytest.raises(ConfigurationError):
            load_directory(source)


def test_an_unknown_customer_is_an_error_with_near_matches() -> None:
    """A slip in a customer id is never nobody."""
    with pytest.raises(UnknownCustomerError, match="did you mean `cust-17`"):
        customer_of(load_directory([CUSTOMER]), "cust-71")


def test_importing_the_room_loads_no_matcher_and_no_parser() -> None:
    """`import exportguard.parties` is cheap: rapidfuzz, yaml, gzip and the list wait until they are used."""
    code = (
        "import sys, exportguard.parties, exportguard.parties.screening as s\n"
        "print([m for m in ('rapidfuzz','yaml','gzip','pydantic','sqlite3','opencc','pypinyin') if m in sys.modules])"
    )
    source = Path(__file__).parents[3] / "src"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(source)})
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("key", ["ultimate_parent", "subdivision", "restricted_ownership"])
def test_a_key_that_was_left_to_be_filled_in_is_no_answer(tmp_path: Path, key: str) -> None:
    """`ultimate_parent:` with nothing behind it does not say that nobody stands above the party; `null` does."""
    text = f"customers:\n  - id: c\n    parties:\n      - role: end_user\n        {key}:"
    with pytest.raises(DocumentError, match=rf"c\.yaml:5 .*{key}: `{key}` has no value"):
        load_directory(write(tmp_path, "c.yaml", text))
    assert load_directory(write(tmp_path, "c.yaml", f"{text} null")).by_id("c") is not None
