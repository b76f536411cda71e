"""The `variables:` of a policy."""

from __future__ import annotations

import re

from exportguard.diagnostics import Diagnostic
from exportguard.language.check import Checked, Checker
from exportguard.language.conditions import Parsed, parse_condition
from exportguard.language.fields import NOT_LOADED
from exportguard.language.parse import Hole, Mapping, Sequence
from exportguard.language.schema import Vocabularies
from exportguard.language.source import Scalar
from exportguard.language.syntax import Node, substitute, walk
from exportguard.language.types import DYN

_AS_TEXT = """a list of CEL stands between quotes, or in a block after `|`: `'["CN", "HK"]'`"""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")


class Variables:
    """The `variables:` of a policy: checked in the order they need each other; a cycle is a problem of each in it."""

    def __init__(self, tree: Mapping | None, words: Vocabularies, problems: list[Diagnostic]) -> None:
        self.words, self.problems = words, problems
        self.warnings: list[Diagnostic] = []
        self.scalars: dict[str, Scalar] = {}
        self.keys: dict[str, Scalar] = {}
        self.parsed: dict[str, Parsed | None] = {}
        self.checked: dict[str, Checked] = {}
        self.trees: dict[str, Node] = {}
        self.used: set[str] = set()
        for key, value in tree.entries if tree is not None else ():
            # Whatever is wrong with it, what uses it is not wrong as well.
            self.checked.setdefault(key.text, Checked(Node("lit", (), False), DYN, 1, 1, 1, False, False))
            if isinstance(value, Hole):
                continue
            if not _NAME.match(key.text):
                self.problems.append(
                    key.problem(
                        "EG307",
                        f"`{key.text[:60]}` is not a name",
                        None,
                        "not a name",
                        "letters, digits and `_`",
                        NOT_LOADED,
                    )
                )
            elif not isinstance(value, Scalar) or not value.text.strip():
                self.problems.append(
                    key.problem(
                        "EG112",
                        f"the variable `{key.text}` is not a condition",
                        None,
                        "needs CEL text",
                        _AS_TEXT if isinstance(value, Sequence) else "give it one, or drop it",
                        NOT_LOADED,
                    )
                )
            elif key.text not in self.scalars:
                del self.checked[key.text]
                self.scalars[key.text], self.keys[key.text] = value, key
        for name, scalar in self.scalars.items():
            self.parsed[name] = parse_condition(scalar, self.problems)
        self._check_in_order()

    def needs(self, name: str) -> list[str]:
        parsed = self.parsed.get(name)
        if parsed is None:
            return []
        return list(dict.fromkeys(str(n.value) for n in walk(parsed.node) if n.op == "var" and n.value in self.scalars))

    def _check_in_order(self) -> None:
        """Those first that need none unchecked; what is left over at the end goes round in circles."""
        waiting = dict.fromkeys(self.scalars)
        progress = True
        while progress:
            progress = False
            for name in list(waiting):
                if all(needed in self.checked for needed in self.needs(name)):
                    del waiting[name]
                    self._check(name)
                    progress = True
        for name in waiting:
            circle = " -> ".join(f"`{n}`" for n in self._circle(name, waiting))
            self.problems.append(
                self.keys[name].problem(
                    "EG216",
                    f"the variable `{name}` needs itself",
                    None,
                    "defined by itself",
                    f"it goes round: {circle}",
                    NOT_LOADED,
                )
            )
            self.checked[name] = Checked(Node("lit", (), False), DYN, 1, 1, 1, False, False)

    def _circle(self, name: str, waiting: dict[str, None]) -> list[str]:
        path = [name]
        while True:
            following = next(needed for needed in self.needs(path[-1]) if needed in waiting)
            if following in path:
                return [*path[path.index(following) :], following]
            path.append(following)

    def _check(self, name: str) -> None:
        parsed = self.parsed[name]
        if parsed is None:
            self.checked[name] = Checked(Node("lit", (), False), DYN, 1, 1, 1, False, False)
            return
        # `unknown(…)` may stand in a variable; where the variable is used decides whether it may be asked there.
        checker = Checker(parsed.scalar, self.words, self.checked, may_ask_unknown=True)
        checked = checker.check(parsed.node)
        self.problems.extend(checker.problems)
        self.warnings.extend(checker.warnings)
        if not parsed.as_written or not self.all_ok(checked.node):
            checked = Checked(
                checked.node, checked.type, checked.size, checked.cost, checked.depth, checked.asks_unknown, False
            )
        self.checked[name] = checked
        if checked.ok:
            self.trees[name] = substitute(checked.node, self.trees)

    def all_ok(self, node: Node) -> bool:
        names = {str(n.value) for n in walk(node) if n.op == "var"}
        return all(name in self.checked and self.checked[name].ok for name in names)

    def note_use(self, checked: Checked | None) -> None:
        pending = [str(n.value) for n in walk(checked.node) if n.op == "var"] if checked is not None else []
        while pending:
            name = pending.pop()
            if name not in self.used:
                self.used.add(name)
                pending.extend(self.needs(name))

    def unused(self) -> list[Diagnostic]:
        return [
            Diagnostic(
                "EG402",
                "warning",
                f"the variable `{name}` is not used",
                key.source.span(key.start, key.end),
                "never used",
                f"drop it, or name it in a condition: `variables.{name}`",
            )
            for name, key in self.keys.items()
            if name not in self.used
        ]
