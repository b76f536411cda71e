"""What is told of a document that cannot be read: the place, the problem in the document's words, a near key."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from exportguard.documents import parse_json, validate, validate_as
from exportguard.errors import DocumentError
from exportguard.vocabulary import CallDocument, ProvisioningRequest


def told(document: Any, kind: Any = ProvisioningRequest) -> tuple[str, str]:
    with pytest.raises(DocumentError) as caught:
        validate_as(kind, document, "r.json")
    return caught.value.place or "", caught.value.message


def item(**fields: Any) -> dict[str, Any]:
    return {"provider": "aws", "items": [{"kind": "accelerator", "accelerator": "H100", **fields}]}


@pytest.mark.parametrize(
    ("document", "place", "message"),
    [
        ({"itmes": []}, "r.json: $.itmes", "`itmes` is not a key of this document (did you mean `items`?)"),
        (item(cuont=8), "r.json: $.items[0].cuont", "`cuont` is not a key of this document (did you mean `count`?)"),
        ({"xyzzy": 1}, "r.json: $.xyzzy", "`xyzzy` is not a key of this document"),
        (item(count=-1), "r.json: $.items[0].count", "expected at least 0, found -1"),
        (item(count="8"), "r.json: $.items[0].count", "expected a number, found `8`"),
        (item(count=True), "r.json: $.items[0].count", "expected a number, found true"),
        (item(count=10**16), "r.json: $.items[0].count", "expected at most 1000000000000000, found 10000000000000000"),
        (item(instances=1.5), "r.json: $.items[0].instances", "expected a whole number, found 1.5"),
        ({"service": ""}, "r.json: $.service", "expected at least 1 character, found none"),
        ({"service": "\ud800"}, "r.json: $.service", "text with half of a surrogate pair, which is no character"),
        ({"service": ["ec2"]}, "r.json: $.service", "expected text, found a list"),
        ({"parties": {"role": "end_user"}}, "r.json: $.parties", "expected a list, found an object"),
        ({"parties": [None]}, "r.json: $.parties[0]", "expected an object, found null"),
        ({"time": 5}, "r.json: $.time", "expected a date such as 2026-12-31, found `5`"),
        (
            {"parties": [{"role": "end_user", "owners": [{"until": "20301231"}]}]},
            "r.json: $.parties[0].owners[0].until",
            "expected a date such as 2026-12-31, found `20301231`",
        ),
        ([], "r.json", "expected an object, found a list"),
        (8, "r.json", "expected an object, found 8"),
    ],
)
def test_a_problem_is_told_in_the_words_of_the_document(document, place, message):
    assert told(document) == (place, message)


def test_a_word_of_a_closed_list_is_told_with_what_there_is():
    place, message = told({"parties": [{"role": "end-user"}]})
    assert place == "r.json: $.parties[0].role"
    assert message.endswith("(did you mean `end_user`?)")


def test_every_problem_is_told_at_once():
    _, message = told({"itmes": [], "acton": "provision", "service": 1})
    assert {"`items`", "`action`", "found 1"} <= set(re.findall(r"`(?:items|action)`|found 1", message))


def test_an_unknown_key_of_a_call_document_is_refused_never_ignored():
    document = {"sdk": "boto3", "service": "ec2", "operation": "RunInstances", "parametres": {}}
    place, message = told(document, CallDocument)
    assert place == "r.json: $.parametres"
    assert "`parameters`" in message


@pytest.mark.parametrize(
    "document",
    [{"itmes": 1}, item(count="8"), {"service": 1}, {"time": "2024-05-01T00:00:00"}, {"time": "soon"}, {"parties": 1}],
)
def test_no_problem_speaks_of_python(document):
    """Names of Python's types and of the validating library are no words of a document."""
    text = " ".join(told(document))
    assert not re.search(r"\b(str|int|float|dict|NoneType|tuple|pydantic|Input should|instance)\b", text)


def test_what_is_valid_is_read():
    assert validate(ProvisioningRequest, item(count=8), "r.json").provider == "aws"


def test_a_key_given_twice_is_found_in_a_document_of_many_keys():
    """In one pass: a hundred thousand keys are no reason to look ten thousand million times."""
    text = "{" + ",".join(f'"k{n}":1' for n in range(100_000)) + ',\n"k99999": 2}'
    with pytest.raises(DocumentError) as caught:
        parse_json(text, "r.json")
    assert caught.value.message == "the key `k99999` is given twice"
    assert caught.value.place == "r.json:2:1"


@pytest.mark.parametrize("text", ["", "{", '{"a": 1,}', "{'a': 1}", json.dumps({"a": 1})[:-1]])
def test_what_is_not_json_has_a_line_a_column_and_a_remedy(text):
    with pytest.raises(DocumentError) as caught:
        parse_json(text, "r.json")
    assert re.fullmatch(r"r\.json:\d+:\d+", caught.value.place or "")
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({"parties": [{"role": "END-USER", "name": "A"}]}, "end_user"),
        ({"parties": [{"role": "End User", "name": "A"}]}, "end_user"),
        ({"parties": [{"role": "reseller", "name": "A"}]}, "purchaser"),
        ({"action": "create"}, "provision"),
        ({"transfer": "Remote-Access"}, "remote_access"),
        ({"Items": []}, "items"),
    ],
)
def test_a_word_written_otherwise_is_answered_with_the_one_that_is_known(
    changes: dict[str, object], meant: str
) -> None:
    """Case, dashes and what other systems call it: refused, with the word that a document has for it."""
    with pytest.raises(DocumentError, match=f"did you mean `{meant}`"):
        validate(ProvisioningRequest, {"provider": "aws", **changes}, "r.json")
