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
    """Without spaces, punctuation and a trailing legal form."""
    text = "".join(char for char in text if char.isalnum())
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


def segments(run: str) -> list[Segment] | None:
    """A run of simplified characters as words; None when part of it needs pypinyin, which is not there."""
    words: dict[str, str] = _glossary()["all"]
    run = _NUMBER.sub(lambda match: f" {_number(match[1])} ", run)
    found: list[Segment] = []
    unknown = ""

    def spell() -> bool:
        nonlocal unknown
        if not unknown:
            return True
        spelling = _pinyin()
        if spelling is None:
            return False
        found.append(Segment("".join(spelling(unknown)), True))
        unknown = ""
        return True

    position = 0
    while position < len(run):
        if run[position] == " " or run[position].isascii():
            end = position
            while end < len(run) and run[end].isascii():
                end += 1
            if not spell():
                return None
            found.append(Segment(run[position:end].strip(), False))
            position = end
            continue
        for length in range(min(_LONGEST, len(run) - position), 0, -1):
            word = words.get(run[position : position + length])
            if word is not None and (length > 1 or not unknown or position + length == len(run)):
                if not spell():
                    return None
                found.append(Segment(word, False))
                position += length
                break
        else:
            unknown += run[position]
            position += 1
    return [segment for segment in found if segment.text] if spell() else None


def sounded(run: str) -> str | None:
    """A run spelled by sound alone, one word (persons: family name, then given name); None without pypinyin."""
    spelling = _pinyin()
    if spelling is None:
        return None
    syllables = spelling(run)
    if 2 <= len(run) <= 3:
        return f"{syllables[0]} {''.join(syllables[1:])}"
    return "".join(syllables)
