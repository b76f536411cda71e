"""Names in Russian as the list has them in English: acronyms written out, whom a body is named after, adjectives.

Each reading is another name that the body may go by, so none of them is a hit by itself unless it is near exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ACRONYMS = {
    "ФГУП": "Federal State Unitary Enterprise", "ФГБУ": "Federal State Budgetary Institution",
    "ФГБОУ": "Federal State Budgetary Educational Institution", "ГУП": "State Unitary Enterprise",
    "НПЦ": "Scientific Production Center", "НПО": "Scientific Production Association",
    "НПП": "Scientific Production Enterprise", "НПК": "Scientific Production Corporation",
    "НИЦ": "National Research Center", "НИИ": "Scientific Research Institute",
    "ЦНИИ": "Central Scientific Research Institute", "ВНИИ": "All-Russian Scientific Research Institute",
    "ОКБ": "Experimental Design Bureau", "КБ": "Design Bureau", "ЦКБ": "Central Design Bureau",
    "ГК": "State Corporation", "РКЦ": "Rocket and Space Center", "РКК": "Rocket and Space Corporation",
    "ОАК": "United Aircraft Corporation", "ОДК": "United Engine Corporation",
    "ОСК": "United Shipbuilding Corporation", "ЧВК": "Private Military Company",
    "РФЯЦ": "Russian Federal Nuclear Center",
    "МГТУ": "Moscow State Technical University", "МГУ": "Moscow State University", "РАН": "Russian Academy of Sciences",
    "МАИ": "Moscow Aviation Institute", "СПбГУ": "Saint Petersburg State University",
    "НГУ": "Novosibirsk State University", "МЭИ": "Moscow Power Engineering Institute",
}  # fmt: skip
_WORD = re.compile(r"[А-Яа-яЁёІіЇїЄєҐґ]+")
_NAMED_AFTER = re.compile(
    r"\s*(?:,\s*)?\b(?:им\.|имени)\s*(?P<initials>(?:[А-ЯЁ]\.\s*){0,2})(?P<name>[А-ЯЁ][а-яё-]+)\s*(?P<more>.*)",
)
_GENITIVES = ((re.compile(r"ского\Z"), "ский"), (re.compile(r"ого\Z"), "ой"), (re.compile(r"(?<=[внр])а\Z"), ""),
              (re.compile(r"(?<=[бгджзклмпстфхцчш])а\Z"), ""), (re.compile(r"я\Z"), "ь"))  # fmt: skip
_ADJECTIVE = re.compile(r"\b([А-ЯЁ][а-яё]{3,}(?:ов|ев|ин))ск(?:ий|ая|ое|ого|ой)\b")
_DASHED = re.compile(r"[-–—]")
_LONG_ACRONYM = re.compile(r"[А-ЯЁ]{2,}[а-я]?[А-ЯЁ]{1,}\Z")


def readings_of(text: str) -> Iterator[tuple[str, bool]]:
    """Other readings of *text*, in Russian or in Latin letters, and whether each leaves something out."""
    if not _WORD.search(text):
        return
    plain = text.replace("«", " ").replace("»", " ").replace('"', " ")
    spelled = _written_out(plain)
    if spelled != plain:
        yield spelled, False
    named = _NAMED_AFTER.search(plain)
    if named is not None:
        before, name = plain[: named.start()].strip(), _nominative(named["name"])
        initials = named["initials"].replace(".", "").replace(" ", "")
        for head in dict.fromkeys(
            (spelled[: spelled.find(named[0].strip())].strip() if spelled != plain else before, before)
        ):
            yield f"{head} named after {initials} {name} {named['more']}".strip(), False
        if _LONG_ACRONYM.match(before) and before not in _ACRONYMS:
            yield before, True
    stem = _ADJECTIVE.sub(lambda found: found[1], plain)
    if stem != plain:
        yield stem, True
    if _DASHED.search(plain):
        for part in _DASHED.split(plain):
            if len(part) >= 5 and _LONG_ACRONYM.match(part.strip()):
                yield part.strip(), True


def _written_out(text: str) -> str:
    return _WORD.sub(lambda found: _ACRONYMS.get(found[0], found[0]), text)


def _nominative(name: str) -> str:
    """A family name as it stands by itself: `Баумана` is Bauman, `Жуковского` Zhukovsky."""
    for ending, instead in _GENITIVES:
        if ending.search(name):
            return ending.sub(instead, name)
    return name
