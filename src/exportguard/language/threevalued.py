"""A tree as a Python function with three answers: the path taken whenever something is unknown or goes wrong.

Each node becomes a closure ``(scope, env) -> value or Indeterminate``; `env` holds the variables of macros, each as
(value, index). Nothing is shared between calls.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

from exportguard.language import conversions, values
from exportguard.language.evaluation import Cause, Indeterminate, Scope
from exportguard.language.facts import fact, read_fact, wholly_unknown, word
from exportguard.language.regex import compile_pattern
from exportguard.language.schema import LIST_LIMIT, ROOTS
from exportguard.language.syntax import Node, path_text, walk
from exportguard.language.values import failure, merged
from exportguard.vocabulary.questions import OwnershipQuestion

Env: TypeAlias = tuple[tuple[Any, int], ...]
Run: TypeAlias = Callable[[Scope, Env], Any]
PathOf: TypeAlias = Callable[[Scope, Env], str]
Names: TypeAlias = tuple[tuple[str, PathOf], ...]
"""The macro variables in sight, outermost first, and how to name the fact behind each."""

_MISSING = object()


def build(node: Node) -> Run:
    """The three-valued function of a checked tree with its variables put in."""
    return _build(node, ())


def build_over(node: Node, variables: tuple[str, ...]) -> Run:
    """The same for a tree that also refers to *variables*; `env` then starts with their values."""
    return _build(node, tuple((name, _named(name)) for name in variables))


def _named(name: str) -> PathOf:
    return lambda scope, env: name


def _build(node: Node, names: Names) -> Run:
    return _BUILDERS[node.op](node, names)


def _literal(node: Node, names: Names) -> Run:
    value = node.value
    return lambda scope, env: value


def _path_of(node: Node, names: Names) -> PathOf:
    """How to name the fact that *node* reads; called only when it is open."""
    if node.op == "ref":
        for depth in range(len(names) - 1, -1, -1):
            if names[depth][0] == node.value:
                return names[depth][1]
        name = str(node.value)
        return lambda scope, env: name
    if node.op == "field":
        base, field = _path_of(node.args[0], names), str(node.value)
        return lambda scope, env: f"{base(scope, env)}.{field}"
    if node.op == "index":
        base, index = _path_of(node.args[0], names), _build(node.args[1], names)
        return lambda scope, env: f"{base(scope, env)}[{index(scope, env)}]"
    if node.op == "macro" and node.value[0] == "filter":
        base = _path_of(node.args[0], names)
        return lambda scope, env: f"{base(scope, env)}[]"
    return lambda scope, env: ""


def _reference(node: Node, names: Names) -> Run:
    name = str(node.value)
    for depth in range(len(names) - 1, -1, -1):
        if names[depth][0] == name:
            return _variable(depth, node.type, names[depth][1])
    if name not in ROOTS:
        raise ValueError(f"`{name}` is not bound")

    def root(scope: Scope, env: Env) -> Any:
        value = getattr(scope, name)
        if value is None:
            return failure(f"the rule is not asked over `{name}`", name)
        return read_fact(value, "", lambda: name)

    return root


def _variable(depth: int, type_: str, path: PathOf) -> Run:
    return lambda scope, env: read_fact(env[depth][0], type_, lambda: path(scope, env))


def _field(node: Node, names: Names) -> Run:
    read = _nested_field(node, names)
    path = path_text(node)
    root = path.partition(".")[0] if path is not None else ""
    if path is None or root not in ROOTS or any(name == root for name, _ in names):
        return read
    return fact(path, node.type, read)


def _nested_field(node: Node, names: Names) -> Run:
    target, field, type_ = _build(node.args[0], names), str(node.value), node.type
    path, base_path = _path_of(node, names), _path_of(node.args[0], names)

    def read(scope: Scope, env: Env) -> Any:
        record = target(scope, env)
        if record.__class__ is Indeterminate:
            # What is unknown as a whole is unknown in each field, and is asked for by the field's name.
            whole = base_path(scope, env)
            return Indeterminate(
                tuple(
                    cause._replace(path=path(scope, env)) if cause.path in (whole, "") else cause
                    for cause in record.causes
                )
            )
        if record is None:
            return failure("the record is not there", base_path(scope, env))
        value = getattr(record, field, _MISSING)
        if value is _MISSING:
            return failure("there is no such field", path(scope, env))
        return read_fact(value, type_, lambda: path(scope, env))

    return read


def _index(node: Node, names: Names) -> Run:
    target, index = _build(node.args[0], names), _build(node.args[1], names)
    path = _path_of(node, names)

    def read(scope: Scope, env: Env) -> Any:
        value = values.at_index(target(scope, env), index(scope, env))
        return read_fact(value, node.type, lambda: path(scope, env))

    return read


def lenient(node: Node) -> bool:
    """Whether an open element may stay in its list: a plain fact may, a computation fails the list, as CEL's does."""
    while node.op == "field":
        node = node.args[0]
    return node.op in ("ref", "lit")


