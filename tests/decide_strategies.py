"""Hypothesis strategies for requests, policy sets and the facts to hide. The vocabulary is small on purpose: rules and
requests then meet often enough for a law to be tested on something."""

from __future__ import annotations

import functools
from datetime import UTC, datetime

from hypothesis import strategies as st

from exportguard.language import CompiledPolicySet, CompiledRule, PolicySource, load_policies
from exportguard.reference import ReferenceData, default
from exportguard.vocabulary import Item, Location, Party, ProvisioningRequest, UltimateParent, Unknown
from exportguard.vocabulary.hiding import fact_paths

AS_OF = datetime(2024, 8, 23, tzinfo=UTC)
UNKNOWN = Unknown("nobody knows")

_COUNTRIES = ("CN", "HK", "MO", "US", "CH", "IR", "AE", "TW")

_CONDITIONS = (
    'item.eccn in ["3A090.a", "3A090.b"]',
    'item.eccn in ["3A090.a"] && party.headquarters in country_group("D:5")',
    'item.accelerator.tpp >= 4800.0 || party.country == "CN"',
    'item.accelerator.family == "H100" && !(location.country in country_group("A:5"))',
    "item.count > 8",
    "item.total_tpp >= 20000.0 && party.verified",
    'item.model.provider == "anthropic" && !(party.country in country_group("provider:anthropic"))',
    'item.model.weights == "closed" && "EL" in party.listings',
    "item.tokens >= 1000000",
    'item.kind == "model"',
    'party.ultimate_parent.headquarters == "MO" || party.headquarters == "MO"',
    'party.role == "purchaser" && party.country != "US"',
    '!(party.country == "CH") && item.kind == "accelerator"',
    'location.country == "HK"',
    'location.region == "cn-north-1" && item.kind == "model"',
    'request.transfer == "export"',
    'request.end_use == "ai_training" && item.eccn != "3A090.a"',
    'size(party.listings) > 1 || party.listings.exists(x, x == "SDN")',
    'request.parties.all(p, p.country != "IR")',
    'request.items.exists(i, i.kind == "accelerator") && location.country == "AE"',
    'party.country == "CN" ? item.kind == "accelerator" : party.verified',
    'has(item.model) && party.name == "Example"',
    'request.red_flags.exists(f, f == "seen")',
)
_UNLESS = (None, 'party.country == "CH"', "party.verified", 'location.country == "US"', '"EL" in party.listings')


@functools.cache
def reference() -> ReferenceData:
    return default()


@functools.cache
def rule_pool() -> tuple[CompiledRule, ...]:
    """Every condition with every effect, and some with `unless`: compiled once, combined by the strategies."""
    lines = ["policy: pool", "version: 1", "title: A pool of rules", "basis: company_policy"]
    lines += ["references: [{cite: none, read: 2024-01-01}]", "rules:"]
    number = 0
    for place, condition in enumerate(_CONDITIONS):
        for effect in ("deny", "hold", "flag"):
            unless = _UNLESS[(place + number) % len(_UNLESS)]
            number += 1
            lines += [f"  - id: rule-{number}", f"    title: Rule {number}", f"    effect: {effect}"]
            lines += [f"    when: |\n      {condition}"]
            if unless is not None:
                lines += [f"    unless: |\n      {unless}"]
            lines += ['    because: "it matches"', "    cites: [none]"]
    lines += ["  - id: unknown-chip", "    title: Unknown chip", "    effect: hold"]
    lines += ["    when: unknown(item.accelerator.id)", "    because: unknown", "    cites: [none]"]
    return load_policies([PolicySource(name="pool.yaml", text="\n".join(lines) + "\n")], reference()).rules


def policy_set(rules: tuple[CompiledRule, ...]) -> CompiledPolicySet:
    return CompiledPolicySet(rules=rules, digest="sha256:test")


def policy_sets(max_size: int = 6) -> st.SearchStrategy[CompiledPolicySet]:
    rules = st.lists(st.sampled_from(rule_pool()), max_size=max_size, unique_by=lambda rule: rule.id)
    return rules.map(lambda chosen: policy_set(tuple(chosen)))


