"""ARM template expressions: read and evaluated within bounds; what cannot be evaluated is `Unknown`, never an error.

Grammar and functions: the template functions reference of Azure Resource Manager. A condition that is unknown makes
both of its branches possible (`Many`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from exportguard.adapters.azure.functions import FUNCTIONS
from exportguard.adapters.azure.tree import Many, Tree
from exportguard.vocabulary.fact import Unknown

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<mark>[()\[\].,?]))"
)
_MOST_STEPS: Final = 300_000
_MOST_TEXT: Final = 200_000
_MOST_DEPTH: Final = 40
_MOST_CHOICES: Final = 16
_MOST_LISTED: Final = 200
MOST_COPIES: Final = 800
"""Resource Manager's own limit."""


class TooMuch(ValueError):
    """A template that takes more steps than are spent on one."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A variable that is made by a loop: `{name, count, input}`."""

    definition: dict[str, Tree]


@dataclass(slots=True)
class Scope:
    """What expressions of one template see. Parameters and variables are evaluated when they are asked for."""

    parameters: dict[str, Tree] = field(default_factory=dict)
    """By lower-case name: evaluated values."""
    defaults: dict[str, Tree] = field(default_factory=dict)
    variables: dict[str, Tree] = field(default_factory=dict)
    functions: dict[str, Tree] = field(default_factory=dict)
    surroundings: dict[str, Tree] = field(default_factory=dict)
    """`resourcegroup`, `subscription`, `deployment`: what those functions return."""
    loops: dict[str, Tree] = field(default_factory=dict)
    """copyIndex by loop name; `` is the innermost."""
    bound: dict[str, Tree] = field(default_factory=dict)
    """What the arguments of the lambdas around an expression are, by lower-case name."""
    spent: list[int] = field(default_factory=lambda: [0])
    busy: frozenset[str] = frozenset()
    symbolic: bool = False
    """Whether the template is of the language version that names its resources."""
    group: int = 0
    """Which resource group an id without one is of: that of the deployment whose scope this is."""

    def spend(self, steps: int = 1) -> None:
        self.spent[0] += steps
        if self.spent[0] > _MOST_STEPS:
            raise TooMuch("the template takes too many steps to be evaluated")


def evaluate(value: Tree, scope: Scope, depth: int = 0) -> Tree:
    """*value* with every expression in it evaluated."""
    scope.spend()
    if depth > _MOST_DEPTH:
        return Unknown("nested too deep to be evaluated")
    if isinstance(value, str):
        return evaluate_text(value, scope)
    if isinstance(value, dict):
        found = {}
        for key, item in value.items():
            name = evaluate_text(key, scope) if key.startswith("[") else key
            found[name.lower() if isinstance(name, str) else key] = evaluate(item, scope, depth + 1)
        return found
    if isinstance(value, list):
        return [evaluate(item, scope, depth + 1) for item in value]
    if isinstance(value, Many):
        return Many(evaluate(item, scope, depth + 1) for item in value.values)
    return value


def evaluate_text(text: str, scope: Scope) -> Tree:
    """A string of a template: an expression in brackets, an escaped bracket, or plain text."""
    if not text.startswith("[") or not text.endswith("]"):
        return text
    if text.startswith("[["):
        return text[1:]
    if len(text) > _MOST_TEXT:
        return Unknown("an expression is too long to be evaluated")
    try:
        return _Reader(_tokens(text[1:-1]), scope).whole()
    except TooMuch:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        return Unknown(f"the expression `{text[:200]}` cannot be evaluated")


