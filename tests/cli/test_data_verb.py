"""`exportguard data`: show, diff, check and refresh as a person or a pipeline uses them."""

from __future__ import annotations

import json
import shutil

import pytest
from typer.testing import CliRunner

from exportguard.cli.app import app
from exportguard.errors import ConfigurationError, DocumentError
from exportguard.reference.store import DATA


def run(*arguments, code=0, **options):
    result = CliRunner().invoke(app, ["data", *map(str, arguments)], **options)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_show_tells_what_is_known_and_where_it_comes_from():
    out = run("show", "p5.48xlarge", "ap-east-1")
    for told in ("h100-sxm (3A090.a)", "count: 8", "confidence: secondary", "country: HK", "D:5"):
        assert told in out


def test_show_of_what_nobody_knows_says_why_and_exits_with_3():
    out = run("show", "p7.48xlarge", "T4", code=3)
    assert "not known: instance type `p7.48xlarge` is not in the reference data" in out
    assert "family: T4" in out


def test_show_in_jsonl_is_an_object_a_name():
    lines = [json.loads(line) for line in run("show", "H20", "CN", "--format", "jsonl").splitlines()]
    assert [line["name"] for line in lines] == ["H20", "CN"]
    assert lines[0]["known"][0]["eccn"] == "none of 3A090"
    assert "D:5" in lines[1]["known"][0]["groups"]


def test_show_without_a_name_tells_the_tables_and_their_dates():
    summary = json.loads(run("show", "--format", "json"))[0]
    assert summary["digest"].startswith("sha256:")
    assert summary["tables"]["accelerators"]["read"]


def test_diff_of_the_installed_botocore_finds_nothing_new():
    assert "0 new, 0 different" in run("diff", "--installed")


def test_diff_reads_an_answer_from_standard_input_and_exits_with_1():
    answer = json.dumps({"InstanceTypes": [{"InstanceType": "p7.48xlarge"}, {"InstanceType": "m5.large"}]})
    out = run("diff", "-", input=answer, code=1)
    assert "new      aws instance p7.48xlarge" in out
    assert "2 compared: 1 new, 0 different" in out


def test_diff_of_names_and_of_nonsense(tmp_path):
    sizes = tmp_path / "sizes.txt"
    sizes.write_text("Standard_D2s_v5\nStandard_ND999_v9\n")
    rows = [json.loads(x) for x in run("diff", sizes, "--provider", "azure", "--format", "jsonl", code=1).splitlines()]
    assert [(row["verdict"], row["name"]) for row in rows] == [("new", "Standard_ND999_v9")]
    bad = tmp_path / "bad.json"
    bad.write_text('{"InstanceTypes": [')
    with pytest.raises(DocumentError, match=r"no JSON"):
        run("diff", bad)
    with pytest.raises(DocumentError, match="cannot be read"):
        run("diff", tmp_path / "absent.json")
    with pytest.raises(ConfigurationError, match="nothing to compare"):
        run("diff")


def test_check_of_the_shipped_data_finds_no_problem_and_says_what_is_below_a_level():
    told = json.loads(run("check", "--below", "secondary", "--format", "json"))
    assert told["problems"] == []
    assert {"table": "accelerators", "entry": "t4", "confidence": "general-knowledge"} in told["below"]
    assert all(row["confidence"] == "general-knowledge" for row in told["below"])


def test_check_says_what_is_stale():
    assert "stale: accelerators" in run("check", "--as-of", "2028-01-01")
    run("check", "--as-of", "2028-01-01", "--strict", code=1)
    assert "stale" not in run("check", "--as-of", "2026-12-01").split("0 problems")[0]


def test_check_of_tables_under_edit_names_the_place(tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    table = folder / "regions.yaml"
    table.write_text(table.read_text().replace("country: ZA", "country: QX", 1))
    assert "problem: regions.yaml: aws: af-south-1: country `QX` is no code" in run("check", "--folder", folder, code=1)
    table.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        run("check", "--folder", folder)


def test_refresh_takes_a_newer_list_once(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPORTGUARD_HOME", str(tmp_path / "home"))
    rows = [{"name": "Acme", "source": "Entity List (EL) - Bureau of Industry and Security"}]
    source = tmp_path / "consolidated.json"
    source.write_text(json.dumps({"results": rows}))
    with pytest.raises(DocumentError):
        run("refresh", "--list", source, "--list-date", "2026-09-01")
    out = run("refresh", "--list", source, "--list-date", "2026-09-01", "--force")
    assert "the list of 2026-09-01 is in use: 1 entries" in out
    again = run("refresh", "--list", source, "--list-date", "2026-09-01", "--force")
    assert "in use already" in again
    with pytest.raises(ConfigurationError, match="is no date"):
        run("refresh", "--list", source, "--list-date", "yesterday")
