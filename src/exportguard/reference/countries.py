"""Country texts to ISO 3166 alpha-2.

Alpha-2, alpha-3 and three-digit codes, names in several languages, official names and usual abbreviations, whatever
their case and punctuation. HK, MO and TW are their own codes. What is ambiguous (`Korea`, `Congo`) or cannot be read
is Unknown; a subdivision (`UA-43`) is no country.
"""

from __future__ import annotations

from collections.abc import Mapping

from exportguard.reference.names import MAX_NAME, fold, visible
from exportguard.vocabulary.fact import Unknown


def read_country(text: object, codes: Mapping[str, str], names: Mapping[str, str]) -> str | Unknown:
    """The alpha-2 code that *text* names, by *codes* and *names* (folded). Never raises.

    A code is read only as it stands: `N/A` is not Namibia.
    """
    if not isinstance(text, str):
        return Unknown("a country is a text")
    if len(text) > MAX_NAME:
        return Unknown("the country text is too long to be one")
    shown = " ".join(visible(text).split())
    if len(shown) <= 3:
        found = codes.get(shown.casefold())
        if found is not None:
            return found
    # "UA-43", "US-GA": a code and a part behind a hyphen is a subdivision, not a spelling of a country.
    head, hyphen, tail = shown.partition("-")
    if hyphen and len(head) == 2 and head.isascii() and 1 <= len(tail) <= 3 and tail.isascii() and tail.isalnum():
        return Unknown(f"`{shown}` reads as a subdivision, not as a country")
    key = fold(shown)
    found = names.get(key)
    if found is None and key.startswith("the"):
        found = names.get(key[3:])
    if found is None and "," in shown:
        before, _, after = shown.rpartition(",")
        found = names.get(fold(f"{after} {before}"))
    return found if found is not None else _unreadable(shown)


def _unreadable(shown: str) -> Unknown:
    return Unknown(f"`{shown[:60]}` cannot be read as a country")


def key_tables(
    countries: list[Mapping[str, object]],
    spellings: Mapping[str, list[str]],
    official: Mapping[str, list[str]],
    ambiguous: list[str],
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Codes, folded names, and the problems met: used when the data is built.

    Hand-kept spellings come first, then English names, then the other languages; a name that two countries share on
    the first two levels is a problem, on the last it is nobody's.
    """
    problems: list[str] = []
    codes: dict[str, str] = {}
    barred = {fold(text) for text in ambiguous}
    english = {str(row["code"]): _list(row["names"])[0] for row in countries}

    def add(level: dict[str, str], key: str, code: str, place: str) -> None:
        if key and key not in barred and level.setdefault(key, code) != code:
            problems.append(f"{place}: `{key}` names {level[key]} and {code}")

    for row in countries:
        code = str(row["code"])
        for text in (code, *_list(row["alpha3"]), *_list(row["numeric"])):
            add(codes, text.casefold(), code, "codes")
    kept: dict[str, str] = {}
    for code, texts in spellings.items():
        for text in texts:
            add(kept, fold(text), code, "spellings")
    for form, of in official.items():
        for code in of:
            add(kept, fold(form.format(english[code])), code, "official")
    level: dict[str, str] = {}
    for code, text in english.items():
        add(level, fold(text), code, "names")
    names = level | kept
    others: dict[str, set[str]] = {}
    for row in countries:
        for text in _list(row["names"])[1:]:
            others.setdefault(fold(text), set()).add(str(row["code"]))
    for key, claimed in others.items():
        if len(claimed) == 1 and key not in barred:
            names.setdefault(key, next(iter(claimed)))
    return codes, names, problems


def _list(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []
