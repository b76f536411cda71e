"""Laws of screening: how a name is written hides nothing, and asking again or in a batch changes nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exportguard.parties.screening import NameScreener, Status, load_screener, screen_many
from exportguard.parties.screening import batch as batch_module
from exportguard.parties.screening.snapshots import EMBEDDED

AS_OF = datetime(2026, 8, 1, tzinfo=UTC)
LISTED = (
    "Sichuan University", "Tianjin University", "Harbin Institute of Technology", "Harbin Engineering University",
    "Huawei Technologies Co., Ltd.", "Loongson Technology", "Peng Cheng Laboratory", "四川大学", "哈尔滨工程大学",
)  # fmt: skip
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\ufe0f\u180e"
SPACES = " \u00a0\u2003\u3000\t"


@pytest.fixture(scope="module")
def screener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameScreener]:
    folder: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPORTGUARD_HOME", str(folder))
        yield load_screener(EMBEDDED)


@st.composite
def disguises(draw: st.DrawFn) -> tuple[str, str]:
    """A listed name, and the same with what does not show, other widths, cases, accents and spaces."""
    name = draw(st.sampled_from(LISTED))
    made = []
    for char in name:
        if char == " ":
            char = draw(st.sampled_from(SPACES)) * draw(st.integers(1, 3))
        elif "!" <= char <= "~":
            kind = draw(st.sampled_from(["", "", "upper", "wide", "accent"]))
            if kind == "upper":
                char = char.swapcase()
            elif kind == "wide":
                char = chr(ord(char) + 0xFEE0)
            elif kind == "accent" and char.isalpha():
                char = unicodedata.normalize("NFC", char + draw(st.sampled_from("\u0301\u0308\u0304")))
        made.append(char + draw(st.sampled_from(["", "", "", *INVISIBLE])))
    return name, "".join(made)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(disguises())
def test_how_a_listed_name_is_written_hides_nothing(screener: NameScreener, pair: tuple[str, str]) -> None:
    """Invisible characters, width, case, accents and spaces leave a hit a hit."""
    name, written = pair
    assert screener.screen(name, as_of=AS_OF).status is Status.HIT
    assert screener.screen(written, as_of=AS_OF).status is Status.HIT


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_whatever_is_asked_is_answered(screener: NameScreener, text: str) -> None:
    """Any text has a status and, where it is open, a reason; the same text has the same answer."""
    result = screener.screen(text, as_of=AS_OF)
    assert result.status in Status
    assert (result.reason is None) <= (result.status in (Status.CLEAR, Status.HIT))
    assert screener.screen(text, as_of=AS_OF) == result
    assert not text.strip() or any(char.isalnum() for char in text) or result.status is not Status.CLEAR


def test_a_batch_answers_in_order_what_one_by_one_does(screener: NameScreener, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many processes take part."""
    monkeypatch.setattr(batch_module, "_WORTH_IT", 10)
    monkeypatch.setattr(batch_module, "_CHUNK", 7)
    names = [name for pair in zip(LISTED, ["Xyzzy Bakery"] * len(LISTED), strict=True) for name in pair] * 3
    alone = [screener.screen(name, as_of=AS_OF).document() for name in names]
    many = [result.document() for result in screen_many(screener, iter(names), as_of=AS_OF, workers=2)]
    assert many == alone
