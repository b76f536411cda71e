"""The checker of conditions: names, types, vocabularies, and what a condition must not do. Reports every problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from exportguard.diagnostics import Diagnostic
from exportguard.language.calls import CallChecks
from exportguard.language.compare import ComparisonChecks
from exportguard.language.functions import METHODS
from exportguard.language.hints import TYPES_OF_CEL, WORDS_OF_OTHERS
from exportguard.language.naming import FieldNames
from exportguard.language.ranging import MacroChecks
from exportguard.language.schema import LIST_BOUND, RECORDS, ROOTS, Vocabularies
from exportguard.language.source import Scalar
from exportguard.language.syntax import Node, path_text, walk
from exportguard.language.types import BOOL, DOUBLE, DYN, INT, NULL, STRING, Type, join, list_of, record

MAX_NODES = 20_000
"""Nodes of one condition once its variables are put in."""
MAX_TREE_DEPTH = 100
"""Levels of one condition once its variables are put in."""
BUDGET = 100_000
"""Worst-case steps of one condition."""


@dataclass(frozen=True)
class Checked:
    """An expression that was checked: its tree (variables not yet put in), type, size and worst-case cost."""

    node: Node
    type: Type
    size: int
    cost: int
    depth: int
    asks_unknown: bool
    ok: bool


@dataclass
class Checker(ComparisonChecks, CallChecks, MacroChecks, FieldNames):
    """Checks one expression. `problems` grows; a part with a problem gets the type dyn, so one error is one report."""

    scalar: Scalar
    words: Vocabularies
    variables: Mapping[str, Checked]
    may_ask_unknown: bool = False
    unknown_refusal: str = "`unknown` belongs into the `when` of a hold or flag rule"
    roots: tuple[str, ...] = ROOTS
    problems: list[Diagnostic] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    scope: list[tuple[str, Type]] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)
    """Which entries of `scope` their bodies have asked so far, by position."""
    members: dict[int, list[Type]] = field(default_factory=dict)
    """The types of the members of each list that is written out, by the id of its node."""
    positive: bool = True
    """Whether the spot is one where a fact that becomes known can't turn the condition from false to true."""

    def check(self, node: Node) -> Checked:
        before = len(self.problems)
        typed, kind = self.visit(node)
        size, cost, depth = self.measure(typed)
        if len(self.problems) == before:
            if size > MAX_NODES:
                self.report(
                    node, "EG221", f"the condition has {size} parts; at most {MAX_NODES} are allowed", "too large"
                )
            elif depth > MAX_TREE_DEPTH:
                self.report(
                    node,
                    "EG213",
                    f"with its variables the condition is {depth} levels deep; at most {MAX_TREE_DEPTH} are allowed",
                    "too deep",
                )
            elif cost > BUDGET:
                self.report(
                    node,
                    "EG212",
                    f"the condition may take {cost} steps; at most {BUDGET} are allowed",
                    "too costly in the worst case",
                    "nest fewer `exists`, `all`, `map` and `filter`: a rule is asked of every item and party by itself",
                )
        asks = any(
            n.op == "unknown" or (n.op == "var" and self.variables[str(n.value)].asks_unknown)
            for n in walk(typed)
            if n.op != "var" or n.value in self.variables
        )
        return Checked(typed, kind, size, cost, depth, asks, len(self.problems) == before)

    def condition(self, node: Node) -> Checked:
        """Check an expression that has to be true or false."""
        checked = self.check(node)
        broken = checked.ok and any(n.op == "var" and not self.variables[str(n.value)].ok for n in walk(checked.node))
        if checked.ok and checked.type.kind != "bool" and not broken:
            self.report(
                node,
                "EG206",
                "a condition is true or false",
                f"this is {checked.type.shown()}",
                self.to_ask(node, checked.type) if checked.type.kind != "dyn" else None,
            )
            return Checked(checked.node, BOOL, checked.size, checked.cost, checked.depth, checked.asks_unknown, False)
        return checked

    def report(
        self, node: Node | tuple[int, int], code: str, message: str, label: str = "", hint: str | None = None
    ) -> Type:
        at = node if isinstance(node, tuple) else node.at
        self.problems.append(self.scalar.problem(code, message, at, label, hint, "the policy set was not loaded"))
        return DYN

    def measure(self, root: Node) -> tuple[int, int, int]:
        """Nodes, worst-case steps and levels, all with variables put in."""
        done: dict[int, tuple[int, int, int]] = {}

        def measured(node: Node) -> tuple[int, int, int]:
            if id(node) in done:
                return done[id(node)]
            parts = [measured(arg) for arg in node.args]
            size = 1 + sum(part[0] for part in parts)
            cost = 1 + sum(part[1] for part in parts)
            depth = 1 + max((part[2] for part in parts), default=0)
            if node.op == "var":
                known = self.variables.get(str(node.value))
                size, cost, depth = (known.size, known.cost, known.depth) if known and known.ok else (1, 1, 1)
            elif node.op == "macro":
                cost = 1 + parts[0][1] + self.length(node.args[0]) * sum(part[1] for part in parts[1:])
            elif node.op == "in":
                cost += self.length(node.args[1]) // 8
            done[id(node)] = min(size, 10**12), min(cost, 10**12), depth
            return done[id(node)]

        return measured(root)

    def length(self, node: Node) -> int:
        if node.op == "list":
            return len(node.args)
        if node.op == "var" and str(node.value) in self.variables:
            return self.length(self.variables[str(node.value)].node)
        if node.op == "macro" and node.value[0] in ("filter", "map"):
            return self.length(node.args[0])
        if node.op == "arith":
            return sum(self.length(arg) for arg in node.args)
        if node.op == "cond":
            return max(self.length(arg) for arg in node.args[1:])
        return LIST_BOUND

    # One method a kind of node; each gives the typed node and its type.

    def visit(self, node: Node) -> tuple[Node, Type]:
        typed, kind = getattr(self, f"visit_{node.op}")(node)
        return (typed if typed.type else typed.retyped(str(kind))), kind

    def visits(self, node: Node) -> tuple[Node, list[Type]]:
        visited = [self.visit(arg) for arg in node.args]
        return node.retyped("", tuple(v[0] for v in visited)), [v[1] for v in visited]

    def visit_lit(self, node: Node) -> tuple[Node, Type]:
        value = node.value
        if value is None:
            return node, NULL
        kinds = {bool: BOOL, int: INT, float: DOUBLE, str: STRING}
        return node, kinds[type(value)]

    def visit_hole(self, node: Node) -> tuple[Node, Type]:
        return node, DYN

    def visit_ref(self, node: Node) -> tuple[Node, Type]:
        name = str(node.value)
        for position in range(len(self.scope) - 1, -1, -1):
            if self.scope[position][0] == name:
                self.asked.add(position)
                return node, self.scope[position][1]
        if name in self.roots:
            return node, record(name)
        known = [*(v for v, _ in self.scope), *self.roots, "variables"]
        if name in ROOTS:
            return node, self.report(node, "EG202", f"`{name}` cannot be asked here", "not available")
        if name == "variables":
            return node, self.report(
                node, "EG202", "`variables` is not a value", "name one of them", "`variables.name`"
            )
        if self.scalar.style in ("'", '"') and self.scalar.text.strip() == name and name not in WORDS_OF_OTHERS:
            quoted = "'\"" + name + "\"'" if self.scalar.style == '"' else "\"'" + name + "'\""
            hint = f"these quotes are YAML's; text has its own: `{quoted}`"
        elif name in self.variables:
            hint = f"a variable is named with its group: `variables.{name}`"
        elif name in WORDS_OF_OTHERS:
            hint = f"did you mean `{WORDS_OF_OTHERS[name]}`?"
        elif name in (self.words.members("role") or ()):
            hint = f'a party is told by its role: `party.role == "{name}" && party.…`'
        elif self.words.is_a_word(name):
            hint = f'text stands between quotes: `"{name}"`'
        elif name.lower() == "unknown":
            hint = "a fact that nobody knows leaves a rule open; a hold rule asks `unknown(path)`"
        elif name in TYPES_OF_CEL:
            hint = "types are known when a policy loads"
        elif name in ("now", "today"):
            hint = "time is `--as-of` or the guard's clock; date a rule by `effective:`"
        else:
            close = get_close_matches(name, known, n=1, cutoff=0.6) or get_close_matches(name.lower(), known, n=1)
            owners = sorted(r for r in self.roots if name in RECORDS[r])
            if close:
                hint = f"did you mean `{close[0]}`?"
            elif name == "country_group":
                hint = 'groups are called by name: `country_group("D:5")`'
            elif owners:
                hint = "did you mean " + " or ".join(f"`{owner}.{name}`" for owner in owners) + "?"
            else:
                hint = f"a condition sees {', '.join(f'`{k}`' for k in self.roots)} and `variables`"
        return node, self.report(node, "EG202", f"unknown name `{name}`", "nothing of this name", hint)

    def visit_var(self, node: Node) -> tuple[Node, Type]:
        name = str(node.value)
        known = self.variables.get(name)
        if known is None:
            close = get_close_matches(name, sorted(self.variables), n=1, cutoff=0.5)
            hint = f"did you mean `variables.{close[0]}`?" if close else "define it under `variables:`"
            return node, self.report(node, "EG202", f"unknown variable `{name}`", "not defined", hint)
        if known.asks_unknown:
            self.ask_unknown(node, f"`variables.{name}` asks `unknown(…)`")
        return node, known.type if known.ok else DYN

    def visit_field(self, node: Node) -> tuple[Node, Type]:
        target, owner = self.visit(node.args[0])
        typed = node.retyped("", (target,))
        name = str(node.value)
        if owner.kind == "dyn":
            return typed, DYN
        if owner.kind != "record":
            at = (node.end - len(name), node.end)
            hint = None
            if owner.kind == "list" and name not in ("size", "length"):
                hint = f"ask its elements: `{self.text(node.args[0])}.exists(x, x.{name} == …)`"
            elif name in ("size", "length"):
                hint = f"how long something is: `size({self.text(node.args[0])})`"
            elif name in METHODS:
                hint = f"a function is called with brackets: `.{name}()`"
            elif owner.kind == "string":
                hint = f"text is compared itself: `{self.text(node.args[0])} == …`"
            elif owner.kind in ("timestamp", "duration"):
                hint = f"its parts are asked by functions, as `{self.text(node.args[0])}.getHours()`"
            return typed, self.report(
                at, "EG203", f"there is no field `{name}` here", f"{owner.shown()} has no fields", hint
            )
        kind = RECORDS[owner.record].get(name)
        if kind is None:
            path = path_text(node) or name
            root, _, rest = path.partition(".")
            shown = rest if rest and root in ROOTS else name
            start = node.start + len(root) + 1 if shown == rest and self.text(node) == path else node.end - len(name)
            better = self.better_field(owner.record, name)
            hint = (
                f"did you mean `{shown[: len(shown) - len(name)]}{better}`?" if better else self.elsewhere(owner, name)
            )
            where = root if root in ROOTS and "." in path else owner.record
            return typed, self.report(
                (start, node.end), "EG203", f"unknown field `{shown}`", f"not a field of {where}", hint
            )
        return typed, kind

    def text(self, node: Node) -> str:
        return self.scalar.text[node.start : node.end]

    def visit_index(self, node: Node) -> tuple[Node, Type]:
        typed, (target, index) = self.visits(node)
        if target.kind == "dyn":
            return typed, DYN
        if target.kind != "list":
            key = node.args[1].value
            field_of = target.kind == "record" and isinstance(key, str) and key in RECORDS[target.record]
            hint = f"a field is named with a dot: `{self.text(node.args[0])}.{key}`" if field_of else None
            if target.kind == "string":
                hint = "text is asked with `startsWith`, `endsWith`, `contains` or `matches`"
            message = f"{target.shown()} has no elements"
            return typed, self.report(node, "EG205", message, "only lists are indexed", hint)
        if index.kind not in ("int", "dyn"):
            hint = f"an element of a list is asked with `in`: `{self.text(node.args[1])} in {self.text(node.args[0])}`"
            self.report(node.args[1], "EG205", "an index is a whole number", f"this is {index.shown()}", hint)
        return typed, target.of or DYN

    def visit_list(self, node: Node) -> tuple[Node, Type]:
        typed, kinds = self.visits(node)
        self.members[id(node)] = kinds
        return typed, list_of(join(kinds))

    def negated(self, node: Node) -> tuple[Node, list[Type]]:
        """Visit parts in which `unknown` is not allowed."""
        before, self.positive = self.positive, False
        try:
            return self.visits(node)
        finally:
            self.positive = before

    def visit_not(self, node: Node) -> tuple[Node, Type]:
        typed, (kind,) = self.negated(node)
        operand = self.text(node.args[0])
        hint = f"`!` binds first: `!({operand} == …)`, `!({operand} in […])`"
        return typed, BOOL if self.expect_bool(node.args[0], kind, "`!`", hint) else DYN

    def visit_neg(self, node: Node) -> tuple[Node, Type]:
        typed, (kind,) = self.negated(node)
        if kind.kind not in ("int", "double", "dyn"):
            hint = "not is `!`" if kind.kind == "bool" else "a minus stands before a number"
            return typed, self.report(node, "EG205", "only a number can be negative", f"this is {kind.shown()}", hint)
        return typed, Type(kind.kind)

    def expect_bool(self, node: Node, kind: Type, what: str, hint: str | None = None) -> bool:
        if kind.kind in ("bool", "dyn"):
            return True
        self.report(
            node, "EG205", f"{what} needs true or false", f"this is {kind.shown()}", hint or self.to_ask(node, kind)
        )
        return False

    def to_ask(self, node: Node, kind: Type) -> str:
        """How a value that is neither true nor false is asked."""
        text = self.text(node)
        if kind.kind == "list":
            return f"whether there are any is `size({text}) > 0`"
        if kind.kind == "record" and kind.nullable:
            return f"whether it is there is `has({text})`"
        if node.op == "lit" and kind.kind == "string":
            return f"each part is a comparison of its own; one of several is asked with `in`: `… in [{text}, …]`"
        return "compare it with something"

    def visit_and(self, node: Node) -> tuple[Node, Type]:
        typed, kinds = self.visits(node)
        asked = [
            self.expect_bool(arg, kind, "`&&`" if node.op == "and" else "`||`")
            for arg, kind in zip(node.args, kinds, strict=True)
        ]
        # What joins values that are neither true nor false was meant otherwise: nothing follows from it.
        return typed, BOOL if all(asked) else DYN

    visit_or = visit_and

    def visit_cond(self, node: Node) -> tuple[Node, Type]:
        before, self.positive = self.positive, False
        test, kind = self.visit(node.args[0])
        self.positive = before
        self.expect_bool(node.args[0], kind, "the condition of `? :`")
        then, left = self.visit(node.args[1])
        otherwise, right = self.visit(node.args[2])
        typed = node.retyped("", (test, then, otherwise))
        if not self.comparable(left, right) and "null" not in (left.kind, right.kind):
            label = f"{left.shown()}, or else {right.shown()}"
            hint = "both sides are true or false, or both text, or both numbers"
            return typed, self.report(node, "EG205", "`? :` gives values of one type", label, hint)
        return typed, join([left, right])

    def visit_has(self, node: Node) -> tuple[Node, Type]:
        typed, _ = self.negated(node)
        return typed, BOOL

    def visit_unknown(self, node: Node) -> tuple[Node, Type]:
        typed, _ = self.visits(node)
        if path_text(node.args[0]) is None and node.args[0].op != "hole":
            self.report(node.args[0], "EG211", "`unknown` takes a path", "not a path")
        self.ask_unknown(node, "`unknown(…)` is used")
        return typed, BOOL

    def ask_unknown(self, node: Node, what: str) -> None:
        if not self.may_ask_unknown:
            self.report(node, "EG211", f"{what} where it is not allowed", "not allowed here", self.unknown_refusal)
        elif not self.positive:
            self.report(
                node,
                "EG211",
                f"{what} under a negation or inside another expression",
                "not allowed here",
                "join it with `&&` and `||` only: otherwise hiding a fact could unlock a request",
            )

    visit_group = visit_owned = visit_matches = visit_has
