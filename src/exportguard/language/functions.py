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
        ("today", "date", "datetime", "utcnow"), "time is `--as-of` or the guard's clock; date a rule by `effective:`"
    ),
    **dict.fromkeys(("str", "text"), "did you mean `string`?"),
    **dict.fromkeys(("float", "number"), "did you mean `double`?"),
    **dict.fromkeys(("in", "isin", "is_in", "one_of", "oneOf"), "`in` is an operator: `x in list`"),
    **dict.fromkeys(
        ("isnull", "is_null", "defined", "is_unknown", "isunknown", "isnone", "exists"), "did you mean `unknown(path)`?"
    ),
    **dict.fromkeys(("known", "is_known"), "a fact that nobody knows leaves the rule open by itself"),
    "not": "not is `!`: `!(…)`",
    **dict.fromkeys(("and", "or"), "parts are joined by `&&` and `||`"),
    **dict.fromkeys(("equals", "eq", "equal", "is"), "equality is `==`"),
    **dict.fromkeys(("isempty", "is_empty", "empty"), "whether there are none is `size(…) == 0`"),
    **dict.fromkeys(("foreach", "reduce", "every_one"), "did you mean `exists` or `all`?"),
    **dict.fromkeys(("sum", "total", "cumulative"), "what adds up over a period is `usage.…`, with `per:`"),
    **dict.fromkeys(("max", "min", "abs", "round", "floor", "ceil"), "numbers are compared as they are"),
    **dict.fromkeys(
        ("in_group", "country_in", "group", "groups"), 'did you mean `party.country in country_group("D:5")`?'
    ),
}
"""Functions of other languages, and what they are here."""
