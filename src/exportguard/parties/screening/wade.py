"""Chinese in the romanisation of Wade and Giles, as pinyin: `Ch'en Ch'üan-kuo` is Chen Quanguo."""

from __future__ import annotations

import re

_MARKS = re.compile(r"(?:ch|ts|tz|[ptk])'|\b(?:hs|ts[aeiou]|tz[aeiou]|sz)|üe?", re.IGNORECASE)
"""What pinyin does not have: without one of these a name is no more Wade and Giles than anything else."""
_SYLLABLE = re.compile(r"(ch'?|ts'?|tz'?|hs|sh|sz|ss|[ptk]'?|[mfnlhjrswy])?([aeiouü]+(?:ng|n|h|rh)?)\Z")
_INITIALS = {
    "p'": "p", "p": "b", "t'": "t", "t": "d", "k'": "k", "k": "g", "ts'": "c", "tz'": "c", "ts": "z", "tz": "z",
    "sz": "s", "ss": "s", "hs": "x", "j": "r",
}  # fmt: skip
_FINALS = {
    "ih": "i", "ieh": "ie", "ien": "ian", "ung": "ong", "iung": "iong", "eh": "e", "erh": "er", "üeh": "ue",
    "üan": "uan", "ün": "un", "ü": "u",
}  # fmt: skip
_WHOLE = {"yen": "yan", "yeh": "ye", "yu": "you", "yü": "yu", "yung": "yong", "ko": "ge", "k'o": "ke", "ho": "he",
          "o": "e", "kuei": "gui", "k'uei": "kui", "jih": "ri", "ssu": "si", "szu": "si", "tzu": "zi", "tz'u": "ci",
          "i": "yi", "jo": "ruo", "lo": "luo", "to": "duo", "t'o": "tuo", "so": "suo", "no": "nuo"}  # fmt: skip


def as_pinyin(name: str) -> str | None:
    """*name* with its words of Chinese syllables in pinyin; None where nothing in it is of Wade and Giles."""
    text = name.replace("’", "'").replace("ʻ", "'").replace("ʼ", "'").replace("`", "'")
    if not _MARKS.search(text):
        return None
    made: list[str] = []
    read = False
    for word in text.split():
        parts = [_syllable(part) for part in word.lower().strip(",.").split("-")]
        if all(parts):
            made.append("".join(filter(None, parts)))
            read = True
        else:
            made.append(word)
    return " ".join(made) if read else None


def _syllable(text: str) -> str | None:
    if text in _WHOLE:
        return _WHOLE[text]
    found = _SYLLABLE.match(text)
    if found is None:
        return None
    initial, final = found[1] or "", found[2]
    if initial in ("ch", "ch'"):
        palatal = final[0] in "iü" and final != "ih"
        initial = ("q" if palatal else "ch") if initial == "ch'" else ("j" if palatal else "zh")
        return initial + _FINALS.get(final, final)
    return _INITIALS.get(initial, initial) + _FINALS.get(final, final)
