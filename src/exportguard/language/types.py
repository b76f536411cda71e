"""Types of expressions: what a fact holds, and from which closed vocabulary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Type:
    """`kind` is one of bool, int, double, string, timestamp, duration, null, dyn, list, record.

    `of` is the element type of a list, `record` the name of a record. `words` names the closed vocabulary of a
    string. `least`, `most` and `unit` say which literals make sense beside a number.
    """

    kind: str
    of: Type | None = None
    record: str = ""
    words: str | None = None
    nullable: bool = False
    unit: str = ""
    least: float | None = None
    most: float | None = None
    suspicious: tuple[float, float] | None = None
    """Both excluded: a threshold in between is almost surely in another unit."""

    @property
    def numeric(self) -> bool:
        return self.kind in ("int", "double")

    def __str__(self) -> str:
        if self.kind == "list":
            return f"list({self.of})" if self.of is not None else "list(dyn)"
        return f"record:{self.record}" if self.kind == "record" else self.kind

    def shown(self) -> str:
        """In words, for diagnostics."""
        if self.kind == "record":
            return f"the record `{self.record}`"
        if self.kind == "list":
            return f"a list of {self.of.plural()}" if self.of is not None else "a list"
        return {
            "bool": "true or false", "int": "a whole number (int)", "double": "a number (double)",
            "string": "text", "timestamp": "a timestamp", "duration": "a duration", "null": "null",
            "dyn": "a value of any type",
        }[self.kind]  # fmt: skip

    def plural(self) -> str:
        return {
            "bool": "booleans", "int": "whole numbers", "double": "numbers", "string": "texts",
            "timestamp": "timestamps", "duration": "durations", "null": "nulls", "dyn": "values of mixed types",
            "list": "lists", "record": "records",
        }[self.kind]  # fmt: skip


BOOL, INT, DOUBLE, STRING = Type("bool"), Type("int"), Type("double"), Type("string")
TIMESTAMP, DURATION, NULL, DYN = Type("timestamp"), Type("duration"), Type("null"), Type("dyn")


def list_of(element: Type) -> Type:
    return Type("list", of=element)


def record(name: str) -> Type:
    return Type("record", record=name)


def join(types: list[Type]) -> Type:
    """The type of a value that is one of *types*; dyn where they differ."""
    if not types:
        return DYN
    first = types[0]
    if all(other == first for other in types):
        return first
    kinds = {t.kind for t in types}
    if len(kinds) == 1 and first.kind not in ("list", "record"):
        words = {t.words for t in types}
        return Type(first.kind, words=words.pop() if len(words) == 1 else None)
    if kinds == {"list"}:
        return list_of(join([t.of or DYN for t in types]))
    return DYN
