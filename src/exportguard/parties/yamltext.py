"""YAML text to plain data, event by event: no recursion, no constructors, no guesses about types."""

from __future__ import annotations

from typing import Any

from exportguard.parties.reading import MAX_DEPTH, Parsed, Path_, Problem, refuse

_NULL = ("", "~", "null")


def _events(text: str) -> Any:
    import yaml

    loader = getattr(yaml, "CLoader", yaml.Loader)
    # Only the event stream is used: no constructor of the loader ever runs.
    return yaml.parse(text, Loader=loader)


def parse_yaml(text: str, name: str, *, booleans: frozenset[str] = frozenset()) -> Parsed:
    """Parse one YAML document; *booleans* are the keys under which an unquoted `true` or `false` is a boolean."""
    import yaml

    builder = _Builder(booleans)
    try:
        for event in _events(text):
            builder.feed(event)
            if builder.fatal is not None:
                refuse(name, [builder.fatal], "the document")
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        said = getattr(problem, "problem", None) or "it cannot be parsed"
        refuse(name, [Problem(f"is not YAML: {said}", (), mark.line + 1 if mark else None)], "the document")
    except RecursionError:
        refuse(name, [Problem(f"is nested deeper than {MAX_DEPTH} levels")], "the document")
    lines = builder.lines

    def line_of(path: Path_) -> int | None:
        return next((lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in lines), None)

    return Parsed(builder.root, line_of, builder.problems)


def lines_of(text: str) -> dict[Path_, int]:
    """The line on which each path of *text* stands; as far as the text can be read."""
    import yaml

    builder = _Builder(frozenset())
    try:
        for event in _events(text):
            builder.feed(event)
            if builder.fatal is not None:
                break
    except (yaml.YAMLError, RecursionError):
        return builder.lines
    return builder.lines


class _Builder:
    """Folds events into lists and dicts, keeping the line of each path."""

    def __init__(self, booleans: frozenset[str]) -> None:
        self.root: Any = None
        self.lines: dict[Path_, int] = {}
        self.problems: list[Problem] = []
        self.fatal: Problem | None = None
        self._booleans = booleans
        self._stack: list[tuple[Any, Path_]] = []
        self._key: list[str | None] = []
        self._documents = 0

    def feed(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                self.fatal = Problem("holds more than one document", (), event.start_mark.line + 1)
            return
        if kind in ("StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"):
            return
        line = event.start_mark.line + 1
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            self.fatal = Problem("anchors and aliases are not allowed", (), line)
        elif getattr(event, "tag", None) and event.tag != "!":
            self.fatal = Problem(f"the tag `{event.tag}` is not allowed", (), line)
        elif kind == "ScalarEvent":
            self._scalar(event, line)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self._stack) >= MAX_DEPTH:
                self.fatal = Problem(f"is nested deeper than {MAX_DEPTH} levels", (), line)
            elif self._wants_key():
                self.fatal = Problem("a key should be text", (), line)
            else:
                made: Any = {} if kind == "MappingStartEvent" else []
                path = self._place(made, line)
                self._stack.append((made, path))
                self._key.append(None)
        else:
            self._stack.pop()
            self._key.pop()

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1][0], dict) and self._key[-1] is None

    def _scalar(self, event: Any, line: int) -> None:
        if self._wants_key():
            holder, path = self._stack[-1]
            if event.value == "<<" and event.implicit[0]:
                self.fatal = Problem("merge keys are not allowed", path, line)
            elif event.value in holder:
                self.problems.append(Problem(f"key `{event.value}` stands twice", path, line))
            self._key[-1] = event.value
            self.lines[(*path, event.value)] = line
            return
        value: Any = event.value
        if event.implicit[0]:
            key = self._key[-1] if self._key else None
            if not value and key is not None:
                # `ultimate_parent:` that somebody meant to fill in must not read as *nobody stands above it*.
                here = self._place(None, line)
                what = f"`{key}` has no value: drop the key, or write `null` where that is meant"
                self.problems.append(Problem(what, here, line))
                return
            if value in _NULL:
                value = None
            elif key in self._booleans and value in ("true", "false"):
                value = value == "true"
        self._place(value, line)

    def _place(self, value: Any, line: int) -> Path_:
        if not self._stack:
            self.root = value
            return ()
        holder, path = self._stack[-1]
        if isinstance(holder, list):
            here: Path_ = (*path, len(holder))
            holder.append(value)
            self.lines[here] = line
        else:
            key = self._key[-1]
            assert key is not None
            here = (*path, key)
            holder[key] = value
            self._key[-1] = None
        return here
