"""Checks of the macros: what they range over, the name they bind, and whether what stands behind asks it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from exportguard.diagnostics import Diagnostic
from exportguard.language.schema import ROOTS
from exportguard.language.source import Scalar
from exportguard.language.syntax import Node
from exportguard.language.types import BOOL, DYN, Type, list_of


class MacroChecks:
    """The part of the checker that looks at `exists all exists_one filter map`."""

    scalar: Scalar
    scope: list[tuple[str, Type]]
    asked: set[int]
    positive: bool
    warnings: list[Diagnostic]

    if TYPE_CHECKING:

        def report(
            self, node: Node | tuple[int, int], code: str, message: str, label: str = "", hint: str | None = None
        ) -> Type: ...
        def visit(self, node: Node) -> tuple[Node, Type]: ...
        def expect_bool(self, node: Node, kind: Type, what: str) -> bool: ...
        def text(self, node: Node) -> str: ...

    def visit_macro(self, node: Node) -> tuple[Node, Type]:
        macro, name = node.value
        before = self.positive
        self.positive = False
        target, kind = self.visit(node.args[0])
        self.positive = before and macro in ("exists", "all")
        element = kind.of or DYN if kind.kind == "list" else DYN
        if kind.kind not in ("list", "dyn"):
            hint = "a rule is asked of every item, party and location by itself" if kind.kind == "record" else None
            hint = "text is asked with `contains` or `matches`" if kind.kind == "string" else hint
            self.report(
                node.args[0], "EG205", f"`{macro}` asks the elements of a list", f"this is {kind.shown()}", hint
            )
        if name in ROOTS or name == "variables":
            hint = f"as in `{self.text(node.args[0])}.{macro}({name[0]}, …)`"
            label = "choose another name for the variable"
            self.report(node, "EG219", f"`{name}` already means something here", label, hint)
        self.asked.discard(len(self.scope))
        self.scope.append((name, element))
        parts = [self.visit(arg) for arg in node.args[1:]]
        self.scope.pop()
        if len(self.scope) not in self.asked:
            self.warnings.append(self.never_asked(node))
        self.positive = before
        predicates = len(parts) - 1 if macro == "map" else len(parts)
        for (_, part), source in zip(parts[:predicates], node.args[1:], strict=False):
            self.expect_bool(source, part, f"`{macro}`")
        typed = node.retyped("", (target, *(p[0] for p in parts)))
        if macro == "filter":
            return typed, list_of(element)
        if macro == "map":
            return typed, list_of(parts[-1][1])
        return typed, BOOL

    def never_asked(self, node: Node) -> Diagnostic:
        macro, name = node.value
        named = re.search(rf"\(\s*({re.escape(name)})\s*,", self.scalar.text[node.args[0].end : node.args[1].start])
        start, end = named.span(1) if named is not None else (0, 0)
        at = (node.args[0].end + start, node.args[0].end + end) if named is not None else node.at
        hint = f"each element is `{name}` in turn: ask something of it, or leave `{macro}` out"
        told = self.scalar.problem("EG413", f"`{macro}` never asks `{name}`", at, "not used behind the comma", hint)
        return replace(told, severity="warning")
