"""What an author meant who wrote something else: other languages' words, look-alike characters, half a number."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from exportguard.language.repairs import NOT_EQUAL, QUOTES, SIGNS, repairs_of
from exportguard.language.syntax import Repairs

_NUMBER = re.compile(r"[0-9][\w.]*")
_LAST = re.compile(r"(?:&&|\|\||[=!<>]=|[<>!+*/.(,-]|\bin)\Z")
_OPERATOR = re.compile(r"&&|\|\||[=!<>]=|[<>+*/%)\]},:?.]|in\Z")
_PERCENT = "a percentage is a plain number"
_LAST_WORD = re.compile(r"([A-Za-z_]\w*)\s+\Z")
_OPENED = re.compile(r"\bin\s*\Z")
_TEXTS = re.compile(r""" "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' """, re.VERBOSE)
_MACRO = re.compile(r"\.\s*\w+\s*\(\s*\w+\s*\Z")
_GROUP = re.compile(r"country_group\s*\(\s*\w+\s*\Z")
_PATTERN = 'a pattern is asked with `.matches(r"…")`'


@dataclass(frozen=True)
class Slip:
    """A stretch of a condition that is not CEL: where it is, and how it was probably meant."""

    at: tuple[int, int]
    message: str
    hint: str | None = None
    code: str = "EG201"
    repairs: Repairs = ()


def slip(text: str, at: int, word: str) -> Slip:
    """The slip behind a parser's *word* at *at*, which does not fit there, and what to read in its place."""
    found = _slip(text, at, word)
    return replace(found, repairs=repairs_of(text, *found.at, word))


def _slip(text: str, at: int, word: str) -> Slip:
    end = at + len(word)
    before, after = text[at - 1 : at], text[end : end + 1]
    if word[:1] and not word[0].isascii() and word[0] not in QUOTES:
        return _foreign(at, word[0])
    if word == "?" and before in (".", "["):
        what = f"optional selection (`{before}?`) is outside the policy language"
        return Slip((at, end), what, "ask `has(path)`, or in a hold rule `unknown(path)`", "EG210")
    if before.isascii() and (before.isalnum() or before == "_") and re.match(r"\w", word):
        found = _broken_number(text, at)
        if found is not None:
            return found
    led = _LAST_WORD.search(text, 0, at)
    if led is not None and led[1] in _LEADING:
        return Slip((led.start(1), led.end(1)), f"unexpected `{led[1]}`", _LEADING[led[1]])
    if found_words := NOT_EQUAL.match(text, at):
        return Slip(found_words.span(), f"unexpected `{found_words[0]}`", "inequality is `!=`")
    return Slip((at, end), f"unexpected `{word}`", _hint(text, at, word, before, after))


def look_alike(text: str) -> str | None:
    """The first letter of *text* that is none of ASCII, which words of a vocabulary are made of."""
    foreign = next((char for char in text if not char.isascii()), None)
    if foreign is None:
        return None
    return f"`{foreign}` is {unicodedata.name(foreign, 'a character without a name')}: words are plain ASCII"


def ending(text: str) -> Slip:
    """The slip of a text that stops where more has to follow, at the place that makes it so."""
    plain = _TEXTS.sub(lambda found: " " * len(found[0]), text)
    early = "the condition ends too early"
    if (at := plain.find("?.")) >= 0:
        told = "a missing fact needs no `?.`: it leaves the rule open; write `.`"
        return Slip((at, at + 2), "unexpected `?.`", told, repairs=((at, at + 2, "."),))
    if plain.count("?") > plain.count(":"):
        at = plain.rfind("?")
        return Slip((at, at + 1), early, "a choice between two is `test ? this : that`")
    end = len(plain.rstrip())
    if plain[:end].endswith("%"):
        return Slip((end - 1, end), "unexpected `%`", _PERCENT, repairs=((end - 1, end, " "),))
    last = _LAST.search(plain[:end])
    start = last.start() if last is not None else max(0, end - 1)
    hint = f"something belongs after `{last[0]}`" if last is not None else "the last part is not finished"
    return Slip((start, end), early, hint)


