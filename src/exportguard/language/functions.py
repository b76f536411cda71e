"""The functions and methods of the profile: names, receivers, overloads. One table for checker and compiler."""

from __future__ import annotations

from exportguard.language.types import BOOL, DOUBLE, DURATION, INT, STRING, TIMESTAMP, Type

TIME_PARTS = (
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes",
    "getSeconds", "getMilliseconds",
)  # fmt: skip
_LIST = Type("list")

OVERLOADS: dict[str, tuple[tuple[tuple[Type, ...], Type], ...]] = {
    "size": (((STRING,), INT), ((_LIST,), INT)),
    "startsWith": (((STRING, STRING), BOOL),),
    "endsWith": (((STRING, STRING), BOOL),),
    "contains": (((STRING, STRING), BOOL),),
    "matches": (((STRING, STRING), BOOL),),
    "timestamp": (((STRING,), TIMESTAMP), ((INT,), TIMESTAMP), ((TIMESTAMP,), TIMESTAMP)),
    "duration": (((STRING,), DURATION), ((DURATION,), DURATION)),
    "int": (((INT,), INT), ((DOUBLE,), INT), ((STRING,), INT), ((TIMESTAMP,), INT)),
    "double": (((DOUBLE,), DOUBLE), ((INT,), DOUBLE), ((STRING,), DOUBLE)),
    "string": tuple(((t,), STRING) for t in (STRING, INT, DOUBLE, BOOL, TIMESTAMP, DURATION)),
    **dict.fromkeys(TIME_PARTS, (((TIMESTAMP,), INT), ((TIMESTAMP, STRING), INT))),
}
for _name in ("getHours", "getMinutes", "getSeconds", "getMilliseconds"):
    OVERLOADS[_name] = (*OVERLOADS[_name], ((DURATION,), INT))

METHODS = frozenset({"size", "startsWith", "endsWith", "contains", "matches", *TIME_PARTS})
"""Written as `value.name(…)`."""
GLOBALS = frozenset({"size", "matches", "timestamp", "duration", "int", "double", "string"})
"""Written as `name(…)`."""
OURS = frozenset({"country_group", "owned", "unknown", "has"})
MACROS = frozenset({"exists", "all", "exists_one", "filter", "map"})

OUTSIDE = {
    "type": "types are known when a policy loads",
    "dyn": "values have their type from the facts",
    "bool": "write the comparison out",
    "uint": "use `int`",
    "bytes": "use text",
    "lowerAscii": "facts are already in their canonical spelling",
    "upperAscii": "facts are already in their canonical spelling",
    **dict.fromkeys(("replace", "split", "join", "substring", "trim"), "text is asked as it is: `contains`, `matches`"),
    "now": "time is `--as-of` or the guard's clock; date a rule with `effective:`",
}
"""Functions that authors know from elsewhere, and what to do instead."""

_CANONICAL = 'facts are already in their canonical spelling; `matches(r"(?i)…")` ignores case'
MEANT = {
    **dict.fromkeys(("len", "length", "count"), "did you mean `size`?"),
    **dict.fromkeys(("any", "some", "find", "has_any"), "did you mean `exists`?"),
    **dict.fromkeys(("every", "forall", "each"), "did you mean `all`?"),
    **dict.fromkeys(("includes", "has", "contain"), "text is asked with `contains`, a list with `x in list`"),
    **dict.fromkeys(("match", "regex", "test", "search"), "did you mean `matches`?"),
    **dict.fromkeys(("lower", "upper", "toLowerCase", "toUpperCase", "casefold", "strip"), _CANONICAL),
    **dict.fromkeys(
        ("today", "date", "datetime"), "time is `--as-of` or the guard's clock; date a rule by `effective:`"
    ),
    **dict.fromkeys(("str", "text"), "did you mean `string`?"),
    **dict.fromkeys(("float", "number"), "did you mean `double`?"),
    **dict.fromkeys(("in", "isin", "is_in", "one_of", "oneOf"), "`in` is an operator: `x in list`"),
    **dict.fromkeys(("isnull", "is_null", "exists", "defined", "is_unknown"), "did you mean `unknown(path)`?"),
}
"""Functions of other languages, and what they are here."""
