"""Names in Han script, word by word: what an English name of the same body would be made of.

Traditional characters become simplified ones (opencc, and a table of the commonest ones without it), words of
institutions, places and brands are translated by a glossary, and what is left is spelled by pypinyin, if it is there.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from exportguard.parties.screening.scripts import script_of

_GLOSSARY = Path(__file__).parent / "data" / "glossary.json"
_LONGEST = 12
_LEGAL = re.compile(r"(?:股份)?(?:有限)?(?:责任)?公司$")
_DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_NUMBER = re.compile(r"第?([〇零一二三四五六七八九十百]+)(?=研究|院|所|局|厂|工厂|集团|部|设计|军|师|医)")
_RUN = re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0003ffff〇]+")


_PART = re.compile(
    r"学院|学部|[系所院室部]$|研究|中心|实验|医院|校区|分校|课题组|团队|图书馆|出版社|附属|研究生|工程师"
)
_OF_A_PLACE = frozenset("市省")
_BODIES = frozenset(
    {"大学", "学院", "研究院", "研究所", "银行", "医院", "中学", "学校", "师范", "工业大学", "理工大学"}
)
"""Words that make another body of a name that goes on with them."""


class Segment(NamedTuple):
    """A stretch of a Han name: its reading, and whether the reading was spelled out by sound."""

    text: str
    spelled: bool


def has_han(text: str) -> bool:
    return any(script_of(char) == "han" for char in text)


def han_runs(text: str) -> list[tuple[str, bool]]:
    """*text* in stretches of Han characters and of others, in order; True for Han. Spaces between Han do not part."""
    text = re.sub(r"(?<=[\u3400-\u9fff])[\s·・‧.]+(?=[\u3400-\u9fff])", "", text)
    parts: list[tuple[str, bool]] = []
    position = 0
    for match in _RUN.finditer(text):
        if match.start() > position:
            parts.append((text[position : match.start()], False))
        parts.append((match[0], True))
        position = match.end()
    if position < len(text):
        parts.append((text[position:], False))
    return parts


@lru_cache(maxsize=1)
def _glossary() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_GLOSSARY.read_text(encoding="utf-8"))
    data["table"] = str.maketrans(data["traditional"], data["simplified"])
    data["brand_pinyin"] |= data["pinyin"]
    data["all"] = data["words"] | data["places"] | data["brands"]
    return data


@lru_cache(maxsize=1)
def _opencc() -> Any:
    try:
        from opencc import OpenCC
    except ImportError:
        return None
    return OpenCC("t2s")


@lru_cache(maxsize=1)
def _pinyin() -> Any:
    try:
        from pypinyin import lazy_pinyin
    except ImportError:
        return None
    return lazy_pinyin


def simplified(text: str) -> str:
    """*text* in simplified characters."""
    converter = _opencc()
    if converter is not None:
        text = converter.convert(text)
    return text.translate(_glossary()["table"])


def tidy_han(text: str) -> str:
    """Without spaces, punctuation, a trailing legal form, and the `市` of a city or `省` of a province before it."""
    text = "".join(char for char in text if char.isalnum())
    places = _glossary()["places"]
    text = next(
        (text[:n] + text[n + 1 :] for n in (2, 3) if text[n : n + 1] in _OF_A_PLACE and text[:n] in places), text
    )
    return _LEGAL.sub("", text) or text


def _number(text: str) -> str:
    """`十四` as `14`, `七零二` as `702`."""
    if "十" not in text and "百" not in text:
        return "".join(str(_DIGITS[char]) for char in text)
    value = 0
    hundreds, found, rest = text.partition("百")
    if found:
        value += 100 * (_DIGITS.get(hundreds, 1))
    else:
        rest = text
    tens, found, ones = rest.partition("十")
    value += (10 * _DIGITS.get(tens or "一", 1) + _DIGITS.get(ones, 0)) if found else _DIGITS.get(rest[-1:], 0)
    return str(value)


_UNREAD, _SINGLE, _WORD = 10, 6, 1
"""What a character that no word covers, a word of one character and a longer word cost: the cheapest way to cut a
name into words reads `龙芯中科技术` as Loongson, Zhongke, technology, not as Loongson, middle, technology, art."""


def _cut(run: str, words: dict[str, str]) -> list[tuple[str, bool]]:
    """*run* in words of the glossary (True) and stretches that none covers."""
    count = len(run)
    cost = [0] * (count + 1)
    step = [1] * count
    for i in range(count - 1, -1, -1):
        best, taken = _UNREAD + cost[i + 1], 0
        for length in range(1, min(_LONGEST, count - i) + 1):
            if run[i : i + length] in words:
                price = (_SINGLE if length == 1 else _WORD) + cost[i + length]
                if price <= best:
                    best, taken = price, length
        cost[i], step[i] = best, taken
    found: list[tuple[str, bool]] = []
    i = 0
    while i < count:
        length = step[i] or 1
        if step[i] == 0 and found and not found[-1][1]:
            found[-1] = (found[-1][0] + run[i], False)
        else:
            found.append((run[i : i + length], step[i] > 0))
        i += length
    return found


def segments(run: str) -> list[Segment] | None:
    """A run of simplified characters as words; None when part of it needs pypinyin, which is not there."""
    words: dict[str, str] = _glossary()["all"]
    found: list[Segment] = []
    for part in re.split(r"([\x00-\x7f]+)", _NUMBER.sub(lambda match: f" {_number(match[1])} ", run)):
        if part.isascii():
            found.append(Segment(part.strip(), False))
            continue
        for piece, known in _cut(part, words):
            if known:
                found.append(Segment(words[piece], False))
                continue
            spelling = _pinyin()
            if spelling is None:
                return None
            found.append(Segment("".join(spelling(piece)), True))
    return [segment for segment in found if segment.text]


def says_little(run: str) -> bool:
    """Only places, legal forms and words of the trade: beside a brand they name no other body."""
    words: dict[str, str] = _glossary()["all"]
    brands = _glossary()["brands"]
    return all(known and piece not in brands and piece not in _BODIES for piece, known in _cut(run, words))


def names_a_part(run: str) -> bool:
    """A school, a department, a hospital: of the institution whose name stands before it."""
    return bool(_PART.search(run))


def pinyin_words() -> dict[str, str]:
    """Words of the glossary by their sound in Latin letters, written together: `daxue` is a university."""
    found: dict[str, str] = _glossary()["pinyin"]
    return found


def brands_by_sound() -> dict[str, str]:
    """Brands too: `shangtang` is SenseTime."""
    found: dict[str, str] = _glossary()["brand_pinyin"]
    return found


def sound_of(run: str) -> str | None:
    """A run by its sound, in Latin letters written together; None without pypinyin."""
    spelling = _pinyin()
    return None if spelling is None else "".join(spelling(run)).lower()


def sounded(run: str) -> str | None:
    """A run spelled by sound alone, one word (persons: family name, then given name); None without pypinyin."""
    spelling = _pinyin()
    if spelling is None:
        return None
    syllables = spelling(run)
    if 2 <= len(run) <= 3:
        return f"{syllables[0]} {''.join(syllables[1:])}"
    return "".join(syllables)