def _maybe(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    # Mostly known: laws of hiding hide some more, and rules should match. (`one_of` takes equal strategies once.)
    return st.integers(0, 6).flatmap(lambda n: st.just(UNKNOWN) if n == 0 else values)


_countries = st.sampled_from(_COUNTRIES)


def parties() -> st.SearchStrategy[Party]:
    parent = st.builds(
        UltimateParent, name=st.just("Parent"), country=_maybe(_countries), headquarters=_maybe(_countries)
    )
    return st.builds(
        Party,
        role=_maybe(st.sampled_from(["end_user", "end_user", "purchaser", "intermediate_consignee"])),
        name=_maybe(st.sampled_from(["Example", "Another"])),
        country=_maybe(_countries),
        headquarters=_maybe(_countries),
        ultimate_parent=st.one_of(st.none(), st.just(UNKNOWN), parent),
        listings=_maybe(st.lists(st.sampled_from(["EL", "SDN", "MEU", "not a list"]), max_size=2).map(tuple)),
        verified=_maybe(st.booleans()),
    )


_chips = st.one_of(
    st.builds(
        Item,
        kind=st.just("accelerator"),
        instance_type=_maybe(st.sampled_from(["p5.48xlarge", "g4dn.xlarge", "t3.micro", "m5.large", "p7.48xlarge"])),
        instances=_maybe(st.integers(1, 20)),
    ),
    st.builds(
        Item,
        kind=st.just("accelerator"),
        accelerator=_maybe(st.sampled_from(["H100", "A100", "T4", "A800", "no such chip"])),
        count=_maybe(st.integers(1, 64)),
    ),
)
_models = st.builds(
    Item,
    kind=st.just("model"),
    model=_maybe(
        st.sampled_from(
            [
                "anthropic.claude-3-5-sonnet-20240620-v1:0",
                "us.anthropic.claude-3-5-sonnet-20240620-v1:0",
                "meta.llama3-70b-instruct-v1:0",
                "no-such-model",
            ]
        )
    ),
    tokens=_maybe(st.sampled_from([1, 999_999, 1_000_000, 40_000_000])),
)
_odd = st.builds(Item, kind=st.just(UNKNOWN), instance_type=st.sampled_from([None, "p5.48xlarge", "t3.micro"]))

items = st.one_of(_chips, _models, _odd)

# Either a region or a country: a place that contradicts itself is a case of its own (test_derive).
locations = st.one_of(
    st.builds(
        Location, region=_maybe(st.sampled_from(["us-east-1", "cn-north-1", "ap-east-1", "me-central-1", "xx-1"]))
    ),
    st.builds(
        Location, region=st.none(), country=_maybe(_countries), certainty=st.sampled_from(["declared", "possible"])
    ),
)


def _several(values: st.SearchStrategy[object], most: int) -> st.SearchStrategy[object]:
    return _maybe(st.lists(values, max_size=most).map(tuple))


def requests() -> st.SearchStrategy[ProvisioningRequest]:
    return st.builds(
        ProvisioningRequest,
        provider=_maybe(st.just("aws")),
        service=st.just("ec2"),
        operation=_maybe(st.just("RunInstances")),
        account=_maybe(st.just("111122223333")),
        items=_several(items, 3),
        parties=_several(parties(), 3),
        locations=_several(locations, 2),
        end_use=_maybe(st.sampled_from(["ai_training", "research"])),
        transfer=_maybe(st.sampled_from(["remote_access", "export"])),
        red_flags=_several(st.sampled_from(["seen", "other"]), 2),
    )


@st.composite
def requests_with_hidden_facts(draw: st.DrawFn) -> tuple[ProvisioningRequest, ProvisioningRequest]:
    """A request, and the same with some of its known facts hidden."""
    request = draw(requests())
    paths = fact_paths(request)
    hidden = draw(st.lists(st.sampled_from(paths), min_size=1, max_size=4)) if paths else []
    return request, request.without(*hidden)
