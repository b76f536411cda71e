"""Regular expressions of RE2 as those of Z3, for the plain ones; the rest is not covered."""

from __future__ import annotations

import re
import warnings
from typing import Any

from exportguard.authoring.proof.logic import B, Z, string, z3
from exportguard.authoring.proof.terms import UnsupportedError

_MOST = 0x2FFFF
"""The last character of Z3's strings."""


_START, _END = "\u0002", "\u0003"
"""Stand around a text, so that `^` and `$` can be characters."""


def matches_expression(text: Z, pattern: str) -> B:
    """Whether *pattern* is found anywhere in *text*, as `matches` finds it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from re import _parser  # type: ignore[attr-defined]

            parsed = list(_parser.parse(pattern, re.ASCII))
    except (re.error, ImportError, OverflowError, RecursionError) as error:
        raise UnsupportedError(f"the regular expression `{pattern}`") from error
    module = z3()
    anything = module.Full(module.ReSort(module.StringSort()))
    within = module.Concat(anything, _sequence(parsed, pattern), anything)
    return module.InRe(module.Concat(string(_START), text, string(_END)), within)


def _sequence(items: list[Any], pattern: str) -> Z:
    module = z3()
    parts = [_one(op, value, pattern) for op, value in items]
    if not parts:
        return module.Re("")
    return parts[0] if len(parts) == 1 else module.Concat(*parts)


def _one(op: Any, value: Any, pattern: str) -> Z:
    module = z3()
    name = str(op)
    if name == "LITERAL":
        return module.Re(string(chr(value)))
    if name == "AT" and str(value) in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
        return module.Re(string(_START))
    if name == "AT" and str(value) in ("AT_END", "AT_END_STRING"):
        return module.Re(string(_END))
    if name == "ANY":
        return _without(module.Re(string("\n")))
    if name == "NOT_LITERAL":
        return _without(module.Re(string(chr(value))))
    if name == "SUBPATTERN" and not value[1] and not value[2]:
        return _sequence(list(value[3]), pattern)
    if name == "BRANCH":
        return _union([_sequence(list(branch), pattern) for branch in value[1]])
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inner = value
        if "AT_" in repr(inner):
            raise UnsupportedError(f"the regular expression `{pattern}`")
        repeated = _sequence(list(inner), pattern)
        if str(most) == "MAXREPEAT":
            star = module.Star(repeated)
            return star if least == 0 else module.Concat(*([repeated] * least), star)
        return module.Loop(repeated, least, most)
    if name == "IN":
        return _class(value, pattern)
    raise UnsupportedError(f"the regular expression `{pattern}`")


def _class(items: list[Any], pattern: str) -> Z:
    module = z3()
    negated = bool(items) and str(items[0][0]) == "NEGATE"
    found: list[Z] = []
    for op, value in items[1 if negated else 0 :]:
        name = str(op)
        if name == "LITERAL":
            found.append(module.Re(string(chr(value))))
        elif name == "RANGE":
            found.append(module.Range(string(chr(value[0])), string(chr(min(value[1], _MOST)))))
        elif name == "CATEGORY" and str(value) == "CATEGORY_DIGIT":
            found.append(module.Range("0", "9"))
        elif name == "CATEGORY" and str(value) == "CATEGORY_WORD":
            found += [module.Range("0", "9"), module.Range("A", "Z"), module.Range("a", "z"), module.Re("_")]
        else:
            raise UnsupportedError(f"the regular expression `{pattern}`")
    whole = _union(found)
    return _without(whole) if negated else whole


def _union(parts: list[Z]) -> Z:
    return parts[0] if len(parts) == 1 else z3().Union(*parts)


def _without(characters: Z) -> Z:
    module = z3()
    any_one = module.AllChar(module.ReSort(module.StringSort()))
    marks = [module.Re(string(mark)) for mark in (_START, _END)]
    return module.Intersect(any_one, module.Complement(module.Union(characters, *marks)))
