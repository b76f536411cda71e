"""Scripts of a name: what is hidden in it, what only looks Latin, and what can be spelled in Latin letters."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters of other alphabets that are drawn as Latin ones: the visual pairs of Unicode's confusables data that
# occur in names.
_LOOKALIKES = str.maketrans(
    "АВСЕНІЈКМОРЅТХҮԜ" "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" "авсԁеԍһіјкӏмопрԛѕтхуѵԝь" "αβεηικνορτυχωγѡ" "ɑɡǀƖօոսց",
    "ABCEHIJKMOPSTXYW" "ABEZHIKMNOPTYX" "abcdeghijklmonpqstxyvwb" "abeniknoptuxwyw" "agllonuc",
)  # fmt: skip
_SPECIAL = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŋ": "n", "ı": "i",
     "ə": "a", "ŧ": "t", "ʻ": "", "ʼ": "", "’": "'", "‘": "'", "`": "'", "´": "'", "＇": "'"}
)  # fmt: skip
_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
    "я": "ya", "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "ў": "u", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c",
    "ђ": "dj", "џ": "dz", "ѓ": "g", "ќ": "k", "ѕ": "dz",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
    "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_ROMAN = str.maketrans(_CYRILLIC | _GREEK)
_ABROAD = (
    str.maketrans(_CYRILLIC | _GREEK | {"й": "i"}),
    str.maketrans(_CYRILLIC | _GREEK | {"й": "i", "х": "h", "в": "w"}),
)
"""How names from elsewhere are spelled back: `Сухой` is also Sukhoi, `Хуавей` Huawei."""


@lru_cache(maxsize=8192)
def script_of(char: str) -> str:
    """`latin`, `han`, `cyrillic`, `greek`, `other` for letters; `` for everything else."""
    if char < "\x80":
        return "latin" if char.isalpha() else ""
    if "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or "\U00020000" <= char <= "\U0003ffff":
        return "han"
    if not char.isalpha():
        return ""
    name = unicodedata.name(char, "")
    for script in ("LATIN", "CYRILLIC", "GREEK", "CJK"):
        if name.startswith(script):
            return "han" if script == "CJK" else script.lower()
    return "other"


def scripts_of(text: str) -> frozenset[str]:
    return frozenset(filter(None, map(script_of, text)))


def visible(text: str) -> str:
    """NFKC without what does not show: zero-width, direction and control characters, variation selectors."""
    text = unicodedata.normalize("NFKC", text)
    if text.isascii():
        if text.isprintable():
            return text
        return "".join(ch if ch.isprintable() else " " for ch in text)
    kept: list[str] = []
    for ch in text:
        category = unicodedata.category(ch)
        if category in ("Cf", "Cs", "Co", "Cn", "Me") or "\ufe00" <= ch <= "\ufe0f" or ch in "\u115f\u1160\u3164\uffa0":
            continue
        kept.append(" " if category in ("Cc", "Zl", "Zp", "Zs") else ch)
    return "".join(kept)


def unmarked(text: str) -> str:
    """Casefolded, without accents and with the letters that Unicode does not take apart spelled out."""
    text = text.casefold()
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
    return "".join(ch for ch in text if not unicodedata.combining(ch))


def latin_readings(text: str) -> tuple[str, ...]:
    """*text* (visible, any case) in Latin letters: as it looks, and as it sounds where those may differ."""
    lower = text.casefold()
    if lower.isascii():
        return (lower,)
    scripts = scripts_of(lower)
    if not scripts & {"cyrillic", "greek", "other"}:
        return (unmarked(lower),)
    looks = unmarked(unmarked(text.translate(_LOOKALIKES)).translate(_ROMAN))
    # Spelled before accents are taken away: without its breve й would be и.
    sounds = unmarked(lower.translate(_ROMAN))
    if "latin" in scripts:
        return tuple(dict.fromkeys((looks, sounds)))
    abroad = (unmarked(lower.replace("дж", "j").translate(table)) for table in _ABROAD)
    return tuple(dict.fromkeys((sounds, looks, *abroad)))
