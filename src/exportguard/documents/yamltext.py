"""YAML text to plain data, event by event: nothing is constructed, nothing guessed, nothing recursed into."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from exportguard.documents.jsontext import MAX_DEPTH, MAX_DIGITS
from exportguard.errors import DocumentError

Path_ = tuple[str | int, ...]

Scalar = Callable[[str | None, str], Any]
"""What an unquoted scalar is: given the key it stands under (None in a list of a list) and its text."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS = {"true": True, "false": False}
_NULL = frozenset({"", "~", "null"})


def as_json(key: str | None, text: str) -> Any:
    """By JSON's rules: numbers, `true` and `false`; everything else is text (`NO` is Norway, a date stays text)."""
    if text in _WORDS:
        return _WORDS[text]
    found = _NUMBER.fullmatch(text)
    if found is None or len(text) > MAX_DIGITS:
        return text
    return int(text) if found[2] is None and found[3] is None else float(text)


def as_text(key: str | None, text: str) -> Any:
    """Text, always."""
    return text


def parse_yaml(text: str, place: str, *, scalar: Scalar = as_text) -> tuple[Any, dict[Path_, int]]:
    """The one document in *text*, and the line of each path in it.

    Unquoted `null` and `~` are null; other unquoted scalars are what *scalar* makes of them, quoted ones are text. A
    key with nothing behind it is refused: `quantity:` that somebody meant to fill in must not read as *without limit*.

    Raises:
        DocumentError: not YAML; a duplicate key, an anchor, a tag, a second document, too deep.
    """
    import yaml

    fold = _Fold(place, scalar)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CLoader", yaml.Loader)):
            fold.feed(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}:{mark.line + 1}:{mark.column + 1}" if mark is not None else place
        raise DocumentError(f"not YAML: {getattr(error, 'problem', None) or error}", place=where) from None
    except RecursionError:
        raise DocumentError("nested too deeply", place=place) from None
    return fold.root, fold.lines


class _Fold:
    """Folds the event stream into lists and dicts."""

    def __init__(self, place: str, scalar: Scalar) -> None:
        self.root: Any = None
        self.lines: dict[Path_, int] = {}
        self._place, self._read = place, scalar
        self._open: list[tuple[Any, Path_]] = []
        self._keys: list[str | None] = []
        self._documents = 0

    def _refuse(self, message: str, event: Any) -> DocumentError:
        mark = event.start_mark
        return DocumentError(message, place=f"{self._place}:{mark.line + 1}:{mark.column + 1}")

    def feed(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise self._refuse("holds more than one document", event)
        elif kind == "AliasEvent" or getattr(event, "anchor", None):
            raise self._refuse("anchors and aliases are not read", event)
        elif getattr(event, "tag", None) not in (None, "!"):
            raise self._refuse(f"the tag `{event.tag}` is not read", event)
        elif kind == "ScalarEvent":
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._open) >= MAX_DEPTH:
                raise self._refuse(f"nested more than {MAX_DEPTH} deep", event)
            if self._key_is_next():
                raise self._refuse("a key should be text", event)
            made: Any = {} if kind == "MappingStartEvent" else []
            self._open.append((made, self._put(made, event)))
            self._keys.append(None)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._open.pop()
            self._keys.pop()

    def _key_is_next(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1][0], dict) and self._keys[-1] is None

    def _scalar(self, event: Any) -> None:
        if self._key_is_next():
            holder, path = self._open[-1]
            if event.value in holder:
                raise self._refuse(f"the key `{event.value}` is given twice", event)
            if event.value == "<<" and event.implicit[0]:
                raise self._refuse("merge keys are not read", event)
            self._keys[-1] = event.value
            self.lines[(*path, event.value)] = event.start_mark.line + 1
            return
        value: Any = event.value
        if event.implicit[0]:
            if not value and self._open and isinstance(self._open[-1][0], dict):
                key = self._keys[-1]
                raise self._refuse(f"`{key}` has no value: drop the key, or write `null` where that is meant", event)
            value = None if value in _NULL else self._read(self._keys[-1] if self._keys else None, value)
        self._put(value, event)

    def _put(self, value: Any, event: Any) -> Path_:
        if not self._open:
            self.root = value
            return ()
        holder, path = self._open[-1]
        if isinstance(holder, list):
            here: Path_ = (*path, len(holder))
            holder.append(value)
            self.lines[here] = event.start_mark.line + 1
            return here
        key = self._keys[-1]
        assert key is not None
        holder[key] = value
        self._keys[-1] = None
        return (*path, key)
