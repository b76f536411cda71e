"""The one door to cel-python: its grammar parses a condition, its evaluator is a reference for tests.

Only the grammar file and lark are used to parse: importing `celpy` itself loads an evaluator that no condition runs
on, and its shared parser instance would be in an application's way that uses celpy too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from exportguard.language.hints import ending, slip
from exportguard.language.literals import literal_value
from exportguard.language.syntax import CelSyntaxError, Node, Op

MAX_CONDITION = 64 * 1024
"""Characters in one condition."""
MAX_DEPTH = 48
"""Levels of nesting, brackets included."""

_MACROS = {"exists": 2, "all": 2, "exists_one": 2, "filter": 2, "map": 3}
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
        "true",
        "false",
        "null",
    ]
)
_PASS = frozenset(
    [
        "expr",
        "conditionalor",
        "conditionaland",
        "relation",
        "addition",
        "multiplication",
        "unary",
        "member",
        "primary",
        "paren_expr",
        "literal",
    ]
)
_RELATIONS = {
    "relation_lt": "<", "relation_le": "<=", "relation_gt": ">", "relation_ge": ">=", "relation_eq": "==",
    "relation_ne": "!=", "relation_in": "in",
}  # fmt: skip
_ARITHMETIC = {
    "addition_add": "+", "addition_sub": "-", "multiplication_mul": "*", "multiplication_div": "/",
    "multiplication_mod": "%",
}  # fmt: skip
_SCAN = re.compile(
    r"""//[^\n]*
    | [rR]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?''')
    | [rR]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | [()\[\]{},]""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"(?:\s|//[^\n]*)*\Z")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_CLOSING = {opening: closing for closing, opening in _PAIRS.items()}
_CALLED = re.compile(r"\w\s*\Z")


def parse(text: str, refused: list[CelSyntaxError] | None = None) -> Node:
    """The untyped tree of a condition.

    Args:
        refused: takes what stands in the grammar and not in the profile, each a hole in the tree; without it the
            first of them is raised.

    Raises:
        CelSyntaxError: EG201 (syntax), EG210 (outside the profile), EG213 (nested too deeply), EG215 (a literal
            out of range), EG221 (too long).
    """
    if len(text) > MAX_CONDITION:
        raise CelSyntaxError("EG221", f"a condition has at most {MAX_CONDITION} characters", (0, 1), "is longer")
    if not text.strip():
        raise CelSyntaxError("EG201", "the condition is empty", (0, len(text)), "nothing to evaluate")
    plain = _scan(text)
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        tree = _parser().parse(plain)
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    except LarkError as error:
        raise CelSyntaxError("EG201", "the condition cannot be parsed", (0, len(text))) from error
    return _Converter(text, refused).convert(tree, 0)


def comments(text: str) -> list[int]:
    """Where `//` comments start."""
    return [found.start() for found in _SCAN.finditer(text) if found.group().startswith("//")]


def _scan(text: str) -> str:
    """Refuse unbalanced and too deep brackets before the parser sees them: these are the errors people make most.

    The text comes back without a comma at the end of a list, which CEL allows and cel-python's grammar does not know.
    """
    stack: list[int] = []
    comma = -1
    spare: list[int] = []
    for found in _SCAN.finditer(text):
        bracket = found.group()
        if bracket == ",":
            comma = found.start()
        elif bracket in ("(", "[", "{"):
            stack.append(found.start())
            if len(stack) > MAX_DEPTH:
                raise _too_deep((found.start(), found.end()))
        elif bracket in _PAIRS:
            if not stack:
                raise CelSyntaxError(
                    "EG201",
                    f"`{bracket}` closes nothing",
                    (found.start(), found.end()),
                    "no bracket is open here",
                    f"remove it, or open `{_PAIRS[bracket]}` before it",
                    repairs=((found.start(), found.end(), " "),),
                )
            opened = stack.pop()
            if text[opened] != _PAIRS[bracket]:
                raise CelSyntaxError(
                    "EG201",
                    f"`{text[opened]}` is closed by `{bracket}`",
                    (found.start(), found.end()),
                    f"does not close `{text[opened]}`",
                    f"write `{_CLOSING[text[opened]]}`",
                    repairs=((found.start(), found.end(), _CLOSING[text[opened]]),),
                )
            ends = bracket == "]" and comma > opened and _BLANK.match(text, comma + 1, found.start())
            if ends and not _BLANK.match(text, opened + 1, comma):
                spare.append(comma)
    if stack:
        opened = stack[-1]
        # A group may end anywhere; where a list or the arguments of a call end, only the author knows.
        group = text[opened] == "(" and not _CALLED.search(text, 0, opened)
        repairs = ((len(text), len(text), "\n)"),) if group else ()
        hint = f"close it with `{_CLOSING[text[opened]]}`"
        raise CelSyntaxError(
            "EG201", f"`{text[opened]}` is never closed", (opened, opened + 1), "opened here", hint, repairs
        )
    if not spare:
        return text
    plain = list(text)
    for at in spare:
        plain[at] = " "
    return "".join(plain)


def _too_deep(at: tuple[int, int]) -> CelSyntaxError:
    return CelSyntaxError(
        "EG213",
        f"the condition is nested more than {MAX_DEPTH} levels deep",
        at,
        "one level too many",
        "name parts of it under `variables:`; long chains of `&&` and `||` need no brackets",
    )


@lru_cache(maxsize=1)
def _parser() -> Any:
    import importlib.util
    from pathlib import Path

    from lark import Lark, Token

    found = importlib.util.find_spec("celpy")
    if found is None or not found.submodule_search_locations:
        raise ImportError("cel-python is not installed", name="celpy")
    grammar = Path(found.submodule_search_locations[0], "cel.lark").read_text(encoding="utf-8")

    def literal_or_name(token: Token) -> Token:
        if token.value in ("true", "false"):
            return Token.new_borrow_pos("BOOL_LIT", token.value, token)
        return token

    return Lark(
        grammar,
        parser="lalr",
        start="expr",
        g_regex_flags=re.MULTILINE,
        lexer_callbacks={"IDENT": literal_or_name},
        propagate_positions=True,
        maybe_placeholders=False,
        priority="invert",
    )


def _syntax_error(text: str, error: Any) -> CelSyntaxError:
    at = getattr(error, "pos_in_stream", None)
    token = getattr(error, "token", None)
    if at is None and token is not None:
        at = token.start_pos
    if at is None or (token is not None and token.type == "$END"):
        found = ending(text)
    else:
        found = slip(text, at, str(token) if token is not None else text[at : at + 1])
    label = "does not fit here" if found.code == "EG201" else "not supported"
    label = "something is missing" if found.message.endswith("early") else label
    return CelSyntaxError(found.code, found.message, found.at, label, found.hint, found.repairs)


class _Converter:
    """lark's tree to ours. Chains are walked, nesting is counted: no input leads to a RecursionError."""

    def __init__(self, text: str, refused: list[CelSyntaxError] | None) -> None:
        self.text, self.refused = text, refused

    def convert(self, tree: Any, depth: int) -> Node:
        try:
            return self.converted(tree, depth)
        except CelSyntaxError as error:
            if self.refused is None or error.code == "EG213":
                raise
            self.refused.append(error)
            return self.node(tree, "hole")

    def converted(self, tree: Any, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _too_deep(_at(tree))
        while not hasattr(tree, "type") and len(tree.children) == 1 and tree.data in _PASS:
            tree = tree.children[0]
        if hasattr(tree, "type"):
            return self.literal(tree)
        method = getattr(self, tree.data, None)
        if method is None:
            raise self.outside(tree, f"`{self.slice(tree)}`")
        node: Node = method(tree, depth + 1)
        return node

    def slice(self, tree: Any) -> str:
        start, end = _at(tree)
        part = self.text[start:end]
        return part if len(part) <= 40 else part[:39] + "…"

    def outside(self, tree: Any, what: str, hint: str | None = None) -> CelSyntaxError:
        return CelSyntaxError("EG210", f"{what} is outside the policy language", _at(tree), "not supported", hint)

    def node(self, tree: Any, op: Op, args: tuple[Node, ...] = (), value: Any = None) -> Node:
        start, end = _at(tree)
        return Node(op, args, value, "", start, end)

    def chain(self, tree: Any, depth: int, op: Op) -> Node:
        parts = []
        kind = tree.data
        here = tree
        while not hasattr(here, "type") and here.data == kind and len(here.children) == 2:
            parts.append(here.children[1])
            here = here.children[0]
        parts.append(here)
        return self.node(tree, op, tuple(self.convert(part, depth) for part in reversed(parts)))

    def expr(self, tree: Any, depth: int) -> Node:
        return self.node(tree, "cond", tuple(self.convert(child, depth) for child in tree.children))

    def conditionalor(self, tree: Any, depth: int) -> Node:
        return self.chain(tree, depth, "or")

    def conditionaland(self, tree: Any, depth: int) -> Node:
        return self.chain(tree, depth, "and")

    def _binary(self, tree: Any, depth: int, names: dict[str, str]) -> Node:
        holder, right = tree.children
        name = names[holder.data]
        args = (self.convert(holder.children[0], depth), self.convert(right, depth))
        if name == "in":
            return self.node(tree, "in", args)
        return self.node(tree, "cmp" if names is _RELATIONS else "arith", args, name)

    def relation(self, tree: Any, depth: int) -> Node:
        return self._binary(tree, depth, _RELATIONS)

    def addition(self, tree: Any, depth: int) -> Node:
        return self._binary(tree, depth, _ARITHMETIC)

    multiplication = addition

    def unary(self, tree: Any, depth: int) -> Node:
        sign, operand = tree.children
        return self.node(tree, "not" if sign.data == "unary_not" else "neg", (self.convert(operand, depth),))

    def ident(self, tree: Any, depth: int) -> Node:
        name = str(tree.children[0])
        if name in _RESERVED:
            hint = "parts of a condition are named under `variables:`, and used as `variables.name`"
            raise CelSyntaxError("EG201", f"`{name}` is a reserved word", _at(tree), "cannot be a name", hint)
        return self.node(tree, "ref", (), name)

    def member_dot(self, tree: Any, depth: int) -> Node:
        target, name = tree.children
        base = self.convert(target, depth)
        node = self.node(tree, "field", (base,), str(name))
        if base.op == "ref" and base.value == "variables":
            return self.node(tree, "var", (), str(name))
        return node

    def member_index(self, tree: Any, depth: int) -> Node:
        return self.node(tree, "index", tuple(self.convert(child, depth) for child in tree.children))

    def list_lit(self, tree: Any, depth: int) -> Node:
        return self.node(tree, "list", self.arguments(tree.children, depth))

    def arguments(self, children: list[Any], depth: int) -> tuple[Node, ...]:
        return tuple(self.convert(part, depth) for part in children[0].children) if children else ()

    def member_dot_arg(self, tree: Any, depth: int) -> Node:
        target, name, *rest = tree.children
        if str(name) in _MACROS:
            return self.macro(tree, target, str(name), rest, depth)
        args = (self.convert(target, depth), *self.arguments(rest, depth))
        return self.node(tree, "call", args, (str(name), True))

    def ident_arg(self, tree: Any, depth: int) -> Node:
        name, *rest = tree.children
        args = self.arguments(rest, depth)
        if str(name) in ("has", "unknown"):
            if len(args) != 1 or args[0].op not in (("field",) if name == "has" else ("field", "ref")):
                raise CelSyntaxError(
                    "EG219", f"`{name}` takes one path", _at(tree), "", f"for example `{name}(party.headquarters)`"
                )
            return self.node(tree, "has" if name == "has" else "unknown", args)
        return self.node(tree, "call", args, (str(name), False))

    def macro(self, tree: Any, target: Any, name: str, rest: list[Any], depth: int) -> Node:
        parts = self.arguments(rest, depth)
        if not (len(parts) == 2 or (len(parts) == 3 and name == "map")):
            raise CelSyntaxError(
                "EG219", f"`{name}` takes a variable and a condition", _at(tree), "", f"as in `list.{name}(x, …)`"
            )
        variable = parts[0]
        if variable.op != "ref":
            raise CelSyntaxError(
                "EG219",
                f"the first argument of `{name}` is the name of a variable",
                variable.at,
                "is not a name",
                f"a name of your own, as in `list.{name}(x, …)`",
            )
        return self.node(tree, "macro", (self.convert(target, depth), *parts[1:]), (name, variable.value))

    def member_object(self, tree: Any, depth: int) -> Node:
        raise self.outside(tree, "a message", "facts are compared field by field")

    def map_lit(self, tree: Any, depth: int) -> Node:
        raise self.outside(tree, "a map", "a list stands between square brackets, a choice is `test ? this : that`")

    def dot_ident(self, tree: Any, depth: int) -> Node:
        raise self.outside(tree, "a name with a leading dot", "write it without the dot")

    dot_ident_arg = dot_ident

    def literal(self, token: Any) -> Node:
        start, end = token.start_pos, token.end_pos
        return Node("lit", (), literal_value(token.type, str(token), (start, end)), "", start, end)


def _at(tree: Any) -> tuple[int, int]:
    if hasattr(tree, "type"):
        return tree.start_pos, tree.end_pos
    meta = tree.meta
    if meta.empty:
        return 0, 0
    return meta.start_pos, meta.end_pos


def reference_evaluator(text: str, functions: Mapping[str, Callable[..., Any]] | None = None) -> Callable[[Any], Any]:
    """cel-python's own evaluation of *text*: what tests compare compiled conditions with, never what decides.

    The function takes a mapping from root to values made by `celpy.json_to_cel`, and raises what celpy raises.
    """
    import celpy

    environment = celpy.Environment()
    program = environment.program(environment.compile(text), functions=dict(functions or {}))
    return lambda facts: program.evaluate(facts)
