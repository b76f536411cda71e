"""What nobody named is unknown as a whole, not only field by field."""

from __future__ import annotations

import pytest

from decide_strategies import AS_OF, reference
from exportguard.decide import decide
from exportguard.language import PolicySource, load_policies
from exportguard.vocabulary import Decision, Outcome, ProvisioningRequest


def _decided(when: str, document: dict[str, object]) -> Decision:
    text = f"policy: p\nrules:\n  - id: r\n    effect: hold\n    when: {when}\n"
    policies = load_policies([PolicySource("p.yaml", text)], reference())
    return decide(ProvisioningRequest.model_validate(document), policies, reference(), as_of=AS_OF)


KNOWN = {
    "items": [{"kind": "accelerator", "instance_type": "p5.48xlarge", "instances": 1}],
    "locations": [{"region": "us-east-1"}],
    "parties": [{"role": "end_user", "name": "Example", "country": "US", "ultimate_parent": None}],
    "provider": "aws",
}


@pytest.mark.parametrize(
    ("when", "changes"),
    [
        ("unknown(party)", {"parties": []}),
        ("unknown(party.ultimate_parent)", {"parties": []}),
        ("unknown(party.ultimate_parent)", {"parties": [{"role": "end_user", "name": "Example"}]}),
        ("unknown(party.ultimate_parent)", {"parties": [{"role": "end_user", "name": "E", "ultimate_parent": {}}]}),
        ("unknown(item)", {"items": {"unknown": "a template nobody could read"}}),
        ("unknown(item.accelerator)", {"items": [{"kind": "accelerator", "instance_type": "p9.huge"}]}),
        ("unknown(item.accelerator)", {"items": [{"kind": "accelerator", "instance_type": {"unknown": "template"}}]}),
        ("unknown(item.model)", {"items": [{"kind": "model", "model": "no-such-model"}]}),
        ("unknown(location)", {"locations": []}),
        ("unknown(location)", {"locations": {"unknown": "not read"}}),
    ],
)
def test_unknown_of_a_record_is_true_when_nothing_of_it_is_known(when: str, changes: dict[str, object]) -> None:
    """A hold rule over `unknown(party.ultimate_parent)` meets the party that nobody named, too."""
    decision = _decided(when, KNOWN | changes)
    assert decision.outcome is Outcome.HOLD
    assert [fact.path for fact in decision.unknown] == [when.removeprefix("unknown(").removesuffix(")")]


@pytest.mark.parametrize(
    "when", ["unknown(party)", "unknown(party.ultimate_parent)", "unknown(item.accelerator)", "unknown(location)"]
)
def test_unknown_of_a_record_is_false_when_something_of_it_is_known(when: str) -> None:
    """And holds nothing of which enough is known."""
    known = {**KNOWN, "parties": [{"role": "end_user", "name": "Example", "ultimate_parent": {"name": "Parent"}}]}
    assert _decided(when, known).outcome is Outcome.ALLOW
