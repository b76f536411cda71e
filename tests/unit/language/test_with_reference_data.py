"""The checker and conditions with the reference data that ships."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import exportguard.language
from exportguard.errors import PolicyError
from exportguard.language import World, compile_scope
from exportguard.language.codes import EXPLANATIONS, explain
from exportguard.reference import default
from language_standin import party, scope

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("text", "meant"), [
    ('party.country == "China"', '"CN"'), ('party.country == "cn"', '"CN"'), ('party.country == "中国"', '"CN"'),
    ('party.headquarters in ["Iran"]', '"IR"'), ('item.accelerator.family == "H-100"', '"H100"'),
    ('item.accelerator.family == "h100"', '"H100"'), ('party.country in country_group("D5")', '"D:5"'),
    ('item.eccn == "3a090.a"', '"3A090.a"'), ('"el" in party.listings', '"EL"'),
    ('location.region == "us-east1"', '"us-east-1"'), ('item.model.provider == "Anthropic"', '"anthropic"'),
])  # fmt: skip
def test_did_you_mean(text: str, meant: str) -> None:
    """A word that is nearly one of a closed vocabulary is told which one it is nearly."""
    with pytest.raises(PolicyError, match=f"did you mean `{re.escape(meant)}`"):
        compile_scope(text, default(), name="x")


def test_groups_are_those_of_the_instant_asked_at() -> None:
    """Hong Kong goes with China in D:5, Macau stands on its own."""
    condition = compile_scope('party.headquarters in country_group("D:5")', default(), name="x")
    world = World(default(), AT)
    answers = {code: condition(scope(world=world, party=party(headquarters=code))) for code in ("CN", "HK", "DE")}
    assert answers == {"CN": True, "HK": True, "DE": False}


def test_every_code_that_can_be_reported_is_explained() -> None:
    """`exportguard explain CODE` knows each code, and of refusals to load no other."""
    root = Path(exportguard.language.__file__).parent.parent
    sources = [path.read_text(encoding="utf-8") for path in root.rglob("*.py") if path.name != "codes.py"]
    reported = set(re.findall(r'"(EG\d{3})"', "\n".join(sources)))
    assert reported <= set(EXPLANATIONS)
    assert {code for code in EXPLANATIONS if code < "EG400"} <= reported
    assert explain("eg203")
    assert explain("EG999") is None
