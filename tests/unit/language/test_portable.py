"""Compiled sets as data: the same set back, and nothing that was not written by us."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from decide_strategies import AS_OF, reference, rule_pool
from exportguard.decide import decide
from exportguard.language import CompiledPolicySet, load_policies
from exportguard.language.portable import from_data, to_data
from exportguard.packs import policy_sources, shipped_packs
from exportguard.vocabulary import ProvisioningRequest


def _shipped() -> CompiledPolicySet:
    return load_policies(policy_sources(packs=shipped_packs()), reference())


def _rewritten(policies: CompiledPolicySet) -> Any:
    return json.loads(json.dumps(to_data(policies)))


@pytest.mark.parametrize("which", ["shipped", "pool"])
def test_a_set_is_the_same_after_it_was_data(which: str) -> None:
    """Everything that a rule says, its places, its messages and its digest."""
    policies = _shipped() if which == "shipped" else CompiledPolicySet(rule_pool(), "sha256:x")
    revived = from_data(_rewritten(policies))
    assert revived.digest == policies.digest
    assert revived.warnings == policies.warnings
    assert revived.references == policies.references
    for ours, theirs in zip(policies.rules, revived.rules, strict=True):
        for name in ours.__dataclass_fields__:
            if name not in ("when", "unless", "say"):
                assert getattr(ours, name) == getattr(theirs, name), name
        assert ours.when.tree == theirs.when.tree
        assert ours.when.ownership_questions == theirs.when.ownership_questions
        assert (ours.unless and ours.unless.tree) == (theirs.unless and theirs.unless.tree)
        assert ours.say.parts == theirs.say.parts


def test_a_revived_set_decides_the_same() -> None:
    """Messages and all."""
    document = {
        "provider": "aws",
        "items": [{"kind": "accelerator", "instance_type": "p5.48xlarge"}],
        "parties": [{"role": "end_user", "name": "Example", "headquarters": "CN"}],
    }
    request = ProvisioningRequest.model_validate(document)
    policies = _shipped()
    decided = [decide(request, each, reference(), as_of=AS_OF) for each in (policies, from_data(_rewritten(policies)))]
    assert decided[0] == decided[1]
    assert decided[0].reasons


def _changed(data: Any, change: Any) -> Any:
    data = copy.deepcopy(data)
    change(data)
    return data


def _node(data: Any, op: str) -> list[Any]:
    return next(row for row in data["nodes"] if row[0] == op)


def _set(op: str, at: int, value: Any) -> Any:
    return lambda data: _node(data, op).__setitem__(at, value)


@pytest.mark.parametrize(
    "change",
    [
        _set("field", 2, "eccn; import os"),
        _set("field", 2, "__class__"),
        _set("ref", 2, "item)"),
        _set("cmp", 2, "== 1 or"),
        _set("cmp", 5, [10**9, 0]),
        _set("cmp", 5, [-1, 0]),
        _set("lit", 2, {"double": "nan("}),
        _set("lit", 2, ["a"]),
        _set("and", 2, "value"),
        _set("in", 0, "exec"),
        _set("in", 0, "var"),
        _set("in", 1, 3),
        _set("group", 2, 5),
        lambda data: data.pop("digest"),
        lambda data: data["rules"][0].pop("when"),
        lambda data: data["rules"][0].update(effect="allow"),
        lambda data: data["rules"][0].update(if_unknown="ignore"),
        lambda data: data["rules"][0].update(statuses=[["gone", [None, None]]]),
        lambda data: data["rules"][0].update(effective=["2024-01-01T00:00:00", None]),
        lambda data: data["rules"][0].update(say=[10**6]),
        lambda data: data.update(nodes=None),
        lambda data: data.update(rules="x"),
    ],
)
def test_data_that_cannot_be_ours_is_refused(change: Any) -> None:
    """Names and operators go into generated code, so none is taken on trust."""
    data = _rewritten(_shipped())
    from_data(data)
    with pytest.raises(ValueError):
        from_data(_changed(data, change))


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, {"nodes": []}, {"rules": [], "nodes": []}])
def test_junk_is_refused(junk: Any) -> None:
    """Whatever JSON is in its place."""
    with pytest.raises(ValueError):
        from_data(junk)
