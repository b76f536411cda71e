"""Country texts to ISO 3166 alpha-2.

Alpha-2, alpha-3 and three-digit codes, names in several languages, official names and usual abbreviations, whatever
their case and punctuation. HK, MO and TW are their own codes. What is ambiguous (`Korea`, `Congo`) or cannot be read
is Unknown; a subdivision (`UA-43`) is no country.
"""

from __future__ import annotations

from collections.abc import Mapping

from exportguard.reference.names import MAX_NAME, fold
from exportguard.vocabulary.fact import Unknown


def read_country(text: object, keys: Mapping[str, str]) -> str | Unknown:
    """The alpha-2 code that *text* names, by *keys* (folded name to code). Never raises."""
    if not isinstance(text, str):
        return Unknown("a country is a text")
    if len(text) > MAX_NAME:
        return Unknown("the country text is too long to be one")
    shown = text.strip()
    if len(shown) == 2 and shown.isascii() and shown.isupper():
        return shown if keys.get(shown.casefold()) == shown else keys.get(shown.casefold(), _unreadable(shown))
    # "UA-43", "US-GA": a code and a part behind a hyphen is a subdivision, not a spelling of a country.
    head, hyphen, tail = shown.partition("-")
    if hyphen and len(head) == 2 and head.isascii() and 1 <= len(tail) <= 3 and tail.isascii() and tail.isalnum():
        return Unknown(f"`{shown}` reads as a subdivision, not as a country")
    key = fold(shown)
    found = keys.get(key)
    if found is None and key.startswith("the"):
        found = keys.get(key[3:])
    if found is None and "," in shown:
        before, _, after = shown.rpartition(",")
        found = keys.get(fold(f"{after} {before}"))
    return found if found is not None else _unreadable(shown)


def _unreadable(shown: str) -> Unknown:
    return Unknown(f"`{shown[:60]}` cannot be read as a country")


def key_table(
    countries: list[Mapping[str, object]],
    spellings: Mapping[str, list[str]],
    official: Mapping[str, list[str]],
    ambiguous: list[str],
) -> tuple[dict[str, str], list[str]]:
    """Folded name to code, and the problems met: used when the data is built.

    Codes and hand-kept spellings come first, then English names, then the other languages; a name that two countries
    share on one level is nobody's.
    """
    problems: list[str] = []
    keys: dict[str, str] = {}
    barred = {fold(text) for text in ambiguous}
    english: dict[str, str] = {}

    def add(level: dict[str, str], text: str, code: str, place: str) -> None:
        key = fold(text)
        if not key or key in barred:
            return
        if level.setdefault(key, code) != code:
            problems.append(f"{place}: `{text}` names {level[key]} and {code}")

    for row in countries:
        code = str(row["code"])
        english[code] = str(_list(row["names"])[0])
        for text in (code, *_list(row["alpha3"]), *_list(row["numeric"])):
            add(keys, text, code, "codes")
    for code, texts in spellings.items():
        for text in texts:
            add(keys, text, code, "spellings")
    for form, codes in official.items():
        for code in codes:
            add(keys, form.format(english[code]), code, "official")
    level: dict[str, str] = {}
    for code, text in english.items():
        add(level, text, code, "names")
    keys = level | keys
    others: dict[str, set[str]] = {}
    for row in countries:
        for text in _list(row["names"])[1:]:
            others.setdefault(fold(text), set()).add(str(row["code"]))
    for key, codes_of in others.items():
        if len(codes_of) == 1 and key not in barred:
            keys.setdefault(key, next(iter(codes_of)))
    return keys, problems


def _list(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else []
