"""The schemas of documents: draft 7, in accord with what is read, and compatible with what was promised."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cli_process import run
from exportguard.authoring.schema import VERSION, names, schema
from exportguard.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).parent / "schemas"


class _Text(yaml.SafeLoader):
    """Dates and `NO` stay text, as they do in exportguard."""


_Text.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in ("timestamp", "bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Text.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile("^(true|false)$"), list("tf"))


def read(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader=_Text)


@pytest.mark.parametrize("name", names())
def test_a_schema_is_one_of_draft_7(name):
    made = schema(name)
    jsonschema.Draft7Validator.check_schema(made)
    assert made["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert made["$id"].endswith(f":{name}:{VERSION}")
    text = json.dumps(made)
    assert "$defs" not in text
    assert "prefixItems" not in text


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("policy", "policies/*/policy.yaml"),
        ("policy", "examples/company_policies/policy.yaml"),
        ("suite", "policies/*/tests.yaml"),
        ("suite", "examples/company_policies/tests.yaml"),
        ("customers", "examples/company_policies/customers.yaml"),
        ("request", "examples/tender_*.json"),
    ],
)
def test_what_is_shipped_is_valid_by_its_schema(name, pattern):
    validator = jsonschema.Draft7Validator(schema(name))
    paths = sorted(ROOT.glob(pattern))
    assert paths
    for path in paths:
        document = json.loads(path.read_text()) if path.suffix == ".json" else read(path)
        if isinstance(document, dict):
            document.pop("id", None)
        assert [error.message for error in validator.iter_errors(document)] == [], path


@pytest.mark.parametrize("path", sorted((ROOT / "tests/diagnostics/policies").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_policy_that_loads_is_valid_by_the_schema(path):
    """The schema refuses nothing that the language takes: an editor never marks what is right."""
    if not path.with_suffix(".txt").read_text().startswith("loaded:"):
        return
    document = read(path)
    assert [e.message for e in jsonschema.Draft7Validator(schema("policy")).iter_errors(document)] == []


@pytest.mark.parametrize("name", names())
def test_a_document_that_was_valid_stays_valid(name):
    """Against the schema as promised: no key or word is taken away, and none becomes needed.

    After a compatible change: ``REWRITE_GOLDEN=1 pytest tests/authoring/test_schemas.py``. An incompatible one needs a
    new VERSION.
    """
    kept = KEPT / f"{name}.v{VERSION}.json"
    if os.environ.get("REWRITE_GOLDEN"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(schema(name), indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    promised, now = json.loads(kept.read_text()), schema(name)
    assert list(_narrowed(promised, now, promised, now, "$", set())) == []


def _resolved(part: Any, root: Any) -> Any:
    while isinstance(part, dict) and "$ref" in part:
        target = root
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def _narrowed(old: Any, new: Any, old_root: Any, new_root: Any, path: str, seen: set[tuple[int, int]]):
    if (id(old), id(new)) in seen:
        return
    seen.add((id(old), id(new)))
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    for word in old.get("enum", ()):
        if "enum" in new and word not in new["enum"]:
            yield f"{path}: `{word}` is gone"
    for key in set(new.get("required", ())) - set(old.get("required", ())):
        if key in old.get("properties", {}):
            yield f"{path}: `{key}` is needed now"
    for key, inner in old.get("properties", {}).items():
        if key not in new.get("properties", {}):
            if new.get("additionalProperties") is False:
                yield f"{path}: `{key}` is gone"
            continue
        yield from _narrowed(inner, new["properties"][key], old_root, new_root, f"{path}.{key}", seen)
    if "items" in old and "items" in new:
        yield from _narrowed(old["items"], new["items"], old_root, new_root, f"{path}[]", seen)
    if len(new.get("anyOf", ())) < len(old.get("anyOf", ())):
        yield f"{path}: fewer alternatives"


def test_the_verb_prints_lists_and_writes(tmp_path):
    assert json.loads(run("schema", "policy").stdout)["title"] == "exportguard policy"
    assert run("schema").stdout.split() == list(names())
    assert run("schema", "--write", tmp_path).returncode == 0
    assert {p.name for p in tmp_path.iterdir()} == {f"{name}.schema.json" for name in names()}
    assert run("schema", "polcy").returncode == 2
    with pytest.raises(ConfigurationError, match="Did you mean `policy`"):
        schema("polcy")
