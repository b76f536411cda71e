"""What names stand for: institutions under their Chinese and other names, and an overlay that anyone may edit.

An alias is no listing. It says what else to look up, and only the list lists.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from exportguard.errors import DocumentError
from exportguard.parties.reading import Problem, read_bytes, refuse
from exportguard.parties.screening.han import has_han, simplified, sound_of, tidy_han
from exportguard.parties.screening.names import readings
from exportguard.parties.screening.scripts import scripts_of, visible

_SHIPPED = tuple(
    Path(__file__).parent / "data" / name
    for name in ("institutions.json", "chinese_names.json", "names_elsewhere.json")
)
_MAX_BYTES = 16 << 20
_ACRONYM = 6
_SOUNDED = 4
"""Shorter Han names sound like too much else."""


@dataclass(frozen=True, slots=True)
class Aliases:
    """Latin names by another name of the same body: Han names in simplified characters without legal forms, and
    how those sound, in Latin letters written together."""

    han: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    latin: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pinyin: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By names in other scripts, in one form."""

    def of_latin(self, name: str) -> tuple[str, ...]:
        found = (self.latin.get(words.key, ()) for words in readings(name))
        return tuple(dict.fromkeys(other for names in found for other in names))

    def of_script(self, text: str) -> tuple[str, ...]:
        """What a name in a script that is neither Latin nor Han stands for."""
        return self.elsewhere.get(in_one_form(text), ())

    def with_groups(self, groups: Iterable[Group]) -> Aliases:
        """These and the names of *groups*."""
        han, latin, pinyin, elsewhere = dict(self.han), dict(self.latin), dict(self.pinyin), dict(self.elsewhere)
        for group in groups:
            # An acronym leads to its body, but another body on the list may have the same one.
            names = tuple(name for name in group.latin if " " in name.strip() or len(name) > _ACRONYM)
            names = names or group.latin
            for name in group.han:
                key = tidy_han(simplified(name))
                han[key] = tuple(dict.fromkeys((*han.get(key, ()), *names)))
            for sound in group.pinyin:
                pinyin[sound] = tuple(dict.fromkeys((*pinyin.get(sound, ()), *names)))
            for name in group.elsewhere:
                key = in_one_form(name)
                elsewhere[key] = tuple(dict.fromkeys((*elsewhere.get(key, ()), *names)))
            for name in group.latin:
                for words in readings(name):
                    others = (other for other in names if other != name)
                    latin[words.key] = tuple(dict.fromkeys((*latin.get(words.key, ()), *others)))
        return Aliases(han, latin, pinyin, elsewhere)


class Group(NamedTuple):
    """Names of one body."""

    latin: tuple[str, ...]
    han: tuple[str, ...]
    pinyin: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


_ARABIC = str.maketrans("أإآٱىئيیكةۀؤ", "ااااییییکههو", "ـ")


def in_one_form(text: str) -> str:
    """Without accents, vowel marks, spaces and signs, and in one spelling of the Arabic letters that are written
    in several ways. Kana and Hangul keep their parts."""
    text = unicodedata.normalize("NFC", visible(text).casefold()).translate(_ARABIC)
    return "".join(char for char in text if char.isalnum() or char == "ー")


@lru_cache(maxsize=1)
def default_aliases() -> Aliases:
    """The names that ship with the package; their source stands in the files."""
    groups = [group for path in _SHIPPED for group in json.loads(path.read_text(encoding="utf-8"))["groups"]]
    return Aliases().with_groups(Group(*(tuple(group.get(kind, ())) for kind in Group._fields)) for group in groups)


def load_aliases(path: Path, base: Aliases) -> Aliases:
    """*base* and the aliases of a YAML file: ``aliases: [{names: [Example Institute, 示例研究所], source: …}]``.

    Raises:
        DocumentError: with every problem and its line.
    """
    from exportguard.parties.yamltext import parse_yaml

    parsed = parse_yaml(read_bytes(path, _MAX_BYTES, "the alias file"), str(path))
    problems = list(parsed.problems)
    groups: list[Group] = []
    data = parsed.data
    if not isinstance(data, dict) or list(data) != ["aliases"] or not isinstance(data["aliases"], list):
        raise DocumentError("an alias file is a mapping with the one key `aliases`, a list", place=str(path))
    for index, group in enumerate(data["aliases"]):
        here = ("aliases", index)
        names = group.get("names") if isinstance(group, dict) else None
        if (
            not isinstance(names, list)
            or not all(isinstance(name, str) and name.strip() for name in names)
            or set(group) - {"names", "source"}
        ):
            problems.append(
                Problem("should be `names`, a list of text, and maybe `source`", here, parsed.line_of(here))
            )
            continue
        han = tuple(name for name in names if has_han(name))
        sounds = tuple(filter(None, (sound_of(tidy_han(simplified(name))) for name in han if len(name) >= _SOUNDED)))
        other = tuple(name for name in names if not has_han(name) and scripts_of(name) - {"latin"})
        plain = tuple(name for name in names if not has_han(name) and "other" not in scripts_of(name))
        groups.append(Group(plain, han, sounds, other))
        if not groups[-1].latin:
            problems.append(
                Problem("needs a name in Latin letters: the list has no others", here, parsed.line_of(here))
            )
    if problems:
        refuse(str(path), problems, "the alias file")
    return base.with_groups(groups)
