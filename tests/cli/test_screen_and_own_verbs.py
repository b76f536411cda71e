"""`exportguard screen` and `exportguard own`, run as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
GRAPH = {
    "ownership": [
        {"owner": "x", "owned": "a", "percent": 50},
        {"owner": "a", "owned": "b", "percent": "50"},
        {"owner": "n", "owned": "b", "percent": {"min": 10, "max": 50}},
        {"owner": "x", "owned": "c", "percent": {"min": 40, "max": 60}},
    ],
    "entities": [
        {"id": "x", "name": "X Corp", "listings": ["SDN"], "owners": []},
        {"id": "n", "listings": [], "owners": []},
        {"id": "a", "listings": []},
        {"id": "b", "name": "B Ltd", "listings": []},
    ],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def exportguard(home: Path, tmp_path: Path) -> Any:
    def run(*arguments: str, stdin: str = "") -> Any:
        return subprocess.run(
            [sys.executable, "-c", "from exportguard.cli import main; main()", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "EXPORTGUARD_HOME": str(home)},
            check=False,
        )

    return run


def test_one_object_a_name_in_order(exportguard: Any, tmp_path: Path) -> None:
    """`--format jsonl` keeps the order of the names, and says list, entry, matched name, score and why."""
    names = tmp_path / "names.txt"
    names.write_text("四川大学\n\n  Sichuan Normal University \r\nXyzzy Bakery\n", encoding="utf-8")
    done = exportguard(
        "screen", "--file", str(names), "--format", "jsonl", "--as-of", "2026-08-01", "--country", "China"
    )
    assert done.returncode == 1, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(a["query"], a["status"]) for a in answers] == [
        ("四川大学", "hit"), ("Sichuan Normal University", "clear"), ("Xyzzy Bakery", "clear"),
    ]  # fmt: skip
    match = answers[0]["matches"][0]
    assert (match["list"], match["entry"]["name"], match["matched_name"], match["score"]) == (
        "EL", "Sichuan University", "Sichuan University", 1.0,
    )  # fmt: skip
    assert match["why"]
    assert done.stderr == ""


def test_exit_codes_of_screen(exportguard: Any) -> None:
    """0 clear, 1 a hit, 3 review or unknown, 2 what cannot be screened; an old list is said on standard error."""
    clear = exportguard("screen", "Xyzzy Bakery", "--as-of", "2026-08-01")
    assert (clear.returncode, "clear" in clear.stdout) == (0, True)
    old = exportguard("screen", "Xyzzy Bakery", "--as-of", "2026-10-01")
    assert old.returncode == 3
    assert old.stderr.startswith("warning: the screening list is of 2026-07-31, older than 30 days")
    assert exportguard("screen", "Xyzzy Bakery", "--as-of", "2026-10-01", "--max-list-age", "90").returncode == 0
    for wrong in (
        ("screen",),
        ("screen", "X", "--country", "Atlantis"),
        ("screen", "X", "--list", "nowhere.json"),
        ("screen", "--file", "nowhere.txt"),
        ("screen", "X", "--max-list-age", "soon"),
    ):
        done = exportguard(*wrong)
        assert (done.returncode, done.stdout) == (2, ""), wrong
        assert "error: " in done.stderr


def test_a_list_of_ones_own_is_screened_against(exportguard: Any, tmp_path: Path) -> None:
    """`--list` takes the published CSV; `--list-date` dates one that does not say."""
    table = tmp_path / "list.csv"
    table.write_text("source,name\nEntity List (EL) - BIS,Xyzzy Bakery\n")
    undated = exportguard("screen", "Xyzzy Bakery", "--list", str(table))
    assert undated.returncode == 2
    assert "of which day" in undated.stderr
    arguments = ("--list", str(table), "--list-date", "2026-07-31", "--as-of", "2026-08-01")
    done = exportguard("screen", "Xyzzy Bakery", *arguments, "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["list_date"] == "2026-07-31"


@pytest.mark.parametrize(
    ("entity", "options", "code", "owned"),
    [
        ("b", (), 1, True),
        ("B  LTD", (), 1, True),
        ("b", ("--more-than", "50"), 0, False),
        ("b", ("--lists", "EL,MEU"), 0, False),
        ("b", ("--at-least", "50.01"), 0, False),
        ("c", (), 3, None),
        ("x", (), 0, False),
    ],
)
def test_own_answers_by_the_cascade(
    exportguard: Any, tmp_path: Path, entity: str, options: tuple[str, ...], code: int, owned: bool | None
) -> None:
    """Owned, surely not, or unknown with the reason: exit codes 1, 0 and 3."""
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(GRAPH))
    done = exportguard("own", str(graph), entity, "--no-screen", "--format", "json", *options)
    told = json.loads(done.stdout)
    assert done.returncode == code, done.stderr
    assert told["owned"] is owned if owned is not None else set(told["owned"]) == {"unknown"}
    if owned:
        assert told["path"] == ["a (caught at 50 %) holds 50 % of B Ltd", "X Corp (listed: SDN) holds 50 % of a"]


def test_own_screens_owners_by_name_and_reads_customers_documents(exportguard: Any, tmp_path: Path) -> None:
    """An owner with no stated listings is screened; a customers document in YAML is a graph as well."""
    document = tmp_path / "customers.yaml"
    document.write_text(
        "customers:\n  - id: c1\n    parties:\n      - role: end_user\n        name: Some Lab\n"
        "        owners: [{name: 四川大学, percent: 60}]\n",
        encoding="utf-8",
    )
    for entity in ("Some Lab", "c1"):
        done = exportguard("own", str(document), entity, "--as-of", "2026-08-01")
        assert done.returncode == 1, done.stderr
        assert "四川大学 (listed: EL) holds 60 % of Some Lab" in done.stdout


def test_own_says_what_it_cannot_use(exportguard: Any, tmp_path: Path) -> None:
    """Nobody of that name (with near ones), no such list, no such number, no graph."""
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(GRAPH))
    (tmp_path / "bad.json").write_text('{"ownership": [{"owner": "a", "owned": "b", "percent": 160}]}')
    for arguments, said in (
        ((str(graph), "B Ltt"), "did you mean `B Ltd`"),
        ((str(graph), "b", "--lists", "ZZZ"), "no list"),
        ((str(graph), "b", "--at-least", "lots"), "--at-least"),
        ((str(tmp_path / "bad.json"), "b"), "$.ownership[0].percent"),
        ((str(tmp_path / "gone.json"), "b"), "gone.json"),
    ):
        done = exportguard("own", *arguments)
        assert done.returncode == 2
        assert said in done.stderr
