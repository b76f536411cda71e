"""The rules and requests of the engine's benchmark, said once and written out for every engine that takes part.

A rule is a conjunction of clauses; a clause is one test or a disjunction of tests: what such policies look like, and
what every peer can say. Country groups are written out for engines that do not know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from exportguard.reference import default

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
ECCNS = ("3A090.a", "3A090.b", "4A090.a", "4A090.b")
GROUPS = ("D:1", "D:4", "D:5", "E:1")
INSTANCES = ("p5.48xlarge", "p4d.24xlarge", "g5.xlarge", "g4dn.xlarge", "g6.xlarge", "p3.2xlarge")
FAMILIES = ("H100", "A100", "A10G", "T4", "L4", "V100", "H200", "L40S")
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1", "me-central-1", "ap-south-1", "eu-central-1", "sa-east-1")
COUNTRIES = ("US", "GB", "DE", "FR", "JP", "SG", "AE", "IN", "BR", "CN", "HK", "MO", "RU", "VN", "TR", "CH")
END_USES = ("inference", "ai_training", "research", "rendering", "military")


@dataclass(frozen=True)
class Test:
    """`path op value`; op: == != in not-in >= > holds (a list fact holds the text)."""

    path: str
    op: str
    value: Any


@dataclass(frozen=True)
class Rule:
    id: str
    clauses: tuple[tuple[Test, ...], ...]


def members(group: str) -> tuple[str, ...]:
    return tuple(sorted(default().country_group(group, AS_OF)))


def _group(path: str, group: str, op: str = "in") -> Test:
    return Test(path, op, ("group", group))


def rules(count: int, seed: int = 1) -> tuple[Rule, ...]:
    """*count* rules; the share of rules about what most requests have does not grow with their number, so about as
    many match among a thousand as among fifty."""
    r = Random(seed)
    made: list[Rule] = []
    controlled = Test("item.eccn", "in", ECCNS[:2])
    for n in range(min(count, 40)):
        group = GROUPS[n % len(GROUPS)]
        shapes: list[tuple[tuple[Test, ...], ...]] = [
            (
                (controlled,),
                (_group("party.headquarters", group), _group("party.ultimate_parent.headquarters", group)),
            ),
            ((controlled,), (_group("party.country", "A:5", "not-in"),), (_group("party.country", group),)),
            ((controlled,), (_group("location.country", group),)),
            ((controlled,), (Test("party.listings", "holds", ("EL", "MEU", "SDN", "DPL")[n % 4]),)),
            ((Test("item.accelerator.tpp", ">=", float(1600 + 400 * n)),), (Test("party.country", "==", "CN"),)),
            ((Test("item.total_tpp", ">", float(50_000 * (n + 1))),), (Test("party.verified", "==", False),)),
            (
                (Test("item.accelerator.family", "in", FAMILIES[n % 5 : n % 5 + 3]),),
                (Test("request.end_use", "==", END_USES[n % 5]),),
                (Test("party.country", "!=", "US"),),
            ),
            (
                (Test("item.count", ">", float(8 * (n + 1))),),
                (Test("party.role", "==", "end_user"),),
                (Test("party.country", "in", COUNTRIES[n % 9 : n % 9 + 4]),),
            ),
        ]
        made.append(Rule(f"rule-{n}", shapes[n % len(shapes)]))
    # One customer's, one region's, one chip's rule: what a policy set grows by.
    made += [
        Rule(
            f"rule-{n}",
            (
                (Test("item.accelerator.family", "==", r.choice(FAMILIES)),),
                (Test("party.name", "==", f"Customer {n}"),),
                (Test("location.region", "==", r.choice(REGIONS)),),
            ),
        )
        for n in range(len(made), count)
    ]
    return tuple(made)


def requests(count: int, seed: int = 2, *, blind: bool = False) -> list[dict[str, Any]]:
    """Request documents. *blind*: in each, facts about the party are missing."""
    r = Random(seed)
    made = []
    for n in range(count):
        everyday = r.random() < 0.8
        home = r.choice(COUNTRIES[:6] if everyday else COUNTRIES)
        party: dict[str, Any] = {
            "role": "end_user",
            "name": f"Customer {r.randrange(2000)}",
            "kind": "legal",
            "country": home,
            "headquarters": home if r.random() < 0.9 else r.choice(COUNTRIES),
            "ultimate_parent": {"name": "Parent", "country": home, "headquarters": r.choice(COUNTRIES[:6])},
            "listings": [] if everyday else r.choice([[], ["EL"], ["MEU"]]),
            "restricted_ownership": None,
            "verified": r.random() < 0.95,
        }
        if blind:
            for name in r.sample(("headquarters", "ultimate_parent", "listings", "country"), 2):
                del party[name]
        made.append(
            {
                "provider": "aws",
                "service": "ec2",
                "operation": "RunInstances",
                "action": "provision",
                "account": "111122223333",
                "locations": [{"region": r.choice(REGIONS)}],
                "items": [
                    {"kind": "accelerator", "instance_type": r.choice(INSTANCES), "instances": r.choice((1, 1, 2, 4))}
                ],
                "parties": [party],
                "end_use": r.choice(END_USES[:4]),
                "transfer": "remote_access",
                "time": f"2026-10-{1 + n % 28:02}T00:00:00Z",
            }
        )
    return made


# -- written out, a function an engine


def cel(rule: Rule, *, groups: bool) -> str:
    """The condition in CEL; *groups*: as `country_group(…)`, else written out. Numbers as `double`."""
    return " && ".join("(" + " || ".join(_cel(test, groups) for test in clause) + ")" for clause in rule.clauses)


def _cel(test: Test, groups: bool) -> str:
    value = test.value
    if isinstance(value, tuple) and value[0] == "group":
        text = f'country_group("{value[1]}")' if groups else _listed(members(value[1]))
    elif isinstance(value, tuple):
        text = _listed(value)
    elif isinstance(value, str):
        text = f'"{value}"'
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    if test.op == "holds":
        return f"{text} in {test.path}"
    if test.op == "not-in":
        return f"!({test.path} in {text})"
    return f"{test.path} {test.op} {text}"


def _listed(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def policy_text(many: tuple[Rule, ...]) -> str:
    lines = ["policy: bench", "version: 1", "title: Benchmark", "rules:"]
    for rule in many:
        lines += [f"  - id: {rule.id}", "    title: A rule of the benchmark", "    effect: deny"]
        lines += ["    when: |", f"      {cel(rule, groups=True)}"]
        lines += [
            '    because: "{item.name} for {party.name}"' if "party." in lines[-1] else '    because: "{item.name}"'
        ]
        lines += ["    remedy: Ask trade compliance.", "    cites: [15 CFR 744.11]"]
    return "\n".join(lines) + "\n"


def python(many: tuple[Rule, ...]) -> str:
    """What somebody would write by hand who cares for speed: a function a rule, its sets made once."""
    lines: list[str] = []
    sets: dict[tuple[str, ...], str] = {}

    def one(test: Test) -> str:
        value = test.value
        if isinstance(value, tuple):
            wanted = members(value[1]) if value[0] == "group" else value
            name = sets.setdefault(wanted, f"S{len(sets)}")
            return f"{test.path} {'not in' if test.op == 'not-in' else 'in'} {name}"
        if test.op == "holds":
            return f"{value!r} in {test.path}"
        if isinstance(value, bool):
            return test.path if value else f"not {test.path}"
        return f"{test.path} {test.op} {value!r}"

    names = []
    for index, rule in enumerate(many):
        text = " and ".join("(" + " or ".join(map(one, clause)) + ")" for clause in rule.clauses)
        lines += [f"def rule_{index}(request, item, party, location):", f"    return {text}"]
        names.append(f"({rule.id!r}, rule_{index})")
    heads = [f"{name} = frozenset({wanted!r})" for wanted, name in sets.items()]
    return "\n".join([*heads, *lines, f"RULES = [{', '.join(names)}]"]) + "\n"


def cedar(many: tuple[Rule, ...]) -> str:
    """Cedar policies over `context`. Cedar has whole numbers only, so thresholds and facts are rounded."""

    def one(test: Test) -> str:
        value, path = test.value, f"context.{test.path}"
        if isinstance(value, tuple):
            wanted = members(value[1]) if value[0] == "group" else value
            inside = f"{_listed(wanted)}.contains({path})"
            return f"!{inside}" if test.op == "not-in" else inside
        if test.op == "holds":
            return f'{path}.contains("{value}")'
        text = f'"{value}"' if isinstance(value, str) else str(int(value) if not isinstance(value, bool) else value)
        return f"{path} {test.op} {text.lower() if isinstance(value, bool) else text}"

    made = []
    for rule in many:
        text = " && ".join("(" + " || ".join(map(one, clause)) + ")" for clause in rule.clauses)
        made.append(f'@id("{rule.id}") forbid(principal, action, resource) when {{ {text} }};')
    return "\n".join(made)