def _list(node: Node, names: Names) -> Run:
    parts = [_build(arg, names) for arg in node.args]
    strict = [not lenient(arg) for arg in node.args]

    def make(scope: Scope, env: Env) -> Any:
        made = [part(scope, env) for part in parts]
        if any(hard and value.__class__ is Indeterminate for hard, value in zip(strict, made, strict=True)):
            return merged(*made)
        return tuple(made)

    if all(arg.op == "lit" for arg in node.args):
        constant = tuple(arg.value for arg in node.args)
        return lambda scope, env: constant
    return make


def _not(node: Node, names: Names) -> Run:
    operand = _build(node.args[0], names)

    def run(scope: Scope, env: Env) -> Any:
        value = operand(scope, env)
        if value is True:
            return False
        if value is False:
            return True
        return value if value.__class__ is Indeterminate else failure("`!` needs true or false")

    return run


def _negative(node: Node, names: Names) -> Run:
    operand = _build(node.args[0], names)
    return lambda scope, env: values.negative(operand(scope, env))


def _junction(node: Node, names: Names) -> Run:
    """`&&` and `||`: the deciding value wins over anything open, on either side of it."""
    parts = [_build(arg, names) for arg in node.args]
    deciding = node.op == "or"
    other = not deciding

    def run(scope: Scope, env: Env) -> Any:
        open_: list[Any] | None = None
        for part in parts:
            value = part(scope, env)
            if value is deciding:
                return deciding
            if value is not other:
                if value.__class__ is not Indeterminate:
                    value = failure("`&&` and `||` need true or false")
                open_ = [value] if open_ is None else [*open_, value]
        return other if open_ is None else merged(*open_)

    return run


def _compare(node: Node, names: Names) -> Run:
    left, right, op = _build(node.args[0], names), _build(node.args[1], names), str(node.value)
    if op == "==":
        return lambda scope, env: values.equal(left(scope, env), right(scope, env))
    if op == "!=":
        return lambda scope, env: values.different(left(scope, env), right(scope, env))
    return lambda scope, env: values.ordered(op, left(scope, env), right(scope, env))


def _member(node: Node, names: Names) -> Run:
    element, members = _build(node.args[0], names), _build(node.args[1], names)
    path = _path_of(node.args[1], names)
    listed = node.args[1]
    if listed.op == "list" and listed.args and all(p.op == "lit" and isinstance(p.value, str) for p in listed.args):
        return word(element, frozenset(part.value for part in listed.args), members)

    def run(scope: Scope, env: Env) -> Any:
        answer = values.member(element(scope, env), members(scope, env))
        return read_fact(answer, "", lambda: path(scope, env)) if answer.__class__ is Indeterminate else answer

    return run


def _arithmetic(node: Node, names: Names) -> Run:
    left, right, op = _build(node.args[0], names), _build(node.args[1], names), str(node.value)
    static = node.type
    facts = any(part.op == "ref" for part in walk(node))

    def run(scope: Scope, env: Env) -> Any:
        value = values.arithmetic(op, static, left(scope, env), right(scope, env))
        if facts and value.__class__ is float and value != value:
            # A comparison with NaN is false, so zero accelerators over zero hours would pass every threshold.
            return failure("the result is not a number (zero by zero, or infinity less infinity)")
        return value

    return run


def _conditional(node: Node, names: Names) -> Run:
    test, then, otherwise = (_build(arg, names) for arg in node.args)

    def run(scope: Scope, env: Env) -> Any:
        value = test(scope, env)
        if value is True:
            return then(scope, env)
        if value is False:
            return otherwise(scope, env)
        return value if value.__class__ is Indeterminate else failure("`? :` needs true or false")

    return run


def _has(node: Node, names: Names) -> Run:
    """A fact that nobody knows may or may not be there; one that the record does not have is not."""
    holder = _build(node.args[0].args[0], names)
    read = _build(node.args[0], names)

    def run(scope: Scope, env: Env) -> Any:
        if holder(scope, env) is None:
            return False
        value = read(scope, env)
        return value if value.__class__ is Indeterminate else value is not None

    return run