class _Reader:
    """Reads and evaluates one expression from left to right."""

    def __init__(self, tokens: list[tuple[str, str]], scope: Scope) -> None:
        self._tokens = tokens
        self._at = 0
        self._scope = scope

    def whole(self) -> Tree:
        value = self._value(0)
        if self._peek() is not None:
            raise ValueError("something follows the expression")
        return value

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _value(self, depth: int) -> Tree:
        self._scope.spend()
        if depth > _MOST_DEPTH:
            raise ValueError("nested too deep")
        kind, token = self._next()
        if kind == "text":
            value: Tree = token[1:-1].replace("''", "'")
        elif kind == "number":
            value = int(token)
        elif kind == "name":
            name = token
            while self._peek() == ("mark", "."):  # a user-defined function: namespace.name(...)
                self._next()
                name += "." + self._next()[1]
            value = self._lambda() if name.lower() == "lambda" else self._call(name, self._arguments(depth))
        else:
            raise ValueError("an expression starts with a mark")
        return self._properties(value, depth)

    def _lambda(self) -> Lambda:
        """A function that is written where it is used: its names, and its body unread."""
        if self._next() != ("mark", "("):
            raise ValueError("a lambda has arguments")
        names = []
        while self._peek() is not None and self._tokens[self._at][0] == "text":
            if self._tokens[self._at + 1] != ("mark", ","):
                break  # a body that is a text
            names.append(self._next()[1][1:-1].lower())
            self._next()
        start, open_brackets = self._at, 1
        while open_brackets:
            token = self._next()
            open_brackets += (token == ("mark", "(")) - (token == ("mark", ")"))
        return Lambda(tuple(names), self._tokens[start : self._at - 1])

    def _arguments(self, depth: int) -> list[Tree]:
        if self._next() != ("mark", "("):
            raise ValueError("a function is called with brackets")
        arguments: list[Tree] = []
        while self._peek() != ("mark", ")"):
            arguments.append(self._value(depth + 1))
            if self._peek() == ("mark", ","):
                self._next()
        self._next()
        return arguments

    def _properties(self, value: Tree, depth: int) -> Tree:
        while (mark := self._peek()) in (("mark", "."), ("mark", "["), ("mark", "?")):
            self._next()
            if mark == ("mark", "?"):
                continue
            if mark == ("mark", "."):
                value = _member(value, self._next()[1])
            else:
                value = _member(value, self._value(depth + 1))
                if self._next() != ("mark", "]"):
                    raise ValueError("an index is closed")
        return value

    def _call(self, name: str, arguments: list[Tree]) -> Tree:
        low = name.lower()
        scope = self._scope
        if low in ("parameters", "variables", "copyindex"):
            return _look_up(low, arguments, scope)
        if low in ("resourcegroup", "subscription", "deployment", "tenant", "managementgroup", "environment"):
            return scope.surroundings.get(low, Unknown(f"`{name}()` is not known before the deployment"))
        if low == "if":
            return _choose(arguments)
        if low == "lambdavariables":
            return scope.bound[arguments[0].lower()]
        if low in _OVER_LISTS:
            return _over_list(low, arguments, scope)
        if low in scope.functions:
            return _own_function(low, arguments, scope)
        function = FUNCTIONS.get(low)
        if function is None:
            return Unknown(f"`{name}()` is not known before the deployment"[:200])
        return _over_choices(function, arguments, scope)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise ValueError("not an expression")
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _member(value: Tree, key: Tree) -> Tree:
    if isinstance(value, Many):
        return Many(_member(each, key) for each in value.values)
    if isinstance(value, Unknown):
        return value
    if isinstance(key, Many):
        return Many(_member(value, each) for each in key.values)
    if isinstance(key, Unknown):
        return _any_member(value)
    if isinstance(value, dict):
        found = value.get(str(key).lower())
        return Unknown(f"there is no `{str(key)[:100]}`") if found is None else found
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return value[key]
    return Unknown(f"there is no `{str(key)[:100]}`")


def _any_member(value: Tree) -> Tree:
    """Which one is picked is open: any of them may be."""
    every = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    found: list[Tree] = []
    for each in every[: _MOST_LISTED + 1]:
        if each not in found:
            found.append(each)
    if len(every) <= _MOST_LISTED and 0 < len(found) <= _MOST_CHOICES:
        return Many(found)
    return Unknown("which member is picked is not known")


def _look_up(kind: str, arguments: list[Tree], scope: Scope) -> Tree:
    name = arguments[0] if arguments else ""
    if not isinstance(name, str):
        if kind == "copyindex" and isinstance(name, int):
            index = scope.loops.get("", Unknown("there is no loop"))
            return index + name if isinstance(index, int) else index
        return Unknown(f"which of the {kind} is meant is not known")
    low = name.lower()
    if kind == "copyindex":
        index = scope.loops.get(low, scope.loops.get("", Unknown("there is no loop")))
        offset = arguments[1] if len(arguments) > 1 else 0
        return index + offset if isinstance(index, int) and isinstance(offset, int) else index
    if kind == "parameters" and low in scope.parameters:
        return scope.parameters[low]
    source = scope.defaults if kind == "parameters" else scope.variables
    mark = f"{kind}:{low}"
    if low not in source or mark in scope.busy:
        return Unknown(f"`{kind}('{name[:100]}')` is not given")
    before, scope.busy = scope.busy, scope.busy | {mark}
    try:
        value = _defined(source[low], scope)
    finally:
        scope.busy = before
    (scope.parameters if kind == "parameters" else scope.variables)[low] = value
    return value


def _defined(value: Tree, scope: Scope) -> Tree:
    """What a variable or a default stands for, its loops made."""
    if isinstance(value, Loop):
        return unrolled({"copy": [value.definition]}, scope).get(str(value.definition["name"]).lower())
    return evaluate(unrolled(value, scope) if isinstance(value, (dict, list)) else value, scope)


