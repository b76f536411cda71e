"""Country texts: what is read, and what is refused."""

from __future__ import annotations

import pytest

from exportguard.reference import default
from exportguard.vocabulary.fact import Unknown

REFERENCE = default()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cn", "CN"), ("CHN", "CN"), ("156", "CN"), ("P.R. China", "CN"), ("PRC", "CN"), ("中国", "CN"), ("中國", "CN"),
        ("People's Republic of China", "CN"), ("中华人民共和国", "CN"), ("Ｃｈｉｎａ", "CN"), ("Ch\u200bina", "CN"),
        ("China (Mainland)", "CN"), ("Hong Kong", "HK"), ("Hong Kong, China", "HK"), ("Hong Kong SAR China", "HK"),
        ("香港", "HK"), ("Macao", "MO"), ("澳門", "MO"), ("Taiwan", "TW"), ("Taiwan, Province of China", "TW"),
        ("Taiwan (R.O.C.)", "TW"), ("臺灣", "TW"), ("Republic of China", "TW"), ("NO", "NO"), ("no", "NO"),
        ("nor", "NO"),
        ("UK", "GB"), ("u.k.", "GB"), ("England", "GB"), ("USA", "US"), ("U.S.A.", "US"), ("United States", "US"),
        ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("Korea, South", "KR"), ("DPRK", "KP"),
        ("North Korea", "KP"),
        ("Iran, Islamic Republic of", "IR"), ("Iran (Islamic Republic of)", "IR"), ("Viet Nam", "VN"),
        ("Georgia", "GE"),
        ("GA", "GA"), ("The Netherlands", "NL"), ("Côte d'Ivoire", "CI"), ("Cote d’Ivoire", "CI"), ("Türkiye", "TR"),
        ("Turkey", "TR"), ("Russian Federation", "RU"), ("DR Congo", "CD"), ("Republic of the Congo", "CG"),
        ("Niger", "NE"), ("Nigeria", "NG"), ("Syrian Arab Republic", "SY"), ("Burma", "MM"), ("Deutschland", "DE"),
        (" cn ", "CN"), ("República Dominicana", "DO"), ("日本", "JP"), ("Россия", "RU"), ("한국", "KR"),
    ],
)  # fmt: skip
def test_a_country_is_read_in_any_usual_spelling(text: str, code: str) -> None:
    """Codes, names in several scripts, official names and abbreviations all give the ISO alpha-2 code."""
    assert REFERENCE.country(text) == code


@pytest.mark.parametrize(
    "text",
    ["", " ", "EL", "Korea", "Congo", "UA-43", "ua-09", "US-GA", "China and Iran", "CN, IR", "XX", "ZZ", "EU",
     "Europe",
     "Chinatown", "N/A", "unknown", "none", "null", "0", "Сhina", "x" * 500, "Virgin Islands", "SU", "999"],
)  # fmt: skip
def test_what_is_ambiguous_or_unreadable_is_unknown(text: str) -> None:
    """An ambiguous name, a subdivision or a look-alike in another script is never a country."""
    assert isinstance(REFERENCE.country(text), Unknown)


def test_every_code_reads_as_itself() -> None:
    """Each of the closed set of codes is accepted in either case."""
    for code in REFERENCE.countries:
        assert REFERENCE.country(code) == REFERENCE.country(code.lower()) == code
    assert {"CN", "HK", "MO", "TW", "XK", "PS", "US"} <= REFERENCE.countries
    assert not {"EU", "EL", "UK", "ZZ", "AC"} & REFERENCE.countries


def test_an_answer_does_not_raise_for_what_is_no_text() -> None:
    """A number that slipped in is unknown, not an exception."""
    assert isinstance(REFERENCE.country(156), Unknown)  # type: ignore[arg-type]
