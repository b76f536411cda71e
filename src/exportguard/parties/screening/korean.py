"""Korean names in other romanisations: `Kim Chong-un` and `Kim Jeong-eun` are Kim Jong Un as the list spells him."""

from __future__ import annotations

import re
from itertools import islice, product

_FAMILIES = (
    "kim gim", "ri lee yi rhee li", "pak park bak", "choe choi ch'oe", "jong chong jeong jung chung", "kang gang",
    "jo cho", "yun yoon", "jang chang", "rim lim im", "o oh", "sin shin", "so seo suh", "kwon gwon", "an ahn",
    "ryu yu yoo", "jon chon jeon jun", "ko go", "mun moon", "ro no noh", "ha", "han", "hong", "hwang", "paek baek",
    "chae", "ju joo", "kwak gwak", "son", "song", "hyon hyun hyeon", "pyon byun byeon",
)  # fmt: skip
_FAMILY = {variant: forms.split()[0] for forms in _FAMILIES for variant in forms.split()}
_SOUNDS = (("woon", "un"), ("woo", "u"), ("young", "yong"), ("hyun", "hyon"), ("seung", "sung"), ("eo", "o"),
           ("eu", "u"), ("oo", "u"), ("ee", "i"))  # fmt: skip
_HARD = {"ch": "j", "j": "ch", "k": "g", "g": "k", "t": "d", "d": "t", "p": "b", "b": "p"}
_SYLLABLE = re.compile(r"(?:ch|[kgtdpbjnmrlshyw])?h?y?w?[aeiou]{1,3}(?:ng|[klmnpt])?\Z")
_MOST = 16


def readings_of(text: str) -> list[str]:
    """*text* in the spellings of the list; none, where it is no Korean name of a family and two syllables."""
    words = [word for word in re.split(r"[\s,-]+", text.lower().replace("’", "'")) if word]
    if len(words) != 3 or not all(word.replace("'", "").isalpha() for word in words):
        return []
    given = words[1:]
    if words[0] not in _FAMILY or not all(_SYLLABLE.match(word.replace("'", "")) for word in given):
        return []
    spelled = islice(product(*(_spelled(word) for word in given)), _MOST)
    made = dict.fromkeys(" ".join((_FAMILY[words[0]], *syllables)) for syllables in spelled)
    return [each for each in made if each != " ".join(words)]


def _spelled(syllable: str) -> tuple[str, ...]:
    """*syllable* as the list spells it, likeliest first; an apostrophe says that a consonant is a hard one."""
    aspirated = "'" in syllable
    plain = syllable.replace("'", "")
    for sound, instead in _SOUNDS:
        plain = plain.replace(sound, instead)
    initial = "ch" if plain.startswith("ch") else plain[:1]
    forms = [plain]
    if not aspirated and initial in _HARD:
        forms.append(_HARD[initial] + plain[len(initial) :])
    return tuple(dict.fromkeys((*forms, syllable.replace("'", ""))))
