"""What names stand for: institutions under their Chinese and other names, and an overlay that anyone may edit.

An alias is no listing. It says what else to look up, and only the list lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from exportguard.errors import DocumentError
from exportguard.parties.reading import Problem, read_bytes, refuse
from exportguard.parties.screening.han import has_han, simplified, tidy_han
from exportguard.parties.screening.names import readings

_SHIPPED = Path(__file__).parent / "data" / "institutions.json"
_MAX_BYTES = 16 << 20
_ACRONYM = 6


@dataclass(frozen=True, slots=True)
class Aliases:
    """Latin names by another name of the same body; Han names in simplified characters without legal forms."""

    han: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    latin: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of_latin(self, name: str) -> tuple[str, ...]:
        found = (self.latin.get(words.key, ()) for words in readings(name))
        return tuple(dict.fromkeys(other for names in found for other in names))

    def with_groups(self, groups: Iterable[tuple[Iterable[str], Iterable[str]]]) -> Aliases:
        """These and the names of *groups*, each (Latin names, Han names) of one body."""
        han, latin = dict(self.han), dict(self.latin)
        for latin_names, han_names in groups:
            stated = tuple(latin_names)
            # An acronym leads to its body, but another body on the list may have the same one.
            names = tuple(name for name in stated if " " in name.strip() or len(name) > _ACRONYM)
            for name in han_names:
                key = tidy_han(simplified(name))
                han[key] = tuple(dict.fromkeys((*han.get(key, ()), *names)))
            for name in stated:
                for words in readings(name):
                    others = (other for other in names if other != name)
                    latin[words.key] = tuple(dict.fromkeys((*latin.get(words.key, ()), *others)))
        return Aliases(han, latin)


@lru_cache(maxsize=1)
def default_aliases() -> Aliases:
    """The institutions that ship with the package; their source stands in the file."""
    data = json.loads(_SHIPPED.read_text(encoding="utf-8"))
    return Aliases().with_groups((group["latin"], group["han"]) for group in data["groups"])


def load_aliases(path: Path, base: Aliases) -> Aliases:
    """*base* and the aliases of a YAML file: ``aliases: [{names: [Example Institute, 示例研究所], source: …}]``.

    Raises:
        DocumentError: with every problem and its line.
    """
    from exportguard.parties.yamltext import parse_yaml

    parsed = parse_yaml(read_bytes(path, _MAX_BYTES, "the alias file"), str(path))
    problems = list(parsed.problems)
    groups: list[tuple[list[str], list[str]]] = []
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
        groups.append(([n for n in names if not has_han(n)], [n for n in names if has_han(n)]))
        if not groups[-1][0]:
            problems.append(
                Problem("needs a name in Latin letters: the list has no others", here, parsed.line_of(here))
            )
    if problems:
        refuse(str(path), problems, "the alias file")
    return base.with_groups(groups)
