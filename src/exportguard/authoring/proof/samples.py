"""Names of models that stand for families: one for each way in which a name can be read, made from the patterns."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from exportguard.vocabulary.fact import Unknown

if TYPE_CHECKING:
    from exportguard.reference import ReferenceData

FIRST = ("claude-3-opus", "gpt-4o", "gpt-oss-120b", "o3")


def model_names(reference: ReferenceData) -> list[str]:
    """Names that reference data reads: of every provider alone, of every family, of every exception in it."""
    table = reference.table("models")
    prefixes = {row["id"]: row["prefixes"][0] for row in table["providers"]}
    found: dict[str, None] = dict.fromkeys(FIRST)
    for prefix in prefixes.values():
        found[f"{prefix}.model-of-next-year"] = None
    for family in table["families"]:
        prefix = prefixes[family["provider"]]
        patterns = [family.get("name"), *(row["name"] for row in family.get("weights_by", ()))]
        for text in (sample for pattern in patterns if pattern for sample in samples(pattern)):
            found[text] = None
            found[f"{prefix}.{text}"] = None
        for text in samples(family["under"]):
            found[f"{prefix}.{text}"] = None
            found[f"{prefix}.{text}-of-next-year"] = None
    return [name for name in found if not isinstance(reference.model(None, name), Unknown)]


def samples(pattern: str, most: int = 12) -> list[str]:
    """Short texts that *pattern* matches: each alternative once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from re import _parser  # type: ignore[attr-defined]

        parsed = _parser.parse(pattern)
    found: dict[str, None] = {}
    for text in _sequence(list(parsed)):
        found.setdefault(text)
        if len(found) >= most:
            break
    return list(found)


def _sequence(items: list[Any]) -> Iterator[str]:
    if not items:
        yield ""
        return
    for head in _one(*items[0]):
        for rest in _sequence(items[1:]):
            yield head + rest


def _one(op: Any, value: Any) -> Iterator[str]:
    name = str(op)
    if name == "LITERAL":
        yield chr(value)
    elif name == "SUBPATTERN":
        yield from _sequence(list(value[3]))
    elif name == "BRANCH":
        for branch in value[1]:
            yield from _sequence(list(branch))
    elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, inner = value
        for text in _sequence(list(inner)):
            yield text * max(least, 0)
            if least == 0 and int(most) > 0:
                yield text
    elif name == "IN":
        yield _member(value)
    elif name == "ANY":
        yield "x"
    else:
        yield ""


def _member(items: list[Any]) -> str:
    for op, value in items:
        if str(op) == "LITERAL":
            return chr(value)
        if str(op) == "RANGE":
            return chr(value[0])
        if str(op) == "CATEGORY":
            return "1" if "DIGIT" in str(value) else "a"
    return "a"
