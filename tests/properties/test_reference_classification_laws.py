"""Laws of the classification under 3A090, at and around every boundary."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportguard.errors import NaiveInstantError
from exportguard.reference import AcceleratorSpec, Peak, default
from exportguard.reference.classification import density_of, tpp_of
from exportguard.vocabulary.fact import Unknown
from exportguard.vocabulary.scope import NONE_OF_3A090

REFERENCE = default()
RULE_2022 = datetime(2022, 10, 7, tzinfo=UTC)
RULE_2023 = datetime(2023, 11, 17, tzinfo=UTC)
WHY = Unknown("not published")
TPP_EDGES = [1600.0, 2400.0, 4800.0]
PD_EDGES = [1.6, 3.2, 5.92]


def around(edges: list[float]) -> st.SearchStrategy[float]:
    near = [v for e in edges for v in (math.nextafter(e, 0), e, math.nextafter(e, math.inf))]
    return st.sampled_from(near) | st.floats(0.1, 2 * edges[-1])


def spec(tpp: float | Unknown, pd: float | Unknown = WHY, *, datacenter: bool | Unknown = True,
         io: float | Unknown = WHY) -> AcceleratorSpec:  # fmt: skip
    return AcceleratorSpec("x", "X", "v", "X", tpp, pd, WHY, datacenter, io_bandwidth=io)


def expected(tpp: float, pd: float, datacenter: bool) -> str:
    """The text of 3A090.a, 3A090.b and note 2, written out once more."""
    if not datacenter and tpp < 4800:
        return NONE_OF_3A090
    if tpp >= 4800 or (tpp >= 1600 and pd >= 5.92):
        return "3A090.a"
    if (2400 <= tpp < 4800 and 1.6 <= pd < 5.92) or (tpp >= 1600 and 3.2 <= pd < 5.92):
        return "3A090.b"
    return NONE_OF_3A090


@given(tpp=around(TPP_EDGES), pd=around(PD_EDGES), datacenter=st.booleans())
def test_the_answer_is_the_text_of_the_2023_rule(tpp: float, pd: float, datacenter: bool) -> None:
    """One ulp below, at and above every threshold, the answer is the paragraph that the text names, a before b."""
    assert REFERENCE.eccn(spec(tpp, pd, datacenter=datacenter), RULE_2023).eccn == expected(tpp, pd, datacenter)


@given(tpp=around(TPP_EDGES), io=around([600.0]))
def test_the_answer_is_the_text_of_the_2022_rule(tpp: float, io: float) -> None:
    found = REFERENCE.eccn(spec(tpp, io=io), RULE_2022).eccn
    assert found == ("3A090.a" if tpp >= 4800 and io >= 600 else NONE_OF_3A090)


@given(tpp=around(TPP_EDGES) | st.just(WHY), pd=around(PD_EDGES) | st.just(WHY), io=around([600.0]) | st.just(WHY),
       datacenter=st.booleans() | st.just(WHY), day=st.sampled_from([RULE_2022, RULE_2023]))  # fmt: skip
def test_a_known_answer_holds_whatever_the_unknown_figures_are(
    tpp: float | Unknown, pd: float | Unknown, io: float | Unknown, datacenter: bool | Unknown, day: datetime
) -> None:
    """An answer is given only if no value of what is unknown would change it."""
    blind = spec(tpp, pd, datacenter=datacenter, io=io)
    found = REFERENCE.eccn(blind, day).eccn
    if isinstance(found, Unknown):
        return
    for t in [tpp] if not isinstance(tpp, Unknown) else [1.0, 1600.0, 2400.0, 4800.0]:
        for p in [pd] if not isinstance(pd, Unknown) else [0.1, 1.6, 3.2, 5.92]:
            for i in [io] if not isinstance(io, Unknown) else [0.0, 600.0]:
                for d in [datacenter] if not isinstance(datacenter, Unknown) else [True, False]:
                    assert REFERENCE.eccn(spec(t, p, datacenter=d, io=i), day).eccn == found


@given(tpp=around(TPP_EDGES), pd=around(PD_EDGES))
def test_an_answer_that_does_not_depend_on_the_die_area_is_given(tpp: float, pd: float) -> None:
    """From a TPP of 4800 it is paragraph a, below 1600 nothing, whatever the area; between them it is unknown."""
    found = REFERENCE.eccn(spec(tpp), RULE_2023).eccn
    assert isinstance(found, Unknown) == (1600 <= tpp < 4800)
    assert found == REFERENCE.eccn(spec(tpp, pd), RULE_2023).eccn or isinstance(found, Unknown)


@given(
    peaks=st.lists(
        st.builds(Peak, st.just("f"), st.sampled_from([4, 6, 8, 16, 32, 64]), st.floats(0.1, 1e5)), min_size=1
    )
)
def test_one_more_format_never_lowers_the_tpp(peaks: list[Peak]) -> None:
    """TPP is the highest over all formats: publishing another peak cannot take a part out of control."""
    whole, fewer = tpp_of(tuple(peaks)), tpp_of(tuple(peaks[:-1]))
    assert not isinstance(whole, Unknown)
    assert isinstance(fewer, Unknown) or whole >= fewer


@given(tpp=st.floats(1, 1e6), area=st.floats(0.1, 5000))
def test_density_is_never_a_division_by_nothing(tpp: float, area: float) -> None:
    assert density_of(tpp, area) == pytest.approx(tpp / area)
    assert isinstance(density_of(tpp, 0.0), Unknown)
    assert isinstance(density_of(tpp, WHY), Unknown)
    assert isinstance(density_of(WHY, area), Unknown)


@given(low=around(TPP_EDGES), high=around(TPP_EDGES))
def test_a_disputed_tpp_gives_only_the_answer_that_all_readings_share(low: float, high: float) -> None:
    low, high = sorted((low, high))
    disputed = replace(spec(WHY, 4.0), tpp_range=(low, high), die_area=4.0)
    ends = {REFERENCE.eccn(replace(disputed, tpp_range=(t, t)), RULE_2023).eccn for t in (low, high)}
    found = REFERENCE.eccn(disputed, RULE_2023).eccn
    assert isinstance(found, Unknown) or ends == {found}


def test_thresholds_change_at_midnight_utc_of_their_date() -> None:
    """Nothing is 3A090 before 2022-10-07; the H800 is controlled from 2023-11-17 and not a moment before."""
    (h100,) = REFERENCE.accelerators("h100-sxm")
    (h800,) = REFERENCE.accelerators("h800-sxm")
    tick = timedelta(microseconds=1)
    assert REFERENCE.eccn(h100, RULE_2022 - tick).eccn == NONE_OF_3A090
    assert REFERENCE.eccn(h100, RULE_2022).eccn == "3A090.a"
    assert REFERENCE.eccn(h800, RULE_2023 - tick).eccn == NONE_OF_3A090
    assert REFERENCE.eccn(h800, RULE_2023).eccn == "3A090.a"
    with pytest.raises(NaiveInstantError):
        REFERENCE.eccn(h100, datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("id_", "paragraph"),
    [
        ("a100-80gb-sxm", "a.1"), ("h100-sxm", "a.1"), ("a800-sxm", "a.1"), ("l40s", "a.1"), ("l4", "a.2"),
        ("a30", "b.1"),
        ("a40", "b.2"), ("l40", "b.1"), ("mi210", "b.1"), ("mi250x", "a.1"), ("gaudi3", "a.1"), ("mi355x", "a.1"),
        ("h20", None),
        ("a10", None), ("a10g", None), ("t4", None), ("v100-sxm2", None), ("l20", None), ("l2", None), ("k80", None),
        ("rtx-4090", "a.1"), ("rtx-4090d", None), ("rtx-5090d", None), ("b200", "a.1"), ("trainium2", "a.1"),
    ],
)  # fmt: skip
def test_known_parts_fall_where_their_published_figures_put_them(id_: str, paragraph: str | None) -> None:
    """Near misses stay misses: A10 by performance density, H20 by TPP, RTX 4090 D by note 2."""
    (part,) = REFERENCE.accelerators(id_)
    found = REFERENCE.eccn(part, RULE_2023)
    assert found.paragraph == paragraph
    assert found.eccn == (f"3A090.{paragraph[0]}" if paragraph else NONE_OF_3A090)


@pytest.mark.parametrize("id_", ["inferentia2", "trainium1", "tpu-v4", "qualcomm-ai100", "xilinx-vu9p", "mi308x"])
def test_parts_whose_class_hangs_on_an_unpublished_figure_are_unknown(id_: str) -> None:
    (part,) = REFERENCE.accelerators(id_)
    assert isinstance(REFERENCE.eccn(part, RULE_2023).eccn, Unknown)