def _unknown(node: Node, names: Names) -> Run:
    read = _build(node.args[0], names)

    def run(scope: Scope, env: Env) -> Any:
        value = read(scope, env)
        if value.__class__ is not Indeterminate:
            return wholly_unknown(value)
        errors = [cause for cause in value.causes if cause.kind == "error"]
        return Indeterminate(tuple(errors)) if errors else True

    return run


def _macro(node: Node, names: Names) -> Run:
    from exportguard.language.macros import MACROS

    kind, name = node.value
    target = _build(node.args[0], names)
    base, depth = _path_of(node.args[0], names), len(names)

    def element_path(scope: Scope, env: Env) -> str:
        whole = base(scope, env[:depth])
        return f"{whole}[{env[depth][1]}]" if whole and not whole.endswith("[]") else whole or name

    inner = (*names, (name, element_path))
    bodies = [_build(arg, inner) for arg in node.args[1:]]
    run_over = MACROS[kind]
    keep_open = lenient(node.args[-1])

    def run(scope: Scope, env: Env) -> Any:
        listed = target(scope, env)
        if listed.__class__ is Indeterminate:
            return listed
        if values.kind_of(listed) != "list":
            return failure(f"`{kind}` needs a list", base(scope, env))
        if len(listed) > LIST_LIMIT:
            return failure(f"the list has more than {LIST_LIMIT} elements", base(scope, env))
        return run_over(values.elements(listed), bodies, scope, env, keep_open)

    return run


def _call(node: Node, names: Names) -> Run:
    name = node.value[0]
    parts = [_build(arg, names) for arg in node.args]
    plain = _FUNCTIONS.get(name)
    if plain is None:

        def plain(*given: Any) -> Any:
            return conversions.time_part(name, *given)

    function = plain

    def run(scope: Scope, env: Env) -> Any:
        given = [part(scope, env) for part in parts]
        for value in given:
            if value.__class__ is Indeterminate:
                return merged(*given)
        try:
            return function(*given)
        except (TypeError, ValueError, OverflowError, KeyError):
            return failure(f"`{name}` does not take {', '.join(map(values.describe, given))}")

    return run


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **conversions.CONVERSIONS,
    "size": values.size,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": lambda text, part: str.__contains__(text, part),
}


def _matches(node: Node, names: Names) -> Run:
    text, pattern = _build(node.args[0], names), compile_pattern(str(node.value))

    def run(scope: Scope, env: Env) -> Any:
        value = text(scope, env)
        if value.__class__ is Indeterminate:
            return value
        return pattern.search(value) is not None if isinstance(value, str) else failure("`matches` needs text")

    return run


def _group(node: Node, names: Names) -> Run:
    name = str(node.value)

    def run(scope: Scope, env: Env) -> Any:
        try:
            return scope.world.country_group(name)
        except Exception as error:  # noqa: BLE001 - whatever reference data raises, the rule is open, never skipped
            return failure(f"country group `{name}` cannot be looked up ({type(error).__name__})", "country_group")

    return run


def _owned(node: Node, names: Names) -> Run:
    question = question_of(node)
    party, path = _build(node.args[0], names), _path_of(node.args[0], names)
    asked = f"owned({', '.join(question.lists)} {question.comparison} {question.percent})"

    def run(scope: Scope, env: Env) -> Any:
        view = party(scope, env)
        if view.__class__ is Indeterminate:
            return view
        answer = getattr(view, "ownership", {}).get(question, _MISSING)
        where = f"{path(scope, env)}.owners"
        if answer is _MISSING:
            return Indeterminate((Cause(where, f"{asked} was not asked"),))
        return read_fact(answer, "bool", lambda: where) if answer is not None else failure("no answer", where)

    return run


def question_of(node: Node) -> OwnershipQuestion:
    """The question behind an `owned` node."""
    lists, comparison, percent = node.value
    return OwnershipQuestion(tuple(lists), comparison, Fraction(percent))


_BUILDERS: dict[str, Callable[[Node, Names], Run]] = {
    "lit": _literal, "ref": _reference, "field": _field, "index": _index, "list": _list, "not": _not,
    "neg": _negative, "and": _junction, "or": _junction, "cmp": _compare, "in": _member, "arith": _arithmetic,
    "cond": _conditional, "has": _has, "unknown": _unknown, "macro": _macro, "call": _call, "matches": _matches,
    "group": _group, "owned": _owned,
}  # fmt: skip
