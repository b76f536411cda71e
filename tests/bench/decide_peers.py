"""The peers of the engine's benchmark: each takes a fact record and says which rules match."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bench.decide_rules import Rule, cedar, cel, python
from exportguard.decide.derive import Facts

Engine = Callable[[Any], list[str]]


def record(facts: Facts) -> dict[str, Any]:
    """The known facts of a request with one item, party and place, as plain data."""
    item, party, location, request = facts.items[0], facts.parties[0], facts.locations[0], facts.request
    chip, parent = item.accelerator, party.ultimate_parent
    return {
        "item": {
            "eccn": item.eccn,
            "count": float(item.count),  # type: ignore[arg-type]
            "total_tpp": float(item.total_tpp),  # type: ignore[arg-type]
            "accelerator": {"family": chip.family, "tpp": float(chip.tpp)},  # type: ignore[union-attr, arg-type]
        },
        "party": {
            "name": party.name,
            "role": party.role,
            "country": party.country,
            "headquarters": party.headquarters,
            "ultimate_parent": {"headquarters": parent.headquarters},  # type: ignore[union-attr]
            "listings": list(party.listings),  # type: ignore[arg-type]
            "verified": party.verified,
        },
        "location": {"region": location.region, "country": location.country},
        "request": {"end_use": request.end_use},
    }


def hand_written(rules: tuple[Rule, ...]) -> Callable[[Facts], list[str]]:
    """Python functions as somebody would write them by hand, over the same derived facts."""
    names: dict[str, Any] = {}
    exec(compile(python(rules), "<hand-written>", "exec"), names)
    functions = names["RULES"]

    def ask(facts: Facts) -> list[str]:
        request = facts.request
        return [
            name
            for item in facts.items
            for party in facts.parties
            for location in facts.locations
            for name, rule in functions
            if rule(request, item, party, location)
        ]

    return ask


def cel_expr_python(rules: tuple[Rule, ...]) -> Engine:
    """Google's CEL in C++."""
    from cel_expr_python import cel as google

    kinds = {
        name: google.Type.Map(google.Type.STRING, google.Type.DYN) for name in ("item", "party", "location", "request")
    }
    env = google.NewEnv(variables=kinds)
    programs = [(rule.id, env.compile(cel(rule, groups=False))) for rule in rules]

    def ask(facts: dict[str, Any]) -> list[str]:
        seen = env.Activation(facts)
        return [name for name, program in programs if program.eval(seen).value()]

    return ask


def common_expression_language(rules: tuple[Rule, ...]) -> Engine:
    """CEL in Rust."""
    import cel as rust

    programs = [(rule.id, rust.compile(cel(rule, groups=False))) for rule in rules]

    def ask(facts: dict[str, Any]) -> list[str]:
        return [name for name, program in programs if program.execute(facts)]

    return ask


def cel_python(rules: tuple[Rule, ...]) -> Engine:
    """CEL in Python, interpreted; our own parser."""
    import celpy

    env = celpy.Environment()
    programs = [(rule.id, env.program(env.compile(cel(rule, groups=False)))) for rule in rules]

    def ask(facts: dict[str, Any]) -> list[str]:
        seen = {name: celpy.json_to_cel(value) for name, value in facts.items()}
        return [name for name, program in programs if program.evaluate(seen)]

    return ask


def cedarpy(rules: tuple[Rule, ...]) -> Engine:
    """Cedar in Rust, its policies parsed once. It has no floating point: thresholds and facts are whole."""
    import cedarpy as cedar_python

    policies = cedar_python.PolicySet.from_str(cedar(rules))
    entities = cedar_python.Entities.from_json_str("[]")
    ids = [rule.id for rule in rules]

    def ask(facts: dict[str, Any]) -> list[str]:
        answer = cedar_python.is_authorized(
            {"principal": 'P::"p"', "action": 'A::"a"', "resource": 'R::"r"', "context": whole(facts)},
            policies,
            entities,
        )
        return [ids[int(reason.removeprefix("policy"))] for reason in answer.diagnostics.reasons]

    return ask


def whole(facts: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(facts))
    item = copied["item"]
    item["count"], item["total_tpp"] = int(item["count"]), int(item["total_tpp"])
    item["accelerator"]["tpp"] = int(item["accelerator"]["tpp"])
    return copied


PEERS: dict[str, Callable[[tuple[Rule, ...]], Engine]] = {
    "cel-expr-python": cel_expr_python,
    "cedarpy": cedarpy,
    "common-expression-language": common_expression_language,
    "cel-python": cel_python,
}