def _choose(arguments: list[Tree]) -> Tree:
    condition, yes, no = arguments
    if condition is True or (isinstance(condition, str) and condition.lower() == "true"):
        return yes
    if condition is False or (isinstance(condition, str) and condition.lower() == "false"):
        return no
    return Many((yes, no))


def _own_function(name: str, arguments: list[Tree], scope: Scope) -> Tree:
    body = scope.functions[name]
    declared = body.get("parameters") or []
    names = [str(each.get("name", "")).lower() for each in declared if isinstance(each, dict)]
    inner = Scope(dict(zip(names, arguments, strict=False)), functions=scope.functions, spent=scope.spent)
    output = body.get("output")
    return evaluate(output.get("value"), inner) if isinstance(output, dict) else Unknown("a function without output")


class Lambda(NamedTuple):
    names: tuple[str, ...]
    body: list[tuple[str, str]]


def _applied(function: Lambda, values: tuple[Tree, ...], scope: Scope) -> Tree:
    before, scope.bound = scope.bound, {**scope.bound, **dict(zip(function.names, values, strict=False))}
    try:
        return _Reader(function.body, scope).whole()
    finally:
        scope.bound = before


_OVER_LISTS: Final = frozenset({"map", "filter", "reduce", "toobject", "groupby", "mapvalues"})


def _over_list(name: str, arguments: list[Tree], scope: Scope) -> Tree:
    """The functions that take lambdas. What a list leaves open, and whether one is filtered out, is unknown."""
    given, *functions = arguments
    if isinstance(given, Unknown):
        return given
    if isinstance(given, Many):
        return Many(_over_list(name, [each, *functions], scope) for each in given.values)
    first = functions[1] if name == "reduce" else functions[0]
    if name == "mapvalues":
        return {key: _applied(first, (value,), scope) for key, value in given.items()}
    if name == "reduce":
        whole = functions[0]
        for index, each in enumerate(given):
            whole = _applied(first, (whole, each, index), scope)
        return whole
    said = [_applied(first, (each, index), scope) for index, each in enumerate(given)]
    if name == "map":
        return said
    open_one = next((each for each in said if isinstance(each, (Unknown, Many))), None)
    if open_one is not None:
        return Unknown("which members of a list are meant is not known")
    if name == "filter":
        return [each for each, kept in zip(given, said, strict=True) if kept is True]
    keys = [str(key).lower() for key in said]
    if len(set(keys)) != len({str(key) for key in said}):
        return Unknown("whether keys that differ in case only are one is not known")
    if name == "groupby":
        return {key: [each for each, own in zip(given, keys, strict=True) if own == key] for key in keys}
    second = functions[1] if len(functions) > 1 else None
    return {
        key: each if second is None else _applied(second, (each, index), scope)
        for index, (key, each) in enumerate(zip(keys, given, strict=True))
    }


def _over_choices(function: Callable[..., Any], arguments: list[Tree], scope: Scope) -> Tree:
    """Apply *function* to every combination of what its arguments may be."""
    for index, argument in enumerate(arguments):
        if isinstance(argument, Many):
            if len(argument.values) > _MOST_CHOICES:
                return Unknown("too many values are possible")
            found = Many(
                _over_choices(function, [*arguments[:index], each, *arguments[index + 1 :]], scope)
                for each in argument.values
            )
            return found if len(found.values) <= _MOST_CHOICES else Unknown("too many values are possible")
    value = function(*arguments)
    if isinstance(value, (str, list)):
        if len(value) > _MOST_TEXT:
            raise TooMuch("an expression makes a value that is too large")
        scope.spend(len(value) >> 6)  # a long value costs as much as many short ones
    return value


def unrolled(node: Tree, scope: Scope, depth: int = 0) -> Tree:
    """Property loops: `copy: [{name, count, input}]` makes the array *name*."""
    if depth > 30:
        return Unknown("nested too deep to be evaluated")
    if isinstance(node, list):
        return [unrolled(item, scope, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: unrolled(value, scope, depth + 1) for key, value in node.items() if key != "copy"}
    loops = node.get("copy")
    if not isinstance(loops, list):
        return found if loops is None else {**found, "copy": loops}
    for loop in loops:
        if not isinstance(loop, dict) or not isinstance(loop.get("name"), str):
            continue
        count = evaluate(loop.get("count"), scope)
        before = dict(scope.loops)
        many = isinstance(count, int) and 0 < count <= MOST_COPIES
        indexes: list[Any] = list(range(count)) if many else [Unknown("the number of a loop")]
        made = []
        for index in indexes:
            scope.loops = {**before, "": index, loop["name"].lower(): index}
            made.append(evaluate(loop.get("input"), scope))
        scope.loops = before
        found[loop["name"].lower()] = made
    return found