def _foreign(at: int, char: str) -> Slip:
    name = unicodedata.name(char, "a character without a name")
    code = f"U+{ord(char):04X}"
    shown = f"`{char}`" if char.isprintable() else code
    plain = unicodedata.normalize("NFKC", char)
    if char in SIGNS:
        hint = f"{code} is {name}: write `{SIGNS[char].strip()}`"
    elif plain.isspace():
        hint = f"{code} is {name}: write a plain space"
    elif plain.isascii() and plain.isprintable():
        hint = f"{code} is {name}: write a plain `{plain}`"
    else:
        hint = f"{code} is {name}: outside quotes a condition is plain ASCII"
    return Slip((at, at + 1), f"unexpected {shown}", hint)


def _broken_number(text: str, at: int) -> Slip | None:
    start = at
    while start and re.match(r"[\w.]", text[start - 1]):
        start -= 1
    found = _NUMBER.match(text, start)
    if found is None or found.end() <= at:
        return None
    token = found[0]
    if token.replace("_", "").isdigit():
        hint = f"digits are not grouped: `{token.replace('_', '')}`"
    elif re.fullmatch(r"[0-9.]+[kKmMgGtTbB]", token):
        hint = "a number is written out, without a unit"
    else:
        hint = f'text stands between quotes: `"{token}"`'
    return Slip((start, found.end()), f"unexpected `{token}`", hint)


def _hint(text: str, at: int, word: str, before: str, after: str) -> str | None:
    if word == "=":
        if after == ">" and _MACRO.search(text, 0, at):
            return "a macro's variable is followed by a comma: `list.exists(x, …)`"
        if text[at - 2 : at] == "!=":
            return "inequality is `!=`"
        following = {">": "at least is `>=`", "<": "at most is `<=`", "~": _PATTERN}
        return following.get(after, "equality is `==`")
    if word == "~":
        return _PATTERN if text[:at].rstrip()[-1:] not in ("", "&", "|", "(") else "not is `!`"
    if word == "?":
        return "a missing fact needs no default: it leaves the rule open; ask `unknown(path)` in a hold rule"
    if word == ":" and _GROUP.search(text, 0, at):
        return 'the name of a group stands between quotes: `country_group("D:5")`'
    if word == "*" and before == "[":
        return "the elements of a list are asked with `list.exists(x, …)`"
    if word == "for":
        return "the elements of a list are asked with `list.exists(x, …)`"
    led = text[:at].rstrip()
    if word == "%" or (led.endswith("%") and _OPERATOR.match(word)):
        return _PERCENT
    if word == "&" or before == "&":
        return "and is `&&`"
    if word == "|" or before == "|":
        return "or is `||`"
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    if word in QUOTES:
        return "strings stand between straight quotes: `\"` or `'`"
    if word in ('"', "'"):
        return f"a string that opens with `{word}` is not closed on its line"
    if word[:1] in ('"', "'") and before == word[:1]:
        return rf"a quote inside text is `\{before}`, or stands between quotes of the other kind"
    if word == ">" and before == "<":
        return "inequality is `!=`"
    if word == "#" or (word == "*" and before == "/"):
        return "a comment in a condition starts with `//`"
    if word == ";":
        return "a condition ends without one"
    if word == ",":
        return _comma(text, at)
    if word == "$":
        return "a fact is named as it is: `party.name`"
    if word == ":" and _MACRO.search(text, 0, at):
        return "a macro's variable is followed by a comma: `list.exists(x, …)`"
    if word == ":" and re.search(r"\bin\s+[ADE]\Z", text[:at]):
        return 'a group of countries is `country_group("D:5")`'
    if word == ":" and led.count("[") > led.count("]"):
        return "of text its start is asked with `startsWith`, of a list each element with `exists`"
    if word == ":" or (word == ">" and before == "-"):
        return "a field is named with a dot: `party.country`"
    if word == "}":
        return "a fact is named as it is, without brackets: `party.name`"
    if word == "/" and led.endswith("("):
        return 'a pattern stands between quotes: `matches(r"…")`'
    if word in (">=", ">", "<", "<=") and led.endswith(","):
        return 'the comparison is text here: `">="`'
    if word == "!" and after in ("<", ">"):
        return f"the opposite of `{after}` is `{'<=' if after == '>' else '>='}`"
    if word in ("+", "-", "*") and before == word:
        return f"there is no `{word}{word}`: a condition only compares"
    if word in ("@", "^", "\\"):
        return f"there is no `{word}` in a condition; facts are named as they are: `party.name`"
    if word in (")", "]", "}", "."):
        return f"something is missing before `{word}`, or what stands before it is too much"
    if _OPERATOR.match(word):
        return f"something is missing before `{word}`: each comparison has two sides"
    if before in ('"', "'") and re.match(r"\w", word):
        return rf"a quote inside text is `\{before}`, or stands between quotes of the other kind"
    if led[-1:].isdigit() and re.match(r"[A-Za-z]", word):
        return "a number is written out, without a unit"
    if re.match(r"[\w\"'(]", word):
        return "two parts are joined by `&&` or `||`, the members of a list by commas"
    if word == "!":
        return "two parts are joined by `&&` or `||`; inequality is `!=`"
    return "check the brackets, quotes and operators before it"


