"""`exportguard check`, run as a user runs it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
CUSTOMERS = str(EXAMPLES / "company_policies" / "customers.yaml")
P5 = {"sdk": "boto3", "service": "ec2", "operation": "RunInstances", "region": "us-east-1"}
P5["parameters"] = {"InstanceType": "p5.48xlarge", "MinCount": 1, "MaxCount": 1}
T3 = {**P5, "parameters": {"InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}}


def exportguard(*arguments: str, stdin: str | bytes | None = None, cwd: Path | None = None, **env: str) -> Any:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-c", "from exportguard.cli import main; main()", *arguments],
        input=data,
        capture_output=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **env},
        check=False,
    )
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def check(*documents: Any, arguments: tuple[str, ...] = ()) -> Any:
    lines = "\n".join(json.dumps(document) for document in documents)
    options = ("--format", "jsonl", "--as-of", "2024-08-23", "--customers", CUSTOMERS, *arguments)
    return exportguard("check", "-", *options, stdin=lines)


def outcomes(done: Any) -> list[str]:
    return [json.loads(line).get("outcome", "error") for line in done.stdout.splitlines()]


def test_the_tenders_of_the_report_are_refused():
    """Both request documents: exit code 1, and the reason in the table."""
    for name in ("tender_shenzhen_servers.json", "tender_sichuan_tokens.json"):
        done = exportguard("check", str(EXAMPLES / name), "--as-of", "2024-08-23")
        assert done.returncode == 1, done.stderr
        assert "DENY" in done.stdout


def test_exit_codes_tell_allow_deny_hold_and_error_apart():
    allowed = {**P5, "customer": "cust-zurich"}
    denied = {**P5, "customer": "cust-shenzhen"}
    assert check(T3, allowed).returncode == 0
    assert check(T3, P5).returncode == 3
    assert check(T3, P5, denied).returncode == 1
    broken = check(denied, {**P5, "parametres": {}}, P5)
    assert broken.returncode == 2
    assert outcomes(broken) == ["DENY", "error", "HOLD"]


def test_a_line_keeps_its_order_and_its_id():
    done = check({"id": "a", **T3}, {"id": 7, **P5}, {"id": "bad", "sdk": "boto3"})
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == ["a", 7, "bad"]
    assert lines[2]["error"]["place"].startswith("<stdin>:3")


def test_json_is_one_array_and_table_is_for_people():
    done = exportguard("check", "-", "--format", "json", stdin=json.dumps(T3))
    assert [d["outcome"] for d in json.loads(done.stdout)] == ["ALLOW"]
    table = exportguard("check", "-", stdin=json.dumps(P5))
    assert table.returncode == 3
    assert "missing party.ultimate_parent.headquarters" in table.stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"provider": "aws", "provider": "azure"}', "given twice"),
        ('{"provider": NaN}', "NaN"),
        ('{"provider": "aws", "itmes": []}', "itmes"),
        ("[" * 10_000, "nested"),
        ('{"a":' * 10_000, "nested"),
        ("not json", "not JSON"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("", "not JSON"),
        ('{"provider": 1e999}', "1e999"),
    ],
)
def test_bad_input_is_an_error_with_a_place_and_exit_code_2(text, told):
    done = exportguard("check", "-", "--format", "jsonl", stdin=text)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert told in error["message"]
    assert error["place"].startswith("<stdin>")
    assert "Traceback" not in done.stderr


def test_a_document_of_100_megabytes_is_refused_without_reading_it_into_a_decision(tmp_path):
    large = tmp_path / "large.json"
    with large.open("wb") as stream:
        stream.write(b'{"provider": "')
        for _ in range(100):
            stream.write(b"x" * 2**20)
        stream.write(b'"}')
    done = exportguard("check", str(large), "--format", "jsonl")
    assert done.returncode == 2
    assert "bytes" in json.loads(done.stdout.splitlines()[0])["error"]["message"]


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("--customers", b"  - {id: a}\n"),
        ("--authorizations", b"  - {id: a}\n"),
        ("--policies", b"# a long story\n"),
    ],
)
def test_a_hundred_megabytes_of_yaml_are_refused_by_their_size(tmp_path, option, line):
    """At once, with the place and what to do instead; nothing is read into anything."""
    large = tmp_path / "large.yaml"
    with large.open("wb") as stream:
        for _ in range(100):
            stream.write(line * (2**20 // len(line)))
    done = exportguard("check", "-", option, str(large), stdin=json.dumps(T3))
    assert done.returncode == 2
    assert "large.yaml" in done.stderr
    assert "help: " in done.stderr
    assert done.stdout == ""


def test_a_file_that_is_not_there_and_a_customer_nobody_knows_are_errors(tmp_path):
    assert exportguard("check", str(tmp_path / "absent.json")).returncode == 2
    done = check(P5, arguments=("--customer", "nobody"))
    assert done.returncode == 2
    assert "nobody" in done.stderr


def test_policies_that_do_not_load_are_shown_with_place_and_caret(tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("policy: p\nrules:\n  - id: r\n    effect: deny\n    when: party.countri == 'CN'\n")
    done = exportguard("check", "-", "--policies", str(tmp_path), stdin=json.dumps(T3))
    assert done.returncode == 2
    assert "policy.yaml:5:" in done.stderr
    assert "^^^" in done.stderr
    assert "did you mean `country`?" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "text",
    ["customers: [", "customers:\n  - id: a\n    idd: b\n", "customers:\n  - id: a\n  - id: a\n", "\x00", "- 1"],
)
def test_a_customers_file_that_cannot_be_read_is_an_error(tmp_path, text):
    file = tmp_path / "customers.yaml"
    file.write_text(text)
    done = exportguard("check", "-", "--customers", str(file), stdin=json.dumps(T3))
    assert done.returncode == 2
    assert "customers.yaml" in done.stderr
    assert done.stdout == ""


def test_rules_over_cumulative_use_see_what_the_ledger_holds(tmp_path):
    """On a machine where nothing was counted yet, the request is all there is; a ledger switched off is not known."""
    from datetime import UTC, datetime

    from exportguard.authority import UsageDraw, open_ledger

    rules = tmp_path / "own.yaml"
    rules.write_text(
        "policy: own\nbasis: company_policy\nrules:\n  - id: many\n    title: Many tokens\n    effect: deny\n"
        "    when: usage.tokens > 1000\n    per: {by: end_user, period: P1Y}\n"
    )
    request = {"provider": "azure", "items": [{"kind": "model", "model": "gpt-4o", "tokens": 600}]}
    request["parties"] = [{"role": "end_user", "name": "Example University"}]

    def code(*more: str, **env: str) -> int:
        options = ("--policies", str(rules), "--as-of", "2024-08-23", *more)
        return exportguard("check", "-", *options, stdin=json.dumps(request), **env).returncode

    home = {"EXPORTGUARD_HOME": str(tmp_path / "home")}
    assert code(**home) == 0
    assert not (tmp_path / "home" / "exportguard.sqlite3").exists()
    assert code("--ledger", "none", **home) == 3
    used = tmp_path / "home" / "exportguard.sqlite3"
    ledger = open_ledger(used)
    instant = datetime(2024, 8, 1, tzinfo=UTC)
    ledger.reserve("k", [UsageDraw("end_user", "example university", 600, 0, 0)], as_of=instant)
    ledger.close()
    assert code(**home) == 1
    assert code("--ledger", str(used), EXPORTGUARD_HOME=str(tmp_path / "other")) == 1


@pytest.mark.parametrize("verb", ["check", "explain"])
def test_a_ledger_that_is_not_there_is_told_and_not_made_by_looking(tmp_path, verb):
    nowhere = tmp_path / "folder" / "ledger.sqlite3"
    done = exportguard(verb, "-", "--ledger", str(nowhere), "--as-of", "2024-08-23", stdin=json.dumps(T3))
    assert done.returncode == 0
    assert f"warning: {nowhere}: there is no ledger here: nothing counts as used so far\n" in done.stderr
    assert not nowhere.parent.exists()


def test_an_instant_needs_a_timezone():
    assert exportguard("check", "-", "--as-of", "2024-08-23T10:00:00", stdin=json.dumps(T3)).returncode == 2
    assert exportguard("check", "-", "--as-of", "yesterday", stdin=json.dumps(T3)).returncode == 2
    assert exportguard("check", "-", "--as-of", "2024-08-23T10:00:00Z", stdin=json.dumps(T3)).returncode == 0


def test_an_argument_wins_over_a_variable_and_that_over_pyproject(tmp_path):
    """`[tool.exportguard]` of the nearest pyproject.toml, EXPORTGUARD_*, then options."""
    (tmp_path / "pyproject.toml").write_text('[tool.exportguard]\npacks = "us-ear-end-users"\n')
    document = json.dumps({**P5, "customer": "cust-shenzhen"})
    options = ("--as-of", "2024-08-23", "--customers", CUSTOMERS)

    def code(*more: str, **env: str) -> int:
        return exportguard("check", "-", *options, *more, stdin=document, cwd=tmp_path, **env).returncode

    assert code() == 0
    assert code(EXPORTGUARD_PACKS="iaas-remote-access") == 1
    assert code("--packs", "us-ear-end-users", EXPORTGUARD_PACKS="iaas-remote-access") == 0
    (tmp_path / "pyproject.toml").write_text('[tool.exportguard]\npakcs = "us-ear-end-users"\n')
    assert code() == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[tool.exportguard]\npacks = 1\n", "`packs` of [tool.exportguard] is a list of names"),
        ("[tool.exportguard]\npacks = [1]\n", "`packs` of [tool.exportguard] is a list of names"),
        ("[tool.exportguard]\nmax_list_age = true\n", "`max_list_age` of [tool.exportguard] is a number of days"),
        *(
            (f"[tool.exportguard]\n{key} = {value}\n", f"`{key}` of [tool.exportguard] is text")
            for key in ("customers", "policies", "authorizations", "lists", "ledger", "record")
            for value in ("1", '["a"]')
        ),
        ("[tool]\nexportguard = 1\n", "`tool.exportguard` should be a table"),
    ],
)
def test_a_setting_of_another_type_is_told_with_its_file(tmp_path, table, said):
    (tmp_path / "pyproject.toml").write_text(table)
    for verb in (("check", "-"), ("log", "tail")):
        done = exportguard(*verb, stdin=json.dumps(T3), cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {tmp_path / 'pyproject.toml'}: {said}\n")


@pytest.mark.parametrize("name", ["policy", "suite", "request", "call", "customers", "authorizations", "decision"])
def test_schemas_are_valid_and_named(name):
    import jsonschema

    done = exportguard("schema", name)
    assert done.returncode == 0, done.stderr
    schema = json.loads(done.stdout)
    assert schema["$id"] == f"urn:exportguard:schema:{name}:1"
    jsonschema.Draft7Validator.check_schema(schema)


def test_a_schema_nobody_has_is_an_error():
    done = exportguard("schema", "polici")
    assert done.returncode == 2
    assert "policy" in done.stderr


def test_ci_formats_carry_the_reasons(tmp_path):
    """JUnit: a refusal is a failure, an unreadable line an error. SARIF and annotations: the rule and the line."""
    from xml.etree import ElementTree

    documents = tmp_path / "calls.jsonl"
    lines = [json.dumps({**T3, "id": "small"}), json.dumps({**P5, "customer": "cust-shenzhen"}), "{"]
    documents.write_text("\n".join(lines))
    options = (str(documents), "--as-of", "2024-08-23", "--customers", CUSTOMERS)
    done = exportguard("check", *options, "--format", "junit")
    assert done.returncode == 2
    (suite,) = ElementTree.fromstring(done.stdout)
    assert [suite.attrib[key] for key in ("tests", "failures", "errors")] == ["3", "1", "1"]
    assert suite[0].attrib["name"] == "small"
    sarif = json.loads(exportguard("check", *options, "--format", "sarif").stdout)
    results = sarif["runs"][0]["results"]
    assert any(r["ruleId"] == "iaas-remote-access/headquarters-d5-macau" for r in results)
    lines_of = {r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in results}
    assert lines_of == {2, 3}
    assert "::error file=" in exportguard("check", *options, "--format", "github").stdout