def _comma(text: str, at: int) -> str | None:
    opened = max(text.rfind("(", 0, at), text.rfind("{", 0, at))
    if opened >= 0 and _OPENED.search(text, 0, opened):
        return "a list stands between square brackets: `[…]`"
    if text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit():
        return "digits are not grouped, and a decimal point is `.`"
    return "two conditions are joined by `&&` or `||`" if opened < 0 else None


_LEADING = {
    "not": "not is `!`, and `!(x in list)`",
    "if": "write the condition alone; a choice between two is `test ? this : that`",
    "return": "write the condition alone",
    "when": "write the condition alone",
    "unless": "write the condition alone; `unless` is a key of the rule",
    "where": "write the condition alone",
    "for": "the elements of a list are asked with `list.exists(x, …)`",
    "let": "name parts of a condition under `variables:`",
    "var": "name parts of a condition under `variables:`",
}
_WORDS = {
    "and": "and is `&&`",
    "or": "or is `||`",
    "not": "not is `!`, and `!(x in list)`",
    "is": "equality is `==`",
    "equals": "equality is `==`",
    **dict.fromkeys(
        ("like", "contains", "matches", "startswith", "endswith"),
        'text is asked with `.contains("…")`, `.startsWith("…")` or `.matches(r"…")`',
    ),
    **dict.fromkeys(("if", "then", "else"), "a choice between two is `test ? this : that`"),
    "xor": "one or the other but not both is `a != b`, of two conditions",
    "between": "a range is `x >= low && x <= high`",
}
WORDS_OF_OTHERS = {
    "True": "true", "TRUE": "true", "yes": "true", "Yes": "true", "False": "false", "FALSE": "false", "no": "false",
    "None": "null", "none": "null", "nil": "null", "Null": "null", "NULL": "null", "undefined": "null",
}  # fmt: skip
"""Names in other languages for values that CEL has."""
FIELDS_OF_OTHERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("hq", "seat"), ("headquarters",)),
    **dict.fromkeys(("parent", "ultimateowner", "topowner", "owner"), ("ultimate_parent",)),
    "type": ("kind",), "name": ("family",), "model": ("family",),
    **dict.fromkeys(("gpu", "chip", "processor"), ("accelerator", "family")),
    **dict.fromkeys(("qty", "amount", "units", "number"), ("quantity",)),
    **dict.fromkeys(("zone", "availabilityzone", "place"), ("region",)),
    **dict.fromkeys(("nation", "nationality", "iso"), ("country",)),
    **dict.fromkeys(("lists", "listed", "sanctions", "list"), ("listings",)),
    **dict.fromkeys(("state", "province"), ("subdivision",)),
    **dict.fromkeys(("flags", "redflag"), ("red_flags",)),
    **dict.fromkeys(("purpose", "use"), ("end_use",)),
    **dict.fromkeys(("date", "timestamp", "at"), ("time",)),
    **dict.fromkeys(("density", "pd"), ("performance_density",)),
    **dict.fromkeys(("bandwidth", "membw"), ("memory_bandwidth",)),
    **dict.fromkeys(("size", "vmsize", "sku", "instance"), ("instance_type",)),
}  # fmt: skip
"""What fields are called elsewhere."""
TYPES_OF_CEL = frozenset({"bool", "int", "uint", "double", "string", "bytes", "list", "map", "timestamp", "duration"})
NAMESPACES = frozenset(
    {"optional", "cel", "math", "strings", "sets", "lists", "base64", "regex", "ip", "cidr", "url", "net", "proto"}
)
"""What extensions of CEL put before their functions. The profile has none of them."""
